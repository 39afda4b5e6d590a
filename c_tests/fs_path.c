/* Names: unlinking, renaming, folders, links, where a path really leads, and who may do what. */
#include "fs.h"


/* A name of 255 bytes is possible, one of 256 is not. */
static const char* long_name(size_t length) {
  static char name[300];
  memset(name, 'n', length);
  name[length] = '\0';
  return name;
}

FS_TEST(unlink) {
  fs_file("file", "");
  CHECK_EQ(symlink("file", "symbolic"), 0);
  CHECK_EQ(FS(uv_fs_unlink, "symbolic"), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_UNLINK);
  CHECK(fs_exists("file"));
  CHECK_EQ(FS(uv_fs_unlink, "file"), 0);
  CHECK(!fs_exists("file"));
  CHECK_EQ(FS(uv_fs_unlink, "file"), UV_ENOENT);
  CHECK_EQ(mkdir("folder", 0755), 0);
  CHECK_EQ(FS(uv_fs_unlink, "folder"), UV_EISDIR);
  CHECK(fs_exists("folder"));
  CHECK_EQ(FS(uv_fs_unlink, "folder/"), UV_EISDIR);
  fs_file("file", "");
  CHECK_EQ(FS(uv_fs_unlink, "file/x"), UV_ENOTDIR);
}

FS_TEST(rename_a_file) {
  fs_file("old", "of the old");
  CHECK_EQ(FS(uv_fs_rename, "old", "new"), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_RENAME);
  CHECK(!fs_exists("old"));
  CHECK_STR(fs_text("new"), "of the old");
  fs_file("other", "of the other");
  CHECK_EQ(FS(uv_fs_rename, "other", "new"), 0); /* in the place of what was there */
  CHECK_STR(fs_text("new"), "of the other");
  CHECK_EQ(FS(uv_fs_rename, "new", "new"), 0);
  CHECK_STR(fs_text("new"), "of the other");
}

FS_TEST(rename_a_folder) {
  CHECK_EQ(mkdir("one", 0755), 0);
  CHECK_EQ(mkdir("two", 0755), 0);
  fs_file("two/file", "");
  fs_file("file", "");
  CHECK_EQ(FS(uv_fs_rename, "one", "two"), UV_ENOTEMPTY);
  CHECK_EQ(FS(uv_fs_rename, "one", "file"), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_rename, "file", "one"), UV_EISDIR);
  CHECK_EQ(FS(uv_fs_rename, "two", "two/inside"), UV_EINVAL);
  CHECK_EQ(FS(uv_fs_rename, "two", "one"), 0); /* one was empty */
  CHECK(fs_exists("one/file"));
}

FS_TEST(rename_fails) {
  fs_file("file", "");
  CHECK_EQ(FS(uv_fs_rename, "none", "new"), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_rename, "file", "none/new"), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_rename, "file", long_name(256)), UV_ENAMETOOLONG);
  CHECK_EQ(FS(uv_fs_rename, "file", long_name(255)), 0);
  struct stat elsewhere, here = fs_info(".");
  if (stat("/dev/shm", &elsewhere) == 0 && elsewhere.st_dev != here.st_dev && access("/dev/shm", W_OK) == 0)
    CHECK_EQ(FS(uv_fs_rename, long_name(255), "/dev/shm/uv-fs-not-made"), UV_EXDEV);
}

FS_TEST(mkdir) {
  CHECK_EQ(FS(uv_fs_mkdir, "folder", 0775), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_MKDIR);
  CHECK_EQ(fs_info("folder").st_mode & (S_IFMT | 0777), S_IFDIR | 0755); /* the umask is 022 */
  CHECK_EQ(FS(uv_fs_mkdir, "folder/inside", 0500), 0);
  CHECK_EQ(fs_info("folder/inside").st_mode & 0777, 0500);
  CHECK_EQ(FS(uv_fs_mkdir, "folder", 0700), UV_EEXIST);
  fs_file("file", "");
  CHECK_EQ(FS(uv_fs_mkdir, "file", 0700), UV_EEXIST);
  CHECK_EQ(FS(uv_fs_mkdir, "file/x", 0700), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_mkdir, "none/new", 0700), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_mkdir, "", 0700), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_mkdir, long_name(256), 0700), UV_ENAMETOOLONG);
  CHECK_EQ(FS(uv_fs_mkdir, long_name(255), 0700), 0);
}

