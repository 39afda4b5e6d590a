/* File operations by io_uring, for loops configured with UV_LOOP_USE_IO_URING_SQPOLL in programs that have UV_USE_IO_URING=1 in
 * their environment. Everything must come out the same without a ring: where the kernel refuses one this tests just that. */
#include "faults.h"

#include <sys/wait.h>

static uv_loop_t loop;
static char dir[64];
static ssize_t results[64];
static int called;

static const char* in_dir(const char* name) {
  static char paths[4][128];
  static int turn;
  char* path = paths[turn++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", dir, name);
  return path;
}

static void set_up(void) {
  NEEDS(1, 49);
  setenv("UV_USE_IO_URING", "1", 1);
  setenv("UV_FS_INLINE", "0", 1); /* else hardly anything is left for the ring */
  snprintf(dir, sizeof dir, "/tmp/uvoxide-ring-XXXXXX");
  CHECK(mkdtemp(dir) != NULL);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_loop_configure(&loop, UV_LOOP_USE_IO_URING_SQPOLL), 0);
}

static void tear_down(void) {
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
  CHECK_EQ(rmdir(dir), 0);
}

static void on_done(uv_fs_t* req) {
  called++;
  *(ssize_t*) req->data = req->result;
}

/* Begins with `call`, and waits for the callback. */
#define RUN(req, call)                                                                                               \
  do {                                                                                                               \
    ssize_t* result = &results[0];                                                                                   \
    (req)->data = result;                                                                                            \
    called = 0;                                                                                                      \
    CHECK_EQ(call, 0);                                                                                               \
    CHECK_EQ(called, 0);                                                                                             \
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);                                                                      \
    CHECK_EQ(called, 1);                                                                                             \
  } while (0)

TEST(every_operation) {
  uv_fs_t req;
  char bytes[100];
  uv_buf_t bufs[6];
  struct stat expected;
  set_up();
  RUN(&req, uv_fs_mkdir(&loop, &req, in_dir("d"), 0750, on_done));
  CHECK_EQ(req.result, 0);
  uv_fs_req_cleanup(&req);
  RUN(&req, uv_fs_open(&loop, &req, in_dir("a"), O_RDWR | O_CREAT, 0640, on_done));
  int fd = (int) req.result;
  CHECK(fd >= 0);
  CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  uv_fs_req_cleanup(&req);
  for (int i = 0; i < 6; i++) bufs[i] = uv_buf_init("0123456789", 10);
  RUN(&req, uv_fs_write(&loop, &req, fd, bufs, 6, -1, on_done));
  CHECK_EQ(req.result, 60);
  uv_fs_req_cleanup(&req);
  RUN(&req, uv_fs_write(&loop, &req, fd, bufs, 1, 90, on_done));
  CHECK_EQ(req.result, 10);
  uv_fs_req_cleanup(&req);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 60);
  RUN(&req, uv_fs_fsync(&loop, &req, fd, on_done));
  CHECK_EQ(req.result, 0);
  RUN(&req, uv_fs_fdatasync(&loop, &req, fd, on_done));
  CHECK_EQ(req.result, 0);
  bufs[0] = uv_buf_init(bytes, 7);
  bufs[1] = uv_buf_init(bytes + 7, 93);
  RUN(&req, uv_fs_read(&loop, &req, fd, bufs, 2, 55, on_done));
  CHECK_EQ(req.result, 45);
  CHECK(memcmp(bytes, "56789\0\0", 7) == 0);
  CHECK(memcmp(bytes + 35, "0123456789", 10) == 0);
  uv_fs_req_cleanup(&req);
  CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
  RUN(&req, uv_fs_read(&loop, &req, fd, bufs, 1, -1, on_done));
  CHECK_EQ(req.result, 7);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 9);
  RUN(&req, uv_fs_read(&loop, &req, fd, bufs, 1, 1000, on_done));
  CHECK_EQ(req.result, 0);
  RUN(&req, uv_fs_ftruncate(&loop, &req, fd, 33, on_done));
  CHECK_EQ(req.result, 0);

  RUN(&req, uv_fs_fstat(&loop, &req, fd, on_done));
  CHECK_EQ(req.result, 0);
  CHECK_EQ(fstat(fd, &expected), 0);
  CHECK(req.ptr == &req.statbuf);
  CHECK_EQ(req.statbuf.st_size, 33);
  CHECK_EQ(req.statbuf.st_ino, expected.st_ino);
  CHECK_EQ(req.statbuf.st_dev, expected.st_dev);
  CHECK_EQ(req.statbuf.st_mode, expected.st_mode);
  CHECK_EQ(req.statbuf.st_mtim.tv_nsec, expected.st_mtim.tv_nsec);
  uv_fs_req_cleanup(&req);
  RUN(&req, uv_fs_stat(&loop, &req, in_dir("a"), on_done));
  CHECK_EQ(req.statbuf.st_ino, expected.st_ino);
  uv_fs_req_cleanup(&req);
  RUN(&req, uv_fs_symlink(&loop, &req, "a", in_dir("s"), 0, on_done));
  CHECK_EQ(req.result, 0);
  uv_fs_req_cleanup(&req);
  RUN(&req, uv_fs_lstat(&loop, &req, in_dir("s"), on_done));
  CHECK(S_ISLNK(req.statbuf.st_mode));
  uv_fs_req_cleanup(&req);
  RUN(&req, uv_fs_link(&loop, &req, in_dir("a"), in_dir("l"), on_done));
  CHECK_EQ(req.result, 0);
  uv_fs_req_cleanup(&req);
  RUN(&req, uv_fs_rename(&loop, &req, in_dir("l"), in_dir("r"), on_done));
  CHECK_EQ(req.result, 0);
  uv_fs_req_cleanup(&req);
  RUN(&req, uv_fs_close(&loop, &req, fd, on_done));
  CHECK_EQ(req.result, 0);
  static const char* const names[] = {"a", "s", "r"};
  for (int i = 0; i < 3; i++) {
    RUN(&req, uv_fs_unlink(&loop, &req, in_dir(names[i]), on_done));
    CHECK_EQ(req.result, 0);
    uv_fs_req_cleanup(&req);
  }
  CHECK_EQ(rmdir(in_dir("d")), 0);
  tear_down();
}

