/* What the tests of message ports share: short forms for posting and receiving, and threads. */
#ifndef PORT_H
#define PORT_H

#include "check.h"

#include <pthread.h>
#include <uvx.h>

/* Every test here is for our library alone. */
#undef TEST
#define TEST(test_name)                                                                                              \
  static void test_name##_on_ours(void);                                                                             \
  static void test_name##_test(void) {                                                                               \
    OURS_ONLY("it has no message ports");                                                                            \
    test_name##_on_ours();                                                                                           \
  }                                                                                                                  \
  __attribute__((constructor)) static void test_name##_register(void) {                                              \
    static struct check_test self = {#test_name, test_name##_test, NULL};                                            \
    *check_end = &self;                                                                                              \
    check_end = &self.next;                                                                                          \
  }                                                                                                                  \
  static void test_name##_on_ours(void)

typedef uvx_message_port_t port_t;
typedef uvx_message_t message_t;

/* A message of nothing but a tag. */
static inline uvx_message_desc_t port_tag(uint64_t tag) {
  uvx_message_desc_t desc;
  memset(&desc, 0, sizeof desc);
  desc.size = sizeof desc;
  desc.tag = tag;
  return desc;
}

static inline int port_post(port_t* port, uint64_t tag) {
  uvx_message_desc_t desc = port_tag(tag);
  return uvx_message_port_post(port, &desc);
}

static inline int port_post_bytes(port_t* port, uint64_t tag, const void* bytes, size_t len) {
  uvx_message_desc_t desc = port_tag(tag);
  uv_buf_t buf = uv_buf_init((char*) bytes, (unsigned) len);
  desc.bufs = &buf;
  desc.nbufs = 1;
  return uvx_message_port_post(port, &desc);
}

static inline int port_post_xfers(port_t* port, uint64_t tag, uvx_xfer_t* xfers, unsigned n) {
  uvx_message_desc_t desc = port_tag(tag);
  desc.xfers = xfers;
  desc.nxfers = n;
  return uvx_message_port_post(port, &desc);
}

static inline int port_post_port(port_t* port, uint64_t tag, port_t* moved) {
  uvx_xfer_t xfer;
  memset(&xfer, 0, sizeof xfer);
  xfer.type = UVX_XFER_PORT;
  xfer.u.port = moved;
  return port_post_xfers(port, tag, &xfer, 1);
}

static inline uvx_xfer_t port_mem(void* base, size_t len, uvx_free_cb cb, void* arg) {
  uvx_xfer_t xfer;
  memset(&xfer, 0, sizeof xfer);
  xfer.type = UVX_XFER_MEM;
  xfer.u.mem.base = base;
  xfer.u.mem.len = len;
  xfer.u.mem.free_cb = cb;
  xfer.u.mem.arg = arg;
  return xfer;
}

static inline void port_channel(port_t** a, port_t** b) {
  CHECK_EQ(uvx_message_channel_create(a, b, NULL), 0);
}

static inline void port_bounded(port_t** a, port_t** b, size_t messages, size_t bytes, size_t low_water) {
  uvx_message_channel_options_t options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.max_messages = messages;
  options.max_bytes = bytes;
  options.low_water = low_water;
  CHECK_EQ(uvx_message_channel_create(a, b, &options), 0);
}

static inline void port_close(port_t* port) {
  CHECK_EQ(uvx_message_port_close(port, 0, NULL), 0);
}

/* The tag of the next message, or the error. */
static inline int64_t port_receive(port_t* port) {
  message_t* message = NULL;
  int status = uvx_message_port_receive(port, &message, 0);
  if (status != 0) {
    CHECK(message == NULL);
    return status;
  }
  int64_t tag = (int64_t) uvx_message_tag(message);
  uvx_message_unref(message);
  return tag;
}

/* The port that comes with the next message. */
static inline port_t* port_receive_port(port_t* port) {
  message_t* message = NULL;
  uvx_xfer_t xfer;
  CHECK_EQ(uvx_message_port_receive(port, &message, UVX_FOREVER), 0);
  CHECK_EQ(uvx_message_take(message, 0, &xfer), 0);
  CHECK_EQ(xfer.type, UVX_XFER_PORT);
  uvx_message_unref(message);
  return xfer.u.port;
}

static inline uvx_message_port_stats_t port_stats(port_t* port) {
  uvx_message_port_stats_t stats;
  memset(&stats, 0, sizeof stats);
  stats.size = sizeof stats;
  CHECK_EQ(uvx_message_port_stats(port, &stats), 0);
  return stats;
}

static inline pthread_t port_thread(void* (*run)(void*), void* arg) {
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, run, arg), 0);
  return thread;
}

static inline void port_join(pthread_t thread) {
  CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* What callbacks leave: "12,3,eof" and so on. */
static char port_log[65536];

static inline void port_note(const char* word) {
  size_t used = strlen(port_log);
  snprintf(port_log + used, sizeof(port_log) - used, "%s%s", used != 0 ? "," : "", word);
}

static inline void port_note_number(int64_t number) {
  char text[32];
  snprintf(text, sizeof text, "%lld", (long long) number);
  port_note(text);
}

#define CHECK_LOG(text)                                                                                              \
  do {                                                                                                               \
    CHECK_STR(port_log, text);                                                                                       \
    port_log[0] = '\0';                                                                                              \
  } while (0)

static inline void port_log_tag(port_t* port, message_t* message) {
  (void) port;
  port_note_number((int64_t) uvx_message_tag(message));
}

static inline void port_log_event(port_t* port, int status) {
  (void) port;
  port_note(status == 0 ? "ok" : uv_err_name(status));
}

/* Closes when the other end has. */
static inline void port_close_too(port_t* port, int status) {
  CHECK_EQ(status, UV_EOF);
  port_note("eof");
  port_close(port);
}

static inline void port_attach(uv_loop_t* loop, port_t* port) {
  CHECK_EQ(uvx_message_port_attach(loop, port, port_log_tag, port_close_too), 0);
}

static inline void port_open(uv_loop_t* loop, port_t* port) {
  port_attach(loop, port);
  CHECK_EQ(uvx_message_port_start(port), 0);
}

#endif
