/* Open files: opening and closing, reading and writing at positions, many buffers, large files, truncating, syncing. */
#define FS_AT_ONCE
#include "fs.h"

#include <sys/mman.h>

static char bytes[1 << 20];

/* One buffer. */
static uv_buf_t text_of(const char* text) {
  return uv_buf_init((char*) text, (unsigned int) strlen(text));
}

static ssize_t write_text(int fd, const char* text, int64_t offset) {
  uv_buf_t buf = text_of(text);
  return FS(uv_fs_write, fd, &buf, 1, offset);
}

static ssize_t read_into(int fd, char* base, size_t size, int64_t offset) {
  uv_buf_t buf = uv_buf_init(base, (unsigned int) size);
  return FS(uv_fs_read, fd, &buf, 1, offset);
}

FS_TEST(open_and_close) {
  int fd = (int) FS(uv_fs_open, "new", UV_FS_O_CREAT | UV_FS_O_RDWR | UV_FS_O_EXCL, 0640);
  CHECK(fd > 2);
  CHECK_EQ(fs.req.fs_type, UV_FS_OPEN);
  CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
  CHECK_EQ(fs_info("new").st_mode, S_IFREG | 0640);
  CHECK_EQ(FS(uv_fs_close, fd), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_CLOSE);
  CHECK_EQ(fcntl(fd, F_GETFD), -1);
  CHECK_EQ(errno, EBADF);
}

FS_TEST(open_keeps_the_umask) {
  umask(027);
  int fd = (int) FS(uv_fs_open, "new", UV_FS_O_CREAT | UV_FS_O_WRONLY, 0777);
  CHECK(fd >= 0);
  CHECK_EQ(fs_info("new").st_mode & 07777, 0750);
  CHECK_EQ(close(fd), 0);
}

FS_TEST(open_with_flags) {
  static const int flags[] = {UV_FS_O_RDONLY, UV_FS_O_WRONLY, UV_FS_O_RDWR, UV_FS_O_RDONLY | UV_FS_O_NONBLOCK,
    UV_FS_O_RDONLY | UV_FS_O_NOFOLLOW, UV_FS_O_RDONLY | UV_FS_O_NOCTTY, UV_FS_O_RDONLY | UV_FS_O_NOATIME,
    UV_FS_O_RDONLY | UV_FS_O_SYNC, UV_FS_O_WRONLY | UV_FS_O_DSYNC, UV_FS_O_WRONLY | UV_FS_O_APPEND, O_PATH};
  fs_file("file", "text");
  for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
    int fd = (int) FS(uv_fs_open, "file", flags[i], 0), same = open("file", flags[i] | O_CLOEXEC);
    CHECK(fd >= 0 && same >= 0);
    CHECK_EQ(fcntl(fd, F_GETFL), fcntl(same, F_GETFL));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(close(same), 0);
    CHECK_EQ(FS(uv_fs_close, fd), 0);
  }
  int fd = (int) FS(uv_fs_open, ".", UV_FS_O_RDONLY | UV_FS_O_DIRECTORY, 0);
  CHECK(fd >= 0);
  CHECK_EQ(FS(uv_fs_close, fd), 0);
}

FS_TEST(open_truncates) {
  fs_file("old", "some text");
  int fd = (int) FS(uv_fs_open, "old", UV_FS_O_WRONLY, 0);
  CHECK(fd >= 0);
  CHECK_EQ(close(fd), 0);
  CHECK_STR(fs_text("old"), "some text");
  fd = (int) FS(uv_fs_open, "old", UV_FS_O_WRONLY | UV_FS_O_TRUNC, 0);
  CHECK(fd >= 0);
  CHECK_EQ(close(fd), 0);
  CHECK_STR(fs_text("old"), "");
}

