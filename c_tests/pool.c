/* The thread pool: where work runs, in which order, cancelling, sizes, bursts, several loops, and its end. */
#include "self.h"
#include "trace.h"

#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

static uv_loop_t loop;
static pthread_t loop_thread;
static int calls, worked;

static void set_size(const char* size) {
  CHECK_EQ(setenv("UV_THREADPOOL_SIZE", size, 1), 0); /* read when the first work comes */
}

static void init(void) {
  loop_thread = pthread_self();
  CHECK_EQ(uv_loop_init(&loop), 0);
}

static void run(void) {
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

static void work_elsewhere(uv_work_t* req) {
  CHECK(!pthread_equal(pthread_self(), loop_thread));
  CHECK_EQ(req->loop, &loop);
  __atomic_add_fetch(&worked, 1, __ATOMIC_RELAXED);
}

static void after(uv_work_t* req, int status) {
  CHECK(pthread_equal(pthread_self(), loop_thread));
  CHECK_EQ(req->type, UV_WORK);
  CHECK_EQ(status, 0);
  calls++;
}

static void after_cancelled(uv_work_t* req, int status) {
  (void) req;
  CHECK_EQ(status, UV_ECANCELED);
  calls++;
}

static void nothing(uv_work_t* req) {
  (void) req;
}

TEST(work_and_after_work) {
  uv_work_t req = {.data = &calls};
  init();
  CHECK_EQ(uv_queue_work(&loop, &req, work_elsewhere, after), 0);
  CHECK_EQ(req.data, &calls);
  CHECK_EQ(req.loop, &loop);
  CHECK_EQ(loop.active_reqs.count, 1);
  CHECK_EQ(calls, 0);
  run();
  CHECK_EQ(worked, 1);
  CHECK_EQ(calls, 1);
  CHECK_EQ(loop.active_reqs.count, 0);
  check_close_loop(&loop);
}

TEST(callbacks_that_are_null) {
  uv_work_t req;
  init();
  CHECK_EQ(uv_queue_work(&loop, &req, NULL, after), UV_EINVAL);
  CHECK_EQ(loop.active_reqs.count, 0);
  CHECK_EQ(uv_queue_work(&loop, &req, work_elsewhere, NULL), 0);
  run();
  CHECK_EQ(worked, 1);
  check_close_loop(&loop);
}

static void look_at_thread(uv_work_t* req) {
  pthread_attr_t attributes;
  size_t size;
  char name[16];
  (void) req;
  CHECK_EQ(pthread_getname_np(pthread_self(), name, sizeof(name)), 0);
  CHECK_STR(name, "libuv-worker");
  CHECK_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
  CHECK_EQ(pthread_attr_getstacksize(&attributes, &size), 0);
  CHECK_EQ(pthread_attr_destroy(&attributes), 0);
  CHECK(size >= 8u << 20);
}

TEST(name_and_stack_of_its_threads) {
  uv_work_t req;
  NEEDS(1, 50);
  init();
  CHECK_EQ(uv_queue_work(&loop, &req, look_at_thread, after), 0);
  run();
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

/* One thread: everything is in the order of the calls. */
enum { MANY = 200 };
static uv_work_t many[MANY];
static int begun[MANY], done[MANY];

static void note_begin(uv_work_t* req) {
  begun[worked++] = (int) (req - many);
}

static void note_done(uv_work_t* req, int status) {
  CHECK_EQ(status, 0);
  done[calls++] = (int) (req - many);
}

TEST(order) {
  set_size("1");
  init();
  for (int i = 0; i < MANY; i++) CHECK_EQ(uv_queue_work(&loop, &many[i], note_begin, note_done), 0);
  CHECK_EQ(loop.active_reqs.count, MANY);
  run();
  for (int i = 0; i < MANY; i++) {
    CHECK_EQ(begun[i], i);
    CHECK_EQ(done[i], i);
  }
  check_close_loop(&loop);
}

/* Work that blocks until it is let go; `held` says how many threads are in it. */
static int held, let_go;

static void hold(uv_work_t* req) {
  (void) req;
  __atomic_add_fetch(&held, 1, __ATOMIC_SEQ_CST);
  while (!__atomic_load_n(&let_go, __ATOMIC_SEQ_CST)) sched_yield();
}

static void hold_threads(uv_work_t* reqs, int count) {
  for (int i = 0; i < count; i++) CHECK_EQ(uv_queue_work(&loop, &reqs[i], hold, after), 0);
  while (__atomic_load_n(&held, __ATOMIC_SEQ_CST) < count) sched_yield();
}

static void release(void) {
  __atomic_store_n(&let_go, 1, __ATOMIC_SEQ_CST);
}

TEST(cancel_while_all_threads_are_busy) {
  uv_work_t busy[2], waiting[5];
  set_size("2");
  init();
  hold_threads(busy, 2);
  for (int i = 0; i < 5; i++) CHECK_EQ(uv_queue_work(&loop, &waiting[i], work_elsewhere, after_cancelled), 0);
  for (int i = 0; i < 5; i++) CHECK_EQ(uv_cancel((uv_req_t*) &waiting[i]), 0);
  CHECK_EQ(calls, 0); /* not inside uv_cancel */
  while (calls < 5) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0); /* no thread had to get free for this */
  CHECK_EQ(uv_cancel((uv_req_t*) &busy[0]), UV_EBUSY);
  CHECK_EQ(uv_cancel((uv_req_t*) &busy[1]), UV_EBUSY);
  release();
  run();
  CHECK_EQ(calls, 7);
  CHECK_EQ(worked, 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &busy[0]), UV_EBUSY); /* done long ago */
  check_close_loop(&loop);
}

