/* What the debug port says of loops that run, sleep and are stuck, and of the thread pool, while they come and go. The numbers are those
 * of docs/uvx/BEHAVIOUR.md. */
#include "debug_port.h"

static void nothing(uv_handle_t* handle) {
  (void) handle;
}

static void on_timer(uv_timer_t* handle) {
  (void) handle;
}

static uv_timer_t timers[3];
static uv_async_t async;
static uv_idle_t idle;

/* 1.5.15 */
TEST(handles_are_counted_by_type) {
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(uv_timer_init(&loop, &timers[i]), 0);
  CHECK_EQ(uv_async_init(&loop, &async, NULL), 0);
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  const char* found = ask_for_loop();
  check_handles(found, "timer", 3, 0, 3);
  check_handles(found, "async", 1, 1, 1);
  CHECK_EQ(uv_timer_start(&timers[0], on_timer, 1000000, 0), 0);
  CHECK_EQ(uv_timer_start(&timers[1], on_timer, 1000000, 5), 0);
  uv_unref((uv_handle_t*) &timers[1]);
  uv_unref((uv_handle_t*) &timers[2]);
  uv_unref((uv_handle_t*) &async);
  found = ask_for_loop();
  check_handles(found, "timer", 3, 2, 1);
  check_handles(found, "async", 1, 1, 0);
  check_handles(found, "idle", 1, 0, 1);
  check_handles(found, "tcp", 0, 0, 0);
  CHECK_EQ(json_number(json_get(found, "active_handles")), 1);
  CHECK_EQ(json_number(json_get(json_get(found, "timers"), "active")), 2);
  uv_ref((uv_handle_t*) &timers[1]);
  CHECK_EQ(uv_timer_stop(&timers[0]), 0);
  uv_close((uv_handle_t*) &timers[0], nothing);
  check_handles(ask_for_loop(), "timer", 3, 1, 2); /* closed only with its callback */
  uv_run(&loop, UV_RUN_NOWAIT);
  check_handles(ask_for_loop(), "timer", 2, 1, 1);
  uv_close((uv_handle_t*) &timers[1], nothing);
  uv_close((uv_handle_t*) &timers[2], nothing);
  uv_close((uv_handle_t*) &async, nothing);
  uv_close((uv_handle_t*) &idle, nothing);
  uv_run(&loop, UV_RUN_DEFAULT);
  found = ask_for_loop();
  check_handles(found, "timer", 0, 0, 0);
  check_handles(found, "async", 0, 0, 0);
  check_close_loop(&loop);
  stop();
}

static void on_exit_of_child(uv_process_t* process, int64_t status, int signum) {
  CHECK_EQ(status, 0);
  CHECK_EQ(signum, 0);
  uv_close((uv_handle_t*) process, NULL);
}

