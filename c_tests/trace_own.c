/* What the library traces of itself, in the category "uv". */
#include "trace_file.h"

#include "counters.h"

static uvx_trace_agent_t* agent;
static uv_loop_t loop;

static void begin(void) {
  agent = trace_start("t.1", NULL);
  CHECK_EQ(uvx_trace_enable(agent, NULL, "uv"), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
}

static trace_t end(void) {
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  check_close_loop(&loop);
  trace_t trace = trace_load("t.1");
  CHECK_EQ(trace_count(&trace, "cat", "\"uv\""), trace.count);
  return trace;
}

static long argument(const char* event, const char* name) {
  return atol(json_get(json_get(event, "args"), name));
}

static void on_timer(uv_timer_t* timer) {
  (void) timer;
}

TEST(turns_and_waiting) {
  OURS_ONLY("tracing");
  uv_timer_t timer;
  begin();
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, on_timer, 20, 0), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  trace_t trace = end();
  CHECK_EQ(trace_count(&trace, "name", "\"turn\""), 1);
  const char *turn = trace_event(&trace, "turn"), *wait = trace_event(&trace, "wait"), *run = trace_event(&trace, "timer");
  CHECK(argument(wait, "timeout_ms") >= 0 && argument(wait, "timeout_ms") <= 20); /* what was left of them */
  CHECK_EQ(argument(wait, "events"), 0);
  CHECK(atof(json_get(wait, "dur")) >= (argument(wait, "timeout_ms") - 1) * 1000.0);
  CHECK(atof(json_get(turn, "dur")) >= atof(json_get(wait, "dur")));
  CHECK(atof(json_get(run, "ts")) >= atof(json_get(turn, "ts")));
  trace_free(&trace);
}

TEST(timers_tell_how_late_they_are) {
  OURS_ONLY("tracing");
  uv_timer_t timer;
  begin();
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, on_timer, 1, 0), 0);
  uint64_t due = uv_now(&loop) + 1;
  do uv_update_time(&loop);
  while (uv_now(&loop) < due + 5);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  trace_t trace = end();
  CHECK(argument(trace_event(&trace, "timer"), "late_ms") >= 5);
  trace_free(&trace);
}

static void work(uv_work_t* request) {
  (void) request;
}

static void after_work(uv_work_t* request, int status) {
  (void) request;
  CHECK_EQ(status, 0);
}

