/* Answers that are there without waiting need no thread; whatever may wait never holds the loop up. */
#include "faults.h"
#include "held_pool.h"

#include <linux/openat2.h>
#include <poll.h>
#include <sys/uio.h>

enum { PAGE = 4096, PAGES = 16, SIZE = PAGE * PAGES };

static char bytes[SIZE], expected[SIZE];

/* What the kernel and the file system under the test's folder can do is theirs to say. */
static void need_cached_look_ups(void) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = 0x20 /* RESOLVE_CACHED */};
  struct statx info;
  struct iovec piece = {bytes, 1};
  fs_file("probe", "x");
  int fd = (int) syscall(SYS_openat2, AT_FDCWD, "probe", &how, sizeof(how));
  if (fd < 0) SKIP("no cached look-ups here (openat2)");
  int result = (int) syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0x4000, &info);
  close(fd);
  if (result != 0 || !(info.stx_mask & 0x4000)) SKIP("this kernel does not number mounts");
  fd = fs_fd("probe", O_RDONLY);
  ssize_t size = preadv2(fd, &piece, 1, 0, RWF_NOWAIT);
  close(fd);
  if (size != 1) SKIP("this file system does not read without waiting (preadv2)");
}

static void make_file(const char* path) {
  for (int i = 0; i < SIZE; i++) expected[i] = (char) (i / PAGE * 7 + i);
  int fd = fs_fd(path, O_WRONLY | O_CREAT | O_TRUNC);
  CHECK_EQ(write(fd, expected, SIZE), SIZE);
  CHECK_EQ(fsync(fd), 0);
  CHECK_EQ(close(fd), 0);
}

/* Leaves one page of the file in memory, if the system does as it is told. */
static void forget_all_but_a_page(int fd) {
  char byte;
  CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM), 0);
  CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
  CHECK_EQ(pread(fd, &byte, 1, 0), 1);
}

TEST(a_cached_file_needs_no_thread) {
  OURS_ONLY("the reference always uses the pool");
  int before = self_threads();
  fs_begin(1);
  need_cached_look_ups();
  make_file("file");
  CHECK(!fs_exists("none")); /* now the system knows */
  for (int round = 0; round < 3; round++) {
    int fd = (int) FS(uv_fs_open, "file", UV_FS_O_RDONLY, 0);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL) & ~O_LARGEFILE & ~0100000, O_RDONLY);
    CHECK_EQ(FS(uv_fs_fstat, fd), 0);
    CHECK_EQ(fs.req.statbuf.st_size, SIZE);
    CHECK(fs.req.ptr == &fs.req.statbuf);
    uv_buf_t buf = uv_buf_init(bytes, SIZE);
    CHECK_EQ(FS(uv_fs_read, fd, &buf, 1, 0), SIZE);
    CHECK_EQ(memcmp(bytes, expected, SIZE), 0);
    CHECK_EQ(FS(uv_fs_stat, "file"), 0);
    CHECK_EQ(fs.req.statbuf.st_ino, fs_info("file").st_ino);
    CHECK_EQ(FS(uv_fs_stat, "none"), UV_ENOENT);
    CHECK_EQ(FS(uv_fs_close, fd), 0);
    CHECK_EQ(fcntl(fd, F_GETFD), -1);
  }
  CHECK_EQ(self_threads(), before);
  fs_end();
}

TEST(the_environment_switches_it_off) {
  OURS_ONLY("the switch is ours");
  CHECK_EQ(setenv("UV_FS_INLINE", "0", 1), 0);
  int before = self_threads();
  fs_begin(1);
  make_file("file");
  CHECK_EQ(FS(uv_fs_stat, "file"), 0);
  CHECK(self_threads() > before);
  fs_end();
}

TEST(the_last_one_who_closes_a_deleted_file_is_a_thread) {
  OURS_ONLY("the reference always uses the pool");
  int before = self_threads();
  fs_begin(1);
  need_cached_look_ups();
  make_file("file");
  int fd = (int) FS(uv_fs_open, "file", UV_FS_O_RDONLY, 0);
  CHECK(fd >= 0);
  CHECK_EQ(self_threads(), before);
  CHECK_EQ(unlink("file"), 0);
  CHECK_EQ(FS(uv_fs_close, fd), 0);
  CHECK(self_threads() > before);
  fs_end();
}

