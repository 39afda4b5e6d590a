/* The program itself: folders, user, priority, and what it has used. */
#include "allocs.h"
#include "check.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char buffer[PATH_MAX + 1];
static char expected[PATH_MAX + 1];
static size_t size;

/* What all functions do that fill a buffer and its size. */
#define CHECK_BUFFER(function, text)                                                                                 \
  do {                                                                                                               \
    const char* text_ = (text);                                                                                      \
    size_t length_ = strlen(text_);                                                                                  \
    CHECK_EQ(function(NULL, &size), UV_EINVAL);                                                                      \
    CHECK_EQ(function(buffer, NULL), UV_EINVAL);                                                                     \
    size = 0;                                                                                                        \
    CHECK_EQ(function(buffer, &size), UV_EINVAL);                                                                    \
    size = 1;                                                                                                        \
    CHECK_EQ(function(buffer, &size), UV_ENOBUFS);                                                                   \
    CHECK_EQ(size, length_ + 1);                                                                                     \
    size = length_;                                                                                                  \
    CHECK_EQ(function(buffer, &size), UV_ENOBUFS);                                                                   \
    CHECK_EQ(size, length_ + 1);                                                                                     \
    memset(buffer, 'x', sizeof(buffer));                                                                             \
    CHECK_EQ(function(buffer, &size), 0);                                                                            \
    CHECK_EQ(size, length_);                                                                                         \
    CHECK_STR(buffer, text_);                                                                                        \
    size = sizeof(buffer);                                                                                           \
    CHECK_EQ(function(buffer, &size), 0);                                                                            \
    CHECK_EQ(size, length_);                                                                                         \
  } while (0)

TEST(current_folder) {
  static char folder[] = "/tmp/uv-program-XXXXXX";
  CHECK(mkdtemp(folder) != NULL);
  CHECK_EQ(uv_chdir(folder), 0);
  CHECK_BUFFER(uv_cwd, folder);
  CHECK_EQ(uv_chdir("no-such-folder"), UV_ENOENT);
  CHECK_EQ(uv_chdir("/dev/null"), UV_ENOTDIR);
  CHECK_BUFFER(uv_cwd, folder);
  CHECK_EQ(rmdir(folder), 0);
  size = sizeof(buffer);
  CHECK_EQ(uv_cwd(buffer, &size), UV_ENOENT);
  CHECK_EQ(uv_chdir("/"), 0);
  size = sizeof(buffer);
  CHECK_EQ(uv_cwd(buffer, &size), 0);
  CHECK_EQ(size, 1);
  CHECK_STR(buffer, "/");
}

TEST(executable) {
  ssize_t length = readlink("/proc/self/exe", expected, sizeof(expected) - 1);
  CHECK(length > 0);
  CHECK_EQ(uv_exepath(NULL, &size), UV_EINVAL);
  CHECK_EQ(uv_exepath(buffer, NULL), UV_EINVAL);
  size = 0;
  CHECK_EQ(uv_exepath(buffer, &size), UV_EINVAL);
  for (size_t room = 1; room <= 3; room++) {
    memset(buffer, 'x', sizeof(buffer));
    size = room;
    CHECK_EQ(uv_exepath(buffer, &size), 0); /* cut, not refused */
    CHECK_EQ(size, room - 1);
    CHECK_EQ(buffer[size], 0);
  }
  size = sizeof(buffer);
  CHECK_EQ(uv_exepath(buffer, &size), 0);
  CHECK_EQ(size, length);
  CHECK_STR(buffer, expected);
}

TEST(home_from_the_environment) {
  CHECK_EQ(setenv("HOME", "/some/where", 1), 0);
  CHECK_BUFFER(uv_os_homedir, "/some/where");
}

TEST(home_from_the_list_of_users) {
  struct passwd* entry = getpwuid(geteuid());
  if (entry == NULL) SKIP("this user has no entry");
  strcpy(expected, entry->pw_dir);
  CHECK_EQ(unsetenv("HOME"), 0);
  CHECK_BUFFER(uv_os_homedir, expected);
}

