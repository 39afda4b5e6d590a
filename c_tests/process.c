/* Child processes: uv_spawn, uv_process_kill, uv_process_get_pid, uv_disable_stdio_inheritance. */
#include "allocs.h"
#include "self.h"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static uv_loop_t loop;
static uv_process_t process;
static uv_process_options_t options;
static uv_stdio_container_t stdio[16];
static char* args[8];
static int exits, closes;
static int64_t last_status;
static int last_signal;

static void on_close(uv_handle_t* handle) {
  (void) handle;
  closes++;
}

static void on_exit_seen(uv_process_t* handle, int64_t status, int signum) {
  exits++;
  last_status = status;
  last_signal = signum;
  CHECK(!uv_is_active((uv_handle_t*) handle));
  CHECK_EQ(uv_process_kill(handle, 0), UV_ESRCH);
  uv_close((uv_handle_t*) handle, on_close);
}

/* sh -c SCRIPT, with nothing but /dev/null as its standard streams. */
static void prepare(const char* script) {
  NOT_UNDER_TSAN("its runtime takes every clone(2) for a fork");
  CHECK_EQ(setenv("PATH", "/usr/bin:/bin", 1), 0); /* without folders that may not be searched */
  memset(&options, 0, sizeof(options));
  memset(stdio, 0, sizeof(stdio));
  args[0] = "sh";
  args[1] = "-c";
  args[2] = (char*) script;
  args[3] = NULL;
  options.file = "/bin/sh";
  options.args = args;
  options.exit_cb = on_exit_seen;
  options.stdio = stdio;
}

static void give(int fd, int source) {
  stdio[fd].flags = UV_INHERIT_FD;
  stdio[fd].data.fd = source;
  if (options.stdio_count <= fd) options.stdio_count = fd + 1;
}

static int temporary_file(void) {
  FILE* file = tmpfile();
  int fd;
  CHECK(file != NULL);
  fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 100);
  fclose(file);
  return fd;
}

static const char* content(int fd) {
  static char text[4096];
  ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
  CHECK(size >= 0);
  text[size] = '\0';
  return text;
}

static void run(void) {
  int before = exits;
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, before + 1);
}

/* What the prepared program writes to its standard output. */
static const char* output(void) {
  int fd = temporary_file();
  const char* text;
  give(1, fd);
  run();
  text = content(fd);
  close(fd);
  return text;
}

static void no_children(void) {
  int status;
  CHECK_EQ(waitpid(-1, &status, WNOHANG), -1);
  CHECK_EQ(errno, ECHILD);
}

