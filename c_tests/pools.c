/* Thread pools of the program's own: where work runs and ends, order, sizes, cancelling, shutdown, statistics, storms; and
 * uvx_queue_work_from. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "port.h"

#include "allocs.h"

#include <dirent.h>
#include <sched.h>

typedef uvx_pool_t pool_t;
typedef uvx_pool_work_t work_t;

static pool_t* pool;
static uv_loop_t loop;
static uvx_mailbox_t* home;
static pthread_t loop_thread;
static int worked, ended, cancelled;

static int add(int* counter, int n) {
  return __atomic_add_fetch(counter, n, __ATOMIC_SEQ_CST);
}

static int get(int* counter) {
  return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

static void wait_until(int* counter, int value) {
  while (get(counter) < value) sched_yield();
}

static void make(unsigned threads) {
  uvx_pool_options_t options = {.size = sizeof options, .threads = threads};
  CHECK_EQ(uvx_pool_create(&pool, &options), 0);
}

static void make_loop(void) {
  loop_thread = pthread_self();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uvx_loop_mailbox(&loop, &home), 0);
}

static void run(void) {
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

static void unmake_loop(void) {
  uvx_mailbox_release(home);
  run();
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void unmake(void) {
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  uvx_pool_release(pool);
}

static uvx_pool_stats_t stats(void) {
  uvx_pool_stats_t stats = {.size = sizeof stats};
  CHECK_EQ(uvx_pool_stats(pool, &stats), 0);
  return stats;
}

static void count(work_t* work) {
  (void) work;
  add(&worked, 1);
}

static void end(work_t* work, int status) {
  (void) work;
  if (status == UV_ECANCELED)
    add(&cancelled, 1);
  else
    CHECK_EQ(status, 0);
  add(&ended, 1);
}

static void end_on_loop(work_t* work, int status) {
  CHECK(pthread_equal(pthread_self(), loop_thread));
  end(work, status);
}

/* Work that blocks until it is let go. */
static int held, let_go;

static void hold(work_t* work) {
  (void) work;
  add(&held, 1);
  while (!get(&let_go)) sched_yield();
  add(&worked, 1);
}

/* Occupies `n` threads of the pool. */
static void hold_threads(work_t* works, int n) {
  int before = get(&held);
  for (int i = 0; i < n; i++) CHECK_EQ(uvx_pool_queue(pool, &works[i], hold, UVX_PRIORITY_NORMAL, NULL, NULL), 0);
  wait_until(&held, before + n);
}

static void release(void) {
  add(&let_go, 1);
}

static int threads_named(const char* name) {
  int found = 0;
  struct dirent* entry;
  DIR* tasks = opendir("/proc/self/task");
  CHECK(tasks != NULL);
  while ((entry = readdir(tasks)) != NULL) {
    char path[300], text[32] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
    FILE* file = fopen(path, "r");
    if (file == NULL) continue;
    if (fgets(text, sizeof text, file) != NULL) {
      text[strcspn(text, "\n")] = '\0';
      found += strcmp(text, name) == 0;
    }
    fclose(file);
  }
  closedir(tasks);
  return found;
}

TEST(work_comes_home_to_its_loop) {
  work_t work = {.data = &worked};
  make_loop();
  make(2);
  CHECK_EQ(uvx_pool_queue(pool, &work, count, UVX_PRIORITY_NORMAL, home, end_on_loop), 0);
  CHECK(uv_loop_alive(&loop) != 0);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  CHECK_EQ(get(&ended), 0);
  run();
  CHECK(work.data == &worked);
  CHECK_EQ(worked, 1);
  CHECK_EQ(ended, 1);
  CHECK_EQ(loop.active_reqs.count, 0);
  /* Without an end the loop is still waited for. */
  CHECK_EQ(uvx_pool_queue(pool, &work, count, UVX_PRIORITY_NORMAL, home, NULL), 0);
  run();
  CHECK_EQ(worked, 2);
  unmake();
  unmake_loop();
}

static pthread_t worked_on;

static void note_thread(work_t* work) {
  (void) work;
  worked_on = pthread_self();
}

static void end_on_the_same(work_t* work, int status) {
  CHECK(pthread_equal(pthread_self(), worked_on));
  CHECK(!pthread_equal(pthread_self(), loop_thread));
  free(work); /* it is the callback's */
  end(NULL, status);
}

