/* Clocks and sleeping. */
#include "check.h"

#include <sys/time.h>

static uint64_t in_ns(clockid_t clock) {
  struct timespec now;
  CHECK_EQ(clock_gettime(clock, &now), 0);
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

TEST(hrtime_is_the_monotonic_clock_in_ns) {
  for (int i = 0; i < 1000; i++) {
    uint64_t before = in_ns(CLOCK_MONOTONIC), now = uv_hrtime(), after = in_ns(CLOCK_MONOTONIC);
    CHECK(before <= now && now <= after);
  }
}

static void check_clock(uv_clock_id id, clockid_t clock) {
  uv_timespec64_t now;
  uint64_t before = in_ns(clock), after;
  memset(&now, 0xa5, sizeof(now));
  CHECK_EQ(uv_clock_gettime(id, &now), 0);
  after = in_ns(clock);
  CHECK(now.tv_nsec >= 0 && now.tv_nsec < 1000000000);
  if (after < before) SKIP("the clock was set meanwhile");
  CHECK((uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec >= before);
  CHECK((uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec <= after);
}

TEST(clocks_are_the_systems) {
  NEEDS(1, 45);
  check_clock(UV_CLOCK_MONOTONIC, CLOCK_MONOTONIC);
  check_clock(UV_CLOCK_REALTIME, CLOCK_REALTIME);
}

TEST(clock_errors) {
  uv_timespec64_t now = {7, 7};
  NEEDS(1, 45);
  CHECK_EQ(uv_clock_gettime((uv_clock_id) 1337, &now), UV_EINVAL);
  CHECK_EQ(uv_clock_gettime((uv_clock_id) 1337, NULL), UV_EFAULT);
  CHECK_EQ(uv_clock_gettime(UV_CLOCK_MONOTONIC, NULL), UV_EFAULT);
  CHECK_EQ(uv_clock_gettime(UV_CLOCK_REALTIME, NULL), UV_EFAULT);
  CHECK_EQ(now.tv_sec, 7);
}

TEST(time_of_day) {
  uv_timeval64_t now;
  uint64_t before = in_ns(CLOCK_REALTIME) / 1000, after;
  CHECK_EQ(uv_gettimeofday(&now), 0);
  after = in_ns(CLOCK_REALTIME) / 1000;
  CHECK(now.tv_usec >= 0 && now.tv_usec < 1000000);
  if (after < before) SKIP("the clock was set meanwhile");
  CHECK((uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_usec >= before);
  CHECK((uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_usec <= after);
  CHECK_EQ(uv_gettimeofday(NULL), UV_EINVAL);
}

TEST(sleep_is_not_too_short) {
  static const unsigned lengths[] = {0, 1, 20, 1001};
  for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    uint64_t before = uv_hrtime();
    NEEDS(1, 34);
    uv_sleep(lengths[i]);
    CHECK(uv_hrtime() - before >= lengths[i] * UINT64_C(1000000));
  }
}

static int signals;

static void on_signal(int signum) {
  (void) signum;
  signals++;
}

TEST(sleep_survives_signals) {
  struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
  struct sigaction action;
  uint64_t before = uv_hrtime();
  NEEDS(1, 34);
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_signal;
  CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
  CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
  uv_sleep(100);
  CHECK(uv_hrtime() - before >= 100 * 1000000);
  CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
  CHECK(signals > 0);
}
