/* Watchdogs: when they fire, in which order, what stopping and resetting promise, and that they need no memory. The numbers are those of
 * docs/uvx/BEHAVIOUR.md. */
#include "watchdog.h"

#include "allocs.h"
#include "counters.h"
#include "service.h"

/* 1.4.1: not before its time, on another thread, once. */
TEST(fires_when_its_time_is_over) {
  watchdog_t watchdog;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  uint64_t start = uv_hrtime();
  CHECK_EQ(uvx_watchdog_start(&watchdog, 5 * MS + 1, count, NULL), 0);
  uv_sem_wait(&done);
  CHECK(uv_hrtime() - start >= 5 * MS + 1);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 1);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 0); /* it is not started any more */
  CHECK_EQ(fired_now(), 1);
}

TEST(a_stopped_one_does_not_fire) {
  watchdog_t holder, early, late;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  hold_the_thread(&holder);
  CHECK_EQ(uvx_watchdog_start(&early, MS, count, NULL), 0);
  CHECK_EQ(uvx_watchdog_stop(&early), 0);
  CHECK_EQ(uvx_watchdog_start(&late, 3 * MS, count, NULL), 0);
  uv_sem_post(&go_on);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&late), 1);
  CHECK_EQ(uvx_watchdog_stop(&holder), 1);
  CHECK_EQ(fired_now(), 1);
}

TEST(no_time_fires_at_once_and_forever_never) {
  watchdog_t never, now;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_watchdog_start(&never, UVX_FOREVER, count, NULL), 0);
  CHECK_EQ(uvx_watchdog_start(&now, 0, count, NULL), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&now), 1);
  CHECK_EQ(uvx_watchdog_reset(&never, UVX_FOREVER - 1), 0); /* no overflow */
  CHECK_EQ(uvx_watchdog_start(&now, 0, count, NULL), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&now), 1);
  CHECK_EQ(uvx_watchdog_stop(&never), 0);
  CHECK_EQ(fired_now(), 2);
}

TEST(nonsense_is_refused) {
  watchdog_t watchdog;
  memset(&watchdog, 0, sizeof watchdog);
  CHECK_EQ(uvx_watchdog_start(&watchdog, 1, NULL, NULL), UV_EINVAL);
  CHECK_EQ(uvx_watchdog_reset(&watchdog, 1), UV_EINVAL);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 0);
}

static void note(watchdog_t* watchdog, void* arg) {
  (void) watchdog;
  port_note(arg);
  uv_sem_post(&done);
}

/* 1.4.2: the outer one is over first; the inner one after it. Both are told. */
TEST(nested_ones_fire_by_their_time_not_by_their_start) {
  watchdog_t outer, inner, innermost;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  uint64_t start = uv_hrtime();
  CHECK_EQ(uvx_watchdog_start(&outer, 150 * MS, note, "outer"), 0);
  CHECK_EQ(uvx_watchdog_start(&inner, 300 * MS, note, "inner"), 0);
  CHECK_EQ(uvx_watchdog_start(&innermost, 20 * MS, note, "innermost"), 0);
  if (uv_hrtime() - start > 100 * MS) SKIP("the machine is too slow to know the order");
  for (int i = 0; i < 3; i++) uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&innermost), 1);
  CHECK_EQ(uvx_watchdog_stop(&inner), 1);
  CHECK_EQ(uvx_watchdog_stop(&outer), 1);
  CHECK_LOG("innermost,outer,inner");
}

/* The thread sleeps towards a far time, then towards one that is stopped: the near one must wake it. */
TEST(an_earlier_one_is_not_missed) {
  watchdog_t far, stopped, near;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  for (int i = 0; i < 200; i++) {
    CHECK_EQ(uvx_watchdog_start(&far, A_MINUTE, count, NULL), 0);
    CHECK_EQ(uvx_watchdog_start(&stopped, A_MINUTE / 2, count, NULL), 0);
    CHECK_EQ(uvx_watchdog_stop(&stopped), 0);
    CHECK_EQ(uvx_watchdog_start(&near, (uint64_t) (i % 50) * 1000, count, NULL), 0);
    uv_sem_wait(&done);
    CHECK_EQ(uvx_watchdog_stop(&near), 1);
    CHECK_EQ(uvx_watchdog_stop(&far), 0);
  }
  CHECK_EQ(fired_now(), 200);
}

TEST(a_reset_one_has_its_time_anew) {
  watchdog_t watchdog;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_watchdog_start(&watchdog, A_MINUTE, count, NULL), 0);
  for (int i = 0; i < 100; i++) CHECK_EQ(uvx_watchdog_reset(&watchdog, A_MINUTE - (uint64_t) i), 0);
  uint64_t start = uv_hrtime();
  CHECK_EQ(uvx_watchdog_reset(&watchdog, 2 * MS), 0);
  uv_sem_wait(&done);
  CHECK(uv_hrtime() - start >= 2 * MS);
  CHECK_EQ(uvx_watchdog_reset(&watchdog, MS), 1); /* it had fired, and fires again */
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_reset(&watchdog, UVX_FOREVER), 1);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 1);
  CHECK_EQ(fired_now(), 2);
}

