/* What the tests of memory exhaustion in handles share: every allocation fails in turn, in a loop without a table of descriptors and in
 * one whose table has to grow. The call or its callback says UV_ENOMEM, or there is another way; no block and no descriptor is left,
 * what was watched before still is, and the handle can be closed, and used again first. */
#ifndef OOM_H
#define OOM_H

#include "allocs.h"
#include "self.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { LOW = 64 }; /* descriptors in the first table */

#define STREAM(handle) ((uv_stream_t*) &(handle))
#define HANDLE(handle) ((uv_handle_t*) &(handle))
#define RUN_UNTIL(condition)                                                                                         \
  do {                                                                                                               \
    while (!(condition)) uv_run(&loop, UV_RUN_ONCE);                                                                 \
  } while (0)

static uv_loop_t loop;
static uv_poll_t early;  /* what is watched before, in the way with a table */
static int early_file = -1;
static int grows;        /* the loop has a table already, which is too small */
static int again;        /* what has failed is called once more; else the handle is only closed */
static int result;       /* of the call under test */
static int works;        /* whether it has succeeded, at last */
static long refused;     /* allocations */
static int calls, last_status, early_calls;
static ssize_t total;    /* bytes that were read */
static char path[64];    /* of a socket that may be made */

#define CALL(n, call)                                                                                                \
  do {                                                                                                               \
    allocs_fail_at(n);                                                                                               \
    result = (call);                                                                                                 \
    refused = allocs.refused;                                                                                        \
    allocs_fail_at(0);                                                                                               \
    works = result == 0;                                                                                             \
  } while (0)

/* The call under test, once more if that is wanted. */
#define TRY(n, call)                                                                                                 \
  do {                                                                                                               \
    CALL(n, call);                                                                                                   \
    if (!works && again) {                                                                                           \
      CHECK_EQ(call, 0);                                                                                             \
      works = 1;                                                                                                     \
    }                                                                                                                \
  } while (0)

static inline void set_always(int on) {
  __atomic_store_n(&allocs.always, on, __ATOMIC_SEQ_CST);
}

static void on_early(uv_poll_t* handle, int status, int events) {
  eventfd_t value;
  CHECK_EQ(handle, &early);
  CHECK_EQ(status, 0);
  CHECK_EQ(events, UV_READABLE);
  CHECK_EQ(eventfd_read(early_file, &value), 0);
  early_calls++;
}

static int (*tried)(long n);

static inline int attempt(long n) {
  int files = self_open_files(), outcome;
  calls = last_status = early_calls = 0;
  total = 0;
  CHECK_EQ(uv_loop_init(&loop), 0);
  if (grows) {
    CHECK_EQ(uv_poll_init(&loop, &early, early_file), 0);
    CHECK_EQ(uv_poll_start(&early, UV_READABLE, on_early), 0);
    uv_unref(HANDLE(early));
  }
  outcome = tried(n);
  allocs_fail_at(0);
  if (grows) {
    CHECK_EQ(early_calls, 0);
    CHECK_EQ(eventfd_write(early_file, 1), 0);
    uv_ref(HANDLE(early));
    RUN_UNTIL(early_calls == 1);
  }
  check_close_loop(&loop);
  if (self_open_files() != files) CHECK_FAIL("allocation %ld failed: %d descriptors leaked", n, self_open_files() - files);
  return outcome;
}

/* Lets `function` fail in all ways; the most allocations that it has made. */
static inline long exhaust(int (*function)(long n)) {
  char folder[] = "/tmp/uv-oom-XXXXXX";
  long most = 0, count;
  int file;
  allocs_install();
  signal(SIGPIPE, SIG_IGN);
  CHECK(mkdtemp(folder) != NULL);
  snprintf(path, sizeof(path), "%s/socket", folder);
  if (early_file == -1) early_file = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  CHECK(early_file >= 0 && early_file < LOW);
  while ((file = open("/dev/null", O_RDONLY | O_CLOEXEC)) < LOW) CHECK(file >= 0); /* the tests' have higher numbers */
  close(file);
  CHECK_EQ(uv_loop_init(&loop), 0); /* the reference's first one leaves descriptors */
  CHECK_EQ(uv_loop_close(&loop), 0);
  tried = function;
  for (int way = 0; way < 4; way++) {
    grows = way & 1;
    again = way >> 1;
    count = allocs_exhaust(attempt);
    if (count > most) most = count;
  }
  CHECK_EQ(rmdir(folder), 0);
  return most;
}

/* For what has another way when there is no memory. */
static inline int refused_or(int status) {
  return status == 0 && refused != 0 ? UV_ENOMEM : status;
}

static inline void on_alloc(uv_handle_t* handle, size_t size, uv_buf_t* buf) {
  static char room[65536];
  (void) handle, (void) size;
  *buf = uv_buf_init(room, sizeof(room));
}

static inline void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buf) {
  (void) stream, (void) buf;
  calls++;
  if (size < 0) last_status = (int) size;
  else total += size;
}

static inline void drain(int far) {
  static char room[65536];
  ssize_t size;
  while ((size = read(far, room, sizeof(room))) > 0) total += size;
}

/* More pieces than a request has room for. */
static inline const uv_buf_t* five(void) {
  static char digits[] = "12345";
  static uv_buf_t bufs[5];
  for (int i = 0; i < 5; i++) bufs[i] = uv_buf_init(&digits[i], 1);
  return bufs;
}

#endif
