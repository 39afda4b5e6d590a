/* The debug port: when it is there at all, where, and for whom. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "debug_port.h"

#include <arpa/inet.h>
#include <sys/stat.h>

/* 1.5.13 */
TEST(it_is_off_unless_asked_for) {
  char where[200];
  size_t size = sizeof where;
  unsetenv("UVX_DEBUG_SOCKET");
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uvx_debug_address(where, &size), UV_ENOENT);
  CHECK_EQ(self_threads_named("uvx-debug"), 0);
  uvx_debug_stop(); /* harmless */
  check_close_loop(&loop);
}

TEST(a_call_opens_it_for_this_user_alone) {
  char where[200];
  size_t size = 3;
  struct stat file;
  start();
  CHECK_EQ(uvx_debug_address(where, &size), UV_ENOBUFS);
  CHECK_EQ(size, strlen(path) + 1);
  CHECK_EQ(uvx_debug_address(where, &size), 0);
  CHECK_STR(where, path);
  CHECK_EQ(size, strlen(path));
  CHECK_EQ(stat(path, &file), 0);
  CHECK(S_ISSOCK(file.st_mode));
  CHECK_EQ(file.st_mode & 0777, 0600);
  CHECK_EQ(start_at(path), UV_EALREADY);
  CHECK_EQ(loops_in(ask()), 0); /* its own loop is not shown */
  stop();
  CHECK_EQ(uvx_debug_address(where, &size), UV_ENOENT);
  CHECK_EQ(self_threads_named("uvx-debug"), 0);
}

TEST(the_usual_place_has_the_number_of_the_process) {
  char where[200], wanted[200];
  size_t size = sizeof where;
  set_up();
  CHECK_EQ(setenv("XDG_RUNTIME_DIR", folder, 1), 0);
  CHECK_EQ(uvx_debug_start(NULL), 0);
  CHECK_EQ(uvx_debug_address(where, &size), 0);
  snprintf(wanted, sizeof wanted, "%s/uvx-debug.%d", folder, (int) getpid());
  CHECK_STR(where, wanted);
  stop();
}

/* 1.5.14 */
TEST(the_environment_opens_it) {
  char pattern[200];
  set_up();
  snprintf(pattern, sizeof pattern, "%s/a%%p", folder);
  snprintf(path, sizeof path, "%s/a%d", folder, (int) getpid());
  CHECK_EQ(setenv("UVX_DEBUG_SOCKET", pattern, 1), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(loops_in(ask()), 1);
  CHECK_EQ(start_at(path), UV_EALREADY);
  check_close_loop(&loop);
  CHECK_EQ(loops_in(ask()), 0);
  stop();
}

TEST(the_environment_comes_before_the_first_call) {
  set_up();
  CHECK_EQ(setenv("UVX_DEBUG_SOCKET", path, 1), 0);
  CHECK_EQ(uvx_debug_start(NULL), UV_EALREADY);
  CHECK_EQ(loops_in(ask()), 0);
  stop();
}

TEST(a_useless_environment_does_no_harm) {
  CHECK_EQ(setenv("UVX_DEBUG_SOCKET", "/no/such/folder/socket", 1), 0);
  CHECK(freopen("/dev/null", "w", stderr) != NULL); /* where it says so */
  CHECK_EQ(uv_loop_init(&loop), 0);
  check_close_loop(&loop);
}

TEST(a_port_number_means_tcp) {
  char where[64];
  size_t size = sizeof where;
  uvx_debug_options_t options = {.size = sizeof options, .port = -1};
  struct sockaddr_in address = {.sin_family = AF_INET};
  CHECK_EQ(uvx_debug_start(&options), 0);
  CHECK_EQ(uvx_debug_address(where, &size), 0);
  CHECK_EQ(strncmp(where, "127.0.0.1:", 10), 0);
  address.sin_port = htons((uint16_t) atoi(where + 10));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect(fd, (struct sockaddr*) &address, sizeof address), 0);
  CHECK(json_is_whole(read_answer(fd)));
  uvx_debug_stop();
}

TEST(nonsense_is_refused) {
  char longest[300];
  uvx_debug_options_t options = {.size = sizeof options, .path = "/tmp/x", .port = 80};
  memset(longest, 'x', sizeof longest);
  longest[0] = '/';
  longest[sizeof longest - 1] = '\0';
  CHECK_EQ(uvx_debug_start(&options), UV_EINVAL);
  options.path = NULL;
  options.port = 65536;
  CHECK_EQ(uvx_debug_start(&options), UV_EINVAL);
  options.size = 4;
  CHECK_EQ(uvx_debug_start(&options), UV_EINVAL);
  CHECK_EQ(start_at(""), UV_EINVAL);
  CHECK_EQ(start_at(longest), UV_ENAMETOOLONG);
  CHECK_EQ(start_at("/no/such/folder/socket"), UV_ENOENT);
}

/* What a process that died left there is replaced; what somebody listens on, or is no socket, is not. */
TEST(an_abandoned_socket_is_replaced) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  set_up();
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  int other = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_EQ(bind(other, (struct sockaddr*) &address, sizeof address), 0);
  CHECK_EQ(listen(other, 1), 0);
  CHECK_EQ(start_at(path), UV_EADDRINUSE);
  close(other);
  CHECK_EQ(start_at(path), 0);
  ask();
  uvx_debug_stop();
  FILE* file = fopen(path, "w");
  CHECK(file != NULL);
  fclose(file);
  CHECK_EQ(start_at(path), UV_EADDRINUSE);
  CHECK_EQ(unlink(path), 0);
  clean_up();
}

/* 1.5.18: in a busy program, from the signal to the answer. */
TEST(a_signal_opens_it) {
  char where[200];
  size_t size;
  set_up();
  uvx_debug_options_t options = {.size = sizeof options, .path = path, .signum = SIGUSR1};
  for (int round = 0; round < 3; round++) {
    CHECK_EQ(uvx_debug_start(&options), 0);
    CHECK_EQ(uvx_debug_start(&options), UV_EALREADY);
    CHECK_EQ(connect_to(path), -1);
    size = sizeof where;
    CHECK_EQ(uvx_debug_address(where, &size), UV_ENOENT);
    if (round != 1) {
      CHECK_EQ(raise(SIGUSR1), 0);
      do size = sizeof where;
      while (uvx_debug_address(where, &size) == UV_ENOENT);
      ask();
      CHECK_EQ(raise(SIGUSR1), 0); /* once is enough */
      ask();
    }
    uvx_debug_stop();
  }
  clean_up();
}

/* 1.5.19 */
TEST(the_child_of_a_fork_has_none) {
  NOT_UNDER_TSAN("its runtime does not start threads in the child of a program with threads");
  char where[200];
  size_t size = sizeof where;
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(uvx_debug_address(where, &size), UV_ENOENT);
    CHECK_EQ(start_at(path), UV_EADDRINUSE);
    strcat(path, "2");
    CHECK_EQ(start_at(path), 0);
    CHECK_EQ(loops_in(ask()), 0);
    CHECK_EQ(uv_loop_fork(&loop), 0);
    CHECK_EQ(loops_in(ask()), 1);
    uvx_debug_stop();
    check_close_loop(&loop);
    _exit(0);
  }
  check_child(child);
  CHECK_EQ(loops_in(ask()), 1);
  check_close_loop(&loop);
  stop();
}
