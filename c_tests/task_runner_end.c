/* Task runners: shutdown, posts that race with it, storms, no memory and no threads. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "tasks.h"

/* 1.7.5: each task that is dropped hears of it, once; delayed ones too. */
TEST(shutdown_drops) {
  task_t tasks[20], late;
  make(1);
  hold_threads(&blocker, 1, UVX_PRIORITY_NORMAL);
  for (int i = 0; i < 20; i++) {
    uint64_t delay = i % 2 == 0 ? 0 : 3600000ull * MS;
    CHECK_EQ(uvx_task_runner_post_delayed(runner, &tasks[i], i % 3 - 1, delay, count), 0);
  }
  CHECK_EQ(uvx_task_runner_shutdown(runner, UVX_SHUTDOWN_DROP, 0), UV_ETIMEDOUT);
  CHECK_EQ(dropped, 20);
  CHECK_EQ(uvx_task_runner_post(runner, &late, UVX_PRIORITY_NORMAL, count), UV_ESHUTDOWN);
  CHECK_EQ(uvx_task_runner_post_delayed(runner, &late, UVX_PRIORITY_NORMAL, 1, count), UV_ESHUTDOWN);
  release();
  CHECK_EQ(uvx_task_runner_shutdown(runner, UVX_SHUTDOWN_DROP, UVX_FOREVER), 0);
  drain(UVX_PRIORITY_LOW);
  CHECK_EQ(ran, 0);
  uvx_task_runner_release(runner);
}