static uv_fs_t reqs[40];
static int done;

static void on_closed(uv_fs_t* req) {
  uv_fs_req_cleanup(req);
}

static void count_done(uv_fs_t* req) {
  CHECK(req->result > 0 || req->result == UV_ECANCELED);
  done++;
  uv_fs_req_cleanup(req);
}

TEST(all_can_be_cancelled_but_a_close) {
  uv_fs_t all[5], closing;
  fs_begin(1);
  make_file("file");
  int fd = fs_fd("file", O_RDONLY), next = dup(0);
  close(next);
  hold_pool(&fs.loop, 4);
  uv_buf_t buf = uv_buf_init(bytes, 16);
  CHECK_EQ(uv_fs_open(&fs.loop, &all[0], "file", O_RDONLY, 0, count_done), 0);
  CHECK_EQ(uv_fs_stat(&fs.loop, &all[1], "file", count_done), 0);
  CHECK_EQ(uv_fs_fstat(&fs.loop, &all[2], fd, count_done), 0);
  CHECK_EQ(uv_fs_read(&fs.loop, &all[3], fd, &buf, 1, 3, count_done), 0);
  CHECK_EQ(uv_fs_open(&fs.loop, &all[4], "nowhere", O_RDONLY, 0, count_done), 0);
  for (int i = 0; i < 5; i++) {
    CHECK_EQ(uv_cancel((uv_req_t*) &all[i]), 0);
    CHECK_EQ(uv_cancel((uv_req_t*) &all[i]), 0);
  }
  CHECK_EQ(done, 0);
  while (done < 5) uv_run(&fs.loop, UV_RUN_ONCE);
  for (int i = 0; i < 5; i++) CHECK_EQ(all[i].result, UV_ECANCELED);
  int still_next = dup(0);
  CHECK_EQ(still_next, next); /* no descriptor is left open */
  close(still_next);
  CHECK_EQ(uv_fs_close(&fs.loop, &closing, fd, on_closed), 0);
  int refused = uv_cancel((uv_req_t*) &closing);
  let_pool_go();
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(closing.result, refused == 0 ? UV_ECANCELED : 0);
  if (refused == 0) CHECK_EQ(close(fd), 0);
  fs_end();
}

/* What a read at the position leaves to the next is what was not told, no more and no less. */
TEST(a_cancelled_read_leaves_the_position) {
  fs_begin(1);
  make_file("file");
  int fd = fs_fd("file", O_RDONLY);
  hold_pool(&fs.loop, 4);
  uv_buf_t buf = uv_buf_init(bytes, 16), other = uv_buf_init(bytes + 16, 16);
  CHECK_EQ(uv_fs_read(&fs.loop, &reqs[0], fd, &buf, 1, -1, count_done), 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &reqs[0]), 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &reqs[0]), 0);
  while (done < 1) uv_run(&fs.loop, UV_RUN_ONCE);
  CHECK_EQ(reqs[0].result, UV_ECANCELED);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
  CHECK_EQ(uv_fs_read(&fs.loop, &reqs[0], fd, &buf, 1, -1, count_done), 0);
  CHECK_EQ(uv_fs_read(&fs.loop, &reqs[1], fd, &other, 1, -1, count_done), 0);
  int cancelled = uv_cancel((uv_req_t*) &reqs[0]) == 0;
  let_pool_go();
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(done, 3);
  CHECK_EQ(reqs[0].result, cancelled ? UV_ECANCELED : 16);
  CHECK_EQ(reqs[1].result, 16);
  CHECK_EQ(memcmp(bytes + 16, expected + (cancelled ? 0 : 16), 16), 0);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), cancelled ? 16 : 32);
  CHECK_EQ(close(fd), 0);
  fs_end();
}

/* Bytes that were read at once are told even if there is no thread to read the others. */
TEST(without_threads_there_is_what_is_in_memory) {
  OURS_ONLY("without threads the reference aborts");
  fs_begin(1);
  make_file("file");
  int fd = fs_fd("file", O_RDONLY);
  forget_all_but_a_page(fd);
  fs_refuse_call(SYS_clone, EAGAIN);
  fs_refuse_call(SYS_clone3, EAGAIN);
  fs_prepare();
  uv_buf_t buf = uv_buf_init(bytes, SIZE);
  int result = uv_fs_read(&fs.loop, &fs.req, fd, &buf, 1, -1, fs_called);
  fs.used = 1;
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  if (result == 0) {
    CHECK_EQ(fs.calls, 1);
    CHECK(fs.req.result > 0);
    CHECK_EQ(memcmp(bytes, expected, (size_t) fs.req.result), 0);
  } else {
    CHECK_EQ(result, UV_EAGAIN);
    CHECK_EQ(fs.calls, 0);
  }
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), result == 0 ? fs.req.result : 0);
  CHECK_EQ(close(fd), 0);
  fs_end();
