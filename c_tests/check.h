/* A tiny test harness. Each c_tests/NAME.c is one program:
 *
 *     #include "check.h"
 *     TEST(adds) { CHECK_EQ(1 + 1, 2); }
 *
 *   prog            every test in its own process, then "N passed, N failed, N skipped"
 *   prog NAME       that test in its own process; exit status 0, 1, or 77 when skipped
 *   prog --here NAME   that test in this process, without a time limit (for debuggers)
 *   prog --list     the names
 *
 * A test that takes longer than UV_TEST_SECONDS (30) fails, and its whole process group is killed; what a test left
 * running is killed too. The programs link lazily (-Wl,-z,lazy), so that a library lacking a newer function can still
 * run the tests that do not call it: guard the others with NEEDS(), and never store the address of such a function
 * (that is not lazy). */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <uv.h>

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHECK_SKIPPED = 77 };

struct check_test {
  const char* name;
  void (*run)(void);
  struct check_test* next;
};

static struct check_test* check_first;
static struct check_test** check_end = &check_first;

/* Registers a test; the block that follows is its body. */
#define TEST(test_name)                                                                                              \
  static void test_name##_test(void);                                                                                \
  __attribute__((constructor)) static void test_name##_register(void) {                                              \
    static struct check_test self = {#test_name, test_name##_test, NULL};                                            \
    *check_end = &self;                                                                                              \
    check_end = &self.next;                                                                                          \
  }                                                                                                                  \
  static void test_name##_test(void)

#define CHECK_FAIL(...)                                                                                              \
  do {                                                                                                               \
    fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                                  \
    fprintf(stderr, __VA_ARGS__);                                                                                    \
    fputc('\n', stderr);                                                                                             \
    fflush(NULL);                                                                                                    \
    _exit(1);                                                                                                        \
  } while (0)