FS_TEST(open_fails) {
  char name[300];
  memset(name, 'n', sizeof(name) - 1);
  name[sizeof(name) - 1] = '\0';
  fs_file("file", "");
  CHECK_EQ(symlink("file", "link"), 0);
  CHECK_EQ(symlink("circle", "circle"), 0);
  CHECK_EQ(FS(uv_fs_open, "none", UV_FS_O_RDONLY, 0), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_open, "", UV_FS_O_RDONLY, 0), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_open, "none/new", UV_FS_O_WRONLY | UV_FS_O_CREAT, 0600), UV_ENOENT);
  CHECK_EQ(FS(uv_fs_open, "file", UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_EXCL, 0600), UV_EEXIST);
  CHECK_EQ(FS(uv_fs_open, "file/x", UV_FS_O_RDONLY, 0), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_open, "file", UV_FS_O_RDONLY | UV_FS_O_DIRECTORY, 0), UV_ENOTDIR);
  CHECK_EQ(FS(uv_fs_open, ".", UV_FS_O_RDWR, 0), UV_EISDIR);
  CHECK_EQ(FS(uv_fs_open, "link", UV_FS_O_RDONLY | UV_FS_O_NOFOLLOW, 0), UV_ELOOP);
  CHECK_EQ(FS(uv_fs_open, "circle", UV_FS_O_RDONLY, 0), UV_ELOOP);
  CHECK_EQ(FS(uv_fs_open, name, UV_FS_O_RDONLY, 0), UV_ENAMETOOLONG);
}

FS_TEST(open_without_permission) {
  fs_be_ordinary();
  fs_file("secret", "");
  CHECK_EQ(chmod("secret", 0), 0);
  CHECK_EQ(FS(uv_fs_open, "secret", UV_FS_O_RDONLY, 0), UV_EACCES);
  CHECK_EQ(FS(uv_fs_open, "secret", UV_FS_O_WRONLY, 0), UV_EACCES);
}

FS_TEST(open_without_free_descriptors) {
  struct rlimit none = {0, 0}, before;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  if (fs.async) CHECK_EQ(FS(uv_fs_access, ".", 0), 0); /* the pool has what it needs */
  none.rlim_max = before.rlim_max;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  CHECK_EQ(FS(uv_fs_open, ".", UV_FS_O_RDONLY, 0), UV_EMFILE);
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

FS_TEST(close_fails) {
  CHECK_EQ(FS(uv_fs_close, -1), UV_EBADF);
  CHECK_EQ(FS(uv_fs_close, 100000000), UV_EBADF);
  int fd = fs_fd(".", O_RDONLY);
  CHECK_EQ(FS(uv_fs_close, fd), 0);
  CHECK_EQ(FS(uv_fs_close, fd), UV_EBADF);
}

FS_TEST(the_position_moves_with_offset_minus_one) {
  int fd = fs_fd("file", O_RDWR | O_CREAT);
  CHECK_EQ(write_text(fd, "first ", -1), 6);
  CHECK_EQ(fs.req.fs_type, UV_FS_WRITE);
  CHECK_EQ(write_text(fd, "second", -1), 6);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 12);
  CHECK_STR(fs_text("file"), "first second");
  CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
  CHECK_EQ(read_into(fd, bytes, 5, -1), 5);
  CHECK_EQ(fs.req.fs_type, UV_FS_READ);
  CHECK_EQ(memcmp(bytes, "rst s", 5), 0);
  CHECK_EQ(read_into(fd, bytes, 100, -1), 5);
  CHECK_EQ(memcmp(bytes, "econd", 5), 0);
  CHECK_EQ(read_into(fd, bytes, 100, -1), 0); /* the end */
  CHECK_EQ(close(fd), 0);
}

FS_TEST(the_position_stays_with_an_offset) {
  int fd = fs_fd("file", O_RDWR | O_CREAT);
  CHECK_EQ(write_text(fd, "abcdef", -1), 6);
  CHECK_EQ(write_text(fd, "XY", 2), 2);
  CHECK_EQ(write_text(fd, "Z", 0), 1);
  CHECK_EQ(write_text(fd, "!", 8), 1); /* leaves a hole */
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
  CHECK_EQ(read_into(fd, bytes, 100, 0), 9);
  CHECK_EQ(memcmp(bytes, "ZbXYef\0\0!", 9), 0);
  CHECK_EQ(read_into(fd, bytes, 3, 4), 3);
  CHECK_EQ(memcmp(bytes, "ef", 3), 0);
  CHECK_EQ(read_into(fd, bytes, 100, 9), 0);
  CHECK_EQ(read_into(fd, bytes, 100, 1000), 0);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
  CHECK_EQ(close(fd), 0);
}

FS_TEST(appending) {
  fs_file("file", "old ");
  int fd = (int) FS(uv_fs_open, "file", UV_FS_O_WRONLY | UV_FS_O_APPEND, 0);
  CHECK(fd >= 0);
  CHECK_EQ(write_text(fd, "new ", -1), 4);
  CHECK_EQ(write_text(fd, "more", 0), 4); /* the offset does not matter then, on Linux */
  CHECK_STR(fs_text("file"), "old new more");
  CHECK_EQ(close(fd), 0);
}

