/* No file descriptors left: every call that needs some is tried with none free, then one, and so on until it succeeds.
 * Each failure is UV_EMFILE and takes nothing with it. */
#include "self.h"

#include <sys/resource.h>

static uv_loop_t loop;

/* Lets the process open `count` more files: those that are open have to be the lowest numbers. */
static void allow(int count) {
  struct rlimit limit;
  int used = self_open_files_below(200);
  for (int fd = 0; fd < used; fd++) CHECK(fcntl(fd, F_GETFD) >= 0);
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = (rlim_t) (used + count);
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void allow_many(void) {
  struct rlimit limit;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* What the process inherited leaves gaps; and what the library opens once for all loops is opened here. */
static void begin(void) {
  uv_signal_t signal;
  for (int fd = 3; fd < 200; fd++) close(fd);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_signal_init(&loop, &signal), 0);
  check_close_loop(&loop);
  int used = 0, highest = 0; /* fill the gaps */
  for (int fd = 0; fd < 200; fd++)
    if (fcntl(fd, F_GETFD) >= 0) used++, highest = fd;
  while (used < highest + 1) {
    CHECK(dup(0) >= 0);
    used++;
  }
}

/* Tries `attempt` with ever more free descriptors; returns how many it needs. */
static int exhaust(int (*attempt)(void)) {
  for (int free_files = 0;; free_files++) {
    int before = self_open_files_below(200), result;
    CHECK(free_files < 50);
    allow(free_files);
    result = attempt();
    allow_many();
    if (result == 0) return free_files;
    CHECK_EQ(result, UV_EMFILE);
    CHECK_EQ(self_open_files_below(200), before);
  }
}

static int init_loop(void) {
  return uv_loop_init(&loop);
}

TEST(loop_init) {
  NEEDS(1, 52); /* before, the backend was left open */
  begin();
  CHECK(exhaust(init_loop) >= 1);
  check_close_loop(&loop);
}

static int new_loop(void) {
  uv_loop_t* made = uv_loop_new();
  if (made != NULL) uv_loop_delete(made);
  return made == NULL ? UV_EMFILE : 0; /* it cannot say why */
}

TEST(loop_new) {
  NEEDS(1, 52);
  begin();
  CHECK(exhaust(new_loop) >= 1);
}

static uv_async_t async;

static int init_async(void) {
  return uv_async_init(&loop, &async, NULL);
}

TEST(async_init) {
  begin();
  CHECK_EQ(uv_loop_init(&loop), 0);
  exhaust(init_async); /* may need none: the loop can have made them */
  check_close_loop(&loop);
}

static uv_signal_t watcher;

static int init_signal(void) {
  return uv_signal_init(&loop, &watcher);
}

static void stop_signal(uv_signal_t* handle, int signum) {
  (void) signum;
  CHECK_EQ(uv_signal_stop(handle), 0);
}

TEST(signal_init) {
  begin();
  CHECK_EQ(uv_loop_init(&loop), 0);
  exhaust(init_signal);
  CHECK_EQ(uv_signal_start(&watcher, stop_signal, SIGUSR1), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  check_close_loop(&loop);
}

static void nothing(uv_work_t* req) {
  (void) req;
}

static int done;

static void count_done(uv_work_t* req, int status) {
  (void) req;
  CHECK_EQ(status, 0);
  done++;
}

TEST(the_pool_needs_none) {
  uv_work_t req;
  begin();
  CHECK_EQ(uv_loop_init(&loop), 0);
  allow(0);
  CHECK_EQ(uv_queue_work(&loop, &req, nothing, count_done), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(done, 1);
  allow_many();
  check_close_loop(&loop);
}

static void count_timer(uv_timer_t* handle) {
  (void) handle;
  done++;
}

TEST(a_loop_that_runs_needs_none) {
  uv_timer_t timer;
  begin();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, NULL), 0);
  allow(0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, count_timer, 1, 0), 0);
  CHECK_EQ(uv_async_send(&async), 0);
  while (done == 0) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0 || done == 1);
  check_close_loop(&loop);
}
