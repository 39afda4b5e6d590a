/* Task runners: order, delays, cancelling, waiting for tasks with and without a loop. The numbers are those of
 * docs/uvx/BEHAVIOUR.md. */
#include "tasks.h"

static void free_task(task_t* task, int status) {
  CHECK_EQ(status, 0);
  free(task);
  add(&ran, 1);
}

/* A task is its callback's: it may free it, or post it again. */
static void repost(task_t* task, int status) {
  CHECK_EQ(status, 0);
  if (add(&ran, 1) < 10) CHECK_EQ(uvx_task_runner_post(runner, task, UVX_PRIORITY_NORMAL, repost), 0);
}

TEST(tasks_run) {
  task_t task;
  make(2);
  CHECK_EQ(uvx_task_runner_post(runner, &task, UVX_PRIORITY_NORMAL, repost), 0);
  drain(UVX_PRIORITY_LOW);
  CHECK_EQ(ran, 10);
  CHECK_EQ(uvx_task_runner_post(runner, malloc(sizeof task), UVX_PRIORITY_NORMAL, free_task), 0);
  CHECK_EQ(uvx_task_runner_post_delayed(runner, malloc(sizeof task), UVX_PRIORITY_NORMAL, 1, free_task), 0);
  wait_until(&ran, 12);
  uvx_task_runner_ref(runner);
  uvx_task_runner_release(runner);
  unmake();
  uvx_task_runner_release(NULL);
}

TEST(nonsense_is_refused) {
  task_t task;
  make(1);
  CHECK_EQ(uvx_task_runner_post(runner, &task, UVX_PRIORITY_NORMAL, NULL), UV_EINVAL);
  CHECK_EQ(uvx_task_runner_post(runner, &task, 2, count), UV_EINVAL);
  CHECK_EQ(uvx_task_runner_post_delayed(runner, &task, -2, 1, count), UV_EINVAL);
  CHECK_EQ(uvx_task_runner_drain(runner, 2, 0, NULL), UV_EINVAL);
  CHECK_EQ(uvx_task_runner_shutdown(runner, -1, 0), UV_EINVAL);
  unmake();
}

/* 1.7.3: in the order of the posts, whatever the priority. */
TEST(first_in_first_out_in_each_priority) {
  task_t tasks[30];
  make(1);
  hold_threads(&blocker, 1, UVX_PRIORITY_NORMAL);
  for (int i = 0; i < 30; i++) {
    tasks[i].data = (void*) (intptr_t) i;
    CHECK_EQ(uvx_task_runner_post(runner, &tasks[i], i % 3 - 1, note), 0);
  }
  release();
  drain(UVX_PRIORITY_LOW);
  CHECK_LOG("2,5,8,11,14,17,20,23,26,29,1,4,7,10,13,16,19,22,25,28,0,3,6,9,12,15,18,21,24,27");
  unmake();
}

static uint64_t due[8];

static void check_time(task_t* task, int status) {
  intptr_t i = (intptr_t) task->data;
  CHECK_EQ(status, 0);
  CHECK(uv_hrtime() >= due[i]);
  port_note_number(i);
  add(&ran, 1);
}

static void post_at(task_t* task, int i, uint64_t delay) {
  task->data = (void*) (intptr_t) i;
  due[i] = uv_hrtime() + delay;
  CHECK_EQ(uvx_task_runner_post_delayed(runner, task, UVX_PRIORITY_NORMAL, delay, check_time), 0);
}

/* 1.7.7: in the order in which they are due, and never early. On a machine with other things to do they may be posted too slowly for
 * their order to be known; then they are posted again. */
TEST(delayed_tasks) {
  task_t tasks[8];
  uint64_t took;
  make(1);
  do {
    port_log[0] = '\0';
    ran = 0;
    uint64_t start = uv_hrtime();
    post_at(&tasks[0], 0, 60 * MS);
    post_at(&tasks[1], 1, 30 * MS); /* earlier than what the timekeeper sleeps for */
    post_at(&tasks[2], 2, 45 * MS);
    post_at(&tasks[3], 3, 30 * MS + 1);
    post_at(&tasks[4], 4, 1);
    took = uv_hrtime() - start;
    wait_until(&ran, 5);
    CHECK_EQ(stats().delayed, 0);
  } while (took > 10 * MS);
  CHECK_LOG("4,1,3,2,0");
  unmake();
}

TEST(delayed_tasks_while_all_threads_are_busy) {
  task_t tasks[2], blockers[2];
  make(2);
  hold_threads(blockers, 2, UVX_PRIORITY_NORMAL);
  uint64_t before = uv_hrtime();
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(uvx_task_runner_post_delayed(runner, &tasks[i], UVX_PRIORITY_NORMAL, MS, count), 0);
  }
  while (stats().delayed > 0) sched_yield();
  CHECK(uv_hrtime() - before >= MS);
  CHECK_EQ(stats().waiting[1], 2);
  CHECK_EQ(get(&ran), 0);
  release();
  wait_until(&ran, 2);
  unmake();
}

