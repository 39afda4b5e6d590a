/* System calls that fail: for every operation, every call that it makes, and every error of that call's manual page. The
 * request gets that error (or, where another way leads there, success), nothing is left behind, and the same request then
 * does the same again, without an error. */
#include "faults.h"
#include "fs_ops.h"

/* What some machines lack, and others have under another name. */
#ifndef SYS_access
#define SYS_access -1
#define SYS_chmod -1
#define SYS_chown -1
#define SYS_getdents -1
#define SYS_lchown -1
#define SYS_link -1
#define SYS_lstat -1
#define SYS_mkdir -1
#define SYS_open -1
#define SYS_readlink -1
#define SYS_rename -1
#define SYS_rmdir -1
#define SYS_stat -1
#define SYS_symlink -1
#define SYS_unlink -1
#endif
#ifndef SYS_newfstatat
#define SYS_newfstatat -1
#endif
#ifndef SYS_renameat
#define SYS_renameat -1
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/* A system call under each of its names; those that do not exist here are below 0. */
#define CALLS(...) ((const int[]) {__VA_ARGS__, FAULTS_END})
#define ERRORS(...) ((const int[]) {__VA_ARGS__, 0})

struct row {
  fs_op op;
  const int* calls;
  enum {
    TOLD,   /* the error is the result */
    PASSED, /* success: there is another way, or it does not matter */
    EITHER
  } expected;
  const int* errors;
  const int* file; /* calls on this one alone, if there is one */
  int skip;        /* so many calls pass first */
};

#define LOOK_UP EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENOMEM, EIO
#define CHANGE LOOK_UP, EPERM, EROFS
#define MAKE CHANGE, EEXIST, EDQUOT, EMLINK, ENOSPC
#define OPEN                                                                                                         \
  LOOK_UP, EBUSY, EDQUOT, EEXIST, EFBIG, EINVAL, EISDIR, EMFILE, ENFILE, ENODEV, ENOSPC, ENXIO, EOPNOTSUPP,          \
    EOVERFLOW, EPERM, EROFS, ETXTBSY, EWOULDBLOCK
#define SYNC EBADF, EIO, EROFS, EINVAL, ENOSPC, EDQUOT
#define READ EAGAIN, EBADF, EFAULT, EINVAL, EIO, EISDIR, ENXIO, EOVERFLOW, ESPIPE
#define WRITE EAGAIN, EBADF, EDESTADDRREQ, EDQUOT, EFAULT, EFBIG, EINVAL, EIO, ENOSPC, EPERM, EPIPE, ENXIO, EOVERFLOW

static int op_clone(uv_loop_t* loop, uv_fs_t* req, uv_fs_cb cb) {
  return uv_fs_copyfile(loop, req, "file", "new", UV_FS_COPYFILE_FICLONE, cb);
}

static int op_clone_or_fail(uv_loop_t* loop, uv_fs_t* req, uv_fs_cb cb) {
  return uv_fs_copyfile(loop, req, "file", "new", UV_FS_COPYFILE_FICLONE_FORCE, cb);
}

static int op_open_to_read(uv_loop_t* loop, uv_fs_t* req, uv_fs_cb cb) {
  return uv_fs_open(loop, req, "file", O_RDONLY, 0, cb);
}