TEST(shutdown_runs_what_is_due) {
  task_t tasks[20];
  make(2);
  hold_threads(&blocker, 1, UVX_PRIORITY_NORMAL);
  for (int i = 0; i < 20; i++) {
    uint64_t delay = i % 2 == 0 ? 0 : 3600000ull * MS;
    CHECK_EQ(uvx_task_runner_post_delayed(runner, &tasks[i], i % 3 - 1, delay, count), 0);
  }
  release();
  CHECK_EQ(uvx_task_runner_shutdown(runner, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  CHECK_EQ(ran, 10);
  CHECK_EQ(dropped, 10);
  uvx_task_runner_release(runner);
}

/* A delayed task whose time has come waits like any other, also if no thread has had the time to see that. */
TEST(shutdown_runs_what_came_due_while_all_were_busy) {
  task_t task;
  make(1);
  hold_threads(&blocker, 1, UVX_PRIORITY_NORMAL);
  post_due(&task, UVX_PRIORITY_NORMAL, count);
  CHECK_EQ(uvx_task_runner_shutdown(runner, UVX_SHUTDOWN_RUN_ALL, 0), UV_ETIMEDOUT);
  release();
  CHECK_EQ(uvx_task_runner_shutdown(runner, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  CHECK_EQ(ran, 1);
  CHECK_EQ(dropped, 0);
  uvx_task_runner_release(runner);
}

/* 1.7.6: posts race with the shutdown; each one that was accepted ends once, each one that was refused never. */
enum { POSTERS = 4, POSTS = 2000 };
static int accepted, ends[POSTERS][POSTS];

static void count_end(task_t* task, int status) {
  int* end = task->data;
  CHECK_EQ(add(end, 1), 1);
  count(task, status);
}

static void* post_until_refused(void* arg) {
  intptr_t me = (intptr_t) arg;
  task_t* tasks = calloc(POSTS, sizeof *tasks);
  for (int i = 0; i < POSTS; i++) {
    uint64_t delay = (uint64_t) (i % 4) * 100000;
    tasks[i].data = &ends[me][i];
    int status = uvx_task_runner_post_delayed(runner, &tasks[i], i % 3 - 1, delay, count_end);
    if (status == UV_ESHUTDOWN) {
      ends[me][i] = 2; /* it must not end any more */
      break;
    }
    CHECK_EQ(status, 0);
    add(&accepted, 1);
  }
  return tasks;
}

static void post_during_shutdown(int mode) {
  pthread_t threads[POSTERS];
  void* tasks[POSTERS];
  for (int round = 0; round < 15; round++) {
    accepted = ran = dropped = 0;
    memset(ends, 0, sizeof ends);
    make(2);
    for (intptr_t i = 0; i < POSTERS; i++) threads[i] = port_thread(post_until_refused, (void*) i);
    wait_until(&accepted, round * 200);
    CHECK_EQ(uvx_task_runner_shutdown(runner, mode, UVX_FOREVER), 0);
    for (int i = 0; i < POSTERS; i++) CHECK_EQ(pthread_join(threads[i], &tasks[i]), 0);
    CHECK_EQ(ran + dropped, accepted);
    uvx_task_runner_release(runner);
    for (int i = 0; i < POSTERS; i++) free(tasks[i]);
  }
}

TEST(posts_during_shutdown_that_drops) {
  post_during_shutdown(UVX_SHUTDOWN_DROP);
}

TEST(posts_during_shutdown_that_runs) {
  post_during_shutdown(UVX_SHUTDOWN_RUN_ALL);
}

/* Posting, delaying, cancelling, waiting and resizing, all at once. */
static void* storm(void* arg) {
  task_t* tasks = arg;
  intptr_t taken_back = 0;
  for (int i = 0; i < POSTS; i++) {
    CHECK_EQ(uvx_task_runner_post_delayed(runner, &tasks[i], i % 3 - 1, (uint64_t) (i % 7) * 20000, count), 0);
    if (i % 4 == 0) {
      int status = uvx_task_runner_cancel(runner, &tasks[i]);
      CHECK(status == 0 || status == UV_EBUSY || status == UV_EALREADY);
      taken_back += status == 0;
    }
    if (i % 200 == 0) {
      int status = uvx_task_runner_drain(runner, i % 3 - 1, MS, NULL);
      CHECK(status == 0 || status == UV_ETIMEDOUT);
    }
    if (i % 100 == 0) CHECK_EQ(uvx_pool_set_size(uvx_task_runner_pool(runner), 1 + (unsigned) i / 100 % 5), 0);
  }
  return (void*) taken_back;
}

TEST(storm_of_all) {
  static task_t tasks[POSTERS][POSTS];
  pthread_t threads[POSTERS];
  intptr_t taken_back = 0;
  make(2);
  for (int i = 0; i < POSTERS; i++) threads[i] = port_thread(storm, tasks[i]);
  for (int i = 0; i < POSTERS; i++) {
    void* result;
    CHECK_EQ(pthread_join(threads[i], &result), 0);
    taken_back += (intptr_t) result;
  }
  while (stats().delayed > 0) sched_yield();
  drain(UVX_PRIORITY_LOW);
  CHECK_EQ(dropped, taken_back);
  CHECK_EQ(ran + dropped, POSTERS * POSTS);
  unmake();
}

static int create_and_release(long n) {
  uvx_pool_options_t options = {.size = sizeof options, .threads = 2};
  allocs_fail_at(n);
  int result = uvx_task_runner_create(&runner, &options);
  allocs_fail_at(0);
  if (result == 0) unmake();
  return result;
}

TEST(without_memory) {
  task_t tasks[3];
  allocs_install();
  CHECK(allocs_exhaust(create_and_release) >= 3);
  make_loop();
  make(1);
  allocs.always = 1; /* only making one needs memory */
  CHECK_EQ(uvx_task_runner_post(runner, &tasks[0], UVX_PRIORITY_NORMAL, count), 0);
  CHECK_EQ(uvx_task_runner_post_delayed(runner, &tasks[1], UVX_PRIORITY_NORMAL, MS, count), 0);
  wait_until(&ran, 2);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_LOW, UVX_FOREVER, &loop), 0);
  unmake();
  allocs.always = 0;
  unmake_loop();
}

/* 1.7.1: an error, not a hang. */
TEST(without_threads) {
  uvx_pool_options_t options = {.size = sizeof options, .threads = 2, .stack_size = (size_t) 1 << 46};
  int status = uvx_task_runner_create(&runner, &options);
  CHECK(status == UV_EAGAIN || status == UV_ENOMEM);
}
