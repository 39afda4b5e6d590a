/* A storm of signals that interrupt every system call and every line of the library, with handlers that do nothing and
 * with handlers that send. Nothing may be lost, nothing may deadlock. */
#include "check.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/time.h>

static uv_loop_t loop;
static uv_async_t async;
static unsigned sent, seen, interrupts;

static void just_interrupt(int signum) {
  (void) signum;
  __atomic_add_fetch(&interrupts, 1, __ATOMIC_SEQ_CST);
}

static void send_too(int signum) {
  int saved = errno;
  just_interrupt(signum);
  __atomic_add_fetch(&sent, 1, __ATOMIC_SEQ_CST);
  uv_async_send(&async);
  errno = saved;
}

/* Without SA_RESTART, so that what can fail with EINTR does. */
static void storm(void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler};
  struct itimerval every = {{0, 100}, {0, 100}};
  CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
  CHECK_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
}

static void calm(void) {
  struct itimerval never = {{0, 0}, {0, 0}};
  CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
}

static void note_seen(uv_async_t* handle) {
  (void) handle;
  seen = __atomic_load_n(&sent, __ATOMIC_SEQ_CST);
}

TEST(handlers_send_to_the_loop_they_interrupt) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, note_seen), 0);
  storm(send_too);
  while (seen < 2000) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  calm();
  while (seen < sent) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0); /* the last one too */
  check_close_loop(&loop);
}

static int stop_sending;

static void* send_in_a_thread(void* arg) {
  while (!__atomic_load_n(&stop_sending, __ATOMIC_SEQ_CST)) {
    __atomic_add_fetch(&sent, 1, __ATOMIC_SEQ_CST);
    uv_async_send(&async);
  }
  return arg;
}

TEST(handlers_send_while_threads_send) {
  pthread_t threads[2];
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, note_seen), 0);
  for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&threads[i], NULL, send_in_a_thread, NULL), 0);
  storm(send_too);
  while (__atomic_load_n(&interrupts, __ATOMIC_SEQ_CST) < 2000) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  calm();
  __atomic_store_n(&stop_sending, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 2; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  while (seen < sent) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  check_close_loop(&loop);
}

/* A bit of everything at once, each of which goes on until the storm has blown long enough. */
enum { ENOUGH = 2000 };
static uv_work_t works[4];
static uv_timer_t timer;
static uv_poll_t poller;
static uv_signal_t watcher;
static int event_file, worked, fired, polled, signalled;

static int enough(void) {
  return __atomic_load_n(&interrupts, __ATOMIC_SEQ_CST) >= ENOUGH;
}

static void nothing(uv_work_t* req) {
  (void) req;
}

static void work_on(uv_work_t* req, int status) {
  CHECK_EQ(status, 0);
  worked++;
  if (!enough()) CHECK_EQ(uv_queue_work(&loop, req, nothing, work_on), 0);
}

static void tick(uv_timer_t* handle) {
  uint64_t one = 1;
  fired++;
  CHECK_EQ(write(event_file, &one, sizeof(one)), sizeof(one));
  CHECK_EQ(raise(SIGUSR1), 0);
  if (enough()) CHECK_EQ(uv_timer_stop(handle), 0);
}

static void take(uv_poll_t* handle, int status, int events) {
  uint64_t value;
  CHECK_EQ(status, 0);
  CHECK_EQ(events, UV_READABLE);
  CHECK_EQ(read(event_file, &value, sizeof(value)), sizeof(value));
  polled++;
  if (enough()) CHECK_EQ(uv_poll_stop(handle), 0);
}

static void hear(uv_signal_t* handle, int signum) {
  (void) handle;
  CHECK_EQ(signum, SIGUSR1);
  signalled++;
}

TEST(a_loop_at_work) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  event_file = eventfd(0, EFD_CLOEXEC);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, tick, 1, 1), 0);
  CHECK_EQ(uv_poll_init(&loop, &poller, event_file), 0);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, take), 0);
  CHECK_EQ(uv_signal_init(&loop, &watcher), 0);
  CHECK_EQ(uv_signal_start(&watcher, hear, SIGUSR1), 0);
  storm(just_interrupt);
  for (int i = 0; i < 4; i++) CHECK_EQ(uv_queue_work(&loop, &works[i], nothing, work_on), 0);
  while (!enough()) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  calm();
  CHECK_EQ(uv_poll_stop(&poller), 0);
  CHECK_EQ(uv_timer_stop(&timer), 0);
  CHECK_EQ(uv_signal_stop(&watcher), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK(worked >= 4);
  CHECK(fired > 0 && polled > 0 && signalled > 0);
  check_close_loop(&loop);
}

static void put_off(uv_timer_t* handle) {
  (void) handle;
  fired++;
}

TEST(interrupted_polls_do_not_end_early) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  storm(just_interrupt);
  for (int i = 1; i <= 10; i++) {
    uint64_t start = uv_now(&loop);
    CHECK_EQ(uv_timer_start(&timer, put_off, 20, 0), 0);
    while (uv_run(&loop, UV_RUN_ONCE) != 0) {}
    CHECK_EQ(fired, i);
    CHECK(uv_now(&loop) >= start + 20);
  }
  calm();
  CHECK(interrupts > 0);
  check_close_loop(&loop);
}
