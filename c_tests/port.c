/* Message ports without a loop: channels, payload, tags, receiving, closing, statistics, arguments. */
#include "port.h"

TEST(version) {
  CHECK(uvx_version() >= 0x000100);
  unsigned version = uvx_version();
  char text[32];
  snprintf(text, sizeof text, "%u.%u.%u", version >> 16, version >> 8 & 255, version & 255);
  CHECK_STR(uvx_version_string(), text);
}

TEST(messages_come_in_order_and_both_ways) {
  port_t *a, *b;
  port_channel(&a, &b);
  for (int i = 0; i < 100; i++) CHECK_EQ(port_post(a, i), 0);
  CHECK_EQ(port_post(b, 7), 0);
  for (int i = 0; i < 100; i++) CHECK_EQ(port_receive(b), i);
  CHECK_EQ(port_receive(b), UV_EAGAIN);
  CHECK_EQ(port_receive(a), 7);
  CHECK_EQ(port_receive(a), UV_EAGAIN);
  port_close(a);
  port_close(b);
}

TEST(payload_of_every_size) {
  static char bytes[100000];
  port_t *a, *b;
  message_t* message;
  size_t sizes[] = {0, 1, 63, 64, 65, 128, 4096, sizeof bytes};
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char) (i * 31);
  port_channel(&a, &b);
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
      CHECK_EQ(port_post_bytes(a, i, bytes, sizes[i]), 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      CHECK_EQ(uvx_message_port_receive(b, &message, 0), 0);
      const uv_buf_t* data = uvx_message_data(message);
      CHECK_EQ(data->len, sizes[i]);
      CHECK(memcmp(data->base, bytes, sizes[i]) == 0);
      CHECK_EQ((uintptr_t) data->base % 16, 0);
      CHECK_EQ(uvx_message_xfer_count(message), 0);
      CHECK_EQ(uvx_message_take(message, 0, NULL), UV_EINVAL);
      uvx_message_unref(message);
    }
  }
  port_close(a);
  port_close(b);
}

TEST(buffers_are_gathered) {
  port_t *a, *b;
  message_t* message;
  uv_buf_t bufs[] = {uv_buf_init("one ", 4), uv_buf_init(NULL, 0), uv_buf_init("two ", 4), uv_buf_init("three", 6)};
  uvx_message_desc_t desc = port_tag(UINT64_MAX);
  desc.bufs = bufs;
  desc.nbufs = 4;
  port_channel(&a, &b);
  CHECK_EQ(uvx_message_port_post(a, &desc), 0);
  CHECK_EQ(uvx_message_port_receive(b, &message, 0), 0);
  CHECK_STR(uvx_message_data(message)->base, "one two three");
  CHECK(uvx_message_tag(message) == UINT64_MAX);
  uvx_message_unref(message);
  port_close(a);
  port_close(b);
}

TEST(a_message_outlives_its_channel) {
  port_t *a, *b;
  message_t* message;
  port_channel(&a, &b);
  CHECK_EQ(port_post_bytes(a, 1, "still here", 11), 0);
  CHECK_EQ(uvx_message_port_receive(b, &message, 0), 0);
  uvx_message_ref(message);
  port_close(a);
  port_close(b);
  uvx_message_unref(message);
  CHECK_STR(uvx_message_data(message)->base, "still here");
  uvx_message_unref(message);
  uvx_message_unref(NULL);
}

