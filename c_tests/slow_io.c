/* Slow I/O in the thread pool: name look-ups take at most half of the threads (rounded up), so that other work goes on.
 * This program brings its own getaddrinfo, which blocks until it is let go. */
#include "check.h"

#include <netdb.h>
#include <sched.h>

static int held, most_held, let_go;

int getaddrinfo(const char* host, const char* service, const struct addrinfo* hints, struct addrinfo** found) {
  int now = __atomic_add_fetch(&held, 1, __ATOMIC_SEQ_CST);
  int most = __atomic_load_n(&most_held, __ATOMIC_SEQ_CST);
  (void) host;
  (void) service;
  (void) hints;
  while (now > most && !__atomic_compare_exchange_n(&most_held, &most, now, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {}
  while (!__atomic_load_n(&let_go, __ATOMIC_SEQ_CST)) sched_yield();
  __atomic_sub_fetch(&held, 1, __ATOMIC_SEQ_CST);
  *found = NULL;
  return EAI_NONAME;
}

static uv_loop_t loop;
static uv_getaddrinfo_t lookups[50];
static uv_work_t works[50];
static int failed, cancelled, done;

static void looked_up(uv_getaddrinfo_t* req, int status, struct addrinfo* found) {
  (void) req;
  CHECK_EQ(found, NULL);
  CHECK(status == UV_EAI_NONAME || status == UV_EAI_CANCELED);
  failed += status == UV_EAI_NONAME;
  cancelled += status == UV_EAI_CANCELED;
}

static void nothing(uv_work_t* req) {
  (void) req;
}

static void worked(uv_work_t* req, int status) {
  (void) req;
  CHECK_EQ(status, 0);
  done++;
}

static void init(const char* size) {
  CHECK_EQ(setenv("UV_THREADPOOL_SIZE", size, 1), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
}

static void look_up(int count) {
  for (int i = 0; i < count; i++) CHECK_EQ(uv_getaddrinfo(&loop, &lookups[i], looked_up, "host", NULL, NULL), 0);
}

static void wait_for_held(int count) {
  while (__atomic_load_n(&held, __ATOMIC_SEQ_CST) < count) sched_yield();
}

static void release(void) {
  __atomic_store_n(&let_go, 1, __ATOMIC_SEQ_CST);
}

/* All that may be held are; then work comes, passes them, and more look-ups still wait. */
static void check_share(const char* size, int most) {
  init(size);
  look_up(50);
  wait_for_held(most);
  for (int i = 0; i < 50; i++) CHECK_EQ(uv_queue_work(&loop, &works[i], nothing, worked), 0);
  while (done < 50) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  CHECK_EQ(failed, 0);
  release();
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(failed, 50);
  CHECK_EQ(most_held, most);
  check_close_loop(&loop);
}

TEST(one_of_two) { check_share("2", 1); }
TEST(two_of_three) { check_share("3", 2); }
TEST(two_of_four) { check_share("4", 2); }
TEST(eight_of_sixteen) { check_share("16", 8); }

TEST(the_only_thread_takes_both) {
  init("1");
  release();
  look_up(20);
  for (int i = 0; i < 20; i++) CHECK_EQ(uv_queue_work(&loop, &works[i], nothing, worked), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(failed, 20);
  CHECK_EQ(done, 20);
  CHECK_EQ(most_held, 1);
  check_close_loop(&loop);
}

TEST(waiting_lookups_are_cancelled_at_once) {
  init("4");
  look_up(10);
  wait_for_held(2);
  for (int i = 2; i < 10; i++) CHECK_EQ(uv_cancel((uv_req_t*) &lookups[i]), 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &lookups[0]), UV_EBUSY);
  while (cancelled < 8) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  CHECK_EQ(failed, 0);
  for (int i = 10; i < 20; i++) /* the place of the cancelled is free again */
    CHECK_EQ(uv_getaddrinfo(&loop, &lookups[i], looked_up, "host", NULL, NULL), 0);
  release();
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(failed, 12);
  CHECK_EQ(most_held, 2);
  check_close_loop(&loop);
}

TEST(work_and_lookups_in_turn) {
  init("4");
  release();
  for (int i = 0; i < 50; i++) {
    CHECK_EQ(uv_getaddrinfo(&loop, &lookups[i], looked_up, "host", NULL, NULL), 0);
    CHECK_EQ(uv_queue_work(&loop, &works[i], nothing, worked), 0);
    uv_run(&loop, UV_RUN_NOWAIT);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(failed, 50);
  CHECK_EQ(done, 50);
  CHECK(most_held <= 2);
  check_close_loop(&loop);
}
