/* Timers: order, repeats, restarts from callbacks, huge and overdue times, and the fields programs read. */
#include "trace.h"

#include <sched.h>

static uv_loop_t loop;
static uv_timer_t a, b, c;

static void init(uv_timer_t* timer, const char* word) {
  CHECK_EQ(uv_timer_init(&loop, timer), 0);
  timer->data = (void*) word;
}

static void init_all(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  init(&a, "a");
  init(&b, "b");
  init(&c, "c");
}

static void run(void) {
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

/* Burns time until the loop's clock has moved on by that many milliseconds. */
static void pass(uint64_t milliseconds) {
  uint64_t end = uv_hrtime() + milliseconds * 1000000;
  while (uv_hrtime() < end) sched_yield();
  uv_update_time(&loop);
}

TEST(init) {
  memset(&a, 0xa5, sizeof(a));
  a.data = &b;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &a), 0);
  CHECK_EQ(a.data, &b);
  CHECK_EQ(a.type, UV_TIMER);
  CHECK_EQ(a.loop, &loop);
  CHECK_EQ(a.timeout, 0);
  CHECK_EQ(a.repeat, 0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &a), 0);
  CHECK_EQ(uv_timer_get_repeat(&a), 0);
  CHECK_EQ(uv_timer_get_due_in(&a), 0);
  CHECK_EQ(uv_timer_stop(&a), 0); /* never started: nothing to do */
  check_close_loop(&loop);
}

TEST(start_needs_a_callback) {
  init_all();
  CHECK_EQ(uv_timer_start(&a, NULL, 0, 0), UV_EINVAL);
  CHECK_EQ(uv_is_active((uv_handle_t*) &a), 0);
  check_close_loop(&loop);
}

TEST(start_while_closing) {
  init_all();
  uv_close((uv_handle_t*) &a, NULL);
  CHECK_EQ(uv_timer_start(&a, trace_timer, 0, 0), UV_EINVAL);
  CHECK_EQ(uv_is_active((uv_handle_t*) &a), 0);
  run();
  CHECK_TRACE("");
  check_close_loop(&loop);
}

TEST(fields) {
  init_all();
  CHECK_EQ(uv_timer_start(&a, trace_timer, 1000, 250), 0);
  CHECK_EQ(a.timeout, uv_now(&loop) + 1000);
  CHECK_EQ(a.repeat, 250);
  CHECK_EQ(a.timer_cb, trace_timer);
  CHECK_EQ(uv_timer_get_repeat(&a), 250);
  CHECK_EQ(uv_timer_get_due_in(&a), 1000);
  CHECK_EQ(uv_timer_start(&b, trace_timer, 1000, 0), 0);
  CHECK(b.start_id > a.start_id);
  CHECK_EQ(uv_timer_stop(&a), 0);
  CHECK_EQ(a.repeat, 250); /* kept, for uv_timer_again */
  CHECK_EQ(uv_timer_stop(&a), 0);
  check_close_loop(&loop);
}

TEST(due_time_decides) {
  init_all();
  for (int overdue = 0; overdue < 2; overdue++) { /* all at once: the same */
    CHECK_EQ(uv_timer_start(&a, trace_timer, 3, 0), 0);
    CHECK_EQ(uv_timer_start(&b, trace_timer, 1, 0), 0);
    CHECK_EQ(uv_timer_start(&c, trace_timer, 2, 0), 0);
    if (overdue) pass(5);
    run();
    CHECK_TRACE("b c a");
  }
  check_close_loop(&loop);
}

TEST(then_start_order) {
  init_all();
  CHECK_EQ(uv_timer_start(&b, trace_timer, 1, 0), 0);
  CHECK_EQ(uv_timer_start(&c, trace_timer, 1, 0), 0);
  CHECK_EQ(uv_timer_start(&a, trace_timer, 1, 0), 0);
  run();
  CHECK_TRACE("b c a");
  CHECK_EQ(uv_timer_start(&a, trace_timer, 0, 0), 0);
  CHECK_EQ(uv_timer_start(&b, trace_timer, 0, 0), 0);
  CHECK_EQ(uv_timer_start(&a, trace_timer, 0, 0), 0); /* started anew: now the younger */
  run();
  CHECK_TRACE("b a");
  check_close_loop(&loop);
}

enum { MANY = 3000 };
static uv_timer_t many[MANY];
static uint64_t last_due, last_id;
static int fired;

