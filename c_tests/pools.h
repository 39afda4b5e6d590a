/* What the tests of pools share: counters, a pool and a loop, and work that is held. */
#ifndef POOLS_H
#define POOLS_H

#include "port.h"

#include "allocs.h"
#include "counters.h"
#include "self.h"

#include <sched.h>

typedef uvx_pool_t pool_t;
typedef uvx_pool_work_t work_t;

static pool_t* pool;
static uv_loop_t loop;
static uvx_mailbox_t* home;
static pthread_t loop_thread;
static int worked, ended, cancelled;

static inline void make(unsigned threads) {
  uvx_pool_options_t options = {.size = sizeof options, .threads = threads};
  CHECK_EQ(uvx_pool_create(&pool, &options), 0);
}

static inline void make_loop(void) {
  loop_thread = pthread_self();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uvx_loop_mailbox(&loop, &home), 0);
}

static inline void run(void) {
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

static inline void unmake_loop(void) {
  uvx_mailbox_release(home);
  run();
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static inline void unmake(void) {
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  uvx_pool_release(pool);
}

static inline uvx_pool_stats_t stats(void) {
  uvx_pool_stats_t stats = {.size = sizeof stats};
  CHECK_EQ(uvx_pool_stats(pool, &stats), 0);
  return stats;
}

static inline void count(work_t* work) {
  (void) work;
  add(&worked, 1);
}

static inline void end(work_t* work, int status) {
  (void) work;
  if (status == UV_ECANCELED)
    add(&cancelled, 1);
  else
    CHECK_EQ(status, 0);
  add(&ended, 1);
}

static inline void end_on_loop(work_t* work, int status) {
  CHECK(pthread_equal(pthread_self(), loop_thread));
  end(work, status);
}

/* Work that blocks until it is let go. */
static int held, let_go;

static inline void hold(work_t* work) {
  (void) work;
  add(&held, 1);
  while (!get(&let_go)) sched_yield();
  add(&worked, 1);
}

/* Occupies `n` threads of the pool. */
static inline void hold_threads(work_t* works, int n) {
  int before = get(&held);
  for (int i = 0; i < n; i++) CHECK_EQ(uvx_pool_queue(pool, &works[i], hold, UVX_PRIORITY_NORMAL, NULL, NULL), 0);
  wait_until(&held, before + n);
}

static inline void release(void) {
  add(&let_go, 1);
}

#endif
