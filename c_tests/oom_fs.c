/* Memory exhaustion in file operations: every allocation of every operation fails in turn, in the call and on the pool's
 * thread. The result is UV_ENOMEM, nothing is left behind, and the next attempt, on the same request, goes one further. */
#include "fs_ops.h"

static fs_op current;
static long refused;

static int one_operation(long n) {
  ssize_t result;
  scene_set();
  allocs_fail_at(n);
  result = op_result(current);
  refused = allocs.refused;
  allocs_fail_at(0);
  if (result >= 0) op_check_success(current, result);
  op_end(current, result);
  scene_clear();
  return result < 0 ? (int) result : 0;
}

static int attempt(long n) {
  int files = fs_descriptors(), result = one_operation(n);
  CHECK_EQ(fs_descriptors(), files);
  return result;
}

static long exhaust(fs_op op) {
  if (op == op_opendir || op == op_readdir) OURS_ONLY("the reference says 0 when it has no memory for the result");
  if (op == op_realpath) NEEDS(1, 52); /* before, it freed what the C library had allocated */
  current = op;
  if (fs.async) attempt(0); /* the pool's thread is there from here on */
  return allocs_exhaust(attempt);
}

/* Operations with a path copy it if there is a callback; these have none. */
static int needs_none(fs_op op) {
  static const fs_op without[] = {op_close, op_closedir, op_fchmod, op_fchown, op_fdatasync, op_fstat,
    op_fsync, op_ftruncate, op_futime, op_read, op_sendfile, op_write};
  for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
    if (without[i] == op) return 1;
  return 0;
}

#define OOM_TEST(name, ...)                                                                                          \
  FS_TEST(name) {                                                                                                    \
    long count = exhaust(op_##name);                                                                                 \
    if (needs_none(op_##name)) CHECK_EQ(count, 0);                                                                   \
    else if (fs.async) CHECK(count >= 1);                                                                            \
  }
FS_OPS(OOM_TEST)

/* With a ring that is made for the operation. Without memory for the ring, or for what it needs, the pool does the work. */
static int attempt_in_ring(long n) {
  int files = fs_descriptors(), result;
  CHECK_EQ(uv_loop_init(&fs.loop), 0);
  CHECK_EQ(uv_loop_configure(&fs.loop, UV_LOOP_USE_IO_URING_SQPOLL), 0);
  result = one_operation(n);
  CHECK_EQ(uv_loop_close(&fs.loop), 0);
  CHECK_EQ(fs_descriptors(), files);
  return result == 0 && refused != 0 ? UV_ENOMEM : result;
}

TEST(in_a_ring) {
  static const fs_op ops[] = {op_fdatasync, op_fstat, op_fsync, op_link, op_lstat, op_mkdir, op_open, op_read, op_rename, op_stat,
    op_symlink, op_unlink, op_write};
  NEEDS(1, 49);
  CHECK_EQ(setenv("UV_USE_IO_URING", "1", 1), 0);
  CHECK_EQ(setenv("UV_FS_INLINE", "0", 1), 0);
  fs_begin(1);
  CHECK_EQ(uv_loop_close(&fs.loop), 0);
  for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
    current = ops[i];
    attempt_in_ring(0); /* the pool's thread is there from here on */
    allocs_exhaust(attempt_in_ring);
  }
  CHECK_EQ(uv_loop_init(&fs.loop), 0);
  fs_end();
}

static uv_buf_t many[100];

static int write_many(uv_loop_t* loop, uv_fs_t* req, uv_fs_cb cb) {
  for (int i = 0; i < 100; i++) many[i] = uv_buf_init(scene.bytes, 1);
  return uv_fs_write(loop, req, scene.out, many, 100, 0, cb);
}

static int read_many(uv_loop_t* loop, uv_fs_t* req, uv_fs_cb cb) {
  for (int i = 0; i < 100; i++) many[i] = uv_buf_init(scene.bytes, 1);
  return uv_fs_read(loop, req, scene.in, many, 100, 0, cb);
}

static int with_many_bufs(long n, fs_op op, ssize_t expected) {
  ssize_t result;
  scene_set();
  allocs_fail_at(n);
  result = op_result(op);
  allocs_fail_at(0);
  if (result >= 0) CHECK_EQ(result, expected);
  op_end(op, result);
  scene_clear();
  return result < 0 ? (int) result : 0;
}

static int attempt_to_read(long n) { return with_many_bufs(n, read_many, 10); }
static int attempt_to_write(long n) { return with_many_bufs(n, write_many, 100); }

FS_TEST(many_bufs) {
  if (fs.async) attempt_to_read(0);
  allocs_exhaust(attempt_to_read);
  CHECK(allocs_exhaust(attempt_to_write) >= 1);
}

/* A folder that needs its memory enlarged several times. */
static int scan(uv_loop_t* loop, uv_fs_t* req, uv_fs_cb cb) { return uv_fs_scandir(loop, req, "large", 0, cb); }

static int attempt_to_scan(long n) {
  uv_dirent_t entry;
  ssize_t result;
  allocs_fail_at(n);
  result = op_result(scan);
  allocs_fail_at(0);
  if (result >= 0) {
    CHECK_EQ(result, 500);
    __atomic_store_n(&allocs.always, 1, __ATOMIC_SEQ_CST); /* what is listed needs no memory any more */
    for (int i = 0; i < 500; i++) CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), 0);
    CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), UV_EOF);
    __atomic_store_n(&allocs.always, 0, __ATOMIC_SEQ_CST);
  } else {
    CHECK_EQ(fs.req.ptr, NULL);
    if (fs.req.result < 0) CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), UV_ENOMEM);
  }
  op_end(scan, result);
  return result < 0 ? (int) result : 0;
}

FS_TEST(a_large_folder) {
  char name[64];
  CHECK_EQ(mkdir("large", 0700), 0);
  for (int i = 0; i < 500; i++) {
    snprintf(name, sizeof(name), "large/a-name-that-takes-some-room-%d", i);
    fs_file(name, "");
  }
  if (fs.async) attempt_to_scan(0);
  allocs_exhaust(attempt_to_scan);
}
