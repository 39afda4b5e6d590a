/* What the tests of watchdogs share: counting, and holding the service thread. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include "port.h"

#define MS 1000000u
#define A_MINUTE (60u * 1000u * MS)

typedef uvx_watchdog_t watchdog_t;

static int fired;
static uv_sem_t done;

static inline void count(watchdog_t* watchdog, void* arg) {
  (void) watchdog;
  (void) arg;
  __atomic_add_fetch(&fired, 1, __ATOMIC_SEQ_CST);
  uv_sem_post(&done);
}

static inline int fired_now(void) {
  return __atomic_load_n(&fired, __ATOMIC_SEQ_CST);
}

static uv_sem_t begun, go_on;

static inline void stay(watchdog_t* watchdog, void* arg) {
  (void) watchdog;
  (void) arg;
  uv_sem_post(&begun);
  uv_sem_wait(&go_on);
}

/* The service thread is in a callback from here on, so that nothing else fires, until go_on is posted. */
static inline void hold_the_thread(watchdog_t* watchdog) {
  CHECK_EQ(uv_sem_init(&begun, 0), 0);
  CHECK_EQ(uv_sem_init(&go_on, 0), 0);
  CHECK_EQ(uvx_watchdog_start(watchdog, 0, stay, NULL), 0);
  uv_sem_wait(&begun);
}

#endif
