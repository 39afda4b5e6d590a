/* Workers: from start to exit, and what comes between. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "port.h"

#include "allocs.h"

#include <dirent.h>
#include <sys/resource.h>

typedef uvx_worker_t worker_t;
typedef uvx_worker_ctx_t ctx_t;

static uv_loop_t loop;
static worker_t* worker;

static uvx_worker_options_t with(void* data) {
  uvx_worker_options_t options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.data = data;
  return options;
}

static uvx_worker_info_t info_of(worker_t* of) {
  uvx_worker_info_t info;
  memset(&info, 0, sizeof info);
  info.size = sizeof info;
  CHECK_EQ(uvx_worker_info(of, &info), 0);
  return info;
}

/* "exit RETURNED 0" and so on. */
static void note_exit(worker_t* of, const uvx_worker_exit_t* exit) {
  static const char* reasons[] = {"?", "RETURNED", "EXITED", "STOPPED", "FAILED"};
  char text[64];
  CHECK_EQ(info_of(of).state, UVX_WORKER_GONE);
  int status = port_post(uvx_worker_port(of), 0);
  CHECK(status == UV_EPIPE || status == UV_EBADF); /* 1.2.12; or the program has closed it */
  snprintf(text, sizeof text, "exit %s %d", reasons[exit->reason], exit->code);
  port_note(text);
  if (exit->uv_error != 0) port_note(uv_err_name(exit->uv_error));
}

static void start(uvx_worker_entry entry, const uvx_worker_options_t* options) {
  CHECK_EQ(uvx_worker_start(&loop, &worker, entry, options, note_exit), 0);
}

static void set_up(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
}

static void run_loop(void) {
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

static void tear_down(void) {
  run_loop();
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* The parent's end of the channel, with the callbacks of port.h, but not closed by its on_close. */
static void listen_to(worker_t* to) {
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(to), port_log_tag, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(to)), 0);
}

static int return_data(ctx_t* ctx, void* data) {
  CHECK(uvx_worker_ctx_data(ctx) == data);
  CHECK(uvx_worker_current() == ctx);
  return (int) (intptr_t) data;
}

/* 1.2.2, 1.2.8: nothing to do: exit by itself, with the code that the entry returned. */
TEST(a_worker_returns) {
  uvx_worker_options_t options = with((void*) 7);
  set_up();
  start(return_data, &options);
  CHECK(uvx_worker_data(worker) == (void*) 7);
  run_loop();
  CHECK_LOG("exit RETURNED 7");
  start(return_data, NULL);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  run_loop();
  CHECK_LOG("exit RETURNED 0");
  CHECK_EQ(uvx_worker_start(&loop, &worker, return_data, NULL, NULL), 0); /* nobody wants to know */
  CHECK(uvx_worker_current() == NULL);
  tear_down();
}

/* 1.2.6 */
TEST(an_entry_fails) {
  uvx_worker_options_t options = with((void*) (intptr_t) UV_ENOENT);
  set_up();
  start(return_data, &options);
  run_loop();
  CHECK_LOG("exit FAILED 1,ENOENT");
  tear_down();
}

TEST(nonsense_is_refused) {
  uvx_worker_options_t options = with(NULL);
  uvx_message_desc_t first = port_tag(1);
  set_up();
  CHECK_EQ(uvx_worker_start(&loop, &worker, NULL, NULL, note_exit), UV_EINVAL);
  options.size--;
  CHECK_EQ(uvx_worker_start(&loop, &worker, return_data, &options, note_exit), UV_EINVAL);
  options.size += 100;
  options.flags = 2;
  CHECK_EQ(uvx_worker_start(&loop, &worker, return_data, &options, note_exit), UV_EINVAL);
  options.flags = 0;
  first.size = 1;
  options.first_message = &first;
  CHECK_EQ(uvx_worker_start(&loop, &worker, return_data, &options, note_exit), UV_EINVAL);
  CHECK(worker == NULL);
  CHECK_LOG("");
  tear_down();
}

static void echo(port_t* port, message_t* message) {
  uint64_t tag = uvx_message_tag(message);
  CHECK_EQ(port_post(port, tag * 10), 0);
  if (tag == 0) uvx_message_port_stop(port);
}

static int attach_echo(ctx_t* ctx, void* data) {
  port_t* port = uvx_worker_ctx_port(ctx);
  (void) data;
  CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), port, echo, NULL), 0);
  return uvx_message_port_start(port);
}

/* 1.2.1: what is posted before the thread runs is delivered, the first message first. */
TEST(messages_wait_for_the_worker) {
  uvx_message_desc_t first = port_tag(1);
  uvx_worker_options_t options = with(NULL);
  options.first_message = &first;
  set_up();
  start(attach_echo, &options);
  for (int i = 2; i < 5; i++) CHECK_EQ(port_post(uvx_worker_port(worker), i), 0);
  listen_to(worker);
  CHECK_EQ(port_post(uvx_worker_port(worker), 0), 0);
  run_loop();
  CHECK_LOG("10,20,30,40,0,EOF,exit RETURNED 0");
  tear_down();
}

static int post_ten(ctx_t* ctx, void* data) {
  port_t* port = uvx_worker_ctx_port(ctx);
  (void) data;
  for (int i = 0; i < 10; i++) CHECK_EQ(port_post(port, i), 0);
  uvx_worker_exit(ctx, 3);
  uvx_worker_exit(ctx, 4); /* too late */
  CHECK_EQ(uvx_worker_stopping(ctx), 1);
  return 5;
}

/* 1.2.11: every message, then the end of the port, then the exit: although the port is stopped, and has a budget of 1. */
TEST(messages_come_before_the_exit) {
  set_up();
  start(post_ten, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), port_log_tag, port_log_event), 0);
  run_loop();
  CHECK_LOG("0,1,2,3,4,5,6,7,8,9,EOF,exit EXITED 3");
  start(post_ten, NULL);
  listen_to(worker);
  CHECK_EQ(uvx_message_port_set_budget(uvx_worker_port(worker), 1, 0), 0);
  run_loop();
  CHECK_LOG("0,1,2,3,4,5,6,7,8,9,EOF,exit EXITED 3");
  tear_down();
}

