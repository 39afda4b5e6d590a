/* What the process has open and runs, as the system tells it: for tests of what must not be left behind. */
#ifndef SELF_H
#define SELF_H

#include "check.h"

#include <dirent.h>
#include <fcntl.h>

/* All open files, and a few more, always as many. */
static inline int self_open_files(void) {
  int count = 0;
  DIR* files = opendir("/proc/self/fd");
  CHECK(files != NULL);
  while (readdir(files) != NULL) count++;
  closedir(files);
  return count;
}

/* Open files with numbers below `most`; opens none to find out. */
static inline int self_open_files_below(int most) {
  int count = 0;
  for (int fd = 0; fd < most; fd++) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

/* Of all threads, or of those that have this name. One that is ending does not count: the system lists it for a moment after it was
 * joined. */
static inline int self_count_threads(const char* wanted) {
  const unsigned is_exiting = 4; /* among its flags; proc(5) */
  struct dirent* entry;
  int count = 0;
  DIR* tasks = opendir("/proc/self/task");
  CHECK(tasks != NULL);
  while ((entry = readdir(tasks)) != NULL) {
    char path[300], line[600] = "", *name, *end;
    unsigned flags = 0;
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/self/task/%s/stat", entry->d_name);
    FILE* file = fopen(path, "r");
    if (file == NULL) continue; /* it has just ended */
    if (fgets(line, sizeof line, file) == NULL) line[0] = '\0';
    fclose(file);
    if ((name = strchr(line, '(')) == NULL || (end = strrchr(line, ')')) == NULL) continue;
    *end = '\0';
    if (sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) != 1 || (flags & is_exiting) != 0) continue;
    count += wanted == NULL || strcmp(name + 1, wanted) == 0;
  }
  closedir(tasks);
  return count;
}

static inline int self_threads(void) {
  return self_count_threads(NULL);
}

static inline int self_threads_named(const char* name) {
  return self_count_threads(name);
}

/* Processor time that all threads have used, in milliseconds. */
static inline long self_processor_time(void) {
  struct timespec used;
  CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
  return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

#endif
