/* Who else has the signal of a wake: its disposition of before, several owners, signal handles, the child of a fork. The numbers are
 * those of docs/uvx/BEHAVIOUR.md. */
#include "sigwake.h"

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
  check_child(child);
  CHECK_EQ(raise(SIGUSR2), 0);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_sigwake_remove(other), 0);
  CHECK_EQ(uvx_sigwake_remove(wake), 0);
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
