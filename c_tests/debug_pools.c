/* What the debug port says of pools, task runners, workers and posted calls, and that nobody waits for it. The numbers are those of
 * docs/uvx/BEHAVIOUR.md. */
#include "debug_port.h"

#include "allocs.h"
#include "counters.h"

typedef uvx_pool_t pool_t;
typedef uvx_pool_work_t work_t;
typedef uvx_task_runner_t runner_t;
typedef uvx_task_t task_t;
typedef uvx_worker_t worker_t;
typedef uvx_worker_ctx_t ctx_t;

/* The newest of "pools" or "workers"; NULL: there is none. */
static const char* ask_for(const char* which) {
  return json_item(json_get(ask(), which), 0);
}

static int count_of(const char* which) {
  const char* list = json_get(ask(), which);
  int count = 0;
  while (json_item(list, count) != NULL) count++;
  return count;
}

static void check_text(const char* of, const char* key, const char* wanted) {
  char text[64];
  CHECK_STR(json_string(json_get(of, key), text, sizeof text), wanted);
}

static void check_number(const char* of, const char* key, long long wanted) {
  CHECK(json_get(of, key) != NULL);
  CHECK_EQ(json_number(json_get(of, key)), wanted);
}

static void check_waiting(const char* of, int low, int normal, int high) {
  const char* waiting = json_get(of, "waiting");
  check_number(waiting, "low", low);
  check_number(waiting, "normal", normal);
  check_number(waiting, "high", high);
}

static int held, let_go, ran;

static void hold(void) {
  add(&held, 1);
  while (!get(&let_go)) sched_yield();
}

static void hold_work(work_t* work) {
  (void) work;
  hold();
}

static void hold_task(task_t* task, int status) {
  (void) task;
  CHECK_EQ(status, 0);
  hold();
}

static void count_work(work_t* work) {
  (void) work;
  add(&ran, 1);
}

static void count_task(task_t* task, int status) {
  (void) task;
  if (status == 0) add(&ran, 1);
}

static pool_t* make_pool(const char* name, unsigned threads) {
  pool_t* made;
  uvx_pool_options_t options = {.size = sizeof options, .threads = threads, .name = name};
  CHECK_EQ(uvx_pool_create(&made, &options), 0);
  return made;
}

static void end_pool(pool_t* pool) {
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  uvx_pool_release(pool);
}

/* 1.5.21 */
TEST(a_pool_shows_what_runs_and_what_waits) {
  static const uvx_priority priorities[] = {UVX_PRIORITY_LOW, UVX_PRIORITY_NORMAL, UVX_PRIORITY_NORMAL, UVX_PRIORITY_HIGH};
  work_t holders[2], works[4];
  start();
  pool_t* pool = make_pool("decode", 2);
  for (int i = 0; i < 2; i++) CHECK_EQ(uvx_pool_queue(pool, &holders[i], hold_work, UVX_PRIORITY_HIGH, NULL, NULL), 0);
  wait_until(&held, 2);
  for (int i = 0; i < 4; i++) CHECK_EQ(uvx_pool_queue(pool, &works[i], count_work, priorities[i], NULL, NULL), 0);
  uint64_t queued = uv_hrtime();
  while (uv_hrtime() - queued < 3000000) sched_yield();
  const char* shown = ask_for("pools");
  check_text(shown, "kind", "pool");
  check_text(shown, "name", "decode");
  check_number(shown, "threads", 2);
  check_number(shown, "size", 2);
  check_number(shown, "running", 2);
  check_waiting(shown, 1, 2, 1);
  check_number(shown, "delayed", 0);
  CHECK(json_number(json_get(shown, "oldest_ms")) >= 3);
  add(&let_go, 1);
  wait_until(&ran, 4);
  do shown = ask_for("pools"); /* a thread counts its work as done a moment later */
  while (json_number(json_get(shown, "running")) != 0);
  check_waiting(shown, 0, 0, 0);
  check_number(shown, "oldest_ms", 0);
  CHECK(json_number(json_get(shown, "longest_ms")) >= 3);
  end_pool(pool);
  CHECK_EQ(count_of("pools"), 0);
  stop();
}

