/* What cannot be handed over: all or nothing, unless a post that fails is to consume what it was given. */
#include "port_transfer.h"

#include <fcntl.h>

static int is_open(int fd) {
  return fcntl(fd, F_GETFD) != -1;
}

TEST(what_cannot_be_handed_over) {
  uvx_xfer_t two[2];
  set_up();
  CHECK_EQ(port_post_port(a, 1, a), UV_EINVAL);
  CHECK_EQ(port_post_port(a, 1, b), UV_ELOOP);
  CHECK_EQ(port_post_port(a, 1, NULL), UV_EINVAL);
  two[0] = two[1] = xfer_of(UVX_XFER_PORT, c, 0);
  CHECK_EQ(port_post_xfers(a, 1, two, 2), UV_EEXIST);
  two[0] = two[1] = xfer_of(UVX_XFER_FD, NULL, 0);
  CHECK_EQ(port_post_xfers(a, 1, two, 2), UV_EEXIST);
  two[0] = two[1] = some_memory();
  CHECK_EQ(port_post_xfers(a, 1, two, 2), UV_EEXIST);
  two[0] = xfer_of(UVX_XFER_FD, NULL, 99999);
  CHECK_EQ(port_post_xfers(a, 1, two, 1), UV_EBADF);
  two[0] = xfer_of(UVX_XFER_SHARED, NULL, 0);
  CHECK_EQ(port_post_xfers(a, 1, two, 1), UV_EINVAL);
  two[0] = xfer_of(4, NULL, 0);
  CHECK_EQ(port_post_xfers(a, 1, two, 1), UV_EINVAL);
  two[0] = xfer_of(UVX_XFER_PORT, c, 0);
  two[0].flags = 1;
  CHECK_EQ(port_post_xfers(a, 1, two, 1), UV_EINVAL);
  two[0] = port_mem(NULL, 1, NULL, NULL);
  CHECK_EQ(port_post_xfers(a, 1, two, 1), UV_EINVAL);
  uvx_xfer_t* many = calloc(UVX_XFER_MAX + 1, sizeof *many);
  for (int i = 0; i <= UVX_XFER_MAX; i++) many[i] = port_mem(NULL, 0, NULL, NULL);
  CHECK_EQ(port_post_xfers(a, 1, many, UVX_XFER_MAX + 1), UV_E2BIG);
  CHECK_EQ(port_post_xfers(a, 1, many, UVX_XFER_MAX), 0);
  free(many);

  uvx_message_sender_t* sender; /* a sender to `c` cannot carry `c`, but the other end */
  uvx_message_desc_t desc = port_tag(5);
  CHECK_EQ(uvx_message_sender_create(c, &sender), 0);
  two[0] = xfer_of(UVX_XFER_PORT, c, 0);
  desc.xfers = two;
  desc.nxfers = 1;
  CHECK_EQ(uvx_message_sender_post(sender, &desc), UV_ELOOP);
  two[0] = xfer_of(UVX_XFER_PORT, d, 0);
  CHECK_EQ(uvx_message_sender_post(sender, &desc), 0);
  uvx_message_sender_release(sender);
  d = port_receive_port(c);
  CHECK_EQ(freed, 0);
  CHECK_EQ(port_stats(b).posted, 1);
  tear_down();
}

TEST(a_port_that_must_not_be_handed_over) {
  port_t *a, *b, *c, *d;
  uvx_xfer_t xfers[2];
  port_channel(&a, &b);
  port_channel(&c, &d);
  CHECK_EQ(uvx_message_port_forbid_transfer(d), 0);
  memset(xfers, 0, sizeof xfers);
  xfers[0].type = UVX_XFER_PORT;
  xfers[0].u.port = c;
  xfers[1].type = UVX_XFER_PORT;
  xfers[1].u.port = d;
  CHECK_EQ(port_post_xfers(a, 1, xfers, 2), UV_EPERM);
  CHECK_EQ(port_post(c, 2), 0); /* neither has moved */
  CHECK_EQ(port_receive(d), 2);
  CHECK_EQ(port_post_port(a, 3, c), 0);
  CHECK(port_receive_port(b) == c);
  port_close(a);
  port_close(b);
  port_close(c);
  port_close(d);
}

TEST(on_error_nothing_has_moved) {
  int fds[2];
  uvx_xfer_t xfers[4];
  uvx_shared_buf_t* shared;
  set_up();
  CHECK_EQ(pipe(fds), 0);
  CHECK_EQ(uvx_shared_buf_wrap(&shared, memory, sizeof memory, on_free, &freed), 0);
  xfers[0] = xfer_of(UVX_XFER_PORT, c, 0);
  xfers[1] = xfer_of(UVX_XFER_SHARED, shared, 0);
  xfers[2] = xfer_of(UVX_XFER_FD, NULL, fds[0]);
  xfers[3] = xfer_of(UVX_XFER_FD, NULL, -1);
  CHECK_EQ(port_post(d, 1), 0);
  CHECK_EQ(port_post_xfers(a, 1, xfers, 4), UV_EBADF);
  port_close(b);
  b = NULL;
  CHECK_EQ(port_post_xfers(a, 1, xfers, 3), UV_EPIPE);
  CHECK_EQ(port_post(d, 2), 0);
  CHECK_EQ(port_receive(c), 1);
  CHECK_EQ(port_receive(c), 2);
  CHECK(is_open(fds[0]));
  CHECK_EQ(freed, 0);
  uvx_shared_buf_unref(shared); /* the last one */
  CHECK_EQ(freed, 1);
  close(fds[0]);
  close(fds[1]);
  tear_down();
}

