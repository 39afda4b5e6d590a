/* An allocator that counts live blocks and fails the n-th allocation, for the tests of memory exhaustion. */
#ifndef ALLOCS_H
#define ALLOCS_H

#include "check.h"

static struct {
  long live;    /* blocks handed out and not freed yet */
  long until;   /* the allocation that brings this to 0 fails; below 1 none does */
  long refused; /* how many were refused */
  int always;   /* every allocation fails */
} allocs;

static inline int allocs_refuse(void) {
  if (__atomic_sub_fetch(&allocs.until, 1, __ATOMIC_SEQ_CST) != 0 && !allocs.always) return 0;
  __atomic_add_fetch(&allocs.refused, 1, __ATOMIC_SEQ_CST);
  return 1;
}

static inline void* allocs_count(void* block) {
  if (block != NULL) __atomic_add_fetch(&allocs.live, 1, __ATOMIC_SEQ_CST);
  return block;
}

static inline void* allocs_malloc(size_t size) {
  return allocs_refuse() ? NULL : allocs_count(malloc(size));
}

static inline void* allocs_calloc(size_t count, size_t size) {
  return allocs_refuse() ? NULL : allocs_count(calloc(count, size));
}

static inline void* allocs_realloc(void* block, size_t size) {
  if (allocs_refuse()) return NULL;
  return block == NULL ? allocs_count(malloc(size)) : realloc(block, size);
}

static inline void allocs_free(void* block) {
  if (block != NULL) __atomic_sub_fetch(&allocs.live, 1, __ATOMIC_SEQ_CST);
  free(block);
}

/* To be called before anything else of the library. */
static inline void allocs_install(void) {
  CHECK_EQ(uv_replace_allocator(allocs_malloc, allocs_realloc, allocs_calloc, allocs_free), 0);
}

static inline void allocs_fail_at(long n) {
  __atomic_store_n(&allocs.refused, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n(&allocs.until, n, __ATOMIC_SEQ_CST);
}

static inline long allocs_refused(void) {
  return __atomic_load_n(&allocs.refused, __ATOMIC_SEQ_CST);
}

static inline long allocs_live(void) {
  return __atomic_load_n(&allocs.live, __ATOMIC_SEQ_CST);
}

/* Fails the first allocation of `attempt`, then the second, and so on until it needs no more. `attempt` sets up, calls
 * allocs_fail_at(n) right before and allocs_fail_at(0) right after the call under test, tears down, and returns the
 * call's result: it has to be UV_ENOMEM whenever an allocation was refused and 0 otherwise, and no block may be left.
 * Returns how many allocations the call makes. */
static inline long allocs_exhaust(int (*attempt)(long n)) {
  for (long n = 1;; n++) {
    long live = allocs_live();
    int result = attempt(n);
    if (allocs_live() != live) CHECK_FAIL("allocation %ld failed: %ld blocks leaked", n, allocs_live() - live);
    if (result == 0) return n - 1;
    if (result != UV_ENOMEM) CHECK_FAIL("allocation %ld failed: result %d%s", n, result, check_error_name(result));
    CHECK(n < 1000);
  }
}

#endif
