/* Message ports on a loop: delivery, start and stop, what keeps the loop alive, re-entrance, budgets, closing. */
#include "port.h"

static uv_loop_t loop;
static port_t *a, *b;

static void set_up(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_channel(&a, &b);
}

static void nothing(uv_idle_t* idle) {
  (void) idle;
}

/* A turn of the loop although nothing keeps it alive. */
static void run_once(void) {
  static uv_idle_t idle;
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  CHECK_EQ(uv_idle_start(&idle, nothing), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  uv_close((uv_handle_t*) &idle, NULL);
  uv_run(&loop, UV_RUN_NOWAIT);
}

static void post_range(port_t* port, int from, int to) {
  for (int i = from; i < to; i++) CHECK_EQ(port_post(port, i), 0);
}

/* Closes both ports and the loop. */
static void tear_down(void) {
  port_log[0] = '\0';
  if (a != NULL) port_close(a);
  if (b != NULL && b != a) port_close(b);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(messages_wait_for_start) {
  set_up();
  post_range(a, 0, 3);
  port_attach(&loop, b);
  CHECK(uvx_message_port_loop(b) == &loop);
  post_range(a, 3, 5);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 0);
  CHECK_LOG("");
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("0,1,2,3,4");
  CHECK_EQ(uvx_message_port_stop(b), 0);
  post_range(a, 5, 7);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 0);
  CHECK_LOG("");
  CHECK_EQ(port_receive(b), 5); /* also while it is stopped */
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("6");
  CHECK_EQ(uvx_message_port_detach(b), 0);
  CHECK_EQ(uvx_message_port_detach(b), UV_EINVAL);
  post_range(a, 7, 8);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(port_receive(b), 7);
  tear_down();
}

TEST(what_keeps_the_loop_alive) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, NULL, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), UV_EINVAL); /* no callback */
  CHECK_EQ(uvx_message_port_detach(b), 0);
  port_attach(&loop, b);
  CHECK_EQ(uvx_message_port_attach(&loop, b, port_log_tag, NULL), UV_EBUSY);
  CHECK_EQ(uvx_message_port_has_ref(b), 1);
  CHECK_EQ(uv_loop_alive(&loop), 0); /* not started */
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK(uv_loop_alive(&loop) != 0);
  CHECK_EQ(uvx_message_port_unref(b), 0);
  CHECK_EQ(uvx_message_port_has_ref(b), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uvx_message_port_ref(b), 0);
  CHECK_EQ(uvx_message_port_ref(b), 0);
  CHECK(uv_loop_alive(&loop) != 0);
  CHECK_EQ(uvx_message_port_stop(b), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uvx_message_port_detach(b), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  tear_down();
}

static void count_handle(uv_handle_t* handle, void* count) {
  (void) handle;
  ++*(int*) count;
}

TEST(uv_walk_does_not_show_ports) {
  int count = 0;
  set_up();
  port_open(&loop, b);
  uv_walk(&loop, count_handle, &count);
  CHECK_EQ(count, 0);
  tear_down();
}

static void on_second_stop(port_t* port, message_t* message) {
  port_log_tag(port, message);
  if (uvx_message_tag(message) == 1) CHECK_EQ(uvx_message_port_stop(port), 0);
}

TEST(stop_in_a_callback_holds_the_next_message) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, on_second_stop, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 0, 4);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1");
  CHECK_EQ(port_stats(b).depth, 2);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("2,3");
  tear_down();
}

static void on_each_receive(port_t* port, message_t* message) {
  port_log_tag(port, message);
  if (uvx_message_tag(message) % 2 == 0) port_note_number(-port_receive(port));
}

TEST(receive_in_a_callback_takes_the_next) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, on_each_receive, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 0, 4);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("0,-1,2,-3");
  post_range(a, 4, 6);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("4,-5");
  tear_down();
}

static void on_message_post(port_t* port, message_t* message) {
  uint64_t tag = uvx_message_tag(message);
  (void) port;
  if (tag < 10) CHECK_EQ(port_post(a, tag + 1), 0); /* to this very port */
  port_log_tag(port, message);
}