static void receive_at_exit(worker_t* of, const uvx_worker_exit_t* exit) {
  for (int i = 0; i < 10; i++) CHECK_EQ(port_receive(uvx_worker_port(of)), i);
  CHECK_EQ(port_receive(uvx_worker_port(of)), UV_EOF);
  note_exit(of, exit);
}

TEST(messages_can_be_received_at_the_exit) {
  set_up();
  CHECK_EQ(uvx_worker_start(&loop, &worker, post_ten, NULL, receive_at_exit), 0);
  run_loop();
  CHECK_LOG("exit EXITED 3");
  tear_down();
}

static int take_port_and_post(ctx_t* ctx, void* data) {
  port_t* port = port_receive_port(uvx_worker_ctx_port(ctx));
  (void) data;
  CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), port, port_log_tag, NULL), 0);
  for (int i = 0; i < 5; i++) CHECK_EQ(port_post(port, i), 0);
  uvx_worker_exit(ctx, 3);
  return 0;
}

/* 1.2.11, 1.1 close 6: ports that the worker owned deliver, then close, then the exit comes. */
TEST(a_workers_other_ports_deliver_and_close) {
  port_t *a, *b;
  set_up();
  port_channel(&a, &b);
  start(take_port_and_post, NULL);
  port_open(&loop, a);
  CHECK_EQ(port_post_port(uvx_worker_port(worker), 1, b), 0);
  run_loop();
  CHECK_LOG("0,1,2,3,4,eof,exit EXITED 3");
  tear_down();
}

/* 1.2.11, 1.1 close 6: a port that the worker never took out of its inbox closes before the exit. */
TEST(a_port_stranded_in_a_worker_closes) {
  port_t *a, *b;
  uvx_xfer_t xfer;
  uvx_message_desc_t first = port_tag(1);
  uvx_worker_options_t options = with(NULL);
  set_up();
  port_channel(&a, &b);
  port_open(&loop, a);
  memset(&xfer, 0, sizeof xfer);
  xfer.type = UVX_XFER_PORT;
  xfer.u.port = b;
  first.xfers = &xfer;
  first.nxfers = 1;
  options.first_message = &first;
  start(return_data, &options);
  run_loop();
  CHECK_LOG("eof,exit RETURNED 0");
  tear_down();
}

static int wait_for_ever(ctx_t* ctx, void* data) {
  port_t* port = uvx_worker_ctx_port(ctx);
  (void) data;
  CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), port, port_log_tag, NULL), 0);
  CHECK_EQ(port_post(port, 1), 0);
  return uvx_message_port_start(port);
}

static void stop_on_message(port_t* port, message_t* message) {
  port_log_tag(port, message);
  if (uvx_message_tag(message) != 1) return;
  CHECK_EQ(uvx_worker_stop(worker, 42), 0);
  CHECK_EQ(uvx_worker_stop(worker, 43), UV_EALREADY);
}

/* 1.2.10: a worker whose loop sleeps. */
TEST(stopping_a_sleeping_worker) {
  set_up();
  start(wait_for_ever, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), stop_on_message, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_LOG("1,EOF,exit STOPPED 42");
  tear_down();
}

static int receive_until_interrupted(ctx_t* ctx, void* data) {
  message_t* message;
  (void) data;
  CHECK_EQ(port_post(uvx_worker_ctx_port(ctx), 1), 0);
  CHECK_EQ(uvx_message_port_receive(uvx_worker_ctx_port(ctx), &message, UVX_FOREVER), UV_EINTR);
  CHECK_EQ(uvx_worker_stopping(ctx), 1);
  return 5;
}

TEST(stopping_a_worker_that_receives) {
  set_up();
  start(receive_until_interrupted, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), stop_on_message, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_LOG("1,EOF,exit STOPPED 42");
  tear_down();
}

static int be_busy(ctx_t* ctx, void* data) {
  (void) data;
  CHECK_EQ(uvx_worker_stopping(ctx), 0);
  CHECK_EQ(port_post(uvx_worker_ctx_port(ctx), 1), 0);
  while (uvx_worker_stopping(ctx) == 0) {}
  return 6;
}

static int broken_in;

static void break_in(void* data) {
  CHECK(data == &broken_in);
  __atomic_store_n(&broken_in, 1, __ATOMIC_SEQ_CST);
}

static int be_busy_in_a_machine(ctx_t* ctx, void* data) {
  (void) data;
  CHECK_EQ(port_post(uvx_worker_ctx_port(ctx), 1), 0);
  while (__atomic_load_n(&broken_in, __ATOMIC_SEQ_CST) == 0) {}
  return 6;
}

/* 1.2.10: a busy worker, which asks; or whose machine is told. */
TEST(stopping_a_busy_worker) {
  uvx_worker_options_t options = with(&broken_in);
  set_up();
  start(be_busy, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), stop_on_message, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_LOG("1,EOF,exit STOPPED 42");
  options.interrupt_hook = break_in;
  start(be_busy_in_a_machine, &options);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), stop_on_message, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_LOG("1,EOF,exit STOPPED 42");
  tear_down();
}

static int ran;

static int set_ran(ctx_t* ctx, void* data) {
  (void) ctx, (void) data;
  __atomic_store_n(&ran, 1, __ATOMIC_SEQ_CST);
  return 0;
}

/* 1.2.10: stopped before it is online; many times, since the thread may be faster. The code and the reason are exact either way. */
TEST(stopping_a_worker_before_it_is_online) {
  int early = 0;
  set_up();
  for (int i = 0; i < 200; i++) {
    ran = 0;
    start(set_ran, NULL);
    int status = uvx_worker_stop(worker, i);
    int was_online = info_of(worker).started_ns != 0;
    (void) was_online;
    run_loop();
    if (status == 0) {
      char expected[64];
      snprintf(expected, sizeof expected, "exit STOPPED %d", i);
      CHECK_LOG(expected);
      early += !ran;
    } else {
      CHECK_EQ(status, UV_EALREADY);
      CHECK_LOG("exit RETURNED 0");
      CHECK_EQ(ran, 1);
    }
  }
  CHECK(early > 0);
  tear_down();
}

