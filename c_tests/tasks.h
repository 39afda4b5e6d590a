/* What the tests of task runners share: counters, a runner and a loop, and tasks that are held. */
#ifndef TASKS_H
#define TASKS_H

#include "port.h"

#include "allocs.h"
#include "counters.h"

#include <sched.h>

typedef uvx_task_runner_t runner_t;
typedef uvx_task_t task_t;

enum { MS = 1000000 };

static runner_t* runner;
static uv_loop_t loop;
static uvx_mailbox_t* mailbox;
static int ran, dropped;

static inline void make(unsigned threads) {
  uvx_pool_options_t options = {.size = sizeof options, .threads = threads, .name = "runner"};
  CHECK_EQ(uvx_task_runner_create(&runner, &options), 0);
}

static inline void unmake(void) {
  CHECK_EQ(uvx_task_runner_shutdown(runner, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  uvx_task_runner_release(runner);
}

static inline void make_loop(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uvx_loop_mailbox(&loop, &mailbox), 0);
}

static inline void unmake_loop(void) {
  uvx_mailbox_release(mailbox);
  check_close_loop(&loop);
}

static inline uvx_pool_stats_t stats(void) {
  uvx_pool_stats_t stats = {.size = sizeof stats};
  CHECK_EQ(uvx_pool_stats(uvx_task_runner_pool(runner), &stats), 0);
  return stats;
}

static inline void count(task_t* task, int status) {
  (void) task;
  CHECK(status == 0 || status == UV_ECANCELED);
  add(status == 0 ? &ran : &dropped, 1);
}

static inline void note(task_t* task, int status) {
  char text[32];
  snprintf(text, sizeof text, "%s%d", status == 0 ? "" : "c", (int) (intptr_t) task->data);
  port_note(text);
}

static int held, let_go;

static inline void hold(task_t* task, int status) {
  (void) task;
  CHECK_EQ(status, 0);
  add(&held, 1);
  while (!get(&let_go)) sched_yield();
}

static inline void hold_threads(task_t* tasks, int n, uvx_priority priority) {
  int before = get(&held);
  for (int i = 0; i < n; i++) CHECK_EQ(uvx_task_runner_post(runner, &tasks[i], priority, hold), 0);
  wait_until(&held, before + n);
}

static inline void release(void) {
  add(&let_go, 1);
}

/* Posts a task with a delay that is over when this returns. */
static inline void post_due(task_t* task, uvx_priority priority, uvx_task_cb cb) {
  CHECK_EQ(uvx_task_runner_post_delayed(runner, task, priority, 1, cb), 0);
  for (uint64_t posted = uv_hrtime(); uv_hrtime() <= posted + 1;) continue;
}

static inline void drain(uvx_priority at_least) {
  CHECK_EQ(uvx_task_runner_drain(runner, at_least, UVX_FOREVER, NULL), 0);
}

static task_t blocker;

#endif