TEST(a_task_runner_shows_priorities_and_delays) {
  runner_t* runner;
  task_t holder, tasks[3], delayed[2];
  uvx_pool_options_t options = {.size = sizeof options, .threads = 1, .name = "a \"runner\""};
  start();
  CHECK_EQ(uvx_task_runner_create(&runner, &options), 0);
  CHECK_EQ(uvx_task_runner_post(runner, &holder, UVX_PRIORITY_NORMAL, hold_task), 0);
  wait_until(&held, 1);
  for (int i = 0; i < 3; i++) CHECK_EQ(uvx_task_runner_post(runner, &tasks[i], UVX_PRIORITY_LOW, count_task), 0);
  for (int i = 0; i < 2; i++)
    CHECK_EQ(uvx_task_runner_post_delayed(runner, &delayed[i], UVX_PRIORITY_HIGH, 3600000000000, count_task), 0);
  const char* shown = ask_for("pools");
  check_text(shown, "kind", "task_runner");
  check_text(shown, "name", "a \"runner\"");
  check_number(shown, "threads", 1);
  check_number(shown, "running", 1);
  check_waiting(shown, 3, 0, 0);
  check_number(shown, "delayed", 2);
  add(&let_go, 1);
  CHECK_EQ(uvx_task_runner_shutdown(runner, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  CHECK_EQ(get(&ran), 3);
  shown = ask_for("pools"); /* as long as somebody has it */
  check_number(shown, "threads", 0);
  check_number(shown, "delayed", 0);
  uvx_task_runner_release(runner);
  CHECK_EQ(count_of("pools"), 0);
  stop();
}

TEST(all_pools_are_shown_the_newest_first) {
  pool_t* pools[3];
  char name[16];
  start();
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof name, "pool-%d", i);
    pools[i] = make_pool(name, 1);
  }
  CHECK_EQ(count_of("pools"), 3);
  long long newest = json_number(json_get(ask_for("pools"), "id"));
  check_text(ask_for("pools"), "name", "pool-2");
  end_pool(pools[1]);
  CHECK_EQ(count_of("pools"), 2);
  pools[1] = make_pool(NULL, 1);
  CHECK_EQ(json_number(json_get(ask_for("pools"), "id")), newest + 1);
  check_text(ask_for("pools"), "name", "uvx-pool");
  for (int i = 0; i < 3; i++) end_pool(pools[i]);
  CHECK_EQ(count_of("pools"), 0);
  stop();
}

static void hold_timer(uv_timer_t* timer) {
  uv_close((uv_handle_t*) timer, NULL);
  hold();
}

static int start_holding(ctx_t* ctx, void* data) {
  uv_timer_t* timer = data;
  CHECK_EQ(uv_timer_init(uvx_worker_ctx_loop(ctx), timer), 0);
  return uv_timer_start(timer, hold_timer, 0, 0);
}

static const char* loop_with(const char* text, long long id) {
  const char *loops = json_get(text, "loops"), *found;
  for (int i = 0; (found = json_item(loops, i)) != NULL; i++)
    if (json_number(json_get(found, "id")) == id) return found;
  return NULL;
}

/* 1.5.22 */
TEST(a_stuck_worker_is_told_of_by_name) {
  worker_t* worker;
  uv_timer_t timer;
  uvx_worker_options_t options = {.size = sizeof options, .name = "indexer", .data = &timer};
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(count_of("workers"), 0);
  long long parent = json_number(json_get(ask_for_loop(), "id"));
  CHECK_EQ(uvx_worker_start(&loop, &worker, start_holding, &options, NULL), 0);
  wait_until(&held, 1);
  const char* text = ask();
  const char* shown = json_item(json_get(text, "workers"), 0);
  const char* own = loop_with(text, json_number(json_get(shown, "loop")));
  CHECK(own != NULL);
  check_text(shown, "name", "indexer");
  check_text(shown, "state", "online");
  check_number(shown, "parent", parent);
  check_text(own, "phase", "timers");
  check_text(own, "thread", "indexer");
  CHECK_EQ(json_number(json_get(own, "tid")), json_number(json_get(shown, "tid")));
  CHECK(loop_with(text, parent) != NULL && parent != json_number(json_get(own, "id")));
  CHECK_EQ(uvx_worker_stop(worker, 0), 0);
  check_text(ask_for("workers"), "state", "stopping");
  add(&let_go, 1);
  CHECK_EQ(uvx_worker_join(worker, UVX_FOREVER), 0);
  check_text(ask_for("workers"), "state", "ended"); /* and its parent has not seen it */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(count_of("workers"), 0);
  check_close_loop(&loop);
  stop();
}

