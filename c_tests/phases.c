/* The phases of a turn: their order, and what a callback of one phase does to the others. */
#include "trace.h"

static uv_loop_t loop;
static uv_timer_t timer;
static uv_idle_t idle;
static uv_prepare_t prepare;
static uv_check_t check;
static uv_async_t async;
static uv_handle_t* closing;

static void start_one_of_each(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  CHECK_EQ(uv_prepare_init(&loop, &prepare), 0);
  CHECK_EQ(uv_check_init(&loop, &check), 0);
  CHECK_EQ(uv_async_init(&loop, &async, trace_async), 0);
  CHECK_EQ(uv_timer_start(&timer, trace_timer, 0, 0), 0);
  CHECK_EQ(uv_idle_start(&idle, trace_idle), 0);
  CHECK_EQ(uv_prepare_start(&prepare, trace_prepare), 0);
  CHECK_EQ(uv_check_start(&check, trace_check), 0);
  CHECK_EQ(uv_async_send(&async), 0);
  timer.data = "timer";
  idle.data = "idle";
  prepare.data = "prepare";
  check.data = "check";
  async.data = "async";
}

static uv_check_t closed;

static void close_something(void) {
  CHECK_EQ(uv_check_init(&loop, &closed), 0);
  closed.data = "close";
  uv_close((uv_handle_t*) &closed, trace_close);
}

static void stop_in_check(uv_check_t* handle) {
  trace_check(handle);
  uv_stop(handle->loop);
}

TEST(default_mode) {
  start_one_of_each();
  close_something();
  CHECK_EQ(uv_check_start(&check, stop_in_check), 0); /* already started: keeps its first callback */
  CHECK_EQ(uv_check_stop(&check), 0);
  CHECK_EQ(uv_check_start(&check, stop_in_check), 0);
  CHECK(uv_run(&loop, UV_RUN_DEFAULT) != 0);
  CHECK_TRACE("timer idle prepare async check close");
  check_close_loop(&loop);
}

TEST(nowait_and_once_run_timers_last) {
  NEEDS(1, 45);
  for (int mode = UV_RUN_ONCE; mode <= UV_RUN_NOWAIT; mode++) {
    start_one_of_each();
    close_something();
    CHECK(uv_run(&loop, mode) != 0);
    CHECK_TRACE("idle prepare async check close timer");
    CHECK(uv_run(&loop, mode) != 0);
    CHECK_TRACE("idle prepare check");
    check_close_loop(&loop);
  }
}

static int turns;

static void send_again(uv_async_t* handle) {
  trace("async");
  if (++turns < 3) CHECK_EQ(uv_async_send(handle), 0);
  else uv_stop(handle->loop);
}

TEST(an_async_sent_in_its_callback_comes_in_the_next_turn) {
  start_one_of_each();
  async.async_cb = send_again;
  CHECK(uv_run(&loop, UV_RUN_DEFAULT) != 0);
  CHECK_TRACE("timer idle prepare async check idle prepare async check idle prepare async check");
  check_close_loop(&loop);
}

static void restart_timer(uv_timer_t* handle) {
  trace("timer");
  CHECK_EQ(uv_timer_start(handle, restart_timer, 0, 0), 0);
}

static void stop_on_third(uv_check_t* handle) {
  trace("check");
  if (++turns == 3) uv_stop(handle->loop);
}

TEST(a_timer_that_restarts_itself_does_not_starve_the_turn) {
  NEEDS(1, 48);
  start_one_of_each();
  CHECK_EQ(uv_timer_start(&timer, restart_timer, 0, 0), 0);
  CHECK_EQ(uv_check_stop(&check), 0);
  CHECK_EQ(uv_check_start(&check, stop_on_third), 0);
  CHECK(uv_run(&loop, UV_RUN_DEFAULT) != 0);
  CHECK_EQ(strncmp(trace_text, "timer idle prepare async check timer idle prepare check timer idle prepare check", 80), 0);
  check_close_loop(&loop);
}

static void close_from(const char* word, uv_handle_t* handle) {
  trace(word);
  if (closing == NULL) return;
  closing->data = "closed";
  uv_close(closing, trace_close);
  closing = NULL;
  (void) handle;
}

static void closing_timer(uv_timer_t* handle) { close_from("timer", (uv_handle_t*) handle); }
static void closing_idle(uv_idle_t* handle) { close_from("idle", (uv_handle_t*) handle); }
static void closing_prepare(uv_prepare_t* handle) { close_from("prepare", (uv_handle_t*) handle); }
static void closing_async(uv_async_t* handle) { close_from("async", (uv_handle_t*) handle); }
static void closing_check(uv_check_t* handle) { close_from("check", (uv_handle_t*) handle); }

/* A loop in which every phase wants to close `closing`; the first that runs does. */
static void start_closers(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  CHECK_EQ(uv_prepare_init(&loop, &prepare), 0);
  CHECK_EQ(uv_check_init(&loop, &check), 0);
  CHECK_EQ(uv_async_init(&loop, &async, closing_async), 0);
}

TEST(closing_a_later_phase_keeps_it_from_running) {
  start_closers();
  CHECK_EQ(uv_timer_start(&timer, closing_timer, 0, 0), 0);
  CHECK_EQ(uv_idle_start(&idle, closing_idle), 0);
  CHECK_EQ(uv_prepare_start(&prepare, closing_prepare), 0);
  CHECK_EQ(uv_check_start(&check, closing_check), 0);
  CHECK_EQ(uv_async_send(&async), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  trace_text[0] = '\0';
  closing = (uv_handle_t*) &prepare;
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_TRACE("idle check closed");
  closing = (uv_handle_t*) &check;
  CHECK_EQ(uv_async_send(&async), 0);
  CHECK_EQ(uv_idle_stop(&idle), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_TRACE("async closed");
  check_close_loop(&loop);
}

TEST(a_pending_async_that_is_closed_does_not_run) {
  start_closers();
  CHECK_EQ(uv_prepare_start(&prepare, closing_prepare), 0);
  CHECK_EQ(uv_async_send(&async), 0);
  closing = (uv_handle_t*) &async;
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_TRACE("prepare closed");
  check_close_loop(&loop);
}

static void close_cb_starts_timer(uv_handle_t* handle) {
  (void) handle;
  trace("close");
  CHECK_EQ(uv_timer_start(&timer, trace_timer, 0, 0), 0);
}

TEST(a_timer_started_in_a_close_callback_fires) {
  start_closers();
  timer.data = "timer";
  uv_close((uv_handle_t*) &idle, close_cb_starts_timer);
  uv_unref((uv_handle_t*) &async);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("close timer");
  check_close_loop(&loop);
}

static void start_check_and_idle(uv_prepare_t* handle) {
  trace("prepare");
  CHECK_EQ(uv_prepare_stop(handle), 0);
  CHECK_EQ(uv_check_start(&check, trace_check), 0);
  CHECK_EQ(uv_idle_start(&idle, trace_idle), 0);
}

TEST(what_prepare_starts_runs_when_its_phase_comes) {
  start_closers();
  check.data = "check";
  idle.data = "idle";
  CHECK_EQ(uv_prepare_start(&prepare, start_check_and_idle), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_TRACE("prepare check");
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_TRACE("idle check");
  check_close_loop(&loop);
}