TEST(temporary_folder) {
  static const char* names[] = {"TMPDIR", "TMP", "TEMP", "TEMPDIR"};
  for (int i = 0; i < 4; i++) unsetenv(names[i]);
  CHECK_BUFFER(uv_os_tmpdir, "/tmp");
  for (int i = 3; i >= 0; i--) {
    snprintf(expected, sizeof(expected), "/folder/%d", i);
    CHECK_EQ(setenv(names[i], expected, 1), 0);
    CHECK_BUFFER(uv_os_tmpdir, expected);
  }
  CHECK_EQ(setenv("TMPDIR", "/with/slash/", 1), 0);
  size = sizeof(buffer);
  CHECK_EQ(uv_os_tmpdir(buffer, &size), 0);
  CHECK_STR(buffer, "/with/slash");
  CHECK_EQ(size, strlen(buffer));
  CHECK_EQ(setenv("TMPDIR", "/", 1), 0);
  size = sizeof(buffer);
  CHECK_EQ(uv_os_tmpdir(buffer, &size), 0);
  CHECK_STR(buffer, "/");
}

TEST(entry_of_the_user) {
  struct passwd* entry = getpwuid(geteuid());
  uv_passwd_t found;
  CHECK_EQ(uv_os_get_passwd(NULL), UV_EINVAL);
  if (entry == NULL) SKIP("this user has no entry");
  CHECK_EQ(uv_os_get_passwd(&found), 0);
  CHECK_STR(found.username, entry->pw_name);
  CHECK_STR(found.homedir, entry->pw_dir);
  CHECK_STR(found.shell, entry->pw_shell);
  CHECK_EQ(found.uid, entry->pw_uid);
  CHECK_EQ(found.gid, entry->pw_gid);
  uv_os_free_passwd(&found);
  CHECK(found.username == NULL && found.homedir == NULL && found.shell == NULL);
  uv_os_free_passwd(&found);
  uv_os_free_passwd(NULL);
}

TEST(entries_of_other_users) {
  uv_passwd_t found;
  NEEDS(1, 45);
  CHECK_EQ(uv_os_get_passwd2(NULL, 0), UV_EINVAL);
  CHECK_EQ(uv_os_get_passwd2(&found, 0), 0);
  CHECK_STR(found.username, "root");
  CHECK_EQ(found.uid, 0);
  uv_os_free_passwd(&found);
  CHECK_EQ(uv_os_get_passwd2(&found, 0x7ffffff0), UV_ENOENT);
}

TEST(entries_of_groups) {
  uv_group_t found;
  struct group* entry;
  int members;
  NEEDS(1, 45);
  CHECK_EQ(uv_os_get_group(NULL, 0), UV_EINVAL);
  CHECK_EQ(uv_os_get_group(&found, 0x7ffffff0), UV_ENOENT);
  for (gid_t gid = 0; gid < 50; gid++) {
    entry = getgrgid(gid);
    if (entry == NULL) continue;
    CHECK_EQ(uv_os_get_group(&found, gid), 0);
    CHECK_STR(found.groupname, entry->gr_name);
    CHECK_EQ(found.gid, gid);
    for (members = 0; entry->gr_mem[members] != NULL; members++)
      CHECK_STR(found.members[members], entry->gr_mem[members]);
    CHECK(found.members[members] == NULL);
    uv_os_free_group(&found);
    CHECK(found.groupname == NULL && found.members == NULL);
    uv_os_free_group(&found);
  }
  uv_os_free_group(NULL);
}

static int passwd_failing_at(long n) {
  uv_passwd_t found;
  int result;
  allocs_fail_at(n);
  result = uv_os_get_passwd2(&found, 0);
  allocs_fail_at(0);
  if (result == 0) uv_os_free_passwd(&found);
  return result;
}

static int group_failing_at(long n) {
  uv_group_t found;
  int result;
  allocs_fail_at(n);
  result = uv_os_get_group(&found, 0);
  allocs_fail_at(0);
  if (result == 0) uv_os_free_group(&found);
  return result;
}

static int own_passwd_failing_at(long n) {
  uv_passwd_t found;
  int result;
  allocs_fail_at(n);
  result = uv_os_get_passwd(&found);
  allocs_fail_at(0);
  if (result == 0) uv_os_free_passwd(&found);
  return result;
}