static void check_order(uv_timer_t* timer) {
  /* The fields still hold what the timer was started with. */
  CHECK(timer->timeout > last_due || (timer->timeout == last_due && timer->start_id > last_id));
  last_due = timer->timeout;
  last_id = timer->start_id;
  CHECK(uv_now(&loop) >= timer->timeout);
  fired++;
}

TEST(order_of_many) {
  unsigned seed = 1;
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < MANY; i++) {
    CHECK_EQ(uv_timer_init(&loop, &many[i]), 0);
    CHECK_EQ(uv_timer_start(&many[i], check_order, rand_r(&seed) % 300, 0), 0);
  }
  int stopped = 0;
  for (int i = 0; i < MANY; i += 3) { /* some are stopped, some started anew */
    int victim = rand_r(&seed) % MANY;
    if (i % 2 != 0) CHECK_EQ(uv_timer_start(&many[victim], check_order, rand_r(&seed) % 300, 0), 0);
    else CHECK_EQ(uv_timer_stop(&many[victim]), 0);
  }
  for (int i = 0; i < MANY; i++) stopped += !uv_is_active((uv_handle_t*) &many[i]);
  CHECK_EQ(loop.active_handles, MANY - stopped);
  run();
  CHECK_EQ(fired, MANY - stopped);
  check_close_loop(&loop);
}

static void start_b_now(uv_timer_t* timer) {
  trace_timer(timer);
  CHECK_EQ(uv_timer_start(&b, trace_timer, 0, 0), 0);
}

