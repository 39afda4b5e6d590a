/* Signal wakes: signals that come early, in a busy loop, to several owners; dispositions; posts from anywhere. The numbers are those of
 * docs/uvx/BEHAVIOUR.md. */
#include "port.h"

#include "allocs.h"
#include "service.h"

typedef uvx_sigwake_t wake_t;

static int calls;
static uv_sem_t done;
static wake_t* wake;

static void count(wake_t* given, void* arg) {
  CHECK(given != NULL);
  CHECK(arg == &calls);
  __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
  uv_sem_post(&done);
}

static int calls_now(void) {
  return __atomic_load_n(&calls, __ATOMIC_SEQ_CST);
}

static void set_up(int signum) {
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_sigwake_install(signum, count, &calls, &wake), 0);
}

static struct sigaction disposition(int signum) {
  struct sigaction action;
  CHECK_EQ(sigaction(signum, NULL, &action), 0);
  return action;
}

static int is_default(int signum) {
  return disposition(signum).sa_handler == SIG_DFL;
}

TEST(a_signal_calls_back) {
  set_up(SIGUSR1);
  for (int i = 1; i <= 10; i++) {
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    uv_sem_wait(&done);
    CHECK_EQ(calls_now(), i);
  }
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
  CHECK(is_default(SIGUSR1));
}

/* 1.5.1: the thread that the signal finds is busy, and no other one waits for anything. */
TEST(a_busy_loop_does_not_keep_it) {
  set_up(SIGUSR1);
  CHECK_EQ(raise(SIGUSR1), 0);
  while (calls_now() == 0) continue;
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
}

/* What the original's debugger needs: a signal gets a call into the loop, be that asleep or in the midst of a callback that does not end by
 * itself. */
static uvx_mailbox_t* mailbox;
static int interrupts;

static void count_interrupt(void* arg, int status) {
  CHECK_EQ(status, 0);
  CHECK(arg == &interrupts);
  interrupts++;
}

static void break_in(wake_t* given, void* arg) {
  (void) given;
  (void) arg;
  CHECK_EQ(uvx_mailbox_call_copy(mailbox, count_interrupt, &interrupts, UVX_CALL_INTERRUPT), 0);
}

static void be_busy(uv_idle_t* idle) {
  int before = interrupts;
  CHECK_EQ(kill(getpid(), SIGUSR1), 0);
  while (interrupts == before) uvx_loop_run_interrupts(idle->loop);
  CHECK_EQ(uv_idle_stop(idle), 0);
}

static void* signal_later(void* unused) {
  (void) unused;
  usleep(1000); /* the loop sleeps, most likely */
  CHECK_EQ(kill(getpid(), SIGUSR1), 0);
  return NULL;
}

TEST(a_signal_breaks_into_a_busy_and_a_sleeping_loop) {
  uv_loop_t loop;
  uv_idle_t idle;
  uv_async_t keeper;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uvx_loop_mailbox(&loop, &mailbox), 0);
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  CHECK_EQ(uv_async_init(&loop, &keeper, NULL), 0);
  CHECK_EQ(uvx_sigwake_install(SIGUSR1, break_in, NULL, &wake), 0);
  for (int i = 0; i < 50; i++) {
    CHECK_EQ(uv_idle_start(&idle, be_busy), 0);
    CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
    CHECK_EQ(interrupts, 2 * i + 1);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, signal_later, NULL), 0);
    while (interrupts == 2 * i + 1) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(interrupts, 2 * i + 2);
  }
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
  uvx_mailbox_release(mailbox);
  check_close_loop(&loop);
}

/* 1.5.2: blocked first, so that it does not kill; delivered once there is a handler. */
TEST(a_signal_that_came_early_is_delivered) {
  sigset_t usr1, now;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, &usr1, NULL), 0);
  CHECK_EQ(kill(getpid(), SIGUSR1), 0);
  set_up(SIGUSR1);
  uv_sem_wait(&done);
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
  CHECK_EQ(sigismember(&now, SIGUSR1), 0);
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
  CHECK_EQ(calls_now(), 1);
}

/* 1.5.3: without a thread there is no handler, and what is blocked stays blocked. */
TEST(a_thread_that_cannot_start_changes_nothing) {
  sigset_t usr1, now;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, &usr1, NULL), 0);
  service_forbid_threads();
  int status = uvx_sigwake_install(SIGUSR1, count, &calls, &wake);
  CHECK(status == UV_EAGAIN || status == UV_ENOMEM);
  CHECK(is_default(SIGUSR1));
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
  CHECK_EQ(sigismember(&now, SIGUSR1), 1);
  service_allow_threads();
  set_up(SIGUSR1);
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
}