TEST(nonsense_is_refused) {
  port_t *a, *b;
  uvx_message_channel_options_t options;
  memset(&options, 0, sizeof options);
  CHECK_EQ(uvx_message_channel_create(&a, &b, &options), UV_EINVAL); /* no size */
  options.size = sizeof options;
  options.flags = 1;
  CHECK_EQ(uvx_message_channel_create(&a, &b, &options), UV_EINVAL);
  options.flags = 0;
  options.low_water = 1; /* of what? */
  CHECK_EQ(uvx_message_channel_create(&a, &b, &options), UV_EINVAL);
  options.max_messages = 4;
  options.low_water = 5;
  CHECK_EQ(uvx_message_channel_create(&a, &b, &options), UV_EINVAL);
  options.low_water = 0;
  CHECK_EQ(uvx_message_channel_create(&a, &b, &options), 0);

  uvx_message_desc_t desc = port_tag(0);
  desc.size--;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EINVAL);
  desc = port_tag(0);
  desc.flags = 2;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EINVAL);
  desc = port_tag(0);
  desc.nbufs = 1;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EINVAL);
  uv_buf_t bufs[2] = {uv_buf_init(NULL, 1), uv_buf_init(NULL, 0)};
  desc.bufs = bufs;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EINVAL);
  bufs[0].base = bufs[1].base = "x";
  bufs[0].len = bufs[1].len = SIZE_MAX;
  desc.nbufs = 2;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EINVAL);
  desc = port_tag(0);
  desc.nxfers = 1;
  CHECK_EQ(uvx_message_port_post(a, &desc), UV_EINVAL);
  CHECK_EQ(uvx_message_port_close(a, 4, NULL), UV_EINVAL);
  CHECK_EQ(uvx_message_port_close(a, UVX_PORT_CLOSE_FLUSH, NULL), UV_EINVAL); /* to whom? */

  uvx_message_port_stats_t stats = {0};
  CHECK_EQ(uvx_message_port_stats(a, &stats), UV_EINVAL);

  /* What belongs to attached ports. */
  CHECK_EQ(uvx_message_port_detach(a), UV_EINVAL);
  CHECK_EQ(uvx_message_port_start(a), UV_EINVAL);
  CHECK_EQ(uvx_message_port_stop(a), UV_EINVAL);
  CHECK_EQ(uvx_message_port_ref(a), UV_EINVAL);
  CHECK_EQ(uvx_message_port_unref(a), UV_EINVAL);
  CHECK_EQ(uvx_message_port_has_ref(a), 0);
  CHECK_EQ(uvx_message_port_drain(a), UV_EINVAL);
  CHECK_EQ(uvx_message_port_set_budget(a, 1, 1), UV_EINVAL);
  CHECK_EQ(uvx_message_port_set_batch_cb(a, NULL), UV_EINVAL);
  CHECK_EQ(uvx_message_port_on_writable(a, port_log_event), UV_EINVAL);
  CHECK(uvx_message_port_loop(a) == NULL);
  CHECK_EQ(port_receive(b), UV_EAGAIN);
  port_close(a);
  port_close(b);
}

/* A program that was compiled with a newer header has larger structs. */
TEST(larger_structs_are_fine) {
  struct { uvx_message_desc_t desc; char more[24]; } descs[3];
  struct { uvx_message_port_stats_t stats; char more[24]; } stats;
  struct { uvx_message_channel_options_t options; char more[24]; } options;
  port_t *a, *b;
  size_t done;
  memset(&options, 0, sizeof options);
  options.options.size = sizeof options;
  CHECK_EQ(uvx_message_channel_create(&a, &b, &options.options), 0);
  for (int i = 0; i < 3; i++) {
    descs[i].desc = port_tag(i + 1);
    descs[i].desc.size = sizeof *descs;
  }
  CHECK_EQ(uvx_message_port_post_many(a, &descs[0].desc, 3, &done), 0);
  CHECK_EQ(done, 3);
  for (int i = 1; i <= 3; i++) CHECK_EQ(port_receive(b), i);
  memset(&stats, 0xff, sizeof stats);
  stats.stats.size = sizeof stats;
  CHECK_EQ(uvx_message_port_stats(b, &stats.stats), 0);
  CHECK_EQ(stats.stats.received, 3);
  CHECK_EQ(stats.stats.size, sizeof stats);
  CHECK_EQ(stats.more[0], -1);
  port_close(a);
  port_close(b);
}

TEST(many_at_once) {
  uvx_message_desc_t descs[50];
  port_t *a, *b;
  size_t done = 99;
  port_channel(&a, &b);
  CHECK_EQ(uvx_message_port_post_many(a, NULL, 0, &done), 0);
  CHECK_EQ(done, 0);
  CHECK_EQ(port_post(a, 1000), 0);
  for (int i = 0; i < 50; i++) descs[i] = port_tag(i);
  CHECK_EQ(uvx_message_port_post_many(a, descs, 50, &done), 0);
  CHECK_EQ(done, 50);
  CHECK_EQ(port_post(a, 1001), 0);
  CHECK_EQ(port_receive(b), 1000);
  for (int i = 0; i < 50; i++) CHECK_EQ(port_receive(b), i);
  CHECK_EQ(port_receive(b), 1001);

  descs[20].flags = 99; /* ends there */
  CHECK_EQ(uvx_message_port_post_many(a, descs, 50, &done), UV_EINVAL);
  CHECK_EQ(done, 20);
  for (int i = 0; i < 20; i++) CHECK_EQ(port_receive(b), i);
  CHECK_EQ(port_receive(b), UV_EAGAIN);
  CHECK_EQ(uvx_message_port_post_many(a, descs + 20, 1, NULL), UV_EINVAL);

  port_close(b);
  CHECK_EQ(uvx_message_port_post_many(a, descs, 20, &done), UV_EPIPE);
  CHECK_EQ(done, 0);
  port_close(a);
}

TEST(the_peer_reads_everything_and_then_the_end) {
  port_t *a, *b;
  port_channel(&a, &b);
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(port_post(a, 2), 0);
  port_close(a);
  CHECK_EQ(port_post(b, 3), UV_EPIPE);
  CHECK_EQ(port_receive(b), 1);
  CHECK_EQ(port_receive(b), 2);
  CHECK_EQ(port_receive(b), UV_EOF);
  CHECK_EQ(port_receive(b), UV_EOF);
  CHECK_EQ(port_post(b, 3), UV_EPIPE);
  port_close(b);
}

