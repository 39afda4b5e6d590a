/* What all handles share: references, activity, names, sizes, flags, data, and the file below. */
#include "trace.h"

#include <sys/socket.h>

/* Bits of uv_handle_t.flags that programs read. */
enum { CLOSING = 1, CLOSED = 2, ACTIVE = 4, REF = 8, INTERNAL = 16 };

static uv_loop_t loop;

TEST(sizes) {
#define XX(upper, lower) CHECK_EQ(uv_handle_size(UV_##upper), sizeof(uv_##lower##_t));
  UV_HANDLE_TYPE_MAP(XX)
#undef XX
  CHECK_EQ(uv_handle_size(UV_UNKNOWN_HANDLE), (size_t) -1);
  CHECK_EQ(uv_handle_size(UV_FILE), (size_t) -1);
  CHECK_EQ(uv_handle_size((uv_handle_type) 1000), (size_t) -1);
}

TEST(type_names) {
#define XX(upper, lower) CHECK_STR(uv_handle_type_name(UV_##upper), #lower);
  UV_HANDLE_TYPE_MAP(XX)
#undef XX
  CHECK_STR(uv_handle_type_name(UV_FILE), "file");
  CHECK_EQ(uv_handle_type_name(UV_UNKNOWN_HANDLE), NULL);
  CHECK_EQ(uv_handle_type_name(UV_HANDLE_TYPE_MAX), NULL);
  CHECK_EQ(uv_handle_type_name((uv_handle_type) 1000), NULL);
}

TEST(handle_accessors) {
  uv_timer_t timer;
  uv_handle_t* handle = (uv_handle_t*) &timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  timer.data = &loop;
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_handle_get_type(handle), UV_TIMER);
  CHECK_EQ(uv_handle_get_loop(handle), &loop);
  CHECK_EQ(uv_handle_get_data(handle), &loop);
  uv_handle_set_data(handle, &timer);
  CHECK_EQ(timer.data, &timer);
  check_close_loop(&loop);
}

enum { KINDS = 10 };
static union uv_any_handle all[KINDS];
static const uv_handle_type kinds[KINDS] = {UV_ASYNC,  UV_CHECK, UV_IDLE, UV_POLL, UV_PREPARE,
                                            UV_SIGNAL, UV_TIMER, UV_TCP,  UV_UDP,  UV_NAMED_PIPE};

static void init_each(int fd) {
  memset(all, 0xa5, sizeof(all));
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_async_init(&loop, &all[0].async, NULL), 0);
  CHECK_EQ(uv_check_init(&loop, &all[1].check), 0);
  CHECK_EQ(uv_idle_init(&loop, &all[2].idle), 0);
  CHECK_EQ(uv_poll_init(&loop, &all[3].poll, fd), 0);
  CHECK_EQ(uv_prepare_init(&loop, &all[4].prepare), 0);
  CHECK_EQ(uv_signal_init(&loop, &all[5].signal), 0);
  CHECK_EQ(uv_timer_init(&loop, &all[6].timer), 0);
  CHECK_EQ(uv_tcp_init(&loop, &all[7].tcp), 0);
  CHECK_EQ(uv_udp_init(&loop, &all[8].udp), 0);
  CHECK_EQ(uv_pipe_init(&loop, &all[9].pipe, 0), 0);
}

static void close_each(void) {
  check_close_loop(&loop);
}

TEST(after_init) {
  int pair[2];
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  init_each(pair[0]);
  for (int i = 0; i < KINDS; i++) {
    CHECK_EQ(all[i].handle.type, kinds[i]);
    CHECK_EQ(all[i].handle.loop, &loop);
    CHECK_EQ(uv_is_active(&all[i].handle) != 0, kinds[i] == UV_ASYNC);
    CHECK_EQ(uv_is_closing(&all[i].handle), 0);
    CHECK(uv_has_ref(&all[i].handle));
    CHECK_EQ(all[i].handle.flags & (CLOSING | CLOSED | ACTIVE | REF | INTERNAL),
             kinds[i] == UV_ASYNC ? ACTIVE | REF : REF);
  }
  CHECK_EQ(loop.active_handles, 1);
  close_each();
}

TEST(references_do_not_count) {
  int pair[2];
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  init_each(pair[0]);
  for (int i = 0; i < KINDS; i++) {
    uv_unref(&all[i].handle);
    uv_unref(&all[i].handle);
    CHECK_EQ(uv_has_ref(&all[i].handle), 0);
    CHECK_EQ(all[i].handle.flags & REF, 0);
  }
  CHECK_EQ(loop.active_handles, 0);
  for (int i = 0; i < KINDS; i++) {
    uv_ref(&all[i].handle);
    uv_ref(&all[i].handle);
    CHECK(uv_has_ref(&all[i].handle));
  }
  CHECK_EQ(loop.active_handles, 1);
  close_each();
}

