/* Every system call of datagram sockets fails with the errors that its manual names. */
#include "net_errno.h"

static uv_udp_t udp;
static uv_udp_send_t reqs[5];
static struct sockaddr_in address;
static int far;

/* A socket that the handle sends to, and one that sends to it. */
static void open_far(void) {
  socklen_t size = sizeof(address);
  address = any_port();
  far = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  CHECK_EQ(bind(far, (struct sockaddr*) &address, size), 0);
  CHECK_EQ(getsockname(far, (struct sockaddr*) &address, &size), 0);
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
}

static void bind_near(struct sockaddr_in* name) {
  int size = sizeof(*name);
  *name = any_port();
  CHECK_EQ(uv_udp_bind(&udp, (struct sockaddr*) name, 0), 0);
  CHECK_EQ(uv_udp_getsockname(&udp, (struct sockaddr*) name, &size), 0);
}

static int arrived(void) {
  char byte;
  int count = 0;
  while (recv(far, &byte, 1, MSG_DONTWAIT) >= 0) count++;
  close(far);
  return count;
}

static struct outcome udp_init(void) {
  arm();
  got.returned = uv_udp_init_ex(&loop, &udp, AF_INET);
  got.worked = got.returned == 0;
  return got;
}

static struct outcome udp_bind(void) {
  struct sockaddr_in name = any_port();
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
  arm();
  got.returned = uv_udp_bind(&udp, (struct sockaddr*) &name, UV_UDP_REUSEADDR);
  got.worked = got.returned == 0;
  return got;
}

static struct outcome udp_open(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
  arm();
  got.returned = uv_udp_open(&udp, fd);
  got.worked = got.returned == 0;
  disarm();
  if (!got.worked) close(fd);
  return got;
}

static struct outcome udp_connect(void) {
  open_far();
  arm();
  got.returned = uv_udp_connect(&udp, (struct sockaddr*) &address);
  got.worked = got.returned == 0;
  disarm();
  close(far);
  return got;
}

static struct outcome udp_broadcast(void) {
  CHECK_EQ(uv_udp_init_ex(&loop, &udp, AF_INET), 0);
  arm();
  got.returned = uv_udp_set_broadcast(&udp, 1);
  got.worked = got.returned == 0;
  return got;
}

static void on_send(uv_udp_send_t* req, int status) {
  (void) req;
  report(status);
}

static int send_one(int number) {
  uv_buf_t buf = uv_buf_init("x", 1);
  return uv_udp_send(&reqs[number], &udp, &buf, 1, (struct sockaddr*) &address, on_send);
}

static struct outcome udp_send(void) {
  open_far();
  arm();
  got.returned = send_one(0);
  if (got.returned == 0) run_until_called(1);
  CHECK_EQ(udp.send_queue_size, 0);
  CHECK_EQ(udp.send_queue_count, 0);
  got.worked = arrived() == 1;
  return got;
}

/* The first goes out at once, the others together. */
static struct outcome udp_send_many(void) {
  open_far();
  for (int i = 0; i < 5; i++) {
    CHECK_EQ(send_one(i), 0);
    if (i == 0) arm();
  }
  run_until_called(5);
  CHECK_EQ(udp.send_queue_size, 0);
  CHECK_EQ(udp.send_queue_count, 0);
  got.worked = arrived() == 5;
  return got;
}

static struct outcome udp_try_send(void) {
  uv_buf_t buf = uv_buf_init("x", 1);
  open_far();
  arm();
  got.returned = uv_udp_try_send(&udp, &buf, 1, (struct sockaddr*) &address);
  got.worked = arrived() == 1 && got.returned == 1;
  return got;
}

static struct outcome udp_try_send2(void) {
  uv_buf_t buf = uv_buf_init("x", 1), *bufs[2] = {&buf, &buf};
  unsigned counts[2] = {1, 1};
  struct sockaddr_in name;
  struct sockaddr* addresses[2] = {(struct sockaddr*) &address, (struct sockaddr*) &address};
  open_far();
  bind_near(&name);
  arm();
  got.returned = uv_udp_try_send2(&udp, 2, bufs, counts, addresses, 0);
  got.worked = arrived() == 2 && got.returned == 2;
  return got;
}

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buf) {
  static char room[20 * 65536];
  (void) suggested;
  (void) handle;
  *buf = uv_buf_init(room, sizeof(room));
}

static void on_receive(uv_udp_t* handle, ssize_t nread, const uv_buf_t* buf, const struct sockaddr* from, unsigned flags) {
  (void) buf;
  if ((nread == 0 && from == NULL) || flags & UV_UDP_MMSG_FREE) return;
  report((int) nread);
  got.worked = nread == 1;
  CHECK_EQ(uv_udp_recv_stop(handle), 0);
}

