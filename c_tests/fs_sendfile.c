/* Parts of files from one descriptor to another. */
#include "fs.h"

#include <sys/socket.h>

static char bytes[1 << 20];

static ssize_t send_part(int out, int in, int64_t offset, size_t length) {
  return FS(uv_fs_sendfile, out, in, offset, length);
}

/* Reads what has to be there. */
static void check_reads(int fd, const char* text) {
  size_t size = strlen(text);
  CHECK_EQ(read(fd, bytes, sizeof(bytes)), size);
  CHECK_EQ(memcmp(bytes, text, size), 0);
}

FS_TEST(file_to_file) {
  fs_file("source", "0123456789");
  int in = fs_fd("source", O_RDONLY), out = fs_fd("copy", O_WRONLY | O_CREAT);
  CHECK_EQ(lseek(in, 7, SEEK_SET), 7);
  CHECK_EQ(send_part(out, in, 2, 5), 5);
  CHECK_EQ(fs.req.fs_type, UV_FS_SENDFILE);
  CHECK_STR(fs_text("copy"), "23456");
  CHECK_EQ(send_part(out, in, 0, 3), 3); /* where the last one ended */
  CHECK_STR(fs_text("copy"), "23456012");
  CHECK_EQ(send_part(out, in, 8, 100), 2); /* what there is */
  CHECK_STR(fs_text("copy"), "2345601289");
  CHECK_EQ(send_part(out, in, 10, 5), 0);
  CHECK_EQ(send_part(out, in, 1000, 5), 0);
  CHECK_EQ(send_part(out, in, 0, 0), 0);
  CHECK_EQ(lseek(in, 0, SEEK_CUR), 7); /* not touched */
  CHECK_EQ(lseek(out, 0, SEEK_CUR), 10);
  close(in), close(out);
}

FS_TEST(file_to_pipe_and_back) {
  int ends[2], in, out;
  fs_file("source", "0123456789");
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  in = fs_fd("source", O_RDONLY);
  out = fs_fd("copy", O_WRONLY | O_CREAT);
  CHECK_EQ(send_part(ends[1], in, 1, 4), 4);
  CHECK_EQ(send_part(ends[1], in, 5, 100), 5);
  check_reads(ends[0], "123456789");
  CHECK_EQ(write(ends[1], "from a pipe", 11), 11);
  CHECK_EQ(send_part(out, ends[0], 0, 11), 11);
  CHECK_STR(fs_text("copy"), "from a pipe");
  close(in), close(out), close(ends[0]), close(ends[1]);
}

FS_TEST(file_to_socket_and_back) {
  int ends[2], in, out;
  fs_file("source", "0123456789");
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  in = fs_fd("source", O_RDONLY);
  out = fs_fd("copy", O_WRONLY | O_CREAT);
  CHECK_EQ(send_part(ends[1], in, 1, 4), 4);
  CHECK_EQ(send_part(ends[1], in, 5, 100), 5);
  check_reads(ends[0], "123456789");
  CHECK_EQ(write(ends[1], "from a socket", 13), 13);
  CHECK_EQ(send_part(out, ends[0], 0, 13), 13);
  CHECK_STR(fs_text("copy"), "from a socket");
  close(in), close(out), close(ends[0]), close(ends[1]);
}

FS_TEST(pipe_to_socket) {
  int pipe_ends[2], ends[2];
  CHECK_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  CHECK_EQ(write(pipe_ends[1], "from a pipe", 11), 11);
  CHECK_EQ(send_part(ends[1], pipe_ends[0], 0, 11), 11);
  check_reads(ends[0], "from a pipe");
  close(pipe_ends[0]), close(pipe_ends[1]), close(ends[0]), close(ends[1]);
}

FS_TEST(device_to_file) {
  int zero = fs_fd("/dev/zero", O_RDONLY), out = fs_fd("copy", O_WRONLY | O_CREAT);
  CHECK_EQ(send_part(out, zero, 0, 100000), 100000);
  CHECK_EQ(fs_info("copy").st_size, 100000);
  close(zero), close(out);
}

