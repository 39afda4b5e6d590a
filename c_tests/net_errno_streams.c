/* Every system call of TCP, pipes and streams fails with the errors that its manual names. Each time the function or the callback
 * says so, or the call is made again where that is the right answer; callbacks come exactly once, the loop neither hangs nor
 * leaks a descriptor or memory. */
#include "net_errno.h"

#include <sys/un.h>

static int listener(struct sockaddr_in* address) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t size = sizeof(*address);
  *address = any_port();
  CHECK_EQ(bind(fd, (struct sockaddr*) address, size), 0);
  CHECK_EQ(listen(fd, 8), 0);
  CHECK_EQ(getsockname(fd, (struct sockaddr*) address, &size), 0);
  return fd;
}

/* TCP */

static uv_tcp_t tcp, accepted;
static uv_connect_t connect_req;

static void on_connect(uv_connect_t* req, int status) {
  (void) req;
  report(status);
}

static struct outcome tcp_connect(void) {
  struct sockaddr_in address;
  int fd = listener(&address);
  CHECK_EQ(uv_tcp_init(&loop, &tcp), 0);
  arm();
  got.returned = uv_tcp_connect(&connect_req, &tcp, (struct sockaddr*) &address, on_connect);
  if (got.returned == 0) run_until_called(1);
  got.worked = calls == 1 && got.reported == 0;
  disarm();
  close(fd);
  return got;
}

static struct outcome tcp_bind(void) {
  struct sockaddr_in address = any_port();
  CHECK_EQ(uv_tcp_init(&loop, &tcp), 0);
  arm();
  got.returned = uv_tcp_bind(&tcp, (struct sockaddr*) &address, 0);
  if (got.returned == 0) report(uv_listen((uv_stream_t*) &tcp, 1, NULL));
  got.worked = got.returned == 0 && got.reported == 0;
  return got;
}

static struct outcome tcp_init(void) {
  arm();
  got.returned = uv_tcp_init_ex(&loop, &tcp, AF_INET);
  got.worked = got.returned == 0;
  return got;
}

static struct outcome tcp_open(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(uv_tcp_init(&loop, &tcp), 0);
  arm();
  got.returned = uv_tcp_open(&tcp, fd);
  got.worked = got.returned == 0;
  disarm();
  if (!got.worked) close(fd);
  return got;
}

static struct outcome tcp_nodelay(void) {
  CHECK_EQ(uv_tcp_init_ex(&loop, &tcp, AF_INET), 0);
  arm();
  got.returned = uv_tcp_nodelay(&tcp, 1);
  got.worked = got.returned == 0;
  return got;
}

static struct outcome tcp_getsockname(void) {
  struct sockaddr_in name, address = any_port();
  int size = sizeof(name);
  CHECK_EQ(uv_tcp_init(&loop, &tcp), 0);
  CHECK_EQ(uv_tcp_bind(&tcp, (struct sockaddr*) &address, 0), 0);
  arm();
  got.returned = uv_tcp_getsockname(&tcp, (struct sockaddr*) &name, &size);
  got.worked = got.returned == 0;
  return got;
}

static void on_connection(uv_stream_t* server, int status) {
  CHECK_EQ(status, 0);
  CHECK_EQ(uv_tcp_init(&loop, &accepted), 0);
  CHECK_EQ(uv_accept(server, (uv_stream_t*) &accepted), 0);
  got.worked = 1;
}

static void on_alarm(uv_timer_t* timer) {
  (void) timer;
}

