/* The debug port's clients: those that come when no descriptor is left, and those that do not take their answer. */
#include "debug_port.h"

#include "counters.h"

#include <poll.h>
#include <sys/resource.h>

static struct rlimit before;

/* From now on no file can be opened. */
static void use_up(void) {
  struct rlimit few;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  few = before;
  few.rlim_cur = 64;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  while (dup(0) != -1);
  CHECK_EQ(errno, EMFILE);
}

static int open_socket(void) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(fd != -1);
  return fd;
}

static void connect_with(int fd) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  CHECK_EQ(connect(fd, (struct sockaddr*) &address, sizeof address), 0);
}

TEST(without_descriptors_clients_are_answered) {
  int clients[3];
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  ask(); /* the port's thread runs */
  for (int i = 0; i < 3; i++) clients[i] = open_socket();
  use_up();
  for (int i = 0; i < 3; i++) {
    connect_with(clients[i]);
    CHECK(json_is_whole(read_answer(clients[i])));
    CHECK_EQ(loops_in(answer), 1);
    CHECK(dup(0) != -1); /* in the client's place */
  }
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  check_close_loop(&loop);
  stop();
}

/* The port opens with so few descriptors that it cannot set one aside. */
TEST(without_any_descriptor_it_does_not_spin) {
  int status, client = open_socket(), unused[64], count = 0;
  struct pollfd answered = {.fd = client, .events = POLLIN};
  set_up();
  for (int fd = 40; fd < 64; fd++) CHECK_EQ(dup2(0, unused[count++] = fd), fd);
  use_up();
  do {
    CHECK(count > 0);
    close(unused[--count]);
    status = start_at(path);
    if (status != 0) CHECK_EQ(status, UV_EMFILE);
  } while (status != 0);
  CHECK_EQ(dup(0), -1);
  connect_with(client);
  long used = self_processor_time();
  CHECK_EQ(poll(&answered, 1, 500), 0);
  CHECK(self_processor_time() - used < 60);
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  CHECK(json_is_whole(read_answer(client)));
  stop();
}

/* Has the port's thread wait at its next allocation, when it has a client and no answer yet. */
static int armed, stuck, go_on;

static void* trapping_realloc(void* block, size_t size) {
  char name[16] = "";
  if (get(&armed) && pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, "uvx-debug") == 0 &&
      add(&armed, -1) == 0) {
    add(&stuck, 1);
    wait_until(&go_on, 1);
  }
  return realloc(block, size);
}

/* The port's end of the connection: the one with the port's name that does not listen. */
static int other_end(void) {
  for (int fd = 0; fd < 1024; fd++) {
    struct sockaddr_un address = {0};
    int listens = 1;
    socklen_t size = sizeof address, room = sizeof listens;
    if (getsockname(fd, (struct sockaddr*) &address, &size) != 0 || strcmp(address.sun_path, path) != 0) continue;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &room), 0);
    if (!listens) return fd;
  }
  CHECK_FAIL("no connection");
}

/* In time for a second wait, if there were one: so much that the port goes on sending, but not all of it. */
static void* take_some(void* client) {
  char taken[8192];
  usleep(700000);
  CHECK(recv(*(int*) client, taken, sizeof taken, MSG_WAITALL) == sizeof taken);
  return NULL;
}

TEST(a_slow_client_is_given_a_second_in_all) {
  enum { LOOPS = 200 };
  static uv_loop_t loops[LOOPS];
  int small = 4096;
  CHECK_EQ(uv_replace_allocator(malloc, trapping_realloc, calloc, free), 0);
  start();
  for (int i = 0; i < LOOPS; i++) CHECK_EQ(uv_loop_init(&loops[i]), 0);
  add(&armed, 1);
  int client = connect_to(path);
  CHECK(client != -1);
  wait_until(&stuck, 1);
  CHECK_EQ(setsockopt(other_end(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
  pthread_t taker = port_thread(take_some, &client);
  uint64_t began = uv_hrtime();
  add(&go_on, 1);
  uvx_debug_stop(); /* waits for the answer */
  uint64_t ms = (uv_hrtime() - began) / 1000000;
  CHECK(ms >= 900);
  CHECK(ms < 1600);
  port_join(taker);
  CHECK(!json_is_whole(read_answer(client)));
  for (int i = 0; i < LOOPS; i++) check_close_loop(&loops[i]);
  clean_up();
}