static void check_calls(long long collected, int more) {
  const char* calls = json_get(ask_for_loop(), "calls");
  check_number(calls, "collected", collected);
  CHECK_EQ(strncmp(json_get(calls, "more"), more ? "true" : "false", 4 + !more), 0);
}

static uvx_mailbox_t* mailbox;

static void on_call(void* arg, int status) {
  CHECK_EQ(status, 0);
  long long after = (intptr_t) arg;
  check_calls(after, 0);
  if (after != 0 || ran++ != 0) return;
  CHECK_EQ(uvx_mailbox_call_copy(mailbox, on_call, (void*) 0, UVX_CALL_REF), 0);
  check_calls(0, 1);
}

/* 1.5.23 */
TEST(posted_calls_that_wait_are_shown) {
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(strncmp(json_get(ask_for_loop(), "calls"), "null", 4), 0);
  CHECK_EQ(uvx_loop_mailbox(&loop, &mailbox), 0);
  check_calls(0, 0);
  for (intptr_t after = 2; after >= 0; after--) CHECK_EQ(uvx_mailbox_call_copy(mailbox, on_call, (void*) after, UVX_CALL_REF), 0);
  check_calls(0, 1);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(ran, 2);
  check_calls(0, 0);
  uvx_mailbox_release(mailbox);
  check_close_loop(&loop);
  CHECK_EQ(loops_in(ask()), 0);
  stop();
}

/* Has the port's thread wait at one of its allocations. */
static struct {
  int armed, at, stuck, go_on;
} trap;

static void* trapping_realloc(void* block, size_t size) {
  char name[16] = "";
  if (get(&trap.armed) && pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, "uvx-debug") == 0 &&
      add(&trap.at, -1) == 0) {
    add(&trap.stuck, 1);
    wait_until(&trap.go_on, 1);
  }
  return realloc(block, size);
}

static void no_message(port_t* port, message_t* message) {
  (void) port, (void) message;
}

static int do_nothing(ctx_t* ctx, void* data) {
  (void) ctx, (void) data;
  return 0;
}

/* All that is shown, made and unmade. */
static void come_and_go(void) {
  uv_loop_t own;
  uv_timer_t timer;
  port_t *near, *far;
  worker_t* worker;
  uvx_mailbox_t* box;
  uvx_worker_options_t options = {.size = sizeof options, .stack_size = 256 << 10};
  CHECK_EQ(uv_loop_init(&own), 0);
  CHECK_EQ(uv_timer_init(&own, &timer), 0);
  CHECK_EQ(uvx_loop_mailbox(&own, &box), 0);
  uvx_mailbox_release(box);
  CHECK_EQ(uvx_message_channel_create(&near, &far, NULL), 0);
  CHECK_EQ(uvx_message_port_attach(&own, near, no_message, NULL), 0);
  CHECK_EQ(port_post(far, 1), 0);
  CHECK_EQ(uvx_worker_start(&own, &worker, do_nothing, &options, NULL), 0);
  pool_t* pool = make_pool("short", 1);
  end_pool(pool);
  CHECK_EQ(uvx_message_port_detach(near), 0);
  port_close(near);
  port_close(far);
  uv_close((uv_handle_t*) &timer, NULL);
  CHECK_EQ(uv_run(&own, UV_RUN_DEFAULT), 0);
  check_close_loop(&own);
  memset(&own, 0xff, sizeof own);
}

