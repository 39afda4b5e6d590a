/* What the tests of the debug port share: where it is, asking it, and reading what it says. */
#ifndef DEBUG_PORT_H
#define DEBUG_PORT_H

#include "port.h"

#include "../tools/json.h"
#include "self.h"

#include <sys/socket.h>
#include <sys/un.h>

static char folder[] = "/tmp/uvx-debug-test-XXXXXX";
static char path[100], answer[1 << 18];

static inline void set_up(void) {
  CHECK(mkdtemp(folder) != NULL);
  snprintf(path, sizeof path, "%s/socket", folder);
}

static inline void clean_up(void) {
  CHECK_EQ(rmdir(folder), 0); /* so no file is left */
}

static inline int start_at(const char* where) {
  uvx_debug_options_t options = {.size = sizeof options, .path = where};
  return uvx_debug_start(&options);
}

static inline void start(void) {
  set_up();
  CHECK_EQ(start_at(path), 0);
}

static inline void stop(void) {
  uvx_debug_stop();
  clean_up();
}

static inline int connect_to(const char* where) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(fd != -1);
  snprintf(address.sun_path, sizeof address.sun_path, "%s", where);
  if (connect(fd, (struct sockaddr*) &address, sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

static inline const char* read_answer(int fd) {
  size_t used = 0;
  ssize_t count;
  while ((count = read(fd, answer + used, sizeof answer - 1 - used)) != 0) {
    if (count == -1 && errno == EINTR) continue;
    CHECK(count > 0);
    used += (size_t) count;
  }
  close(fd);
  answer[used] = '\0';
  return answer;
}

/* What the port says now. */
static inline const char* ask(void) {
  int fd = connect_to(path);
  CHECK(fd != -1);
  read_answer(fd);
  if (!json_is_whole(answer)) CHECK_FAIL("not JSON: %s", answer);
  CHECK_EQ(json_number(json_get(answer, "uvx_debug")), 1);
  CHECK_EQ(json_number(json_get(answer, "pid")), getpid());
  return answer;
}

static inline int loops_in(const char* text) {
  int count = 0;
  while (json_item(json_get(text, "loops"), count) != NULL) count++;
  return count;
}

/* The newest loop. */
static inline const char* ask_for_loop(void) {
  const char* found = json_item(json_get(ask(), "loops"), 0);
  CHECK(found != NULL);
  return found;
}

static inline void check_handles(const char* of_loop, const char* kind, int count, int active, int referenced) {
  const char* found = json_get(json_get(of_loop, "handles"), kind);
  if (count == 0) CHECK(found == NULL);
  CHECK_EQ(json_number(json_get(found, "count")), count);
  CHECK_EQ(json_number(json_get(found, "active")), active);
  CHECK_EQ(json_number(json_get(found, "referenced")), referenced);
}

static inline void check_phase(const char* wanted) {
  char phase[32];
  CHECK_STR(json_string(json_get(ask_for_loop(), "phase"), phase, sizeof phase), wanted);
}

static uv_loop_t loop;

#endif
