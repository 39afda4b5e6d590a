/* Threads with a loop: starting waits for init, stopping drains or kills, calls, joining. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "port.h"

#include "allocs.h"
#include "service.h"

#include <sys/resource.h>

#define MS 1000000u

typedef uvx_io_thread_t io_t;

static io_t* io;
static uv_sem_t done;
static pthread_t its_thread;

static int init_nothing(uv_loop_t* loop, void* arg) {
  CHECK(loop != NULL);
  (void) arg;
  its_thread = pthread_self(); /* plain: start orders it */
  return 3;
}

static void end(int mode) {
  CHECK_EQ(uvx_io_thread_stop(io, mode), 0);
  CHECK_EQ(uvx_io_thread_join(io, UVX_FOREVER), 0);
}

/* 1.5.8 */
TEST(starting_waits_for_init) {
  CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, NULL), 0);
  CHECK(!pthread_equal(its_thread, pthread_self()));
  end(UVX_IO_THREAD_DRAIN);
}

static uv_timer_t timer;
static uv_async_t async;

static int init_and_fail(uv_loop_t* loop, void* arg) {
  CHECK_EQ(uv_timer_init(loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, (uv_timer_cb) abort, 1000000, 0), 0);
  CHECK_EQ(uv_async_init(loop, &async, NULL), 0);
  return *(int*) arg;
}

static int threads_now(void) {
  return self_threads_named("uvx-io");
}

/* 1.5.9: the error is returned, the thread is gone, and what it had opened is closed. */
TEST(an_init_that_fails_leaves_nothing) {
  int error = UV_EADDRINUSE;
  CHECK_EQ(uvx_io_thread_start(&io, init_and_fail, &error, NULL), UV_EADDRINUSE);
  CHECK(uv_is_closing((uv_handle_t*) &timer));
  CHECK(uv_is_closing((uv_handle_t*) &async));
  CHECK_EQ(threads_now(), 0);
}

static void note_call(void* arg, int status) {
  char text[40];
  snprintf(text, sizeof text, "%s%s", status == 0 ? "" : status == UV_ECANCELED ? "c" : "?", (const char*) arg);
  port_note(text);
}

static void block(void* arg, int status) {
  CHECK_EQ(status, 0);
  uv_sem_post(&done);
  uv_sem_wait(arg);
}

static uv_sem_t go_on;

/* The thread is inside of a call from here on, until go_on is posted. */
static void hold_the_thread(void) {
  CHECK_EQ(uv_sem_init(&done, 0), 0);
  CHECK_EQ(uv_sem_init(&go_on, 0), 0);
  CHECK_EQ(uvx_io_thread_call(io, block, &go_on), 0);
  uv_sem_wait(&done);
}

/* 1.5.10 */
TEST(draining_runs_the_calls_that_wait) {
  CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, NULL), 0);
  hold_the_thread();
  CHECK_EQ(uvx_io_thread_call(io, note_call, "1"), 0);
  CHECK_EQ(uvx_io_thread_call(io, note_call, "2"), 0);
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_DRAIN), 0);
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_DRAIN), UV_EALREADY);
  uv_sem_post(&go_on);
  CHECK_EQ(uvx_io_thread_join(io, UVX_FOREVER), 0);
  CHECK_LOG("1,2");
}

TEST(killing_cancels_the_calls_that_wait) {
  CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, NULL), 0);
  hold_the_thread();
  /* Posted in the turn that is running, so it would run in the next one. */
  CHECK_EQ(uvx_io_thread_call(io, note_call, "1"), 0);
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_KILL), 0);
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_DRAIN), UV_EALREADY);
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_KILL), UV_EALREADY);
  CHECK_EQ(uvx_io_thread_stop(io, 3), UV_EINVAL);
  CHECK_EQ(uvx_io_thread_call(io, note_call, "2"), UV_ESHUTDOWN);
  uv_sem_post(&go_on);
  CHECK_EQ(uvx_io_thread_join(io, UVX_FOREVER), 0);
  CHECK_LOG("c1");
}

