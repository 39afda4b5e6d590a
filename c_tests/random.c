/* Random bytes: at once and by the pool. This program has a getrandom of its own, which can be made to give little at a time or to fail;
 * a library that makes the system call itself does not notice. */
#include "allocs.h"
#include "held_pool.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>

static int most_at_once, error_to_give, interruptions, got_from_here;

ssize_t getrandom(void* buffer, size_t size, unsigned flags) {
  ssize_t got;
  if (error_to_give != 0) {
    errno = error_to_give;
    return -1;
  }
  if (interruptions != 0 && interruptions-- % 2 == 0) {
    errno = EINTR;
    return -1;
  }
  if (most_at_once != 0 && size > (size_t) most_at_once) size = most_at_once;
  got = syscall(SYS_getrandom, buffer, size, flags);
  if (got > 0) __atomic_add_fetch(&got_from_here, got, __ATOMIC_SEQ_CST);
  return got;
}

static uv_loop_t loop;
static pthread_t loop_thread;
static int calls, last_status;

static void begin(void) {
  loop_thread = pthread_self();
  CHECK_EQ(uv_loop_init(&loop), 0);
}

static void run(void) {
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

static void keep(uv_random_t* req, int status, void* buffer, size_t size) {
  CHECK(pthread_equal(pthread_self(), loop_thread));
  CHECK_EQ(req->type, UV_RANDOM);
  CHECK_EQ(req->loop, &loop);
  CHECK_EQ(buffer, req->buf);
  CHECK_EQ(size, req->buflen);
  last_status = status;
  calls++;
}

static void must_not_run(uv_random_t* req, int status, void* buffer, size_t size) {
  (void) req;
  (void) buffer;
  (void) size;
  CHECK_FAIL("called back with %d", status);
}

/* Every one of `size` bytes changes at some time, and none behind them. */
static void check_filled(size_t size) {
  static unsigned char bytes[(1 << 16) + 64], changed[1 << 16];
  memset(changed, 0, size);
  for (int i = 0; i < 20; i++) {
    memset(bytes, i, size + 64);
    CHECK_EQ(uv_random(NULL, NULL, bytes, size, 0, NULL), 0);
    for (size_t k = 0; k < size; k++) changed[k] |= bytes[k] != i;
    for (size_t k = size; k < size + 64; k++) CHECK_EQ(bytes[k], i);
  }
  for (size_t k = 0; k < size; k++) CHECK(changed[k]);
}

TEST(fills_all_and_nothing_else) {
  static const size_t sizes[] = {0, 1, 16, 255, 256, 257, 4096, 1 << 16};
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) check_filled(sizes[i]);
}

TEST(by_the_pool) {
  static unsigned char bytes[300], before[300];
  uv_random_t req;
  memset(&req, 0xaa, sizeof(req));
  begin();
  CHECK_EQ(uv_random(&loop, &req, bytes, sizeof(bytes), 0, keep), 0);
  CHECK_EQ(calls, 0);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  run();
  CHECK_EQ(calls, 1);
  CHECK_EQ(last_status, 0);
  CHECK_EQ(req.buf, bytes);
  CHECK_EQ(req.buflen, sizeof(bytes));
  CHECK(memcmp(bytes, before, sizeof(bytes)) != 0);
  check_close_loop(&loop);
}

TEST(no_bytes_at_all) {
  uv_random_t req;
  char byte = 7;
  begin();
  CHECK_EQ(uv_random(&loop, &req, &byte, 0, 0, keep), 0);
  CHECK_EQ(calls, 0);
  run();
  CHECK_EQ(calls, 1);
  CHECK_EQ(last_status, 0);
  CHECK_EQ(req.buflen, 0);
  CHECK_EQ(byte, 7);
  check_close_loop(&loop);
}

