/* Ports between threads: blocking receive, interrupting, closing against posting, wake-ups. */
#include "port.h"

static port_t *a, *b;
static uv_loop_t loop;

/* blocking receive */

enum { ROUNDS = 20000 };

static void* echo(void* unused) {
  message_t* message;
  (void) unused;
  int status;
  while ((status = uvx_message_port_receive(b, &message, UVX_FOREVER)) == 0) {
    CHECK_EQ(port_post(b, uvx_message_tag(message) + 1), 0);
    uvx_message_unref(message);
  }
  CHECK_EQ(status, UV_EOF);
  port_close(b);
  return NULL;
}

TEST(calls_between_two_threads) {
  message_t* message;
  port_channel(&a, &b);
  pthread_t thread = port_thread(echo, NULL);
  for (uint64_t i = 0; i < ROUNDS; i++) {
    CHECK_EQ(port_post(a, i), 0);
    CHECK_EQ(uvx_message_port_receive(a, &message, UVX_FOREVER), 0);
    CHECK_EQ(uvx_message_tag(message), i + 1);
    uvx_message_unref(message);
  }
  port_close(a);
  port_join(thread);
}

TEST(timeouts) {
  message_t* message = NULL;
  port_channel(&a, &b);
  uint64_t start = uv_hrtime();
  CHECK_EQ(uvx_message_port_receive(a, &message, 0), UV_EAGAIN);
  CHECK_EQ(uvx_message_port_receive(a, &message, UVX_MS(20)), UV_ETIMEDOUT);
  CHECK(uv_hrtime() - start >= 20000000);
  CHECK(UVX_MS(5000000) == 5000000000000);
  CHECK_EQ(uvx_message_port_receive(a, &message, 1), UV_ETIMEDOUT);
  CHECK_EQ(port_post(b, 1), 0);
  CHECK_EQ(uvx_message_port_receive(a, &message, 1), 0);
  uvx_message_unref(message);
  CHECK_EQ(uvx_message_port_receive(a, &message, 1000), UV_ETIMEDOUT);
  port_close(b);
  CHECK_EQ(uvx_message_port_receive(a, &message, UVX_FOREVER), UV_EOF);
  port_close(a);
}

static void* receive_later(void* port) {
  uv_sleep(20);
  CHECK_EQ(port_receive(port), 2);
  return NULL;
}

static void* post_later(void* port) {
  uv_sleep(20);
  CHECK_EQ(port_post(port, 1), 0);
  return NULL;
}

/* What is beyond the clock's end is waited for without end. */
TEST(timeouts_that_are_almost_for_ever) {
  message_t* message = NULL;
  uvx_message_desc_t desc = port_tag(2);
  port_bounded(&a, &b, 1, 0, 0);
  pthread_t thread = port_thread(post_later, b);
  CHECK_EQ(uvx_message_port_receive(a, &message, UVX_FOREVER - 1), 0);
  uvx_message_unref(message);
  port_join(thread);
  CHECK_EQ(uvx_message_port_post_wait(b, &desc, UVX_FOREVER - 1), 0);
  thread = port_thread(receive_later, a);
  CHECK_EQ(uvx_message_port_post_wait(b, &desc, UVX_FOREVER - 1), 0);
  port_join(thread);
  port_close(a);
  port_close(b);
}

static int receiving;

static void* receive_for_ever(void* result) {
  message_t* message = NULL;
  __atomic_store_n(&receiving, 1, __ATOMIC_SEQ_CST);
  while ((*(int*) result = uvx_message_port_receive(a, &message, UVX_FOREVER)) == UV_EBUSY) continue; /* just looked at */
  uvx_message_unref(message);
  return NULL;
}

TEST(an_interrupt_ends_a_receive) {
  int result = 0;
  message_t* message;
  port_channel(&a, &b);
  pthread_t thread = port_thread(receive_for_ever, &result);
  while (!__atomic_load_n(&receiving, __ATOMIC_SEQ_CST)) sched_yield();
  CHECK_EQ(uvx_message_port_interrupt(a), 0);
  port_join(thread);
  CHECK_EQ(result, UV_EINTR);
  /* Without a running receive it is the next, once; a message is not lost over it. */
  CHECK_EQ(uvx_message_port_interrupt(a), 0);
  CHECK_EQ(uvx_message_port_interrupt(a), 0);
  CHECK_EQ(port_post(b, 1), 0);
  CHECK_EQ(uvx_message_port_receive(a, &message, UVX_FOREVER), UV_EINTR);
  CHECK_EQ(port_receive(a), 1);
  CHECK_EQ(port_receive(a), UV_EAGAIN);
  port_close(a);
  port_close(b);
}

TEST(a_close_ends_a_receive) {
  int result = 0;
  for (int i = 0; i < 100; i++) {
    port_channel(&a, &b);
    receiving = 0;
    pthread_t thread = port_thread(receive_for_ever, &result);
    while (!__atomic_load_n(&receiving, __ATOMIC_SEQ_CST)) sched_yield();
    CHECK_EQ(uvx_message_port_close(b, i % 2 ? UVX_PORT_CLOSE_NOW : 0, NULL), 0);
    port_join(thread);
    CHECK_EQ(result, UV_EOF);
    port_close(a);
  }
}

