/* Memory exhaustion in TCP sockets, pipes and terminals. */
#include "oom.h"

#include <sys/un.h>

enum { LARGE = 4 << 20 }; /* more bytes than a socket takes */

static char bytes[LARGE];
static uv_pipe_t near;
static uv_tcp_t tcp, client;
static uv_write_t write_req;

/* A connected pair: `near`, and a descriptor, which does not block. */
static int open_near(int ipc) {
  int pair[2];
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
  CHECK_EQ(uv_pipe_init(&loop, &near, ipc), 0);
  CHECK_EQ(uv_pipe_open(&near, pair[0]), 0);
  return pair[1];
}

static void on_write(uv_write_t* req, int status) {
  (void) req;
  calls++;
  last_status = status;
}

/* A stream is read as soon as there is memory. */
static int start_reading(long n, uv_stream_t* stream, int far) {
  TRY(n, uv_read_start(stream, on_alloc, on_read));
  CHECK_EQ(uv_is_active((uv_handle_t*) stream), works);
  if (works) {
    CHECK_EQ(write(far, "x\n", 2), 2);
    RUN_UNTIL(total == 2);
  }
  CHECK_EQ(calls, works);
  close(far);
  return result;
}

static int read_start(long n) {
  int far = open_near(0);
  return start_reading(n, STREAM(near), far);
}

TEST(reading) {
  OURS_ONLY("the reference loses its table of files when it cannot grow");
  CHECK_EQ(exhaust(read_start), 1);
}

static int tty_read_start(long n) {
  static uv_tty_t tty;
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, outcome;
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) SKIP("no terminals here");
  slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  CHECK(slave >= 0);
  set_always(1);
  CHECK_EQ(uv_tty_init(&loop, &tty, slave, 1), 0);
  set_always(0);
  outcome = start_reading(n, STREAM(tty), master);
  close(slave);
  return outcome;
}

TEST(reading_from_a_terminal) {
  OURS_ONLY("the reference loses its table of files when it cannot grow");
  CHECK_EQ(exhaust(tty_read_start), 1);
}

static void on_connection(uv_stream_t* server, int status) {
  CHECK_EQ(status, 0);
  set_always(1); /* accepting needs none */
  CHECK_EQ(uv_accept(server, server->type == UV_TCP ? STREAM(client) : STREAM(near)), 0);
  set_always(0);
  calls++;
}

static int listen_tcp(long n) {
  struct sockaddr_in name;
  int size = sizeof(name), far = -1;
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, &name), 0);
  CHECK_EQ(uv_tcp_init(&loop, &tcp), 0);
  CHECK_EQ(uv_tcp_init(&loop, &client), 0);
  CHECK_EQ(uv_tcp_bind(&tcp, (struct sockaddr*) &name, 0), 0);
  CHECK_EQ(uv_tcp_getsockname(&tcp, (struct sockaddr*) &name, &size), 0);
  TRY(n, uv_listen(STREAM(tcp), 8, on_connection));
  CHECK_EQ(uv_is_active(HANDLE(tcp)), works);
  if (works) {
    far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(connect(far, (struct sockaddr*) &name, sizeof(name)), 0);
    RUN_UNTIL(calls == 1);
    close(far);
  }
  return result;
}

TEST(listening) {
  OURS_ONLY("the reference loses its table of files when it cannot grow");
  CHECK_EQ(exhaust(listen_tcp), 1);
}

static struct sockaddr_un unix_name(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
  return name;
}

/* The name is kept, to be removed again. */
static int bind_pipe(long n) {
  CHECK_EQ(uv_pipe_init(&loop, &near, 0), 0);
  TRY(n, uv_pipe_bind(&near, path));
  CHECK_EQ(access(path, F_OK) == 0, works);
  uv_close(HANDLE(near), NULL);
  CHECK(access(path, F_OK) != 0);
  return result;
}

TEST(binding_a_pipe) {
  CHECK_EQ(exhaust(bind_pipe), 1);
}

static int bind_abstract(long n) {
  char name[32] = "";
  NEEDS(1, 46);
  snprintf(name + 1, sizeof(name) - 1, "uv-oom-%d", (int) getpid());
  CHECK_EQ(uv_pipe_init(&loop, &near, 0), 0);
  CALL(n, uv_pipe_bind2(&near, name, strlen(name + 1) + 1, UV_PIPE_NO_TRUNCATE));
  return result;
}

TEST(a_name_without_a_file_is_not_kept) {
  CHECK_EQ(exhaust(bind_abstract), 0);
}

static int connects, connect_status;

static void on_connect(uv_connect_t* req, int status) {
  (void) req;
  connects++;
  connect_status = status;
}