TEST(cancel_some_of_the_waiting) {
  uv_work_t busy[1];
  set_size("1");
  init();
  hold_threads(busy, 1);
  for (int i = 0; i < MANY; i++)
    CHECK_EQ(uv_queue_work(&loop, &many[i], work_elsewhere, i % 3 == 0 ? after_cancelled : after), 0);
  for (int i = 0; i < MANY; i += 3) CHECK_EQ(uv_cancel((uv_req_t*) &many[i]), 0);
  release();
  run();
  CHECK_EQ(calls, MANY + 1);
  CHECK_EQ(worked, MANY - (MANY + 2) / 3);
  check_close_loop(&loop);
}

static uv_work_t victim;

static void cancel_the_victim(uv_work_t* req, int status) {
  (void) req;
  CHECK_EQ(status, UV_ECANCELED);
  calls++;
  CHECK_EQ(uv_cancel((uv_req_t*) &victim), 0);
}

TEST(cancel_from_the_callback_of_a_cancelled_one) {
  uv_work_t busy[1], first;
  set_size("1");
  init();
  hold_threads(busy, 1);
  CHECK_EQ(uv_queue_work(&loop, &first, work_elsewhere, cancel_the_victim), 0);
  CHECK_EQ(uv_queue_work(&loop, &victim, work_elsewhere, after_cancelled), 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &first), 0);
  while (calls < 2) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  release();
  run();
  CHECK_EQ(worked, 0);
  check_close_loop(&loop);
}

TEST(cancel_what_cannot_be_cancelled) {
  static const uv_req_type types[] = {UV_UNKNOWN_REQ, UV_REQ, UV_CONNECT, UV_WRITE, UV_SHUTDOWN, UV_UDP_SEND};
  union uv_any_req req;
  memset(&req, 0, sizeof(req));
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    req.req.type = types[i];
    CHECK_EQ(uv_cancel(&req.req), UV_EINVAL);
  }
}

/* As many at once as the size says, and no more. */
static int at_once, most_at_once, together;
static pthread_mutex_t meeting = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_have_come = PTHREAD_COND_INITIALIZER;

static void meet(uv_work_t* req) {
  (void) req;
  pthread_mutex_lock(&meeting);
  if (++at_once > most_at_once) most_at_once = at_once;
  if (most_at_once == together) pthread_cond_broadcast(&all_have_come);
  while (most_at_once < together) pthread_cond_wait(&all_have_come, &meeting); /* nobody leaves before, once */
  pthread_mutex_unlock(&meeting);
  sched_yield();
  pthread_mutex_lock(&meeting);
  at_once--;
  pthread_mutex_unlock(&meeting);
}

static void check_size(const char* text, int size) {
  if (text != NULL) set_size(text);
  else unsetenv("UV_THREADPOOL_SIZE");
  together = size;
  init();
  for (int i = 0; i < MANY; i++) CHECK_EQ(uv_queue_work(&loop, &many[i], meet, after), 0);
  run();
  CHECK_EQ(calls, MANY);
  CHECK_EQ(most_at_once, size);
  check_close_loop(&loop);
}

TEST(size_is_four_by_default) { check_size(NULL, 4); }
TEST(size_1) { check_size("1", 1); }
TEST(size_2) { check_size("2", 2); }
TEST(size_16) { check_size("16", 16); }
TEST(size_100) { check_size("100", 100); }
TEST(size_0_is_1) { check_size("0", 1); }
TEST(size_that_is_no_number_is_1) { check_size("many", 1); }

static uv_work_t* flood;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void* pass_gate(void* arg) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return arg;
}

/* Whether the machine lets us have that many threads at once. */
static int threads_allowed(int count) {
  pthread_t* threads = calloc(count, sizeof(*threads));
  int made = 0;
  pthread_mutex_lock(&gate);
  while (made < count && pthread_create(&threads[made], NULL, pass_gate, NULL) == 0) made++;
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < made; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  free(threads);
  return made == count;
}