TEST(every_error) {
  uv_fs_t req;
  char byte;
  uv_buf_t buf = uv_buf_init(&byte, 1);
  set_up();
  const char* none = in_dir("none");
#define FAILS(call, code)                                                                                            \
  do {                                                                                                               \
    RUN(&req, call);                                                                                                 \
    CHECK_EQ(req.result, code);                                                                                      \
    CHECK(req.ptr == NULL);                                                                                          \
    uv_fs_req_cleanup(&req);                                                                                         \
  } while (0)
  FAILS(uv_fs_open(&loop, &req, none, O_RDONLY, 0, on_done), UV_ENOENT);
  FAILS(uv_fs_stat(&loop, &req, none, on_done), UV_ENOENT);
  FAILS(uv_fs_lstat(&loop, &req, none, on_done), UV_ENOENT);
  FAILS(uv_fs_fstat(&loop, &req, 12345, on_done), UV_EBADF);
  FAILS(uv_fs_read(&loop, &req, 12345, &buf, 1, 0, on_done), UV_EBADF);
  FAILS(uv_fs_write(&loop, &req, 12345, &buf, 1, -1, on_done), UV_EBADF);
  FAILS(uv_fs_fsync(&loop, &req, 12345, on_done), UV_EBADF);
  FAILS(uv_fs_rename(&loop, &req, none, none, on_done), UV_ENOENT);
  FAILS(uv_fs_unlink(&loop, &req, none, on_done), UV_ENOENT);
  FAILS(uv_fs_mkdir(&loop, &req, dir, 0700, on_done), UV_EEXIST);
  FAILS(uv_fs_link(&loop, &req, none, in_dir("x"), on_done), UV_ENOENT);
  FAILS(uv_fs_symlink(&loop, &req, "x", dir, 0, on_done), UV_EEXIST);
  tear_down();
}

static void on_one_of_many(uv_fs_t* req) {
  CHECK_EQ(req->result, 0);
  CHECK(S_ISDIR(req->statbuf.st_mode));
  uv_fs_req_cleanup(req);
  called++;
}