static void again(watchdog_t* watchdog, void* arg) {
  int before = __atomic_fetch_add(&fired, 1, __ATOMIC_SEQ_CST);
  (void) arg;
  if (before < 9) CHECK_EQ(uvx_watchdog_reset(watchdog, 10), 1);
  else uv_sem_post(&done);
}

TEST(a_callback_may_reset_its_own) {
  watchdog_t watchdog;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_watchdog_start(&watchdog, 10, again, NULL), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 1);
  CHECK_EQ(fired_now(), 10);
}

static void free_itself(watchdog_t* watchdog, void* arg) {
  CHECK_EQ(uvx_watchdog_stop(watchdog), 1);
  memset(watchdog, 0xff, sizeof *watchdog);
  free(watchdog);
  uv_sem_post(arg);
}

TEST(a_callback_may_stop_and_free_its_own) {
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  for (int i = 0; i < 100; i++) {
    watchdog_t* watchdog = malloc(sizeof *watchdog);
    CHECK(watchdog != NULL);
    CHECK_EQ(uvx_watchdog_start(watchdog, (uint64_t) i, free_itself, &done), 0);
  }
  for (int i = 0; i < 100; i++) uv_sem_wait(&done);
}

static void restart(watchdog_t* watchdog, void* arg) {
  CHECK_EQ(uvx_watchdog_stop(watchdog), 1);
  CHECK_EQ(uvx_watchdog_start(watchdog, 0, count, arg), 0);
}

TEST(a_callback_may_start_its_own_again) {
  watchdog_t watchdog;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_watchdog_start(&watchdog, 0, restart, NULL), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 1);
  CHECK_EQ(fired_now(), 1);
}

static int is_over, lingered;

static void linger(watchdog_t* watchdog, void* arg) {
  (void) watchdog;
  (void) arg;
  uv_sem_post(&begun);
  uv_sem_wait(&go_on);
  /* Refused once somebody stops it; else it runs once more. */
  if (lingered++ == 0) CHECK(uvx_watchdog_reset(watchdog, 0) <= 1);
  __atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
}

static void* let_go(void* arg) {
  (void) arg;
  uv_sem_post(&go_on);
  return NULL;
}

