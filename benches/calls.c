/* Posted calls, and workers.
 *
 *   oneway [PRODUCERS]   threads that post calls to one loop: 2,000,000 in all, with memory that circulates between them
 *   copy [PRODUCERS]     the same with calls that the library allocates
 *   pingpong             two loops in two threads call each other
 *   sync                 a thread has a loop run a function, and waits for it
 *   start                a worker from uvx_worker_start to its first message, and to its exit callback */
#include "bench.h"

#include <sched.h>
#include <uvx.h>

enum { CALLS = 2000000, ROOM = 4096 };

static bench_run_t run;
static pthread_barrier_t gate;
static uv_loop_t loop;
static uvx_mailbox_t *mailbox;
static unsigned producers, copying;
static uint64_t expected, arrived;

static uvx_mailbox_t *mailbox_of(uv_loop_t *of) {
  uvx_mailbox_t *made;
  BENCH_CHECK(uvx_loop_mailbox(of, &made) == 0);
  return made;
}

/* one way */

typedef struct {
  uvx_loop_call_t call;
  atomic_int busy;
} slot_t;

static void count(void) {
  if (++arrived == expected) uv_stop(&loop);
}

static void on_call(uvx_loop_call_t *call, int status) {
  (void)status;
  atomic_store_explicit(&((slot_t *)call)->busy, 0, memory_order_release);
  count();
}

static void on_copy(void *arg, int status) {
  (void)arg, (void)status;
  count();
}

static void *produce(void *unused) {
  slot_t *slots = calloc(ROOM, sizeof *slots);
  (void)unused;
  BENCH_CHECK(slots != NULL);
  pthread_barrier_wait(&gate);
  for (unsigned i = 0; i < CALLS / producers; i++) {
    slot_t *slot = &slots[i % ROOM];
    if (copying) {
      BENCH_CHECK(uvx_mailbox_call_copy(mailbox, on_copy, NULL, 0) == 0);
      continue;
    }
    while (atomic_load_explicit(&slot->busy, memory_order_acquire)) sched_yield();
    atomic_store_explicit(&slot->busy, 1, memory_order_relaxed);
    BENCH_CHECK(uvx_mailbox_call(mailbox, &slot->call, on_call, 0) == 0);
  }
  pthread_barrier_wait(&gate); /* stays alive until its CPU time is counted */
  free(slots);
  return NULL;
}

static void oneway(const char *name) {
  pthread_t threads[16];
  uv_async_t keeper;
  BENCH_CHECK(producers >= 1 && producers <= 16 && uv_loop_init(&loop) == 0);
  BENCH_CHECK(uv_async_init(&loop, &keeper, NULL) == 0);
  mailbox = mailbox_of(&loop);
  expected = CALLS / producers * producers;
  pthread_barrier_init(&gate, NULL, producers + 1);
  for (unsigned i = 0; i < producers; i++) BENCH_CHECK(pthread_create(&threads[i], NULL, produce, NULL) == 0);
  bench_begin(&run);
  pthread_barrier_wait(&gate);
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end(&run);
  pthread_barrier_wait(&gate);
  for (unsigned i = 0; i < producers; i++) pthread_join(threads[i], NULL);
  uv_close((uv_handle_t *)&keeper, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  uvx_mailbox_release(mailbox);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  char more[64];
  snprintf(more, sizeof more, "ns=%.1f", (double)run.wall_ns / (double)arrived);
  bench_print(name, &run, arrived, more);
}

/* ping-pong and waiting */

static uv_loop_t other;
static uvx_mailbox_t *there;
static uvx_loop_call_t ball;

static void pong(uvx_loop_call_t *call, int status);

static void ping(uvx_loop_call_t *call, int status) {
  BENCH_CHECK(status == 0);
  arrived++;
  if (atomic_load_explicit(&bench_over, memory_order_relaxed))
    uv_stop(&loop);
  else
    BENCH_CHECK(uvx_mailbox_call(there, call, pong, 0) == 0);
}

static void pong(uvx_loop_call_t *call, int status) {
  BENCH_CHECK(status == 0);
  BENCH_CHECK(uvx_mailbox_call(mailbox, call, ping, 0) == 0);
}

static void stop_other(uvx_loop_call_t *call, int status) {
  (void)call, (void)status;
  uv_stop(&other);
}

static void *other_thread(void *unused) {
  uv_async_t keeper;
  (void)unused;
  BENCH_CHECK(uv_loop_init(&other) == 0 && uv_async_init(&other, &keeper, NULL) == 0);
  there = mailbox_of(&other);
  pthread_barrier_wait(&gate);
  uv_run(&other, UV_RUN_DEFAULT);
  uv_close((uv_handle_t *)&keeper, NULL);
  uv_run(&other, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&other) == 0);
  return NULL;
}

