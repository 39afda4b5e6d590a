/* Watching files: what is told of files and folders, by which name; stop, close and start from within callbacks; many
 * watches; lost events; fork. */
#include "faults.h"

static uv_fs_event_t one, two, three;
static char seen[8192]; /* "NAME=EVENTS" for each callback, with the handle's `data` before it, if there is one */
static int closed;

static void see(uv_fs_event_t* handle, const char* name, int events, int status) {
  size_t used = strlen(seen);
  CHECK_EQ(status, 0);
  CHECK(uv_is_active((uv_handle_t*) handle));
  snprintf(seen + used, sizeof(seen) - used, "%s%s%s=%d", used != 0 ? " " : "",
           handle->data != NULL ? (char*) handle->data : "", name != NULL ? name : "(null)", events);
}

/* One turn, and what it brought. */
#define CHECK_SEEN(sentence)                                                                                         \
  do {                                                                                                               \
    uv_run(&fs.loop, UV_RUN_NOWAIT);                                                                                 \
    CHECK_STR(seen, sentence);                                                                                       \
    seen[0] = '\0';                                                                                                  \
  } while (0)

static void init(uv_fs_event_t* handle, char* data) {
  memset(handle, 0xa5, sizeof(*handle));
  handle->data = data;
  CHECK_EQ(uv_fs_event_init(&fs.loop, handle), 0);
  CHECK_EQ(handle->data, data);
}

static void start(uv_fs_event_t* handle, char* data, const char* path) {
  init(handle, data);
  CHECK_EQ(uv_fs_event_start(handle, see, path, 0), 0);
}

static void touch(const char* path) {
  int fd = fs_fd(path, O_WRONLY | O_APPEND);
  CHECK_EQ(write(fd, "x", 1), 1);
  CHECK_EQ(close(fd), 0);
}

static void closed_one(uv_handle_t* handle) {
  CHECK_EQ(uv_is_active(handle), 0);
  closed++;
}

TEST(states) {
  fs_begin(0);
  fs_file("file", "");
  CHECK_EQ(fs.loop.inotify_fd, -1);
  init(&one, NULL);
  CHECK_EQ(one.type, UV_FS_EVENT);
  CHECK_EQ(uv_is_active((uv_handle_t*) &one), 0);
  CHECK_EQ(uv_fs_event_stop(&one), 0); /* not started */
  CHECK_EQ(fs.loop.inotify_fd, -1);    /* not needed yet */
  CHECK_EQ(uv_fs_event_start(&one, see, "file", 0), 0);
  CHECK(uv_is_active((uv_handle_t*) &one));
  CHECK_EQ(fs.loop.active_handles, 1);
  CHECK_STR(one.path, "file");
  CHECK_EQ(one.cb, see);
  CHECK(one.wd > 0);
  CHECK_EQ(uv_fs_event_start(&one, see, "file", 0), UV_EINVAL);
  CHECK_EQ(uv_fs_event_start(&one, see, "other", 0), UV_EINVAL);
  CHECK_EQ(fs.loop.active_handles, 1);
  CHECK_EQ(uv_fs_event_stop(&one), 0);
  CHECK_EQ(uv_fs_event_stop(&one), 0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &one), 0);
  CHECK_EQ(fs.loop.active_handles, 0);
  CHECK_EQ(uv_fs_event_start(&one, see, "file", 0), 0);
  touch("file");
  CHECK_SEEN("file=2");
  uv_close((uv_handle_t*) &one, closed_one);
  CHECK_EQ(fs.loop.active_handles, 0);
  uv_run(&fs.loop, UV_RUN_DEFAULT);
  CHECK_EQ(closed, 1);
  fs_end();
}

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

