/* Child processes while they run: uv_spawn with what a child inherits, uv_process_kill, uv_process_get_pid. */
#include "process.h"

#include <grp.h>
#include <sys/prctl.h>

TEST(the_handle_is_active_while_the_process_runs) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exec sleep 1000");
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK(uv_is_active((uv_handle_t*) &process));
  CHECK_EQ(process.pid, uv_process_get_pid(&process));
  CHECK(process.pid > 0);
  CHECK(process.exit_cb == on_exit_seen);
  CHECK_EQ(process.type, UV_PROCESS);
  CHECK_EQ(uv_process_kill(&process, 0), 0);
  CHECK_EQ(uv_process_kill(&process, 1000), UV_EINVAL);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_EQ(exits, 0);
  CHECK_EQ(uv_process_kill(&process, SIGTERM), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, 1);
  CHECK_EQ(last_signal, SIGTERM);
  CHECK_EQ(uv_kill(process.pid, 0), UV_ESRCH);
  check_close_loop(&loop);
}

TEST(an_unreferenced_process_does_not_keep_the_loop) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exec sleep 1000");
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  uv_unref((uv_handle_t*) &process);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  uv_ref((uv_handle_t*) &process);
  CHECK_EQ(uv_process_kill(&process, SIGKILL), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, 1);
  check_close_loop(&loop);
}

TEST(environment) {
  char* env[] = {"ONE=1", "TWO=", NULL};
  char* nothing[] = {NULL};
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(setenv("UV_TEST_VALUE", "mine", 1), 0);
  prepare("printf %s \"$UV_TEST_VALUE\"");
  CHECK_STR(output(), "mine");
  prepare("tr '\\0' ' ' < /proc/self/environ");
  args[0] = "cat";
  args[1] = "/proc/self/environ";
  args[2] = NULL;
  options.file = "cat";
  options.env = env;
  CHECK_EQ(memcmp(output(), "ONE=1\0TWO=\0", 12), 0);
  options.env = nothing;
  CHECK_STR(output(), "");
  check_close_loop(&loop);
}

TEST(folder_of_the_child) {
  char before[1024], after[1024];
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK(getcwd(before, sizeof(before)) != NULL);
  prepare("pwd");
  options.cwd = "/usr";
  CHECK_STR(output(), "/usr\n");
  CHECK(getcwd(after, sizeof(after)) != NULL);
  CHECK_STR(before, after);
  check_close_loop(&loop);
}

static void on_signal(int signum) {
  (void) signum;
}

TEST(signals_have_their_default_action_in_the_child) {
  static const char* lines[] = {"SigBlk:", "SigIgn:", "SigCgt:"};
  const char* status;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGTERM);
  CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
  signal(SIGTERM, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGUSR2, on_signal);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("");
  args[0] = "cat";
  args[1] = "/proc/self/status";
  args[2] = NULL;
  options.file = "cat";
  status = output();
  for (int i = 0; i < 3; i++) {
    const char* line = strstr(status, lines[i]);
    CHECK(line != NULL);
    CHECK_EQ(strtoull(line + 7, NULL, 16) & 0x7fffffff, 0); /* the C library has the two above for itself */
  }
  CHECK(signal(SIGUSR2, SIG_DFL) == on_signal);
  CHECK(signal(SIGPIPE, SIG_DFL) == SIG_IGN);
  sigemptyset(&set);
  CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &set), 0);
  CHECK(sigismember(&set, SIGUSR1) && !sigismember(&set, SIGHUP));
  check_close_loop(&loop);
}

TEST(a_detached_child_leads_a_session) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exec cut -d' ' -f1,5,6 /proc/self/stat");
  for (int detached = 0; detached < 2; detached++) {
    int pid, group, session;
    options.flags = detached ? UV_PROCESS_DETACHED : 0;
    CHECK_EQ(sscanf(output(), "%d %d %d", &pid, &group, &session), 3);
    CHECK_EQ(pid, process.pid);
    CHECK_EQ(group, detached ? pid : getpgid(0));
    CHECK_EQ(session, detached ? pid : getsid(0));
  }
  check_close_loop(&loop);
}

TEST(flags_of_other_systems_mean_nothing) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exit 2");
  options.flags = UV_PROCESS_WINDOWS_HIDE | UV_PROCESS_WINDOWS_HIDE_CONSOLE | UV_PROCESS_WINDOWS_HIDE_GUI |
                  UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS;
  options.uid = 12345; /* not asked for */
  run();
  CHECK_EQ(last_status, 2);
  check_close_loop(&loop);
}

TEST(user_and_group_as_root) {
  NEEDS(1, 52);
  int dumpable = prctl(PR_GET_DUMPABLE);
  gid_t groups[] = {1, 2};
  if (getuid() != 0) SKIP("not root");
  if (setgroups(2, groups) != 0) SKIP("without the right to set groups");
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("id -u; id -g; id -G");
  options.flags = UV_PROCESS_SETUID | UV_PROCESS_SETGID;
  options.uid = 65534;
  options.gid = 65533;
  CHECK_STR(output(), "65534\n65533\n65533\n");
  CHECK_EQ(prctl(PR_GET_DUMPABLE), dumpable);
  CHECK_EQ(getgroups(2, groups), 2);
  prepare("true");
  options.flags = UV_PROCESS_SETUID | UV_PROCESS_SETGID;
  options.file = "/no/such/program";
  expect_failure(UV_ENOENT);
  check_close_loop(&loop);
}

/* Waits until it is to be cancelled, which then happens in the next call that can be. */
static void* start_when_cancelled(void* cancelled) {
  while (!__atomic_load_n((int*) cancelled, __ATOMIC_ACQUIRE));
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  pthread_testcancel();
  return NULL;
}

TEST(a_thread_that_is_to_be_cancelled_starts_a_child) {
  OURS_ONLY("the reference may be cancelled on its way");
  pthread_t thread;
  void* result;
  int cancelled = 0, fd;
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("echo started");
  fd = temporary_file();
  give(1, fd);
  CHECK_EQ(pthread_create(&thread, NULL, start_when_cancelled, &cancelled), 0);
  CHECK_EQ(pthread_cancel(thread), 0);
  __atomic_store_n(&cancelled, 1, __ATOMIC_RELEASE);
  CHECK_EQ(pthread_join(thread, &result), 0);
  CHECK(result == PTHREAD_CANCELED);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, 1);
  CHECK_EQ(last_signal, 0);
  CHECK_STR(content(fd), "started\n");
  check_close_loop(&loop);
}
