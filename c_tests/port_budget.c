/* How much a port delivers in a turn of its loop: the usual budget, those of messages and of time, and what is left to others. */
#include "port_loop.h"

/* Turns: the check handle runs once in each. */
static int turn, per_turn[100];

static void count_turn(uv_check_t* check) {
  (void) check;
  if (turn < 99) turn++;
}

static void count_message(port_t* port, message_t* message) {
  (void) port, (void) message;
  per_turn[turn]++;
}

static void feed_itself(port_t* port, message_t* message) {
  count_message(port, message);
  if (uvx_message_tag(message) < 3500) CHECK_EQ(port_post(a, uvx_message_tag(message) + 1), 0);
}

static uv_check_t check;

static void run_turns(int turns) {
  CHECK_EQ(uv_check_init(&loop, &check), 0);
  CHECK_EQ(uv_check_start(&check, count_turn), 0);
  for (int i = 0; i < turns; i++) uv_run(&loop, UV_RUN_NOWAIT);
  uv_close((uv_handle_t*) &check, NULL);
}

TEST(the_usual_budget_is_a_floor) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, count_message, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 0, 5000);
  run_turns(3);
  CHECK_EQ(per_turn[0], 5000);
  tear_down();
}

TEST(a_port_that_feeds_itself_leaves_turns_to_others) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, feed_itself, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 1, 2);
  run_turns(6);
  CHECK_EQ(per_turn[0], 1000);
  CHECK_EQ(per_turn[1], 1000);
  CHECK_EQ(per_turn[2], 1000);
  CHECK_EQ(per_turn[3], 500);
  CHECK_EQ(per_turn[4], 0);
  tear_down();
}

TEST(a_budget_of_messages) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, count_message, NULL), 0);
  CHECK_EQ(uvx_message_port_set_budget(b, 10, 0), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 0, 25);
  CHECK_EQ(uv_backend_timeout(&loop), 0);
  run_turns(4);
  CHECK_EQ(per_turn[0], 10);
  CHECK_EQ(per_turn[1], 10);
  CHECK_EQ(per_turn[2], 5);
  CHECK_EQ(per_turn[3], 0);
  CHECK_EQ(port_stats(b).wakes, 1);
  tear_down();
}

static void burn(port_t* port, message_t* message) {
  uint64_t until = uv_hrtime() + 2000000;
  count_message(port, message);
  while (uv_hrtime() < until) continue;
}

TEST(a_budget_of_time) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, burn, NULL), 0);
  CHECK_EQ(uvx_message_port_set_budget(b, 0, 1000000), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 0, 3);
  run_turns(4);
  CHECK_EQ(per_turn[0], 1);
  CHECK_EQ(per_turn[1], 1);
  CHECK_EQ(per_turn[2], 1);
  tear_down();
}

TEST(no_budget) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, feed_itself, NULL), 0);
  CHECK_EQ(uvx_message_port_set_budget(b, 0, 0), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 1, 2);
  run_turns(2);
  CHECK_EQ(per_turn[0], 3500);
  tear_down();
}

/* Two ports take turns when both are busy. */
static void on_busy(port_t* port, message_t* message) {
  (void) message;
  port_note(port == b ? "b" : "c");
}

TEST(busy_ports_take_turns) {
  port_t *c, *d;
  set_up();
  port_channel(&c, &d);
  CHECK_EQ(uvx_message_port_attach(&loop, b, on_busy, NULL), 0);
  CHECK_EQ(uvx_message_port_attach(&loop, c, on_busy, NULL), 0);
  CHECK_EQ(uvx_message_port_set_budget(b, 2, 0), 0);
  CHECK_EQ(uvx_message_port_set_budget(c, 2, 0), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uvx_message_port_start(c), 0);
  post_range(a, 0, 5);
  post_range(d, 0, 3);
  for (int i = 0; i < 4; i++) uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_LOG("b,b,c,c,b,b,c,b");
  port_close(c);
  port_close(d);
  tear_down();
}

static void on_timer(uv_timer_t* timer) {
  port_note("timer");
  uv_close((uv_handle_t*) timer, NULL);
}

static void feed_for_ever(port_t* port, message_t* message) {
  (void) message;
  if (strstr(port_log, "timer") != NULL) CHECK_EQ(uvx_message_port_stop(port), 0);
  CHECK_EQ(port_post(a, 0), 0);
}

TEST(a_busy_port_does_not_starve_timers) {
  uv_timer_t timer;
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, feed_for_ever, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, on_timer, 10, 0), 0);
  post_range(a, 0, 1);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("timer");
  tear_down();
}
