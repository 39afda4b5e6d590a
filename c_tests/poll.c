/* Poll handles: which files they take, events, changes, what stop and close promise, and errors of the file. */
#include "trace.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static uv_loop_t loop;
static uv_poll_t poller, other;
static int pair[2];
static int calls, last_status, last_events;

static void note(uv_poll_t* handle, int status, int events) {
  (void) handle;
  calls++;
  last_status = status;
  last_events = events;
}

static void note_and_stop(uv_poll_t* handle, int status, int events) {
  note(handle, status, events);
  CHECK_EQ(uv_poll_stop(handle), 0);
}

static void init(void) {
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_poll_init(&loop, &poller, pair[0]), 0);
}

static void turn(void) {
  calls = last_status = last_events = 0;
  uv_run(&loop, UV_RUN_NOWAIT);
}

static void put(int fd) {
  CHECK_EQ(write(fd, "x", 1), 1);
}

static void take(int fd) {
  char byte;
  CHECK_EQ(read(fd, &byte, 1), 1);
}

TEST(init_makes_the_file_non_blocking) {
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  CHECK_EQ(fcntl(pair[0], F_GETFL) & O_NONBLOCK, 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  poller.data = &calls;
  CHECK_EQ(uv_poll_init(&loop, &poller, pair[0]), 0);
  CHECK_EQ(fcntl(pair[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  CHECK_EQ(poller.data, &calls);
  CHECK_EQ(poller.type, UV_POLL);
  CHECK_EQ(poller.io_watcher.fd, pair[0]);
  CHECK_EQ(uv_is_active((uv_handle_t*) &poller), 0);
  CHECK_EQ(uv_poll_init_socket(&loop, &other, pair[1]), 0);
  CHECK_EQ(fcntl(pair[1], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  check_close_loop(&loop);
}

TEST(files_that_cannot_be_polled) {
  char path[] = "/tmp/uv-poll-XXXXXX";
  int file = mkstemp(path), directory = open("/", O_RDONLY);
  CHECK(file >= 0);
  CHECK(directory >= 0);
  unlink(path);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_poll_init(&loop, &poller, file), UV_EPERM);
  CHECK_EQ(uv_poll_init(&loop, &poller, directory), UV_EPERM);
  CHECK_EQ(uv_poll_init(&loop, &poller, -1), UV_EBADF);
  close(file);
  CHECK_EQ(uv_poll_init(&loop, &poller, file), UV_EBADF);
  CHECK_EQ(loop.active_handles, 0);
  CHECK_EQ(uv_loop_close(&loop), 0); /* nothing is left of the attempts */
}

TEST(the_same_file_twice) {
  init();
  CHECK_EQ(uv_poll_init(&loop, &other, pair[0]), 0); /* neither is active: no harm yet */
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note), 0);
  CHECK_EQ(uv_poll_start(&other, UV_READABLE, note), UV_EEXIST);
  CHECK_EQ(uv_is_active((uv_handle_t*) &other), 0);
  CHECK_EQ(uv_poll_stop(&poller), 0);
  CHECK_EQ(uv_poll_start(&other, UV_READABLE, note), 0);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note), UV_EEXIST);
  uv_poll_t third;
  CHECK_EQ(uv_poll_init(&loop, &third, pair[0]), UV_EEXIST); /* someone is active on it */
  check_close_loop(&loop);
}

TEST(a_file_of_another_handle) {
  uv_pipe_t pipe;
  init();
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note), 0);
  CHECK_EQ(uv_pipe_init(&loop, &pipe, 0), 0);
  CHECK_EQ(uv_pipe_open(&pipe, pair[0]), UV_EEXIST);
  check_close_loop(&loop);
}

TEST(states) {
  init();
  CHECK_EQ(uv_poll_stop(&poller), 0); /* not started */
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note), 0);
  CHECK(uv_is_active((uv_handle_t*) &poller));
  CHECK_EQ(loop.active_handles, 1);
  CHECK_EQ(poller.poll_cb, note);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE | UV_WRITABLE, note), 0);
  CHECK_EQ(loop.active_handles, 1);
  CHECK_EQ(uv_poll_start(&poller, 0, note), 0); /* nothing to watch: stopped */
  CHECK_EQ(uv_is_active((uv_handle_t*) &poller), 0);
  CHECK_EQ(loop.active_handles, 0);
  CHECK_EQ(uv_poll_stop(&poller), 0);
  check_close_loop(&loop);
}

