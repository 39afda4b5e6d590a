/* For misuse that ends the program. */
#ifndef ABORTS_H
#define ABORTS_H

#include "check.h"

#include <sys/resource.h>

/* Expects `misuse` to abort in a process of its own, and our library to name the function on standard error. */
static inline void check_aborts(void (*misuse)(void), const char* function) {
  struct rlimit no_core = {0, 0};
  char said[256] = "";
  int ends[2], status;
  NOT_UNDER_TSAN("its runtime ends misusers of locks itself");
  pid_t child;
  CHECK_EQ(pipe(ends), 0);
  fflush(NULL);
  child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(ends[1], STDERR_FILENO);
    misuse();
    _exit(0);
  }
  close(ends[1]);
  CHECK(read(ends[0], said, sizeof(said) - 1) >= 0);
  close(ends[0]);
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFSIGNALED(status));
  CHECK_EQ(WTERMSIG(status), SIGABRT);
  if (check_is_ours() && strstr(said, function) == NULL) CHECK_FAIL("\"%s\" does not name %s", said, function);
}

#endif
