/* Sending datagrams: at once and queued, in order, what is counted, what fails, and what closing does to it.
 *
 * A pair of Unix sockets stands for a socket without room: a datagram that is not received stays with its sender. */
#include "allocs.h"
#include "trace.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { MANY = 150 };

static uv_loop_t loop;
static uv_udp_t udp;
static struct sockaddr_in peer;
static int receiver;
static uv_udp_send_t reqs[MANY];
static int calls, statuses[MANY], next_in_order;

#define ADDR(address) ((const struct sockaddr*) (address))

/* A socket on loopback that receives what `udp` sends to `peer`. */
static void init(void) {
  socklen_t size = sizeof(peer);
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, &peer), 0);
  receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  CHECK_EQ(bind(receiver, (struct sockaddr*) &peer, size), 0);
  CHECK_EQ(getsockname(receiver, (struct sockaddr*) &peer, &size), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
}

/* The next datagram as a string; waits for it. */
static const char* received(void) {
  static char text[256];
  ssize_t size = recv(receiver, text, sizeof(text) - 1, 0);
  CHECK(size >= 0);
  text[size] = '\0';
  return text;
}

static void note(uv_udp_send_t* req, int status) {
  CHECK_EQ(req, &reqs[next_in_order]);
  statuses[next_in_order++] = status;
  calls++;
}

/* `udp` becomes one of two connected Unix sockets, `receiver` the other. */
static void init_pair(void) {
  int pair[2];
  CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
  receiver = pair[0];
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
  CHECK_EQ(uv_udp_open(&udp, pair[1]), 0);
}

/* Sends until there is no room; how many bytes that took. */
static size_t fill(void) {
  uv_buf_t letter = uv_buf_init("f", 1);
  size_t sent = 0;
  int result;
  while ((result = uv_udp_try_send(&udp, &letter, 1, NULL)) == 1) sent++;
  CHECK_EQ(result, UV_EAGAIN);
  return sent;
}

TEST(the_callback_runs_later) {
  uv_buf_t hello = uv_buf_init("hello", 5);
  init();
  memset(&reqs[0], 0xff, sizeof(reqs[0]));
  reqs[0].data = &loop;
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &hello, 1, ADDR(&peer), note), 0);
  CHECK_EQ(calls, 0);
  CHECK_STR(received(), "hello"); /* but it is on its way */
  CHECK_EQ(reqs[0].data, &loop);
  CHECK_EQ(reqs[0].type, UV_UDP_SEND);
  CHECK_EQ(reqs[0].handle, &udp);
  CHECK_EQ(udp.send_queue_count, 1);
  CHECK_EQ(udp.send_queue_size, 5);
  CHECK_EQ(uv_udp_get_send_queue_count(&udp), 1);
  CHECK_EQ(uv_udp_get_send_queue_size(&udp), 5);
  CHECK(uv_is_active((uv_handle_t*) &udp));
  CHECK(uv_loop_alive(&loop));
  CHECK_EQ(uv_backend_timeout(&loop), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(statuses[0], 0);
  CHECK_EQ(udp.send_queue_count, 0);
  CHECK_EQ(udp.send_queue_size, 0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &udp), 0);
  check_close_loop(&loop);
}

TEST(a_request_keeps_the_loop_alive) {
  uv_buf_t hello = uv_buf_init("hello", 5);
  init();
  uv_unref((uv_handle_t*) &udp);
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &hello, 1, ADDR(&peer), note), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

TEST(without_a_callback) {
  uv_buf_t hello = uv_buf_init("hello", 5);
  init();
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &hello, 1, ADDR(&peer), NULL), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_STR(received(), "hello");
  CHECK_EQ(udp.send_queue_count, 0);
  check_close_loop(&loop);
}

TEST(pieces_are_one_datagram) {
  uv_buf_t pieces[6];
  init();
  for (int i = 0; i < 6; i++) pieces[i] = uv_buf_init(&"abcdef"[i], 1);
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, pieces, 6, ADDR(&peer), note), 0);
  CHECK_EQ(uv_udp_send(&reqs[1], &udp, pieces, 4, ADDR(&peer), note), 0);
  CHECK_EQ(udp.send_queue_size, 10);
  memset(pieces, 0, sizeof(pieces)); /* the list need not stay */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_STR(received(), "abcdef");
  CHECK_STR(received(), "abcd");
  check_close_loop(&loop);
}