/* 1.4.3: after stop the callback does not run, and what it wrote is seen. */
TEST(stopping_waits_for_a_running_callback) {
  watchdog_t watchdog;
  pthread_t thread;
  for (int i = 0; i < 50; i++) {
    CHECK_EQ(uv_sem_init(&begun, 0), 0);
    CHECK_EQ(uv_sem_init(&go_on, 0), 0);
    is_over = lingered = 0;
    CHECK_EQ(uvx_watchdog_start(&watchdog, 0, linger, NULL), 0);
    uv_sem_wait(&begun);
    CHECK_EQ(pthread_create(&thread, NULL, let_go, NULL), 0);
    uv_sem_post(&go_on); /* for the second run, if there is one */
    CHECK_EQ(uvx_watchdog_stop(&watchdog), 1);
    CHECK_EQ(__atomic_load_n(&is_over, __ATOMIC_SEQ_CST), 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    uv_sem_destroy(&begun);
    uv_sem_destroy(&go_on);
  }
}

static void stop_itself_and_linger(watchdog_t* watchdog, void* arg) {
  (void) arg;
  CHECK_EQ(uvx_watchdog_stop(watchdog), 1);
  uv_sem_post(&begun);
  uv_sem_wait(&go_on);
}

/* The memory of one that has stopped itself may be another one's at once. To stop that one is not to wait for the callback of the first. */
TEST(the_next_one_in_the_same_memory_does_not_wait_for_the_callback_of_the_last) {
  watchdog_t watchdog;
  CHECK_EQ(uv_sem_init(&begun, 0), 0);
  CHECK_EQ(uv_sem_init(&go_on, 0), 0);
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  for (int i = 0; i < 50; i++) {
    CHECK_EQ(uvx_watchdog_start(&watchdog, 0, stop_itself_and_linger, NULL), 0);
    uv_sem_wait(&begun);
    CHECK_EQ(uvx_watchdog_start(&watchdog, i % 2 == 0 ? 0 : UVX_FOREVER, count, NULL), 0);
    CHECK_EQ(uvx_watchdog_stop(&watchdog), 0); /* the thread is held, so it has not fired */
    uv_sem_post(&go_on);
  }
  CHECK_EQ(fired_now(), 0);
  CHECK_EQ(uvx_watchdog_start(&watchdog, 0, count, NULL), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 1);
}

struct guarded {
  watchdog_t watchdog;
  int is_started; /* plain: what start and stop promise is all that orders it */
};

static void touch(watchdog_t* watchdog, void* arg) {
  struct guarded* guarded = arg;
  CHECK(watchdog == &guarded->watchdog);
  CHECK_EQ(guarded->is_started, 1);
  guarded->is_started = 2;
}

static int races_won[2];

/* So many rounds, and until it went both ways. */
static void* race(void* arg) {
  uint32_t random = (uint32_t) (uintptr_t) arg;
  for (int i = 0; i < 3000 || get(&races_won[0]) == 0 || get(&races_won[1]) == 0; i++) {
    struct guarded* guarded = calloc(1, sizeof *guarded);
    CHECK(guarded != NULL);
    random = random * 1664525u + 1013904223u;
    guarded->is_started = 1;
    CHECK_EQ(uvx_watchdog_start(&guarded->watchdog, random >> 16, touch, guarded), 0);
    for (volatile uint32_t spin = (random >> 8) % 4000; spin > 0; spin--) continue;
    int result = uvx_watchdog_stop(&guarded->watchdog);
    CHECK_EQ(guarded->is_started, result + 1); /* 1 means that the callback has run, 0 that it has not */
    guarded->is_started = 0;
    free(guarded);
    add(&races_won[result], 1);
  }
  return NULL;
}

/* 1.4.3, 4.10: firing against stopping, from several threads. */
TEST(firing_races_stopping) {
  pthread_t threads[4];
  for (uintptr_t i = 0; i < 4; i++) CHECK_EQ(pthread_create(&threads[i], NULL, race, (void*) (i + 1)), 0);
  for (int i = 0; i < 4; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

enum { MANY = 2000 };
static uint64_t deadlines[MANY], last_deadline;

static void in_order(watchdog_t* watchdog, void* arg) {
  uint64_t* deadline = arg;
  CHECK(*deadline >= last_deadline);
  CHECK(uv_hrtime() >= *deadline);
  last_deadline = *deadline;
  count(watchdog, arg);
}

static void hold(watchdog_t* watchdog, void* arg) {
  (void) watchdog;
  uv_sem_wait(arg);
}

/* All are over while the thread is held; then they run in the order of their times, as far as those are known here. */
TEST(many_fire_in_order) {
  static watchdog_t watchdogs[MANY], holder;
  uint32_t random = 7;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uv_sem_init(&go_on, 0), 0);
  CHECK_EQ(uvx_watchdog_start(&holder, 0, hold, &go_on), 0);
  uint64_t zero = uv_hrtime();
  for (int i = 0; i < MANY; i++) {
    random = random * 1664525u + 1013904223u;
    /* Multiples of a step that is longer than all of this takes, so that the order is that of the steps. */
    uint64_t step = (random >> 16) % 8;
    deadlines[i] = zero + step * 100 * MS;
    uint64_t now = uv_hrtime();
    CHECK_EQ(uvx_watchdog_start(&watchdogs[i], deadlines[i] > now ? deadlines[i] - now : 0, in_order, &deadlines[i]), 0);
  }
  if (uv_hrtime() - zero > 90 * MS) SKIP("the machine is too slow to know the order");
  for (int i = 0; i < MANY; i += 3) CHECK_EQ(uvx_watchdog_stop(&watchdogs[i]), 0);
  uv_sem_post(&go_on);
  for (int i = 0; i < MANY; i++)
    if (i % 3 != 0) uv_sem_wait(&done);
  for (int i = 0; i < MANY; i++) CHECK_EQ(uvx_watchdog_stop(&watchdogs[i]), i % 3 != 0);
  CHECK_EQ(uvx_watchdog_stop(&holder), 1);
}

static void look_at_the_thread(watchdog_t* watchdog, void* arg) {
  service_check_thread();
  count(watchdog, arg);
}

TEST(callbacks_run_on_one_thread_with_all_signals_blocked) {
  watchdog_t watchdog;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_watchdog_start(&watchdog, 0, look_at_the_thread, NULL), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 1);
  CHECK_EQ(service_threads(), 1);
}

TEST(no_memory_is_needed) {
  watchdog_t watchdog;
  allocs_install();
  allocs.always = 1;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_watchdog_start(&watchdog, 0, count, NULL), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_reset(&watchdog, 1), 1);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 1);
  CHECK_EQ(allocs.refused, 0);
}

/* 1.4.4: the error is returned, and the next try works. */
TEST(a_thread_that_cannot_start_is_an_error) {
  watchdog_t watchdog;
  service_forbid_threads();
  int status = uvx_watchdog_start(&watchdog, 0, count, NULL);
  CHECK(status == UV_EAGAIN || status == UV_ENOMEM);
  service_allow_threads();
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_watchdog_start(&watchdog, 0, count, NULL), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 1);
}

TEST(the_library_ends_the_thread) {
  watchdog_t watchdog;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_watchdog_start(&watchdog, 0, count, NULL), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_watchdog_stop(&watchdog), 1);
  CHECK_EQ(service_threads(), 1);
  uv_library_shutdown();
  CHECK_EQ(service_threads(), 0);
}

static void leave(watchdog_t* watchdog, void* arg) {
  (void) watchdog;
  (void) arg;
  exit(7);
}

TEST(a_callback_may_end_the_program) {
  watchdog_t watchdog;
  int status;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(uvx_watchdog_start(&watchdog, 0, leave, NULL), 0);
    for (;;) pause();
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 7);
}
