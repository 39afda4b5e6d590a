/* Without memory: UV_ENOMEM, nothing lost, nothing leaked. And no leaks anywhere. */
#include "port.h"

#include "allocs.h"

#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>

static char bytes[1000];

static int try_channel(long n) {
  port_t *a, *b;
  allocs_fail_at(n);
  int result = uvx_message_channel_create(&a, &b, NULL);
  allocs_fail_at(0);
  if (result == 0) {
    port_close(a);
    port_close(b);
  }
  return result;
}

static int try_sender(long n) {
  port_t *a, *b;
  uvx_message_sender_t* sender;
  port_channel(&a, &b);
  allocs_fail_at(n);
  int result = uvx_message_sender_create(a, &sender);
  allocs_fail_at(0);
  if (result == 0) uvx_message_sender_release(sender);
  port_close(b);
  CHECK_EQ(port_receive(a), UV_EOF); /* no writer is left, made or not */
  port_close(a);
  return result;
}

static int try_shared(long n) {
  uvx_shared_buf_t* buf;
  allocs_fail_at(n);
  int result = uvx_shared_buf_create(&buf, 100);
  allocs_fail_at(0);
  if (result == 0) uvx_shared_buf_unref(buf);
  return result;
}

static int freed;

static void on_free(void* base, size_t len, void* arg) {
  (void) base, (void) len, (void) arg;
  freed++;
}

static int try_wrap(long n) {
  uvx_shared_buf_t* buf;
  freed = 0;
  allocs_fail_at(n);
  int result = uvx_shared_buf_wrap(&buf, bytes, sizeof bytes, on_free, NULL);
  allocs_fail_at(0);
  CHECK_EQ(freed, 0);
  if (result == 0) uvx_shared_buf_unref(buf);
  CHECK_EQ(freed, result == 0);
  return result;
}

TEST(objects) {
  allocs_install();
  CHECK_EQ(allocs_exhaust(try_channel), 1);
  CHECK_EQ(allocs_exhaust(try_sender), 1);
  CHECK_EQ(allocs_exhaust(try_shared), 1);
  CHECK_EQ(allocs_exhaust(try_wrap), 1);
}

