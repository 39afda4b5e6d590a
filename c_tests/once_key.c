/* One-time initialisation and thread-local pointers. */
#include "aborts.h"

#include <pthread.h>

static uv_once_t guard = UV_ONCE_INIT, inner = UV_ONCE_INIT;
static uv_key_t key;
static uv_sem_t entered, go;
static int calls, done;

static void initialise(void) {
  calls++;
  uv_sem_post(&entered);
  uv_sem_wait(&go);
  done = 1;
}

static void use(void* arg) {
  uv_once(&guard, initialise);
  *(int*) arg = done;
}

TEST(once_makes_the_others_wait) {
  uv_thread_t threads[4];
  int saw[4] = {0};
  CHECK_EQ(uv_sem_init(&entered, 0), 0);
  CHECK_EQ(uv_sem_init(&go, 0), 0);
  for (int i = 0; i < 4; i++) CHECK_EQ(uv_thread_create(&threads[i], use, &saw[i]), 0);
  uv_sem_wait(&entered);
  uv_sem_post(&go);
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(uv_thread_join(&threads[i]), 0);
    CHECK_EQ(saw[i], 1);
  }
  uv_once(&guard, initialise);
  CHECK_EQ(calls, 1);
}

static void count(void) {
  calls++;
}

static void count_inside(void) {
  uv_once(&inner, count);
}

TEST(once_nests_and_mixes_with_pthread_calls) {
  uv_once(&guard, count_inside);
  uv_once(&inner, count);
  CHECK_EQ(pthread_once(&guard, count), 0);
  CHECK_EQ(calls, 1);
}

static void set_other(void* arg) {
  CHECK_EQ(uv_key_get(&key), NULL);
  uv_key_set(&key, arg);
  CHECK_EQ(uv_key_get(&key), arg);
  CHECK_EQ(pthread_getspecific(key), arg);
}

TEST(key_is_a_pointer_for_each_thread) {
  uv_thread_t thread;
  int mine, other;
  CHECK_EQ(uv_key_create(&key), 0);
  CHECK_EQ(uv_key_get(&key), NULL);
  uv_key_set(&key, &mine);
  CHECK_EQ(uv_thread_create(&thread, set_other, &other), 0);
  CHECK_EQ(uv_thread_join(&thread), 0);
  CHECK_EQ(uv_key_get(&key), &mine);
  CHECK_EQ(pthread_setspecific(key, &other), 0);
  CHECK_EQ(uv_key_get(&key), &other);
  uv_key_set(&key, NULL);
  CHECK_EQ(uv_key_get(&key), NULL);
  uv_key_delete(&key);
}

TEST(keys_run_out) {
  enum { MOST = 100000 };
  static uv_key_t keys[MOST];
  int count = 0, result;
  while ((result = uv_key_create(&keys[count])) == 0) CHECK(++count < MOST);
  CHECK_EQ(result, UV_EAGAIN);
  while (count > 0) uv_key_delete(&keys[--count]);
  CHECK_EQ(uv_key_create(&key), 0);
}

static void delete_twice(void) {
  uv_key_create(&key);
  uv_key_delete(&key);
  uv_key_delete(&key);
}

static void set_deleted(void) {
  uv_key_create(&key);
  uv_key_delete(&key);
  uv_key_set(&key, &key);
}

#ifdef __GLIBC__ /* which knows its keys */
TEST(misuse_aborts) {
  check_aborts(delete_twice, "uv_key_delete");
  check_aborts(set_deleted, "uv_key_set");
}
#endif