TEST(a_port_has_one_reader) {
  int result = 0, status;
  uvx_xfer_t xfer;
  port_t *x, *y;
  memset(&xfer, 0, sizeof xfer);
  port_channel(&a, &b);
  port_channel(&x, &y);
  CHECK_EQ(uv_loop_init(&loop), 0);
  pthread_t thread = port_thread(receive_for_ever, &result);
  while ((status = (int) port_receive(a)) != UV_EBUSY) CHECK_EQ(status, UV_EAGAIN);
  CHECK_EQ(uvx_message_port_attach(&loop, a, port_log_tag, NULL), UV_EBUSY);
  CHECK_EQ(uvx_message_port_close(a, 0, NULL), UV_EBUSY);
  CHECK_EQ(port_post_port(x, 1, a), UV_EBUSY);
  CHECK_EQ(port_post(a, 1), 0); /* anybody may post */
  CHECK_EQ(port_receive(b), 1);
  CHECK_EQ(port_post(b, 1), 0);
  port_join(thread);
  CHECK_EQ(result, 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
  port_close(x);
  port_close(y);
  port_close(b);
  port_close(a);
}

static void* answer_late(void* unused) {
  message_t* message;
  (void) unused;
  for (int i = 0; i < 50; i++) {
    CHECK_EQ(uvx_message_port_receive(b, &message, UVX_FOREVER), 0);
    uvx_message_unref(message);
    CHECK_EQ(port_post(b, 100 + i), 0);
    CHECK_EQ(port_post(b, 200 + i), 0);
  }
  port_close(b);
  return NULL;
}

/* A call and its answer from inside a callback of the loop that the port is attached to. */
static void call(uv_idle_t* idle) {
  static int calls;
  message_t* message;
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(uvx_message_port_receive(a, &message, UVX_FOREVER), 0);
  CHECK(uvx_message_tag(message) >= 100);
  uvx_message_unref(message);
  if (++calls == 50) uv_close((uv_handle_t*) idle, NULL);
}

static int heard;

static void hear(port_t* port, message_t* message) {
  (void) port, (void) message;
  heard++;
}

TEST(a_started_port_can_wait_for_an_answer) {
  uv_idle_t idle;
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_channel(&a, &b);
  CHECK_EQ(uvx_message_port_attach(&loop, a, hear, port_close_too), 0);
  CHECK_EQ(uvx_message_port_start(a), 0);
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  CHECK_EQ(uv_idle_start(&idle, call), 0);
  pthread_t thread = port_thread(answer_late, NULL);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("eof");
  CHECK_EQ(heard, 50);
  port_join(thread);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* closing against posting */

/* As many as there is time for: a machine with other things to do needs a time slice for each. */
enum { RACES = 3000 };

static int more_races(int i) {
  static uint64_t start;
  if (i == 0) start = uv_hrtime();
  return i < RACES && (i < 100 || uv_hrtime() - start < 5000000000);
}

static pthread_barrier_t gate;

static void* post_into_closing(void* accepted) {
  pthread_barrier_wait(&gate);
  for (uint64_t i = 0;; i++) {
    int status = port_post(a, i);
    if (status != 0) {
      CHECK_EQ(status, UV_EPIPE);
      *(uint64_t*) accepted = i;
      return NULL;
    }
  }
}

TEST(a_post_is_accepted_or_refused_and_never_lost) {
  CHECK_EQ(pthread_barrier_init(&gate, NULL, 2), 0);
  for (int i = 0; more_races(i); i++) {
    uint64_t accepted = 0;
    port_channel(&a, &b);
    pthread_t thread = port_thread(post_into_closing, &accepted);
    pthread_barrier_wait(&gate);
    for (int64_t tag, next = 0; next < i % 50;) {
      if ((tag = port_receive(b)) == UV_EAGAIN) continue;
      CHECK_EQ(tag, next);
      next++;
    }
    port_close(b);
    port_join(thread);
    CHECK(accepted >= (uint64_t) (i % 50));
    CHECK_EQ(port_receive(a), UV_EOF);
    port_close(a);
  }
}

static uint64_t reached;

static void on_last_messages(port_t* port, message_t* message) {
  (void) port;
  CHECK_EQ(uvx_message_tag(message), reached);
  reached++;
}

static void* post_and_close(void* count) {
  pthread_barrier_wait(&gate);
  for (uint64_t i = 0; i < (uint64_t) (uintptr_t) count; i++) CHECK_EQ(port_post(a, i), 0);
  port_close(a);
  return NULL;
}

TEST(what_is_posted_right_before_a_close_arrives) {
  CHECK_EQ(pthread_barrier_init(&gate, NULL, 2), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; more_races(i); i++) {
    uintptr_t count = (uintptr_t) i % 7;
    reached = 0;
    port_channel(&a, &b);
    CHECK_EQ(uvx_message_port_attach(&loop, b, on_last_messages, port_close_too), 0);
    CHECK_EQ(uvx_message_port_start(b), 0);
    pthread_t thread = port_thread(post_and_close, (void*) count);
    pthread_barrier_wait(&gate);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    CHECK_LOG("eof");
    CHECK_EQ(reached, count);
    port_join(thread);
  }
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* Ports that close at the same time, from both sides, on loops and off. */
static void* close_b(void* unused) {
  (void) unused;
  pthread_barrier_wait(&gate);
  port_close(b);
  return NULL;
}

TEST(both_ends_close_at_once) {
  CHECK_EQ(pthread_barrier_init(&gate, NULL, 2), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; more_races(i); i++) {
    port_channel(&a, &b);
    CHECK_EQ(port_post(a, 1), 0);
    CHECK_EQ(port_post(b, 1), 0);
    if (i % 2) CHECK_EQ(uvx_message_port_attach(&loop, a, hear, NULL), 0);
    pthread_t thread = port_thread(close_b, NULL);
    pthread_barrier_wait(&gate);
    port_close(a);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    port_join(thread);
  }
  CHECK_EQ(uv_loop_close(&loop), 0);
}

enum { STREAM = 50000 };

/* Stopping and starting, detaching and attaching while somebody posts: nothing is lost or forgotten. */
static void* post_stream(void* unused) {
  (void) unused;
  for (uint64_t i = 0; i < STREAM; i++) {
    CHECK_EQ(port_post(a, i), 0);
    if (i % 64 == 0) sched_yield();
  }
  port_close(a);
  return NULL;
}

static void on_restless(port_t* port, message_t* message) {
  CHECK_EQ(uvx_message_tag(message), reached);
  reached++;
  if (reached % 3 == 0) {
    CHECK_EQ(uvx_message_port_stop(port), 0);
    CHECK_EQ(uvx_message_port_start(port), 0);
  }
  if (reached % 5 == 0) {
    CHECK_EQ(uvx_message_port_detach(port), 0);
    CHECK_EQ(uvx_message_port_attach(&loop, port, on_restless, port_close_too), 0);
    CHECK_EQ(uvx_message_port_start(port), 0);
  }
}

TEST(a_restless_reader_misses_nothing) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_channel(&a, &b);
  CHECK_EQ(uvx_message_port_attach(&loop, b, on_restless, port_close_too), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  pthread_t thread = port_thread(post_stream, NULL);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(reached, STREAM);
  CHECK_LOG("eof");
  port_join(thread);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* wake-ups */

enum { FLOOD = 100000 };

static void* flood(void* unused) {
  (void) unused;
  for (uint64_t i = 0; i < FLOOD; i++) CHECK_EQ(port_post(a, i), 0);
  port_close(a);
  return NULL;
}

static uint64_t wakes;

static void on_flood_over(port_t* port, int status) {
  CHECK_EQ(status, UV_EOF);
  wakes = port_stats(port).wakes;
  port_close(port);
}

/* Busy enough that the poster is ahead, as at saturation. */
static void on_flood(port_t* port, message_t* message) {
  on_last_messages(port, message);
  for (int i = 0; i < 3000; i++) __asm__ volatile("");
}

TEST(a_burst_wakes_the_loop_rarely) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_channel(&a, &b);
  CHECK_EQ(uvx_message_port_attach(&loop, b, on_flood, on_flood_over), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  pthread_t thread = port_thread(flood, NULL);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(reached, FLOOD);
  if (wakes > FLOOD / 100) CHECK_FAIL("%d messages took %llu wakes", FLOOD, (unsigned long long) wakes);
  port_join(thread);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

enum { PORTS = 10000 };

TEST(ten_thousand_idle_ports) {
  static port_t *here[PORTS], *there[PORTS];
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < PORTS; i++) {
    port_channel(&here[i], &there[i]);
    CHECK_EQ(uvx_message_port_attach(&loop, here[i], hear, NULL), 0);
    CHECK_EQ(uvx_message_port_start(here[i]), 0);
  }
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_EQ(heard, 0);
  CHECK_EQ(port_post(there[PORTS / 2], 1), 0);
  uv_run(&loop, UV_RUN_ONCE);
  CHECK_EQ(heard, 1);
  for (int i = 1; i < 1000; i++) {
    CHECK_EQ(port_post(there[PORTS / 2], 1), 0);
    uv_run(&loop, UV_RUN_ONCE);
    CHECK_EQ(heard, i + 1);
  }
  for (int i = 0; i < PORTS; i++)
    if (i != PORTS / 2) CHECK_EQ(port_stats(here[i]).wakes, 0);
  for (int i = 0; i < PORTS; i++) CHECK_EQ(port_post(there[i], 1), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_EQ(heard, 1000 + PORTS);
  for (int i = 0; i < PORTS; i++) port_close(there[i]);
  for (int i = 0; i < PORTS; i++) port_close(here[i]);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}
