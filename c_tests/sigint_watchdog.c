/* SIGINT watchdogs: who sees the signal, what is pending, and that nothing is left behind. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "port.h"

#include "allocs.h"
#include "service.h"

typedef uvx_sigint_watchdog_t sigint_t;

static uv_sem_t done;

static int note_and_stop(sigint_t* watchdog, void* arg) {
  (void) watchdog;
  port_note(arg);
  uv_sem_post(&done);
  return UVX_SIGINT_STOP;
}

static int note_and_continue(sigint_t* watchdog, void* arg) {
  (void) watchdog;
  port_note(arg);
  uv_sem_post(&done);
  return UVX_SIGINT_CONTINUE;
}

static int only_stop(sigint_t* watchdog, void* arg) {
  (void) watchdog;
  uv_sem_post(arg);
  return UVX_SIGINT_STOP;
}

static int is_default(void) {
  struct sigaction action;
  CHECK_EQ(sigaction(SIGINT, NULL, &action), 0);
  return action.sa_handler == SIG_DFL;
}

static void interrupt_once(int callbacks) {
  CHECK_EQ(raise(SIGINT), 0);
  for (int i = 0; i < callbacks; i++) uv_sem_wait(&done);
}

/* 1.4.6 */
TEST(the_newest_one_sees_it_first) {
  sigint_t a, b, c;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_sigint_watchdog_start(&a, note_and_stop, "a"), 0);
  CHECK_EQ(uvx_sigint_watchdog_start(&b, note_and_stop, "b"), 0);
  CHECK_EQ(uvx_sigint_watchdog_start(&c, note_and_continue, "c"), 0);
  interrupt_once(2);
  CHECK_EQ(uvx_sigint_watchdog_stop(&c), 0);
  interrupt_once(1);
  CHECK_EQ(uvx_sigint_watchdog_stop(&b), 0);
  interrupt_once(1);
  CHECK(!is_default());
  CHECK_EQ(uvx_sigint_watchdog_stop(&a), 0);
  CHECK(is_default());
  CHECK_EQ(uvx_sigint_watchdog_stop(&a), 0);
  CHECK_LOG("c,b,b,a");
}

TEST(they_may_stop_in_any_order) {
  sigint_t a, b, c;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_sigint_watchdog_start(&a, note_and_stop, "a"), 0);
  CHECK_EQ(uvx_sigint_watchdog_start(&b, note_and_stop, "b"), 0);
  CHECK_EQ(uvx_sigint_watchdog_start(&c, note_and_continue, "c"), 0);
  CHECK_EQ(uvx_sigint_watchdog_stop(&b), 0);
  interrupt_once(2);
  CHECK_EQ(uvx_sigint_watchdog_stop(&a), 0);
  CHECK_EQ(uvx_sigint_watchdog_start(&b, note_and_stop, "b"), 0);
  interrupt_once(1);
  CHECK_EQ(uvx_sigint_watchdog_stop(&b), 0);
  CHECK_EQ(uvx_sigint_watchdog_stop(&c), 0);
  CHECK_LOG("c,a,b");
}

/* 1.4.7: nobody wants it; it is remembered, and told once. */
TEST(a_signal_without_callbacks_is_pending) {
  sigint_t a, b;
  CHECK_EQ(uvx_sigint_watchdog_start(&a, NULL, NULL), 0);
  CHECK_EQ(uvx_sigint_watchdog_start(&b, NULL, NULL), 0);
  CHECK_EQ(raise(SIGINT), 0);
  /* Whichever of the two first finds that it came. */
  int told = uvx_sigint_watchdog_stop(&b);
  told += uvx_sigint_watchdog_stop(&a);
  CHECK_EQ(told, 1);
  CHECK(is_default());
  CHECK_EQ(uvx_sigint_watchdog_start(&a, NULL, NULL), 0);
  CHECK_EQ(uvx_sigint_watchdog_stop(&a), 0);
}

TEST(a_signal_that_all_let_pass_is_pending) {
  sigint_t a;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_sigint_watchdog_start(&a, note_and_continue, "a"), 0);
  interrupt_once(1);
  CHECK_EQ(uvx_sigint_watchdog_stop(&a), 1);
  CHECK_LOG("a");
}

/* 1.4.8: it comes, and stops come before the helper has looked: it is not lost. */
TEST(a_signal_is_seen_or_pending_never_lost) {
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  for (int i = 0; i < 2000; i++) {
    sigint_t watchdog;
    CHECK_EQ(uvx_sigint_watchdog_start(&watchdog, only_stop, &done), 0);
    CHECK_EQ(raise(SIGINT), 0);
    int pending = uvx_sigint_watchdog_stop(&watchdog);
    int seen = uv_sem_trywait(&done) == 0;
    CHECK_EQ(pending + seen, 1);
  }
}

static sigint_t itself;

static int stop_itself(sigint_t* watchdog, void* arg) {
  CHECK(watchdog == &itself);
  CHECK_EQ(uvx_sigint_watchdog_stop(watchdog), 0);
  uv_sem_post(arg);
  return UVX_SIGINT_STOP;
}

