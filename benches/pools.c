/* Pools of the extension, on this library alone, against uv_queue_work on the same.
 *
 *   latency WHAT [WORK]      one at a time; p50 and p99 are from the post to the first instruction of the work
 *   many WHAT [WORK] [POOL]  64 in flight on POOL (4) threads
 *   posters WHAT [N]         N (2) threads post 1000 at a time and wait for them; nothing comes back to a loop
 *   delayed                  how late tasks run that are delayed by 1 ms; posting and cancelling one among 10,000
 *
 * WHAT is queue (uv_queue_work), from (uvx_queue_work_from), pool, or runner (a task and a posted call back). */
#include "bench.h"

#include <sched.h>
#include <uvx.h>

enum { BATCH = 1000 };

static bench_series_t series;
static bench_samples_t latencies;
static uint64_t work_length;
static _Atomic uint64_t posted_at;
static uvx_pool_t *pool;
static uvx_task_runner_t *runner;
static uv_loop_t loop;
static uvx_mailbox_t *mailbox;
static char name[64];

/* Everything that may be posted. */
typedef struct {
  uv_work_t req;
  uvx_pool_work_t work;
  uvx_task_t task;
} item_t;

typedef void (*post_t)(item_t *item);

static post_t post;

static void post_now(item_t *item) {
  atomic_store_explicit(&posted_at, bench_now_ns(), memory_order_relaxed);
  post(item);
}

static void note_latency(void) {
  bench_sample(&latencies, bench_now_ns() - atomic_load_explicit(&posted_at, memory_order_relaxed));
}

/* One at a time, or many that each come back to the loop. */
static int one_at_a_time;

static void work_now(void) {
  if (one_at_a_time) note_latency();
  bench_compute(work_length);
}

static void after(item_t *item) {
  if (bench_completed(&series, &latencies)) post_now(item);
}

static void req_work(uv_work_t *req) { (void)req, work_now(); }
static void pool_work(uvx_pool_work_t *work) { (void)work, work_now(); }

static void req_after(uv_work_t *req, int status) {
  BENCH_CHECK(status == 0);
  after(req->data);
}

static void pool_after(uvx_pool_work_t *work, int status) {
  BENCH_CHECK(status == 0);
  after(work->data);
}

static void post_queue(item_t *item) { BENCH_CHECK(uv_queue_work(&loop, &item->req, req_work, req_after) == 0); }

static void post_from(item_t *item) {
  BENCH_CHECK(uvx_queue_work_from(mailbox, &item->req, req_work, req_after) == 0);
}

static void post_pool(item_t *item) {
  BENCH_CHECK(uvx_pool_queue(pool, &item->work, pool_work, UVX_PRIORITY_NORMAL, mailbox, pool_after) == 0);
}

/* A task comes back by a posted call. */
static void task_after(void *item, int status) {
  BENCH_CHECK(status == 0);
  after(item);
}

static void task_work(uvx_task_t *task, int status) {
  BENCH_CHECK(status == 0);
  work_now();
  BENCH_CHECK(uvx_mailbox_call_copy(mailbox, task_after, task->data, UVX_CALL_REF) == 0);
}

static void post_runner(item_t *item) {
  BENCH_CHECK(uvx_task_runner_post(runner, &item->task, UVX_PRIORITY_NORMAL, task_work) == 0);
}

static post_t find(const char *what) {
  if (strcmp(what, "queue") == 0) return post_queue;
  if (strcmp(what, "from") == 0) return post_from;
  if (strcmp(what, "pool") == 0) return post_pool;
  return strcmp(what, "runner") == 0 ? post_runner : NULL;
}

static void keep_alive(uv_async_t *async) { (void)async; }

static void make(const char *threads) {
  uvx_pool_options_t options = {.size = sizeof options, .threads = (unsigned)atoi(threads)};
  setenv("UV_THREADPOOL_SIZE", threads, 1);
  BENCH_CHECK(uv_loop_init(&loop) == 0 && uvx_loop_mailbox(&loop, &mailbox) == 0);
  BENCH_CHECK(uvx_pool_create(&pool, &options) == 0 && uvx_task_runner_create(&runner, &options) == 0);
}

static void in_flight(unsigned count) {
  uv_async_t async;
  item_t *items = calloc(count, sizeof *items);
  BENCH_CHECK(items != NULL && uv_async_init(&loop, &async, keep_alive) == 0);
  for (unsigned i = 0; i < count; i++) {
    items[i].req.data = items[i].work.data = items[i].task.data = &items[i];
    post_now(&items[i]);
  }
  while (!series.ended) uv_run(&loop, UV_RUN_ONCE);
}

static void latency(const char *what, unsigned work_us) {
  char more[64];
  post = find(what);
  one_at_a_time = 1;
  work_length = work_us * bench_iterations_per_us();
  make("4");
  in_flight(1);
  bench_percentiles(&latencies, more, sizeof more);
  snprintf(name, sizeof name, "pools_latency_%s_work_%uus", what, work_us);
  bench_print(name, &series.run, series.completed, more);
}

static void many(const char *what, unsigned work_us, const char *threads) {
  post = find(what);
  work_length = work_us * bench_iterations_per_us();
  make(threads);
  in_flight(64);
  snprintf(name, sizeof name, "pools_many_%s_work_%uus_threads_%s", what, work_us, threads);
  bench_print(name, &series.run, series.completed, "");
}

