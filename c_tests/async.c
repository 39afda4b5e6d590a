/* Async handles: coalescing, threads, signal handlers, closing while others send, and no lost wake. */
#include "trace.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>

static uv_loop_t loop;
static uv_async_t async, other;
static int calls;

static void count(uv_async_t* handle) {
  (void) handle;
  calls++;
}

static void count_and_close(uv_async_t* handle) {
  calls++;
  uv_close((uv_handle_t*) handle, NULL);
}

TEST(active_from_the_start) {
  memset(&async, 0xa5, sizeof(async));
  async.data = &calls;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count), 0);
  CHECK_EQ(async.data, &calls);
  CHECK_EQ(async.type, UV_ASYNC);
  CHECK_EQ(async.loop, &loop);
  CHECK_EQ(async.async_cb, count);
  CHECK(uv_is_active((uv_handle_t*) &async));
  CHECK(uv_has_ref((uv_handle_t*) &async));
  CHECK_EQ(loop.active_handles, 1);
  check_close_loop(&loop);
  CHECK_EQ(calls, 0);
}

TEST(sends_coalesce) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count), 0);
  for (int round = 1; round <= 3; round++) {
    for (int i = 0; i < 5; i++) CHECK_EQ(uv_async_send(&async), 0);
    CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
    CHECK_EQ(calls, round);
    CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
    CHECK_EQ(calls, round);
  }
  check_close_loop(&loop);
}

TEST(null_callback_wakes_the_loop) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, NULL), 0);
  CHECK_EQ(uv_async_send(&async), 0);
  CHECK(uv_run(&loop, UV_RUN_ONCE) != 0); /* does not block */
  check_close_loop(&loop);
}

TEST(unreferenced_async_does_not_hold_the_loop) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count), 0);
  uv_unref((uv_handle_t*) &async);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  check_close_loop(&loop);
}

static void send_other(uv_async_t* handle) {
  trace_async(handle);
  CHECK_EQ(uv_async_send(&other), 0);
}

TEST(send_from_a_callback) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, send_other), 0);
  CHECK_EQ(uv_async_init(&loop, &other, trace_async), 0);
  async.data = "first";
  other.data = "second";
  CHECK_EQ(uv_async_send(&async), 0);
  for (int turns = 0; strcmp(trace_text, "first second") != 0; turns++) {
    CHECK(turns < 2);
    CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  }
  check_close_loop(&loop);
}

static void stop_the_loop(uv_async_t* handle) {
  calls++;
  uv_stop(handle->loop);
}

TEST(stop_in_the_callback) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, stop_the_loop), 0);
  for (int round = 1; round <= 3; round++) {
    CHECK_EQ(uv_async_send(&async), 0);
    CHECK(uv_run(&loop, UV_RUN_DEFAULT) != 0);
    CHECK_EQ(calls, round);
  }
  check_close_loop(&loop);
}

static void* send_once(void* handle) {
  CHECK_EQ(uv_async_send(handle), 0);
  return NULL;
}

TEST(send_from_another_thread) {
  pthread_t thread;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count_and_close), 0);
  CHECK_EQ(pthread_create(&thread, NULL, send_once, &async), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void send_in_handler(int signum) {
  (void) signum;
  uv_async_send(&async);
}

TEST(send_from_a_signal_handler) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count_and_close), 0);
  signal(SIGUSR1, send_in_handler);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* Many senders, one receiver that ends only when it has seen the last of what each sent: a lost wake hangs. */
enum { SENDERS = 6, SENDS = 20000 };
static unsigned sent[SENDERS];

static void* send_many(void* arg) {
  unsigned* mine = arg;
  for (int i = 0; i < SENDS; i++) {
    __atomic_add_fetch(mine, 1, __ATOMIC_RELEASE);
    CHECK_EQ(uv_async_send(&async), 0);
  }
  return NULL;
}

static void close_when_all_are_seen(uv_async_t* handle) {
  calls++;
  for (int i = 0; i < SENDERS; i++)
    if (__atomic_load_n(&sent[i], __ATOMIC_ACQUIRE) < SENDS) return;
  if (!uv_is_closing((uv_handle_t*) handle)) uv_close((uv_handle_t*) handle, NULL);
}

