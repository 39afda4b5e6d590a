/* Thread pools of the program's own: their threads, sizes that change, loops that close, storms, no memory and no threads; and
 * uvx_queue_work_from. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "pools.h"

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
  while (self_threads_named(name) != threads) sched_yield(); /* a thread names itself */
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
  wait_until(&worked, 16); /* what was held is over, too, whichever thread has it */
  while (self_threads_named("uvx-pool") > 2) sched_yield();
  CHECK_EQ(uvx_pool_set_size(pool, 1), 0); /* they sleep */
  while (self_threads_named("uvx-pool") > 1) sched_yield();
  CHECK_EQ(uvx_pool_set_size(pool, 3), 0);
  CHECK_EQ(stats().started, 3);
  held = let_go = 0;
  hold_threads(works, 3);
  release();
  unmake();
  CHECK_EQ(self_threads_named("uvx-pool"), 0);
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
  CHECK_EQ(self_threads_named("uvx-pool"), 0);
}

static int over;

static void* grow_and_shrink(void* arg) {
  (void) arg;
  while (!get(&over)) {
    CHECK_EQ(uvx_pool_set_size(pool, 32), 0);
    CHECK_EQ(uvx_pool_set_size(pool, 1), 0);
  }
  return NULL;
}

/* Fewer threads than there are to be: that is seen only by those who need not wait for the rest. */
TEST(it_works_while_threads_start) {
  work_t work;
  make(1);
  pthread_t thread = port_thread(grow_and_shrink, NULL);
  for (int i = 1, seen = 0; !seen || i < 20; i++) {
    CHECK_EQ(uvx_pool_queue(pool, &work, count, UVX_PRIORITY_NORMAL, NULL, end), 0);
    uvx_pool_stats_t now = stats();
    seen |= now.started < now.threads;
    wait_until(&ended, i);
  }
  add(&over, 1);
  port_join(thread);
  unmake();
}

static void* resize_until_the_end(void* arg) {
  unsigned seed = (unsigned) (uintptr_t) arg;
  for (;;) {
    int status = uvx_pool_set_size(pool, 1 + (unsigned) rand_r(&seed) % 6);
    if (status == UV_ESHUTDOWN) return NULL;
    CHECK_EQ(status, 0);
  }
}

TEST(it_is_shut_down_while_its_size_changes) {
  static work_t works[50];
  pthread_t threads[2];
  for (int round = 0; round < 30; round++) {
    make(1 + (unsigned) round % 3);
    for (int i = 0; i < 2; i++) threads[i] = port_thread(resize_until_the_end, (void*) (uintptr_t) (2 * round + i + 1));
    for (int i = 0; i < 50; i++) CHECK_EQ(uvx_pool_queue(pool, &works[i], count, UVX_PRIORITY_NORMAL, NULL, end), 0);
    CHECK_EQ(uvx_pool_shutdown(pool, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
    CHECK_EQ(self_threads_named("uvx-pool"), 0);
    CHECK_EQ(get(&ended), 50 * (round + 1));
    for (int i = 0; i < 2; i++) port_join(threads[i]);
    CHECK_EQ(stats().started, 0);
    uvx_pool_release(pool);
  }
}

/* A pool is left without waiting for it: its last thread frees it. */
TEST(a_pool_may_be_left_behind) {
  static work_t blocker;
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
  work_t works[3];
  make_loop();
  make(1);
  allocs.always = 1;
  CHECK_EQ(uvx_pool_queue(pool, &works[0], count, UVX_PRIORITY_NORMAL, NULL, end), 0);
  wait_until(&ended, 1);
  CHECK_EQ(uvx_pool_set_size(pool, 2), UV_ENOMEM);
  CHECK_EQ(stats().threads, 1);
  hold_threads(&works[0], 1);
  for (int i = 1; i < 3; i++) CHECK_EQ(uvx_pool_queue(pool, &works[i], count, UVX_PRIORITY_HIGH, home, end_on_loop), 0);
  CHECK_EQ(uvx_pool_cancel(pool, &works[1]), 0);
  release();
  CHECK_EQ(uvx_queue_work_from(home, &chain[0], chain_work, chain_end), 0);
  run();
  CHECK_EQ(ended, 3);
  CHECK_EQ(cancelled, 1);
  CHECK_EQ(chain_ended, 3);
  unmake();
  CHECK_EQ(allocs.refused, 1); /* the larger size */
  allocs.always = 0;
  unmake_loop();
  CHECK_EQ(allocs_live(), 0);
}

/* To raise it a privilege may be needed. */
TEST(a_priority_that_is_not_allowed) {
  uvx_pool_options_t options = {.size = sizeof options, .threads = 3, .thread_priority = UV_THREAD_PRIORITY_HIGHEST};
  int status = uvx_pool_create(&pool, &options);
  if (status != 0) {
    CHECK(status == UV_EACCES || status == UV_EPERM);
    CHECK_EQ(self_threads_named("uvx-pool"), 0);
    make(1);
  }
  unmake();
}

/* 1.7.1: threads that cannot start are an error, not a hang. */
TEST(without_threads) {
  uvx_pool_options_t options = {.size = sizeof options, .threads = 4, .stack_size = (size_t) 1 << 46};
  work_t work;
  int status = uvx_pool_create(&pool, &options);
  CHECK(status == UV_EAGAIN || status == UV_ENOMEM);
  CHECK_EQ(self_threads_named("uvx-pool"), 0);
  make(1);
  CHECK_EQ(uvx_pool_queue(pool, &work, count, UVX_PRIORITY_NORMAL, NULL, end), 0);
  unmake();
  CHECK_EQ(ended, 1);
}