static void* take_all(void* arg) {
  static char taken[sizeof(bytes)];
  size_t done = 0;
  ssize_t got;
  while ((got = read(*(int*) arg, taken + done, sizeof(taken) - done)) > 0) done += (size_t) got;
  CHECK_EQ(got, 0);
  CHECK_EQ(memcmp(taken, bytes, sizeof(bytes)), 0);
  return (void*) done;
}

/* All of a large file through a socket that takes little at once. */
static void through_socket(int flags) {
  int ends[2], out = fs_fd("source", O_RDWR | O_CREAT);
  pthread_t reader;
  void* done;
  size_t sent = 0;
  for (size_t i = 0; i < sizeof(bytes); i++) bytes[i] = (char) (i * 7 + i / 256);
  CHECK_EQ(write(out, bytes, sizeof(bytes)), sizeof(bytes));
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  CHECK_EQ(fcntl(ends[1], F_SETFL, flags), 0);
  CHECK_EQ(pthread_create(&reader, NULL, take_all, &ends[0]), 0);
  CHECK_EQ(send_part(ends[1], out, 0, sizeof(bytes)), sizeof(bytes));
  sent = (size_t) fs.req.result;
  CHECK_EQ(close(ends[1]), 0);
  CHECK_EQ(pthread_join(reader, &done), 0);
  CHECK_EQ(done, sent);
  close(out), close(ends[0]);
}

FS_TEST(large_file_to_socket) { through_socket(0); }
FS_TEST(large_file_to_socket_that_does_not_block) { through_socket(O_NONBLOCK); }

FS_TEST(large_offset) {
  const int64_t far = 5LL << 30;
  int in = fs_fd("source", O_RDWR | O_CREAT), out = fs_fd("copy", O_WRONLY | O_CREAT);
  if (ftruncate(in, far) != 0) SKIP("files here are below 5 GiB");
  CHECK_EQ(pwrite(in, "far", 3, far), 3);
  CHECK_EQ(send_part(out, in, far, 10), 3);
  CHECK_STR(fs_text("copy"), "far");
  close(in), close(out);
}

FS_TEST(without_copy_file_range) {
  fs_file("source", "0123456789");
  int in = fs_fd("source", O_RDONLY), out = fs_fd("copy", O_WRONLY | O_CREAT);
  fs_refuse_call(SYS_copy_file_range, ENOSYS);
  CHECK_EQ(send_part(out, in, 2, 5), 5);
  fs_refuse_call(SYS_sendfile, EINVAL);
  CHECK_EQ(send_part(out, in, 4, 100), 6);
  CHECK_STR(fs_text("copy"), "23456456789");
  CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
  close(in), close(out);
}

FS_TEST(failures) {
  int ends[2];
  fs_file("source", "text");
  int in = fs_fd("source", O_RDONLY), out = fs_fd("copy", O_WRONLY | O_CREAT), folder = fs_fd(".", O_RDONLY);
  CHECK_EQ(send_part(out, -1, 0, 1), UV_EBADF);
  CHECK_EQ(send_part(-1, in, 0, 1), UV_EBADF);
  CHECK_EQ(send_part(in, in, 0, 1), UV_EBADF);  /* not for writing */
  CHECK_EQ(send_part(out, out, 0, 1), UV_EBADF); /* not for reading */
  CHECK_EQ(send_part(out, folder, 0, 1), UV_EISDIR);
  signal(SIGPIPE, SIG_IGN);
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  CHECK_EQ(close(ends[0]), 0);
  CHECK_EQ(send_part(ends[1], in, 0, 4), UV_EPIPE);
  CHECK_STR(fs_text("copy"), "");
  close(in), close(out), close(folder), close(ends[1]);
}

FS_TEST(more_than_fits_into_the_result) {
  NEEDS(1, 52);
  fs_file("source", "text");
  int in = fs_fd("source", O_RDONLY), out = fs_fd("copy", O_WRONLY | O_CREAT);
  CHECK_EQ(FS_REFUSED(uv_fs_sendfile, out, in, 0, 0x7ffff001), UV_EINVAL);
  CHECK_EQ(FS_REFUSED(uv_fs_sendfile, out, in, 0, SIZE_MAX), UV_EINVAL);
  CHECK_EQ(send_part(out, in, 0, 0x7ffff000), 4);
  CHECK_STR(fs_text("copy"), "text");
  close(in), close(out);
}
