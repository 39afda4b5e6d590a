/* Thread pools of the program's own: where work runs and ends, order, cancelling, statistics, shutdown. The numbers are those of
 * docs/uvx/BEHAVIOUR.md. */
#include "pools.h"

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

static int late_cancel;

static void cancel_late(work_t* work, int status) {
  CHECK_EQ(status, 0);
  while (stats().busy > 0) sched_yield();
  late_cancel = uvx_pool_cancel(pool, work);
}

TEST(work_whose_end_is_on_a_loop_ran_when_it_comes_there) {
  work_t work;
  make_loop();
  make(1);
  CHECK_EQ(uvx_pool_queue(pool, &work, count, UVX_PRIORITY_NORMAL, home, cancel_late), 0);
  run();
  CHECK_EQ(late_cancel, UV_EALREADY);
  unmake();
  unmake_loop();
}
