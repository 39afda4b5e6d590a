/* Tracing: files, their rotation, what goes wrong with them. */
#include "trace_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct {
  int count, error;
  char file[512];
} errors;

static void on_error(void* data, int error, const char* file) {
  CHECK(data == &errors);
  errors.error = error;
  snprintf(errors.file, sizeof errors.file, "%s", file != NULL ? file : "(none)");
  errors.count++;
}

TEST(without_events_there_is_no_file) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.1", NULL);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  CHECK(!trace_exists("t.1"));
}

TEST(a_flush_leaves_a_whole_file) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.1", NULL);
  for (int round = 1; round <= 5; round++) {
    trace_mark_many(round == 3 ? 3000 : 1, "x");
    CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
    trace_t trace = trace_load("t.1");
    CHECK_EQ(trace.count, round < 3 ? round : 2999 + round);
    CHECK_EQ(trace.names, 2); /* of the process and of the thread, once */
    trace_free(&trace);
  }
  struct stat about;
  umask(0);
  CHECK_EQ(stat(trace_path("t.1"), &about), 0);
  CHECK_EQ(about.st_mode & 0777 & ~0022, 0644);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(what_is_traced_is_written_in_time) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.flush_interval_ns = 1000000};
  uvx_trace_agent_t* agent = trace_start("t.1", &options);
  for (uint64_t round = 1; round <= 3; round++) {
    trace_mark_many(1, "x");
    while (trace_stats(agent).written < round) uv_sleep(1);
  }
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(disabling_writes_what_was_traced) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.1", NULL);
  trace_mark_many(1, "x");
  CHECK_EQ(uvx_trace_disable(agent, NULL, "test"), 0);
  while (trace_stats(agent).written < 1) uv_sleep(1);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(files_have_so_many_events_and_no_more) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.events_per_file = 10, .flush_interval_ns = UVX_FOREVER};
  uvx_trace_agent_t* agent = trace_start("t.${pid}.${rotation}.${x}", &options);
  char name[64];
  trace_mark_many(30, "x");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  snprintf(name, sizeof name, "t.%d.4.${x}", getpid());
  CHECK(!trace_exists(name)); /* full, but nothing to put into the next */
  trace_mark_many(5, "x");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_stats(agent).files, 4);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  for (int i = 1; i <= 4; i++) {
    snprintf(name, sizeof name, "t.%d.%d.${x}", getpid(), i);
    trace_t trace = trace_load(name);
    CHECK_EQ(trace.count, i < 4 ? 10 : 5);
    CHECK_EQ(trace.names, 2);
    trace_free(&trace);
  }
}

/* The C library's, for the library under test: counts. */
static int synced;

int fdatasync(int file) {
  __atomic_add_fetch(&synced, 1, __ATOMIC_SEQ_CST);
  return (int) syscall(SYS_fdatasync, file);
}

TEST(a_flush_waits_until_all_its_files_are_on_the_disk) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.flags = UVX_TRACE_FSYNC, .flush_interval_ns = UVX_FOREVER, .events_per_file = 2};
  uvx_trace_agent_t* agent = trace_start("t.${rotation}", &options);
  trace_mark_many(5, "x");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_stats(agent).files, 3);
  CHECK_EQ(synced, 3);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0); /* nothing is new */
  CHECK_EQ(synced, 3);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(files_have_so_many_bytes_and_no_more) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.bytes_per_file = 2000, .flush_interval_ns = UVX_FOREVER};
  uvx_trace_agent_t* agent = trace_start("t.${rotation}", &options);
  char name[64], *large = calloc(1, 3000);
  struct stat about;
  size_t events = 0;
  trace_mark_many(100, "x");
  memset(large, 'x', 2999);
  trace_mark_many(1, large);
  trace_mark_many(1, "x");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  unsigned files = trace_stats(agent).files;
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  CHECK(files > 5);
  for (unsigned i = 1; i <= files; i++) {
    snprintf(name, sizeof name, "t.%u", i);
    trace_t trace = trace_load(name);
    events += trace.count;
    CHECK(trace.count > 0);
    CHECK_EQ(stat(trace_path(name), &about), 0);
    CHECK(about.st_size <= 2000 || trace.count == 1);
    trace_free(&trace);
  }
  CHECK_EQ(events, 102);
  free(large);
}

TEST(a_missing_folder_is_an_error_until_it_is_there) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.flush_interval_ns = UVX_FOREVER, .on_error = on_error, .data = &errors};
  uvx_trace_agent_t* agent = trace_start("none/t.${rotation}", &options);
  char folder[512];
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0); /* there is nothing to write */
  trace_mark_many(3, "lost");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), UV_ENOENT);
  CHECK_EQ(errors.count, 1);
  CHECK_EQ(errors.error, UV_ENOENT);
  CHECK_STR(errors.file, trace_path("none/t.1"));
  CHECK_EQ(trace_stats(agent).lost, 3);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0); /* it was told */
  snprintf(folder, sizeof folder, "%s", trace_path("none"));
  CHECK_EQ(mkdir(folder, 0700), 0);
  trace_mark_many(2, "kept");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("none/t.1");
  CHECK_EQ(trace.count, 2);
  trace_free(&trace);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  CHECK_EQ(remove(trace_path("none/t.1")), 0);
}