#ifdef CHECK_UNDER_ASAN
  _exit(0); /* its search for leaks wants a thread; blocks are counted anyway */
#endif
}

TEST(a_cancelled_read_has_read_nothing) {
  fs_begin(1);
  make_file("file");
  int fd = fs_fd("file", O_RDONLY);
  forget_all_but_a_page(fd);
  hold_pool(&fs.loop, 4);
  uv_buf_t buf = uv_buf_init(bytes, SIZE);
  CHECK_EQ(uv_fs_read(&fs.loop, &reqs[0], fd, &buf, 1, -1, count_done), 0);
  int result = uv_cancel((uv_req_t*) &reqs[0]);
  let_pool_go();
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(done, 1);
  CHECK_EQ(reqs[0].result, result == 0 ? UV_ECANCELED : SIZE);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), result == 0 ? 0 : SIZE);
  CHECK_EQ(close(fd), 0);
  fs_end();
}

/* A program sees a short read only where the file ends, however little of it is in memory. */
FS_TEST(reads_are_whole) {
  make_file("file");
  int fd = fs_fd("file", O_RDONLY);
  for (int64_t offset = 0; offset >= -1; offset--) {
    forget_all_but_a_page(fd);
    memset(bytes, 0, SIZE);
    uv_buf_t bufs[] = {uv_buf_init(bytes, 100), uv_buf_init(bytes + 100, 0), uv_buf_init(bytes + 100, 5000),
                       uv_buf_init(bytes + 5100, 1), uv_buf_init(bytes + 5101, SIZE - 5101)};
    CHECK_EQ(FS(uv_fs_read, fd, bufs, 5, offset), SIZE);
    CHECK_EQ(memcmp(bytes, expected, SIZE), 0);
    CHECK_EQ(bufs[0].len, 100); /* the program's own stay as they are */
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), offset == -1 ? SIZE : 0);
  }
  uv_buf_t buf = uv_buf_init(bytes, SIZE);
  CHECK_EQ(FS(uv_fs_read, fd, &buf, 1, -1), 0);
  CHECK_EQ(FS(uv_fs_read, fd, &buf, 1, SIZE - 10), 10);
  CHECK_EQ(memcmp(bytes, expected + SIZE - 10, 10), 0);
  CHECK_EQ(FS(uv_fs_read, fd, &buf, 1, SIZE + 10), 0);
  CHECK_EQ(lseek(fd, -10, SEEK_END), SIZE - 10);
  CHECK_EQ(FS(uv_fs_read, fd, &buf, 1, -1), 10);
  CHECK_EQ(close(fd), 0);
}

FS_TEST(a_pipe_gives_what_it_has) {
  int ends[2];
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  CHECK_EQ(write(ends[1], "some", 4), 4);
  uv_buf_t buf = uv_buf_init(bytes, 100);
  CHECK_EQ(FS(uv_fs_read, ends[0], &buf, 1, -1), 4);
  CHECK_EQ(write(ends[1], "more", 4), 4);
  CHECK_EQ(close(ends[1]), 0);
  CHECK_EQ(FS(uv_fs_read, ends[0], &buf, 1, -1), 4);
  CHECK_EQ(FS(uv_fs_read, ends[0], &buf, 1, -1), 0);
  CHECK_EQ(FS(uv_fs_read, ends[0], &buf, 1, 0), UV_ESPIPE);
  CHECK_EQ(FS(uv_fs_close, ends[0]), 0);
}

