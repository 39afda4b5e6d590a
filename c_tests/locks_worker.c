/* Named locks of workers and other threads with a loop: what a thread leaves behind when it ends. */
#include "worker.h"

#include "counters.h"

typedef uvx_lock_t lock_t;

static lock_t here, there, second;
static int granted_here, granted_there, ended_there, worked;

static void on_here(lock_t* lock, int status) {
  CHECK(lock == &here);
  CHECK_EQ(status, 0);
  CHECK_EQ(get(&worked), 0);
  granted_here++;
  port_note("here");
}

static void never_lost(lock_t* lock, int status) {
  (void) lock;
  CHECK_FAIL("lost: %d", status);
}

static void request_here(unsigned flags) {
  CHECK_EQ(uvx_lock_request(&loop, &here, "name", flags, on_here, never_lost), 0);
}

static void on_there(lock_t* lock, int status) {
  if (status == 0) {
    CHECK_EQ(uvx_lock_is_held(lock), 1);
    add(&granted_there, 1);
  } else {
    CHECK_EQ(status, UV_ECANCELED);
    add(&ended_there, 1);
    memset(lock, 0, sizeof *lock); /* it is the program's */
  }
}

static size_t entries(void) {
  uvx_lock_info_t* list;
  size_t count;
  CHECK_EQ(uvx_locks_query(&list, &count), 0);
  uvx_locks_free(list, count);
  return count;
}

static void request_there(ctx_t* ctx, lock_t* lock, const char* name, unsigned flags) {
  CHECK_EQ(uvx_lock_request(uvx_worker_ctx_loop(ctx), lock, name, flags, on_there, never_lost), 0);
}

/* It has the lock, and nothing keeps it alive. */
static int hold_and_return(ctx_t* ctx, void* data) {
  (void) data;
  request_there(ctx, &there, "name", 0);
  CHECK_EQ(uv_run(uvx_worker_ctx_loop(ctx), UV_RUN_DEFAULT), 0);
  CHECK_EQ(get(&granted_there), 1);
  return port_post(uvx_worker_ctx_port(ctx), 1);
}

static void ask_here(port_t* port, message_t* message) {
  port_log_tag(port, message);
  request_here(0);
}

TEST(a_worker_that_ends_releases_what_it_holds) {
  set_up();
  start(hold_and_return, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), ask_here, NULL), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_EQ(granted_here, 1);
  CHECK_EQ(ended_there, 0);
  CHECK_EQ(uvx_lock_release(&there), UV_EINVAL);
  CHECK_EQ(uvx_lock_release(&here), 0);
  CHECK_EQ(entries(), 0);
  tear_down();
}

/* It waits for the lock, and is stopped. */
static int wait_in_line(ctx_t* ctx, void* data) {
  (void) data;
  request_there(ctx, &there, "name", 0);
  request_there(ctx, &second, "name", UVX_LOCK_SHARED);
  return port_post(uvx_worker_ctx_port(ctx), 1);
}

TEST(a_worker_that_ends_cancels_what_it_waits_for) {
  set_up();
  CHECK_EQ(uvx_lock_wait(&here, "name", 0, 0), 0);
  start(wait_in_line, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), stop_on_message, NULL), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_LOG("1,exit STOPPED 42");
  CHECK_EQ(granted_there, 0);
  CHECK_EQ(ended_there, 2);
  CHECK_EQ(entries(), 1);
  CHECK_EQ(uvx_lock_release(&here), 0);
  tear_down();
}

/* The grant is on its way to a worker that does not look any more: the next one has it. */
static uv_sem_t granted_sem;

static int sleep_while_it_is_granted(ctx_t* ctx, void* data) {
  (void) data;
  request_there(ctx, &there, "name", 0);
  request_there(ctx, &second, "free", 0);
  CHECK_EQ(port_post(uvx_worker_ctx_port(ctx), 1), 0);
  uv_sem_wait(&granted_sem);
  uvx_worker_exit(ctx, 0);
  return 0;
}

