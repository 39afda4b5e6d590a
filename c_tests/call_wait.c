/* Posted calls that are waited for, or that come back; and calls without memory. */
#include "call.h"

#include "allocs.h"

static void add(void* arg, int status) {
  CHECK_EQ(status, 0);
  ++*(int*) arg;
}

TEST(a_call_that_is_waited_for_runs_at_once_on_its_own_thread) {
  int count = 0;
  set_up();
  CHECK_EQ(uvx_mailbox_call_sync(mailbox, add, &count, 0), 0);
  CHECK_EQ(count, 1);
  tear_down();
}

static void* wait_for_calls(void* unused) {
  int count = 0;
  (void) unused;
  for (int i = 1; i <= 1000; i++) {
    CHECK_EQ(uvx_mailbox_call_sync(mailbox, add, &count, UVX_FOREVER), 0);
    CHECK_EQ(count, i);
  }
  CHECK_EQ(uvx_mailbox_call_copy(mailbox, note_copy, (void*) 7, 0), 0);
  return NULL;
}

static void stop_loop(call_t* call, int status) {
  note(call, status);
  uv_stop(&loop);
}

static void* then_stop(void* thread) {
  port_join((pthread_t) thread);
  CHECK_EQ(uvx_mailbox_call(mailbox, &calls[0], stop_loop, 0), 0);
  return NULL;
}

TEST(calls_that_are_waited_for) {
  set_up();
  keep(&loop);
  pthread_t waiting = port_thread(wait_for_calls, NULL);
  pthread_t stopping = port_thread(then_stop, (void*) waiting);
  CHECK(uv_run(&loop, UV_RUN_DEFAULT) != 0);
  port_join(stopping);
  CHECK_LOG("7,0");
  uv_close((uv_handle_t*) &keeper, NULL);
  tear_down();
}

static void* give_up(void* unused) {
  int count = 0;
  (void) unused;
  CHECK_EQ(uvx_mailbox_call_sync(mailbox, add, &count, 0), UV_ETIMEDOUT);
  uint64_t start = uv_hrtime();
  CHECK_EQ(uvx_mailbox_call_sync(mailbox, add, &count, 2000000), UV_ETIMEDOUT);
  CHECK(uv_hrtime() - start >= 2000000);
  CHECK_EQ(count, 0);
  return NULL;
}

/* Nobody runs the loop: the call is not begun in time, and never will be. */
TEST(a_call_that_is_not_begun_in_time_never_runs) {
  set_up();
  port_join(port_thread(give_up, NULL));
  CHECK(uv_loop_alive(&loop) != 0); /* what is left of the calls */
  tear_down();
}

static uv_sem_t begun, over;

static void be_slow(void* arg, int status) {
  CHECK_EQ(status, 0);
  uv_sem_post(&begun);
  uv_sem_wait(&over);
  ++*(int*) arg;
}

static void* wait_beyond_the_deadline(void* unused) {
  int count = 0;
  (void) unused;
  CHECK_EQ(uvx_mailbox_call_sync(mailbox, be_slow, &count, 1000000000), 0);
  CHECK_EQ(count, 1);
  return NULL;
}

static void* end_slowness(void* unused) {
  (void) unused;
  uv_sem_wait(&begun);
  uv_sleep(1);
  uv_sem_post(&over);
  return NULL;
}

TEST(a_call_that_was_begun_is_waited_for) {
  set_up();
  CHECK_EQ(uv_sem_init(&begun, 0), 0);
  CHECK_EQ(uv_sem_init(&over, 0), 0);
  pthread_t waiting = port_thread(wait_beyond_the_deadline, NULL);
  pthread_t ending = port_thread(end_slowness, NULL);
  while (uv_loop_alive(&loop) == 0) uv_sleep(1);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  port_join(waiting);
  port_join(ending);
  tear_down();
}

static void* wait_until_cancelled(void* unused) {
  (void) unused;
  CHECK_EQ(uvx_mailbox_call_sync(mailbox, add, NULL, UVX_FOREVER), UV_ECANCELED);
  return NULL;
}

TEST(a_call_that_is_waited_for_is_cancelled) {
  set_up();
  pthread_t waiting = port_thread(wait_until_cancelled, NULL);
  while (uv_loop_alive(&loop) == 0) uv_sleep(1); /* it is in line, and keeps the loop alive */
  CHECK_EQ(uvx_mailbox_close(mailbox, 0), 0);
  port_join(waiting);
  tear_down();
}

static uv_loop_t home_loop;
static mailbox_t* home;

