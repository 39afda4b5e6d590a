/* Groups of ports among threads: nothing is lost, doubled or out of order, whoever comes and goes meanwhile. */
#include "broadcast.h"

#include <semaphore.h>

enum { THREADS = 4, MESSAGES = 20000 };

static int64_t wait_for(port_t* port) {
  message_t* message;
  int status = uvx_message_port_receive(port, &message, UVX_FOREVER);
  if (status != 0) return status;
  int64_t tag = (int64_t) uvx_message_tag(message);
  uvx_message_unref(message);
  return tag;
}

static uint64_t tag_of(int thread, int number) {
  return (uint64_t) thread << 32 | (uint64_t) number;
}

/* Of each thread, the number that has to come next. */
typedef struct {
  int next[THREADS];
} expected_t;

static void expect(expected_t* expected, int64_t tag) {
  CHECK(tag >= 0);
  int thread = (int) (tag >> 32);
  CHECK(thread < THREADS);
  CHECK_EQ((int) (tag & 0x7fffffff), expected->next[thread]);
  expected->next[thread]++;
}

static pthread_barrier_t gate;
static port_t* ports[THREADS];

/* ---- everybody posts, everybody receives ---- */

static void* post_and_receive(void* arg) {
  int me = (int) (intptr_t) arg;
  expected_t expected = {{0}};
  pthread_barrier_wait(&gate);
  for (int i = 0; i < MESSAGES; i++) {
    CHECK_EQ(port_post(ports[me], tag_of(me, i)), 0);
    int64_t tag = port_receive(ports[me]);
    if (tag != UV_EAGAIN) expect(&expected, tag);
  }
  for (int from = 0; from < THREADS; from++)
    while (from != me && expected.next[from] < MESSAGES) expect(&expected, wait_for(ports[me]));
  CHECK_EQ(expected.next[me], 0);
  CHECK_EQ(port_receive(ports[me]), UV_EAGAIN);
  return NULL;
}

static void run_threads(void* (*run)(void*), int count) {
  pthread_t threads[THREADS];
  for (int i = 0; i < count; i++) threads[i] = port_thread(run, (void*) (intptr_t) i);
  for (int i = 0; i < count; i++) port_join(threads[i]);
}

TEST(everybody_posts) {
  pthread_barrier_init(&gate, NULL, THREADS);
  for (int i = 0; i < THREADS; i++) ports[i] = join("everybody");
  run_threads(post_and_receive, THREADS);
  for (int i = 0; i < THREADS; i++) port_close(ports[i]);
}

/* ---- on loops ---- */

typedef struct {
  port_t* port;
  expected_t expected;
  int me, posted, received;
} looper_t;

static void close_at_the_end(looper_t* looper) {
  if (looper->posted == MESSAGES && looper->received == (THREADS - 1) * MESSAGES) port_close(looper->port);
}

static void on_loop_message(port_t* port, message_t* message) {
  looper_t* looper = uvx_message_port_get_data(port);
  expect(&looper->expected, (int64_t) uvx_message_tag(message));
  looper->received++;
  close_at_the_end(looper);
}

static void post_some(uv_idle_t* idle) {
  looper_t* looper = idle->data;
  for (int i = 0; i < 500; i++) CHECK_EQ(port_post(looper->port, tag_of(looper->me, looper->posted++)), 0);
  if (looper->posted < MESSAGES) return;
  uv_close((uv_handle_t*) idle, NULL);
  close_at_the_end(looper);
}

static void* run_a_loop(void* arg) {
  looper_t looper = {join("loops"), {{0}}, (int) (intptr_t) arg, 0, 0};
  uv_loop_t loop;
  uv_idle_t idle;
  CHECK_EQ(uv_loop_init(&loop), 0);
  uvx_message_port_set_data(looper.port, &looper);
  CHECK_EQ(uvx_message_port_attach(&loop, looper.port, on_loop_message, NULL), 0);
  CHECK_EQ(uvx_message_port_start(looper.port), 0);
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  idle.data = &looper;
  CHECK_EQ(uv_idle_start(&idle, post_some), 0);
  pthread_barrier_wait(&gate); /* all have joined */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
  return NULL;
}

TEST(loops_in_threads) {
  pthread_barrier_init(&gate, NULL, THREADS);
  run_threads(run_a_loop, THREADS);
}

/* ---- those who come and go ---- */

enum { VISITS = 100, WORDS = 3 };
static int over;

static int post_patiently(port_t* port, uint64_t tag) {
  uvx_message_desc_t desc = port_tag(tag);
  return uvx_message_port_post_wait(port, &desc, UVX_FOREVER);
}

static void* post_all_the_time(void* port) {
  int number = 0;
  while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) CHECK_EQ(post_patiently(port, tag_of(0, number++)), 0);
  CHECK_EQ(post_patiently(port, tag_of(1, THREADS * VISITS * WORDS)), 0); /* the last word */
  return NULL;
}

