/* For the tests of streams: a loop, two connected pipe handles or one with a plain descriptor at the other end, and callbacks that
 * note what they get. */
#ifndef STREAMS_H
#define STREAMS_H

#include "trace.h"

#include <fcntl.h>
#include <sys/socket.h>

static uv_loop_t loop;
static uv_pipe_t near_pipe;         /* the handle under test */
static uv_stream_t* const near = (uv_stream_t*) &near_pipe;
static int far = -1;                /* the descriptor at its other end, non-blocking */

/* A connected pair of sockets of that type: a handle, and a descriptor. */
static inline void open_pair(int type) {
  int pair[2];
  signal(SIGPIPE, SIG_IGN);
  CHECK_EQ(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_pipe_init(&loop, &near_pipe, 0), 0);
  CHECK_EQ(uv_pipe_open(&near_pipe, pair[0]), 0);
  far = pair[1];
}

/* What was read, call by call. */
static struct {
  int calls, allocs, stop_after, close_after;
  ssize_t last, total;
  size_t suggested;
  char bytes[1 << 20];
} got;

static size_t read_size = 65536;

static inline void alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buf) {
  (void) handle;
  got.allocs++;
  got.suggested = suggested;
  *buf = uv_buf_init(read_size ? malloc(read_size) : NULL, (unsigned) read_size);
}

static inline void on_read(uv_stream_t* stream, ssize_t nread, const uv_buf_t* buf) {
  got.calls++;
  got.last = nread;
  if (nread > 0) {
    CHECK(got.total + nread <= (ssize_t) sizeof(got.bytes));
    memcpy(got.bytes + got.total, buf->base, (size_t) nread);
    got.total += nread;
  }
  free(buf->base);
  if (got.calls == got.stop_after) uv_read_stop(stream);
  if (got.calls == got.close_after) uv_close((uv_handle_t*) stream, NULL);
}

static inline void turn(void) {
  uv_run(&loop, UV_RUN_NOWAIT);
}

/* Makes the loop wait until the condition holds; the test's time limit ends what never comes. */
#define RUN_UNTIL(condition)                                                                                         \
  do {                                                                                                               \
    while (!(condition)) uv_run(&loop, UV_RUN_ONCE);                                                                 \
  } while (0)

static inline void put(int fd, const char* text) {
  CHECK_EQ(write(fd, text, strlen(text)), (ssize_t) strlen(text));
}

static inline int active(void* handle) {
  return uv_is_active((uv_handle_t*) handle);
}

#endif