#define CHECK(condition)                                                                                             \
  do {                                                                                                               \
    if (!(condition)) CHECK_FAIL("%s is false", #condition);                                                         \
  } while (0)

/* Integers, enums and pointers; shows both values. */
#define CHECK_EQ(a, b)                                                                                               \
  do {                                                                                                               \
    intmax_t check_left_ = (intmax_t) (a), check_right_ = (intmax_t) (b);                                            \
    if (check_left_ != check_right_)                                                                                 \
      CHECK_FAIL("%s is %jd%s, not %s (%jd)", #a, check_left_, check_error_name(check_left_), #b, check_right_);     \
  } while (0)

#define CHECK_STR(a, b)                                                                                              \
  do {                                                                                                               \
    const char *check_left_ = (a), *check_right_ = (b);                                                              \
    if (check_left_ == NULL || check_right_ == NULL || strcmp(check_left_, check_right_) != 0)                       \
      CHECK_FAIL("%s is \"%s\", not \"%s\"", #a, check_left_ ? check_left_ : "(null)", check_right_ ? check_right_ : "(null)");\
  } while (0)

/* Ends the test here, neither passed nor failed. */
#define SKIP(why)                                                                                                    \
  do {                                                                                                               \
    fprintf(stderr, "skipped: %s\n", why);                                                                           \
    fflush(NULL);                                                                                                    \
    _exit(CHECK_SKIPPED);                                                                                            \
  } while (0)

/* For what the library under test has only since that version. */
#define NEEDS(major, minor)                                                                                          \
  do {                                                                                                               \
    if (uv_version() < ((unsigned) (major) << 16 | (unsigned) (minor) << 8))                                         \
      SKIP("the library is older than " #major "." #minor);                                                          \
  } while (0)

/* For deliberate differences from the reference and for the extension. */
#define OURS_ONLY(why)                                                                                               \
  do {                                                                                                               \
    if (!check_is_ours()) SKIP("not this project's library: " why);                                                  \
  } while (0)

/* For what the sanitizers' runtimes do not survive, or change. */
#if defined(__SANITIZE_THREAD__)
#define CHECK_UNDER_TSAN 1
#elif defined(__SANITIZE_ADDRESS__)
#define CHECK_UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CHECK_UNDER_TSAN 1
#elif __has_feature(address_sanitizer)
#define CHECK_UNDER_ASAN 1
#endif
#endif
#ifdef CHECK_UNDER_TSAN
#define NOT_UNDER_TSAN(why) SKIP("under ThreadSanitizer: " why)
#else
#define NOT_UNDER_TSAN(why) ((void) 0)
#endif
#ifdef CHECK_UNDER_ASAN
#define NOT_UNDER_ASAN(why) SKIP("under AddressSanitizer: " why)
#else
#define NOT_UNDER_ASAN(why) ((void) 0)
#endif

static inline int check_is_ours(void) {
  return dlsym(RTLD_DEFAULT, "uvx_version") != NULL;
}

/* Whoever starts the test may say in UV_TEST_LIBRARY from which folder the library has to come. */
static inline void check_library(void) {
  const char* folder = getenv("UV_TEST_LIBRARY");
  char *wanted, *found;
  Dl_info info;
  if (folder == NULL) return;
  wanted = realpath(folder, NULL);
  if (dladdr(dlsym(RTLD_DEFAULT, "uv_version"), &info) == 0) CHECK_FAIL("no library");
  found = realpath(info.dli_fname, NULL);
  if (wanted == NULL || found == NULL || strncmp(found, wanted, strlen(wanted)) != 0)
    CHECK_FAIL("the library is %s, not one in %s", info.dli_fname, folder);
  free(wanted);
  free(found);
}

/* " (ENAME)" for a libuv error code, else "". */
static inline const char* check_error_name(intmax_t code) {
  static __thread char text[64];
  if (code > -1 || code < -4096) return "";
  snprintf(text, sizeof(text), " (%s)", uv_err_name((int) code));
  return text;
}

static inline void check_close_one(uv_handle_t* handle, void* arg) {
  (void) arg;
  if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

/* Closes what is still open in the loop, lets it finish, and expects uv_loop_close to succeed. */
static inline void check_close_loop(uv_loop_t* loop) {
  uv_walk(loop, check_close_one, NULL);
  CHECK_EQ(uv_run(loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(loop), 0);
}

/* Waits for a child that has to end well; CHECK in the child makes it end with 1. */
static inline void check_child(pid_t child) {
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) CHECK_FAIL("the child was ended by signal %d", WTERMSIG(status));
  CHECK_EQ(WEXITSTATUS(status), 0);
}

/* The runner. */

static inline struct check_test* check_find(const char* name) {
  struct check_test* test = check_first;
  while (test != NULL && strcmp(test->name, name) != 0) test = test->next;
  return test;
}

static inline void check_signals(sigset_t* set) {
  sigemptyset(set);
  sigaddset(set, SIGCHLD);
  sigaddset(set, SIGHUP);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGTERM);
}

static inline time_t check_seconds(void) {
  const char* text = getenv("UV_TEST_SECONDS");
  long seconds = text != NULL ? atol(text) : 0;
  return seconds > 0 ? seconds : 30;
}

/* Waits for the child's end until the time is up: 0 ended, 1 too late, 2 someone asked us to end. */
static inline int check_wait(pid_t child, int* status) {
  sigset_t signals;
  struct timespec now, end;
  check_signals(&signals);
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += check_seconds();
  while (waitpid(child, status, WNOHANG) == 0) {
    struct timespec left;
    int signum;
    clock_gettime(CLOCK_MONOTONIC, &now);
    left.tv_sec = end.tv_sec - now.tv_sec;
    left.tv_nsec = end.tv_nsec - now.tv_nsec;
    if (left.tv_nsec < 0) left.tv_sec--, left.tv_nsec += 1000000000;
    if (left.tv_sec < 0) return 1;
    signum = sigtimedwait(&signals, NULL, &left);
    if (signum > 0 && signum != SIGCHLD) return 2;
  }
  return 0;
}

/* What is started in the background of a shell, or by nohup, ignores some signals; a test begins with none ignored. */
static inline void check_default_signals(void) {
  signal(SIGINT, SIG_DFL);
  signal(SIGQUIT, SIG_DFL);
  signal(SIGHUP, SIG_DFL);
}

/* Runs the test in a process group of its own and returns its exit status: 0, 1 or CHECK_SKIPPED. */
static inline int check_run(struct check_test* test) {
  sigset_t signals, before;
  int status = 0, end;
  pid_t child;
  check_signals(&signals);
  sigprocmask(SIG_BLOCK, &signals, &before);
  fflush(NULL);
  child = fork();
  if (child == 0) {
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, &before, NULL);
    check_default_signals();
    test->run();
    exit(0);
  }
  if (child < 0) CHECK_FAIL("fork: %s", strerror(errno));
  setpgid(child, child); /* both sides do it, so that the group exists for whoever comes first */
  end = check_wait(child, &status);
  kill(-child, SIGKILL);
  if (end != 0) waitpid(child, &status, 0);
  sigprocmask(SIG_SETMASK, &before, NULL);
  if (end == 2) _exit(1);
  if (end == 1) fprintf(stderr, "%s: still running after %ld s\n", test->name, (long) check_seconds());
  if (end == 0 && WIFSIGNALED(status))
    fprintf(stderr, "%s: killed by signal %d (%s)\n", test->name, WTERMSIG(status), strsignal(WTERMSIG(status)));
  if (end == 0 && WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CHECK_SKIPPED))
    return WEXITSTATUS(status);
  if (end == 0 && WIFEXITED(status) && WEXITSTATUS(status) != 1)
    fprintf(stderr, "%s: exit status %d\n", test->name, WEXITSTATUS(status));
  return 1;
}

static inline int check_run_all(void) {
  int passed = 0, failed = 0, skipped = 0;
  for (struct check_test* test = check_first; test != NULL; test = test->next) {
    int status = check_run(test);
    passed += status == 0;
    skipped += status == CHECK_SKIPPED;
    failed += status == 1;
    printf("%s %s\n", status == 0 ? "ok  " : status == 1 ? "FAIL" : "skip", test->name);
  }
  printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  return failed != 0;
}

int main(int argc, char** argv) {
  struct check_test* test;
  int here = argc == 3 && strcmp(argv[1], "--here") == 0;
  check_library();
  if (argc == 1) return check_run_all();
  if (argc == 2 && strcmp(argv[1], "--list") == 0) {
    for (test = check_first; test != NULL; test = test->next) puts(test->name);
    return 0;
  }
  test = argc == 2 || here ? check_find(argv[argc - 1]) : NULL;
  if (test == NULL) {
    fprintf(stderr, "usage: %s [--list | [--here] TEST]\n", argv[0]);
    return 2;
  }
  if (!here) return check_run(test);
  test->run();
  return 0;
}

#endif