TEST(a_file) {
  fs_begin(0);
  CHECK_EQ(mkdir("dir", 0700), 0);
  fs_file("dir/file", "x");
  start(&one, NULL, "dir/file");
  CHECK_SEEN("");
  touch("dir/file");
  CHECK_SEEN("file=2");
  CHECK_EQ(truncate("dir/file", 0), 0);
  CHECK_SEEN("file=2");
  CHECK_EQ(chmod("dir/file", 0600), 0);
  CHECK_SEEN("file=2");
  CHECK_EQ(strlen(fs_text("dir/file")), 0); /* reading is no change */
  CHECK_SEEN("");
  CHECK_EQ(rename("dir/file", "dir/new"), 0);
  CHECK_SEEN("file=1"); /* by the name it had */
  touch("dir/new");
  CHECK_SEEN("file=2");
  CHECK_EQ(unlink("dir/new"), 0);
  CHECK_SEEN("file=2 file=1 file=1"); /* the number of links, the file, the end of the watch */
  CHECK(uv_is_active((uv_handle_t*) &one));
  fs_file("dir/file", "another");
  CHECK_SEEN("");
  CHECK_EQ(uv_fs_event_stop(&one), 0);
  CHECK_EQ(uv_fs_event_start(&one, see, "dir/file", 0), 0);
  touch("dir/file");
  CHECK_SEEN("file=2");
  fs_end();
}

TEST(a_folder) {
  fs_begin(0);
  CHECK_EQ(mkdir("dir", 0700), 0);
  start(&one, NULL, "dir");
  fs_file("dir/a", "");
  uv_run(&fs.loop, UV_RUN_NOWAIT);
  seen[0] = '\0';
  touch("dir/a");
  CHECK_SEEN("a=2");
  CHECK_EQ(chmod("dir/a", 0600), 0);
  CHECK_SEEN("a=2");
  CHECK_EQ(link("dir/a", "dir/b"), 0);
  CHECK_SEEN("b=1");
  CHECK_EQ(rename("dir/a", "dir/c"), 0);
  CHECK_SEEN("a=1 c=1");
  CHECK_EQ(rename("dir/c", "c"), 0);
  CHECK_SEEN("c=1");
  CHECK_EQ(rename("c", "dir/d"), 0);
  CHECK_SEEN("d=1");
  CHECK_EQ(unlink("dir/d"), 0);
  CHECK_SEEN("d=1");
  fs_end();
}

TEST(a_folder_in_a_folder) {
  fs_begin(0);
  CHECK_EQ(mkdir("dir", 0700), 0);
  init(&one, NULL);
  CHECK_EQ(uv_fs_event_start(&one, see, "dir", UV_FS_EVENT_RECURSIVE), 0); /* which Linux does not know */
  CHECK_EQ(mkdir("dir/below", 0700), 0);
  CHECK_SEEN("below=1");
  fs_file("dir/below/file", "x");
  CHECK_SEEN("");
  CHECK_EQ(unlink("dir/below/file"), 0);
  CHECK_SEEN("");
  CHECK_EQ(rmdir("dir/below"), 0);
  CHECK_SEEN("below=1");
  fs_end();
}

TEST(the_folder_itself) {
  fs_begin(0);
  CHECK_EQ(mkdir("dir", 0700), 0);
  start(&one, NULL, "dir");
  CHECK_EQ(chmod("dir", 0750), 0);
  CHECK_SEEN("dir=3"); /* the kernel says that it is a folder, which reads as a rename, too */
  CHECK_EQ(rename("dir", "new"), 0);
  CHECK_SEEN("dir=1");
  CHECK_EQ(rmdir("new"), 0);
  CHECK_SEEN("dir=1 dir=1");
  CHECK(uv_is_active((uv_handle_t*) &one));
  fs_end();
}

TEST(a_folder_with_a_slash) {
  fs_begin(0);
  CHECK_EQ(mkdir("dir", 0700), 0);
  start(&one, NULL, "dir/");
  CHECK_EQ(chmod("dir", 0750), 0);
  CHECK_SEEN("=3");
  CHECK_EQ(mkdir("dir/below", 0700), 0);
  CHECK_SEEN("below=1");
  fs_end();
}

TEST(the_working_folder) {
  fs_begin(0);
  start(&one, NULL, ".");
  CHECK_EQ(mkdir("dir", 0700), 0);
  CHECK_SEEN("dir=1");
  start(&two, "two:", "/");
  CHECK_SEEN("");
  fs_end();
}

