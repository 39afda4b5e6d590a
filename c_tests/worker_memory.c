/* Workers without memory, and without leaks. */
#include "worker.h"

#include "allocs.h"

static int try_start(long n) {
  uvx_message_desc_t first = port_tag(1);
  uvx_worker_options_t options = with(NULL);
  char bytes[100];
  uv_buf_t buf = uv_buf_init(bytes, sizeof bytes);
  uvx_xfer_t xfer = port_mem(bytes, 1, count_free, NULL);
  first.bufs = &buf;
  first.nbufs = 1;
  first.xfers = &xfer;
  first.nxfers = 1;
  options.first_message = &first;
  set_up();
  freed = 0;
  set_data("key", "value");
  allocs_fail_at(n);
  int result = uvx_worker_start(&loop, &worker, set_ran, &options, note_exit);
  allocs_fail_at(0);
  if (result != 0) CHECK_EQ(freed, 0);
  run_loop();
  CHECK_LOG(result == 0 ? "exit RETURNED 0" : "");
  set_data("key", NULL);
  CHECK_EQ(freed, result == 0 ? 2 : 1);
  tear_down();
  return result;
}

/* 1.2.6 */
TEST(without_memory) {
  allocs_install();
  long count = allocs_exhaust(try_start);
  CHECK(count >= 6 && count < 20);
}

static int try_env_data(long n) {
  uvx_shared_buf_t* buf;
  CHECK_EQ(uvx_shared_buf_create(&buf, 1), 0);
  allocs_fail_at(n);
  int result = uvx_env_data_set("key", buf);
  allocs_fail_at(0);
  uvx_shared_buf_unref(buf);
  uvx_shared_buf_t* found = uvx_env_data_get("key");
  CHECK_EQ(found != NULL, result == 0);
  uvx_shared_buf_unref(found);
  CHECK_EQ(uvx_env_data_set("key", NULL), 0);
  return result;
}

TEST(environment_data_without_memory) {
  allocs_install();
  CHECK_EQ(allocs_exhaust(try_env_data), 2);
}

TEST(no_leaks) {
  allocs_install();
  set_up();
  start(return_data, NULL); /* the loop's mailbox */
  run_loop();
  long live = allocs_live();
  port_log[0] = '\0';
  for (int i = 0; i < 20; i++) {
    start(i % 2 != 0 ? post_ten : wait_for_ever, NULL);
    if (i % 3 == 0) listen_to(worker);
    if (i % 2 == 0) CHECK_EQ(uvx_worker_stop(worker, 0), 0);
    run_loop();
    port_log[0] = '\0';
  }
  CHECK_EQ(allocs_live(), live);
  tear_down();
  CHECK_EQ(allocs_live(), 0);
}