FS_TEST(only_files_of_their_kind_open) {
  make_file("file");
  CHECK_EQ(mkdir("dir", 0700), 0);
  CHECK_EQ(symlink("file", "link"), 0);
  CHECK_EQ(FS(uv_fs_open, "link", UV_FS_O_RDONLY | UV_FS_O_NOFOLLOW, 0), UV_ELOOP);
  CHECK_EQ(FS(uv_fs_open, "file", UV_FS_O_RDONLY | UV_FS_O_DIRECTORY, 0), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_open, "", UV_FS_O_RDONLY, 0), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_stat, ""), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_stat, "link"), 0);
  CHECK_EQ(fs.req.statbuf.st_mode & S_IFMT, S_IFREG);
  CHECK_EQ(FS(uv_fs_lstat, "link"), 0);
  CHECK_EQ(fs.req.statbuf.st_mode & S_IFMT, S_IFLNK);
  int flags[] = {UV_FS_O_RDONLY, UV_FS_O_NONBLOCK, UV_FS_O_NOFOLLOW};
  for (int i = 0; i < 3; i++) {
    int fd = (int) FS(uv_fs_open, "file", flags[i], 0);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, flags[i] & O_NONBLOCK);
    CHECK_EQ(FS(uv_fs_close, fd), 0);
  }
  int fd = (int) FS(uv_fs_open, "dir", UV_FS_O_RDONLY | UV_FS_O_DIRECTORY, 0);
  CHECK(fd >= 0);
  uv_buf_t buf = uv_buf_init(bytes, 1);
  CHECK_EQ(FS(uv_fs_read, fd, &buf, 1, 0), UV_EISDIR);
  CHECK_EQ(FS(uv_fs_close, fd), 0);
  CHECK_EQ(FS(uv_fs_close, fd), UV_EBADF);
  CHECK_EQ(FS(uv_fs_fstat, fd), UV_EBADF);
}

static uv_timer_t ticker;
static int ticks;

static void tick(uv_timer_t* timer) {
  (void) timer;
  ticks++;
}

/* Runs the loop until the timer has fired so many times more: it fires only if nothing holds the loop up. */
static void run_ticks(int count) {
  for (int until = ticks + count; ticks < until;) uv_run(&fs.loop, UV_RUN_ONCE);
}

static void start_ticking(void) {
  CHECK_EQ(uv_timer_init(&fs.loop, &ticker), 0);
  CHECK_EQ(uv_timer_start(&ticker, tick, 1, 1), 0);
}

