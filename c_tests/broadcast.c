/* Groups of ports with a name: who gets what, in which order, and what cannot be posted to several. */
#include "port.h"

static port_t* join(const char* name) {
  port_t* port;
  CHECK_EQ(uvx_broadcast_open(&port, name, NULL), 0);
  return port;
}

static port_t* join_bounded(const char* name, size_t messages, size_t bytes, size_t low_water) {
  uvx_message_channel_options_t options;
  port_t* port;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.max_messages = messages;
  options.max_bytes = bytes;
  options.low_water = low_water;
  CHECK_EQ(uvx_broadcast_open(&port, name, &options), 0);
  return port;
}

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

TEST(all_others_get_it_in_order) {
  port_t* ports[5];
  for (int i = 0; i < 5; i++) ports[i] = join("all");
  for (int i = 0; i < 5; i++) {
    CHECK_EQ(port_post(ports[i], 10 * i), 0);
    CHECK_EQ(port_post(ports[i], 10 * i + 1), 0);
  }
  for (int i = 0; i < 5; i++) {
    for (int from = 0; from < 5; from++) {
      if (from == i) continue; /* never to the one who posts */
      CHECK_EQ(port_receive(ports[i]), 10 * from);
      CHECK_EQ(port_receive(ports[i]), 10 * from + 1);
    }
    CHECK_EQ(port_receive(ports[i]), UV_EAGAIN);
  }
  for (int i = 0; i < 5; i++) port_close(ports[i]);
}

TEST(names_are_apart) {
  port_t *a = join("one"), *b = join("one"), *c = join("On"), *d = join(""), *e = join("");
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(port_receive(b), 1);
  CHECK_EQ(port_receive(c), UV_EAGAIN);
  CHECK_EQ(port_post(e, 2), 0);
  CHECK_EQ(port_receive(d), 2);
  port_close(a);
  port_close(b);
  port_close(c);
  port_close(d);
  port_close(e);
}

TEST(many_names) {
  enum { NAMES = 3000 };
  static port_t* ports[NAMES][2];
  char name[32];
  for (int member = 0; member < 2; member++)
    for (int i = 0; i < NAMES; i++) {
      snprintf(name, sizeof name, "name %d", i);
      ports[i][member] = join(name);
    }
  for (int i = 0; i < NAMES; i++) CHECK_EQ(port_post(ports[i][0], i), 0);
  for (int i = 0; i < NAMES; i++) CHECK_EQ(port_receive(ports[i][1]), i);
  for (int i = 0; i < NAMES; i++) {
    int index = (i * 7) % NAMES; /* in another order than that of opening */
    port_close(ports[index][0]);
    port_close(ports[index][1]);
  }
}

/* 1.1 BroadcastChannel: no peers: returns without error. And nothing is kept for those who come later. */
TEST(nobody_else) {
  port_t* a = join("alone");
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(port_post_bytes(a, 1, "123", 3), 0);
  port_t* b = join("alone");
  CHECK_EQ(port_receive(b), UV_EAGAIN);
  CHECK_EQ(port_stats(b).posted, 0);
  CHECK_EQ(port_post(a, 2), 0);
  port_close(a);
  CHECK_EQ(port_post(b, 3), 0);
  a = join("alone");
  CHECK_EQ(port_receive(b), 2); /* from the one who is gone */
  CHECK_EQ(port_post(a, 4), 0);
  CHECK_EQ(port_receive(b), 4);
  CHECK_EQ(port_receive(a), UV_EAGAIN);
  port_close(a);
  port_close(b);
}

TEST(a_group_is_gone_with_its_last_port) {
  for (int i = 0; i < 100; i++) {
    port_t* a = join("again");
    CHECK_EQ(port_receive(a), UV_EAGAIN);
    port_t* b = join("again");
    CHECK_EQ(port_post(b, i), 0);
    CHECK_EQ(port_post(a, i), 0);
    port_close(b);
    CHECK_EQ(port_receive(a), i);
    port_close(a);
  }
}

