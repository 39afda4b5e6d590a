/* Cancelling file requests: what no thread has begun is, what has begun or is done is not. */
#include "fs.h"
#include "held_pool.h"

#include <sched.h>

enum { MANY = 200 };
static uv_fs_t many[MANY];
static int calls;

static void run(void) {
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
}

static void done(uv_fs_t* req) {
  CHECK_EQ(req->result, 0);
  calls++;
}

static int cancelled;

static void begin_held(void) {
  fs_begin(1);
  hold_pool(&fs.loop, 1);
}

static void end_held(void) {
  let_pool_go();
  run();
  fs_end();
}

static void was_cancelled(uv_fs_t* req) {
  CHECK_EQ(req->result, UV_ECANCELED);
  CHECK_EQ(uv_fs_get_system_error(req), ECANCELED);
  cancelled++;
}

TEST(cancel_while_the_thread_is_busy) {
  enum { COUNT = 21 };
  uv_fs_t reqs[COUNT], *req = reqs;
  char byte = 'x';
  uv_buf_t buf = uv_buf_init(&byte, 1), bufs[6] = {buf, buf, buf, buf, buf, buf};
  uv_dirent_t entry;
  begin_held();
  uv_loop_t* loop = &fs.loop;
  fs_file("file", "text");
  int fd = fs_fd("file", O_RDWR);
  CHECK_EQ(uv_fs_stat(loop, req++, "/", was_cancelled), 0);
  CHECK_EQ(uv_fs_fstat(loop, req++, fd, was_cancelled), 0);
  CHECK_EQ(uv_fs_statfs(loop, req++, "/", was_cancelled), 0);
  CHECK_EQ(uv_fs_mkdir(loop, req++, "/nowhere/at/all", 0700, was_cancelled), 0);
  CHECK_EQ(uv_fs_mkdir(loop, req++, "new", 0700, was_cancelled), 0);
  CHECK_EQ(uv_fs_mkdtemp(loop, req++, "new.XXXXXX", was_cancelled), 0);
  CHECK_EQ(uv_fs_mkstemp(loop, req++, "new.XXXXXX", was_cancelled), 0);
  CHECK_EQ(uv_fs_open(loop, req++, "new", O_RDWR | O_CREAT, 0700, was_cancelled), 0);
  CHECK_EQ(uv_fs_read(loop, req++, fd, &buf, 1, -1, was_cancelled), 0);
  CHECK_EQ(uv_fs_read(loop, req++, fd, bufs, 6, -1, was_cancelled), 0);
  CHECK_EQ(uv_fs_write(loop, req++, fd, &buf, 1, 0, was_cancelled), 0);
  CHECK_EQ(uv_fs_write(loop, req++, fd, bufs, 6, 0, was_cancelled), 0);
  CHECK_EQ(uv_fs_ftruncate(loop, req++, fd, 0, was_cancelled), 0);
  CHECK_EQ(uv_fs_rename(loop, req++, "file", "new", was_cancelled), 0);
  CHECK_EQ(uv_fs_copyfile(loop, req++, "file", "new", 0, was_cancelled), 0);
  CHECK_EQ(uv_fs_opendir(loop, req++, "/", was_cancelled), 0);
  CHECK_EQ(uv_fs_readlink(loop, req++, "/proc/self/exe", was_cancelled), 0);
  CHECK_EQ(uv_fs_realpath(loop, req++, "/", was_cancelled), 0);
  CHECK_EQ(uv_fs_utime(loop, req++, "file", 1, 2, was_cancelled), 0);
  CHECK_EQ(uv_fs_close(loop, req++, fd, was_cancelled), 0);
  CHECK_EQ(uv_fs_scandir(loop, req++, "/", 0, was_cancelled), 0);
  CHECK_EQ(req - reqs, COUNT);
  for (int i = 0; i < COUNT; i++) CHECK_EQ(uv_cancel((uv_req_t*) &reqs[i]), 0);
  CHECK_EQ(cancelled, 0); /* not inside uv_cancel */
  while (cancelled < COUNT) CHECK(uv_run(loop, UV_RUN_ONCE) != 0); /* no thread had to get free for this */
  CHECK_EQ(uv_fs_scandir_next(&reqs[COUNT - 1], &entry), UV_ECANCELED);
  for (int i = 0; i < COUNT; i++) uv_fs_req_cleanup(&reqs[i]);
  CHECK(!fs_exists("new"));
  CHECK_STR(fs_text("file"), "text");
  CHECK_EQ(byte, 'x');
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
  CHECK_EQ(close(fd), 0); /* it was not closed */
  end_held();
}