static void expect_failure(int code) {
  CHECK_EQ(uv_spawn(&loop, &process, &options), code);
  CHECK(!uv_is_active((uv_handle_t*) &process));
  CHECK_EQ(uv_process_get_pid(&process), 0);
  no_children();
  uv_close((uv_handle_t*) &process, NULL);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

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

TEST(a_program_that_cannot_start_is_an_error_of_the_call) {
  NEEDS(1, 52);
  static char text[] = "/tmp/uv-process-XXXXXX";
  char longest[300];
  int fd = mkstemp(text);
  CHECK(fd >= 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("true");
  options.file = "/no/such/program";
  expect_failure(UV_ENOENT);
  options.file = "no-such-program";
  expect_failure(UV_ENOENT);
  options.file = "";
  expect_failure(UV_EACCES); /* every folder of PATH is one */
  options.file = "/";
  expect_failure(UV_EACCES);
  options.file = "/dev/null/program";
  expect_failure(UV_ENOTDIR);
  options.file = text; /* not executable */
  expect_failure(UV_EACCES);
  CHECK_EQ(write(fd, "exit 1\n", 7), 7);
  CHECK_EQ(fchmod(fd, 0755), 0);
  close(fd);
  if (uv_version() > 0x013401 || check_is_ours()) expect_failure(UV_ENOEXEC);
  unlink(text);
  memset(longest, 'x', sizeof(longest) - 1);
  longest[sizeof(longest) - 1] = '\0';
  options.file = longest;
  expect_failure(UV_ENAMETOOLONG);
  options.file = "/bin/sh";
  options.cwd = "/no/such/folder";
  expect_failure(UV_ENOENT);
  options.cwd = "/dev/null";
  expect_failure(UV_ENOTDIR);
  CHECK_EQ(exits, 0);
  check_close_loop(&loop);
}

TEST(stdio_that_is_none_is_refused) {
  uv_timer_t timer;
  uv_pipe_t pipe;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_pipe_init(&loop, &pipe, 0), 0);
  prepare("true");
  give(1, -1);
  expect_failure(UV_EINVAL);
  prepare("true");
  stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
  stdio[0].data.stream = (uv_stream_t*) &timer;
  options.stdio_count = 1;
  expect_failure(UV_EINVAL);
  stdio[0].flags = UV_INHERIT_STREAM;
  stdio[0].data.stream = (uv_stream_t*) &pipe; /* not open */
  expect_failure(UV_EINVAL);
  prepare("true");
  give(0, 999);
  expect_failure(UV_EBADF);
  CHECK_EQ(exits, 0);
  check_close_loop(&loop);
}

TEST(options_that_are_none_are_refused) {
  OURS_ONLY("the reference has assertions there");
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("true");
  options.file = NULL;
  expect_failure(UV_EINVAL);
  prepare("true");
  options.flags = 1 << 8;
  expect_failure(UV_EINVAL);
  prepare("true");
  options.stdio_count = -1;
  expect_failure(UV_EINVAL);
  prepare("true");
  give(0, 0);
  stdio[0].flags |= UV_CREATE_PIPE;
  expect_failure(UV_EINVAL);
  prepare("true");
  stdio[0].flags = UV_CREATE_PIPE;
  options.stdio_count = 1;
  expect_failure(UV_EINVAL);
  CHECK_EQ(uv_process_kill(&process, SIGKILL), UV_ESRCH); /* not our whole process group */
  check_close_loop(&loop);
}

TEST(a_handle_refused_for_its_options_may_be_forgotten) {
  NEEDS(1, 52);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("true");
  give(1, -1);
  CHECK_EQ(uv_spawn(&loop, &process, &options), UV_EINVAL);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static char folder[] = "/tmp/uv-process-XXXXXX";

static void make_script(const char* name, const char* text, int mode) {
  char path[256];
  int fd;
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  CHECK(fd >= 0);
  CHECK_EQ(write(fd, text, strlen(text)), (ssize_t) strlen(text));
  CHECK_EQ(fchmod(fd, mode), 0);
  close(fd);
}

static void remove_scripts(void) {
  char command[256];
  snprintf(command, sizeof(command), "rm -r %s", folder);
  CHECK_EQ(system(command), 0);
}

TEST(the_file_is_looked_up_in_the_path_that_the_child_gets) {
  NEEDS(1, 52);
  char path[512], sub[256];
  char* env[] = {path, NULL};
  CHECK(mkdtemp(folder) != NULL);
  make_script("uv-script", "#!/bin/sh\nexit 5\n", 0755);
  snprintf(sub, sizeof(sub), "%s/sub", folder);
  CHECK_EQ(mkdir(sub, 0755), 0);
  make_script("sub/uv-script", "#!/bin/sh\nexit 6\n", 0644);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("");
  args[0] = "uv-script";
  args[1] = NULL;
  options.file = "uv-script";
  expect_failure(UV_ENOENT);
  options.env = env;
  snprintf(path, sizeof(path), "PATH=/no/such/folder:/dev/null:%s:%s", sub, folder);
  run();
  CHECK_EQ(last_status, 5); /* the other could not be executed */
  snprintf(path, sizeof(path), "PATH=%s:/no/such/folder", sub);
  expect_failure(UV_EACCES);
  snprintf(path, sizeof(path), "PATH=/no/such/folder:");
  expect_failure(UV_ENOENT);
  options.cwd = folder; /* an empty entry is the child's own folder */
  run();
  CHECK_EQ(last_status, 5);
  snprintf(path, sizeof(path), "PATH=");
  run();
  CHECK_EQ(last_status, 5);
  options.file = "./uv-script";
  snprintf(path, sizeof(path), "PATH=/no/such/folder");
  run();
  CHECK_EQ(last_status, 5);
  remove_scripts();
  check_close_loop(&loop);
}

TEST(without_a_path_the_usual_folders_are_searched) {
  char* env[] = {"A=1", NULL};
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exit 4");
  options.file = "sh";
  options.env = env;
  run();
  CHECK_EQ(last_status, 4);
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

TEST(ignored_streams_are_dev_null) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("readlink /proc/$$/fd/0 /proc/$$/fd/2; read x < /dev/stdin && exit 1; exit 0");
  CHECK_STR(output(), "/dev/null\n/dev/null\n");
  CHECK_EQ(last_status, 0);
  check_close_loop(&loop);
}

TEST(descriptors_can_be_swapped) {
  int one = temporary_file(), two = temporary_file(), saved[2] = {dup(1), dup(2)};
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(dup2(one, 1), 1);
  CHECK_EQ(dup2(two, 2), 2);
  prepare("echo out; echo err >&2");
  give(1, 2);
  give(2, 1);
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  dup2(saved[0], 1);
  dup2(saved[1], 2);
  CHECK_STR(content(one), "err\n");
  CHECK_STR(content(two), "out\n");
  check_close_loop(&loop);
}

TEST(descriptors_can_be_rotated_and_multiplied) {
  int files[6];
  char name[2] = "0";
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < 6; i++) {
    files[i] = dup2(temporary_file(), 10 + i);
    *name = (char) ('0' + i);
    CHECK_EQ(write(files[i], name, 1), 1);
  }
  /* 10 to 15 become 11, 12, ..., 15, 10; 4 and 5 both 10. */
  prepare("for i in 4 5 10 11 12 13 14 15; do printf '%s' $i >> /proc/$$/fd/$i; done");
  for (int i = 0; i < 6; i++) give(10 + i, 10 + (i + 5) % 6);
  give(4, 10);
  give(5, 10);
  run();
  CHECK_STR(content(files[0]), "04511");
  CHECK_STR(content(files[1]), "112");
  CHECK_STR(content(files[2]), "213");
  CHECK_STR(content(files[3]), "314");
  CHECK_STR(content(files[4]), "415");
  CHECK_STR(content(files[5]), "510");
  check_close_loop(&loop);
}

TEST(a_descriptor_can_keep_its_number) {
  int fd = temporary_file(); /* closed on exec, unless it is given */
  CHECK_EQ(dup3(fd, 3, O_CLOEXEC), 3);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("echo three >&3");
  give(3, 3);
  run();
  CHECK_STR(content(fd), "three\n");
  CHECK(fcntl(3, F_GETFD) & FD_CLOEXEC);
  check_close_loop(&loop);
}

TEST(standard_streams_of_the_parent_may_be_closed) {
  NEEDS(1, 52);
  int fd = temporary_file(), saved = fcntl(2, F_DUPFD_CLOEXEC, 100);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("echo out; echo err >&2; readlink /proc/$$/fd/0");
  give(1, fd);
  give(2, fd);
  close(0);
  close(1);
  close(2);
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  dup2(saved, 2);
  CHECK_STR(content(fd), "out\nerr\n/dev/null\n");
  check_close_loop(&loop);
}

TEST(standard_streams_of_the_child_wait_for_their_data) {
  int fds[2];
  CHECK_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exec cat");
  give(0, fds[0]);
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK_EQ(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
  close(fds[1]);
  close(fds[0]);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(last_status, 0);
  check_close_loop(&loop);
}

/* Prints the numbers of the shell's descriptors below 64. */
static char list_descriptors[] =
    "i=0; while [ $i -lt 64 ]; do [ -e /proc/$$/fd/$i ] && printf '%s ' $i; i=$((i+1)); done; exit 0";

static void close_others(void) {
  for (int fd = 3; fd < 256; fd++) close(fd);
}

TEST(nothing_leaks_into_a_child) {
  uv_process_t other;
  close_others();
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exec sleep 1000");
  CHECK_EQ(uv_spawn(&loop, &other, &options), 0);
  prepare(list_descriptors);
  uv_unref((uv_handle_t*) &other);
  CHECK_STR(output(), "0 1 2 ");
  uv_ref((uv_handle_t*) &other);
  CHECK_EQ(uv_process_kill(&other, SIGKILL), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  check_close_loop(&loop);
}

TEST(ignored_descriptors_are_closed) {
  OURS_ONLY("the reference hands on what it has there itself");
  close_others();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(dup2(0, 20), 20);
  prepare(list_descriptors);
  CHECK_STR(output(), "0 1 2 20 "); /* the program's own doing */
  options.stdio_count = 16;
  CHECK_EQ(dup2(20, 15), 15);
  close(20);
  CHECK_STR(output(), "0 1 2 ");
  check_close_loop(&loop);
}

TEST(inheritance_can_be_disabled) {
  close_others();
  CHECK_EQ(dup2(0, 12), 12);
  CHECK_EQ(dup2(0, 13), 13);
  uv_disable_stdio_inheritance();
  for (int fd = 0; fd < 14; fd++)
    if (fcntl(fd, F_GETFD) != -1) CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare(list_descriptors);
  give(13, 12);
  CHECK_STR(output(), "0 1 2 13 ");
  check_close_loop(&loop);
}

TEST(descriptors_are_given_back) {
  NEEDS(1, 52);
  uv_pipe_t pipes[2];
  int before = 0;
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < 5; i++) {
    prepare("true");
    run();
    options.file = "/no/such/program";
    expect_failure(UV_ENOENT);
    prepare("true");
    for (int fd = 0; fd < 2; fd++) {
      CHECK_EQ(uv_pipe_init(&loop, &pipes[fd], 0), 0);
      stdio[fd].flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE;
      stdio[fd].data.stream = (uv_stream_t*) &pipes[fd];
    }
    options.stdio_count = 3;
    stdio[2].flags = UV_INHERIT_FD;
    stdio[2].data.fd = -1;
    expect_failure(UV_EINVAL); /* with the pipes made already */
    options.stdio_count = 2;
    run();
    for (int fd = 0; fd < 2; fd++) uv_close((uv_handle_t*) &pipes[fd], NULL);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    if (i == 0) before = self_open_files_below(1024); /* with what is opened once */
  }
  CHECK_EQ(self_open_files_below(1024), before);
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

TEST(user_and_group_without_the_right) {
  if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) SKIP("root cannot become somebody else");
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("true");
  options.flags = UV_PROCESS_SETUID;
  expect_failure(UV_EPERM);
  options.flags = UV_PROCESS_SETGID;
  expect_failure(UV_EPERM);
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

/* Pipes. */

static char received[256];
static size_t received_length;
static int ends;

static void on_alloc(uv_handle_t* handle, size_t size, uv_buf_t* buf) {
  (void) handle, (void) size;
  *buf = uv_buf_init(received + received_length, (unsigned) (sizeof(received) - received_length));
}

static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buf) {
  (void) buf;
  if (size >= 0) {
    received_length += (size_t) size;
    return;
  }
  CHECK_EQ(size, UV_EOF);
  ends++;
  uv_close((uv_handle_t*) stream, on_close);
}

static void make_pipe(int fd, uv_pipe_t* pipe, unsigned directions) {
  CHECK_EQ(uv_pipe_init(&loop, pipe, 0), 0);
  stdio[fd].flags = UV_CREATE_PIPE | directions;
  stdio[fd].data.stream = (uv_stream_t*) pipe;
  if (options.stdio_count <= fd) options.stdio_count = fd + 1;
}

static void on_exit_after_output(uv_process_t* handle, int64_t status, int signum) {
  CHECK_STR(received, "text\n");
  on_exit_seen(handle, status, signum);
}

TEST(output_is_read_before_the_end_is_reported) {
  siginfo_t info;
  uv_pipe_t out;
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("echo text");
  make_pipe(1, &out, UV_WRITABLE_PIPE);
  options.exit_cb = on_exit_after_output;
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK(uv_is_readable((uv_stream_t*) &out) && !uv_is_writable((uv_stream_t*) &out));
  CHECK_EQ(uv_read_start((uv_stream_t*) &out, on_alloc, on_read), 0);
  CHECK_EQ(waitid(P_PID, (id_t) process.pid, &info, WEXITED | WNOWAIT), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, 1);
  CHECK_EQ(ends, 1);
  check_close_loop(&loop);
}

TEST(a_pipe_carries_both_directions) {
  uv_pipe_t both;
  uv_write_t request;
  uv_buf_t buf = uv_buf_init("line\n", 5);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("read x <&5; echo \"<$x>\" >&5");
  make_pipe(5, &both, UV_READABLE_PIPE | UV_WRITABLE_PIPE);
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK(uv_is_readable((uv_stream_t*) &both) && uv_is_writable((uv_stream_t*) &both));
  CHECK_EQ(uv_write(&request, (uv_stream_t*) &both, &buf, 1, NULL), 0);
  CHECK_EQ(uv_read_start((uv_stream_t*) &both, on_alloc, on_read), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_STR(received, "<line>\n");
  CHECK_EQ(ends, 1);
  check_close_loop(&loop);
}

TEST(a_stream_can_be_handed_on) {
  int fds[2];
  uv_pipe_t in, out;
  CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_pipe_init(&loop, &in, 0), 0);
  CHECK_EQ(uv_pipe_init(&loop, &out, 0), 0);
  CHECK_EQ(uv_pipe_open(&in, fds[0]), 0);
  CHECK_EQ(uv_pipe_open(&out, fds[1]), 0);
  prepare("echo through");
  stdio[1].flags = UV_INHERIT_STREAM;
  stdio[1].data.stream = (uv_stream_t*) &out;
  options.stdio_count = 2;
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  uv_close((uv_handle_t*) &out, NULL);
  CHECK_EQ(uv_read_start((uv_stream_t*) &in, on_alloc, on_read), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_STR(received, "through\n");
  check_close_loop(&loop);
}

TEST(streams_are_open_even_if_the_program_is_not_there) {
  uv_pipe_t out;
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("true");
  options.file = "/no/such/program";
  make_pipe(1, &out, UV_WRITABLE_PIPE);
  CHECK_EQ(uv_spawn(&loop, &process, &options), UV_ENOENT);
  CHECK(uv_is_readable((uv_stream_t*) &out));
  CHECK_EQ(uv_read_start((uv_stream_t*) &out, on_alloc, on_read), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(ends, 1);
  check_close_loop(&loop);
}

static int spawn_failing_at(long n) {
  int result;
  prepare("exit 1");
  allocs_fail_at(n);
  result = uv_spawn(&loop, &process, &options);
  allocs_fail_at(0);
  if (result == 0) {
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  } else {
    no_children();
    uv_close((uv_handle_t*) &process, NULL);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  }
  return result;
}

TEST(without_memory_there_is_no_child) {
  OURS_ONLY("the reference needs none for few descriptors");
  allocs_install();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK(allocs_exhaust(spawn_failing_at) > 0);
  CHECK_EQ(exits, 1);
  check_close_loop(&loop);
}
