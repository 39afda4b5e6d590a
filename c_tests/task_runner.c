/* Task runners: order, delays, cancelling, waiting for tasks with and without a loop, shutdown. The numbers are those of
 * docs/uvx/BEHAVIOUR.md. */
#include "port.h"

#include "allocs.h"

#include <sched.h>

typedef uvx_task_runner_t runner_t;
typedef uvx_task_t task_t;

enum { MS = 1000000 };

static runner_t* runner;
static uv_loop_t loop;
static uvx_mailbox_t* mailbox;
static int ran, dropped;

static int add(int* counter, int n) {
  return __atomic_add_fetch(counter, n, __ATOMIC_SEQ_CST);
}

static int get(int* counter) {
  return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

static void wait_until(int* counter, int value) {
  while (get(counter) < value) sched_yield();
}

static void make(unsigned threads) {
  uvx_pool_options_t options = {.size = sizeof options, .threads = threads, .name = "runner"};
  CHECK_EQ(uvx_task_runner_create(&runner, &options), 0);
}

static void unmake(void) {
  CHECK_EQ(uvx_task_runner_shutdown(runner, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  uvx_task_runner_release(runner);
}

static void make_loop(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uvx_loop_mailbox(&loop, &mailbox), 0);
}

static void unmake_loop(void) {
  uvx_mailbox_release(mailbox);
  check_close_loop(&loop);
}

static uvx_pool_stats_t stats(void) {
  uvx_pool_stats_t stats = {.size = sizeof stats};
  CHECK_EQ(uvx_pool_stats(uvx_task_runner_pool(runner), &stats), 0);
  return stats;
}

static void count(task_t* task, int status) {
  (void) task;
  CHECK(status == 0 || status == UV_ECANCELED);
  add(status == 0 ? &ran : &dropped, 1);
}

static void note(task_t* task, int status) {
  char text[32];
  snprintf(text, sizeof text, "%s%d", status == 0 ? "" : "c", (int) (intptr_t) task->data);
  port_note(text);
}

static int held, let_go;

static void hold(task_t* task, int status) {
  (void) task;
  CHECK_EQ(status, 0);
  add(&held, 1);
  while (!get(&let_go)) sched_yield();
}

static void hold_threads(task_t* tasks, int n, uvx_priority priority) {
  int before = get(&held);
  for (int i = 0; i < n; i++) CHECK_EQ(uvx_task_runner_post(runner, &tasks[i], priority, hold), 0);
  wait_until(&held, before + n);
}

static void release(void) {
  add(&let_go, 1);
}

static void drain(uvx_priority at_least) {
  CHECK_EQ(uvx_task_runner_drain(runner, at_least, UVX_FOREVER, NULL), 0);
}

static task_t blocker;

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

/* 1.7.7: in the order in which they are due, and never early. */
TEST(delayed_tasks) {
  task_t tasks[8];
  make(1);
  post_at(&tasks[0], 0, 60 * MS);
  post_at(&tasks[1], 1, 30 * MS); /* earlier than what the timekeeper sleeps for */
  post_at(&tasks[2], 2, 45 * MS);
  post_at(&tasks[3], 3, 30 * MS + 1);
  post_at(&tasks[4], 4, 1);
  CHECK(stats().delayed + (size_t) get(&ran) + stats().waiting[1] + stats().busy >= 4);
  wait_until(&ran, 5);
  CHECK_LOG("4,1,3,2,0");
  CHECK_EQ(stats().delayed, 0);
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

TEST(a_task_waits_for_the_loop_that_waits_for_it) {
  task_t tasks[20];
  make_loop();
  make(2);
  for (int i = 0; i < 20; i++) CHECK_EQ(uvx_task_runner_post(runner, &tasks[i], UVX_PRIORITY_HIGH, ask), 0);
  CHECK_EQ(uvx_task_runner_drain(runner, UVX_PRIORITY_HIGH, UVX_FOREVER, &loop), 0);
  CHECK_EQ(ran, 20);
  CHECK_EQ(answered, 20);
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
