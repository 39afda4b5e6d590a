/* Workers that are stopped, and workers of workers. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "worker.h"

/* 1.2.10: a worker whose loop sleeps. */
TEST(stopping_a_sleeping_worker) {
  set_up();
  start(wait_for_ever, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), stop_on_message, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_LOG("1,EOF,exit STOPPED 42");
  tear_down();
}

static int receive_until_interrupted(ctx_t* ctx, void* data) {
  message_t* message;
  (void) data;
  CHECK_EQ(port_post(uvx_worker_ctx_port(ctx), 1), 0);
  CHECK_EQ(uvx_message_port_receive(uvx_worker_ctx_port(ctx), &message, UVX_FOREVER), UV_EINTR);
  CHECK_EQ(uvx_worker_stopping(ctx), 1);
  return 5;
}

TEST(stopping_a_worker_that_receives) {
  set_up();
  start(receive_until_interrupted, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), stop_on_message, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_LOG("1,EOF,exit STOPPED 42");
  tear_down();
}

static int be_busy(ctx_t* ctx, void* data) {
  (void) data;
  CHECK_EQ(uvx_worker_stopping(ctx), 0);
  CHECK_EQ(port_post(uvx_worker_ctx_port(ctx), 1), 0);
  while (uvx_worker_stopping(ctx) == 0) {}
  return 6;
}

static int broken_in;

static void break_in(void* data) {
  CHECK(data == &broken_in);
  __atomic_store_n(&broken_in, 1, __ATOMIC_SEQ_CST);
}

static int be_busy_in_a_machine(ctx_t* ctx, void* data) {
  (void) data;
  CHECK_EQ(port_post(uvx_worker_ctx_port(ctx), 1), 0);
  while (__atomic_load_n(&broken_in, __ATOMIC_SEQ_CST) == 0) {}
  return 6;
}

/* 1.2.10: a busy worker, which asks; or whose machine is told. */
static uv_sem_t is_full;

static int post_until_stopped(ctx_t* ctx, void* data) {
  uvx_message_desc_t message = port_tag(1);
  (void) data;
  CHECK_EQ(uvx_message_port_post_wait(uvx_worker_ctx_port(ctx), &message, UVX_FOREVER), 0);
  uv_sem_post(&is_full);
  CHECK_EQ(uvx_message_port_post_wait(uvx_worker_ctx_port(ctx), &message, UVX_FOREVER), UV_EINTR);
  CHECK_EQ(uvx_message_port_post_wait(uvx_worker_ctx_port(ctx), &message, UVX_FOREVER), UV_EINTR); /* not only once */
  return 7;
}

/* 1.2.10: nobody reads what it posts. */
TEST(stopping_a_worker_that_waits_for_room) {
  uvx_message_channel_options_t bounds = {.size = sizeof bounds, .max_messages = 1};
  uvx_worker_options_t options = with(NULL);
  options.channel = &bounds;
  CHECK_EQ(uv_sem_init(&is_full, 0), 0);
  set_up();
  for (int i = 0; i < 50; i++) {
    start(post_until_stopped, &options);
    uv_sem_wait(&is_full);
    for (int k = 0; k < i * 20; k++) sched_yield(); /* before it waits, or while it does */
    CHECK_EQ(uvx_worker_stop(worker, 3), 0);
    run_loop();
    CHECK_LOG("exit STOPPED 3");
  }
  tear_down();
  uv_sem_destroy(&is_full);
}

TEST(stopping_a_busy_worker) {
  uvx_worker_options_t options = with(&broken_in);
  set_up();
  start(be_busy, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), stop_on_message, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_LOG("1,EOF,exit STOPPED 42");
  options.interrupt_hook = break_in;
  start(be_busy_in_a_machine, &options);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), stop_on_message, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  run_loop();
  CHECK_LOG("1,EOF,exit STOPPED 42");
  tear_down();
}

/* 1.2.10: stopped before it is online; many times and until that came about, since the thread may be faster. The code and the reason are
 * exact either way. */
