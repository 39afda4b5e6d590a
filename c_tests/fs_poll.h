/* For the tests of looking at files: a callback that notes what it gets, and a way to count the looks. */
#ifndef FS_POLL_H
#define FS_POLL_H

#include "fs.h"

static uv_fs_poll_t poller;
static int calls, closed;
static int last_status;
static uv_stat_t before, now; /* as the last callback got them */
static const uv_stat_t nothing;

static inline void note(uv_fs_poll_t* handle, int status, const uv_stat_t* prev, const uv_stat_t* curr) {
  CHECK(uv_is_active((uv_handle_t*) handle));
  CHECK(!uv_is_closing((uv_handle_t*) handle));
  calls++;
  last_status = status;
  before = *prev;
  now = *curr;
}

static inline int is_nothing(const uv_stat_t* stat) {
  return memcmp(stat, &nothing, sizeof(nothing)) == 0;
}

static inline void init(uv_fs_poll_t* handle) {
  memset(handle, 0xa5, sizeof(*handle));
  handle->data = &calls;
  CHECK_EQ(uv_fs_poll_init(&fs.loop, handle), 0);
  CHECK_EQ(handle->data, &calls);
}

static inline void start(uv_fs_poll_t* handle, const char* path) {
  init(handle);
  CHECK_EQ(uv_fs_poll_start(handle, note, path, 1), 0);
}

/* Counts the looks from within the loop: between prepare and check the pool's results come in. */
static uv_prepare_t prepare;
static uv_check_t check;
static int under_way, looks;

static inline void on_prepare(uv_prepare_t* handle) {
  (void) handle;
  if (fs.loop.active_reqs.count > 0) under_way = 1;
}

static inline void on_check(uv_check_t* handle) {
  (void) handle;
  if (!under_way || fs.loop.active_reqs.count > 0) return;
  under_way = 0;
  looks++;
}

static inline void count_looks(void) {
  CHECK_EQ(uv_prepare_init(&fs.loop, &prepare), 0);
  CHECK_EQ(uv_check_init(&fs.loop, &check), 0);
  CHECK_EQ(uv_prepare_start(&prepare, on_prepare), 0);
  CHECK_EQ(uv_check_start(&check, on_check), 0);
}

/* Lets so many looks pass. */
static inline void look(int count) {
  for (looks = 0; looks < count;) CHECK(uv_run(&fs.loop, UV_RUN_ONCE) != 0);
}

/* Waits for the next callback, and lets some looks pass that bring no other. */
static inline void await(int status) {
  int wanted = calls + 1;
  while (calls < wanted) CHECK(uv_run(&fs.loop, UV_RUN_ONCE) != 0);
  look(2);
  CHECK_EQ(calls, wanted);
  CHECK_EQ(last_status, status);
}

static inline void begin(void) {
  fs_begin(0);
  count_looks();
}

static inline void on_close(uv_handle_t* handle) {
  CHECK_EQ(uv_is_active(handle), 0);
  closed++;
}

#endif
