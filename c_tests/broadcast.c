/* Groups of ports with a name: who gets what, and in which order. */
#include "broadcast.h"

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