TEST(posts_in_a_callback_arrive) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, on_message_post, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 0, 1);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("0,1,2,3,4,5,6,7,8,9,10");
  tear_down();
}

static void on_second_detach(port_t* port, message_t* message) {
  port_log_tag(port, message);
  if (uvx_message_tag(message) == 1) CHECK_EQ(uvx_message_port_detach(port), 0);
}

TEST(detach_in_a_callback_keeps_the_rest) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, on_second_detach, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 0, 4);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1");
  post_range(a, 4, 5);
  port_open(&loop, b);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("2,3,4");
  tear_down();
}

static void on_closed(port_t* port, int status) {
  CHECK_EQ(status, 0);
  CHECK_EQ(port_post(port, 1), UV_EBADF);
  port_note("closed");
  b = NULL;
}

static unsigned close_flags;

static void on_second_close(port_t* port, message_t* message) {
  port_log_tag(port, message);
  if (uvx_message_tag(message) != 1) return;
  CHECK_EQ(uvx_message_port_close(port, close_flags, on_closed), 0);
  CHECK_EQ(uvx_message_port_close(port, 0, NULL), UV_EBADF);
  CHECK_EQ(uvx_message_port_stop(port), UV_EBADF);
  CHECK_EQ(uvx_message_port_detach(port), UV_EBADF);
  CHECK_EQ(port_receive(port), UV_EBADF);
  CHECK_EQ(port_post(port, 5), UV_EBADF);
  CHECK_EQ(port_post(a, 99), UV_EPIPE);
  port_note("-");
}

TEST(close_in_a_callback_drops_the_rest) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, on_second_close, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 0, 4);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1,-,closed");
  CHECK_EQ(port_receive(a), UV_EOF);
  tear_down();
}

TEST(close_in_a_callback_can_deliver_the_rest) {
  set_up();
  close_flags = UVX_PORT_CLOSE_FLUSH;
  CHECK_EQ(uvx_message_port_attach(&loop, b, on_second_close, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 0, 4);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1,-,2,3,closed");
  tear_down();
}

TEST(close_delivers_what_was_never_started) {
  set_up();
  port_attach(&loop, b);
  post_range(a, 0, 3);
  CHECK_EQ(uvx_message_port_close(b, UVX_PORT_CLOSE_FLUSH, on_closed), 0);
  CHECK_EQ(port_post(a, 4), UV_EPIPE);
  CHECK_LOG(""); /* not inside the call */
  CHECK(uv_loop_alive(&loop) != 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1,2,closed");
  tear_down();
}

TEST(close_before_delivery_drops) {
  set_up();
  port_open(&loop, b);
  post_range(a, 0, 3);
  CHECK_EQ(uvx_message_port_unref(b), 0);
  CHECK_EQ(uvx_message_port_close(b, 0, on_closed), 0);
  CHECK_LOG("");
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0); /* although it was not referenced */
  CHECK_LOG("closed");
  tear_down();
}

TEST(the_peer_hears_of_the_end_after_all_messages) {
  set_up();
  port_open(&loop, b);
  post_range(a, 0, 3);
  port_close(a);
  a = NULL;
  CHECK_EQ(port_post(b, 1), UV_EPIPE);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1,2,eof");
  b = NULL;
  tear_down();
}

TEST(both_on_one_loop) {
  set_up();
  port_open(&loop, a);
  port_open(&loop, b);
  post_range(a, 0, 3);
  post_range(b, 10, 12);
  CHECK_EQ(uvx_message_port_close(a, 0, port_log_event), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1,2,eof,ok");
  a = b = NULL;
  tear_down();
}

TEST(an_ended_port_keeps_nothing_alive) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, port_log_tag, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  port_close(a);
  a = NULL;
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("EOF");
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("");
  CHECK_EQ(port_receive(b), UV_EOF);
  CHECK_EQ(uvx_message_port_detach(b), 0); /* the next owner hears it as well */
  port_attach(&loop, b);
  run_once();
  CHECK_LOG("eof");
  b = NULL;
  tear_down();
}

TEST(a_stopped_port_hears_of_the_end_when_nothing_is_unread) {
  set_up();
  port_attach(&loop, b);
  post_range(a, 0, 2);
  port_close(a);
  a = NULL;
  run_once();
  CHECK_LOG("");
  CHECK_EQ(port_receive(b), 0);
  run_once();
  CHECK_LOG("");
  CHECK_EQ(port_receive(b), 1);
  CHECK_LOG("");
  run_once();
  CHECK_LOG("eof");
  b = NULL;
  tear_down();
}

TEST(a_stopped_port_can_be_told_of_the_end_at_once) {
  set_up();
  port_attach(&loop, b);
  post_range(a, 0, 2);
  CHECK_EQ(uvx_message_port_close(a, UVX_PORT_CLOSE_NOW, NULL), 0);
  a = NULL;
  CHECK_EQ(port_receive(b), UV_EOF);
  run_once();
  CHECK_LOG("eof");
  b = NULL;
  tear_down();
}

TEST(drain_ignores_stop_and_budget) {
  set_up();
  port_attach(&loop, b);
  CHECK_EQ(uvx_message_port_set_budget(b, 1, 0), 0);
  post_range(a, 0, 4);
  CHECK_EQ(uvx_message_port_drain(b), 0);
  CHECK_LOG("0,1,2,3");
  CHECK_EQ(uvx_message_port_drain(b), 0);
  CHECK_LOG("");
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uvx_message_port_drain(b), 0);
  post_range(a, 4, 5); /* still wakes the loop */
  CHECK_EQ(uv_run(&loop, UV_RUN_ONCE), 1);
  CHECK_LOG("4");
  post_range(a, 5, 7);
  port_close(a);
  a = NULL;
  CHECK_EQ(uvx_message_port_drain(b), 0);
  CHECK_LOG("5,6");
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("eof");
  b = NULL;
  tear_down();
}

