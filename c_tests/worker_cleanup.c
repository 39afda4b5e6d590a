/* The end of a worker: what it does itself, and what is done for it. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "worker.h"

static int turns_left;

static void more_to_do(ctx_t* ctx, void* data) {
  uv_timer_t* timer = data;
  CHECK_EQ(port_post(uvx_worker_ctx_port(ctx), 1), 0);
  if (turns_left-- == 0) return;
  CHECK_EQ(uv_timer_init(uvx_worker_ctx_loop(ctx), timer), 0);
  timer->data = uvx_worker_ctx_port(ctx);
  CHECK_EQ(uv_timer_start(timer, on_timer, 1, 0), 0);
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

static port_t* side_port;

static void log_from_worker(const char* word) {
  uint64_t tag = 0;
  memcpy(&tag, word, strnlen(word, sizeof tag));
  CHECK_EQ(port_post(uvx_worker_ctx_port(uvx_worker_current()), tag), 0);
}

static void log_word(port_t* port, message_t* message) {
  char word[9] = {0};
  uint64_t tag = uvx_message_tag(message);
  (void) port;
  memcpy(word, &tag, sizeof tag);
  port_note(word);
}

static void log_timer_close(uv_handle_t* handle) {
  (void) handle;
  log_from_worker("timer");
}

static void close_the_timer(port_t* port, int status) {
  (void) port;
  CHECK_EQ(status, 0);
  log_from_worker("port");
  CHECK(!uv_is_closing((uv_handle_t*) chain));
  uv_close((uv_handle_t*) chain, log_timer_close);
}

static void log_flushed(port_t* port, message_t* message) {
  (void) port, (void) message;
  log_from_worker("message");
  CHECK(!uv_is_closing((uv_handle_t*) chain));
}

static int have_a_port_and_a_timer(ctx_t* ctx, void* data) {
  CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), data, log_flushed, NULL), 0);
  return have_a_chain(ctx, data);
}

static void close_port_first(ctx_t* ctx, void* data) {
  (void) ctx;
  CHECK_EQ(uvx_message_port_close(data, UVX_PORT_CLOSE_FLUSH, close_the_timer), 0);
}

/* 1.2.12: so it is if what the cleanup closes is a port. */
TEST(a_cleanup_closes_a_port_and_then_a_handle) {
  port_t* other;
  port_channel(&side_port, &other);
  CHECK_EQ(port_post(other, 1), 0);
  uvx_worker_options_t options = with(side_port);
  options.cleanup = close_port_first;
  set_up();
  start(have_a_port_and_a_timer, &options);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), log_word, port_log_event), 0);
  run_loop();
  CHECK_LOG("message,port,timer,EOF,exit EXITED 2");
  port_close(other);
  tear_down();
}

static void close_after_worker(worker_t* of, const uvx_worker_exit_t* exit) {
  (void) of;
  CHECK_EQ(exit->reason, UVX_WORKER_STOPPED);
  log_from_worker("worker");
  CHECK(!uv_is_closing((uv_handle_t*) chain));
  uv_close((uv_handle_t*) chain, log_timer_close);
}

/* Waits for the end of a port that its parent has; nothing else ends that. */
static int wait_for_an_end(ctx_t* ctx, void* port) {
  message_t* message;
  (void) ctx;
  CHECK_EQ(uvx_message_port_receive(port, &message, UVX_FOREVER), UV_EOF);
  port_close(port);
  return 0;
}

static int have_a_worker_and_a_timer(ctx_t* ctx, void* data) {
  worker_t* below;
  port_t *here, *there;
  port_channel(&here, &there);
  CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), here, port_log_tag, NULL), 0);
  uvx_worker_options_t options = with(there);
  CHECK_EQ(uvx_worker_start(uvx_worker_ctx_loop(ctx), &below, wait_for_an_end, &options, close_after_worker), 0);
  while (info_of(below).state == UVX_WORKER_STARTING) uv_sleep(1);
  return have_a_chain(ctx, data);
}

/* 1.2.12: a worker's end is heard before the handles are closed, and after the ports are. */
TEST(an_exit_callback_closes_what_belongs_to_its_worker) {
  set_up();
  start(have_a_worker_and_a_timer, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), log_word, port_log_event), 0);
  run_loop();
  CHECK_LOG("worker,timer,EOF,exit EXITED 2");
  tear_down();
}
