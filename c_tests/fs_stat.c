/* What is known of a file and of a file system, compared with what the system itself says. */
#define FS_AT_ONCE
#include "fs.h"

#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#define CHECK_TIME(field, seconds, nanoseconds)                                                                      \
  do {                                                                                                               \
    CHECK_EQ((field).tv_sec, seconds);                                                                               \
    CHECK_EQ((field).tv_nsec, nanoseconds);                                                                          \
  } while (0)

/* Every field of the last result against what statx says of the same file. */
static void check_fields(int dir, const char* path, int flags) {
  const uv_stat_t* found = &fs.req.statbuf;
  struct statx wanted;
  if (statx(dir, path, flags, STATX_BASIC_STATS | STATX_BTIME, &wanted) != 0) SKIP("no statx to compare with");
  CHECK_EQ(fs.req.ptr, found);
  CHECK_EQ(uv_fs_get_statbuf(&fs.req), found);
  CHECK_EQ(found->st_dev, makedev(wanted.stx_dev_major, wanted.stx_dev_minor));
  CHECK_EQ(found->st_mode, wanted.stx_mode);
  CHECK_EQ(found->st_nlink, wanted.stx_nlink);
  CHECK_EQ(found->st_uid, wanted.stx_uid);
  CHECK_EQ(found->st_gid, wanted.stx_gid);
  CHECK_EQ(found->st_rdev, makedev(wanted.stx_rdev_major, wanted.stx_rdev_minor));
  CHECK_EQ(found->st_ino, wanted.stx_ino);
  CHECK_EQ(found->st_size, wanted.stx_size);
  CHECK_EQ(found->st_blksize, wanted.stx_blksize);
  CHECK_EQ(found->st_blocks, wanted.stx_blocks);
  CHECK_EQ(found->st_flags, 0);
  CHECK_EQ(found->st_gen, 0);
  CHECK_TIME(found->st_atim, wanted.stx_atime.tv_sec, wanted.stx_atime.tv_nsec);
  CHECK_TIME(found->st_mtim, wanted.stx_mtime.tv_sec, wanted.stx_mtime.tv_nsec);
  CHECK_TIME(found->st_ctim, wanted.stx_ctime.tv_sec, wanted.stx_ctime.tv_nsec);
  CHECK_TIME(found->st_birthtim, wanted.stx_btime.tv_sec, wanted.stx_btime.tv_nsec); /* 0 if nobody knows */
}

static void check_path(const char* path) {
  CHECK_EQ(FS(uv_fs_stat, path), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_STAT);
  check_fields(AT_FDCWD, path, 0);
  CHECK_EQ(FS(uv_fs_lstat, path), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_LSTAT);
  check_fields(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
}

static void check_open(int fd) {
  CHECK_EQ(FS(uv_fs_fstat, fd), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_FSTAT);
  check_fields(fd, "", AT_EMPTY_PATH);
}

FS_TEST(a_file) {
  fs_file("file", "some text");
  CHECK_EQ(link("file", "second"), 0);
  CHECK_EQ(chmod("file", 04751), 0);
  check_path("file");
  CHECK_EQ(fs.req.statbuf.st_mode, S_IFREG | 04751);
  CHECK_EQ(fs.req.statbuf.st_nlink, 2);
  CHECK_EQ(fs.req.statbuf.st_size, 9);
  int fd = fs_fd("file", O_RDONLY);
  check_open(fd);
  CHECK_EQ(unlink("file"), 0);
  CHECK_EQ(unlink("second"), 0);
  check_open(fd);
  CHECK_EQ(fs.req.statbuf.st_nlink, 0);
  CHECK_EQ(close(fd), 0);
}

FS_TEST(a_folder) {
  check_path(".");
  CHECK(S_ISDIR(fs.req.statbuf.st_mode));
  check_path("/");
  int fd = fs_fd(".", O_RDONLY);
  check_open(fd);
  CHECK_EQ(close(fd), 0);
  fd = fs_fd(".", O_PATH);
  check_open(fd);
  CHECK_EQ(close(fd), 0);
}

FS_TEST(links) {
  fs_file("file", "some text");
  CHECK_EQ(symlink("file", "symbolic"), 0);
  check_path("symbolic");
  CHECK_EQ(FS(uv_fs_stat, "symbolic"), 0);
  CHECK(S_ISREG(fs.req.statbuf.st_mode));
  CHECK_EQ(fs.req.statbuf.st_size, 9);
  CHECK_EQ(FS(uv_fs_lstat, "symbolic"), 0);
  CHECK(S_ISLNK(fs.req.statbuf.st_mode));
  CHECK_EQ(fs.req.statbuf.st_size, 4);
  CHECK_EQ(symlink("none", "dangling"), 0);
  CHECK_EQ(FS(uv_fs_stat, "dangling"), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_lstat, "dangling"), 0);
  CHECK(S_ISLNK(fs.req.statbuf.st_mode));
}

