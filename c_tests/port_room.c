/* Bounded channels: when they are full, waiting for room, and being told of it. */
#include "port.h"

static port_t *a, *b;
static uv_loop_t loop;

static void hear(port_t* port, message_t* message) {
  (void) port, (void) message;
}

TEST(a_full_channel) {
  size_t done;
  port_bounded(&a, &b, 3, 0, 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(port_post(a, i), 0);
  CHECK_EQ(port_post(a, 3), UV_EAGAIN);
  for (int i = 0; i < 3; i++) CHECK_EQ(port_post(b, i), 0); /* each direction by itself */
  CHECK_EQ(port_post(b, 3), UV_EAGAIN);
  CHECK_EQ(port_receive(b), 0);
  uvx_message_desc_t descs[3] = {port_tag(3), port_tag(4), port_tag(5)};
  CHECK_EQ(uvx_message_port_post_many(a, descs, 3, &done), UV_EAGAIN);
  CHECK_EQ(done, 1);
  for (int i = 1; i < 4; i++) CHECK_EQ(port_receive(b), i);
  CHECK_EQ(port_receive(b), UV_EAGAIN);
  uvx_message_desc_t desc = port_tag(0);
  for (int i = 0; i < 3; i++) CHECK_EQ(uvx_message_port_post_wait(a, &desc, 0), 0);
  CHECK_EQ(uvx_message_port_post_wait(a, &desc, 0), UV_ETIMEDOUT);
  CHECK_EQ(uvx_message_port_post_wait(a, &desc, 2000000), UV_ETIMEDOUT);
  port_close(b);
  CHECK_EQ(port_post(a, 3), UV_EPIPE);
  CHECK_EQ(uvx_message_port_post_wait(a, &desc, UVX_FOREVER), UV_EPIPE);
  port_close(a);
}

TEST(a_channel_bounded_by_bytes) {
  char bytes[11] = {0};
  port_bounded(&a, &b, 0, 10, 0);
  CHECK_EQ(port_post_bytes(a, 0, bytes, 11), UV_EMSGSIZE);
  CHECK_EQ(port_post_bytes(a, 0, bytes, 6), 0);
  CHECK_EQ(port_post_bytes(a, 1, bytes, 5), UV_EAGAIN);
  CHECK_EQ(port_post_bytes(a, 1, bytes, 4), 0);
  CHECK_EQ(port_post_bytes(a, 2, bytes, 0), 0);
  CHECK_EQ(port_post_bytes(a, 3, bytes, 1), UV_EAGAIN);
  CHECK_EQ(port_receive(b), 0);
  CHECK_EQ(port_post_bytes(a, 3, bytes, 6), 0);
  for (int i = 1; i < 4; i++) CHECK_EQ(port_receive(b), i);
  CHECK_EQ(port_post_bytes(a, 0, bytes, 10), 0);
  port_close(a);
  port_close(b);
}

static void* post_waiting(void* count) {
  for (uintptr_t i = 0; i < (uintptr_t) count; i++) {
    uvx_message_desc_t desc = port_tag(i);
    CHECK_EQ(uvx_message_port_post_wait(a, &desc, UVX_FOREVER), 0);
  }
  return NULL;
}

TEST(writers_wait_for_room) {
  message_t* message;
  port_bounded(&a, &b, 8, 0, 0);
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) threads[i] = port_thread(post_waiting, (void*) 5000);
  for (int i = 0; i < 15000; i++) {
    CHECK_EQ(uvx_message_port_receive(b, &message, UVX_FOREVER), 0);
    uvx_message_unref(message);
    CHECK(port_stats(b).depth <= 8);
  }
  for (int i = 0; i < 3; i++) port_join(threads[i]);
  CHECK_EQ(port_receive(b), UV_EAGAIN);
  port_close(a);
  port_close(b);
}

static void* post_until_closed(void* unused) {
  uvx_message_desc_t desc = port_tag(1);
  (void) unused;
  int status;
  while ((status = uvx_message_port_post_wait(a, &desc, UVX_FOREVER)) == 0) continue;
  CHECK_EQ(status, UV_EPIPE);
  return NULL;
}

TEST(a_close_ends_the_wait_for_room) {
  for (int i = 0; i < 100; i++) {
    port_bounded(&a, &b, 2, 0, 0);
    pthread_t thread = port_thread(post_until_closed, NULL);
    while (port_stats(b).depth < 2) sched_yield();
    port_close(b);
    port_join(thread);
    port_close(a);
  }
}