static void start_with_two_calls_in_one_turn(void) {
  CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, NULL), 0);
  hold_the_thread();
  CHECK_EQ(uvx_io_thread_call(io, block, &go_on), 0);
  CHECK_EQ(uvx_io_thread_call(io, note_call, "1"), 0);
}

TEST(killing_cancels_the_calls_of_the_turn_that_runs) {
  start_with_two_calls_in_one_turn();
  uv_sem_post(&go_on);
  uv_sem_wait(&done); /* inside of the second call, behind which the third one waits */
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_KILL), 0);
  uv_sem_post(&go_on);
  CHECK_EQ(uvx_io_thread_join(io, UVX_FOREVER), 0);
  CHECK_LOG("c1");
}

TEST(killing_cancels_the_calls_that_draining_has_not_run) {
  start_with_two_calls_in_one_turn();
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_DRAIN), 0);
  uv_sem_post(&go_on);
  uv_sem_wait(&done);
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_KILL), 0);
  uv_sem_post(&go_on);
  CHECK_EQ(uvx_io_thread_join(io, UVX_FOREVER), 0);
  CHECK_LOG("c1");
}

static uv_timer_t session, listener;
static int session_ticks, is_draining;

static void on_session(uv_timer_t* handle) {
  if (is_draining && ++session_ticks == 5) {
    port_note("session over");
    uv_close((uv_handle_t*) handle, NULL);
  }
}

static int init_server(uv_loop_t* loop, void* arg) {
  CHECK_STR(arg, "server");
  CHECK_EQ(uv_timer_init(loop, &session), 0);
  CHECK_EQ(uv_timer_init(loop, &listener), 0);
  CHECK_EQ(uv_timer_start(&session, on_session, 1, 1), 0);
  CHECK_EQ(uv_timer_start(&listener, (uv_timer_cb) abort, 1000000, 0), 0);
  return 0;
}

static void on_listener_closed(uv_handle_t* handle) {
  CHECK(handle == (uv_handle_t*) &listener);
  port_note("listener closed");
}

static void on_stop(uv_loop_t* loop, void* arg, uvx_io_thread_mode mode) {
  CHECK(loop == listener.loop);
  CHECK_STR(arg, "server");
  port_note(mode == UVX_IO_THREAD_DRAIN ? "drain" : "kill");
  is_draining = 1;
  if (!uv_is_closing((uv_handle_t*) &listener)) uv_close((uv_handle_t*) &listener, on_listener_closed);
}

static void start_server(void) {
  uvx_io_thread_options_t options = {.size = sizeof options, .stop_cb = on_stop, .name = "a server with a long name"};
  CHECK_EQ(uvx_io_thread_start(&io, init_server, "server", &options), 0);
}

/* 1.5.10: the listener goes, the session goes on to its end. */
TEST(draining_lets_sessions_end) {
  start_server();
  CHECK_EQ(self_threads_named("a server with a"), 1);
  end(UVX_IO_THREAD_DRAIN);
  CHECK_LOG("drain,listener closed,session over");
}

static int init_server_without_end(uv_loop_t* loop, void* arg) {
  init_server(loop, arg);
  session_ticks = 5; /* never again */
  return 0;
}

/* 1.5.11 */
TEST(killing_ends_what_draining_waits_for) {
  uvx_io_thread_options_t options = {.size = sizeof options, .stop_cb = on_stop};
  CHECK_EQ(uvx_io_thread_start(&io, init_server_without_end, "server", &options), 0);
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_DRAIN), 0);
  CHECK_EQ(uvx_io_thread_join(io, 20 * MS), UV_ETIMEDOUT);
  CHECK_EQ(uvx_io_thread_call(io, note_call, ""), UV_ESHUTDOWN);
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_KILL), 0);
  CHECK_EQ(uvx_io_thread_join(io, UVX_FOREVER), 0);
  CHECK(uv_is_closing((uv_handle_t*) &session));
  CHECK_LOG("drain,listener closed,kill");
}

TEST(killing_may_come_before_draining_has_begun) {
  uvx_io_thread_options_t options = {.size = sizeof options, .stop_cb = on_stop};
  CHECK_EQ(uvx_io_thread_start(&io, init_server_without_end, "server", &options), 0);
  hold_the_thread();
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_DRAIN), 0);
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_KILL), 0);
  uv_sem_post(&go_on);
  CHECK_EQ(uvx_io_thread_join(io, UVX_FOREVER), 0);
  CHECK_LOG("kill,listener closed");
}

