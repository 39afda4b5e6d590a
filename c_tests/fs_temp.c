/* Files and folders with names of their own. */
#include "fs.h"

static void check_made(const char* prefix) {
  size_t length = strlen(prefix);
  CHECK(fs.req.path != NULL);
  CHECK_EQ(strncmp(fs.req.path, prefix, length), 0);
  CHECK_EQ(strlen(fs.req.path), length + 6);
  CHECK(strcmp(fs.req.path + length, "XXXXXX") != 0);
  for (size_t i = length; i < length + 6; i++) {
    char c = fs.req.path[i];
    CHECK((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
  }
}

FS_TEST(mkdtemp) {
  static const char template[] = "folder.XXXXXX"; /* where it could not be written to */
  CHECK_EQ(FS(uv_fs_mkdtemp, template), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_MKDTEMP);
  CHECK_STR(template, "folder.XXXXXX");
  check_made("folder.");
  CHECK_STR(uv_fs_get_path(&fs.req), fs.req.path);
  CHECK_EQ(fs_info(fs.req.path).st_mode & (S_IFMT | 0777), S_IFDIR | 0700);
}

FS_TEST(mkstemp) {
  static const char template[] = "file.XXXXXX";
  int fd = (int) FS(uv_fs_mkstemp, template);
  CHECK(fd > 2);
  CHECK_EQ(fs.req.fs_type, UV_FS_MKSTEMP);
  CHECK_STR(template, "file.XXXXXX");
  check_made("file.");
  CHECK_EQ(fs_info(fs.req.path).st_mode & (S_IFMT | 0777), S_IFREG | 0600);
  CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
  CHECK_EQ(write(fd, "text", 4), 4);
  CHECK_STR(fs_text(fs.req.path), "text");
  CHECK_EQ(close(fd), 0);
}

FS_TEST(templates) {
  char template[PATH_MAX + 20];
  CHECK_EQ(FS(uv_fs_mkdtemp, "XXXXXX"), 0);
  check_made("");
  CHECK_EQ(FS(uv_fs_mkdtemp, "XXXXXXXXXX"), 0); /* the last six */
  check_made("XXXX");
  snprintf(template, sizeof(template), "%s/deep.XXXXXX", fs.dir);
  CHECK_EQ(FS(uv_fs_mkdtemp, template), 0);
  template[strlen(template) - 6] = '\0';
  check_made(template);
  int fd = (int) FS(uv_fs_mkstemp, "XXXXXXXXXX");
  CHECK(fd >= 0);
  check_made("XXXX");
  CHECK_EQ(close(fd), 0);
}

FS_TEST(templates_without_six_x) {
  static const char* const bad[] = {"", "X", "XXXXX", "file", "file.XXXXX", "XXXXXX.c", "file.XXXXXx", "file.XXXXXX/"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    CHECK_EQ(FS(uv_fs_mkdtemp, bad[i]), UV_EINVAL);
    CHECK_EQ(FS(uv_fs_mkstemp, bad[i]), UV_EINVAL);
    CHECK_STR(fs.req.path, "");
  }
}

FS_TEST(failures) {
  fs_file("file", "");
  CHECK_EQ(FS(uv_fs_mkdtemp, "none/XXXXXX"), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_mkdtemp, "file/XXXXXX"), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_mkstemp, "none/XXXXXX"), UV_ENOENT);
  CHECK_STR(fs.req.path, ""); /* so that nobody takes it for a file */
  CHECK_EQ(FS(uv_fs_mkstemp, "file/XXXXXX"), UV_ENOTDIR);
  CHECK_STR(fs.req.path, "");
}

FS_TEST(without_permission) {
  fs_be_ordinary();
  CHECK_EQ(mkdir("closed", 0500), 0);
  CHECK_EQ(FS(uv_fs_mkdtemp, "closed/XXXXXX"), UV_EACCES);
  CHECK_EQ(FS(uv_fs_mkstemp, "closed/XXXXXX"), UV_EACCES);
}

FS_TEST(the_umask) {
  umask(0377);
  CHECK_EQ(FS(uv_fs_mkdtemp, "folder.XXXXXX"), 0);
  CHECK_EQ(fs_info(fs.req.path).st_mode & 0777, 0400);
  int fd = (int) FS(uv_fs_mkstemp, "file.XXXXXX");
  CHECK(fd >= 0);
  CHECK_EQ(fs_info(fs.req.path).st_mode & 0777, 0400);
  CHECK_EQ(close(fd), 0);
}

/* Many at once never get the same name. */
enum { MANY = 500 };
static uv_fs_t many[MANY];
static int called;

static void made(uv_fs_t* req) {
  CHECK(req->result >= 0);
  if (req->fs_type == UV_FS_MKSTEMP) CHECK_EQ(close((int) req->result), 0);
  called++;
}

static int by_name(const void* a, const void* b) {
  return strcmp(*(const char* const*) a, *(const char* const*) b);
}

TEST(many_at_once) {
  fs_begin(1);
  for (int i = 0; i < MANY; i++) {
    if (i % 2 == 0) CHECK_EQ(uv_fs_mkdtemp(&fs.loop, &many[i], "x.XXXXXX", made), 0);
    else CHECK_EQ(uv_fs_mkstemp(&fs.loop, &many[i], "x.XXXXXX", made), 0);
  }
  CHECK_EQ(uv_run(&fs.loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(called, MANY);
  const char* names[MANY];
  for (int i = 0; i < MANY; i++) {
    names[i] = many[i].path;
    CHECK(fs_exists(names[i]));
  }
  qsort(names, MANY, sizeof(names[0]), by_name);
  for (int i = 1; i < MANY; i++) CHECK(strcmp(names[i - 1], names[i]) != 0);
  for (int i = 0; i < MANY; i++) uv_fs_req_cleanup(&many[i]);
  fs_end();
}