TEST(an_attached_port_comes_back_if_the_post_fails) {
  set_up();
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_open(&loop, c);
  CHECK_EQ(port_post(d, 1), 0); /* stands in the loop's list */
  port_close(b);
  b = NULL;
  CHECK_EQ(port_post_port(a, 1, c), UV_EPIPE);
  CHECK(uvx_message_port_loop(c) == &loop);
  CHECK(uv_loop_alive(&loop) != 0);
  CHECK_EQ(port_post(d, 2), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_LOG("1,2");
  CHECK_EQ(port_post(d, 3), 0);
  port_close(d);
  d = NULL;
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("3,eof");
  c = NULL;
  CHECK_EQ(uv_loop_close(&loop), 0);
  tear_down();
}

TEST(consume_takes_everything_along) {
  int fds[2];
  uvx_xfer_t xfers[4];
  uvx_shared_buf_t* shared;
  uvx_message_desc_t desc = port_tag(1);
  set_up();
  CHECK_EQ(pipe(fds), 0);
  CHECK_EQ(uvx_shared_buf_wrap(&shared, memory, sizeof memory, on_free, &freed), 0);
  port_close(b);
  b = NULL;
  xfers[0] = xfer_of(UVX_XFER_PORT, c, 0);
  xfers[1] = xfer_of(UVX_XFER_SHARED, shared, 0);
  xfers[2] = xfer_of(UVX_XFER_FD, NULL, fds[0]);
  xfers[3] = some_memory();
  desc.xfers = xfers;
  desc.nxfers = 4;
  desc.flags = UVX_POST_CONSUME;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EPIPE);
  CHECK_EQ(port_receive(d), UV_EOF);
  CHECK(!is_open(fds[0]));
  CHECK_EQ(freed, 1);
  uvx_shared_buf_unref(shared);
  CHECK_EQ(freed, 2);
  close(fds[1]);
  c = NULL;
  tear_down();
}

TEST(consume_with_a_full_or_wrong_post_moves_nothing) {
  uvx_xfer_t xfer = some_memory();
  uvx_message_desc_t desc = port_tag(1);
  port_t *x, *y;
  port_bounded(&x, &y, 1, 0, 0);
  desc.xfers = &xfer;
  desc.nxfers = 1;
  desc.flags = UVX_POST_CONSUME;
  CHECK_EQ(uvx_message_port_post(x, &desc), 0);
  CHECK_EQ(uvx_message_port_post(x, &desc), UV_EAGAIN);
  CHECK_EQ(freed, 0);
  port_close(y); /* the one in the inbox */
  CHECK_EQ(freed, 1);
  CHECK_EQ(uvx_message_port_post(x, &desc), UV_EPIPE);
  CHECK_EQ(freed, 2);
  port_close(x);
}

TEST(consume_from_a_port_that_closes) {
  uvx_xfer_t xfer = some_memory();
  uvx_message_desc_t desc = port_tag(1);
  set_up();
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_attach(&loop, a);
  port_close(a); /* goes in the loop's next turn */
  desc.xfers = &xfer;
  desc.nxfers = 1;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EBADF);
  CHECK_EQ(freed, 0);
  desc.flags = UVX_POST_CONSUME;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EPIPE);
  CHECK_EQ(freed, 1);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
  a = NULL;
  tear_down();
}

TEST(consume_of_what_cannot_be_handed_over) {
  uvx_xfer_t xfers[2];
  uvx_message_desc_t desc = port_tag(1);
  set_up();
  port_close(b);
  b = NULL;
  xfers[0] = some_memory();
  xfers[1] = xfer_of(UVX_XFER_FD, NULL, -1);
  desc.xfers = xfers;
  desc.nxfers = 2;
  desc.flags = UVX_POST_CONSUME;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EBADF);
  CHECK_EQ(freed, 0);
  tear_down();
}

TEST(post_many_consumes_the_first_that_fails) {
  uvx_xfer_t xfer = some_memory();
  uvx_message_desc_t descs[3];
  size_t done = 99;
  set_up();
  port_close(b);
  b = NULL;
  for (int i = 0; i < 3; i++) {
    descs[i] = port_tag((uint64_t) i);
    descs[i].xfers = &xfer;
    descs[i].nxfers = 1;
    descs[i].flags = UVX_POST_CONSUME;
  }
  CHECK_EQ(uvx_message_port_post_many(a, descs, 3, &done), UV_EPIPE);
  CHECK_EQ(done, 0);
  CHECK_EQ(freed, 1); /* the other two were not looked at */
  tear_down();
}
