/* Tracing without memory: UV_ENOMEM, counted if it is an event, and nothing is lost or left. */
#include "trace_file.h"

#include "allocs.h"

static uvx_trace_agent_t* agent;
static const uint8_t* category;

static int try_start(long n) {
  uvx_trace_options_t options = {.size = sizeof options, .file = trace_path("t.1")};
  allocs_fail_at(n);
  int result = uvx_trace_agent_start(&agent, &options);
  allocs_fail_at(0);
  if (result == 0) CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  return result;
}

TEST(start) {
  OURS_ONLY("tracing");
  allocs_install();
  CHECK(allocs_exhaust(try_start) >= 3);
}

static int try_enable(long n) {
  const uint8_t *a = uvx_trace_category("a"), *b = uvx_trace_category("b");
  allocs_fail_at(n);
  int result = uvx_trace_enable(agent, NULL, "a,b");
  allocs_fail_at(0);
  CHECK_EQ(UVX_TRACE_ON(a), result == 0);
  CHECK_EQ(UVX_TRACE_ON(b), result == 0);
  if (result == 0) CHECK_EQ(uvx_trace_disable(agent, NULL, "a,b"), 0);
  return result;
}

TEST(enable) {
  OURS_ONLY("tracing");
  allocs_install();
  CHECK_EQ(try_start(0), 0);
  agent = trace_start("t.1", NULL);
  uvx_trace_category("a"), uvx_trace_category("b"); /* these stay */
  CHECK_EQ(allocs_exhaust(try_enable), 4);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(a_category_without_memory_is_never_on) {
  OURS_ONLY("tracing");
  allocs_install();
  agent = trace_start("t.1", NULL);
  long live = allocs_live();
  for (long n = 1; n <= 2; n++) {
    allocs_fail_at(n);
    const uint8_t* none = uvx_trace_category("test");
    allocs_fail_at(0);
    CHECK(!UVX_TRACE_ON(none));
    CHECK_EQ(trace_mark(none, "x"), 0);
    CHECK_EQ(allocs_live(), live);
  }
  CHECK(UVX_TRACE_ON(uvx_trace_category("test")));
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

static int event_result;

static void first_event(void* n) {
  allocs_fail_at((long) (intptr_t) n);
  event_result = trace_mark(category, "x");
  allocs_fail_at(0);
}

static int try_event(long n) {
  uv_thread_t thread;
  uint64_t dropped = trace_stats(agent).dropped;
  CHECK_EQ(uv_thread_create(&thread, first_event, (void*) (intptr_t) n), 0);
  CHECK_EQ(uv_thread_join(&thread), 0);
  CHECK_EQ(trace_stats(agent).dropped - dropped, event_result != 0);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0); /* the thread's buffers go */
  return event_result;
}

TEST(the_first_event_of_a_thread) {
  OURS_ONLY("tracing");
  allocs_install();
  agent = trace_start("t.1", NULL);
  category = uvx_trace_category("test");
  CHECK_EQ(allocs_exhaust(try_event), 3);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.1");
  CHECK_EQ(trace.count, 1);
  trace_free(&trace);
}

static int told;

static void on_error(void* data, int error, const char* file) {
  (void) data, (void) file;
  CHECK_EQ(error, UV_ENOMEM);
  told++;
}

TEST(an_event_too_long_for_memory_is_lost_alone) {
  OURS_ONLY("tracing");
  allocs_install();
  uvx_trace_options_t options = {.flush_interval_ns = UVX_FOREVER, .on_error = on_error};
  agent = trace_start("t.1", &options);
  category = uvx_trace_category("test");
  char* large = malloc(200000);
  memset(large, 'x', 199999);
  large[199999] = 0;
  CHECK_EQ(trace_mark(category, "before"), 0);
  CHECK_EQ(trace_mark(category, large), 0);
  CHECK_EQ(trace_mark(category, "after"), 0);
  allocs_fail_at(1);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), UV_ENOMEM);
  allocs_fail_at(0);
  CHECK_EQ(told, 1);
  CHECK_EQ(trace_stats(agent).lost, 1);
  CHECK_EQ(trace_mark(category, large), 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.1");
  CHECK_EQ(trace.count, 3);
  trace_event(&trace, "before");
  trace_event(&trace, "after");
  trace_free(&trace);
  free(large);
}

static void trace_some(void* arg) {
  (void) arg;
  for (int i = 0; i < 10; i++) CHECK_EQ(trace_mark(category, "x"), 0);
}

TEST(nothing_is_left_but_the_categories) {
  OURS_ONLY("tracing");
  allocs_install();
  category = uvx_trace_category("test");
  long live = allocs_live();
  for (int i = 0; i < 3; i++) {
    uv_thread_t thread;
    agent = trace_start("t.1", NULL);
    CHECK_EQ(uv_thread_create(&thread, trace_some, NULL), 0);
    CHECK_EQ(uv_thread_join(&thread), 0);
    CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
    CHECK_EQ(allocs_live(), live);
  }
}

