/* Child processes that cannot be started, and what the caller is told. */
#include "allocs.h"
#include "process.h"

#include <sys/stat.h>

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