TEST(stopping_a_worker_before_it_is_online) {
  int early = 0;
  set_up();
  for (int i = 0; i < 200 || early == 0; i++) {
    ran = 0;
    start(set_ran, NULL);
    int status = uvx_worker_stop(worker, i);
    int was_online = info_of(worker).started_ns != 0;
    (void) was_online;
    run_loop();
    if (status == 0) {
      char expected[64];
      snprintf(expected, sizeof expected, "exit STOPPED %d", i);
      CHECK_LOG(expected);
      early += !ran;
    } else {
      CHECK_EQ(status, UV_EALREADY);
      CHECK_LOG("exit RETURNED 0");
      CHECK_EQ(ran, 1);
    }
  }
  tear_down();
}

static void stop_at_exit(worker_t* of, const uvx_worker_exit_t* exit) {
  CHECK_EQ(uvx_worker_stop(of, 1), UV_EALREADY);
  CHECK_EQ(uvx_worker_join(of, UVX_FOREVER), 0);
  note_exit(of, exit);
  start(return_data, NULL); /* another one */
}

/* 1.2.10, and node#22073: stopping in an exit callback. */
TEST(stopping_in_the_exit_callback) {
  set_up();
  CHECK_EQ(uvx_worker_start(&loop, &worker, return_data, NULL, stop_at_exit), 0);
  run_loop();
  CHECK_LOG("exit RETURNED 0,exit RETURNED 0");
  tear_down();
}

enum { SIBLINGS = 3, EXITS = 200 };

static worker_t* siblings[SIBLINGS];
static int exits;

static void* stop_from_outside(void* retained) {
  CHECK_EQ(uvx_worker_stop(retained, 1), UV_EALREADY);
  CHECK_EQ(uvx_worker_join(retained, UVX_FOREVER), 0);
  uvx_worker_release(retained);
  return NULL;
}

/* The first to exit stops itself, which is too late, all others, and itself once more, while another thread does the same to it. */
static void stop_all_at_exit(worker_t* of, const uvx_worker_exit_t* exit) {
  (void) exit;
  exits++;
  uvx_worker_retain(of);
  pthread_t thread = port_thread(stop_from_outside, of);
  for (int i = 0; i < SIBLINGS; i++) {
    int status = uvx_worker_stop(siblings[i], 1);
    CHECK(siblings[i] == of ? status == UV_EALREADY : status == 0 || status == UV_EALREADY);
  }
  uvx_workers_stop_all(&loop, 2);
  CHECK_EQ(uvx_worker_stop(of, 3), UV_EALREADY);
  port_join(thread);
}

TEST(stopping_everybody_in_the_exit_callback) {
  set_up();
  for (int round = 0; round < EXITS; round++) {
    exits = 0;
    for (int i = 0; i < SIBLINGS; i++) {
      CHECK_EQ(uvx_worker_start(&loop, &siblings[i], i == 0 ? return_data : wait_for_ever, NULL, stop_all_at_exit), 0);
      uvx_worker_retain(siblings[i]); /* the callbacks of others use it */
    }
    run_loop();
    CHECK_EQ(exits, SIBLINGS);
    for (int i = 0; i < SIBLINGS; i++) uvx_worker_release(siblings[i]);
  }
  tear_down();
}

static int exit_from_inside(ctx_t* ctx, void* data) {
  (void) data;
  CHECK_EQ(uvx_worker_stop(worker, 9), 0);
  CHECK_EQ(uvx_worker_join(worker, UVX_FOREVER), UV_EINVAL);
  uvx_worker_exit(ctx, 1);
  return 0;
}

TEST(a_worker_may_stop_itself) {
  set_up();
  start(exit_from_inside, NULL);
  run_loop();
  CHECK_LOG("exit STOPPED 9");
  tear_down();
}

static void* stop_it(void* retained) {
  int status = uvx_worker_stop(retained, 1);
  CHECK(status == 0 || status == UV_EALREADY);
  uvx_worker_release(retained);
  return (void*) (intptr_t) (status == 0);
}

/* Several threads stop a worker that ends by itself: one decision. */
TEST(who_ends_the_worker_is_decided_once) {
  set_up();
  for (int round = 0; round < 50; round++) {
    pthread_t threads[3];
    int stopped = 0;
    start(set_ran, NULL);
    for (int i = 0; i < 3; i++) {
      uvx_worker_retain(worker);
      threads[i] = port_thread(stop_it, worker);
    }
    run_loop();
    for (int i = 0; i < 3; i++) {
      void* result;
      CHECK_EQ(pthread_join(threads[i], &result), 0);
      stopped += result != NULL;
    }
    CHECK(stopped <= 1);
    CHECK_LOG(stopped ? "exit STOPPED 1" : "exit RETURNED 0");
  }
  tear_down();
}

