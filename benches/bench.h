/* Clocks, a bounded run, computation of a known length and the result line: what every benchmark here shares.
 *
 * The threads that drive a measurement are plain pthreads, so that only what is named is measured of the library.
 * A result is one line of key=value; `rate` is operations per second of wall time, `cpu_us` CPU time per operation. */
#ifndef BENCH_H
#define BENCH_H

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#define BENCH_CHECK(condition)                                                         \
  do {                                                                                 \
    if (!(condition)) {                                                                \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);          \
      exit(1);                                                                         \
    }                                                                                  \
  } while (0)

typedef struct {
  uint64_t wall_ns;
  uint64_t cpu_ns;
} bench_run_t;

/* Set once the time of the run is up; cheap to look at in every callback. */
static atomic_int bench_over;

static inline uint64_t bench_clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t bench_now_ns(void) { return bench_clock_ns(CLOCK_MONOTONIC); }

/* CPU time of this process, summed over its live threads by their own clocks. The process clock is not good enough:
 * it leaves out up to a scheduler tick (4 ms) of each thread that runs on another CPU at the moment of asking. */
static inline uint64_t bench_cpu_ns(void) {
  uint64_t sum = 0;
  struct dirent *entry;
  DIR *tasks = opendir("/proc/self/task");
  BENCH_CHECK(tasks != NULL);
  while ((entry = readdir(tasks)) != NULL) {
    int tid = atoi(entry->d_name);
    if (tid > 0) /* the clock id of a thread by its number, as pthread_getcpuclockid() makes it */
      sum += bench_clock_ns((clockid_t)((~(unsigned)tid << 3) | 6));
  }
  closedir(tasks);
  return sum;
}

static inline unsigned bench_env(const char *name, unsigned otherwise) {
  const char *text = getenv(name);
  return text != NULL && *text != '\0' ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

/* Never returns: a thread that ended would take its CPU time out of the sum. */
static void *bench_timekeeper(void *unused) {
  unsigned ms = bench_env("BENCH_MS", 500);
  struct timespec length = {ms / 1000, (long)(ms % 1000) * 1000000};
  (void)unused;
  while (nanosleep(&length, &length) != 0) continue;
  atomic_store(&bench_over, 1);
  while (pause() == -1) continue;
  return NULL;
}

static inline void bench_begin(bench_run_t *run) {
  run->cpu_ns = bench_cpu_ns();
  run->wall_ns = bench_now_ns();
}

/* As bench_begin(), and bench_over is set BENCH_MS (500) milliseconds from now. */
static inline void bench_begin_bounded(bench_run_t *run) {
  pthread_t thread;
  BENCH_CHECK(pthread_create(&thread, NULL, bench_timekeeper, NULL) == 0);
  bench_begin(run);
}

/* To be called before any thread that worked for the run ends. */
static inline void bench_end(bench_run_t *run) {
  run->wall_ns = bench_now_ns() - run->wall_ns;
  run->cpu_ns = bench_cpu_ns() - run->cpu_ns;
}

static inline void bench_print(const char *scenario, const bench_run_t *run, uint64_t ops, const char *more) {
  double count = ops == 0 ? 1 : (double)ops;
  printf("scenario=%s ops=%llu wall_s=%.3f rate=%.0f cpu_us=%.4f%s%s\n", scenario, (unsigned long long)ops,
         (double)run->wall_ns / 1e9, (double)ops * 1e9 / (double)run->wall_ns, (double)run->cpu_ns / 1e3 / count,
         *more ? " " : "", more);
}

/* Computation that takes CPU time, not wall time: with more threads than CPUs those differ. */
static inline void bench_compute(uint64_t iterations) {
  for (uint64_t i = 0; i < iterations; i++) __asm__ volatile("" ::: "memory");
}

/* Iterations of bench_compute() in a microsecond; BENCH_ITERATIONS gives both libraries the same. */
static inline uint64_t bench_iterations_per_us(void) {
  uint64_t best = UINT64_MAX;
  unsigned given = bench_env("BENCH_ITERATIONS", 0);
  if (given != 0) return given;
  for (int i = 0; i < 50; i++) {
    uint64_t start = bench_now_ns();
    bench_compute(100000);
    uint64_t took = bench_now_ns() - start;
    if (took < best) best = took;
  }
  return 100000u * 1000u / best;
}

/* Latencies of the run; past the room the newest are left out. */
typedef struct {
  uint32_t *ns;
  size_t count, room;
} bench_samples_t;

static inline void bench_sample(bench_samples_t *samples, uint64_t ns) {
  if (samples->ns == NULL) {
    samples->room = 1u << 20;
    samples->ns = malloc(samples->room * sizeof *samples->ns);
    BENCH_CHECK(samples->ns != NULL);
  }
  if (samples->count < samples->room) samples->ns[samples->count++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

/* Operations that follow one another. The run begins once BENCH_WARM_UP are done, when all threads have started and
 * settled, and ends when its time is up. */
enum { BENCH_WARM_UP = 200 };

typedef struct {
  bench_run_t run;
  uint64_t completed; /* in the run */
  int begun, ended;
} bench_series_t;

/* One operation is done; true while there is more to start. The samples, if any, of the warming up are dropped. */
static inline int bench_completed(bench_series_t *series, bench_samples_t *samples) {
  if (++series->completed == BENCH_WARM_UP && !series->begun) {
    series->begun = 1;
    series->completed = 0;
    if (samples != NULL) samples->count = 0;
    bench_begin_bounded(&series->run);
  }
  if (!atomic_load_explicit(&bench_over, memory_order_relaxed)) return 1;
  if (series->ended)
    series->completed--; /* came after the end of the run */
  else
    bench_end(&series->run);
  series->ended = 1;
  return 0;
}

static inline int bench_compare_ns(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* Sorts the samples and writes "p50_us=.. p99_us=..". */
static inline void bench_percentiles(bench_samples_t *samples, char *text, size_t size) {
  BENCH_CHECK(samples->count > 0);
  qsort(samples->ns, samples->count, sizeof *samples->ns, bench_compare_ns);
  snprintf(text, size, "p50_us=%.2f p99_us=%.2f", samples->ns[samples->count / 2] / 1e3,
           samples->ns[samples->count * 99 / 100] / 1e3);
}

static inline uint32_t bench_random(uint32_t *state) { /* xorshift */
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

static inline unsigned bench_argument(int argc, char **argv, int index, unsigned otherwise) {
  return argc > index ? (unsigned)strtoul(argv[index], NULL, 10) : otherwise;
}

static inline int bench_usage(const char *text) {
  fprintf(stderr, "usage: %s\n", text);
  return 2;
}

#endif
