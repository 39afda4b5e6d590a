/* Memory exhaustion in starting children: there is none, or it is seen to end without the memory to watch it. */
#include "oom.h"

static uv_process_t child, second;
static uv_pipe_t out, second_out;
static uv_process_options_t options;
static uv_stdio_container_t containers[20];
static int exits;

static void on_exit_seen(uv_process_t* handle, int64_t status, int signum) {
  CHECK_EQ(status, 3);
  CHECK_EQ(signum, 0);
  CHECK(!uv_is_active((uv_handle_t*) handle));
  exits++;
}

/* A child that gets many descriptors, and writes to a pipe. */
static void prepare(uv_pipe_t* pipe) {
  static char* args[] = {"sh", "-c", "echo out; exit 3", NULL};
  memset(&options, 0, sizeof(options));
  memset(containers, 0, sizeof(containers));
  options.file = "/bin/sh";
  options.args = args;
  options.exit_cb = on_exit_seen;
  options.stdio = containers;
  options.stdio_count = sizeof(containers) / sizeof(containers[0]);
  containers[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
  containers[1].data.stream = (uv_stream_t*) pipe;
  containers[19].flags = UV_INHERIT_FD;
  containers[19].data.fd = early_file;
  CHECK_EQ(uv_pipe_init(&loop, pipe, 0), 0);
}

static void read_and_wait(uv_pipe_t* pipe) {
  CHECK_EQ(uv_read_start((uv_stream_t*) pipe, on_alloc, on_read), 0);
  RUN_UNTIL(exits == 1 && last_status == UV_EOF);
  CHECK_EQ(total, 4);
}

static int spawn(long n) {
  int status;
  exits = 0;
  prepare(&out);
  CALL(n, uv_spawn(&loop, &child, &options));
  CHECK_EQ(uv_is_active(HANDLE(child)), works);
  if (works) {
    CHECK(uv_process_get_pid(&child) > 0);
    read_and_wait(&out);
  } else {
    CHECK_EQ(uv_process_get_pid(&child), 0);
    if (again) {
      uv_close(HANDLE(child), NULL);
      prepare(&second_out);
      CHECK_EQ(uv_spawn(&loop, &second, &options), 0);
      read_and_wait(&second_out);
    }
  }
  CHECK_EQ(exits, works || again);
  CHECK_EQ(waitpid(-1, &status, WNOHANG), -1);
  CHECK_EQ(errno, ECHILD);
  return refused_or(result);
}

TEST(without_memory_there_is_no_child) {
  OURS_ONLY("the reference loses its table of files when it cannot grow");
  NOT_UNDER_TSAN("its runtime takes every clone(2) for a fork");
  CHECK_EQ(exhaust(spawn), 4); /* the descriptors, what watches it, its memory up to exec, the loop's table */
}

/* All at once: of those started before the memory was gone every end is seen. */
TEST(children_end_without_memory) {
  enum { MANY = 10 };
  static uv_process_t children[MANY];
  uv_process_options_t plain = {.file = "/bin/sh", .exit_cb = on_exit_seen};
  char* args[] = {"sh", "-c", "exit 3", NULL};
  NOT_UNDER_TSAN("its runtime takes every clone(2) for a fork");
  allocs_install();
  plain.args = args;
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < MANY; i++) CHECK_EQ(uv_spawn(&loop, &children[i], &plain), 0);
  set_always(1);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, MANY);
  check_close_loop(&loop);
  set_always(0);
  CHECK_EQ(allocs_live(), 0);
}