TEST(an_empty_datagram) {
  uv_buf_t nothing = uv_buf_init(NULL, 0);
  char byte;
  init();
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &nothing, 1, ADDR(&peer), note), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(statuses[0], 0);
  CHECK_EQ(recv(receiver, &byte, 1, MSG_DONTWAIT), 0);
  CHECK_EQ(uv_udp_try_send(&udp, &nothing, 1, ADDR(&peer)), 0);
  CHECK_EQ(recv(receiver, &byte, 1, MSG_DONTWAIT), 0);
  check_close_loop(&loop);
}

TEST(what_can_never_be_sent) {
  uv_buf_t hello = uv_buf_init("hello", 5);
  uv_buf_t huge[2] = {{(char*) "", 0x7ffff000}, {(char*) "", 1}};
  struct sockaddr_storage strange = {.ss_family = AF_PACKET};
  init();
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &hello, 1, NULL, note), UV_EDESTADDRREQ);
  CHECK_EQ(uv_udp_try_send(&udp, &hello, 1, NULL), UV_EDESTADDRREQ);
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &hello, 1, ADDR(&strange), note), UV_EINVAL);
  CHECK_EQ(uv_udp_try_send(&udp, &hello, 1, ADDR(&strange)), UV_EINVAL);
  if (uv_version() >= 0x013300 /* 1.51 */) {
    CHECK_EQ(uv_udp_send(&reqs[0], &udp, &hello, 0, ADDR(&peer), note), UV_EINVAL);
    CHECK_EQ(uv_udp_try_send(&udp, &hello, 0, ADDR(&peer)), UV_EINVAL);
    CHECK_EQ(uv_udp_send(&reqs[0], &udp, &hello, 1024 * 1024 + 1, ADDR(&peer), note), UV_EINVAL);
    CHECK_EQ(uv_udp_send(&reqs[0], &udp, huge, 2, ADDR(&peer), note), UV_EINVAL);
  }
  CHECK_EQ(udp.io_watcher.fd, -1); /* nothing was bound for that */
  CHECK_EQ(udp.send_queue_count, 0);
  CHECK_EQ(uv_udp_connect(&udp, ADDR(&peer)), 0);
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &hello, 1, ADDR(&peer), note), UV_EISCONN);
  CHECK_EQ(uv_udp_try_send(&udp, &hello, 1, ADDR(&peer)), UV_EISCONN);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  check_close_loop(&loop);
}

TEST(what_the_system_refuses) {
  NEEDS(1, 50); /* before, the error of the first was that of all */
  static char room[70000];
  uv_buf_t large = uv_buf_init(room, sizeof(room)), hello = uv_buf_init("hello", 5);
  init();
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &large, 1, ADDR(&peer), note), 0);
  CHECK_EQ(uv_udp_send(&reqs[1], &udp, &hello, 1, ADDR(&peer), note), 0);
  CHECK_EQ(uv_udp_send(&reqs[2], &udp, &large, 1, ADDR(&peer), note), 0);
  CHECK_EQ(uv_udp_send(&reqs[3], &udp, &hello, 1, ADDR(&peer), note), 0);
  CHECK_EQ(udp.send_queue_size, 140010);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 4);
  CHECK_EQ(statuses[0], UV_EMSGSIZE);
  CHECK_EQ(statuses[1], 0);
  CHECK_EQ(statuses[2], UV_EMSGSIZE);
  CHECK_EQ(statuses[3], 0);
  CHECK_STR(received(), "hello");
  CHECK_STR(received(), "hello");
  CHECK_EQ(uv_udp_try_send(&udp, &large, 1, ADDR(&peer)), UV_EMSGSIZE);
  check_close_loop(&loop);
}

