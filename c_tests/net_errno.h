/* The harness of the tests that make system calls fail: operations, the calls they make, and what has to come of each error. */
#ifndef NET_ERRNO_H
#define NET_ERRNO_H

#include "inject.h"
#include "self.h"

#include <arpa/inet.h>

/* What came of an operation. */
struct outcome {
  int returned; /* by the function, if it was an error */
  int reported; /* to the callback, if it was an error */
  int worked;   /* as if nothing had happened */
};

enum expectation {
  RETURNED,     /* the function returns the error */
  REPORTED,     /* the callback gets it */
  WORKS,        /* the program does not learn of it */
  RETURNS_INSTEAD, /* the function returns `instead` */
  REPORTS_INSTEAD, /* the callback gets `instead` */
};

struct row {
  const char* name; /* of the operation */
  struct outcome (*run)(void);
  const char* call;
  enum expectation expected;
  int errors[24];
  int instead;
  int times; /* the call fails; 0 stands for once */
};

static uv_loop_t loop;
static struct outcome got;
static int calls; /* of callbacks */
static const struct row* row;
static int error;

/* From now on the call fails. */
static inline void arm(void) {
  inject(row->call, error, row->times ? row->times : 1);
}

static inline void disarm(void) {
  injection->left = 0;
}

static inline void run_until_called(int times) {
  while (calls < times) uv_run(&loop, UV_RUN_ONCE);
}

/* Of several errors the first one counts. */
static inline void report(int status) {
  calls++;
  if (status < 0 && got.reported == 0) got.reported = status;
}

static inline struct sockaddr_in any_port(void) {
  struct sockaddr_in address;
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, &address), 0);
  return address;
}

static void on_hang(int signum) {
  (void) signum;
  CHECK_FAIL("%s: hangs when %s fails with %s", row->name, row->call, strerrorname_np(error));
}

static inline int as_expected(void) {
  int returned = 0, reported = 0;
  switch (row->expected) {
    case RETURNED: returned = -error; break;
    case REPORTED: reported = -error; break;
    case RETURNS_INSTEAD: returned = row->instead; break;
    case REPORTS_INSTEAD: reported = row->instead; break;
    case WORKS: break;
  }
  if (got.returned > 0) got.returned = 0;
  return got.returned == returned && got.reported == reported && got.worked == (row->expected == WORKS);
}

/* One operation with one error; whether all is as it should be. */
static inline int run_one(void) {
  int files = self_open_files(), hits, good;
  long live = allocs_live();
  memset(&got, 0, sizeof(got));
  calls = 0;
  inject("", 0, 0);
  alarm((unsigned) check_seconds() / 3 + 1); /* before the whole test is ended, so that the row is named */
  CHECK_EQ(uv_loop_init(&loop), 0);
  got = row->run();
  disarm();
  hits = injection->hits;
  check_close_loop(&loop);
  alarm(0);
  good = hits > 0 && as_expected() && self_open_files() == files && allocs_live() == live;
  if (good || (hits == 0 && !check_is_ours())) return 1; /* others, and older ones, make other calls */
  fprintf(stderr, "%s, %s fails with %s (%d times): returned %s, reported %s, %s; %d files and %ld blocks more\n", row->name,
          row->call, strerrorname_np(error), hits, got.returned ? uv_err_name(got.returned) : "0",
          got.reported ? uv_err_name(got.reported) : "0", got.worked ? "worked" : "did not work", self_open_files() - files,
          allocs_live() - live);
  return 0;
}

/* All rows with all their errors. */
static inline void run_rows(const struct row* rows, size_t count) {
  int ran = 0, failed = 0;
  NOT_UNDER_ASAN("its runtime stands before the same functions");
  NOT_UNDER_TSAN("its runtime stands before the same functions");
  allocs_install();
  signal(SIGALRM, on_hang);
  signal(SIGPIPE, SIG_IGN);
  CHECK_EQ(uv_loop_init(&loop), 0); /* what is opened once and for all is open now */
  CHECK_EQ(uv_loop_close(&loop), 0);
  for (row = rows; row < rows + count; row++) {
    for (int i = 0; row->errors[i] != 0; i++) {
      error = row->errors[i];
      ran++;
      failed += !run_one();
    }
  }
  fprintf(stderr, "%d errors, %d wrong\n", ran, failed);
  CHECK_EQ(failed, 0);
}

#define RUN_ROWS(rows) run_rows(rows, sizeof(rows) / sizeof(*(rows)))
/* When that call fails with one of these errors, the operation ends like this. */
#define FAILS(operation, function, end, ...)                                                                         \
  {.name = #operation, .run = operation, .call = function, .expected = end, .errors = {__VA_ARGS__}}
#define FAILS_OFTEN(count, operation, function, end, ...)                                                            \
  {.name = #operation, .run = operation, .call = function, .expected = end, .errors = {__VA_ARGS__}, .times = count}
#define FAILS_WITH(other, operation, function, end, ...)                                                             \
  {.name = #operation, .run = operation, .call = function, .expected = end, .errors = {__VA_ARGS__}, .instead = other}

#endif
