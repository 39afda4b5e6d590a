/* The loop itself: its life, its struct, its run modes, stop, alive, now, options, and what uv_backend_timeout says. */
#include "self.h"
#include "trace.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>

static uv_loop_t loop;
static int calls;

static void count_timer(uv_timer_t* handle) {
  (void) handle;
  calls++;
}

static void stop_timer(uv_timer_t* handle) {
  calls++;
  uv_stop(handle->loop);
}

static void nothing(uv_work_t* req) {
  (void) req;
}

static void count_work(uv_work_t* req, int status) {
  (void) req;
  CHECK_EQ(status, 0);
  calls++;
}

TEST(init_fills_the_struct) {
  char link[64], target[64] = "";
  memset(&loop, 0xa5, sizeof(loop));
  loop.data = &calls;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(loop.data, &calls);
  CHECK_EQ(loop.active_handles, 0);
  CHECK_EQ(loop.active_reqs.count, 0);
  CHECK_EQ(loop.stop_flag, 0);
  CHECK_EQ(uv_backend_fd(&loop), loop.backend_fd);
  CHECK(fcntl(loop.backend_fd, F_GETFD) & FD_CLOEXEC);
  snprintf(link, sizeof(link), "/proc/self/fd/%d", loop.backend_fd);
  CHECK(readlink(link, target, sizeof(target) - 1) > 0);
  CHECK_STR(target, "anon_inode:[eventpoll]");
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(size_and_data) {
  CHECK_EQ(uv_loop_size(), sizeof(uv_loop_t));
  CHECK_EQ(uv_loop_init(&loop), 0);
  uv_loop_set_data(&loop, &calls);
  CHECK_EQ(loop.data, &calls);
  loop.data = &loop;
  CHECK_EQ(uv_loop_get_data(&loop), &loop);
  check_close_loop(&loop);
}

TEST(fresh_loop_has_nothing_to_do) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(uv_backend_timeout(&loop), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_ONCE), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(close_gives_files_back) {
  int before = self_open_files();
  uv_signal_t signal;
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(uv_loop_init(&loop), 0);
    CHECK_EQ(uv_signal_init(&loop, &signal), 0);
    check_close_loop(&loop);
    if (i == 0) before = self_open_files(); /* what the process opens once for all loops */
  }
  CHECK_EQ(self_open_files(), before);
}

TEST(all_its_files_are_cloexec) {
  uv_async_t async;
  uv_signal_t signal;
  int before[256] = {0};
  for (int fd = 0; fd < 256; fd++) before[fd] = fcntl(fd, F_GETFD) >= 0;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, NULL), 0);
  CHECK_EQ(uv_signal_init(&loop, &signal), 0);
  for (int fd = 0; fd < 256; fd++)
    if (!before[fd] && fcntl(fd, F_GETFD) >= 0) CHECK_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  check_close_loop(&loop);
}

TEST(close_is_busy_with_open_handles) {
  uv_timer_t timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  CHECK_EQ(uv_timer_start(&timer, count_timer, 0, 0), 0); /* still usable */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  uv_close((uv_handle_t*) &timer, NULL);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY); /* its close callback has not run */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(close_is_busy_with_requests) {
  uv_work_t work;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_queue_work(&loop, &work, nothing, count_work), 0);
  CHECK_EQ(loop.active_reqs.count, 1);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(loop.active_reqs.count, 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(default_loop_lives_again) {
  uv_timer_t timer;
  uv_loop_t* first = uv_default_loop();
  CHECK(first != NULL);
  CHECK_EQ(uv_default_loop(), first);
  for (int round = 0; round < 3; round++) {
    CHECK(uv_default_loop() != NULL);
    CHECK_EQ(uv_timer_init(uv_default_loop(), &timer), 0);
    CHECK_EQ(uv_timer_start(&timer, count_timer, 0, 0), 0);
    CHECK_EQ(uv_run(uv_default_loop(), UV_RUN_DEFAULT), 0);
    check_close_loop(uv_default_loop());
  }
  CHECK_EQ(calls, 3);
}

TEST(new_and_delete) {
  uv_timer_t timer;
  uv_loop_t* made = uv_loop_new();
  CHECK(made != NULL);
  CHECK_EQ(uv_timer_init(made, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, count_timer, 0, 0), 0);
  CHECK_EQ(uv_run(made, UV_RUN_DEFAULT), 0);
  uv_close((uv_handle_t*) &timer, NULL);
  CHECK_EQ(uv_run(made, UV_RUN_DEFAULT), 0);
  uv_loop_delete(made);
  uv_loop_delete(uv_default_loop()); /* not from the heap, and may be deleted all the same */
  CHECK(uv_default_loop() != NULL);
  check_close_loop(uv_default_loop());
  CHECK_EQ(calls, 1);
}

TEST(run_modes) {
  uv_timer_t soon, later;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &soon), 0);
  CHECK_EQ(uv_timer_init(&loop, &later), 0);
  CHECK_EQ(uv_timer_start(&soon, count_timer, 1, 0), 0);
  CHECK_EQ(uv_timer_start(&later, count_timer, 100000, 0), 0);
  CHECK(uv_run(&loop, UV_RUN_ONCE) != 0); /* blocks for the first, leaves the second */
  CHECK_EQ(calls, 1);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_timer_stop(&later), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 0);
  CHECK_EQ(uv_timer_start(&soon, count_timer, 0, 0), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_ONCE), 0); /* nothing left */
  CHECK_EQ(calls, 2);
  check_close_loop(&loop);
}

