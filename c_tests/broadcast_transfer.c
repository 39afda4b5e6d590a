/* What is handed over in a group: to all, to the only other one, to nobody; and the members themselves. */
#include "broadcast.h"

static void on_free(void* base, size_t len, void* arg) {
  (void) base, (void) len;
  ++*(int*) arg;
}

static uvx_xfer_t shared_xfer(uvx_shared_buf_t* shared) {
  uvx_xfer_t xfer;
  memset(&xfer, 0, sizeof xfer);
  xfer.type = UVX_XFER_SHARED;
  xfer.u.shared = shared;
  return xfer;
}

TEST(shared_buffers_go_to_all) {
  static char bytes[10] = "shared";
  int freed = 0;
  port_t *a = join("shared"), *b = join("shared"), *c = join("shared"), *d = join("shared");
  uvx_shared_buf_t* shared;
  message_t* message;
  uvx_xfer_t got;
  CHECK_EQ(uvx_shared_buf_wrap(&shared, bytes, sizeof bytes, on_free, &freed), 0);
  uvx_xfer_t xfers[2] = {shared_xfer(shared), shared_xfer(shared)};
  CHECK_EQ(port_post_xfers(a, 1, xfers, 2), 0);
  uvx_shared_buf_unref(shared);
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(uvx_message_port_receive(i == 0 ? b : c, &message, 0), 0);
    CHECK_EQ(uvx_message_xfer_count(message), 2);
    CHECK_EQ(uvx_message_take(message, 1, &got), 0);
    CHECK_EQ(uvx_message_take(message, 1, &got), UV_EALREADY);
    CHECK(got.u.shared == shared && uvx_shared_buf_data(shared, NULL) == bytes);
    uvx_message_unref(message);
    uvx_shared_buf_unref(got.u.shared);
    CHECK_EQ(freed, 0);
  }
  port_close(d); /* with its message */
  CHECK_EQ(freed, 1);
  port_close(a);
  port_close(b);
  port_close(c);
}

/* With one receiver a group is as good as a channel. */
TEST(other_things_need_one_receiver) {
  char bytes[4] = "abc";
  int freed = 0, fds[2];
  port_t *a = join("one"), *b = join("one"), *c = join("one"), *p, *q;
  uvx_shared_buf_t* shared;
  port_channel(&p, &q);
  CHECK_EQ(pipe(fds), 0);
  CHECK_EQ(uvx_shared_buf_wrap(&shared, bytes, 1, NULL, NULL), 0);
  uvx_xfer_t xfers[4] = {shared_xfer(shared), port_mem(bytes, 4, on_free, &freed)};
  memset(&xfers[2], 0, 2 * sizeof *xfers);
  xfers[2].type = UVX_XFER_PORT;
  xfers[2].u.port = p;
  xfers[3].type = UVX_XFER_FD;
  xfers[3].u.fd = fds[1];
  for (int i = 1; i < 4; i++) CHECK_EQ(port_post_xfers(a, 1, &xfers[i], 1), UV_ENOTSUP);
  CHECK_EQ(port_post_xfers(a, 1, xfers, 4), UV_ENOTSUP);
  CHECK_EQ(port_stats(b).posted, 0);
  CHECK_EQ(port_post(q, 5), 0); /* nothing has moved */
  CHECK_EQ(port_receive(p), 5);
  xfers[0].flags = 1;
  CHECK_EQ(port_post_xfers(a, 1, xfers, 1), UV_EINVAL);
  xfers[0].flags = 0;
  xfers[0].type = 77;
  CHECK_EQ(port_post_xfers(a, 1, xfers, 1), UV_EINVAL);
  xfers[0].type = UVX_XFER_SHARED;

  port_close(c);
  CHECK_EQ(port_post_port(a, 1, a), UV_EINVAL); /* itself */
  CHECK_EQ(port_post_port(a, 1, b), UV_ELOOP);  /* to itself */
  CHECK_EQ(port_post_xfers(a, 1, xfers, 4), 0);
  CHECK_EQ(port_receive(p), UV_EALREADY);
  CHECK_EQ(port_receive(b), 1); /* and destroyed: the last reference */
  CHECK_EQ(freed, 1);
  CHECK_EQ(write(fds[1], "x", 1), -1);
  CHECK_EQ(port_receive(q), UV_EOF);
  port_close(q);
  close(fds[0]);

  /* With no receiver what is posted is destroyed at once. */
  port_close(b);
  xfers[1] = port_mem(bytes, 4, on_free, &freed);
  CHECK_EQ(port_post_xfers(a, 1, xfers, 2), 0);
  CHECK_EQ(freed, 2);
  port_channel(&p, &q);
  CHECK_EQ(port_post_port(a, 1, p), 0);
  CHECK_EQ(port_receive(q), UV_EOF);
  CHECK_EQ(port_post_port(a, 1, a), UV_EINVAL);
  port_close(q);
  port_close(a);
  uvx_shared_buf_unref(shared);
}

static void close_data(void* base, size_t len, void* arg) {
  (void) base, (void) len;
  port_close(*(port_t**) arg);
  *(port_t**) arg = NULL;
}

/* Whoever frees what nobody gets may close the port that it was posted to. */
TEST(what_nobody_gets_may_end_the_port) {
  char byte;
  port_t* a = join("end");
  uvx_xfer_t xfer = port_mem(&byte, 1, close_data, &a);
  uvx_message_desc_t descs[2] = {port_tag(1), port_tag(2)};
  size_t done = 99;
  descs[0].xfers = &xfer;
  descs[0].nxfers = 1;
  CHECK_EQ(uvx_message_port_post_many(a, descs, 2, &done), UV_EBADF);
  CHECK_EQ(done, 1);
  CHECK(a == NULL);
}

TEST(a_closed_port_consumes_if_asked_to) {
  char bytes[4];
  int freed = 0;
  uv_loop_t loop;
  port_t *a = join("consume"), *b = join("consume");
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_attach(&loop, a);
  port_close(a);
  uvx_xfer_t xfer = port_mem(bytes, 4, on_free, &freed);
  uvx_message_desc_t desc = port_tag(1);
  desc.xfers = &xfer;
  desc.nxfers = 1;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EBADF);
  CHECK_EQ(freed, 0);
  desc.flags = UVX_POST_CONSUME;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EPIPE);
  CHECK_EQ(freed, 1);
  CHECK_EQ(port_receive(b), UV_EAGAIN);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
  port_close(b);
}

/* A member goes into a message and stays a member: what is posted meanwhile goes with it. */
TEST(a_member_is_handed_over) {
  port_t *a = join("moves"), *b = join("moves"), *c = join("moves"), *p, *q;
  port_channel(&p, &q);
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(port_post_port(p, 0, b), 0);
  CHECK_EQ(port_post(a, 2), 0);
  CHECK_EQ(port_post(b, 9), UV_EALREADY);
  port_t* moved = port_receive_port(q);
  CHECK(moved == b);
  CHECK_EQ(port_post(a, 3), 0);
  CHECK_EQ(port_post(b, 4), 0);
  for (int i = 1; i <= 3; i++) CHECK_EQ(port_receive(b), i);
  for (int i = 1; i <= 4; i++) CHECK_EQ(port_receive(c), i);
  /* Destroyed with a message it leaves the group. */
  CHECK_EQ(port_post_port(p, 0, b), 0);
  port_close(q);
  port_close(p);
  CHECK_EQ(port_post_port(a, 5, join("carried")), 0); /* with one receiver */
  port_close(c);
  port_close(a);
}