/* A member's close does not close the others, and they hear nothing of it, however it is closed. */
TEST(a_close_is_ones_own) {
  uv_loop_t loop;
  port_t *a = join("close"), *b = join("close"), *c = join("close");
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_open(&loop, c);
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(uvx_message_port_close(a, UVX_PORT_CLOSE_NOW, port_log_event), 0);
  CHECK_LOG("ok");
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_LOG("1");
  CHECK_EQ(port_post(b, 2), 0);
  port_close(b);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_LOG("2");
  CHECK_EQ(port_post(c, 3), 0);
  b = join("close");
  CHECK_EQ(port_post(b, 4), 0);
  CHECK_EQ(port_post(b, 5), 0);
  CHECK_EQ(uvx_message_port_close(c, UVX_PORT_CLOSE_FLUSH, port_log_event), 0);
  CHECK_EQ(port_post(c, 6), UV_EBADF); /* 1.1: post after close */
  CHECK_EQ(port_post(b, 7), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("4,5,ok");
  port_close(b);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* On one loop and on two, and the loop lives as long as a started port is open. */
TEST(members_of_one_loop) {
  uv_loop_t loop;
  port_t *a = join("loop"), *b = join("loop"), *c = join("loop");
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_open(&loop, a);
  port_open(&loop, b);
  port_attach(&loop, c);
  CHECK_EQ(uv_loop_alive(&loop), 1);
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(port_post(b, 2), 0);
  CHECK_EQ(port_post(c, 3), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 1);
  CHECK_LOG("1,3,2,3"); /* ports in the order in which they were rung */
  CHECK_EQ(uvx_message_port_start(c), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_LOG("1,2");
  CHECK_EQ(uvx_message_port_stop(b), 0);
  CHECK_EQ(uvx_message_port_detach(c), 0);
  CHECK_EQ(port_post(a, 4), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_LOG("");
  CHECK_EQ(port_receive(c), 4);
  CHECK_EQ(uvx_message_port_drain(b), 0);
  CHECK_LOG("4");
  CHECK_EQ(uvx_message_port_unref(a), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  port_close(a);
  port_close(b);
  port_close(c);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void answer_once(port_t* port, message_t* message) {
  port_log_tag(port, message);
  if (uvx_message_tag(message) < 3) CHECK_EQ(port_post(port, uvx_message_tag(message) + 1), 0);
}

static void open_one_more(port_t* port, message_t* message) {
  (void) message;
  uvx_message_port_set_data(port, join("inside"));
  port_close(port);
}

/* Callbacks may post to their group, open ports of it, and close. */
TEST(in_a_callback) {
  uv_loop_t loop;
  port_t *a = join("inside"), *b = join("inside");
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uvx_message_port_attach(&loop, a, answer_once, NULL), 0);
  CHECK_EQ(uvx_message_port_attach(&loop, b, answer_once, NULL), 0);
  CHECK_EQ(uvx_message_port_start(a), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(port_post(a, 0), 0);
  for (int i = 0; i < 4; i++) uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_LOG("0,1,2,3");
  CHECK_EQ(uvx_message_port_detach(b), 0);
  CHECK_EQ(uvx_message_port_attach(&loop, b, open_one_more, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(port_post(a, 9), 0);
  CHECK_EQ(port_post(a, 9), 0); /* not to the port that is opened later, and not delivered after the close */
  uv_run(&loop, UV_RUN_ONCE);
  b = join("inside");
  CHECK_EQ(port_post(b, 5), 0);
  uv_run(&loop, UV_RUN_ONCE);
  CHECK_LOG("5");
  port_close(a);
  port_close(b);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* Payloads: copied once; each receiver has a message of its own. */
TEST(payloads) {
  static char bytes[5000];
  port_t *a = join("bytes"), *b = join("bytes"), *c = join("bytes");
  message_t *first, *second;
  static const size_t lengths[] = {0, 1, 63, 64, 65, 1000, sizeof bytes};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    memset(bytes, 'a' + (int) i, sizeof bytes);
    uv_buf_t bufs[2] = {uv_buf_init(bytes, (unsigned) lengths[i] / 3),
                        uv_buf_init(bytes, (unsigned) (lengths[i] - lengths[i] / 3))};
    uvx_message_desc_t desc = port_tag(i);
    desc.bufs = bufs;
    desc.nbufs = 2;
    CHECK_EQ(uvx_message_port_post(a, &desc), 0);
    memset(bytes, 0, sizeof bytes);
    CHECK_EQ(port_stats(b).bytes, lengths[i]);
    CHECK_EQ(uvx_message_port_receive(b, &first, 0), 0);
    CHECK_EQ(uvx_message_port_receive(c, &second, 0), 0);
    CHECK(first != second);
    CHECK_EQ(uvx_message_tag(first), i);
    for (int round = 0; round < 2; round++) {
      const uv_buf_t* data = uvx_message_data(round == 0 ? first : second);
      CHECK_EQ(data->len, lengths[i]);
      for (size_t at = 0; at < data->len; at++) CHECK_EQ(data->base[at], 'a' + (int) i);
      CHECK_EQ((uintptr_t) data->base % 16, 0);
      if (round == 0) uvx_message_unref(first); /* the other one's bytes stay */
    }
    uvx_message_unref(second);
  }
  port_close(a);
  port_close(b);
  port_close(c);
}

TEST(a_message_outlives_its_group) {
  static char bytes[1000] = "still here";
  port_t *a = join("outlives"), *b = join("outlives"), *c = join("outlives");
  message_t* message;
  CHECK_EQ(port_post_bytes(a, 1, bytes, sizeof bytes), 0);
  CHECK_EQ(uvx_message_port_receive(b, &message, 0), 0);
  port_close(a);
  port_close(b);
  port_close(c);
  CHECK_STR(uvx_message_data(message)->base, "still here");
  uvx_message_unref(message);
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

TEST(nonsense_is_refused) {
  uvx_message_channel_options_t options;
  port_t* port;
  CHECK_EQ(uvx_broadcast_open(&port, NULL, NULL), UV_EINVAL);
  memset(&options, 0, sizeof options);
  CHECK_EQ(uvx_broadcast_open(&port, "name", &options), UV_EINVAL);
  options.size = sizeof options;
  options.low_water = 1;
  CHECK_EQ(uvx_broadcast_open(&port, "name", &options), UV_EINVAL);
  port_t *a = join("nonsense"), *b = join("nonsense");
  uvx_message_desc_t desc = port_tag(0);
  desc.size--;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EINVAL);
  desc = port_tag(0);
  desc.flags = 2;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EINVAL);
  desc = port_tag(0);
  desc.nxfers = 1;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EINVAL);
  CHECK_EQ(port_receive(b), UV_EAGAIN);
  port_close(a);
  port_close(b);
}

TEST(many_at_once) {
  port_t *a = join("many"), *b = join("many"), *c = join("many");
  uvx_message_desc_t descs[50];
  size_t done;
  for (int i = 0; i < 50; i++) descs[i] = port_tag(i);
  CHECK_EQ(uvx_message_port_post_many(a, descs, 50, &done), 0);
  CHECK_EQ(done, 50);
  for (int i = 0; i < 50; i++) CHECK_EQ(port_receive(b), i);
  for (int i = 0; i < 50; i++) CHECK_EQ(port_receive(c), i);
  descs[20].flags = 99;
  CHECK_EQ(uvx_message_port_post_many(a, descs, 50, &done), UV_EINVAL);
  CHECK_EQ(done, 20);
  CHECK_EQ(port_stats(b).depth, 20);
  CHECK_EQ(uvx_message_port_post_many(a, NULL, 0, &done), 0);
  CHECK_EQ(done, 0);
  port_close(a);
  port_close(b);
  port_close(c);
}

/* A sender posts to one port, and does not make an end of it. */
TEST(senders_to_a_member) {
  port_t *a = join("senders"), *b = join("senders");
  uvx_message_sender_t* sender;
  uvx_message_desc_t desc = port_tag(1);
  CHECK_EQ(uvx_message_sender_create(a, &sender), 0);
  CHECK_EQ(uvx_message_sender_post(sender, &desc), 0);
  uvx_message_sender_release(sender);
  CHECK_EQ(port_post(b, 2), 0);
  CHECK_EQ(port_receive(a), 1);
  CHECK_EQ(port_receive(a), 2);
  CHECK_EQ(port_receive(a), UV_EAGAIN);
  CHECK_EQ(port_receive(b), UV_EAGAIN);
  CHECK_EQ(port_stats(a).posted, 2);
  CHECK_EQ(port_stats(a).received, 2);
  port_close(a);
  port_close(b);
}

/* All or nothing: one full member holds the others up. */
TEST(a_full_member) {
  port_t *a = join("full"), *b = join_bounded("full", 2, 0, 0), *c = join("full"), *d = join_bounded("full", 0, 10, 0);
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(port_post_bytes(a, 2, "123456", 6), 0);
  CHECK_EQ(port_post(a, 3), UV_EAGAIN);
  CHECK_EQ(port_receive(b), 1);
  CHECK_EQ(port_post_bytes(a, 3, "123456", 6), UV_EAGAIN); /* d has no room */
  CHECK_EQ(port_post_bytes(a, 3, "12345678901", 11), UV_EMSGSIZE);
  CHECK_EQ(port_post_bytes(a, 3, "1234", 4), 0);
  CHECK_EQ(port_stats(b).depth, 2);
  CHECK_EQ(port_stats(c).depth, 3);
  CHECK_EQ(port_stats(d).bytes, 10);
  for (int i = 2; i <= 3; i++) CHECK_EQ(port_receive(b), i);
  for (int i = 1; i <= 3; i++) CHECK_EQ(port_receive(c), i);
  CHECK_EQ(port_stats(c).posted, 3);
  CHECK_EQ(port_stats(b).posted, 3);
  /* A member that closes is no obstacle any more; neither is one's own. */
  CHECK_EQ(port_post(a, 4), 0);
  CHECK_EQ(port_post(a, 5), 0);
  CHECK_EQ(port_post(b, 6), 0);
  CHECK_EQ(port_post(a, 7), UV_EAGAIN);
  port_close(b);
  CHECK_EQ(port_post(a, 7), 0);
  CHECK_EQ(port_stats(c).depth, 4);
  port_close(a);
  port_close(c);
  port_close(d);
}

static void log_writable(port_t* port, int status) {
  (void) port;
  port_note(status == 0 ? "writable" : uv_err_name(status));
}

TEST(the_writable_callback_waits_for_all) {
  uv_loop_t loop;
  port_t *a = join("writable"), *b = join_bounded("writable", 2, 0, 1), *c = join_bounded("writable", 2, 0, 1);
  port_t *e = join("writable");
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_attach(&loop, a);
  CHECK_EQ(uvx_message_port_attach(&loop, e, port_log_tag, NULL), 0);
  CHECK_EQ(uvx_message_port_on_writable(a, log_writable), 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK_LOG("writable"); /* there is room */
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(port_post(a, 2), 0);
  CHECK_EQ(uvx_message_port_on_writable(a, log_writable), 0);
  CHECK_EQ(uvx_message_port_on_writable(e, log_writable), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_EQ(port_receive(b), 1);
  CHECK_EQ(port_receive(b), 2);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_LOG("");
  CHECK_EQ(port_receive(c), 1);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_LOG(""); /* not below the mark yet */
  CHECK_EQ(port_receive(c), 2);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_LOG("writable,writable");
  CHECK_EQ(uv_loop_alive(&loop), 0);
  /* A close gives room, too. */
  CHECK_EQ(port_post(a, 3), 0);
  CHECK_EQ(port_post(a, 4), 0);
  CHECK_EQ(uvx_message_port_on_writable(a, log_writable), 0);
  port_close(b);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK_LOG("");
  port_close(c);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK_LOG("writable");
  port_close(a);
  port_close(e);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(waiting_for_room_has_a_deadline) {
  port_t *a = join("deadline"), *b = join_bounded("deadline", 1, 0, 0);
  uvx_message_desc_t desc = port_tag(1);
  CHECK_EQ(uvx_message_port_post_wait(a, &desc, 0), 0);
  CHECK_EQ(uvx_message_port_post_wait(a, &desc, 0), UV_ETIMEDOUT);
  CHECK_EQ(uvx_message_port_post_wait(a, &desc, 2000000), UV_ETIMEDOUT);
  CHECK_EQ(port_receive(b), 1);
  CHECK_EQ(uvx_message_port_post_wait(a, &desc, 0), 0);
  port_close(a);
  port_close(b);
}

TEST(statistics) {
  port_t *a = join("stats"), *b = join("stats"), *c = join("stats");
  CHECK_EQ(port_post_bytes(a, 1, "12345", 5), 0);
  CHECK_EQ(port_post(c, 2), 0);
  uvx_message_port_stats_t stats = port_stats(b);
  CHECK_EQ(stats.depth, 2);
  CHECK_EQ(stats.bytes, 5);
  CHECK_EQ(stats.posted, 2);
  CHECK_EQ(port_receive(b), 1);
  CHECK_EQ(port_stats(b).received, 1);
  CHECK_EQ(port_stats(a).posted, 1);
  CHECK_EQ(port_stats(c).posted, 1);
  port_close(a);
  port_close(b);
  port_close(c);
}

/* The groups are the parent's: a child that opens one begins anew. */
TEST(fork_begins_anew) {
  port_t *a = join("fork"), *b = join("fork");
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    port_t *c, *d;
    if (uvx_broadcast_open(&c, "fork", NULL) != 0 || uvx_broadcast_open(&d, "fork", NULL) != 0) _exit(1);
    if (port_post(c, 1) != 0 || port_receive(d) != 1) _exit(2);
    if (uvx_message_port_close(c, 0, NULL) != 0 || uvx_message_port_close(d, 0, NULL) != 0) _exit(3);
    _exit(0);
  }
  int status;
  CHECK_EQ(waitpid(pid, &status, 0), pid);
  CHECK_EQ(status, 0);
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(port_receive(b), 1);
  port_close(a);
  port_close(b);
}