/* Posting threads: each posts a batch and waits until that is done. */
typedef struct {
  pthread_t thread;
  _Atomic unsigned done;
  uint64_t posted;
  item_t items[BATCH];
} poster_t;

static void poster_work(uvx_pool_work_t *work) { atomic_fetch_add(&((poster_t *)work->data)->done, 1); }

static void poster_task(uvx_task_t *task, int status) {
  BENCH_CHECK(status == 0);
  atomic_fetch_add(&((poster_t *)task->data)->done, 1);
}

static void *post_batches(void *arg) {
  poster_t *poster = arg;
  while (!atomic_load_explicit(&bench_over, memory_order_relaxed)) {
    atomic_store(&poster->done, 0);
    for (int i = 0; i < BATCH; i++) {
      item_t *item = &poster->items[i];
      item->work.data = item->task.data = poster;
      if (post == post_pool)
        BENCH_CHECK(uvx_pool_queue(pool, &item->work, poster_work, UVX_PRIORITY_NORMAL, NULL, NULL) == 0);
      else
        BENCH_CHECK(uvx_task_runner_post(runner, &item->task, UVX_PRIORITY_NORMAL, poster_task) == 0);
    }
    while (atomic_load(&poster->done) < BATCH) sched_yield();
    poster->posted += BATCH;
  }
  return NULL;
}

static void posters(const char *what, unsigned count) {
  poster_t *all = calloc(count, sizeof *all);
  uint64_t sum = 0;
  post = find(what);
  make("2");
  BENCH_CHECK(all != NULL);
  bench_begin_bounded(&series.run);
  for (unsigned i = 0; i < count; i++) BENCH_CHECK(pthread_create(&all[i].thread, NULL, post_batches, &all[i]) == 0);
  while (!atomic_load(&bench_over)) usleep(1000);
  bench_end(&series.run);
  for (unsigned i = 0; i < count; i++) {
    pthread_join(all[i].thread, NULL);
    sum += all[i].posted;
  }
  snprintf(name, sizeof name, "pools_posters_%s_%u", what, count);
  bench_print(name, &series.run, sum, "");
}

/* Delayed tasks. */
enum { DELAY_NS = 1000000, MANY_DELAYED = 10000 };

static void note_late(uvx_task_t *task, int status) {
  BENCH_CHECK(status == 0);
  bench_sample(&latencies, bench_now_ns() - atomic_load(&posted_at) - DELAY_NS);
  series.completed++;
  if (atomic_load(&bench_over)) {
    series.ended = 1;
    return;
  }
  atomic_store(&posted_at, bench_now_ns());
  BENCH_CHECK(uvx_task_runner_post_delayed(runner, task, UVX_PRIORITY_NORMAL, DELAY_NS, note_late) == 0);
}

static void forget(uvx_task_t *task, int status) {
  (void)task;
  BENCH_CHECK(status == UV_ECANCELED);
}

static void delayed(void) {
  static uvx_task_t task, others[MANY_DELAYED], one;
  char more[64];
  uint64_t pairs = 0;
  bench_run_t second;
  make("2");
  bench_begin_bounded(&series.run);
  atomic_store(&posted_at, bench_now_ns());
  BENCH_CHECK(uvx_task_runner_post_delayed(runner, &task, UVX_PRIORITY_NORMAL, DELAY_NS, note_late) == 0);
  while (!atomic_load((_Atomic int *)&series.ended)) usleep(1000);
  bench_end(&series.run);
  bench_percentiles(&latencies, more, sizeof more);
  bench_print("pools_delayed_late", &series.run, series.completed, more);
  for (uint64_t i = 0; i < MANY_DELAYED; i++) {
    uint64_t delay = (3600 + i * 7919 % MANY_DELAYED) * 1000000000;
    BENCH_CHECK(uvx_task_runner_post_delayed(runner, &others[i], UVX_PRIORITY_NORMAL, delay, forget) == 0);
  }
  bench_begin(&second);
  for (; pairs < 200000; pairs++) {
    uint64_t delay = (3600 + pairs * 104729 % MANY_DELAYED) * 1000000000;
    BENCH_CHECK(uvx_task_runner_post_delayed(runner, &one, UVX_PRIORITY_NORMAL, delay, forget) == 0);
    BENCH_CHECK(uvx_task_runner_cancel(runner, &one) == 0);
  }
  bench_end(&second);
  bench_print("pools_delayed_post_and_cancel", &second, pairs, "");
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "", *which = argc > 2 ? argv[2] : "";
  if (strcmp(what, "latency") == 0 && find(which) != NULL)
    latency(which, bench_argument(argc, argv, 3, 0));
  else if (strcmp(what, "many") == 0 && find(which) != NULL)
    many(which, bench_argument(argc, argv, 3, 0), argc > 4 ? argv[4] : "4");
  else if (strcmp(what, "posters") == 0 && (strcmp(which, "pool") == 0 || strcmp(which, "runner") == 0))
    posters(which, bench_argument(argc, argv, 3, 2));
  else if (strcmp(what, "delayed") == 0)
    delayed();
  else
    return bench_usage("pools latency|many queue|from|pool|runner [WORK_US] [POOL] | posters pool|runner [N] | delayed");
  return 0;
}
