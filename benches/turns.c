/* Turns of the loop per second, each calling one idle handle. */
#include "bench.h"

static uint64_t turns;

static void on_turn(uv_idle_t *idle) {
  turns++;
  if (atomic_load_explicit(&bench_over, memory_order_relaxed)) uv_close((uv_handle_t *)idle, NULL);
}

int main(void) {
  bench_run_t run;
  uv_loop_t loop;
  uv_idle_t idle;
  BENCH_CHECK(uv_loop_init(&loop) == 0);
  BENCH_CHECK(uv_idle_init(&loop, &idle) == 0 && uv_idle_start(&idle, on_turn) == 0);
  bench_begin_bounded(&run);
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end(&run);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  bench_print("loop_turns", &run, turns, "");
  return 0;
}
