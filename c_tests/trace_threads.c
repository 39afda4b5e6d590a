/* Tracing from many threads: nothing is lost or counted wrong, whoever ends, switches or forks meanwhile. */
#include "trace_file.h"

enum { THREADS = 4 };

static const uint8_t* category;

static void mark_many(void* arg) {
  uint64_t count = *(uint64_t*) arg;
  for (uint64_t i = 0; i < count; i++) {
    uvx_trace_arg_t number = {"i", UVX_TRACE_UINT, {.u = i}};
    uvx_trace_event(category, 'i', "x", 0, 1, &number, 0);
  }
}

/* Each thread's events are there, in order and without a gap at the beginning. */
static void check_order(const trace_t* trace, int threads, int complete) {
  struct { int tid; uint64_t next; } seen[64] = {{0, 0}};
  int count = 0;
  for (size_t i = 0; i < trace->count; i++) {
    int tid = atoi(json_get(trace->events[i], "tid")), at = 0;
    uint64_t number = strtoull(json_get(json_get(trace->events[i], "args"), "i"), NULL, 10);
    while (at < count && seen[at].tid != tid) at++;
    if (at == count) {
      CHECK(count < 64);
      seen[count++].tid = tid;
    }
    if (complete) CHECK_EQ(number, seen[at].next);
    else CHECK(number >= seen[at].next);
    seen[at].next = number + 1;
  }
  if (threads > 0) CHECK_EQ(count, threads);
}

TEST(threads_end_while_their_events_are_unread) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.1", NULL);
  uint64_t each = 1000;
  uv_thread_t threads[THREADS];
  category = uvx_trace_category("test");
  for (int i = 0; i < THREADS; i++) CHECK_EQ(uv_thread_create(&threads[i], mark_many, &each), 0);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(uv_thread_join(&threads[i]), 0);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_stats(agent).threads, 0);
  CHECK_EQ(trace_stats(agent).written, THREADS * each);
  CHECK_EQ(trace_stats(agent).dropped, 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.1");
  CHECK_EQ(trace.count, THREADS * each);
  CHECK_EQ(trace.names, 1 + THREADS);
  check_order(&trace, THREADS, 1);
  trace_free(&trace);
}

static void mark_named(void* arg) {
  (void) arg;
  CHECK_EQ(uv_thread_setname("a \"name\""), 0);
  trace_mark(category, "x");
}

TEST(threads_have_their_names) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.1", NULL);
  uv_thread_t thread;
  category = uvx_trace_category("test");
  CHECK_EQ(uv_thread_create(&thread, mark_named, NULL), 0);
  CHECK_EQ(uv_thread_join(&thread), 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  char* text = trace_read(trace_path("t.1"));
  CHECK(strstr(text, "\"ph\":\"M\",\"name\":\"thread_name\",\"args\":{\"name\":\"a \\\"name\\\"\"}") != NULL);
  CHECK(strstr(text, "\"ph\":\"M\",\"name\":\"process_name\"") != NULL);
  free(text);
}

/* With the writer held up, a thread has exactly the room of its two buffers: 128 events of 32 bytes each. */
enum { ROOM = 4096 / 32 };

static uvx_trace_agent_t* hold_up(unsigned overflow) {
  uvx_trace_options_t options = {
      .write_cb = trace_take, .overflow = overflow, .buffer_bytes = 4096, .flush_interval_ns = UVX_FOREVER};
  uvx_trace_agent_t* agent = trace_start(NULL, &options);
  category = uvx_trace_category("test");
  trace_hold();
  CHECK_EQ(trace_mark(category, "first"), 0);
  CHECK_EQ(uvx_trace_flush(agent, 0), UV_ETIMEDOUT);
  uv_sem_wait(&trace_sink.entered); /* the first one was read, and has left its place empty */
  return agent;
}

TEST(new_events_are_dropped_and_counted) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = hold_up(UVX_TRACE_DROP_NEW);
  for (int i = 1; i < 2 * ROOM; i++) CHECK_EQ(trace_mark(category, "kept"), 0);
  for (int i = 0; i < 45; i++) CHECK_EQ(trace_mark(category, "dropped"), UV_EAGAIN);
  CHECK_EQ(trace_stats(agent).dropped, 45);
  trace_let_go();
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_mark(category, "again"), 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_parse(trace_sink.text);
  CHECK_EQ(trace_count(&trace, "name", "\"kept\""), 2 * ROOM - 1);
  CHECK_EQ(trace_count(&trace, "name", "\"dropped\""), 0);
  CHECK_EQ(trace.count, 2 * ROOM + 1);
  trace_free(&trace);
}

