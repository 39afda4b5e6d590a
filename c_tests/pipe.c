/* Pipe handles: names of all kinds, listening and connecting, what open takes, modes, and pipes without handles. */
#include "streams.h"

#include <sys/stat.h>
#include <sys/un.h>

static uv_pipe_t server, client, accepted;
static uv_connect_t req;
static int connects, connect_status = 1, connections;
static char folder[64], path[128];

#define STREAM(handle) ((uv_stream_t*) &(handle))
#define SIZE_OF_PATH (sizeof(((struct sockaddr_un*) 0)->sun_path))

static void on_connect(uv_connect_t* done, int status) {
  CHECK(done == &req);
  connects++;
  connect_status = status;
}

static void on_connection(uv_stream_t* listener, int status) {
  CHECK_EQ(status, 0);
  connections++;
  CHECK_EQ(uv_pipe_init(listener->loop, &accepted, 0), 0);
  CHECK_EQ(uv_accept(listener, STREAM(accepted)), 0);
}

static void init(void) {
  signal(SIGPIPE, SIG_IGN);
  strcpy(folder, "/tmp/uv-pipe-XXXXXX");
  CHECK(mkdtemp(folder) != NULL);
  snprintf(path, sizeof(path), "%s/socket", folder);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_pipe_init(&loop, &server, 0), 0);
  CHECK_EQ(uv_pipe_init(&loop, &client, 0), 0);
}

static void end(void) {
  check_close_loop(&loop);
  CHECK_EQ(rmdir(folder), 0); /* nothing is left in it */
}

TEST(init_sets_everything) {
  static uv_pipe_t handle;
  memset(&handle, 0xff, sizeof(handle));
  handle.data = &loop;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_pipe_init(&loop, &handle, 1), 0);
  CHECK(handle.data == &loop);
  CHECK_EQ(handle.type, UV_NAMED_PIPE);
  CHECK_EQ(handle.ipc, 1);
  CHECK_EQ(handle.io_watcher.fd, -1);
  CHECK_EQ(handle.write_queue_size, 0);
  CHECK_EQ(uv_is_readable(STREAM(handle)), 0);
  CHECK_EQ(uv_is_writable(STREAM(handle)), 0);
  check_close_loop(&loop);
}

