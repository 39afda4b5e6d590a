/* For the tests of watching files: a callback that notes what it is told, and turns of the loop that say what they
 * brought. */
#ifndef FS_EVENT_H
#define FS_EVENT_H

#include "fs.h"

static char seen[8192]; /* "NAME=EVENTS" for each callback, with the handle's `data` before it, if there is one */
static int closed;

static inline void see(uv_fs_event_t* handle, const char* name, int events, int status) {
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

static inline void init(uv_fs_event_t* handle, char* data) {
  memset(handle, 0xa5, sizeof(*handle));
  handle->data = data;
  CHECK_EQ(uv_fs_event_init(&fs.loop, handle), 0);
  CHECK_EQ(handle->data, data);
}

static inline void start(uv_fs_event_t* handle, char* data, const char* path) {
  init(handle, data);
  CHECK_EQ(uv_fs_event_start(handle, see, path, 0), 0);
}

static inline void touch(const char* path) {
  int fd = fs_fd(path, O_WRONLY | O_APPEND);
  CHECK_EQ(write(fd, "x", 1), 1);
  CHECK_EQ(close(fd), 0);
}

static inline void closed_one(uv_handle_t* handle) {
  CHECK_EQ(uv_is_active(handle), 0);
  closed++;
}

#endif