TEST(a_task_that_is_due_comes_before_what_is_posted_later) {
  task_t due = {.data = (void*) 1}, later = {.data = (void*) 2};
  make(1);
  hold_threads(&blocker, 1, UVX_PRIORITY_NORMAL);
  post_due(&due, UVX_PRIORITY_NORMAL, note);
  CHECK_EQ(uvx_task_runner_post(runner, &later, UVX_PRIORITY_NORMAL, note), 0);
  release();
  drain(UVX_PRIORITY_NORMAL);
  CHECK_LOG("1,2");
  unmake();
}

/* Somebody keeps the time, whoever comes and goes meanwhile. */
TEST(the_time_is_kept_under_load) {
  enum { N = 200 };
  static task_t later[N], now[N];
  make(3);
  for (int i = 0; i < N; i++) {
    CHECK_EQ(uvx_task_runner_post_delayed(runner, &later[i], UVX_PRIORITY_LOW, (uint64_t) (i * 7919 % 20) * MS, count), 0);
    CHECK_EQ(uvx_task_runner_post(runner, &now[i], UVX_PRIORITY_HIGH, count), 0);
    if (i % 50 == 0) CHECK_EQ(uvx_pool_set_size(uvx_task_runner_pool(runner), 1 + (unsigned) i / 50), 0);
  }
  wait_until(&ran, 2 * N);
  CHECK_EQ(uvx_pool_set_size(uvx_task_runner_pool(runner), 1), 0);
  CHECK_EQ(uvx_task_runner_post_delayed(runner, &later[0], UVX_PRIORITY_LOW, 5 * MS, count), 0);
  wait_until(&ran, 2 * N + 1);
  unmake();
}

TEST(cancelling) {
  task_t waiting, delayed, done;
  make(1);
  CHECK_EQ(uvx_task_runner_post(runner, &done, UVX_PRIORITY_NORMAL, count), 0);
  drain(UVX_PRIORITY_LOW);
  CHECK_EQ(uvx_task_runner_cancel(runner, &done), UV_EALREADY);
  hold_threads(&blocker, 1, UVX_PRIORITY_NORMAL);
  CHECK_EQ(uvx_task_runner_cancel(runner, &blocker), UV_EBUSY);
  CHECK_EQ(uvx_task_runner_post(runner, &waiting, UVX_PRIORITY_NORMAL, count), 0);
  CHECK_EQ(uvx_task_runner_post_delayed(runner, &delayed, UVX_PRIORITY_NORMAL, 3600000ull * MS, count), 0);
  CHECK_EQ(uvx_task_runner_cancel(runner, &waiting), 0);
  CHECK_EQ(dropped, 1);
  CHECK_EQ(uvx_task_runner_cancel(runner, &delayed), 0);
  CHECK_EQ(dropped, 2);
  CHECK_EQ(uvx_task_runner_cancel(runner, &waiting), UV_EALREADY);
  CHECK_EQ(uvx_task_runner_cancel(runner, &delayed), UV_EALREADY);
  release();
  unmake();
  CHECK_EQ(ran, 1);
  CHECK_EQ(dropped, 2);
}

/* 1.7.4: waiting for tasks of a priority and above, and for those that they post. */
static task_t posted;

static void hold_and_post(task_t* task, int status) {
  hold(task, status);
  CHECK_EQ(uvx_task_runner_post(runner, &posted, UVX_PRIORITY_HIGH, count), 0);
}

static void* release_later(void* arg) {
  (void) arg;
  usleep(20000);
  release();
  return NULL;
}

TEST(draining) {
  task_t low, delayed, high;
  make(2);
  drain(UVX_PRIORITY_LOW);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_LOW, 0, NULL), 0);
  hold_threads(&low, 1, UVX_PRIORITY_LOW);
  drain(UVX_PRIORITY_NORMAL);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_LOW, 0, NULL), UV_ETIMEDOUT);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_LOW, MS, NULL), UV_ETIMEDOUT);
  CHECK_EQ(uvx_task_runner_post_delayed(runner, &delayed, UVX_PRIORITY_HIGH, 3600000ull * MS, count), 0);
  drain(UVX_PRIORITY_HIGH);
  CHECK_EQ(uvx_task_runner_post(runner, &high, UVX_PRIORITY_HIGH, hold_and_post), 0);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_HIGH, MS, NULL), UV_ETIMEDOUT);
  pthread_t thread = port_thread(release_later, NULL);
  drain(UVX_PRIORITY_HIGH);
  CHECK_EQ(ran, 1);
  port_join(thread);
  unmake();
  CHECK_EQ(dropped, 1);
}

