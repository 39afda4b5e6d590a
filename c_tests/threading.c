/* Threads: start, stack, join, detach, name, CPUs, priority. */
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

static uv_thread_t tid;
static uv_sem_t go;
static size_t stack_size;
static int seen;

static void note_argument(void* arg) {
  seen = *(int*) arg;
}

static void wait_for_go(void* arg) {
  (void) arg;
  uv_sem_wait(&go);
}

static void start_waiting(uv_thread_t* thread) {
  CHECK_EQ(uv_sem_init(&go, 0), 0);
  CHECK_EQ(uv_thread_create(thread, wait_for_go, NULL), 0);
}

static void finish(uv_thread_t* thread) {
  uv_sem_post(&go);
  CHECK_EQ(uv_thread_join(thread), 0);
}

TEST(entry_runs_with_its_argument) {
  int number = 42;
  CHECK_EQ(uv_thread_create(&tid, note_argument, &number), 0);
  CHECK_EQ(uv_thread_join(&tid), 0);
  CHECK_EQ(seen, 42);
}

TEST(no_entry_is_refused) {
  uv_thread_options_t options = {UV_THREAD_NO_FLAGS, 0};
  OURS_ONLY("the reference starts a thread that crashes");
  CHECK_EQ(uv_thread_create(&tid, NULL, NULL), UV_EINVAL);
  CHECK_EQ(uv_thread_create_ex(&tid, &options, NULL, NULL), UV_EINVAL);
}

#ifdef __GLIBC__ /* other C libraries may store the id later */
static void compare_ids(void* arg) {
  uv_thread_t self = uv_thread_self();
  (void) arg;
  seen = uv_thread_equal(&self, &tid) != 0 && pthread_equal(self, pthread_self());
}

TEST(thread_can_read_its_own_id) {
  for (int i = 0; i < 100; i++) {
    seen = 0;
    CHECK_EQ(uv_thread_create(&tid, compare_ids, NULL), 0);
    CHECK_EQ(uv_thread_join(&tid), 0);
    CHECK(seen);
  }
}
#endif

TEST(equal_tells_threads_apart) {
  uv_thread_t self = uv_thread_self(), same = uv_thread_self();
  start_waiting(&tid);
  CHECK(uv_thread_equal(&self, &same) != 0);
  CHECK_EQ(uv_thread_equal(&self, &tid), 0);
  finish(&tid);
}

static void exit_early(void* arg) {
  (void) arg;
  pthread_exit(NULL);
}

TEST(thread_may_call_pthread_exit) {
  CHECK_EQ(uv_thread_create(&tid, exit_early, NULL), 0);
  CHECK_EQ(uv_thread_join(&tid), 0);
}

static uv_mutex_t mutex;
static uv_cond_t cond;

static void unlock(void* arg) {
  seen++;
  uv_mutex_unlock(arg);
}

static void wait_on_cond(void* arg) {
  (void) arg;
  uv_mutex_lock(&mutex);
  pthread_cleanup_push(unlock, &mutex);
  for (;;) uv_cond_wait(&cond, &mutex);
  pthread_cleanup_pop(0);
}

static void wait_on_cond_for_long(void* arg) {
  (void) arg;
  uv_mutex_lock(&mutex);
  pthread_cleanup_push(unlock, &mutex);
  for (;;) uv_cond_timedwait(&cond, &mutex, 3600 * UINT64_C(1000000000));
  pthread_cleanup_pop(0);
}

static void sleep_long(void* arg) {
  (void) arg;
  for (;;) uv_sleep(1000000);
}

TEST(waiting_threads_can_be_cancelled) {
  uv_thread_cb waits[] = {wait_on_cond, wait_on_cond_for_long, wait_for_go, sleep_long};
  CHECK_EQ(uv_mutex_init(&mutex), 0);
  CHECK_EQ(uv_cond_init(&cond), 0);
  CHECK_EQ(uv_sem_init(&go, 0), 0);
  for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
    void* result;
    CHECK_EQ(uv_thread_create(&tid, waits[i], NULL), 0);
    CHECK_EQ(pthread_cancel(tid), 0);
    CHECK_EQ(pthread_join(tid, &result), 0);
    CHECK_EQ(result, PTHREAD_CANCELED);
  }
  CHECK(seen <= 2); /* a thread cancelled before its lock has nothing to clean up */
  CHECK_EQ(uv_mutex_trylock(&mutex), 0);
}