static uv_timer_t chain[3];

static int init_chain(uv_loop_t* loop, void* arg) {
  (void) arg;
  for (int i = 0; i < 3; i++) CHECK_EQ(uv_timer_init(loop, &chain[i]), 0);
  return 0;
}

static void close_next(uv_handle_t* handle) {
  uv_timer_t* next = (uv_timer_t*) handle + 1;
  port_note("closed");
  if (next != chain + 3) uv_close((uv_handle_t*) next, close_next);
}

static void close_first(uv_loop_t* loop, void* arg, uvx_io_thread_mode mode) {
  (void) loop, (void) arg;
  CHECK_EQ(mode, UVX_IO_THREAD_KILL);
  uv_close((uv_handle_t*) chain, close_next);
}

/* 1.5.11: what the program closes in its own order is not closed under its hands. */
TEST(killing_waits_for_close_callbacks) {
  uvx_io_thread_options_t options = {.size = sizeof options, .stop_cb = close_first};
  CHECK_EQ(uvx_io_thread_start(&io, init_chain, NULL, &options), 0);
  end(UVX_IO_THREAD_KILL);
  CHECK_LOG("closed,closed,closed");
}

static void stop_from_inside(void* arg, int status) {
  (void) arg;
  CHECK_EQ(status, 0);
  CHECK_EQ(uvx_io_thread_join(io, 0), UV_EINVAL);
  CHECK_EQ(uvx_io_thread_call(io, note_call, "last"), 0);
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_DRAIN), 0);
  CHECK_EQ(uvx_io_thread_call(io, note_call, "too late"), UV_ESHUTDOWN);
}

TEST(the_thread_may_stop_itself) {
  CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, NULL), 0);
  CHECK_EQ(uvx_io_thread_call(io, stop_from_inside, NULL), 0);
  CHECK_EQ(uvx_io_thread_join(io, UVX_FOREVER), 0);
  CHECK_LOG("last");
}

static void stop_the_loop(void* arg, int status) {
  CHECK_EQ(status, 0);
  uv_stop(arg);
}

static uv_loop_t* its_loop;

static int init_loop(uv_loop_t* loop, void* arg) {
  (void) arg;
  its_loop = loop;
  return 0;
}

TEST(only_stop_ends_it) {
  CHECK_EQ(uvx_io_thread_start(&io, init_loop, NULL, NULL), 0);
  CHECK_EQ(uvx_io_thread_call(io, stop_the_loop, its_loop), 0);
  CHECK_EQ(uvx_io_thread_call(io, note_call, "still there"), 0);
  CHECK_EQ(uvx_io_thread_join(io, 5 * MS), UV_ETIMEDOUT);
  end(UVX_IO_THREAD_DRAIN);
  CHECK_LOG("still there");
}

static void answer(void* arg, int status) {
  CHECK_EQ(status, 0);
  *(int*) arg = 42;
}

TEST(its_mailbox_takes_calls_that_wait) {
  int result = 0;
  uvx_mailbox_t* mailbox;
  CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, NULL), 0);
  mailbox = uvx_io_thread_mailbox(io);
  CHECK_EQ(uvx_mailbox_call_sync(mailbox, answer, &result, UVX_FOREVER), 0);
  CHECK_EQ(result, 42);
  uvx_mailbox_ref(mailbox);
  end(UVX_IO_THREAD_KILL);
  CHECK_EQ(uvx_mailbox_call_sync(mailbox, answer, &result, UVX_FOREVER), UV_ESHUTDOWN);
  uvx_mailbox_release(mailbox);
}

static int turns;

static void count_turn(void* arg, int status) {
  (void) arg;
  CHECK(status == 0 || status == UV_ECANCELED);
  __atomic_add_fetch(&turns, 1, __ATOMIC_SEQ_CST);
}