FS_TEST(devices) {
  check_path("/dev/null");
  CHECK(S_ISCHR(fs.req.statbuf.st_mode));
  CHECK_EQ(fs.req.statbuf.st_rdev, makedev(1, 3));
  int fd = fs_fd("/dev/zero", O_RDONLY);
  check_open(fd);
  CHECK_EQ(fs.req.statbuf.st_rdev, makedev(1, 5));
  CHECK_EQ(close(fd), 0);
}

FS_TEST(pipes_and_sockets) {
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
  int ends[2], fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_EQ(mkfifo("fifo", 0600), 0);
  check_path("fifo");
  CHECK(S_ISFIFO(fs.req.statbuf.st_mode));
  CHECK_EQ(bind(fd, (struct sockaddr*) &name, sizeof(name)), 0);
  check_path("socket");
  CHECK(S_ISSOCK(fs.req.statbuf.st_mode));
  check_open(fd);
  CHECK(S_ISSOCK(fs.req.statbuf.st_mode));
  CHECK_EQ(close(fd), 0);
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  check_open(ends[0]);
  CHECK(S_ISFIFO(fs.req.statbuf.st_mode));
  close(ends[0]), close(ends[1]);
}

FS_TEST(size_and_blocks) {
  int fd = fs_fd("file", O_RDWR | O_CREAT);
  char block[8192] = {1};
  CHECK_EQ(ftruncate(fd, 1 << 20), 0);
  CHECK_EQ(pwrite(fd, block, sizeof(block), 1 << 19), sizeof(block));
  CHECK_EQ(fsync(fd), 0); /* only then the blocks are counted for good */
  check_open(fd);
  CHECK_EQ(fs.req.statbuf.st_size, 1 << 20);
  if (ftruncate(fd, 6LL << 30) == 0) {
    check_open(fd);
    CHECK_EQ(fs.req.statbuf.st_size, 6LL << 30);
    check_path("file");
  }
  CHECK_EQ(close(fd), 0);
}

FS_TEST(times_to_the_nanosecond) {
  struct timespec times[2] = {{1234567890, 123456789}, {987654321, 987654321}};
  fs_file("file", "");
  CHECK_EQ(utimensat(AT_FDCWD, "file", times, 0), 0);
  check_path("file");
  CHECK_EQ(fs.req.statbuf.st_atim.tv_sec, 1234567890);
  CHECK_EQ(fs.req.statbuf.st_mtim.tv_sec, 987654321);
  times[0].tv_sec = -5;
  times[1].tv_sec = 6000000000; /* the year 2160 */
  CHECK_EQ(utimensat(AT_FDCWD, "file", times, 0), 0);
  check_path("file");
}

/* The birth does not move with the other times. */
FS_TEST(birth) {
  struct timespec times[2] = {{1000, 0}, {2000, 0}};
  struct statx info;
  fs_file("file", "");
  CHECK_EQ(FS(uv_fs_stat, "file"), 0);
  uv_timespec_t birth = fs.req.statbuf.st_birthtim;
  if (statx(AT_FDCWD, "file", 0, STATX_BTIME, &info) != 0 || (info.stx_mask & STATX_BTIME) == 0)
    SKIP("the file system does not keep the time of birth");
  CHECK(birth.tv_sec > 1000000000);
  CHECK_EQ(utimensat(AT_FDCWD, "file", times, 0), 0);
  CHECK_EQ(FS(uv_fs_stat, "file"), 0);
  CHECK_TIME(fs.req.statbuf.st_birthtim, birth.tv_sec, birth.tv_nsec);
  CHECK_TIME(fs.req.statbuf.st_atim, 1000, 0);
  CHECK_TIME(fs.req.statbuf.st_mtim, 2000, 0);
}

FS_TEST(failures) {
  fs_file("file", "");
  CHECK_EQ(symlink("circle", "circle"), 0);
  CHECK_EQ(FS(uv_fs_stat, "none"), UV_ENOENT);
  CHECK_EQ(fs.req.ptr, NULL);
  CHECK_EQ(FS(uv_fs_lstat, "none"), UV_ENOENT);
  CHECK_EQ(fs.req.ptr, NULL);
  CHECK_EQ(FS(uv_fs_stat, ""), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_lstat, ""), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_stat, "file/x"), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_stat, "file/"), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_stat, "circle"), UV_ELOOP);
  CHECK_EQ(FS(uv_fs_lstat, "circle"), 0);
  CHECK_EQ(FS(uv_fs_fstat, -1), UV_EBADF);
  CHECK_EQ(fs.req.ptr, NULL);
  CHECK_EQ(FS(uv_fs_fstat, 100000000), UV_EBADF);
  CHECK_EQ(FS(uv_fs_statfs, "none"), UV_ENOENT);
  CHECK_EQ(fs.req.ptr, NULL);
  CHECK_EQ(FS(uv_fs_statfs, "file/x"), UV_ENOTDIR);
}

