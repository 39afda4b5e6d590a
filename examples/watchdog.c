/* A watchdog around code that may not come back: what it evaluates is stopped when its time is over.
 *
 *   cc -Iinclude examples/watchdog.c -o watchdog -luv && ./watchdog
 *
 * The program sums up series of numbers, one of which never ends. Nothing asks the clock: a watchdog, which costs less than a
 * microsecond to start and to stop, sets a flag from the library's service thread. C cannot be stopped from outside, so the
 * code looks at the flag now and then; an interpreter would do that between two instructions. */
#include <stdatomic.h>
#include <stdio.h>

#include <uvx.h>

enum { BUDGET_MS = 50 };

static void on_time_over(uvx_watchdog_t *watchdog, void *flag) {
  (void)watchdog;
  atomic_store((atomic_int *)flag, 1);
}

/* Adds 1/n^power until an addend is below `least`, or the flag is set. */
static double sum(double power, double least, const atomic_int *over) {
  double total = 0, addend = 1;
  for (double n = 1; addend >= least && !atomic_load_explicit(over, memory_order_relaxed); n++) {
    addend = 1;
    for (int i = 0; i < (int)power; i++) addend /= n;
    total += addend;
  }
  return total;
}

static int evaluate(const char *what, double power, double least) {
  uvx_watchdog_t watchdog;
  atomic_int over = 0;
  uint64_t start = uv_hrtime();
  int status = uvx_watchdog_start(&watchdog, BUDGET_MS * 1000000ull, on_time_over, &over);
  if (status != 0) {
    fprintf(stderr, "uvx_watchdog_start: %s\n", uv_strerror(status));
    return 1;
  }
  double result = sum(power, least, &over);
  int fired = uvx_watchdog_stop(&watchdog); /* from here on nobody touches the flag */
  double ms = (double)(uv_hrtime() - start) / 1e6;
  if (fired)
    printf("%-28s stopped after %.1f ms\n", what, ms);
  else
    printf("%-28s %.6f in %.1f ms\n", what, result, ms);
  return 0;
}

int main(void) {
  return evaluate("sum of 1/n^2", 2, 1e-10) || evaluate("sum of 1/n^3", 3, 1e-15) ||
         evaluate("sum of 1, without an end", 0, 0.5);
}
