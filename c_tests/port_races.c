/* What happens to ports at the same moment, a million times: posts and closes, also on loops that are freed; calls whose answer comes too
 * late; moving into a worker that ends; fork. */
#include "worker.h"

#include "counters.h"

/* Counters that order nothing, so that the sanitizer sees what the library itself orders. */
static void add_relaxed(int* counter) {
  __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static int get_relaxed(int* counter) {
  return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static uint32_t seed = 1;

static uint32_t random_number(void) {
  seed = seed * 1664525u + 1013904223u;
  return seed >> 8;
}

/* closing against posting */

/* Each message carries memory, so that it is seen to be destroyed once if it was accepted, and not at all if it was refused. */
enum { POSTS = 1000000, ROUNDS = 1000, POSTERS = 2, BURST = 1000 };

static port_t *a, *b;
static uvx_message_sender_t* sender;
static pthread_barrier_t gate;
static int over, accepted, destroyed; /* of this round */
static int ahead;                     /* how far the posters may be before the reader */
static uint64_t next_of[POSTERS];     /* the reader's */
static unsigned close_flags;

static void count_destroyed(void* base, size_t len, void* arg) {
  CHECK(base == &destroyed && len == 1);
  (void) arg;
  add_relaxed(&destroyed);
}

/* One of them posts by the other end, the other by a sender. */
static int post_memory(uint64_t poster, uint64_t number) {
  uvx_xfer_t xfer = port_mem(&destroyed, 1, count_destroyed, NULL);
  uvx_message_desc_t desc = port_tag(poster << 32 | number);
  desc.xfers = &xfer;
  desc.nxfers = 1;
  return poster == 0 ? uvx_message_port_post(a, &desc) : uvx_message_sender_post(sender, &desc);
}

static void* post_until_closed(void* poster) {
  for (;;) {
    int status;
    pthread_barrier_wait(&gate);
    if (over) return NULL;
    for (uint64_t number = 0; (status = post_memory((uintptr_t) poster, number)) == 0; number++) {
      add_relaxed(&accepted);
      while (get_relaxed(&accepted) - get_relaxed(&destroyed) > ahead) sched_yield();
    }
    CHECK_EQ(status, UV_EPIPE);
    pthread_barrier_wait(&gate);
  }
}

static void check_order(message_t* message) {
  uint64_t tag = uvx_message_tag(message);
  CHECK_EQ(tag & 0xffffffff, next_of[tag >> 32]);
  next_of[tag >> 32]++;
}

static void read_and_close(int count) {
  message_t* message;
  for (int i = 0; i < count; i++) {
    CHECK_EQ(uvx_message_port_receive(b, &message, UVX_FOREVER), 0);
    check_order(message);
    uvx_message_unref(message);
  }
  port_close(b);
}

/* Rounds of posting until the reader closes, which it does after so many messages. On a machine with other things to do, where each round
 * needs some time slices, there are fewer rounds of more posts. */
static void race(void (*reader)(int count)) {
  pthread_t posters[POSTERS];
  int posts = 0, hurry = 0;
  uint64_t start = uv_hrtime();
  CHECK_EQ(pthread_barrier_init(&gate, NULL, POSTERS + 1), 0);
  for (uintptr_t i = 0; i < POSTERS; i++) posters[i] = port_thread(post_until_closed, (void*) i);
  for (int round = 0; posts < POSTS || (round < ROUNDS && !hurry); round++) {
    hurry = uv_hrtime() - start > 5000000000;
    port_channel(&a, &b);
    CHECK_EQ(uvx_message_sender_create(b, &sender), 0);
    accepted = destroyed = 0;
    ahead = hurry ? 50000 : round % 4 < 2 ? 100 : 2000;
    memset(next_of, 0, sizeof next_of);
    pthread_barrier_wait(&gate);
    reader(round * 7 % BURST);
    pthread_barrier_wait(&gate);
    CHECK_EQ(destroyed, accepted);
    int read = (int) (next_of[0] + next_of[1]);
    CHECK(close_flags == UVX_PORT_CLOSE_FLUSH ? read == accepted : read <= accepted);
    CHECK_EQ(port_receive(a), UV_EOF);
    port_close(a);
    uvx_message_sender_release(sender);
    posts += accepted;
  }
  over = 1;
  pthread_barrier_wait(&gate);
  for (int i = 0; i < POSTERS; i++) port_join(posters[i]);
}

TEST(a_million_posts_race_closing) {
  race(read_and_close);
}

static int until_close;

static void on_closed(port_t* port, int status) {
  CHECK(port == b);
  CHECK_EQ(status, 0);
  port_note("closed");
}

static void close_after_some(port_t* port, message_t* message) {
  check_order(message);
  if (until_close-- == 0) CHECK_EQ(uvx_message_port_close(port, close_flags, on_closed), 0);
}

/* A loop of its own, which is freed while the posters may still be at it. Every other time all that was accepted is delivered first. */
static void read_on_a_loop(int count) {
  uv_loop_t* own = malloc(sizeof *own);
  until_close = count;
  close_flags ^= UVX_PORT_CLOSE_FLUSH;
  CHECK_EQ(uv_loop_init(own), 0);
  CHECK_EQ(uvx_message_port_attach(own, b, close_after_some, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uv_run(own, UV_RUN_DEFAULT), 0);
  CHECK_LOG("closed");
  CHECK_EQ(uv_loop_close(own), 0);
  memset(own, 0xff, sizeof *own);
  free(own);
}

TEST(a_million_posts_race_closing_on_loops_that_are_freed) {
  race(read_on_a_loop);
}

/* answers that come too late */

enum { CALLS = 20000 };

static uv_sem_t given_up;

/* Every so often it answers only when the caller has given up. */
static void* answer(void* unused) {
  message_t* message;
  (void) unused;
  int status;
  while ((status = uvx_message_port_receive(b, &message, UVX_FOREVER)) == 0) {
    uint64_t tag = uvx_message_tag(message);
    uvx_message_unref(message);
    if (tag % 50 == 0) uv_sem_wait(&given_up);
    CHECK_EQ(port_post(b, tag), 0);
  }
  CHECK_EQ(status, UV_EOF);
  port_close(b);
  return NULL;
}

static uint64_t next_answer, gave_up, late;

/* Waits for the answer to this call or for the time to be over, whatever comes of the calls before. */
static void wait_for_answer(uint64_t tag, uint64_t timeout_ns) {
  for (;;) {
    message_t* message = NULL;
    uint64_t start = uv_hrtime();
    int status = uvx_message_port_receive(a, &message, timeout_ns);
    if (status == UV_ETIMEDOUT) {
      CHECK(timeout_ns != UVX_FOREVER && uv_hrtime() - start >= timeout_ns);
      gave_up++;
      return;
    }
    CHECK_EQ(status, 0);
    CHECK_EQ(uvx_message_tag(message), next_answer);
    uvx_message_unref(message);
    if (next_answer++ == tag) return;
    late++;
  }
}

/* esbuild#590: the wake-up of an answer nobody waits for any more must not end the next wait. Of three calls two have little time, and
 * each fiftieth is never answered in time; those without a deadline always end with their own answer. */
TEST(a_late_answer_does_not_end_the_next_wait) {
  CHECK_EQ(uv_sem_init(&given_up, 0), 0);
  port_channel(&a, &b);
  pthread_t thread = port_thread(answer, NULL);
  for (uint64_t i = 0; i < CALLS; i++) {
    int hurry = i % 50 == 0 || i % 3 != 0;
    CHECK_EQ(port_post(a, i), 0);
    wait_for_answer(i, hurry ? 1 + random_number() % 20000 : UVX_FOREVER);
    if (i % 50 == 0) uv_sem_post(&given_up);
  }
  CHECK(gave_up >= CALLS / 50);
  CHECK(late >= CALLS / 50 - 1);
  while (next_answer < CALLS) wait_for_answer(CALLS - 1, UVX_FOREVER);
  CHECK_EQ(port_receive(a), UV_EAGAIN);
  port_close(a);
  port_join(thread);
}

/* moving into a worker that ends */

static int end_after_a_while(ctx_t* ctx, void* data) {
  (void) ctx;
  for (volatile uintptr_t spin = (uintptr_t) data; spin > 0; spin--) continue;
  return 0;
}

/* Accepted: the port closes with the worker's inbox, and its peer hears of that before the exit. Refused: it is still here. */
TEST(a_port_moves_into_a_worker_that_ends) {
  int moved = 0, kept = 0;
  set_up();
  for (int i = 0; i < 300 || moved == 0 || kept == 0; i++) {
    uvx_worker_options_t options = with((void*) (uintptr_t) (random_number() % 20000));
    port_channel(&a, &b);
    port_open(&loop, b);
    start(end_after_a_while, &options);
    if (i % 3 == 0) CHECK_EQ(uvx_worker_join(worker, random_number() % 200000) == 0 || 1, 1);
    for (volatile uint32_t spin = random_number() % 20000; spin > 0; spin--) continue;
    int status = port_post_port(uvx_worker_port(worker), 1, a);
    if (status == 0) {
      moved++;
      run_loop();
      CHECK_LOG("eof,exit RETURNED 0");
    } else {
      CHECK_EQ(status, UV_EPIPE);
      kept++;
      CHECK_EQ(port_post(a, 5), 0);
      port_close(a);
      run_loop();
      CHECK(strcmp(port_log, "5,eof,exit RETURNED 0") == 0 || strcmp(port_log, "exit RETURNED 0,5,eof") == 0);
      port_log[0] = '\0';
    }
  }
  tear_down();
}

/* fork */

static void* post_to_the_loop(void* unused) {
  (void) unused;
  for (uint64_t i = 0; !__atomic_load_n(&over, __ATOMIC_RELAXED); i++) {
    CHECK_EQ(port_post(a, i), 0);
    add_relaxed(&accepted);
    while (get_relaxed(&accepted) - get_relaxed(&destroyed) > 1000) sched_yield();
  }
  port_close(a);
  return NULL;
}

static void read_in_order(port_t* port, message_t* message) {
  (void) port;
  check_order(message);
  add_relaxed(&destroyed);
}

static int init_nothing(uv_loop_t* of, void* arg) {
  return of == arg ? UV_EINVAL : 0;
}

/* The child: the loop has no ports, whatever they were doing; channels, workers and threads of its own work. */
static void be_a_child(void) {
  port_t *x, *y;
  uvx_io_thread_t* io;
  uvx_task_runner_t* runner;
  CHECK_EQ(uv_loop_fork(&loop), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  port_channel(&x, &y);
  port_open(&loop, y);
  for (int i = 0; i < 3; i++) CHECK_EQ(port_post(x, i), 0);
  port_close(x);
  run_loop();
  CHECK_LOG("0,1,2,eof");
  start(post_ten, NULL);
  listen_to(worker);
  run_loop();
  CHECK_LOG("0,1,2,3,4,5,6,7,8,9,EOF,exit EXITED 3");
  CHECK_EQ(uvx_io_thread_start(&io, init_nothing, NULL, NULL), 0);
  CHECK_EQ(uvx_io_thread_stop(io, UVX_IO_THREAD_DRAIN), 0);
  CHECK_EQ(uvx_io_thread_join(io, UVX_FOREVER), 0);
  CHECK_EQ(uvx_task_runner_create(&runner, NULL), 0);
  CHECK_EQ(uvx_task_runner_shutdown(runner, UVX_SHUTDOWN_RUN_ALL, UVX_FOREVER), 0);
  uvx_task_runner_release(runner);
  CHECK_EQ(uv_loop_close(&loop), 0);
  _exit(0);
}

/* Undefined in the original. Here it is the parent's ports that go on, and the child begins with none. */
TEST(forks_while_another_thread_posts) {
  set_up();
  port_channel(&a, &b);
  CHECK_EQ(uvx_message_port_attach(&loop, b, read_in_order, port_close_too), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  pthread_t thread = port_thread(post_to_the_loop, NULL);
  for (int i = 0; i < 20; i++) {
    int status;
    CHECK(uv_run(&loop, UV_RUN_ONCE) != 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) be_a_child();
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
  }
  __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
  run_loop();
  CHECK_LOG("eof");
  port_join(thread);
  CHECK_EQ(next_of[0], (uint64_t) accepted);
  tear_down();
}

static void fork_in_a_batch(port_t* port, message_t* message) {
  port_log_tag(port, message);
  if (uvx_message_tag(message) != 1) return;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&loop), 0);
    return;
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

/* In the child the batch ends with the callback. */
TEST(a_fork_in_a_batch) {
  pid_t parent = getpid();
  set_up();
  port_channel(&a, &b);
  CHECK_EQ(uvx_message_port_attach(&loop, b, fork_in_a_batch, port_close_too), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  for (int i = 0; i < 4; i++) CHECK_EQ(port_post(a, i), 0);
  port_close(a);
  run_loop();
  CHECK_LOG(getpid() == parent ? "0,1,2,3,eof" : "0,1");
  CHECK_EQ(uv_loop_close(&loop), 0);
  if (getpid() != parent) _exit(0);
}
