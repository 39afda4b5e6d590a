/* Signal wakes: signals that come early, in a busy loop; posts from anywhere; removing. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "sigwake.h"

#include "allocs.h"
#include "service.h"

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