static void stop_at_exit(worker_t* of, const uvx_worker_exit_t* exit) {
  CHECK_EQ(uvx_worker_stop(of, 1), UV_EALREADY);
  CHECK_EQ(uvx_worker_join(of, UVX_FOREVER), 0);
  note_exit(of, exit);
  start(return_data, NULL); /* another one */
}

/* 1.2.10, and node#22073: stopping in an exit callback. */
TEST(stopping_in_the_exit_callback) {
  set_up();
  CHECK_EQ(uvx_worker_start(&loop, &worker, return_data, NULL, stop_at_exit), 0);
  run_loop();
  CHECK_LOG("exit RETURNED 0,exit RETURNED 0");
  tear_down();
}

static int exit_from_inside(ctx_t* ctx, void* data) {
  (void) data;
  CHECK_EQ(uvx_worker_stop(worker, 9), 0);
  CHECK_EQ(uvx_worker_join(worker, UVX_FOREVER), UV_EINVAL);
  uvx_worker_exit(ctx, 1);
  return 0;
}

TEST(a_worker_may_stop_itself) {
  uv_sem_t sem;
  set_up();
  CHECK_EQ(uv_sem_init(&sem, 0), 0);
  start(exit_from_inside, NULL);
  run_loop();
  CHECK_LOG("exit STOPPED 9");
  tear_down();
}

static void on_timer(uv_timer_t* timer) {
  port_t* port = timer->data;
  CHECK_EQ(port_post(port, 2), 0);
  uv_close((uv_handle_t*) timer, NULL);
}

static int turns_left;

static void more_to_do(ctx_t* ctx, void* data) {
  uv_timer_t* timer = data;
  CHECK_EQ(port_post(uvx_worker_ctx_port(ctx), 1), 0);
  if (turns_left-- == 0) return;
  CHECK_EQ(uv_timer_init(uvx_worker_ctx_loop(ctx), timer), 0);
  timer->data = uvx_worker_ctx_port(ctx);
  CHECK_EQ(uv_timer_start(timer, on_timer, 1, 0), 0);
}

static void note_cleanup(ctx_t* ctx, void* data) {
  (void) data;
  CHECK_EQ(port_post(uvx_worker_ctx_port(ctx), 99), 0);
}

/* 1.2.8: the loop runs dry, before_exit may begin more, and comes again. */
TEST(before_exit_may_begin_more) {
  static uv_timer_t timer;
  uvx_worker_options_t options = with(&timer);
  turns_left = 2;
  options.before_exit = more_to_do;
  options.cleanup = note_cleanup;
  set_up();
  CHECK_EQ(uvx_worker_start(&loop, &worker, set_ran, &options, note_exit), 0);
  listen_to(worker);
  run_loop();
  CHECK_LOG("1,2,1,2,1,99,EOF,exit RETURNED 0");
  tear_down();
}

static void never(ctx_t* ctx, void* data) {
  (void) ctx, (void) data;
  CHECK_FAIL("before_exit of a worker that was stopped");
}

/* 1.2.8, 1.2.10: no before_exit for a worker that was ended, but its cleanup. */
TEST(an_ended_worker_only_cleans_up) {
  uvx_worker_options_t options = with(NULL);
  options.before_exit = never;
  options.cleanup = note_cleanup;
  set_up();
  start(post_ten, &options);
  listen_to(worker);
  run_loop();
  CHECK_LOG("0,1,2,3,4,5,6,7,8,9,99,EOF,exit EXITED 3");
  start(wait_for_ever, &options);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), stop_on_message, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_LOG("1,99,EOF,exit STOPPED 42");
  tear_down();
}

/* Everything that can be left open. */
static uv_timer_t left_timer;
static uv_async_t left_async;
static uv_idle_t left_idle;
static uv_tcp_t left_tcp;
static uv_work_t left_work;
static uvx_loop_call_t left_call;
static int work_done, call_status;

static void work(uv_work_t* req) {
  (void) req;
}

static void after_work(uv_work_t* req, int status) {
  (void) req;
  CHECK(status == 0 || status == UV_ECANCELED);
  work_done = 1;
}

static void keep_status(uvx_loop_call_t* call, int status) {
  (void) call;
  call_status = status;
}

static void idle(uv_idle_t* handle) {
  (void) handle;
}

static void tick(uv_timer_t* timer) {
  (void) timer;
}

static int leave_all_open(ctx_t* ctx, void* data) {
  uv_loop_t* own = uvx_worker_ctx_loop(ctx);
  struct sockaddr_in address;
  uvx_mailbox_t* mailbox;
  port_t* attached = data;
  CHECK_EQ(uv_timer_init(own, &left_timer), 0);
  CHECK_EQ(uv_timer_start(&left_timer, tick, 1000000, 0), 0);
  CHECK_EQ(uv_async_init(own, &left_async, NULL), 0);
  CHECK_EQ(uv_idle_init(own, &left_idle), 0);
  CHECK_EQ(uv_idle_start(&left_idle, idle), 0);
  CHECK_EQ(uv_tcp_init(own, &left_tcp), 0);
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, &address), 0);
  CHECK_EQ(uv_tcp_bind(&left_tcp, (struct sockaddr*) &address, 0), 0);
  CHECK_EQ(uv_queue_work(own, &left_work, work, after_work), 0);
  CHECK_EQ(uvx_message_port_attach(own, attached, port_log_tag, NULL), 0);
  CHECK_EQ(uvx_message_port_start(attached), 0);
  CHECK_EQ(uvx_message_port_attach(own, uvx_worker_ctx_port(ctx), port_log_tag, NULL), 0);
  CHECK_EQ(uvx_loop_mailbox(own, &mailbox), 0);
  CHECK_EQ(uvx_mailbox_call(mailbox, &left_call, keep_status, UVX_CALL_REF), 0);
  uvx_mailbox_release(mailbox);
  uvx_worker_exit(ctx, 1);
  return 0;
}

static uv_timer_t chain[3];

static void close_next(uv_handle_t* handle) {
  uv_timer_t* next = (uv_timer_t*) handle + 1;
  CHECK_EQ(port_post(uvx_worker_ctx_port(uvx_worker_current()), 1), 0);
  if (next != chain + 3) uv_close((uv_handle_t*) next, close_next);
}

