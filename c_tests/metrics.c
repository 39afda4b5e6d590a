/* Metrics: idle time, and the counts of turns and events. */
#include "trace.h"

#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>

static uv_loop_t loop;
static uv_timer_t timer;
static uv_metrics_t metrics;

static void sleep_for(uint64_t milliseconds) {
  CHECK_EQ(uv_timer_start(&timer, trace_timer, milliseconds, 0), 0);
  timer.data = "";
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

static void init(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
}

TEST(no_idle_time_unless_asked_for) {
  init();
  sleep_for(5);
  CHECK_EQ(uv_metrics_idle_time(&loop), 0);
  check_close_loop(&loop);
}

/* Sleeps until a sleep was idle nearly as a whole: the machine may be busy with others before the loop gets to it. */
static void nap(void) {
  uint64_t before;
  do {
    before = uv_metrics_idle_time(&loop);
    sleep_for(50);
  } while (uv_metrics_idle_time(&loop) < before + 40000000); /* nanoseconds; the clock of timers is coarser */
}

TEST(idle_time) {
  uint64_t start, idle;
  init();
  CHECK_EQ(uv_loop_configure(&loop, UV_METRICS_IDLE_TIME), 0);
  CHECK_EQ(uv_metrics_idle_time(&loop), 0);
  start = uv_hrtime();
  nap();
  idle = uv_metrics_idle_time(&loop);
  CHECK(idle <= uv_hrtime() - start);
  nap();
  idle = uv_metrics_idle_time(&loop);
  CHECK(idle <= uv_hrtime() - start);
  check_close_loop(&loop);
}

enum { BURNT = 50000000 }; /* nanoseconds */

static void burn(uv_timer_t* handle) {
  uint64_t end = uv_hrtime() + BURNT;
  (void) handle;
  while (uv_hrtime() < end) {}
}

TEST(callbacks_are_not_idle) {
  init();
  CHECK_EQ(uv_loop_configure(&loop, UV_METRICS_IDLE_TIME), 0);
  CHECK_EQ(uv_timer_start(&timer, burn, 0, 0), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK(uv_metrics_idle_time(&loop) < BURNT);
  check_close_loop(&loop);
}

/* Read by another thread while the loop sleeps: it has to grow all the same. */
static void wait_for_idle_time(void) {
  while (uv_metrics_idle_time(&loop) < 20000000) sched_yield();
}

static void* send_after_idling(void* async) {
  wait_for_idle_time();
  CHECK_EQ(uv_async_send(async), 0);
  return NULL;
}

static void* write_after_idling(void* file) {
  wait_for_idle_time();
  CHECK_EQ(eventfd_write(*(int*) file, 1), 0);
  return NULL;
}

static void close_async(uv_async_t* handle) {
  uv_close((uv_handle_t*) handle, NULL);
}

TEST(idle_time_from_another_thread) {
  uv_async_t async;
  pthread_t thread;
  init();
  CHECK_EQ(uv_loop_configure(&loop, UV_METRICS_IDLE_TIME), 0);
  CHECK_EQ(uv_async_init(&loop, &async, close_async), 0);
  CHECK_EQ(pthread_create(&thread, NULL, send_after_idling, &async), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  check_close_loop(&loop);
}

/* A wait that something ends, and a callback that takes its time: only the wait is idle time. */
static void burn_without_idling(void) {
  uint64_t idle = uv_metrics_idle_time(&loop);
  CHECK(idle > 0);
  burn(NULL);
  CHECK_EQ(uv_metrics_idle_time(&loop), idle);
}

static void run_and_compare(void) {
  uint64_t start = uv_hrtime(), idle;
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  idle = uv_metrics_idle_time(&loop);
  CHECK(idle >= 20000000);
  CHECK(idle + BURNT <= uv_hrtime() - start);
}

static void burn_and_stop(uv_poll_t* handle, int status, int events) {
  CHECK_EQ(status, 0);
  CHECK_EQ(events, UV_READABLE);
  burn_without_idling();
  CHECK_EQ(uv_poll_stop(handle), 0);
}

TEST(poll_callbacks_are_not_idle) {
  int file = eventfd(0, EFD_CLOEXEC);
  uv_poll_t poll;
  pthread_t thread;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_loop_configure(&loop, UV_METRICS_IDLE_TIME), 0);
  CHECK_EQ(uv_poll_init(&loop, &poll, file), 0);
  CHECK_EQ(uv_poll_start(&poll, UV_READABLE, burn_and_stop), 0);
  CHECK_EQ(pthread_create(&thread, NULL, write_after_idling, &file), 0);
  run_and_compare();
  CHECK_EQ(pthread_join(thread, NULL), 0);
  check_close_loop(&loop);
}

static void burn_and_close(uv_async_t* handle) {
  burn_without_idling();
  uv_close((uv_handle_t*) handle, NULL);
}

TEST(async_callbacks_are_not_idle) {
  uv_async_t async;
  pthread_t thread;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_loop_configure(&loop, UV_METRICS_IDLE_TIME), 0);
  CHECK_EQ(uv_async_init(&loop, &async, burn_and_close), 0);
  CHECK_EQ(pthread_create(&thread, NULL, send_after_idling, &async), 0);
  run_and_compare();
  CHECK_EQ(pthread_join(thread, NULL), 0);
  check_close_loop(&loop);
}

TEST(a_fresh_loop_has_counted_nothing) {
  NEEDS(1, 45);
  CHECK_EQ(uv_loop_init(&loop), 0);
  memset(&metrics, 0xa5, sizeof(metrics));
  CHECK_EQ(uv_metrics_info(&loop, &metrics), 0);
  CHECK_EQ(metrics.loop_count, 0);
  CHECK_EQ(metrics.events, 0);
  CHECK_EQ(metrics.events_waiting, 0);
  check_close_loop(&loop);
}

static void nothing(uv_idle_t* handle) {
  (void) handle;
}

TEST(loop_count) {
  uv_idle_t idle;
  NEEDS(1, 45);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  CHECK_EQ(uv_idle_start(&idle, nothing), 0);
  for (uint64_t turns = 1; turns <= 10; turns++) {
    CHECK(uv_run(&loop, turns % 2 ? UV_RUN_NOWAIT : UV_RUN_ONCE) != 0);
    CHECK_EQ(uv_metrics_info(&loop, &metrics), 0);
    CHECK_EQ(metrics.loop_count, turns);
  }
  CHECK_EQ(metrics.events, 0);
  check_close_loop(&loop);
}

static int calls;

static void count(uv_poll_t* handle, int status, int events) {
  (void) handle;
  CHECK_EQ(status, 0);
  CHECK_EQ(events, UV_READABLE);
  calls++;
}

TEST(events) {
  enum { FILES = 3 };
  uv_poll_t polls[FILES];
  NEEDS(1, 45);
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < FILES; i++) {
    CHECK_EQ(uv_poll_init(&loop, &polls[i], eventfd(1, EFD_CLOEXEC)), 0);
    CHECK_EQ(uv_poll_start(&polls[i], UV_READABLE, count), 0);
  }
  for (int turns = 1; turns <= 4; turns++) {
    CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
    CHECK_EQ(calls, turns * FILES);
    CHECK_EQ(uv_metrics_info(&loop, &metrics), 0);
    CHECK_EQ(metrics.events, turns * FILES);
    CHECK(metrics.events_waiting <= metrics.events);
  }
  check_close_loop(&loop);
}

