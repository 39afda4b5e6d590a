/* Named locks and fork(2). */
#include "locks.h"

#include "counters.h"

/* In the child after fork there are no locks. */
static lock_t forked[5];

static int child(void) {
  lock_t own;
  if (entries() != 0) return 1;
  for (int i = 0; i < 5; i++) {
    if (uvx_lock_is_held(&forked[i]) != 0) return 2;
    if (uvx_lock_release(&forked[i]) != UV_EINVAL || uvx_lock_cancel(&forked[i]) != UV_EINVAL) return 3;
  }
  if (uv_loop_fork(&loop) != 0) return 4;
  if (uv_loop_alive(&loop) != 0 || uv_run(&loop, UV_RUN_DEFAULT) != 0) return 5;
  port_log[0] = '\0';
  request(&own, "own", "name", 0);
  request(&forked[0], "too", "name", 0);
  turn();
  release(&own);
  turn();
  release(&forked[0]);
  if (strcmp(port_log, "own,too") != 0) return 6;
  return uv_loop_close(&loop) == 0 ? 0 : 7;
}

TEST(fork_leaves_the_locks_to_the_parent) {
  int status;
  set_up();
  request(&forked[0], "0", "name", 0);
  turn();
  request(&forked[1], "1", "name", 0);  /* waits */
  request(&forked[2], "2", "other", 0); /* granted, and does not know */
  CHECK_EQ(uvx_lock_wait(&forked[3], "third", 0, 0), 0);
  request(&forked[4], "4", "fourth", 0);
  CHECK_EQ(uvx_lock_cancel(&forked[4]), 0);
  pid_t pid = fork();
  if (pid == 0) _exit(child());
  CHECK_EQ(waitpid(pid, &status, 0), pid);
  CHECK_EQ(status, 0);
  CHECK_EQ(entries(), 4);
  turn();
  CHECK_LOG("0,2,4:ECANCELED");
  release(&forked[0]);
  release(&forked[2]);
  release(&forked[3]);
  turn();
  CHECK_LOG("1");
  release(&forked[1]);
  tear_down();
}

/* A fork in the middle of it: the child has no locks, and may begin. */
static int over;

static void* have_often(void* arg) {
  lock_t lock;
  while (!get(&over)) {
    CHECK_EQ(uvx_lock_wait(&lock, "name", 0, UVX_FOREVER), 0);
    release(&lock);
  }
  return arg;
}

TEST(forks_while_others_lock) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) threads[i] = port_thread(have_often, NULL);
  for (int i = 0; i < 30; i++) {
    lock_t lock;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
      if (entries() != 0) _exit(1);
      if (uvx_lock_wait(&lock, "name", 0, 0) != 0) _exit(2);
      _exit(entries() == 1 && uvx_lock_release(&lock) == 0 && entries() == 0 ? 0 : 3);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
  }
  add(&over, 1);
  for (int i = 0; i < 2; i++) port_join(threads[i]);
  CHECK_EQ(entries(), 0);
}