TEST(sending_binds) {
  uv_buf_t hello = uv_buf_init("hello", 5);
  struct sockaddr_in name;
  int size = sizeof(name);
  init();
  CHECK_EQ(uv_udp_try_send(&udp, &hello, 1, ADDR(&peer)), 5);
  CHECK_EQ(uv_udp_getsockname(&udp, (struct sockaddr*) &name, &size), 0);
  CHECK(name.sin_port != 0);
  CHECK_EQ(name.sin_addr.s_addr, htonl(INADDR_ANY));
  CHECK_STR(received(), "hello");
  CHECK_EQ(udp.send_queue_count, 0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &udp), 0);
  check_close_loop(&loop);
}

TEST(connected) {
  uv_buf_t hello = uv_buf_init("hello", 5);
  init();
  CHECK_EQ(uv_udp_connect(&udp, ADDR(&peer)), 0);
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &hello, 1, NULL, note), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_STR(received(), "hello");
  CHECK_EQ(uv_udp_try_send(&udp, &hello, 1, NULL), 5);
  CHECK_STR(received(), "hello");
  CHECK_EQ(uv_udp_connect(&udp, NULL), 0);
  CHECK_EQ(uv_udp_try_send(&udp, &hello, 1, ADDR(&peer)), 5);
  check_close_loop(&loop);
}

TEST(nobody_listens) {
  uv_buf_t hello = uv_buf_init("hello", 5);
  struct pollfd refused = {0};
  init();
  CHECK_EQ(connect(receiver, (struct sockaddr*) &peer, sizeof(peer)), 0); /* keeps the port, and hears itself alone */
  CHECK_EQ(uv_udp_connect(&udp, ADDR(&peer)), 0);
  CHECK_EQ(uv_udp_try_send(&udp, &hello, 1, NULL), 5);
  CHECK_EQ(uv_fileno((uv_handle_t*) &udp, &refused.fd), 0);
  CHECK_EQ(poll(&refused, 1, -1), 1);
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &hello, 1, NULL, note), 0); /* learns of the one before */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(statuses[0], UV_ECONNREFUSED);
  check_close_loop(&loop);
}

TEST(many_keep_their_order) {
  static char text[MANY][8];
  size_t bytes = 0;
  init();
  for (int i = 0; i < MANY; i++) {
    uv_buf_t buf = uv_buf_init(text[i], (unsigned) snprintf(text[i], sizeof(text[i]), "%d", i));
    CHECK_EQ(uv_udp_send(&reqs[i], &udp, &buf, 1, ADDR(&peer), note), 0);
    bytes += buf.len;
    CHECK_EQ(udp.send_queue_count, i + 1);
    CHECK_EQ(udp.send_queue_size, bytes);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, MANY);
  for (int i = 0; i < MANY; i++) {
    CHECK_EQ(statuses[i], 0);
    CHECK_STR(received(), text[i]);
  }
  CHECK_EQ(udp.send_queue_count, 0);
  CHECK_EQ(udp.send_queue_size, 0);
  check_close_loop(&loop);
}

static void send_again(uv_udp_send_t* req, int status) {
  uv_buf_t x = uv_buf_init("x", 1);
  CHECK_EQ(status, 0);
  if (++calls < 100) {
    int before = calls;
    CHECK_EQ(uv_udp_send(req, &udp, &x, 1, ADDR(&peer), send_again), 0);
    CHECK_EQ(calls, before); /* never inside */
  }
}

TEST(callbacks_send) {
  uv_buf_t x = uv_buf_init("x", 1);
  init();
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &x, 1, ADDR(&peer), send_again), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 100);
  for (int i = 0; i < 100; i++) CHECK_STR(received(), "x");
  CHECK_EQ(uv_is_active((uv_handle_t*) &udp), 0);
  check_close_loop(&loop);
}

