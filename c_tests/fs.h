/* What the tests of file operations share. Each has a folder of its own, its working directory, which goes with it.
 * FS_TEST runs its body twice, as NAME_sync and NAME_async, with one way to call: FS(uv_fs_mkdir, "name", 0700).
 * Where FS_AT_ONCE is defined, for operations that our library may carry out in the asynchronous call, there is
 * NAME_pool, too, where it does not. */
#ifndef FS_H
#define FS_H

#include "allocs.h"
#include "self.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct {
  uv_loop_t loop;
  uv_fs_t req; /* of the call made last; cleaned up by the next one */
  int used;    /* whether there was one */
  int async;   /* calls go through the loop */
  int calls;   /* of the callback */
  pthread_t thread;
  char dir[PATH_MAX];
} fs;

enum { FS_ORDINARY = 65534 }; /* the user that root becomes where permissions matter */

static inline int fs_remove_one(const char* path, const struct stat* info, int type, struct FTW* where) {
  (void) info, (void) type, (void) where;
  return remove(path);
}

static inline void fs_remove_dir(void) {
  if (geteuid() != 0 && setresuid(0, 0, 0) == 0) (void) !setresgid(0, 0, 0); /* after fs_be_ordinary */
  if (fs.dir[0] != '\0' && chdir("/") == 0) nftw(fs.dir, fs_remove_one, 20, FTW_DEPTH | FTW_PHYS);
  fs.dir[0] = '\0';
}

/* A test that fails or skips takes its folder along too. */
#undef CHECK_FAIL
#define CHECK_FAIL(...)                                                                                              \
  do {                                                                                                               \
    fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                                  \
    fprintf(stderr, __VA_ARGS__);                                                                                    \
    fputc('\n', stderr);                                                                                             \
    fs_remove_dir();                                                                                                 \
    fflush(NULL);                                                                                                    \
    _exit(1);                                                                                                        \
  } while (0)
#undef SKIP
#define SKIP(why)                                                                                                    \
  do {                                                                                                               \
    fprintf(stderr, "skipped: %s\n", why);                                                                           \
    fs_remove_dir();                                                                                                 \
    fflush(NULL);                                                                                                    \
    _exit(CHECK_SKIPPED);                                                                                            \
  } while (0)

static inline void fs_begin(int async) {
  const char* parent = getenv("TMPDIR");
  char path[PATH_MAX];
  fs.async = async;
  fs.thread = pthread_self();
  snprintf(path, sizeof(path), "%s/uv-fs-XXXXXX", parent != NULL && parent[0] != '\0' ? parent : "/tmp");
  CHECK(mkdtemp(path) != NULL);
  CHECK_EQ(chdir(path), 0);
  CHECK(getcwd(fs.dir, sizeof(fs.dir)) != NULL);
  umask(022);
  allocs_install();
  CHECK_EQ(uv_loop_init(&fs.loop), 0);
}

/* What the last call left is freed. */
static inline void fs_clean(void) {
  if (fs.used) uv_fs_req_cleanup(&fs.req);
  fs.used = 0;
}

static inline void fs_end(void) {
  fs_clean();
  check_close_loop(&fs.loop);
  if (uv_version() >= 0x013100 && allocs_live() != 0) /* before 1.49 realpath had memory of its own */
    CHECK_FAIL("%ld blocks leaked", allocs_live());
  fs_remove_dir();
}

#define FS_TEST_IN(test_name, how, is_async)                                                                         \
  TEST(test_name##_##how) {                                                                                          \
    fs_begin(is_async);                                                                                              \
    test_name##_body();                                                                                              \
    fs_end();                                                                                                        \
  }

#ifdef FS_AT_ONCE
#define FS_TEST_ON_POOL(test_name)                                                                                   \
  TEST(test_name##_pool) {                                                                                           \
    CHECK_EQ(setenv("UV_FS_INLINE", "0", 1), 0);                                                                     \
    fs_begin(1);                                                                                                     \
    test_name##_body();                                                                                              \
    fs_end();                                                                                                        \
  }
#else
#define FS_TEST_ON_POOL(test_name)
#endif

