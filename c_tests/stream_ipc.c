/* Handles that travel over pipes: which, how many, in which order, and what becomes of those that nobody takes. */
#include "streams.h"

#include <netinet/in.h>

static uv_pipe_t sender, receiver;
static uv_write_t reqs[64];
static int done, last_status = 1;

#define STREAM(handle) ((uv_stream_t*) &(handle))

static void on_write(uv_write_t* req, int status) {
  (void) req;
  done++;
  last_status = status;
}

static void init(void) {
  int pair[2];
  signal(SIGPIPE, SIG_IGN);
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_pipe_init(&loop, &sender, 1), 0);
  CHECK_EQ(uv_pipe_init(&loop, &receiver, 1), 0);
  CHECK_EQ(uv_pipe_open(&sender, pair[0]), 0);
  CHECK_EQ(uv_pipe_open(&receiver, pair[1]), 0);
  CHECK_EQ(uv_pipe_pending_count(&receiver), 0);
  CHECK_EQ(uv_pipe_pending_type(&receiver), UV_UNKNOWN_HANDLE);
}

static void send_handle(int index, void* handle) {
  uv_buf_t buf = uv_buf_init("h", 1);
  CHECK_EQ(uv_write2(&reqs[index], STREAM(sender), &buf, 1, handle, on_write), 0);
}

static void receive(ssize_t total) {
  CHECK_EQ(uv_read_start(STREAM(receiver), alloc, on_read), 0);
  RUN_UNTIL(got.total == total);
  CHECK_EQ(uv_read_stop(STREAM(receiver)), 0);
}

static int port_of(uv_tcp_t* handle) {
  struct sockaddr_in name;
  int size = sizeof(name);
  CHECK_EQ(uv_tcp_getsockname(handle, (struct sockaddr*) &name, &size), 0);
  return ntohs(name.sin_port);
}

static void bind_tcp(uv_tcp_t* handle) {
  struct sockaddr_in address;
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, &address), 0);
  CHECK_EQ(uv_tcp_init(&loop, handle), 0);
  CHECK_EQ(uv_tcp_bind(handle, (const struct sockaddr*) &address, 0), 0);
}

TEST(write2_refuses) {
  uv_buf_t buf = uv_buf_init("x", 1);
  uv_pipe_t plain;
  uv_tcp_t tcp;
  uv_timer_t timer;
  int fds[2];
  init();
  bind_tcp(&tcp);
  CHECK_EQ(uv_pipe_init(&loop, &plain, 0), 0);
  CHECK_EQ(uv_write2(&reqs[0], STREAM(sender), &buf, 1, STREAM(plain), on_write), UV_EBADF);
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  CHECK_EQ(uv_pipe_open(&plain, fds[0]), 0);
  CHECK_EQ(uv_write2(&reqs[0], STREAM(plain), &buf, 1, STREAM(tcp), on_write), UV_EINVAL);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_write2(&reqs[0], STREAM(sender), &buf, 1, STREAM(timer), on_write), UV_EBADF);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  close(fds[1]);
  check_close_loop(&loop);
}

TEST(a_handle_arrives_and_stays) {
  uv_tcp_t tcp, copy;
  init();
  bind_tcp(&tcp);
  send_handle(0, &tcp);
  CHECK_EQ(done, 0);
  receive(1);
  CHECK_EQ(last_status, 0);
  CHECK_EQ(uv_pipe_pending_count(&receiver), 1);
  CHECK_EQ(uv_tcp_init(&loop, &copy), 0);
  CHECK_EQ(uv_accept(STREAM(receiver), STREAM(copy)), 0);
  CHECK_EQ(uv_pipe_pending_count(&receiver), 0);
  CHECK_EQ(uv_accept(STREAM(receiver), STREAM(copy)), UV_EAGAIN);
  CHECK_EQ(port_of(&copy), port_of(&tcp));
  CHECK(copy.io_watcher.fd != tcp.io_watcher.fd);
  CHECK_EQ(fcntl(copy.io_watcher.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  check_close_loop(&loop);
}

TEST(types_are_told) {
  struct sockaddr_in address;
  uv_pipe_t pipe_handle, pipe_copy;
  uv_udp_t udp, udp_copy;
  uv_tcp_t tcp, tcp_copy;
  int fds[2];
  init();
  bind_tcp(&tcp);
  CHECK_EQ(uv_listen(STREAM(tcp), 1, NULL), 0);
  CHECK_EQ(uv_pipe_init(&loop, &pipe_handle, 0), 0);
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  CHECK_EQ(uv_pipe_open(&pipe_handle, fds[0]), 0);
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, &address), 0);
  CHECK_EQ(uv_udp_bind(&udp, (const struct sockaddr*) &address, 0), 0);
  send_handle(0, &tcp);
  send_handle(1, &pipe_handle);
  send_handle(2, &udp);
  receive(3);
  CHECK_EQ(uv_pipe_pending_count(&receiver), 3);
  CHECK_EQ(uv_pipe_pending_type(&receiver), UV_TCP);
  CHECK_EQ(uv_tcp_init(&loop, &tcp_copy), 0);
  CHECK_EQ(uv_accept(STREAM(receiver), STREAM(tcp_copy)), 0);
  CHECK_EQ(uv_pipe_pending_count(&receiver), 2);
  CHECK_EQ(uv_pipe_pending_type(&receiver), UV_NAMED_PIPE);
  CHECK_EQ(uv_pipe_init(&loop, &pipe_copy, 0), 0);
  CHECK_EQ(uv_accept(STREAM(receiver), STREAM(pipe_copy)), 0);
  CHECK_EQ(uv_pipe_pending_type(&receiver), UV_UDP);
  CHECK_EQ(uv_udp_init(&loop, &udp_copy), 0);
  CHECK_EQ(uv_accept(STREAM(receiver), STREAM(udp_copy)), 0);
  CHECK_EQ(uv_pipe_pending_type(&receiver), UV_UNKNOWN_HANDLE);
  CHECK_EQ(uv_pipe_pending_count(&receiver), 0);
  close(fds[1]);
  check_close_loop(&loop);
}

