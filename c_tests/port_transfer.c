/* What messages hand over: ports, also in the midst of a batch and of posts, memory, shared buffers, descriptors; each exactly once. */
#include "port_transfer.h"

/* ports */

TEST(a_port_moves_with_its_messages) {
  set_up();
  for (int i = 0; i < 3; i++) CHECK_EQ(port_post(d, i), 0);
  uvx_message_port_set_data(c, &freed);
  CHECK_EQ(port_post_port(a, 77, c), 0);
  CHECK_EQ(port_post(d, 3), 0); /* in flight */
  CHECK_EQ(port_post(c, 1), UV_EALREADY);
  CHECK_EQ(port_receive(c), UV_EALREADY);
  CHECK_EQ(uvx_message_port_close(c, 0, NULL), UV_EALREADY);
  CHECK_EQ(port_post_port(a, 1, c), UV_EALREADY);
  uvx_message_sender_t* sender;
  CHECK_EQ(uvx_message_sender_create(c, &sender), UV_EALREADY);
  port_t* moved = port_receive_port(b);
  CHECK(uvx_message_port_get_data(moved) == NULL);
  CHECK_EQ(port_post(d, 4), 0);
  for (int i = 0; i < 5; i++) CHECK_EQ(port_receive(moved), i);
  CHECK_EQ(port_post(moved, 9), 0);
  CHECK_EQ(port_receive(d), 9);
  c = moved;
  tear_down();
}

static void move_self(port_t* port, message_t* message) {
  port_log_tag(port, message);
  if (uvx_message_tag(message) != 1) return;
  CHECK_EQ(port_post_port(a, 5, port), 0); /* leaves the loop by itself */
  CHECK_EQ(port_post(d, 4), 0);
  port_note("-");
}

TEST(a_port_moves_itself_in_the_middle_of_a_batch) {
  set_up();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uvx_message_port_attach(&loop, c, move_self, NULL), 0);
  CHECK_EQ(uvx_message_port_start(c), 0);
  for (int i = 0; i < 4; i++) CHECK_EQ(port_post(d, i), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1,-");
  CHECK_EQ(uv_loop_close(&loop), 0);
  c = port_receive_port(b);
  for (int i = 2; i < 5; i++) CHECK_EQ(port_receive(c), i);
  tear_down();
}

static void* take_over(void* unused) {
  static uv_loop_t there;
  (void) unused;
  port_t* port = port_receive_port(b);
  CHECK_EQ(uv_loop_init(&there), 0);
  port_open(&there, port);
  CHECK_EQ(uv_run(&there, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&there), 0);
  return NULL;
}

TEST(the_rest_of_a_batch_goes_to_the_new_loop) {
  set_up();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uvx_message_port_attach(&loop, c, move_self, NULL), 0);
  CHECK_EQ(uvx_message_port_start(c), 0);
  for (int i = 0; i < 4; i++) CHECK_EQ(port_post(d, i), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1,-");
  CHECK_EQ(uv_loop_close(&loop), 0);
  pthread_t thread = port_thread(take_over, NULL);
  CHECK_EQ(port_post(d, 5), 0);
  port_close(d);
  port_join(thread);
  CHECK_LOG("2,3,4,5,eof");
  c = d = NULL;
  tear_down();
}

/* memory */

TEST(memory_is_handed_over_without_a_copy) {
  message_t* message;
  uvx_xfer_t xfer = some_memory(), taken;
  set_up();
  CHECK_EQ(port_post_xfers(a, 1, &xfer, 1), 0);
  CHECK_EQ(uvx_message_port_receive(b, &message, 0), 0);
  CHECK_EQ(uvx_message_xfer_count(message), 1);
  CHECK_EQ(uvx_message_take(message, 1, &taken), UV_EINVAL);
  CHECK_EQ(uvx_message_take(message, 0, &taken), 0);
  CHECK_EQ(taken.type, UVX_XFER_MEM);
  CHECK(taken.u.mem.base == memory && taken.u.mem.len == sizeof memory);
  CHECK_EQ(uvx_message_take(message, 0, &taken), UV_EALREADY);
  CHECK_EQ(uvx_message_xfer_count(message), 1);
  uvx_message_unref(message);
  CHECK_EQ(freed, 0); /* ours to free */
  taken.u.mem.free_cb(taken.u.mem.base, taken.u.mem.len, taken.u.mem.arg);
  CHECK_EQ(freed, 1);
  tear_down();
}

static void take_nothing(port_t* port, message_t* message) {
  (void) port;
  CHECK_EQ(uvx_message_xfer_count(message), 1);
}

static message_t* kept;

static void keep(port_t* port, message_t* message) {
  (void) port;
  uvx_message_ref(message);
  kept = message;
}