static int home_failing_at(long n) {
  int result;
  size = sizeof(buffer);
  memset(buffer, 'x', sizeof(buffer));
  allocs_fail_at(n);
  result = uv_os_homedir(buffer, &size);
  allocs_fail_at(0);
  if (result != 0) CHECK_EQ(buffer[0], 'x');
  return result;
}

TEST(the_users_entry_without_memory) {
  allocs_install();
  if (getpwuid(geteuid()) == NULL) SKIP("this user has no entry");
  CHECK(allocs_exhaust(own_passwd_failing_at) > 0);
  CHECK_EQ(unsetenv("HOME"), 0);
  CHECK(allocs_exhaust(home_failing_at) > 0);
}

TEST(entries_without_memory) {
  NEEDS(1, 45);
  allocs_install();
  CHECK(allocs_exhaust(passwd_failing_at) > 0);
  CHECK(allocs_exhaust(group_failing_at) > 0);
}

TEST(priority) {
  int found = 100;
  CHECK_EQ(uv_os_getpriority(0, NULL), UV_EINVAL);
  CHECK_EQ(uv_os_getpriority(0, &found), 0);
  CHECK_EQ(found, getpriority(PRIO_PROCESS, 0));
  CHECK_EQ(uv_os_setpriority(0, -21), UV_EINVAL);
  CHECK_EQ(uv_os_setpriority(0, 20), UV_EINVAL);
  CHECK_EQ(uv_os_setpriority(uv_os_getpid(), UV_PRIORITY_LOW), 0);
  CHECK_EQ(uv_os_getpriority(uv_os_getpid(), &found), 0);
  CHECK_EQ(found, 19);
  CHECK_EQ(uv_os_getpriority(-1, &found), UV_ESRCH);
  CHECK_EQ(uv_os_setpriority(-1, 0), UV_ESRCH);
  if (uv_os_setpriority(0, -1) != 0) SKIP("without the right to a higher priority");
  CHECK_EQ(uv_os_getpriority(0, &found), 0); /* -1 is no error */
  CHECK_EQ(found, -1);
}

static double seconds(uv_timeval_t time) {
  return (double) time.tv_sec + (double) time.tv_usec / 1e6;
}

static volatile unsigned long work;

TEST(what_was_used) {
  uv_rusage_t before, after, thread;
  struct rusage system;
  NEEDS(1, 50);
  CHECK_EQ(uv_getrusage(&before), 0);
  CHECK(before.ru_maxrss > 100 && before.ru_maxrss < 1 << 24); /* KiB */
  do {
    for (int i = 0; i < 100000; i++) work++;
    CHECK_EQ(uv_getrusage(&after), 0);
    CHECK_EQ(uv_getrusage_thread(&thread), 0);
  } while (seconds(after.ru_utime) < seconds(before.ru_utime) + 0.02);
  CHECK(seconds(thread.ru_utime) > 0);
  CHECK_EQ(uv_getrusage(&before), 0);
  CHECK_EQ(getrusage(RUSAGE_SELF, &system), 0);
  CHECK_EQ(uv_getrusage(&after), 0);
  CHECK(before.ru_minflt <= (uint64_t) system.ru_minflt && (uint64_t) system.ru_minflt <= after.ru_minflt);
  CHECK(before.ru_nvcsw <= (uint64_t) system.ru_nvcsw && (uint64_t) system.ru_nvcsw <= after.ru_nvcsw);
  CHECK(before.ru_maxrss <= (uint64_t) system.ru_maxrss && (uint64_t) system.ru_maxrss <= after.ru_maxrss);
}

TEST(resident_memory) {
  NOT_UNDER_TSAN("its own memory is what grows");
  NOT_UNDER_ASAN("its own memory is what grows");
  size_t before, after, more = 64 << 20;
  char* block;
  CHECK_EQ(uv_resident_set_memory(&before), 0);
  CHECK(before > 100 << 10);
  block = malloc(more);
  CHECK(block != NULL);
  memset(block, 1, more);
  CHECK_EQ(uv_resident_set_memory(&after), 0);
  CHECK(after >= before + more / 2);
  free(block);
}