TEST(stop_in_a_callback) {
  uv_timer_t timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, stop_timer, 0, 1), 0);
  for (int round = 1; round <= 3; round++) {
    CHECK(uv_run(&loop, UV_RUN_DEFAULT) != 0);
    CHECK_EQ(calls, round);
    CHECK_EQ(loop.stop_flag, 0); /* the run takes it back */
  }
  check_close_loop(&loop);
}

TEST(stop_with_nothing_left_returns_zero) {
  uv_timer_t timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, stop_timer, 0, 0), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_ONCE), 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

TEST(stop_before_run_runs_nothing) {
  NEEDS(1, 45); /* before, due timers ran once */
  uv_timer_t timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, count_timer, 0, 0), 0);
  uv_stop(&loop);
  CHECK_EQ(loop.stop_flag, 1);
  CHECK_EQ(uv_backend_timeout(&loop), 0);
  CHECK(uv_run(&loop, UV_RUN_DEFAULT) != 0);
  CHECK_EQ(calls, 0);
  CHECK_EQ(loop.stop_flag, 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

TEST(stop_flag_may_be_written) {
  uv_timer_t timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, count_timer, 0, 0), 0);
  uv_stop(&loop);
  loop.stop_flag = 0; /* as programs do that enter the loop after a stop */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

static void stop_prepare(uv_prepare_t* handle) {
  trace("prepare");
  uv_stop(handle->loop);
}

TEST(stop_ends_the_turn_without_blocking) {
  uv_prepare_t prepare;
  uv_check_t check;
  uv_timer_t timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, count_timer, 1000000, 0), 0);
  CHECK_EQ(uv_prepare_init(&loop, &prepare), 0);
  CHECK_EQ(uv_prepare_start(&prepare, stop_prepare), 0);
  CHECK_EQ(uv_check_init(&loop, &check), 0);
  CHECK_EQ(uv_check_start(&check, trace_check), 0);
  check.data = "check";
  CHECK(uv_run(&loop, UV_RUN_DEFAULT) != 0);
  CHECK_TRACE("prepare check");
  CHECK_EQ(calls, 0);
  check_close_loop(&loop);
}

TEST(alive) {
  uv_timer_t timer;
  uv_work_t work;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0); /* not active */
  CHECK_EQ(uv_timer_start(&timer, count_timer, 1000000, 0), 0);
  CHECK(uv_loop_alive(&loop));
  uv_unref((uv_handle_t*) &timer);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(uv_queue_work(&loop, &work, nothing, count_work), 0);
  CHECK(uv_loop_alive(&loop));
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  uv_close((uv_handle_t*) &timer, NULL);
  CHECK(uv_loop_alive(&loop)); /* closing, though unreferenced */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* One turn, in which the loop's own files go to the poller: before it uv_backend_timeout may ask for a run with 0. */
static void settle(void) {
  loop.active_handles++;
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  loop.active_handles--;
}

