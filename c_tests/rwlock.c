/* Read-write locks. */
#include "aborts.h"

#include <pthread.h>

static uv_rwlock_t lock;
static long values[2];

static void try_both(void* arg) {
  int* results = arg;
  results[0] = uv_rwlock_tryrdlock(&lock);
  if (results[0] == 0) uv_rwlock_rdunlock(&lock);
  results[1] = uv_rwlock_trywrlock(&lock);
  if (results[1] == 0) uv_rwlock_wrunlock(&lock);
}

static void check_elsewhere(int read, int write) {
  uv_thread_t thread;
  int results[2] = {1, 1};
  CHECK_EQ(uv_thread_create(&thread, try_both, results), 0);
  CHECK_EQ(uv_thread_join(&thread), 0);
  CHECK_EQ(results[0], read);
  CHECK_EQ(results[1], write);
}

TEST(many_read_or_one_writes) {
  CHECK_EQ(uv_rwlock_init(&lock), 0);
  check_elsewhere(0, 0);

  uv_rwlock_rdlock(&lock);
  check_elsewhere(0, UV_EBUSY);
  uv_rwlock_rdlock(&lock);
  CHECK_EQ(uv_rwlock_tryrdlock(&lock), 0);
  CHECK_EQ(uv_rwlock_trywrlock(&lock), UV_EBUSY);
  for (int left = 3; left > 0; left--) {
    check_elsewhere(0, UV_EBUSY);
    uv_rwlock_rdunlock(&lock);
  }
  check_elsewhere(0, 0);

  uv_rwlock_wrlock(&lock);
  check_elsewhere(UV_EBUSY, UV_EBUSY);
  CHECK_EQ(uv_rwlock_tryrdlock(&lock), UV_EBUSY);
  CHECK_EQ(uv_rwlock_trywrlock(&lock), UV_EBUSY);
  uv_rwlock_wrunlock(&lock);
  CHECK_EQ(uv_rwlock_trywrlock(&lock), 0);
  check_elsewhere(UV_EBUSY, UV_EBUSY);
  uv_rwlock_wrunlock(&lock);
  check_elsewhere(0, 0);
  uv_rwlock_destroy(&lock);
}

TEST(mixes_with_pthread_calls) {
  CHECK_EQ(uv_rwlock_init(&lock), 0);
  CHECK_EQ(pthread_rwlock_rdlock(&lock), 0);
  CHECK_EQ(uv_rwlock_trywrlock(&lock), UV_EBUSY);
  uv_rwlock_rdunlock(&lock);
  uv_rwlock_wrlock(&lock);
  CHECK_EQ(pthread_rwlock_tryrdlock(&lock), EBUSY);
  CHECK_EQ(pthread_rwlock_unlock(&lock), 0);
  CHECK_EQ(pthread_rwlock_destroy(&lock), 0);
}

static void change_both(void* arg) {
  (void) arg;
  for (int i = 0; i < 5000; i++) {
    uv_rwlock_wrlock(&lock);
    values[0]++;
    values[1]++;
    uv_rwlock_wrunlock(&lock);
  }
}

static void compare_both(void* arg) {
  for (int i = 0; i < 5000; i++) {
    uv_rwlock_rdlock(&lock);
    if (values[0] != values[1]) *(int*) arg = 1;
    uv_rwlock_rdunlock(&lock);
  }
}

TEST(readers_see_whole_changes) {
  uv_thread_t threads[4];
  int torn = 0;
  CHECK_EQ(uv_rwlock_init(&lock), 0);
  for (int i = 0; i < 4; i++) CHECK_EQ(uv_thread_create(&threads[i], i < 2 ? change_both : compare_both, &torn), 0);
  for (int i = 0; i < 4; i++) CHECK_EQ(uv_thread_join(&threads[i]), 0);
  CHECK_EQ(torn, 0);
  CHECK_EQ(values[0], 10000);
  uv_rwlock_destroy(&lock);
}

#ifdef __GLIBC__ /* which knows who writes */
static void write_twice(void) {
  uv_rwlock_init(&lock);
  uv_rwlock_wrlock(&lock);
  uv_rwlock_wrlock(&lock);
}

static void read_while_writing(void) {
  uv_rwlock_init(&lock);
  uv_rwlock_wrlock(&lock);
  uv_rwlock_rdlock(&lock);
}

TEST(misuse_aborts) {
  check_aborts(write_twice, "uv_rwlock_wrlock");
  check_aborts(read_while_writing, "uv_rwlock_rdlock");
}
#endif