static void close_first(ctx_t* ctx, void* data) {
  (void) ctx, (void) data;
  uv_close((uv_handle_t*) chain, close_next);
}

static int have_a_chain(ctx_t* ctx, void* data) {
  (void) data;
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(uv_timer_init(uvx_worker_ctx_loop(ctx), &chain[i]), 0);
    CHECK_EQ(uv_timer_start(&chain[i], tick, 1000000, 0), 0);
  }
  uvx_worker_exit(ctx, 2);
  return 0;
}

/* 1.2.12: what the program closes in its own order is not closed under its hands. */
TEST(a_cleanup_closes_one_after_the_other) {
  uvx_worker_options_t options = with(NULL);
  options.cleanup = close_first;
  set_up();
  start(have_a_chain, &options);
  listen_to(worker);
  run_loop();
  CHECK_LOG("1,1,1,EOF,exit EXITED 2");
  tear_down();
}

static void never_exits(worker_t* of, const uvx_worker_exit_t* exit) {
  (void) of, (void) exit;
  CHECK_FAIL("exit callback");
}

/* 1.2.12, 1.1 close 6, 1.3.1: whatever a worker leaves behind, it ends. */
TEST(what_a_worker_leaves_open_is_closed) {
  port_t *a, *b;
  uvx_worker_options_t options;
  set_up();
  port_channel(&a, &b);
  options = with(b);
  port_open(&loop, a);
  start(leave_all_open, &options);
  run_loop();
  CHECK_LOG("eof,exit EXITED 1");
  CHECK_EQ(work_done, 1);
  CHECK_EQ(call_status, UV_ECANCELED);
  tear_down();
}

static void on_child_exit(worker_t* of, const uvx_worker_exit_t* exit) {
  ctx_t* parent = uvx_worker_current();
  CHECK(parent != NULL);
  CHECK(uvx_worker_data(of) == parent);
  CHECK_EQ(exit->reason, UVX_WORKER_STOPPED);
  CHECK_EQ(port_post(uvx_worker_ctx_port(parent), 100 + exit->code), 0);
}

static void on_child_message(port_t* port, message_t* message) {
  ctx_t* parent = uvx_message_port_get_data(port);
  CHECK_EQ(port_post(uvx_worker_ctx_port(parent), 10 + uvx_message_tag(message)), 0);
  uvx_worker_exit(parent, 2);
}

static int have_children(ctx_t* ctx, void* data) {
  (void) data;
  for (int i = 0; i < 3; i++) {
    worker_t* child;
    uvx_worker_options_t options = with(ctx);
    CHECK_EQ(uvx_worker_start(uvx_worker_ctx_loop(ctx), &child, wait_for_ever, &options, on_child_exit), 0);
    if (i > 0) continue;
    uvx_message_port_set_data(uvx_worker_port(child), ctx);
    CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), uvx_worker_port(child), on_child_message, NULL), 0);
    CHECK_EQ(uvx_message_port_start(uvx_worker_port(child)), 0);
  }
  return 0;
}

/* 1.2.12: workers of workers; a worker that ends stops its own first, and hears their exits. */
TEST(a_worker_ends_after_its_workers) {
  set_up();
  start(have_children, NULL);
  listen_to(worker);
  run_loop();
  CHECK_LOG("11,101,101,101,EOF,exit EXITED 2");
  tear_down();
}

static int generations(ctx_t* ctx, void* data) {
  worker_t* child;
  uvx_worker_options_t options = with((char*) data - 1);
  CHECK_EQ(uvx_env_data_set("generation", NULL), 0);
  if (data != NULL)
    CHECK_EQ(uvx_worker_start(uvx_worker_ctx_loop(ctx), &child, generations, &options, NULL), 0);
  return 0;
}

TEST(workers_of_workers_of_workers) {
  uvx_worker_options_t options = with((void*) 10);
  set_up();
  start(generations, &options);
  run_loop();
  CHECK_LOG("exit RETURNED 0");
  tear_down();
}