TEST(unknown_events) {
  OURS_ONLY("the reference takes them");
  init();
  put(pair[1]);
  CHECK_EQ(uv_poll_start(&poller, 1 << 20, note), UV_EINVAL);
  CHECK_EQ(uv_is_active((uv_handle_t*) &poller), 0);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note), 0);
  CHECK_EQ(uv_poll_start(&poller, UV_WRITABLE | 16, note_and_stop), UV_EINVAL);
  CHECK_EQ(uv_poll_start(&poller, -1, note_and_stop), UV_EINVAL);
  for (int i = 0; i < 2; i++) { /* goes on as it was */
    turn();
    CHECK_EQ(calls, 1);
    CHECK_EQ(last_events, UV_READABLE);
  }
  check_close_loop(&loop);
}

TEST(readable_and_writable) {
  init();
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note), 0);
  turn();
  CHECK_EQ(calls, 0);
  put(pair[1]);
  turn();
  CHECK_EQ(calls, 1);
  CHECK_EQ(last_status, 0);
  CHECK_EQ(last_events, UV_READABLE);
  turn();
  CHECK_EQ(calls, 1); /* level-triggered: still readable */
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE | UV_WRITABLE, note), 0);
  turn();
  CHECK_EQ(last_events, UV_READABLE | UV_WRITABLE);
  take(pair[0]);
  turn();
  CHECK_EQ(last_events, UV_WRITABLE);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note), 0);
  turn();
  CHECK_EQ(calls, 0);
  check_close_loop(&loop);
}

static void flip(uv_poll_t* handle, int status, int events) {
  note(handle, status, events);
  CHECK_EQ(uv_poll_start(handle, events == UV_WRITABLE ? UV_READABLE : UV_WRITABLE, flip), 0);
}

TEST(events_change_in_the_callback) {
  init();
  put(pair[1]);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, flip), 0);
  for (int i = 0; i < 6; i++) {
    turn();
    CHECK_EQ(calls, 1);
    CHECK_EQ(last_events, i % 2 == 0 ? UV_READABLE : UV_WRITABLE);
  }
  check_close_loop(&loop);
}

TEST(stop_and_start_between_turns) {
  init();
  put(pair[1]);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note), 0);
  turn();
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_poll_stop(&poller), 0);
  turn();
  CHECK_EQ(calls, 0);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note), 0);
  CHECK_EQ(uv_poll_stop(&poller), 0);
  CHECK_EQ(uv_poll_start(&poller, UV_WRITABLE, note), 0);
  turn();
  CHECK_EQ(last_events, UV_WRITABLE);
  check_close_loop(&loop);
}

TEST(disconnect) {
  init();
  CHECK_EQ(uv_poll_start(&poller, UV_DISCONNECT, note), 0);
  put(pair[1]);
  turn();
  CHECK_EQ(calls, 0); /* data is not asked for */
  CHECK_EQ(shutdown(pair[1], SHUT_WR), 0);
  turn();
  CHECK_EQ(last_events, UV_DISCONNECT);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE | UV_DISCONNECT, note), 0);
  turn();
  CHECK_EQ(last_events, UV_READABLE | UV_DISCONNECT);
  check_close_loop(&loop);
}

TEST(end_of_file_is_readable) {
  init();
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note), 0);
  close(pair[1]);
  turn();
  CHECK_EQ(last_status, 0);
  CHECK_EQ(last_events & UV_READABLE, UV_READABLE);
  check_close_loop(&loop);
}

static int connected_tcp(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof(address);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_EQ(bind(listener, (struct sockaddr*) &address, length), 0);
  CHECK_EQ(listen(listener, 1), 0);
  CHECK_EQ(getsockname(listener, (struct sockaddr*) &address, &length), 0);
  pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_EQ(connect(pair[1], (struct sockaddr*) &address, length), 0);
  pair[0] = accept(listener, NULL, NULL);
  CHECK(pair[0] >= 0);
  return close(listener);
}

