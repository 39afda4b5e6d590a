/* File requests as such: what they hold, when they call back, cleaning up, using one again, order. */
#define FS_AT_ONCE
#include "fs.h"

static int calls;

static void set_size(const char* size) {
  CHECK_EQ(setenv("UV_THREADPOOL_SIZE", size, 1), 0); /* read when the first work comes */
}

static void run(void) {
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
}

static void done(uv_fs_t* req) {
  CHECK(pthread_equal(pthread_self(), fs.thread));
  CHECK_EQ(req->result, 0);
  calls++;
}

static void failed(uv_fs_t* req) {
  CHECK(req->result < 0);
  calls++;
}

TEST(size_and_name) {
  CHECK_EQ(uv_req_size(UV_FS), sizeof(uv_fs_t));
  CHECK_STR(uv_req_type_name(UV_FS), "fs");
}

FS_TEST(getters) {
  fs_file("file", "text");
  CHECK_EQ(FS(uv_fs_stat, "file"), 0);
  CHECK_EQ(uv_fs_get_type(&fs.req), UV_FS_STAT);
  CHECK_EQ(uv_fs_get_result(&fs.req), 0);
  CHECK_EQ(uv_fs_get_ptr(&fs.req), &fs.req.statbuf);
  CHECK_EQ(uv_fs_get_statbuf(&fs.req), &fs.req.statbuf);
  CHECK_STR(uv_fs_get_path(&fs.req), "file");
  CHECK_EQ(uv_fs_get_system_error(&fs.req), 0);
  CHECK_EQ(uv_req_get_type((uv_req_t*) &fs.req), UV_FS);
  CHECK_EQ(uv_req_get_data((uv_req_t*) &fs.req), &fs);
  CHECK_EQ(FS(uv_fs_stat, "none"), UV_ENOENT);
  CHECK_EQ(uv_fs_get_result(&fs.req), UV_ENOENT);
  CHECK_EQ(uv_fs_get_ptr(&fs.req), NULL);
  CHECK_EQ(uv_fs_get_system_error(&fs.req), ENOENT);
  CHECK_EQ(FS(uv_fs_mkdir, "file", 0700), UV_EEXIST);
  CHECK_EQ(uv_fs_get_type(&fs.req), UV_FS_MKDIR);
  CHECK_EQ(uv_fs_get_system_error(&fs.req), EEXIST);
  CHECK_EQ(FS(uv_fs_close, -1), UV_EBADF);
  CHECK_EQ(uv_fs_get_path(&fs.req), NULL); /* it has none */
  int fd = (int) FS(uv_fs_open, "file", UV_FS_O_RDONLY, 0);
  CHECK_EQ(uv_fs_get_result(&fs.req), fd);
  CHECK_EQ(FS(uv_fs_close, fd), 0);
}

FS_TEST(the_path_is_the_first_of_two) {
  fs_file("file", "text");
  CHECK_EQ(FS(uv_fs_rename, "file", "other"), 0);
  CHECK_STR(uv_fs_get_path(&fs.req), "file");
  CHECK_EQ(FS(uv_fs_link, "other", "second"), 0);
  CHECK_STR(uv_fs_get_path(&fs.req), "other");
  CHECK_EQ(FS(uv_fs_copyfile, "other", "third", 0), 0);
  CHECK_STR(uv_fs_get_path(&fs.req), "other");
  CHECK_EQ(FS(uv_fs_symlink, "target", "fourth", 0), 0);
  CHECK_STR(uv_fs_get_path(&fs.req), "target");
}

FS_TEST(cleanup_as_often_as_one_likes) {
  fs_file("file", "text");
  CHECK_EQ(symlink("file", "symbolic"), 0);
  for (int i = 0; i < 7; i++) {
    switch (i) {
      case 0: CHECK_EQ(FS(uv_fs_stat, "file"), 0); break;
      case 1: CHECK_EQ(FS(uv_fs_readlink, "symbolic"), 0); break;
      case 2: CHECK_EQ(FS(uv_fs_realpath, "symbolic"), 0); break;
      case 3: CHECK_EQ(FS(uv_fs_statfs, "."), 0); break;
      case 4: CHECK_EQ(FS(uv_fs_mkdtemp, "XXXXXX"), 0); break;
      case 5: CHECK(FS(uv_fs_scandir, ".", 0) > 0); break;
      default: CHECK_EQ(FS(uv_fs_unlink, "none"), UV_ENOENT);
    }
    ssize_t result = fs.req.result;
    for (int j = 0; j < 3; j++) {
      uv_fs_req_cleanup(&fs.req);
      CHECK_EQ(fs.req.path, NULL);
      CHECK_EQ(fs.req.ptr, NULL);
      CHECK_EQ(fs.req.result, result); /* stays */
    }
  }
  uv_fs_req_cleanup(NULL);
}