FS_TEST(rmdir) {
  CHECK_EQ(mkdir("folder", 0755), 0);
  fs_file("folder/file", "");
  CHECK_EQ(FS(uv_fs_rmdir, "folder"), UV_ENOTEMPTY);
  CHECK_EQ(fs.req.fs_type, UV_FS_RMDIR);
  CHECK_EQ(FS(uv_fs_rmdir, "folder/file"), UV_ENOTDIR);
  CHECK_EQ(unlink("folder/file"), 0);
  CHECK_EQ(FS(uv_fs_rmdir, "folder"), 0);
  CHECK(!fs_exists("folder"));
  CHECK_EQ(FS(uv_fs_rmdir, "folder"), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_rmdir, "."), UV_EINVAL);
}

FS_TEST(link) {
  fs_file("file", "text");
  CHECK_EQ(FS(uv_fs_link, "file", "second"), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_LINK);
  CHECK_EQ(fs_info("second").st_ino, fs_info("file").st_ino);
  CHECK_EQ(fs_info("file").st_nlink, 2);
  CHECK_EQ(FS(uv_fs_link, "file", "second"), UV_EEXIST);
  CHECK_EQ(FS(uv_fs_link, "none", "third"), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_link, "file", "none/third"), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_link, ".", "third"), UV_EPERM);
  CHECK_EQ(symlink("none", "dangling"), 0);
  CHECK_EQ(FS(uv_fs_link, "dangling", "third"), 0); /* the link itself */
  CHECK(S_ISLNK(fs_info("third").st_mode));
}

FS_TEST(symlink_and_readlink) {
  fs_file("file", "text");
  CHECK_EQ(FS(uv_fs_symlink, "file", "symbolic", 0), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_SYMLINK);
  CHECK_STR(fs_text("symbolic"), "text");
  CHECK_EQ(FS(uv_fs_readlink, "symbolic"), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_READLINK);
  CHECK_STR(fs.req.ptr, "file");
  CHECK_EQ(FS(uv_fs_symlink, "/no where/at all", "dangling", UV_FS_SYMLINK_DIR), 0); /* flags are for Windows */
  CHECK_EQ(FS(uv_fs_readlink, "dangling"), 0);
  CHECK_STR(fs.req.ptr, "/no where/at all");
  CHECK_EQ(FS(uv_fs_symlink, "..", "junction", UV_FS_SYMLINK_JUNCTION), 0);
  CHECK_EQ(FS(uv_fs_readlink, "junction"), 0);
  CHECK_STR(fs.req.ptr, "..");
}

FS_TEST(symlink_and_readlink_fail) {
  fs_file("file", "");
  CHECK_EQ(FS(uv_fs_symlink, "x", "file", 0), UV_EEXIST);
  CHECK_EQ(FS(uv_fs_symlink, "x", "none/new", 0), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_symlink, "", "new", 0), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_readlink, "file"), UV_EINVAL);
  CHECK_EQ(fs.req.ptr, NULL);
  CHECK_EQ(FS(uv_fs_readlink, "."), UV_EINVAL);
  CHECK_EQ(FS(uv_fs_readlink, "none"), UV_ENOENT);
  CHECK_EQ(fs.req.ptr, NULL);
  CHECK_EQ(FS(uv_fs_readlink, "file/x"), UV_ENOTDIR);
}

FS_TEST(readlink_of_any_length) {
  static const size_t lengths[] = {1, 59, 60, 63, 64, 127, 128, 255, 256, 1000, 1023, 1024, 4000, 4094, 4095};
  char target[PATH_MAX];
  for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    memset(target, 'x', lengths[i]);
    target[lengths[i]] = '\0';
    if (symlink(target, "symbolic") != 0) {
      CHECK_EQ(errno, ENAMETOOLONG);
      CHECK(lengths[i] > 1000); /* some file systems have less room */
      continue;
    }
    CHECK_EQ(FS(uv_fs_readlink, "symbolic"), 0);
    CHECK_STR(fs.req.ptr, target);
    CHECK_EQ(unlink("symbolic"), 0);
  }
}