TEST(prioritized) {
  CHECK_EQ(connected_tcp(), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_poll_init_socket(&loop, &poller, pair[0]), 0);
  CHECK_EQ(uv_poll_start(&poller, UV_PRIORITIZED, note_and_stop), 0);
  CHECK_EQ(send(pair[1], "!", 1, MSG_OOB), 1);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(last_status, 0);
  CHECK_EQ(last_events, UV_PRIORITIZED);
  check_close_loop(&loop);
}

TEST(an_error_on_the_file_ends_polling) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_poll_init(&loop, &poller, ends[1]), 0);
  CHECK_EQ(uv_poll_start(&poller, UV_WRITABLE, note), 0);
  turn();
  CHECK_EQ(last_events, UV_WRITABLE);
  close(ends[0]); /* nobody will read: the writing end is in error */
  turn();
  CHECK_EQ(calls, 1);
  CHECK_EQ(last_status, UV_EBADF);
  CHECK_EQ(last_events, 0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &poller), 0);
  check_close_loop(&loop);
}

/* The kernel refuses a file that is closed between the start and the turn: an error like one of the file itself. */
static void start_on_a_closed_file(uv_poll_cb cb) {
  init();
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, cb), 0);
  CHECK_EQ(close(pair[0]), 0);
}

TEST(a_file_that_is_closed_before_the_turn) {
  OURS_ONLY("the reference aborts");
  start_on_a_closed_file(note);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(last_status, UV_EBADF);
  CHECK_EQ(last_events, 0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &poller), 0);
  check_close_loop(&loop);
}

static void note_and_close(uv_poll_t* handle, int status, int events) {
  note(handle, status, events);
  uv_close((uv_handle_t*) handle, trace_close);
}

TEST(close_when_the_file_is_refused) {
  OURS_ONLY("the reference aborts");
  poller.data = "closed";
  start_on_a_closed_file(note_and_close);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_TRACE("closed");
  CHECK_EQ(calls, 1);
  CHECK_EQ(last_status, UV_EBADF);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void note_and_start_again(uv_poll_t* handle, int status, int events) {
  note(handle, status, events);
  CHECK_EQ(uv_poll_start(handle, UV_READABLE, note_and_start_again), 0);
}

TEST(start_again_when_the_file_is_refused) {
  OURS_ONLY("the reference aborts");
  start_on_a_closed_file(note_and_start_again);
  for (int i = 0; i < 3; i++) {
    turn(); /* ends, however often the callback insists */
    CHECK(calls >= 1 && calls <= 3);
    CHECK_EQ(last_status, UV_EBADF);
  }
  CHECK_EQ(uv_poll_stop(&poller), 0);
  turn();
  CHECK_EQ(calls, 0);
  check_close_loop(&loop);
}

static void stop_the_other(uv_poll_t* handle, int status, int events) {
  note(handle, status, events);
  CHECK_EQ(uv_poll_stop(handle == &poller ? &other : &poller), 0);
}

TEST(stop_cancels_an_event_that_is_already_there) {
  init();
  CHECK_EQ(uv_poll_init(&loop, &other, pair[1]), 0);
  put(pair[0]);
  put(pair[1]);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, stop_the_other), 0);
  CHECK_EQ(uv_poll_start(&other, UV_READABLE, stop_the_other), 0);
  turn();
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

static void close_the_other(uv_poll_t* handle, int status, int events) {
  note(handle, status, events);
  uv_close((uv_handle_t*) (handle == &poller ? &other : &poller), NULL);
  close(handle == &poller ? pair[1] : pair[0]); /* allowed right after uv_close */
}

TEST(close_cancels_an_event_that_is_already_there) {
  init();
  CHECK_EQ(uv_poll_init(&loop, &other, pair[1]), 0);
  put(pair[0]);
  put(pair[1]);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, close_the_other), 0);
  CHECK_EQ(uv_poll_start(&other, UV_READABLE, close_the_other), 0);
  turn();
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

/* The file number comes back at once as another file, whose events must not be taken for the old one's. */
static void reuse_number(uv_poll_t* handle, int status, int events) {
  int victim = handle == &poller ? pair[1] : pair[0];
  note(handle, status, events);
  uv_close((uv_handle_t*) (handle == &poller ? &other : &poller), NULL);
  CHECK_EQ(dup2(eventfd(1, EFD_CLOEXEC), victim), victim);
  static uv_poll_t fresh;
  CHECK_EQ(uv_poll_init(&loop, &fresh, victim), 0);
  CHECK_EQ(uv_poll_start(&fresh, UV_READABLE, note_and_stop), 0);
  CHECK_EQ(uv_poll_stop(handle), 0);
}

