/* Groups with bounded members: when one is full nobody gets the message; waiting for room, and being told of it. */
#include "broadcast.h"

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
