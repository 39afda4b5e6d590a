/* The allocator that a program may set, and uv_buf_init. */
#include "allocs.h"

static void* no_malloc(size_t size) {
  (void) size;
  CHECK_FAIL("malloc was called");
}

static void* no_calloc(size_t count, size_t size) {
  (void) count, (void) size;
  CHECK_FAIL("calloc was called");
}

static void* no_realloc(void* block, size_t size) {
  (void) block, (void) size;
  CHECK_FAIL("realloc was called");
}

static void spoiling_free(void* block) {
  free(block);
  errno = 12345;
}

TEST(all_four_are_needed) {
  uv_env_item_t* items;
  int count;
  CHECK_EQ(uv_replace_allocator(NULL, no_realloc, no_calloc, free), UV_EINVAL);
  CHECK_EQ(uv_replace_allocator(no_malloc, NULL, no_calloc, free), UV_EINVAL);
  CHECK_EQ(uv_replace_allocator(no_malloc, no_realloc, NULL, free), UV_EINVAL);
  CHECK_EQ(uv_replace_allocator(no_malloc, no_realloc, no_calloc, NULL), UV_EINVAL);
  NEEDS(1, 31);
  CHECK_EQ(uv_os_environ(&items, &count), 0); /* with the C library's, as before */
  uv_os_free_environ(items, count);
}

TEST(is_used_from_then_on) {
  uv_env_item_t* items;
  int count;
  allocs_install();
  CHECK_EQ(allocs_live(), 0);
  NEEDS(1, 31);
  CHECK_EQ(uv_os_environ(&items, &count), 0);
  CHECK(allocs_live() > 0);
  uv_os_free_environ(items, count);
  CHECK_EQ(allocs_live(), 0);
  CHECK_EQ(uv_replace_allocator(malloc, realloc, calloc, free), 0);
  CHECK_EQ(uv_os_environ(&items, &count), 0);
  CHECK_EQ(allocs_live(), 0);
  uv_os_free_environ(items, count);
}

TEST(free_may_change_errno) {
  uv_env_item_t* items;
  int count;
  NEEDS(1, 31);
  CHECK_EQ(uv_replace_allocator(malloc, realloc, calloc, spoiling_free), 0);
  CHECK_EQ(uv_os_environ(&items, &count), 0);
  errno = 77;
  uv_os_free_environ(items, count);
  CHECK_EQ(errno, 77);
}

TEST(buf_init_only_packs) {
  char bytes[3];
  uv_buf_t buf = uv_buf_init(bytes, sizeof(bytes));
  CHECK_EQ(buf.base, bytes);
  CHECK_EQ(buf.len, 3);
  buf = uv_buf_init(NULL, UINT32_MAX);
  CHECK_EQ(buf.base, NULL);
  CHECK_EQ(buf.len, UINT32_MAX);
}
