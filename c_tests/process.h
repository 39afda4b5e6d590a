/* For the tests of child processes: a loop, and one child that is prepared, started, and seen to end. */
#ifndef PROCESS_H
#define PROCESS_H

#include "self.h"

static uv_loop_t loop;
static uv_process_t process;
static uv_process_options_t options;
static uv_stdio_container_t stdio[16];
static char* args[8];
static int exits, closes;
static int64_t last_status;
static int last_signal;

static inline void on_close(uv_handle_t* handle) {
  (void) handle;
  closes++;
}

static inline void on_exit_seen(uv_process_t* handle, int64_t status, int signum) {
  exits++;
  last_status = status;
  last_signal = signum;
  CHECK(!uv_is_active((uv_handle_t*) handle));
  CHECK_EQ(uv_process_kill(handle, 0), UV_ESRCH);
  uv_close((uv_handle_t*) handle, on_close);
}

/* sh -c SCRIPT, with nothing but /dev/null as its standard streams. */
static inline void prepare(const char* script) {
  NOT_UNDER_TSAN("its runtime takes every clone(2) for a fork");
  CHECK_EQ(setenv("PATH", "/usr/bin:/bin", 1), 0); /* without folders that may not be searched */
  memset(&options, 0, sizeof(options));
  memset(stdio, 0, sizeof(stdio));
  args[0] = "sh";
  args[1] = "-c";
  args[2] = (char*) script;
  args[3] = NULL;
  options.file = "/bin/sh";
  options.args = args;
  options.exit_cb = on_exit_seen;
  options.stdio = stdio;
}

static inline void give(int fd, int source) {
  stdio[fd].flags = UV_INHERIT_FD;
  stdio[fd].data.fd = source;
  if (options.stdio_count <= fd) options.stdio_count = fd + 1;
}

static inline int temporary_file(void) {
  FILE* file = tmpfile();
  int fd;
  CHECK(file != NULL);
  fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 100);
  fclose(file);
  return fd;
}

static inline const char* content(int fd) {
  static char text[4096];
  ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
  CHECK(size >= 0);
  text[size] = '\0';
  return text;
}

static inline void run(void) {
  int before = exits;
  CHECK_EQ(uv_spawn(&loop, &process, &options), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(exits, before + 1);
}

/* What the prepared program writes to its standard output. */
static inline const char* output(void) {
  int fd = temporary_file();
  const char* text;
  give(1, fd);
  run();
  text = content(fd);
  close(fd);
  return text;
}

static inline void no_children(void) {
  int status;
  CHECK_EQ(waitpid(-1, &status, WNOHANG), -1);
  CHECK_EQ(errno, ECHILD);
}

static inline void expect_failure(int code) {
  CHECK_EQ(uv_spawn(&loop, &process, &options), code);
  CHECK(!uv_is_active((uv_handle_t*) &process));
  CHECK_EQ(uv_process_get_pid(&process), 0);
  no_children();
  uv_close((uv_handle_t*) &process, NULL);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

/* Leaves nothing but the standard streams. */
static inline void close_others(void) {
  for (int fd = 3; fd < 256; fd++) close(fd);
}

#endif