FS_TEST(empty_buffers) {
  fs_file("file", "text");
  int fd = fs_fd("file", O_RDWR);
  uv_buf_t bufs[5] = {text_of(""), text_of("AB"), text_of(""), text_of("CD"), text_of("")};
  CHECK_EQ(read_into(fd, bytes, 0, -1), 0);
  CHECK_EQ(write_text(fd, "", -1), 0);
  CHECK_EQ(write_text(fd, "", 100), 0);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
  CHECK_STR(fs_text("file"), "text");
  CHECK_EQ(FS(uv_fs_write, fd, bufs, 5, -1), 4);
  CHECK_STR(fs_text("file"), "ABCD");
  CHECK_EQ(FS(uv_fs_write, fd, bufs + 3, 2, 3), 2);
  CHECK_STR(fs_text("file"), "ABCCD");
  CHECK_EQ(close(fd), 0);
}

/* Writes and reads `count` buffers of 1, 2, 3, 1, ... bytes. One call need not read more than the system takes at once,
 * which is 1024 buffers, but it writes all. */
static void many_buffers(unsigned int count, int64_t offset) {
  uv_buf_t* bufs = calloc(count, sizeof(*bufs));
  uv_buf_t* same = calloc(count, sizeof(*bufs));
  char* base = bytes;
  char back[1 << 14];
  size_t size, at_least = 0, done;
  for (unsigned int i = 0; i < count; i++) {
    bufs[i] = uv_buf_init(base, 1 + i % 3);
    memset(base, 'a' + (int) (i % 26), bufs[i].len);
    base += bufs[i].len;
    if (i < 1024) at_least = (size_t) (base - bytes);
  }
  size = (size_t) (base - bytes);
  CHECK(size <= sizeof(back));
  memcpy(same, bufs, count * sizeof(*bufs));
  int fd = fs_fd("file", O_RDWR | O_CREAT | O_TRUNC);
  CHECK_EQ(FS(uv_fs_write, fd, bufs, count, offset), size);
  CHECK_EQ(memcmp(bufs, same, count * sizeof(*bufs)), 0); /* the program's array is only read */
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), offset < 0 ? (off_t) size : 0);
  CHECK_EQ(pread(fd, back, size, offset < 0 ? 0 : offset), size);
  CHECK_EQ(memcmp(back, bytes, size), 0);
  memset(bytes, 0, size);
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  done = (size_t) FS(uv_fs_read, fd, bufs, count, offset);
  CHECK(done >= at_least && done <= size);
  CHECK_EQ(memcmp(bufs, same, count * sizeof(*bufs)), 0);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), offset < 0 ? (off_t) done : 0);
  CHECK_EQ(memcmp(back, bytes, done), 0);
  for (size_t i = done; i < size; i++) CHECK_EQ(bytes[i], 0);
  CHECK_EQ(close(fd), 0);
  free(bufs);
  free(same);
}

FS_TEST(buffers) {
  static const unsigned int counts[] = {2, 3, 4, 5, 6, 64, 1023, 1024};
  for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
    many_buffers(counts[i], -1);
    many_buffers(counts[i], 0);
    many_buffers(counts[i], 7);
  }
}

FS_TEST(more_buffers_than_the_system_takes_at_once) {
  static const unsigned int counts[] = {1025, 2048, 2049, 5000};
  for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
    many_buffers(counts[i], -1);
    many_buffers(counts[i], 0);
    many_buffers(counts[i], 7);
  }
}

FS_TEST(reading_stops_at_the_end) {
  fs_file("file", "abcdefg");
  int fd = fs_fd("file", O_RDONLY);
  uv_buf_t bufs[6];
  for (int i = 0; i < 6; i++) bufs[i] = uv_buf_init(bytes + 3 * i, 3);
  memset(bytes, '#', 20);
  CHECK_EQ(FS(uv_fs_read, fd, bufs, 6, -1), 7);
  CHECK_EQ(memcmp(bytes, "abcdefg##", 9), 0);
  CHECK_EQ(close(fd), 0);
}

