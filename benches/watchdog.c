/* The price of a watchdog that does not fire, which is what nearly all of them do: starting it and stopping it again.
 *
 *   watchdog once [N]    by N threads, each its own; the timeout is a second
 *   watchdog short       the same with a timeout of 1 ms, so that the service thread has to wake up for them
 *   watchdog nested N    N of them one in the other
 *   watchdog late        how late they fire (p50, p99), one at a time, 1 ms each
 *
 * watchdog_baseline.c is the counterpart that a program writes without the extension. */
#include "bench.h"

#include <uvx.h>

static void on_timeout(uvx_watchdog_t *watchdog, void *arg) {
  (void)watchdog;
  if (arg != NULL) uv_sem_post(arg);
}

static uint64_t timeout_ns = 1000000000u;

static void start_and_stop(uint64_t *count) {
  uvx_watchdog_t watchdog;
  while (!atomic_load_explicit(&bench_over, memory_order_relaxed)) {
    for (int i = 0; i < 64; i++) {
      BENCH_CHECK(uvx_watchdog_start(&watchdog, timeout_ns, on_timeout, NULL) == 0);
      uvx_watchdog_stop(&watchdog);
    }
    *count += 64;
  }
}

static pthread_barrier_t gate;

static void *start_and_stop_too(void *count) {
  start_and_stop(count);
  pthread_barrier_wait(&gate); /* all are through */
  pthread_barrier_wait(&gate); /* stays alive until its CPU time is counted */
  return NULL;
}

static int once(const char *name, unsigned threads) {
  bench_run_t run;
  pthread_t others[64];
  struct { _Alignas(64) uint64_t count; } counts[64] = {{0}};
  char scenario[64];
  BENCH_CHECK(threads >= 1 && threads <= 64);
  pthread_barrier_init(&gate, NULL, threads);
  bench_begin_bounded(&run);
  for (unsigned i = 1; i < threads; i++)
    BENCH_CHECK(pthread_create(&others[i], NULL, start_and_stop_too, &counts[i].count) == 0);
  start_and_stop(&counts[0].count);
  pthread_barrier_wait(&gate);
  bench_end(&run);
  pthread_barrier_wait(&gate);
  for (unsigned i = 1; i < threads; i++) {
    BENCH_CHECK(pthread_join(others[i], NULL) == 0);
    counts[0].count += counts[i].count;
  }
  snprintf(scenario, sizeof scenario, "watchdog_%s_%u", name, threads);
  bench_print(scenario, &run, counts[0].count, "");
  return 0;
}

static int nested(unsigned depth) {
  bench_run_t run;
  uint64_t count = 0;
  char scenario[64];
  uvx_watchdog_t *watchdogs = calloc(depth, sizeof *watchdogs);
  BENCH_CHECK(watchdogs != NULL);
  bench_begin_bounded(&run);
  while (!atomic_load_explicit(&bench_over, memory_order_relaxed)) {
    for (unsigned i = 0; i < depth; i++)
      BENCH_CHECK(uvx_watchdog_start(&watchdogs[i], timeout_ns - i, on_timeout, NULL) == 0);
    for (unsigned i = depth; i-- > 0;) uvx_watchdog_stop(&watchdogs[i]);
    count += depth;
  }
  bench_end(&run);
  snprintf(scenario, sizeof scenario, "watchdog_nested_%u", depth);
  bench_print(scenario, &run, count, "");
  free(watchdogs);
  return 0;
}

static int late(void) {
  bench_run_t run;
  bench_samples_t samples = {NULL, 0, 0};
  uvx_watchdog_t watchdog;
  uv_sem_t fired;
  uint64_t count = 0;
  char more[80];
  BENCH_CHECK(uv_sem_init(&fired, 0) == 0);
  bench_begin_bounded(&run);
  while (!atomic_load_explicit(&bench_over, memory_order_relaxed)) {
    uint64_t due = bench_now_ns() + 1000000;
    BENCH_CHECK(uvx_watchdog_start(&watchdog, 1000000, on_timeout, &fired) == 0);
    uv_sem_wait(&fired);
    bench_sample(&samples, bench_now_ns() - due);
    uvx_watchdog_stop(&watchdog);
    count++;
  }
  bench_end(&run);
  bench_percentiles(&samples, more, sizeof more);
  bench_print("watchdog_late", &run, count, more);
  return 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "once") == 0) return once("once", bench_argument(argc, argv, 2, 1));
  if (strcmp(what, "short") == 0) {
    timeout_ns = 1000000;
    return once("short", 1);
  }
  if (strcmp(what, "nested") == 0) return nested(bench_argument(argc, argv, 2, 10));
  if (strcmp(what, "late") == 0) return late();
  return bench_usage("watchdog once [THREADS] | short | nested N | late");
}