TEST(alive_by_the_counts_a_program_writes) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  settle();
  loop.active_handles++;
  CHECK(uv_loop_alive(&loop));
  CHECK_EQ(uv_backend_timeout(&loop), -1);
  loop.active_handles--;
  loop.active_reqs.count++;
  CHECK(uv_loop_alive(&loop));
  CHECK_EQ(uv_backend_timeout(&loop), -1);
  loop.active_reqs.count--;
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* Burns time until the clock has passed that many milliseconds. */
static void pass(uint64_t milliseconds) {
  uint64_t end = uv_hrtime() + milliseconds * 1000000;
  while (uv_hrtime() < end) sched_yield();
}

TEST(now_is_cached) {
  uint64_t start;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK(uv_now(&loop) * 1000000 <= uv_hrtime());
  start = uv_now(&loop);
  CHECK_EQ(start, loop.time);
  pass(3);
  CHECK_EQ(uv_now(&loop), start);
  uv_update_time(&loop);
  CHECK(uv_now(&loop) >= start + 3);
  start = uv_now(&loop);
  pass(3);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 0);
  CHECK(uv_now(&loop) >= start + 3); /* even a run with nothing to do looks at the clock */
  check_close_loop(&loop);
}

TEST(backend_timeout_of_timers) {
  uv_timer_t timer, other;
  CHECK_EQ(uv_loop_init(&loop), 0);
  settle();
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_init(&loop, &other), 0);
  CHECK_EQ(uv_backend_timeout(&loop), 0);
  static const uint64_t due[] = {0, 1, 2, 63, 64, 65, 999, 4096, 100000, 86400000, INT_MAX - 1, INT_MAX};
  for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++) {
    CHECK_EQ(uv_timer_start(&timer, count_timer, due[i], 0), 0);
    CHECK_EQ(uv_backend_timeout(&loop), due[i]);
  }
  CHECK_EQ(uv_timer_start(&timer, count_timer, (uint64_t) INT_MAX + 1, 0), 0);
  CHECK_EQ(uv_backend_timeout(&loop), INT_MAX);
  CHECK_EQ(uv_timer_start(&timer, count_timer, UINT64_MAX, 0), 0);
  CHECK_EQ(uv_backend_timeout(&loop), INT_MAX);
  CHECK_EQ(uv_timer_start(&other, count_timer, 5000, 0), 0);
  CHECK_EQ(uv_backend_timeout(&loop), 5000);
  CHECK_EQ(uv_timer_stop(&other), 0);
  CHECK_EQ(uv_backend_timeout(&loop), INT_MAX);
  CHECK_EQ(uv_timer_stop(&timer), 0);
  CHECK_EQ(uv_backend_timeout(&loop), 0);
  check_close_loop(&loop);
}

TEST(backend_timeout_follows_now) {
  uv_timer_t timer;
  uint64_t start;
  CHECK_EQ(uv_loop_init(&loop), 0);
  settle();
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, count_timer, 100000, 0), 0);
  start = uv_now(&loop);
  pass(3);
  CHECK_EQ(uv_backend_timeout(&loop), 100000);
  uv_update_time(&loop);
  CHECK_EQ(uv_backend_timeout(&loop), 100000 - (int) (uv_now(&loop) - start));
  CHECK_EQ(uv_timer_start(&timer, count_timer, 1, 0), 0);
  pass(3);
  uv_update_time(&loop);
  CHECK_EQ(uv_backend_timeout(&loop), 0); /* overdue */
  check_close_loop(&loop);
}

TEST(backend_timeout_of_other_handles) {
  uv_async_t async;
  uv_timer_t timer;
  uv_idle_t idle;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, NULL), 0);
  settle();
  CHECK_EQ(uv_backend_timeout(&loop), -1);
  uv_unref((uv_handle_t*) &async);
  CHECK_EQ(uv_backend_timeout(&loop), 0); /* the loop would end */
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, count_timer, 700, 0), 0);
  uv_unref((uv_handle_t*) &timer);
  CHECK_EQ(uv_backend_timeout(&loop), 0);
  uv_ref((uv_handle_t*) &async);
  CHECK_EQ(uv_backend_timeout(&loop), 700); /* an unreferenced timer fires all the same */
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  CHECK_EQ(uv_backend_timeout(&loop), 700);
  CHECK_EQ(uv_idle_start(&idle, trace_idle), 0);
  CHECK_EQ(uv_backend_timeout(&loop), 0);
  CHECK_EQ(uv_idle_stop(&idle), 0);
  CHECK_EQ(uv_backend_timeout(&loop), 700);
  uv_stop(&loop);
  CHECK_EQ(uv_backend_timeout(&loop), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_close((uv_handle_t*) &idle, NULL);
  CHECK_EQ(uv_backend_timeout(&loop), 0);
  check_close_loop(&loop);
}

