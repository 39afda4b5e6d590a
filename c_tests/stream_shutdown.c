/* uv_shutdown: after what was written, once, and cancelled by closing. */
#include "streams.h"

static uv_shutdown_t req, second;
static uv_write_t writes[8];
static int status_of[2], calls;

static void on_shutdown(uv_shutdown_t* done, int status) {
  status_of[done == &second] = status;
  calls++;
  trace("shutdown");
}

static void on_write(uv_write_t* done, int status) {
  (void) done;
  trace(status == 0 ? "write" : uv_err_name(status));
}

static char bytes[4096], sink[1 << 20];

static void fill(void) {
  uv_buf_t buf = uv_buf_init(bytes, sizeof(bytes));
  while (uv_try_write(near, &buf, 1) > 0);
  buf.len = 1;
  while (uv_try_write(near, &buf, 1) > 0);
}

TEST(the_other_end_sees_the_end) {
  open_pair(SOCK_STREAM);
  CHECK_EQ(uv_shutdown(&req, near, on_shutdown), 0);
  CHECK_EQ(req.type, UV_SHUTDOWN);
  CHECK(req.handle == near);
  CHECK(near->shutdown_req == &req);
  CHECK_EQ(uv_is_writable(near), 0);
  CHECK_EQ(calls, 0);
  CHECK_EQ(read(far, sink, sizeof(sink)), -1); /* not yet */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(status_of[0], 0);
  CHECK_EQ(read(far, sink, sizeof(sink)), 0);
  CHECK(near->shutdown_req == NULL);
  CHECK_EQ(uv_read_start(near, alloc, on_read), 0); /* the other direction still works */
  put(far, "answer");
  RUN_UNTIL(got.total == 6);
  check_close_loop(&loop);
}

TEST(shutdown_refuses) {
  uv_pipe_t other;
  uv_buf_t buf = uv_buf_init(bytes, 1);
  int fds[2];
  open_pair(SOCK_STREAM);
  CHECK_EQ(uv_shutdown(&req, near, on_shutdown), 0);
  CHECK_EQ(uv_shutdown(&second, near, on_shutdown), UV_ENOTCONN);
  CHECK_EQ(uv_write(&writes[0], near, &buf, 1, on_write), UV_EPIPE);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_shutdown(&second, near, on_shutdown), UV_ENOTCONN);
  CHECK_EQ(uv_pipe_init(&loop, &other, 0), 0);
  CHECK_EQ(uv_shutdown(&second, (uv_stream_t*) &other, on_shutdown), UV_ENOTCONN);
  CHECK_EQ(uv_pipe(fds, 0, 0), 0);
  CHECK_EQ(uv_pipe_open(&other, fds[0]), 0);
  CHECK_EQ(uv_shutdown(&second, (uv_stream_t*) &other, on_shutdown), UV_ENOTCONN);
  uv_close((uv_handle_t*) &other, NULL);
  CHECK_EQ(uv_shutdown(&second, (uv_stream_t*) &other, on_shutdown), UV_ENOTCONN);
  check_close_loop(&loop);
  CHECK_EQ(calls, 1);
}

TEST(the_callback_may_be_null) {
  open_pair(SOCK_STREAM);
  CHECK_EQ(uv_shutdown(&req, near, NULL), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(read(far, sink, sizeof(sink)), 0);
  check_close_loop(&loop);
}

TEST(it_waits_for_writes) {
  uv_buf_t buf = uv_buf_init(bytes, 100);
  ssize_t count, sum = 0;
  open_pair(SOCK_STREAM);
  fill();
  for (int index = 0; index < 3; index++) CHECK_EQ(uv_write(&writes[index], near, &buf, 1, on_write), 0);
  CHECK_EQ(uv_shutdown(&req, near, on_shutdown), 0);
  turn();
  CHECK_TRACE("");
  while ((count = read(far, sink, sizeof(sink))) > 0);
  CHECK_EQ(count, -1);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("write write write shutdown");
  while ((count = read(far, sink, sizeof(sink))) > 0) sum += count;
  CHECK_EQ(count, 0);
  CHECK_EQ(sum, 300);
  check_close_loop(&loop);
}

TEST(writes_done_at_once_are_called_back_before) {
  uv_buf_t buf = uv_buf_init(bytes, 100);
  open_pair(SOCK_STREAM);
  CHECK_EQ(uv_write(&writes[0], near, &buf, 1, on_write), 0);
  CHECK_EQ(uv_shutdown(&req, near, on_shutdown), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("write shutdown");
  check_close_loop(&loop);
}

static void on_close(uv_handle_t* handle) {
  (void) handle;
  trace("close");
}

TEST(closing_cancels_it) {
  uv_buf_t buf = uv_buf_init(bytes, 100);
  open_pair(SOCK_STREAM);
  fill();
  CHECK_EQ(uv_write(&writes[0], near, &buf, 1, on_write), 0);
  CHECK_EQ(uv_shutdown(&req, near, on_shutdown), 0);
  uv_close((uv_handle_t*) near, on_close);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("ECANCELED shutdown close");
  CHECK_EQ(status_of[0], UV_ECANCELED);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void close_in_callback(uv_shutdown_t* done, int status) {
  on_shutdown(done, status);
  uv_close((uv_handle_t*) near, on_close);
}

TEST(its_callback_may_close) {
  open_pair(SOCK_STREAM);
  CHECK_EQ(uv_shutdown(&req, near, close_in_callback), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("shutdown close");
  CHECK_EQ(status_of[0], 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(after_an_error_of_a_write) {
  uv_buf_t buf = uv_buf_init(bytes, 100);
  open_pair(SOCK_STREAM);
  close(far);
  CHECK_EQ(uv_write(&writes[0], near, &buf, 1, on_write), 0);
  CHECK_EQ(uv_shutdown(&req, near, on_shutdown), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("EPIPE shutdown");
  check_close_loop(&loop);
}

TEST(a_file_that_is_no_socket) {
  int fds[2];
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_pipe(fds, 0, UV_NONBLOCK_PIPE), 0);
  CHECK_EQ(uv_pipe_init(&loop, &near_pipe, 0), 0);
  CHECK_EQ(uv_pipe_open(&near_pipe, fds[1]), 0);
  CHECK_EQ(uv_shutdown(&req, near, on_shutdown), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(status_of[0], UV_ENOTSOCK);
  close(fds[0]);
  check_close_loop(&loop);
}