static void release_here(port_t* port, message_t* message) {
  port_log_tag(port, message);
  CHECK_EQ(uvx_lock_release(&here), 0);
  CHECK_EQ(entries(), 2);
  request_here(0);
  uv_sem_post(&granted_sem);
}

TEST(a_worker_that_ends_gives_back_what_is_on_its_way_to_it) {
  set_up();
  CHECK_EQ(uv_sem_init(&granted_sem, 0), 0);
  CHECK_EQ(uvx_lock_wait(&here, "name", 0, 0), 0);
  start(sleep_while_it_is_granted, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), release_here, NULL), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_EQ(granted_there, 0);
  CHECK_EQ(ended_there, 2);
  CHECK_EQ(granted_here, 1);
  CHECK_EQ(uvx_lock_release(&here), 0);
  uv_sem_destroy(&granted_sem);
  tear_down();
}

/* What a worker has under way when it ends may rely on the lock, so this goes last. */
static void work(uv_work_t* req) {
  (void) req;
  uv_sem_wait(&granted_sem);
  CHECK_EQ(add(&worked, -1), 0);
}

static void after_work(uv_work_t* req, int status) {
  (void) req;
  CHECK_EQ(status, 0);
  CHECK_EQ(uvx_lock_is_held(&there), 1);
}

static uv_work_t req;

static int hold_and_work(ctx_t* ctx, void* data) {
  (void) data;
  request_there(ctx, &there, "name", 0);
  uv_run(uvx_worker_ctx_loop(ctx), UV_RUN_NOWAIT);
  CHECK_EQ(get(&granted_there), 1);
  add(&worked, 1);
  CHECK_EQ(uv_queue_work(uvx_worker_ctx_loop(ctx), &req, work, after_work), 0);
  uvx_worker_exit(ctx, 0);
  return 0;
}

static void let_it_work(uv_timer_t* timer) {
  CHECK_EQ(granted_here, 0);
  uv_sem_post(&granted_sem);
  uv_close((uv_handle_t*) timer, NULL);
}

static int cleaning;

static void on_cleanup(ctx_t* ctx, void* data) {
  (void) ctx, (void) data;
  add(&cleaning, 1);
}

TEST(what_is_under_way_is_done_before_the_lock_goes) {
  uv_timer_t timer;
  uvx_worker_options_t options = with(NULL);
  set_up();
  options.cleanup = on_cleanup;
  CHECK_EQ(uv_sem_init(&granted_sem, 0), 0);
  start(hold_and_work, &options);
  wait_until(&cleaning, 1);
  request_here(0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, let_it_work, 20, 0), 0);
  run_loop();
  CHECK_EQ(granted_here, 1);
  CHECK_EQ(uvx_lock_release(&here), 0);
  uv_sem_destroy(&granted_sem);
  tear_down();
}

/* The same of a thread with a loop that serves others. */
static int init_holds(uv_loop_t* own, void* arg) {
  (void) arg;
  CHECK_EQ(uvx_lock_request(own, &there, "name", 0, on_there, never_lost), 0);
  CHECK_EQ(uvx_lock_request(own, &second, "name", 0, on_there, never_lost), 0);
  return 0;
}

TEST(an_io_thread_that_ends_releases_and_cancels) {
  uvx_io_thread_t* thread;
  set_up();
  CHECK_EQ(uvx_io_thread_start(&thread, init_holds, NULL, NULL), 0);
  wait_until(&granted_there, 1);
  request_here(0);
  CHECK_EQ(entries(), 3);
  CHECK_EQ(uvx_io_thread_stop(thread, UVX_IO_THREAD_KILL), 0);
  run_loop();
  CHECK_EQ(granted_here, 1);
  CHECK_EQ(uvx_io_thread_join(thread, UVX_FOREVER), 0);
  CHECK_EQ(ended_there, 1);
  CHECK_EQ(uvx_lock_release(&here), 0);
  tear_down();
}