/* A client that connects is accepted, or turned away, which counts as UV_EOF. */
static struct outcome tcp_accept(void) {
  struct sockaddr_in address = any_port();
  int size = sizeof(address), fd = socket(AF_INET, SOCK_STREAM, 0);
  uv_timer_t timer;
  CHECK_EQ(uv_tcp_init(&loop, &tcp), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_tcp_bind(&tcp, (struct sockaddr*) &address, 0), 0);
  CHECK_EQ(uv_listen((uv_stream_t*) &tcp, 1, on_connection), 0);
  CHECK_EQ(uv_tcp_getsockname(&tcp, (struct sockaddr*) &address, &size), 0);
  CHECK_EQ(connect(fd, (struct sockaddr*) &address, (socklen_t) size), 0);
  CHECK_EQ(uv_timer_start(&timer, on_alarm, 2000, 0), 0);
  arm();
  while (!got.worked && got.reported == 0 && uv_is_active((uv_handle_t*) &timer)) {
    char byte;
    uv_run(&loop, UV_RUN_ONCE);
    if (recv(fd, &byte, 1, MSG_DONTWAIT) == 0) got.reported = UV_EOF;
  }
  disarm();
  close(fd);
  uv_close((uv_handle_t*) &timer, NULL);
  uv_run(&loop, UV_RUN_NOWAIT);
  return got;
}

/* Streams */

static uv_pipe_t pipe_handle;
static uv_stream_t* const stream = (uv_stream_t*) &pipe_handle;
static int far;

static void open_pair(int ipc) {
  int pair[2];
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  CHECK_EQ(uv_pipe_init(&loop, &pipe_handle, ipc), 0);
  CHECK_EQ(uv_pipe_open(&pipe_handle, pair[0]), 0);
  far = pair[1];
}

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buf) {
  static char room[20 * 65536];
  (void) suggested;
  (void) handle;
  *buf = uv_buf_init(room, sizeof(room));
}

static void on_read(uv_stream_t* from, ssize_t nread, const uv_buf_t* buf) {
  (void) buf;
  if (nread == 0) return;
  report((int) nread);
  got.worked = nread == 1;
  CHECK_EQ(uv_read_stop(from), 0);
}

static struct outcome stream_read(int ipc) {
  open_pair(ipc);
  CHECK_EQ(write(far, "x", 1), 1);
  arm();
  got.returned = uv_read_start(stream, on_alloc, on_read);
  if (got.returned == 0) run_until_called(1);
  disarm();
  close(far);
  return got;
}

static struct outcome read_one(void) { return stream_read(0); }
static struct outcome read_ipc(void) { return stream_read(1); }

static uv_write_t write_reqs[4];

static void on_write(uv_write_t* req, int status) {
  (void) req;
  report(status);
}

static struct outcome stream_write(unsigned count, uv_stream_t* passenger) {
  uv_buf_t bufs[2] = {uv_buf_init("ab", 2), uv_buf_init("cd", 2)};
  char bytes[8];
  open_pair(passenger != NULL);
  arm();
  got.returned = uv_write2(write_reqs, stream, bufs, count, passenger, on_write);
  if (got.returned == 0) run_until_called(1);
  disarm();
  CHECK_EQ(stream->write_queue_size, 0);
  got.worked = got.reported == 0 && recv(far, bytes, sizeof(bytes), MSG_DONTWAIT) == 2 * (ssize_t) count;
  close(far);
  return got;
}

static struct outcome write_one(void) { return stream_write(1, NULL); }
static struct outcome write_two(void) { return stream_write(2, NULL); }

static struct outcome write_handle(void) {
  CHECK_EQ(uv_tcp_init_ex(&loop, &tcp, AF_INET), 0);
  return stream_write(1, (uv_stream_t*) &tcp);
}