TEST(started_in_a_callback_waits_for_the_next_pass) {
  NEEDS(1, 45); /* for timers at the end of the turn */
  init_all();
  CHECK_EQ(uv_timer_start(&a, start_b_now, 0, 0), 0);
  CHECK_EQ(uv_timer_start(&c, trace_timer, 0, 0), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_TRACE("a c");
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_TRACE("b");
  check_close_loop(&loop);
}

static void start_b_and_pass_until_c(uv_timer_t* timer) {
  trace_timer(timer);
  CHECK_EQ(uv_timer_start(&b, trace_timer, 0, 0), 0);
  while (uv_now(&loop) < c.timeout) pass(1);
}

TEST(what_becomes_due_during_a_pass_waits_too) {
  NEEDS(1, 48);
  init_all();
  CHECK_EQ(uv_timer_start(&c, trace_timer, 50, 0), 0);
  CHECK_EQ(uv_timer_start(&a, start_b_and_pass_until_c, 0, 0), 0);
  uv_run(&loop, UV_RUN_NOWAIT); /* c is not due yet when the pass begins, unless the machine was very slow */
  if (strcmp(trace_text, "a c") == 0) SKIP("the machine is too slow for this test");
  CHECK_TRACE("a");
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_TRACE("b c"); /* by due time again */
  check_close_loop(&loop);
}

static void stop_b(uv_timer_t* timer) {
  trace_timer(timer);
  CHECK_EQ(uv_timer_stop(&b), 0);
}

static void close_b(uv_timer_t* timer) {
  trace_timer(timer);
  uv_close((uv_handle_t*) &b, trace_close);
}

TEST(a_due_timer_can_be_stopped_and_closed_by_an_earlier_one) {
  init_all();
  CHECK_EQ(uv_timer_start(&a, stop_b, 0, 0), 0);
  CHECK_EQ(uv_timer_start(&b, trace_timer, 0, 0), 0);
  CHECK_EQ(uv_timer_start(&c, trace_timer, 0, 0), 0);
  run();
  CHECK_TRACE("a c");
  CHECK_EQ(uv_timer_start(&a, close_b, 0, 0), 0);
  CHECK_EQ(uv_timer_start(&b, trace_timer, 0, 0), 0);
  CHECK_EQ(uv_timer_start(&c, trace_timer, 0, 0), 0);
  run();
  CHECK_TRACE("a c b"); /* b: the close callback */
  check_close_loop(&loop);
}

TEST(a_due_timer_can_be_put_off_by_an_earlier_one) {
  NEEDS(1, 48);
  init_all();
  CHECK_EQ(uv_timer_start(&a, start_b_now, 0, 0), 0);
  CHECK_EQ(uv_timer_start(&b, trace_timer, 0, 0), 0);
  CHECK_EQ(uv_timer_start(&c, trace_timer, 0, 0), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_TRACE("a c");
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_TRACE("b");
  check_close_loop(&loop);
}

static void close_self(uv_timer_t* timer) {
  CHECK_EQ(uv_is_active((uv_handle_t*) timer), timer->repeat != 0);
  trace_timer(timer);
  uv_close((uv_handle_t*) timer, trace_close);
}

TEST(closes_itself) {
  init_all();
  CHECK_EQ(uv_timer_start(&a, close_self, 0, 0), 0);
  CHECK_EQ(uv_timer_start(&b, close_self, 0, 1), 0);
  run();
  CHECK_TRACE("a b b a"); /* close callbacks: last closed first */
  check_close_loop(&loop);
}

static void three_times(uv_timer_t* timer) {
  trace_timer(timer);
  CHECK_EQ(timer->timeout, uv_now(&loop) + timer->repeat); /* armed anew before the callback */
  if (++fired == 3) CHECK_EQ(uv_timer_stop(timer), 0);
}

TEST(repeats) {
  init_all();
  CHECK_EQ(uv_timer_start(&a, three_times, 0, 2), 0);
  run();
  CHECK_TRACE("a a a");
  CHECK_EQ(uv_is_active((uv_handle_t*) &a), 0);
  check_close_loop(&loop);
}

static void drag(uv_timer_t* timer) {
  uint64_t due = uv_now(&loop) + 10;
  pass(25); /* two and a half intervals: the missed ones are not made up for */
  CHECK_EQ(timer->timeout, due);
  if (++fired == 3) CHECK_EQ(uv_timer_stop(timer), 0);
}

TEST(a_slow_callback_does_not_make_repeats_pile_up) {
  uint64_t start;
  init_all();
  CHECK_EQ(uv_timer_start(&a, drag, 10, 10), 0);
  start = uv_now(&loop);
  run();
  CHECK_EQ(fired, 3);
  CHECK(uv_now(&loop) - start >= 10 + 3 * 25);
  check_close_loop(&loop);
}

TEST(again) {
  init_all();
  CHECK_EQ(uv_timer_again(&a), UV_EINVAL); /* never started */
  CHECK_EQ(uv_timer_start(&a, trace_timer, 500, 0), 0);
  CHECK_EQ(uv_timer_again(&a), 0); /* does not repeat: left as it is */
  CHECK_EQ(uv_timer_get_due_in(&a), 500);
  CHECK_EQ(uv_timer_start(&b, trace_timer, 500, 300), 0);
  CHECK_EQ(uv_timer_again(&b), 0);
  CHECK_EQ(uv_timer_get_due_in(&b), 300);
  CHECK_EQ(uv_timer_stop(&b), 0);
  CHECK_EQ(uv_timer_again(&b), 0); /* stopped, but it knows its callback and interval */
  CHECK_EQ(uv_timer_get_due_in(&b), 300);
  CHECK(uv_is_active((uv_handle_t*) &b));
  CHECK_EQ(uv_timer_start(&c, trace_timer, 500, 0), 0);
  uv_timer_set_repeat(&c, 40);
  CHECK_EQ(uv_timer_get_due_in(&c), 500); /* takes effect with the next arming */
  CHECK_EQ(uv_timer_again(&c), 0);
  CHECK_EQ(uv_timer_get_due_in(&c), 40);
  check_close_loop(&loop);
}

TEST(again_while_closing) {
  init_all();
  CHECK_EQ(uv_timer_start(&a, trace_timer, 500, 300), 0);
  uv_close((uv_handle_t*) &a, NULL);
  uv_timer_again(&a); /* whatever it says, it must not start */
  CHECK_EQ(uv_is_active((uv_handle_t*) &a), 0);
  check_close_loop(&loop);
}

static void becomes_repeating(uv_timer_t* timer) {
  trace_timer(timer);
  uv_timer_set_repeat(timer, 1);
  CHECK_EQ(uv_is_active((uv_handle_t*) timer), 0);
}

static void stops_repeating(uv_timer_t* timer) {
  trace_timer(timer);
  uv_timer_set_repeat(timer, 0);
  CHECK(++fired <= 2);
}

TEST(set_repeat_in_the_callback) {
  init_all();
  CHECK_EQ(uv_timer_start(&a, becomes_repeating, 0, 0), 0); /* was one shot: stays stopped */
  run();
  CHECK_TRACE("a");
  CHECK_EQ(uv_timer_get_repeat(&a), 1);
  CHECK_EQ(uv_timer_start(&b, stops_repeating, 0, 1), 0); /* was armed already: once more */
  run();
  CHECK_TRACE("b b");
  check_close_loop(&loop);
}

TEST(due_in) {
  init_all();
  CHECK_EQ(uv_timer_start(&a, trace_timer, 100, 0), 0);
  CHECK_EQ(uv_timer_get_due_in(&a), 100);
  pass(3);
  CHECK(uv_timer_get_due_in(&a) <= 97);
  CHECK_EQ(uv_timer_start(&b, trace_timer, 1, 0), 0);
  pass(3);
  CHECK_EQ(uv_timer_get_due_in(&b), 0); /* overdue */
  check_close_loop(&loop);
}

TEST(huge_timeouts) {
  NEEDS(1, 45); /* before, UV_RUN_ONCE ran timers ahead of polling, and then polled for ever */
  init_all();
  CHECK_EQ(uv_timer_start(&a, trace_timer, UINT64_MAX, 0), 0);
  CHECK_EQ(a.timeout, UINT64_MAX); /* no overflow into the past */
  CHECK_EQ(uv_timer_start(&b, trace_timer, UINT64_MAX - 1, 0), 0);
  CHECK_EQ(b.timeout, UINT64_MAX);
  CHECK_EQ(uv_timer_start(&c, trace_timer, 1, UINT64_MAX), 0);
  CHECK_EQ(uv_timer_get_due_in(&a), UINT64_MAX - uv_now(&loop));
  CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  CHECK_TRACE("c");
  CHECK_EQ(c.timeout, UINT64_MAX);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_TRACE("");
  check_close_loop(&loop);
}

TEST(far_and_near_mix) {
  static const uint64_t far[] = {1u << 6, 1u << 12, 1u << 18, 1u << 24, 1ull << 30, 1ull << 36, 1ull << 48, 1ull << 60};
  init_all();
  for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
    CHECK_EQ(uv_timer_init(&loop, &many[i]), 0);
    CHECK_EQ(uv_timer_start(&many[i], trace_timer, far[i] + 1000000, 0), 0);
  }
  CHECK_EQ(uv_timer_start(&a, trace_timer, 2, 0), 0);
  CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  CHECK_TRACE("a");
  for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
    CHECK(uv_timer_get_due_in(&many[i]) <= far[i] + 1000000);
    CHECK(uv_is_active((uv_handle_t*) &many[i]));
  }
  check_close_loop(&loop);
}