/* No thread has had the time to see that the task is due. */
TEST(draining_waits_for_what_came_due_while_all_were_busy) {
  task_t task;
  make_loop();
  make(1);
  hold_threads(&blocker, 1, UVX_PRIORITY_LOW);
  post_due(&task, UVX_PRIORITY_NORMAL, count);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_NORMAL, 0, NULL), UV_ETIMEDOUT);
  CHECK_EQ(uvx_task_runner_cancel(runner, &task), 0);
  post_due(&task, UVX_PRIORITY_NORMAL, count);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_NORMAL, 0, &loop), UV_ETIMEDOUT);
  release();
  drain(UVX_PRIORITY_NORMAL);
  CHECK_EQ(ran, 1);
  unmake();
  unmake_loop();
}

static void drain_inside(task_t* task, int status) {
  (void) task;
  CHECK_EQ(status, 0);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_LOW, 0, NULL), UV_EINVAL);
  CHECK_EQ(uvx_task_runner_shutdown(runner, UVX_SHUTDOWN_DROP, 0), UV_EINVAL);
  add(&ran, 1);
}

TEST(a_thread_does_not_wait_for_itself) {
  task_t task;
  make(1);
  CHECK_EQ(uvx_task_runner_post(runner, &task, UVX_PRIORITY_NORMAL, drain_inside), 0);
  drain(UVX_PRIORITY_LOW);
  CHECK_EQ(ran, 1);
  unmake();
}

/* 1.7.9: a task waits for a call that it posts to the loop which waits for the task. */
static int answered;

static void answer(void* arg, int status) {
  CHECK_EQ(status, 0);
  add((int*) arg, 1);
}

static void ask(task_t* task, int status) {
  (void) task;
  CHECK_EQ(status, 0);
  CHECK_EQ(uvx_mailbox_call_sync(mailbox, answer, &answered, UVX_FOREVER), 0);
  add(&ran, 1);
}

static void ask_later(task_t* task, int status) {
  for (volatile uintptr_t spin = (uintptr_t) task->data; spin > 0; spin--) continue;
  ask(task, status);
}

/* Again and again, and later and later, so that some ask when the loop has just looked and found nothing. */
TEST(a_task_waits_for_the_loop_that_waits_for_it) {
  enum { TASKS = 20, ROUNDS = 100 };
  task_t tasks[TASKS];
  make_loop();
  make(2);
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < TASKS; i++) {
      tasks[i].data = (void*) (uintptr_t) (round * i);
      CHECK_EQ(uvx_task_runner_post(runner, &tasks[i], UVX_PRIORITY_HIGH, ask_later), 0);
    }
    CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_HIGH, UVX_FOREVER, &loop), 0);
    CHECK_EQ(ran, (round + 1) * TASKS);
    CHECK_EQ(answered, (round + 1) * TASKS);
  }
  unmake();
  unmake_loop();
}

/* What the tasks have posted to the loop has run when the wait is over; and so has what that has posted to the runner. */
static int chain_left = 20;
static task_t chain_task;

static void chain_on_loop(void* arg, int status);

static void chain_in_task(task_t* task, int status) {
  (void) task;
  CHECK_EQ(status, 0);
  CHECK_EQ(uvx_mailbox_call_copy(mailbox, chain_on_loop, NULL, 0), 0);
}

static void chain_on_loop(void* arg, int status) {
  (void) arg;
  CHECK_EQ(status, 0);
  if (--chain_left > 0) CHECK_EQ(uvx_task_runner_post(runner, &chain_task, UVX_PRIORITY_NORMAL, chain_in_task), 0);
}

TEST(there_and_back_until_nothing_is_left) {
  make_loop();
  make(1);
  CHECK_EQ(uvx_mailbox_call_copy(mailbox, chain_on_loop, NULL, 0), 0);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_NORMAL, UVX_FOREVER, &loop), 0);
  CHECK_EQ(chain_left, 0);
  unmake();
  unmake_loop();
}

static void on_timer(uv_timer_t* timer) {
  (void) timer;
  release();
}

static void stop(uv_timer_t* timer) {
  uv_stop(timer->loop);
}

TEST(the_loop_runs_while_its_thread_waits) {
  uv_timer_t timer, other;
  make_loop();
  make(1);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, on_timer, 10, 0), 0);
  hold_threads(&blocker, 1, UVX_PRIORITY_NORMAL);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_LOW, UVX_FOREVER, &loop), 0);
  let_go = 0;
  hold_threads(&blocker, 1, UVX_PRIORITY_NORMAL);
  uint64_t before = uv_hrtime();
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_LOW, 0, &loop), UV_ETIMEDOUT);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_LOW, 5 * MS, &loop), UV_ETIMEDOUT);
  CHECK(uv_hrtime() - before >= 5 * MS);
  CHECK_EQ(uv_timer_init(&loop, &other), 0);
  CHECK_EQ(uv_timer_start(&other, stop, 1, 0), 0);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_LOW, UVX_FOREVER, &loop), UV_EINTR);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0); /* which is the one that was stopped */
  release();
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_LOW, UVX_FOREVER, &loop), 0);
  CHECK_EQ(loop.active_reqs.count, 0);
  unmake();
  unmake_loop();
}
