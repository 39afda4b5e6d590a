/* Looking at files: what counts as a change, errors, the interval, the path; without memory; in a child. */
#include "fs_poll.h"

TEST(states) {
  fs_begin(0);
  fs_file("file", "");
  init(&poller);
  CHECK_EQ(poller.type, UV_FS_POLL);
  CHECK_EQ(poller.poll_ctx, NULL);
  CHECK_EQ(uv_is_active((uv_handle_t*) &poller), 0);
  CHECK_EQ(uv_fs_poll_stop(&poller), 0); /* not started */
  CHECK_EQ(uv_fs_poll_start(&poller, note, "file", 1000), 0);
  CHECK(poller.poll_ctx != NULL);
  CHECK(uv_is_active((uv_handle_t*) &poller));
  CHECK_EQ(fs.loop.active_handles, 1);
  CHECK_EQ(fs.loop.active_reqs.count, 1);
  while (fs.loop.active_reqs.count > 0) CHECK(uv_run(&fs.loop, UV_RUN_ONCE) != 0);
  CHECK_EQ(fs.loop.active_handles, 1); /* its timer is not seen */
  CHECK(uv_loop_alive(&fs.loop));
  CHECK_EQ(uv_fs_poll_stop(&poller), 0);
  CHECK_EQ(uv_fs_poll_stop(&poller), 0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &poller), 0);
  CHECK_EQ(fs.loop.active_handles, 0);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_fs_poll_start(&poller, note, "file", 1), 0);
  CHECK(uv_is_active((uv_handle_t*) &poller));
  uv_close((uv_handle_t*) &poller, on_close);
  CHECK_EQ(fs.loop.active_handles, 0);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(closed, 1);
  CHECK_EQ(calls, 0);
  fs_end();
}

TEST(a_closing_handle_does_not_start) {
  OURS_ONLY("the reference starts it");
  fs_begin(0);
  init(&poller);
  uv_close((uv_handle_t*) &poller, NULL);
  CHECK_EQ(uv_fs_poll_start(&poller, note, ".", 1), UV_EINVAL);
  fs_end();
}

TEST(no_path) {
  OURS_ONLY("the reference crashes");
  fs_begin(0);
  init(&poller);
  CHECK_EQ(uv_fs_poll_start(&poller, note, NULL, 1), UV_EINVAL);
  CHECK_EQ(uv_is_active((uv_handle_t*) &poller), 0);
  fs_end();
}

TEST(an_active_handle_goes_on_as_it_was) {
  char text[16];
  size_t size = sizeof(text);
  begin();
  fs_file("file", "");
  start(&poller, "file");
  CHECK_EQ(uv_fs_poll_start(&poller, NULL, "none", 1000000), 0);
  CHECK_EQ(fs.loop.active_reqs.count, 1);
  CHECK_EQ(uv_fs_poll_getpath(&poller, text, &size), 0);
  CHECK_STR(text, "file");
  look(1);
  CHECK_EQ(truncate("file", 1), 0); /* at once: a look may be under way */
  await(0);
  fs_end();
}

TEST(a_change) {
  struct stat info;
  begin();
  fs_file("file", "x");
  start(&poller, "file");
  look(3);
  CHECK_EQ(calls, 0); /* nothing new yet */
  fs_file("file", "xyz");
  while (calls == 0 || now.st_size != 3) CHECK(uv_run(&fs.loop, UV_RUN_ONCE) != 0); /* it may be seen when it is empty */
  info = fs_info("file");
  CHECK_EQ(last_status, 0);
  CHECK_EQ(before.st_ino, now.st_ino);
  CHECK(before.st_size != now.st_size);
  CHECK_EQ(now.st_ino, info.st_ino);
  CHECK_EQ(now.st_dev, info.st_dev);
  CHECK_EQ(now.st_mode, info.st_mode);
  CHECK_EQ(now.st_nlink, 1);
  CHECK_EQ(now.st_uid, info.st_uid);
  CHECK_EQ(now.st_gid, info.st_gid);
  CHECK_EQ(now.st_blksize, info.st_blksize);
  CHECK_EQ(now.st_mtim.tv_sec, info.st_mtim.tv_sec);
  CHECK_EQ(now.st_mtim.tv_nsec, info.st_mtim.tv_nsec);
  calls = 0;
  look(3);
  CHECK_EQ(calls, 0);
  fs_end();
}