/* Links in /proc say that they are empty. */
FS_TEST(readlink_in_proc) {
  char path[64];
  int fd = fs_fd(".", O_RDONLY);
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  if (access("/proc/self/fd", F_OK) != 0) SKIP("no /proc");
  CHECK_EQ(FS(uv_fs_readlink, path), 0);
  CHECK_STR(fs.req.ptr, fs.dir);
  CHECK_EQ(close(fd), 0);
}

static void check_real(const char* path, const char* inside) {
  char wanted[PATH_MAX + 300];
  snprintf(wanted, sizeof(wanted), "%s%s", fs.dir, inside);
  CHECK_EQ(FS(uv_fs_realpath, path), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_REALPATH);
  CHECK_STR(fs.req.ptr, wanted);
}

FS_TEST(realpath) {
  char path[2 * PATH_MAX];
  CHECK_EQ(mkdir("folder", 0755), 0);
  CHECK_EQ(mkdir("folder/inner", 0755), 0);
  fs_file("folder/file", "");
  CHECK_EQ(symlink("folder", "to_folder"), 0);
  CHECK_EQ(symlink("to_folder/file", "to_file"), 0);
  CHECK_EQ(symlink("../file", "folder/inner/up"), 0);
  snprintf(path, sizeof(path), "%s/folder", fs.dir);
  CHECK_EQ(symlink(path, "absolute"), 0);
  check_real(".", "");
  check_real("./", "");
  check_real("folder/..", "");
  check_real("folder", "/folder");
  check_real("folder///./inner//..//file", "/folder/file");
  check_real("to_folder", "/folder");
  check_real("to_folder/", "/folder");
  check_real("to_file", "/folder/file");
  check_real("folder/inner/up", "/folder/file");
  check_real("absolute/inner", "/folder/inner");
  check_real("absolute/../to_file", "/folder/file");
  CHECK_EQ(FS(uv_fs_realpath, "/"), 0);
  CHECK_STR(fs.req.ptr, "/");
  CHECK_EQ(FS(uv_fs_realpath, "/../..//."), 0);
  CHECK_STR(fs.req.ptr, "/");
}

FS_TEST(realpath_fails) {
  fs_file("file", "");
  CHECK_EQ(symlink("circle", "circle"), 0);
  CHECK_EQ(symlink("none", "dangling"), 0);
  CHECK_EQ(FS(uv_fs_realpath, "none"), UV_ENOENT);
  CHECK_EQ(fs.req.ptr, NULL);
  CHECK_EQ(FS(uv_fs_realpath, ""), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_realpath, "dangling"), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_realpath, "file/x"), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_realpath, "file/.."), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_realpath, "file/"), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_realpath, "circle"), UV_ELOOP);
  CHECK_EQ(FS(uv_fs_realpath, long_name(256)), UV_ENAMETOOLONG);
}

FS_TEST(realpath_of_a_long_path) {
  char path[PATH_MAX] = "";
  for (int i = 0; i < 10; i++) {
    strcat(path, i == 0 ? "" : "/");
    strcat(path, long_name(200));
    CHECK_EQ(mkdir(path, 0755), 0);
  }
  char inside[PATH_MAX + 1];
  snprintf(inside, sizeof(inside), "/%s", path);
  check_real(path, inside);
}

FS_TEST(access_of_what_is_there) {
  fs_file("file", "");
  CHECK_EQ(chmod("file", 0600), 0);
  CHECK_EQ(FS(uv_fs_access, "file", F_OK), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_ACCESS);
  CHECK_EQ(FS(uv_fs_access, "file", R_OK | W_OK), 0);
  CHECK_EQ(FS(uv_fs_access, "file", X_OK), UV_EACCES); /* for root too: nobody may */
  CHECK_EQ(FS(uv_fs_access, ".", X_OK), 0);
  CHECK_EQ(FS(uv_fs_access, "none", F_OK), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_access, "file/x", F_OK), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_access, "file", 0100), UV_EINVAL);
}