static void on_drain(port_t* port, message_t* message) {
  port_log_tag(port, message);
  if (uvx_message_tag(message) == 1) CHECK_EQ(uvx_message_port_drain(port), 0);
  port_note("-");
}

TEST(drain_in_a_callback) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, on_drain, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 0, 4);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("0,-,1,2,-,3,-,-");
  tear_down();
}

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

static void on_batch(port_t* port, message_t** messages, size_t n) {
  CHECK(n > 0 && n <= 64);
  for (size_t i = 0; i < n; i++) port_log_tag(port, messages[i]);
  memset(messages, 0, n * sizeof *messages); /* the array is not needed any more */
  port_note("|");
}

TEST(batches) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, NULL, port_close_too), 0);
  CHECK_EQ(uvx_message_port_set_batch_cb(b, on_batch), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uvx_message_port_set_batch_cb(b, NULL), UV_EINVAL);
  post_range(a, 0, 3);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("0,1,2,|");
  CHECK_EQ(uvx_message_port_set_budget(b, 2, 0), 0);
  post_range(a, 3, 6);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("3,4,|");
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("5,|");
  CHECK_EQ(uvx_message_port_set_budget(b, 0, 0), 0);
  post_range(a, 0, 150);
  port_close(a);
  a = NULL;
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  size_t batches = 0;
  for (char* at = port_log; (at = strchr(at, '|')) != NULL; at++) batches++;
  CHECK_EQ(batches, 3);
  CHECK_STR(port_log + strlen(port_log) - 9, "149,|,eof");
  b = NULL;
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

/* The usual way to a loop: made and furnished here, run by another thread. */
static void* run_the_loop(void* unused) {
  (void) unused;
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  return NULL;
}

static void close_from_timer(uv_timer_t* timer) {
  CHECK_EQ(uvx_message_port_start(b), 0); /* by the loop's thread, which never touched the port before */
  uv_close((uv_handle_t*) timer, NULL);
}

TEST(a_loop_that_another_thread_runs) {
  uv_timer_t timer;
  set_up();
  port_attach(&loop, b);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, close_from_timer, 1, 0), 0);
  pthread_t thread = port_thread(run_the_loop, NULL);
  post_range(a, 0, 3);
  port_close(a);
  port_join(thread);
  CHECK_LOG("0,1,2,eof");
  a = b = NULL;
  tear_down();
}

