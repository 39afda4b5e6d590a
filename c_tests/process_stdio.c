/* What child processes get as their files: descriptors of the parent, streams, pipes, nothing else. */
#include "process.h"

TEST(ignored_streams_are_dev_null) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("readlink /proc/$$/fd/0 /proc/$$/fd/2; read x < /dev/stdin && exit 1; exit 0");
  CHECK_STR(output(), "/dev/null\n/dev/null\n");
  CHECK_EQ(last_status, 0);
  check_close_loop(&loop);
}

TEST(descriptors_can_be_swapped) {
  int one = temporary_file(), two = temporary_file(), saved[2] = {dup(1), dup(2)};
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(dup2(one, 1), 1);
  CHECK_EQ(dup2(two, 2), 2);
  prepare("echo out; echo err >&2");
  give(1, 2);
  give(2, 1);
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  dup2(saved[0], 1);
  dup2(saved[1], 2);
  CHECK_STR(content(one), "err\n");
  CHECK_STR(content(two), "out\n");
  check_close_loop(&loop);
}

TEST(descriptors_can_be_rotated_and_multiplied) {
  int files[6];
  char name[2] = "0";
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < 6; i++) {
    files[i] = dup2(temporary_file(), 10 + i);
    *name = (char) ('0' + i);
    CHECK_EQ(write(files[i], name, 1), 1);
  }
  /* 10 to 15 become 11, 12, ..., 15, 10; 4 and 5 both 10. */
  prepare("for i in 4 5 10 11 12 13 14 15; do printf '%s' $i >> /proc/$$/fd/$i; done");
  for (int i = 0; i < 6; i++) give(10 + i, 10 + (i + 5) % 6);
  give(4, 10);
  give(5, 10);
  run();
  CHECK_STR(content(files[0]), "04511");
  CHECK_STR(content(files[1]), "112");
  CHECK_STR(content(files[2]), "213");
  CHECK_STR(content(files[3]), "314");
  CHECK_STR(content(files[4]), "415");
  CHECK_STR(content(files[5]), "510");
  check_close_loop(&loop);
}

TEST(a_descriptor_can_keep_its_number) {
  int fd = temporary_file(); /* closed on exec, unless it is given */
  CHECK_EQ(dup3(fd, 3, O_CLOEXEC), 3);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("echo three >&3");
  give(3, 3);
  run();
  CHECK_STR(content(fd), "three\n");
  CHECK(fcntl(3, F_GETFD) & FD_CLOEXEC);
  check_close_loop(&loop);
}

TEST(standard_streams_of_the_parent_may_be_closed) {
  NEEDS(1, 52);
  int fd = temporary_file(), saved = fcntl(2, F_DUPFD_CLOEXEC, 100);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("echo out; echo err >&2; readlink /proc/$$/fd/0");
  give(1, fd);
  give(2, fd);
  close(0);
  close(1);
  close(2);
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  dup2(saved, 2);
  CHECK_STR(content(fd), "out\nerr\n/dev/null\n");
  check_close_loop(&loop);
}

TEST(standard_streams_of_the_child_wait_for_their_data) {
  int fds[2];
  CHECK_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exec cat");
  give(0, fds[0]);
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK_EQ(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
  close(fds[1]);
  close(fds[0]);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(last_status, 0);
  check_close_loop(&loop);
}

/* Prints the numbers of the shell's descriptors below 64. */
static char list_descriptors[] =
    "i=0; while [ $i -lt 64 ]; do [ -e /proc/$$/fd/$i ] && printf '%s ' $i; i=$((i+1)); done; exit 0";

TEST(nothing_leaks_into_a_child) {
  uv_process_t other;
  close_others();
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exec sleep 1000");
  CHECK_EQ(uv_spawn(&loop, &other, &options), 0);
  prepare(list_descriptors);
  uv_unref((uv_handle_t*) &other);
  CHECK_STR(output(), "0 1 2 ");
  uv_ref((uv_handle_t*) &other);
  CHECK_EQ(uv_process_kill(&other, SIGKILL), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  check_close_loop(&loop);
}

TEST(ignored_descriptors_are_closed) {
  OURS_ONLY("the reference hands on what it has there itself");
  close_others();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(dup2(0, 20), 20);
  prepare(list_descriptors);
  CHECK_STR(output(), "0 1 2 20 "); /* the program's own doing */
  options.stdio_count = 16;
  CHECK_EQ(dup2(20, 15), 15);
  close(20);
  CHECK_STR(output(), "0 1 2 ");
  check_close_loop(&loop);
}

TEST(inheritance_can_be_disabled) {
  close_others();
  CHECK_EQ(dup2(0, 12), 12);
  CHECK_EQ(dup2(0, 13), 13);
  uv_disable_stdio_inheritance();
  for (int fd = 0; fd < 14; fd++)
    if (fcntl(fd, F_GETFD) != -1) CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare(list_descriptors);
  give(13, 12);
  CHECK_STR(output(), "0 1 2 13 ");
  check_close_loop(&loop);
}

TEST(descriptors_are_given_back) {
  NEEDS(1, 52);
  uv_pipe_t pipes[2];
  int before = 0;
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < 5; i++) {
    prepare("true");
    run();
    options.file = "/no/such/program";
    expect_failure(UV_ENOENT);
    prepare("true");
    for (int fd = 0; fd < 2; fd++) {
      CHECK_EQ(uv_pipe_init(&loop, &pipes[fd], 0), 0);
      stdio[fd].flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE;
      stdio[fd].data.stream = (uv_stream_t*) &pipes[fd];
    }
    options.stdio_count = 3;
    stdio[2].flags = UV_INHERIT_FD;
    stdio[2].data.fd = -1;
    expect_failure(UV_EINVAL); /* with the pipes made already */
    options.stdio_count = 2;
    run();
    for (int fd = 0; fd < 2; fd++) uv_close((uv_handle_t*) &pipes[fd], NULL);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    if (i == 0) before = self_open_files_below(1024); /* with what is opened once */
  }
  CHECK_EQ(self_open_files_below(1024), before);
  check_close_loop(&loop);
}

/* Pipes. */

static char received[256];
static size_t received_length;
static int ends;

static void on_alloc(uv_handle_t* handle, size_t size, uv_buf_t* buf) {
  (void) handle, (void) size;
  *buf = uv_buf_init(received + received_length, (unsigned) (sizeof(received) - received_length));
}

static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buf) {
  (void) buf;
  if (size >= 0) {
    received_length += (size_t) size;
    return;
  }
  CHECK_EQ(size, UV_EOF);
  ends++;
  uv_close((uv_handle_t*) stream, on_close);
}