TEST(a_file_number_comes_back_as_another_file) {
  init();
  CHECK_EQ(uv_poll_init(&loop, &other, pair[1]), 0);
  put(pair[0]);
  put(pair[1]);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, reuse_number), 0);
  CHECK_EQ(uv_poll_start(&other, UV_READABLE, reuse_number), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 2); /* one of the old ones, and the new one */
  CHECK_EQ(last_events, UV_READABLE);
  check_close_loop(&loop);
}

static void close_self(uv_poll_t* handle, int status, int events) {
  note(handle, status, events);
  uv_close((uv_handle_t*) handle, NULL);
  close(pair[0]);
}

TEST(close_in_the_callback) {
  init();
  put(pair[1]);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, close_self), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(a_number_polled_again_after_its_file_was_closed) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < 10; i++) {
    int file = eventfd(1, EFD_CLOEXEC);
    CHECK_EQ(uv_poll_init(&loop, &poller, file), 0);
    CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note_and_stop), 0);
    turn();
    CHECK_EQ(calls, 1);
    if (i % 2 == 0) CHECK_EQ(uv_poll_start(&poller, UV_WRITABLE, note), 0);
    uv_close((uv_handle_t*) &poller, NULL);
    CHECK_EQ(close(file), 0);
    turn();
    CHECK_EQ(calls, 0);
  }
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(programs_may_take_a_stopped_file_out_of_the_backend) {
  init();
  CHECK_EQ(uv_poll_start(&poller, UV_WRITABLE, note), 0);
  turn();
  CHECK_EQ(calls, 1);
  struct epoll_event unused = {0};
  CHECK_EQ(epoll_ctl(uv_backend_fd(&loop), EPOLL_CTL_ADD, pair[0], &unused), -1);
  CHECK_EQ(errno, EEXIST); /* the backend knows the file by its own number */
  CHECK_EQ(uv_poll_stop(&poller), 0);
  int status = epoll_ctl(uv_backend_fd(&loop), EPOLL_CTL_DEL, pair[0], &unused);
  CHECK(status == 0 || errno == ENOENT);
  CHECK_EQ(uv_poll_start(&poller, UV_WRITABLE, note), 0);
  turn();
  CHECK_EQ(calls, 1);
  check_close_loop(&loop);
}

TEST(one_file_in_two_loops) {
  uv_loop_t second;
  uv_poll_t there;
  init();
  CHECK_EQ(uv_loop_init(&second), 0);
  CHECK_EQ(uv_poll_init(&second, &there, pair[0]), 0);
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note_and_stop), 0);
  CHECK_EQ(uv_poll_start(&there, UV_READABLE, note_and_stop), 0);
  put(pair[1]);
  CHECK_EQ(uv_run(&second, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 2);
  check_close_loop(&loop);
  check_close_loop(&second);
}

enum { MANY = 400 };
static uv_poll_t many[MANY];
static int files[MANY];

static void take_and_count(uv_poll_t* handle, int status, int events) {
  uint64_t value;
  CHECK_EQ(status, 0);
  CHECK_EQ(events, UV_READABLE);
  CHECK_EQ(read(files[handle - many], &value, sizeof(value)), sizeof(value));
  CHECK_EQ(uv_poll_stop(handle), 0);
  calls++;
}

TEST(many_files_with_scattered_numbers) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < MANY; i++) {
    int file = eventfd(1, EFD_CLOEXEC);
    files[i] = fcntl(file, F_DUPFD_CLOEXEC, i * 2);
    if (files[i] < 0) SKIP("too few file descriptors allowed");
    close(file);
    CHECK_EQ(uv_poll_init(&loop, &many[i], files[i]), 0);
    CHECK_EQ(uv_poll_start(&many[i], UV_READABLE, take_and_count), 0);
  }
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, MANY);
  check_close_loop(&loop);
}

TEST(unreferenced) {
  init();
  CHECK_EQ(uv_poll_start(&poller, UV_READABLE, note), 0);
  uv_unref((uv_handle_t*) &poller);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 0);
  check_close_loop(&loop);
}