/* The library's own signal handle is not shown, nor is a process that never was. */
TEST(what_is_no_handle_of_the_program_is_not_counted) {
  NOT_UNDER_TSAN("uv_spawn in a program with threads is not what its runtime is made for");
  uv_process_t process, failed;
  char* arguments[] = {"true", NULL};
  uv_process_options_t options = {.file = "true", .args = arguments, .exit_cb = on_exit_of_child};
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  const char* found = ask_for_loop();
  check_handles(found, "process", 1, 1, 1);
  check_handles(found, "signal", 0, 0, 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  options.stdio_count = 1;
  options.stdio = (uv_stdio_container_t[1]){{.flags = UV_INHERIT_STREAM, .data.stream = (uv_stream_t*) &async}};
  CHECK_EQ(uv_async_init(&loop, &async, NULL), 0); /* no stream */
  CHECK_EQ(uv_spawn(&loop, &failed, &options), UV_EINVAL);
  uv_close((uv_handle_t*) &async, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  found = ask_for_loop();
  check_handles(found, "process", 0, 0, 0);
  check_handles(found, "signal", 0, 0, 0);
  check_close_loop(&loop);
  stop();
}

static void stuck_in_timers(uv_timer_t* handle) {
  check_phase("timers");
  uv_timer_stop(handle);
  uv_async_send(&async);
}

static void stuck_in_events(uv_async_t* handle) {
  check_phase("events");
  uv_close((uv_handle_t*) handle, NULL);
}

static uv_check_t check;
static uv_prepare_t prepare;

static void on_closed(uv_handle_t* handle) {
  (void) handle;
  check_phase("closing");
}

static void stuck_in_check(uv_check_t* handle) {
  check_phase("check");
  uv_close((uv_handle_t*) handle, on_closed);
}

static void stuck_in_prepare(uv_prepare_t* handle) {
  check_phase("prepare");
  uv_close((uv_handle_t*) handle, NULL);
}

static void stuck_in_idle(uv_idle_t* handle) {
  check_phase("prepare");
  uv_close((uv_handle_t*) handle, NULL);
}

/* 1.5.16: the loop's own thread asks, so the loop is as stuck as can be. */
TEST(a_stuck_loop_is_told_of) {
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  check_phase("outside");
  CHECK_EQ(uv_timer_init(&loop, &timers[0]), 0);
  CHECK_EQ(uv_timer_start(&timers[0], stuck_in_timers, 1, 0), 0);
  CHECK_EQ(uv_async_init(&loop, &async, stuck_in_events), 0);
  CHECK_EQ(uv_check_init(&loop, &check), 0);
  CHECK_EQ(uv_check_start(&check, stuck_in_check), 0);
  CHECK_EQ(uv_prepare_init(&loop, &prepare), 0);
  CHECK_EQ(uv_prepare_start(&prepare, stuck_in_prepare), 0);
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  CHECK_EQ(uv_idle_start(&idle, stuck_in_idle), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK(uv_is_closing((uv_handle_t*) &check) && uv_is_closing((uv_handle_t*) &prepare));
  check_phase("outside");
  CHECK_EQ(json_number(json_get(ask_for_loop(), "tid")), gettid());
  CHECK(json_number(json_get(ask_for_loop(), "turns")) >= 1);
  uv_close((uv_handle_t*) &timers[0], NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  check_close_loop(&loop);
  stop();
}

static void spend_time(uv_timer_t* handle) {
  uint64_t start_ns = uv_hrtime();
  (void) handle;
  while (uv_hrtime() - start_ns < 30000000) continue;
  CHECK(json_number(json_get(ask_for_loop(), "since_ms")) >= 29);
  /* Known before the last wait: this very timer, which is late by now. */
  CHECK(json_number(json_get(json_get(ask_for_loop(), "timers"), "next_ms")) <= -29);
}

TEST(how_long_it_is_stuck_is_told) {
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timers[0]), 0);
  CHECK_EQ(uv_timer_start(&timers[0], spend_time, 2, 0), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_ONCE), 0);
  uv_close((uv_handle_t*) &timers[0], NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  check_close_loop(&loop);
  stop();
}

static uv_sem_t ready;

static void post_ready(uv_timer_t* handle) {
  (void) handle;
  uv_sem_post(&ready);
}

static void stop_async(uv_async_t* handle) {
  uv_close((uv_handle_t*) handle, NULL);
  uv_close((uv_handle_t*) &timers[0], NULL);
  uv_close((uv_handle_t*) &timers[1], NULL);
}

static void* run_loop(void* arg) {
  CHECK_EQ(pthread_setname_np(pthread_self(), "a \"loop\"\\"), 0);
  CHECK_EQ(uv_run(arg, UV_RUN_DEFAULT), 0);
  return NULL;
}

TEST(a_sleeping_loop_is_told_of) {
  pthread_t thread;
  char text[64];
  const char* found;
  start();
  CHECK_EQ(uv_sem_init(&ready, 0), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &async, stop_async), 0);
  for (int i = 0; i < 2; i++) CHECK_EQ(uv_timer_init(&loop, &timers[i]), 0);
  CHECK_EQ(uv_timer_start(&timers[0], post_ready, 1, 0), 0);
  CHECK_EQ(uv_timer_start(&timers[1], on_timer, 1000000, 0), 0);
  CHECK_EQ(pthread_create(&thread, NULL, run_loop, &loop), 0);
  uv_sem_wait(&ready);
  do found = ask_for_loop();
  while (strcmp(json_string(json_get(found, "phase"), text, sizeof text), "poll") != 0);
  CHECK_STR(json_string(json_get(found, "thread"), text, sizeof text), "a \"loop\"\\");
  CHECK(json_number(json_get(found, "tid")) != getpid());
  long long next = json_number(json_get(json_get(found, "timers"), "next_ms"));
  CHECK(next <= 1000000 && next > 900000);
  CHECK_EQ(uv_async_send(&async), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  check_close_loop(&loop);
  stop();
}

static void count_message(port_t* port, message_t* message) {
  (void) port;
  (void) message;
}

TEST(ports_show_what_is_unread) {
  port_t *near[3], *far[3];
  const char* found;
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(uvx_message_channel_create(&near[i], &far[i], NULL), 0);
    CHECK_EQ(uvx_message_port_attach(&loop, near[i], count_message, NULL), 0);
    for (int n = 0; n < i * 10; n++) CHECK_EQ(port_post_bytes(far[i], 1, "12345", 5), 0);
  }
  found = json_get(ask_for_loop(), "ports");
  CHECK_EQ(json_number(json_get(found, "count")), 3);
  CHECK_EQ(json_number(json_get(found, "messages")), 30);
  CHECK_EQ(json_number(json_get(found, "bytes")), 150);
  long long deepest = 0;
  for (int i = 0; i < 3; i++) {
    long long depth = json_number(json_item(json_get(found, "depths"), i));
    if (depth > deepest) deepest = depth;
  }
  CHECK_EQ(deepest, 20);
  CHECK_EQ(uvx_message_port_detach(near[2]), 0);
  found = json_get(ask_for_loop(), "ports");
  CHECK_EQ(json_number(json_get(found, "count")), 2);
  CHECK_EQ(json_number(json_get(found, "messages")), 10);
  for (int i = 0; i < 3; i++) {
    port_close(near[i]);
    port_close(far[i]);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  check_close_loop(&loop);
  stop();
}

static uv_sem_t begun, go_on;

static void work(uv_work_t* request) {
  (void) request;
  uv_sem_post(&begun);
  uv_sem_wait(&go_on);
}

/* 1.5.17 */
TEST(the_pool_shows_what_runs_and_what_waits) {
  uv_work_t requests[7];
  const char* pool;
  CHECK_EQ(setenv("UV_THREADPOOL_SIZE", "2", 1), 0);
  start();
  CHECK_EQ(uv_sem_init(&begun, 0), 0);
  CHECK_EQ(uv_sem_init(&go_on, 0), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < 7; i++) CHECK_EQ(uv_queue_work(&loop, &requests[i], work, NULL), 0);
  for (int i = 0; i < 2; i++) uv_sem_wait(&begun);
  CHECK_EQ(uv_cancel((uv_req_t*) &requests[6]), 0);
  CHECK_EQ(json_number(json_get(ask_for_loop(), "requests")), 7);
  pool = json_get(ask(), "pool");
  CHECK_EQ(json_number(json_get(pool, "threads")), 2);
  CHECK_EQ(json_number(json_get(pool, "size")), 2);
  CHECK_EQ(json_number(json_get(pool, "running")), 2);
  CHECK_EQ(json_number(json_get(pool, "waiting")), 4);
  for (int i = 0; i < 6; i++) uv_sem_post(&go_on);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  do pool = json_get(ask(), "pool"); /* the threads count it as done a moment after they have sent it home */
  while (json_number(json_get(pool, "running")) != 0);
  CHECK_EQ(json_number(json_get(pool, "waiting")), 0);
  CHECK_EQ(json_number(json_get(ask_for_loop(), "requests")), 0);
  check_close_loop(&loop);
  stop();
}

static int over;

static void* make_loops(void* arg) {
  (void) arg;
  while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
    uv_loop_t own;
    uv_timer_t timer;
    port_t *near, *far;
    CHECK_EQ(uv_loop_init(&own), 0);
    CHECK_EQ(uv_timer_init(&own, &timer), 0);
    CHECK_EQ(uv_timer_start(&timer, on_timer, 0, 0), 0);
    CHECK_EQ(uvx_message_channel_create(&near, &far, NULL), 0);
    CHECK_EQ(uvx_message_port_attach(&own, near, count_message, NULL), 0);
    CHECK_EQ(port_post(far, 1), 0);
    uv_run(&own, UV_RUN_NOWAIT);
    port_close(near);
    port_close(far);
    uv_close((uv_handle_t*) &timer, NULL);
    CHECK_EQ(uv_run(&own, UV_RUN_DEFAULT), 0);
    check_close_loop(&own);
    memset(&own, 0xff, sizeof own);
  }
  return NULL;
}

/* 1.5.20: everything comes and goes while clients ask. */
TEST(asking_races_everything) {
  pthread_t threads[3];
  start();
  for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&threads[i], NULL, make_loops, NULL), 0);
  for (int i = 0; i < 300; i++) CHECK(loops_in(ask()) <= 3);
  __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 3; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  CHECK_EQ(loops_in(ask()), 0);
  stop();
}

