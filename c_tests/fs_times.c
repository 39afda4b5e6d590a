/* Setting the times of files: by path, by descriptor, of a link itself; fractions, before 1970, now, and not at all. */
#include "fs.h"

#include <math.h>

/* The three ways to set the times of "file". */
enum way { BY_PATH, BY_FD, BY_LINK_PATH, WAYS };
static int fd;

static ssize_t set_times(enum way way, double atime, double mtime) {
  switch (way) {
    case BY_PATH: return FS(uv_fs_utime, "file", atime, mtime);
    case BY_FD: return FS(uv_fs_futime, fd, atime, mtime);
    default: return FS(uv_fs_lutime, "file", atime, mtime);
  }
}

static void make_file(void) {
  struct timespec times[2] = {{1000, 111}, {2000, 222}};
  if (fd == 0) fd = fs_fd("file", O_RDWR | O_CREAT);
  CHECK_EQ(futimens(fd, times), 0);
}

static void check_time(struct timespec found, long seconds, long nanoseconds) {
  CHECK_EQ(found.tv_sec, seconds);
  CHECK_EQ(found.tv_nsec, nanoseconds);
}

/* Of a second that is exact in binary, and so in the file. */
static void check_exact(double atime, long seconds, long nanoseconds) {
  for (enum way way = BY_PATH; way < WAYS; way++) {
    make_file();
    CHECK_EQ(set_times(way, atime, 3), 0);
    check_time(fs_info("file").st_atim, seconds, nanoseconds);
    check_time(fs_info("file").st_mtim, 3, 0);
    CHECK_EQ(set_times(way, 4, atime), 0);
    check_time(fs_info("file").st_atim, 4, 0);
    check_time(fs_info("file").st_mtim, seconds, nanoseconds);
  }
}

FS_TEST(types) {
  make_file();
  CHECK_EQ(set_times(BY_PATH, 1, 2), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_UTIME);
  CHECK_EQ(set_times(BY_FD, 1, 2), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_FUTIME);
  CHECK_EQ(set_times(BY_LINK_PATH, 1, 2), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_LUTIME);
}

FS_TEST(whole_seconds) {
  check_exact(0, 0, 0);
  check_exact(1, 1, 0);
  check_exact(1700000000, 1700000000, 0);
  check_exact(2147483647, 2147483647, 0);
}

FS_TEST(fractions) {
  check_exact(0.5, 0, 500000000);
  check_exact(1234567890.5, 1234567890, 500000000);
  check_exact(1234567890.25, 1234567890, 250000000);
  check_exact(1.75, 1, 750000000);
}

FS_TEST(before_1970) {
  check_exact(-1, -1, 0);
  check_exact(-86400, -86400, 0);
  check_exact(-0.5, -1, 500000000);
  check_exact(-1.75, -2, 250000000);
  check_exact(-1000000.25, -1000001, 750000000);
}

static double distance(struct timespec found, double wanted) {
  return fabs((double) found.tv_sec - trunc(wanted) + (double) found.tv_nsec / 1e9 - (wanted - trunc(wanted)));
}

/* A number of this size has no better than a quarter of a microsecond. */
FS_TEST(microseconds) {
  static const double times[] = {1234567890.123456, 1700000000.654321, 12345.000001, 12345.999999};
  for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
    for (enum way way = BY_PATH; way < WAYS; way++) {
      make_file();
      CHECK_EQ(set_times(way, times[i], times[i] + 1), 0);
      CHECK(distance(fs_info("file").st_atim, times[i]) < 1.5e-6);
      CHECK(distance(fs_info("file").st_mtim, times[i] + 1) < 1.5e-6);
    }
  }
}

FS_TEST(nanoseconds) {
  static const double times[] = {0.000000001, 0.123456789, 1.987654321, 1000.000000999, 2000.999999999, 0.999999999};
  NEEDS(1, 52);
  for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
    for (enum way way = BY_PATH; way < WAYS; way++) {
      make_file();
      CHECK_EQ(set_times(way, times[i], -times[i]), 0);
      CHECK(distance(fs_info("file").st_atim, times[i]) < 1.5e-9);
      CHECK(distance(fs_info("file").st_mtim, -times[i]) < 1.5e-9);
      CHECK(fs_info("file").st_mtim.tv_nsec >= 0 && fs_info("file").st_mtim.tv_nsec < 1000000000);
    }
  }
}

FS_TEST(after_2038) {
  static const double times[] = {2147483648.0, 4294967296.5, 6000000000.25};
  for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
    struct timespec same[2] = {{(time_t) times[i], 0}, {(time_t) times[i], 0}};
    make_file();
    CHECK_EQ(futimens(fd, same), 0);
    if (fs_info("file").st_mtim.tv_sec != same[1].tv_sec) SKIP("the file system does not know such times");
    check_exact(times[i], (long) times[i], (long) ((times[i] - trunc(times[i])) * 1e9));
  }
}

/* The clock of files is the coarse one. */
static struct timespec coarse_now(void) {
  struct timespec now;
  CHECK_EQ(clock_gettime(CLOCK_REALTIME_COARSE, &now), 0);
  return now;
}

static int not_before(struct timespec a, struct timespec b) {
  return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec >= b.tv_nsec);
}

