/* fork: what a child makes of a loop, with uv_loop_fork and with a new one, and what its parent must not notice. */
#include "trace.h"

#include <pthread.h>
#include <sys/socket.h>

static uv_loop_t loop;
static int calls;

/* Ends the child with a status the parent checks; CHECK in the child does the same with 1. */
static void end_child(void) {
  _exit(calls == 1 ? 0 : 3);
}

static pid_t fork_now(void) {
  pid_t child = fork();
  CHECK(child >= 0);
  return child;
}

static void count_timer(uv_timer_t* handle) {
  (void) handle;
  calls++;
}

TEST(a_timer_goes_on_in_both) {
  uv_timer_t timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, count_timer, 1, 0), 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) == (calls == 0));
  if (calls != 0) CHECK_EQ(uv_timer_start(&timer, count_timer, 1, 0), 0);
  calls = 0;
  pid_t child = fork_now();
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&loop), 0);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    check_close_loop(&loop);
    end_child();
  }
  check_child(child);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

TEST(the_child_gets_a_backend_of_its_own) {
  struct { int fd; } parent;
  uv_async_t async;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, NULL), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  parent.fd = uv_backend_fd(&loop);
  pid_t child = fork_now();
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&loop), 0);
    CHECK(uv_backend_fd(&loop) >= 0);
    CHECK_EQ(uv_backend_fd(&loop), loop.backend_fd);
    check_close_loop(&loop);
    _exit(0);
  }
  check_child(child);
  CHECK_EQ(uv_backend_fd(&loop), parent.fd);
  CHECK_EQ(uv_async_send(&async), 0); /* the child's closing has not taken anything from us */
  CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  check_close_loop(&loop);
}

static void read_one(uv_poll_t* handle, int status, int events) {
  char byte;
  int fd;
  CHECK_EQ(status, 0);
  CHECK_EQ(events, UV_READABLE);
  CHECK_EQ(uv_fileno((uv_handle_t*) handle, &fd), 0);
  CHECK_EQ(read(fd, &byte, 1), 1);
  CHECK_EQ(uv_poll_stop(handle), 0);
  calls++;
}

TEST(poll_handles_go_on_in_the_child) {
  uv_poll_t poll;
  int pair[2];
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_poll_init(&loop, &poll, pair[0]), 0);
  CHECK_EQ(uv_poll_start(&poll, UV_READABLE, read_one), 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  pid_t child = fork_now();
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&loop), 0);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    end_child();
  }
  check_child(child);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_EQ(calls, 0); /* the child has read it */
  CHECK_EQ(write(pair[1], "x", 1), 1);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0); /* the child has not unregistered our file */
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

static void count_and_close(uv_async_t* handle) {
  calls++;
  uv_close((uv_handle_t*) handle, NULL);
}

static void* send_async(void* handle) {
  CHECK_EQ(uv_async_send(handle), 0);
  return NULL;
}

TEST(async_handles_go_on_in_the_child) {
  uv_async_t async;
  pthread_t thread;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count_and_close), 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  pid_t child = fork_now();
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&loop), 0);
    CHECK_EQ(pthread_create(&thread, NULL, send_async, &async), 0);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(uv_loop_close(&loop), 0);
    end_child();
  }
  check_child(child);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_EQ(calls, 0); /* the child's send was not ours */
  CHECK_EQ(uv_async_send(&async), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void count_signal(uv_signal_t* handle, int signum) {
  CHECK_EQ(signum, SIGUSR1);
  CHECK_EQ(uv_signal_stop(handle), 0);
  calls++;
}

TEST(a_signal_of_the_child_is_not_the_parents) {
  uv_signal_t watcher;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_signal_init(&loop, &watcher), 0);
  CHECK_EQ(uv_signal_start(&watcher, count_signal, SIGUSR1), 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  pid_t child = fork_now();
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&loop), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    end_child();
  }
  check_child(child);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_EQ(calls, 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

TEST(a_pending_signal_of_the_parent_is_not_the_childs) {
  NEEDS(1, 52);
  uv_signal_t watcher;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_signal_init(&loop, &watcher), 0);
  CHECK_EQ(uv_signal_start(&watcher, count_signal, SIGUSR1), 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  pid_t child = fork_now();
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&loop), 0);
    CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
    CHECK_EQ(calls, 0);
    CHECK_EQ(raise(SIGUSR1), 0); /* one of its own */
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    check_close_loop(&loop);
    end_child();
  }
  check_child(child);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

static void count_work(uv_work_t* req) {
  (void) req;
  __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
}

static void check_status(uv_work_t* req, int status) {
  (void) req;
  CHECK_EQ(status, 0);
}

