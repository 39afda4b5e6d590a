/* Mutexes, plain and recursive. */
#include "aborts.h"

#include <pthread.h>

static uv_mutex_t mutex;
static long counter;

static void try_once(void* arg) {
  *(int*) arg = uv_mutex_trylock(&mutex);
  if (*(int*) arg == 0) uv_mutex_unlock(&mutex);
}

static int try_elsewhere(void) {
  uv_thread_t thread;
  int result = 1;
  CHECK_EQ(uv_thread_create(&thread, try_once, &result), 0);
  CHECK_EQ(uv_thread_join(&thread), 0);
  return result;
}

TEST(locked_is_busy) {
  CHECK_EQ(uv_mutex_init(&mutex), 0);
  CHECK_EQ(try_elsewhere(), 0);
  uv_mutex_lock(&mutex);
  CHECK_EQ(try_elsewhere(), UV_EBUSY);
  CHECK_EQ(uv_mutex_trylock(&mutex), UV_EBUSY);
  uv_mutex_unlock(&mutex);
  CHECK_EQ(uv_mutex_trylock(&mutex), 0);
  CHECK_EQ(try_elsewhere(), UV_EBUSY);
  uv_mutex_unlock(&mutex);
  CHECK_EQ(try_elsewhere(), 0);
  uv_mutex_destroy(&mutex);
}

TEST(recursive_is_unlocked_as_often_as_locked) {
  CHECK_EQ(uv_mutex_init_recursive(&mutex), 0);
  uv_mutex_lock(&mutex);
  uv_mutex_lock(&mutex);
  CHECK_EQ(uv_mutex_trylock(&mutex), 0);
  for (int left = 3; left > 0; left--) {
    CHECK_EQ(try_elsewhere(), UV_EBUSY);
    uv_mutex_unlock(&mutex);
  }
  CHECK_EQ(try_elsewhere(), 0);
  uv_mutex_destroy(&mutex);
}

TEST(mixes_with_pthread_calls) {
  uv_mutex_t still = PTHREAD_MUTEX_INITIALIZER;
  CHECK_EQ(uv_mutex_init(&mutex), 0);
  CHECK_EQ(pthread_mutex_lock(&mutex), 0);
  CHECK_EQ(uv_mutex_trylock(&mutex), UV_EBUSY);
  uv_mutex_unlock(&mutex);
  uv_mutex_lock(&mutex);
  CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);
  CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
  CHECK_EQ(pthread_mutex_destroy(&mutex), 0);
  uv_mutex_lock(&still);
  uv_mutex_unlock(&still);
  uv_mutex_destroy(&still);
}

static void count(void* arg) {
  (void) arg;
  for (int i = 0; i < 20000; i++) {
    if (i % 4 != 0 || uv_mutex_trylock(&mutex) != 0) uv_mutex_lock(&mutex);
    counter++;
    uv_mutex_unlock(&mutex);
  }
}

TEST(one_at_a_time) {
  uv_thread_t threads[4];
  CHECK_EQ(uv_mutex_init(&mutex), 0);
  for (int i = 0; i < 4; i++) CHECK_EQ(uv_thread_create(&threads[i], count, NULL), 0);
  for (int i = 0; i < 4; i++) CHECK_EQ(uv_thread_join(&threads[i]), 0);
  CHECK_EQ(counter, 80000);
  uv_mutex_destroy(&mutex);
}

static void destroy_locked(void) {
  uv_mutex_init(&mutex);
  uv_mutex_lock(&mutex);
  uv_mutex_destroy(&mutex);
}

static void unlock_unlocked(void) {
  uv_mutex_init_recursive(&mutex);
  uv_mutex_unlock(&mutex);
}

static void use_nonsense(void) {
  memset(&mutex, 0x7f, sizeof(mutex));
  uv_mutex_lock(&mutex);
}

static void try_nonsense(void) {
  memset(&mutex, 0x7f, sizeof(mutex));
  uv_mutex_trylock(&mutex);
}

TEST(misuse_aborts) {
  check_aborts(destroy_locked, "uv_mutex_destroy");
  check_aborts(unlock_unlocked, "uv_mutex_unlock");
#ifdef __GLIBC__ /* which looks at the kind of a mutex */
  check_aborts(use_nonsense, "uv_mutex_lock");
  check_aborts(try_nonsense, "uv_mutex_trylock");
#else
  (void) use_nonsense, (void) try_nonsense;
#endif
}