static const struct row rows[] = {
  {op_access, CALLS(SYS_faccessat, SYS_faccessat2, SYS_access), TOLD, ERRORS(CHANGE, EINVAL, ETXTBSY), NULL, 0},
  {op_chmod, CALLS(SYS_fchmodat, SYS_fchmodat2, SYS_chmod), TOLD, ERRORS(CHANGE), NULL, 0},
  {op_chown, CALLS(SYS_fchownat, SYS_chown), TOLD, ERRORS(CHANGE), NULL, 0},
  {op_close, CALLS(SYS_close), TOLD, ERRORS(EBADF, EIO, ENOSPC, EDQUOT), &scene.in, 0},
  {op_closedir, CALLS(SYS_close), PASSED, ERRORS(EBADF, EIO), NULL, 0},
  {op_fchmod, CALLS(SYS_fchmod), TOLD, ERRORS(EBADF, EIO, EPERM, EROFS), NULL, 0},
  {op_fchown, CALLS(SYS_fchown), TOLD, ERRORS(EBADF, EIO, EPERM, EROFS), NULL, 0},
  {op_fdatasync, CALLS(SYS_fdatasync), TOLD, ERRORS(SYNC), NULL, 0},
  {op_fsync, CALLS(SYS_fsync), TOLD, ERRORS(SYNC), NULL, 0},
  {op_ftruncate, CALLS(SYS_ftruncate), TOLD, ERRORS(EFBIG, EINVAL, EIO, EPERM, EROFS, ETXTBSY, EBADF), NULL, 0},
  {op_futime, CALLS(SYS_utimensat), TOLD, ERRORS(EACCES, EBADF, EINVAL, EPERM, EROFS), NULL, 0},
  {op_lchown, CALLS(SYS_fchownat, SYS_lchown), TOLD, ERRORS(CHANGE), NULL, 0},
  {op_link, CALLS(SYS_linkat, SYS_link), TOLD, ERRORS(MAKE, EXDEV), NULL, 0},
  {op_lutime, CALLS(SYS_utimensat), TOLD, ERRORS(CHANGE, EINVAL), NULL, 0},
  {op_mkdir, CALLS(SYS_mkdirat, SYS_mkdir), TOLD, ERRORS(MAKE, EINVAL), NULL, 0},
  {op_mkdtemp, CALLS(SYS_mkdirat, SYS_mkdir), TOLD, ERRORS(CHANGE, EDQUOT, EMLINK, ENOSPC, EINVAL), NULL, 0},
  {op_mkdtemp, CALLS(SYS_mkdirat, SYS_mkdir), PASSED, ERRORS(EEXIST), NULL, 0},
  {op_mkstemp, CALLS(SYS_openat, SYS_open), TOLD, ERRORS(CHANGE, EMFILE, ENFILE, ENOSPC, EDQUOT), NULL, 0},
  {op_mkstemp, CALLS(SYS_openat, SYS_open), PASSED, ERRORS(EEXIST), NULL, 0},
  {op_open, CALLS(SYS_openat, SYS_open), TOLD, ERRORS(OPEN), NULL, 0},
  {op_opendir, CALLS(SYS_openat, SYS_open), TOLD, ERRORS(LOOK_UP, EMFILE, ENFILE), NULL, 0},
  {op_read, CALLS(SYS_preadv, SYS_preadv2), TOLD, ERRORS(READ, EINTR), &scene.in, 0},
  {op_readdir, CALLS(SYS_getdents64), TOLD, ERRORS(EBADF, EFAULT, EINVAL, ENOTDIR, EIO), NULL, 0},
  {op_readlink, CALLS(SYS_readlinkat, SYS_readlink), TOLD, ERRORS(LOOK_UP, EINVAL), NULL, 0},
  {op_realpath, CALLS(SYS_readlinkat, SYS_readlink), TOLD, ERRORS(LOOK_UP), NULL, 0},
  {op_rename, CALLS(SYS_renameat2, SYS_renameat, SYS_rename), TOLD,
    ERRORS(MAKE, EBUSY, EINVAL, EISDIR, ENOTEMPTY, EXDEV), NULL, 0},
  {op_rmdir, CALLS(SYS_unlinkat, SYS_rmdir), TOLD, ERRORS(CHANGE, EBUSY, EINVAL, ENOTEMPTY), NULL, 0},
  {op_scandir, CALLS(SYS_openat, SYS_open), TOLD, ERRORS(LOOK_UP, EMFILE, ENFILE), NULL, 0},
  {op_scandir, CALLS(SYS_getdents64), TOLD, ERRORS(EBADF, EFAULT, EINVAL, ENOTDIR, EIO), NULL, 0},
  {op_scandir, CALLS(SYS_getdents64), TOLD, ERRORS(EIO), NULL, 1}, /* when there are some entries already */
  {op_statfs, CALLS(SYS_statfs), TOLD, ERRORS(LOOK_UP, ENOSYS, EOVERFLOW), NULL, 0},
  {op_symlink, CALLS(SYS_symlinkat, SYS_symlink), TOLD, ERRORS(MAKE), NULL, 0},
  {op_unlink, CALLS(SYS_unlinkat, SYS_unlink), TOLD, ERRORS(CHANGE, EBUSY, EISDIR), NULL, 0},
  {op_utime, CALLS(SYS_utimensat), TOLD, ERRORS(CHANGE, EINVAL), NULL, 0},
  {op_write, CALLS(SYS_pwritev, SYS_pwritev2), TOLD, ERRORS(WRITE), &scene.in, 0},

  /* Refused once, the newer call is not tried again, so it comes first. */
  {op_stat, CALLS(SYS_statx), TOLD, ERRORS(LOOK_UP, EBADF), NULL, 0},
  {op_stat, CALLS(SYS_statx), PASSED, ERRORS(ENOSYS), NULL, 0},
  {op_stat, CALLS(SYS_newfstatat, SYS_stat), TOLD, ERRORS(LOOK_UP, EOVERFLOW), NULL, 0},
  {op_lstat, CALLS(SYS_statx), TOLD, ERRORS(LOOK_UP, EBADF), NULL, 0},
  {op_lstat, CALLS(SYS_statx), PASSED, ERRORS(EPERM), NULL, 0},
  {op_lstat, CALLS(SYS_newfstatat, SYS_lstat), TOLD, ERRORS(LOOK_UP, EOVERFLOW), NULL, 0},
  {op_fstat, CALLS(SYS_statx), TOLD, ERRORS(EBADF, ENOMEM, EIO, EACCES), NULL, 0},
  {op_fstat, CALLS(SYS_statx), PASSED, ERRORS(EOPNOTSUPP), NULL, 0},
  {op_fstat, CALLS(SYS_newfstatat, SYS_fstat), TOLD, ERRORS(EBADF, ENOMEM, EIO, EOVERFLOW), NULL, 0},

  {op_sendfile, CALLS(SYS_copy_file_range), TOLD, ERRORS(EFBIG, EISDIR, ENOMEM, ENOSPC, EOVERFLOW, EDQUOT), NULL, 0},
  {op_sendfile, CALLS(SYS_copy_file_range), PASSED, ERRORS(ENOSYS, EINVAL, EXDEV, EOPNOTSUPP), NULL, 0},
  {op_sendfile, CALLS(SYS_copy_file_range, SYS_sendfile), PASSED, ERRORS(EINVAL, EXDEV), NULL, 0},

  {op_copyfile, CALLS(SYS_openat, SYS_open), TOLD, ERRORS(OPEN), NULL, 0},
  {op_copyfile, CALLS(SYS_openat, SYS_open), TOLD, ERRORS(OPEN), NULL, 1}, /* the new file */
  {op_copyfile, CALLS(SYS_statx, SYS_newfstatat, SYS_fstat), TOLD, ERRORS(EIO, ENOMEM), NULL, 0},
  {op_copyfile, CALLS(SYS_utimensat), PASSED, ERRORS(EPERM, EROFS), NULL, 0},
  {op_copyfile, CALLS(SYS_fchown), PASSED, ERRORS(EPERM, EIO), NULL, 0},
  {op_copyfile, CALLS(SYS_fchmod), TOLD, ERRORS(EPERM, EIO, EROFS), NULL, 0},
  {op_copyfile, CALLS(SYS_copy_file_range), TOLD, ERRORS(EFBIG, ENOMEM, ENOSPC, EDQUOT), NULL, 0},
  {op_copyfile, CALLS(SYS_copy_file_range), PASSED, ERRORS(ENOSYS, EINVAL, EXDEV, EOPNOTSUPP), NULL, 0},
  {op_copyfile, CALLS(SYS_close), TOLD, ERRORS(EIO, EDQUOT, ENOSPC), NULL, 0},
  {op_clone, CALLS(SYS_ioctl), PASSED, ERRORS(EBADF, EINVAL, EOPNOTSUPP, EXDEV, EPERM, ETXTBSY), NULL, 0},
  {op_clone_or_fail, CALLS(SYS_ioctl), TOLD, ERRORS(EBADF, EINVAL, EOPNOTSUPP, EXDEV, EPERM, ETXTBSY), NULL, 0},
};

