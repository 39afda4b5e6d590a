/* Workers: interrupts, information, names, stacks, data of the environment. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "worker.h"

static uv_thread_t caller;

static void there(uvx_loop_call_t* call, int status) {
  uv_thread_t self = uv_thread_self();
  CHECK_EQ(status, 0);
  CHECK(!uv_thread_equal(&self, &caller));
  CHECK(uvx_worker_current() == call->data);
  uv_metrics_t metrics;
  CHECK_EQ(uv_metrics_info(uvx_worker_ctx_loop(call->data), &metrics), 0);
  call->data = (void*) (intptr_t) (metrics.loop_count > 0);
}

static void back(uvx_loop_call_t* call, int status) {
  uv_thread_t self = uv_thread_self();
  CHECK(uv_thread_equal(&self, &caller));
  port_note(status == 0 ? "back" : uv_err_name(status));
  if (status == 0) CHECK_EQ((intptr_t) call->data, 1);
  CHECK_EQ(uvx_worker_stop(worker, 5), status == 0 ? 0 : UV_EALREADY);
}

static void interrupt_on_message(port_t* port, message_t* message) {
  uvx_loop_call_t* call = uvx_message_port_get_data(port);
  call->data = (void*) (uintptr_t) uvx_message_tag(message);
  CHECK_EQ(uvx_worker_interrupt(worker, call, there, back), 0);
}

static int send_self(ctx_t* ctx, void* data) {
  port_t* port = uvx_worker_ctx_port(ctx);
  (void) data;
  CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), port, port_log_tag, NULL), 0);
  CHECK_EQ(port_post(port, (uintptr_t) ctx), 0);
  return uvx_message_port_start(port);
}

/* 1.2.13: something is asked of the worker on its own thread, and comes back to the parent's. */
TEST(an_interrupt_comes_back) {
  static uvx_loop_call_t call;
  caller = uv_thread_self();
  set_up();
  start(send_self, NULL);
  uvx_message_port_set_data(uvx_worker_port(worker), &call);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), interrupt_on_message, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(uvx_worker_port(worker)), 0);
  uvx_worker_retain(worker);
  run_loop();
  CHECK_LOG("back,EOF,exit STOPPED 5");
  CHECK_EQ(uvx_worker_interrupt(worker, &call, there, back), UV_ESHUTDOWN);
  CHECK_EQ(uvx_worker_interrupt(worker, &call, there, NULL), UV_ESHUTDOWN);
  uvx_worker_release(worker);
  tear_down();
}

/* 1.2.13: a worker that has been stopped answers no more, but the caller hears of it. */
TEST(an_interrupt_of_a_stopped_worker) {
  static uvx_loop_call_t call;
  uv_sem_t sem;
  uvx_worker_options_t options = with(&sem);
  caller = uv_thread_self();
  CHECK_EQ(uv_sem_init(&sem, 0), 0);
  set_up();
  start(nap, &options);
  CHECK_EQ(uvx_worker_stop(worker, 1), 0);
  CHECK_EQ(uvx_worker_interrupt(worker, &call, there, back), 0);
  uv_sem_post(&sem);
  run_loop();
  CHECK_LOG("ECANCELED,exit STOPPED 1");
  tear_down();
}

static void in_the_worker(void* arg, int status) {
  CHECK_EQ(status, 0);
  CHECK(uvx_worker_current() != NULL);
  *(uint64_t*) arg = uvx_worker_ctx_id(uvx_worker_current());
}

TEST(a_worker_is_called_and_waited_for) {
  uint64_t id = 0;
  set_up();
  start(wait_for_ever, NULL);
  CHECK_EQ(uvx_mailbox_call_sync(uvx_worker_mailbox(worker), in_the_worker, &id, UVX_FOREVER), 0);
  CHECK_EQ(id, info_of(worker).id);
  CHECK_EQ(uvx_worker_stop(worker, 0), 0);
  run_loop();
  CHECK_LOG("exit STOPPED 0");
  tear_down();
}

static int run_interrupts_until_stopped(ctx_t* ctx, void* data) {
  (void) data;
  while (uvx_worker_stopping(ctx) == 0) uvx_loop_run_interrupts(uvx_worker_ctx_loop(ctx));
  return 0;
}

static void stop_from_inside(uvx_loop_call_t* call, int status) {
  CHECK_EQ(status, 0);
  uvx_worker_exit(uvx_worker_current(), 11);
  (void) call;
}

