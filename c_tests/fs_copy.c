/* Copying files whole, with every flag, and parts of them from one descriptor to another. */
#include "fs.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>

enum { ALL_FLAGS = UV_FS_COPYFILE_EXCL | UV_FS_COPYFILE_FICLONE | UV_FS_COPYFILE_FICLONE_FORCE };

/* A file whose bytes are different everywhere. */
static void make_large(const char* path, size_t size) {
  uint32_t* words = malloc(size);
  int fd = fs_fd(path, O_WRONLY | O_CREAT | O_TRUNC);
  for (size_t i = 0; i < size / 4; i++) words[i] = (uint32_t) i * 2654435761u;
  CHECK_EQ(write(fd, words, size / 4 * 4), size / 4 * 4);
  CHECK_EQ(close(fd), 0);
  free(words);
}

static char* whole(const char* path, size_t size) {
  char* text = malloc(size + 1);
  int fd = fs_fd(path, O_RDONLY);
  CHECK_EQ(read(fd, text, size + 1), size); /* and not one more */
  CHECK_EQ(close(fd), 0);
  return text;
}

static void check_same(const char* a, const char* b, size_t size) {
  char *left = whole(a, size), *right = whole(b, size);
  CHECK_EQ(memcmp(left, right, size), 0);
  free(left);
  free(right);
}

FS_TEST(copy) {
  fs_file("source", "some text");
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", 0), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_COPYFILE);
  CHECK_STR(fs_text("copy"), "some text");
  CHECK(fs_info("copy").st_ino != fs_info("source").st_ino);
  fs_file("source", "");
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy of nothing", 0), 0);
  CHECK_EQ(fs_info("copy of nothing").st_size, 0);
}

FS_TEST(copy_of_any_size) {
  static const size_t sizes[] = {4, 4096, 65536, 65540, 5 << 20};
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    make_large("source", sizes[i]);
    CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", 0), 0);
    check_same("source", "copy", sizes[i]);
  }
}

FS_TEST(copy_over_another) {
  fs_file("source", "short");
  fs_file("copy", "something longer");
  ino_t before = fs_info("copy").st_ino;
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", 0), 0);
  CHECK_STR(fs_text("copy"), "short");
  CHECK_EQ(fs_info("copy").st_ino, before);
}

FS_TEST(copy_keeps_the_mode) {
  static const mode_t modes[] = {0600, 0644, 0755, 0777, 0444, 0400};
  for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
    fs_file("source", "text");
    CHECK_EQ(chmod("source", modes[i]), 0);
    CHECK_EQ(FS(uv_fs_copyfile, "source", "new", 0), 0); /* in spite of the umask */
    CHECK_EQ(fs_info("new").st_mode & 07777, modes[i]);
    CHECK_STR(fs_text("new"), "text");
    fs_file("old", "");
    CHECK_EQ(FS(uv_fs_copyfile, "source", "old", 0), 0);
    CHECK_EQ(fs_info("old").st_mode & 07777, modes[i]);
    CHECK_EQ(unlink("source") | unlink("new") | unlink("old"), 0);
  }
}

FS_TEST(copy_keeps_the_owner) {
  NEEDS(1, 49);
  if (geteuid() != 0) SKIP("only root may give files away");
  fs_file("source", "text");
  if (chown("source", 3, 4) != 0) SKIP("not even root may give files away here");
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", 0), 0);
  CHECK_EQ(fs_info("copy").st_uid, 3);
  CHECK_EQ(fs_info("copy").st_gid, 4);
}

FS_TEST(copy_exclusively) {
  fs_file("source", "text");
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", UV_FS_COPYFILE_EXCL), 0);
  CHECK_STR(fs_text("copy"), "text");
  fs_file("copy", "other");
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", UV_FS_COPYFILE_EXCL), UV_EEXIST);
  CHECK_STR(fs_text("copy"), "other");
  CHECK_EQ(FS(uv_fs_copyfile, "source", "source", UV_FS_COPYFILE_EXCL), UV_EEXIST);
  CHECK_STR(fs_text("source"), "text");
  CHECK_EQ(symlink("none", "dangling"), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "dangling", UV_FS_COPYFILE_EXCL), UV_EEXIST);
  CHECK(!fs_exists("none"));
}

/* Whether files here can share their blocks; if not, the error that says so. */
static int clone_error(void) {
  fs_file("clone source", "text");
  int from = fs_fd("clone source", O_RDONLY), to = fs_fd("clone", O_WRONLY | O_CREAT);
  int error = ioctl(to, FICLONE, from) == 0 ? 0 : -errno;
  close(from), close(to);
  return error;
}