static void join_own(void* arg) {
  uv_thread_t self = uv_thread_self();
  *(int*) arg = uv_thread_join(&self);
}

TEST(joining_oneself_is_a_deadlock) {
  int result = 0;
  NOT_UNDER_TSAN("its runtime aborts on misused threads");
  CHECK_EQ(uv_thread_create(&tid, join_own, &result), 0);
  CHECK_EQ(uv_thread_join(&tid), 0);
  CHECK_EQ(result, -EDEADLK);
}

static void tell_and_end(void* arg) {
  uv_sem_post(arg);
}

TEST(detached_thread_runs_and_cannot_be_joined) {
  uv_sem_t ended;
  NEEDS(1, 50);
  NOT_UNDER_TSAN("its runtime aborts on misused threads");
  NOT_UNDER_ASAN("its runtime aborts on misused threads");
  start_waiting(&tid);
  CHECK_EQ(uv_thread_detach(&tid), 0);
#ifdef __GLIBC__ /* which notices, while the thread lives */
  CHECK_EQ(uv_thread_detach(&tid), UV_EINVAL);
  CHECK_EQ(uv_thread_join(&tid), UV_EINVAL);
#endif
  uv_sem_post(&go);
  CHECK_EQ(uv_sem_init(&ended, 0), 0);
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(uv_thread_create(&tid, tell_and_end, &ended), 0);
    CHECK_EQ(uv_thread_detach(&tid), 0);
  }
  for (int i = 0; i < 100; i++) uv_sem_wait(&ended);
}

/* Stacks. */

static void measure_stack(void* arg) {
  pthread_attr_t attr;
  (void) arg;
  CHECK_EQ(pthread_getattr_np(pthread_self(), &attr), 0);
  CHECK_EQ(pthread_attr_getstacksize(&attr, &stack_size), 0);
  CHECK_EQ(pthread_attr_destroy(&attr), 0);
}

/* What a thread gets, which may be a little more than was asked for, but for the guard page. */
static void check_stack(size_t wanted) {
  CHECK_EQ(uv_thread_join(&tid), 0);
  if (stack_size + 4096 < wanted || stack_size > wanted + 65536)
    CHECK_FAIL("the stack has %zu bytes, not %zu", stack_size, wanted);
}

static void check_default_stack(size_t wanted) {
  uv_thread_options_t options;
  memset(&options, 0xff, sizeof(options));
  options.flags = UV_THREAD_NO_FLAGS;
  CHECK_EQ(uv_thread_create(&tid, measure_stack, NULL), 0);
  check_stack(wanted);
  CHECK_EQ(uv_thread_create_ex(&tid, &options, measure_stack, NULL), 0);
  check_stack(wanted);
  options.flags = UV_THREAD_HAS_STACK_SIZE;
  options.stack_size = 0;
  CHECK_EQ(uv_thread_create_ex(&tid, &options, measure_stack, NULL), 0);
  check_stack(wanted);
}

static void limit_stack(rlim_t soft) {
  struct rlimit limit;
  CHECK_EQ(getrlimit(RLIMIT_STACK, &limit), 0);
  if (soft > limit.rlim_max) SKIP("the hard limit of the stack is too low");
  limit.rlim_cur = soft;
  CHECK_EQ(setrlimit(RLIMIT_STACK, &limit), 0);
}

TEST(default_stack_is_the_limit) {
  limit_stack((1 << 20) + 100);
  check_default_stack(1 << 20);
}

TEST(default_stack_without_a_limit) {
  limit_stack(RLIM_INFINITY);
#ifdef __powerpc__
  check_default_stack(4 << 20);
#else
  check_default_stack(2 << 20);
#endif
}

TEST(default_stack_with_an_absurd_limit) {
  limit_stack(1);
#ifdef __powerpc__
  check_default_stack(4 << 20);
#else
  check_default_stack(2 << 20);
#endif
}

