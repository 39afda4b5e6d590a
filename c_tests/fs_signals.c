/* Synchronous calls in a thread that signals interrupt all the time: only reading says so, the others go on. */
#include "fs.h"

#include <sys/time.h>

static int signals;

static void count(int signum) {
  (void) signum;
  __atomic_add_fetch(&signals, 1, __ATOMIC_SEQ_CST);
}

/* Every millisecond a signal for the thread that called, whose handler makes blocking calls end. */
static timer_t start_signals(void) {
  struct sigaction action = {.sa_handler = count};
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
  struct itimerspec often = {{0, 1000000}, {0, 1000000}};
  timer_t timer;
  event._sigev_un._tid = (pid_t) syscall(SYS_gettid);
  CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
  CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  CHECK_EQ(timer_settime(timer, 0, &often, NULL), 0);
  return timer;
}

static void wait_for_signals(int more) {
  int until = __atomic_load_n(&signals, __ATOMIC_SEQ_CST) + more;
  while (__atomic_load_n(&signals, __ATOMIC_SEQ_CST) < until) usleep(1000);
}

/* In a thread of its own, which gets no signals: opens a file, waits, and reads what comes. */
static void* read_late(void* arg) {
  static char bytes[1 << 16];
  size_t done = 0;
  ssize_t got;
  wait_for_signals(20);
  int fd = fs_fd(arg, O_RDONLY);
  wait_for_signals(20);
  while ((got = read(fd, bytes, sizeof(bytes))) > 0) done += (size_t) got;
  CHECK_EQ(close(fd), 0);
  return (void*) done;
}

static pthread_t start_reader(void) {
  sigset_t set, before;
  pthread_t thread;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, &before), 0);
  CHECK_EQ(pthread_create(&thread, NULL, read_late, "fifo"), 0);
  CHECK_EQ(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
  return thread;
}

TEST(open_and_write_go_on) {
  enum { SIZE = 1 << 20 };
  uv_buf_t bufs[2];
  void* got;
  fs_begin(0);
  CHECK_EQ(mkfifo("fifo", 0600), 0);
  char* bytes = calloc(1, SIZE);
  bufs[0] = bufs[1] = uv_buf_init(bytes, SIZE / 2);
  timer_t timer = start_signals();
  pthread_t reader = start_reader();
  int fd = (int) FS(uv_fs_open, "fifo", UV_FS_O_WRONLY, 0); /* waits for the reader */
  CHECK(fd >= 0);
  CHECK_EQ(FS(uv_fs_write, fd, bufs, 2, -1), SIZE); /* more than a pipe holds */
  CHECK(__atomic_load_n(&signals, __ATOMIC_SEQ_CST) >= 40);
  CHECK_EQ(FS(uv_fs_close, fd), 0);
  CHECK_EQ(timer_delete(timer), 0);
  CHECK_EQ(pthread_join(reader, &got), 0);
  CHECK_EQ(got, SIZE);
  free(bytes);
  fs_end();
}

TEST(reading_ends) {
  char byte;
  uv_buf_t buf = uv_buf_init(&byte, 1);
  int ends[2];
  fs_begin(0);
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  timer_t timer = start_signals();
  CHECK_EQ(FS(uv_fs_read, ends[0], &buf, 1, -1), UV_EINTR);
  CHECK_EQ(timer_delete(timer), 0);
  close(ends[0]), close(ends[1]);
  fs_end();
}

/* The threads of the pool take no signals. */
TEST(asynchronous_reading_goes_on) {
  char byte;
  uv_buf_t buf = uv_buf_init(&byte, 1);
  int ends[2];
  fs_begin(1);
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  timer_t timer = start_signals();
  CHECK_EQ(uv_fs_read(&fs.loop, &fs.req, ends[0], &buf, 1, -1, fs_called), 0);
  wait_for_signals(20);
  CHECK_EQ(write(ends[1], "x", 1), 1);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(fs.calls, 1);
  CHECK_EQ(fs.req.result, 1);
  CHECK_EQ(byte, 'x');
  CHECK_EQ(timer_delete(timer), 0);
  uv_fs_req_cleanup(&fs.req);
  close(ends[0]), close(ends[1]);
  fs_end();
}

FS_TEST(everything_else_goes_on) {
  timer_t timer = start_signals();
  for (int i = 0; i < 300; i++) {
    CHECK_EQ(FS(uv_fs_mkdir, "folder", 0700), 0);
    CHECK_EQ(FS(uv_fs_scandir, "/dev", 0) > 0, 1);
    CHECK_EQ(FS(uv_fs_rmdir, "folder"), 0);
  }
  CHECK_EQ(timer_delete(timer), 0);
  CHECK(signals > 0);
}
