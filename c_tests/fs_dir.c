/* What is in a folder: all at once with uv_fs_scandir, or in pieces with uv_fs_opendir, uv_fs_readdir and
 * uv_fs_closedir. */
#include "fs.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { MOST = 10000 };

/* "0" to "9999" in a folder of their own, and the check that each was seen exactly once. */
static char seen[MOST];

/* They all are one file, which is quicker. */
static void make_many(int count) {
  char path[64];
  fs_file("file", "");
  CHECK_EQ(mkdir("many", 0755), 0);
  for (int i = 0; i < count; i++) {
    snprintf(path, sizeof(path), "many/%d", i);
    CHECK_EQ(link("file", path), 0);
  }
}

static void note(const char* name) {
  char* end;
  long number = strtol(name, &end, 10);
  CHECK(*end == '\0' && end != name && number >= 0 && number < MOST);
  CHECK_EQ(seen[number], 0);
  seen[number] = 1;
}

static void check_seen(int count) {
  for (int i = 0; i < MOST; i++) CHECK_EQ(seen[i], i < count);
  memset(seen, 0, sizeof(seen));
}

/* One of each kind; not all file systems tell the kinds apart. */
static const char* const kinds[] = {"file", "folder", "symbolic", "fifo", "socket"};
static const uv_dirent_type_t types[] = {
  UV_DIRENT_FILE, UV_DIRENT_DIR, UV_DIRENT_LINK, UV_DIRENT_FIFO, UV_DIRENT_SOCKET,
};
enum { KINDS = 5 };

static int knows_types(const char* path) {
  DIR* dir = opendir(path);
  struct dirent* entry;
  int known = 1;
  CHECK(dir != NULL);
  while ((entry = readdir(dir)) != NULL) known &= entry->d_type != DT_UNKNOWN;
  closedir(dir);
  return known;
}

static void make_kinds(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "kinds/socket"};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_EQ(mkdir("kinds", 0755), 0);
  fs_file("kinds/file", "");
  CHECK_EQ(mkdir("kinds/folder", 0755), 0);
  CHECK_EQ(symlink("folder", "kinds/symbolic"), 0);
  CHECK_EQ(mkfifo("kinds/fifo", 0600), 0);
  CHECK_EQ(bind(fd, (struct sockaddr*) &name, sizeof(name)), 0);
  CHECK_EQ(close(fd), 0);
}

static void check_kind(const uv_dirent_t* entry, int known) {
  for (int i = 0; i < KINDS; i++) {
    if (strcmp(entry->name, kinds[i]) != 0) continue;
    CHECK_EQ(entry->type, known ? types[i] : UV_DIRENT_UNKNOWN);
    CHECK_EQ(seen[i], 0);
    seen[i] = 1;
    return;
  }
  CHECK_FAIL("\"%s\" was not expected", entry->name);
}

FS_TEST(scan) {
  uv_dirent_t entry = {.name = NULL};
  CHECK_EQ(mkdir("folder", 0755), 0);
  fs_file("folder/b", "");
  fs_file("folder/a", "");
  fs_file("folder/.hidden", "");
  CHECK_EQ(FS(uv_fs_scandir, "folder", 0), 3);
  CHECK_EQ(fs.req.fs_type, UV_FS_SCANDIR);
  CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), 0); /* in the order of their bytes, without . and .. */
  CHECK_STR(entry.name, ".hidden");
  CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), 0);
  CHECK_STR(entry.name, "a");
  CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), 0);
  CHECK_STR(entry.name, "b");
  for (int i = 0; i < 3; i++) CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), UV_EOF);
  uv_fs_req_cleanup(&fs.req);
  CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), UV_EOF);
}

FS_TEST(scan_an_empty_folder) {
  uv_dirent_t entry;
  CHECK_EQ(mkdir("empty", 0755), 0);
  CHECK_EQ(FS(uv_fs_scandir, "empty", 0), 0);
  CHECK_EQ(fs.req.ptr, NULL);
  for (int i = 0; i < 3; i++) CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), UV_EOF);
}