TEST(names_of_every_length) {
  char name[256], wanted[512];
  fs_begin(0);
  start(&one, NULL, ".");
  for (size_t size = 1; size < sizeof(name); size++) {
    memset(name, 'n', size);
    name[size] = '\0';
    CHECK_EQ(mkdir(name, 0700), 0);
    snprintf(wanted, sizeof(wanted), "%s=1", name);
    CHECK_SEEN(wanted);
    CHECK_EQ(rmdir(name), 0);
    CHECK_SEEN(wanted);
  }
  fs_end();
}

TEST(flags_have_no_meaning) {
  static const unsigned int flags[] = {UV_FS_EVENT_WATCH_ENTRY, UV_FS_EVENT_STAT, UV_FS_EVENT_RECURSIVE, ~0u};
  fs_begin(0);
  CHECK_EQ(mkdir("dir", 0700), 0);
  init(&one, NULL);
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(uv_fs_event_start(&one, see, "dir", flags[i]), 0);
    CHECK_EQ(mkdir("dir/below", 0700), 0);
    CHECK_SEEN("below=1");
    CHECK_EQ(rmdir("dir/below"), 0);
    CHECK_SEEN("below=1");
    CHECK_EQ(uv_fs_event_stop(&one), 0);
  }
  fs_end();
}

TEST(two_handles_of_one_file) {
  fs_begin(0);
  fs_file("file", "");
  start(&one, "1:", "file");
  start(&two, "2:", "file");
  CHECK_EQ(one.wd, two.wd);
  touch("file");
  CHECK_SEEN("1:file=2 2:file=2");
  CHECK_EQ(uv_fs_event_stop(&one), 0);
  touch("file");
  CHECK_SEEN("2:file=2"); /* the watch is the second's, too */
  CHECK_EQ(uv_fs_event_start(&one, see, "file", 0), 0);
  touch("file");
  CHECK_SEEN("2:file=2 1:file=2");
  CHECK_EQ(uv_fs_event_stop(&two), 0);
  CHECK_EQ(uv_fs_event_stop(&one), 0);
  touch("file");
  CHECK_SEEN("");
  fs_end();
}

TEST(one_file_by_many_paths) {
  OURS_ONLY("the reference gives all of them the path of the first");
  fs_begin(0);
  fs_file("file", "");
  CHECK_EQ(link("file", "linked"), 0);
  CHECK_EQ(symlink("file", "symbolic"), 0);
  start(&one, "1:", "./file");
  start(&two, "2:", "linked");
  start(&three, "3:", "symbolic");
  CHECK_EQ(one.wd, two.wd);
  CHECK_EQ(one.wd, three.wd);
  touch("file");
  CHECK_SEEN("1:file=2 2:linked=2 3:symbolic=2");
  CHECK_EQ(uv_fs_event_stop(&one), 0);
  touch("file");
  CHECK_SEEN("2:linked=2 3:symbolic=2");
  CHECK_STR(two.path, "linked");
  CHECK_STR(three.path, "symbolic");
  fs_end();
}

TEST(one_descriptor_for_all) {
  int first;
  fs_begin(0);
  start(&one, NULL, ".");
  first = fs.loop.inotify_fd;
  CHECK(first >= 0);
  CHECK(fcntl(first, F_GETFD) & FD_CLOEXEC);
  CHECK(fcntl(first, F_GETFL) & O_NONBLOCK);
  start(&two, NULL, "/");
  CHECK_EQ(fs.loop.inotify_fd, first);
  CHECK_EQ(uv_fs_event_stop(&one), 0);
  CHECK_EQ(uv_fs_event_stop(&two), 0);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0); /* does not keep the loop alive */
  CHECK_EQ(uv_fs_event_start(&one, see, ".", 0), 0);
  CHECK_EQ(fs.loop.inotify_fd, first);
  fs_end();
  CHECK_EQ(fcntl(first, F_GETFD), -1);
}

TEST(references) {
  fs_begin(0);
  start(&one, NULL, ".");
  CHECK(uv_loop_alive(&fs.loop));
  uv_unref((uv_handle_t*) &one);
  CHECK_EQ(uv_loop_alive(&fs.loop), 0);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(mkdir("dir", 0700), 0);
  uv_ref((uv_handle_t*) &one);
  CHECK(uv_loop_alive(&fs.loop));
  CHECK_SEEN("dir=1");
  fs_end();
}