TEST(only_the_loops_thread_may_use_the_port) {
  uv_timer_t timer;
  port_t* c;
  set_up();
  port_t* d;
  port_channel(&c, &d);
  port_open(&loop, b);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  pthread_t thread = port_thread(run_the_loop, NULL);
  port_post(a, 1);
  while (port_stats(b).received == 0) sched_yield();
  CHECK_EQ(uvx_message_port_stop(b), UV_EBUSY);
  CHECK_EQ(port_receive(b), UV_EBUSY);
  CHECK_EQ(uvx_message_port_detach(b), UV_EBUSY);
  CHECK_EQ(uvx_message_port_close(b, 0, NULL), UV_EBUSY);
  CHECK_EQ(port_post_port(c, 1, b), UV_EBUSY);
  port_close(a);
  port_join(thread);
  a = b = NULL;
  port_close(c);
  port_close(d);
  uv_close((uv_handle_t*) &timer, NULL);
  tear_down();
}

/* In the child after fork the loop has no ports, whether they had messages, were closing, or neither. */
TEST(fork_leaves_the_ports_to_the_parent) {
  port_t *c, *d;
  int status;
  set_up();
  port_channel(&c, &d);
  port_open(&loop, a);
  port_open(&loop, c);
  CHECK_EQ(uvx_message_port_attach(&loop, d, port_log_tag, NULL), 0);
  CHECK_EQ(port_post(b, 1), 0);
  CHECK_EQ(uvx_message_port_close(d, 0, port_log_event), 0);
  pid_t child = fork();
  CHECK(child != -1);
  if (child == 0) {
    if (uv_loop_fork(&loop) != 0 || uv_loop_alive(&loop) != 0) _exit(1);
    run_once();
    if (port_log[0] != '\0') _exit(2);
    port_channel(&a, &b);
    port_open(&loop, a);
    port_close(b);
    if (uv_run(&loop, UV_RUN_DEFAULT) != 0 || strcmp(port_log, "eof") != 0) _exit(3);
    _exit(uv_loop_close(&loop) == 0 ? 0 : 4);
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  port_close(b);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("1,eof,eof,ok");
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* Until its callback has come, a port that was closed can be asked anything. */
TEST(a_port_that_is_closing_says_so) {
  message_t* message;
  uvx_message_sender_t* sender;
  set_up();
  port_open(&loop, a);
  CHECK_EQ(port_post(b, 1), 0);
  CHECK_EQ(uvx_message_port_close(a, 0, port_log_event), 0);
  CHECK_EQ(uvx_message_port_close(a, 0, port_log_event), UV_EBADF);
  CHECK_EQ(port_post(a, 1), UV_EBADF);
  CHECK_EQ(uvx_message_port_receive(a, &message, UVX_FOREVER), UV_EBADF);
  CHECK_EQ(uvx_message_sender_create(a, &sender), UV_EBADF);
  CHECK_EQ(uvx_message_port_forbid_transfer(a), UV_EBADF);
  CHECK_EQ(uvx_message_port_attach(&loop, a, port_log_tag, NULL), UV_EBADF);
  CHECK_EQ(uvx_message_port_detach(a), UV_EBADF);
  CHECK_EQ(uvx_message_port_start(a), UV_EBADF);
  CHECK_EQ(uvx_message_port_stop(a), UV_EBADF);
  CHECK_EQ(uvx_message_port_drain(a), UV_EBADF);
  CHECK_EQ(uvx_message_port_ref(a), UV_EBADF);
  CHECK_EQ(uvx_message_port_has_ref(a), 0);
  CHECK_EQ(uvx_message_port_set_budget(a, 1, 1), UV_EBADF);
  CHECK_EQ(uvx_message_port_set_batch_cb(a, NULL), UV_EBADF);
  CHECK_EQ(uvx_message_port_on_writable(a, port_log_event), UV_EBADF);
  CHECK_EQ(uvx_message_port_interrupt(a), 0);
  CHECK_EQ(port_post(b, 2), UV_EPIPE);
  CHECK_EQ(port_post_port(b, 2, a), UV_ELOOP);
  CHECK_EQ(port_stats(a).posted, 1);
  port_close(b);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("ok");
  CHECK_EQ(uv_loop_close(&loop), 0);
}