/* What was written before there is a connection fails with it, or goes out with it. */
static int connecting(long n, uv_stream_t* stream, const struct sockaddr* name, int listener) {
  static uv_connect_t req;
  uv_buf_t buf = uv_buf_init("x", 1);
  int outcome, far;
  connects = connect_status = 0;
  allocs_fail_at(n);
  if (stream->type == UV_TCP) CHECK_EQ(uv_tcp_connect(&req, &tcp, name, on_connect), 0);
  else uv_pipe_connect(&req, &near, path, on_connect);
  CHECK_EQ(uv_write(&write_req, stream, &buf, 1, on_write), 0);
  CHECK_EQ(connects + calls, 0);
  allocs_fail_at(0);
  RUN_UNTIL(connects == 1 && calls == 1);
  outcome = connect_status;
  CHECK_EQ(last_status, outcome == 0 ? 0 : UV_ECANCELED);
  CHECK_EQ(stream->write_queue_size, 0);
  if (outcome != 0 && again) {
    CHECK_EQ(uv_tcp_connect(&req, &tcp, name, on_connect), 0);
    RUN_UNTIL(connects == 2);
    CHECK_EQ(connect_status, 0);
    CHECK_EQ(uv_write(&write_req, stream, &buf, 1, on_write), 0);
    RUN_UNTIL(calls == 2);
    CHECK_EQ(last_status, 0);
  }
  if (outcome == 0 || again) {
    char byte;
    far = accept(listener, NULL, NULL);
    CHECK_EQ(read(far, &byte, 1), 1);
    close(far);
  }
  close(listener);
  return outcome;
}

static int connect_tcp(long n) {
  struct sockaddr_in name;
  socklen_t size = sizeof(name);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, &name), 0);
  CHECK_EQ(bind(listener, (struct sockaddr*) &name, size), 0);
  CHECK_EQ(getsockname(listener, (struct sockaddr*) &name, &size), 0);
  CHECK_EQ(listen(listener, 8), 0);
  CHECK_EQ(uv_tcp_init(&loop, &tcp), 0);
  return connecting(n, STREAM(tcp), (struct sockaddr*) &name, listener);
}

TEST(connecting) {
  OURS_ONLY("the reference loses its table of files when it cannot grow");
  CHECK_EQ(exhaust(connect_tcp), 1);
}

static int connect_pipe(long n) {
  struct sockaddr_un name = unix_name();
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), outcome;
  CHECK_EQ(bind(listener, (struct sockaddr*) &name, sizeof(name)), 0);
  CHECK_EQ(listen(listener, 8), 0);
  CHECK_EQ(uv_pipe_init(&loop, &near, 0), 0);
  outcome = connecting(n, STREAM(near), NULL, listener);
  CHECK_EQ(unlink(path), 0);
  return outcome;
}

TEST(a_pipe_is_connected_without_memory) {
  CHECK_EQ(exhaust(connect_pipe), 0);
}

/* The write ends well and brings five bytes, or there is none. */
static int end_write(int far) {
  char text[16];
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK_EQ(calls, works);
  CHECK_EQ(last_status, 0);
  CHECK_EQ(read(far, text, sizeof(text)), works ? 5 : -1);
  close(far);
  return result;
}

static int write_pieces(long n) {
  int far = open_near(0);
  TRY(n, uv_write(&write_req, STREAM(near), five(), 5, on_write));
  CHECK_EQ(near.write_queue_size, 0);
  CHECK_EQ(loop.active_reqs.count, works);
  return end_write(far);
}

TEST(writing_many_pieces) {
  OURS_ONLY("the reference counts a request that it has refused");
  CHECK_EQ(exhaust(write_pieces), 1);
}

static int write_handle(long n) {
  int far = open_near(1);
  CHECK_EQ(uv_tcp_init_ex(&loop, &tcp, AF_INET), 0);
  TRY(n, uv_write2(&write_req, STREAM(near), five(), 5, STREAM(tcp), on_write));
  return end_write(far);
}

TEST(writing_a_handle) {
  OURS_ONLY("the reference counts a request that it has refused");
  CHECK_EQ(exhaust(write_handle), 1);
}

/* What the socket does not take at once goes out also if it cannot be watched. */
static int write_much(long n) {
  int far = open_near(0);
  uv_buf_t buf = uv_buf_init(bytes, LARGE);
  allocs_fail_at(n);
  allocs.always = n == 1; /* and there will be no memory later */
  CHECK_EQ(uv_write(&write_req, STREAM(near), &buf, 1, on_write), 0);
  CHECK_EQ(calls, 0);
  while (calls == 0 || total < LARGE) {
    uv_run(&loop, UV_RUN_NOWAIT);
    drain(far);
  }
  refused = allocs.refused;
  set_always(0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(total, LARGE);
  close(far);
  return refused_or(last_status);
}

TEST(writing_more_than_there_is_room_for) {
  OURS_ONLY("the reference loses its table of files when it cannot grow");
  CHECK_EQ(exhaust(write_much), 1);
}

static void send_files(int far, int count) {
  union { struct cmsghdr header; char room[CMSG_SPACE(100 * sizeof(int))]; } control;
  struct iovec piece = {"x", 1};
  struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control};
  memset(&control, 0, sizeof(control));
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN((size_t) count * sizeof(int));
  message.msg_controllen = CMSG_SPACE((size_t) count * sizeof(int));
  for (int i = 0; i < count; i++) memcpy(CMSG_DATA(&control.header) + (size_t) i * sizeof(int), &far, sizeof(int));
  CHECK_EQ(sendmsg(far, &message, 0), 1);
}