/* 1.2.12: a loop with workers is busy; stop_all makes it closable. */
TEST(a_loop_stops_its_workers) {
  set_up();
  for (int i = 0; i < 5; i++) {
    start(wait_for_ever, NULL);
    uvx_worker_unref(worker);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0); /* 1.2.9 */
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  uvx_workers_stop_all(&loop, 8);
  run_loop();
  CHECK_LOG("exit STOPPED 8,exit STOPPED 8,exit STOPPED 8,exit STOPPED 8,exit STOPPED 8");
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void on_child_exit(worker_t* of, const uvx_worker_exit_t* exit) {
  ctx_t* parent = uvx_worker_current();
  CHECK(parent != NULL);
  CHECK(uvx_worker_data(of) == parent);
  CHECK_EQ(exit->reason, UVX_WORKER_STOPPED);
  CHECK_EQ(port_post(uvx_worker_ctx_port(parent), 100 + exit->code), 0);
}

static void on_child_message(port_t* port, message_t* message) {
  ctx_t* parent = uvx_message_port_get_data(port);
  CHECK_EQ(port_post(uvx_worker_ctx_port(parent), 10 + uvx_message_tag(message)), 0);
  uvx_worker_exit(parent, 2);
}

static int have_children(ctx_t* ctx, void* data) {
  (void) data;
  for (int i = 0; i < 3; i++) {
    worker_t* child;
    uvx_worker_options_t options = with(ctx);
    CHECK_EQ(uvx_worker_start(uvx_worker_ctx_loop(ctx), &child, wait_for_ever, &options, on_child_exit), 0);
    if (i > 0) continue;
    uvx_message_port_set_data(uvx_worker_port(child), ctx);
    CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), uvx_worker_port(child), on_child_message, NULL), 0);
    CHECK_EQ(uvx_message_port_start(uvx_worker_port(child)), 0);
  }
  return 0;
}

/* 1.2.12: workers of workers; a worker that ends stops its own first, and hears their exits. */
TEST(a_worker_ends_after_its_workers) {
  set_up();
  start(have_children, NULL);
  listen_to(worker);
  run_loop();
  CHECK_LOG("11,101,101,101,EOF,exit EXITED 2");
  tear_down();
}

static int generations(ctx_t* ctx, void* data) {
  worker_t* child;
  uvx_worker_options_t options = with((char*) data - 1);
  CHECK_EQ(uvx_env_data_set("generation", NULL), 0);
  if (data != NULL)
    CHECK_EQ(uvx_worker_start(uvx_worker_ctx_loop(ctx), &child, generations, &options, NULL), 0);
  return 0;
}

TEST(workers_of_workers_of_workers) {
  uvx_worker_options_t options = with((void*) 10);
  set_up();
  start(generations, &options);
  run_loop();
  CHECK_LOG("exit RETURNED 0");
  tear_down();
}

enum { STORM = 50 };

static int storm_exits;

static void storm_exit(worker_t* of, const uvx_worker_exit_t* exit) {
  (void) of, (void) exit;
  storm_exits++;
}

/* Workers that chat, are stopped in the middle of it, and end in any order. */
TEST(a_storm_of_workers) {
  worker_t* storm[STORM];
  set_up();
  for (int i = 0; i < STORM; i++) {
    CHECK_EQ(uvx_worker_start(&loop, &storm[i], attach_echo, NULL, storm_exit), 0);
    CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(storm[i]), port_log_tag, NULL), 0);
    CHECK_EQ(uvx_message_port_start(uvx_worker_port(storm[i])), 0);
    for (int j = 1; j < 20; j++) CHECK_EQ(port_post(uvx_worker_port(storm[i]), j), 0);
    if (i % 3 == 0) CHECK_EQ(uvx_worker_stop(storm[i], i), 0);
    if (i % 3 == 1) CHECK_EQ(port_post(uvx_worker_port(storm[i]), 0), 0);
    if (i % 7 == 0) uv_run(&loop, UV_RUN_NOWAIT);
  }
  for (int i = 2; i < STORM; i += 3) uvx_worker_unref(storm[i]);
  uvx_workers_stop_all(&loop, 1);
  run_loop();
  CHECK_EQ(storm_exits, STORM);
  tear_down();
}