TEST(a_full_socket_waits_for_room) {
  uv_buf_t letters[4] = {{(char*) "a", 1}, {(char*) "b", 1}, {(char*) "c", 1}, {(char*) "d", 1}};
  init_pair();
  size_t waiting = fill();
  for (int i = 0; i < 4; i++) CHECK_EQ(uv_udp_send(&reqs[i], &udp, &letters[i], 1, NULL, note), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_EQ(calls, 0);
  CHECK_EQ(udp.send_queue_count, 4);
  CHECK_EQ(udp.send_queue_size, 4);
  CHECK(uv_is_active((uv_handle_t*) &udp));
  CHECK_EQ(uv_udp_try_send(&udp, letters, 1, NULL), UV_EAGAIN);
  while (waiting-- > 0) CHECK_STR(received(), "f");
  CHECK_EQ(uv_udp_try_send(&udp, letters, 1, NULL), UV_EAGAIN); /* there is room, but not its turn */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 4);
  for (int i = 0; i < 4; i++) CHECK_EQ(statuses[i], 0);
  CHECK_STR(received(), "a");
  CHECK_STR(received(), "b");
  CHECK_STR(received(), "c");
  CHECK_STR(received(), "d");
  CHECK_EQ(udp.send_queue_count, 0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &udp), 0);
  check_close_loop(&loop);
}

static void traced(uv_udp_send_t* req, int status) {
  CHECK_EQ(udp.send_queue_count, MANY - 1 - next_in_order);
  note(req, status);
  trace(status == 0 ? "sent" : status == UV_ECANCELED ? "cancelled" : "?");
}