/* The same with the buffers that there are unless the program wants others: two of 65,536 events. */
TEST(the_usual_buffers_have_room_for_131072_events) {
  OURS_ONLY("tracing");
  enum { USUAL = 65536 };
  uvx_trace_options_t options = {.write_cb = trace_take, .flush_interval_ns = UVX_FOREVER};
  uvx_trace_agent_t* agent = trace_start(NULL, &options);
  category = uvx_trace_category("test");
  trace_hold();
  CHECK_EQ(trace_mark(category, "first"), 0);
  CHECK_EQ(uvx_trace_flush(agent, 0), UV_ETIMEDOUT);
  uv_sem_wait(&trace_sink.entered);
  for (int i = 1; i < 2 * USUAL; i++) CHECK_EQ(trace_mark(category, "kept"), 0);
  for (int i = 0; i < 1000; i++) CHECK_EQ(trace_mark(category, "dropped"), UV_EAGAIN);
  CHECK_EQ(trace_stats(agent).dropped, 1000);
  trace_let_go();
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_stats(agent).written, 2 * USUAL);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(old_events_are_dropped_and_counted) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = hold_up(UVX_TRACE_DROP_OLD);
  for (int i = 1; i < ROOM; i++) CHECK_EQ(trace_mark(category, "dropped"), 0);
  for (int i = 0; i < ROOM; i++) CHECK_EQ(trace_mark(category, "kept"), 0);
  CHECK_EQ(trace_stats(agent).dropped, 0);
  CHECK_EQ(trace_mark(category, "kept"), 0);
  CHECK_EQ(trace_stats(agent).dropped, ROOM - 1); /* of that buffer one had been read */
  for (int i = 1; i < ROOM; i++) CHECK_EQ(trace_mark(category, "kept"), 0);
  trace_let_go();
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_parse(trace_sink.text);
  CHECK_EQ(trace_count(&trace, "name", "\"kept\""), 2 * ROOM);
  CHECK_EQ(trace.count, 2 * ROOM + 1);
  trace_free(&trace);
}

TEST(a_thread_waits_for_room) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = hold_up(UVX_TRACE_BLOCK);
  uint64_t each = 5000;
  uv_thread_t thread;
  CHECK_EQ(uv_thread_create(&thread, mark_many, &each), 0);
  while (trace_stats(agent).blocked == 0) uv_sleep(1);
  trace_let_go();
  CHECK_EQ(uv_thread_join(&thread), 0);
  CHECK_EQ(trace_stats(agent).dropped, 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_parse(trace_sink.text);
  CHECK_EQ(trace.count, each + 1);
  trace_free(&trace);
}

TEST(stopping_frees_a_thread_that_waits) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = hold_up(UVX_TRACE_BLOCK);
  uint64_t each = 5000;
  uv_thread_t thread;
  CHECK_EQ(uv_thread_create(&thread, mark_many, &each), 0);
  while (trace_stats(agent).blocked == 0) uv_sleep(1);
  CHECK_EQ(uvx_trace_agent_stop(agent, 0), UV_ETIMEDOUT);
  CHECK_EQ(uv_thread_join(&thread), 0); /* while the writer is held up */
  CHECK_EQ(trace_stats(agent).dropped, 1);
  trace_let_go();
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

/* What threads trace under pressure is written or counted, and in order. */
static void press(unsigned overflow) {
  uvx_trace_options_t options = {.overflow = overflow, .buffer_bytes = 4096, .flush_interval_ns = 1000000};
  uvx_trace_agent_t* agent = trace_start("t.1", &options);
  uint64_t each = 20000;
  uv_thread_t threads[THREADS];
  category = uvx_trace_category("test");
  for (int i = 0; i < THREADS; i++) CHECK_EQ(uv_thread_create(&threads[i], mark_many, &each), 0);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(uv_thread_join(&threads[i]), 0);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  uvx_trace_stats_t stats = trace_stats(agent);
  CHECK_EQ(stats.written + stats.dropped, THREADS * each);
  CHECK_EQ(stats.threads, 0);
  if (overflow == UVX_TRACE_BLOCK) CHECK_EQ(stats.dropped, 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.1");
  CHECK_EQ(trace.count, stats.written);
  check_order(&trace, 0, overflow == UVX_TRACE_BLOCK);
  trace_free(&trace);
}

TEST(pressure_with_drop_new) {
  OURS_ONLY("tracing");
  press(UVX_TRACE_DROP_NEW);
}

TEST(pressure_with_drop_old) {
  OURS_ONLY("tracing");
  press(UVX_TRACE_DROP_OLD);
}

TEST(pressure_with_block) {
  OURS_ONLY("tracing");
  press(UVX_TRACE_BLOCK);
}

static int over;

static void mark_until_over(void* arg) {
  (void) arg;
  while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
    if (UVX_TRACE_ON(category)) trace_mark(category, "x");
}

TEST(enabling_and_disabling_while_others_trace) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.flush_interval_ns = 1000000, .buffer_bytes = 4096}; /* most is dropped */
  uvx_trace_agent_t* agent = trace_start("t.${rotation}", &options);
  uv_thread_t threads[2];
  category = uvx_trace_category("test");
  for (int i = 0; i < 2; i++) CHECK_EQ(uv_thread_create(&threads[i], mark_until_over, NULL), 0);
  while (trace_stats(agent).written == 0) uv_sleep(1);
  for (int i = 0; i < 200; i++) {
    CHECK_EQ(uvx_trace_disable(agent, NULL, "test"), 0);
    CHECK_EQ(uvx_trace_enable(agent, NULL, i % 2 ? "test" : "x,test,y"), 0);
    if (i % 2 == 0) CHECK_EQ(uvx_trace_disable(agent, NULL, "x,y"), 0);
    if (i % 50 == 0) CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  }
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0); /* while they go on */
  CHECK(!UVX_TRACE_ON(category));
  trace_t trace = trace_load("t.1");
  trace_free(&trace);
  __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < 2; i++) CHECK_EQ(uv_thread_join(&threads[i]), 0);
}

