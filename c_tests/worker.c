/* Workers: starting, messages, exits, and who owns what. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "self.h"
#include "worker.h"

#include <sys/resource.h>

/* 1.2.2, 1.2.8: nothing to do: exit by itself, with the code that the entry returned. */
TEST(a_worker_returns) {
  uvx_worker_options_t options = with((void*) 7);
  set_up();
  start(return_data, &options);
  CHECK(uvx_worker_data(worker) == (void*) 7);
  run_loop();
  CHECK_LOG("exit RETURNED 7");
  start(return_data, NULL);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  run_loop();
  CHECK_LOG("exit RETURNED 0");
  CHECK_EQ(uvx_worker_start(&loop, &worker, return_data, NULL, NULL), 0); /* nobody wants to know */
  CHECK(uvx_worker_current() == NULL);
  tear_down();
}

/* 1.2.6 */
TEST(an_entry_fails) {
  uvx_worker_options_t options = with((void*) (intptr_t) UV_ENOENT);
  set_up();
  start(return_data, &options);
  run_loop();
  CHECK_LOG("exit FAILED 1,ENOENT");
  tear_down();
}

TEST(nonsense_is_refused) {
  uvx_worker_options_t options = with(NULL);
  uvx_message_desc_t first = port_tag(1);
  set_up();
  CHECK_EQ(uvx_worker_start(&loop, &worker, NULL, NULL, note_exit), UV_EINVAL);
  options.size--;
  CHECK_EQ(uvx_worker_start(&loop, &worker, return_data, &options, note_exit), UV_EINVAL);
  options.size += 100;
  options.flags = 2;
  CHECK_EQ(uvx_worker_start(&loop, &worker, return_data, &options, note_exit), UV_EINVAL);
  options.flags = 0;
  first.size = 1;
  options.first_message = &first;
  CHECK_EQ(uvx_worker_start(&loop, &worker, return_data, &options, note_exit), UV_EINVAL);
  CHECK(worker == NULL);
  CHECK_LOG("");
  tear_down();
}

/* 1.2.1: what is posted before the thread runs is delivered, the first message first. */
TEST(messages_wait_for_the_worker) {
  uvx_message_desc_t first = port_tag(1);
  uvx_worker_options_t options = with(NULL);
  options.first_message = &first;
  set_up();
  start(attach_echo, &options);
  for (int i = 2; i < 5; i++) CHECK_EQ(port_post(uvx_worker_port(worker), i), 0);
  listen_to(worker);
  CHECK_EQ(port_post(uvx_worker_port(worker), 0), 0);
  run_loop();
  CHECK_LOG("10,20,30,40,0,EOF,exit RETURNED 0");
  tear_down();
}

static uv_sem_t is_full, may_read;

static int fill_then_echo(ctx_t* ctx, void* data) {
  port_t* port = uvx_worker_ctx_port(ctx);
  for (int i = 1; i < 4; i++) CHECK_EQ(port_post(port, i), i < 3 ? 0 : UV_EAGAIN);
  uv_sem_post(&is_full);
  uv_sem_wait(&may_read);
  return attach_echo(ctx, data);
}

/* Both directions, the first message included. */
TEST(a_bounded_channel) {
  uvx_message_channel_options_t bounds;
  uvx_message_desc_t first = port_tag(5);
  uvx_worker_options_t options = with(NULL);
  memset(&bounds, 0, sizeof bounds);
  options.first_message = &first;
  options.channel = &bounds;
  set_up();
  CHECK_EQ(uvx_worker_start(&loop, &worker, fill_then_echo, &options, note_exit), UV_EINVAL);
  CHECK(worker == NULL);
  bounds.size = sizeof bounds;
  bounds.max_messages = 2;
  CHECK_EQ(uv_sem_init(&is_full, 0), 0);
  CHECK_EQ(uv_sem_init(&may_read, 0), 0);
  start(fill_then_echo, &options);
  uv_sem_wait(&is_full);
  CHECK_EQ(port_post(uvx_worker_port(worker), 0), 0);
  CHECK_EQ(port_post(uvx_worker_port(worker), 6), UV_EAGAIN);
  for (int i = 1; i < 3; i++) CHECK_EQ(port_receive(uvx_worker_port(worker)), i);
  uv_sem_post(&may_read);
  listen_to(worker);
  run_loop();
  CHECK_LOG("50,0,EOF,exit RETURNED 0");
  tear_down();
  uv_sem_destroy(&is_full);
  uv_sem_destroy(&may_read);
}

