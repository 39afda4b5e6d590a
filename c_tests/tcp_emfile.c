/* Listening without free files: clients are turned away, and a loop that cannot even do that does not spin. */
#include "self.h"
#include "streams.h"

#include <netinet/in.h>
#include <sys/resource.h>

static uv_tcp_t server, client;
static uv_connect_t req;
static int connections, connects;
static struct sockaddr_in address;

static void on_connect(uv_connect_t* done, int status) {
  (void) done;
  CHECK_EQ(status, 0);
  connects++;
}

static void on_connection(uv_stream_t* listener, int status) {
  static uv_tcp_t accepted;
  (void) status;
  connections++;
  CHECK_EQ(uv_tcp_init(listener->loop, &accepted), 0);
  CHECK_EQ(uv_accept(listener, (uv_stream_t*) &accepted), 0);
}

static void serve(void) {
  int size = sizeof(address);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_tcp_init(&loop, &server), 0);
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, &address), 0);
  CHECK_EQ(uv_tcp_bind(&server, (const struct sockaddr*) &address, 0), 0);
  CHECK_EQ(uv_listen((uv_stream_t*) &server, 16, on_connection), 0);
  CHECK_EQ(uv_tcp_getsockname(&server, (struct sockaddr*) &address, &size), 0);
  CHECK_EQ(uv_tcp_init_ex(&loop, &client, AF_INET), 0);
}

/* From now on no file can be opened. */
static void use_up(struct rlimit* before) {
  struct rlimit few;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, before), 0);
  few = *before;
  few.rlim_cur = 64;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  while (dup(0) != -1);
  CHECK_EQ(errno, EMFILE);
}

TEST(clients_are_turned_away) {
  struct rlimit before;
  serve();
  use_up(&before);
  CHECK_EQ(uv_tcp_connect(&req, &client, (const struct sockaddr*) &address, on_connect), 0);
  RUN_UNTIL(connects == 1);
  CHECK_EQ(uv_read_start((uv_stream_t*) &client, alloc, on_read), 0);
  RUN_UNTIL(got.calls == 1);
  CHECK(got.last < 0);
  CHECK_EQ(connections, 0);
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  check_close_loop(&loop);
}

static int fired;

static void on_timer(uv_timer_t* timer) {
  (void) timer;
  fired++;
}

static void wait_a_while(void) {
  uv_timer_t timer;
  fired = 0;
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, on_timer, 200, 0), 0);
  RUN_UNTIL(fired);
  uv_close((uv_handle_t*) &timer, NULL);
  turn();
}

TEST(a_loop_without_a_spare_file_does_not_spin) {
  OURS_ONLY("the reference spins");
  long start;
  struct rlimit before;
  int fd = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0);
  serve();
  close(loop.emfile_fd);
  loop.emfile_fd = -1;
  use_up(&before);
  CHECK_EQ(connect(fd, (struct sockaddr*) &address, sizeof(address)), 0);
  start = self_processor_time();
  wait_a_while();
  CHECK(self_processor_time() - start < 100);
  CHECK_EQ(connections, 0);
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  CHECK_EQ(connect(second, (struct sockaddr*) &address, sizeof(address)), 0);
  RUN_UNTIL(connections == 2); /* the next client brings the one that waits along */
  check_close_loop(&loop);
}
