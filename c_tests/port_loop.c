/* Message ports on a loop: delivery, start and stop, what keeps the loop alive, re-entrance, batches, whose thread it is, fork. */
#include "port_loop.h"

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