TEST(active_handles_counts_active_and_referenced) {
  uv_timer_t timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(loop.active_handles, 0);
  CHECK_EQ(uv_timer_start(&timer, trace_timer, 1000, 1000), 0);
  CHECK_EQ(loop.active_handles, 1);
  CHECK_EQ(timer.flags & ACTIVE, ACTIVE);
  uv_unref((uv_handle_t*) &timer);
  CHECK_EQ(loop.active_handles, 0);
  CHECK(uv_is_active((uv_handle_t*) &timer));
  CHECK_EQ(uv_timer_stop(&timer), 0);
  CHECK_EQ(loop.active_handles, 0);
  CHECK_EQ(uv_timer_start(&timer, trace_timer, 1000, 1000), 0);
  CHECK_EQ(loop.active_handles, 0); /* still unreferenced */
  uv_ref((uv_handle_t*) &timer);
  CHECK_EQ(loop.active_handles, 1);
  uv_close((uv_handle_t*) &timer, NULL);
  CHECK_EQ(loop.active_handles, 0);
  CHECK_EQ(timer.flags & (CLOSING | ACTIVE), CLOSING);
  uv_unref((uv_handle_t*) &timer); /* closing handles may still be asked and told */
  CHECK_EQ(uv_has_ref((uv_handle_t*) &timer), 0);
  uv_ref((uv_handle_t*) &timer);
  CHECK_EQ(loop.active_handles, 0);
  check_close_loop(&loop);
}

TEST(fileno) {
  int pair[2], fd;
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  init_each(pair[0]);
  for (int i = 0; i < KINDS; i++) {
    fd = -7;
    switch (kinds[i]) {
      case UV_POLL:
        CHECK_EQ(uv_fileno(&all[i].handle, &fd), 0);
        CHECK_EQ(fd, pair[0]);
        CHECK_EQ(all[i].poll.io_watcher.fd, pair[0]);
        break;
      case UV_TCP:
      case UV_UDP:
      case UV_NAMED_PIPE:
        CHECK_EQ(uv_fileno(&all[i].handle, &fd), UV_EBADF); /* no socket yet */
        break;
      default: CHECK_EQ(uv_fileno(&all[i].handle, &fd), UV_EINVAL);
    }
  }
  uv_close(&all[3].handle, NULL);
  CHECK_EQ(uv_fileno(&all[3].handle, &fd), UV_EBADF);
  close_each();
}

TEST(fileno_of_sockets) {
  uv_pipe_t pipe;
  int pair[2], fd = -1;
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_pipe_init(&loop, &pipe, 0), 0);
  CHECK_EQ(uv_pipe_open(&pipe, pair[0]), 0);
  CHECK_EQ(uv_fileno((uv_handle_t*) &pipe, &fd), 0);
  CHECK_EQ(fd, pair[0]);
  CHECK_EQ(pipe.io_watcher.fd, fd);
  uv_close((uv_handle_t*) &pipe, NULL);
  CHECK_EQ(uv_fileno((uv_handle_t*) &pipe, &fd), UV_EBADF);
  check_close_loop(&loop);
}

typedef int (*buffer_size)(uv_handle_t* handle, int* value);

static void check_buffer_size(buffer_size size, uv_handle_t* handle) {
  int value = 0, now;
  CHECK_EQ(size(handle, &value), 0);
  CHECK(value > 0);
  value = 10000;
  CHECK_EQ(size(handle, &value), 0);
  now = 0;
  CHECK_EQ(size(handle, &now), 0);
  CHECK_EQ(now, 2 * 10000); /* Linux doubles it */
}

TEST(buffer_sizes) {
  uv_udp_t udp;
  uv_pipe_t pipe;
  struct sockaddr_in any;
  int pair[2];
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, &any), 0);
  CHECK_EQ(uv_udp_bind(&udp, (struct sockaddr*) &any, 0), 0);
  CHECK_EQ(uv_pipe_init(&loop, &pipe, 0), 0);
  CHECK_EQ(uv_pipe_open(&pipe, pair[0]), 0);
  check_buffer_size(uv_send_buffer_size, (uv_handle_t*) &udp);
  check_buffer_size(uv_recv_buffer_size, (uv_handle_t*) &udp);
  check_buffer_size(uv_send_buffer_size, (uv_handle_t*) &pipe);
  check_buffer_size(uv_recv_buffer_size, (uv_handle_t*) &pipe);
  check_close_loop(&loop);
}

TEST(buffer_size_errors) {
  int pair[2], value = 0;
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  init_each(pair[0]);
  for (int i = 0; i < KINDS; i++) {
    int socket = kinds[i] == UV_TCP || kinds[i] == UV_UDP || kinds[i] == UV_NAMED_PIPE;
    CHECK_EQ(uv_send_buffer_size(&all[i].handle, &value), socket ? UV_EBADF : UV_ENOTSUP);
    CHECK_EQ(uv_recv_buffer_size(&all[i].handle, &value), socket ? UV_EBADF : UV_ENOTSUP);
    CHECK_EQ(uv_send_buffer_size(&all[i].handle, NULL), UV_EINVAL);
  }
  CHECK_EQ(uv_recv_buffer_size(NULL, &value), UV_EINVAL);
  close_each();
}