static void free_work(work_t* work) {
  free(work);
  add(&worked, 1);
}

TEST(work_without_a_loop) {
  loop_thread = pthread_self();
  make(1);
  CHECK_EQ(uvx_pool_queue(pool, malloc(sizeof(work_t)), note_thread, UVX_PRIORITY_LOW, NULL, end_on_the_same), 0);
  CHECK_EQ(uvx_pool_queue(pool, malloc(sizeof(work_t)), free_work, UVX_PRIORITY_LOW, NULL, NULL), 0);
  unmake();
  CHECK_EQ(ended, 1);
  CHECK_EQ(worked, 1);
}

TEST(nonsense_is_refused) {
  work_t work;
  uvx_pool_options_t options = {.size = sizeof options - 1};
  pool_t* none = NULL;
  CHECK_EQ(uvx_pool_create(&none, &options), UV_EINVAL);
  options = (uvx_pool_options_t) {.size = sizeof options, .threads = 1025};
  CHECK_EQ(uvx_pool_create(&none, &options), UV_EINVAL);
  options = (uvx_pool_options_t) {.size = sizeof options, .flags = 1};
  CHECK_EQ(uvx_pool_create(&none, &options), UV_EINVAL);
  options = (uvx_pool_options_t) {.size = sizeof options, .thread_priority = 3};
  CHECK_EQ(uvx_pool_create(&none, &options), UV_EINVAL);
  CHECK(none == NULL);
  uvx_pool_release(NULL);
  make(1);
  CHECK_EQ(uvx_pool_queue(pool, &work, NULL, UVX_PRIORITY_NORMAL, NULL, end), UV_EINVAL);
  CHECK_EQ(uvx_pool_queue(pool, &work, count, 2, NULL, end), UV_EINVAL);
  CHECK_EQ(uvx_pool_queue(pool, &work, count, -2, NULL, end), UV_EINVAL);
  CHECK_EQ(uvx_pool_set_size(pool, 0), UV_EINVAL);
  CHECK_EQ(uvx_pool_set_size(pool, 1025), UV_EINVAL);
  CHECK_EQ(uvx_pool_shutdown(pool, 2, 0), UV_EINVAL);
  uvx_pool_stats_t small = {.size = sizeof small - 1};
  CHECK_EQ(uvx_pool_stats(pool, &small), UV_EINVAL);
  CHECK_EQ(uvx_pool_queue(pool, &work, count, UVX_PRIORITY_NORMAL, NULL, end), 0);
  unmake();
  CHECK_EQ(ended, 1);
}

static size_t stack_size;
static int nice_value;

static void look_at_thread(work_t* work) {
  pthread_attr_t attributes;
  (void) work;
  CHECK_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
  CHECK_EQ(pthread_attr_getstacksize(&attributes, &stack_size), 0);
  CHECK_EQ(pthread_attr_destroy(&attributes), 0);
  CHECK_EQ(uv_thread_getpriority(pthread_self(), &nice_value), 0);
}

static void check_threads(uvx_pool_options_t* options, const char* name, int threads, size_t stack) {
  work_t work;
  CHECK_EQ(uvx_pool_create(&pool, options), 0);
  while (threads_named(name) != threads) sched_yield(); /* a thread names itself */
  CHECK_EQ(uvx_pool_queue(pool, &work, look_at_thread, UVX_PRIORITY_NORMAL, NULL, NULL), 0);
  unmake();
  CHECK(stack_size >= stack);
}

TEST(names_stacks_and_priorities) {
  char name[] = "my-pool-with-a-long-name";
  uvx_pool_options_t options = {.size = sizeof options, .threads = 3, .name = name, .stack_size = 1 << 20};
  check_threads(&options, "my-pool-with-a-", 3, 1 << 20);
  CHECK(stack_size < 2 << 20);
  check_threads(NULL, "uvx-pool", (int) uv_available_parallelism(), 8 << 20);
  options = (uvx_pool_options_t) {.size = sizeof options, .threads = 1, .stack_size = 1};
  check_threads(&options, "uvx-pool", 1, 16384);
  int usual;
  CHECK_EQ(uv_thread_getpriority(pthread_self(), &usual), 0);
  options = (uvx_pool_options_t) {.size = sizeof options, .threads = 2, .thread_priority = UV_THREAD_PRIORITY_LOWEST};
  check_threads(&options, "uvx-pool", 2, 8 << 20);
  CHECK(nice_value != usual);
}

