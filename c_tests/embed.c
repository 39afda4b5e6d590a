/* Loops inside other loops: someone else polls uv_backend_fd, in this thread or in another, and calls uv_run when it
 * shows something or uv_backend_timeout has passed. */
#include "trace.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static uv_loop_t loop;
static int calls, worked;

static void count_timer(uv_timer_t* handle) {
  (void) handle;
  calls++;
}

static void count_async(uv_async_t* handle) {
  (void) handle;
  calls++;
}

static void work(uv_work_t* req) {
  (void) req;
  __atomic_add_fetch(&worked, 1, __ATOMIC_SEQ_CST);
}

static void count_work(uv_work_t* req, int status) {
  (void) req;
  CHECK_EQ(status, 0);
  calls++;
}

static void count_poll(uv_poll_t* handle, int status, int events) {
  CHECK_EQ(status, 0);
  CHECK_EQ(events, UV_READABLE);
  CHECK_EQ(uv_poll_stop(handle), 0);
  calls++;
}

/* What an embedder does between two looks at its own events. */
static void turn(void) {
  struct pollfd backend = {.fd = uv_backend_fd(&loop), .events = POLLIN};
  CHECK(poll(&backend, 1, uv_backend_timeout(&loop)) >= 0);
  uv_run(&loop, UV_RUN_NOWAIT);
}

TEST(timers) {
  uv_timer_t timer;
  uint64_t start;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, count_timer, 5, 5), 0);
  start = uv_now(&loop);
  for (int turns = 0; calls < 4; turns++) {
    CHECK(turns < 100); /* the time-out is right: no spinning */
    turn();
  }
  CHECK(uv_now(&loop) - start >= 4 * 5);
  check_close_loop(&loop);
}

TEST(work_of_the_pool) {
  uv_work_t req;
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 1; i <= 500; i++) {
    CHECK_EQ(uv_queue_work(&loop, &req, work, count_work), 0);
    while (calls < i) turn(); /* hangs if a completion does not show on the backend */
  }
  CHECK_EQ(worked, 500);
  check_close_loop(&loop);
}

static void* send_and_wait(void* arg) {
  uv_async_t* async = arg;
  for (int i = 0; i < 2000; i++) {
    CHECK_EQ(uv_async_send(async), 0);
    sem_wait(async->data);
  }
  return NULL;
}

static void count_and_post(uv_async_t* handle) {
  calls++;
  sem_post(handle->data);
}

TEST(asyncs_from_another_thread) {
  uv_async_t async;
  sem_t seen;
  pthread_t thread;
  CHECK_EQ(sem_init(&seen, 0, 0), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count_and_post), 0);
  async.data = &seen;
  CHECK_EQ(pthread_create(&thread, NULL, send_and_wait, &async), 0);
  while (calls < 2000) turn();
  CHECK_EQ(pthread_join(thread, NULL), 0);
  check_close_loop(&loop);
}

TEST(files_that_are_started_and_stopped_between_turns) {
  uv_poll_t poll;
  NEEDS(1, 45); /* for a time-out of 0 while a registration waits for uv_run */
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_poll_init(&loop, &poll, eventfd(1, EFD_CLOEXEC)), 0);
  for (int i = 1; i <= 20; i++) {
    CHECK_EQ(uv_poll_start(&poll, UV_READABLE, count_poll), 0);
    for (int turns = 0; calls < i; turns++) {
      CHECK(turns < 3);
      turn();
    }
  }
  check_close_loop(&loop);
}

TEST(closing) {
  uv_timer_t timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  timer.data = "closed";
  uv_close((uv_handle_t*) &timer, trace_close);
  turn();
  CHECK_TRACE("closed");
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(the_backend_is_quiet_when_there_is_nothing) {
  struct pollfd backend = {.events = POLLIN};
  uv_async_t async;
  uv_work_t req;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count_async), 0);
  CHECK_EQ(uv_queue_work(&loop, &req, work, count_work), 0);
  CHECK_EQ(uv_async_send(&async), 0);
  while (calls < 2) turn();
  uv_run(&loop, UV_RUN_NOWAIT);
  backend.fd = uv_backend_fd(&loop);
  CHECK_EQ(poll(&backend, 1, 0), 0);
  check_close_loop(&loop);
}

/* Timers that are due before the turn begins used to run first; without this such a turn would wait for ever then. */
static void count_timer_and_stop(uv_timer_t* timer) {
  count_timer(timer);
  uv_stop(&loop);
}

/* After a blocking run the loop is outside again, and whoever sends has to make the backend readable. */
TEST(own_runs_and_embedding_take_turns) {
  uv_async_t async;
  uv_timer_t timer;
  struct pollfd backend = {.events = POLLIN};
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count_async), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  backend.fd = uv_backend_fd(&loop);
  for (int i = 1; i <= 50; i++) {
    CHECK_EQ(uv_timer_start(&timer, count_timer_and_stop, 1, 0), 0);
    while (calls < 2 * i - 1) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
    CHECK_EQ(uv_async_send(&async), 0);
    CHECK_EQ(poll(&backend, 1, -1), 1);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_EQ(calls, 2 * i);
  }
  check_close_loop(&loop);
}

/* Someone has fetched what the backend showed, and what it stood for is withdrawn before uv_run: the next one to send has
 * to make the backend readable again. */
static void fetch_from_backend(void) {
  struct epoll_event event;
  CHECK_EQ(epoll_wait(uv_backend_fd(&loop), &event, 1, 1000), 1);
}

static void send_and_see(uv_async_t* async) {
  struct pollfd backend = {.fd = uv_backend_fd(&loop), .events = POLLIN};
  CHECK_EQ(uv_async_send(async), 0);
  CHECK_EQ(poll(&backend, 1, 1000), 1);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_EQ(calls, 1);
}