/* A long payload, and one of everything that can be handed over. */
static int try_post(long n) {
  port_t *a, *b, *c, *d;
  uvx_shared_buf_t* shared;
  uv_loop_t loop;
  int fds[2];
  uvx_xfer_t xfers[4];
  uv_buf_t buf = uv_buf_init(bytes, sizeof bytes);
  uvx_message_desc_t desc = port_tag(1);
  freed = 0;
  CHECK_EQ(pipe(fds), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_bounded(&a, &b, 1, 0, 0);
  port_channel(&c, &d);
  CHECK_EQ(uvx_shared_buf_wrap(&shared, bytes, 1, on_free, NULL), 0);
  port_open(&loop, c);
  memset(xfers, 0, sizeof xfers);
  xfers[0].type = UVX_XFER_PORT;
  xfers[0].u.port = c;
  xfers[1].type = UVX_XFER_SHARED;
  xfers[1].u.shared = shared;
  xfers[2].type = UVX_XFER_FD;
  xfers[2].u.fd = fds[0];
  xfers[3] = port_mem(bytes, 1, on_free, NULL);
  desc.bufs = &buf;
  desc.nbufs = 1;
  desc.xfers = xfers;
  desc.nxfers = 4;
  desc.flags = UVX_POST_CONSUME; /* which is for closed ports only */
  allocs_fail_at(n);
  int result = uvx_message_port_post(a, &desc);
  allocs_fail_at(0);
  uvx_shared_buf_unref(shared);
  if (result != 0) {
    CHECK_EQ(freed, 1);
    CHECK_EQ(close(fds[0]), 0);
    CHECK_EQ(port_post(a, 2), 0); /* the room was given back */
    CHECK_EQ(port_receive(b), 2);
    CHECK(uvx_message_port_loop(c) == &loop);
    port_close(c);
    uv_run(&loop, UV_RUN_DEFAULT);
  } else {
    CHECK_EQ(freed, 0);
  }
  port_close(b);
  CHECK_EQ(freed, result == 0 ? 2 : 1);
  CHECK_EQ(port_receive(d), UV_EOF);
  port_close(a);
  port_close(d);
  close(fds[1]);
  CHECK_EQ(uv_loop_close(&loop), 0);
  return result;
}

static int try_post_many(long n) {
  port_t *a, *b;
  size_t done = 0;
  uvx_message_desc_t descs[5];
  uv_buf_t buf = uv_buf_init(bytes, sizeof bytes);
  for (int i = 0; i < 5; i++) {
    descs[i] = port_tag(i);
    descs[i].bufs = &buf;
    descs[i].nbufs = 1;
  }
  port_channel(&a, &b);
  allocs_fail_at(n);
  int result = uvx_message_port_post_many(a, descs, 5, &done);
  allocs_fail_at(0);
  CHECK_EQ(done, result == 0 ? 5 : (n - 1) / 2);
  for (size_t i = 0; i < done; i++) CHECK_EQ(port_receive(b), i);
  CHECK_EQ(port_receive(b), UV_EAGAIN);
  CHECK_EQ(port_stats(b).posted, done);
  port_close(a);
  port_close(b);
  return result;
}

/* The other ways to post. */
static int post_in_a_way(long n, int by_sender) {
  port_t *a, *b;
  uvx_message_sender_t* sender;
  uv_buf_t buf = uv_buf_init(bytes, sizeof bytes);
  uvx_message_desc_t desc = port_tag(1);
  desc.bufs = &buf;
  desc.nbufs = 1;
  port_channel(&a, &b);
  CHECK_EQ(uvx_message_sender_create(a, &sender), 0);
  allocs_fail_at(n);
  int result = by_sender ? uvx_message_sender_post(sender, &desc) : uvx_message_port_post_wait(a, &desc, UINT64_MAX);
  allocs_fail_at(0);
  port_t* reader = by_sender ? a : b;
  CHECK_EQ(port_receive(reader), result == 0 ? 1 : UV_EAGAIN);
  CHECK_EQ(port_stats(reader).posted, result == 0);
  uvx_message_sender_release(sender);
  port_close(a);
  port_close(b);
  return result;
}

static int try_post_wait(long n) { return post_in_a_way(n, 0); }
static int try_sender_post(long n) { return post_in_a_way(n, 1); }

TEST(posts) {
  allocs_install();
  CHECK_EQ(allocs_exhaust(try_post_wait), 2);
  CHECK_EQ(allocs_exhaust(try_sender_post), 2);
  CHECK_EQ(allocs_exhaust(try_post), 3); /* message, payload, list */
  CHECK_EQ(allocs_exhaust(try_post_many), 10);
}

static void take_message(port_t* port, message_t* message) {
  (void) port, (void) message;
}

/* Receiving, closing and everything on a loop needs no memory. */
TEST(nothing_else_needs_memory) {
  uv_loop_t loop;
  port_t *a, *b;
  allocs_install();
  CHECK_EQ(uv_loop_init(&loop), 0);
  long before = allocs_live();
  port_channel(&a, &b);
  for (int i = 0; i < 10; i++) CHECK_EQ(port_post(a, i), 0);
  allocs_fail_at(1);
  CHECK_EQ(port_receive(b), 0);
  CHECK_EQ(uvx_message_port_attach(&loop, b, take_message, port_close_too), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uvx_message_port_drain(b), 0);
  CHECK_EQ(port_post(a, 1), 0); /* an old message's memory */
  port_close(a);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("eof");
  CHECK_EQ(allocs.refused, 0);
  CHECK_EQ(allocs_live(), before);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* What is kept for later messages: for each direction of a channel, by a writer for itself, and for the whole process. */
enum { KEPT_BY_CHANNEL = 1024 + 32, KEPT_BY_WRITER = 1024 + 32, KEPT_BY_ALL = 32 * 1024 };

/* Memory for messages goes round: a long exchange takes no more of it than a short one. */
TEST(memory_is_reused_and_bounded) {
  port_t *a, *b;
  allocs_install();
  port_channel(&a, &b);
  for (int i = 0; i < 100; i++) CHECK_EQ(port_post(a, i), 0);
  for (int i = 0; i < 100; i++) CHECK_EQ(port_receive(b), i);
  long after_first = allocs_live();
  for (int round = 0; round < 1000; round++) {
    for (int i = 0; i < 10; i++) CHECK_EQ(port_post(a, i), 0);
    for (int i = 0; i < 10; i++) CHECK_EQ(port_receive(b), i);
  }
  CHECK_EQ(allocs_live(), after_first);
  for (int i = 0; i < 100000; i++) CHECK_EQ(port_post(a, i), 0);
  for (int i = 0; i < 100000; i++) CHECK_EQ(port_receive(b), i);
  CHECK(allocs_live() <= after_first + KEPT_BY_CHANNEL + KEPT_BY_WRITER + KEPT_BY_ALL);
  port_close(a);
  port_close(b);
  CHECK_EQ(allocs_live(), 0);
}

/* What a burst leaves over serves the next one, of any channel; after the last channel nothing is left of it. */
TEST(a_bursts_memory_serves_other_channels) {
  enum { BURST = 20000 };
  port_t *a, *b, *c, *d;
  allocs_install();
  port_channel(&a, &b);
  port_channel(&c, &d);
  long before = allocs_live();
  for (int i = 0; i < BURST; i++) CHECK_EQ(port_post(a, i), 0);
  for (int i = 0; i < BURST; i++) CHECK_EQ(port_receive(b), i);
  CHECK(allocs_live() >= before + BURST);
  port_close(a);
  port_close(b);
  allocs.always = 1; /* what the closed channel had kept for itself is gone */
  for (int i = 0; i < BURST - KEPT_BY_CHANNEL - KEPT_BY_WRITER; i++) CHECK_EQ(port_post(c, i), 0);
  allocs.always = 0;
  for (int i = 0; i < BURST - KEPT_BY_CHANNEL - KEPT_BY_WRITER; i++) CHECK_EQ(port_receive(d), i);
  port_close(c);
  port_close(d);
  CHECK_EQ(allocs_live(), 0);
}

static uv_sem_t bursts_go_on, enough;

static void burst_until_told(void* unused) {
  port_t *a, *b;
  (void) unused;
  port_channel(&a, &b);
  do {
    for (int i = 0; i < 3000; i++) CHECK_EQ(port_post(a, i), 0);
    for (int i = 0; i < 3000; i++) CHECK_EQ(port_receive(b), i);
    uv_sem_post(&bursts_go_on);
  } while (uv_sem_trywait(&enough) != 0);
  port_close(a);
  port_close(b);
}

/* The child of a fork may find the parent's thread in the middle of keeping something: it makes its messages of new memory then. */
TEST(bursts_while_others_fork) {
  uv_thread_t thread;
  port_t *a, *b;
  CHECK_EQ(uv_sem_init(&bursts_go_on, 0), 0);
  CHECK_EQ(uv_sem_init(&enough, 0), 0);
  CHECK_EQ(uv_thread_create(&thread, burst_until_told, NULL), 0);
  for (int i = 0; i < 50; i++) {
    uv_sem_wait(&bursts_go_on);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      port_channel(&a, &b);
      for (int k = 0; k < 3000; k++) CHECK_EQ(port_post(a, k), 0);
      for (int k = 0; k < 3000; k++) CHECK_EQ(port_receive(b), k);
      port_close(a);
      port_close(b);
      _exit(0);
    }
    check_child(child);
  }
  uv_sem_post(&enough);
  CHECK_EQ(uv_thread_join(&thread), 0);
}

/* Ports that nobody ever read from, attached, started, full, or inside messages. */
TEST(no_leaks) {
  uv_loop_t loop;
  port_t *a, *b, *c, *d;
  allocs_install();
  CHECK_EQ(uv_loop_init(&loop), 0);
  long before = allocs_live();
  for (int i = 0; i < 16; i++) {
    port_channel(&a, &b);
    port_channel(&c, &d);
    CHECK_EQ(port_post_bytes(a, 1, bytes, sizeof bytes), 0);
    CHECK_EQ(port_post_port(a, 1, c), 0);
    CHECK_EQ(port_post_bytes(d, 1, bytes, sizeof bytes), 0);
    if (i & 1) CHECK_EQ(uvx_message_port_attach(&loop, b, take_message, NULL), 0);
    if ((i & 3) == 3) CHECK_EQ(uvx_message_port_start(b), 0);
    if (i & 4) port_close(d);
    if (i & 8) port_close(b);
    port_close(a);
    if (!(i & 8)) port_close(b);
    if (!(i & 4)) port_close(d);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ(allocs_live(), before);
  }
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* A thread whose waits end late: each only when `go_on` says so. */
static __thread int wakes_late;
static uv_sem_t asleep, go_on;

long syscall(long number, ...) {
  static long (*real)(long, ...);
  long args[6];
  va_list list;
  va_start(list, number);
  for (int i = 0; i < 6; i++) args[i] = va_arg(list, long);
  va_end(list);
  if (real == NULL) real = (long (*)(long, ...)) dlsym(RTLD_NEXT, "syscall");
  int waits = wakes_late && number == SYS_futex && (args[1] & FUTEX_CMD_MASK) == FUTEX_WAIT;
  if (waits) uv_sem_post(&asleep);
  long result = real(number, args[0], args[1], args[2], args[3], args[4], args[5]);
  if (waits) uv_sem_wait(&go_on);
  return result;
}

static void* wait_for_room(void* port) {
  uvx_message_desc_t desc = port_tag(2);
  wakes_late = 1;
  CHECK_EQ(uvx_message_port_post_wait(port, &desc, UVX_FOREVER), UV_EBADF);
  return NULL;
}

/* Both ends are closed, which wakes a thread that waits for room: until it has run, the memory stays. */
TEST(a_wait_for_room_keeps_the_memory) {
  port_t *a, *b;
  allocs_install();
  CHECK_EQ(uv_sem_init(&asleep, 0), 0);
  CHECK_EQ(uv_sem_init(&go_on, 0), 0);
  port_bounded(&a, &b, 1, 0, 0);
  CHECK_EQ(port_post(a, 1), 0);
  pthread_t thread = port_thread(wait_for_room, a);
  uv_sem_wait(&asleep);
  port_close(b);
  port_close(a);
  CHECK(allocs_live() > 0);
  uv_sem_post(&go_on);
  port_join(thread);
  CHECK_EQ(allocs_live(), 0);
  uv_sem_destroy(&asleep);
  uv_sem_destroy(&go_on);
}
