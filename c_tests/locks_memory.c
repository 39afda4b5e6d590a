/* Named locks without memory: a request that fails changes nothing, and everything else needs none. */
#include "locks.h"

#include "allocs.h"

static const char* name;

static int try_request(long n) {
  lock_t lock;
  allocs_fail_at(n);
  int result = uvx_lock_request(&loop, &lock, name, 0, note_granted, NULL);
  allocs_fail_at(0);
  if (result == 0) {
    lock.data = "a";
    run_loop();
    CHECK_LOG("a");
    release(&lock);
  }
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(entries(), 0);
  return result;
}

static int try_wait(long n) {
  lock_t lock;
  allocs_fail_at(n);
  int result = uvx_lock_wait(&lock, name, 0, UVX_FOREVER);
  allocs_fail_at(0);
  if (result == 0) release(&lock);
  CHECK_EQ(entries(), 0);
  return result;
}

static int try_query(long n) {
  lock_t lock;
  uvx_lock_info_t* list = NULL;
  size_t count = 0;
  CHECK_EQ(uvx_lock_wait(&lock, name, 0, 0), 0);
  allocs_fail_at(n);
  int result = uvx_locks_query(&list, &count);
  allocs_fail_at(0);
  CHECK_EQ(count, result == 0);
  uvx_locks_free(list, count);
  release(&lock);
  return result;
}

TEST(what_needs_memory) {
  allocs_install();
  set_up();
  name = "name";
  CHECK_EQ(allocs_exhaust(try_request), 1); /* the name */
  CHECK_EQ(allocs_exhaust(try_wait), 1);
  CHECK_EQ(allocs_exhaust(try_query), 1);
  tear_down();
  CHECK_EQ(allocs_live(), 0);
}

/* Also a thief's request, if somebody has the lock. */
TEST(nothing_else_needs_memory) {
  lock_t locks[20], other;
  allocs_install();
  set_up();
  request(&locks[0], "0", "name", 0);
  long before = allocs_live();
  allocs_fail_at(1);
  allocs.always = 1;
  for (int i = 1; i < 20; i++) request(&locks[i], "", "name", i % 2 ? UVX_LOCK_SHARED : 0);
  CHECK_EQ(uvx_lock_request(&loop, &other, "other name", 0, note_granted, NULL), UV_ENOMEM);
  turn();
  for (int i = 5; i < 15; i++) CHECK_EQ(uvx_lock_cancel(&locks[i]), 0);
  turn();
  request(&locks[10], "", "name", UVX_LOCK_STEAL);
  turn();
  CHECK_EQ(allocs_live(), before);
  release(&locks[10]);
  for (int i = 1; i < 5; i++) {
    turn();
    release(&locks[i]);
  }
  for (int i = 15; i < 20; i++) {
    turn();
    release(&locks[i]);
  }
  allocs.always = 0;
  allocs_fail_at(0);
  CHECK_EQ(allocs_live(), before - 1);
  tear_down();
  CHECK_EQ(allocs_live(), 0);
}

/* A name takes memory as long as it is used. */
TEST(names_come_and_go) {
  lock_t lock;
  char text[16];
  allocs_install();
  for (int i = 0; i < 10000; i++) {
    snprintf(text, sizeof text, "%d", i);
    CHECK_EQ(uvx_lock_wait(&lock, text, 0, 0), 0);
    CHECK_EQ(allocs_live(), 1);
    release(&lock);
    CHECK_EQ(allocs_live(), 0);
  }
}