TEST(never_early) {
  for (uint64_t timeout = 1; timeout <= 20; timeout += 3) {
    uint64_t start;
    init_all();
    start = uv_now(&loop);
    CHECK_EQ(uv_timer_start(&a, trace_timer, timeout, 0), 0);
    run();
    CHECK(uv_now(&loop) - start >= timeout);
    CHECK_TRACE("a");
    check_close_loop(&loop);
  }
}

TEST(once_waits_for_the_timer) {
  init_all();
  CHECK_EQ(uv_timer_start(&a, trace_timer, 5, 0), 0);
  while (uv_run(&loop, UV_RUN_ONCE) != 0) {}
  CHECK_TRACE("a");
  check_close_loop(&loop);
}

TEST(unreferenced_timers_do_not_hold_the_loop) {
  init_all();
  CHECK_EQ(uv_timer_start(&a, trace_timer, 1000000, 0), 0);
  uv_unref((uv_handle_t*) &a);
  run();
  CHECK_EQ(uv_timer_start(&b, trace_timer, 2, 0), 0);
  CHECK_EQ(uv_timer_start(&a, trace_timer, 1, 0), 0);
  run();
  CHECK_TRACE("a b"); /* but fire while it runs */
  check_close_loop(&loop);
}

static void restart_many(uv_timer_t* timer) {
  if (++fired >= 1000) return;
  CHECK_EQ(uv_timer_start(timer, restart_many, fired % 3, 0), 0);
}

TEST(rearmed_again_and_again) {
  init_all();
  CHECK_EQ(uv_timer_start(&a, restart_many, 0, 0), 0);
  CHECK_EQ(uv_timer_start(&b, trace_timer, 0, 0), 0);
  for (int i = 0; i < 100000; i++) CHECK_EQ(uv_timer_start(&c, trace_timer, 1000 + i, 0), 0);
  CHECK_EQ(uv_timer_get_due_in(&c), 1000 + 99999);
  CHECK_EQ(uv_timer_stop(&c), 0);
  run();
  CHECK_EQ(fired, 1000);
  CHECK_TRACE("b");
  check_close_loop(&loop);
}