TEST(memory_is_freed_once_on_every_way) {
  message_t* message;
  uvx_xfer_t xfer = some_memory();
  set_up();
  CHECK_EQ(uv_loop_init(&loop), 0);
  /* received and dropped */
  CHECK_EQ(port_post_xfers(a, 1, &xfer, 1), 0);
  CHECK_EQ(uvx_message_port_receive(b, &message, 0), 0);
  uvx_message_unref(message);
  CHECK_EQ(freed, 1);
  /* called back and not taken */
  CHECK_EQ(uvx_message_port_attach(&loop, b, take_nothing, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(port_post_xfers(a, 1, &xfer, 1), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_EQ(freed, 2);
  CHECK_EQ(uvx_message_port_detach(b), 0);
  /* called back and kept */
  CHECK_EQ(uvx_message_port_attach(&loop, b, keep, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(port_post_xfers(a, 1, &xfer, 1), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_EQ(freed, 2);
  uvx_message_unref(kept);
  CHECK_EQ(freed, 3);
  /* unread when the port is closed, on a loop */
  CHECK_EQ(port_post_xfers(a, 1, &xfer, 1), 0);
  port_close(b);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(freed, 4);
  CHECK_EQ(port_stats(a).posted, 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
  /* refused */
  CHECK_EQ(port_post_xfers(a, 1, &xfer, 1), UV_EPIPE);
  CHECK_EQ(freed, 4);
  /* in the inbox of a port in the inbox of a port */
  CHECK_EQ(port_post_xfers(c, 1, &xfer, 1), 0);
  port_t *x, *y;
  port_channel(&x, &y);
  CHECK_EQ(port_post_port(x, 1, d), 0);
  port_close(x);
  port_close(y);
  CHECK_EQ(freed, 5);
  b = d = NULL;
  tear_down();
}

/* shared buffers */

TEST(shared_buffers) {
  uvx_shared_buf_t* buf;
  message_t* message;
  uvx_xfer_t xfer[2], taken;
  size_t len = 0;
  set_up();
  CHECK_EQ(uvx_shared_buf_create(&buf, 100), 0);
  char* bytes = uvx_shared_buf_data(buf, &len);
  CHECK_EQ(len, 100);
  CHECK_EQ((uintptr_t) bytes % 16, 0);
  memset(bytes, 7, 100);
  xfer[0] = xfer[1] = xfer_of(UVX_XFER_SHARED, buf, 0); /* twice is fine */
  CHECK_EQ(port_post_xfers(a, 1, xfer, 2), 0);
  uvx_shared_buf_unref(buf);
  CHECK_EQ(uvx_message_port_receive(b, &message, 0), 0);
  CHECK_EQ(uvx_message_take(message, 1, &taken), 0);
  uvx_message_unref(message);
  CHECK(uvx_shared_buf_data(taken.u.shared, NULL) == bytes);
  CHECK_EQ(bytes[99], 7);
  uvx_shared_buf_unref(taken.u.shared);
  uvx_shared_buf_unref(NULL);

  CHECK_EQ(uvx_shared_buf_create(&buf, 0), 0);
  uvx_shared_buf_unref(buf);
  CHECK_EQ(uvx_shared_buf_create(&buf, SIZE_MAX), UV_ENOMEM);
  CHECK_EQ(uvx_shared_buf_wrap(&buf, NULL, 1, NULL, NULL), UV_EINVAL);
  CHECK_EQ(uvx_shared_buf_wrap(&buf, memory, sizeof memory, on_free, &freed), 0);
  uvx_shared_buf_ref(buf);
  uvx_shared_buf_unref(buf);
  CHECK_EQ(freed, 0);
  uvx_shared_buf_unref(buf);
  CHECK_EQ(freed, 1);
  tear_down();
}

/* descriptors */

TEST(descriptors) {
  int fds[2];
  message_t* message;
  uvx_xfer_t xfer, taken;
  set_up();
  CHECK_EQ(pipe(fds), 0);
  xfer = xfer_of(UVX_XFER_FD, NULL, fds[1]);
  CHECK_EQ(port_post_xfers(a, 1, &xfer, 1), 0);
  CHECK_EQ(uvx_message_port_receive(b, &message, 0), 0);
  CHECK_EQ(uvx_message_take(message, 0, &taken), 0);
  uvx_message_unref(message);
  CHECK_EQ(write(taken.u.fd, "x", 1), 1);
  char byte;
  CHECK_EQ(read(fds[0], &byte, 1), 1);
  xfer = xfer_of(UVX_XFER_FD, NULL, taken.u.fd);
  CHECK_EQ(port_post_xfers(a, 1, &xfer, 1), 0);
  CHECK_EQ(uvx_message_port_receive(b, &message, 0), 0);
  uvx_message_unref(message); /* not taken: closed */
  CHECK_EQ(read(fds[0], &byte, 1), 0);
  close(fds[0]);
  tear_down();
}

/* threads */

enum { POSTERS = 4, EACH = 20000, HOPS = 200 };

static uvx_message_sender_t* senders[POSTERS];

static void* post_all(void* arg) {
  uint64_t self = (uint64_t) (uintptr_t) arg;
  for (uint64_t i = 0; i < EACH; i++) {
    uvx_message_desc_t desc = port_tag(self << 32 | i);
    CHECK_EQ(uvx_message_sender_post(senders[self], &desc), 0);
    if (i % 256 == 0) sched_yield();
  }
  uvx_message_sender_release(senders[self]);
  return NULL;
}

TEST(a_port_moves_while_four_threads_post_to_it) {
  pthread_t threads[POSTERS];
  uint64_t next[POSTERS] = {0}, received = 0;
  set_up();
  for (int i = 0; i < POSTERS; i++) CHECK_EQ(uvx_message_sender_create(c, &senders[i]), 0);
  port_close(d);
  for (int i = 0; i < POSTERS; i++) threads[i] = port_thread(post_all, (void*) (uintptr_t) i);
  for (int hop = 0;; hop++) {
    message_t* message;
    int status = 0;
    /* As many as come at once, or to the end when it has moved often enough. */
    for (int i = 0; hop >= HOPS || i < 300; i++) {
      status = uvx_message_port_receive(c, &message, hop >= HOPS ? UVX_FOREVER : 0);
      if (status != 0) break;
      uint64_t tag = uvx_message_tag(message);
      CHECK_EQ(tag & 0xffffffff, next[tag >> 32]);
      next[tag >> 32]++;
      received++;
      uvx_message_unref(message);
    }
    if (status == UV_EOF) break;
    CHECK_EQ(port_post_port(a, hop, c), 0);
    sched_yield();
    c = port_receive_port(b);
  }
  CHECK_EQ(received, POSTERS * EACH);
  for (int i = 0; i < POSTERS; i++) port_join(threads[i]);
  d = NULL;
  tear_down();
}

/* The same, over loops: two of them hand the port to each other after every few messages. */
static uint64_t expected[POSTERS], delivered;
static port_t* ends[2];

struct side {
  uv_loop_t loop;
  int index;
  port_t* mine;
};

static _Thread_local struct side* here;
static _Thread_local int in_this_turn;

static void on_moved_end(port_t* port, int status) {
  CHECK_EQ(status, UV_EOF);
  port_close(port);
  port_close(here->mine);
}

static void on_moving(port_t* port, message_t* message) {
  uint64_t tag = uvx_message_tag(message);
  CHECK_EQ(tag & 0xffffffff, expected[tag >> 32]);
  expected[tag >> 32]++;
  delivered++;
  if (++in_this_turn % 97 == 0) CHECK_EQ(port_post_port(here->mine, 0, port), 0);
}

static void on_arrival(port_t* port, message_t* message) {
  uvx_xfer_t xfer;
  (void) port;
  CHECK_EQ(uvx_message_take(message, 0, &xfer), 0);
  CHECK_EQ(uvx_message_port_attach(&here->loop, xfer.u.port, on_moving, on_moved_end), 0);
  CHECK_EQ(uvx_message_port_start(xfer.u.port), 0);
}

static void on_other_gone(port_t* port, int status) {
  CHECK_EQ(status, UV_EOF);
  port_close(port);
}

static void* run_side(void* arg) {
  struct side* side = arg;
  here = side;
  CHECK_EQ(uv_loop_init(&side->loop), 0);
  side->mine = ends[side->index];
  CHECK_EQ(uvx_message_port_attach(&side->loop, side->mine, on_arrival, on_other_gone), 0);
  CHECK_EQ(uvx_message_port_start(side->mine), 0);
  CHECK_EQ(uv_run(&side->loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&side->loop), 0);
  return NULL;
}

TEST(a_port_moves_between_loops_while_four_threads_post_to_it) {
  static struct side sides[2];
  pthread_t threads[POSTERS], loops[2];
  port_channel(&ends[0], &ends[1]);
  port_channel(&c, &d);
  for (int i = 0; i < POSTERS; i++) CHECK_EQ(uvx_message_sender_create(c, &senders[i]), 0);
  port_close(d);
  CHECK_EQ(port_post_port(ends[0], 0, c), 0);
  for (int i = 0; i < 2; i++) {
    sides[i].index = i;
    loops[i] = port_thread(run_side, &sides[i]);
  }
  for (int i = 0; i < POSTERS; i++) threads[i] = port_thread(post_all, (void*) (uintptr_t) i);
  for (int i = 0; i < POSTERS; i++) port_join(threads[i]);
  for (int i = 0; i < 2; i++) port_join(loops[i]);
  CHECK_EQ(delivered, POSTERS * EACH);
}
