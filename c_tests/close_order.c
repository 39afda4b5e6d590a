/* Closing: last closed first, what the callback may do, and what keeps the loop alive until it has run. */
#include "trace.h"

static uv_loop_t loop;
static uv_timer_t timers[4];
static char* words[] = {"a", "b", "c", "d"};

static void init_all(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(uv_timer_init(&loop, &timers[i]), 0);
    timers[i].data = words[i];
  }
}

static void close_timer(int i) {
  uv_close((uv_handle_t*) &timers[i], trace_close);
}

TEST(last_closed_first) {
  init_all();
  for (int i = 0; i < 4; i++) close_timer(i);
  CHECK_TRACE(""); /* never inside the call */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("d c b a");
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void close_the_rest(uv_handle_t* handle) {
  trace_close(handle);
  close_timer(0);
  close_timer(1);
  close_timer(2);
}

TEST(closed_in_a_close_callback_comes_in_the_next_turn) {
  init_all();
  uv_close((uv_handle_t*) &timers[3], close_the_rest);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_TRACE("d");
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 0);
  CHECK_TRACE("c b a");
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void states_in_callback(uv_handle_t* handle) {
  CHECK(uv_is_closing(handle));
  CHECK_EQ(uv_is_active(handle), 0);
  CHECK_EQ(handle->flags & 3, 3); /* closing and closed */
  CHECK_EQ(handle->loop, &loop);
  trace_close(handle);
}

TEST(states) {
  uv_handle_t* handle = (uv_handle_t*) &timers[0];
  init_all();
  CHECK_EQ(uv_timer_start(&timers[0], trace_timer, 0, 0), 0);
  CHECK_EQ(uv_is_closing(handle), 0);
  CHECK_EQ(handle->flags & 3, 0);
  CHECK_EQ(loop.active_handles, 1);
  uv_close(handle, states_in_callback);
  CHECK(uv_is_closing(handle));
  CHECK_EQ(uv_is_active(handle), 0);
  CHECK_EQ(handle->flags & 3, 1);
  CHECK_EQ(handle->close_cb, states_in_callback);
  CHECK_EQ(loop.active_handles, 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("a"); /* the close callback; the timer does not fire */
  check_close_loop(&loop);
}

TEST(null_callback) {
  init_all();
  uv_close((uv_handle_t*) &timers[0], NULL);
  CHECK(uv_loop_alive(&loop));
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(timers[0].flags & 2, 2);
  check_close_loop(&loop);
}

TEST(unreferenced_handles_get_their_callback_too) {
  init_all();
  uv_unref((uv_handle_t*) &timers[1]);
  CHECK_EQ(uv_timer_start(&timers[1], trace_timer, 100000, 0), 0);
  close_timer(1);
  CHECK(uv_loop_alive(&loop));
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("b");
  check_close_loop(&loop);
}

TEST(closing_does_not_block) {
  init_all();
  CHECK_EQ(uv_timer_start(&timers[0], trace_timer, 1000000, 0), 0);
  close_timer(1);
  CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  CHECK_TRACE("b");
  check_close_loop(&loop);
}

static void init_again(uv_handle_t* handle) {
  trace_close(handle);
  CHECK_EQ(uv_timer_init(&loop, (uv_timer_t*) handle), 0);
  CHECK_EQ(uv_is_closing(handle), 0);
  CHECK_EQ(uv_timer_start((uv_timer_t*) handle, trace_timer, 0, 0), 0);
}

TEST(the_memory_may_be_used_again_in_the_callback) {
  init_all();
  uv_close((uv_handle_t*) &timers[0], init_again);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("a a"); /* closed, then fired */
  check_close_loop(&loop);
}

static int freed;

static void free_handle(uv_handle_t* handle) {
  memset(handle, 0xa5, uv_handle_size(handle->type));
  free(handle);
  freed++;
}

TEST(the_memory_may_be_freed_in_the_callback) {
  enum { MANY = 500 };
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < MANY; i++) {
    uv_timer_t* timer = malloc(sizeof(*timer));
    uv_async_t* async = malloc(sizeof(*async));
    CHECK_EQ(uv_timer_init(&loop, timer), 0);
    CHECK_EQ(uv_timer_start(timer, trace_timer, i, i), 0);
    CHECK_EQ(uv_async_init(&loop, async, NULL), 0);
    uv_close((uv_handle_t*) timer, free_handle);
    uv_close((uv_handle_t*) async, free_handle);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(freed, 2 * MANY);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void close_next(uv_handle_t* handle) {
  trace_close(handle);
  int i = (int) ((uv_timer_t*) handle - timers);
  if (i < 3) uv_close((uv_handle_t*) &timers[i + 1], close_next);
}

TEST(a_chain_of_closes_keeps_the_loop_alive) {
  init_all();
  uv_close((uv_handle_t*) &timers[0], close_next);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("a b c d");
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void stop_in_close(uv_handle_t* handle) {
  trace_close(handle);
  uv_stop(handle->loop);
}

TEST(stop_in_a_close_callback) {
  init_all();
  CHECK_EQ(uv_timer_start(&timers[3], trace_timer, 1000000, 0), 0);
  close_timer(0);
  uv_close((uv_handle_t*) &timers[1], stop_in_close);
  CHECK(uv_run(&loop, UV_RUN_DEFAULT) != 0);
  CHECK_TRACE("b a"); /* the other callbacks of the turn still run */
  check_close_loop(&loop);
}

/* Every kind of handle of the loop's own, closed right after init and after start. */
static void start_each(uv_loop_t* on, union uv_any_handle* all, int fd) {
  CHECK_EQ(uv_async_init(on, &all[0].async, NULL), 0);
  CHECK_EQ(uv_check_init(on, &all[1].check), 0);
  CHECK_EQ(uv_idle_init(on, &all[2].idle), 0);
  CHECK_EQ(uv_poll_init(on, &all[3].poll, fd), 0);
  CHECK_EQ(uv_prepare_init(on, &all[4].prepare), 0);
  CHECK_EQ(uv_signal_init(on, &all[5].signal), 0);
  CHECK_EQ(uv_timer_init(on, &all[6].timer), 0);
  for (int i = 0; i < 7; i++) all[i].handle.data = "x";
}

static void no_poll(uv_poll_t* handle, int status, int events) {
  (void) handle;
  CHECK_FAIL("status %d, events %d", status, events);
}

static void no_signal(uv_signal_t* handle, int signum) {
  (void) handle;
  CHECK_FAIL("signal %d", signum);
}

TEST(every_kind) {
  union uv_any_handle all[7];
  for (int started = 0; started < 2; started++) {
    int pair[2];
    CHECK_EQ(pipe(pair), 0);
    CHECK_EQ(uv_loop_init(&loop), 0);
    start_each(&loop, all, pair[0]);
    if (started) {
      CHECK_EQ(uv_check_start(&all[1].check, trace_check), 0);
      CHECK_EQ(uv_idle_start(&all[2].idle, trace_idle), 0);
      CHECK_EQ(uv_poll_start(&all[3].poll, UV_READABLE, no_poll), 0);
      CHECK_EQ(uv_prepare_start(&all[4].prepare, trace_prepare), 0);
      CHECK_EQ(uv_signal_start(&all[5].signal, no_signal, SIGUSR1), 0);
      CHECK_EQ(uv_timer_start(&all[6].timer, trace_timer, 0, 0), 0);
      CHECK_EQ(loop.active_handles, 7);
    }
    for (int i = 0; i < 7; i++) uv_close(&all[i].handle, trace_close);
    CHECK_EQ(loop.active_handles, 0);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    CHECK_TRACE("x x x x x x x");
    CHECK_EQ(uv_loop_close(&loop), 0);
    close(pair[0]);
    close(pair[1]);
  }
}