FS_TEST(access_of_what_is_forbidden) {
  fs_be_ordinary();
  fs_file("file", "");
  CHECK_EQ(chmod("file", 0400), 0);
  CHECK_EQ(FS(uv_fs_access, "file", R_OK), 0);
  CHECK_EQ(FS(uv_fs_access, "file", W_OK), UV_EACCES);
  CHECK_EQ(FS(uv_fs_access, "file", R_OK | W_OK), UV_EACCES);
}

FS_TEST(chmod) {
  fs_file("file", "");
  CHECK_EQ(symlink("file", "symbolic"), 0);
  CHECK_EQ(FS(uv_fs_chmod, "file", 0421), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_CHMOD);
  CHECK_EQ(fs_info("file").st_mode, S_IFREG | 0421);
  CHECK_EQ(FS(uv_fs_chmod, "symbolic", 0777), 0); /* follows */
  CHECK_EQ(fs_info("file").st_mode, S_IFREG | 0777);
  CHECK_EQ(FS(uv_fs_chmod, "file", 04755), 0);
  CHECK_EQ(fs_info("file").st_mode, S_IFREG | 04755);
  CHECK_EQ(FS(uv_fs_chmod, "none", 0700), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_chmod, "file/x", 0700), UV_ENOTDIR);
}

FS_TEST(fchmod) {
  int fd = fs_fd("file", O_RDONLY | O_CREAT);
  CHECK_EQ(FS(uv_fs_fchmod, fd, 0124), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_FCHMOD);
  CHECK_EQ(fs_info("file").st_mode, S_IFREG | 0124);
  CHECK_EQ(close(fd), 0);
  CHECK_EQ(FS(uv_fs_fchmod, fd, 0600), UV_EBADF);
}

/* Of one's own files, and with -1, which leaves it as it is, even a user may say whose they are. */
FS_TEST(chown_to_oneself) {
  const uv_uid_t user = geteuid(), same_user = (uv_uid_t) -1;
  const uv_gid_t group = getegid(), same_group = (uv_gid_t) -1;
  int fd = fs_fd("file", O_RDONLY | O_CREAT);
  CHECK_EQ(symlink("none", "dangling"), 0);
  CHECK_EQ(FS(uv_fs_chown, "file", user, group), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_CHOWN);
  CHECK_EQ(FS(uv_fs_chown, "file", same_user, same_group), 0);
  CHECK_EQ(FS(uv_fs_fchown, fd, user, same_group), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_FCHOWN);
  CHECK_EQ(FS(uv_fs_fchown, fd, same_user, group), 0);
  CHECK_EQ(FS(uv_fs_lchown, "dangling", user, group), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_LCHOWN);
  CHECK_EQ(fs_info("file").st_uid, user);
  CHECK_EQ(fs_info("file").st_gid, group);
  CHECK_EQ(close(fd), 0);
  CHECK_EQ(FS(uv_fs_chown, "dangling", user, group), UV_ENOENT); /* follows */
  CHECK_EQ(FS(uv_fs_chown, "none", user, group), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_lchown, "none", user, group), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_fchown, fd, user, group), UV_EBADF);
}

FS_TEST(chown_to_others) {
  if (geteuid() != 0) SKIP("only root may give files away");
  int fd = fs_fd("file", O_RDONLY | O_CREAT);
  CHECK_EQ(symlink("file", "symbolic"), 0);
  if (chown("file", 1, 2) != 0) SKIP("not even root may give files away here");
  CHECK_EQ(FS(uv_fs_chown, "symbolic", 3, 4), 0);
  CHECK_EQ(fs_info("file").st_uid, 3);
  CHECK_EQ(fs_info("file").st_gid, 4);
  CHECK_EQ(fs_info("symbolic").st_uid, 0);
  CHECK_EQ(FS(uv_fs_fchown, fd, 5, (uv_gid_t) -1), 0);
  CHECK_EQ(fs_info("file").st_uid, 5);
  CHECK_EQ(fs_info("file").st_gid, 4);
  CHECK_EQ(FS(uv_fs_lchown, "symbolic", (uv_uid_t) -1, 6), 0);
  CHECK_EQ(fs_info("symbolic").st_uid, 0);
  CHECK_EQ(fs_info("symbolic").st_gid, 6);
  CHECK_EQ(fs_info("file").st_gid, 4);
  CHECK_EQ(close(fd), 0);
}