TEST(a_callback_may_stop_its_own) {
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(uvx_sigint_watchdog_start(&itself, stop_itself, &done), 0);
    interrupt_once(1);
    CHECK(is_default());
  }
}

static uv_sem_t begun, go_on;
static int is_over;

static int linger(sigint_t* watchdog, void* arg) {
  (void) watchdog;
  (void) arg;
  service_check_thread();
  uv_sem_post(&begun);
  uv_sem_wait(&go_on);
  is_over = 1; /* plain: stop orders it */
  return UVX_SIGINT_STOP;
}

static void* let_go(void* arg) {
  (void) arg;
  uv_sem_post(&go_on);
  return NULL;
}

TEST(stopping_waits_for_a_running_callback) {
  pthread_t thread;
  sigint_t keeper, watchdog;
  CHECK_EQ(uv_sem_init(&begun, 0), 0);
  CHECK_EQ(uv_sem_init(&go_on, 0), 0);
  for (int is_last = 0; is_last < 2; is_last++) {
    is_over = 0;
    if (!is_last) CHECK_EQ(uvx_sigint_watchdog_start(&keeper, NULL, NULL), 0);
    CHECK_EQ(uvx_sigint_watchdog_start(&watchdog, linger, NULL), 0);
    CHECK_EQ(raise(SIGINT), 0);
    uv_sem_wait(&begun);
    CHECK_EQ(pthread_create(&thread, NULL, let_go, NULL), 0);
    CHECK_EQ(uvx_sigint_watchdog_stop(&watchdog), 0);
    CHECK_EQ(is_over, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    if (!is_last) CHECK_EQ(uvx_sigint_watchdog_stop(&keeper), 0);
  }
}

static void* start_and_stop(void* arg) {
  sigint_t watchdog;
  (void) arg;
  for (int i = 0; i < 1000; i++) {
    CHECK_EQ(uvx_sigint_watchdog_start(&watchdog, i % 2 == 0 ? only_stop : NULL, &done), 0);
    uvx_sigint_watchdog_stop(&watchdog);
    memset(&watchdog, 0xff, sizeof watchdog);
  }
  return NULL;
}

/* A watchdog stays throughout, so that the signal never has its default. */
TEST(starting_races_signals) {
  sigint_t keeper;
  pthread_t threads[3];
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_sigint_watchdog_start(&keeper, NULL, NULL), 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&threads[i], NULL, start_and_stop, NULL), 0);
  for (int i = 0; i < 2000; i++) CHECK_EQ(kill(getpid(), SIGINT), 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  uvx_sigint_watchdog_stop(&keeper);
  CHECK(is_default());
}

TEST(a_thread_that_cannot_start_is_an_error) {
  sigint_t watchdog;
  service_forbid_threads();
  int status = uvx_sigint_watchdog_start(&watchdog, note_and_stop, NULL);
  CHECK(status == UV_EAGAIN || status == UV_ENOMEM);
  CHECK(is_default());
  service_allow_threads();
  CHECK_EQ(uvx_sigint_watchdog_start(&watchdog, note_and_stop, NULL), 0);
  CHECK_EQ(uvx_sigint_watchdog_stop(&watchdog), 0);
}

static int try_to_start(long n) {
  sigint_t watchdog;
  allocs_fail_at(n);
  int status = uvx_sigint_watchdog_start(&watchdog, note_and_stop, "");
  allocs_fail_at(0);
  CHECK_EQ(is_default(), status != 0);
  if (status == 0) CHECK_EQ(uvx_sigint_watchdog_stop(&watchdog), 0);
  return status;
}

/* The first one needs some, all others none. */
TEST(without_memory_none_is_started) {
  sigint_t a, b;
  allocs_install();
  CHECK_EQ(allocs_exhaust(try_to_start), 1);
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_sigint_watchdog_start(&a, note_and_stop, "a"), 0);
  allocs_fail_at(0);
  allocs.always = 1;
  CHECK_EQ(uvx_sigint_watchdog_start(&b, note_and_continue, "b"), 0);
  interrupt_once(2);
  CHECK_EQ(uvx_sigint_watchdog_stop(&a), 0);
  CHECK_EQ(uvx_sigint_watchdog_stop(&b), 0);
  CHECK(is_default());
  CHECK_EQ(allocs.refused, 0);
  CHECK_EQ(allocs_live(), 0);
  CHECK_LOG("b,a");
}

TEST(the_child_of_a_fork_has_none) {
  NOT_UNDER_TSAN("it does not deliver signals in the child of a program with threads");
  sigint_t watchdog, own;
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_sigint_watchdog_start(&watchdog, note_and_stop, "parent"), 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK(is_default());
    CHECK_EQ(uvx_sigint_watchdog_start(&own, note_and_stop, "child"), 0);
    CHECK_EQ(uvx_sigint_watchdog_stop(&watchdog), 0);
    interrupt_once(1);
    CHECK_EQ(uvx_sigint_watchdog_stop(&own), 0);
    CHECK_LOG("child");
    _exit(0);
  }
  check_child(child);
  interrupt_once(1);
  CHECK_EQ(uvx_sigint_watchdog_stop(&watchdog), 0);
  CHECK_LOG("parent");
}
