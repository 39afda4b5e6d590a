/* The thread pool through uv_queue_work().
 *
 *   one [GAP] [WORK]          one item at a time; the loop computes GAP us between a callback and the next submit
 *   many [WORK] [POOL] [N]    N (64) items in flight on a pool of POOL (4) threads, each WORK us long */
#include "bench.h"

static bench_series_t series;
static bench_samples_t latencies;
static uint64_t gap, work; /* iterations of bench_compute() */
static uint64_t submitted_at;
static char name[64];

static void compute(uv_work_t *request) {
  (void)request;
  bench_compute(work);
}

static void one_done(uv_work_t *request, int status) {
  BENCH_CHECK(status == 0);
  bench_sample(&latencies, bench_now_ns() - submitted_at);
  if (!bench_completed(&series, &latencies)) return;
  bench_compute(gap);
  submitted_at = bench_now_ns();
  BENCH_CHECK(uv_queue_work(request->loop, request, compute, one_done) == 0);
}

static void many_done(uv_work_t *request, int status) {
  BENCH_CHECK(status == 0);
  if (!bench_completed(&series, &latencies)) return;
  BENCH_CHECK(uv_queue_work(request->loop, request, compute, many_done) == 0);
}

static void run_items(unsigned items, uv_after_work_cb done) {
  uv_loop_t loop;
  uv_work_t *requests = calloc(items, sizeof *requests);
  BENCH_CHECK(requests != NULL && uv_loop_init(&loop) == 0);
  submitted_at = bench_now_ns();
  for (unsigned i = 0; i < items; i++) BENCH_CHECK(uv_queue_work(&loop, &requests[i], compute, done) == 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  free(requests);
}

static void one(unsigned gap_us, unsigned work_us) {
  char more[64];
  gap = gap_us * bench_iterations_per_us();
  work = work_us * bench_iterations_per_us();
  run_items(1, one_done);
  bench_percentiles(&latencies, more, sizeof more);
  if (work_us > 0)
    snprintf(name, sizeof name, "pool_one_gap_%uus_work_%uus", gap_us, work_us);
  else
    snprintf(name, sizeof name, "pool_one_gap_%uus", gap_us);
  bench_print(name, &series.run, series.completed, more);
}

static void many(unsigned work_us, const char *pool_size, unsigned items) {
  work = work_us * bench_iterations_per_us();
  setenv("UV_THREADPOOL_SIZE", pool_size, 1);
  run_items(items, many_done);
  snprintf(name, sizeof name, "pool_many_%u_work_%uus_threads_%s", items, work_us, pool_size);
  bench_print(name, &series.run, series.completed, "");
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "one") == 0)
    one(bench_argument(argc, argv, 2, 0), bench_argument(argc, argv, 3, 0));
  else if (strcmp(what, "many") == 0)
    many(bench_argument(argc, argv, 2, 0), argc > 3 ? argv[3] : "4", bench_argument(argc, argv, 4, 64));
  else if (strcmp(what, "calibrate") == 0)
    printf("%llu\n", (unsigned long long)bench_iterations_per_us());
  else
    return bench_usage("pool one [GAP_US] [WORK_US] | many [WORK_US] [POOL] [N] | calibrate");
  return 0;
}