TEST(stack_size_is_rounded_up) {
  NOT_UNDER_TSAN("its runtime enlarges stacks");
  size_t page = (size_t) sysconf(_SC_PAGESIZE);
  size_t least = PTHREAD_STACK_MIN > 8192 ? (size_t) PTHREAD_STACK_MIN : 8192;
  /* Growing, because the C library uses stacks again. */
  size_t wanted[] = {42, least / 2 - 42, least - 42, least, least + 1, 1 << 20, 1234567, 8 << 20};
  for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
    uv_thread_options_t options = {UV_THREAD_HAS_STACK_SIZE, wanted[i]};
    size_t whole = (wanted[i] + page - 1) / page * page;
    CHECK_EQ(uv_thread_create_ex(&tid, &options, measure_stack, NULL), 0);
    check_stack(whole > least ? whole : least);
  }
}

TEST(stack_that_cannot_be_is_refused) {
  uv_thread_options_t options = {UV_THREAD_HAS_STACK_SIZE, SIZE_MAX / 4};
  CHECK(uv_thread_create_ex(&tid, &options, measure_stack, NULL) < 0);
}

TEST(stack_as_large_as_memory_is_refused) {
  uv_thread_options_t options = {UV_THREAD_HAS_STACK_SIZE, SIZE_MAX - 42};
  OURS_ONLY("the reference wraps around and starts a thread with a small stack");
  CHECK(uv_thread_create_ex(&tid, &options, measure_stack, NULL) < 0);
}

/* Names. */

TEST(name_is_cut_to_what_linux_keeps) {
  char name[32], system[16];
  uv_thread_t self = uv_thread_self();
  NEEDS(1, 50);
  CHECK_EQ(uv_thread_setname("0123456789abcdefgh"), 0);
  CHECK_EQ(uv_thread_getname(&self, name, sizeof(name)), 0);
  CHECK_STR(name, "0123456789abcde");
  CHECK_EQ(pthread_getname_np(self, system, sizeof(system)), 0);
  CHECK_STR(system, name);
  CHECK_EQ(uv_thread_setname("0123456789abcde"), 0);
  CHECK_EQ(uv_thread_getname(&self, name, sizeof(name)), 0);
  CHECK_STR(name, "0123456789abcde");
  CHECK_EQ(uv_thread_setname("~\xc2\xbd\xc2\xac{\xc2\xbd"), 0);
  CHECK_EQ(uv_thread_getname(&self, name, sizeof(name)), 0);
  CHECK_STR(name, "~\xc2\xbd\xc2\xac{\xc2\xbd");
  CHECK_EQ(uv_thread_setname(""), 0);
  CHECK_EQ(uv_thread_getname(&self, name, sizeof(name)), 0);
  CHECK_STR(name, "");
}

TEST(name_is_cut_to_the_buffer) {
  char name[16];
  uv_thread_t self = uv_thread_self();
  NEEDS(1, 50);
  CHECK_EQ(uv_thread_setname("abcdef"), 0);
  for (size_t size = 1; size <= 8; size++) {
    char expected[8] = "";
    memcpy(expected, "abcdef", size < 7 ? size - 1 : 6);
    memset(name, '#', sizeof(name));
    CHECK_EQ(uv_thread_getname(&self, name, size), 0);
    CHECK_STR(name, expected);
    CHECK_EQ(name[size], '#');
    for (size_t i = strlen(name); i < size; i++) CHECK_EQ(name[i], 0);
  }
}

TEST(name_needs_arguments) {
  char name[16] = "#";
  uv_thread_t self = uv_thread_self();
  NEEDS(1, 50);
  CHECK_EQ(uv_thread_setname(NULL), UV_EINVAL);
  CHECK_EQ(uv_thread_getname(&self, NULL, sizeof(name)), UV_EINVAL);
  CHECK_EQ(uv_thread_getname(&self, name, 0), UV_EINVAL);
  CHECK_STR(name, "#");
}

static void name_and_wait(void* arg) {
  CHECK_EQ(uv_thread_setname("somebody"), 0);
  uv_sem_post(arg);
  uv_sem_wait(&go);
}