/* In the child after fork the loop has no workers. */
TEST(fork_leaves_the_workers_to_the_parent) {
  set_up();
  start(wait_for_ever, NULL);
  pid_t child = fork();
  if (child == 0) {
    if (uv_loop_fork(&loop) != 0 || uv_loop_alive(&loop) != 0) _exit(1);
    if (uv_run(&loop, UV_RUN_DEFAULT) != 0) _exit(2);
    _exit(uv_loop_close(&loop) == 0 ? 0 : 3);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  CHECK_EQ(uvx_worker_stop(worker, 0), 0);
  run_loop();
  CHECK_LOG("exit STOPPED 0");
  tear_down();
}

static int looks;

static void look(void* data) {
  (void) data;
  __atomic_add_fetch(&looks, 1, __ATOMIC_SEQ_CST);
}

static uv_sem_t asked, may_look;

/* As a machine that was told to look, and is told again after it has asked whether it is to stop. */
static int look_as_often_as_told(ctx_t* ctx, void* data) {
  (void) data;
  for (int seen = 0;;) {
    while (__atomic_load_n(&looks, __ATOMIC_SEQ_CST) == seen) {}
    seen++;
    if (uvx_worker_stopping(ctx)) return 0;
    uv_sem_post(&asked);
    uv_sem_wait(&may_look);
    CHECK_EQ(uvx_loop_run_interrupts(uvx_worker_ctx_loop(ctx)), 1);
  }
}

static void on_interrupt(uvx_loop_call_t* call, int status) {
  (void) call;
  CHECK_EQ(status, 0);
}

/* 1.2.10: the stop has the hook run although an interrupt has just had it run. */
TEST(stopping_a_worker_that_is_being_interrupted) {
  static uvx_loop_call_t call;
  uvx_worker_options_t options = with(NULL);
  options.interrupt_hook = look;
  CHECK_EQ(uv_sem_init(&asked, 0), 0);
  CHECK_EQ(uv_sem_init(&may_look, 0), 0);
  set_up();
  start(look_as_often_as_told, &options);
  CHECK_EQ(uvx_worker_interrupt(worker, &call, on_interrupt, NULL), 0);
  uv_sem_wait(&asked);
  CHECK_EQ(uvx_worker_stop(worker, 5), 0);
  uv_sem_post(&may_look);
  run_loop();
  CHECK_LOG("exit STOPPED 5");
  CHECK_EQ(looks, 2);
  tear_down();
}

static uv_timer_t ticker;

static void stop_the_loop(uv_timer_t* timer) {
  uv_stop(timer->loop);
}

static int stop_after_a_while(ctx_t* ctx, void* data) {
  uv_loop_t* own = uvx_worker_ctx_loop(ctx);
  CHECK_EQ(uv_timer_init(own, &ticker), 0);
  CHECK_EQ(uv_timer_start(&ticker, data != NULL ? stop_the_loop : on_timer, 1, 0), 0);
  ticker.data = uvx_worker_ctx_port(ctx);
  CHECK_EQ(uvx_message_port_attach(own, uvx_worker_ctx_port(ctx), echo, NULL), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_ctx_port(ctx)), 0);
  if (data == NULL) {
    CHECK(uv_run(own, UV_RUN_ONCE) != 0); /* the program runs the loop itself */
    uvx_message_port_unref(uvx_worker_ctx_port(ctx));
  }
  return 6;
}

/* 1.2.8: a loop that the worker stops, and one that it runs; and a port that is unreferenced. */
TEST(a_worker_may_run_and_stop_its_loop) {
  uvx_worker_options_t options = with(&loop);
  set_up();
  start(stop_after_a_while, &options);
  run_loop();
  CHECK_LOG("exit RETURNED 6");
  start(stop_after_a_while, NULL);
  listen_to(worker);
  run_loop();
  CHECK_LOG("2,EOF,exit RETURNED 6");
  tear_down();
}
