/* Signal handles: errors, one shot, several handles and loops for one signal, bursts, and the process's own handlers. */
#include "trace.h"

#include <pthread.h>

static uv_loop_t loop;
static uv_signal_t watcher, other;
static int calls;

static void count(uv_signal_t* handle, int signum) {
  CHECK_EQ(handle->signum, signum);
  calls++;
}

static void count_and_stop(uv_signal_t* handle, int signum) {
  count(handle, signum);
  CHECK_EQ(uv_signal_stop(handle), 0);
}

static void init(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_signal_init(&loop, &watcher), 0);
  CHECK_EQ(uv_signal_init(&loop, &other), 0);
}

static void (*handler_of(int signum))(int) {
  struct sigaction action;
  CHECK_EQ(sigaction(signum, NULL, &action), 0);
  return action.sa_handler;
}

TEST(states) {
  watcher.data = &calls;
  init();
  CHECK_EQ(watcher.data, &calls);
  CHECK_EQ(watcher.type, UV_SIGNAL);
  CHECK_EQ(watcher.signum, 0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &watcher), 0);
  CHECK_EQ(uv_signal_stop(&watcher), 0); /* not started */
  CHECK_EQ(uv_signal_start(&watcher, count, SIGUSR1), 0);
  CHECK_EQ(watcher.signum, SIGUSR1);
  CHECK_EQ(watcher.signal_cb, count);
  CHECK(uv_is_active((uv_handle_t*) &watcher));
  CHECK_EQ(loop.active_handles, 1);
  CHECK_EQ(uv_signal_stop(&watcher), 0);
  CHECK_EQ(watcher.signum, 0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &watcher), 0);
  CHECK_EQ(loop.active_handles, 0);
  check_close_loop(&loop);
}

TEST(impossible_signals) {
  static const int bad[] = {0, SIGKILL, SIGSTOP, 1000, -1};
  init();
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    CHECK_EQ(uv_signal_start(&watcher, count, bad[i]), UV_EINVAL);
    CHECK_EQ(uv_signal_start_oneshot(&watcher, count, bad[i]), UV_EINVAL);
    CHECK_EQ(uv_is_active((uv_handle_t*) &watcher), 0);
    CHECK_EQ(watcher.signum, 0);
  }
  check_close_loop(&loop);
}

