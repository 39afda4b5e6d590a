/* A thread pool whose threads are all held: what is queued now does not begin until they are let go. */
#ifndef HELD_POOL_H
#define HELD_POOL_H

#include "check.h"

#include <semaphore.h>

static struct {
  uv_work_t works[4];
  int threads;
  sem_t begun, go_on;
} held_pool;

static inline void held_pool_wait(uv_work_t* req) {
  (void) req;
  CHECK_EQ(sem_post(&held_pool.begun), 0);
  while (sem_wait(&held_pool.go_on) != 0) CHECK_EQ(errno, EINTR);
}

/* The pool must not have run yet: only then is its size read. */
static inline void hold_pool(uv_loop_t* loop, int threads) {
  char size[2] = {(char) ('0' + threads), '\0'};
  CHECK(threads <= 4);
  CHECK_EQ(setenv("UV_THREADPOOL_SIZE", size, 1), 0);
  CHECK_EQ(sem_init(&held_pool.begun, 0, 0), 0);
  CHECK_EQ(sem_init(&held_pool.go_on, 0, 0), 0);
  held_pool.threads = threads;
  for (int i = 0; i < threads; i++) CHECK_EQ(uv_queue_work(loop, &held_pool.works[i], held_pool_wait, NULL), 0);
  for (int i = 0; i < threads; i++)
    while (sem_wait(&held_pool.begun) != 0) CHECK_EQ(errno, EINTR);
}

static inline void let_pool_go(void) {
  for (int i = 0; i < held_pool.threads; i++) CHECK_EQ(sem_post(&held_pool.go_on), 0);
}

#endif