FS_TEST(clone_if_possible) {
  make_large("source", 100000);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", UV_FS_COPYFILE_FICLONE), 0);
  check_same("source", "copy", 100000);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", UV_FS_COPYFILE_FICLONE | UV_FS_COPYFILE_EXCL), UV_EEXIST);
}

FS_TEST(clone_or_fail) {
  int error = clone_error();
  make_large("source", 100000);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", UV_FS_COPYFILE_FICLONE_FORCE), error);
  if (error == 0) check_same("source", "copy", 100000);
  else CHECK(!fs_exists("copy")); /* what was begun is removed */
  CHECK_EQ(FS(uv_fs_copyfile, "source", "second", ALL_FLAGS), error); /* the force wins */
  CHECK_EQ(fs_exists("second"), error == 0);
}

FS_TEST(flags_that_are_unknown) {
  fs_file("source", "text");
  CHECK_EQ(FS_REFUSED(uv_fs_copyfile, "source", "copy", ALL_FLAGS + 1), UV_EINVAL);
  CHECK_EQ(FS_REFUSED(uv_fs_copyfile, "source", "copy", -1), UV_EINVAL);
  CHECK(!fs_exists("copy"));
}

FS_TEST(copy_to_itself) {
  fs_file("source", "text");
  CHECK_EQ(link("source", "hard"), 0);
  CHECK_EQ(symlink("source", "symbolic"), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "source", 0), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "./source", UV_FS_COPYFILE_FICLONE), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "hard", 0), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "symbolic", 0), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "symbolic", "source", 0), 0);
  CHECK_STR(fs_text("source"), "text");
}

FS_TEST(copy_through_links) {
  fs_file("source", "text");
  fs_file("other", "something else");
  CHECK_EQ(symlink("source", "from"), 0);
  CHECK_EQ(symlink("other", "to"), 0);
  CHECK_EQ(symlink("new", "dangling"), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "from", "to", 0), 0);
  CHECK_STR(fs_text("other"), "text");
  CHECK(S_ISLNK(fs_info("to").st_mode));
  CHECK_EQ(FS(uv_fs_copyfile, "from", "dangling", 0), 0);
  CHECK_STR(fs_text("new"), "text");
}

FS_TEST(copy_fails) {
  fs_file("source", "text");
  CHECK_EQ(mkdir("folder", 0755), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "none", "copy", 0), UV_ENOENT);
  CHECK(!fs_exists("copy"));
  CHECK_EQ(FS(uv_fs_copyfile, "source", "none/copy", 0), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_copyfile, "source/x", "copy", 0), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "folder", 0), UV_EISDIR);
  CHECK_EQ(FS(uv_fs_copyfile, "folder", "copy", 0), UV_EISDIR);
  CHECK(!fs_exists("copy"));
  CHECK(fs_exists("folder"));
  fs_file("copy", "kept");
  CHECK_EQ(FS(uv_fs_copyfile, "none", "copy", 0), UV_ENOENT);
  CHECK_STR(fs_text("copy"), "kept");
}

/* What is no file and was there before is neither written to nor removed. */
FS_TEST(copy_over_what_is_no_file) {
  OURS_ONLY("it removes what it could not truncate, also /dev/null");
  fs_file("source", "text");
  CHECK_EQ(mkfifo("fifo", 0600), 0);
  int reader = fs_fd("fifo", O_RDWR | O_NONBLOCK); /* or opening it would wait */
  CHECK_EQ(FS(uv_fs_copyfile, "source", "fifo", 0), UV_EINVAL);
  CHECK(S_ISFIFO(fs_info("fifo").st_mode));
  CHECK_EQ(read(reader, (char[1]) {0}, 1), -1);
  CHECK_EQ(close(reader), 0);
}

FS_TEST(copy_of_what_has_no_size) {
  OURS_ONLY("its copy is empty");
  if (access("/proc/version", R_OK) != 0) SKIP("no /proc");
  char wanted[4096];
  snprintf(wanted, sizeof(wanted), "%s", fs_text("/proc/version"));
  CHECK(wanted[0] != '\0');
  CHECK_EQ(FS(uv_fs_copyfile, "/proc/version", "copy", 0), 0);
  CHECK_STR(fs_text("copy"), wanted);
}