FS_TEST(reading_and_writing_fails) {
  fs_file("file", "text");
  int reader = fs_fd("file", O_RDONLY), writer = fs_fd("file", O_WRONLY), folder = fs_fd(".", O_RDONLY), ends[2];
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  CHECK_EQ(write_text(reader, "x", -1), UV_EBADF);
  CHECK_EQ(write_text(reader, "x", 0), UV_EBADF);
  CHECK_EQ(read_into(writer, bytes, 1, -1), UV_EBADF);
  CHECK_EQ(read_into(writer, bytes, 1, 0), UV_EBADF);
  CHECK_EQ(read_into(-1, bytes, 1, -1), UV_EBADF);
  CHECK_EQ(write_text(-1, "x", -1), UV_EBADF);
  CHECK_EQ(read_into(folder, bytes, 1, -1), UV_EISDIR);
  CHECK_EQ(read_into(ends[0], bytes, 1, 0), UV_ESPIPE);
  CHECK_EQ(write_text(ends[1], "x", 0), UV_ESPIPE);
  CHECK_EQ(read_into(reader, (char*) 8, 4, 0), UV_EFAULT);
  CHECK_STR(fs_text("file"), "text");
  close(reader), close(writer), close(folder), close(ends[0]), close(ends[1]);
}

FS_TEST(a_pipe) {
  int ends[2];
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  CHECK_EQ(write_text(ends[1], "through ", -1), 8);
  CHECK_EQ(write_text(ends[1], "a pipe", -1), 6);
  CHECK_EQ(read_into(ends[0], bytes, 100, -1), 14);
  CHECK_EQ(memcmp(bytes, "through a pipe", 14), 0);
  CHECK_EQ(FS(uv_fs_close, ends[1]), 0);
  CHECK_EQ(read_into(ends[0], bytes, 100, -1), 0);
  CHECK_EQ(FS(uv_fs_close, ends[0]), 0);
}

FS_TEST(writing_to_a_pipe_without_a_reader) {
  int ends[2];
  signal(SIGPIPE, SIG_IGN);
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  close(ends[0]);
  CHECK_EQ(write_text(ends[1], "x", -1), UV_EPIPE);
  close(ends[1]);
}

FS_TEST(what_fits_of_a_write) {
  int ends[2], room;
  uv_buf_t bufs[5];
  CHECK_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  room = fcntl(ends[1], F_GETPIPE_SZ);
  CHECK(room > 0 && (size_t) room <= sizeof(bytes));
  for (int i = 0; i < 5; i++) bufs[i] = uv_buf_init(bytes, (unsigned int) room / 2);
  CHECK_EQ(read_into(ends[0], bytes, 1, -1), UV_EAGAIN);
  CHECK_EQ(FS(uv_fs_write, ends[1], bufs, 5, -1), room);
  CHECK_EQ(FS(uv_fs_write, ends[1], bufs, 5, -1), UV_EAGAIN);
  CHECK_EQ(read_into(ends[0], bytes, sizeof(bytes), -1), room);
  close(ends[0]), close(ends[1]);
}

/* A file that may not grow: first what fits, then the error. */
FS_TEST(what_fits_of_a_file) {
  struct rlimit limit;
  uv_buf_t bufs[3];
  CHECK_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  signal(SIGXFSZ, SIG_IGN);
  limit.rlim_cur = 10000;
  CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  int fd = fs_fd("file", O_RDWR | O_CREAT);
  for (int i = 0; i < 3; i++) bufs[i] = uv_buf_init(bytes, 4000);
  CHECK_EQ(FS(uv_fs_write, fd, bufs, 3, -1), 10000);
  CHECK_EQ(FS(uv_fs_write, fd, bufs, 3, -1), UV_EFBIG);
  CHECK_EQ(FS(uv_fs_write, fd, bufs, 3, 5000), 5000);
  CHECK_EQ(FS(uv_fs_write, fd, bufs, 3, 10000), UV_EFBIG);
  CHECK_EQ(FS(uv_fs_ftruncate, fd, 10001), UV_EFBIG);
  CHECK_EQ(close(fd), 0);
}

FS_TEST(a_full_device) {
  int fd = fs_fd("/dev/full", O_RDWR);
  CHECK_EQ(write_text(fd, "x", -1), UV_ENOSPC);
  CHECK_EQ(close(fd), 0);
}

