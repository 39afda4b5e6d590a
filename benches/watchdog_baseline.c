/* A watchdog as a program makes it of a plain libuv: each is a thread with a loop, a timer that fires, and an async that stops it.
 * watchdog.c has the counterpart. */
#include "bench.h"

typedef struct {
  uv_loop_t loop;
  uv_timer_t timer;
  uv_async_t stop;
  uv_thread_t thread;
} watchdog_t;

static void on_end(watchdog_t *watchdog) {
  uv_close((uv_handle_t *)&watchdog->timer, NULL);
  uv_close((uv_handle_t *)&watchdog->stop, NULL);
}

static void on_timeout(uv_timer_t *timer) {
  (void)timer; /* here it would act */
}

static void on_stop(uv_async_t *stop) { on_end(stop->data); }

static void run_loop(void *arg) { uv_run(&((watchdog_t *)arg)->loop, UV_RUN_DEFAULT); }

int main(void) {
  bench_run_t run;
  watchdog_t watchdog;
  uint64_t count = 0;
  bench_begin_bounded(&run);
  while (!atomic_load_explicit(&bench_over, memory_order_relaxed)) {
    BENCH_CHECK(uv_loop_init(&watchdog.loop) == 0);
    BENCH_CHECK(uv_async_init(&watchdog.loop, &watchdog.stop, on_stop) == 0);
    watchdog.stop.data = &watchdog;
    BENCH_CHECK(uv_timer_init(&watchdog.loop, &watchdog.timer) == 0);
    BENCH_CHECK(uv_timer_start(&watchdog.timer, on_timeout, 1000, 0) == 0);
    BENCH_CHECK(uv_thread_create(&watchdog.thread, run_loop, &watchdog) == 0);
    uv_async_send(&watchdog.stop);
    BENCH_CHECK(uv_thread_join(&watchdog.thread) == 0);
    BENCH_CHECK(uv_loop_close(&watchdog.loop) == 0);
    count++;
  }
  bench_end(&run);
  bench_print("watchdog_baseline", &run, count, "");
  return 0;
}