TEST(any_offset_below_zero_is_the_position) {
  uv_fs_t req;
  char bytes[6];
  uv_buf_t buf = uv_buf_init(bytes, 3);
  set_up();
  int fd = fs_fd(in_dir("file"), O_RDWR | O_CREAT);
  CHECK_EQ(pwrite(fd, "abcdef", 6, 0), 6);
  for (int i = 1; i <= 2; i++) {
    buf.base = &bytes[3 * i - 3];
    RUN(&req, uv_fs_read(&loop, &req, fd, &buf, 1, -3 * i, on_done));
    CHECK_EQ(results[0], 3);
    uv_fs_req_cleanup(&req);
  }
  CHECK_EQ(memcmp(bytes, "abcdef", 6), 0);
  CHECK_EQ(close(fd), 0);
  CHECK_EQ(unlink(in_dir("file")), 0);
  tear_down();
}

/* Where the kernel does not let the loop wait for the ring, the loop looks after it itself. */
TEST(a_ring_that_cannot_be_watched) {
  static const int refused[] = {SYS_epoll_ctl, FAULTS_END};
  OURS_ONLY("the reference aborts");
  uv_fs_t req;
  set_up();
  faults_add(SYS_epoll_ctl);
  faults_begin();
  for (int error = 0; error < 2; error++) {
    faults_set(refused, FAULTS_ANY_FILE, 0, error ? 0 : FAULTS_ALL, ENOSPC);
    for (int i = 0; i < 10; i++) {
      RUN(&req, uv_fs_stat(&loop, &req, dir, on_done));
      CHECK_EQ(results[0], 0);
      uv_fs_req_cleanup(&req);
    }
    faults_clear();
  }
  tear_down();
}

TEST(more_than_the_ring_holds) {
  enum { MANY = 1000 };
  uv_fs_t* reqs = malloc(MANY * sizeof *reqs);
  set_up();
  for (int i = 0; i < MANY; i++) CHECK_EQ(uv_fs_stat(&loop, &reqs[i], dir, on_one_of_many), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(called, MANY);
  tear_down();
  free(reqs);
}

static int left = 300;

static void on_one_after_the_other(uv_fs_t* req) {
  on_one_of_many(req);
  if (--left > 0) CHECK_EQ(uv_fs_stat(&loop, req, dir, on_one_after_the_other), 0);
}

TEST(begun_in_callbacks) {
  uv_fs_t reqs[3];
  set_up();
  for (int i = 0; i < 3; i++) CHECK_EQ(uv_fs_stat(&loop, &reqs[i], dir, on_one_after_the_other), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK(called >= 300);
  tear_down();
}

TEST(what_is_under_way_keeps_the_loop) {
  uv_fs_t req;
  int status;
  set_up();
  req.data = &results[0];
  CHECK_EQ(uv_fs_stat(&loop, &req, dir, on_done), 0);
  CHECK(uv_loop_alive(&loop));
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  status = uv_cancel((uv_req_t*) &req);
  CHECK(status == UV_EBUSY || status == 0); /* 0: there is no ring */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(called, 1);
  CHECK_EQ(req.result, status == 0 ? UV_ECANCELED : 0);
  uv_fs_req_cleanup(&req);
  tear_down();
}

TEST(a_child_has_its_own) {
  uv_fs_t req;
  set_up();
  RUN(&req, uv_fs_stat(&loop, &req, dir, on_done));
  uv_fs_req_cleanup(&req);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&loop), 0);
    RUN(&req, uv_fs_stat(&loop, &req, dir, on_done));
    CHECK_EQ(req.result, 0);
    uv_fs_req_cleanup(&req);
    CHECK_EQ(uv_loop_close(&loop), 0);
    _exit(0);
  }
  check_child(child);
  RUN(&req, uv_fs_stat(&loop, &req, dir, on_done)); /* the parent's is as before */
  CHECK_EQ(req.result, 0);
  uv_fs_req_cleanup(&req);
  tear_down();
}

TEST(without_the_environment_there_is_none) {
  uv_fs_t req;
  set_up();
  setenv("UV_USE_IO_URING", "0", 1);
  CHECK_EQ(uv_loop_configure(&loop, UV_LOOP_USE_IO_URING_SQPOLL), 0);
  RUN(&req, uv_fs_stat(&loop, &req, dir, on_done));
  CHECK_EQ(req.result, 0);
  uv_fs_req_cleanup(&req);
  tear_down();
}
