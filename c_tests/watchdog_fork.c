/* Watchdogs and fork, whatever other threads do at that moment. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "watchdog.h"

/* 1.4.5. The fork finds the service thread in a callback, so that nothing fires before it. */
TEST(the_child_of_a_fork_has_none) {
  watchdog_t held, inherited, own;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  hold_the_thread(&held);
  CHECK_EQ(uvx_watchdog_start(&inherited, 20 * MS, count, NULL), 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(uvx_watchdog_reset(&inherited, 0), UV_EINVAL);
    CHECK_EQ(uvx_watchdog_start(&own, 30 * MS, count, NULL), 0);
    uv_sem_wait(&done);
    CHECK_EQ(fired_now(), 1);
    CHECK_EQ(uvx_watchdog_stop(&own), 1);
    CHECK_EQ(uvx_watchdog_stop(&inherited), 0);
    _exit(0);
  }
  check_child(child);
  uv_sem_post(&go_on);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&inherited), 1);
  CHECK_EQ(uvx_watchdog_stop(&held), 1);
}

static int keep_forking;

static void* arm_and_disarm(void* arg) {
  watchdog_t watchdog;
  (void) arg;
  while (__atomic_load_n(&keep_forking, __ATOMIC_SEQ_CST)) {
    CHECK_EQ(uvx_watchdog_start(&watchdog, 1000, count, NULL), 0);
    uvx_watchdog_stop(&watchdog);
  }
  return NULL;
}

/* Whatever another thread does at the moment of the fork, the child can go on. */
TEST(forks_while_another_thread_uses_watchdogs) {
  NOT_UNDER_TSAN("a fork from many threads is not what its runtime is made for");
  watchdog_t watchdog;
  pthread_t thread;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  keep_forking = 1;
  CHECK_EQ(pthread_create(&thread, NULL, arm_and_disarm, NULL), 0);
  for (int i = 0; i < 30; i++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      CHECK_EQ(uv_sem_init(&done, 0), 0);
      CHECK_EQ(uvx_watchdog_start(&watchdog, 0, count, NULL), 0);
      uv_sem_wait(&done);
      CHECK_EQ(uvx_watchdog_stop(&watchdog), 1);
      _exit(0);
    }
    check_child(child);
  }
  __atomic_store_n(&keep_forking, 0, __ATOMIC_SEQ_CST);
  CHECK_EQ(pthread_join(thread, NULL), 0);
}

static int is_armed;

static void* arm_once(void* arg) {
  watchdog_t watchdog;
  (void) arg;
  __atomic_store_n(&is_armed, 1, __ATOMIC_SEQ_CST);
  CHECK_EQ(uvx_watchdog_start(&watchdog, A_MINUTE, count, NULL), 0);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 0);
  return NULL;
}

/* The first use of all, just when another thread forks. Each round is a process of its own, so that it is the first. */
TEST(forks_while_another_thread_begins) {
  NOT_UNDER_TSAN("a fork from many threads is not what its runtime is made for");
  for (int i = 0; i < 100; i++) {
    pid_t first = fork();
    CHECK(first >= 0);
    if (first == 0) {
      watchdog_t watchdog;
      pthread_t thread;
      CHECK_EQ(pthread_create(&thread, NULL, arm_once, NULL), 0);
      while (__atomic_load_n(&is_armed, __ATOMIC_SEQ_CST) == 0) continue;
      for (volatile int spin = i * 200; spin > 0; spin--) continue;
      pid_t second = fork();
      CHECK(second >= 0);
      if (second == 0) {
        CHECK_EQ(uv_sem_init(&done, 0), 0);
        CHECK_EQ(uvx_watchdog_start(&watchdog, 0, count, NULL), 0);
        uv_sem_wait(&done);
        CHECK_EQ(uvx_watchdog_stop(&watchdog), 1);
        _exit(0);
      }
      check_child(second);
      CHECK_EQ(pthread_join(thread, NULL), 0);
      _exit(0);
    }
    check_child(first);
  }
}