TEST(the_writable_callback) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_bounded(&a, &b, 10, 0, 4);
  CHECK_EQ(uvx_message_port_attach(&loop, a, port_log_tag, NULL), 0);
  CHECK_EQ(uvx_message_port_on_writable(a, port_log_event), 0);
  CHECK(uv_loop_alive(&loop) != 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("ok"); /* there was room already */
  for (int i = 0; i < 10; i++) CHECK_EQ(port_post(a, i), 0);
  CHECK_EQ(uvx_message_port_on_writable(a, port_log_event), 0);
  for (int i = 0; i < 6; i++) CHECK_EQ(port_receive(b), i);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("");
  CHECK_EQ(port_receive(b), 6); /* 3 are left */
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 0);
  CHECK_LOG("ok");
  for (int i = 7; i < 10; i++) CHECK_EQ(port_receive(b), i);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 0);
  CHECK_LOG(""); /* once */
  for (int i = 0; i < 10; i++) CHECK_EQ(port_post(a, i), 0);
  CHECK_EQ(uvx_message_port_on_writable(a, port_log_event), 0);
  CHECK_EQ(uvx_message_port_on_writable(a, NULL), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(uvx_message_port_on_writable(a, port_log_event), 0);
  port_close(b);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("EPIPE");
  CHECK_EQ(uvx_message_port_on_writable(a, port_log_event), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("EPIPE");
  port_close(a);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* Room that was too small for a message is no news: a loop that asked would turn for ever. */
TEST(room_that_is_too_small_is_not_announced) {
  static char bytes[60];
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_bounded(&a, &b, 0, 100, 0);
  CHECK_EQ(uvx_message_port_attach(&loop, a, port_log_tag, NULL), 0);
  CHECK_EQ(port_post_bytes(a, 1, bytes, 29), 0);
  CHECK_EQ(port_post_bytes(a, 2, bytes, 20), 0); /* fewer than half of the bytes wait */
  CHECK_EQ(port_post_bytes(a, 3, bytes, 60), UV_EAGAIN);
  CHECK_EQ(uvx_message_port_on_writable(a, port_log_event), 0);
  for (int i = 0; i < 5; i++) CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("");
  CHECK_EQ(port_receive(b), 1);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("ok");
  CHECK_EQ(port_post_bytes(a, 3, bytes, 60), 0);
  port_close(a);
  port_close(b);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(room_that_was_announced_and_is_gone_again) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_bounded(&a, &b, 1, 0, 0);
  CHECK_EQ(uvx_message_port_attach(&loop, a, port_log_tag, NULL), 0);
  CHECK_EQ(uvx_message_port_on_writable(a, port_log_event), 0);
  CHECK_EQ(uvx_message_port_on_writable(a, NULL), 0);
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(uvx_message_port_on_writable(a, port_log_event), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG(""); /* it is full */
  CHECK_EQ(port_receive(b), 1);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("ok");
  port_close(b);
  port_close(a);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void* read_two_late(void* unused) {
  message_t* message;
  (void) unused;
  CHECK_EQ(port_post(b, 1), 0);
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(uvx_message_port_receive(b, &message, 0), 0);
    uvx_message_unref(message);
  }
  CHECK_EQ(port_post(b, 2), 0);
  return NULL;
}

TEST(the_writable_callback_comes_although_its_port_was_waiting) {
  message_t* message;
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_bounded(&a, &b, 2, 0, 1);
  CHECK_EQ(uvx_message_port_attach(&loop, a, port_log_tag, NULL), 0);
  for (int i = 0; i < 2; i++) CHECK_EQ(port_post(a, i), 0);
  CHECK_EQ(uvx_message_port_on_writable(a, port_log_event), 0);
  pthread_t thread = port_thread(read_two_late, NULL);
  for (int i = 1; i <= 2; i++) {
    CHECK_EQ(uvx_message_port_receive(a, &message, UVX_FOREVER), 0);
    CHECK_EQ(uvx_message_tag(message), i);
    uvx_message_unref(message);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("ok");
  port_join(thread);
  port_close(a);
  port_close(b);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* A writer that never waits and never loses: it posts until the channel is full and goes on when it is told. */
enum { STREAM = 50000 };
static uint64_t posted;

static void post_more(port_t* port, int status) {
  CHECK_EQ(status, 0);
  while (posted < STREAM) {
    int result = port_post(port, posted);
    if (result == UV_EAGAIN) {
      CHECK_EQ(uvx_message_port_on_writable(port, post_more), 0);
      return;
    }
    CHECK_EQ(result, 0);
    posted++;
  }
  port_close(port);
}

static void* read_stream(void* unused) {
  message_t* message;
  (void) unused;
  for (uint64_t i = 0; i < STREAM; i++) {
    CHECK_EQ(uvx_message_port_receive(b, &message, UVX_FOREVER), 0);
    CHECK_EQ(uvx_message_tag(message), i);
    uvx_message_unref(message);
  }
  CHECK_EQ(uvx_message_port_receive(b, &message, UVX_FOREVER), UV_EOF);
  port_close(b);
  return NULL;
}

TEST(a_stream_with_backpressure) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_bounded(&a, &b, 16, 0, 0);
  CHECK_EQ(uvx_message_port_attach(&loop, a, hear, NULL), 0);
  pthread_t thread = port_thread(read_stream, NULL);
  post_more(a, 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  port_join(thread);
  CHECK_EQ(uv_loop_close(&loop), 0);
}
