/* Tracing; cpu_us is what one event takes.
 *
 *   off                an event of a category that is off: a look at its byte
 *   append [ARGS]      an event with ARGS (0) arguments, the writer asleep: what the thread that traces pays
 *   steady [ARGS]      the same with the writer at work, to /dev/null; how many events were dropped
 *   tts                as append, with the thread's CPU time
 *   clock              what reading the clock takes of it */
#include "bench.h"

#include <uvx.h>

enum { ROUNDS = 200, EVENTS = 20000 };

static uvx_trace_agent_t *agent;
static const uint8_t *category;

static void start(unsigned flags) {
  uvx_trace_options_t options = {.size = sizeof options,
                                 .flags = flags,
                                 .file = "/dev/null",
                                 .buffer_bytes = 4 << 20,
                                 .flush_interval_ns = UVX_FOREVER};
  BENCH_CHECK(uvx_trace_agent_start(&agent, &options) == 0);
  BENCH_CHECK(uvx_trace_enable(agent, NULL, "bench") == 0);
}

static void trace_one(unsigned nargs) {
  uvx_trace_arg_t args[4];
  for (unsigned i = 0; i < nargs; i++) {
    args[i].name = "argument";
    args[i].type = UVX_TRACE_UINT;
    args[i].value.u = i;
  }
  if (UVX_TRACE_ON(category)) uvx_trace_event(category, 'i', "event", 0, nargs, args, 0);
}

static void print_best(const char *name, unsigned nargs, uint64_t ns) {
  printf("scenario=trace_%s_%u ops=%d wall_s=%.6f rate=%.0f cpu_us=%.4f\n", name, nargs, EVENTS, (double)ns / 1e9,
         EVENTS * 1e9 / (double)ns, (double)ns / 1e3 / EVENTS);
}

/* The best of many rounds, between which the writer empties the buffers. */
static void append(const char *name, unsigned nargs) {
  uint64_t best = UINT64_MAX;
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t before = bench_now_ns(), took;
    for (int i = 0; i < EVENTS; i++) trace_one(nargs);
    took = bench_now_ns() - before;
    if (took < best) best = took;
    BENCH_CHECK(agent == NULL || uvx_trace_flush(agent, UVX_FOREVER) == 0);
  }
  print_best(name, nargs, best);
}

static void steady(unsigned nargs) {
  bench_run_t run;
  uint64_t events = 0;
  char more[96];
  uvx_trace_stats_t stats = {.size = sizeof stats};
  bench_begin_bounded(&run);
  for (; !atomic_load_explicit(&bench_over, memory_order_relaxed); events += 100)
    for (int i = 0; i < 100; i++) trace_one(nargs);
  bench_end(&run);
  BENCH_CHECK(uvx_trace_flush(agent, UVX_FOREVER) == 0 && uvx_trace_stats(agent, &stats) == 0);
  snprintf(more, sizeof more, "written=%llu dropped=%llu", (unsigned long long)stats.written,
           (unsigned long long)stats.dropped);
  bench_print("trace_steady", &run, events, more);
}

static void read_clock(void) {
  uint64_t best = UINT64_MAX;
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t before = bench_now_ns(), took;
    for (int i = 0; i < EVENTS; i++) uv_hrtime();
    took = bench_now_ns() - before;
    if (took < best) best = took;
  }
  print_best("clock", 0, best);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  unsigned nargs = bench_argument(argc, argv, 2, 0) & 3;
  category = uvx_trace_category("bench");
  if (strcmp(what, "off") == 0)
    append("off", nargs);
  else if (strcmp(what, "append") == 0)
    start(0), append("append", nargs);
  else if (strcmp(what, "tts") == 0)
    start(UVX_TRACE_TTS), append("append_tts", nargs);
  else if (strcmp(what, "steady") == 0)
    start(0), steady(nargs);
  else if (strcmp(what, "clock") == 0)
    read_clock();
  else
    return bench_usage("trace off | append [ARGS] | steady [ARGS] | tts | clock");
  if (agent != NULL) BENCH_CHECK(uvx_trace_agent_stop(agent, UVX_FOREVER) == 0);
  return 0;
}
