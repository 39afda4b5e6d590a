/* Every operation of uv_fs_*, each as one call on a folder with the same few things in it, for tests that make all of them
 * fail in some way. */
#ifndef FS_OPS_H
#define FS_OPS_H

#include "fs.h"

static struct {
  int in, out; /* "file", open for reading and writing; "out", which is empty */
  uv_dir_t* dir; /* "folder", open */
  uv_dirent_t entries[2];
  char bytes[16];
} scene;

typedef int (*fs_op)(uv_loop_t* loop, uv_fs_t* req, uv_fs_cb cb);

/* X(name, arguments between the request and the callback) */
#define FS_OPS(X)                                                                                                    \
  X(access, "file", R_OK)                                                                                            \
  X(chmod, "file", 0600)                                                                                             \
  X(chown, "file", (uv_uid_t) -1, (uv_gid_t) -1)                                                                     \
  X(close, scene.in)                                                                                                 \
  X(closedir, scene.dir)                                                                                             \
  X(copyfile, "file", "new", 0)                                                                                      \
  X(fchmod, scene.in, 0600)                                                                                          \
  X(fchown, scene.in, (uv_uid_t) -1, (uv_gid_t) -1)                                                                  \
  X(fdatasync, scene.in)                                                                                             \
  X(fstat, scene.in)                                                                                                 \
  X(fsync, scene.in)                                                                                                 \
  X(ftruncate, scene.in, 3)                                                                                          \
  X(futime, scene.in, 1, 2)                                                                                          \
  X(lchown, "link", (uv_uid_t) -1, (uv_gid_t) -1)                                                                    \
  X(link, "file", "new")                                                                                             \
  X(lstat, "link")                                                                                                   \
  X(lutime, "link", 1, 2)                                                                                            \
  X(mkdir, "new", 0700)                                                                                              \
  X(mkdtemp, "new-XXXXXX")                                                                                           \
  X(mkstemp, "new-XXXXXX")                                                                                           \
  X(open, "new", O_RDWR | O_CREAT, 0600)                                                                             \
  X(opendir, "folder")                                                                                               \
  X(read, scene.in, fs_few_bufs(), 2, 0)                                                                             \
  X(readdir, scene.dir)                                                                                              \
  X(readlink, "link")                                                                                                \
  X(realpath, "link")                                                                                                \
  X(rename, "file", "new")                                                                                           \
  X(rmdir, "empty")                                                                                                  \
  X(scandir, "folder", 0)                                                                                            \
  X(sendfile, scene.out, scene.in, 0, 10)                                                                            \
  X(stat, "file")                                                                                                    \
  X(statfs, ".")                                                                                                     \
  X(symlink, "file", "new", 0)                                                                                       \
  X(unlink, "file")                                                                                                  \
  X(utime, "file", 1, 2)                                                                                             \
  X(write, scene.in, fs_few_bufs(), 2, 0)

static inline const uv_buf_t* fs_few_bufs(void) {
  static uv_buf_t bufs[2];
  bufs[0] = uv_buf_init(scene.bytes, 6);
  bufs[1] = uv_buf_init(scene.bytes + 6, 4);
  return bufs;
}

#define FS_OP_FUNCTION(name, ...)                                                                                    \
  static int op_##name(uv_loop_t* loop, uv_fs_t* req, uv_fs_cb cb) {                                                 \
    return uv_fs_##name(loop, req, __VA_ARGS__, cb);                                                                 \
  }
FS_OPS(FS_OP_FUNCTION)

static inline void scene_set(void) {
  uv_fs_t req;
  fs_file("file", "0123456789");
  CHECK_EQ(symlink("file", "link"), 0);
  CHECK_EQ(mkdir("folder", 0700), 0);
  fs_file("folder/a", "");
  fs_file("folder/b", "");
  fs_file("folder/c", "");
  CHECK_EQ(mkdir("empty", 0700), 0);
  scene.in = fs_fd("file", O_RDWR);
  scene.out = fs_fd("out", O_RDWR | O_CREAT | O_TRUNC);
  CHECK_EQ(uv_fs_opendir(NULL, &req, "folder", NULL), 0);
  scene.dir = req.ptr;
  scene.dir->dirents = scene.entries;
  scene.dir->nentries = 2;
  uv_fs_req_cleanup(&req);
}

static inline int scene_remove_one(const char* path, const struct stat* info, int type, struct FTW* where) {
  (void) info, (void) type;
  return where->level == 0 ? 0 : remove(path);
}

static inline void scene_clear(void) {
  uv_fs_t req;
  if (scene.in >= 0) close(scene.in);
  close(scene.out);
  if (scene.dir != NULL) {
    CHECK_EQ(uv_fs_closedir(NULL, &req, scene.dir, NULL), 0);
    uv_fs_req_cleanup(&req);
  }
  CHECK_EQ(nftw(".", scene_remove_one, 20, FTW_DEPTH | FTW_PHYS), 0);
}

/* Begins the operation, waits for its end and returns the result; what the call was given or gave is still there. */
static inline ssize_t op_result(fs_op op) {
  int returned;
  memset(&fs.req, 0xa5, sizeof(fs.req));
  fs.calls = 0;
  returned = op(fs.async ? &fs.loop : NULL, &fs.req, fs.async ? fs_called : NULL);
  CHECK_EQ(fs.calls, 0);
  if (!fs.async || returned < 0) {
    CHECK_EQ(uv_loop_alive(&fs.loop), 0);
    return returned;
  }
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(fs.calls, 1);
  return fs.req.result;
}

/* Gives back what the operation has made, and the request's memory. */
static inline void op_end(fs_op op, ssize_t result) {
  if (result >= 0) {
    if (op == op_open || op == op_mkstemp) CHECK_EQ(close((int) result), 0);
    if (op == op_close) scene.in = -1;
    if (op == op_closedir) scene.dir = NULL;
    if (op == op_opendir) {
      uv_fs_t req;
      CHECK_EQ(uv_fs_closedir(NULL, &req, fs.req.ptr, NULL), 0);
      uv_fs_req_cleanup(&req);
    }
  }
  uv_fs_req_cleanup(&fs.req);
}

/* Whether the operation did what it says; on the same scene, once. */
static inline void op_check_success(fs_op op, ssize_t result) {
  static const struct { fs_op op; ssize_t result; } counts[] = {
    {op_read, 10}, {op_write, 10}, {op_readdir, 2}, {op_scandir, 3}, {op_sendfile, 10}};
  ssize_t expected = 0;
  for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
    if (counts[i].op == op) expected = counts[i].result;
  if (op == op_open || op == op_mkstemp) CHECK(result >= 0);
  else CHECK_EQ(result, expected);
  if (op == op_copyfile) CHECK_STR(fs_text("new"), "0123456789");
  if (op == op_sendfile) CHECK_STR(fs_text("out"), "0123456789");
  if (op == op_read) CHECK_EQ(memcmp(scene.bytes, "0123456789", 10), 0);
}

#endif