FS_TEST(a_request_that_is_null) {
  uv_fs_cb cb = fs.async ? fs_called : NULL;
  uv_buf_t buf = uv_buf_init(NULL, 0);
  CHECK_EQ(uv_fs_stat(&fs.loop, NULL, "file", cb), UV_EINVAL);
  CHECK_EQ(uv_fs_open(&fs.loop, NULL, "file", UV_FS_O_WRONLY | UV_FS_O_CREAT, 0600, cb), UV_EINVAL);
  CHECK_EQ(uv_fs_mkdir(&fs.loop, NULL, "file", 0700, cb), UV_EINVAL);
  CHECK_EQ(uv_fs_rename(&fs.loop, NULL, ".", "file", cb), UV_EINVAL);
  CHECK_EQ(uv_fs_mkdtemp(&fs.loop, NULL, "XXXXXX", cb), UV_EINVAL);
  CHECK_EQ(uv_fs_close(&fs.loop, NULL, 0, cb), UV_EINVAL);
  CHECK_EQ(uv_fs_read(&fs.loop, NULL, 0, &buf, 1, -1, cb), UV_EINVAL);
  CHECK_EQ(uv_fs_closedir(&fs.loop, NULL, NULL, cb), UV_EINVAL);
  CHECK_EQ(uv_fs_copyfile(&fs.loop, NULL, ".", "file", 0, cb), UV_EINVAL);
  CHECK(!fs_exists("file"));
  run();
  CHECK_EQ(fs.calls, 0);
}

FS_TEST(no_buffers) {
  char byte = 'x';
  uv_buf_t buf = uv_buf_init(&byte, 1);
  fs_file("file", "text");
  int fd = fs_fd("file", O_RDWR);
  CHECK_EQ(FS_REFUSED(uv_fs_read, fd, NULL, 1, 0), UV_EINVAL);
  CHECK_EQ(FS_REFUSED(uv_fs_read, fd, &buf, 0, 0), UV_EINVAL);
  CHECK_EQ(FS_REFUSED(uv_fs_read, fd, NULL, 0, -1), UV_EINVAL);
  CHECK_EQ(FS_REFUSED(uv_fs_write, fd, NULL, 1, 0), UV_EINVAL);
  CHECK_EQ(FS_REFUSED(uv_fs_write, fd, &buf, 0, 0), UV_EINVAL);
  CHECK_EQ(FS_REFUSED(uv_fs_write, fd, NULL, 0, -1), UV_EINVAL);
  CHECK_STR(fs_text("file"), "text");
  CHECK_EQ(close(fd), 0);
}

/* A request without a callback is done when the call returns, also if it names a loop. */
TEST(synchronous_with_a_loop) {
  fs_begin(0);
  fs_file("file", "text");
  CHECK_EQ(uv_fs_stat(&fs.loop, &fs.req, "file", NULL), 0);
  CHECK_EQ(fs.req.loop, &fs.loop);
  CHECK_EQ(fs.req.statbuf.st_size, 4);
  CHECK_EQ(uv_loop_alive(&fs.loop), 0);
  uv_fs_req_cleanup(&fs.req);
  CHECK_EQ(uv_fs_unlink(&fs.loop, &fs.req, "none", NULL), UV_ENOENT);
  CHECK_EQ(uv_loop_alive(&fs.loop), 0);
  uv_fs_req_cleanup(&fs.req);
  fs_end();
}

TEST(an_asynchronous_one_keeps_the_loop_alive) {
  uv_fs_t req;
  fs_begin(1);
  CHECK_EQ(uv_fs_stat(&fs.loop, &req, ".", done), 0);
  CHECK_EQ(uv_loop_alive(&fs.loop), 1);
  CHECK_EQ(uv_loop_close(&fs.loop), UV_EBUSY);
  CHECK_EQ(calls, 0);
  run();
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_loop_alive(&fs.loop), 0);
  uv_fs_req_cleanup(&req);
  fs_end();
}