TEST(a_round_trip_by_path) {
  uv_write_t write_req;
  uv_buf_t buf = uv_buf_init("ping", 4);
  struct stat found;
  init();
  CHECK_EQ(uv_pipe_bind(&server, path), 0);
  CHECK_EQ(stat(path, &found), 0);
  CHECK(S_ISSOCK(found.st_mode));
  CHECK_EQ(fcntl(server.io_watcher.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  CHECK_EQ(uv_listen(STREAM(server), 1, on_connection), 0);
  uv_pipe_connect(&req, &client, path, on_connect);
  CHECK_EQ(req.type, UV_CONNECT);
  CHECK_EQ(connects, 0);
  RUN_UNTIL(connects == 1 && connections == 1);
  CHECK_EQ(connect_status, 0);
  CHECK_EQ(uv_is_readable(STREAM(client)) && uv_is_writable(STREAM(client)), 1);
  CHECK_EQ(uv_write(&write_req, STREAM(client), &buf, 1, NULL), 0);
  CHECK_EQ(uv_read_start(STREAM(accepted), alloc, on_read), 0);
  RUN_UNTIL(got.total == 4);
  uv_close((uv_handle_t*) &server, NULL);
  CHECK_EQ(stat(path, &found), -1); /* removed at once */
  end();
}

static int written;

static void on_written(uv_write_t* done, int status) {
  (void) done;
  CHECK_EQ(status, 0);
  CHECK_EQ(got.calls, 0);
  written++;
}

/* Writes, and has the answer waiting before the callback returns. */
static void on_connect_ask(uv_connect_t* done, int status) {
  static uv_write_t question;
  uv_buf_t buf = uv_buf_init("question", 8);
  char bytes[16];
  int fd;
  on_connect(done, status);
  CHECK_EQ(uv_read_start(done->handle, alloc, on_read), 0);
  CHECK_EQ(uv_write(&question, done->handle, &buf, 1, on_written), 0);
  fd = accept(far, NULL, NULL);
  CHECK_EQ(read(fd, bytes, sizeof(bytes)), 8);
  CHECK_EQ(write(fd, "answer", 6), 6);
  close(fd);
}

TEST(a_write_is_called_back_before_its_answer_is_read) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  init();
  strcpy(address.sun_path, path);
  far = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_EQ(bind(far, (struct sockaddr*) &address, sizeof(address)), 0);
  CHECK_EQ(listen(far, 1), 0);
  uv_pipe_connect(&req, &client, path, on_connect_ask);
  RUN_UNTIL(got.total == 6);
  CHECK_EQ(written, 1);
  close(far);
  CHECK_EQ(unlink(path), 0);
  end();
}

TEST(writes_wait_for_the_connection) {
  uv_write_t write_req;
  uv_shutdown_t shutdown_req;
  uv_buf_t buf = uv_buf_init("early", 5);
  init();
  CHECK_EQ(uv_pipe_bind(&server, path), 0);
  CHECK_EQ(uv_listen(STREAM(server), 1, on_connection), 0);
  uv_pipe_connect(&req, &client, path, on_connect);
  CHECK_EQ(uv_try_write(STREAM(client), &buf, 1), UV_EAGAIN);
  CHECK_EQ(uv_write(&write_req, STREAM(client), &buf, 1, NULL), 0);
  CHECK_EQ(uv_shutdown(&shutdown_req, STREAM(client), NULL), 0);
  RUN_UNTIL(connections == 1);
  CHECK_EQ(uv_read_start(STREAM(accepted), alloc, on_read), 0);
  RUN_UNTIL(got.last == UV_EOF);
  CHECK_EQ(got.total, 5);
  CHECK_EQ(connect_status, 0);
  end();
}

TEST(errors_of_a_connection_go_to_the_callback) {
  NEEDS(1, 52);
  init();
  uv_pipe_connect(&req, &client, path, on_connect);
  CHECK_EQ(connects, 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(connect_status, UV_ENOENT);
  CHECK_EQ(uv_pipe_bind(&server, path), 0);
  uv_pipe_connect(&req, &client, path, on_connect);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(connect_status, UV_ECONNREFUSED);
  uv_pipe_connect(&req, &client, "", on_connect);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(connect_status, UV_EINVAL);
  CHECK_EQ(connects, 3);
  end();
}

TEST(a_connection_that_failed_is_tried_again) {
  OURS_ONLY("the reference leaves the handle neither readable nor writable");
  init();
  uv_pipe_connect(&req, &client, path, on_connect);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(connect_status, UV_ENOENT);
  CHECK_EQ(uv_pipe_bind(&server, path), 0);
  CHECK_EQ(uv_listen(STREAM(server), 1, on_connection), 0);
  uv_pipe_connect(&req, &client, path, on_connect);
  RUN_UNTIL(connections == 1 && connects == 2);
  CHECK_EQ(connect_status, 0);
  CHECK(uv_is_readable(STREAM(client)) && uv_is_writable(STREAM(client)));
  end();
}

TEST(connect2_refuses) {
  NEEDS(1, 46);
  static char name[200];
  memset(name, 'x', sizeof(name));
  init();
  CHECK_EQ(uv_pipe_connect2(&req, &client, NULL, 3, 0, on_connect), UV_EINVAL);
  CHECK_EQ(uv_pipe_connect2(&req, &client, path, 0, 0, on_connect), UV_EINVAL);
  CHECK_EQ(uv_pipe_connect2(&req, &client, "a\0b", 3, 0, on_connect), UV_EINVAL);
  CHECK_EQ(uv_pipe_connect2(&req, &client, path, strlen(path), 2, on_connect), UV_EINVAL);
  CHECK_EQ(uv_pipe_connect2(&req, &client, name, SIZE_OF_PATH + 1, UV_PIPE_NO_TRUNCATE, on_connect), UV_EINVAL);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(uv_pipe_connect2(&req, &client, path, strlen(path), UV_PIPE_NO_TRUNCATE, on_connect), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(connect_status, UV_ENOENT);
  end();
}

TEST(bind_refuses) {
  static char name[200];
  char missing[128];
  memset(name, 'x', sizeof(name));
  init();
  snprintf(missing, sizeof(missing), "%s/no/socket", folder);
  CHECK_EQ(uv_pipe_bind(&server, missing), UV_EACCES);
  CHECK_EQ(uv_pipe_bind(&server, path), 0);
  CHECK_EQ(uv_pipe_bind(&server, path), UV_EINVAL);
  CHECK_EQ(uv_pipe_bind(&client, path), UV_EADDRINUSE);
  CHECK_EQ(client.io_watcher.fd, -1);
  CHECK(client.pipe_fname == NULL);
  CHECK_EQ(uv_listen(STREAM(client), 1, on_connection), UV_EINVAL);
  NEEDS(1, 46);
  CHECK_EQ(uv_pipe_bind2(&client, NULL, 3, 0), UV_EINVAL);
  CHECK_EQ(uv_pipe_bind2(&client, "a\0b", 3, 0), UV_EINVAL);
  CHECK_EQ(uv_pipe_bind2(&client, path, strlen(path), 2), UV_EINVAL);
  CHECK_EQ(uv_pipe_bind2(&client, name, SIZE_OF_PATH + 1, UV_PIPE_NO_TRUNCATE), UV_EINVAL);
  uv_close((uv_handle_t*) &client, NULL);
  CHECK_EQ(uv_pipe_bind2(&client, path, strlen(path), 0), UV_EINVAL);
  end();
}

static char* long_name(size_t length) {
  static char name[256];
  size_t used = strlen(folder);
  memcpy(name, folder, used);
  name[used++] = '/';
  memset(name + used, 'x', length - used);
  name[length] = '\0';
  return name;
}

TEST(long_paths_are_cut) {
  NEEDS(1, 52);
  char buffer[256];
  size_t size = sizeof(buffer);
  struct stat found;
  init();
  CHECK_EQ(uv_pipe_bind(&server, long_name(SIZE_OF_PATH + 20)), 0);
  CHECK_EQ(stat(long_name(SIZE_OF_PATH), &found), 0);
  CHECK_EQ(uv_listen(STREAM(server), 1, on_connection), 0);
  CHECK_EQ(uv_pipe_getsockname(&server, buffer, &size), 0);
  CHECK_EQ(size, SIZE_OF_PATH);
  CHECK_STR(buffer, long_name(SIZE_OF_PATH));
  uv_pipe_connect(&req, &client, long_name(SIZE_OF_PATH + 7), on_connect);
  RUN_UNTIL(connects == 1 && connections == 1);
  CHECK_EQ(connect_status, 0);
  end();
}

TEST(the_longest_path_is_taken_whole) {
  NEEDS(1, 46);
  char* name;
  init();
  name = long_name(SIZE_OF_PATH);
  CHECK_EQ(uv_pipe_bind2(&server, name, SIZE_OF_PATH, UV_PIPE_NO_TRUNCATE), 0);
  CHECK_EQ(access(name, F_OK), 0);
  end();
}

TEST(abstract_names) {
  NEEDS(1, 46);
  char name[64], buffer[64];
  size_t length, size = sizeof(buffer);
  init();
  memset(name, 0, sizeof(name));
  length = (size_t) snprintf(name + 1, sizeof(name) - 1, "uv-%d", (int) getpid()) + 1;
  name[length++] = '\0'; /* a zero counts like any other byte */
  name[length++] = 'x';
  CHECK_EQ(uv_pipe_bind2(&server, name, length, 0), 0);
  CHECK(server.pipe_fname == NULL);
  CHECK_EQ(uv_listen(STREAM(server), 1, on_connection), 0);
  CHECK_EQ(uv_pipe_getsockname(&server, buffer, &size), 0);
  CHECK_EQ(size, length);
  CHECK_EQ(memcmp(buffer, name, length), 0);
  size = length;
  CHECK_EQ(uv_pipe_getsockname(&server, buffer, &size), 0);
  size = length - 1;
  CHECK_EQ(uv_pipe_getsockname(&server, buffer, &size), UV_ENOBUFS);
  CHECK_EQ(size, length);
  CHECK_EQ(uv_pipe_connect2(&req, &client, name, length, 0, on_connect), 0);
  RUN_UNTIL(connects == 1 && connections == 1);
  CHECK_EQ(connect_status, 0);
  size = sizeof(buffer);
  CHECK_EQ(uv_pipe_getpeername(&client, buffer, &size), 0);
  CHECK_EQ(size, length);
  end();
}

TEST(the_system_finds_a_name) {
  NEEDS(1, 46);
  char buffer[64];
  size_t size = sizeof(buffer);
  init();
  CHECK_EQ(uv_pipe_bind2(&server, "", 0, 0), 0);
  CHECK_EQ(uv_listen(STREAM(server), 1, on_connection), 0);
  CHECK_EQ(uv_pipe_getsockname(&server, buffer, &size), 0);
  CHECK_EQ(size, 6);
  CHECK_EQ(uv_pipe_connect2(&req, &client, buffer, size, 0, on_connect), 0);
  RUN_UNTIL(connects == 1 && connections == 1);
  CHECK_EQ(connect_status, 0);
  end();
}

TEST(names) {
  char buffer[256];
  size_t size = sizeof(buffer);
  init();
  CHECK_EQ(uv_pipe_getsockname(&server, buffer, &size), UV_EBADF);
  CHECK_EQ(size, 0);
  CHECK_EQ(uv_pipe_bind(&server, path), 0);
  NEEDS(1, 46);
  size = 0;
  CHECK_EQ(uv_pipe_getsockname(&server, buffer, &size), UV_EINVAL);
  size = 10;
  CHECK_EQ(uv_pipe_getsockname(&server, NULL, &size), UV_EINVAL);
  CHECK_EQ(uv_pipe_getsockname(&server, buffer, NULL), UV_EINVAL);
  size = strlen(path);
  CHECK_EQ(uv_pipe_getsockname(&server, buffer, &size), UV_ENOBUFS);
  CHECK_EQ(size, strlen(path) + 1);
  memset(buffer, 'y', sizeof(buffer));
  CHECK_EQ(uv_pipe_getsockname(&server, buffer, &size), 0);
  CHECK_EQ(size, strlen(path));
  CHECK_STR(buffer, path);
  size = sizeof(buffer);
  CHECK_EQ(uv_pipe_getpeername(&server, buffer, &size), UV_ENOTCONN);
  CHECK_EQ(size, 0);
  CHECK_EQ(uv_listen(STREAM(server), 1, on_connection), 0);
  uv_pipe_connect(&req, &client, path, on_connect);
  RUN_UNTIL(connects == 1 && connections == 1);
  size = sizeof(buffer);
  CHECK_EQ(uv_pipe_getpeername(&client, buffer, &size), 0);
  CHECK_STR(buffer, path);
  size = sizeof(buffer);
  CHECK_EQ(uv_pipe_getsockname(&client, buffer, &size), 0);
  CHECK_EQ(size, 0);
  CHECK_EQ(buffer[0], '\0');
  size = sizeof(buffer);
  CHECK_EQ(uv_pipe_getsockname(&accepted, buffer, &size), 0);
  CHECK_STR(buffer, path);
  end();
}

static int mode_of(const char* file) {
  struct stat found;
  CHECK_EQ(stat(file, &found), 0);
  return found.st_mode & 0777;
}

TEST(chmod_lets_others_in) {
  init();
  CHECK_EQ(uv_pipe_chmod(NULL, UV_READABLE), UV_EBADF);
  CHECK_EQ(uv_pipe_chmod(&server, UV_READABLE), UV_EBADF);
  CHECK_EQ(uv_pipe_bind(&server, path), 0);
  CHECK_EQ(uv_pipe_chmod(&server, 0), UV_EINVAL);
  CHECK_EQ(uv_pipe_chmod(&server, 12345), UV_EINVAL);
  NEEDS(1, 52);
  CHECK_EQ(uv_pipe_chmod(&server, UV_READABLE), 0);
  CHECK_EQ(mode_of(path), 0444);
  CHECK_EQ(uv_pipe_chmod(&server, UV_WRITABLE), 0);
  CHECK_EQ(mode_of(path), 0222);
  CHECK_EQ(uv_pipe_chmod(&server, UV_WRITABLE | UV_READABLE), 0);
  CHECK_EQ(mode_of(path), 0666);
  end();
}

TEST(open_sees_the_direction) {
  int fds[2];
  init();
  CHECK_EQ(uv_pipe_open(&client, -1), UV_EBADF);
  CHECK_EQ(pipe(fds), 0);
  CHECK_EQ(uv_pipe_open(&client, fds[0]), 0);
  CHECK_EQ(uv_is_readable(STREAM(client)), 1);
  CHECK_EQ(uv_is_writable(STREAM(client)), 0);
  CHECK_EQ(fcntl(fds[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  CHECK_EQ(uv_pipe_open(&client, fds[1]), UV_EBUSY);
  CHECK_EQ(uv_pipe_open(&server, fds[1]), 0);
  CHECK_EQ(uv_is_readable(STREAM(server)), 0);
  CHECK_EQ(uv_is_writable(STREAM(server)), 1);
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  CHECK_EQ(uv_pipe_init(&loop, &accepted, 0), 0);
  CHECK_EQ(uv_pipe_open(&accepted, fds[0]), 0);
  CHECK_EQ(uv_is_readable(STREAM(accepted)) && uv_is_writable(STREAM(accepted)), 1);
  close(fds[1]);
  end();
}

TEST(a_listening_pipe_cannot_carry_handles) {
  uv_pipe_t ipc;
  init();
  CHECK_EQ(uv_pipe_init(&loop, &ipc, 1), 0);
  CHECK_EQ(uv_pipe_bind(&ipc, path), 0);
  CHECK_EQ(uv_listen(STREAM(ipc), 1, on_connection), UV_EINVAL);
  uv_pipe_pending_instances(&ipc, 4); /* a matter of other systems */
  end();
}

TEST(standard_files_stay_open) {
  init();
  CHECK_EQ(dup2(open("/dev/null", O_RDWR), 0), 0);
  CHECK_EQ(uv_pipe_open(&client, 0), 0);
  uv_close((uv_handle_t*) &client, NULL);
  CHECK(fcntl(0, F_GETFD) != -1);
  end();
}

TEST(plain_pipes) {
  NEEDS(1, 41);
  for (int flags = 0; flags < 4; flags++) {
    int fds[2], reader = flags & 1 ? UV_NONBLOCK_PIPE : 0, writer = flags & 2 ? UV_NONBLOCK_PIPE : 0;
    CHECK_EQ(uv_pipe(fds, reader, writer), 0);
    CHECK_EQ(!!(fcntl(fds[0], F_GETFL) & O_NONBLOCK), !!reader);
    CHECK_EQ(!!(fcntl(fds[1], F_GETFL) & O_NONBLOCK), !!writer);
    CHECK_EQ(fcntl(fds[0], F_GETFD) & fcntl(fds[1], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    put(fds[1], "x");
    CHECK_EQ(read(fds[0], got.bytes, 9), 1);
    close(fds[0]);
    close(fds[1]);
  }
}

TEST(closing_cancels_a_connection) {
  init();
  uv_pipe_connect(&req, &client, path, on_connect);
  uv_close((uv_handle_t*) &client, NULL);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(connects, 1);
  CHECK_EQ(connect_status, UV_ECANCELED);
  end();
}