/* The call that fails is made by the loop, when there is room again. */
static struct outcome write_later(void) {
  static char bytes[1 << 20];
  uv_buf_t buf = uv_buf_init(bytes, sizeof(bytes));
  size_t received = 0;
  open_pair(0);
  CHECK_EQ(uv_write(write_reqs, stream, &buf, 1, on_write), 0);
  CHECK(stream->write_queue_size > 0);
  arm();
  while (calls == 0) {
    ssize_t size = recv(far, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (size > 0) received += (size_t) size;
    uv_run(&loop, UV_RUN_NOWAIT);
  }
  disarm();
  CHECK_EQ(stream->write_queue_size, 0);
  for (ssize_t size; (size = recv(far, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0;) received += (size_t) size;
  got.worked = got.reported == 0 && received == sizeof(bytes);
  close(far);
  return got;
}

static struct outcome try_write(void) {
  uv_buf_t buf = uv_buf_init("ab", 2);
  open_pair(0);
  arm();
  got.returned = uv_try_write(stream, &buf, 1);
  got.worked = got.returned == 2;
  close(far);
  return got;
}

static void on_shutdown(uv_shutdown_t* req, int status) {
  (void) req;
  report(status);
}

static struct outcome stream_shutdown(void) {
  static uv_shutdown_t req;
  open_pair(0);
  arm();
  got.returned = uv_shutdown(&req, stream, on_shutdown);
  if (got.returned == 0) run_until_called(1);
  got.worked = calls == 1 && got.reported == 0;
  close(far);
  return got;
}

static void on_close(uv_handle_t* handle) {
  (void) handle;
  calls++;
}

static struct outcome stream_close(void) {
  open_pair(0);
  arm();
  uv_close((uv_handle_t*) stream, on_close);
  run_until_called(1);
  disarm();
  got.worked = recv(far, &(char) {0}, 1, 0) == 0;
  close(far);
  return got;
}

static struct outcome set_blocking(void) {
  open_pair(0);
  arm();
  got.returned = uv_stream_set_blocking(stream, 1);
  got.worked = got.returned == 0;
  close(far);
  return got;
}

/* Pipes */

static char folder[] = "/tmp/uv-errno-XXXXXX";
static char path[sizeof(folder) + 8];

static struct outcome pipe_bind(void) {
  CHECK_EQ(uv_pipe_init(&loop, &pipe_handle, 0), 0);
  arm();
  got.returned = uv_pipe_bind(&pipe_handle, path);
  if (got.returned == 0) got.returned = uv_listen(stream, 1, NULL);
  got.worked = got.returned == 0;
  return got;
}

static struct outcome pipe_connect(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  strcpy(address.sun_path, path);
  CHECK_EQ(bind(fd, (struct sockaddr*) &address, sizeof(address)), 0);
  CHECK_EQ(listen(fd, 1), 0);
  CHECK_EQ(uv_pipe_init(&loop, &pipe_handle, 0), 0);
  arm();
  uv_pipe_connect(&connect_req, &pipe_handle, path, on_connect);
  CHECK_EQ(calls, 0);
  run_until_called(1);
  got.worked = got.reported == 0;
  disarm();
  close(fd);
  unlink(path);
  return got;
}

static struct outcome pipe_open(void) {
  int pair[2];
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  CHECK_EQ(uv_pipe_init(&loop, &pipe_handle, 0), 0);
  arm();
  got.returned = uv_pipe_open(&pipe_handle, pair[0]);
  got.worked = got.returned == 0;
  disarm();
  if (!got.worked) close(pair[0]);
  close(pair[1]);
  return got;
}

static struct outcome pipe_chmod(void) {
  CHECK_EQ(uv_pipe_init(&loop, &pipe_handle, 0), 0);
  CHECK_EQ(uv_pipe_bind(&pipe_handle, path), 0);
  arm();
  got.returned = uv_pipe_chmod(&pipe_handle, UV_READABLE);
  got.worked = got.returned == 0;
  return got;
}

static struct outcome pair_of(int (*make)(uv_file fds[2])) {
  int fds[2] = {-1, -1};
  arm();
  got.returned = make(fds);
  got.worked = got.returned == 0;
  disarm();
  if (got.worked) close(fds[0]), close(fds[1]);
  return got;
}

static int make_pipe(uv_file fds[2]) { return uv_pipe(fds, UV_NONBLOCK_PIPE, 0); }
static int make_sockets(uv_file fds[2]) { return uv_socketpair(SOCK_STREAM, 0, fds, UV_NONBLOCK_PIPE, 0); }
static struct outcome pair_of_pipes(void) { return pair_of(make_pipe); }
static struct outcome pair_of_sockets(void) { return pair_of(make_sockets); }

static const struct row rows[] = {
  FAILS(tcp_init, "socket", RETURNED, EACCES, EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT),
  FAILS(tcp_connect, "socket", RETURNED, EACCES, EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT),
  FAILS(tcp_connect, "connect", RETURNED, EACCES, EPERM, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EALREADY, EBADF,
    EFAULT, EISCONN, ENETUNREACH, ENOTSOCK, EPROTOTYPE, ETIMEDOUT, EHOSTUNREACH, ENOBUFS),
  FAILS(tcp_connect, "connect", REPORTED, ECONNREFUSED),
  FAILS(tcp_connect, "connect", WORKS, EINTR),
  FAILS(tcp_bind, "socket", RETURNED, EACCES, EMFILE, ENFILE, ENOBUFS, ENOMEM),
  FAILS(tcp_bind, "setsockopt", RETURNED, EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK),
  FAILS(tcp_bind, "bind", RETURNED, EACCES, EBADF, EINVAL, ENOTSOCK, EADDRNOTAVAIL, EFAULT, ENOMEM, EPERM),
  FAILS(tcp_bind, "bind", REPORTED, EADDRINUSE), /* by uv_listen */
  FAILS_WITH(UV_EINVAL, tcp_bind, "bind", RETURNS_INSTEAD, EAFNOSUPPORT),
  FAILS(tcp_bind, "listen", REPORTED, EADDRINUSE, EBADF, ENOTSOCK, EOPNOTSUPP),
  FAILS(tcp_open, "ioctl", RETURNED, EBADF, EFAULT, EINVAL, ENOTTY),
  FAILS(tcp_nodelay, "setsockopt", RETURNED, EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK),
  FAILS(tcp_getsockname, "getsockname", RETURNED, EBADF, EFAULT, EINVAL, ENOBUFS, ENOTSOCK),
  FAILS(tcp_accept, "accept4", WORKS, EAGAIN, ECONNABORTED, EINTR),
  FAILS_WITH(UV_EOF, tcp_accept, "accept4", REPORTS_INSTEAD, EMFILE, ENFILE),
  FAILS(read_one, "read", REPORTED, EBADF, EFAULT, EINVAL, EIO, EISDIR, ECONNRESET, ENOTCONN, ETIMEDOUT, ENOMEM, ENOBUFS),
  FAILS(read_one, "read", WORKS, EAGAIN, EINTR),
  FAILS(read_ipc, "recvmsg", REPORTED, EBADF, ECONNREFUSED, EFAULT, EINVAL, ENOMEM, ENOTCONN, ENOTSOCK, ECONNRESET),
  FAILS(read_ipc, "recvmsg", WORKS, EAGAIN, EINTR),
  FAILS(write_one, "write", REPORTED, EBADF, EDESTADDRREQ, EDQUOT, EFAULT, EFBIG, EINVAL, EIO, ENOSPC, EPERM, EPIPE,
    ECONNRESET, ENOMEM, ETIMEDOUT, EHOSTUNREACH),
  FAILS(write_one, "write", WORKS, EAGAIN, EINTR, ENOBUFS),
  FAILS(write_two, "writev", REPORTED, EBADF, EDESTADDRREQ, EDQUOT, EFAULT, EFBIG, EINVAL, EIO, ENOSPC, EPERM, EPIPE,
    ECONNRESET, ENOMEM),
  FAILS(write_two, "writev", WORKS, EAGAIN, EINTR, ENOBUFS),
  FAILS(write_handle, "sendmsg", REPORTED, EACCES, EBADF, ECONNRESET, EDESTADDRREQ, EFAULT, EINVAL, EISCONN, EMSGSIZE, ENOMEM,
    ENOTCONN, ENOTSOCK, EOPNOTSUPP, EPIPE, ETOOMANYREFS),
  FAILS(write_handle, "sendmsg", WORKS, EAGAIN, EINTR, ENOBUFS),
  FAILS(write_later, "write", REPORTED, EPIPE, ECONNRESET, EIO, ENOSPC, ENOMEM),
  FAILS(write_later, "write", WORKS, EAGAIN, EINTR, ENOBUFS),
  FAILS_OFTEN(5, write_later, "write", WORKS, EAGAIN, EINTR, ENOBUFS),
  FAILS(try_write, "write", RETURNED, EAGAIN, EBADF, EFAULT, EFBIG, EINVAL, EIO, ENOSPC, EPERM, EPIPE, ECONNRESET),
  FAILS_WITH(UV_EAGAIN, try_write, "write", RETURNS_INSTEAD, ENOBUFS),
  FAILS(try_write, "write", WORKS, EINTR),
  FAILS(stream_shutdown, "shutdown", REPORTED, EBADF, EINVAL, ENOTCONN, ENOTSOCK),
  FAILS(stream_close, "close", WORKS, EINTR, EIO),
  FAILS(set_blocking, "ioctl", RETURNED, EBADF, EFAULT, EINVAL, ENOTTY),
  FAILS(pipe_bind, "socket", RETURNED, EACCES, EMFILE, ENFILE, ENOBUFS, ENOMEM),
  FAILS(pipe_bind, "bind", RETURNED, EACCES, EADDRINUSE, EBADF, EINVAL, ENOTSOCK, EADDRNOTAVAIL, EFAULT, ELOOP, ENAMETOOLONG,
    ENOMEM, ENOTDIR, EROFS),
  FAILS_WITH(UV_EACCES, pipe_bind, "bind", RETURNS_INSTEAD, ENOENT),
  FAILS(pipe_bind, "listen", RETURNED, EADDRINUSE, EBADF, ENOTSOCK, EOPNOTSUPP),
  FAILS(pipe_connect, "socket", REPORTED, EACCES, EMFILE, ENFILE, ENOBUFS, ENOMEM),
  FAILS(pipe_connect, "connect", REPORTED, EACCES, EPERM, EADDRINUSE, EAGAIN, EBADF, ECONNREFUSED, EFAULT, EISCONN, ENOENT,
    ENOTSOCK, EPROTOTYPE),
  FAILS(pipe_connect, "connect", WORKS, EINTR),
  FAILS(pipe_open, "fcntl", RETURNED, EBADF, EINVAL),
  FAILS(pipe_open, "ioctl", RETURNED, EBADF, EFAULT, EINVAL, ENOTTY),
  FAILS(pipe_chmod, "fchmod", RETURNED, EBADF, EIO, EPERM, EROFS),
  FAILS(pair_of_pipes, "pipe2", RETURNED, EFAULT, EINVAL, EMFILE, ENFILE, ENOPKG),
  FAILS(pair_of_sockets, "socketpair", RETURNED, EAFNOSUPPORT, EFAULT, EMFILE, ENFILE, EOPNOTSUPP, EPROTONOSUPPORT),
};

/* Older ones call the program with such errors. */
static const struct row accepting[] = {
  FAILS_OFTEN(3, tcp_accept, "accept4", WORKS, EBADF, EFAULT, EINVAL, ENOBUFS, ENOMEM, ENOTSOCK, EOPNOTSUPP, EPERM, EPROTO, ENETDOWN,
    ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH),
};

/* Descriptors that the kernel refuses to watch. */
static const struct row watching[] = {
  FAILS(read_one, "epoll_ctl", WORKS, ENOMEM, ENOSPC, EINTR),
  FAILS_OFTEN(5, read_one, "epoll_ctl", WORKS, ENOMEM, ENOSPC),
  FAILS_OFTEN(3, tcp_connect, "epoll_ctl", WORKS, ENOMEM, ENOSPC),
  FAILS_OFTEN(3, write_later, "epoll_ctl", WORKS, ENOMEM, ENOSPC),
  FAILS_OFTEN(3, tcp_accept, "epoll_ctl", WORKS, ENOMEM, ENOSPC),
};

TEST(streams) {
  CHECK(mkdtemp(folder) != NULL);
  snprintf(path, sizeof(path), "%s/pipe", folder);
  RUN_ROWS(rows);
  CHECK_EQ(rmdir(folder), 0);
}

TEST(errors_of_accepting_pass) {
  NEEDS(1, 52);
  RUN_ROWS(accepting);
}

TEST(streams_that_the_kernel_refuses_to_watch) {
  OURS_ONLY("the reference aborts");
  RUN_ROWS(watching);
}