/* Of the arguments of an asynchronous call only what the buffers point to has to stay. */
TEST(arguments_are_copied) {
  char path[32] = "file", other[32] = "other", text[] = "some text";
  uv_buf_t bufs[8];
  fs_begin(1);
  CHECK_EQ(uv_fs_open(&fs.loop, &fs.req, path, UV_FS_O_RDWR | UV_FS_O_CREAT, 0600, fs_called), 0);
  CHECK(fs.req.path != path);
  memset(path, '#', sizeof(path) - 1);
  run();
  int fd = (int) fs.req.result;
  CHECK(fd >= 0);
  CHECK_STR(fs.req.path, "file");
  uv_fs_req_cleanup(&fs.req);
  for (int count = 1; count <= 8; count++) {
    for (int i = 0; i < count; i++) bufs[i] = uv_buf_init(text + i, 1);
    CHECK_EQ(uv_fs_write(&fs.loop, &fs.req, fd, bufs, (unsigned) count, 0, fs_called), 0);
    memset(bufs, 0, sizeof(bufs));
    run();
    CHECK_EQ(fs.req.result, count);
    uv_fs_req_cleanup(&fs.req);
  }
  CHECK_STR(fs_text("file"), "some tex");
  strcpy(path, "file");
  CHECK_EQ(uv_fs_rename(&fs.loop, &fs.req, path, other, fs_called), 0);
  memset(path, '#', sizeof(path) - 1);
  memset(other, '#', sizeof(other) - 1);
  run();
  CHECK_EQ(fs.req.result, 0);
  CHECK_STR(fs.req.path, "file");
  uv_fs_req_cleanup(&fs.req);
  CHECK(fs_exists("other"));
  CHECK_EQ(close(fd), 0);
  fs_end();
}

/* A synchronous one borrows the path. */
TEST(paths_of_synchronous_calls_are_not_copied) {
  static const char path[] = "none";
  fs_begin(0);
  CHECK_EQ(uv_fs_unlink(NULL, &fs.req, path, NULL), UV_ENOENT);
  CHECK_EQ(uv_fs_get_path(&fs.req), path);
  uv_fs_req_cleanup(&fs.req);
  CHECK_STR(path, "none");
  fs_end();
}

/* The same request again and again, started from its own callback. */
static int rounds;
static char text[] = "text";
static uv_file file;

static void next_step(uv_fs_t* req) {
  uv_fs_type was = req->fs_type;
  uv_buf_t buf = uv_buf_init(text, 4);
  if (req->result < 0) CHECK_FAIL("round %d, type %d: %s", rounds, was, uv_strerror((int) req->result));
  if (was == UV_FS_OPEN) file = (uv_file) req->result;
  uv_fs_req_cleanup(req);
  switch (was) {
    case UV_FS_OPEN: CHECK_EQ(uv_fs_write(&fs.loop, req, file, &buf, 1, -1, next_step), 0); break;
    case UV_FS_WRITE: CHECK_EQ(uv_fs_read(&fs.loop, req, file, &buf, 1, 0, next_step), 0); break;
    case UV_FS_READ: CHECK_EQ(uv_fs_close(&fs.loop, req, file, next_step), 0); break;
    case UV_FS_CLOSE: CHECK_EQ(uv_fs_unlink(&fs.loop, req, "file", next_step), 0); break;
    default:
      if (++rounds < 200) CHECK_EQ(uv_fs_open(&fs.loop, req, "file", O_RDWR | O_CREAT, 0600, next_step), 0);
  }
}

TEST(one_after_the_other_from_the_callback) {
  fs_begin(1);
  CHECK_EQ(uv_fs_open(&fs.loop, &fs.req, "file", O_RDWR | O_CREAT, 0600, next_step), 0);
  run();
  CHECK_EQ(rounds, 200);
  fs_end();
}

static void free_it(uv_fs_t* req) {
  uv_fs_t inner;
  CHECK_EQ(req->result, 0);
  CHECK_EQ(uv_fs_lstat(NULL, &inner, req->path, NULL), 0); /* synchronous calls are fine in callbacks */
  uv_fs_req_cleanup(&inner);
  uv_fs_req_cleanup(req);
  memset(req, 0x5a, sizeof(*req));
  free(req);
  calls++;
}