static void set_up_home(void) {
  set_up();
  CHECK_EQ(uv_loop_init(&home_loop), 0);
  CHECK_EQ(uvx_loop_mailbox(&home_loop, &home), 0);
}

static void reply(call_t* call, int status) {
  port_note(status == 0 ? "ok" : uv_err_name(status));
  CHECK(call->data == &calls[1]);
}

/* 1.2 (interrupt and reply): there, and back by a call that keeps no loop alive. */
TEST(a_call_comes_back) {
  set_up_home();
  calls[1].data = &calls[1];
  CHECK_EQ(uvx_mailbox_call_reply(mailbox, &calls[1], reply, home, reply, UVX_CALL_REF), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("ok");
  CHECK_EQ(uv_loop_alive(&home_loop), 0);
  keep(&home_loop);
  CHECK(uv_run(&home_loop, UV_RUN_NOWAIT) != 0);
  CHECK_LOG("ok");
  /* cancelled there: the callback there does not run */
  CHECK_EQ(uvx_mailbox_call_reply(mailbox, &calls[1], reply, home, reply, 0), 0);
  CHECK_EQ(uvx_mailbox_close(mailbox, 0), 0);
  CHECK_LOG("");
  CHECK(uv_run(&home_loop, UV_RUN_NOWAIT) != 0);
  CHECK_LOG("ECANCELED");
  uvx_mailbox_release(home);
  check_close_loop(&home_loop);
  tear_down();
}

TEST(a_call_whose_home_is_gone) {
  set_up_home();
  calls[1].data = &calls[1];
  CHECK_EQ(uvx_mailbox_call_reply(mailbox, &calls[1], reply, home, reply, UVX_CALL_REF), 0);
  CHECK_EQ(uv_loop_close(&home_loop), 0);
  uvx_mailbox_release(home); /* the call has a reference of its own */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("ok,ESHUTDOWN");
  CHECK_EQ(uv_loop_init(&home_loop), 0);
  CHECK_EQ(uvx_loop_mailbox(&home_loop, &home), 0);
  CHECK_EQ(uvx_mailbox_call_reply(mailbox, &calls[1], reply, home, reply, UVX_CALL_REF), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&home_loop), 0);
  CHECK_LOG("ok,ECANCELED");
  uvx_mailbox_release(home);
  tear_down();
}

static int try_mailbox(long n) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  allocs_fail_at(n);
  int result = uvx_loop_mailbox(&loop, &mailbox);
  allocs_fail_at(0);
  if (result == 0) uvx_mailbox_release(mailbox);
  CHECK_EQ(uv_loop_close(&loop), 0);
  return result;
}

static void never_called(void* arg) {
  (void) arg;
  CHECK_FAIL("the hook has run");
}

static int try_hook(long n) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  allocs_fail_at(n);
  int result = uvx_loop_interrupt_hook(&loop, never_called, NULL);
  allocs_fail_at(0);
  CHECK_EQ(uv_loop_close(&loop), 0);
  return result;
}

static int try_copy(long n) {
  set_up();
  allocs_fail_at(n);
  int result = uvx_mailbox_call_copy(mailbox, note_copy, NULL, UVX_CALL_REF);
  allocs_fail_at(0);
  CHECK_EQ(uv_loop_alive(&loop), result == 0);
  tear_down();
  return result;
}

static long nth;
static int sync_result;

static void* call_without_memory(void* unused) {
  int count = 0;
  (void) unused;
  allocs_fail_at(nth);
  sync_result = uvx_mailbox_call_sync(mailbox, add, &count, 0);
  allocs_fail_at(0);
  return NULL;
}

static int try_sync(long n) {
  nth = n;
  set_up();
  port_join(port_thread(call_without_memory, NULL));
  tear_down();
  return sync_result == UV_ETIMEDOUT ? 0 : sync_result;
}

TEST(without_memory) {
  allocs_install();
  CHECK_EQ(allocs_exhaust(try_mailbox), 1);
  CHECK_EQ(allocs_exhaust(try_hook), 1);
  CHECK_EQ(allocs_exhaust(try_copy), 1);
  CHECK_EQ(allocs_exhaust(try_sync), 1);
  long live = allocs_live();
  set_up();
  calls[1].data = &calls[1];
  allocs.always = 1; /* nothing else needs any */
  post(2, UVX_CALL_REF);
  CHECK_EQ(uvx_mailbox_call_reply(mailbox, &calls[1], reply, mailbox, reply, UVX_CALL_REF), 0);
  keep(&loop);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  allocs.always = 0;
  uv_close((uv_handle_t*) &keeper, NULL);
  tear_down();
  CHECK_EQ(allocs_live(), live);
}
