/* What the tests of workers share. */
#ifndef WORKER_H
#define WORKER_H

#include "port.h"

typedef uvx_worker_t worker_t;
typedef uvx_worker_ctx_t ctx_t;

static uv_loop_t loop;
static worker_t* worker;

static inline uvx_worker_options_t with(void* data) {
  uvx_worker_options_t options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.data = data;
  return options;
}

static inline uvx_worker_info_t info_of(worker_t* of) {
  uvx_worker_info_t info;
  memset(&info, 0, sizeof info);
  info.size = sizeof info;
  CHECK_EQ(uvx_worker_info(of, &info), 0);
  return info;
}

/* "exit RETURNED 0" and so on. */
static inline void note_exit(worker_t* of, const uvx_worker_exit_t* exit) {
  static const char* reasons[] = {"?", "RETURNED", "EXITED", "STOPPED", "FAILED"};
  char text[64];
  CHECK_EQ(info_of(of).state, UVX_WORKER_GONE);
  int status = port_post(uvx_worker_port(of), 0);
  CHECK(status == UV_EPIPE || status == UV_EBADF); /* 1.2.12; or the program has closed it */
  snprintf(text, sizeof text, "exit %s %d", reasons[exit->reason], exit->code);
  port_note(text);
  if (exit->uv_error != 0) port_note(uv_err_name(exit->uv_error));
}

static inline void start(uvx_worker_entry entry, const uvx_worker_options_t* options) {
  CHECK_EQ(uvx_worker_start(&loop, &worker, entry, options, note_exit), 0);
}

static inline void set_up(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
}

static inline void run_loop(void) {
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

static inline void tear_down(void) {
  run_loop();
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* The parent's end of the channel, with the callbacks of port.h, but not closed by its on_close. */
static inline void listen_to(worker_t* to) {
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(to), port_log_tag, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(to)), 0);
}

static inline int return_data(ctx_t* ctx, void* data) {
  CHECK(uvx_worker_ctx_data(ctx) == data);
  CHECK(uvx_worker_current() == ctx);
  return (int) (intptr_t) data;
}

static inline void echo(port_t* port, message_t* message) {
  uint64_t tag = uvx_message_tag(message);
  CHECK_EQ(port_post(port, tag * 10), 0);
  if (tag == 0) uvx_message_port_stop(port);
}

static inline int attach_echo(ctx_t* ctx, void* data) {
  port_t* port = uvx_worker_ctx_port(ctx);
  (void) data;
  CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), port, echo, NULL), 0);
  return uvx_message_port_start(port);
}

static inline int post_ten(ctx_t* ctx, void* data) {
  port_t* port = uvx_worker_ctx_port(ctx);
  (void) data;
  for (int i = 0; i < 10; i++) CHECK_EQ(port_post(port, i), 0);
  uvx_worker_exit(ctx, 3);
  uvx_worker_exit(ctx, 4); /* too late */
  CHECK_EQ(uvx_worker_stopping(ctx), 1);
  return 5;
}

static inline int wait_for_ever(ctx_t* ctx, void* data) {
  port_t* port = uvx_worker_ctx_port(ctx);
  (void) data;
  CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), port, port_log_tag, NULL), 0);
  CHECK_EQ(port_post(port, 1), 0);
  return uvx_message_port_start(port);
}

static inline void stop_on_message(port_t* port, message_t* message) {
  port_log_tag(port, message);
  if (uvx_message_tag(message) != 1) return;
  CHECK_EQ(uvx_worker_stop(worker, 42), 0);
  CHECK_EQ(uvx_worker_stop(worker, 43), UV_EALREADY);
}

static int ran;

static inline int set_ran(ctx_t* ctx, void* data) {
  (void) ctx, (void) data;
  __atomic_store_n(&ran, 1, __ATOMIC_SEQ_CST);
  return 0;
}

static inline void on_timer(uv_timer_t* timer) {
  port_t* port = timer->data;
  CHECK_EQ(port_post(port, 2), 0);
  uv_close((uv_handle_t*) timer, NULL);
}

static inline void never_exits(worker_t* of, const uvx_worker_exit_t* exit) {
  (void) of, (void) exit;
  CHECK_FAIL("exit callback");
}

static inline int nap(ctx_t* ctx, void* data) {
  (void) ctx;
  uv_sem_wait(data);
  return 0;
}

static int freed;

static inline void count_free(void* base, size_t len, void* arg) {
  (void) base, (void) len, (void) arg;
  __atomic_add_fetch(&freed, 1, __ATOMIC_SEQ_CST);
}

static inline void set_data(const char* key, const char* value) {
  uvx_shared_buf_t* buf = NULL;
  if (value != NULL) CHECK_EQ(uvx_shared_buf_wrap(&buf, (void*) value, strlen(value), count_free, NULL), 0);
  CHECK_EQ(uvx_env_data_set(key, buf), 0);
  uvx_shared_buf_unref(buf);
}

static inline void note_cleanup(ctx_t* ctx, void* data) {
  (void) data;
  CHECK_EQ(port_post(uvx_worker_ctx_port(ctx), 99), 0);
}

#endif