/* Some of it has to be fetched from the disk. */
FS_TEST(a_file_that_is_partly_cached) {
  enum { SIZE = 64 << 10, PIECES = 16 };
  static char back[SIZE];
  uv_buf_t bufs[PIECES];
  for (int i = 0; i < SIZE; i++) bytes[i] = (char) (i * 7 + i / 256);
  int fd = fs_fd("file", O_RDWR | O_CREAT);
  CHECK_EQ(write(fd, bytes, SIZE), SIZE);
  CHECK_EQ(fsync(fd), 0);
  for (int cached = 0; cached < SIZE; cached += 5 << 12) {
    for (int i = 0; i < PIECES; i++) bufs[i] = uv_buf_init(back + i * (SIZE / PIECES), SIZE / PIECES);
    CHECK_EQ(posix_fadvise(fd, cached, 0, POSIX_FADV_DONTNEED), 0);
    memset(back, 0, sizeof(back));
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(FS(uv_fs_read, fd, bufs, PIECES, cached % (2 << 12) == 0 ? -1 : 0), SIZE);
    CHECK_EQ(memcmp(back, bytes, SIZE), 0);
    CHECK_EQ(posix_fadvise(fd, cached, 0, POSIX_FADV_DONTNEED), 0);
    memset(back, 0, sizeof(back));
    CHECK_EQ(FS(uv_fs_read, fd, bufs, PIECES, 1000), SIZE - 1000);
    CHECK_EQ(memcmp(back, bytes + 1000, SIZE - 1000), 0);
  }
  CHECK_EQ(close(fd), 0);
}

FS_TEST(past_the_cache) {
  enum { BLOCK = 4096 };
  int fd = (int) FS(uv_fs_open, "file", UV_FS_O_DIRECT | UV_FS_O_RDWR | UV_FS_O_CREAT, 0600);
  if (fd == UV_EINVAL) SKIP("the file system does not know O_DIRECT");
  CHECK(fd >= 0);
  char* block = (char*) (((uintptr_t) bytes + BLOCK - 1) / BLOCK * BLOCK);
  memset(block, 'd', BLOCK);
  uv_buf_t buf = uv_buf_init(block, BLOCK);
  CHECK_EQ(FS(uv_fs_write, fd, &buf, 1, 0), BLOCK);
  memset(block, 0, BLOCK);
  CHECK_EQ(FS(uv_fs_read, fd, &buf, 1, 0), BLOCK);
  for (int i = 0; i < BLOCK; i++) CHECK_EQ(block[i], 'd');
  CHECK_EQ(FS(uv_fs_read, fd, &buf, 1, BLOCK), 0);
  CHECK_EQ(FS(uv_fs_close, fd), 0);
}

/* Beyond what 32 bits can say; the file is a hole. */
FS_TEST(large_offsets) {
  const int64_t far = 5LL << 30;
  int fd = fs_fd("file", O_RDWR | O_CREAT);
  uv_buf_t bufs[2] = {text_of("fa"), text_of("r")};
  if (FS(uv_fs_ftruncate, fd, far) == UV_EFBIG) SKIP("files here are below 5 GiB");
  CHECK_EQ(fs.req.result, 0);
  CHECK_EQ(FS(uv_fs_write, fd, bufs, 2, far - 1), 3);
  CHECK_EQ(FS(uv_fs_fstat, fd), 0);
  CHECK_EQ(fs.req.statbuf.st_size, far + 2);
  memset(bytes, '#', 5);
  CHECK_EQ(read_into(fd, bytes, 4, far - 2), 4);
  CHECK_EQ(memcmp(bytes, "\0far", 4), 0);
  bufs[0] = uv_buf_init(bytes, 1);
  bufs[1] = uv_buf_init(bytes + 1, 1);
  CHECK_EQ(FS(uv_fs_read, fd, bufs, 2, far), 2);
  CHECK_EQ(memcmp(bytes, "ar", 2), 0);
  CHECK_EQ(lseek(fd, far, SEEK_SET), far);
  CHECK_EQ(read_into(fd, bytes, 10, -1), 2);
  CHECK_EQ(close(fd), 0);
}

/* 2 GiB - 4 KiB is what the system moves at once. */
enum { MOST = 0x7ffff000 };

static char* unreadable(size_t size) {
  char* base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) SKIP("no address space for a large buffer");
  return base;
}