TEST(the_path) {
  char text[32];
  size_t size = sizeof(text);
  fs_begin(0);
  fs_file("file", "");
  init(&one, NULL);
  CHECK_EQ(uv_fs_event_getpath(&one, text, &size), UV_EINVAL);
  CHECK_EQ(size, 0);
  CHECK_EQ(uv_fs_event_start(&one, see, "./file", 0), 0);
  for (size_t room = 1; room < 7; room++) {
    memset(text, '#', sizeof(text));
    size = room;
    CHECK_EQ(uv_fs_event_getpath(&one, text, &size), UV_ENOBUFS);
    CHECK_EQ(size, 7); /* with the NUL */
  }
  for (size = 7; size < sizeof(text); size++) {
    size_t room = size;
    CHECK_EQ(uv_fs_event_getpath(&one, text, &room), 0);
    CHECK_EQ(room, 6); /* without */
    CHECK_STR(text, "./file");
  }
  CHECK_EQ(uv_fs_event_stop(&one), 0);
  size = sizeof(text);
  CHECK_EQ(uv_fs_event_getpath(&one, text, &size), UV_EINVAL);
  CHECK_EQ(size, 0);
  fs_end();
}

TEST(the_path_without_room) {
  char text[32];
  size_t size = sizeof(text);
  NEEDS(1, 52); /* before, these were no arguments */
  fs_begin(0);
  start(&one, NULL, ".");
  CHECK_EQ(uv_fs_event_getpath(&one, NULL, &size), UV_EINVAL);
  CHECK_EQ(uv_fs_event_getpath(&one, text, NULL), UV_EINVAL);
  size = 0;
  CHECK_EQ(uv_fs_event_getpath(&one, text, &size), UV_EINVAL);
  fs_end();
}

TEST(events_before_a_stop_are_not_told) {
  fs_begin(0);
  fs_file("file", "");
  start(&one, NULL, "file");
  touch("file");
  CHECK_EQ(uv_fs_event_stop(&one), 0);
  CHECK_EQ(uv_fs_event_start(&one, see, "file", 0), 0);
  CHECK_SEEN("");
  touch("file");
  CHECK_SEEN("file=2");
  touch("file");
  uv_close((uv_handle_t*) &one, closed_one);
  CHECK_SEEN("");
  fs_end();
}

static void see_and_stop(uv_fs_event_t* handle, const char* name, int events, int status) {
  CHECK_EQ(uv_fs_event_stop(handle), 0);
  CHECK_STR(name, "file"); /* is still there */
  CHECK_EQ(events, UV_CHANGE);
  CHECK_EQ(status, 0);
  strcat(seen, "stopped");
}

TEST(stop_in_the_callback) {
  fs_begin(0);
  fs_file("file", "");
  init(&one, NULL);
  CHECK_EQ(uv_fs_event_start(&one, see_and_stop, "file", 0), 0);
  touch("file");
  CHECK_EQ(chmod("file", 0600), 0); /* a second event behind the first */
  CHECK_SEEN("stopped");
  CHECK_EQ(uv_is_active((uv_handle_t*) &one), 0);
  touch("file");
  CHECK_SEEN("");
  CHECK_EQ(uv_fs_event_start(&one, see, "file", 0), 0);
  touch("file");
  CHECK_SEEN("file=2");
  fs_end();
}

static void free_handle(uv_handle_t* handle) {
  closed++;
  free(handle);
}

static void see_and_close(uv_fs_event_t* handle, const char* name, int events, int status) {
  uv_close((uv_handle_t*) handle, free_handle);
  CHECK_STR(name, "file");
  CHECK_EQ(events, UV_CHANGE);
  CHECK_EQ(status, 0);
}

TEST(close_in_the_callback) {
  uv_fs_event_t* handle = malloc(sizeof(*handle));
  fs_begin(0);
  fs_file("file", "");
  init(handle, NULL);
  CHECK_EQ(uv_fs_event_start(handle, see_and_close, "file", 0), 0);
  start(&two, NULL, "file");
  touch("file");
  CHECK_EQ(chmod("file", 0600), 0);
  CHECK_SEEN("file=2 file=2");
  CHECK_EQ(closed, 1);
  fs_end();
}