TEST(no_lost_wake_from_many_threads) {
  pthread_t threads[SENDERS];
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, close_when_all_are_seen), 0);
  for (int i = 0; i < SENDERS; i++) CHECK_EQ(pthread_create(&threads[i], NULL, send_many, &sent[i]), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  for (int i = 0; i < SENDERS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  CHECK(calls >= 1 && calls <= SENDERS * SENDS);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* Two loops that wake each other in turn: every send finds the other asleep or about to be. */
enum { ROUNDS = 20000 };
static uv_loop_t far_loop;
static uv_async_t far_async;
static int far_calls;

static void pong(uv_async_t* handle) {
  (void) handle;
  int last = ++far_calls == ROUNDS;
  CHECK_EQ(uv_async_send(&async), 0);
  if (last) uv_close((uv_handle_t*) &far_async, NULL);
}

static void ping(uv_async_t* handle) {
  if (++calls == ROUNDS) uv_close((uv_handle_t*) handle, NULL);
  else CHECK_EQ(uv_async_send(&far_async), 0);
}

static void* run_far_loop(void* arg) {
  CHECK_EQ(uv_run(&far_loop, UV_RUN_DEFAULT), 0);
  return arg;
}

TEST(ping_pong_between_loops) {
  pthread_t thread;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_loop_init(&far_loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, ping), 0);
  CHECK_EQ(uv_async_init(&far_loop, &far_async, pong), 0);
  CHECK_EQ(pthread_create(&thread, NULL, run_far_loop, NULL), 0);
  CHECK_EQ(uv_async_send(&far_async), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_EQ(calls, ROUNDS);
  CHECK_EQ(far_calls, ROUNDS);
  CHECK_EQ(uv_loop_close(&loop), 0);
  CHECK_EQ(uv_loop_close(&far_loop), 0);
}

/* Many handles: everyone that was sent runs once, no other does. */
enum { MANY = 2000 };
static uv_async_t many[MANY];
static int seen[MANY];

static void mark_seen(uv_async_t* handle) {
  seen[handle - many]++;
  calls++;
}

static void* send_odd_ones(void* arg) {
  for (int i = 1; i < MANY; i += 2) CHECK_EQ(uv_async_send(&many[i]), 0);
  return arg;
}

TEST(many_handles) {
  pthread_t thread;
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < MANY; i++) CHECK_EQ(uv_async_init(&loop, &many[i], mark_seen), 0);
  CHECK_EQ(loop.active_handles, MANY);
  CHECK_EQ(pthread_create(&thread, NULL, send_odd_ones, NULL), 0);
  while (calls < MANY / 2) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  for (int i = 0; i < MANY; i++) CHECK_EQ(seen[i], i % 2);
  check_close_loop(&loop);
}

static void close_them_all(uv_async_t* handle) {
  (void) handle;
  calls++;
  for (int i = 0; i < 100; i++) uv_close((uv_handle_t*) &many[i], NULL);
}

TEST(the_first_of_many_pending_closes_all) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < 100; i++) CHECK_EQ(uv_async_init(&loop, &many[i], close_them_all), 0);
  for (int i = 0; i < 100; i++) CHECK_EQ(uv_async_send(&many[i]), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(pending_at_close_is_not_called) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count), 0);
  CHECK_EQ(uv_async_send(&async), 0);
  uv_close((uv_handle_t*) &async, NULL);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void add_another(uv_async_t* handle) {
  (void) handle;
  if (++calls == 50) return;
  CHECK_EQ(uv_async_init(&loop, &many[calls], add_another), 0);
  CHECK_EQ(uv_async_send(&many[calls]), 0);
}

TEST(init_and_send_in_a_callback) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &many[0], add_another), 0);
  CHECK_EQ(uv_async_send(&many[0]), 0);
  while (calls < 50) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  check_close_loop(&loop);
}

/* Threads go on sending while the loop closes the handle; its memory stays until they have stopped. */
static int stop_sending, started;

static void* send_until_told(void* handle) {
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  while (!__atomic_load_n(&stop_sending, __ATOMIC_SEQ_CST)) uv_async_send(handle);
  return NULL;
}

static void must_not_be_closing(uv_async_t* handle) {
  CHECK(!uv_is_closing((uv_handle_t*) handle));
  calls++;
}

TEST(close_while_others_send) {
  pthread_t threads[3];
  for (int round = 0; round < 30; round++) {
    started = stop_sending = calls = 0;
    CHECK_EQ(uv_loop_init(&loop), 0);
    CHECK_EQ(uv_async_init(&loop, &async, must_not_be_closing), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&threads[i], NULL, send_until_told, &async), 0);
    while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < 3) sched_yield();
    while (calls < 10) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
    uv_close((uv_handle_t*) &async, NULL);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    __atomic_store_n(&stop_sending, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 3; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(uv_loop_close(&loop), 0);
  }
}

/* The usual hand-over at the end: the thread's last send is its last touch, then the loop frees the handle. */
static void* last_send(void* handle) {
  CHECK_EQ(uv_async_send(handle), 0);
  return NULL;
}

static void free_handle(uv_handle_t* handle) {
  memset(handle, 0xa5, sizeof(uv_async_t));
  free(handle);
}

static void close_and_free(uv_async_t* handle) {
  calls++;
  uv_close((uv_handle_t*) handle, free_handle);
}

TEST(freed_right_after_the_last_send) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int round = 0; round < 300; round++) {
    pthread_t thread;
    uv_async_t* handle = malloc(sizeof(*handle));
    CHECK_EQ(uv_async_init(&loop, handle, close_and_free), 0);
    CHECK_EQ(pthread_create(&thread, NULL, last_send, handle), 0);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0); /* frees it while the sender may still be on its way out */
    CHECK_EQ(pthread_join(thread, NULL), 0);
  }
  CHECK_EQ(calls, 300);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(a_send_outside_uv_run_shows_on_the_backend_fd) {
  struct pollfd backend = {.events = POLLIN};
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count), 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  backend.fd = uv_backend_fd(&loop);
  for (int round = 1; round <= 3; round++) {
    CHECK_EQ(poll(&backend, 1, 0), 0);
    CHECK_EQ(uv_async_send(&async), 0);
    CHECK_EQ(poll(&backend, 1, -1), 1);
    CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
    CHECK_EQ(calls, round);
  }
  CHECK_EQ(poll(&backend, 1, 0), 0);
  check_close_loop(&loop);
}

static void pending_clear(uv_async_t* handle) {
  CHECK_EQ(handle->pending & 1, 0); /* taken back before the callback, so that a send from now on counts */
  calls++;
}

TEST(pending_is_visible) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, pending_clear), 0);
  CHECK_EQ(async.pending, 0);
  CHECK_EQ(uv_async_send(&async), 0);
  CHECK(async.pending != 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(async.pending, 0);
  check_close_loop(&loop);
}