/* 1.3.5 */
TEST(a_busy_worker_is_interrupted) {
  static uvx_loop_call_t call;
  set_up();
  start(run_interrupts_until_stopped, NULL);
  CHECK_EQ(uvx_worker_interrupt(worker, &call, stop_from_inside, NULL), 0);
  run_loop();
  CHECK_LOG("exit EXITED 11");
  tear_down();
}

__attribute__((noinline)) static void use_much_stack(void) {
  volatile char large[3 << 20];
  for (size_t i = 0; i < sizeof large; i += 4096) large[i] = 1;
}

static int use_stack(ctx_t* ctx, void* data) {
  uv_loop_t* own = uvx_worker_ctx_loop(ctx);
  static uv_timer_t timer;
  CHECK_EQ(uv_timer_init(own, &timer), 0);
  timer.data = uvx_worker_ctx_port(ctx);
  CHECK_EQ(uv_timer_start(&timer, on_timer, 1, 0), 0);
  if (data != NULL) use_much_stack();
  return 0;
}

/* 1.2.3: 4 MiB, or what is asked for, but as much as a loop needs. */
TEST(stacks) {
  uvx_worker_options_t options = with((void*) 1);
  set_up();
  start(use_stack, &options);
  CHECK_EQ(info_of(worker).stack_size, 4 << 20);
  run_loop();
  CHECK_LOG("exit RETURNED 0");
  options = with(NULL);
  options.stack_size = 1;
  start(use_stack, &options);
  CHECK(info_of(worker).stack_size >= (size_t) sysconf(_SC_THREAD_STACK_MIN));
  listen_to(worker);
  run_loop();
  CHECK_LOG("2,EOF,exit RETURNED 0");
  options.stack_size = (1 << 20) + 1;
  start(use_stack, &options);
  CHECK_EQ(info_of(worker).stack_size, (1 << 20) + sysconf(_SC_PAGESIZE));
  run_loop();
  CHECK_LOG("exit RETURNED 0");
  options.stack_size = SIZE_MAX;
  int status = uvx_worker_start(&loop, &worker, use_stack, &options, never_exits);
  CHECK(status == UV_EINVAL || status == UV_EAGAIN || status == UV_ENOMEM);
  tear_down();
}

static int check_name(ctx_t* ctx, void* data) {
  char name[32];
  uv_thread_t self = uv_thread_self();
  (void) ctx;
  CHECK_EQ(uv_thread_getname(&self, name, sizeof name), 0);
  CHECK_STR(name, data);
  return 0;
}

/* 1.2.4 */
TEST(names) {
  uvx_worker_options_t options = with("WorkerThread");
  set_up();
  start(check_name, &options);
  CHECK_STR(info_of(worker).name, "WorkerThread");
  run_loop();
  options = with("a-name-that-is-");
  options.name = "a-name-that-is-too-long";
  start(check_name, &options);
  CHECK_STR(info_of(worker).name, "a-name-that-is-");
  run_loop();
  CHECK_LOG("exit RETURNED 0,exit RETURNED 0");
  tear_down();
}

static uv_sem_t info_ready, info_seen;

static int show_info(ctx_t* ctx, void* data) {
  CHECK_EQ(*(uint64_t*) data, 0);
  *(uint64_t*) data = uvx_worker_ctx_id(ctx);
  uv_sem_post(&info_ready);
  uv_sem_wait(&info_seen);
  return wait_for_ever(ctx, NULL);
}

/* 1.2.2, 1.2.13, 4.4 */
TEST(information) {
  uint64_t id = 0;
  uvx_worker_options_t options = with(&id);
  uvx_worker_info_t info;
  CHECK_EQ(uv_sem_init(&info_ready, 0), 0);
  CHECK_EQ(uv_sem_init(&info_seen, 0), 0);
  set_up();
  options.flags = UVX_WORKER_METRICS;
  uint64_t before = uv_hrtime();
  start(show_info, &options);
  uv_sem_wait(&info_ready);
  info = info_of(worker);
  CHECK_EQ(info.state, UVX_WORKER_ONLINE);
  CHECK_EQ(info.id, id);
  CHECK(info.tid > 0 && info.tid != getpid());
  CHECK(info.started_ns >= before && info.started_ns <= uv_hrtime());
  CHECK(info.cpu_ns != UINT64_MAX);
  CHECK(info.idle_ns != UINT64_MAX);
  CHECK_EQ(info.exit.reason, UVX_WORKER_NOT_ENDED);
  uv_sem_post(&info_seen);
  while (info_of(worker).idle_ns < 2000000) uv_sleep(1);
  CHECK_EQ(uvx_worker_stop(worker, -3), 0);
  CHECK_EQ(uvx_worker_join(worker, UVX_FOREVER), 0);
  info = info_of(worker);
  CHECK_EQ(info.state, UVX_WORKER_ENDED);
  CHECK_EQ(info.tid, -1);
  CHECK(info.idle_ns == UINT64_MAX && info.cpu_ns == UINT64_MAX);
  CHECK_EQ(info.exit.reason, UVX_WORKER_STOPPED);
  CHECK_EQ(info.exit.code, -3);
  info.size = 8;
  CHECK_EQ(uvx_worker_info(worker, &info), UV_EINVAL);
  run_loop();
  CHECK_LOG("exit STOPPED -3");
  id = 0;
  start(show_info, &options);
  uv_sem_post(&info_seen);
  uv_sem_wait(&info_ready);
  CHECK(info_of(worker).id > info.id);
  CHECK_EQ(uvx_worker_stop(worker, 0), 0);
  tear_down();
}