FS_TEST(scan_what_is_no_folder) {
  uv_dirent_t entry;
  fs_file("file", "");
  CHECK_EQ(FS(uv_fs_scandir, "file", 0), UV_ENOTDIR);
  CHECK_EQ(fs.req.ptr, NULL);
  CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), UV_ENOTDIR);
  CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_scandir, "none", 0), UV_ENOENT);
  CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_scandir, "", 0), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_scandir, "/dev/null", 0), UV_ENOTDIR);
}

FS_TEST(scan_types) {
  uv_dirent_t entry;
  make_kinds();
  int known = knows_types("kinds");
  CHECK_EQ(FS(uv_fs_scandir, "kinds", 0), KINDS);
  while (uv_fs_scandir_next(&fs.req, &entry) == 0) check_kind(&entry, known);
  check_seen(KINDS);
}

FS_TEST(scan_devices) {
  uv_dirent_t entry;
  if (!knows_types("/dev")) SKIP("the types of what is in /dev are not known");
  CHECK(FS(uv_fs_scandir, "/dev", 0) > 0);
  while (uv_fs_scandir_next(&fs.req, &entry) == 0) {
    if (strcmp(entry.name, "null") != 0) continue;
    CHECK_EQ(entry.type, UV_DIRENT_CHAR);
    seen[0] = 1;
  }
  check_seen(1);
}

static void scan_all(void) {
  uv_dirent_t entry;
  char last[64] = "";
  CHECK_EQ(FS(uv_fs_scandir, "many", 0), MOST);
  for (int i = 0; i < MOST; i++) {
    CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), 0);
    CHECK(strcmp(last, entry.name) < 0);
    snprintf(last, sizeof(last), "%s", entry.name);
    note(entry.name);
  }
  CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), UV_EOF);
  check_seen(MOST);
}

/* What was not looked at is freed as well. */
FS_TEST(scan_and_stop_early) {
  uv_dirent_t entry;
  make_many(100);
  for (int looked_at = 0; looked_at <= 100; looked_at += 33) {
    CHECK_EQ(FS(uv_fs_scandir, "many", 0), 100);
    for (int i = 0; i < looked_at; i++) CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), 0);
    uv_fs_req_cleanup(&fs.req);
    CHECK_EQ(fs.req.ptr, NULL);
    uv_fs_req_cleanup(&fs.req);
  }
}

FS_TEST(names_of_any_bytes) {
  char name[257], path[300];
  uv_dirent_t entry;
  uv_dir_t* dir;
  for (int i = 0; i < 255; i++) name[i] = (char) (255 - i == '/' ? '_' : 255 - i);
  name[255] = '\0';
  snprintf(path, sizeof(path), "folder/%s", name);
  CHECK_EQ(mkdir("folder", 0755), 0);
  fs_file(path, "");
  CHECK_EQ(FS(uv_fs_scandir, "folder", 0), 1);
  CHECK_EQ(uv_fs_scandir_next(&fs.req, &entry), 0);
  CHECK_STR(entry.name, name);
  CHECK_EQ(FS(uv_fs_opendir, "folder"), 0);
  dir = fs.req.ptr;
  dir->dirents = &entry;
  dir->nentries = 1;
  CHECK_EQ(FS(uv_fs_readdir, dir), 1);
  CHECK_STR(entry.name, name);
  CHECK_EQ(FS(uv_fs_closedir, dir), 0);
}

static uv_dir_t* open_folder(const char* path, uv_dirent_t* entries, size_t count) {
  CHECK_EQ(FS(uv_fs_opendir, path), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_OPENDIR);
  uv_dir_t* dir = fs.req.ptr;
  CHECK(dir != NULL);
  uv_fs_req_cleanup(&fs.req); /* the folder stays */
  CHECK_EQ(fs.req.ptr, NULL);
  dir->dirents = entries;
  dir->nentries = count;
  return dir;
}