/* 1.2.12: a loop with workers is busy; stop_all makes it closable. */
TEST(a_loop_stops_its_workers) {
  set_up();
  for (int i = 0; i < 5; i++) {
    start(wait_for_ever, NULL);
    uvx_worker_unref(worker);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0); /* 1.2.9 */
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  uvx_workers_stop_all(&loop, 8);
  run_loop();
  CHECK_LOG("exit STOPPED 8,exit STOPPED 8,exit STOPPED 8,exit STOPPED 8,exit STOPPED 8");
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* 1.2.9 */
TEST(references) {
  set_up();
  start(wait_for_ever, NULL);
  CHECK_EQ(uvx_worker_has_ref(worker), 1);
  CHECK(uv_loop_alive(&loop) != 0);
  uvx_worker_ref(worker);
  uvx_worker_unref(worker);
  CHECK_EQ(uvx_worker_has_ref(worker), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  uvx_worker_ref(worker);
  CHECK_EQ(uvx_worker_stop(worker, 0), 0);
  run_loop();
  CHECK_LOG("exit STOPPED 0");
  tear_down();
}

static int nap(ctx_t* ctx, void* data) {
  (void) ctx;
  uv_sem_wait(data);
  return 0;
}

static void* join_it(void* retained) {
  CHECK_EQ(uvx_worker_join(retained, UVX_FOREVER), 0);
  CHECK(info_of(retained).state >= UVX_WORKER_ENDED);
  CHECK_EQ(uvx_worker_stop(retained, 1), UV_EALREADY);
  uvx_worker_release(retained);
  return NULL;
}

/* 4.4: joins with a deadline, from several threads; a worker that is retained outlives its exit. */
TEST(joining) {
  uv_sem_t sem;
  uvx_worker_options_t options = with(&sem);
  pthread_t threads[3];
  CHECK_EQ(uv_sem_init(&sem, 0), 0);
  set_up();
  start(nap, &options);
  CHECK_EQ(uvx_worker_join(worker, 0), UV_ETIMEDOUT);
  uint64_t begin = uv_hrtime();
  CHECK_EQ(uvx_worker_join(worker, 3000000), UV_ETIMEDOUT);
  CHECK(uv_hrtime() - begin >= 3000000);
  for (int i = 0; i < 3; i++) {
    uvx_worker_retain(worker);
    threads[i] = port_thread(join_it, worker);
  }
  uv_sem_post(&sem);
  CHECK_EQ(uvx_worker_join(worker, UVX_FOREVER), 0);
  CHECK_LOG("");
  CHECK_EQ(info_of(worker).state, UVX_WORKER_ENDED);
  uvx_worker_retain(worker);
  run_loop();
  CHECK_LOG("exit RETURNED 0");
  CHECK_EQ(info_of(worker).state, UVX_WORKER_GONE);
  CHECK_EQ(info_of(worker).tid, -1);
  CHECK_EQ(uvx_worker_join(worker, 0), 0);
  for (int i = 0; i < 3; i++) port_join(threads[i]);
  uvx_worker_release(worker);
  uvx_worker_release(NULL);
  tear_down();
}

static uv_thread_t caller;

static void there(uvx_loop_call_t* call, int status) {
  uv_thread_t self = uv_thread_self();
  CHECK_EQ(status, 0);
  CHECK(!uv_thread_equal(&self, &caller));
  CHECK(uvx_worker_current() == call->data);
  uv_metrics_t metrics;
  CHECK_EQ(uv_metrics_info(uvx_worker_ctx_loop(call->data), &metrics), 0);
  call->data = (void*) (intptr_t) (metrics.loop_count > 0);
}

static void back(uvx_loop_call_t* call, int status) {
  uv_thread_t self = uv_thread_self();
  CHECK(uv_thread_equal(&self, &caller));
  port_note(status == 0 ? "back" : uv_err_name(status));
  if (status == 0) CHECK_EQ((intptr_t) call->data, 1);
  CHECK_EQ(uvx_worker_stop(worker, 5), status == 0 ? 0 : UV_EALREADY);
}

static void interrupt_on_message(port_t* port, message_t* message) {
  uvx_loop_call_t* call = uvx_message_port_get_data(port);
  call->data = (void*) (uintptr_t) uvx_message_tag(message);
  CHECK_EQ(uvx_worker_interrupt(worker, call, there, back), 0);
}

static int send_self(ctx_t* ctx, void* data) {
  port_t* port = uvx_worker_ctx_port(ctx);
  (void) data;
  CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), port, port_log_tag, NULL), 0);
  CHECK_EQ(port_post(port, (uintptr_t) ctx), 0);
  return uvx_message_port_start(port);
}

/* 1.2.13: something is asked of the worker on its own thread, and comes back to the parent's. */
TEST(an_interrupt_comes_back) {
  static uvx_loop_call_t call;
  caller = uv_thread_self();
  set_up();
  start(send_self, NULL);
  uvx_message_port_set_data(uvx_worker_port(worker), &call);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), interrupt_on_message, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  uvx_worker_retain(worker);
  run_loop();
  CHECK_LOG("back,EOF,exit STOPPED 5");
  CHECK_EQ(uvx_worker_interrupt(worker, &call, there, back), UV_ESHUTDOWN);
  CHECK_EQ(uvx_worker_interrupt(worker, &call, there, NULL), UV_ESHUTDOWN);
  uvx_worker_release(worker);
  tear_down();
}

/* 1.2.13: a worker that has been stopped answers no more, but the caller hears of it. */
TEST(an_interrupt_of_a_stopped_worker) {
  static uvx_loop_call_t call;
  uv_sem_t sem;
  uvx_worker_options_t options = with(&sem);
  caller = uv_thread_self();
  CHECK_EQ(uv_sem_init(&sem, 0), 0);
  set_up();
  start(nap, &options);
  CHECK_EQ(uvx_worker_stop(worker, 1), 0);
  CHECK_EQ(uvx_worker_interrupt(worker, &call, there, back), 0);
  uv_sem_post(&sem);
  run_loop();
  CHECK_LOG("ECANCELED,exit STOPPED 1");
  tear_down();
}

static void in_the_worker(void* arg, int status) {
  CHECK_EQ(status, 0);
  CHECK(uvx_worker_current() != NULL);
  *(uint64_t*) arg = uvx_worker_ctx_id(uvx_worker_current());
}

TEST(a_worker_is_called_and_waited_for) {
  uint64_t id = 0;
  set_up();
  start(wait_for_ever, NULL);
  CHECK_EQ(uvx_mailbox_call_sync(uvx_worker_mailbox(worker), in_the_worker, &id, UVX_FOREVER), 0);
  CHECK_EQ(id, info_of(worker).id);
  CHECK_EQ(uvx_worker_stop(worker, 0), 0);
  run_loop();
  CHECK_LOG("exit STOPPED 0");
  tear_down();
}

static int run_interrupts_until_stopped(ctx_t* ctx, void* data) {
  (void) data;
  while (uvx_worker_stopping(ctx) == 0) uvx_loop_run_interrupts(uvx_worker_ctx_loop(ctx));
  return 0;
}

static void stop_from_inside(uvx_loop_call_t* call, int status) {
  CHECK_EQ(status, 0);
  uvx_worker_exit(uvx_worker_current(), 11);
  (void) call;
}

/* 1.3.5 */
TEST(a_busy_worker_is_interrupted) {
  static uvx_loop_call_t call;
  set_up();
  start(run_interrupts_until_stopped, NULL);
  CHECK_EQ(uvx_worker_interrupt(worker, &call, stop_from_inside, NULL), 0);
  run_loop();
  CHECK_LOG("exit EXITED 11");
  tear_down();
}

__attribute__((noinline)) static void use_much_stack(void) {
  volatile char large[3 << 20];
  for (size_t i = 0; i < sizeof large; i += 4096) large[i] = 1;
}

static int use_stack(ctx_t* ctx, void* data) {
  uv_loop_t* own = uvx_worker_ctx_loop(ctx);
  static uv_timer_t timer;
  CHECK_EQ(uv_timer_init(own, &timer), 0);
  timer.data = uvx_worker_ctx_port(ctx);
  CHECK_EQ(uv_timer_start(&timer, on_timer, 1, 0), 0);
  if (data != NULL) use_much_stack();
  return 0;
}

