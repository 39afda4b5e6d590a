/* The library's service thread, seen from outside: for the tests of watchdogs and signal wakes. */
#ifndef SERVICE_H
#define SERVICE_H

#include "self.h"

#include <pthread.h>
#include <sys/resource.h>

static inline int service_threads(void) {
  return self_threads_named("uvx-service");
}

/* To be called on the service thread. */
static inline void service_check_thread(void) {
  char name[16];
  sigset_t mask;
  CHECK_EQ(pthread_getname_np(pthread_self(), name, sizeof name), 0);
  CHECK_STR(name, "uvx-service");
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
  for (int signum = 1; signum < 32; signum++)
    if (signum != SIGKILL && signum != SIGSTOP) CHECK(sigismember(&mask, signum));
}

static struct rlimit service_stack;

/* From now on no thread of the usual size can start: no address space has room for its stack. */
static inline void service_forbid_threads(void) {
  NOT_UNDER_TSAN("its runtime reads the limit");
  CHECK_EQ(getrlimit(RLIMIT_STACK, &service_stack), 0);
  struct rlimit limit = service_stack;
  limit.rlim_cur = (rlim_t) 1 << 47;
  if (limit.rlim_max < limit.rlim_cur || setrlimit(RLIMIT_STACK, &limit) != 0) SKIP("the stack's limit cannot be raised");
}

static inline void service_allow_threads(void) {
  CHECK_EQ(setrlimit(RLIMIT_STACK, &service_stack), 0);
}

#endif