static void nothing(void *arg, int status) {
  (void)status;
  ++*(uint64_t *)arg;
}

static void against_other(const char *name, int waits) {
  pthread_t thread;
  uv_async_t keeper;
  BENCH_CHECK(uv_loop_init(&loop) == 0 && uv_async_init(&loop, &keeper, NULL) == 0);
  mailbox = mailbox_of(&loop);
  pthread_barrier_init(&gate, NULL, 2);
  BENCH_CHECK(pthread_create(&thread, NULL, other_thread, NULL) == 0);
  pthread_barrier_wait(&gate);
  bench_begin_bounded(&run);
  if (waits) {
    while (!atomic_load_explicit(&bench_over, memory_order_relaxed))
      BENCH_CHECK(uvx_mailbox_call_sync(there, nothing, &arrived, UVX_FOREVER) == 0);
  } else {
    BENCH_CHECK(uvx_mailbox_call(there, &ball, pong, 0) == 0);
    uv_run(&loop, UV_RUN_DEFAULT);
  }
  bench_end(&run);
  BENCH_CHECK(uvx_mailbox_call(there, &ball, stop_other, 0) == 0);
  pthread_join(thread, NULL);
  uvx_mailbox_release(there);
  uvx_mailbox_release(mailbox);
  uv_close((uv_handle_t *)&keeper, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  char more[64];
  snprintf(more, sizeof more, "us=%.2f", (double)run.wall_ns / 1e3 / (double)arrived);
  bench_print(name, &run, arrived, more);
}

/* workers */

static bench_samples_t first_messages, exits;
static uint64_t started;

static int say_hello(uvx_worker_ctx_t *ctx, void *unused) {
  uvx_message_desc_t desc;
  (void)unused;
  memset(&desc, 0, sizeof desc);
  desc.size = sizeof desc;
  return uvx_message_port_post(uvx_worker_ctx_port(ctx), &desc);
}

static void on_hello(uvx_message_port_t *port, uvx_message_t *message) {
  (void)port, (void)message;
  bench_sample(&first_messages, bench_now_ns() - started);
}

static void start_worker(void);

static void on_exit_of_worker(uvx_worker_t *worker, const uvx_worker_exit_t *result) {
  (void)worker;
  BENCH_CHECK(result->reason == UVX_WORKER_RETURNED && result->code == 0);
  bench_sample(&exits, bench_now_ns() - started);
  arrived++;
  if (!atomic_load_explicit(&bench_over, memory_order_relaxed)) start_worker();
}

static void start_worker(void) {
  uvx_worker_t *worker;
  started = bench_now_ns();
  BENCH_CHECK(uvx_worker_start(&loop, &worker, say_hello, NULL, on_exit_of_worker) == 0);
  BENCH_CHECK(uvx_message_port_attach(&loop, uvx_worker_port(worker), on_hello, NULL) == 0);
  BENCH_CHECK(uvx_message_port_start(uvx_worker_port(worker)) == 0);
}

static void start(void) {
  char hello[96], whole[96], more[256];
  BENCH_CHECK(uv_loop_init(&loop) == 0);
  bench_begin_bounded(&run);
  start_worker();
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end(&run);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  bench_percentiles(&first_messages, hello, sizeof hello);
  bench_percentiles(&exits, whole, sizeof whole);
  snprintf(more, sizeof more, "us=%.1f %s", (double)run.wall_ns / 1e3 / (double)arrived, hello);
  bench_print("calls_worker_first_message", &run, arrived, more);
  bench_print("calls_worker_exit", &run, arrived, whole);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  char name[64];
  copying = strcmp(what, "copy") == 0;
  if (strcmp(what, "oneway") == 0 || copying) {
    producers = bench_argument(argc, argv, 2, 1);
    snprintf(name, sizeof name, "calls_%s_%u", what, producers);
    oneway(name);
  } else if (strcmp(what, "pingpong") == 0) {
    against_other("calls_pingpong", 0);
  } else if (strcmp(what, "sync") == 0) {
    against_other("calls_sync", 1);
  } else if (strcmp(what, "start") == 0) {
    start();
  } else {
    return bench_usage("calls oneway [PRODUCERS] | copy [PRODUCERS] | pingpong | sync | start");
  }
  return 0;
}