static void make_pipe(int fd, uv_pipe_t* pipe, unsigned directions) {
  CHECK_EQ(uv_pipe_init(&loop, pipe, 0), 0);
  stdio[fd].flags = UV_CREATE_PIPE | directions;
  stdio[fd].data.stream = (uv_stream_t*) pipe;
  if (options.stdio_count <= fd) options.stdio_count = fd + 1;
}

static void on_exit_after_output(uv_process_t* handle, int64_t status, int signum) {
  CHECK_STR(received, "text\n");
  on_exit_seen(handle, status, signum);
}

TEST(output_is_read_before_the_end_is_reported) {
  siginfo_t info;
  uv_pipe_t out;
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("echo text");
  make_pipe(1, &out, UV_WRITABLE_PIPE);
  options.exit_cb = on_exit_after_output;
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK(uv_is_readable((uv_stream_t*) &out) && !uv_is_writable((uv_stream_t*) &out));
  CHECK_EQ(uv_read_start((uv_stream_t*) &out, on_alloc, on_read), 0);
  CHECK_EQ(waitid(P_PID, (id_t) process.pid, &info, WEXITED | WNOWAIT), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, 1);
  CHECK_EQ(ends, 1);
  check_close_loop(&loop);
}

TEST(a_pipe_carries_both_directions) {
  uv_pipe_t both;
  uv_write_t request;
  uv_buf_t buf = uv_buf_init("line\n", 5);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("read x <&5; echo \"<$x>\" >&5");
  make_pipe(5, &both, UV_READABLE_PIPE | UV_WRITABLE_PIPE);
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK(uv_is_readable((uv_stream_t*) &both) && uv_is_writable((uv_stream_t*) &both));
  CHECK_EQ(uv_write(&request, (uv_stream_t*) &both, &buf, 1, NULL), 0);
  CHECK_EQ(uv_read_start((uv_stream_t*) &both, on_alloc, on_read), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_STR(received, "<line>\n");
  CHECK_EQ(ends, 1);
  check_close_loop(&loop);
}

TEST(a_stream_can_be_handed_on) {
  int fds[2];
  uv_pipe_t in, out;
  CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_pipe_init(&loop, &in, 0), 0);
  CHECK_EQ(uv_pipe_init(&loop, &out, 0), 0);
  CHECK_EQ(uv_pipe_open(&in, fds[0]), 0);
  CHECK_EQ(uv_pipe_open(&out, fds[1]), 0);
  prepare("echo through");
  stdio[1].flags = UV_INHERIT_STREAM;
  stdio[1].data.stream = (uv_stream_t*) &out;
  options.stdio_count = 2;
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  uv_close((uv_handle_t*) &out, NULL);
  CHECK_EQ(uv_read_start((uv_stream_t*) &in, on_alloc, on_read), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_STR(received, "through\n");
  check_close_loop(&loop);
}

TEST(streams_are_open_even_if_the_program_is_not_there) {
  uv_pipe_t out;
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("true");
  options.file = "/no/such/program";
  make_pipe(1, &out, UV_WRITABLE_PIPE);
  CHECK_EQ(uv_spawn(&loop, &process, &options), UV_ENOENT);
  CHECK(uv_is_readable((uv_stream_t*) &out));
  CHECK_EQ(uv_read_start((uv_stream_t*) &out, on_alloc, on_read), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(ends, 1);
  check_close_loop(&loop);
}