/* 1.5.24: wherever the port's thread gets stuck with its answer. */
TEST(nobody_waits_for_the_answer) {
  enum { LOOPS = 24 };
  uv_loop_t loops[LOOPS];
  CHECK_EQ(uv_replace_allocator(malloc, trapping_realloc, calloc, free), 0);
  start();
  for (int i = 0; i < LOOPS; i++) CHECK_EQ(uv_loop_init(&loops[i]), 0);
  pool_t* pool = make_pool("long", 1);
  for (int allocation = 1; allocation <= 5; allocation++) {
    memset(&trap, 0, sizeof trap);
    trap.at = allocation;
    add(&trap.armed, 1);
    int fd = connect_to(path);
    CHECK(fd != -1);
    wait_until(&trap.stuck, 1);
    come_and_go();
    add(&trap.go_on, 1);
    CHECK(json_is_whole(read_answer(fd)));
    CHECK_EQ(loops_in(answer), LOOPS);
  }
  for (int i = 0; i < LOOPS; i++) check_close_loop(&loops[i]);
  end_pool(pool);
  stop();
}

static int over;

static void* keep_coming_and_going(void* arg) {
  (void) arg;
  while (!get(&over)) come_and_go();
  return NULL;
}

TEST(asking_races_pools_and_workers) {
  pthread_t threads[2];
  allocs_install();
  start();
  for (int i = 0; i < 2; i++) threads[i] = port_thread(keep_coming_and_going, NULL);
  for (int i = 0; i < 200; i++) ask();
  add(&over, 1);
  for (int i = 0; i < 2; i++) port_join(threads[i]);
  CHECK_EQ(count_of("pools"), 0);
  CHECK_EQ(count_of("workers"), 0);
  stop();
  CHECK_EQ(allocs_live(), 0);
}

TEST(the_child_of_a_fork_shows_its_own_alone) {
  NOT_UNDER_TSAN("its runtime does not start threads in the child of a program with threads");
  start();
  pool_t* pool = make_pool("parent", 1);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    strcat(path, "2");
    CHECK_EQ(start_at(path), 0);
    CHECK_EQ(count_of("pools"), 0);
    pool_t* own = make_pool("child", 1);
    check_text(ask_for("pools"), "name", "child");
    CHECK_EQ(count_of("pools"), 1);
    end_pool(own);
    uvx_debug_stop();
    _exit(0);
  }
  check_child(child);
  CHECK_EQ(count_of("pools"), 1);
  end_pool(pool);
  stop();
}

/* The command for people, if it was built. */
TEST(uvx_inspect_shows_pools_and_workers) {
  char command[600], line[400];
  const char* inspect = getenv("UVX_INSPECT");
  if (inspect == NULL) SKIP("UVX_INSPECT does not say where uvx-inspect is");
  worker_t* worker;
  uv_timer_t timer;
  uvx_worker_options_t options = {.size = sizeof options, .name = "indexer", .data = &timer};
  int found = 0;
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  pool_t* pool = make_pool("decode", 3);
  CHECK_EQ(uvx_worker_start(&loop, &worker, start_holding, &options, NULL), 0);
  wait_until(&held, 1);
  snprintf(command, sizeof command, "%s -1 %s", inspect, path);
  FILE* shown = popen(command, "r");
  CHECK(shown != NULL);
  while (fgets(line, sizeof line, shown) != NULL) {
    if (strncmp(line, "pool ", 5) == 0 && strstr(line, "(decode)  3 of 3 threads, 0 running, 0 waiting") != NULL) found |= 1;
    if (strncmp(line, "worker ", 7) == 0 && strstr(line, "(indexer)  online") != NULL) found |= 2;
    if (strncmp(line, "loop ", 5) == 0 && strstr(line, "(indexer)") != NULL && strstr(line, "  worker ") != NULL) found |= 4;
    if (strstr(line, "  calls        none\n") != NULL) found |= 8;
  }
  CHECK_EQ(pclose(shown), 0);
  CHECK_EQ(found, 15);
  add(&let_go, 1);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  end_pool(pool);
  check_close_loop(&loop);
  stop();
}
