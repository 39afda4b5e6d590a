/* Timers. Rates are per second of CPU time of the loop's thread: timeouts alone set the wall time of a run.
 *
 *   many [COUNT] [MAX_MS] [random]  COUNT (1,000,000) timers, timeouts rising (or random) from 0 to MAX_MS (1000):
 *                                   three lines, for starting, dispatching and closing them
 *   rearm [COUNT] [same]            COUNT (1000) timers started anew in each turn of the loop, none ever fires;
 *                                   timeouts spread over 10 s (or all the same) */
#include "bench.h"

static uv_loop_t loop;
static uv_timer_t *timers;
static unsigned count;
static uint64_t fired, closed;
static char name[64];

static void on_timer(uv_timer_t *timer) {
  (void)timer;
  fired++;
}

static void on_close(uv_handle_t *handle) {
  (void)handle;
  closed++;
}

static void print_cpu(const char *phase, uint64_t operations, uint64_t cpu_ns) {
  bench_run_t run = {cpu_ns, cpu_ns};
  char scenario[96];
  snprintf(scenario, sizeof scenario, "%s_%s", name, phase);
  bench_print(scenario, &run, operations, "");
}

static void open_timers(unsigned wanted) {
  count = wanted;
  timers = malloc((size_t)count * sizeof *timers);
  BENCH_CHECK(timers != NULL && uv_loop_init(&loop) == 0);
  memset(timers, 0, (size_t)count * sizeof *timers); /* the pages' first touch is not what is measured */
}

static void close_timers(void) {
  for (unsigned i = 0; i < count; i++) uv_close((uv_handle_t *)&timers[i], on_close);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(closed == count);
}

static void many(unsigned wanted, unsigned max_ms, int random) {
  uint64_t start, started, dispatched, done;
  uint32_t state = 0x9e3779b9;
  open_timers(wanted);
  snprintf(name, sizeof name, "timers_%u_to_%ums%s", count, max_ms, random ? "_random" : "");

  start = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  for (unsigned i = 0; i < count; i++) {
    uint64_t timeout = random ? bench_random(&state) % (max_ms + 1) : (uint64_t)i * max_ms / count;
    BENCH_CHECK(uv_timer_init(&loop, &timers[i]) == 0);
    BENCH_CHECK(uv_timer_start(&timers[i], on_timer, timeout, 0) == 0);
  }
  started = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  uv_run(&loop, UV_RUN_DEFAULT);
  dispatched = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  BENCH_CHECK(fired == count);
  close_timers();
  done = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);

  print_cpu("start", count, started - start);
  print_cpu("dispatch", count, dispatched - started);
  print_cpu("close", count, done - dispatched);
}

static uint64_t turns;
static int same_timeout;
static uint64_t run_start, run_end;

static void rearm_all(uv_idle_t *idle) {
  uint32_t state = 0x9e3779b9 + (uint32_t)turns;
  for (unsigned i = 0; i < count; i++) {
    uint64_t timeout = 10000 + (same_timeout ? 0 : bench_random(&state) % 10000);
    BENCH_CHECK(uv_timer_start(&timers[i], on_timer, timeout, 0) == 0);
  }
  turns++;
  if (!atomic_load_explicit(&bench_over, memory_order_relaxed)) return;
  run_end = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  uv_close((uv_handle_t *)idle, NULL);
  for (unsigned i = 0; i < count; i++) uv_timer_stop(&timers[i]);
}

static void rearm(unsigned wanted, int same) {
  bench_run_t bound;
  uv_idle_t idle;
  open_timers(wanted);
  same_timeout = same;
  snprintf(name, sizeof name, "timers_%u_%s", count, same ? "same" : "spread");
  for (unsigned i = 0; i < count; i++) BENCH_CHECK(uv_timer_init(&loop, &timers[i]) == 0);
  BENCH_CHECK(uv_idle_init(&loop, &idle) == 0 && uv_idle_start(&idle, rearm_all) == 0);
  bench_begin_bounded(&bound);
  run_start = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(fired == 0);
  close_timers();
  print_cpu("rearm", turns * count, run_end - run_start);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  const char *last = argv[argc - 1];
  if (strcmp(what, "many") == 0)
    many(bench_argument(argc, argv, 2, 1000000), bench_argument(argc, argv, 3, 1000), strcmp(last, "random") == 0);
  else if (strcmp(what, "rearm") == 0)
    rearm(bench_argument(argc, argv, 2, 1000), strcmp(last, "same") == 0);
  else
    return bench_usage("timers many [COUNT] [MAX_MS] [random] | rearm [COUNT] [same]");
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  free(timers);
  return 0;
}