TEST(agents_come_and_go_while_others_trace) {
  OURS_ONLY("tracing");
  uv_thread_t threads[2];
  category = uvx_trace_category("test");
  for (int i = 0; i < 2; i++) CHECK_EQ(uv_thread_create(&threads[i], mark_until_over, NULL), 0);
  for (int i = 0; i < 20; i++) {
    uvx_trace_options_t options = {.overflow = i % 3, .buffer_bytes = 4096u << i % 3};
    uvx_trace_agent_t* agent = trace_start("t.1", &options);
    while (trace_stats(agent).written < 100) CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
    CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
    trace_t trace = trace_load("t.1");
    CHECK(trace.count >= 100);
    trace_free(&trace);
  }
  __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < 2; i++) CHECK_EQ(uv_thread_join(&threads[i]), 0);
}

static uv_sem_t may_go;

static void mark_and_wait(void* arg) {
  (void) arg;
  for (int i = 0; i < 50; i++) CHECK_EQ(trace_mark(category, "x"), 0);
  uv_sem_wait(&may_go);
}

TEST(threads_that_end_after_the_agent_give_their_buffers_back) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.1", NULL);
  uv_thread_t threads[THREADS];
  category = uvx_trace_category("test");
  CHECK_EQ(uv_sem_init(&may_go, 0), 0);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(uv_thread_create(&threads[i], mark_and_wait, NULL), 0);
  while (trace_stats(agent).written < THREADS * 50) CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  for (int i = 0; i < THREADS; i++) uv_sem_post(&may_go);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(uv_thread_join(&threads[i]), 0); /* leaks are the sanitizer's to find */
}

TEST(the_child_after_fork_does_not_write_the_parents_file) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.1", NULL);
  int status;
  category = uvx_trace_category("test");
  CHECK_EQ(trace_mark(category, "before"), 0);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_mark(category, "unread"), 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK(!UVX_TRACE_ON(category));
    CHECK_EQ(trace_mark(category, "child"), 0);
    CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), UV_ESHUTDOWN);
    CHECK_EQ(uvx_trace_enable(agent, NULL, "test"), UV_ESHUTDOWN);
    CHECK_EQ(uvx_trace_disable(agent, NULL, "test"), UV_ESHUTDOWN);
    CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), UV_ESHUTDOWN);
    agent = trace_start("t.2", NULL); /* one of its own */
    CHECK_EQ(trace_mark(category, "child"), 0);
    CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
    trace_t trace = trace_load("t.2");
    CHECK_EQ(trace.count, 1);
    CHECK_EQ(atoi(json_get(trace_event(&trace, "child"), "pid")), getpid());
    _exit(0);
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  CHECK_EQ(trace_mark(category, "after"), 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.1");
  CHECK_EQ(trace.count, 3);
  CHECK_EQ(trace_count(&trace, "name", "\"child\""), 0);
  trace_free(&trace);
}

TEST(fork_while_others_trace) {
  OURS_ONLY("tracing");
  NOT_UNDER_TSAN("its runtime does not survive fork with busy threads");
  uvx_trace_options_t options = {.flush_interval_ns = 100000, .buffer_bytes = 4096};
  uvx_trace_agent_t* agent = trace_start("t.${rotation}", &options);
  uv_thread_t thread;
  category = uvx_trace_category("test");
  CHECK_EQ(uv_thread_create(&thread, mark_until_over, NULL), 0);
  while (trace_stats(agent).written == 0) uv_sleep(1);
  for (int i = 0; i < 20; i++) {
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      CHECK(!UVX_TRACE_ON(uvx_trace_category("test"))); /* whatever the lock was like */
      _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
  }
  __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
  CHECK_EQ(uv_thread_join(&thread), 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.1");
  trace_free(&trace);
}