/* One thread that is held: what is queued behind it runs in a known order. */
static work_t blocker;

static void note_name(work_t* work) {
  port_note_number((intptr_t) work->data);
}

static void queue_named(work_t* work, int name, uvx_priority priority) {
  work->data = (void*) (intptr_t) name;
  CHECK_EQ(uvx_pool_queue(pool, work, note_name, priority, NULL, end), 0);
}

TEST(order_and_priorities) {
  work_t works[9];
  make(1);
  hold_threads(&blocker, 1);
  for (int i = 0; i < 9; i++) queue_named(&works[i], i, i % 3 - 1);
  CHECK_EQ(stats().waiting[0], 3);
  CHECK_EQ(stats().waiting[1], 3);
  CHECK_EQ(stats().waiting[2], 3);
  release();
  unmake();
  CHECK_LOG("2,5,8,1,4,7,0,3,6");
}

/* 1.7.3: urgent work that queues itself again and again does not keep the rest from running. */
static void again(work_t* work) {
  if (get(&ended) == 0) CHECK_EQ(uvx_pool_queue(pool, work, again, UVX_PRIORITY_HIGH, NULL, NULL), 0);
}

TEST(nothing_waits_for_ever) {
  work_t urgent[2], low, normal;
  make(1);
  hold_threads(&blocker, 1);
  CHECK_EQ(uvx_pool_queue(pool, &urgent[0], again, UVX_PRIORITY_HIGH, NULL, NULL), 0);
  CHECK_EQ(uvx_pool_queue(pool, &urgent[1], again, UVX_PRIORITY_HIGH, NULL, NULL), 0);
  CHECK_EQ(uvx_pool_queue(pool, &normal, count, UVX_PRIORITY_NORMAL, NULL, NULL), 0);
  CHECK_EQ(uvx_pool_queue(pool, &low, count, UVX_PRIORITY_LOW, NULL, end), 0);
  release();
  wait_until(&ended, 1);
  unmake();
  CHECK_EQ(worked, 3);
}

TEST(cancelling) {
  work_t work, on_loop, other;
  make_loop();
  make(1);
  hold_threads(&blocker, 1);
  CHECK_EQ(uvx_pool_queue(pool, &work, count, UVX_PRIORITY_LOW, NULL, end), 0);
  CHECK_EQ(uvx_pool_queue(pool, &other, count, UVX_PRIORITY_LOW, NULL, end), 0);
  CHECK_EQ(uvx_pool_queue(pool, &on_loop, count, UVX_PRIORITY_LOW, home, end_on_loop), 0);
  CHECK_EQ(uvx_pool_cancel(pool, &blocker), UV_EBUSY);
  CHECK_EQ(uvx_pool_cancel(pool, &work), 0);
  CHECK_EQ(cancelled, 1); /* inside of it */
  CHECK_EQ(uvx_pool_cancel(pool, &work), UV_EALREADY);
  CHECK_EQ(uvx_pool_cancel(pool, &on_loop), 0);
  CHECK_EQ(cancelled, 1);
  run();
  CHECK_EQ(cancelled, 2);
  pool_t* first = pool;
  make(1);
  CHECK_EQ(uvx_pool_cancel(pool, &other), UV_EINVAL);
  unmake();
  pool = first;
  release();
  unmake();
  CHECK_EQ(worked, 2);
  CHECK_EQ(ended, 3);
  unmake_loop();
}

TEST(growing_and_shrinking) {
  work_t works[8], more[8];
  make(1);
  CHECK_EQ(uvx_pool_set_size(pool, 8), 0);
  CHECK_EQ(stats().threads, 8);
  CHECK_EQ(stats().started, 8);
  hold_threads(works, 8);
  CHECK_EQ(stats().busy, 8);
  CHECK_EQ(uvx_pool_set_size(pool, 2), 0); /* they are busy, and stay until they are through */
  CHECK_EQ(stats().started, 8);
  for (int i = 0; i < 8; i++) CHECK_EQ(uvx_pool_queue(pool, &more[i], count, UVX_PRIORITY_NORMAL, NULL, end), 0);
  release();
  while (stats().started != 2) sched_yield();
  wait_until(&ended, 8);
  while (threads_named("uvx-pool") > 2) sched_yield();
  CHECK_EQ(uvx_pool_set_size(pool, 1), 0); /* they sleep */
  while (threads_named("uvx-pool") > 1) sched_yield();
  CHECK_EQ(uvx_pool_set_size(pool, 3), 0);
  CHECK_EQ(stats().started, 3);
  held = let_go = 0;
  hold_threads(works, 3);
  release();
  unmake();
  CHECK_EQ(threads_named("uvx-pool"), 0);
  CHECK_EQ(worked, 19);
}