/* 1.2.11: every message, then the end of the port, then the exit: although the port is stopped, and has a budget of 1. */
TEST(messages_come_before_the_exit) {
  set_up();
  start(post_ten, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), port_log_tag, port_log_event), 0);
  run_loop();
  CHECK_LOG("0,1,2,3,4,5,6,7,8,9,EOF,exit EXITED 3");
  start(post_ten, NULL);
  listen_to(worker);
  CHECK_EQ(uvx_message_port_set_budget(uvx_worker_port(worker), 1, 0), 0);
  run_loop();
  CHECK_LOG("0,1,2,3,4,5,6,7,8,9,EOF,exit EXITED 3");
  tear_down();
}

static void receive_at_exit(worker_t* of, const uvx_worker_exit_t* exit) {
  for (int i = 0; i < 10; i++) CHECK_EQ(port_receive(uvx_worker_port(of)), i);
  CHECK_EQ(port_receive(uvx_worker_port(of)), UV_EOF);
  note_exit(of, exit);
}

TEST(messages_can_be_received_at_the_exit) {
  set_up();
  CHECK_EQ(uvx_worker_start(&loop, &worker, post_ten, NULL, receive_at_exit), 0);
  run_loop();
  CHECK_LOG("exit EXITED 3");
  tear_down();
}

static int take_port_and_post(ctx_t* ctx, void* data) {
  port_t* port = port_receive_port(uvx_worker_ctx_port(ctx));
  (void) data;
  CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), port, port_log_tag, NULL), 0);
  for (int i = 0; i < 5; i++) CHECK_EQ(port_post(port, i), 0);
  uvx_worker_exit(ctx, 3);
  return 0;
}

/* 1.2.11, 1.1 close 6: ports that the worker owned deliver, then close, then the exit comes. */
TEST(a_workers_other_ports_deliver_and_close) {
  port_t *a, *b;
  set_up();
  port_channel(&a, &b);
  start(take_port_and_post, NULL);
  port_open(&loop, a);
  CHECK_EQ(port_post_port(uvx_worker_port(worker), 1, b), 0);
  run_loop();
  CHECK_LOG("0,1,2,3,4,eof,exit EXITED 3");
  tear_down();
}

/* 1.2.11, 1.1 close 6: a port that the worker never took out of its inbox closes before the exit. */
TEST(a_port_stranded_in_a_worker_closes) {
  port_t *a, *b;
  uvx_xfer_t xfer;
  uvx_message_desc_t first = port_tag(1);
  uvx_worker_options_t options = with(NULL);
  set_up();
  port_channel(&a, &b);
  port_open(&loop, a);
  memset(&xfer, 0, sizeof xfer);
  xfer.type = UVX_XFER_PORT;
  xfer.u.port = b;
  first.xfers = &xfer;
  first.nxfers = 1;
  options.first_message = &first;
  start(return_data, &options);
  run_loop();
  CHECK_LOG("eof,exit RETURNED 0");
  tear_down();
}

static void close_by_hand(port_t* port, int status) {
  port_log_event(port, status);
  port_close(port);
}

static void* use_taken_port(void* port) {
  for (int i = 0; i < 10; i++) CHECK_EQ(port_receive(port), i);
  CHECK_EQ(port_receive(port), UV_EOF);
  port_close(port);
  return NULL;
}