/* 1.2.3: 4 MiB, or what is asked for, but as much as a loop needs. */
TEST(stacks) {
  uvx_worker_options_t options = with((void*) 1);
  set_up();
  start(use_stack, &options);
  CHECK_EQ(info_of(worker).stack_size, 4 << 20);
  run_loop();
  CHECK_LOG("exit RETURNED 0");
  options = with(NULL);
  options.stack_size = 1;
  start(use_stack, &options);
  CHECK(info_of(worker).stack_size >= (size_t) sysconf(_SC_THREAD_STACK_MIN));
  listen_to(worker);
  run_loop();
  CHECK_LOG("2,EOF,exit RETURNED 0");
  options.stack_size = (1 << 20) + 1;
  start(use_stack, &options);
  CHECK_EQ(info_of(worker).stack_size, (1 << 20) + sysconf(_SC_PAGESIZE));
  run_loop();
  CHECK_LOG("exit RETURNED 0");
  options.stack_size = SIZE_MAX;
  int status = uvx_worker_start(&loop, &worker, use_stack, &options, never_exits);
  CHECK(status == UV_EINVAL || status == UV_EAGAIN || status == UV_ENOMEM);
  tear_down();
}

static int check_name(ctx_t* ctx, void* data) {
  char name[32];
  uv_thread_t self = uv_thread_self();
  (void) ctx;
  CHECK_EQ(uv_thread_getname(&self, name, sizeof name), 0);
  CHECK_STR(name, data);
  return 0;
}

/* 1.2.4 */
TEST(names) {
  uvx_worker_options_t options = with("WorkerThread");
  set_up();
  start(check_name, &options);
  CHECK_STR(info_of(worker).name, "WorkerThread");
  run_loop();
  options = with("a-name-that-is-");
  options.name = "a-name-that-is-too-long";
  start(check_name, &options);
  CHECK_STR(info_of(worker).name, "a-name-that-is-");
  run_loop();
  CHECK_LOG("exit RETURNED 0,exit RETURNED 0");
  tear_down();
}

static uv_sem_t info_ready, info_seen;

static int show_info(ctx_t* ctx, void* data) {
  CHECK_EQ(*(uint64_t*) data, 0);
  *(uint64_t*) data = uvx_worker_ctx_id(ctx);
  uv_sem_post(&info_ready);
  uv_sem_wait(&info_seen);
  return wait_for_ever(ctx, NULL);
}

/* 1.2.2, 1.2.13, 4.4 */
TEST(information) {
  uint64_t id = 0;
  uvx_worker_options_t options = with(&id);
  uvx_worker_info_t info;
  CHECK_EQ(uv_sem_init(&info_ready, 0), 0);
  CHECK_EQ(uv_sem_init(&info_seen, 0), 0);
  set_up();
  options.flags = UVX_WORKER_METRICS;
  uint64_t before = uv_hrtime();
  start(show_info, &options);
  uv_sem_wait(&info_ready);
  info = info_of(worker);
  CHECK_EQ(info.state, UVX_WORKER_ONLINE);
  CHECK_EQ(info.id, id);
  CHECK(info.tid > 0 && info.tid != getpid());
  CHECK(info.started_ns >= before && info.started_ns <= uv_hrtime());
  CHECK(info.cpu_ns != UINT64_MAX);
  CHECK(info.idle_ns != UINT64_MAX);
  CHECK_EQ(info.exit.reason, UVX_WORKER_NOT_ENDED);
  uv_sem_post(&info_seen);
  while (info_of(worker).idle_ns < 2000000) uv_sleep(1);
  CHECK_EQ(uvx_worker_stop(worker, -3), 0);
  CHECK_EQ(uvx_worker_join(worker, UVX_FOREVER), 0);
  info = info_of(worker);
  CHECK_EQ(info.state, UVX_WORKER_ENDED);
  CHECK_EQ(info.tid, -1);
  CHECK(info.idle_ns == UINT64_MAX && info.cpu_ns == UINT64_MAX);
  CHECK_EQ(info.exit.reason, UVX_WORKER_STOPPED);
  CHECK_EQ(info.exit.code, -3);
  info.size = 8;
  CHECK_EQ(uvx_worker_info(worker, &info), UV_EINVAL);
  run_loop();
  CHECK_LOG("exit STOPPED -3");
  id = 0;
  start(show_info, &options);
  uv_sem_post(&info_seen);
  uv_sem_wait(&info_ready);
  CHECK(info_of(worker).id > info.id);
  CHECK_EQ(uvx_worker_stop(worker, 0), 0);
  tear_down();
}

static int freed;

static void count_free(void* base, size_t len, void* arg) {
  (void) base, (void) len, (void) arg;
  __atomic_add_fetch(&freed, 1, __ATOMIC_SEQ_CST);
}

static void set_data(const char* key, const char* value) {
  uvx_shared_buf_t* buf = NULL;
  if (value != NULL) CHECK_EQ(uvx_shared_buf_wrap(&buf, (void*) value, strlen(value), count_free, NULL), 0);
  CHECK_EQ(uvx_env_data_set(key, buf), 0);
  uvx_shared_buf_unref(buf);
}

static void check_data(const char* key, const char* value) {
  uvx_shared_buf_t* buf = uvx_env_data_get(key);
  if (value == NULL) {
    CHECK(buf == NULL);
    return;
  }
  CHECK(buf != NULL);
  CHECK_STR(uvx_shared_buf_data(buf, NULL), value);
  uvx_shared_buf_unref(buf);
}

static int check_grandchild(ctx_t* ctx, void* data) {
  (void) ctx, (void) data;
  check_data("a", "1");
  check_data("b", "changed");
  check_data("c", NULL);
  check_data("d", "new");
  return 0;
}

static int check_child(ctx_t* ctx, void* semaphore) {
  worker_t* child;
  uv_sem_wait(semaphore);
  check_data("a", "1");
  check_data("b", "2");
  check_data("c", "3");
  check_data("d", NULL);
  set_data("b", "changed");
  set_data("c", NULL);
  set_data("d", "new");
  CHECK_EQ(uvx_worker_start(uvx_worker_ctx_loop(ctx), &child, check_grandchild, NULL, NULL), 0);
  set_data("a", "later");
  return 0;
}

