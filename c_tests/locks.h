/* What the tests of named locks share. */
#ifndef LOCKS_H
#define LOCKS_H

#include "port.h"

typedef uvx_lock_t lock_t;

static uv_loop_t loop;
static pthread_t loop_thread;

static inline void set_up(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  loop_thread = pthread_self();
}

static inline void run_loop(void) {
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

/* How many hold a lock of the process, or wait for one. */
static inline size_t entries(void) {
  uvx_lock_info_t* list;
  size_t count;
  CHECK_EQ(uvx_locks_query(&list, &count), 0);
  uvx_locks_free(list, count);
  return count;
}

static inline void tear_down(void) {
  run_loop();
  CHECK_EQ(entries(), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* What callbacks note of the lock whose `data` is "a": "a" when it is granted, "a:ECANCELED", "a:lost". */
static inline void note_granted(lock_t* lock, int status) {
  char text[64];
  CHECK(pthread_equal(pthread_self(), loop_thread));
  CHECK_EQ(uvx_lock_is_held(lock), status == 0);
  snprintf(text, sizeof text, "%s%s%s", (const char*) lock->data, status ? ":" : "", status ? uv_err_name(status) : "");
  port_note(text);
}

static inline void note_lost(lock_t* lock, int status) {
  char text[64];
  CHECK(pthread_equal(pthread_self(), loop_thread));
  CHECK_EQ(status, UV_ECANCELED);
  CHECK_EQ(uvx_lock_is_held(lock), 0);
  CHECK_EQ(uvx_lock_release(lock), UV_EINVAL); /* it is over */
  snprintf(text, sizeof text, "%s:lost", (const char*) lock->data);
  port_note(text);
}

static inline void request(lock_t* lock, const char* who, const char* name, unsigned flags) {
  memset(lock, 0xa5, sizeof *lock); /* it needs no initialisation */
  lock->data = (void*) who;
  CHECK_EQ(uvx_lock_request(&loop, lock, name, flags, note_granted, note_lost), 0);
  CHECK_EQ(uvx_lock_is_held(lock), 0); /* it is not known yet */
}

static inline void release(lock_t* lock) {
  CHECK_EQ(uvx_lock_release(lock), 0);
  CHECK_EQ(uvx_lock_is_held(lock), 0);
}

static inline void turn(void) {
  uv_run(&loop, UV_RUN_NOWAIT);
}

#endif
