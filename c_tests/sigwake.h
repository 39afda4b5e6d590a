/* What the tests of signal wakes share: one wake that counts its calls, and the disposition of a signal. */
#ifndef SIGWAKE_H
#define SIGWAKE_H

#include "port.h"

typedef uvx_sigwake_t wake_t;

static int calls;
static uv_sem_t done;
static wake_t* wake;

static inline void count(wake_t* given, void* arg) {
  CHECK(given != NULL);
  CHECK(arg == &calls);
  __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
  uv_sem_post(&done);
}

static inline int calls_now(void) {
  return __atomic_load_n(&calls, __ATOMIC_SEQ_CST);
}

static inline void set_up(int signum) {
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_sigwake_install(signum, count, &calls, &wake), 0);
}

static inline struct sigaction disposition(int signum) {
  struct sigaction action;
  CHECK_EQ(sigaction(signum, NULL, &action), 0);
  return action;
}

static inline int is_default(int signum) {
  return disposition(signum).sa_handler == SIG_DFL;
}

#endif