static int own_calls;

static void own_handler(int signum, siginfo_t* info, void* context) {
  (void) signum;
  (void) info;
  (void) context;
  own_calls++;
}

static void install_own(int signum) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = own_handler;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaddset(&action.sa_mask, SIGUSR2);
  CHECK_EQ(sigaction(signum, &action, NULL), 0);
}

/* 1.5.4 */
TEST(the_disposition_of_before_comes_back) {
  install_own(SIGUSR1);
  set_up(SIGUSR1);
  CHECK_EQ(raise(SIGUSR1), 0);
  uv_sem_wait(&done);
  CHECK_EQ(own_calls, 0);
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
  struct sigaction after = disposition(SIGUSR1);
  CHECK(after.sa_sigaction == own_handler);
  CHECK_EQ(after.sa_flags & (SA_SIGINFO | SA_NODEFER), SA_SIGINFO | SA_NODEFER);
  CHECK(sigismember(&after.sa_mask, SIGUSR2));
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(own_calls, 1);
}

TEST(an_ignored_signal_is_ignored_again) {
  CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
  set_up(SIGUSR1);
  CHECK_EQ(raise(SIGUSR1), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
}

TEST(what_the_program_installs_meanwhile_stays) {
  set_up(SIGUSR1);
  install_own(SIGUSR1);
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
  CHECK(disposition(SIGUSR1).sa_sigaction == own_handler);
}

TEST(what_the_program_installs_between_two_wakes_comes_back) {
  wake_t* other;
  set_up(SIGUSR1);
  install_own(SIGUSR1);
  CHECK_EQ(uvx_sigwake_install(SIGUSR1, count, &calls, &other), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  for (int i = 0; i < 2; i++) uv_sem_wait(&done);
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
  CHECK_EQ(uvx_sigwake_remove(other), 0);
  CHECK(disposition(SIGUSR1).sa_sigaction == own_handler);
}

/* 1.5.5: where the original has one owner for the process. */
TEST(several_owners_are_all_called) {
  wake_t* others[3];
  set_up(SIGUSR1);
  for (int i = 0; i < 3; i++) CHECK_EQ(uvx_sigwake_install(i < 2 ? SIGUSR1 : SIGUSR2, count, &calls, &others[i]), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  for (int i = 0; i < 3; i++) uv_sem_wait(&done);
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
  CHECK_EQ(uvx_sigwake_remove(others[1]), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_sigwake_remove(others[0]), 0);
  CHECK(is_default(SIGUSR1));
  CHECK(!is_default(SIGUSR2));
  CHECK_EQ(uvx_sigwake_remove(others[2]), 0);
  CHECK(is_default(SIGUSR2));
  CHECK_EQ(calls_now(), 4);
}

static uv_loop_t loop;
static uv_signal_t handle;
static int handle_calls;

static void on_handle(uv_signal_t* given, int signum) {
  CHECK_EQ(signum, SIGUSR1);
  handle_calls++;
  CHECK_EQ(uv_signal_stop(given), 0);
}

static void start_handle(int one_shot) {
  handle_calls = 0;
  if (one_shot) CHECK_EQ(uv_signal_start_oneshot(&handle, on_handle, SIGUSR1), 0);
  else CHECK_EQ(uv_signal_start(&handle, on_handle, SIGUSR1), 0);
}

static void both_are_called(void) {
  CHECK_EQ(raise(SIGUSR1), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0); /* the handle stops itself */
  CHECK_EQ(handle_calls, 1);
}

/* 1.5.6: a signal handle does not take the signal from a wake, nor the other way around, whoever comes and goes first. */
TEST(signal_handles_and_wakes_live_together) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_signal_init(&loop, &handle), 0);
  for (int one_shot = 0; one_shot < 2; one_shot++) {
    set_up(SIGUSR1);
    start_handle(one_shot);
    both_are_called();
    CHECK_EQ(raise(SIGUSR1), 0); /* the wake still has it */
    uv_sem_wait(&done);
    CHECK_EQ(uvx_sigwake_remove(wake), 0);
    CHECK(is_default(SIGUSR1));

    start_handle(one_shot);
    set_up(SIGUSR1);
    both_are_called();
    start_handle(one_shot);
    CHECK_EQ(uvx_sigwake_remove(wake), 0);
    CHECK(!is_default(SIGUSR1)); /* the handle still has it */
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ(handle_calls, 1);
    CHECK(is_default(SIGUSR1));
  }
  uv_close((uv_handle_t*) &handle, NULL);
  check_close_loop(&loop);
}

static void look_at_the_thread(wake_t* given, void* arg) {
  service_check_thread();
  count(given, arg);
}

TEST(posts_need_no_signal) {
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uvx_sigwake_install(0, look_at_the_thread, &calls, &wake), 0);
  uvx_sigwake_post(wake);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
  CHECK_EQ(uvx_sigwake_remove(NULL), 0);
}