TEST(work_of_the_pool_and_its_time_in_the_queue) {
  OURS_ONLY("tracing");
  uv_work_t requests[5];
  char id[64];
  begin();
  for (int i = 0; i < 5; i++) CHECK_EQ(uv_queue_work(&loop, &requests[i], work, after_work), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  trace_t trace = end();
  CHECK_EQ(trace_count(&trace, "name", "\"queued\""), 10);
  CHECK_EQ(trace_count(&trace, "ph", "\"b\""), 5);
  CHECK_EQ(trace_count(&trace, "ph", "\"e\""), 5);
  CHECK_EQ(trace_count(&trace, "name", "\"work\""), 5);
  for (int i = 0; i < 5; i++) {
    snprintf(id, sizeof id, "\"%p\"", (void*) &requests[i].work_req);
    CHECK_EQ(trace_count(&trace, "id", id), 2);
  }
  trace_free(&trace);
}

/* From "b" to "e" of what has this id, in us; they stand next to each other. */
static double waited(const trace_t* trace, const void* of) {
  char id[64];
  double begun = -1;
  snprintf(id, sizeof id, "\"%p\"", of);
  CHECK_EQ(trace_count(trace, "id", id), 2);
  for (size_t i = 0; i < trace->count; i++) {
    const char* event = trace->events[i];
    if (strcmp(json_get(event, "id"), id) != 0) continue;
    CHECK_STR(json_get(event, "name"), "\"queued\"");
    CHECK_STR(json_get(event, "ph"), begun < 0 ? "\"b\"" : "\"e\"");
    if (begun >= 0) return atof(json_get(event, "ts")) - begun;
    begun = atof(json_get(event, "ts"));
  }
  CHECK_FAIL("never over");
}

static void spend(uint64_t ns) {
  uint64_t start = uv_hrtime();
  while (uv_hrtime() - start < ns) continue;
}

static int held, let_go, over;

static void hold_work(uvx_pool_work_t* of) {
  (void) of;
  add(&held, 1);
  while (!get(&let_go)) sched_yield();
}

static void no_work(uvx_pool_work_t* of) {
  (void) of;
}

static void end_work(uvx_pool_work_t* of, int status) {
  (void) of;
  CHECK_EQ(status, 0);
}

static void end_cancelled(uvx_pool_work_t* of, int status) {
  (void) of;
  CHECK_EQ(status, UV_ECANCELED);
}

TEST(work_of_own_pools_and_its_time_in_the_queue) {
  OURS_ONLY("tracing");
  uvx_pool_t* pool;
  uvx_pool_options_t options = {.size = sizeof options, .threads = 1, .name = "own"};
  uvx_pool_work_t holder, comes_home, stays, cancelled;
  uvx_mailbox_t* home;
  begin();
  CHECK_EQ(uvx_loop_mailbox(&loop, &home), 0);
  CHECK_EQ(uvx_pool_create(&pool, &options), 0);
  CHECK_EQ(uvx_pool_queue(pool, &holder, hold_work, UVX_PRIORITY_NORMAL, NULL, NULL), 0);
  wait_until(&held, 1);
  CHECK_EQ(uvx_pool_queue(pool, &comes_home, no_work, UVX_PRIORITY_NORMAL, home, end_work), 0);
  CHECK_EQ(uvx_pool_queue(pool, &stays, no_work, UVX_PRIORITY_LOW, NULL, end_work), 0);
  CHECK_EQ(uvx_pool_queue(pool, &cancelled, no_work, UVX_PRIORITY_LOW, NULL, end_cancelled), 0);
  spend(5000000);
  CHECK_EQ(uvx_pool_cancel(pool, &cancelled), 0);
  add(&let_go, 1);
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  uvx_pool_release(pool);
  uvx_mailbox_release(home);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  trace_t trace = end();
  CHECK_EQ(trace_count(&trace, "name", "\"queued\""), 8);
  CHECK_EQ(trace_count(&trace, "name", "\"work\""), 3);
  CHECK(waited(&trace, &holder) >= 0);
  CHECK(waited(&trace, &comes_home) >= 5000);
  CHECK(waited(&trace, &stays) >= 5000);
  CHECK(waited(&trace, &cancelled) >= 5000);
  CHECK(atof(json_get(trace_event(&trace, "work"), "dur")) >= 5000); /* the holder's, the first */
  trace_free(&trace);
}

static void spend_on_task(uvx_task_t* task, int status) {
  (void) task;
  CHECK_EQ(status, 0);
  spend(2000000);
  add(&over, 1);
}

static void end_dropped(uvx_task_t* task, int status) {
  (void) task;
  CHECK_EQ(status, UV_ECANCELED);
}

/* A delayed task waits from when it is due. */
TEST(tasks_and_their_time_in_the_queue) {
  OURS_ONLY("tracing");
  uvx_task_runner_t* runner;
  uvx_pool_options_t options = {.size = sizeof options, .threads = 1};
  uvx_task_t now, soon, never;
  begin();
  CHECK_EQ(uvx_task_runner_create(&runner, &options), 0);
  uint64_t posted = uv_hrtime();
  CHECK_EQ(uvx_task_runner_post_delayed(runner, &soon, UVX_PRIORITY_HIGH, 20000000, spend_on_task), 0);
  CHECK_EQ(uvx_task_runner_post_delayed(runner, &never, UVX_PRIORITY_HIGH, 3600000000000, end_dropped), 0);
  CHECK_EQ(uvx_task_runner_post(runner, &now, UVX_PRIORITY_NORMAL, spend_on_task), 0);
  wait_until(&over, 2);
  double lasted = (double) (uv_hrtime() - posted) / 1000;
  CHECK_EQ(uvx_task_runner_shutdown(runner, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  uvx_task_runner_release(runner);
  trace_t trace = end();
  CHECK_EQ(trace_count(&trace, "name", "\"queued\""), 4); /* nothing of what never was due */
  CHECK_EQ(trace_count(&trace, "name", "\"work\""), 2);
  CHECK(waited(&trace, &now) >= 0);
  CHECK(waited(&trace, &soon) >= 0 && waited(&trace, &soon) <= lasted - 20000 - 2000);
  CHECK(atof(json_get(trace_event(&trace, "work"), "dur")) >= 2000);
  trace_free(&trace);
}

static void on_message(uvx_message_port_t* port, uvx_message_t* message) {
  if (uvx_message_tag(message) == 7) CHECK_EQ(uvx_message_port_close(port, 0, NULL), 0);
}

TEST(messages_of_ports) {
  OURS_ONLY("tracing");
  uvx_message_port_t *here, *there;
  begin();
  CHECK_EQ(uvx_message_channel_create(&here, &there, NULL), 0);
  CHECK_EQ(uvx_message_port_attach(&loop, there, on_message, NULL), 0);
  CHECK_EQ(uvx_message_port_start(there), 0);
  for (uint64_t tag = 1; tag <= 7; tag++) {
    uvx_message_desc_t message = {.size = sizeof message, .tag = tag};
    CHECK_EQ(uvx_message_port_post(here, &message), 0);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uvx_message_port_close(here, 0, NULL), 0);
  trace_t trace = end();
  CHECK_EQ(argument(trace_event(&trace, "port"), "messages"), 7);
  trace_free(&trace);
}