/* The worker's port: closed by the library, or by the program, or taken. */
TEST(who_closes_the_port) {
  port_t *a, *b;
  set_up();
  start(post_ten, NULL);
  CHECK_EQ(uvx_message_port_attach(&loop, uvx_worker_port(worker), port_log_tag, close_by_hand), 0);
  run_loop();
  CHECK_LOG("0,1,2,3,4,5,6,7,8,9,EOF,exit EXITED 3");
  start(attach_echo, NULL);
  port_close(uvx_worker_port(worker)); /* the worker hears of it, and has nothing more to do */
  CHECK_EQ(port_post(uvx_worker_port(worker), 1), UV_EBADF);
  CHECK_EQ(uvx_worker_stop(worker, 0) == 0 || 1, 1);
  CHECK_EQ(uvx_worker_join(worker, UVX_FOREVER), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  port_log[0] = '\0';
  start(post_ten, NULL);
  port_channel(&a, &b);
  CHECK_EQ(port_post_port(a, 1, uvx_worker_port(worker)), UV_EPERM);
  port_t* taken = uvx_worker_take_port(worker);
  CHECK(taken == uvx_worker_port(worker));
  CHECK_EQ(port_post_port(a, 1, taken), 0);
  CHECK(port_receive_port(b) == taken);
  CHECK_EQ(uvx_worker_join(worker, UVX_FOREVER), 0);
  port_join(port_thread(use_taken_port, taken));
  port_close(a);
  port_close(b);
  CHECK_EQ(uvx_worker_stop(worker, 0), UV_EALREADY);
  tear_down();
}

static void on_peer_close(port_t* port, int status) {
  CHECK_EQ(status, UV_EOF);
  CHECK_EQ(uvx_message_port_stop(port), 0);
}

static int until_the_parent_closes(ctx_t* ctx, void* data) {
  port_t* port = uvx_worker_ctx_port(ctx);
  (void) data;
  CHECK_EQ(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), port, port_log_tag, on_peer_close), 0);
  return uvx_message_port_start(port);
}

static void expect_returned(worker_t* of, const uvx_worker_exit_t* exit) {
  (void) of;
  CHECK_EQ(exit->reason, UVX_WORKER_RETURNED);
  port_note("returned");
}

TEST(a_worker_ends_when_its_parent_closes_the_port) {
  set_up();
  CHECK_EQ(uvx_worker_start(&loop, &worker, until_the_parent_closes, NULL, expect_returned), 0);
  port_close(uvx_worker_port(worker));
  run_loop();
  CHECK_LOG("returned");
  tear_down();
}