/* Descriptors that come while others wait are kept in a list. Those that do not fit into it are closed, and those after them. */
static int receive_handles(long n) {
  int far = open_near(1);
  CHECK_EQ(uv_read_start(STREAM(near), on_alloc, on_read), 0);
  send_files(far, 20);
  allocs_fail_at(n);
  RUN_UNTIL(calls == 1);
  allocs_fail_at(0);
  result = last_status;
  CHECK_EQ(total, result == 0);
  CHECK_EQ(uv_pipe_pending_count(&near), result == 0 ? 20 : n == 1 ? 1 : 8 * (int) (n - 1) + 1);
  last_status = 0;
  CHECK(uv_is_active(HANDLE(near)));
  if (again) {
    send_files(far, 1);
    RUN_UNTIL(calls == 2);
    CHECK_EQ(last_status, 0);
    CHECK_EQ(uv_pipe_pending_count(&near), result == 0 ? 21 : n == 1 ? 2 : 8 * (int) (n - 1) + 2);
  }
  while (uv_pipe_pending_count(&near) > 0) {
    uv_pipe_t* taken = malloc(sizeof(*taken));
    CHECK_EQ(uv_pipe_init(&loop, taken, 0), 0);
    CHECK_EQ(uv_accept(STREAM(near), (uv_stream_t*) taken), 0);
    uv_close((uv_handle_t*) taken, (uv_close_cb) free);
  }
  close(far);
  return result;
}

TEST(receiving_handles) {
  CHECK_EQ(exhaust(receive_handles), 3);
}

static void echo(uv_stream_t* stream, ssize_t size, const uv_buf_t* buf) {
  uv_buf_t part = uv_buf_init(buf->base, (unsigned) size);
  if (size == UV_EOF) return uv_close((uv_handle_t*) stream, NULL);
  CHECK_EQ(uv_try_write(stream, &part, 1), size);
}

static void on_client(uv_stream_t* server, int status) {
  CHECK_EQ(status, 0);
  CHECK_EQ(uv_tcp_init(&loop, &tcp), 0);
  CHECK_EQ(uv_accept(server, STREAM(tcp)), 0);
  CHECK_EQ(uv_read_start(STREAM(tcp), on_alloc, echo), 0);
  uv_close((uv_handle_t*) server, NULL);
}

static void on_shutdown(uv_shutdown_t* req, int status) {
  (void) req;
  CHECK_EQ(status, 0);
  connects++;
}

/* Once a loop has a table, connections come, exchange bytes and go without any more memory. */
TEST(a_connection_needs_no_memory) {
  OURS_ONLY("the reference loses its table of files when it cannot grow");
  static uv_tcp_t server;
  static uv_connect_t connect_req;
  static uv_shutdown_t shutdown_req;
  static char digits[] = "1234";
  struct sockaddr_in name;
  uv_buf_t bufs[4];
  int size = sizeof(name);
  allocs_install();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, &name), 0);
  CHECK_EQ(uv_tcp_init(&loop, &server), 0);
  CHECK_EQ(uv_tcp_bind(&server, (struct sockaddr*) &name, 0), 0);
  CHECK_EQ(uv_listen(STREAM(server), 8, on_client), 0);
  CHECK_EQ(uv_tcp_getsockname(&server, (struct sockaddr*) &name, &size), 0);
  set_always(1);
  CHECK_EQ(uv_tcp_init(&loop, &client), 0);
  CHECK_EQ(uv_tcp_connect(&connect_req, &client, (struct sockaddr*) &name, on_connect), 0);
  for (int i = 0; i < 4; i++) bufs[i] = uv_buf_init(&digits[i], 1);
  CHECK_EQ(uv_write(&write_req, STREAM(client), bufs, 4, on_write), 0);
  RUN_UNTIL(calls == 1);
  CHECK_EQ(connect_status, 0);
  CHECK_EQ(uv_shutdown(&shutdown_req, STREAM(client), on_shutdown), 0);
  CHECK_EQ(uv_read_start(STREAM(client), on_alloc, on_read), 0);
  RUN_UNTIL(last_status == UV_EOF);
  CHECK_EQ(total, 4);
  CHECK_EQ(connects, 2);
  check_close_loop(&loop);
  set_always(0);
  CHECK_EQ(allocs.refused, 0);
  CHECK_EQ(allocs_live(), 0);
}