/* Registers a test in all its ways; the block that follows is its body. */
#define FS_TEST(test_name)                                                                                           \
  static void test_name##_body(void);                                                                                \
  FS_TEST_IN(test_name, sync, 0)                                                                                     \
  FS_TEST_IN(test_name, async, 1)                                                                                    \
  FS_TEST_ON_POOL(test_name)                                                                                         \
  static void test_name##_body(void)

static inline void fs_called(uv_fs_t* req) {
  CHECK_EQ(req, &fs.req);
  CHECK(pthread_equal(pthread_self(), fs.thread));
  fs.calls++;
}

/* Nothing that the request held before may matter. */
static inline void fs_prepare(void) {
  fs_clean();
  memset(&fs.req, 0xa5, sizeof(fs.req));
  fs.req.data = &fs;
  fs.calls = 0;
}

static inline ssize_t fs_result(int returned) {
  fs.used = 1;
  CHECK_EQ(fs.calls, 0); /* never inside the call */
  if (fs.async) {
    CHECK_EQ(returned, 0);
    CHECK_EQ(fs.loop.active_reqs.count, 1);
    CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ(fs.calls, 1);
  } else {
    CHECK_EQ(returned, fs.req.result);
    CHECK_EQ(uv_loop_alive(&fs.loop), 0);
  }
  CHECK_EQ(fs.req.data, &fs);
  CHECK_EQ(fs.req.type, UV_FS);
  CHECK_EQ(fs.req.loop, fs.async ? &fs.loop : NULL);
  return fs.req.result;
}

/* A call that does not even begin: its result, and nothing comes after. */
static inline int fs_refused(int returned) {
  fs.used = 1;
  CHECK_EQ(uv_loop_alive(&fs.loop), 0);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(fs.calls, 0);
  return returned;
}

#define FS_CALL(function, ...)                                                                                       \
  (fs_prepare(), function(fs.async ? &fs.loop : NULL, &fs.req, __VA_ARGS__, fs.async ? fs_called : NULL))
#define FS(function, ...) fs_result(FS_CALL(function, __VA_ARGS__))
#define FS_REFUSED(function, ...) fs_refused(FS_CALL(function, __VA_ARGS__))

/* Short forms for what surrounds the call under test; they do not use the library. */

static inline void fs_file(const char* path, const char* text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  CHECK(fd >= 0);
  CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
  CHECK_EQ(close(fd), 0);
}

static inline int fs_fd(const char* path, int flags) {
  int fd = open(path, flags | O_CLOEXEC, 0644);
  CHECK(fd >= 0);
  return fd;
}

/* The text of a small file. */
static inline const char* fs_text(const char* path) {
  static char text[4096];
  int fd = fs_fd(path, O_RDONLY);
  ssize_t size = read(fd, text, sizeof(text) - 1);
  CHECK(size >= 0);
  text[size] = '\0';
  CHECK_EQ(close(fd), 0);
  return text;
}

static inline struct stat fs_info(const char* path) {
  struct stat info;
  if (lstat(path, &info) != 0) CHECK_FAIL("%s: %s", path, strerror(errno));
  return info;
}

static inline int fs_exists(const char* path) {
  struct stat info;
  return lstat(path, &info) == 0;
}

/* How many are open, of the lower ones. */
static inline int fs_descriptors(void) {
  return self_open_files_below(200);
}

/* Stops being root: from here on permissions count. The test's folder stays its own. */
static inline void fs_be_ordinary(void) {
  if (geteuid() != 0) return;
  CHECK_EQ(chown(fs.dir, FS_ORDINARY, FS_ORDINARY), 0);
  if (setresgid(FS_ORDINARY, FS_ORDINARY, 0) != 0 || setresuid(FS_ORDINARY, FS_ORDINARY, 0) != 0)
    SKIP("root cannot become an ordinary user here");
  if (access(".", R_OK | W_OK | X_OK) != 0) SKIP("TMPDIR is closed to ordinary users");
}

/* From here on the process, threads of the pool to come included, gets `error` from a system call. */
static inline void fs_refuse_call(int number, int error) {
  struct sock_filter steps[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) number, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) error),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof(steps) / sizeof(steps[0]), steps};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    SKIP("system calls cannot be made to fail here");
}

#endif