FS_TEST(without_permission) {
  fs_be_ordinary();
  CHECK_EQ(mkdir("closed", 0700), 0);
  fs_file("closed/file", "");
  CHECK_EQ(chmod("closed", 0600), 0);
  CHECK_EQ(FS(uv_fs_stat, "closed/file"), UV_EACCES);
  CHECK_EQ(FS(uv_fs_lstat, "closed/file"), UV_EACCES);
  CHECK_EQ(FS(uv_fs_statfs, "closed/file"), UV_EACCES);
  CHECK_EQ(FS(uv_fs_stat, "closed"), 0);
  CHECK_EQ(chmod("closed", 0700), 0);
}

/* Old kernels do not have the call, and some sandboxes forbid it. */
static void without_statx(int error) {
  fs_file("file", "some text");
  CHECK_EQ(symlink("none", "dangling"), 0);
  struct stat wanted = fs_info("file");
  int fd = fs_fd("file", O_RDONLY);
  fs_refuse_call(SYS_statx, error);
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(i == 0 ? FS(uv_fs_stat, "file") : FS(uv_fs_fstat, fd), 0);
    CHECK_EQ(fs.req.ptr, &fs.req.statbuf);
    CHECK_EQ(fs.req.statbuf.st_dev, wanted.st_dev);
    CHECK_EQ(fs.req.statbuf.st_ino, wanted.st_ino);
    CHECK_EQ(fs.req.statbuf.st_mode, wanted.st_mode);
    CHECK_EQ(fs.req.statbuf.st_nlink, wanted.st_nlink);
    CHECK_EQ(fs.req.statbuf.st_uid, wanted.st_uid);
    CHECK_EQ(fs.req.statbuf.st_gid, wanted.st_gid);
    CHECK_EQ(fs.req.statbuf.st_size, 9);
    CHECK_EQ(fs.req.statbuf.st_blksize, wanted.st_blksize);
    CHECK_EQ(fs.req.statbuf.st_blocks, wanted.st_blocks);
    CHECK_TIME(fs.req.statbuf.st_atim, wanted.st_atim.tv_sec, wanted.st_atim.tv_nsec);
    CHECK_TIME(fs.req.statbuf.st_mtim, wanted.st_mtim.tv_sec, wanted.st_mtim.tv_nsec);
    CHECK_TIME(fs.req.statbuf.st_ctim, wanted.st_ctim.tv_sec, wanted.st_ctim.tv_nsec);
    CHECK_TIME(fs.req.statbuf.st_birthtim, wanted.st_ctim.tv_sec, wanted.st_ctim.tv_nsec); /* the best that is known */
  }
  CHECK_EQ(FS(uv_fs_lstat, "dangling"), 0);
  CHECK(S_ISLNK(fs.req.statbuf.st_mode));
  CHECK_EQ(FS(uv_fs_stat, "dangling"), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_stat, "/dev/null"), 0);
  CHECK_EQ(fs.req.statbuf.st_rdev, makedev(1, 3));
  CHECK_EQ(close(fd), 0);
  CHECK_EQ(FS(uv_fs_fstat, fd), UV_EBADF);
}

FS_TEST(without_statx_in_the_kernel) { without_statx(ENOSYS); }
FS_TEST(without_statx_in_the_sandbox) { without_statx(EPERM); }

static void check_file_system(const char* path) {
  struct statfs wanted;
  const uv_statfs_t* found;
  CHECK_EQ(FS(uv_fs_statfs, path), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_STATFS);
  found = fs.req.ptr;
  CHECK(found != NULL);
  CHECK_EQ(statfs(path, &wanted), 0);
  CHECK_EQ(found->f_type, wanted.f_type);
  CHECK_EQ(found->f_bsize, wanted.f_bsize);
  CHECK_EQ(found->f_blocks, wanted.f_blocks);
  CHECK(found->f_bfree <= wanted.f_blocks); /* others make and remove files meanwhile */
  CHECK(found->f_bavail <= found->f_bfree);
  CHECK(found->f_ffree <= found->f_files);
}

FS_TEST(file_systems) {
  check_file_system(".");
  check_file_system("/");
  check_file_system("/dev");
  fs_file("file", "");
  check_file_system("file");
}

/* One whose numbers nobody changes. */
FS_TEST(a_file_system_at_rest) {
  struct statfs wanted;
  const uv_statfs_t* found;
  if (statfs("/proc", &wanted) != 0 || wanted.f_type != 0x9fa0) SKIP("no /proc");
  check_file_system("/proc");
  found = fs.req.ptr;
  CHECK_EQ(found->f_type, 0x9fa0);
  CHECK_EQ(found->f_bfree, wanted.f_bfree);
  CHECK_EQ(found->f_bavail, wanted.f_bavail);
  CHECK_EQ(found->f_files, wanted.f_files);
  CHECK_EQ(found->f_ffree, wanted.f_ffree);
}

FS_TEST(fragments_of_a_file_system) {
  struct statfs wanted;
  NEEDS(1, 52);
  CHECK_EQ(FS(uv_fs_statfs, "."), 0);
  CHECK_EQ(statfs(".", &wanted), 0);
  CHECK_EQ(((uv_statfs_t*) fs.req.ptr)->f_frsize, wanted.f_frsize);
}
