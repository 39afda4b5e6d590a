/* Children, one after the other: started, waited for, closed. The percentiles are those of uv_spawn() alone.
 *
 *   spawn [MB]          the parent has touched MB (0) megabytes of memory
 *   spawn MB pipes      with a pipe for each of the three standard streams */
#include "bench.h"

static uv_loop_t loop;
static bench_run_t run;
static bench_samples_t samples;
static uv_process_t process;
static uv_pipe_t pipes[3];
static int with_pipes, open_handles;
static uint64_t done;

static void start(void);

static void on_closed(uv_handle_t *handle) {
  (void)handle;
  if (--open_handles > 0) return;
  done++;
  if (atomic_load_explicit(&bench_over, memory_order_relaxed))
    bench_end(&run);
  else
    start();
}

static void on_exit_seen(uv_process_t *handle, int64_t status, int signum) {
  BENCH_CHECK(status == 0 && signum == 0);
  open_handles = with_pipes ? 4 : 1;
  uv_close((uv_handle_t *)handle, on_closed);
  for (int i = 0; with_pipes && i < 3; i++) uv_close((uv_handle_t *)&pipes[i], on_closed);
}

static void start(void) {
  char *args[] = {"true", NULL};
  uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}, {.flags = UV_IGNORE}, {.flags = UV_IGNORE}};
  uv_process_options_t options = {.file = "/bin/true", .args = args, .exit_cb = on_exit_seen, .stdio = stdio, .stdio_count = 3};
  uint64_t begin;
  for (int i = 0; with_pipes && i < 3; i++) {
    BENCH_CHECK(uv_pipe_init(&loop, &pipes[i], 0) == 0);
    stdio[i].flags = UV_CREATE_PIPE | (i == 0 ? UV_READABLE_PIPE : UV_WRITABLE_PIPE);
    stdio[i].data.stream = (uv_stream_t *)&pipes[i];
  }
  begin = bench_now_ns();
  BENCH_CHECK(uv_spawn(&loop, &process, &options) == 0);
  bench_sample(&samples, bench_now_ns() - begin);
}

int main(int argc, char **argv) {
  unsigned megabytes = bench_argument(argc, argv, 1, 0);
  char name[64], more[64];
  with_pipes = argc > 2 && strcmp(argv[2], "pipes") == 0;
  if (megabytes > 0) {
    char *memory = malloc((size_t)megabytes << 20);
    BENCH_CHECK(memory != NULL);
    memset(memory, 1, (size_t)megabytes << 20);
  }
  bench_sample(&samples, 0); /* makes the room */
  samples.count = 0;
  BENCH_CHECK(uv_loop_init(&loop) == 0);
  bench_begin_bounded(&run);
  start();
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  bench_percentiles(&samples, more, sizeof more);
  snprintf(name, sizeof name, "spawn_%u%s", megabytes, with_pipes ? "_pipes" : "");
  bench_print(name, &run, done, more);
  return 0;
}