static uv_fs_event_t* others[2];

static void see_and_stop_others(uv_fs_event_t* handle, const char* name, int events, int status) {
  see(handle, name, events, status);
  for (int i = 0; i < 2; i++)
    if (others[i] != NULL) CHECK_EQ(uv_fs_event_stop(others[i]), 0);
}

TEST(stop_others_of_the_same_file_in_the_callback) {
  fs_begin(0);
  fs_file("file", "");
  start(&one, "1:", "file");
  init(&two, "2:");
  CHECK_EQ(uv_fs_event_start(&two, see_and_stop_others, "file", 0), 0);
  start(&three, "3:", "file");
  others[0] = &one;   /* which was called before */
  others[1] = &three; /* which is not called any more */
  touch("file");
  CHECK_EQ(chmod("file", 0600), 0);
  CHECK_SEEN("1:file=2 2:file=2 2:file=2");
  CHECK_EQ(uv_fs_event_start(&three, see, "file", 0), 0);
  others[0] = &two; /* itself */
  others[1] = NULL;
  touch("file");
  CHECK_SEEN("2:file=2 3:file=2");
  touch("file");
  CHECK_SEEN("3:file=2"); /* the watch was not ended */
  fs_end();
}

static void close_all(uv_fs_event_t* handle, const char* name, int events, int status) {
  see(handle, name, events, status);
  uv_close((uv_handle_t*) &one, closed_one);
  uv_close((uv_handle_t*) &two, closed_one);
  uv_close((uv_handle_t*) &three, closed_one);
}

TEST(close_all_of_a_file_in_the_callback) {
  fs_begin(0);
  fs_file("file", "");
  start(&one, "1:", "file");
  init(&two, "2:");
  CHECK_EQ(uv_fs_event_start(&two, close_all, "file", 0), 0);
  start(&three, "3:", "file");
  touch("file");
  CHECK_EQ(chmod("file", 0600), 0);
  CHECK_SEEN("1:file=2 2:file=2");
  CHECK_EQ(closed, 3);
  fs_end();
}

TEST(stop_a_handle_of_another_file_in_the_callback) {
  fs_begin(0);
  fs_file("file", "");
  fs_file("other", "");
  init(&one, "1:");
  CHECK_EQ(uv_fs_event_start(&one, see_and_stop_others, "file", 0), 0);
  start(&two, "2:", "other");
  others[0] = &two;
  touch("file");
  touch("other"); /* fetched together */
  CHECK_SEEN("1:file=2");
  fs_end();
}

static int restarts;

static void see_and_restart(uv_fs_event_t* handle, const char* name, int events, int status) {
  see(handle, name, events, status);
  restarts++;
  CHECK_EQ(uv_fs_event_stop(handle), 0);
  CHECK_EQ(uv_fs_event_start(handle, see_and_restart, "file", 0), 0);
}

TEST(restart_in_the_callback) {
  fs_begin(0);
  fs_file("file", "");
  init(&one, "1:");
  CHECK_EQ(uv_fs_event_start(&one, see_and_restart, "file", 0), 0);
  start(&two, "2:", "file");
  touch("file");
  CHECK_SEEN("1:file=2 2:file=2"); /* once for one event */
  touch("file");
  uv_run(&fs.loop, UV_RUN_NOWAIT);
  CHECK_EQ(restarts, 2);
  CHECK_EQ(uv_fs_event_stop(&two), 0);
  for (int i = 3; i < 10; i++) { /* alone, it begins a new watch each time */
    touch("file");
    uv_run(&fs.loop, UV_RUN_NOWAIT);
    CHECK_EQ(restarts, i);
  }
  fs_end();
}

static void see_and_start_two(uv_fs_event_t* handle, const char* name, int events, int status) {
  see(handle, name, events, status);
  if (!uv_is_active((uv_handle_t*) &two)) CHECK_EQ(uv_fs_event_start(&two, see, "file", 0), 0);
}

