/* Process numbers and uv_kill. */
#include "check.h"

static volatile sig_atomic_t caught;

static void on_signal(int signum) {
  caught = signum;
}

TEST(numbers_are_the_systems) {
  CHECK_EQ(uv_os_getpid(), getpid());
  CHECK_EQ(uv_os_getppid(), getppid());
}

TEST(numbers_after_fork) {
  pid_t parent = uv_os_getpid(), child = fork();
  CHECK(child >= 0);
  if (child == 0) _exit(uv_os_getpid() == getpid() && uv_os_getpid() != parent && uv_os_getppid() == parent ? 0 : 1);
  check_child(child);
}

TEST(kill_sends_a_signal) {
  CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
  CHECK_EQ(uv_kill(uv_os_getpid(), 0), 0);
  CHECK_EQ(caught, 0);
  CHECK_EQ(uv_kill(uv_os_getpid(), SIGUSR1), 0);
  CHECK_EQ(caught, SIGUSR1);
}

TEST(kill_reaches_the_group) {
  CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
  if (getpgrp() != getpid()) SKIP("this process leads no group");
  CHECK_EQ(uv_kill(0, SIGUSR1), 0);
  CHECK_EQ(caught, SIGUSR1);
}

TEST(kill_errors) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) _exit(0);
  check_child(child);
  CHECK_EQ(uv_kill(child, 0), UV_ESRCH);
  CHECK_EQ(uv_kill(child, SIGTERM), UV_ESRCH);
  CHECK_EQ(uv_kill(uv_os_getpid(), 1000), UV_EINVAL);
  CHECK_EQ(uv_kill(uv_os_getpid(), -1), UV_EINVAL);
}

TEST(kill_needs_permission) {
  if (geteuid() == 0 && setuid(65534) != 0) SKIP("cannot become an ordinary user");
  if (kill(1, 0) == 0) SKIP("process 1 is ours too");
  CHECK_EQ(uv_kill(1, 0), UV_EPERM);
}