/* Reads to the end; full pieces, but for the last one with anything in it. */
static void read_in_pieces(int count, size_t piece) {
  uv_dirent_t* entries = calloc(piece, sizeof(*entries));
  uv_dir_t* dir = open_folder("many", entries, piece);
  int found = 0;
  ssize_t got;
  while ((got = FS(uv_fs_readdir, dir)) > 0) {
    CHECK_EQ(fs.req.fs_type, UV_FS_READDIR);
    CHECK_EQ(got, (size_t) (count - found) < piece ? (size_t) (count - found) : piece);
    for (ssize_t i = 0; i < got; i++) note(entries[i].name);
    found += (int) got;
  }
  CHECK_EQ(got, 0);
  CHECK_EQ(FS(uv_fs_readdir, dir), 0);
  check_seen(count);
  CHECK_EQ(FS(uv_fs_closedir, dir), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_CLOSEDIR);
  free(entries);
}

FS_TEST(read_in_pieces_of_any_size) {
  make_many(40);
  read_in_pieces(40, 1);
  read_in_pieces(40, 3);
  read_in_pieces(40, 40);
  read_in_pieces(40, 41);
  read_in_pieces(40, 1000);
}

FS_TEST(a_folder_with_much_in_it) {
  make_many(MOST);
  scan_all();
  read_in_pieces(MOST, 999);
  read_in_pieces(MOST, MOST + 1);
}

FS_TEST(read_an_empty_folder) {
  uv_dirent_t entry;
  CHECK_EQ(mkdir("empty", 0755), 0);
  uv_dir_t* dir = open_folder("empty", &entry, 1);
  CHECK_EQ(FS(uv_fs_readdir, dir), 0);
  CHECK_EQ(FS(uv_fs_closedir, dir), 0);
}

FS_TEST(read_types) {
  uv_dirent_t entries[KINDS + 1];
  make_kinds();
  int known = knows_types("kinds");
  uv_dir_t* dir = open_folder("kinds", entries, KINDS + 1);
  CHECK_EQ(FS(uv_fs_readdir, dir), KINDS);
  for (int i = 0; i < KINDS; i++) check_kind(&entries[i], known);
  check_seen(KINDS);
  CHECK_EQ(FS(uv_fs_closedir, dir), 0);
}

FS_TEST(cleanup_frees_the_names) {
  uv_dirent_t entries[3];
  make_many(3);
  uv_dir_t* dir = open_folder("many", entries, 3);
  CHECK_EQ(FS(uv_fs_readdir, dir), 3);
  uv_fs_req_cleanup(&fs.req);
  for (int i = 0; i < 3; i++) CHECK_EQ(entries[i].name, NULL);
  uv_fs_req_cleanup(&fs.req);
  CHECK_EQ(FS(uv_fs_closedir, dir), 0);
}

FS_TEST(close_early) {
  uv_dirent_t entries[2];
  make_many(10);
  uv_dir_t* dir = open_folder("many", entries, 2);
  CHECK_EQ(FS(uv_fs_closedir, dir), 0);
  dir = open_folder("many", entries, 2);
  CHECK_EQ(FS(uv_fs_readdir, dir), 2);
  CHECK_EQ(FS(uv_fs_closedir, dir), 0);
}

/* A new array at any time; and no room is no error. */
FS_TEST(another_array) {
  uv_dirent_t entries[20], other;
  make_many(10);
  uv_dir_t* dir = open_folder("many", entries, 4);
  CHECK_EQ(FS(uv_fs_readdir, dir), 4);
  for (int i = 0; i < 4; i++) note(entries[i].name);
  fs_clean();
  dir->nentries = 0;
  CHECK_EQ(FS(uv_fs_readdir, dir), 0);
  fs_clean();
  dir->dirents = &other;
  dir->nentries = 1;
  CHECK_EQ(FS(uv_fs_readdir, dir), 1);
  note(other.name);
  fs_clean();
  dir->dirents = entries;
  dir->nentries = 20;
  CHECK_EQ(FS(uv_fs_readdir, dir), 5);
  for (int i = 0; i < 5; i++) note(entries[i].name);
  check_seen(10);
  CHECK_EQ(FS(uv_fs_closedir, dir), 0);
}