TEST(start_another_in_the_callback) {
  fs_begin(0);
  fs_file("file", "");
  init(&one, "1:");
  init(&two, "2:");
  CHECK_EQ(uv_fs_event_start(&one, see_and_start_two, "file", 0), 0);
  touch("file");
  CHECK_SEEN("1:file=2"); /* the other began after the event */
  touch("file");
  CHECK_SEEN("1:file=2 2:file=2");
  fs_end();
}

static void see_and_hand_over(uv_fs_event_t* handle, const char* name, int events, int status) {
  see(handle, name, events, status);
  CHECK_EQ(uv_fs_event_stop(handle), 0);
  CHECK_EQ(uv_fs_event_start(&two, see, "file", 0), 0);
}

TEST(hand_over_to_another_in_the_callback) {
  fs_begin(0);
  fs_file("file", "");
  init(&one, "1:");
  init(&two, "2:");
  CHECK_EQ(uv_fs_event_start(&one, see_and_hand_over, "file", 0), 0);
  touch("file");
  CHECK_SEEN("1:file=2");
  touch("file");
  CHECK_SEEN("2:file=2");
  fs_end();
}

TEST(a_path_that_is_made_again) {
  fs_begin(0);
  fs_file("file", "");
  start(&one, "1:", "file");
  CHECK_EQ(unlink("file"), 0);
  CHECK_SEEN("1:file=2 1:file=1 1:file=1");
  fs_file("file", "");
  start(&two, "2:", "file");
  CHECK(one.wd != two.wd);
  touch("file");
  CHECK_SEEN("2:file=2");
  CHECK_EQ(uv_fs_event_stop(&one), 0); /* ends nothing that is the other's */
  touch("file");
  CHECK_SEEN("2:file=2");
  fs_end();
}

enum { MANY = 300 };
static uv_fs_event_t many[MANY];

static void count_events(uv_fs_event_t* handle, const char* name, int events, int status) {
  CHECK_EQ(atoi(name), handle - many);
  CHECK_EQ(events, UV_CHANGE);
  CHECK_EQ(status, 0);
  handle->data = (char*) handle->data + 1;
}

static void touch_many(void) {
  char name[16];
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof(name), "%d", i);
    touch(name);
  }
  uv_run(&fs.loop, UV_RUN_NOWAIT);
}

TEST(many_files) {
  char name[16];
  fs_begin(0);
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof(name), "%d", i);
    fs_file(name, "");
    init(&many[i], NULL);
    CHECK_EQ(uv_fs_event_start(&many[i], count_events, name, 0), 0);
  }
  touch_many();
  for (int i = 0; i < MANY; i++) CHECK_EQ((intptr_t) many[i].data, 1);
  for (int i = 0; i < MANY; i += 3) CHECK_EQ(uv_fs_event_stop(&many[i]), 0);
  touch_many();
  for (int i = 0; i < MANY; i++) CHECK_EQ((intptr_t) many[i].data, i % 3 == 0 ? 1 : 2);
  for (int i = 0; i < MANY; i += 3) {
    snprintf(name, sizeof(name), "%d", i);
    CHECK_EQ(uv_fs_event_start(&many[i], count_events, name, 0), 0);
  }
  touch_many();
  for (int i = 0; i < MANY; i++) CHECK_EQ((intptr_t) many[i].data, i % 3 == 0 ? 2 : 3);
  fs_end();
}

static int next_entry;

static void count_entries(uv_fs_event_t* handle, const char* name, int events, int status) {
  (void) handle;
  CHECK_EQ(atoi(name), next_entry);
  CHECK_EQ(events, UV_RENAME);
  CHECK_EQ(status, 0);
  next_entry++;
}

TEST(many_events) {
  enum { COUNT = 2000 };
  char name[200];
  fs_begin(0);
  init(&one, NULL);
  CHECK_EQ(uv_fs_event_start(&one, count_entries, ".", 0), 0);
  for (int i = 0; i < COUNT; i++) { /* with names of many lengths, so that they fill no buffer exactly */
    snprintf(name, sizeof(name), "%d.%0*d", i, i % 180 + 1, 0);
    CHECK_EQ(mkdir(name, 0700), 0);
  }
  while (next_entry < COUNT) CHECK(uv_run(&fs.loop, UV_RUN_ONCE) != 0);
  uv_run(&fs.loop, UV_RUN_NOWAIT);
  CHECK_EQ(next_entry, COUNT);
  fs_end();
}