TEST(name_of_another_thread) {
  char name[16];
  uv_sem_t named;
  NEEDS(1, 50);
  CHECK_EQ(uv_sem_init(&named, 0), 0);
  CHECK_EQ(uv_sem_init(&go, 0), 0);
  CHECK_EQ(uv_thread_create(&tid, name_and_wait, &named), 0);
  uv_sem_wait(&named);
  CHECK_EQ(uv_thread_getname(&tid, name, sizeof(name)), 0);
  CHECK_STR(name, "somebody");
  finish(&tid);
}

/* CPUs. */

enum { MASK = CPU_SETSIZE };
static char before[MASK + 1], mask[MASK + 1], old[MASK + 1];

TEST(affinity_is_a_byte_for_each_cpu) {
  cpu_set_t set;
  uv_thread_t self = uv_thread_self();
  NEEDS(1, 45);
  CHECK_EQ(uv_cpumask_size(), MASK);
  memset(mask, 7, sizeof(mask));
  CHECK_EQ(uv_thread_getaffinity(&self, mask, MASK), 0);
  CHECK_EQ(mask[MASK], 7);
  CHECK_EQ(pthread_getaffinity_np(self, sizeof(set), &set), 0);
  for (int cpu = 0; cpu < MASK; cpu++) CHECK_EQ(mask[cpu], CPU_ISSET(cpu, &set) ? 1 : 0);
}

TEST(affinity_can_be_set) {
  uv_thread_t self = uv_thread_self();
  int cpu = 0;
  NEEDS(1, 45);
  CHECK_EQ(uv_thread_getaffinity(&self, before, MASK), 0);
  while (cpu < MASK && !before[cpu]) cpu++;
  mask[cpu] = (char) 0x80; /* anything but 0 */
  CHECK_EQ(uv_thread_setaffinity(&self, mask, old, sizeof(mask)), 0);
  CHECK(memcmp(before, old, MASK) == 0);
  CHECK_EQ(uv_thread_getcpu(), cpu);
  CHECK_EQ(uv_available_parallelism(), 1);
  CHECK_EQ(uv_thread_getaffinity(&self, mask, MASK), 0);
  for (int i = 0; i < MASK; i++) CHECK_EQ(mask[i], i == cpu);
  CHECK_EQ(uv_thread_setaffinity(&self, before, NULL, MASK), 0);
  CHECK_EQ(uv_thread_getaffinity(&self, mask, MASK), 0);
  CHECK(memcmp(before, mask, MASK) == 0);
}

TEST(affinity_of_another_thread) {
  uv_thread_t self = uv_thread_self();
  int cpu = MASK - 1;
  NEEDS(1, 45);
  CHECK_EQ(uv_thread_getaffinity(&self, before, MASK), 0);
  while (cpu > 0 && !before[cpu]) cpu--;
  start_waiting(&tid);
  mask[cpu] = 1;
  CHECK_EQ(uv_thread_setaffinity(&tid, mask, old, MASK), 0);
  CHECK(memcmp(before, old, MASK) == 0);
  CHECK_EQ(uv_thread_getaffinity(&tid, old, MASK), 0);
  CHECK(memcmp(mask, old, MASK) == 0);
  CHECK_EQ(uv_thread_getaffinity(&self, old, MASK), 0);
  CHECK(memcmp(before, old, MASK) == 0);
  finish(&tid);
}

TEST(affinity_needs_a_whole_mask_and_a_cpu) {
  uv_thread_t self = uv_thread_self();
  NEEDS(1, 45);
  CHECK_EQ(uv_thread_getaffinity(&self, before, MASK), 0);
  memset(old, 7, sizeof(old));
  CHECK_EQ(uv_thread_getaffinity(&self, old, MASK - 1), UV_EINVAL);
  CHECK_EQ(uv_thread_setaffinity(&self, before, old, MASK - 1), UV_EINVAL);
  CHECK_EQ(old[0], 7);
  CHECK_EQ(uv_thread_setaffinity(&self, mask, old, MASK), UV_EINVAL);
  CHECK(memcmp(before, old, MASK) == 0); /* stored nevertheless */
  CHECK_EQ(uv_thread_getaffinity(&self, mask, MASK), 0);
  CHECK(memcmp(before, mask, MASK) == 0);
}

/* Priorities. */

