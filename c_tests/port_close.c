/* Closing ports of a loop: what becomes of unread messages, when each end hears of it, and what a closing port still answers. */
#include "port_loop.h"

static void on_closed(port_t* port, int status) {
  CHECK_EQ(status, 0);
  CHECK_EQ(port_post(port, 1), UV_EBADF);
  port_note("closed");
  b = NULL;
}

static unsigned close_flags;

static void on_second_close(port_t* port, message_t* message) {
  port_log_tag(port, message);
  if (uvx_message_tag(message) != 1) return;
  CHECK_EQ(uvx_message_port_close(port, close_flags, on_closed), 0);
  CHECK_EQ(uvx_message_port_close(port, 0, NULL), UV_EBADF);
  CHECK_EQ(uvx_message_port_stop(port), UV_EBADF);
  CHECK_EQ(uvx_message_port_detach(port), UV_EBADF);
  CHECK_EQ(port_receive(port), UV_EBADF);
  CHECK_EQ(port_post(port, 5), UV_EBADF);
  CHECK_EQ(port_post(a, 99), UV_EPIPE);
  port_note("-");
}

TEST(close_in_a_callback_drops_the_rest) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, on_second_close, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 0, 4);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1,-,closed");
  CHECK_EQ(port_receive(a), UV_EOF);
  tear_down();
}

TEST(close_in_a_callback_can_deliver_the_rest) {
  set_up();
  close_flags = UVX_PORT_CLOSE_FLUSH;
  CHECK_EQ(uvx_message_port_attach(&loop, b, on_second_close, NULL), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  post_range(a, 0, 4);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1,-,2,3,closed");
  tear_down();
}

TEST(close_delivers_what_was_never_started) {
  set_up();
  port_attach(&loop, b);
  post_range(a, 0, 3);
  CHECK_EQ(uvx_message_port_close(b, UVX_PORT_CLOSE_FLUSH, on_closed), 0);
  CHECK_EQ(port_post(a, 4), UV_EPIPE);
  CHECK_LOG(""); /* not inside the call */
  CHECK(uv_loop_alive(&loop) != 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1,2,closed");
  tear_down();
}

TEST(close_before_delivery_drops) {
  set_up();
  port_open(&loop, b);
  post_range(a, 0, 3);
  CHECK_EQ(uvx_message_port_unref(b), 0);
  CHECK_EQ(uvx_message_port_close(b, 0, on_closed), 0);
  CHECK_LOG("");
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0); /* although it was not referenced */
  CHECK_LOG("closed");
  tear_down();
}

TEST(the_peer_hears_of_the_end_after_all_messages) {
  set_up();
  port_open(&loop, b);
  post_range(a, 0, 3);
  port_close(a);
  a = NULL;
  CHECK_EQ(port_post(b, 1), UV_EPIPE);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1,2,eof");
  b = NULL;
  tear_down();
}

TEST(both_on_one_loop) {
  set_up();
  port_open(&loop, a);
  port_open(&loop, b);
  post_range(a, 0, 3);
  post_range(b, 10, 12);
  CHECK_EQ(uvx_message_port_close(a, 0, port_log_event), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("0,1,2,eof,ok");
  a = b = NULL;
  tear_down();
}

TEST(an_ended_port_keeps_nothing_alive) {
  set_up();
  CHECK_EQ(uvx_message_port_attach(&loop, b, port_log_tag, port_log_event), 0);
  CHECK_EQ(uvx_message_port_start(b), 0);
  port_close(a);
  a = NULL;
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("EOF");
  CHECK_EQ(uvx_message_port_start(b), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("");
  CHECK_EQ(port_receive(b), UV_EOF);
  CHECK_EQ(uvx_message_port_detach(b), 0); /* the next owner hears it as well */
  port_attach(&loop, b);
  run_once();
  CHECK_LOG("eof");
  b = NULL;
  tear_down();
}

TEST(a_stopped_port_hears_of_the_end_when_nothing_is_unread) {
  set_up();
  port_attach(&loop, b);
  post_range(a, 0, 2);
  port_close(a);
  a = NULL;
  run_once();
  CHECK_LOG("");
  CHECK_EQ(port_receive(b), 0);
  run_once();
  CHECK_LOG("");
  CHECK_EQ(port_receive(b), 1);
  CHECK_LOG("");
  run_once();
  CHECK_LOG("eof");
  b = NULL;
  tear_down();
}

TEST(a_stopped_port_can_be_told_of_the_end_at_once) {
  set_up();
  port_attach(&loop, b);
  post_range(a, 0, 2);
  CHECK_EQ(uvx_message_port_close(a, UVX_PORT_CLOSE_NOW, NULL), 0);
  a = NULL;
  CHECK_EQ(port_receive(b), UV_EOF);
  run_once();
  CHECK_LOG("eof");
  b = NULL;
  tear_down();
}

/* Until its callback has come, a port that was closed can be asked anything. */
TEST(a_port_that_is_closing_says_so) {
  message_t* message;
  uvx_message_sender_t* sender;
  set_up();
  port_open(&loop, a);
  CHECK_EQ(port_post(b, 1), 0);
  CHECK_EQ(uvx_message_port_close(a, 0, port_log_event), 0);
  CHECK_EQ(uvx_message_port_close(a, 0, port_log_event), UV_EBADF);
  CHECK_EQ(port_post(a, 1), UV_EBADF);
  CHECK_EQ(uvx_message_port_receive(a, &message, UVX_FOREVER), UV_EBADF);
  CHECK_EQ(uvx_message_sender_create(a, &sender), UV_EBADF);
  CHECK_EQ(uvx_message_port_forbid_transfer(a), UV_EBADF);
  CHECK_EQ(uvx_message_port_attach(&loop, a, port_log_tag, NULL), UV_EBADF);
  CHECK_EQ(uvx_message_port_detach(a), UV_EBADF);
  CHECK_EQ(uvx_message_port_start(a), UV_EBADF);
  CHECK_EQ(uvx_message_port_stop(a), UV_EBADF);
  CHECK_EQ(uvx_message_port_drain(a), UV_EBADF);
  CHECK_EQ(uvx_message_port_ref(a), UV_EBADF);
  CHECK_EQ(uvx_message_port_has_ref(a), 0);
  CHECK_EQ(uvx_message_port_set_budget(a, 1, 1), UV_EBADF);
  CHECK_EQ(uvx_message_port_set_batch_cb(a, NULL), UV_EBADF);
  CHECK_EQ(uvx_message_port_on_writable(a, port_log_event), UV_EBADF);
  CHECK_EQ(uvx_message_port_interrupt(a), 0);
  CHECK_EQ(port_post(b, 2), UV_EPIPE);
  CHECK_EQ(port_post_port(b, 2, a), UV_ELOOP);
  CHECK_EQ(port_stats(a).posted, 1);
  port_close(b);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_LOG("ok");
  CHECK_EQ(uv_loop_close(&loop), 0);
}