static void* post_many(void* arg) {
  int accepted = 0;
  (void) arg;
  for (int i = 0; i < 3000; i++) {
    int status = uvx_io_thread_call(io, count_turn, NULL);
    CHECK(status == 0 || status == UV_ESHUTDOWN);
    accepted += status == 0;
  }
  return (void*) (intptr_t) accepted;
}

/* 1.5.12: each call that was accepted gets its turn, once. */
TEST(posting_races_stopping) {
  for (int round = 0; round < 10; round++) {
    pthread_t threads[3];
    intptr_t accepted = 0;
    void* result;
    turns = 0;
    CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, NULL), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&threads[i], NULL, post_many, NULL), 0);
    while (__atomic_load_n(&turns, __ATOMIC_SEQ_CST) < round * 100) sched_yield();
    CHECK_EQ(uvx_io_thread_stop(io, round % 2 == 0 ? UVX_IO_THREAD_DRAIN : UVX_IO_THREAD_KILL), 0);
    for (int i = 0; i < 3; i++) {
      CHECK_EQ(pthread_join(threads[i], &result), 0);
      accepted += (intptr_t) result;
    }
    CHECK_EQ(uvx_io_thread_join(io, UVX_FOREVER), 0);
    CHECK_EQ(turns, accepted);
  }
}

static int look(uv_loop_t* loop, void* arg) {
  pthread_attr_t attributes;
  sigset_t mask;
  (void) loop;
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
  CHECK(sigismember(&mask, SIGUSR1));
  CHECK_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
  CHECK_EQ(pthread_attr_getstacksize(&attributes, arg), 0);
  pthread_attr_destroy(&attributes);
  return 0;
}

TEST(the_stack_is_as_asked) {
  size_t stack = 0;
  uvx_io_thread_options_t options = {.size = sizeof options, .stack_size = 3 << 20};
  CHECK_EQ(uvx_io_thread_start(&io, look, &stack, &options), 0);
  end(UVX_IO_THREAD_KILL);
  CHECK(stack >= 3 << 20 && stack < 4 << 20);
  options.stack_size = 1;
  CHECK_EQ(uvx_io_thread_start(&io, look, &stack, &options), 0);
  end(UVX_IO_THREAD_KILL);
  CHECK(stack > 1);
}

TEST(nonsense_is_refused) {
  uvx_io_thread_options_t options = {.size = 1};
  CHECK_EQ(uvx_io_thread_start(&io, NULL, NULL, NULL), UV_EINVAL);
  CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, &options), UV_EINVAL);
  CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, NULL), 0);
  CHECK_EQ(uvx_io_thread_call(io, NULL, NULL), UV_EINVAL);
  end(UVX_IO_THREAD_DRAIN);
}

static int start_and_end(long n) {
  allocs_fail_at(n);
  int status = uvx_io_thread_start(&io, init_nothing, NULL, NULL);
  allocs_fail_at(0);
  if (status == 0) end(UVX_IO_THREAD_DRAIN);
  return status;
}

TEST(without_memory_there_is_no_thread) {
  allocs_install();
  CHECK(allocs_exhaust(start_and_end) >= 2);
  CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, NULL), 0);
  allocs_fail_at(1);
  CHECK_EQ(uvx_io_thread_call(io, note_call, ""), UV_ENOMEM);
  allocs.always = 1; /* to end it needs none */
  end(UVX_IO_THREAD_DRAIN);
  CHECK_EQ(allocs.refused, 1);
  allocs.always = 0;
  CHECK_EQ(allocs_live(), 0);
}

TEST(a_thread_that_cannot_start_is_an_error) {
  uvx_io_thread_options_t options = {.size = sizeof options, .stack_size = (size_t) 1 << 47};
  int status = uvx_io_thread_start(&io, init_nothing, NULL, &options);
  CHECK(status == UV_EAGAIN || status == UV_ENOMEM || status == UV_EINVAL);
  CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, NULL), 0);
  end(UVX_IO_THREAD_DRAIN);
}

TEST(without_descriptors_there_is_no_loop) {
  struct rlimit limit;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlim_t before = limit.rlim_cur;
  limit.rlim_cur = 3;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, NULL), UV_EMFILE);
  limit.rlim_cur = before;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