TEST(size_has_a_limit_of_1024) {
  enum { LIMIT = 1024 };
  if (!threads_allowed(LIMIT + 16)) SKIP("too few threads allowed");
  set_size("100000");
  together = LIMIT;
  init();
  flood = calloc(LIMIT + 50, sizeof(*flood));
  for (int i = 0; i < LIMIT + 50; i++) CHECK_EQ(uv_queue_work(&loop, &flood[i], meet, after), 0);
  run();
  CHECK_EQ(calls, LIMIT + 50);
  CHECK_EQ(most_at_once, LIMIT);
  check_close_loop(&loop);
  free(flood);
}

TEST(burst) {
  enum { BURST = 20000 };
  init();
  flood = calloc(BURST, sizeof(*flood));
  for (int i = 0; i < BURST; i++) CHECK_EQ(uv_queue_work(&loop, &flood[i], work_elsewhere, after), 0);
  run();
  CHECK_EQ(calls, BURST);
  CHECK_EQ(worked, BURST);
  check_close_loop(&loop);
  free(flood);
}

static int left = 20000;

static void queue_another(uv_work_t* req, int status) {
  CHECK_EQ(status, 0);
  calls++;
  if (--left > 0) CHECK_EQ(uv_queue_work(&loop, req, work_elsewhere, queue_another), 0);
}

TEST(one_after_the_other) {
  uv_work_t req[2];
  init();
  for (int i = 0; i < 2; i++) CHECK_EQ(uv_queue_work(&loop, &req[i], work_elsewhere, queue_another), 0);
  run();
  CHECK_EQ(calls, 20001);
  CHECK_EQ(worked, calls);
  check_close_loop(&loop);
}

enum { LOOPS = 4, EACH = 2000 };

static void count_in_loop(uv_work_t* req, int status) {
  CHECK_EQ(status, 0);
  ++*(int*) req->data;
}

static void* work_for_a_loop(void* arg) {
  uv_loop_t own;
  uv_work_t* reqs = calloc(EACH, sizeof(*reqs));
  CHECK_EQ(uv_loop_init(&own), 0);
  for (int i = 0; i < EACH; i++) {
    reqs[i].data = arg;
    CHECK_EQ(uv_queue_work(&own, &reqs[i], nothing, count_in_loop), 0);
    if (i % 7 == 0) uv_run(&own, UV_RUN_NOWAIT);
  }
  CHECK_EQ(uv_run(&own, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&own), 0);
  free(reqs);
  return NULL;
}

TEST(loops_in_many_threads) {
  pthread_t threads[LOOPS];
  int counts[LOOPS] = {0};
  for (int i = 0; i < LOOPS; i++) CHECK_EQ(pthread_create(&threads[i], NULL, work_for_a_loop, &counts[i]), 0);
  for (int i = 0; i < LOOPS; i++) {
    CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(counts[i], EACH);
  }
}

static void send_async(uv_work_t* req) {
  CHECK_EQ(uv_async_send(req->data), 0);
}

static void close_async(uv_async_t* handle) {
  uv_close((uv_handle_t*) handle, NULL);
}

TEST(work_may_send_to_its_loop) {
  uv_async_t async;
  uv_work_t req = {.data = &async};
  init();
  CHECK_EQ(uv_async_init(&loop, &async, close_async), 0);
  CHECK_EQ(uv_queue_work(&loop, &req, send_async, after), 0);
  run();
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void stop_loop(uv_work_t* req, int status) {
  after(req, status);
  uv_stop(&loop);
}

TEST(stop_in_the_callback) {
  uv_work_t req;
  init();
  CHECK_EQ(uv_queue_work(&loop, &many[0], hold, after), 0);
  CHECK_EQ(uv_queue_work(&loop, &req, nothing, stop_loop), 0);
  CHECK(uv_run(&loop, UV_RUN_DEFAULT) != 0);
  CHECK_EQ(calls, 1);
  release();
  run();
  CHECK_EQ(calls, 2);
  check_close_loop(&loop);
}

TEST(no_threads_before_the_first_work) {
  int before = self_threads();
  init();
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  check_close_loop(&loop);
  CHECK_EQ(self_threads(), before);
}

TEST(shutdown_joins_the_threads) {
  NOT_UNDER_TSAN("its runtime has a thread of its own, which stays");
  int before = self_threads();
  init();
  for (int i = 0; i < MANY; i++) CHECK_EQ(uv_queue_work(&loop, &many[i], work_elsewhere, after), 0);
  run();
  CHECK(self_threads() > before);
  check_close_loop(&loop);
  uv_library_shutdown();
  while (self_threads() > before) sched_yield(); /* a joined thread may still be on its way out of /proc */
}
