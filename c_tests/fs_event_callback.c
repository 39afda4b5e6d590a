/* Watching files: stop, close, start, and hand over to others from within the callback. */
#include "fs_event.h"

static uv_fs_event_t one, two, three;

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
