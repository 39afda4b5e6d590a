/* The debug port without memory: it does not open, says so if nobody gets the error, does not answer, and loses nothing. */
#include "debug_port.h"

#include "allocs.h"

#include <poll.h>

static int start_and_stop(long n) {
  allocs_fail_at(n);
  int status = start_at(path);
  allocs_fail_at(0);
  uvx_debug_stop();
  return status;
}

TEST(it_does_not_open_or_answer) {
  set_up();
  allocs_install();
  CHECK(allocs_exhaust(start_and_stop) >= 2);
  CHECK_EQ(start_at(path), 0);
  allocs_fail_at(1);
  int fd = connect_to(path);
  CHECK(fd != -1);
  CHECK_STR(read_answer(fd), "");
  ask();
  stop();
  CHECK_EQ(allocs_live(), 0);
}

static uvx_debug_options_t at_signal = {.size = sizeof at_signal, .path = path, .signum = SIGUSR1};

static int wait_for_signal_and_stop(long n) {
  allocs_fail_at(n);
  int status = uvx_debug_start(&at_signal);
  allocs_fail_at(0);
  uvx_debug_stop();
  return status;
}

static int is_open(void) {
  char where[200];
  size_t size = sizeof where;
  return uvx_debug_address(where, &size) == 0;
}

/* The signal comes when there is no memory to open with: that is said on stderr, and the next one opens it. */
TEST(a_signal_does_not_open_it) {
  char line[200];
  struct pollfd said = {.events = POLLIN};
  int ends[2], n = 0, old = dup(2);
  set_up();
  allocs_install();
  CHECK(allocs_exhaust(wait_for_signal_and_stop) >= 1);
  CHECK_EQ(uvx_debug_start(&at_signal), 0);
  long live = allocs_live();
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(dup2(ends[1], 2), 2);
  said.fd = ends[0];
  do {
    CHECK_EQ(connect_to(path), -1);
    CHECK_EQ(allocs_live(), live);
    allocs_fail_at(++n);
    CHECK_EQ(raise(SIGUSR1), 0);
    while (!is_open() && poll(&said, 1, 0) == 0) continue;
    if (!is_open()) CHECK(read(ends[0], line, sizeof line) > 0);
  } while (!is_open());
  CHECK_EQ(dup2(old, 2), 2);
  CHECK(n > 2);
  CHECK_EQ(allocs_refused(), 0);
  allocs_fail_at(0);
  ask();
  stop();
  CHECK_EQ(allocs_live(), 0);
}

/* The environment asks for it, and there is no memory: the loop is made all the same, if that itself has what it needs. */
TEST(the_environment_opens_nothing) {
  enum { NO_LOOP, NO_PORT, OPEN };
  int state = NO_LOOP, status;
  set_up();
  CHECK_EQ(setenv("UVX_DEBUG_SOCKET", path, 1), 0);
  for (int n = 1, failures = 0; state != OPEN; n++) {
    pid_t child = fork(); /* it is asked once in a process */
    CHECK(child >= 0);
    if (child == 0) {
      CHECK(freopen("/dev/null", "w", stderr) != NULL); /* where it says so */
      allocs_install();
      allocs_fail_at(n);
      status = uv_loop_init(&loop);
      allocs_fail_at(0);
      state = status != 0 ? NO_LOOP : is_open() ? OPEN : NO_PORT;
      if (status == 0) check_close_loop(&loop);
      uvx_debug_stop();
      exit(allocs_live() == 0 && (status == 0 || status == UV_ENOMEM) ? state : 3);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) >= state && WEXITSTATUS(status) <= OPEN);
    state = WEXITSTATUS(status);
    failures += state == NO_PORT;
    if (state == OPEN) CHECK(failures >= 2);
  }
  clean_up();
}

/* An answer grows, and may find no memory at any size: then there is none. */
TEST(an_answer_is_whole_or_none) {
  enum { LOOPS = 30 };
  static uv_loop_t loops[LOOPS];
  const char* text;
  int n = 0;
  allocs_install();
  start();
  for (int i = 0; i < LOOPS; i++) CHECK_EQ(uv_loop_init(&loops[i]), 0);
  do {
    allocs_fail_at(++n);
    int fd = connect_to(path);
    CHECK(fd != -1);
    text = read_answer(fd);
    if (text[0] == '\0') CHECK_EQ(allocs_refused(), 1);
  } while (text[0] == '\0');
  CHECK_EQ(allocs_refused(), 0);
  CHECK(n > 4);
  allocs_fail_at(0);
  CHECK_EQ(loops_in(ask()), LOOPS);
  for (int i = 0; i < LOOPS; i++) check_close_loop(&loops[i]);
  stop();
  CHECK_EQ(allocs_live(), 0);
}