static int told, lost, lost_by[3];

static void count_lost(uv_fs_event_t* handle, const char* name, int events, int status) {
  CHECK_EQ(status, 0);
  told++;
  if (name != NULL) return;
  CHECK_EQ(events, UV_CHANGE);
  lost_by[handle - &many[0]]++;
  lost++;
}

TEST(lost_events) {
  OURS_ONLY("the reference says nothing");
  long limit = strtol(fs_text("/proc/sys/fs/inotify/max_queued_events"), NULL, 10);
  if (limit > 100000) SKIP("the kernel's queue is very long");
  fs_begin(0);
  fs_file("file", "");
  fs_file("other", "");
  for (int i = 0; i < 3; i++) {
    init(&many[i], NULL);
    CHECK_EQ(uv_fs_event_start(&many[i], count_lost, i == 0 ? "file" : i == 1 ? "other" : "/", 0), 0);
  }
  for (long i = 0; i <= limit; i++) { /* by turns, or else they would be one */
    CHECK_EQ(chmod("file", 0600), 0);
    CHECK_EQ(chmod("other", 0600), 0);
  }
  while (lost < 3) CHECK(uv_run(&fs.loop, UV_RUN_ONCE) != 0);
  uv_run(&fs.loop, UV_RUN_NOWAIT);
  CHECK_EQ(told, limit + 3);
  for (int i = 0; i < 3; i++) CHECK_EQ(lost_by[i], 1); /* each, also who had nothing to lose */
  CHECK_EQ(chmod("file", 0644), 0);
  uv_run(&fs.loop, UV_RUN_NOWAIT);
  CHECK_EQ(told, limit + 4); /* goes on */
  fs_end();
}

static void close_when_lost(uv_fs_event_t* handle, const char* name, int events, int status) {
  (void) handle, (void) events, (void) status;
  if (name != NULL) return;
  lost++;
  for (int i = 0; i < 3; i++) uv_close((uv_handle_t*) &many[i], closed_one);
}

TEST(close_all_when_events_are_lost) {
  OURS_ONLY("the reference says nothing");
  long limit = strtol(fs_text("/proc/sys/fs/inotify/max_queued_events"), NULL, 10);
  if (limit > 100000) SKIP("the kernel's queue is very long");
  fs_begin(0);
  fs_file("file", "");
  fs_file("other", "");
  for (int i = 0; i < 3; i++) {
    init(&many[i], NULL);
    CHECK_EQ(uv_fs_event_start(&many[i], close_when_lost, i == 0 ? "file" : "other", 0), 0);
  }
  for (long i = 0; i <= limit; i++) {
    CHECK_EQ(chmod("file", 0600), 0);
    CHECK_EQ(chmod("other", 0600), 0);
  }
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(lost, 1);
  CHECK_EQ(closed, 3);
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

TEST(many_files_without_memory) {
  OURS_ONLY("what it counts is how this library finds its handles");
  char name[16];
  fs_begin(0);
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof(name), "%d", i);
    fs_file(name, "");
    init(&many[i], NULL);
    allocs_fail_at(2); /* the path may have memory, nothing else */
    CHECK_EQ(uv_fs_event_start(&many[i], count_events, name, 0), i == 0 ? UV_ENOMEM : 0);
    allocs_fail_at(0);
    if (i == 0) CHECK_EQ(uv_fs_event_start(&many[i], count_events, name, 0), 0);
  }
  touch_many();
  for (int i = 0; i < MANY; i++) CHECK_EQ((intptr_t) many[i].data, 1);
  fs_end();
}

/* Fork. */

static void child_is_fine(pid_t child) {
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 0);
}

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
  child_is_fine(child);
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
  child_is_fine(child);
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
  child_is_fine(child);
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
  child_is_fine(child);
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
  child_is_fine(forked);
  fs_end();
}