static int without_pool; /* see inline_rows */

static void end(fs_op op, ssize_t result) {
  op_end(op == op_open_to_read ? op_open : op, result);
  scene_clear();
}

/* The same request, without an error. */
static void try_again(fs_op op) {
  ssize_t result;
  scene_set();
  result = op_result(op);
  if (op == op_open_to_read) CHECK(result >= 0);
  else if (op == op_clone_or_fail) CHECK(result == 0 || result == UV_ENOTSUP || result == UV_EXDEV);
  else op_check_success(op, result);
  end(op, result);
}

static void try_one(const struct row* row, int error, int times, int expected) {
  int files = fs_descriptors();
  long live = allocs_live();
  ssize_t result;
  scene_set();
  faults_set(row->calls, row->file != NULL ? *row->file : FAULTS_ANY_FILE, row->skip, times, error);
  result = op_result(row->op);
  if (faults_clear() == 0) {
    if (check_is_ours() && !without_pool) CHECK_FAIL("call %d for %s was not made", row->calls[0], strerror(error));
  } else if (expected == PASSED || (expected == EITHER && result >= 0)) {
    if (result < 0) CHECK_FAIL("call %d failed, %s: %s", row->calls[0], strerror(error), strerror((int) -result));
    if (row->op != op_open_to_read) op_check_success(row->op, result);
  } else {
    if (result != -error) CHECK_FAIL("call %d failed, %s: result %zd", row->calls[0], strerror(error), result);
    CHECK_EQ(uv_fs_get_system_error(&fs.req), error);
    CHECK(!fs_exists("new")); /* nothing half done */
  }
  end(row->op, result);
  CHECK_EQ(allocs_live(), live);
  if (row->calls[0] != SYS_close) CHECK_EQ(fs_descriptors(), files); /* a close that did nothing is our own doing */
  try_again(row->op);
}

