/* What cannot be watched, and watching without permission, descriptors, memory, or a loop that may wait. */
#include "faults.h"
#include "fs_event.h"

static uv_fs_event_t one, two;

TEST(a_closing_handle_does_not_start) {
  OURS_ONLY("the reference starts it");
  fs_begin(0);
  init(&one, NULL);
  uv_close((uv_handle_t*) &one, NULL);
  CHECK_EQ(uv_fs_event_start(&one, see, ".", 0), UV_EINVAL);
  fs_end();
}

TEST(paths_that_cannot_be_watched) {
  char text[5000];
  fs_begin(0);
  fs_file("file", "");
  init(&one, NULL);
  memset(text, 'x', sizeof(text) - 1);
  text[sizeof(text) - 1] = '\0';
  CHECK_EQ(uv_fs_event_start(&one, see, "none", 0), UV_ENOENT);
  CHECK_EQ(uv_fs_event_start(&one, see, "", 0), UV_ENOENT);
  CHECK_EQ(uv_fs_event_start(&one, see, "file/below", 0), UV_ENOTDIR);
  CHECK_EQ(uv_fs_event_start(&one, see, text, 0), UV_ENAMETOOLONG);
  CHECK_EQ(uv_is_active((uv_handle_t*) &one), 0);
  CHECK_EQ(fs.loop.active_handles, 0);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_fs_event_start(&one, see, "file", 0), 0); /* nothing is left of the attempts */
  touch("file");
  CHECK_SEEN("file=2");
  fs_end();
}

TEST(no_path) {
  OURS_ONLY("the reference leaves it to the kernel");
  fs_begin(0);
  init(&one, NULL);
  CHECK_EQ(uv_fs_event_start(&one, see, NULL, 0), UV_EINVAL);
  CHECK_EQ(uv_is_active((uv_handle_t*) &one), 0);
  fs_end();
}

TEST(a_path_without_permission) {
  fs_begin(0);
  CHECK_EQ(mkdir("closed", 0), 0);
  fs_be_ordinary();
  CHECK_EQ(mkdir("mine", 0), 0);
  init(&one, NULL);
  CHECK_EQ(uv_fs_event_start(&one, see, "mine", 0), UV_EACCES);
  CHECK_EQ(uv_fs_event_start(&one, see, "closed", 0), UV_EACCES);
  fs_end();
}

TEST(no_descriptors) {
  struct rlimit limit, none;
  fs_begin(0);
  init(&one, NULL);
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  none = limit;
  none.rlim_cur = 0;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  CHECK_EQ(uv_fs_event_start(&one, see, ".", 0), UV_EMFILE);
  CHECK_EQ(uv_is_active((uv_handle_t*) &one), 0);
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  CHECK_EQ(uv_fs_event_start(&one, see, ".", 0), 0);
  fs_file("file", "");
  CHECK_SEEN("file=1");
  fs_end();
}

/* Where the kernel does not let the loop wait for events, the loop asks for them itself. */
TEST(a_loop_that_may_not_wait_for_events) {
  static const int refused[] = {SYS_epoll_ctl, FAULTS_END};
  OURS_ONLY("the reference aborts");
  fs_begin(0);
  faults_add(SYS_epoll_ctl);
  faults_begin();
  start(&one, NULL, ".");
  faults_set(refused, FAULTS_ANY_FILE, 0, FAULTS_ALL, ENOSPC);
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(i % 2 == 0 ? mkdir("dir", 0700) : rmdir("dir"), 0);
    while (seen[0] == '\0') CHECK(uv_run(&fs.loop, UV_RUN_ONCE) != 0);
    CHECK_SEEN("dir=1");
  }
  CHECK(faults_clear() > 3);
  CHECK_EQ(rmdir("dir"), 0); /* it lets the loop again */
  CHECK_SEEN("dir=1");
  fs_end();
}

/* Memory. */

static int start_first(long n) {
  CHECK_EQ(uv_loop_init(&fs.loop), 0);
  init(&one, NULL);
  allocs_fail_at(n);
  int result = uv_fs_event_start(&one, see, ".", 0);
  allocs_fail_at(0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &one), result == 0);
  if (result != 0) CHECK_EQ(uv_fs_event_start(&one, see, ".", 0), 0); /* works once there is memory */
  CHECK_EQ(mkdir("dir", 0700), 0);
  CHECK_SEEN("dir=1");
  CHECK_EQ(rmdir("dir"), 0);
  check_close_loop(&fs.loop);
  seen[0] = '\0';
  return result;
}

TEST(without_memory) {
  fs_begin(0);
  check_close_loop(&fs.loop);
  CHECK(allocs_exhaust(start_first) >= 1);
  CHECK_EQ(uv_loop_init(&fs.loop), 0);
  fs_end();
}

static int start_second(long n) {
  init(&two, NULL);
  allocs_fail_at(n);
  int result = uv_fs_event_start(&two, see, n % 2 == 0 ? "." : "/", 0);
  allocs_fail_at(0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &two), result == 0);
  uv_close((uv_handle_t*) &two, NULL);
  uv_run(&fs.loop, UV_RUN_NOWAIT);
  return result;
}

TEST(a_second_start_without_memory) {
  fs_begin(0);
  start(&one, NULL, ".");
  CHECK(allocs_exhaust(start_second) >= 1);
  CHECK_EQ(mkdir("dir", 0700), 0);
  CHECK_SEEN("dir=1"); /* the first goes on */
  fs_end();
}