FS_TEST(copy_of_what_is_shorter_than_it_says) {
  OURS_ONLY("it waits for the rest for ever");
  const char* path = "/sys/devices/system/cpu/possible";
  if (access(path, R_OK) != 0) SKIP("no files in /sys");
  char text[64];
  snprintf(text, sizeof(text), "%s", fs_text(path));
  CHECK(strlen(text) < (size_t) fs_info(path).st_size);
  CHECK_EQ(FS(uv_fs_copyfile, path, "copy", 0), 0);
  CHECK_STR(fs_text("copy"), text);
}

FS_TEST(copy_without_permission) {
  fs_be_ordinary();
  fs_file("source", "text");
  fs_file("copy", "kept");
  CHECK_EQ(chmod("copy", 0444), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", 0), UV_EACCES);
  CHECK_STR(fs_text("copy"), "kept");
  CHECK_EQ(mkdir("closed", 0500), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "closed/copy", 0), UV_EACCES);
  CHECK_EQ(chmod("source", 0), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "new", 0), UV_EACCES);
  CHECK(!fs_exists("new"));
}

/* What was begun and cannot be finished does not stay. */
FS_TEST(copy_that_does_not_fit) {
  struct rlimit limit;
  make_large("source", 1 << 20);
  CHECK_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = 300000;
  signal(SIGXFSZ, SIG_IGN);
  CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", 0), UV_EFBIG);
  CHECK(!fs_exists("copy"));
}

FS_TEST(copy_leaves_no_descriptors_open) {
  fs_file("source", "text");
  CHECK_EQ(FS(uv_fs_access, ".", F_OK), 0);
  int before = fs_descriptors();
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", 0), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", UV_FS_COPYFILE_EXCL), UV_EEXIST);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "source", 0), 0);
  CHECK_EQ(FS(uv_fs_copyfile, ".", "new", 0), UV_EISDIR);
  CHECK_EQ(FS(uv_fs_copyfile, "none", "new", 0), UV_ENOENT);
  CHECK_EQ(fs_descriptors(), before);
}

/* Older kernels do not have the call, do not let it leave a file system, or forbid it. */
static void copy_without(int call, int error) {
  make_large("source", 300000);
  fs_refuse_call(call, error);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", 0), 0);
  check_same("source", "copy", 300000);
}

FS_TEST(copy_without_copy_file_range) { copy_without(SYS_copy_file_range, ENOSYS); }
FS_TEST(copy_between_file_systems) { copy_without(SYS_copy_file_range, EXDEV); }
FS_TEST(copy_where_it_is_not_supported) { copy_without(SYS_copy_file_range, EOPNOTSUPP); }

/* What Linux before 5.19 says of some files of /proc and /sys. */
FS_TEST(copy_where_it_moves_nothing) {
  OURS_ONLY("the reference does not come to an end");
  copy_without(SYS_copy_file_range, 0);
}

FS_TEST(copy_without_sendfile) {
  make_large("source", 300000);
  fs_refuse_call(SYS_copy_file_range, ENOSYS);
  fs_refuse_call(SYS_sendfile, EINVAL);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", 0), 0);
  check_same("source", "copy", 300000);
}

/* More than the system copies at once: a hole with a word at its end. */
TEST(copy_more_than_two_gibibytes) {
  const int64_t size = (2LL << 30) + 100000;
  struct statvfs room;
  char word[5];
  if (getenv("UV_TEST_LARGE") == NULL) SKIP("writes 2 GiB, which not every disk does in time: set UV_TEST_LARGE");
  if (!check_is_ours() && uv_version() >= 0x013400) SKIP("the reference does not come to an end");
  fs_begin(1);
  CHECK_EQ(statvfs(".", &room), 0);
  if ((int64_t) room.f_bavail * (int64_t) room.f_frsize < 2 * size) SKIP("too little room for a copy of 2 GiB");
  int fd = fs_fd("source", O_RDWR | O_CREAT);
  CHECK_EQ(ftruncate(fd, size - 4), 0);
  CHECK_EQ(pwrite(fd, "word", 4, size - 4), 4);
  CHECK_EQ(close(fd), 0);
  CHECK_EQ(FS(uv_fs_copyfile, "source", "copy", 0), 0);
  CHECK_EQ(fs_info("copy").st_size, size);
  fd = fs_fd("copy", O_RDONLY);
  CHECK_EQ(pread(fd, word, 5, size - 4), 4);
  CHECK_EQ(memcmp(word, "word", 4), 0);
  CHECK_EQ(close(fd), 0);
  fs_end();
}