/* Of calls that are interrupted, reading is the only one that tells. */
static void interrupt_once(const struct row* row) {
  if (row->op == op_clone_or_fail) return; /* may fail afterwards as well */
  if ((row->op == op_mkdtemp || row->op == op_mkstemp) && !check_is_ours())
    return; /* the reference tries again with a template that has no X any more */
  try_one(row, EINTR, 1, row->op == op_read ? TOLD : PASSED);
}

static void try_rows(const struct row* row, int count, fs_op op) {
  int found = 0;
  setenv("UV_THREADPOOL_SIZE", "1", 1);
  for (int i = 0; i < count; i++)
    if (row[i].op == op)
      for (const int* call = row[i].calls; *call != FAULTS_END; call++) faults_add(*call);
  faults_begin();
  try_again(op); /* what is done the first time only is done */
  for (int i = 0; i < count; i++, row++) {
    if (row->op != op) continue;
    found++;
    if (!without_pool) interrupt_once(row);
    for (const int* error = row->errors; *error != 0; error++)
      try_one(row, *error, row->expected == TOLD && row->skip == 0 ? FAULTS_ALL : 1, row->expected);
  }
  CHECK(found > 0);
}

static void try_op(fs_op op) {
  if (op == op_realpath) NEEDS(1, 52); /* before, it freed what the C library had allocated */
  setenv("UV_FS_INLINE", "0", 1); /* everything on the pool */
  try_rows(rows, sizeof(rows) / sizeof(rows[0]), op);
}