static void post_in_handler(int signum) {
  (void) signum;
  errno = 123;
  uvx_sigwake_post(wake);
  if (errno != 123) _exit(3);
}

TEST(a_signal_handler_may_post) {
  set_up(0);
  CHECK(signal(SIGUSR2, post_in_handler) != SIG_ERR);
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(raise(SIGUSR2), 0);
    uv_sem_wait(&done);
  }
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
}

static int written, read_back;

static void read_it(wake_t* given, void* arg) {
  (void) given;
  (void) arg;
  __atomic_store_n(&read_back, __atomic_load_n(&written, __ATOMIC_RELAXED), __ATOMIC_SEQ_CST);
}

/* Posts may become one call, but the last one is seen. */
TEST(the_last_post_is_not_lost) {
  CHECK_EQ(uvx_sigwake_install(0, read_it, NULL, &wake), 0);
  for (int i = 1; i <= 20000; i++) {
    __atomic_store_n(&written, i, __ATOMIC_RELAXED);
    uvx_sigwake_post(wake);
    if (i % 64 == 0)
      while (__atomic_load_n(&read_back, __ATOMIC_SEQ_CST) != i) sched_yield();
  }
  while (__atomic_load_n(&read_back, __ATOMIC_SEQ_CST) != 20000) sched_yield();
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
}

static uv_sem_t begun, go_on;
static int is_over;

static void linger(wake_t* given, void* arg) {
  (void) given;
  (void) arg;
  uv_sem_post(&begun);
  uv_sem_wait(&go_on);
  __atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
}

static void* let_go(void* arg) {
  (void) arg;
  uv_sem_post(&go_on);
  return NULL;
}

TEST(removing_waits_and_tells_what_was_not_called) {
  pthread_t thread;
  wake_t* held_up;
  CHECK_EQ(uv_sem_init(&begun, 0), 0);
  CHECK_EQ(uv_sem_init(&go_on, 0), 0);
  CHECK_EQ(uvx_sigwake_install(SIGUSR1, linger, NULL, &wake), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  uv_sem_wait(&begun); /* the thread is held from here on */
  CHECK_EQ(uvx_sigwake_install(SIGUSR2, count, &calls, &held_up), 0);
  CHECK_EQ(raise(SIGUSR2), 0);
  CHECK_EQ(uvx_sigwake_remove(held_up), 1);
  CHECK_EQ(raise(SIGUSR1), 0); /* comes again, while its callback runs */
  CHECK_EQ(pthread_create(&thread, NULL, let_go, NULL), 0);
  uv_sem_post(&go_on); /* for the second call, if there is one */
  uvx_sigwake_remove(wake);
  CHECK_EQ(is_over, 1);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_EQ(calls_now(), 0);
}

static void remove_itself(wake_t* given, void* arg) {
  CHECK_EQ(uvx_sigwake_remove(given), 0);
  uv_sem_post(arg);
}

TEST(a_callback_may_remove_its_own) {
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(uvx_sigwake_install(SIGUSR1, remove_itself, &done, &wake), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    uv_sem_wait(&done);
    CHECK(is_default(SIGUSR1));
  }
}

static void* spare;

static void* malloc_again(size_t size) {
  void* block = size <= 256 ? __atomic_exchange_n(&spare, NULL, __ATOMIC_SEQ_CST) : NULL;
  return block != NULL ? block : malloc(size < 256 ? 256 : size);
}

static void keep_to_reuse(void* block) {
  if (block != NULL) free(__atomic_exchange_n(&spare, block, __ATOMIC_SEQ_CST));
}

static void remove_itself_and_linger(wake_t* given, void* arg) {
  (void) arg;
  CHECK_EQ(uvx_sigwake_remove(given), 0);
  uv_sem_post(&done);
  uv_sem_wait(&go_on);
}

/* The next one has its memory: to remove that is not to wait for the callback of the first. */
TEST(nobody_waits_for_the_callback_of_one_that_has_removed_itself) {
  wake_t* next;
  CHECK_EQ(uv_replace_allocator(malloc_again, realloc, calloc, keep_to_reuse), 0);
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uv_sem_init(&go_on, 0), 0);
  CHECK_EQ(uvx_sigwake_install(0, remove_itself_and_linger, NULL, &wake), 0);
  uvx_sigwake_post(wake);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_sigwake_install(0, count, &calls, &next), 0);
  CHECK(next == wake);
  uvx_sigwake_post(next);
  CHECK_EQ(uvx_sigwake_remove(next), 1);
  CHECK_EQ(calls_now(), 0);
  uv_sem_post(&go_on);
  uv_library_shutdown();
}