static struct outcome receive(unsigned flags) {
  struct sockaddr_in name;
  open_far();
  uv_close((uv_handle_t*) &udp, NULL);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_EQ(uv_udp_init_ex(&loop, &udp, AF_INET | flags), 0);
  bind_near(&name);
  CHECK_EQ(sendto(far, "x", 1, 0, (struct sockaddr*) &name, sizeof(name)), 1);
  arm();
  got.returned = uv_udp_recv_start(&udp, on_alloc, on_receive);
  if (got.returned == 0) run_until_called(1);
  disarm();
  close(far);
  return got;
}

static struct outcome udp_receive(void) { return receive(0); }
static struct outcome udp_receive_many(void) { return receive(UV_UDP_RECVMMSG); }

#define SEND_ERRORS                                                                                                  \
  EACCES, EBADF, ECONNRESET, EDESTADDRREQ, EFAULT, EINVAL, EISCONN, EMSGSIZE, ENOMEM, ENOTCONN, ENOTSOCK, EOPNOTSUPP,\
      EPIPE, EPERM, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENETDOWN

static const struct row rows[] = {
  FAILS(udp_init, "socket", RETURNED, EACCES, EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT),
  FAILS(udp_bind, "socket", RETURNED, EACCES, EMFILE, ENFILE, ENOBUFS, ENOMEM),
  FAILS(udp_bind, "setsockopt", RETURNED, EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK),
  FAILS(udp_bind, "bind", RETURNED, EACCES, EADDRINUSE, EBADF, EINVAL, ENOTSOCK, EADDRNOTAVAIL, EFAULT, ENOMEM, EPERM),
  FAILS_WITH(UV_EINVAL, udp_bind, "bind", RETURNS_INSTEAD, EAFNOSUPPORT),
  FAILS(udp_open, "ioctl", RETURNED, EBADF, EFAULT, EINVAL, ENOTTY),
  FAILS(udp_connect, "socket", RETURNED, EACCES, EMFILE, ENFILE, ENOBUFS, ENOMEM),
  FAILS(udp_connect, "bind", RETURNED, EACCES, EADDRINUSE, EINVAL, ENOMEM),
  FAILS(udp_connect, "connect", RETURNED, EACCES, EPERM, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EBADF,
        ECONNREFUSED, EFAULT, ENETUNREACH, ENOTSOCK, EPROTOTYPE, EHOSTUNREACH, ENOBUFS),
  FAILS(udp_connect, "connect", WORKS, EINTR),
  FAILS(udp_broadcast, "setsockopt", RETURNED, EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK),
  FAILS(udp_send, "socket", RETURNED, EACCES, EMFILE, ENFILE, ENOBUFS, ENOMEM),
  FAILS(udp_send, "bind", RETURNED, EACCES, EADDRINUSE, EINVAL, ENOMEM),
  FAILS(udp_send, "sendmsg", REPORTED, SEND_ERRORS),
  FAILS(udp_send, "sendmsg", WORKS, EAGAIN, EINTR, ENOBUFS),
  FAILS_OFTEN(5, udp_send, "sendmsg", WORKS, EAGAIN, EINTR, ENOBUFS),
  FAILS(udp_send_many, "sendmmsg", REPORTED, SEND_ERRORS),
  FAILS(udp_send_many, "sendmmsg", WORKS, EAGAIN, EINTR, ENOBUFS),
  FAILS_OFTEN(5, udp_send_many, "sendmmsg", WORKS, EAGAIN, EINTR, ENOBUFS),
  FAILS(udp_try_send, "sendmsg", RETURNED, EAGAIN, SEND_ERRORS),
  FAILS_WITH(UV_EAGAIN, udp_try_send, "sendmsg", RETURNS_INSTEAD, ENOBUFS),
  FAILS(udp_try_send, "sendmsg", WORKS, EINTR),
  FAILS(udp_receive, "recvmsg", REPORTED, EBADF, ECONNREFUSED, EFAULT, EINVAL, ENOMEM, ENOTCONN, ENOTSOCK, EHOSTUNREACH),
  FAILS(udp_receive, "recvmsg", WORKS, EAGAIN, EINTR),
  FAILS(udp_receive_many, "recvmmsg", REPORTED, EBADF, ECONNREFUSED, EFAULT, EINVAL, ENOMEM, ENOTCONN, ENOTSOCK),
  FAILS(udp_receive_many, "recvmmsg", WORKS, EAGAIN, EINTR),
};

static const struct row newer[] = {
  FAILS(udp_try_send2, "sendmmsg", RETURNED, EAGAIN, SEND_ERRORS),
  FAILS_WITH(UV_EAGAIN, udp_try_send2, "sendmmsg", RETURNS_INSTEAD, ENOBUFS),
  FAILS(udp_try_send2, "sendmmsg", WORKS, EINTR),
};

static const struct row watching[] = {
  FAILS_OFTEN(3, udp_receive, "epoll_ctl", WORKS, ENOMEM, ENOSPC),
};

TEST(datagrams) {
  RUN_ROWS(rows);
}

TEST(datagrams_sent_together) {
  NEEDS(1, 50);
  RUN_ROWS(newer);
}

TEST(sockets_that_the_kernel_refuses_to_watch) {
  OURS_ONLY("the reference aborts");
  RUN_ROWS(watching);
}