static void* resize(void* arg) {
  unsigned seed = (unsigned) (uintptr_t) arg;
  for (int i = 0; i < 100; i++) CHECK_EQ(uvx_pool_set_size(pool, 1 + (unsigned) rand_r(&seed) % 6), 0);
  return NULL;
}

/* Sizes change from two threads while two others queue. */
enum { EACH = 3000 };

static void* queue_many(void* arg) {
  work_t* works = arg;
  for (int i = 0; i < EACH; i++) CHECK_EQ(uvx_pool_queue(pool, &works[i], count, i % 3 - 1, NULL, end), 0);
  return NULL;
}

TEST(sizes_change_under_load) {
  static work_t works[2][EACH];
  pthread_t threads[4];
  make(1);
  for (int i = 0; i < 2; i++) threads[i] = port_thread(queue_many, works[i]);
  for (int i = 2; i < 4; i++) threads[i] = port_thread(resize, (void*) (uintptr_t) i);
  for (int i = 0; i < 4; i++) port_join(threads[i]);
  unmake();
  CHECK_EQ(worked, 2 * EACH);
  CHECK_EQ(ended, 2 * EACH);
  CHECK_EQ(threads_named("uvx-pool"), 0);
}

TEST(statistics) {
  work_t works[4], low;
  make(2);
  uvx_pool_stats_t s = stats();
  CHECK_EQ(s.threads, 2);
  CHECK_EQ(s.started, 2);
  CHECK_EQ(s.queued + s.begun + s.done + s.cancelled + s.wait_p99_ns + s.oldest_ns, 0);
  hold_threads(works, 2);
  CHECK_EQ(uvx_pool_queue(pool, &works[2], count, UVX_PRIORITY_NORMAL, NULL, end), 0);
  CHECK_EQ(uvx_pool_queue(pool, &works[3], count, UVX_PRIORITY_NORMAL, NULL, end), 0);
  CHECK_EQ(uvx_pool_queue(pool, &low, count, UVX_PRIORITY_LOW, NULL, end), 0);
  uint64_t since = uv_hrtime();
  while (uv_hrtime() - since < 2000000) sched_yield();
  s = stats();
  CHECK_EQ(s.busy, 2);
  CHECK_EQ(s.waiting[0], 1);
  CHECK_EQ(s.waiting[1], 2);
  CHECK_EQ(s.waiting[2], 0);
  CHECK_EQ(s.queued, 5);
  CHECK_EQ(s.begun, 2);
  CHECK_EQ(s.done, 0);
  CHECK(s.oldest_ns >= 2000000);
  CHECK_EQ(uvx_pool_cancel(pool, &low), 0);
  release();
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  s = stats();
  CHECK_EQ(s.started, 0);
  CHECK_EQ(s.busy, 0);
  CHECK_EQ(s.most_busy, 2);
  CHECK_EQ(s.most_waiting, 3);
  CHECK_EQ(s.begun, 4);
  CHECK_EQ(s.done, 4);
  CHECK_EQ(s.cancelled, 1);
  CHECK(s.wait_max_ns >= 2000000);
  CHECK(s.wait_total_ns >= 4000000);
  CHECK(s.wait_p99_ns >= 2000000);
  CHECK(s.wait_p50_ns <= s.wait_p99_ns);
  CHECK(s.wait_p99_ns <= s.wait_max_ns);
  CHECK_EQ(s.oldest_ns, 0);
  uvx_pool_release(pool);
}