TEST(many_ports_make_a_long_answer) {
  enum { PORTS = 300 };
  static port_t *near[PORTS], *far[PORTS];
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < PORTS; i++) {
    CHECK_EQ(uvx_message_channel_create(&near[i], &far[i], NULL), 0);
    CHECK_EQ(uvx_message_port_attach(&loop, near[i], count_message, NULL), 0);
  }
  const char* ports = json_get(ask_for_loop(), "ports");
  CHECK_EQ(json_number(json_get(ports, "count")), PORTS);
  CHECK(json_item(json_get(ports, "depths"), 63) != NULL);
  CHECK(json_item(json_get(ports, "depths"), 64) == NULL);
  for (int i = 0; i < PORTS; i++) {
    port_close(near[i]);
    port_close(far[i]);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  check_close_loop(&loop);
  stop();
}

/* The command for people, if it was built. */
TEST(uvx_inspect_shows_it) {
  char command[600], line[200];
  const char* inspect = getenv("UVX_INSPECT");
  if (inspect == NULL) SKIP("UVX_INSPECT does not say where uvx-inspect is");
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timers[0]), 0);
  snprintf(command, sizeof command, "%s -1 %s", inspect, path);
  FILE* shown = popen(command, "r");
  CHECK(shown != NULL);
  int found = 0;
  while (fgets(line, sizeof line, shown) != NULL) found += strstr(line, "timer  ") != NULL;
  CHECK_EQ(pclose(shown), 0);
  CHECK_EQ(found, 1);
  uv_close((uv_handle_t*) &timers[0], NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  check_close_loop(&loop);
  stop();
}
