/* Watching many files, and more events than are fetched at once, or than the kernel keeps. */
#include "fs_event.h"

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

static uv_fs_event_t one;

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

/* How many events the kernel keeps. */
static long most_events(void) {
  long limit = strtol(fs_text("/proc/sys/fs/inotify/max_queued_events"), NULL, 10);
  if (limit > 100000) SKIP("the kernel's queue is very long");
  return limit;
}

/* Makes more events than that. */
static void overflow(long limit) {
  for (long i = 0; i <= limit; i++) { /* by turns, or else they would be one */
    CHECK_EQ(chmod("file", 0600), 0);
    CHECK_EQ(chmod("other", 0600), 0);
  }
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
  long limit = most_events();
  fs_begin(0);
  fs_file("file", "");
  fs_file("other", "");
  CHECK_EQ(mkdir("quiet", 0700), 0);
  for (int i = 0; i < 3; i++) {
    init(&many[i], NULL);
    CHECK_EQ(uv_fs_event_start(&many[i], count_lost, i == 0 ? "file" : i == 1 ? "other" : "quiet", 0), 0);
  }
  overflow(limit);
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
  long limit = most_events();
  fs_begin(0);
  fs_file("file", "");
  fs_file("other", "");
  for (int i = 0; i < 3; i++) {
    init(&many[i], NULL);
    CHECK_EQ(uv_fs_event_start(&many[i], close_when_lost, i == 0 ? "file" : "other", 0), 0);
  }
  overflow(limit);
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(lost, 1);
  CHECK_EQ(closed, 3);
  fs_end();
}