FS_TEST(large_results) {
  NOT_UNDER_ASAN("its runtime looks at every byte of the buffer");
  NOT_UNDER_TSAN("its runtime looks at every byte of the buffer");
  int null = fs_fd("/dev/null", O_WRONLY), zero = fs_fd("/dev/zero", O_RDONLY);
  enum { COUNT = 800, EACH = 5 << 19 }; /* 2000 MiB, all in the same place */
  uv_buf_t bufs[COUNT];
  uv_buf_t all = uv_buf_init(unreadable(MOST), MOST);
  CHECK_EQ(FS(uv_fs_write, null, &all, 1, -1), MOST);
  CHECK_EQ(FS(uv_fs_write, null, &all, 1, 0), MOST);
  char* same = malloc(EACH);
  for (int i = 0; i < COUNT; i++) bufs[i] = uv_buf_init(same, EACH);
  CHECK_EQ(FS(uv_fs_read, zero, bufs, COUNT, -1), (size_t) COUNT * EACH);
  free(same);
  munmap(all.base, MOST);
  close(null), close(zero);
}

FS_TEST(more_than_fits_into_the_result) {
  NEEDS(1, 52);
  fs_file("file", "text");
  int fd = fs_fd("file", O_RDWR);
  uv_buf_t bufs[3];
  char* base = unreadable((size_t) MOST + 1);
  bufs[0] = uv_buf_init(base, MOST);
  bufs[0].len++;
  CHECK_EQ(FS_REFUSED(uv_fs_write, fd, bufs, 1, -1), UV_EINVAL);
  for (int i = 0; i < 3; i++) bufs[i] = uv_buf_init(base, 1u << 30);
  CHECK_EQ(FS_REFUSED(uv_fs_write, fd, bufs, 3, -1), UV_EINVAL);
  CHECK_STR(fs_text("file"), "text");
  bufs[0] = uv_buf_init(bytes, 4); /* reading is limited to what fits instead */
  bufs[1].len = bufs[2].len = (size_t) MOST + 1;
  CHECK_EQ(FS(uv_fs_read, fd, bufs, 3, -1), 4);
  CHECK_EQ(memcmp(bytes, "text", 4), 0);
  munmap(base, (size_t) MOST + 1);
  CHECK_EQ(close(fd), 0);
}

FS_TEST(truncate) {
  fs_file("file", "abcdef");
  int fd = fs_fd("file", O_RDWR);
  CHECK_EQ(FS(uv_fs_ftruncate, fd, 3), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_FTRUNCATE);
  CHECK_STR(fs_text("file"), "abc");
  CHECK_EQ(FS(uv_fs_ftruncate, fd, 5), 0);
  CHECK_EQ(read_into(fd, bytes, 10, 0), 5);
  CHECK_EQ(memcmp(bytes, "abc\0\0", 5), 0);
  CHECK_EQ(FS(uv_fs_ftruncate, fd, 0), 0);
  CHECK_EQ(fs_info("file").st_size, 0);
  CHECK_EQ(FS(uv_fs_ftruncate, fd, -1), UV_EINVAL);
  CHECK_EQ(close(fd), 0);
  CHECK_EQ(FS(uv_fs_ftruncate, fd, 0), UV_EBADF);
  fd = fs_fd("file", O_RDONLY);
  CHECK_EQ(FS(uv_fs_ftruncate, fd, 0), UV_EINVAL);
  CHECK_EQ(close(fd), 0);
}

FS_TEST(sync_to_disk) {
  int fd = fs_fd("file", O_RDWR | O_CREAT), ends[2];
  CHECK_EQ(write_text(fd, "text", -1), 4);
  CHECK_EQ(FS(uv_fs_fdatasync, fd), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_FDATASYNC);
  CHECK_EQ(FS(uv_fs_fsync, fd), 0);
  CHECK_EQ(fs.req.fs_type, UV_FS_FSYNC);
  CHECK_EQ(close(fd), 0);
  CHECK_EQ(FS(uv_fs_fsync, fd), UV_EBADF);
  CHECK_EQ(FS(uv_fs_fdatasync, fd), UV_EBADF);
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  CHECK_EQ(FS(uv_fs_fsync, ends[0]), UV_EINVAL);
  CHECK_EQ(FS(uv_fs_fdatasync, ends[1]), UV_EINVAL);
  close(ends[0]), close(ends[1]);
}

TEST(handles_of_the_system) {
  CHECK_EQ(uv_get_osfhandle(7), 7);
  CHECK_EQ(uv_open_osfhandle(8), 8);
  CHECK_EQ(uv_get_osfhandle(-1), -1);
}
