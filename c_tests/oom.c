/* Memory exhaustion: every allocation of every call of the loop's areas fails in turn. The call says UV_ENOMEM, nothing
 * is left behind, and once there is memory again the same call works. */
#include "allocs.h"

#include <pthread.h>
#include <sys/eventfd.h>

static uv_loop_t loop;

static void begin(void) {
  allocs_fail_at(0);
  CHECK_EQ(uv_loop_init(&loop), 0);
}

static void end(void) {
  allocs_fail_at(0);
  check_close_loop(&loop);
}

static int init_loop(long n) {
  allocs_fail_at(n);
  int result = uv_loop_init(&loop);
  allocs_fail_at(0);
  if (result == 0) CHECK_EQ(uv_loop_close(&loop), 0);
  return result;
}

TEST(loop_init) {
  NEEDS(1, 52); /* before, it was an abort */
  allocs_install();
  CHECK(allocs_exhaust(init_loop) >= 1);
  CHECK_EQ(allocs_live(), 0);
}

static int new_loop(long n) {
  allocs_fail_at(n);
  uv_loop_t* made = uv_loop_new();
  allocs_fail_at(0);
  if (made == NULL) return UV_ENOMEM;
  uv_loop_delete(made);
  return 0;
}

TEST(loop_new) {
  NEEDS(1, 52);
  allocs_install();
  CHECK(allocs_exhaust(new_loop) >= 2);
  CHECK_EQ(allocs_live(), 0);
}

static int default_loop(long n) {
  allocs_fail_at(n);
  uv_loop_t* made = uv_default_loop();
  allocs_fail_at(0);
  if (made == NULL) return UV_ENOMEM;
  CHECK_EQ(uv_loop_close(made), 0);
  return 0;
}

TEST(default_loop) {
  NEEDS(1, 52);
  allocs_install();
  allocs_exhaust(default_loop);
  CHECK_EQ(allocs_live(), 0);
}

static int configure_loop(long n) {
  int result;
  begin();
  allocs_fail_at(n);
  result = uv_loop_configure(&loop, UV_METRICS_IDLE_TIME);
  if (result == 0) result = uv_loop_configure(&loop, UV_LOOP_BLOCK_SIGNAL, SIGPROF);
  end();
  return result;
}

TEST(loop_configure) {
  allocs_install();
  allocs_exhaust(configure_loop);
  CHECK_EQ(allocs_live(), 0);
}

/* Each attempt starts many handles, so that whatever grows has to grow. */
enum { MANY = 100 };
static int calls;

static void count_timer(uv_timer_t* handle) {
  (void) handle;
  calls++;
}

static int start_timers(long n) {
  static uv_timer_t timers[MANY];
  int result = 0;
  begin();
  allocs_fail_at(n);
  for (int i = 0; i < MANY && result == 0; i++) {
    result = uv_timer_init(&loop, &timers[i]);
    if (result == 0) result = uv_timer_start(&timers[i], count_timer, i, i % 2);
    if (result != 0) CHECK_EQ(uv_is_active((uv_handle_t*) &timers[i]), 0);
  }
  end();
  return result;
}

TEST(timers) {
  allocs_install();
  allocs_exhaust(start_timers);
  CHECK_EQ(allocs_live(), 0);
}

static void count_async(uv_async_t* handle) {
  (void) handle;
  calls++;
}

static int init_asyncs(long n) {
  static uv_async_t asyncs[MANY];
  int result = 0, made = 0;
  begin();
  allocs_fail_at(n);
  while (made < MANY && (result = uv_async_init(&loop, &asyncs[made], count_async)) == 0) made++;
  calls = 0;
  for (int i = 0; i < made; i++) CHECK_EQ(uv_async_send(&asyncs[i]), 0); /* never needs memory */
  allocs_fail_at(0);
  while (calls < made) CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  end();
  return result;
}

TEST(asyncs) {
  allocs_install();
  allocs_exhaust(init_asyncs);
  CHECK_EQ(allocs_live(), 0);
}

static void count_idle(uv_idle_t* handle) { (void) handle; }
static void count_prepare(uv_prepare_t* handle) { (void) handle; }
static void count_check(uv_check_t* handle) { (void) handle; }

static int start_watchers(long n) {
  uv_idle_t idle;
  uv_prepare_t prepare;
  uv_check_t check;
  begin();
  allocs_fail_at(n);
  CHECK_EQ(uv_idle_init(&loop, &idle), 0); /* the documentation: these always succeed */
  CHECK_EQ(uv_idle_start(&idle, count_idle), 0);
  CHECK_EQ(uv_prepare_init(&loop, &prepare), 0);
  CHECK_EQ(uv_prepare_start(&prepare, count_prepare), 0);
  CHECK_EQ(uv_check_init(&loop, &check), 0);
  CHECK_EQ(uv_check_start(&check, count_check), 0);
  CHECK_EQ(allocs.refused, 0);
  end();
  return 0;
}

TEST(idle_prepare_and_check_need_no_memory) {
  allocs_install();
  CHECK_EQ(allocs_exhaust(start_watchers), 0);
}

static void count_poll(uv_poll_t* handle, int status, int events) {
  (void) events;
  CHECK_EQ(status, 0);
  CHECK_EQ(uv_poll_stop(handle), 0);
  calls++;
}