/* Between open and close nothing is missed: the numbers have no gap. What is posted last arrives before a close. */
static void* come_and_go(void* arg) {
  int me = (int) (intptr_t) arg + 1;
  int number = 0;
  for (int round = 0; round < VISITS; round++) {
    port_t* port = join("visitors");
    int64_t last = -1;
    for (int seen = 0; seen < round % 5;) {
      int64_t tag = wait_for(port);
      CHECK(tag >= 0);
      if (tag >> 32 != 0) continue;
      if (last >= 0) CHECK_EQ(tag, last + 1);
      last = tag;
      seen++;
    }
    for (int i = 0; i < WORDS; i++) CHECK_EQ(post_patiently(port, tag_of(me, number++)), 0);
    port_close(port);
  }
  return NULL;
}

TEST(members_come_and_go) {
  port_t *poster = join("visitors"), *listener = join_bounded("visitors", 100, 0, 0);
  expected_t expected = {{0}};
  pthread_t threads[THREADS - 1], all_the_time = port_thread(post_all_the_time, poster);
  for (int i = 0; i < THREADS - 1; i++) threads[i] = port_thread(come_and_go, (void*) (intptr_t) i);
  for (int from = 1; from < THREADS; from++)
    while (expected.next[from] < VISITS * WORDS) expect(&expected, wait_for(listener));
  for (int i = 0; i < THREADS - 1; i++) port_join(threads[i]);
  __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
  int64_t tag;
  while ((tag = wait_for(listener)) != (int64_t) tag_of(1, THREADS * VISITS * WORDS)) expect(&expected, tag);
  port_join(all_the_time);
  CHECK_EQ(port_receive(listener), UV_EAGAIN);
  port_close(poster);
  port_close(listener);
}

/* Groups are made and end all the time, with one name and with many. */
static void* open_and_close(void* arg) {
  int me = (int) (intptr_t) arg;
  char name[16];
  for (int round = 0; round < 1000; round++) {
    snprintf(name, sizeof name, "%d", round % (me % 2 != 0 ? 1 : 7));
    port_t *a = join(name), *b = join(name);
    CHECK_EQ(port_post(a, tag_of(me, round)), 0);
    int64_t tag;
    do {
      tag = port_receive(b);
      CHECK(tag >= 0); /* its own comes in any case */
    } while (tag != (int64_t) tag_of(me, round));
    port_close(a);
    port_close(b);
  }
  return NULL;
}

TEST(groups_come_and_go) {
  run_threads(open_and_close, THREADS);
}

/* ---- several threads use one port ---- */

static void* post_from_the_same(void* arg) {
  int me = (int) (intptr_t) arg;
  char payload[100];
  memset(payload, 'a' + me, sizeof payload);
  for (int i = 0; i < MESSAGES; i++)
    CHECK_EQ(port_post_bytes(ports[0], tag_of(me, i), payload, i % sizeof payload), 0);
  return NULL;
}

static void* check_payloads(void* port) {
  expected_t expected = {{0}};
  for (int i = 0; i < THREADS * MESSAGES; i++) {
    message_t* message;
    CHECK_EQ(uvx_message_port_receive(port, &message, UVX_FOREVER), 0);
    int64_t tag = (int64_t) uvx_message_tag(message);
    const uv_buf_t* data = uvx_message_data(message);
    CHECK_EQ(data->len, (size_t) (tag & 0x7fffffff) % 100);
    for (size_t at = 0; at < data->len; at++) CHECK_EQ(data->base[at], 'a' + (int) (tag >> 32));
    expect(&expected, tag);
    uvx_message_unref(message);
  }
  return NULL;
}

TEST(one_port_for_several_threads) {
  ports[0] = join("same");
  port_t *b = join("same"), *c = join("same");
  pthread_t readers[2] = {port_thread(check_payloads, b), port_thread(check_payloads, c)};
  run_threads(post_from_the_same, THREADS);
  port_join(readers[0]);
  port_join(readers[1]);
  port_close(ports[0]);
  port_close(b);
  port_close(c);
}

/* ---- back-pressure ---- */

static void* post_waiting(void* arg) {
  int me = (int) (intptr_t) arg;
  for (int i = 0; i < MESSAGES / 10; i++) {
    uvx_message_desc_t desc = port_tag(tag_of(me, i));
    CHECK_EQ(uvx_message_port_post_wait(ports[me], &desc, UVX_FOREVER), 0);
  }
  return NULL;
}

static void* read_all(void* port) {
  expected_t expected = {{0}};
  for (int i = 0; i < 2 * (MESSAGES / 10); i++) {
    CHECK(port_stats(port).depth <= 7);
    expect(&expected, wait_for(port));
  }
  CHECK_EQ(port_receive(port), UV_EAGAIN);
  return NULL;
}