/* 1.2.9 */
TEST(references) {
  set_up();
  start(wait_for_ever, NULL);
  CHECK_EQ(uvx_worker_has_ref(worker), 1);
  CHECK(uv_loop_alive(&loop) != 0);
  uvx_worker_ref(worker);
  uvx_worker_unref(worker);
  CHECK_EQ(uvx_worker_has_ref(worker), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  uvx_worker_ref(worker);
  CHECK_EQ(uvx_worker_stop(worker, 0), 0);
  run_loop();
  CHECK_LOG("exit STOPPED 0");
  tear_down();
}

static void* join_it(void* retained) {
  CHECK_EQ(uvx_worker_join(retained, UVX_FOREVER), 0);
  CHECK(info_of(retained).state >= UVX_WORKER_ENDED);
  CHECK_EQ(uvx_worker_stop(retained, 1), UV_EALREADY);
  uvx_worker_release(retained);
  return NULL;
}

/* 4.4: joins with a deadline, from several threads; a worker that is retained outlives its exit. */
TEST(joining) {
  uv_sem_t sem;
  uvx_worker_options_t options = with(&sem);
  pthread_t threads[3];
  CHECK_EQ(uv_sem_init(&sem, 0), 0);
  set_up();
  start(nap, &options);
  CHECK_EQ(uvx_worker_join(worker, 0), UV_ETIMEDOUT);
  uint64_t begin = uv_hrtime();
  CHECK_EQ(uvx_worker_join(worker, 3000000), UV_ETIMEDOUT);
  CHECK(uv_hrtime() - begin >= 3000000);
  for (int i = 0; i < 3; i++) {
    uvx_worker_retain(worker);
    threads[i] = port_thread(join_it, worker);
  }
  uv_sem_post(&sem);
  CHECK_EQ(uvx_worker_join(worker, UVX_FOREVER), 0);
  CHECK_LOG("");
  CHECK_EQ(info_of(worker).state, UVX_WORKER_ENDED);
  uvx_worker_retain(worker);
  run_loop();
  CHECK_LOG("exit RETURNED 0");
  CHECK_EQ(info_of(worker).state, UVX_WORKER_GONE);
  CHECK_EQ(info_of(worker).tid, -1);
  CHECK_EQ(uvx_worker_join(worker, 0), 0);
  for (int i = 0; i < 3; i++) port_join(threads[i]);
  uvx_worker_release(worker);
  uvx_worker_release(NULL);
  tear_down();
}

static uvx_mailbox_t* refusing; /* of the worker that ends next */
static uvx_pool_t* ended_pool;
static int asking, through;

static void never_works(uvx_pool_work_t* work) {
  (void) work;
  CHECK(0);
}

static void* ask_again_and_again(void* arg) {
  static uvx_pool_work_t works[2];
  uvx_pool_work_t* work = &works[(intptr_t) arg];
  while (!__atomic_load_n(&through, __ATOMIC_SEQ_CST)) {
    __atomic_add_fetch(&asking, 1, __ATOMIC_SEQ_CST);
    uvx_mailbox_t* home = __atomic_load_n(&refusing, __ATOMIC_SEQ_CST);
    for (int i = 0; home != NULL && i < 200; i++)
      CHECK_EQ(uvx_pool_queue(ended_pool, work, never_works, UVX_PRIORITY_NORMAL, home, NULL), UV_ESHUTDOWN);
    __atomic_sub_fetch(&asking, 1, __ATOMIC_SEQ_CST);
  }
  return NULL;
}

static int exit_soon(ctx_t* ctx, void* data) {
  (void) data;
  usleep(50);
  uvx_worker_exit(ctx, 0);
  return 0;
}

/* A worker's loop is closed although other threads go on to ask for work on it, which is refused. */
TEST(a_loop_ends_while_others_queue_to_it) {
  pthread_t threads[2];
  int before = self_open_files();
  CHECK_EQ(uvx_pool_create(&ended_pool, NULL), 0);
  CHECK_EQ(uvx_pool_shutdown(ended_pool, UVX_SHUTDOWN_DROP, UVX_FOREVER), 0);
  set_up();
  for (int i = 0; i < 2; i++) threads[i] = port_thread(ask_again_and_again, (void*) (intptr_t) i);
  for (int i = 0; i < 30; i++) {
    start(exit_soon, NULL);
    uvx_mailbox_t* home = uvx_worker_mailbox(worker);
    uvx_mailbox_ref(home);
    __atomic_store_n(&refusing, home, __ATOMIC_SEQ_CST);
    run_loop();
    CHECK_LOG("exit EXITED 0");
    __atomic_store_n(&refusing, NULL, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&asking, __ATOMIC_SEQ_CST) != 0) sched_yield();
    uvx_mailbox_release(home);
  }
  __atomic_store_n(&through, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 2; i++) port_join(threads[i]);
  uvx_pool_release(ended_pool);
  tear_down();
  CHECK_EQ(self_open_files(), before);
}

