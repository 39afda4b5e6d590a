/* Ports in the inboxes of ports: what nobody takes is closed, however deep. */
#include "port_transfer.h"

TEST(a_port_nobody_takes_is_closed) {
  message_t* message;
  set_up();
  CHECK_EQ(port_post_port(a, 1, c), 0);
  CHECK_EQ(port_receive(d), UV_EAGAIN);
  CHECK_EQ(uvx_message_port_receive(b, &message, 0), 0);
  CHECK_EQ(port_post(d, 1), 0);
  uvx_message_unref(message);
  CHECK_EQ(port_receive(d), UV_EOF);
  CHECK_EQ(port_post(d, 1), UV_EPIPE);
  c = NULL;
  tear_down();
}

TEST(closing_an_inbox_closes_the_ports_in_it) {
  set_up();
  CHECK_EQ(port_post(d, 1), 0);
  CHECK_EQ(port_post_port(a, 1, c), 0);
  port_close(b);
  CHECK_EQ(port_receive(d), UV_EOF);
  b = c = NULL;
  tear_down();
}

TEST(a_port_in_its_own_peers_inbox) {
  /* c goes to d's owner through another channel whose end is in d's inbox: a ring that only closing `a` can break. */
  set_up();
  CHECK_EQ(port_post_port(c, 1, b), 0);
  CHECK_EQ(port_post_port(a, 2, c), 0);
  port_t* there = port_receive_port(d);
  port_t* back = port_receive_port(there);
  CHECK(back == c);
  CHECK_EQ(port_post(back, 5), 0);
  CHECK_EQ(port_receive(d), 5);
  b = there;
  tear_down();
}

enum { DEPTH = 100000 };

/* A port with a port in its inbox with a port in its inbox, and so on; `last` is the peer of the innermost. */
static port_t* nest(port_t** last) {
  port_t* outer;
  port_channel(last, &outer);
  for (int i = 0; i < DEPTH; i++) {
    port_t *next_a, *next_b;
    port_channel(&next_a, &next_b);
    CHECK_EQ(port_post_port(next_a, i, outer), 0); /* next_b's inbox holds `outer` */
    port_close(next_a);
    outer = next_b;
  }
  return outer;
}

static void* destroy_a_nest(void* unused) {
  port_t *peer, *last;
  (void) unused;
  port_channel(&a, &peer);
  CHECK_EQ(port_post_port(a, 1, nest(&last)), 0);
  CHECK_EQ(port_receive(last), UV_EAGAIN);
  port_close(peer);
  CHECK_EQ(port_receive(last), UV_EOF);
  port_close(last);
  port_close(a);
  return NULL;
}

/* On a thread whose stack has no room for a hundred thousand of anything. */
TEST(deep_nests_are_destroyed) {
  pthread_attr_t attr;
  pthread_t thread;
  CHECK_EQ(pthread_attr_init(&attr), 0);
  CHECK_EQ(pthread_attr_setstacksize(&attr, 256 * 1024), 0);
  CHECK_EQ(pthread_create(&thread, &attr, destroy_a_nest, NULL), 0);
  port_join(thread);
}

static int end_at_once(uvx_worker_ctx_t* ctx, void* unused) {
  (void) ctx, (void) unused;
  return 0;
}

/* The same in the inbox of a worker, which ends without looking at it. */
TEST(a_deep_nest_in_a_worker_is_destroyed) {
  port_t* last;
  uvx_worker_t* worker;
  uvx_worker_options_t options = {.size = sizeof options, .stack_size = 256 * 1024};
  uvx_message_desc_t first = port_tag(1);
  uvx_xfer_t xfer = xfer_of(UVX_XFER_PORT, nest(&last), 0);
  first.xfers = &xfer;
  first.nxfers = 1;
  options.first_message = &first;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uvx_worker_start(&loop, &worker, end_at_once, &options, NULL), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
  CHECK_EQ(port_receive(last), UV_EOF);
  port_close(last);
}