TEST(what_counts_as_a_change) {
  struct timespec times[2] = {{1000, 0}, {2000, 5}};
  begin();
  fs_file("file", "x");
  fs_file("new", "x");
  start(&poller, "file");
  look(1);
  CHECK_EQ(chmod("file", 0600), 0);
  await(0);
  CHECK_EQ(before.st_mode & 0777, 0644);
  CHECK_EQ(now.st_mode & 0777, 0600);
  CHECK_EQ(utimensat(AT_FDCWD, "file", times, 0), 0);
  await(0);
  CHECK_EQ(now.st_mtim.tv_sec, 2000);
  CHECK_EQ(now.st_mtim.tv_nsec, 5);
  CHECK_EQ(utimensat(AT_FDCWD, "new", times, 0), 0);
  CHECK_EQ(rename("new", "file"), 0); /* another file */
  await(0);
  CHECK(before.st_ino != now.st_ino);
  CHECK_STR(fs_text("file"), "x"); /* reading is none, though the time of access changes */
  look(2);
  CHECK_EQ(calls, 3);
  fs_end();
}

TEST(a_file_that_is_not_there_yet) {
  begin();
  start(&poller, "file");
  await(UV_ENOENT);
  CHECK(is_nothing(&before));
  CHECK(is_nothing(&now));
  look(2);
  CHECK_EQ(calls, 1); /* once is enough */
  CHECK_EQ(mkdir("file", 0700), 0);
  await(0);
  CHECK(is_nothing(&before));
  CHECK_EQ(now.st_ino, fs_info("file").st_ino);
  fs_end();
}

TEST(a_file_that_goes_and_comes_back) {
  ino_t first;
  begin();
  CHECK_EQ(mkdir("one", 0700), 0);
  CHECK_EQ(mkdir("two", 0700), 0);
  first = fs_info("one").st_ino;
  start(&poller, "one");
  look(1);
  CHECK_EQ(rename("one", "gone"), 0);
  await(UV_ENOENT);
  CHECK_EQ(before.st_ino, first);
  CHECK(is_nothing(&now));
  CHECK_EQ(rename("two", "one"), 0);
  await(0);
  CHECK_EQ(before.st_ino, first); /* what was known last */
  CHECK_EQ(now.st_ino, fs_info("one").st_ino);
  CHECK_EQ(rename("one", "two"), 0);
  await(UV_ENOENT);
  CHECK_EQ(before.st_ino, fs_info("two").st_ino);
  CHECK_EQ(rename("two", "one"), 0);
  await(0); /* back as it was is a change, too */
  CHECK_EQ(before.st_ino, now.st_ino);
  fs_end();
}

TEST(another_reason) {
  begin();
  start(&poller, "dir/file");
  await(UV_ENOENT);
  CHECK_EQ(symlink("dir", "dir"), 0);
  await(UV_ELOOP);
  CHECK(is_nothing(&before));
  CHECK(is_nothing(&now));
  CHECK_EQ(unlink("dir"), 0);
  await(UV_ENOENT);
  fs_end();
}

TEST(a_symbolic_link_is_followed) {
  begin();
  fs_file("file", "");
  CHECK_EQ(symlink("file", "link"), 0);
  start(&poller, "link");
  look(1);
  CHECK_EQ(chmod("file", 0600), 0);
  await(0);
  CHECK_EQ(now.st_ino, fs_info("file").st_ino);
  fs_end();
}

static uv_fs_poll_t other;

TEST(two_handles_of_one_file) {
  begin();
  fs_file("file", "");
  start(&poller, "file");
  start(&other, "file");
  look(1);
  CHECK_EQ(chmod("file", 0600), 0);
  while (calls < 2) CHECK(uv_run(&fs.loop, UV_RUN_ONCE) != 0);
  CHECK_EQ(uv_fs_poll_stop(&poller), 0);
  look(1);
  CHECK_EQ(chmod("file", 0644), 0);
  await(0);
  fs_end();
}

TEST(the_interval) {
  uint64_t began;
  begin();
  init(&poller);
  began = uv_now(&fs.loop);
  CHECK_EQ(uv_fs_poll_start(&poller, note, ".", 20), 0);
  look(6);
  CHECK(uv_now(&fs.loop) - began >= 5 * 20);
  CHECK_EQ(uv_fs_poll_stop(&poller), 0);
  began = uv_now(&fs.loop);
  CHECK_EQ(uv_fs_poll_start(&poller, note, ".", 0), 0); /* counts as 1 */
  look(6);
  CHECK(uv_now(&fs.loop) - began >= 5);
  fs_end();
}