TEST(too_many_bytes_and_unknown_flags) {
  uv_random_t req;
  char byte;
  begin();
  CHECK_EQ(uv_random(&loop, &req, &byte, 0x80000000u, 0, must_not_run), UV_E2BIG);
  CHECK_EQ(uv_random(NULL, NULL, &byte, SIZE_MAX, 0, NULL), UV_E2BIG);
  CHECK_EQ(uv_random(NULL, NULL, &byte, SIZE_MAX, 1, NULL), UV_E2BIG);
  CHECK_EQ(uv_random(&loop, &req, &byte, 1, 1, must_not_run), UV_EINVAL);
  CHECK_EQ(uv_random(NULL, NULL, &byte, 1, -1u, NULL), UV_EINVAL);
  CHECK(!uv_loop_alive(&loop));
  check_close_loop(&loop);
}

TEST(many_at_the_same_time_are_all_different) {
  static uint64_t numbers[200];
  static uv_random_t reqs[200];
  begin();
  for (int i = 0; i < 200; i++) CHECK_EQ(uv_random(&loop, &reqs[i], &numbers[i], sizeof(numbers[i]), 0, keep), 0);
  run();
  CHECK_EQ(calls, 200);
  for (int i = 0; i < 200; i++)
    for (int k = 0; k < i; k++) CHECK(numbers[i] != numbers[k]);
  check_close_loop(&loop);
}

TEST(little_at_a_time_and_interrupted) {
  most_at_once = 7;
  interruptions = 50;
  check_filled(300);
  CHECK_EQ(interruptions, check_is_ours() ? 0 : interruptions);
  CHECK_EQ(got_from_here, check_is_ours() ? 20 * 300 : got_from_here);
}

TEST(errors_arrive) {
  OURS_ONLY("the reference does not call this program's getrandom");
  uv_random_t req;
  char bytes[16];
  begin();
  error_to_give = EIO;
  CHECK_EQ(uv_random(NULL, NULL, bytes, sizeof(bytes), 0, NULL), UV_EIO);
  CHECK_EQ(uv_random(&loop, &req, bytes, sizeof(bytes), 0, keep), 0);
  run();
  CHECK_EQ(last_status, UV_EIO);
  check_close_loop(&loop);
}

/* From now on the kernel answers getrandom(2) with this error. */
static void forbid(int error) {
  struct sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
  char byte;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    SKIP("this machine lets no process filter its system calls");
  CHECK_EQ(syscall(SYS_getrandom, &byte, 1, 0), -1);
  CHECK_EQ(errno, error);
}

TEST(without_the_system_call_from_the_device) {
  forbid(ENOSYS);
  check_filled(300);
}

TEST(where_the_system_call_is_forbidden_from_the_device) {
  OURS_ONLY("the reference gives up");
  forbid(EPERM);
  check_filled(300);
}

TEST(cancelled) {
  uv_random_t req;
  char bytes[16], before[16];
  memset(bytes, 1, sizeof(bytes));
  memset(before, 1, sizeof(before));
  begin();
  hold_pool(&loop, 1);
  CHECK_EQ(uv_random(&loop, &req, bytes, sizeof(bytes), 0, keep), 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &req), 0);
  CHECK_EQ(calls, 0);
  while (calls < 1) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0); /* no thread had to get free for this */
  CHECK_EQ(last_status, UV_ECANCELED);
  CHECK_EQ(memcmp(bytes, before, sizeof(bytes)), 0);
  let_pool_go();
  run();
  CHECK_EQ(uv_random(&loop, &req, bytes, sizeof(bytes), 0, keep), 0); /* the request is as good as new */
  run();
  CHECK_EQ(last_status, 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &req), UV_EBUSY);
  check_close_loop(&loop);
}

TEST(random_bytes_need_no_memory) {
  uv_random_t req;
  char bytes[16];
  allocs_install();
  setenv("UV_THREADPOOL_SIZE", "4", 1);
  begin();
  allocs.always = 1;
  CHECK_EQ(uv_random(NULL, NULL, bytes, sizeof(bytes), 0, NULL), 0);
  CHECK_EQ(uv_random(&loop, &req, bytes, sizeof(bytes), 0, keep), 0);
  run();
  CHECK_EQ(last_status, 0);
  allocs.always = 0;
  check_close_loop(&loop);
}