TEST(delivers) {
  init();
  CHECK_EQ(uv_signal_start(&watcher, count_and_stop, SIGUSR1), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(calls, 0); /* in the loop, not in the handler */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

static void* send_to_process(void* arg) {
  CHECK_EQ(kill(getpid(), SIGUSR1), 0);
  return arg;
}

TEST(sent_by_another_thread) {
  pthread_t thread;
  init();
  CHECK_EQ(uv_signal_start(&watcher, count_and_stop, SIGUSR1), 0);
  CHECK_EQ(pthread_create(&thread, NULL, send_to_process, NULL), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

TEST(every_signal_of_a_burst_is_delivered) {
  init();
  CHECK_EQ(uv_signal_start(&watcher, count, SIGUSR1), 0);
  CHECK_EQ(uv_signal_start(&other, count, SIGUSR2), 0);
  for (int i = 0; i < 200; i++) CHECK_EQ(raise(i % 2 ? SIGUSR1 : SIGUSR2), 0);
  for (int turns = 0; calls < 200; turns++) {
    CHECK(turns < 200);
    CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  }
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_EQ(calls, 200);
  check_close_loop(&loop);
}

TEST(a_huge_burst_does_not_block_the_handler) {
  init();
  CHECK_EQ(uv_signal_start(&watcher, count, SIGUSR1), 0);
  for (int i = 0; i < 20000; i++) CHECK_EQ(raise(SIGUSR1), 0); /* more than any pipe holds */
  CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  CHECK(calls > 0);
  check_close_loop(&loop);
}

TEST(one_shot) {
  init();
  CHECK_EQ(uv_signal_start_oneshot(&watcher, count, SIGUSR1), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(handler_of(SIGUSR1), SIG_DFL); /* reset the moment it was received */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_is_active((uv_handle_t*) &watcher), 0);
  CHECK_EQ(watcher.signum, 0);
  CHECK_EQ(uv_signal_start_oneshot(&watcher, count, SIGUSR1), 0); /* and again */
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 2);
  check_close_loop(&loop);
}

TEST(one_shot_beside_a_lasting_one) {
  for (int order = 0; order < 2; order++) {
    calls = 0;
    init();
    if (order == 0) CHECK_EQ(uv_signal_start(&other, count, SIGUSR1), 0);
    CHECK_EQ(uv_signal_start_oneshot(&watcher, count, SIGUSR1), 0);
    if (order == 1) CHECK_EQ(uv_signal_start(&other, count, SIGUSR1), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    while (calls < 2) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
    CHECK_EQ(raise(SIGUSR1), 0); /* the handler is still there */
    while (calls < 3) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
    CHECK_EQ(uv_is_active((uv_handle_t*) &watcher), 0);
    CHECK(uv_is_active((uv_handle_t*) &other));
    check_close_loop(&loop);
  }
}

TEST(the_lasting_one_stops_and_the_one_shot_stays) {
  init();
  CHECK_EQ(uv_signal_start(&other, count, SIGUSR1), 0);
  CHECK_EQ(uv_signal_start_oneshot(&watcher, count, SIGUSR1), 0);
  CHECK_EQ(uv_signal_stop(&other), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(handler_of(SIGUSR1), SIG_DFL);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

static int second_calls;

static void count_second(uv_signal_t* handle, int signum) {
  (void) signum;
  __atomic_add_fetch(&second_calls, 1, __ATOMIC_SEQ_CST);
  CHECK_EQ(uv_signal_stop(handle), 0);
}

TEST(start_again_changes_callback_and_signal) {
  init();
  CHECK_EQ(uv_signal_start(&watcher, count, SIGUSR1), 0);
  CHECK_EQ(uv_signal_start(&watcher, count_second, SIGUSR1), 0);
  CHECK_EQ(loop.active_handles, 1);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(second_calls, 1);
  CHECK_EQ(uv_signal_start(&watcher, count, SIGUSR1), 0);
  CHECK_EQ(uv_signal_start(&watcher, count_second, SIGUSR2), 0);
  CHECK_EQ(watcher.signum, SIGUSR2);
  CHECK_EQ(handler_of(SIGUSR1), SIG_DFL); /* nobody watches it any more */
  CHECK_EQ(raise(SIGUSR2), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(second_calls, 2);
  CHECK_EQ(calls, 0);
  check_close_loop(&loop);
}

TEST(start_again_as_one_shot_keeps_what_was_caught) {
  OURS_ONLY("in the reference a handle of the same signal stays what it was, lasting");
  init();
  CHECK_EQ(uv_signal_start(&watcher, count, SIGUSR1), 0);
  for (int i = 0; i < 2; i++) CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(uv_signal_start_oneshot(&watcher, count, SIGUSR1), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_is_active((uv_handle_t*) &watcher), 0);
  CHECK_EQ(handler_of(SIGUSR1), SIG_DFL);
  check_close_loop(&loop);
}

TEST(start_again_keeps_what_was_caught) {
  init();
  CHECK_EQ(uv_signal_start(&watcher, count, SIGUSR1), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(uv_signal_start(&watcher, count_second, SIGUSR1), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(second_calls, 1);
  CHECK_EQ(calls, 0);
  check_close_loop(&loop);
}

TEST(start_again_with_an_impossible_signal) {
  static const int bad[] = {SIGKILL, SIGSTOP, 1000, -1};
  OURS_ONLY("the reference stops the handle");
  init();
  CHECK_EQ(uv_signal_start(&watcher, count_and_stop, SIGUSR1), 0);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    CHECK_EQ(uv_signal_start(&watcher, count_second, bad[i]), UV_EINVAL);
    CHECK_EQ(uv_signal_start_oneshot(&watcher, count_second, bad[i]), UV_EINVAL);
    CHECK(uv_is_active((uv_handle_t*) &watcher));
    CHECK_EQ(watcher.signum, SIGUSR1);
  }
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1); /* as it was before */
  CHECK_EQ(second_calls, 0);
  check_close_loop(&loop);
}

TEST(the_handler_of_the_process) {
  struct sigaction action;
  init();
  signal(SIGUSR1, SIG_IGN);
  CHECK_EQ(uv_signal_start(&watcher, count, SIGUSR1), 0);
  CHECK_EQ(sigaction(SIGUSR1, NULL, &action), 0);
  CHECK(action.sa_handler != SIG_IGN && action.sa_handler != SIG_DFL);
  CHECK_EQ(action.sa_flags & SA_RESTART, SA_RESTART);
  CHECK_EQ(uv_signal_start(&other, count, SIGUSR1), 0);
  CHECK_EQ(uv_signal_stop(&watcher), 0);
  CHECK_EQ(handler_of(SIGUSR1), action.sa_handler); /* somebody still watches */
  CHECK_EQ(uv_signal_stop(&other), 0);
  CHECK_EQ(handler_of(SIGUSR1), SIG_DFL);
  check_close_loop(&loop);
}

TEST(the_handler_keeps_errno) {
  init();
  CHECK_EQ(uv_signal_start(&watcher, count, SIGUSR1), 0);
  for (int i = 0; i < 20000; i++) { /* also when it cannot write */
    errno = 77;
    raise(SIGUSR1);
    CHECK_EQ(errno, 77);
  }
  check_close_loop(&loop);
}

static void count_other(uv_signal_t* handle, int signum) {
  count(handle, signum);
  CHECK_EQ(uv_signal_stop(handle == &watcher ? &other : &watcher), 0);
}

TEST(stopped_by_another_handle_of_the_same_signal) {
  init();
  CHECK_EQ(uv_signal_start(&watcher, count_other, SIGUSR1), 0);
  CHECK_EQ(uv_signal_start(&other, count_other, SIGUSR1), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

TEST(stopped_with_a_signal_on_its_way) {
  init();
  CHECK_EQ(uv_signal_start(&watcher, count, SIGUSR1), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(uv_signal_stop(&watcher), 0);
  CHECK_EQ(uv_signal_start(&other, count, SIGUSR2), 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_EQ(calls, 0);
  check_close_loop(&loop);
}

TEST(closed_with_a_signal_on_its_way) {
  init();
  watcher.data = "closed";
  CHECK_EQ(uv_signal_start(&watcher, count, SIGUSR1), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  uv_close((uv_handle_t*) &watcher, trace_close);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("closed");
  CHECK_EQ(calls, 0);
  check_close_loop(&loop);
}

static void close_self(uv_signal_t* handle, int signum) {
  count(handle, signum);
  uv_close((uv_handle_t*) handle, trace_close);
}

TEST(closes_itself_with_more_on_the_way) {
  init();
  watcher.data = "closed";
  CHECK_EQ(uv_signal_start(&watcher, close_self, SIGUSR1), 0);
  for (int i = 0; i < 5; i++) CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("closed");
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

TEST(unreferenced) {
  init();
  CHECK_EQ(uv_signal_start(&watcher, count, SIGUSR1), 0);
  uv_unref((uv_handle_t*) &watcher);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  check_close_loop(&loop);
}

TEST(many_signals) {
  uv_signal_t handles[32];
  int started = 0;
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int signum = 1; signum < 32; signum++) {
    if (signum == SIGKILL || signum == SIGSTOP || signum == SIGSEGV || signum == SIGBUS || signum == SIGFPE ||
        signum == SIGILL || signum == SIGABRT || signum == SIGTRAP)
      continue;
    CHECK_EQ(uv_signal_init(&loop, &handles[started]), 0);
    CHECK_EQ(uv_signal_start(&handles[started++], count_and_stop, signum), 0);
    CHECK_EQ(raise(signum), 0);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, started);
  check_close_loop(&loop);
}

/* Several loops in several threads watch one signal: each of them hears of it. */
enum { LOOPS = 4, ROUNDS = 25 };
static pthread_barrier_t ready;

static void* watch_in_a_loop(void* arg) {
  uv_loop_t own;
  uv_signal_t mine;
  int* heard = arg;
  CHECK_EQ(uv_loop_init(&own), 0);
  CHECK_EQ(uv_signal_init(&own, &mine), 0);
  for (int round = 0; round < ROUNDS; round++) {
    CHECK_EQ(uv_signal_start_oneshot(&mine, count_second, SIGUSR1), 0);
    pthread_barrier_wait(&ready);
    CHECK_EQ(uv_run(&own, UV_RUN_DEFAULT), 0);
    ++*heard;
    pthread_barrier_wait(&ready);
  }
  check_close_loop(&own);
  return NULL;
}

TEST(loops_in_many_threads) {
  pthread_t threads[LOOPS];
  int heard[LOOPS] = {0};
  CHECK_EQ(pthread_barrier_init(&ready, NULL, LOOPS + 1), 0);
  for (int i = 0; i < LOOPS; i++) CHECK_EQ(pthread_create(&threads[i], NULL, watch_in_a_loop, &heard[i]), 0);
  for (int round = 0; round < ROUNDS; round++) {
    pthread_barrier_wait(&ready);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    pthread_barrier_wait(&ready);
  }
  for (int i = 0; i < LOOPS; i++) {
    CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(heard[i], ROUNDS);
  }
}

/* Start and stop in many threads while signals come: nothing is lost, nothing breaks. */
static int stop_raising;

static void* raise_until_told(void* arg) {
  while (!__atomic_load_n(&stop_raising, __ATOMIC_ACQUIRE)) raise(SIGUSR1);
  return arg;
}

static void ignore(uv_signal_t* handle, int signum) {
  (void) handle;
  (void) signum;
}

static void* start_and_stop(void* arg) {
  uv_loop_t own;
  uv_signal_t mine;
  CHECK_EQ(uv_loop_init(&own), 0);
  for (int round = 0; round < 200; round++) {
    CHECK_EQ(uv_signal_init(&own, &mine), 0);
    CHECK_EQ(uv_signal_start(&mine, ignore, SIGUSR1), 0);
    CHECK(uv_run(&own, UV_RUN_NOWAIT) != 0);
    uv_close((uv_handle_t*) &mine, NULL);
    CHECK_EQ(uv_run(&own, UV_RUN_DEFAULT), 0);
  }
  CHECK_EQ(uv_loop_close(&own), 0);
  return arg;
}

TEST(start_and_stop_under_fire) {
  pthread_t threads[3], shooter;
  init();
  CHECK_EQ(uv_signal_start(&watcher, ignore, SIGUSR1), 0); /* so that the signal never kills */
  CHECK_EQ(pthread_create(&shooter, NULL, raise_until_told, NULL), 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&threads[i], NULL, start_and_stop, NULL), 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  __atomic_store_n(&stop_raising, 1, __ATOMIC_RELEASE);
  CHECK_EQ(pthread_join(shooter, NULL), 0);
  check_close_loop(&loop);
}