TEST(a_request_may_be_freed_in_its_callback) {
  fs_begin(1);
  for (int i = 0; i < 100; i++) CHECK_EQ(uv_fs_stat(&fs.loop, malloc(sizeof(uv_fs_t)), ".", free_it), 0);
  run();
  CHECK_EQ(calls, 100);
  fs_end();
}

/* One thread: everything is in the order of the calls. */
enum { MANY = 200 };
static uv_fs_t many[MANY];

static void in_order(uv_fs_t* req) {
  CHECK_EQ(req - many, calls);
  CHECK_EQ(req->result, req->fs_type == UV_FS_ACCESS ? UV_ENOENT : 0);
  uv_fs_req_cleanup(req);
  calls++;
}

TEST(order) {
  set_size("1");
  fs_begin(1);
  for (int i = 0; i < MANY; i += 4) {
    CHECK_EQ(uv_fs_mkdir(&fs.loop, &many[i], "one", 0700, in_order), 0);
    CHECK_EQ(uv_fs_rename(&fs.loop, &many[i + 1], "one", "two", in_order), 0);
    CHECK_EQ(uv_fs_access(&fs.loop, &many[i + 2], "one", F_OK, in_order), 0);
    CHECK_EQ(uv_fs_rmdir(&fs.loop, &many[i + 3], "two", in_order), 0);
  }
  CHECK_EQ(fs.loop.active_reqs.count, MANY);
  run();
  CHECK_EQ(calls, MANY);
  fs_end();
}

static void count(uv_fs_t* req) {
  (void) req;
  calls++;
}

/* One that needs no thread does not overtake one that does: it may ask about what that one does. */
TEST(nothing_overtakes) {
  static char bytes[1 << 17];
  uv_buf_t buf = uv_buf_init(bytes, sizeof(bytes));
  set_size("1");
  fs_begin(1);
  for (int i = 0; i < 50; i++) {
    int fd = fs_fd("file", O_RDWR | O_CREAT | O_TRUNC), reader = fs_fd("file", O_RDONLY);
    CHECK_EQ(uv_fs_write(&fs.loop, &many[0], fd, &buf, 1, 0, count), 0);
    CHECK_EQ(uv_fs_fstat(&fs.loop, &many[1], reader, count), 0);
    CHECK_EQ(uv_fs_stat(&fs.loop, &many[2], "file", count), 0);
    CHECK_EQ(uv_fs_read(&fs.loop, &many[3], reader, &buf, 1, 0, count), 0);
    CHECK_EQ(uv_fs_close(&fs.loop, &many[4], reader, count), 0);
    run();
    CHECK_EQ(many[0].result, sizeof(bytes));
    CHECK_EQ(many[1].statbuf.st_size, sizeof(bytes));
    CHECK_EQ(many[2].statbuf.st_size, sizeof(bytes));
    CHECK_EQ(many[3].result, sizeof(bytes));
    CHECK_EQ(many[4].result, 0);
    for (int j = 0; j < 5; j++) uv_fs_req_cleanup(&many[j]);
    CHECK_EQ(close(fd), 0);
  }
  CHECK_EQ(calls, 250);
  fs_end();
}

TEST(many_at_once) {
  fs_begin(1);
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < MANY; i += 2) {
      CHECK_EQ(uv_fs_stat(&fs.loop, &many[i], ".", done), 0);
      CHECK_EQ(uv_fs_stat(&fs.loop, &many[i + 1], "none", failed), 0);
    }
    run();
    for (int i = 0; i < MANY; i++) uv_fs_req_cleanup(&many[i]);
  }
  CHECK_EQ(calls, 20 * MANY);
  fs_end();
}

/* Each thread with a loop of its own, and synchronous calls in between. */
enum { THREADS = 4, EACH = 100 };

static void count_down(uv_fs_t* req) {
  CHECK_EQ(req->result, 0);
  --*(int*) req->data;
}

static void* work_in_thread(void* arg) {
  uv_loop_t loop;
  uv_fs_t* reqs = calloc(EACH, sizeof(*reqs));
  char name[32];
  int left = EACH;
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < EACH; i++) {
    uv_fs_t now;
    snprintf(name, sizeof(name), "%d-%d", *(int*) arg, i);
    CHECK_EQ(uv_fs_mkdir(NULL, &now, name, 0700, NULL), 0);
    uv_fs_req_cleanup(&now);
    reqs[i].data = &left;
    CHECK_EQ(uv_fs_rmdir(&loop, &reqs[i], name, count_down), 0);
    if (i % 7 == 0) uv_run(&loop, UV_RUN_NOWAIT);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(left, 0);
  for (int i = 0; i < EACH; i++) uv_fs_req_cleanup(&reqs[i]);
  CHECK_EQ(uv_loop_close(&loop), 0);
  free(reqs);
  return NULL;
}