TEST(a_close_can_overtake) {
  port_t *a, *b;
  port_channel(&a, &b);
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(uvx_message_port_close(a, UVX_PORT_CLOSE_NOW, NULL), 0);
  CHECK_EQ(port_receive(b), UV_EOF);
  CHECK_EQ(port_receive(b), UV_EOF);
  port_close(b);
}

TEST(without_a_loop_closing_is_immediate) {
  port_t *a, *b;
  port_channel(&a, &b);
  CHECK_EQ(uvx_message_port_close(a, 0, port_log_event), 0);
  CHECK_LOG("ok");
  CHECK_EQ(uvx_message_port_close(b, 0, port_log_event), 0);
  CHECK_LOG("ok");
}

TEST(statistics) {
  port_t *a, *b;
  port_channel(&a, &b);
  CHECK_EQ(port_post(a, 1), 0);
  CHECK_EQ(port_post_bytes(a, 2, "1234567890", 10), 0);
  CHECK_EQ(port_post_bytes(a, 3, "12345", 5), 0);
  uvx_message_port_stats_t stats = port_stats(b);
  CHECK_EQ(stats.depth, 3);
  CHECK_EQ(stats.bytes, 15);
  CHECK_EQ(stats.posted, 3);
  CHECK_EQ(stats.received, 0);
  CHECK_EQ(stats.dropped, 0);
  CHECK_EQ(stats.wakes, 0); /* nobody reads */
  CHECK_EQ(port_receive(b), 1);
  CHECK_EQ(port_receive(b), 2);
  stats = port_stats(b);
  CHECK_EQ(stats.depth, 1);
  CHECK_EQ(stats.bytes, 5);
  CHECK_EQ(stats.posted, 3);
  CHECK_EQ(stats.received, 2);
  stats = port_stats(a);
  CHECK_EQ(stats.posted + stats.depth + stats.received, 0);
  port_close(b);
  stats = port_stats(a);
  CHECK_EQ(port_post(a, 1), UV_EPIPE);
  CHECK_EQ(port_stats(a).posted, 0);
  port_close(a);
}

TEST(data) {
  port_t *a, *b;
  int here;
  port_channel(&a, &b);
  CHECK(uvx_message_port_get_data(a) == NULL);
  uvx_message_port_set_data(a, &here);
  CHECK(uvx_message_port_get_data(a) == &here);
  CHECK(uvx_message_port_get_data(b) == NULL);
  port_close(a);
  port_close(b);
}

TEST(senders) {
  port_t *a, *b;
  uvx_message_sender_t *one, *two;
  uvx_message_desc_t desc = port_tag(1);
  port_channel(&a, &b);
  CHECK_EQ(uvx_message_sender_create(a, &one), 0);
  CHECK_EQ(uvx_message_sender_create(a, &two), 0);
  CHECK_EQ(uvx_message_sender_post(one, &desc), 0);
  desc.tag = 2;
  CHECK_EQ(uvx_message_sender_post(two, &desc), 0);
  CHECK_EQ(port_post(b, 3), 0);
  port_close(b); /* others can still post */
  desc.tag = 4;
  CHECK_EQ(uvx_message_sender_post(one, &desc), 0);
  for (int i = 1; i <= 4; i++) CHECK_EQ(port_receive(a), i);
  CHECK_EQ(port_receive(a), UV_EAGAIN);
  uvx_message_sender_release(one);
  CHECK_EQ(port_receive(a), UV_EAGAIN);
  desc.tag = 5;
  CHECK_EQ(uvx_message_sender_post(two, &desc), 0);
  uvx_message_sender_release(two);
  CHECK_EQ(port_receive(a), 5);
  CHECK_EQ(port_receive(a), UV_EOF);
  CHECK_EQ(uvx_message_sender_create(a, &one), UV_EPIPE);
  port_close(a);
  uvx_message_sender_release(NULL);
}

TEST(a_sender_outlives_its_port) {
  port_t *a, *b;
  uvx_message_sender_t* sender;
  uvx_message_desc_t desc = port_tag(1);
  port_channel(&a, &b);
  CHECK_EQ(uvx_message_sender_create(a, &sender), 0);
  CHECK_EQ(uvx_message_sender_post(sender, &desc), 0);
  port_close(a);
  CHECK_EQ(uvx_message_sender_post(sender, &desc), UV_EPIPE);
  port_close(b);
  CHECK_EQ(uvx_message_sender_post(sender, &desc), UV_EPIPE);
  uvx_message_sender_release(sender);
}
