/* Condition variables. */
#include "aborts.h"

#include <pthread.h>

static uv_mutex_t mutex;
static uv_cond_t cond;
static uv_sem_t ready, woken;
static int permits;

static void init(void) {
  CHECK_EQ(uv_mutex_init(&mutex), 0);
  CHECK_EQ(uv_cond_init(&cond), 0);
  CHECK_EQ(uv_sem_init(&ready, 0), 0);
  CHECK_EQ(uv_sem_init(&woken, 0), 0);
}

/* Waits for a permit: without a limit, or in timed waits that are long enough. */
static void take_permit(void* arg) {
  uv_mutex_lock(&mutex);
  uv_sem_post(&ready);
  while (permits == 0) {
    if (arg == NULL)
      uv_cond_wait(&cond, &mutex);
    else
      CHECK_EQ(uv_cond_timedwait(&cond, &mutex, *(uint64_t*) arg), 0);
  }
  permits--;
  uv_mutex_unlock(&mutex);
  uv_sem_post(&woken);
}

static void start_waiters(uv_thread_t* threads, int count, uint64_t* timeout) {
  for (int i = 0; i < count; i++) CHECK_EQ(uv_thread_create(&threads[i], take_permit, timeout), 0);
  for (int i = 0; i < count; i++) uv_sem_wait(&ready);
  uv_mutex_lock(&mutex); /* the last one waits by now, else it would hold this */
  uv_mutex_unlock(&mutex);
}

static void give(int count, void (*wake)(uv_cond_t*)) {
  uv_mutex_lock(&mutex);
  permits += count;
  wake(&cond);
  uv_mutex_unlock(&mutex);
}

static void join_all(uv_thread_t* threads, int count) {
  for (int i = 0; i < count; i++) CHECK_EQ(uv_thread_join(&threads[i]), 0);
  CHECK_EQ(permits, 0);
  uv_cond_destroy(&cond);
  uv_mutex_destroy(&mutex);
}

TEST(signal_wakes_one) {
  uv_thread_t threads[4];
  init();
  start_waiters(threads, 4, NULL);
  for (int i = 0; i < 4; i++) {
    give(1, uv_cond_signal);
    uv_sem_wait(&woken);
    CHECK_EQ(uv_sem_trywait(&woken), UV_EAGAIN);
  }
  join_all(threads, 4);
}

TEST(broadcast_wakes_all) {
  uv_thread_t threads[4];
  init();
  start_waiters(threads, 4, NULL);
  give(4, uv_cond_broadcast);
  join_all(threads, 4);
}

TEST(timed_waiters_are_woken_in_time) {
  uint64_t timeout = 3600 * UINT64_C(1000000000);
  uv_thread_t threads[4];
  init();
  start_waiters(threads, 4, &timeout);
  give(2, uv_cond_broadcast);
  uv_sem_wait(&woken);
  uv_sem_wait(&woken);
  give(2, uv_cond_broadcast);
  join_all(threads, 4);
}

TEST(endless_timeout_does_not_end) {
  uint64_t timeout = UINT64_MAX;
  uv_thread_t thread;
  OURS_ONLY("the reference wraps around to a time that has passed");
  init();
  start_waiters(&thread, 1, &timeout);
  give(1, uv_cond_signal);
  join_all(&thread, 1);
}

TEST(waking_nobody_is_fine) {
  init();
  uv_cond_signal(&cond);
  uv_cond_broadcast(&cond);
  uv_cond_destroy(&cond);
}

static void try_lock(void* arg) {
  *(int*) arg = uv_mutex_trylock(&mutex);
}

TEST(timeout_comes_not_too_early_and_with_the_mutex) {
  uint64_t timeouts[] = {0, 1, 1000, 20 * 1000 * 1000, 1000000007 / 10};
  init();
  uv_mutex_lock(&mutex);
  for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
    uint64_t begin = uv_hrtime(), end;
    uv_thread_t thread;
    int busy = 1, result;
    do result = uv_cond_timedwait(&cond, &mutex, timeouts[i]);
    while (result == 0); /* woken without reason */
    end = uv_hrtime();
    CHECK_EQ(result, UV_ETIMEDOUT);
    CHECK(end - begin >= timeouts[i]);
    CHECK_EQ(uv_thread_create(&thread, try_lock, &busy), 0);
    CHECK_EQ(uv_thread_join(&thread), 0);
    CHECK_EQ(busy, UV_EBUSY);
  }
  uv_mutex_unlock(&mutex);
}

TEST(goes_by_the_monotonic_clock) {
  struct timespec end, now;
  int result;
  init();
  CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &end), 0);
  end.tv_nsec += 20 * 1000 * 1000;
  if (end.tv_nsec >= 1000000000) end.tv_nsec -= 1000000000, end.tv_sec++;
  uv_mutex_lock(&mutex);
  do result = pthread_cond_timedwait(&cond, &mutex, &end);
  while (result == 0);
  CHECK_EQ(result, ETIMEDOUT);
  CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &now), 0);
  CHECK(now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec));
  uv_mutex_unlock(&mutex);
}

static void wait_without_the_mutex(void) {
  uv_mutex_init_recursive(&mutex); /* of a plain one nobody knows the owner */
  uv_cond_init(&cond);
  uv_cond_wait(&cond, &mutex);
}

static void timed_wait_without_the_mutex(void) {
  uv_mutex_init_recursive(&mutex);
  uv_cond_init(&cond);
  uv_cond_timedwait(&cond, &mutex, 1);
}

TEST(misuse_aborts) {
  check_aborts(wait_without_the_mutex, "uv_cond_wait");
  check_aborts(timed_wait_without_the_mutex, "uv_cond_timedwait");
}
