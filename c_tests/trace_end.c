/* Tracing when the process ends: by a signal, by abort, with nowhere to write to; what is left of its files. */
#include "trace_file.h"

#include <sys/resource.h>

/* A process that ends by a signal, in the midst of tracing: what was flushed is there and valid. */
static void end_by(int signum) {
  int ends[2], status;
  char byte;
  struct rlimit no_core = {0, 0};
  trace_path("t.1"); /* the folder is the parent's */
  CHECK_EQ(pipe(ends), 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    setrlimit(RLIMIT_CORE, &no_core);
    uvx_trace_agent_t* agent = trace_start("t.1", NULL);
    trace_mark_many(100, "before");
    CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    if (signum == SIGABRT) abort();
    for (;;) trace_mark_many(1, "after"), uv_sleep(1);
  }
  CHECK_EQ(read(ends[0], &byte, 1), 1);
  if (signum != SIGABRT) CHECK_EQ(kill(child, signum), 0);
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFSIGNALED(status));
  CHECK_EQ(WTERMSIG(status), signum);
  trace_t trace = trace_load("t.1");
  CHECK(trace_count(&trace, "name", "\"before\"") == 100);
  trace_free(&trace);
}

TEST(sigterm_leaves_a_valid_file) {
  OURS_ONLY("tracing");
  end_by(SIGTERM);
}

static void mark_for_ever(void* arg) {
  const uint8_t* category = uvx_trace_category("test");
  (void) arg;
  for (;;) trace_mark(category, "x"); /* dropped, if the agent is late */
}

/* A process that ends in the midst of a write may leave a last line that is cut, and no end; all before it is whole. */
static trace_t load_without_a_cut_line(const char* name) {
  char* text = trace_read(trace_path(name));
  CHECK(text != NULL);
  size_t length = strlen(text);
  if (length < 4 || strcmp(text + length - 4, "\n]}\n") != 0) {
    text = realloc(text, length + 4);
    char* line = strrchr(text, '\n');
    CHECK(line != NULL);
    strcpy(line[-1] == ',' ? line - 1 : line, "]}\n");
  }
  return trace_parse(text);
}

/* The same while threads trace as fast as they can, and the agent writes without a pause. */
TEST(sigterm_at_any_moment_leaves_all_but_a_last_line) {
  OURS_ONLY("tracing");
  trace_path("t.1"); /* the folder is the parent's */
  for (int round = 0; round < 5; round++) {
    int ends[2], status;
    char byte;
    CHECK_EQ(pipe(ends), 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      uv_thread_t threads[2];
      uvx_trace_options_t options = {.flush_interval_ns = 100000};
      uvx_trace_agent_t* agent = trace_start("t.1", &options);
      trace_mark_many(100, "before");
      CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
      for (int i = 0; i < 2; i++) CHECK_EQ(uv_thread_create(&threads[i], mark_for_ever, NULL), 0);
      while (trace_stats(agent).written < 1000) uv_sleep(1);
      CHECK_EQ(write(ends[1], "x", 1), 1);
      for (;;) pause();
    }
    CHECK_EQ(read(ends[0], &byte, 1), 1);
    usleep((unsigned) (getpid() * 7 + round * 370) % 2000);
    CHECK_EQ(kill(child, SIGTERM), 0);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGTERM);
    trace_t trace = load_without_a_cut_line("t.1");
    CHECK_EQ(trace_count(&trace, "name", "\"before\""), 100);
    CHECK(trace.count >= 1000);
    trace_free(&trace);
    close(ends[0]);
    close(ends[1]);
  }
}

/* The original's process never ends, or is aborted. */
static void end_with_nowhere_to_write(const char* file, uint64_t interval_ns) {
  int status;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    uvx_trace_options_t options = {.file = file, .flush_interval_ns = interval_ns};
    trace_start(NULL, &options);
    trace_mark_many(1000, "x");
    exit(7);
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 7);
}

TEST(a_process_ends_although_nothing_can_be_written) {
  OURS_ONLY("tracing");
  for (int i = 0; i < 4; i++) {
    end_with_nowhere_to_write("/dev/full", i % 2 ? 10000 : UVX_FOREVER);
    end_with_nowhere_to_write("/nowhere/t.1", i % 2 ? 10000 : UVX_FOREVER);
  }
}

TEST(abort_leaves_a_valid_file) {
  OURS_ONLY("tracing");
  NOT_UNDER_ASAN("its runtime sees to signals itself");
  NOT_UNDER_TSAN("its runtime sees to signals itself");
  end_by(SIGABRT);
}
