/* Counters that threads share. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <sched.h>

static inline int add(int* counter, int n) {
  return __atomic_add_fetch(counter, n, __ATOMIC_SEQ_CST);
}

static inline int get(int* counter) {
  return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

static inline void wait_until(int* counter, int value) {
  while (get(counter) < value) sched_yield();
}

#endif