FS_TEST(without_permission) {
  fs_be_ordinary();
  int fd = fs_fd("file", O_RDONLY | O_CREAT);
  CHECK_EQ(mkdir("closed", 0700), 0);
  fs_file("closed/file", "");
  CHECK_EQ(FS(uv_fs_chown, "file", 0, 0), UV_EPERM);
  CHECK_EQ(FS(uv_fs_fchown, fd, 0, 0), UV_EPERM);
  CHECK_EQ(FS(uv_fs_lchown, "file", 0, 0), UV_EPERM);
  CHECK_EQ(FS(uv_fs_chmod, "/", 0755), UV_EPERM);
  CHECK_EQ(chmod("closed", 0500), 0); /* look, but do not touch */
  CHECK_EQ(FS(uv_fs_unlink, "closed/file"), UV_EACCES);
  CHECK_EQ(FS(uv_fs_rename, "closed/file", "file"), UV_EACCES);
  CHECK_EQ(FS(uv_fs_mkdir, "closed/new", 0700), UV_EACCES);
  CHECK_EQ(FS(uv_fs_link, "file", "closed/new"), UV_EACCES);
  CHECK_EQ(FS(uv_fs_symlink, "file", "closed/new", 0), UV_EACCES);
  CHECK_EQ(chmod("closed", 0), 0);
  CHECK_EQ(FS(uv_fs_access, "closed/file", F_OK), UV_EACCES);
  CHECK_EQ(FS(uv_fs_chmod, "closed/file", 0600), UV_EACCES);
  CHECK_EQ(FS(uv_fs_realpath, "closed/file"), UV_EACCES);
  CHECK_EQ(FS(uv_fs_readlink, "closed/file"), UV_EACCES);
  CHECK_EQ(chmod("closed", 0700), 0);
  CHECK_EQ(close(fd), 0);
}

/* Paths are bytes. */
FS_TEST(names_of_any_bytes) {
  char name[256];
  for (int i = 1; i < 256; i++) name[i - 1] = (char) (i == '/' ? '_' : i);
  name[255] = '\0';
  CHECK_EQ(FS(uv_fs_mkdir, name, 0700), 0);
  CHECK(fs_exists(name));
  CHECK_EQ(FS(uv_fs_symlink, name, "to", 0), 0);
  CHECK_EQ(FS(uv_fs_readlink, "to"), 0);
  CHECK_STR(fs.req.ptr, name);
  CHECK_EQ(FS(uv_fs_rename, name, "\xff\xfe"), 0);
  CHECK_EQ(FS(uv_fs_rmdir, "\xff\xfe"), 0);
}

FS_TEST(paths_that_are_too_long) {
  char path[PATH_MAX + 1];
  for (size_t i = 0; i < PATH_MAX; i++) path[i] = i % 2 == 0 ? '.' : '/';
  path[PATH_MAX] = '\0'; /* with its end one byte more than the system takes */
  CHECK_EQ(FS(uv_fs_access, path, F_OK), UV_ENAMETOOLONG);
  CHECK_EQ(FS(uv_fs_mkdir, path, 0700), UV_ENAMETOOLONG);
  CHECK_EQ(FS(uv_fs_rename, ".", path), UV_ENAMETOOLONG);
  CHECK_EQ(FS(uv_fs_open, path, UV_FS_O_RDONLY, 0), UV_ENAMETOOLONG);
  path[PATH_MAX - 1] = '\0';
  CHECK_EQ(FS(uv_fs_access, path, F_OK), 0);
  check_real(path, "");
}