/* 1.7.5: shutting down drops what waits, with a callback for each. */
TEST(shutdown_drops) {
  work_t works[10], on_loop, late;
  make_loop();
  make(1);
  hold_threads(&blocker, 1);
  for (int i = 0; i < 10; i++) CHECK_EQ(uvx_pool_queue(pool, &works[i], count, i % 3 - 1, NULL, end), 0);
  CHECK_EQ(uvx_pool_queue(pool, &on_loop, count, UVX_PRIORITY_NORMAL, home, end_on_loop), 0);
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_DROP, 0), UV_ETIMEDOUT);
  CHECK_EQ(cancelled, 10);
  CHECK_EQ(uvx_pool_queue(pool, &late, count, UVX_PRIORITY_NORMAL, NULL, end), UV_ESHUTDOWN);
  CHECK_EQ(uvx_pool_queue(pool, &late, count, UVX_PRIORITY_NORMAL, home, end), UV_ESHUTDOWN);
  CHECK_EQ(uvx_pool_set_size(pool, 2), UV_ESHUTDOWN);
  run();
  CHECK_EQ(cancelled, 11);
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_DROP, 1000000), UV_ETIMEDOUT);
  release();
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_DROP, UVX_FOREVER), 0);
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_DROP, UVX_FOREVER), 0);
  CHECK_EQ(worked, 1);
  CHECK_EQ(ended, 11);
  uvx_pool_release(pool);
  unmake_loop();
}

TEST(shutdown_runs_all_or_what_it_can) {
  work_t works[10];
  make(1);
  hold_threads(&blocker, 1);
  for (int i = 0; i < 10; i++) CHECK_EQ(uvx_pool_queue(pool, &works[i], count, UVX_PRIORITY_LOW, NULL, end), 0);
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_RUN_ALL, 1000000), UV_ETIMEDOUT);
  CHECK_EQ(cancelled, 0);
  release();
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  CHECK_EQ(worked, 11);
  CHECK_EQ(ended, 10);
  uvx_pool_release(pool);
  /* The time is over; what waits is dropped. */
  held = let_go = ended = 0;
  make(1);
  hold_threads(&blocker, 1);
  for (int i = 0; i < 10; i++) CHECK_EQ(uvx_pool_queue(pool, &works[i], count, UVX_PRIORITY_LOW, NULL, end), 0);
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_RUN_ALL, 0), UV_ETIMEDOUT);
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_DROP, 0), UV_ETIMEDOUT);
  CHECK_EQ(cancelled, 10);
  release();
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_DROP, UVX_FOREVER), 0);
  CHECK_EQ(ended, 10);
  uvx_pool_release(pool);
}

static work_t inner;

static void use_own_pool(work_t* work) {
  (void) work;
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_DROP, 0), UV_EINVAL);
  CHECK_EQ(uvx_pool_set_size(pool, 3), 0);
  CHECK_EQ(stats().busy, 1);
  CHECK_EQ(uvx_pool_cancel(pool, work), UV_EBUSY);
  CHECK_EQ(uvx_pool_queue(pool, &inner, count, UVX_PRIORITY_NORMAL, home, end_on_loop), 0);
}

TEST(work_uses_its_own_pool) {
  work_t work;
  make_loop();
  make(1);
  CHECK_EQ(uvx_pool_queue(pool, &work, use_own_pool, UVX_PRIORITY_NORMAL, home, end_on_loop), 0);
  run();
  CHECK_EQ(worked, 1);
  CHECK_EQ(ended, 2);
  unmake();
  unmake_loop();
}

/* A pool is left without waiting for it: its last thread frees it. */
TEST(a_pool_may_be_left_behind) {
  allocs_install();
  make(2);
  hold_threads(&blocker, 1);
  uvx_pool_ref(pool);
  uvx_pool_release(pool);
  CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_DROP, 0), UV_ETIMEDOUT);
  uvx_pool_release(pool);
  release();
  while (allocs_live() != 0) sched_yield();
  CHECK_EQ(worked, 1);
}

TEST(a_closed_mailbox_takes_no_work) {
  work_t work, waiting;
  uv_work_t req;
  make_loop();
  make(1);
  hold_threads(&blocker, 1);
  CHECK_EQ(uvx_pool_queue(pool, &waiting, count, UVX_PRIORITY_NORMAL, home, end_on_loop), 0);
  CHECK_EQ(uvx_mailbox_close(home, 0), 0);
  CHECK_EQ(uvx_pool_queue(pool, &work, count, UVX_PRIORITY_NORMAL, home, end_on_loop), UV_ESHUTDOWN);
  CHECK_EQ(uvx_queue_work_from(home, &req, NULL, NULL), UV_ESHUTDOWN);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  release();
  run(); /* what was queued before comes home all the same */
  CHECK_EQ(ended, 1);
  CHECK_EQ(uv_loop_close(&loop), 0);
  CHECK_EQ(uvx_pool_queue(pool, &work, count, UVX_PRIORITY_NORMAL, home, end_on_loop), UV_ESHUTDOWN);
  uvx_mailbox_release(home);
  unmake();
}