/* 1.2.6: no descriptors for the worker's loop: an error, and nothing is left. */
TEST(without_descriptors) {
  struct rlimit limit;
  port_t *a, *b;
  uvx_xfer_t xfer;
  uvx_message_desc_t first = port_tag(1);
  uvx_worker_options_t options = with(NULL);
  set_up();
  port_channel(&a, &b);
  port_open(&loop, b);
  memset(&xfer, 0, sizeof xfer);
  xfer.type = UVX_XFER_PORT;
  xfer.u.port = b;
  first.xfers = &xfer;
  first.nxfers = 1;
  options.first_message = &first;
  int before = self_open_files();
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = 256;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  int fds[256], count = 0;
  while ((fds[count] = dup(0)) != -1) count++;
  for (int left = 0; left < 2; left++) { /* a loop needs two */
    CHECK_EQ(uvx_worker_start(&loop, &worker, return_data, &options, never_exits), UV_EMFILE);
    close(fds[--count]);
  }
  while (count > 0) close(fds[--count]);
  CHECK_EQ(self_open_files(), before);
  CHECK(uvx_message_port_loop(b) == &loop);
  CHECK_EQ(port_post(a, 5), 0);
  port_close(a);
  run_loop();
  CHECK_LOG("5,eof");
  tear_down();
}

/* 1.2.6: no thread: the first message is undone, and what it handed over is back. */
TEST(without_a_thread) {
  port_t *a, *b;
  uvx_xfer_t xfers[2];
  uvx_message_desc_t first = port_tag(1);
  uvx_worker_options_t options = with(NULL);
  char bytes[200];
  uv_buf_t buf = uv_buf_init(bytes, sizeof bytes);
  set_up();
  port_channel(&a, &b);
  port_open(&loop, b);
  memset(xfers, 0, sizeof xfers);
  xfers[0].type = UVX_XFER_PORT;
  xfers[0].u.port = b;
  xfers[1] = port_mem(bytes, sizeof bytes, count_free, NULL);
  first.xfers = xfers;
  first.nxfers = 2;
  first.bufs = &buf;
  first.nbufs = 1;
  options.first_message = &first;
  options.stack_size = (size_t) 1 << 60;
  int status = uvx_worker_start(&loop, &worker, return_data, &options, never_exits);
  CHECK(status == UV_EAGAIN || status == UV_ENOMEM || status == UV_EINVAL);
  CHECK_EQ(freed, 0);
  CHECK(uvx_message_port_loop(b) == &loop);
  CHECK_EQ(port_post(a, 5), 0);
  port_close(a);
  run_loop();
  CHECK_LOG("5,eof");
  tear_down();
}

static int exited;

static void note_exited(worker_t* of, const uvx_worker_exit_t* exit) {
  (void) of, (void) exit;
  __atomic_store_n(&exited, 1, __ATOMIC_SEQ_CST);
}

static void* receive_until_exit(void* port) {
  message_t* message;
  int status;
  do {
    int is_last = __atomic_load_n(&exited, __ATOMIC_SEQ_CST);
    status = uvx_message_port_receive(port, &message, 0);
    CHECK(status == UV_EAGAIN || status == UV_EOF);
    if (is_last) break;
  } while (1);
  port_close(port);
  return NULL;
}

/* 1.2.11: the end of the worker leaves a port alone that another thread has. */
TEST(a_taken_port_is_not_touched) {
  set_up();
  for (int i = 0; i < 300; i++) {
    exited = 0;
    CHECK_EQ(uvx_worker_start(&loop, &worker, set_ran, NULL, note_exited), 0);
    pthread_t thread = port_thread(receive_until_exit, uvx_worker_take_port(worker));
    run_loop();
    port_join(thread);
  }
  tear_down();
}

/* 1.2.11: also if the port closes with what is unread. */
TEST(messages_of_a_closing_port_come_before_the_exit) {
  set_up();
  start(post_ten, NULL);
  port_t* port = uvx_worker_port(worker);
  CHECK_EQ(uvx_message_port_attach(&loop, port, port_log_tag, port_log_event), 0);
  CHECK_EQ(uvx_message_port_set_budget(port, 1, 0), 0);
  CHECK_EQ(uvx_worker_join(worker, UVX_FOREVER), 0);
  while (self_threads_named("WorkerThread") != 0) uv_sleep(1); /* its last act is to tell the loop */
  CHECK_EQ(uvx_message_port_close(port, UVX_PORT_CLOSE_FLUSH, port_log_event), 0);
  run_loop();
  CHECK_LOG("0,1,2,3,4,5,6,7,8,9,exit EXITED 3,ok");
  tear_down();
}
