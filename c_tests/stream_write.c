/* uv_write, uv_try_write and their queue: order, partial writes, the size of the queue, errors, cancellation, blocking. */
#include "streams.h"

#include <pthread.h>
#include <sys/ioctl.h>

enum { MANY = 3000 };

static uv_write_t reqs[MANY];
static int statuses[MANY], done, order_broken;

/* Requests must be done in the order of the array. */
static void on_write(uv_write_t* req, int status) {
  int index = (int) (req - reqs);
  order_broken |= index != done;
  statuses[index] = status;
  done++;
}

static uv_buf_t text(const char* bytes) {
  return uv_buf_init((char*) bytes, (unsigned) strlen(bytes));
}

static int write_text(uv_write_t* req, const char* bytes) {
  uv_buf_t buf = text(bytes);
  return uv_write(req, near, &buf, 1, on_write);
}

/* Reads all that is there at the other end. */
static size_t drain(char* to, size_t room) {
  size_t sum = 0;
  ssize_t count;
  while (sum < room && (count = read(far, to + sum, room - sum)) > 0) sum += (size_t) count;
  return sum;
}

/* Fills the socket through the handle: what it takes at once. Returns how many bytes that were. */
static size_t fill(void) {
  static char bytes[65536];
  uv_buf_t buf = uv_buf_init(bytes, sizeof(bytes));
  size_t sum = 0;
  int count;
  while ((count = uv_try_write(near, &buf, 1)) > 0) sum += (size_t) count;
  CHECK_EQ(count, UV_EAGAIN);
  buf.len = 1;
  while ((count = uv_try_write(near, &buf, 1)) > 0) sum += (size_t) count;
  CHECK_EQ(count, UV_EAGAIN);
  return sum;
}

static char sink[4 << 20];

TEST(a_write_is_done_at_once_and_called_back_later) {
  open_pair(SOCK_STREAM);
  CHECK_EQ(write_text(&reqs[0], "hello"), 0);
  CHECK_EQ(done, 0);
  CHECK_EQ(near->write_queue_size, 0);
  CHECK_EQ(drain(sink, sizeof(sink)), 5);
  CHECK_EQ(memcmp(sink, "hello", 5), 0);
  CHECK_EQ(uv_loop_alive(&loop), 1);
  CHECK_EQ(active(near), 0);
  CHECK_EQ(reqs[0].type, UV_WRITE);
  CHECK(reqs[0].handle == near);
  CHECK(reqs[0].send_handle == NULL);
  turn();
  CHECK_EQ(done, 1);
  CHECK_EQ(statuses[0], 0);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  check_close_loop(&loop);
}

TEST(write_refuses) {
  NEEDS(1, 52);
  static uv_buf_t bufs[3];
  uv_pipe_t closed;
  int fds[2];
  open_pair(SOCK_STREAM);
  bufs[0] = text("x");
  CHECK_EQ(uv_write(&reqs[0], near, bufs, 0, on_write), UV_EINVAL);
  CHECK_EQ(uv_write(&reqs[0], near, bufs, (unsigned) -1, on_write), UV_EINVAL);
  CHECK_EQ(uv_try_write(near, bufs, 0), UV_EINVAL);
  bufs[1].len = 0x7fffffff;
  NEEDS(1, 52);
  CHECK_EQ(uv_write(&reqs[0], near, bufs, 2, on_write), UV_EINVAL);
  CHECK_EQ(uv_try_write(near, bufs, 2), UV_EINVAL);
  CHECK_EQ(uv_pipe_init(&loop, &closed, 0), 0);
  CHECK_EQ(uv_write(&reqs[0], (uv_stream_t*) &closed, bufs, 1, on_write), UV_EBADF);
  CHECK_EQ(uv_try_write((uv_stream_t*) &closed, bufs, 1), UV_EBADF);
  CHECK_EQ(uv_pipe(fds, 0, 0), 0);
  CHECK_EQ(uv_pipe_open(&closed, fds[0]), 0);
  CHECK_EQ(uv_write(&reqs[0], (uv_stream_t*) &closed, bufs, 1, on_write), UV_EPIPE);
  CHECK_EQ(uv_try_write((uv_stream_t*) &closed, bufs, 1), UV_EPIPE);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  close(fds[1]);
  check_close_loop(&loop);
}