static void no_signal(uv_signal_t* handle, int signum) {
  (void) handle;
  CHECK_FAIL("signal %d was withdrawn", signum);
}

TEST(a_signal_is_withdrawn_after_it_showed) {
  uv_async_t async;
  uv_signal_t watcher;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count_async), 0);
  CHECK_EQ(uv_signal_init(&loop, &watcher), 0);
  CHECK_EQ(uv_signal_start(&watcher, no_signal, SIGUSR1), 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  fetch_from_backend();
  CHECK_EQ(uv_signal_stop(&watcher), 0);
  send_and_see(&async);
  check_close_loop(&loop);
}

static void no_async(uv_async_t* handle) {
  (void) handle;
  CHECK_FAIL("the async was withdrawn");
}

TEST(an_async_is_withdrawn_after_it_showed) {
  uv_async_t async, closed;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count_async), 0);
  CHECK_EQ(uv_async_init(&loop, &closed, no_async), 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_EQ(uv_async_send(&closed), 0);
  fetch_from_backend();
  uv_close((uv_handle_t*) &closed, NULL);
  send_and_see(&async);
  check_close_loop(&loop);
}

/* One thread polls the backend, another runs the callbacks, and they hand the turn to each other. */
static sem_t looked, handled;
static int embedding, outer, next_timeout;

static void* look_at_backend(void* arg) {
  struct epoll_event event;
  while (__atomic_load_n(&embedding, __ATOMIC_SEQ_CST)) {
    int timeout = __atomic_load_n(&next_timeout, __ATOMIC_SEQ_CST);
    while (epoll_wait(outer, &event, 1, timeout) < 0) CHECK_EQ(errno, EINTR);
    sem_post(&looked);
    sem_wait(&handled);
  }
  return arg;
}

static void embed_elsewhere(pthread_t* thread) {
  struct epoll_event event = {.events = EPOLLIN};
  outer = epoll_create1(EPOLL_CLOEXEC);
  CHECK_EQ(epoll_ctl(outer, EPOLL_CTL_ADD, uv_backend_fd(&loop), &event), 0);
  CHECK_EQ(sem_init(&looked, 0, 0), 0);
  CHECK_EQ(sem_init(&handled, 0, 0), 0);
  embedding = 1;
  next_timeout = uv_backend_timeout(&loop);
  CHECK_EQ(pthread_create(thread, NULL, look_at_backend, NULL), 0);
}

static void turn_elsewhere(void) {
  sem_wait(&looked);
  uv_run(&loop, UV_RUN_NOWAIT);
  __atomic_store_n(&next_timeout, uv_backend_timeout(&loop), __ATOMIC_SEQ_CST);
  sem_post(&handled);
}

static void end_embedding(pthread_t thread, uv_async_t* async) {
  __atomic_store_n(&embedding, 0, __ATOMIC_SEQ_CST);
  CHECK_EQ(uv_async_send(async), 0); /* it may be polling, */
  sem_post(&handled);                /* or wait for us afterwards */
  CHECK_EQ(pthread_join(thread, NULL), 0);
  close(outer);
}

static void work_again(uv_work_t* req, int status) {
  count_work(req, status);
  if (calls < 1000) CHECK_EQ(uv_queue_work(&loop, req, work, work_again), 0);
}

TEST(another_thread_polls_for_work) {
  uv_async_t async;
  uv_work_t req;
  pthread_t thread;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, NULL), 0);
  CHECK_EQ(uv_queue_work(&loop, &req, work, work_again), 0);
  embed_elsewhere(&thread);
  while (calls < 1000) turn_elsewhere();
  end_embedding(thread, &async);
  check_close_loop(&loop);
}

TEST(another_thread_polls_for_timers) {
  uv_async_t async;
  uv_timer_t timer;
  pthread_t thread;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, NULL), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, count_timer, 1, 2), 0);
  embed_elsewhere(&thread);
  while (calls < 20) turn_elsewhere();
  end_embedding(thread, &async);
  check_close_loop(&loop);
}

TEST(another_thread_polls_for_asyncs) {
  uv_async_t async;
  sem_t seen;
  pthread_t poller, sender;
  CHECK_EQ(sem_init(&seen, 0, 0), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count_and_post), 0);
  async.data = &seen;
  embed_elsewhere(&poller);
  CHECK_EQ(pthread_create(&sender, NULL, send_and_wait, &async), 0);
  while (calls < 2000) turn_elsewhere();
  CHECK_EQ(pthread_join(sender, NULL), 0);
  end_embedding(poller, &async);
  check_close_loop(&loop);
}

/* A loop watches another loop's backend as it would any file. */
static uv_loop_t inner;

static void run_inner(uv_poll_t* handle, int status, int events) {
  CHECK_EQ(status, 0);
  CHECK_EQ(events, UV_READABLE);
  uv_run(&inner, UV_RUN_NOWAIT);
  if (calls == 100) uv_close((uv_handle_t*) handle, NULL);
}

static void send_again(uv_async_t* handle) {
  if (++calls < 100) CHECK_EQ(uv_async_send(handle), 0);
}

TEST(a_loop_in_a_loop) {
  uv_async_t async;
  uv_poll_t poll;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_loop_init(&inner), 0);
  CHECK_EQ(uv_async_init(&inner, &async, send_again), 0);
  CHECK_EQ(uv_poll_init(&loop, &poll, uv_backend_fd(&inner)), 0);
  CHECK_EQ(uv_poll_start(&poll, UV_READABLE, run_inner), 0);
  CHECK(uv_run(&inner, UV_RUN_NOWAIT) != 0);
  CHECK_EQ(uv_async_send(&async), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 100);
  check_close_loop(&inner);
  check_close_loop(&loop);
}