/* Threads queue to a loop that goes as soon as it can: each accepted piece of work came home before, each refused one did not run. */
static int accepted;

static void* queue_until_refused(void* arg) {
  work_t* works = arg;
  for (int i = 0; i < EACH; i++) {
    int status = uvx_pool_queue(pool, &works[i], count, UVX_PRIORITY_NORMAL, home, end_on_loop);
    if (status == UV_ESHUTDOWN) break;
    CHECK_EQ(status, 0);
    add(&accepted, 1);
  }
  return NULL;
}

TEST(loops_close_while_others_queue) {
  static work_t works[2][EACH];
  pthread_t threads[2];
  int rounds = 30;
  make(2);
  for (int round = 0; round < rounds; round++) {
    accepted = ended = 0;
    make_loop();
    for (int i = 0; i < 2; i++) threads[i] = port_thread(queue_until_refused, works[i]);
    if (round % 2 == 0) wait_until(&accepted, round);
    do {
      uv_run(&loop, UV_RUN_DEFAULT);
    } while (uv_loop_close(&loop) != 0);
    for (int i = 0; i < 2; i++) port_join(threads[i]);
    CHECK_EQ(ended, accepted);
    uvx_mailbox_release(home);
  }
  unmake();
}

/* uvx_queue_work_from: from work callbacks and from other threads, into the pool of uv_queue_work. */
static uv_work_t chain[3];
static int chain_ended;

static void chain_end(uv_work_t* req, int status) {
  CHECK_EQ(status, 0);
  CHECK_EQ(req->type, UV_WORK);
  CHECK(req->loop == &loop);
  CHECK(pthread_equal(pthread_self(), loop_thread));
  chain_ended++;
}

static void chain_work(uv_work_t* req) {
  add(&worked, 1);
  if (req + 1 < chain + 3) CHECK_EQ(uvx_queue_work_from(home, req + 1, chain_work, chain_end), 0);
}

static void after_cancelled(uv_work_t* req, int status) {
  (void) req;
  CHECK_EQ(status, UV_ECANCELED);
  add(&cancelled, 1);
}

static void hold_req(uv_work_t* req) {
  (void) req;
  hold(NULL);
}

static void nothing(uv_work_t* req) {
  (void) req;
}

TEST(the_default_pool_from_work) {
  uv_work_t held_req, waiting;
  setenv("UV_THREADPOOL_SIZE", "1", 1);
  make_loop();
  CHECK_EQ(uvx_queue_work_from(home, &chain[0], NULL, chain_end), UV_EINVAL);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(uvx_queue_work_from(home, &chain[0], chain_work, chain_end), 0);
  CHECK(uv_loop_alive(&loop) != 0);
  run();
  CHECK_EQ(worked, 3);
  CHECK_EQ(chain_ended, 3);
  CHECK_EQ(uvx_queue_work_from(home, &held_req, hold_req, NULL), 0);
  wait_until(&held, 1);
  CHECK_EQ(uvx_queue_work_from(home, &waiting, nothing, after_cancelled), 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &waiting), 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &held_req), UV_EBUSY);
  release();
  run();
  CHECK_EQ(cancelled, 1);
  CHECK_EQ(loop.active_reqs.count, 0);
  unmake_loop();
}

static void* queue_reqs(void* arg) {
  uv_work_t* reqs = arg;
  for (int i = 0; i < EACH; i++) CHECK_EQ(uvx_queue_work_from(home, &reqs[i], nothing, chain_end), 0);
  return NULL;
}

TEST(the_default_pool_from_many_threads) {
  static uv_work_t reqs[4][EACH];
  pthread_t threads[4];
  make_loop();
  for (int i = 0; i < 4; i++) threads[i] = port_thread(queue_reqs, reqs[i]);
  while (chain_ended < 4 * EACH) uv_run(&loop, UV_RUN_DEFAULT);
  for (int i = 0; i < 4; i++) port_join(threads[i]);
  CHECK_EQ(loop.active_reqs.count, 0);
  unmake_loop();
}

/* Eight threads queue to two loops and to none, and cancel what they can. */
enum { STORM = 2000 };
static uv_loop_t loops[2];
static uvx_mailbox_t* homes[2];
static int storm_ended[3], storm_cancelled;