FS_TEST(two_at_once) {
  uv_dirent_t entries[2];
  make_many(6);
  uv_dir_t* first = open_folder("many", entries, 1);
  uv_dir_t* second = open_folder("many", entries + 1, 1);
  for (int i = 0; i < 6; i++) {
    char name[64];
    CHECK_EQ(FS(uv_fs_readdir, first), 1);
    snprintf(name, sizeof(name), "%s", entries[0].name);
    CHECK_EQ(FS(uv_fs_readdir, second), 1);
    CHECK_STR(entries[1].name, name);
  }
  CHECK_EQ(FS(uv_fs_closedir, first), 0);
  CHECK_EQ(FS(uv_fs_readdir, second), 0);
  CHECK_EQ(FS(uv_fs_closedir, second), 0);
}

FS_TEST(open_what_is_no_folder) {
  fs_file("file", "");
  CHECK_EQ(FS(uv_fs_opendir, "file"), UV_ENOTDIR);
  CHECK_EQ(fs.req.ptr, NULL);
  CHECK_EQ(FS(uv_fs_opendir, "none"), UV_ENOENT);
  CHECK_EQ(fs.req.ptr, NULL);
  CHECK_EQ(FS(uv_fs_opendir, ""), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_opendir, "/dev/null"), UV_ENOTDIR);
}

FS_TEST(arguments_that_are_null) {
  uv_dirent_t entry;
  CHECK_EQ(FS_REFUSED(uv_fs_readdir, NULL), UV_EINVAL);
  CHECK_EQ(FS_REFUSED(uv_fs_closedir, NULL), UV_EINVAL);
  uv_dir_t* dir = open_folder(".", NULL, 1);
  CHECK_EQ(FS_REFUSED(uv_fs_readdir, dir), UV_EINVAL);
  dir->dirents = &entry;
  CHECK_EQ(FS(uv_fs_readdir, dir), 0);
  CHECK_EQ(FS(uv_fs_closedir, dir), 0);
}

FS_TEST(descriptors_are_private_and_closed) {
  uv_dirent_t entry;
  CHECK_EQ(FS(uv_fs_access, ".", F_OK), 0); /* what the pool opens is open from here on */
  int before = fs_descriptors(), lowest = dup(0);
  CHECK_EQ(close(lowest), 0);
  uv_dir_t* dir = open_folder(".", &entry, 1);
  CHECK_EQ(fs_descriptors(), before + 1);
  CHECK_EQ(fcntl(lowest, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(FS(uv_fs_closedir, dir), 0);
  CHECK_EQ(FS(uv_fs_scandir, ".", 0), 0);
  CHECK_EQ(FS(uv_fs_scandir, "/dev/null", 0), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_opendir, "/dev/null"), UV_ENOTDIR);
  CHECK_EQ(fs_descriptors(), before);
}

FS_TEST(without_permission) {
  fs_be_ordinary();
  CHECK_EQ(mkdir("closed", 0300), 0);
  CHECK_EQ(FS(uv_fs_scandir, "closed", 0), UV_EACCES);
  CHECK_EQ(FS(uv_fs_opendir, "closed"), UV_EACCES);
}

FS_TEST(without_free_descriptors) {
  struct rlimit none = {0, 0}, before;
  CHECK_EQ(FS(uv_fs_access, ".", F_OK), 0);
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  none.rlim_max = before.rlim_max;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  CHECK_EQ(FS(uv_fs_scandir, ".", 0), UV_EMFILE);
  CHECK_EQ(FS(uv_fs_opendir, "."), UV_EMFILE);
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}