TEST(loops_in_many_threads) {
  pthread_t threads[THREADS];
  int numbers[THREADS];
  fs_begin(1);
  for (int i = 0; i < THREADS; i++) {
    numbers[i] = i;
    CHECK_EQ(pthread_create(&threads[i], NULL, work_in_thread, &numbers[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  fs_end();
}

/* What takes its time does so elsewhere: while three of the pool's threads wait, the loop goes on. */
static int fifo_end = -1, pipe_ends[2], full_ends[2];

static void end_waiting(uv_timer_t* timer) {
  char back[1 << 16];
  CHECK_EQ(calls, 0);
  fifo_end = open("fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC); /* once the other side is there */
  if (fifo_end < 0) {
    CHECK_EQ(errno, ENXIO);
    return;
  }
  CHECK_EQ(write(pipe_ends[1], "x", 1), 1);
  CHECK(read(full_ends[0], back, sizeof(back)) > 0);
  uv_close((uv_handle_t*) timer, NULL);
}

static void has_waited(uv_fs_t* req) {
  CHECK(req->result >= 0);
  CHECK(fifo_end >= 0);
  calls++;
}

TEST(calls_do_not_wait) {
  static char bytes[1 << 16];
  char byte;
  uv_buf_t one = uv_buf_init(&byte, 1), large = uv_buf_init(bytes, sizeof(bytes));
  uv_fs_t reqs[3];
  uv_timer_t timer;
  fs_begin(1);
  CHECK_EQ(mkfifo("fifo", 0600), 0);
  CHECK_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  CHECK_EQ(pipe2(full_ends, O_CLOEXEC), 0);
  CHECK_EQ(fcntl(full_ends[1], F_SETPIPE_SZ, 1 << 16), 1 << 16);
  CHECK_EQ(write(full_ends[1], bytes, sizeof(bytes)), sizeof(bytes));
  CHECK_EQ(uv_timer_init(&fs.loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, end_waiting, 1, 1), 0);
  CHECK_EQ(uv_fs_open(&fs.loop, &reqs[0], "fifo", O_RDONLY, 0, has_waited), 0);
  CHECK_EQ(uv_fs_read(&fs.loop, &reqs[1], pipe_ends[0], &one, 1, -1, has_waited), 0);
  CHECK_EQ(uv_fs_write(&fs.loop, &reqs[2], full_ends[1], &large, 1, -1, has_waited), 0);
  run();
  CHECK_EQ(calls, 3);
  CHECK_EQ(byte, 'x');
  CHECK_EQ(reqs[2].result, sizeof(bytes));
  close((int) reqs[0].result), close(fifo_end);
  for (int i = 0; i < 3; i++) uv_fs_req_cleanup(&reqs[i]);
  for (int i = 0; i < 2; i++) close(pipe_ends[i]), close(full_ends[i]);
  fs_end();
}

/* Who opens a file that somebody has a lease on waits until it is given back; the signal says that somebody does. */
TEST(opening_does_not_wait_for_a_lease) {
  sigset_t set;
  int signum, holder;
  fs_begin(1);
  sigemptyset(&set);
  sigaddset(&set, SIGIO);
  CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
  fs_file("file", "text");
  holder = fs_fd("file", O_RDWR);
  if (fcntl(holder, F_SETLEASE, F_WRLCK) != 0) SKIP("no leases here");
  CHECK_EQ(uv_fs_open(&fs.loop, &fs.req, "file", O_RDONLY, 0, fs_called), 0);
  CHECK_EQ(sigwait(&set, &signum), 0);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_NOWAIT), 1);
  CHECK_EQ(fs.calls, 0);
  CHECK_EQ(fcntl(holder, F_SETLEASE, F_UNLCK), 0);
  run();
  CHECK_EQ(fs.calls, 1);
  CHECK(fs.req.result >= 0);
  close((int) fs.req.result), close(holder);
  uv_fs_req_cleanup(&fs.req);
  fs_end();
}
