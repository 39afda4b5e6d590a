/* The service thread: what its callbacks may do, and that none keeps others from their turn. */
#include "sigwake.h"

static wake_t *older, *newer;
static uvx_watchdog_t busy;
static int older_calls, too_many;

static void count_older(wake_t* given, void* arg) {
  (void) given, (void) arg;
  older_calls++;
}

static void post_both(wake_t* given, void* arg) {
  (void) arg;
  if (calls++ == 0) uvx_sigwake_post(older);
  if (older_calls == 0 && !(too_many = calls == 1000))
    uvx_sigwake_post(given);
  else
    uv_sem_post(&done);
}

TEST(one_that_is_always_posted_does_not_keep_others_from_their_turn) {
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_sigwake_install(0, count_older, NULL, &older), 0);
  CHECK_EQ(uvx_sigwake_install(0, post_both, NULL, &newer), 0);
  uvx_sigwake_post(newer);
  uv_sem_wait(&done);
  CHECK(!too_many);
  uvx_sigwake_remove(newer);
  uvx_sigwake_remove(older);
}

static uvx_sigint_watchdog_t interrupted;

static void count_fired(uvx_watchdog_t* watchdog, void* arg) {
  (void) watchdog;
  count(older, arg);
}

static int count_sigint(uvx_sigint_watchdog_t* watchdog, void* arg) {
  (void) watchdog;
  count(older, arg);
  return UVX_SIGINT_STOP;
}

/* Begins and ends one of each kind, and leaves one of each behind, of which two will call. */
static void use_all(void) {
  uvx_watchdog_t watchdog;
  uvx_sigint_watchdog_t sigint;
  wake_t* temporary;
  CHECK_EQ(uvx_watchdog_start(&watchdog, 0, count_fired, &calls), 0);
  CHECK_EQ(uvx_watchdog_reset(&watchdog, UVX_FOREVER), 0);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 0);
  CHECK_EQ(uvx_sigwake_install(SIGUSR2, count, &calls, &temporary), 0);
  uvx_sigwake_post(temporary);
  CHECK_EQ(uvx_sigwake_remove(temporary), 1);
  CHECK_EQ(uvx_sigint_watchdog_start(&sigint, count_sigint, &calls), 0);
  CHECK_EQ(uvx_sigint_watchdog_stop(&sigint), 0);
  CHECK_EQ(uvx_watchdog_start(&busy, 0, count_fired, &calls), 0);
  CHECK_EQ(uvx_sigwake_install(0, count, &calls, &older), 0);
  uvx_sigwake_post(older);
  CHECK_EQ(uvx_sigint_watchdog_start(&interrupted, count_sigint, &calls), 0);
}

static void check_used(int round) {
  for (int i = 0; i < 2; i++) uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&busy), 1);
  CHECK_EQ(uvx_sigwake_remove(older), 0);
  CHECK_EQ(uvx_sigint_watchdog_stop(&interrupted), 0);
  CHECK_EQ(calls_now(), 2 * round);
}

static void use_in_watchdog(uvx_watchdog_t* watchdog, void* arg) {
  (void) arg;
  CHECK_EQ(uvx_watchdog_stop(watchdog), 1);
  use_all();
}

static void use_in_wake(wake_t* given, void* arg) {
  (void) arg;
  CHECK_EQ(uvx_sigwake_remove(given), 0);
  use_all();
}

static int use_in_sigint(uvx_sigint_watchdog_t* watchdog, void* arg) {
  (void) arg;
  use_all();
  CHECK_EQ(uvx_sigint_watchdog_stop(watchdog), 0);
  return UVX_SIGINT_STOP;
}

TEST(callbacks_may_use_all_that_the_service_offers) {
  uvx_watchdog_t watchdog;
  uvx_sigint_watchdog_t sigint;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_watchdog_start(&watchdog, 0, use_in_watchdog, NULL), 0);
  check_used(1);
  CHECK_EQ(uvx_sigwake_install(SIGUSR1, use_in_wake, NULL, &wake), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  check_used(2);
  CHECK_EQ(uvx_sigint_watchdog_start(&sigint, use_in_sigint, NULL), 0);
  CHECK_EQ(raise(SIGINT), 0);
  check_used(3);
  CHECK(is_default(SIGINT) && is_default(SIGUSR1) && is_default(SIGUSR2));
}

static void post_and_fire_again(uvx_watchdog_t* watchdog, void* arg) {
  (void) arg;
  if (calls++ == 0) uvx_sigwake_post(older);
  if (older_calls == 0 && !(too_many = calls == 1000))
    CHECK_EQ(uvx_watchdog_reset(watchdog, 0), 1);
  else
    uv_sem_post(&done);
}

TEST(a_watchdog_that_always_fires_does_not_keep_wakes_from_their_turn) {
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_sigwake_install(0, count_older, NULL, &older), 0);
  CHECK_EQ(uvx_watchdog_start(&busy, 0, post_and_fire_again, NULL), 0);
  uv_sem_wait(&done);
  CHECK(!too_many);
  uvx_watchdog_stop(&busy);
  uvx_sigwake_remove(older);
}
