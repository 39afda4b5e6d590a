/* The end of child processes: whom it is reported to, how often, and beside what other means of noticing it. */
#include "process.h"

#include <sys/resource.h>

TEST(exit_status_and_signal_are_reported) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exit 7");
  run();
  CHECK_EQ(last_status, 7);
  CHECK_EQ(last_signal, 0);
  CHECK(WIFEXITED(process.status));
  prepare("exit 255");
  run();
  CHECK_EQ(last_status, 255);
  prepare("kill -KILL $$");
  run();
  CHECK_EQ(last_status, 0);
  CHECK_EQ(last_signal, SIGKILL);
  CHECK(WIFSIGNALED(process.status));
  CHECK_EQ(closes, 3);
  no_children();
  check_close_loop(&loop);
}

TEST(without_an_exit_callback_the_handle_becomes_inactive) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exit 3");
  options.exit_cb = NULL;
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK(!uv_is_active((uv_handle_t*) &process));
  CHECK(!uv_is_closing((uv_handle_t*) &process));
  no_children();
  check_close_loop(&loop);
}

TEST(closing_leaves_a_process_to_its_fate) {
  int status;
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exec sleep 1000");
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  uv_close((uv_handle_t*) &process, on_close);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(closes, 1);
  CHECK_EQ(kill(process.pid, SIGKILL), 0);
  CHECK_EQ(waitpid(process.pid, &status, 0), process.pid);
  CHECK_EQ(WTERMSIG(status), SIGKILL);
  CHECK_EQ(exits, 0);
  check_close_loop(&loop);
}

static uv_process_t herd[400];

static void spawn_herd(int count) {
  char script[32];
  for (int i = 0; i < count; i++) {
    snprintf(script, sizeof(script), "exit %d", i % 100);
    prepare(script);
    CHECK_EQ(uv_spawn(&loop, &herd[i], &options), 0);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, count);
  for (int i = 0; i < count; i++) CHECK_EQ(WEXITSTATUS(herd[i].status), i % 100);
  no_children();
}

TEST(many_children) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  spawn_herd(400);
  check_close_loop(&loop);
}

TEST(more_children_than_descriptors) {
  struct rlimit limit = {24, 24};
  close_others();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  spawn_herd(60);
  check_close_loop(&loop);
}

TEST(children_are_seen_where_child_signals_are_ignored) {
  NEEDS(1, 52);
  signal(SIGCHLD, SIG_IGN);
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < 3; i++) {
    prepare("exit 9");
    run();
    CHECK_EQ(last_status, 9);
  }
  options.file = "/no/such/program";
  expect_failure(UV_ENOENT);
  check_close_loop(&loop);
}

static volatile sig_atomic_t child_signals;

static void on_child(int signum) {
  (void) signum;
  child_signals++;
}

TEST(a_handler_for_child_signals_stays) {
  struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART}, found;
  OURS_ONLY("the reference installs its own");
  CHECK_EQ(sigaction(SIGCHLD, &action, NULL), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exit 1");
  run();
  CHECK_EQ(sigaction(SIGCHLD, NULL, &found), 0);
  if (found.sa_handler != on_child) SKIP("no descriptors for processes here");
  CHECK(child_signals > 0);
  check_close_loop(&loop);
}

static void on_child_signal(uv_signal_t* handle, int signum) {
  (void) handle, (void) signum;
  child_signals++;
}

TEST(a_signal_handle_for_child_signals_works_beside) {
  uv_signal_t handle;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_signal_init(&loop, &handle), 0);
  CHECK_EQ(uv_signal_start(&handle, on_child_signal, SIGCHLD), 0);
  uv_unref((uv_handle_t*) &handle);
  prepare("exit 1");
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  while (child_signals < 1 || closes < 1) uv_run(&loop, UV_RUN_ONCE);
  check_close_loop(&loop);
}

TEST(a_status_that_others_took_is_never_reported) {
  int status;
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exit 1");
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK_EQ(waitpid(process.pid, &status, 0), process.pid);
  for (int i = 0; i < 5; i++) CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_EQ(exits, 0);
  CHECK(uv_is_active((uv_handle_t*) &process));
  CHECK_EQ(uv_process_kill(&process, 0), UV_ESRCH);
  check_close_loop(&loop);
}

TEST(closing_an_ended_process_before_the_report) {
  siginfo_t info;
  int status;
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exit 1");
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK_EQ(waitid(P_PID, (id_t) process.pid, &info, WEXITED | WNOWAIT), 0);
  uv_close((uv_handle_t*) &process, on_close);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, 0);
  CHECK_EQ(waitpid(process.pid, &status, 0), process.pid);
  check_close_loop(&loop);
}

static void close_all_of_herd(uv_process_t* handle, int64_t status, int signum) {
  (void) handle, (void) status, (void) signum;
  exits++;
  for (int i = 0; i < 10; i++) uv_close((uv_handle_t*) &herd[i], on_close);
}

TEST(a_report_may_close_those_that_come_next) {
  siginfo_t info;
  OURS_ONLY("the reference hangs");
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exit 1");
  options.exit_cb = close_all_of_herd;
  for (int i = 0; i < 10; i++) CHECK_EQ(uv_spawn(&loop, &herd[i], &options), 0);
  for (int i = 0; i < 10; i++) CHECK_EQ(waitid(P_PID, (id_t) herd[i].pid, &info, WEXITED | WNOWAIT), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, 1);
  CHECK_EQ(closes, 10);
  check_close_loop(&loop);
}

TEST(each_loop_has_its_own_children) {
  uv_loop_t other;
  uv_process_t processes[2];
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_loop_init(&other), 0);
  prepare("exit 1");
  CHECK_EQ(uv_spawn(&loop, &processes[0], &options), 0);
  CHECK_EQ(uv_spawn(&other, &processes[1], &options), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, 1);
  CHECK_EQ(uv_run(&other, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, 2);
  check_close_loop(&loop);
  check_close_loop(&other);
}