TEST(many_wait_in_order) {
  static uv_tcp_t tcps[40], copy;
  init();
  for (int index = 0; index < 40; index++) {
    bind_tcp(&tcps[index]);
    send_handle(index, &tcps[index]);
  }
  receive(40);
  for (int index = 0; index < 40; index++) {
    CHECK_EQ(uv_pipe_pending_count(&receiver), 40 - index);
    CHECK_EQ(uv_tcp_init(&loop, &copy), 0);
    CHECK_EQ(uv_accept(STREAM(receiver), STREAM(copy)), 0);
    CHECK_EQ(port_of(&copy), port_of(&tcps[index]));
    uv_close((uv_handle_t*) &copy, NULL);
    turn();
  }
  check_close_loop(&loop);
}

TEST(those_that_nobody_takes_are_closed) {
  static uv_tcp_t tcps[20];
  int before, after;
  init();
  for (int index = 0; index < 20; index++) bind_tcp(&tcps[index]);
  before = dup(0);
  close(before);
  for (int index = 0; index < 20; index++) send_handle(index, &tcps[index]);
  receive(20);
  uv_close((uv_handle_t*) &receiver, NULL);
  after = dup(0);
  CHECK(after <= before); /* no file is left over */
  close(after);
  check_close_loop(&loop);
}

TEST(a_plain_pipe_tells_of_nothing) {
  uv_pipe_t plain;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_pipe_init(&loop, &plain, 0), 0);
  plain.accepted_fd = 0; /* as of a listening one */
  CHECK_EQ(uv_pipe_pending_count(&plain), 0);
  CHECK_EQ(uv_pipe_pending_type(&plain), UV_UNKNOWN_HANDLE);
  plain.accepted_fd = -1;
  check_close_loop(&loop);
}

TEST(try_write2_sends_now) {
  NEEDS(1, 42);
  uv_buf_t buf = uv_buf_init("now", 3);
  uv_tcp_t tcp;
  init();
  bind_tcp(&tcp);
  CHECK_EQ(uv_try_write2(STREAM(sender), &buf, 1, STREAM(tcp)), 3);
  receive(3);
  CHECK_EQ(uv_pipe_pending_count(&receiver), 1);
  CHECK_EQ(uv_try_write2(STREAM(sender), &buf, 1, NULL), 3);
  check_close_loop(&loop);
}

/* Through a full socket: bytes and handles stay together. */
TEST(queued_handles_keep_their_place) {
  static char bytes[65536];
  uv_buf_t buf = uv_buf_init(bytes, sizeof(bytes));
  uv_tcp_t first, second, copy;
  int count, sum = 0;
  init();
  bind_tcp(&first);
  bind_tcp(&second);
  while ((count = uv_try_write(STREAM(sender), &buf, 1)) > 0) sum += count;
  buf.len = 100;
  CHECK_EQ(uv_write(&reqs[0], STREAM(sender), &buf, 1, on_write), 0);
  send_handle(1, &first);
  CHECK_EQ(uv_write(&reqs[2], STREAM(sender), &buf, 1, on_write), 0);
  send_handle(3, &second);
  CHECK_EQ(uv_write(&reqs[4], STREAM(sender), &buf, 1, on_write), 0);
  receive(sum + 302);
  CHECK_EQ(done, 5);
  CHECK_EQ(uv_pipe_pending_count(&receiver), 2);
  CHECK_EQ(uv_tcp_init(&loop, &copy), 0);
  CHECK_EQ(uv_accept(STREAM(receiver), STREAM(copy)), 0);
  CHECK_EQ(port_of(&copy), port_of(&first));
  check_close_loop(&loop);
}

TEST(a_handle_closed_too_early) {
  static char bytes[65536];
  uv_buf_t buf = uv_buf_init(bytes, sizeof(bytes));
  uv_tcp_t tcp;
  int count, sum = 0;
  init();
  bind_tcp(&tcp);
  while ((count = uv_try_write(STREAM(sender), &buf, 1)) > 0) sum += count;
  buf.len = 100;
  CHECK_EQ(uv_write(&reqs[0], STREAM(sender), &buf, 1, on_write), 0);
  send_handle(1, &tcp);
  uv_close((uv_handle_t*) &tcp, NULL);
  receive(sum + 100);
  RUN_UNTIL(done == 2);
  CHECK_EQ(last_status, UV_EBADF);
  CHECK_EQ(uv_pipe_pending_count(&receiver), 0);
  check_close_loop(&loop);
}

TEST(a_wrong_client_takes_nothing) {
  uv_tcp_t tcp;
  uv_timer_t timer;
  init();
  bind_tcp(&tcp);
  send_handle(0, &tcp);
  receive(1);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_accept(STREAM(receiver), STREAM(timer)), UV_EINVAL);
  CHECK_EQ(uv_pipe_pending_count(&receiver), 1);
  CHECK_EQ(uv_accept(STREAM(receiver), STREAM(tcp)), UV_EBUSY); /* has a socket; the other one is closed */
  CHECK_EQ(uv_pipe_pending_count(&receiver), 0);
  check_close_loop(&loop);
}