static int start_polls(long n) {
  static uv_poll_t polls[MANY];
  static int files[MANY];
  int result = 0, opened = 0, started = 0;
  begin();
  allocs_fail_at(n);
  for (int i = 0; i < MANY && result == 0; i++) {
    files[opened++] = eventfd(1, EFD_CLOEXEC);
    result = uv_poll_init(&loop, &polls[i], files[i]);
    if (result != 0) break;
    result = uv_poll_start(&polls[i], UV_READABLE, count_poll);
    CHECK_EQ(uv_is_active((uv_handle_t*) &polls[i]) != 0, result == 0);
    started += result == 0;
  }
  allocs_fail_at(0);
  calls = 0;
  while (calls < started) uv_run(&loop, UV_RUN_NOWAIT); /* those that started work */
  end();
  while (opened > 0) close(files[--opened]);
  return result;
}

TEST(polls) {
  OURS_ONLY("the reference loses its table of files when it cannot grow");
  allocs_install();
  allocs_exhaust(start_polls);
  CHECK_EQ(allocs_live(), 0);
}

static void count_signal(uv_signal_t* handle, int signum) {
  (void) signum;
  CHECK_EQ(uv_signal_stop(handle), 0);
  calls++;
}

static int start_signals(long n) {
  static uv_signal_t signals[MANY];
  int result = 0;
  begin();
  allocs_fail_at(n);
  for (int i = 0; i < MANY && result == 0; i++) {
    result = uv_signal_init(&loop, &signals[i]);
    if (result == 0) result = uv_signal_start(&signals[i], count_signal, i % 2 ? SIGUSR1 : SIGUSR2);
  }
  end();
  return result;
}

TEST(signals) {
  NEEDS(1, 52);
  allocs_install();
  allocs_exhaust(start_signals);
  CHECK_EQ(allocs_live(), 0);
}

static void nothing(uv_work_t* req) {
  (void) req;
}

static void count_work(uv_work_t* req, int status) {
  (void) req;
  CHECK_EQ(status, 0);
  calls++;
}

/* The pool is made by the first request of the process; a child makes its own, so each attempt is a child. */
static int queue_in_child(long n) {
  int status;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    static uv_work_t reqs[MANY];
    int result = 0, queued = 0;
    begin();
    calls = 0;
    allocs_fail_at(n);
    while (queued < MANY && (result = uv_queue_work(&loop, &reqs[queued], nothing, count_work)) == 0) queued++;
    CHECK_EQ(loop.active_reqs.count, queued);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    int refused = allocs.refused != 0;
    end();
    CHECK_EQ(calls, queued);
    CHECK(result == 0 || result == UV_ENOMEM);
    uv_library_shutdown();
    CHECK_EQ(allocs_live(), 0);
    _exit(refused ? 2 : 0); /* a smaller pool instead of an error is fine */
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) != 1);
  return WEXITSTATUS(status) == 2 ? UV_ENOMEM : 0;
}

TEST(queue_work) {
  allocs_install();
  setenv("UV_THREADPOOL_SIZE", "16", 1); /* more than any table of fixed size */
  allocs_exhaust(queue_in_child);
}

static int fork_loop(long n) {
  int status;
  uv_poll_t poll;
  uv_async_t async;
  begin();
  CHECK_EQ(uv_poll_init(&loop, &poll, eventfd(1, EFD_CLOEXEC)), 0);
  CHECK_EQ(uv_poll_start(&poll, UV_READABLE, count_poll), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count_async), 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    allocs_fail_at(n);
    int result = uv_loop_fork(&loop);
    allocs_fail_at(0);
    CHECK(result == 0 || result == UV_ENOMEM);
    _exit(result == 0 ? 0 : 2);
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) != 1);
  close(poll.io_watcher.fd);
  end();
  return WEXITSTATUS(status) == 2 ? UV_ENOMEM : 0;
}

TEST(loop_fork) {
  allocs_install();
  allocs_exhaust(fork_loop);
  CHECK_EQ(allocs_live(), 0);
}

/* Running, closing and walking need no memory that could be refused: here every allocation is. */
static void refuse_all(void) {
  __atomic_store_n(&allocs.refused, 0, __ATOMIC_SEQ_CST);
  allocs.always = 1;
}

static uv_async_t async;
static uv_timer_t timer;
static uv_signal_t watcher;
static uv_poll_t poller;

static void close_all(uv_timer_t* handle) {
  (void) handle;
  uv_close((uv_handle_t*) &timer, NULL);
  uv_close((uv_handle_t*) &async, NULL);
  uv_close((uv_handle_t*) &watcher, NULL);
  uv_close((uv_handle_t*) &poller, NULL);
}

TEST(a_loop_that_is_set_up_runs_and_closes_without_memory) {
  allocs_install();
  begin();
  CHECK_EQ(uv_async_init(&loop, &async, count_async), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_signal_init(&loop, &watcher), 0);
  CHECK_EQ(uv_signal_start(&watcher, count_signal, SIGUSR1), 0);
  CHECK_EQ(uv_poll_init(&loop, &poller, eventfd(1, EFD_CLOEXEC)), 0);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, count_poll), 0);
  CHECK_EQ(uv_timer_start(&timer, close_all, 2, 0), 0);
  refuse_all();
  CHECK_EQ(uv_async_send(&async), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 3);
  CHECK_EQ(uv_loop_close(&loop), 0);
  allocs.always = 0;
  CHECK_EQ(allocs_live(), 0);
}
