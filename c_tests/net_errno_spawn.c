/* The system calls that start a child, make a loop and wait fail with the errors that their manuals name. */
#include "net_errno.h"

static uv_process_t process;
static uv_pipe_t out;
static int64_t exit_status;

static void on_exit_seen(uv_process_t* handle, int64_t status, int signum) {
  (void) handle;
  (void) signum;
  exit_status = status;
  calls++;
}

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buf) {
  static char room[64];
  (void) suggested;
  (void) handle;
  *buf = uv_buf_init(room, sizeof(room));
}

static void on_read(uv_stream_t* stream, ssize_t nread, const uv_buf_t* buf) {
  (void) buf;
  if (nread == UV_EOF) uv_close((uv_handle_t*) stream, NULL);
}

static struct outcome spawn_in(const char* folder) {
  char* args[] = {"sh", "-c", "exit 7", NULL};
  uv_stdio_container_t stdio[2] = {{.flags = UV_IGNORE}, {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE}};
  uv_process_options_t options = {.file = "/bin/sh", .args = args, .stdio = stdio, .stdio_count = 2, .exit_cb = on_exit_seen};
  options.cwd = folder;
  CHECK_EQ(uv_pipe_init(&loop, &out, 0), 0);
  stdio[1].data.stream = (uv_stream_t*) &out;
  exit_status = -1;
  arm();
  got.returned = uv_spawn(&loop, &process, &options);
  if (got.returned == 0) {
    CHECK_EQ(uv_read_start((uv_stream_t*) &out, on_alloc, on_read), 0);
    run_until_called(1);
    got.worked = exit_status == 7;
  }
  disarm();
  CHECK_EQ(waitpid(-1, NULL, 0), -1); /* nobody is left */
  CHECK_EQ(errno, ECHILD);
  return got;
}

static struct outcome spawn(void) { return spawn_in(NULL); }
static struct outcome spawn_elsewhere(void) { return spawn_in("/"); }

static struct outcome loop_init(void) {
  uv_loop_t other;
  arm();
  got.returned = uv_loop_init(&other);
  got.worked = got.returned == 0;
  disarm();
  if (got.worked) CHECK_EQ(uv_loop_close(&other), 0);
  return got;
}

static void on_timer(uv_timer_t* timer) {
  (void) timer;
  calls++;
}

static struct outcome wait_for_timer(void) {
  uv_timer_t timer;
  uint64_t start = uv_hrtime();
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, on_timer, 5, 0), 0);
  arm();
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  got.worked = calls == 1 && uv_hrtime() - start >= 4000000;
  uv_close((uv_handle_t*) &timer, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  return got;
}

static const struct row rows[] = {
  FAILS(spawn, "clone", RETURNED, EAGAIN),
  FAILS_OFTEN(2, spawn, "clone", RETURNED, ENOMEM, ENOSPC, EPERM, ENOSYS),
  FAILS(spawn, "socketpair", RETURNED, EAFNOSUPPORT, EMFILE, ENFILE, EOPNOTSUPP),
  FAILS(spawn, "dup2", RETURNED, EBADF, EMFILE),
  FAILS(spawn_elsewhere, "chdir", RETURNED, EACCES, EFAULT, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR),
  FAILS(spawn, "waitpid", WORKS, EINTR),
  FAILS_OFTEN(3, wait_for_timer, "epoll_pwait", WORKS, EINTR),
};

/* Older ones leave a descriptor behind. */
static const struct row loops[] = {
  FAILS(loop_init, "epoll_create1", RETURNED, EMFILE, ENFILE, ENOMEM),
  FAILS(loop_init, "eventfd", RETURNED, EMFILE, ENFILE, ENOMEM),
};

static const struct row ours[] = {
  FAILS(spawn, "clone", WORKS, EINVAL, EMFILE, ENOSYS), /* again without a pidfd */
  FAILS_OFTEN(3, spawn, "epoll_ctl", WORKS, ENOMEM, ENOSPC),
  FAILS(loop_init, "epoll_ctl", RETURNED, ENOMEM, ENOSPC),
};

TEST(children_and_waiting) {
  NOT_UNDER_TSAN("its runtime takes every clone(2) for a fork");
  RUN_ROWS(rows);
}

TEST(loops) {
  NEEDS(1, 52);
  RUN_ROWS(loops);
}

TEST(children_that_cannot_be_watched_by_a_descriptor) {
  NOT_UNDER_TSAN("its runtime takes every clone(2) for a fork");
  OURS_ONLY("the reference waits for SIGCHLD, and aborts without memory to watch with");
  RUN_ROWS(ours);
}