TEST(an_error_tells_the_file_that_it_is_about) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {
      .flush_interval_ns = UVX_FOREVER, .events_per_file = 2, .on_error = on_error, .data = &errors};
  uvx_trace_agent_t* agent = trace_start("t.${rotation}", &options);
  CHECK_EQ(mkdir(trace_path("t.2"), 0700), 0);
  trace_mark_many(3, "x");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), UV_EISDIR);
  CHECK_STR(errors.file, trace_path("t.2"));
  CHECK_EQ(symlink("/dev/full", trace_path("t.3")), 0);
  CHECK_EQ(rmdir(trace_path("t.2")), 0);
  trace_mark_many(3, "y");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), UV_ENOSPC);
  CHECK_STR(errors.file, trace_path("t.3"));
  CHECK_EQ(errors.count, 2);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.2");
  CHECK_EQ(trace.count, 2);
  trace_free(&trace);
}

TEST(stopping_tells_of_what_was_lost) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("none/t.1", NULL);
  trace_mark_many(3, "lost");
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 1);
}

TEST(a_full_device_is_an_error_each_time) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {
      .file = "/dev/full", .flush_interval_ns = UVX_FOREVER, .on_error = on_error, .data = &errors};
  uvx_trace_agent_t* agent = trace_start(NULL, &options);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0); /* the agent's thread is about to sleep, and looks at nothing unasked */
  for (int round = 1; round <= 3; round++) {
    trace_mark_many(2, "lost");
    CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), UV_ENOSPC);
    CHECK_EQ(errors.count, round);
    CHECK_STR(errors.file, "/dev/full");
    CHECK_EQ(trace_stats(agent).lost, 2 * round);
  }
  CHECK_EQ(trace_stats(agent).written, 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(what_was_written_survives_a_full_disk) {
  OURS_ONLY("tracing");
  struct rlimit limit = {10000, RLIM_INFINITY};
  uvx_trace_options_t options = {.flush_interval_ns = UVX_FOREVER, .on_error = on_error, .data = &errors};
  uvx_trace_agent_t* agent = trace_start("t.1", &options);
  trace_mark_many(20, "kept");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0); /* no signal: the agent's thread takes none */
  trace_mark_many(200, "lost");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), UV_EFBIG);
  trace_t trace = trace_load("t.1");
  CHECK_EQ(trace.count, 20);
  trace_free(&trace);
  trace_mark_many(1, "fits");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_stats(agent).written, 21);
  CHECK_EQ(trace_stats(agent).lost, 200);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace = trace_load("t.1");
  CHECK_EQ(trace.count, 21);
  trace_free(&trace);
}

TEST(a_first_write_that_fails_leaves_room_for_another) {
  OURS_ONLY("tracing");
  struct rlimit limit = {1000, RLIM_INFINITY};
  uvx_trace_agent_t* agent = trace_start("t.${rotation}", NULL);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0); /* from here on it writes when it is asked to */
  CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  trace_mark_many(100, "lost");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), UV_EFBIG);
  trace_mark_many(1, "fits");
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.1");
  CHECK_EQ(trace.count, 1);
  CHECK_EQ(trace.names, 2);
  trace_free(&trace);
}

TEST(a_pipe_gets_one_text) {
  OURS_ONLY("tracing");
  char path[512], *text = NULL;
  size_t length = 0;
  ssize_t count;
  snprintf(path, sizeof path, "%s", trace_path("pipe"));
  CHECK_EQ(mkfifo(path, 0600), 0);
  uvx_trace_options_t options = {.file = path, .flush_interval_ns = UVX_FOREVER};
  uvx_trace_agent_t* agent = trace_start(NULL, &options);
  trace_mark_many(1, "lost");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), UV_ENXIO); /* nobody reads it */
  int reader = open(path, O_RDONLY | O_NONBLOCK);
  CHECK(reader >= 0);
  trace_mark_many(10, "x");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  trace_mark_many(10, "y");
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  do {
    text = realloc(text, length + 4097);
    count = read(reader, text + length, 4096);
    CHECK(count >= 0);
    length += count;
    text[length] = 0;
  } while (count > 0);
  close(reader);
  trace_t trace = trace_parse(text);
  CHECK_EQ(trace.count, 20);
  trace_free(&trace);
}

