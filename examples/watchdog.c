/* A watchdog around callbacks that may not come back: one that runs away is stopped, and the loop goes on with the next.
 *
 *   cc -Iinclude examples/watchdog.c -o watchdog -luv && ./watchdog
 *
 * The loop runs jobs, one callback for each; a job sums up a series of numbers, and one of them never ends. Nothing asks the
 * clock: a watchdog, which costs less than a microsecond to start and to stop, sets a flag from the library's service thread.
 * C cannot be stopped from outside, so the code looks at the flag now and then; an interpreter would do that between two
 * instructions. */
#include <stdatomic.h>
#include <stdio.h>

#include <uvx.h>

enum { BUDGET_MS = 50, JOBS = 4 };

typedef struct {
  const char *what;
  int power;
  double least; /* the sum ends with an addend below it */
  uv_timer_t turn;
} job_t;

static job_t jobs[JOBS] = {
  {"sum of 1/n^2", 2, 1e-10, {0}},
  {"sum of 1, without an end", 0, 0.5, {0}},
  {"sum of 1/n^3", 3, 1e-15, {0}},
  {"sum of 1/n^4", 4, 1e-15, {0}},
};
static int failed;

/* On the service thread. */
static void on_time_over(uvx_watchdog_t *watchdog, void *flag) {
  (void)watchdog;
  atomic_store((atomic_int *)flag, 1);
}

/* Adds 1/n^power until an addend is below `least`, or the flag is set. */
static double sum(const job_t *job, const atomic_int *over) {
  double total = 0, addend = 1;
  for (double n = 1; addend >= job->least && !atomic_load_explicit(over, memory_order_relaxed); n++) {
    addend = 1;
    for (int i = 0; i < job->power; i++) addend /= n;
    total += addend;
  }
  return total;
}

static void on_turn(uv_timer_t *turn) {
  job_t *job = turn->data;
  uvx_watchdog_t watchdog; /* on the stack: it needs no memory, and no close */
  atomic_int over = 0;
  uint64_t start = uv_hrtime();
  int status = uvx_watchdog_start(&watchdog, UVX_MS(BUDGET_MS), on_time_over, &over);
  if (status != 0) {
    fprintf(stderr, "uvx_watchdog_start: %s\n", uv_strerror(status));
    failed = 1;
  } else {
    double result = sum(job, &over);
    int fired = uvx_watchdog_stop(&watchdog); /* from here on nobody touches the flag */
    double ms = (double)(uv_hrtime() - start) / 1e6;
    if (fired)
      printf("%-28s stopped after %.1f ms\n", job->what, ms);
    else
      printf("%-28s %.6f in %.1f ms\n", job->what, result, ms);
  }
  uv_close((uv_handle_t *)turn, NULL);
}

int main(void) {
  uv_loop_t *loop = uv_default_loop();
  for (int i = 0; i < JOBS; i++) {
    jobs[i].turn.data = &jobs[i];
    if (uv_timer_init(loop, &jobs[i].turn) != 0 || uv_timer_start(&jobs[i].turn, on_turn, 0, 0) != 0) return 1;
  }
  uv_run(loop, UV_RUN_DEFAULT);
  return uv_loop_close(loop) != 0 || failed;
}