TEST(priority_needs_arguments) {
  int priority = 77;
  NEEDS(1, 48);
  CHECK_EQ(uv_thread_getpriority(uv_thread_self(), NULL), UV_EINVAL);
  CHECK_EQ(uv_thread_setpriority(uv_thread_self(), UV_THREAD_PRIORITY_HIGHEST + 1), UV_EINVAL);
  CHECK_EQ(uv_thread_setpriority(uv_thread_self(), UV_THREAD_PRIORITY_LOWEST - 1), UV_EINVAL);
  CHECK_EQ(uv_thread_getpriority(uv_thread_self(), &priority), 0);
  CHECK_EQ(priority, getpriority(PRIO_PROCESS, 0));
}

static void lower_own(void* arg) {
  int priority = 77;
  CHECK_EQ(uv_thread_setpriority(uv_thread_self(), UV_THREAD_PRIORITY_NORMAL), 0);
  CHECK_EQ(uv_thread_getpriority(uv_thread_self(), &priority), 0);
  CHECK_EQ(priority, 0);
  CHECK_EQ(uv_thread_setpriority(uv_thread_self(), UV_THREAD_PRIORITY_BELOW_NORMAL), 0);
  CHECK_EQ(uv_thread_getpriority(uv_thread_self(), &priority), 0);
  CHECK_EQ(priority, 2);
  CHECK_EQ(uv_thread_setpriority(uv_thread_self(), UV_THREAD_PRIORITY_LOWEST), 0);
  CHECK_EQ(uv_thread_getpriority(uv_thread_self(), &priority), 0);
  CHECK_EQ(priority, 4);
  CHECK_EQ(getpriority(PRIO_PROCESS, 0), 4); /* of the thread alone */
  *(int*) arg = uv_thread_setpriority(uv_thread_self(), UV_THREAD_PRIORITY_HIGHEST);
  CHECK_EQ(uv_thread_getpriority(uv_thread_self(), &priority), 0);
  CHECK_EQ(priority, *(int*) arg == 0 ? -4 : 4);
}

TEST(priority_of_the_calling_thread_is_its_nice_value) {
  int raised = 1, nice_value = getpriority(PRIO_PROCESS, 0);
  NEEDS(1, 48);
  if (nice_value > 0) SKIP("this process is nice already");
  CHECK_EQ(uv_thread_create(&tid, lower_own, &raised), 0);
  CHECK_EQ(uv_thread_join(&tid), 0);
  if (raised != 0) CHECK_EQ(raised, UV_EACCES);
  CHECK_EQ(getpriority(PRIO_PROCESS, 0), nice_value);
}

TEST(priority_of_another_thread_is_not_its_nice_value) {
  int priority = 77;
  NEEDS(1, 48);
  start_waiting(&tid);
  CHECK_EQ(uv_thread_setpriority(tid, UV_THREAD_PRIORITY_LOWEST), 0);
  CHECK_EQ(uv_thread_getpriority(tid, &priority), 0);
  CHECK_EQ(priority, 0);
  finish(&tid);
}

static void check_range(int policy, const int expected[5]) {
  struct sched_param param;
  int priority, found;
  for (int step = 0; step < 5; step++) {
    CHECK_EQ(uv_thread_setpriority(tid, UV_THREAD_PRIORITY_LOWEST + step), 0);
    CHECK_EQ(uv_thread_getpriority(tid, &priority), 0);
    CHECK_EQ(priority, expected[step]);
    CHECK_EQ(pthread_getschedparam(tid, &found, &param), 0);
    CHECK_EQ(found, policy);
    CHECK_EQ(param.sched_priority, expected[step]);
  }
}

TEST(priority_divides_the_range_of_the_policy) {
  static const int none[5] = {0, 0, 0, 0, 0}, quarters[5] = {1, 25, 50, 74, 99};
  struct sched_param param = {0};
  int permitted;
  NEEDS(1, 48);
  start_waiting(&tid);
  CHECK_EQ(pthread_setschedparam(tid, SCHED_BATCH, &param), 0);
  check_range(SCHED_BATCH, none);
  param.sched_priority = 1;
  permitted = pthread_setschedparam(tid, SCHED_RR, &param) == 0;
  if (permitted) check_range(SCHED_RR, quarters);
  finish(&tid);
  if (!permitted) SKIP("no right to use SCHED_RR");
}