TEST(a_reader_that_goes_away_is_an_error) {
  OURS_ONLY("tracing");
  char path[512];
  snprintf(path, sizeof path, "%s", trace_path("pipe"));
  CHECK_EQ(mkfifo(path, 0600), 0);
  int reader = open(path, O_RDONLY | O_NONBLOCK);
  uvx_trace_options_t options = {.file = path, .flush_interval_ns = UVX_FOREVER};
  uvx_trace_agent_t* agent = trace_start(NULL, &options);
  trace_mark_many(1, "x");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  close(reader);
  trace_mark_many(1, "x");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), UV_EPIPE); /* and no signal */
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(a_writer_of_the_programs_own) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.write_cb = trace_take,
                                 .on_error = on_error,
                                 .data = &errors,
                                 .events_per_file = 15,
                                 .flush_interval_ns = UVX_FOREVER};
  uvx_trace_agent_t* agent = trace_start(NULL, &options);
  trace_mark_many(10, "x");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  trace_mark_many(4, "y");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_sink.begun, 1);
  CHECK_EQ(trace_sink.ended, 0);
  trace_mark_many(1, "y");
  trace_mark_many(1, "next file");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_sink.begun, 2);
  CHECK_EQ(trace_sink.ended, 1);
  trace_sink.error = UV_EIO;
  trace_mark_many(1, "lost");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), UV_EIO);
  CHECK_EQ(errors.error, UV_EIO);
  CHECK_STR(errors.file, "(none)");
  trace_sink.error = 0;
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  char* end = strstr(trace_sink.text, "]}\n");
  CHECK(end != NULL);
  end[3] = 0;
  trace_t trace = trace_parse(trace_sink.text);
  CHECK_EQ(trace.count, 15);
  trace_free(&trace);
}

TEST(every_byte_is_counted) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.write_cb = trace_take, .flush_interval_ns = UVX_FOREVER, .events_per_file = 1};
  uvx_trace_agent_t* agent = trace_start(NULL, &options);
  trace_mark_many(3, "x");
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_sink.begun, 3);
  CHECK_EQ(trace_sink.ended, 2);
  CHECK_EQ(trace_stats(agent).bytes, trace_sink.length);
  CHECK_EQ(trace_stats(agent).written, 3);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(waiting_has_an_end) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.write_cb = trace_take, .flush_interval_ns = UVX_FOREVER};
  uvx_trace_agent_t* agent = trace_start(NULL, &options);
  trace_hold();
  trace_mark_many(1, "x");
  CHECK_EQ(uvx_trace_flush(agent, 0), UV_ETIMEDOUT);
  uv_sem_wait(&trace_sink.entered);
  CHECK_EQ(uvx_trace_flush(agent, 1000000), UV_ETIMEDOUT);
  CHECK_EQ(uvx_trace_agent_stop(agent, 1000000), UV_ETIMEDOUT);
  trace_mark_many(1, "too late"); /* all is off */
  CHECK_EQ(uvx_trace_enable(agent, NULL, "test"), UV_ESHUTDOWN);
  uvx_trace_agent_t* other;
  CHECK_EQ(uvx_trace_agent_start(&other, NULL), UV_EBUSY);
  trace_let_go();
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_parse(trace_sink.text);
  CHECK_EQ(trace.count, 1);
  trace_free(&trace);
}

TEST(a_category_that_is_new_is_off_while_the_agent_ends) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.write_cb = trace_take, .flush_interval_ns = UVX_FOREVER};
  uvx_trace_agent_t* agent = trace_start(NULL, &options);
  CHECK_EQ(uvx_trace_enable(agent, NULL, "*"), 0);
  trace_hold();
  trace_mark_many(1, "x");
  CHECK_EQ(uvx_trace_agent_stop(agent, 0), UV_ETIMEDOUT);
  CHECK(!UVX_TRACE_ON(uvx_trace_category("new")));
  trace_let_go();
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

static uvx_trace_agent_t* own_agent;
static int flushed, stopped, traced;

static int take_and_call(void* data, const char* text, size_t length, unsigned flags) {
  (void) data, (void) text, (void) length, (void) flags;
  flushed = uvx_trace_flush(own_agent, UVX_FOREVER);
  stopped = uvx_trace_agent_stop(own_agent, UVX_FOREVER);
  traced = trace_mark(uvx_trace_category("test"), "from inside");
  return 0;
}

TEST(the_agents_thread_does_not_wait_for_itself) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.write_cb = take_and_call, .flush_interval_ns = UVX_FOREVER};
  own_agent = trace_start(NULL, &options);
  trace_mark_many(1, "x");
  CHECK_EQ(uvx_trace_flush(own_agent, UVX_FOREVER), 0);
  CHECK_EQ(flushed, UV_EINVAL);
  CHECK_EQ(stopped, UV_EINVAL);
  CHECK_EQ(traced, UV_EAGAIN);
  CHECK_EQ(trace_stats(own_agent).dropped, 1);
  CHECK_EQ(uvx_trace_agent_stop(own_agent, UVX_FOREVER), 0);
}