TEST(configure) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_loop_configure(&loop, UV_LOOP_BLOCK_SIGNAL, SIGPROF), 0);
  CHECK_EQ(uv_loop_configure(&loop, UV_LOOP_BLOCK_SIGNAL, SIGUSR1), UV_EINVAL);
  CHECK_EQ(uv_loop_configure(&loop, UV_LOOP_BLOCK_SIGNAL, 0), UV_EINVAL);
  CHECK_EQ(uv_loop_configure(&loop, UV_METRICS_IDLE_TIME), 0);
  CHECK_EQ(uv_loop_configure(&loop, (uv_loop_option) 77), UV_ENOSYS);
  CHECK_EQ(uv_loop_configure(&loop, (uv_loop_option) -1), UV_ENOSYS);
  check_close_loop(&loop);
}

/* Whether a thread of ours has SIGPROF blocked, as the system sees it. */
static int blocks_sigprof(pid_t thread) {
  char path[64], line[128];
  unsigned long long mask = 0;
  FILE* file;
  snprintf(path, sizeof(path), "/proc/self/task/%d/status", thread);
  file = fopen(path, "r");
  CHECK(file != NULL);
  while (fgets(line, sizeof(line), file) != NULL) sscanf(line, "SigBlk: %llx", &mask);
  fclose(file);
  return (mask >> (SIGPROF - 1) & 1) != 0;
}

static void* wake_once_blocked(void* async) {
  while (!blocks_sigprof(getpid())) sched_yield();
  CHECK_EQ(uv_async_send(async), 0);
  return NULL;
}

static void close_async(uv_async_t* handle) {
  uv_close((uv_handle_t*) handle, NULL);
}

TEST(configured_signal_is_blocked_while_polling) {
  uv_async_t async;
  pthread_t thread;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_loop_configure(&loop, UV_LOOP_BLOCK_SIGNAL, SIGPROF), 0);
  CHECK_EQ(uv_async_init(&loop, &async, close_async), 0);
  CHECK_EQ(blocks_sigprof(getpid()), 0);
  CHECK_EQ(pthread_create(&thread, NULL, wake_once_blocked, &async), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_EQ(blocks_sigprof(getpid()), 0);
  check_close_loop(&loop);
}

static void* run_a_loop(void* arg) {
  uv_loop_t own;
  uv_timer_t timer;
  int* fired = arg;
  for (int round = 0; round < 50; round++) {
    CHECK_EQ(uv_loop_init(&own), 0);
    CHECK_EQ(uv_timer_init(&own, &timer), 0);
    CHECK_EQ(uv_timer_start(&timer, (uv_timer_cb) close_async, 0, 0), 0);
    CHECK_EQ(uv_run(&own, UV_RUN_DEFAULT), 0);
    CHECK_EQ(uv_loop_close(&own), 0);
    ++*fired;
  }
  return NULL;
}

TEST(loops_in_many_threads) {
  pthread_t threads[8];
  int fired[8] = {0};
  for (int i = 0; i < 8; i++) CHECK_EQ(pthread_create(&threads[i], NULL, run_a_loop, &fired[i]), 0);
  for (int i = 0; i < 8; i++) {
    CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(fired[i], 50);
  }
}

TEST(library_shutdown) {
  uv_work_t work;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_queue_work(&loop, &work, nothing, count_work), 0);
  check_close_loop(&loop);
  CHECK_EQ(calls, 1);
  uv_library_shutdown(); /* and once more when the process ends */
}

TEST(library_shutdown_before_any_use) {
  uv_library_shutdown();
}