TEST(a_fifo_holds_nothing_up) {
  fs_begin(1);
  CHECK_EQ(mkfifo("fifo", 0600), 0);
  start_ticking();
  fs_prepare();
  CHECK_EQ(uv_fs_open(&fs.loop, &fs.req, "fifo", UV_FS_O_RDONLY, 0, fs_called), 0);
  run_ticks(5);
  CHECK_EQ(fs.calls, 0); /* waits for a writer */
  int writer;
  while ((writer = open("fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) CHECK_EQ(errno, ENXIO); /* not yet there */
  while (fs.calls == 0) uv_run(&fs.loop, UV_RUN_ONCE);
  int fd = (int) fs.req.result;
  CHECK(fd >= 0);
  CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  uv_fs_req_cleanup(&fs.req);

  fs_prepare();
  uv_buf_t buf = uv_buf_init(bytes, 10);
  CHECK_EQ(uv_fs_read(&fs.loop, &fs.req, fd, &buf, 1, -1, fs_called), 0);
  run_ticks(5);
  CHECK_EQ(fs.calls, 0); /* waits for data */
  CHECK_EQ(write(writer, "data", 4), 4);
  while (fs.calls == 0) uv_run(&fs.loop, UV_RUN_ONCE);
  CHECK_EQ(fs.req.result, 4);
  uv_fs_req_cleanup(&fs.req);
  CHECK_EQ(close(writer), 0);
  CHECK_EQ(close(fd), 0);
  uv_close((uv_handle_t*) &ticker, NULL);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  fs_end();
}

/* Asking about a FIFO must not open it: a writer would take the loop for a reader. */
FS_TEST(asking_about_a_fifo_does_not_open_it) {
  CHECK_EQ(mkfifo("fifo", 0600), 0);
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(FS(uv_fs_stat, "fifo"), 0);
    CHECK_EQ(fs.req.statbuf.st_mode & S_IFMT, S_IFIFO);
    CHECK_EQ(open("fifo", O_WRONLY | O_NONBLOCK), -1);
    CHECK_EQ(errno, ENXIO);
  }
}

static int stop_reading, events;

static void read_again(uv_fs_t* req) {
  CHECK_EQ(req->result, 16);
  uv_fs_req_cleanup(req);
  uv_buf_t buf = uv_buf_init(bytes, 16);
  if (!stop_reading) CHECK_EQ(uv_fs_read(&fs.loop, req, (uv_file) (intptr_t) req->data, &buf, 1, 0, read_again), 0);
}

static void readable(uv_poll_t* handle, int status, int what) {
  CHECK_EQ(status, 0);
  CHECK_EQ(what, UV_READABLE);
  events++;
  uv_poll_stop(handle);
}

/* Reads without end, one in each turn: timers and descriptors get theirs. */
TEST(reads_without_end_starve_nobody) {
  int ends[2];
  uv_poll_t watcher;
  fs_begin(1);
  make_file("file");
  int fd = fs_fd("file", O_RDONLY);
  uv_buf_t buf = uv_buf_init(bytes, 16);
  for (int i = 0; i < 3; i++) {
    reqs[i].data = (void*) (intptr_t) fd;
    CHECK_EQ(uv_fs_read(&fs.loop, &reqs[i], fd, &buf, 1, 0, read_again), 0);
  }
  start_ticking();
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  CHECK_EQ(uv_poll_init(&fs.loop, &watcher, ends[0]), 0);
  for (int round = 1; round <= 10; round++) {
    run_ticks(2);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(uv_poll_start(&watcher, UV_READABLE, readable), 0);
    while (events < round) uv_run(&fs.loop, UV_RUN_ONCE);
    CHECK_EQ(read(ends[0], bytes + 100, 1), 1);
  }
  stop_reading = 1;
  uv_close((uv_handle_t*) &watcher, NULL);
  uv_close((uv_handle_t*) &ticker, NULL);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(close(ends[0]), 0);
  CHECK_EQ(close(ends[1]), 0);
  CHECK_EQ(close(fd), 0);
  fs_end();
}

/* Outside uv_run, a loop that others poll must become readable by what was done at once. */
TEST(an_embedder_hears_of_it) {
  fs_begin(1);
  make_file("file");
  int fd = fs_fd("file", O_RDONLY);
  CHECK_EQ(uv_timer_init(&fs.loop, &ticker), 0);
  CHECK_EQ(uv_timer_start(&ticker, tick, 3600 * 1000, 0), 0);
  CHECK(uv_run(&fs.loop, UV_RUN_NOWAIT) != 0); /* the reference has its descriptor ready only then */
  for (int i = 1; i <= 3; i++) {
    uv_buf_t buf = uv_buf_init(bytes, 16);
    CHECK_EQ(uv_fs_read(&fs.loop, &reqs[0], fd, &buf, 1, 0, count_done), 0);
    struct pollfd backend = {uv_backend_fd(&fs.loop), POLLIN, 0};
    CHECK_EQ(poll(&backend, 1, -1), 1);
    while (done < i) uv_run(&fs.loop, UV_RUN_NOWAIT);
  }
  uv_close((uv_handle_t*) &ticker, NULL);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(close(fd), 0);
  fs_end();
}

/* Nothing is in memory, and the disk takes its time. */
TEST(a_slow_disk_holds_nothing_up) {
  static const int at_once[] = {SYS_preadv2, FAULTS_END};
  fs_begin(1);
  make_file("file");
  start_ticking();
  int fd = fs_fd("file", O_RDONLY);
  faults_add(SYS_preadv2);
  faults_add(SYS_pread64);
  faults_begin();
  faults_set(at_once, fd, 0, FAULTS_ALL, EAGAIN);
  faults_hold(SYS_pread64);
  fs_prepare();
  uv_buf_t buf = uv_buf_init(bytes, SIZE);
  CHECK_EQ(uv_fs_read(&fs.loop, &fs.req, fd, &buf, 1, 0, fs_called), 0);
  run_ticks(5);
  CHECK_EQ(fs.calls, 0);
  faults_let_go();
  while (fs.calls == 0) uv_run(&fs.loop, UV_RUN_ONCE);
  CHECK_EQ(fs.req.result, SIZE);
  if (check_is_ours()) CHECK(faults_clear() > 0); /* or else it was no slow disk */
  uv_close((uv_handle_t*) &ticker, NULL);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(close(fd), 0);
  fs_end();
}