static void check_data(const char* key, const char* value) {
  uvx_shared_buf_t* buf = uvx_env_data_get(key);
  if (value == NULL) {
    CHECK(buf == NULL);
    return;
  }
  CHECK(buf != NULL);
  CHECK_STR(uvx_shared_buf_data(buf, NULL), value);
  uvx_shared_buf_unref(buf);
}

static int check_inherited_twice(ctx_t* ctx, void* data) {
  (void) ctx, (void) data;
  check_data("a", "1");
  check_data("b", "changed");
  check_data("c", NULL);
  check_data("d", "new");
  return 0;
}

static int check_inherited(ctx_t* ctx, void* semaphore) {
  worker_t* child;
  uv_sem_wait(semaphore);
  check_data("a", "1");
  check_data("b", "2");
  check_data("c", "3");
  check_data("d", NULL);
  set_data("b", "changed");
  set_data("c", NULL);
  set_data("d", "new");
  CHECK_EQ(uvx_worker_start(uvx_worker_ctx_loop(ctx), &child, check_inherited_twice, NULL, NULL), 0);
  set_data("a", "later");
  return 0;
}

/* 1.2.7: a snapshot at the start, inherited by workers of workers; changes stay with who makes them. */
TEST(data_of_the_environment) {
  uv_sem_t sem;
  uvx_worker_options_t options = with(&sem);
  CHECK_EQ(uv_sem_init(&sem, 0), 0);
  CHECK_EQ(uvx_env_data_set(NULL, NULL), UV_EINVAL);
  set_data("a", "1");
  set_data("b", "2");
  set_data("c", "3");
  CHECK(uvx_env_data_get(NULL) == NULL);
  set_up();
  start(check_inherited, &options);
  set_data("a", "main");
  set_data("d", "main");
  set_data("c", NULL);
  set_data("none", NULL);
  uv_sem_post(&sem);
  run_loop();
  CHECK_LOG("exit RETURNED 0");
  check_data("a", "main");
  check_data("b", "2");
  check_data("c", NULL);
  set_data("a", NULL);
  set_data("b", NULL);
  set_data("d", NULL);
  CHECK_EQ(freed, 8);
  tear_down();
}

/* The child of a fork finds the common data whole, whatever other threads of the parent were doing with it. */
static int no_more_changes;

static void* change_again_and_again(void* arg) {
  while (!__atomic_load_n(&no_more_changes, __ATOMIC_SEQ_CST)) {
    CHECK_EQ(uvx_env_data_set("changing", arg), 0);
    CHECK_EQ(uvx_env_data_set("changing", NULL), 0);
  }
  return NULL;
}

TEST(env_data_after_fork) {
  uvx_shared_buf_t *value, *found;
  int status;
  set_up();
  CHECK_EQ(uvx_shared_buf_create(&value, 16), 0);
  CHECK_EQ(uvx_env_data_set("constant", value), 0);
  pthread_t thread = port_thread(change_again_and_again, value);
  for (int i = 0; i < 30; i++) {
    usleep(300);
    pid_t child = fork();
    CHECK(child != -1);
    if (child == 0) {
      alarm(10);
      found = uvx_env_data_get("constant");
      _exit(found == value && uvx_env_data_set("changing", value) == 0 ? 0 : 1);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
  }
  __atomic_store_n(&no_more_changes, 1, __ATOMIC_SEQ_CST);
  port_join(thread);
  CHECK_EQ(uvx_env_data_set("constant", NULL), 0);
  uvx_shared_buf_unref(value);
  tear_down();
}