static void* storm(void* arg) {
  (void) arg;
  for (int i = 0; i < 2000; i++) CHECK_EQ(kill(getpid(), SIGUSR1), 0);
  return NULL;
}

/* A wake stays throughout, so that the signal never has its default. */
TEST(installing_races_signals) {
  pthread_t threads[2];
  wake_t* other;
  set_up(SIGUSR1);
  for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&threads[i], NULL, storm, NULL), 0);
  for (int i = 0; i < 500; i++) {
    CHECK_EQ(uvx_sigwake_install(SIGUSR1, count, &calls, &other), 0);
    uvx_sigwake_remove(other);
  }
  for (int i = 0; i < 2; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  uv_sem_wait(&done);
  uvx_sigwake_remove(wake);
}

TEST(nonsense_is_refused) {
  CHECK_EQ(uvx_sigwake_install(SIGUSR1, NULL, NULL, &wake), UV_EINVAL);
  CHECK_EQ(uvx_sigwake_install(SIGKILL, count, &calls, &wake), UV_EINVAL);
  CHECK_EQ(uvx_sigwake_install(-1, count, &calls, &wake), UV_EINVAL);
  CHECK_EQ(uvx_sigwake_install(65, count, &calls, &wake), UV_EINVAL);
}

static int install_and_remove(long n) {
  allocs_fail_at(n);
  int status = uvx_sigwake_install(SIGUSR1, count, &calls, &wake);
  allocs_fail_at(0);
  if (status == 0) CHECK_EQ(uvx_sigwake_remove(wake), 0);
  CHECK(is_default(SIGUSR1));
  return status;
}

TEST(without_memory_nothing_is_installed) {
  allocs_install();
  CHECK_EQ(allocs_exhaust(install_and_remove), 1);
}

/* 1.5.7 */
TEST(the_child_of_a_fork_has_none) {
  NOT_UNDER_TSAN("it does not deliver signals in the child of a program with threads");
  install_own(SIGUSR2);
  wake_t* other;
  set_up(SIGUSR1);
  CHECK_EQ(uvx_sigwake_install(SIGUSR2, count, &calls, &other), 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK(is_default(SIGUSR1));
    CHECK(disposition(SIGUSR2).sa_sigaction == own_handler);
    CHECK_EQ(uvx_sigwake_remove(other), 0);
    CHECK_EQ(uvx_sigwake_remove(wake), 0);
    set_up(SIGUSR1);
    CHECK_EQ(raise(SIGUSR1), 0);
    uv_sem_wait(&done);
    CHECK_EQ(uvx_sigwake_remove(wake), 0);
    _exit(0);
  }
  service_child_is_fine(child);
  CHECK_EQ(raise(SIGUSR2), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_sigwake_remove(other), 0);
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
}

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

static int raise_in_child;

static void in_child(void) {
  if (raise_in_child) kill(getpid(), SIGUSR1);
}

/* It comes as early as it can: while fork has not returned. */
TEST(a_signal_to_the_child_does_what_it_did_before) {
  NOT_UNDER_TSAN("it does not deliver signals in the child of a program with threads");
  int status;
  CHECK_EQ(pthread_atfork(NULL, NULL, in_child), 0); /* the first to run in the child */
  set_up(SIGUSR1);
  raise_in_child = 1;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) _exit(0);
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFSIGNALED(status));
  CHECK_EQ(WTERMSIG(status), SIGUSR1);
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
}