/* A lock that was stolen from a worker that ends, and does not hear of it any more. */
static int hold_and_nap(ctx_t* ctx, void* data) {
  (void) data;
  request_there(ctx, &there, "name", 0);
  CHECK_EQ(uv_run(uvx_worker_ctx_loop(ctx), UV_RUN_DEFAULT), 0);
  CHECK_EQ(port_post(uvx_worker_ctx_port(ctx), 1), 0);
  uv_sem_wait(&granted_sem);
  uvx_worker_exit(ctx, 0);
  return 0;
}

static void steal_here(port_t* port, message_t* message) {
  port_log_tag(port, message);
  request_here(UVX_LOCK_STEAL);
  uv_sem_post(&granted_sem);
}

TEST(a_theft_from_a_worker_that_ends) {
  set_up();
  CHECK_EQ(uv_sem_init(&granted_sem, 0), 0);
  start(hold_and_nap, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), steal_here, NULL), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_EQ(granted_there, 1);
  CHECK_EQ(granted_here, 1);
  CHECK_EQ(uvx_lock_release(&here), 0);
  uv_sem_destroy(&granted_sem);
  tear_down();
}

/* A program that asks again whenever it was cancelled does not keep a worker from ending. */
static void ask_again(lock_t* lock, int status) {
  uv_loop_t* own = uvx_worker_ctx_loop(uvx_worker_current());
  CHECK_EQ(status, UV_ECANCELED);
  CHECK_EQ(uvx_lock_request(own, lock, "name", 0, ask_again, NULL), UV_ESHUTDOWN);
  CHECK_EQ(uvx_lock_request(own, lock, "free", 0, ask_again, NULL), UV_ESHUTDOWN);
  CHECK_EQ(uvx_lock_wait(lock, "free", 0, 0), 0); /* that is the thread's, not the loop's */
  CHECK_EQ(uvx_lock_release(lock), 0);
  add(&ended_there, 1);
}

static int ask_and_exit(ctx_t* ctx, void* data) {
  (void) data;
  CHECK_EQ(uvx_lock_request(uvx_worker_ctx_loop(ctx), &there, "name", 0, ask_again, NULL), 0);
  uvx_worker_exit(ctx, 0);
  return 0;
}

TEST(a_worker_that_ends_gets_no_more) {
  set_up();
  CHECK_EQ(uvx_lock_wait(&here, "name", 0, 0), 0);
  start(ask_and_exit, NULL);
  run_loop();
  CHECK_EQ(ended_there, 1);
  CHECK_EQ(uvx_lock_release(&here), 0);
  CHECK_EQ(entries(), 0);
  tear_down();
}

/* Many workers ask for one lock, have it for a moment, or end before. */
enum { WORKERS = 8 };

static lock_t many[WORKERS];
static int exits, tried;

static int try_it(ctx_t* ctx, void* data) {
  lock_t* lock = data;
  CHECK_EQ(uvx_lock_request(uvx_worker_ctx_loop(ctx), lock, "name", 0, on_there, NULL), 0);
  if ((lock - many) % 3 == 0) uvx_worker_exit(ctx, 0);
  return 0;
}

static void count_exit(worker_t* of, const uvx_worker_exit_t* exit) {
  (void) of, (void) exit;
  exits++;
}

TEST(workers_come_and_go) {
  set_up();
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < WORKERS; i++) {
      uvx_worker_options_t options = with(&many[i]);
      tried++;
      CHECK_EQ(uvx_worker_start(&loop, &worker, try_it, &options, count_exit), 0);
      if (i % 4 == 1) uvx_worker_stop(worker, 0);
    }
    run_loop();
    CHECK_EQ(entries(), 0);
  }
  CHECK_EQ(exits, tried);
  CHECK(granted_there + ended_there <= tried); /* some were stopped before they began */
  CHECK(granted_there > 0);
  tear_down();
}