#define ERRNO_TEST(name, ...)                                                                                        \
  FS_TEST(name) { try_op(op_##name); }
FS_OPS(ERRNO_TEST)
ERRNO_TEST(clone)
ERRNO_TEST(clone_or_fail)

/* Where the kernel does not move the bytes. */
static const struct row buffer_rows[] = {
  {op_sendfile, CALLS(SYS_pread64), TOLD, ERRORS(EAGAIN, EBADF, EFAULT, EINVAL, EISDIR, ENXIO, EOVERFLOW), NULL, 0},
  {op_sendfile, CALLS(SYS_pread64), PASSED, ERRORS(ESPIPE), NULL, 0}, /* then it has no positions */
  {op_sendfile, CALLS(SYS_write), TOLD, ERRORS(EBADF, EDQUOT, EFAULT, EFBIG, EINVAL, EIO, ENOSPC, EPERM, EPIPE),
    &scene.out, 0},
  {op_sendfile, CALLS(SYS_write), PASSED, ERRORS(EAGAIN), &scene.out, 0}, /* and waits */
};

static void refuse_kernel_copies(void) {
  fs_refuse_call(SYS_copy_file_range, EINVAL);
  fs_refuse_call(SYS_sendfile, EINVAL);
}

FS_TEST(sendfile_through_a_buffer) {
  refuse_kernel_copies();
  try_rows(buffer_rows, sizeof(buffer_rows) / sizeof(buffer_rows[0]), op_sendfile);
}

enum { LONG = 50000 };

static void half_way(const int* calls, int error) {
  ssize_t result;
  int in, out;
  static char text[LONG + 1];
  memset(text, 'x', LONG);
  fs_file("long", text);
  refuse_kernel_copies();
  faults_add(calls[0]);
  faults_begin();
  in = fs_fd("long", O_RDONLY);
  out = fs_fd("copy", O_WRONLY | O_CREAT);
  faults_set(calls, calls[0] == SYS_write ? out : in, 1, FAULTS_ALL, error);
  result = FS(uv_fs_sendfile, out, in, 0, LONG);
  CHECK(faults_clear() > 0);
  CHECK(result > 0 && result < LONG);
  CHECK_EQ(fs_info("copy").st_size, result);
  CHECK_EQ(FS(uv_fs_sendfile, out, in, result, LONG), LONG - result);
  close(in), close(out);
}

FS_TEST(sendfile_tells_what_it_sent_before_it_could_not_read) { half_way(CALLS(SYS_pread64), EIO); }

FS_TEST(sendfile_tells_what_it_sent_before_it_could_not_write) {
  OURS_ONLY("the reference tells the error alone");
  half_way(CALLS(SYS_write), ENOSPC);
}

/* What is answered without the pool asks the kernel in ways that it may refuse: whatever it says, the pool finds out. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define REFUSED EAGAIN, ENOSYS, EPERM, EINVAL, E2BIG, EOPNOTSUPP, EIO, ENOMEM, EMFILE, ENFILE, EXDEV, ELOOP, EINTR

static const struct row inline_rows[] = {
  {op_open_to_read, CALLS(SYS_openat2), PASSED, ERRORS(REFUSED), NULL, 0},
  {op_open_to_read, CALLS(SYS_openat2), PASSED, ERRORS(REFUSED), NULL, 1},
  {op_open_to_read, CALLS(SYS_openat2), EITHER, ERRORS(ENOENT, ENOTDIR, EACCES), NULL, 0},
  {op_open_to_read, CALLS(SYS_statx), PASSED, ERRORS(REFUSED, EBADF), NULL, 0},
  {op_open_to_read, CALLS(SYS_fcntl), PASSED, ERRORS(EBADF, EPERM), NULL, 0},
  {op_stat, CALLS(SYS_openat2), PASSED, ERRORS(REFUSED), NULL, 0},
  {op_stat, CALLS(SYS_openat2), EITHER, ERRORS(ENOENT, ENOTDIR, EACCES), NULL, 0},
  {op_stat, CALLS(SYS_statx), PASSED, ERRORS(REFUSED, EBADF), NULL, 0},
  {op_lstat, CALLS(SYS_openat2), PASSED, ERRORS(REFUSED), NULL, 0},
  {op_lstat, CALLS(SYS_statx), PASSED, ERRORS(REFUSED, EBADF), NULL, 0},
  {op_fstat, CALLS(SYS_statx), PASSED, ERRORS(REFUSED, EBADF), NULL, 0},
  {op_read, CALLS(SYS_preadv2), PASSED, ERRORS(REFUSED, EBADF), NULL, 0},
  {op_read, CALLS(SYS_fcntl), PASSED, ERRORS(EBADF), NULL, 0},
  {op_close, CALLS(SYS_statx), PASSED, ERRORS(REFUSED, EBADF), NULL, 0},
  {op_close, CALLS(SYS_fcntl), PASSED, ERRORS(EBADF), NULL, 0},
};

/* Each error once, and the result is that of a call that did not meet it. Some calls are made on some machines only. */
static void try_inline(fs_op op) {
  OURS_ONLY("nothing is answered without the pool");
  without_pool = 1;
  try_rows(inline_rows, sizeof(inline_rows) / sizeof(inline_rows[0]), op);
}

#define INLINE_TEST(test_name, op)                                                                                   \
  static void test_name##_body(void) { try_inline(op); }                                                             \
  FS_TEST_IN(test_name, async, 1)
INLINE_TEST(open_without_pool, op_open_to_read)
INLINE_TEST(stat_without_pool, op_stat)
INLINE_TEST(lstat_without_pool, op_lstat)
INLINE_TEST(fstat_without_pool, op_fstat)
INLINE_TEST(read_without_pool, op_read)
INLINE_TEST(close_without_pool, op_close)