TEST(posts_wait_for_all_receivers) {
  for (int i = 0; i < 2; i++) ports[i] = join("pressure");
  port_t *b = join_bounded("pressure", 7, 0, 2), *c = join_bounded("pressure", 1, 0, 0);
  pthread_t readers[2] = {port_thread(read_all, b), port_thread(read_all, c)};
  run_threads(post_waiting, 2);
  port_join(readers[0]);
  port_join(readers[1]);
  for (int i = 0; i < 2; i++) port_close(ports[i]);
  port_close(b);
  port_close(c);
}

/* ---- closing under those who wait ---- */

static int result;
static sem_t waits;

static void* post_until_closed(void* port) {
  uvx_message_desc_t desc = port_tag(1);
  do {
    sem_post(&waits);
    result = uvx_message_port_post_wait(port, &desc, UVX_FOREVER);
  } while (result == 0);
  return NULL;
}

static void on_gone(port_t* port, int status) {
  (void) port;
  CHECK_EQ(status, 0);
}

TEST(closing_the_own_port_ends_a_wait) {
  uv_loop_t loop;
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int round = 0; round < 200; round++) {
    port_t *a = join("own"), *b = join_bounded("own", 1, 0, 0);
    sem_init(&waits, 0, 0);
    port_attach(&loop, a);
    pthread_t thread = port_thread(post_until_closed, a);
    sem_wait(&waits);
    sem_wait(&waits); /* the second one does not fit */
    CHECK_EQ(uvx_message_port_close(a, 0, on_gone), 0);
    port_join(thread);
    CHECK_EQ(result, UV_EBADF);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ(port_receive(b), 1);
    CHECK_EQ(port_receive(b), UV_EAGAIN);
    port_close(b);
  }
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void* post_two(void* port) {
  uvx_message_desc_t desc = port_tag(1);
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(uvx_message_port_post_wait(port, &desc, UVX_FOREVER), 0);
    sem_post(&waits);
  }
  return NULL;
}

TEST(closing_the_full_port_ends_a_wait) {
  for (int round = 0; round < 200; round++) {
    port_t *a = join("full"), *b = join_bounded("full", 1, 0, 0), *c = join("full");
    sem_init(&waits, 0, 0);
    pthread_t thread = port_thread(post_two, a);
    sem_wait(&waits);
    port_close(b);
    port_join(thread);
    CHECK_EQ(port_receive(c), 1);
    CHECK_EQ(port_receive(c), 1);
    port_close(a);
    port_close(c);
  }
}

/* The owner of a loop hears of room that another thread's close gives. */
static void log_writable(port_t* port, int status) {
  CHECK_EQ(status, 0);
  port_note("writable");
  port_close(port);
}

static void* close_it(void* port) {
  port_close(port);
  return NULL;
}

TEST(room_is_announced_to_a_sleeping_loop) {
  uv_loop_t loop;
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int round = 0; round < 200; round++) {
    port_t *a = join("sleeping"), *b = join_bounded("sleeping", 1, 0, 0), *c = join_bounded("sleeping", 1, 0, 0);
    port_attach(&loop, a);
    CHECK_EQ(port_post(a, 1), 0);
    CHECK_EQ(uvx_message_port_on_writable(a, log_writable), 0);
    pthread_t one = port_thread(close_it, b), two = port_thread(close_it, c);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    CHECK_LOG("writable");
    port_join(one);
    port_join(two);
  }
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* ---- a member that moves ---- */

static void* take_turns(void* channel) {
  static expected_t expected; /* goes with the port */
  message_t* message;
  while (uvx_message_port_receive(channel, &message, UVX_FOREVER) == 0) {
    uvx_xfer_t xfer;
    CHECK_EQ(uvx_message_take(message, 0, &xfer), 0);
    uvx_message_unref(message);
    port_t* port = xfer.u.port;
    for (int i = 0; i < 100; i++) {
      int64_t tag = port_receive(port);
      if (tag != UV_EAGAIN) expect(&expected, tag);
    }
    if (expected.next[0] < MESSAGES || expected.next[1] < MESSAGES) {
      CHECK_EQ(port_post_port(channel, 0, port), 0);
    } else {
      CHECK_EQ(port_receive(port), UV_EAGAIN);
      port_close(port);
      break; /* the other one hears of the end */
    }
  }
  port_close(channel);
  return NULL;
}

static void* post_plainly(void* arg) {
  int me = (int) (intptr_t) arg;
  for (int i = 0; i < MESSAGES; i++) CHECK_EQ(port_post(ports[me], tag_of(me, i)), 0);
  return NULL;
}

TEST(a_member_moves_while_others_post) {
  port_t* ends[2];
  for (int i = 0; i < 2; i++) ports[i] = join("moving");
  port_channel(&ends[0], &ends[1]);
  CHECK_EQ(port_post_port(ends[0], 0, join("moving")), 0);
  pthread_t one = port_thread(take_turns, ends[0]), two = port_thread(take_turns, ends[1]);
  run_threads(post_plainly, 2);
  port_join(one);
  port_join(two);
  for (int i = 0; i < 2; i++) port_close(ports[i]);
}