TEST(references) {
  begin();
  uv_unref((uv_handle_t*) &prepare);
  uv_unref((uv_handle_t*) &check);
  init(&poller);
  CHECK_EQ(uv_fs_poll_start(&poller, note, ".", 1000000), 0);
  uv_unref((uv_handle_t*) &poller);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0); /* nothing but the first look keeps the loop alive */
  CHECK_EQ(looks, 1);
  CHECK(uv_is_active((uv_handle_t*) &poller));
  uv_ref((uv_handle_t*) &poller);
  CHECK(uv_loop_alive(&fs.loop));
  fs_end();
}

static void count_handle(uv_handle_t* handle, void* count) {
  (void) handle;
  ++*(int*) count;
}

TEST(nothing_else_is_walked) {
  int count = 0;
  fs_begin(0);
  start(&poller, ".");
  uv_walk(&fs.loop, count_handle, &count);
  CHECK_EQ(count, 1);
  fs_end();
}

TEST(the_path) {
  char text[32];
  size_t size = sizeof(text);
  fs_begin(0);
  init(&poller);
  CHECK_EQ(uv_fs_poll_getpath(&poller, text, &size), UV_EINVAL);
  CHECK_EQ(size, 0);
  CHECK_EQ(uv_fs_poll_start(&poller, note, "./none", 1000000), 0);
  for (size_t room = 1; room < 7; room++) {
    size = room;
    CHECK_EQ(uv_fs_poll_getpath(&poller, text, &size), UV_ENOBUFS);
    CHECK_EQ(size, 7); /* with the NUL */
  }
  for (size = 7; size < sizeof(text); size++) {
    size_t room = size;
    CHECK_EQ(uv_fs_poll_getpath(&poller, text, &room), 0);
    CHECK_EQ(room, 6); /* without */
    CHECK_STR(text, "./none");
  }
  CHECK_EQ(uv_fs_poll_stop(&poller), 0);
  size = sizeof(text);
  CHECK_EQ(uv_fs_poll_getpath(&poller, text, &size), UV_EINVAL);
  CHECK_EQ(size, 0);
  fs_end();
}

TEST(the_path_without_room) {
  char text[32];
  size_t size = sizeof(text);
  NEEDS(1, 52); /* before, these were no arguments */
  fs_begin(0);
  start(&poller, ".");
  CHECK_EQ(uv_fs_poll_getpath(&poller, NULL, &size), UV_EINVAL);
  CHECK_EQ(uv_fs_poll_getpath(&poller, text, NULL), UV_EINVAL);
  size = 0;
  CHECK_EQ(uv_fs_poll_getpath(&poller, text, &size), UV_EINVAL);
  fs_end();
}

static int start_once(long n) {
  init(&poller);
  allocs_fail_at(n);
  int result = uv_fs_poll_start(&poller, note, ".", 1);
  allocs_fail_at(0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &poller), result == 0);
  CHECK_EQ(fs.loop.active_handles, result == 0);
  uv_close((uv_handle_t*) &poller, NULL);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  return result;
}

TEST(without_memory) {
  fs_begin(0);
  CHECK(allocs_exhaust(start_once) >= 2);
  fs_end();
}

TEST(looking_needs_no_memory) {
  OURS_ONLY("the reference aborts");
  begin();
  fs_file("file", "");
  start(&poller, "file");
  allocs.always = 1;
  look(5);
  CHECK_EQ(chmod("file", 0600), 0);
  await(0);
  allocs.always = 0;
  fs_end();
}

TEST(the_child_goes_on_looking) {
  begin();
  fs_file("file", "");
  start(&poller, "file");
  look(1);
  while (fs.loop.active_reqs.count > 0) uv_run(&fs.loop, UV_RUN_NOWAIT); /* none under way */
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(uv_loop_fork(&fs.loop), 0);
    under_way = 0;
    CHECK_EQ(chmod("file", 0600), 0);
    await(0);
    check_close_loop(&fs.loop);
    _exit(0);
  }
  check_child(child);
  fs_end();
}
