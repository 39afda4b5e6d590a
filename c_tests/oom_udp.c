/* Memory exhaustion in datagram sockets. */
#include "oom.h"

static uv_udp_t udp;
static uv_udp_send_t send_req;

static void on_receive(uv_udp_t* handle, ssize_t size, const uv_buf_t* buf, const struct sockaddr* from, unsigned flags) {
  (void) handle, (void) buf, (void) flags;
  if (from != NULL) total += size;
}

static void on_send(uv_udp_send_t* req, int status) {
  (void) req;
  calls++;
  last_status = status;
}

static int receive_datagrams(long n) {
  struct sockaddr_in name;
  int size = sizeof(name), far = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, &name), 0);
  CHECK_EQ(uv_udp_bind(&udp, (struct sockaddr*) &name, 0), 0);
  CHECK_EQ(uv_udp_getsockname(&udp, (struct sockaddr*) &name, &size), 0);
  TRY(n, uv_udp_recv_start(&udp, on_alloc, on_receive));
  CHECK_EQ(uv_is_active(HANDLE(udp)), works);
  if (works) {
    CHECK_EQ(sendto(far, "x", 1, 0, (struct sockaddr*) &name, sizeof(name)), 1);
    RUN_UNTIL(total == 1);
  }
  close(far);
  return result;
}

TEST(receiving_datagrams) {
  OURS_ONLY("the reference loses its table of files when it cannot grow");
  CHECK_EQ(exhaust(receive_datagrams), 1);
}

/* `udp` and a descriptor: datagrams stay with their sender until they are received. */
static int open_udp(void) {
  int pair[2];
  CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
  CHECK_EQ(uv_udp_open(&udp, pair[0]), 0);
  return pair[1];
}

static int send_pieces(long n) {
  int far = open_udp();
  TRY(n, uv_udp_send(&send_req, &udp, five(), 5, NULL, on_send));
  CHECK_EQ(udp.send_queue_count, works);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK_EQ(calls, works);
  CHECK_EQ(last_status, 0);
  drain(far);
  CHECK_EQ(total, works ? 5 : 0);
  close(far);
  return result;
}

TEST(sending_many_pieces) {
  CHECK_EQ(exhaust(send_pieces), 1);
}

/* A socket without room that cannot be watched. */
static int send_without_room(long n) {
  int far = open_udp(), outcome;
  uv_buf_t buf = uv_buf_init("x", 1);
  while (uv_udp_try_send(&udp, &buf, 1, NULL) == 1) total++;
  total = -total;
  CALL(n, uv_udp_send(&send_req, &udp, &buf, 1, NULL, on_send));
  CHECK_EQ(result, 0);
  CHECK_EQ(calls, 0);
  if (refused == 0) drain(far);
  RUN_UNTIL(calls == 1);
  outcome = last_status;
  drain(far);
  CHECK_EQ(total, outcome == 0);
  if (again) {
    CHECK_EQ(uv_udp_send(&send_req, &udp, &buf, 1, NULL, on_send), 0);
    RUN_UNTIL(calls == 2);
    CHECK_EQ(last_status, 0);
  }
  CHECK_EQ(udp.send_queue_count, 0);
  close(far);
  return outcome;
}

TEST(sending_to_a_full_socket) {
  OURS_ONLY("the reference loses its table of files when it cannot grow");
  CHECK_EQ(exhaust(send_without_room), 1);
}
