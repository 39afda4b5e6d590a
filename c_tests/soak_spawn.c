/* Thousands of children: that end by themselves, write something, are killed, left alone, or never start. Each end is reported
 * exactly once, with the right status; all output arrives; no zombie, descriptor or memory is left. */
#include "soak.h"

enum { AT_ONCE = 16 };

enum way { ENDS, WRITES, IS_KILLED, IS_LEFT, IS_MISSING, WAYS };

struct child {
  uv_process_t process;
  uv_pipe_t pipe; /* its standard output, or else its standard input */
  enum way way;
  int code, exits, ends, open;
  size_t bytes;
};

static long wanted, started, finished, ways[WAYS];
static char room[4];

static void start_child(void);

static void on_close(uv_handle_t* handle) {
  struct child* child = handle->data;
  if (--child->open > 0) return;
  CHECK_EQ(child->exits, child->way != IS_LEFT && child->way != IS_MISSING);
  CHECK_EQ(child->ends, child->exits);
  CHECK_EQ(child->bytes, child->way == WRITES ? 6 : 0);
  finished++;
  free(child);
  start_child();
}

static void finish(struct child* child) {
  child->open = 2;
  uv_close((uv_handle_t*) &child->pipe, on_close);
  uv_close((uv_handle_t*) &child->process, on_close);
}

static void finish_if_done(struct child* child) {
  if (child->exits == 1 && child->ends == 1) finish(child);
}

static void on_exit_seen(uv_process_t* process, int64_t status, int signum) {
  struct child* child = process->data;
  CHECK_EQ(++child->exits, 1);
  CHECK_EQ(signum, child->way == IS_KILLED ? SIGKILL : 0);
  CHECK_EQ(status, child->code);
  finish_if_done(child);
}

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buf) {
  (void) handle;
  (void) suggested;
  *buf = uv_buf_init(room, 1 + soak_random(sizeof(room)));
}

static void on_read(uv_stream_t* stream, ssize_t nread, const uv_buf_t* buf) {
  struct child* child = stream->data;
  (void) buf;
  if (nread >= 0) {
    child->bytes += (size_t) nread;
    return;
  }
  CHECK_EQ(nread, UV_EOF);
  CHECK_EQ(++child->ends, 1);
  finish_if_done(child);
}

static void start_child(void) {
  char script[64], *of_shell[] = {"sh", "-c", script, NULL}, *of_cat[] = {"cat", NULL}, *of_true[] = {"true", NULL};
  uv_stdio_container_t stdio[2] = {{.flags = UV_IGNORE}, {.flags = UV_IGNORE}};
  uv_process_options_t options = {.stdio = stdio, .stdio_count = 2, .exit_cb = on_exit_seen};
  struct child* child;
  int result;
  if (started == wanted) return;
  started++;
  child = calloc(1, sizeof(*child));
  CHECK(child != NULL);
  child->way = soak_random(WAYS);
  child->process.data = child->pipe.data = child;
  ways[child->way]++;
  if (child->way == WRITES) child->code = (int) soak_random(256);
  snprintf(script, sizeof(script), "echo hello; exit %d", child->code);
  options.args = child->way == WRITES ? of_shell : child->way == ENDS ? of_true : of_cat;
  options.file = child->way == IS_MISSING ? "no-such-program" : options.args[0];
  CHECK_EQ(uv_pipe_init(&loop, &child->pipe, 0), 0);
  stdio[child->way == WRITES].flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE;
  stdio[child->way == WRITES].data.stream = (uv_stream_t*) &child->pipe;
  result = uv_spawn(&loop, &child->process, &options);
  CHECK_EQ(result, child->way == IS_MISSING ? UV_ENOENT : 0);
  if (child->way == IS_MISSING || child->way == IS_LEFT) { /* what is left reads to its end, and ends */
    finish(child);
    return;
  }
  CHECK_EQ(uv_read_start((uv_stream_t*) &child->pipe, on_alloc, on_read), 0);
  if (child->way == IS_KILLED) CHECK_EQ(uv_process_kill(&child->process, SIGKILL), 0);
}

TEST(thousands_of_children) {
  NOT_UNDER_TSAN("its runtime takes every clone(2) for a fork");
  wanted = soak_begin(5000, 300);
  setenv("PATH", "/usr/bin:/bin", 1);
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < AT_ONCE; i++) start_child();
  soak_end();
  CHECK_EQ(finished, wanted);
  for (long left = ways[IS_LEFT]; left > 0; left--) CHECK(waitpid(-1, NULL, 0) > 0); /* the program's own business */
  CHECK_EQ(waitpid(-1, NULL, 0), -1);
  CHECK_EQ(errno, ECHILD);
  fprintf(stderr, "%ld children: %ld ended, %ld wrote, %ld killed, %ld left, %ld missing\n", finished, ways[ENDS], ways[WRITES],
          ways[IS_KILLED], ways[IS_LEFT], ways[IS_MISSING]);
}