/* 1.2.7: a snapshot at the start, inherited by workers of workers; changes stay with who makes them. */
TEST(data_of_the_environment) {
  uv_sem_t sem;
  uvx_worker_options_t options = with(&sem);
  CHECK_EQ(uv_sem_init(&sem, 0), 0);
  CHECK_EQ(uvx_env_data_set(NULL, NULL), UV_EINVAL);
  set_data("a", "1");
  set_data("b", "2");
  set_data("c", "3");
  set_up();
  start(check_child, &options);
  set_data("a", "main");
  set_data("d", "main");
  set_data("c", NULL);
  set_data("none", NULL);
  uv_sem_post(&sem);
  run_loop();
  CHECK_LOG("exit RETURNED 0");
  check_data("a", "main");
  check_data("b", "2");
  check_data("c", NULL);
  set_data("a", NULL);
  set_data("b", NULL);
  set_data("d", NULL);
  CHECK_EQ(freed, 8);
  tear_down();
}

static void close_by_hand(port_t* port, int status) {
  port_log_event(port, status);
  port_close(port);
}

static void* use_taken_port(void* port) {
  for (int i = 0; i < 10; i++) CHECK_EQ(port_receive(port), i);
  CHECK_EQ(port_receive(port), UV_EOF);
  port_close(port);
  return NULL;
}

/* The worker's port: closed by the library, or by the program, or taken. */
TEST(who_closes_the_port) {
  port_t *a, *b;
  set_up();
  start(post_ten, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), port_log_tag, close_by_hand), 0);
  run_loop();
  CHECK_LOG("0,1,2,3,4,5,6,7,8,9,EOF,exit EXITED 3");
  start(attach_echo, NULL);
  port_close(uvx_worker_port(worker)); /* the worker hears of it, and has nothing more to do */
  CHECK_EQ(port_post(uvx_worker_port(worker), 1), UV_EBADF);
  CHECK_EQ(uvx_worker_stop(worker, 0) == 0 || 1, 1);
  CHECK_EQ(uvx_worker_join(worker, UVX_FOREVER), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  port_log[0] = '\0';
  start(post_ten, NULL);
  port_channel(&a, &b);
  CHECK_EQ(port_post_port(a, 1, uvx_worker_port(worker)), UV_EPERM);
  port_t* taken = uvx_worker_take_port(worker);
  CHECK(taken == uvx_worker_port(worker));
  CHECK_EQ(port_post_port(a, 1, taken), 0);
  CHECK(port_receive_port(b) == taken);
  CHECK_EQ(uvx_worker_join(worker, UVX_FOREVER), 0);
  port_join(port_thread(use_taken_port, taken));
  port_close(a);
  port_close(b);
  CHECK_EQ(uvx_worker_stop(worker, 0), UV_EALREADY);
  tear_down();
}

static void on_peer_close(port_t* port, int status) {
  CHECK_EQ(status, UV_EOF);
  CHECK_EQ(uvx_message_port_stop(port), 0);
}

static int until_the_parent_closes(ctx_t* ctx, void* data) {
  port_t* port = uvx_worker_ctx_port(ctx);
  (void) data;
  CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), port, port_log_tag, on_peer_close), 0);
  return uvx_message_port_start(port);
}

static void expect_returned(worker_t* of, const uvx_worker_exit_t* exit) {
  (void) of;
  CHECK_EQ(exit->reason, UVX_WORKER_RETURNED);
  port_note("returned");
}

TEST(a_worker_ends_when_its_parent_closes_the_port) {
  set_up();
  CHECK_EQ(uvx_worker_start(&loop, &worker, until_the_parent_closes, NULL, expect_returned), 0);
  port_close(uvx_worker_port(worker));
  run_loop();
  CHECK_LOG("returned");
  tear_down();
}

static void* stop_it(void* retained) {
  int status = uvx_worker_stop(retained, 1);
  CHECK(status == 0 || status == UV_EALREADY);
  uvx_worker_release(retained);
  return (void*) (intptr_t) (status == 0);
}

/* Several threads stop a worker that ends by itself: one decision. */
TEST(who_ends_the_worker_is_decided_once) {
  set_up();
  for (int round = 0; round < 50; round++) {
    pthread_t threads[3];
    int stopped = 0;
    start(set_ran, NULL);
    for (int i = 0; i < 3; i++) {
      uvx_worker_retain(worker);
      threads[i] = port_thread(stop_it, worker);
    }
    run_loop();
    for (int i = 0; i < 3; i++) {
      void* result;
      CHECK_EQ(pthread_join(threads[i], &result), 0);
      stopped += result != NULL;
    }
    CHECK(stopped <= 1);
    CHECK_LOG(stopped ? "exit STOPPED 1" : "exit RETURNED 0");
  }
  tear_down();
}

enum { STORM = 50 };

static int storm_exits;

static void storm_exit(worker_t* of, const uvx_worker_exit_t* exit) {
  (void) of, (void) exit;
  storm_exits++;
}

/* Workers that chat, are stopped in the middle of it, and end in any order. */
TEST(a_storm_of_workers) {
  worker_t* storm[STORM];
  set_up();
  for (int i = 0; i < STORM; i++) {
    CHECK_EQ(uvx_worker_start(&loop, &storm[i], attach_echo, NULL, storm_exit), 0);
    CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(storm[i]), port_log_tag, NULL), 0);
    CHECK_EQ(uvx_message_port_start(uvx_worker_port(storm[i])), 0);
    for (int j = 1; j < 20; j++) CHECK_EQ(port_post(uvx_worker_port(storm[i]), j), 0);
    if (i % 3 == 0) CHECK_EQ(uvx_worker_stop(storm[i], i), 0);
    if (i % 3 == 1) CHECK_EQ(port_post(uvx_worker_port(storm[i]), 0), 0);
    if (i % 7 == 0) uv_run(&loop, UV_RUN_NOWAIT);
  }
  for (int i = 2; i < STORM; i += 3) uvx_worker_unref(storm[i]);
  uvx_workers_stop_all(&loop, 1);
  run_loop();
  CHECK_EQ(storm_exits, STORM);
  tear_down();
}