TEST(the_pool_works_in_the_child) {
  uv_work_t req;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_queue_work(&loop, &req, count_work, check_status), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  calls = 0;
  pid_t child = fork_now();
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&loop), 0);
    CHECK_EQ(uv_queue_work(&loop, &req, count_work, check_status), 0);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    check_close_loop(&loop);
    end_child();
  }
  check_child(child);
  CHECK_EQ(uv_queue_work(&loop, &req, count_work, check_status), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

TEST(a_new_loop_in_the_child) {
  uv_loop_t fresh;
  uv_work_t req;
  uv_timer_t timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_queue_work(&loop, &req, count_work, check_status), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  calls = 0;
  pid_t child = fork_now();
  if (child == 0) {
    CHECK_EQ(uv_loop_init(&fresh), 0);
    CHECK_EQ(uv_timer_init(&fresh, &timer), 0);
    CHECK_EQ(uv_timer_start(&timer, count_timer, 1, 0), 0);
    CHECK_EQ(uv_run(&fresh, UV_RUN_DEFAULT), 0);
    CHECK_EQ(calls, 1);
    calls = 0;
    CHECK_EQ(uv_queue_work(&fresh, &req, count_work, check_status), 0);
    check_close_loop(&fresh);
    end_child();
  }
  check_child(child);
  check_close_loop(&loop);
}

static int fork_from_work_status = -1;

static void fork_in_work(uv_work_t* req) {
  pid_t child = fork();
  (void) req;
  if (child == 0) _exit(0);
  CHECK(child > 0);
  CHECK_EQ(waitpid(child, &fork_from_work_status, 0), child);
}

TEST(work_may_fork) {
  uv_work_t req;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_queue_work(&loop, &req, fork_in_work, check_status), 0);
  check_close_loop(&loop);
  CHECK_EQ(fork_from_work_status, 0);
}

/* Another thread keeps the pool and the signal code busy while we fork: no lock may be left taken in the child. */
static int stop_it;

static void* keep_busy(void* arg) {
  uv_loop_t own;
  uv_work_t req;
  uv_signal_t watcher;
  CHECK_EQ(uv_loop_init(&own), 0);
  CHECK_EQ(uv_signal_init(&own, &watcher), 0);
  while (!__atomic_load_n(&stop_it, __ATOMIC_ACQUIRE)) {
    CHECK_EQ(uv_queue_work(&own, &req, count_work, check_status), 0);
    CHECK_EQ(uv_signal_start(&watcher, count_signal, SIGUSR2), 0);
    CHECK_EQ(uv_signal_stop(&watcher), 0);
    CHECK_EQ(uv_run(&own, UV_RUN_DEFAULT), 0);
  }
  check_close_loop(&own);
  return arg;
}

static void child_uses_everything(void) {
  uv_loop_t own;
  uv_work_t req;
  uv_signal_t watcher;
  CHECK_EQ(uv_loop_init(&own), 0);
  CHECK_EQ(uv_signal_init(&own, &watcher), 0);
  CHECK_EQ(uv_signal_start(&watcher, count_signal, SIGUSR1), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(uv_queue_work(&own, &req, count_work, check_status), 0);
  CHECK_EQ(uv_run(&own, UV_RUN_DEFAULT), 0);
  check_close_loop(&own);
  _exit(0);
}

TEST(fork_while_another_thread_is_busy) {
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, keep_busy, NULL), 0);
  for (int i = 0; i < 50; i++) {
    pid_t child = fork_now();
    if (child == 0) child_uses_everything();
    check_child(child);
  }
  __atomic_store_n(&stop_it, 1, __ATOMIC_RELEASE);
  CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* The same at the worst moment, when the other thread is just setting up what all loops share. */
static pthread_barrier_t together;

static void* first_work(void* arg) {
  uv_loop_t own;
  uv_work_t req;
  CHECK_EQ(uv_loop_init(&own), 0);
  pthread_barrier_wait(&together);
  CHECK_EQ(uv_queue_work(&own, &req, count_work, check_status), 0);
  check_close_loop(&own);
  return arg;
}

static void fork_at_first_work(int delay) {
  pthread_t thread;
  CHECK_EQ(pthread_barrier_init(&together, NULL, 2), 0);
  CHECK_EQ(pthread_create(&thread, NULL, first_work, NULL), 0);
  pthread_barrier_wait(&together);
  for (volatile int i = 0; i < delay; i++) {}
  pid_t child = fork_now();
  if (child == 0) child_uses_everything();
  check_child(child);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  _exit(0);
}

TEST(fork_while_another_thread_does_the_first_work) {
  for (int i = 0; i < 300; i++) {
    pid_t child = fork_now(); /* a process that has not used the pool yet */
    if (child == 0) fork_at_first_work(i * 50);
    check_child(child);
  }
}

TEST(a_loop_without_handles) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  pid_t child = fork_now();
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&loop), 0);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ(uv_loop_close(&loop), 0);
    _exit(0);
  }
  check_child(child);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(child_of_a_child) {
  uv_async_t async;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, count_and_close), 0);
  pid_t child = fork_now();
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&loop), 0);
    pid_t grandchild = fork_now();
    if (grandchild == 0) CHECK_EQ(uv_loop_fork(&loop), 0);
    CHECK_EQ(uv_async_send(&async), 0);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    if (grandchild != 0) check_child(grandchild);
    end_child();
  }
  check_child(child);
  check_close_loop(&loop);
}