static void storm_end(work_t* work, int status) {
  add(&storm_ended[(intptr_t) work->data], 1);
  if (status != 0) add(&storm_cancelled, 1);
}

static void* storm(void* arg) {
  work_t* works = arg;
  int taken_back = 0;
  for (int i = 0; i < STORM; i++) {
    intptr_t where = i % 3;
    works[i].data = (void*) where;
    CHECK_EQ(uvx_pool_queue(pool, &works[i], count, i % 3 - 1, where < 2 ? homes[where] : NULL, storm_end), 0);
    if (i % 5 == 2 && where == 2) { /* its memory stays, so a late cancel only says so */
      int status = uvx_pool_cancel(pool, &works[i]);
      CHECK(status == 0 || status == UV_EBUSY || status == UV_EALREADY);
      taken_back += status == 0;
    }
  }
  return (void*) (intptr_t) taken_back;
}

static void* run_second(void* arg) {
  (void) arg;
  while (get(&storm_ended[1]) < 8 * (STORM / 3 + 1)) uv_run(&loops[1], UV_RUN_DEFAULT);
  return NULL;
}

TEST(storm) {
  static work_t works[8][STORM];
  pthread_t threads[8], second;
  int taken_back = 0;
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(uv_loop_init(&loops[i]), 0);
    CHECK_EQ(uvx_loop_mailbox(&loops[i], &homes[i]), 0);
  }
  make(4);
  for (int i = 0; i < 8; i++) threads[i] = port_thread(storm, works[i]);
  second = port_thread(run_second, NULL);
  while (get(&storm_ended[0]) < 8 * (STORM / 3 + 1)) uv_run(&loops[0], UV_RUN_DEFAULT);
  for (int i = 0; i < 8; i++) {
    void* result;
    CHECK_EQ(pthread_join(threads[i], &result), 0);
    taken_back += (int) (intptr_t) result;
  }
  port_join(second);
  unmake();
  CHECK_EQ(storm_cancelled, taken_back);
  CHECK_EQ(storm_ended[0] + storm_ended[1] + storm_ended[2], 8 * STORM);
  CHECK_EQ(worked + taken_back, 8 * STORM);
  for (int i = 0; i < 2; i++) {
    uvx_mailbox_release(homes[i]);
    CHECK_EQ(uv_run(&loops[i], UV_RUN_DEFAULT), 0);
    CHECK_EQ(uv_loop_close(&loops[i]), 0);
  }
}

static int create_and_release(long n) {
  uvx_pool_options_t options = {.size = sizeof options, .threads = 3};
  allocs_fail_at(n);
  int result = uvx_pool_create(&pool, &options);
  allocs_fail_at(0);
  if (result == 0) unmake();
  return result;
}

static int grow(long n) {
  make(1);
  allocs_fail_at(n);
  int result = uvx_pool_set_size(pool, 4);
  allocs_fail_at(0);
  CHECK_EQ(stats().threads, result == 0 ? 4 : 1);
  while (stats().started != stats().threads) sched_yield();
  unmake();
  return result;
}

TEST(without_memory) {
  allocs_install();
  CHECK(allocs_exhaust(create_and_release) >= 4);
  CHECK(allocs_exhaust(grow) >= 3);
  /* The rest needs none. */
  work_t work;
  make(1);
  allocs.always = 1;
  CHECK_EQ(uvx_pool_queue(pool, &work, count, UVX_PRIORITY_NORMAL, NULL, end), 0);
  wait_until(&ended, 1);
  CHECK_EQ(uvx_pool_set_size(pool, 2), UV_ENOMEM);
  CHECK_EQ(stats().threads, 1);
  unmake();
}

/* 1.7.1: threads that cannot start are an error, not a hang. */
TEST(without_threads) {
  uvx_pool_options_t options = {.size = sizeof options, .threads = 4, .stack_size = (size_t) 1 << 46};
  work_t work;
  int status = uvx_pool_create(&pool, &options);
  CHECK(status == UV_EAGAIN || status == UV_ENOMEM);
  CHECK_EQ(threads_named("uvx-pool"), 0);
  make(1);
  CHECK_EQ(uvx_pool_queue(pool, &work, count, UVX_PRIORITY_NORMAL, NULL, end), 0);
  unmake();
  CHECK_EQ(ended, 1);
}