TEST(closing_cancels_what_waits) {
  uv_buf_t letter = uv_buf_init("x", 1);
  init_pair();
  udp.data = "closed";
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &letter, 1, NULL, traced), 0);
  while (send(udp.io_watcher.fd, "f", 1, MSG_DONTWAIT) == 1) continue;
  for (int i = 1; i < MANY; i++) CHECK_EQ(uv_udp_send(&reqs[i], &udp, &letter, 1, NULL, traced), 0);
  uv_close((uv_handle_t*) &udp, trace_close);
  CHECK_EQ(calls, 0);
  CHECK_EQ(udp.send_queue_count, MANY);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, MANY);
  CHECK_EQ(statuses[0], 0); /* it was sent */
  for (int i = 1; i < MANY; i++) CHECK_EQ(statuses[i], UV_ECANCELED);
  CHECK_EQ(strncmp(trace_text, "sent cancelled cancelled", 24), 0);
  CHECK_STR(strrchr(trace_text, ' '), " closed");
  CHECK_EQ(udp.send_queue_size, 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void close_it(uv_udp_send_t* req, int status) {
  note(req, status);
  if (calls == 1) uv_close((uv_handle_t*) &udp, NULL);
}

TEST(a_callback_closes) {
  uv_buf_t letter = uv_buf_init("x", 1);
  init();
  for (int i = 0; i < 3; i++) CHECK_EQ(uv_udp_send(&reqs[i], &udp, &letter, 1, ADDR(&peer), close_it), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 3);
  CHECK_EQ(statuses[0], 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(try_send_to_several) {
  NEEDS(1, 50);
  uv_buf_t letters[3] = {{(char*) "a", 1}, {(char*) "b", 1}, {(char*) "c", 1}};
  uv_buf_t* bufs[3] = {&letters[0], &letters[1], &letters[2]};
  unsigned nbufs[3] = {3, 2, 1};
  struct sockaddr* addrs[3] = {(struct sockaddr*) &peer, (struct sockaddr*) &peer, (struct sockaddr*) &peer};
  init();
  CHECK_EQ(uv_udp_try_send2(&udp, 3, bufs, nbufs, addrs, 0), UV_EINVAL); /* has no socket */
  CHECK_EQ(uv_udp_try_send(&udp, letters, 1, ADDR(&peer)), 1);
  CHECK_STR(received(), "a");
  CHECK_EQ(uv_udp_try_send2(&udp, 0, bufs, nbufs, addrs, 0), UV_EINVAL);
  CHECK_EQ(uv_udp_try_send2(&udp, 3, bufs, nbufs, addrs, 1), UV_EINVAL);
  CHECK_EQ(uv_udp_try_send2(&udp, 3, bufs, nbufs, addrs, 0), 3);
  CHECK_STR(received(), "abc");
  CHECK_STR(received(), "bc");
  CHECK_STR(received(), "c");
  CHECK_EQ(uv_udp_try_send2(&udp, 1, bufs, nbufs, addrs, 0), 1);
  CHECK_STR(received(), "abc");
  addrs[2] = NULL;
  CHECK_EQ(uv_udp_try_send2(&udp, 3, bufs, nbufs, addrs, 0), UV_EDESTADDRREQ);
  addrs[2] = addrs[0];
  nbufs[2] = 0;
  CHECK_EQ(uv_udp_try_send2(&udp, 3, bufs, nbufs, addrs, 0), UV_EINVAL);
  CHECK_EQ(uv_udp_try_send(&udp, letters, 1, ADDR(&peer)), 1);
  CHECK_STR(received(), "a"); /* none of them was sent */
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, letters, 1, ADDR(&peer), note), 0);
  CHECK_EQ(uv_udp_try_send2(&udp, 2, bufs, nbufs, addrs, 0), UV_EAGAIN);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  check_close_loop(&loop);
}

TEST(try_send_as_many_as_there_is_room_for) {
  NEEDS(1, 50);
  enum { COUNT = 5 };
  uv_buf_t letters[COUNT];
  uv_buf_t* bufs[COUNT];
  unsigned nbufs[COUNT];
  struct sockaddr* addrs[COUNT] = {NULL};
  init_pair();
  for (int i = 0; i < COUNT; i++) letters[i] = uv_buf_init(&"abcde"[i], 1), bufs[i] = &letters[i], nbufs[i] = 1;
  fill();
  CHECK_EQ(uv_udp_try_send2(&udp, COUNT, bufs, nbufs, addrs, 0), UV_EAGAIN);
  CHECK_STR(received(), "f");
  CHECK_STR(received(), "f");
  int sent = uv_udp_try_send2(&udp, COUNT, bufs, nbufs, addrs, 0);
  CHECK(sent >= 1 && sent < COUNT);
  check_close_loop(&loop);
}

TEST(try_send_hundreds) {
  OURS_ONLY("the reference leaves out every other twenty");
  enum { COUNT = 150 };
  static char text[COUNT][8];
  static uv_buf_t letters[COUNT];
  uv_buf_t* bufs[COUNT];
  unsigned nbufs[COUNT];
  struct sockaddr* addrs[COUNT];
  init();
  CHECK_EQ(uv_udp_connect(&udp, ADDR(&peer)), 0);
  for (int i = 0; i < COUNT; i++) {
    letters[i] = uv_buf_init(text[i], (unsigned) snprintf(text[i], sizeof(text[i]), "%d", i));
    bufs[i] = &letters[i], nbufs[i] = 1, addrs[i] = NULL;
  }
  CHECK_EQ(uv_udp_try_send2(&udp, COUNT, bufs, nbufs, addrs, 0), COUNT);
  for (int i = 0; i < COUNT; i++) CHECK_STR(received(), text[i]);
  check_close_loop(&loop);
}

TEST(to_a_unix_socket) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  uv_buf_t hello = uv_buf_init("hello", 5);
  char folder[] = "/tmp/uv-udp-XXXXXX", path[64];
  CHECK(mkdtemp(folder) != NULL);
  snprintf(path, sizeof(path), "%s/socket", folder);
  strcpy(name.sun_path, path);
  receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  CHECK_EQ(bind(receiver, (struct sockaddr*) &name, sizeof(name)), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
  CHECK_EQ(uv_udp_open(&udp, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)), 0);
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, &hello, 1, ADDR(&name), note), 0);
  memset(&name, 0, sizeof(name)); /* the address need not stay */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(statuses[0], 0);
  CHECK_STR(received(), "hello");
  CHECK_EQ(unlink(path), 0);
  CHECK_EQ(rmdir(folder), 0);
  check_close_loop(&loop);
}

TEST(without_memory) {
  uv_buf_t pieces[5];
  allocs_install();
  init();
  for (int i = 0; i < 5; i++) pieces[i] = uv_buf_init("x", 1);
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&(struct sockaddr_in){.sin_family = AF_INET}), 0), 0);
  allocs_fail_at(1);
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, pieces, 5, ADDR(&peer), note), UV_ENOMEM);
  allocs_fail_at(0);
  CHECK_EQ(uv_udp_send(&reqs[0], &udp, pieces, 5, ADDR(&peer), note), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}