static void count_async(uv_async_t* handle) {
  (void) handle;
  calls++;
}

TEST(an_async_is_one_event) {
  uv_async_t async;
  NEEDS(1, 45);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count_async), 0);
  for (int sent = 1; sent <= 4; sent++) {
    CHECK_EQ(uv_async_send(&async), 0);
    CHECK(uv_run(&loop, sent % 2 ? UV_RUN_NOWAIT : UV_RUN_ONCE) != 0);
    CHECK_EQ(calls, sent);
    CHECK_EQ(uv_metrics_info(&loop, &metrics), 0);
    CHECK_EQ(metrics.events, sent);
  }
  check_close_loop(&loop);
}

static void* send_async(void* async) {
  CHECK_EQ(uv_async_send(async), 0);
  return NULL;
}

TEST(an_async_of_another_thread_is_one_event) {
  uv_async_t async;
  pthread_t thread;
  NEEDS(1, 45);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, close_async), 0);
  CHECK_EQ(pthread_create(&thread, NULL, send_async, &async), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_EQ(uv_metrics_info(&loop, &metrics), 0);
  CHECK_EQ(metrics.events, 1);
  check_close_loop(&loop);
}

TEST(events_waiting) {
  uv_poll_t poll;
  NEEDS(1, 45);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_loop_configure(&loop, UV_METRICS_IDLE_TIME), 0);
  CHECK_EQ(uv_poll_init(&loop, &poll, eventfd(1, EFD_CLOEXEC)), 0);
  CHECK_EQ(uv_poll_start(&poll, UV_READABLE, count), 0);
  CHECK(uv_run(&loop, UV_RUN_ONCE) != 0); /* the event was there before the poll */
  CHECK_EQ(uv_metrics_info(&loop, &metrics), 0);
  CHECK_EQ(metrics.events, 1);
  CHECK_EQ(metrics.events_waiting, 1);
  check_close_loop(&loop);
}

static void no_work(uv_work_t* req) {
  (void) req;
}

static void count_work(uv_work_t* req, int status) {
  uint64_t before = metrics.events;
  (void) req;
  CHECK_EQ(status, 0);
  calls++;
  CHECK_EQ(uv_metrics_info(&loop, &metrics), 0);
  CHECK(metrics.events >= before);
  CHECK(metrics.loop_count >= 1);
}

TEST(finished_work_counts_as_events) {
  enum { WORKS = 20 };
  uv_work_t works[WORKS];
  NEEDS(1, 45);
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < WORKS; i++) CHECK_EQ(uv_queue_work(&loop, &works[i], no_work, count_work), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, WORKS);
  CHECK_EQ(uv_metrics_info(&loop, &metrics), 0);
  CHECK(metrics.events >= WORKS);
  check_close_loop(&loop);
}