FS_TEST(now) {
  NEEDS(1, 51);
  for (enum way way = BY_PATH; way < WAYS; way++) {
    make_file();
    struct timespec before = coarse_now();
    CHECK_EQ(set_times(way, UV_FS_UTIME_NOW, 5), 0);
    CHECK(not_before(fs_info("file").st_atim, before));
    check_time(fs_info("file").st_mtim, 5, 0);
    CHECK_EQ(set_times(way, 6, UV_FS_UTIME_NOW), 0);
    check_time(fs_info("file").st_atim, 6, 0);
    CHECK(not_before(fs_info("file").st_mtim, before));
    make_file();
    CHECK_EQ(set_times(way, UV_FS_UTIME_NOW, UV_FS_UTIME_NOW), 0);
    CHECK(not_before(fs_info("file").st_atim, before));
    CHECK(not_before(fs_info("file").st_mtim, before));
  }
}

FS_TEST(omit) {
  NEEDS(1, 51);
  for (enum way way = BY_PATH; way < WAYS; way++) {
    make_file();
    CHECK_EQ(set_times(way, UV_FS_UTIME_OMIT, 5), 0);
    check_time(fs_info("file").st_atim, 1000, 111);
    check_time(fs_info("file").st_mtim, 5, 0);
    CHECK_EQ(set_times(way, 6, UV_FS_UTIME_OMIT), 0);
    check_time(fs_info("file").st_atim, 6, 0);
    check_time(fs_info("file").st_mtim, 5, 0);
    make_file();
    CHECK_EQ(set_times(way, UV_FS_UTIME_OMIT, UV_FS_UTIME_OMIT), 0);
    check_time(fs_info("file").st_atim, 1000, 111);
    check_time(fs_info("file").st_mtim, 2000, 222);
    struct timespec before = coarse_now();
    CHECK_EQ(set_times(way, UV_FS_UTIME_OMIT, UV_FS_UTIME_NOW), 0);
    check_time(fs_info("file").st_atim, 1000, 111);
    CHECK(not_before(fs_info("file").st_mtim, before));
  }
}

FS_TEST(of_links) {
  make_file();
  CHECK_EQ(symlink("file", "symbolic"), 0);
  CHECK_EQ(symlink("none", "dangling"), 0);
  struct timespec before = fs_info("symbolic").st_mtim;
  CHECK_EQ(FS(uv_fs_utime, "symbolic", 50, 60), 0);
  check_time(fs_info("file").st_atim, 50, 0);
  check_time(fs_info("file").st_mtim, 60, 0);
  check_time(fs_info("symbolic").st_mtim, before.tv_sec, before.tv_nsec);
  CHECK_EQ(FS(uv_fs_lutime, "symbolic", 70, 80.5), 0);
  check_time(fs_info("symbolic").st_atim, 70, 0);
  check_time(fs_info("symbolic").st_mtim, 80, 500000000);
  check_time(fs_info("file").st_mtim, 60, 0);
  CHECK_EQ(FS(uv_fs_utime, "dangling", 1, 2), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_lutime, "dangling", 1, 2), 0);
  check_time(fs_info("dangling").st_mtim, 2, 0);
}

FS_TEST(of_folders) {
  CHECK_EQ(mkdir("folder", 0755), 0);
  CHECK_EQ(FS(uv_fs_utime, "folder", 1, 2), 0);
  check_time(fs_info("folder").st_mtim, 2, 0);
  fd = fs_fd("folder", O_RDONLY);
  CHECK_EQ(FS(uv_fs_futime, fd, 3, 4), 0);
  check_time(fs_info("folder").st_mtim, 4, 0);
  CHECK_EQ(close(fd), 0);
}

FS_TEST(failures) {
  fs_file("plain", "");
  CHECK_EQ(FS(uv_fs_utime, "none", 1, 2), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_lutime, "none", 1, 2), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_utime, "plain/x", 1, 2), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_lutime, "plain/x", 1, 2), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_futime, -1, 1, 2), UV_EBADF);
  CHECK_EQ(FS(uv_fs_futime, 100000000, 1, 2), UV_EBADF);
}

FS_TEST(without_permission) {
  fs_be_ordinary();
  CHECK_EQ(FS(uv_fs_utime, "/", 1, 2), UV_EPERM);
  CHECK_EQ(FS(uv_fs_lutime, "/", 1, 2), UV_EPERM);
  int root = fs_fd("/", O_RDONLY);
  CHECK_EQ(FS(uv_fs_futime, root, 1, 2), UV_EPERM);
  CHECK_EQ(close(root), 0);
  CHECK_EQ(mkdir("closed", 0700), 0);
  fs_file("closed/file", "");
  CHECK_EQ(chmod("closed", 0), 0);
  CHECK_EQ(FS(uv_fs_utime, "closed/file", 1, 2), UV_EACCES);
  CHECK_EQ(chmod("closed", 0700), 0);
}

FS_TEST(now_without_permission) {
  NEEDS(1, 51);
  fs_be_ordinary();
  CHECK_EQ(FS(uv_fs_utime, "/", UV_FS_UTIME_NOW, UV_FS_UTIME_NOW), UV_EACCES);
  CHECK_EQ(FS(uv_fs_utime, "/", UV_FS_UTIME_OMIT, UV_FS_UTIME_OMIT), 0); /* nothing to be forbidden */
}
