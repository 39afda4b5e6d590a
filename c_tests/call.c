/* Posted calls: order, what keeps the loop alive, cancelling, interrupts. The numbers are those of docs/uvx/BEHAVIOUR.md. */
#include "call.h"

/* 1.3.2: posted before the loop runs, and while nothing keeps it alive: the calls wait. */
TEST(calls_wait_for_the_loop) {
  set_up();
  post(1, 0);
  CHECK_EQ(uvx_mailbox_call_copy(mailbox, note_copy, (void*) 2, 0), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0); /* 1.3.4 */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("");
  post(3, UVX_CALL_REF);
  CHECK(uv_loop_alive(&loop) != 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("1,2,3");
  tear_down();
}

TEST(one_mailbox_per_loop) {
  mailbox_t* again = NULL;
  set_up();
  CHECK_EQ(uvx_loop_mailbox(&loop, &again), 0);
  CHECK(again == mailbox);
  uvx_mailbox_ref(again);
  uvx_mailbox_release(again);
  uvx_mailbox_release(again);
  uvx_mailbox_release(NULL);
  tear_down();
}

TEST(nonsense_is_refused) {
  set_up();
  CHECK_EQ(uvx_mailbox_call(mailbox, &calls[0], NULL, 0), UV_EINVAL);
  CHECK_EQ(uvx_mailbox_call(mailbox, &calls[0], note, 4), UV_EINVAL);
  CHECK_EQ(uvx_mailbox_call_copy(mailbox, NULL, NULL, 0), UV_EINVAL);
  CHECK_EQ(uvx_mailbox_call_copy(mailbox, note_copy, NULL, 8), UV_EINVAL);
  CHECK_EQ(uvx_mailbox_call_sync(mailbox, NULL, NULL, 0), UV_EINVAL);
  CHECK_EQ(uvx_mailbox_call_reply(mailbox, &calls[0], NULL, mailbox, note, 0), UV_EINVAL);
  CHECK_EQ(uvx_mailbox_call_reply(mailbox, &calls[0], note, mailbox, NULL, 0), UV_EINVAL);
  CHECK_EQ(uvx_mailbox_call_reply(mailbox, &calls[0], note, mailbox, note, 16), UV_EINVAL);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("");
  tear_down();
}

static void post_again(call_t* call, int status) {
  intptr_t number = (intptr_t) call->data;
  note(call, status);
  if (number < 3) {
    call->data = (void*) (number + 1);
    CHECK_EQ(uvx_mailbox_call(mailbox, call, post_again, UVX_CALL_REF), 0);
  }
}

static void on_check(uv_check_t* check) {
  (void) check;
  port_note("turn");
}

/* 1.3.2: what is posted while calls run waits for the next turn of the loop, so that it cannot starve others. */
TEST(calls_posted_meanwhile_run_in_the_next_turn) {
  uv_check_t check;
  set_up();
  CHECK_EQ(uv_check_init(&loop, &check), 0);
  CHECK_EQ(uv_check_start(&check, on_check), 0);
  uv_unref((uv_handle_t*) &check);
  calls[0].data = (void*) 1;
  CHECK_EQ(uvx_mailbox_call(mailbox, &calls[0], post_again, UVX_CALL_REF), 0);
  post(9, UVX_CALL_REF);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("1,9,turn,2,turn,3,turn");
  uv_close((uv_handle_t*) &check, NULL);
  tear_down();
}

static void look_for_interrupts(call_t* call, int status) {
  note(call, status);
  post(5, UVX_CALL_REF);
  CHECK_EQ(uvx_loop_run_interrupts(&loop), 1);
}

/* 1.3.2: also if interrupts that were due are run early. */
TEST(calls_posted_before_looking_for_interrupts_run_in_the_next_turn) {
  uv_check_t check;
  set_up();
  CHECK_EQ(uv_check_init(&loop, &check), 0);
  CHECK_EQ(uv_check_start(&check, on_check), 0);
  uv_unref((uv_handle_t*) &check);
  calls[1].data = (void*) 1;
  CHECK_EQ(uvx_mailbox_call(mailbox, &calls[1], look_for_interrupts, UVX_CALL_INTERRUPT | UVX_CALL_REF), 0);
  post(2, UVX_CALL_INTERRUPT);
  post(3, UVX_CALL_REF);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("1,2,3,turn,5,turn");
  uv_close((uv_handle_t*) &check, NULL);
  tear_down();
}

/* 1.3.2: interrupts come first, in their order. */
TEST(interrupts_overtake) {
  set_up();
  post(1, UVX_CALL_REF);
  post(2, UVX_CALL_INTERRUPT);
  post(3, 0);
  post(4, UVX_CALL_INTERRUPT | UVX_CALL_REF);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("2,4,1,3");
  tear_down();
}

/* 1.3.5: a busy loop runs interrupts when it asks for them, and nothing else. */
TEST(busy_code_runs_interrupts) {
  set_up();
  CHECK_EQ(uvx_loop_run_interrupts(&loop), 0);
  post(1, UVX_CALL_REF);
  post(2, UVX_CALL_INTERRUPT);
  post(3, UVX_CALL_INTERRUPT | UVX_CALL_REF);
  CHECK_EQ(uvx_loop_run_interrupts(&loop), 2);
  CHECK_LOG("2,3");
  CHECK_EQ(uvx_loop_run_interrupts(&loop), 0);
  post(4, UVX_CALL_INTERRUPT);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("4,1");
  tear_down();
}

static int hooks;

static void count_hook(void* arg) {
  CHECK(arg == &hooks);
  __atomic_add_fetch(&hooks, 1, __ATOMIC_SEQ_CST);
}

/* 1.3.5: at most one request is on its way; the hook runs on the thread that posts. */
TEST(the_interrupt_hook) {
  set_up();
  CHECK_EQ(uvx_loop_interrupt_hook(&loop, count_hook, &hooks), 0);
  post(1, 0);
  CHECK_EQ(hooks, 0);
  post(2, UVX_CALL_INTERRUPT);
  post(3, UVX_CALL_INTERRUPT);
  CHECK_EQ(hooks, 1);
  CHECK_EQ(uvx_loop_run_interrupts(&loop), 2);
  post(4, UVX_CALL_INTERRUPT);
  CHECK_EQ(hooks, 2);
  CHECK_EQ(uvx_loop_interrupt_hook(&loop, NULL, NULL), 0);
  post(5, UVX_CALL_INTERRUPT | UVX_CALL_REF);
  CHECK_EQ(hooks, 2);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("2,3,4,5,1");
  tear_down();
}

/* 1.3.1, 1.3.4: after the loop is closed calls are refused; what waits unreferenced is cancelled, inside of uv_loop_close. */
TEST(closing_a_loop_cancels_its_calls) {
  set_up();
  post(1, 0);
  post(2, 0);
  CHECK_EQ(uvx_mailbox_call_copy(mailbox, note_copy, (void*) 3, UVX_CALL_INTERRUPT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
  CHECK_LOG("c3,c1,c2");
  CHECK_EQ(uvx_mailbox_call(mailbox, &calls[0], note, 0), UV_ESHUTDOWN);
  CHECK_EQ(uvx_mailbox_call_copy(mailbox, note_copy, NULL, 0), UV_ESHUTDOWN);
  CHECK_EQ(uvx_mailbox_call_sync(mailbox, note_copy, NULL, UVX_FOREVER), UV_ESHUTDOWN);
  CHECK_EQ(uvx_mailbox_call_reply(mailbox, &calls[0], note, mailbox, note, 0), UV_ESHUTDOWN);
  CHECK_EQ(uvx_mailbox_close(mailbox, 0), UV_ESHUTDOWN);
  uvx_mailbox_release(mailbox);
  CHECK_LOG("");
}

TEST(a_referenced_call_keeps_the_loop_open) {
  set_up();
  post(1, 0);
  post(2, UVX_CALL_REF);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  CHECK_LOG("");
  post(3, 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("1,2,3");
  tear_down();
}

static uv_timer_t timer;

static void begin_something(call_t* call, int status) {
  note(call, status);
  CHECK_EQ(uvx_mailbox_call(mailbox, call, note, 0), UV_ESHUTDOWN);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
}

TEST(a_cancelled_call_may_begin_something) {
  set_up();
  CHECK_EQ(uvx_mailbox_call(mailbox, &calls[0], begin_something, 0), 0);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  CHECK_LOG("c0");
  uv_close((uv_handle_t*) &timer, NULL);
  tear_down();
}

static void close_here(call_t* call, int status) {
  note(call, status);
  CHECK_EQ(uvx_mailbox_close(mailbox, 0), 0);
  port_note("closed");
  CHECK_EQ(uvx_mailbox_call(mailbox, call, note, 0), UV_ESHUTDOWN);
}

TEST(closing_a_mailbox_runs_or_cancels) {
  mailbox_t* other;
  set_up();
  post(1, 0);
  post(2, UVX_CALL_REF);
  CHECK_EQ(uvx_mailbox_close(mailbox, 1), 0);
  CHECK_LOG("1,2");
  CHECK_EQ(uvx_mailbox_close(mailbox, 1), UV_ESHUTDOWN);
  CHECK_EQ(uvx_loop_mailbox(&loop, &other), UV_ESHUTDOWN);
  CHECK_EQ(uvx_loop_interrupt_hook(&loop, count_hook, NULL), UV_ESHUTDOWN);
  tear_down();

  set_up();
  CHECK_EQ(uvx_mailbox_call(mailbox, &calls[0], close_here, UVX_CALL_REF), 0);
  post(1, UVX_CALL_REF);
  post(2, UVX_CALL_INTERRUPT);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("2,0,c1,closed");
  tear_down();
}

static void* close_elsewhere(void* unused) {
  (void) unused;
  CHECK_EQ(uvx_mailbox_close(mailbox, 0), UV_EBUSY);
  return NULL;
}

TEST(only_the_loops_thread_closes_a_mailbox) {
  set_up();
  port_join(port_thread(close_elsewhere, NULL));
  tear_down();
}

/* A program that polls the loop's descriptor sees that something was posted. */
TEST(an_embedder_is_woken) {
  set_up();
  keep(&loop);
  CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);
  post(1, 0);
  CHECK_EQ(uv_backend_timeout(&loop), 0);
  CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
  CHECK_LOG("1");
  uv_close((uv_handle_t*) &keeper, NULL);
  tear_down();
}

enum { POSTERS = 4, EACH = 20000 };

static struct { call_t call; int poster, number; } many[POSTERS][EACH];
static int last[POSTERS];
static int arrived;

static void arrive(call_t* call, int status) {
  int* which = call->data;
  CHECK_EQ(status, 0);
  CHECK_EQ(last[which[0]], which[1]);
  last[which[0]] = which[1] + 1;
  if (++arrived == POSTERS * EACH) uv_stop(&loop);
}

static void* post_many(void* poster) {
  int p = (int) (intptr_t) poster;
  for (int i = 0; i < EACH; i++) {
    many[p][i].poster = p;
    many[p][i].number = i;
    many[p][i].call.data = &many[p][i].poster;
    CHECK_EQ(uvx_mailbox_call(mailbox, &many[p][i].call, arrive, i % 2 != 0 ? UVX_CALL_REF : 0), 0);
  }
  return NULL;
}

/* 1.3.3: in the order of each poster, none lost. */
TEST(many_threads_post) {
  pthread_t threads[POSTERS];
  set_up();
  keep(&loop);
  for (int i = 0; i < POSTERS; i++) threads[i] = port_thread(post_many, (void*) (intptr_t) i);
  CHECK(uv_run(&loop, UV_RUN_DEFAULT) != 0);
  CHECK_EQ(arrived, POSTERS * EACH);
  for (int i = 0; i < POSTERS; i++) port_join(threads[i]);
  uv_close((uv_handle_t*) &keeper, NULL);
  tear_down();
}

static int accepted, run, cancelled;
static pthread_barrier_t gate;

static void tally(void* arg, int status) {
  (void) arg;
  CHECK(status == 0 || status == UV_ECANCELED);
  __atomic_add_fetch(status == 0 ? &run : &cancelled, 1, __ATOMIC_SEQ_CST);
}

/* So that those who post do not run away from the loop. */
static int waiting_calls(void) {
  return __atomic_load_n(&accepted, __ATOMIC_SEQ_CST) - __atomic_load_n(&run, __ATOMIC_SEQ_CST) -
         __atomic_load_n(&cancelled, __ATOMIC_SEQ_CST);
}

static void* post_until_refused(void* own) {
  int status;
  pthread_barrier_wait(&gate);
  while ((status = uvx_mailbox_call_copy(own, tally, NULL, 0)) == 0) {
    __atomic_add_fetch(&accepted, 1, __ATOMIC_SEQ_CST);
    while (waiting_calls() > 500) sched_yield();
  }
  CHECK_EQ(status, UV_ESHUTDOWN);
  uvx_mailbox_release(own);
  return NULL;
}

/* 1.3.1; posts to a loop that is being closed, and freed: each accepted call has its turn once, nobody touches the loop. */
TEST(a_loop_is_closed_while_others_post) {
  for (int round = 0; round < 100; round++) {
    uv_loop_t* own = malloc(sizeof *own);
    mailbox_t* to;
    pthread_t threads[3];
    CHECK_EQ(uv_loop_init(own), 0);
    CHECK_EQ(uvx_loop_mailbox(own, &to), 0);
    CHECK_EQ(pthread_barrier_init(&gate, NULL, 4), 0);
    for (int i = 0; i < 3; i++) {
      uvx_mailbox_ref(to);
      threads[i] = port_thread(post_until_refused, to);
    }
    uvx_mailbox_release(to);
    pthread_barrier_wait(&gate);
    for (int turn = 0; turn < round % 4; turn++) {
      keep(own);
      uv_run(own, UV_RUN_NOWAIT);
      uv_close((uv_handle_t*) &keeper, NULL);
      uv_run(own, UV_RUN_DEFAULT);
    }
    while (waiting_calls() == 0) sched_yield(); /* they are at it */
    CHECK_EQ(uv_loop_close(own), 0);
    free(own);
    for (int i = 0; i < 3; i++) port_join(threads[i]);
    pthread_barrier_destroy(&gate);
    CHECK_EQ(accepted, run + cancelled);
  }
  CHECK(cancelled >= 100);
}

static uv_sem_t over;

static int woken_by_call;

static void count_turn(call_t* call, int status) {
  CHECK_EQ(status, 0);
  if (++woken_by_call == 2000) uv_stop(&loop);
  else uv_sem_post(call->data);
}

static void* post_to_a_sleeper(void* unused) {
  static call_t call;
  (void) unused;
  for (int i = 0; i < 2000; i++) {
    call.data = &over;
    CHECK_EQ(uvx_mailbox_call(mailbox, &call, count_turn, 0), 0);
    if (i < 1999) uv_sem_wait(&over);
  }
  return NULL;
}

TEST(a_sleeping_loop_is_woken_each_time) {
  set_up();
  keep(&loop);
  CHECK_EQ(uv_sem_init(&over, 0), 0);
  pthread_t thread = port_thread(post_to_a_sleeper, NULL);
  CHECK(uv_run(&loop, UV_RUN_DEFAULT) != 0);
  port_join(thread);
  CHECK_EQ(woken_by_call, 2000);
  uv_close((uv_handle_t*) &keeper, NULL);
  tear_down();
}

/* In the child after fork the loop has no mailbox; the parent's calls are the parent's. */
TEST(fork_leaves_the_calls_to_the_parent) {
  set_up();
  post(1, UVX_CALL_REF);
  CHECK(uv_loop_alive(&loop) != 0);
  pid_t child = fork();
  if (child == 0) {
    mailbox_t* own;
    if (uv_loop_fork(&loop) != 0 || uv_loop_alive(&loop) != 0) _exit(1);
    if (uvx_loop_mailbox(&loop, &own) != 0 || own == mailbox) _exit(2);
    if (uvx_mailbox_call(own, &calls[2], note, UVX_CALL_REF) != 0) _exit(3);
    if (uv_run(&loop, UV_RUN_DEFAULT) != 0 || strcmp(port_log, "0") != 0) _exit(4);
    uvx_mailbox_release(own);
    _exit(uv_loop_close(&loop) == 0 ? 0 : 5);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("1");
  tear_down();
}