TEST(the_callback_may_be_null) {
  uv_buf_t buf = text("x");
  open_pair(SOCK_STREAM);
  CHECK_EQ(uv_write(&reqs[0], near, &buf, 1, NULL), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  check_close_loop(&loop);
}

TEST(try_write_takes_what_fits) {
  size_t sum;
  open_pair(SOCK_STREAM);
  sum = fill();
  CHECK(sum > 4096);
  CHECK_EQ(uv_stream_get_write_queue_size(near), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(drain(sink, sizeof(sink)), sum);
  check_close_loop(&loop);
}

TEST(try_write_waits_for_those_before_it) {
  uv_buf_t buf = text("x");
  open_pair(SOCK_STREAM);
  fill();
  CHECK_EQ(write_text(&reqs[0], "queued"), 0);
  CHECK_EQ(near->write_queue_size, 6);
  drain(sink, sizeof(sink));
  CHECK_EQ(uv_try_write(near, &buf, 1), UV_EAGAIN);
  RUN_UNTIL(done == 1);
  CHECK_EQ(uv_try_write(near, &buf, 1), 1);
  CHECK_EQ(drain(sink, sizeof(sink)), 7);
  CHECK_EQ(memcmp(sink, "queuedx", 7), 0);
  check_close_loop(&loop);
}

/* Requests of all shapes through a full socket: every byte in order, every callback in order, the size exact at each step. */
TEST(queued_requests_keep_bytes_and_order) {
  static char bytes[1 << 20];
  static uv_buf_t bufs[1500];
  size_t filled, at = 0, seen = 0;
  int count = 0;
  open_pair(SOCK_STREAM);
  filled = fill();
  for (size_t index = 0; index < sizeof(bytes); index++) bytes[index] = (char) (index * 7 + index / 251);
  while (at < sizeof(bytes)) {
    unsigned nbufs = count % 100 == 99 ? 1500 : (unsigned) (count % 7) + 1;
    size_t before = near->write_queue_size, sum = 0;
    for (unsigned index = 0; index < nbufs; index++) {
      size_t length = (size_t) ((count + (int) index) * 37 % 611) * (index % 3 != 1);
      if (length > sizeof(bytes) - at - sum) length = sizeof(bytes) - at - sum;
      bufs[index] = uv_buf_init(bytes + at + sum, (unsigned) length);
      sum += length;
    }
    CHECK(count < MANY);
    CHECK_EQ(uv_write(&reqs[count], near, bufs, nbufs, on_write), 0);
    CHECK_EQ(near->write_queue_size, before + sum);
    memset(bufs, 0xff, sizeof(bufs)); /* the array is the program's again */
    at += sum;
    count++;
  }
  CHECK_EQ(drain(sink, filled), filled);
  while (seen < sizeof(bytes)) {
    seen += drain(sink + seen, 5000);
    turn();
    CHECK(near->write_queue_size <= sizeof(bytes) - seen);
  }
  RUN_UNTIL(done == count);
  CHECK_EQ(memcmp(sink, bytes, sizeof(bytes)), 0);
  CHECK_EQ(order_broken, 0);
  CHECK_EQ(near->write_queue_size, 0);
  for (int index = 0; index < count; index++) CHECK_EQ(statuses[index], 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  check_close_loop(&loop);
}

TEST(empty_writes_keep_their_place) {
  uv_buf_t empty[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
  open_pair(SOCK_STREAM);
  CHECK_EQ(uv_write(&reqs[0], near, empty, 1, on_write), 0);
  turn();
  CHECK_EQ(done, 1);
  fill();
  CHECK_EQ(write_text(&reqs[1], "a"), 0);
  CHECK_EQ(uv_write(&reqs[2], near, empty, 1, on_write), 0);
  CHECK_EQ(write_text(&reqs[3], "b"), 0);
  CHECK_EQ(uv_write(&reqs[4], near, empty, 1, on_write), 0);
  turn();
  CHECK_EQ(done, 1);
  drain(sink, sizeof(sink));
  RUN_UNTIL(done == 5);
  CHECK_EQ(order_broken, 0);
  CHECK_EQ(drain(sink, sizeof(sink)), 2);
  CHECK_EQ(memcmp(sink, "ab", 2), 0);
  check_close_loop(&loop);
}

TEST(packets_are_not_merged) {
  static char packet[1024];
  uv_buf_t buf = uv_buf_init(packet, sizeof(packet));
  char word[16];
  int count;
  open_pair(SOCK_SEQPACKET);
  while ((count = uv_try_write(near, &buf, 1)) > 0) CHECK_EQ(count, (int) sizeof(packet));
  CHECK_EQ(write_text(&reqs[0], "one"), 0);
  CHECK_EQ(write_text(&reqs[1], "two!"), 0);
  CHECK_EQ(write_text(&reqs[2], "three"), 0);
  while (read(far, packet, sizeof(packet)) == (ssize_t) sizeof(packet));
  RUN_UNTIL(done == 3);
  for (ssize_t length = 0, last = 3; last <= 5; last++) {
    do length = read(far, word, sizeof(word));
    while (length > 5);
    CHECK_EQ(length, last);
  }
  check_close_loop(&loop);
}

static int closed;

static void on_close(uv_handle_t* handle) {
  (void) handle;
  closed = done;
}

TEST(closing_cancels_in_order) {
  open_pair(SOCK_STREAM);
  CHECK_EQ(write_text(&reqs[0], "through"), 0);
  fill();
  for (int index = 1; index < 10; index++) CHECK_EQ(write_text(&reqs[index], "stuck"), 0);
  uv_close((uv_handle_t*) near, on_close);
  CHECK_EQ(done, 0);
  CHECK_EQ(uv_is_writable(near), 0);
  CHECK_EQ(near->write_queue_size, 9 * 5);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(done, 10);
  CHECK_EQ(closed, 10);
  CHECK_EQ(order_broken, 0);
  CHECK_EQ(statuses[0], 0);
  for (int index = 1; index < 10; index++) CHECK_EQ(statuses[index], UV_ECANCELED);
  CHECK_EQ(near->write_queue_size, 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(each_request_gets_the_error) {
  open_pair(SOCK_STREAM);
  close(far);
  for (int index = 0; index < 3; index++) CHECK_EQ(write_text(&reqs[index], "lost"), 0);
  CHECK_EQ(done, 0);
  CHECK_EQ(near->write_queue_size, 12);
  RUN_UNTIL(done == 3);
  for (int index = 0; index < 3; index++) CHECK_EQ(statuses[index], UV_EPIPE);
  CHECK_EQ(order_broken, 0);
  CHECK_EQ(near->write_queue_size, 0);
  CHECK_EQ(uv_is_writable(near), 1);
  check_close_loop(&loop);
}

static int signalled;

static void on_signal(int signum) {
  (void) signum;
  signalled++;
}

TEST(a_closed_pipe_raises_sigpipe) {
  open_pair(SOCK_STREAM);
  signal(SIGPIPE, on_signal);
  close(far);
  CHECK_EQ(write_text(&reqs[0], "x"), 0);
  CHECK_EQ(signalled, 1);
  RUN_UNTIL(done == 1);
  CHECK_EQ(statuses[0], UV_EPIPE);
  check_close_loop(&loop);
}

static void write_again(uv_write_t* req, int status) {
  on_write(req, status);
  if (done < 100) {
    uv_buf_t buf = text("x");
    CHECK_EQ(uv_write(&reqs[done], near, &buf, 1, write_again), 0);
  }
}

TEST(a_callback_may_write) {
  uv_buf_t buf = text("x");
  open_pair(SOCK_STREAM);
  CHECK_EQ(uv_write(&reqs[0], near, &buf, 1, write_again), 0);
  turn();
  CHECK(done < 100); /* other phases get their turn */
  RUN_UNTIL(done == 100);
  CHECK_EQ(drain(sink, sizeof(sink)), 100);
  check_close_loop(&loop);
}

static void close_first(uv_write_t* req, int status) {
  on_write(req, status);
  if (done == 1) uv_close((uv_handle_t*) near, NULL);
}

TEST(a_callback_may_close) {
  uv_buf_t buf = text("x");
  open_pair(SOCK_STREAM);
  for (int index = 0; index < 3; index++) CHECK_EQ(uv_write(&reqs[index], near, &buf, 1, close_first), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(done, 3);
  CHECK_EQ(statuses[2], 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void* reader(void* arg) {
  size_t* left = arg;
  while (*left > 0) {
    ssize_t count = read(far, sink, sizeof(sink));
    if (count > 0) *left -= (size_t) count;
  }
  return NULL;
}

/* Writes more than the socket takes, which another thread reads: nothing is queued. */
static void write_in_the_call(void) {
  static char bytes[3 << 20];
  uv_buf_t buf = uv_buf_init(bytes, sizeof(bytes));
  size_t left = sizeof(bytes);
  pthread_t thread;
  int off = 0;
  CHECK_EQ(ioctl(far, FIONBIO, &off), 0);
  CHECK_EQ(pthread_create(&thread, NULL, reader, &left), 0);
  CHECK_EQ(uv_write(&reqs[0], near, &buf, 1, on_write), 0);
  CHECK_EQ(near->write_queue_size, 0);
  CHECK_EQ(done, 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
}

TEST(a_blocking_stream_writes_all_at_once) {
  open_pair(SOCK_STREAM);
  CHECK_EQ(uv_stream_set_blocking(near, 1), 0);
  CHECK_EQ(fcntl(near_pipe.io_watcher.fd, F_GETFL) & O_NONBLOCK, 0);
  write_in_the_call();
  turn();
  CHECK_EQ(done, 1);
  CHECK_EQ(uv_stream_set_blocking(near, 0), 0);
  CHECK_EQ(fcntl(near_pipe.io_watcher.fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  check_close_loop(&loop);
}

TEST(blocking_writes_flag_waits_in_the_call) {
  open_pair(SOCK_STREAM);
  near->flags |= 0x100000; /* UV_HANDLE_BLOCKING_WRITES, which programs set themselves */
  write_in_the_call();
  RUN_UNTIL(done == 1);
  check_close_loop(&loop);
}

TEST(set_blocking_needs_a_file) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_pipe_init(&loop, &near_pipe, 0), 0);
  CHECK_EQ(uv_stream_set_blocking(near, 1), UV_EBADF);
  check_close_loop(&loop);
}
