/* Watching files in two processes: what the parent and its child are told after a fork. */
#include "fs_event.h"

static uv_fs_event_t one, two, three;

TEST(the_child_goes_on_watching) {
  fs_begin(0);
  fs_file("file", "");
  fs_file("other", "");
  CHECK_EQ(mkdir("dir", 0700), 0);
  start(&one, "1:", "file");
  start(&two, "2:", "dir");
  start(&three, "3:", "file");
  uv_run(&fs.loop, UV_RUN_NOWAIT);
  int fd = fs.loop.inotify_fd, ends[2];
  CHECK_EQ(pipe(ends), 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    char byte;
    CHECK_EQ(uv_loop_fork(&fs.loop), 0);
    CHECK_EQ(close(ends[1]), 0);
    CHECK(fs.loop.inotify_fd >= 0);
    CHECK_EQ(mkdir("dir/below", 0700), 0);
    CHECK_SEEN("2:below=1");
    touch("file");
    uv_run(&fs.loop, UV_RUN_NOWAIT);
    CHECK(strcmp(seen, "1:file=2 3:file=2") == 0 || strcmp(seen, "3:file=2 1:file=2") == 0);
    CHECK_EQ(read(ends[0], &byte, 1), 0); /* until the parent is done */
    check_close_loop(&fs.loop);
    _exit(0);
  }
  CHECK_EQ(close(ends[0]), 0);
  CHECK_EQ(fs.loop.inotify_fd, fd);
  while (strcmp(seen, "2:below=1 1:file=2 3:file=2") != 0) CHECK(uv_run(&fs.loop, UV_RUN_ONCE) != 0);
  CHECK_EQ(close(ends[1]), 0);
  check_child(child);
  fs_end();
}

TEST(the_child_starts_and_stops) {
  fs_begin(0);
  fs_file("file", "");
  fs_file("other", "");
  start(&one, "1:", "file");
  init(&two, "2:");
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&fs.loop), 0);
    CHECK_EQ(uv_fs_event_start(&two, see, "other", 0), 0);
    CHECK(one.wd != two.wd);
    touch("other");
    CHECK_SEEN("2:other=2");
    CHECK_EQ(uv_fs_event_stop(&one), 0);
    touch("file");
    CHECK_SEEN("");
    check_close_loop(&fs.loop);
    _exit(0);
  }
  check_child(child);
  CHECK_SEEN("1:file=2"); /* the watch is still the parent's */
  fs_end();
}

TEST(the_child_does_not_read_what_the_parent_should) {
  fs_begin(0);
  fs_file("file", "");
  start(&one, NULL, "file");
  uv_run(&fs.loop, UV_RUN_NOWAIT);
  touch("file");
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&fs.loop), 0);
    CHECK_SEEN("");
    check_close_loop(&fs.loop);
    _exit(0);
  }
  check_child(child);
  CHECK_SEEN("file=2");
  fs_end();
}

TEST(a_file_that_is_gone_in_the_child) {
  OURS_ONLY("the reference leaves the other watches out");
  fs_begin(0);
  fs_file("file", "");
  fs_file("other", "");
  start(&one, "1:", "file");
  start(&two, "2:", "other");
  CHECK_EQ(unlink("file"), 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&fs.loop), UV_ENOENT);
    CHECK_EQ(uv_is_active((uv_handle_t*) &one), 0);
    CHECK(uv_is_active((uv_handle_t*) &two));
    touch("other");
    CHECK_SEEN("2:other=2");
    check_close_loop(&fs.loop);
    CHECK_EQ(allocs_live(), 0);
    _exit(0);
  }
  check_child(child);
  fs_end();
}

static pid_t forked = -1;

static void see_and_fork(uv_fs_event_t* handle, const char* name, int events, int status) {
  see(handle, name, events, status);
  if (forked >= 0) return;
  forked = fork();
  if (forked == 0) CHECK_EQ(uv_loop_fork(&fs.loop), 0);
}

TEST(fork_in_the_callback) {
  OURS_ONLY("the reference's child may take old events for new ones");
  fs_begin(0);
  fs_file("file", "");
  fs_file("other", "");
  init(&one, "1:");
  CHECK_EQ(uv_fs_event_start(&one, see_and_fork, "file", 0), 0);
  start(&two, "2:", "file");
  start(&three, "3:", "other");
  touch("file");
  touch("other"); /* fetched together */
  uv_run(&fs.loop, UV_RUN_NOWAIT);
  if (forked == 0) {
    CHECK_STR(seen, "1:file=2"); /* what was fetched is the parent's */
    seen[0] = '\0';
    touch("other");
    CHECK_SEEN("3:other=2");
    touch("file");
    CHECK_SEEN("1:file=2 2:file=2");
    check_close_loop(&fs.loop);
    CHECK_EQ(allocs_live(), 0);
    _exit(0);
  }
  CHECK_STR(seen, "1:file=2 2:file=2 3:other=2");
  check_child(forked);
  fs_end();
}
