/* What the library traces of itself, in the category "uv". */
#include "trace_file.h"

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
