/* Looking at files: stop, close and start again, from within callbacks and while a look is under way. */
#include "fs_poll.h"
#include "held_pool.h"

static void stop_it(uv_fs_poll_t* handle, int status, const uv_stat_t* prev, const uv_stat_t* curr) {
  CHECK_EQ(uv_fs_poll_stop(handle), 0);
  calls++;
  CHECK_EQ(status, UV_ENOENT);
  CHECK(is_nothing(prev)); /* still there */
  CHECK(is_nothing(curr));
}

TEST(stop_in_the_callback) {
  fs_begin(0);
  init(&poller);
  CHECK_EQ(uv_fs_poll_start(&poller, stop_it, "none", 1), 0);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(uv_fs_poll_start(&poller, stop_it, "none", 1), 0);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 2);
  fs_end();
}

static void start_again(uv_fs_poll_t* handle, int status, const uv_stat_t* prev, const uv_stat_t* curr) {
  CHECK_EQ(uv_fs_poll_stop(handle), 0);
  calls++;
  if (calls < 10) CHECK_EQ(uv_fs_poll_start(handle, start_again, "none", 1), 0);
  CHECK_EQ(status, UV_ENOENT);
  CHECK(is_nothing(prev));
  CHECK(is_nothing(curr));
}

TEST(start_again_in_the_callback) {
  OURS_ONLY("the reference goes on with all of them");
  fs_begin(0);
  init(&poller);
  CHECK_EQ(uv_fs_poll_start(&poller, start_again, "none", 1), 0);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 10);
  fs_end();
}

static void free_handle(uv_handle_t* handle) {
  closed++;
  free(handle);
}

static void close_it(uv_fs_poll_t* handle, int status, const uv_stat_t* prev, const uv_stat_t* curr) {
  uv_close((uv_handle_t*) handle, free_handle);
  calls++;
  CHECK_EQ(status, UV_ENOENT);
  CHECK(is_nothing(prev));
  CHECK(is_nothing(curr));
}

TEST(close_in_the_callback) {
  uv_fs_poll_t* handle = malloc(sizeof(*handle));
  fs_begin(0);
  init(handle);
  CHECK_EQ(uv_fs_poll_start(handle, close_it, "none", 1), 0);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(closed, 1);
  fs_end();
}

static void close_and_start_again(uv_fs_poll_t* handle, int status, const uv_stat_t* prev, const uv_stat_t* curr) {
  CHECK_EQ(uv_fs_poll_stop(handle), 0);
  CHECK_EQ(uv_fs_poll_start(handle, note, "none", 1), 0); /* a look is under way when it is closed */
  close_it(handle, status, prev, curr);
}

TEST(start_and_close_in_the_callback) {
  uv_fs_poll_t* handle = malloc(sizeof(*handle));
  fs_begin(0);
  init(handle);
  CHECK_EQ(uv_fs_poll_start(handle, close_and_start_again, "none", 1), 0);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(closed, 1);
  fs_end();
}

/* While looks are under way. */

TEST(the_loop_can_be_closed_right_after_the_handle) {
  fs_begin(0);
  check_close_loop(&fs.loop);
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(uv_loop_init(&fs.loop), 0);
    start(&poller, "none");
    for (int turn = 0; turn < i % 4; turn++) uv_run(&fs.loop, UV_RUN_NOWAIT);
    uv_close((uv_handle_t*) &poller, on_close);
    while (closed == i) uv_run(&fs.loop, UV_RUN_ONCE);
    CHECK_EQ(uv_loop_close(&fs.loop), 0);
  }
  CHECK_EQ(uv_loop_init(&fs.loop), 0);
  fs_end();
}

TEST(close_after_many_starts) {
  OURS_ONLY("the reference may never call back");
  fs_begin(0);
  for (int i = 0; i < 100; i++) {
    init(&poller);
    closed = 0;
    for (int starts = 0; starts < 10; starts++) {
      CHECK_EQ(uv_fs_poll_start(&poller, note, ".", 1), 0);
      if (starts == i % 10) uv_run(&fs.loop, UV_RUN_NOWAIT);
      CHECK_EQ(uv_fs_poll_stop(&poller), 0);
    }
    if (i % 2 == 0) CHECK_EQ(uv_fs_poll_start(&poller, note, ".", 1), 0);
    uv_close((uv_handle_t*) &poller, on_close);
    CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ(closed, 1);
  }
  CHECK_EQ(calls, 0);
  fs_end();
}

TEST(a_start_forgets_the_one_before) {
  OURS_ONLY("the reference goes on with both");
  begin();
  fs_file("file", "");
  start(&poller, "none");
  CHECK_EQ(uv_fs_poll_stop(&poller), 0);
  CHECK_EQ(uv_fs_poll_start(&poller, note, "file", 1), 0);
  look(5);
  CHECK_EQ(calls, 0);
  CHECK_EQ(chmod("file", 0600), 0);
  await(0);
  fs_end();
}

TEST(close_does_not_wait_for_a_busy_pool) {
  OURS_ONLY("the reference's look has to run first");
  fs_begin(0);
  hold_pool(&fs.loop, 1);
  start(&poller, "none");
  CHECK_EQ(uv_fs_poll_stop(&poller), 0);
  CHECK_EQ(uv_fs_poll_start(&poller, note, "none", 1), 0);
  uv_close((uv_handle_t*) &poller, on_close);
  while (closed == 0) uv_run(&fs.loop, UV_RUN_ONCE);
  CHECK_EQ(fs.loop.active_reqs.count, 1);
  let_pool_go();
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 0);
  fs_end();
}