static int descriptors(void) {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  CHECK(folder != NULL);
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

/* 1.2.6: no descriptors for the worker's loop: an error, and nothing is left. */
TEST(without_descriptors) {
  struct rlimit limit;
  port_t *a, *b;
  uvx_xfer_t xfer;
  uvx_message_desc_t first = port_tag(1);
  uvx_worker_options_t options = with(NULL);
  set_up();
  port_channel(&a, &b);
  port_open(&loop, b);
  memset(&xfer, 0, sizeof xfer);
  xfer.type = UVX_XFER_PORT;
  xfer.u.port = b;
  first.xfers = &xfer;
  first.nxfers = 1;
  options.first_message = &first;
  int before = descriptors();
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = 256;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  int fds[256], count = 0;
  while ((fds[count] = dup(0)) != -1) count++;
  for (int left = 0; left < 2; left++) { /* a loop needs two */
    CHECK_EQ(uvx_worker_start(&loop, &worker, return_data, &options, never_exits), UV_EMFILE);
    close(fds[--count]);
  }
  while (count > 0) close(fds[--count]);
  CHECK_EQ(descriptors(), before);
  CHECK(uvx_message_port_loop(b) == &loop);
  CHECK_EQ(port_post(a, 5), 0);
  port_close(a);
  run_loop();
  CHECK_LOG("5,eof");
  tear_down();
}

/* 1.2.6: no thread: the first message is undone, and what it handed over is back. */
TEST(without_a_thread) {
  port_t *a, *b;
  uvx_xfer_t xfers[2];
  uvx_message_desc_t first = port_tag(1);
  uvx_worker_options_t options = with(NULL);
  char bytes[200];
  uv_buf_t buf = uv_buf_init(bytes, sizeof bytes);
  set_up();
  port_channel(&a, &b);
  port_open(&loop, b);
  memset(xfers, 0, sizeof xfers);
  xfers[0].type = UVX_XFER_PORT;
  xfers[0].u.port = b;
  xfers[1] = port_mem(bytes, sizeof bytes, count_free, NULL);
  first.xfers = xfers;
  first.nxfers = 2;
  first.bufs = &buf;
  first.nbufs = 1;
  options.first_message = &first;
  options.stack_size = (size_t) 1 << 60;
  int status = uvx_worker_start(&loop, &worker, return_data, &options, never_exits);
  CHECK(status == UV_EAGAIN || status == UV_ENOMEM || status == UV_EINVAL);
  CHECK_EQ(freed, 0);
  CHECK(uvx_message_port_loop(b) == &loop);
  CHECK_EQ(port_post(a, 5), 0);
  port_close(a);
  run_loop();
  CHECK_LOG("5,eof");
  tear_down();
}

static void* worker_memory_arg;

static int try_start(long n) {
  uvx_message_desc_t first = port_tag(1);
  uvx_worker_options_t options = with(NULL);
  char bytes[100];
  uv_buf_t buf = uv_buf_init(bytes, sizeof bytes);
  uvx_xfer_t xfer = port_mem(bytes, 1, count_free, NULL);
  (void) worker_memory_arg;
  first.bufs = &buf;
  first.nbufs = 1;
  first.xfers = &xfer;
  first.nxfers = 1;
  options.first_message = &first;
  set_up();
  freed = 0;
  set_data("key", "value");
  allocs_fail_at(n);
  int result = uvx_worker_start(&loop, &worker, set_ran, &options, note_exit);
  allocs_fail_at(0);
  if (result != 0) CHECK_EQ(freed, 0);
  run_loop();
  CHECK_LOG(result == 0 ? "exit RETURNED 0" : "");
  set_data("key", NULL);
  CHECK_EQ(freed, result == 0 ? 2 : 1);
  tear_down();
  return result;
}

/* 1.2.6 */
TEST(without_memory) {
  allocs_install();
  long count = allocs_exhaust(try_start);
  CHECK(count >= 6 && count < 20);
}

static int try_env_data(long n) {
  uvx_shared_buf_t* buf;
  CHECK_EQ(uvx_shared_buf_create(&buf, 1), 0);
  allocs_fail_at(n);
  int result = uvx_env_data_set("key", buf);
  allocs_fail_at(0);
  uvx_shared_buf_unref(buf);
  uvx_shared_buf_t* found = uvx_env_data_get("key");
  CHECK_EQ(found != NULL, result == 0);
  uvx_shared_buf_unref(found);
  CHECK_EQ(uvx_env_data_set("key", NULL), 0);
  return result;
}

TEST(environment_data_without_memory) {
  allocs_install();
  CHECK_EQ(allocs_exhaust(try_env_data), 2);
}

TEST(no_leaks) {
  allocs_install();
  set_up();
  start(return_data, NULL); /* the loop's mailbox */
  run_loop();
  long live = allocs_live();
  port_log[0] = '\0';
  for (int i = 0; i < 20; i++) {
    start(i % 2 != 0 ? post_ten : wait_for_ever, NULL);
    if (i % 3 == 0) listen_to(worker);
    if (i % 2 == 0) CHECK_EQ(uvx_worker_stop(worker, 0), 0);
    run_loop();
    port_log[0] = '\0';
  }
  CHECK_EQ(allocs_live(), live);
  tear_down();
  CHECK_EQ(allocs_live(), 0);
}

/* In the child after fork the loop has no workers. */
TEST(fork_leaves_the_workers_to_the_parent) {
  NOT_UNDER_TSAN("a child that uses threads' data");
  set_up();
  start(wait_for_ever, NULL);
  pid_t child = fork();
  if (child == 0) {
    if (uv_loop_fork(&loop) != 0 || uv_loop_alive(&loop) != 0) _exit(1);
    if (uv_run(&loop, UV_RUN_DEFAULT) != 0) _exit(2);
    _exit(uv_loop_close(&loop) == 0 ? 0 : 3);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  CHECK_EQ(uvx_worker_stop(worker, 0), 0);
  run_loop();
  CHECK_LOG("exit STOPPED 0");
  tear_down();
}