/* An allocator that traces: what is traced while the library has its lists locked is dropped, and counted. */
static void note_memory(void) {
  if (UVX_TRACE_ON(category)) trace_mark(category, "memory");
}

static void* traced_malloc(size_t size) {
  note_memory();
  return malloc(size);
}

static void* traced_realloc(void* at, size_t size) {
  note_memory();
  return realloc(at, size);
}

static void* traced_calloc(size_t count, size_t size) {
  note_memory();
  return calloc(count, size);
}

static void traced_free(void* at) {
  note_memory();
  free(at);
}

static void* enable_more(void* arg) {
  (void) arg;
  CHECK_EQ(uvx_trace_enable(agent, &agent, "more"), 0); /* this thread's first event is one of the allocator */
  trace_mark(category, "x");
  CHECK_EQ(uvx_trace_disable(agent, &agent, NULL), 0);
  return NULL;
}

TEST(an_allocator_may_trace) {
  OURS_ONLY("tracing");
  pthread_t thread;
  uvx_trace_stats_t stats = {.size = sizeof stats};
  category = uvx_trace_category("test");
  CHECK_EQ(uv_replace_allocator(traced_malloc, traced_realloc, traced_calloc, traced_free), 0);
  agent = trace_start("t.1", NULL);
  CHECK(UVX_TRACE_ON(category));
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(pthread_create(&thread, NULL, enable_more, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0); /* the thread's buffers go */
  }
  CHECK_EQ(uvx_trace_stats(agent, &stats), 0);
  CHECK(stats.dropped > 0 && stats.written >= 3);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

/* An allocator that gives the block that was freed last to whoever wants one of that size next. */
static struct {
  void* block;
  size_t size;
  uv_mutex_t lock;
} recycled;

static void* recycling_malloc(size_t size) {
  void* block = NULL;
  if (allocs_refuse()) return NULL;
  uv_mutex_lock(&recycled.lock);
  if (recycled.block != NULL && recycled.size == size) {
    block = recycled.block;
    recycled.block = NULL;
  }
  uv_mutex_unlock(&recycled.lock);
  if (block != NULL) return block;
  size_t* place = malloc(16 + size);
  CHECK(place != NULL);
  *place = size;
  return (char*) place + 16;
}

static void* recycling_calloc(size_t count, size_t size) {
  void* block = recycling_malloc(count * size);
  return block == NULL ? NULL : memset(block, 0, count * size);
}

static void recycling_free(void* block) {
  if (block == NULL) return;
  uv_mutex_lock(&recycled.lock);
  if (recycled.block != NULL) free((char*) recycled.block - 16);
  recycled.block = block;
  recycled.size = *(size_t*) ((char*) block - 16);
  uv_mutex_unlock(&recycled.lock);
}

static void* recycling_realloc(void* block, size_t size) {
  void* grown = recycling_malloc(size);
  if (grown == NULL || block == NULL) return grown;
  size_t before = *(size_t*) ((char*) block - 16);
  memcpy(grown, block, before < size ? before : size);
  recycling_free(block);
  return grown;
}

static uv_sem_t turn, other_turn;

/* A thread that has traced for one agent, and has no memory to do so for the next. */
static void without_memory_for_the_next(void* arg) {
  (void) arg;
  CHECK_EQ(trace_mark(category, "x"), 0);
  uv_sem_post(&other_turn);
  uv_sem_wait(&turn);
  allocs_fail_at(1);
  CHECK_EQ(trace_mark(category, "x"), UV_ENOMEM);
  allocs_fail_at(0);
  uv_sem_post(&other_turn);
  uv_sem_wait(&turn);
}

TEST(a_thread_without_memory_takes_nothing_with_it_that_is_anothers) {
  OURS_ONLY("tracing");
  CHECK_EQ(uv_mutex_init(&recycled.lock), 0);
  CHECK_EQ(uv_replace_allocator(recycling_malloc, recycling_realloc, recycling_calloc, recycling_free), 0);
  uv_thread_t thread;
  CHECK_EQ(uv_sem_init(&turn, 0), 0);
  CHECK_EQ(uv_sem_init(&other_turn, 0), 0);
  category = uvx_trace_category("test");
  agent = trace_start("t.1", NULL);
  CHECK_EQ(uv_thread_create(&thread, without_memory_for_the_next, NULL), 0);
  uv_sem_wait(&other_turn);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  agent = trace_start("t.2", NULL);
  uv_sem_post(&turn);
  uv_sem_wait(&other_turn);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0); /* the thread's buffers for the first agent go */
  CHECK_EQ(trace_mark(category, "mine"), 0);         /* and theirs is where mine are now */
  CHECK_EQ(trace_stats(agent).threads, 1);
  uv_sem_post(&turn);
  CHECK_EQ(uv_thread_join(&thread), 0);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_stats(agent).threads, 1);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}
