/* Semaphores and barriers. */
#include "aborts.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>

static uv_sem_t sem, reached;
static uv_barrier_t barrier;
static int serial, rounds;

TEST(semaphore_counts) {
  int value;
  CHECK_EQ(uv_sem_init(&sem, 2), 0);
  uv_sem_wait(&sem);
  CHECK_EQ(uv_sem_trywait(&sem), 0);
  CHECK_EQ(uv_sem_trywait(&sem), UV_EAGAIN);
  uv_sem_post(&sem);
  uv_sem_post(&sem);
  CHECK_EQ(sem_getvalue(&sem, &value), 0);
  CHECK_EQ(value, 2);
  CHECK_EQ(sem_wait(&sem), 0);
  CHECK_EQ(uv_sem_trywait(&sem), 0);
  CHECK_EQ(uv_sem_trywait(&sem), UV_EAGAIN);
  uv_sem_destroy(&sem);
}

TEST(semaphore_has_a_limit) {
  CHECK_EQ(uv_sem_init(&sem, SEM_VALUE_MAX), 0);
  CHECK_EQ(uv_sem_trywait(&sem), 0);
  CHECK_EQ(uv_sem_init(&sem, (unsigned) SEM_VALUE_MAX + 1), UV_EINVAL);
}

static void post_too_often(void) {
  uv_sem_init(&sem, SEM_VALUE_MAX);
  uv_sem_post(&sem);
}

TEST(semaphore_overflow_aborts) {
  check_aborts(post_too_often, "uv_sem_post");
}

static void post_many(void* arg) {
  (void) arg;
  for (int i = 0; i < 10000; i++) uv_sem_post(&sem);
}

static void take_many(void* arg) {
  (void) arg;
  for (int i = 0; i < 10000; i++)
    if (i % 4 != 0 || uv_sem_trywait(&sem) != 0) uv_sem_wait(&sem);
}

TEST(semaphore_loses_nothing) {
  uv_thread_t threads[4];
  CHECK_EQ(uv_sem_init(&sem, 0), 0);
  for (int i = 0; i < 4; i++) CHECK_EQ(uv_thread_create(&threads[i], i % 2 ? post_many : take_many, NULL), 0);
  for (int i = 0; i < 4; i++) CHECK_EQ(uv_thread_join(&threads[i]), 0);
  CHECK_EQ(uv_sem_trywait(&sem), UV_EAGAIN);
}

static void on_signal(int signum) {
  (void) signum;
  uv_sem_post(&reached);
}

static void wait_once(void* arg) {
  uv_sem_wait(&sem);
  *(int*) arg = 1;
}

TEST(semaphore_wait_survives_signals) {
  struct sigaction action;
  uv_thread_t thread;
  int done = 0;
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_signal; /* without SA_RESTART */
  CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
  CHECK_EQ(uv_sem_init(&sem, 0), 0);
  CHECK_EQ(uv_sem_init(&reached, 0), 0);
  CHECK_EQ(uv_thread_create(&thread, wait_once, &done), 0);
  for (int i = 0; i < 200; i++) {
    CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
    uv_sem_wait(&reached);
    CHECK_EQ(__atomic_load_n(&done, __ATOMIC_SEQ_CST), 0);
  }
  uv_sem_post(&sem);
  CHECK_EQ(uv_thread_join(&thread), 0);
  CHECK_EQ(done, 1);
}

TEST(barrier_needs_threads) {
  CHECK_EQ(uv_barrier_init(&barrier, 0), UV_EINVAL);
}

TEST(barrier_for_one) {
  CHECK_EQ(uv_barrier_init(&barrier, 1), 0);
  for (int i = 0; i < 3; i++) CHECK(uv_barrier_wait(&barrier) > 0);
  uv_barrier_destroy(&barrier);
}

static void meet(void* arg) {
  (void) arg;
  for (int round = 0; round < 100; round++) {
    int result = uv_barrier_wait(&barrier);
    CHECK(result == 0 || result == 1);
    if (result) __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
    uv_barrier_wait(&barrier);
    CHECK_EQ(__atomic_load_n(&rounds, __ATOMIC_SEQ_CST), 4 * (round + 1));
    uv_barrier_wait(&barrier);
  }
}

TEST(barrier_lets_all_go_together_and_tells_one) {
  uv_thread_t threads[3];
  CHECK_EQ(uv_barrier_init(&barrier, 4), 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(uv_thread_create(&threads[i], meet, NULL), 0);
  meet(NULL);
  for (int i = 0; i < 3; i++) CHECK_EQ(uv_thread_join(&threads[i]), 0);
  CHECK_EQ(serial, 100);
  uv_barrier_destroy(&barrier);
}

static void meet_and_destroy(void* arg) {
  if (uv_barrier_wait(arg) > 0) {
    uv_barrier_destroy(arg);
    memset(arg, 0x7f, sizeof(uv_barrier_t));
    __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
  }
}

TEST(barrier_may_be_destroyed_by_the_one) {
  NOT_UNDER_TSAN("it does not know that the destroy waits for those inside");
  for (int round = 1; round <= 50; round++) {
    uv_thread_t threads[3];
    CHECK_EQ(uv_barrier_init(&barrier, 4), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(uv_thread_create(&threads[i], meet_and_destroy, &barrier), 0);
    meet_and_destroy(&barrier);
    for (int i = 0; i < 3; i++) CHECK_EQ(uv_thread_join(&threads[i]), 0);
    CHECK_EQ(serial, round);
  }
}