/* A folder that was to be read can be read later. */
TEST(cancel_reading_a_folder) {
  uv_dirent_t entries[4];
  uv_fs_t req;
  uv_dir_t* dir;
  begin_held();
  fs_file("file", "");
  CHECK_EQ(uv_fs_opendir(NULL, &req, ".", NULL), 0);
  dir = req.ptr;
  uv_fs_req_cleanup(&req);
  dir->dirents = entries;
  dir->nentries = 4;
  CHECK_EQ(uv_fs_readdir(&fs.loop, &req, dir, was_cancelled), 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &req), 0);
  while (cancelled < 1) CHECK(uv_run(&fs.loop, UV_RUN_ONCE) != 0);
  uv_fs_req_cleanup(&req);
  CHECK_EQ(uv_fs_readdir(NULL, &req, dir, NULL), 1);
  CHECK_STR(entries[0].name, "file");
  uv_fs_req_cleanup(&req);
  CHECK_EQ(uv_fs_closedir(NULL, &req, dir, NULL), 0);
  uv_fs_req_cleanup(&req);
  end_held();
}

TEST(cancel_some_of_many) {
  begin_held();
  for (int i = 0; i < MANY; i++) CHECK_EQ(uv_fs_stat(&fs.loop, &many[i], ".", i % 3 == 0 ? was_cancelled : done), 0);
  for (int i = 0; i < MANY; i += 3) CHECK_EQ(uv_cancel((uv_req_t*) &many[i]), 0);
  let_pool_go();
  run();
  CHECK_EQ(cancelled, (MANY + 2) / 3);
  CHECK_EQ(calls, MANY - cancelled);
  for (int i = 0; i < MANY; i++) uv_fs_req_cleanup(&many[i]);
  end_held();
}

static void either(uv_fs_t* req) {
  CHECK(req->result == 0 || req->result == UV_ECANCELED);
  cancelled += req->result != 0;
  calls++;
}

/* Each while a thread may be taking it. */
TEST(cancel_in_a_race) {
  int refused = 0;
  CHECK_EQ(setenv("UV_THREADPOOL_SIZE", "4", 1), 0);
  fs_begin(1);
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < MANY; i++) {
      CHECK_EQ(uv_fs_access(&fs.loop, &many[i], ".", F_OK, either), 0);
      if (i % 2 == 0) sched_yield();
      int result = uv_cancel((uv_req_t*) &many[i]);
      CHECK(result == 0 || result == UV_EBUSY);
      refused += result != 0;
    }
    run();
    for (int i = 0; i < MANY; i++) uv_fs_req_cleanup(&many[i]);
  }
  CHECK_EQ(calls, 20 * MANY);
  CHECK_EQ(cancelled, 20 * MANY - refused);
  fs_end();
}

static void cancel_it(uv_fs_t* req) {
  was_cancelled(req);
  CHECK_EQ(uv_cancel((uv_req_t*) &many[1]), 0);
}

TEST(cancel_from_a_callback) {
  begin_held();
  CHECK_EQ(uv_fs_stat(&fs.loop, &many[0], ".", cancel_it), 0);
  CHECK_EQ(uv_fs_stat(&fs.loop, &many[1], ".", was_cancelled), 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &many[0]), 0);
  while (cancelled < 2) CHECK(uv_run(&fs.loop, UV_RUN_ONCE) != 0);
  uv_fs_req_cleanup(&many[0]);
  uv_fs_req_cleanup(&many[1]);
  end_held();
}

TEST(cancel_what_is_done) {
  fs_begin(1);
  CHECK_EQ(uv_fs_stat(&fs.loop, &fs.req, ".", done), 0);
  run();
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_cancel((uv_req_t*) &fs.req), UV_EBUSY);
  CHECK_EQ(fs.req.result, 0);
  uv_fs_req_cleanup(&fs.req);
  fs_end();
}

/* A thread that writes more than a pipe holds has begun when something can be read. */
TEST(cancel_what_has_begun) {
  static char bytes[1 << 20], back[1 << 20];
  uv_buf_t buf = uv_buf_init(bytes, sizeof(bytes));
  size_t got = 1;
  int ends[2];
  fs_begin(1);
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  CHECK_EQ(uv_fs_write(&fs.loop, &fs.req, ends[1], &buf, 1, -1, fs_called), 0);
  CHECK_EQ(read(ends[0], back, 1), 1);
  CHECK_EQ(uv_cancel((uv_req_t*) &fs.req), UV_EBUSY);
  while (got < sizeof(bytes)) {
    ssize_t more = read(ends[0], back, sizeof(back));
    CHECK(more > 0);
    got += (size_t) more;
  }
  run();
  CHECK_EQ(fs.calls, 1);
  CHECK_EQ(fs.req.result, sizeof(bytes));
  uv_fs_req_cleanup(&fs.req);
  close(ends[0]), close(ends[1]);
  fs_end();
}
