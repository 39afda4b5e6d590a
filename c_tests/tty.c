/* Terminals, on a pseudoterminal of the test's own: which descriptors they take, modes, size, data; and which handle fits a descriptor. */
#include "check.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

static uv_loop_t loop;
static uv_tty_t tty, other;
static int master, slave;

static void open_terminal(void) {
  master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0) SKIP("no pseudoterminals");
  CHECK_EQ(grantpt(master), 0);
  CHECK_EQ(unlockpt(master), 0);
  slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  CHECK(slave >= 0);
}

static void init(void) {
  open_terminal();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_tty_init(&loop, &tty, slave, 0), 0);
}

static int descriptor(uv_tty_t* handle) {
  uv_os_fd_t fd;
  CHECK_EQ(uv_fileno((uv_handle_t*) handle, &fd), 0);
  return fd;
}

static struct termios settings(void) {
  struct termios found;
  CHECK_EQ(tcgetattr(slave, &found), 0);
  return found;
}

TEST(init_refuses_what_is_no_terminal) {
  int file = open("/proc/self/exe", O_RDONLY), null = open("/dev/null", O_RDWR);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_tty_init(&loop, &tty, -1, 0), UV_EINVAL);
  CHECK_EQ(uv_tty_init(&loop, &tty, 9999, 0), UV_EINVAL);
  CHECK_EQ(uv_tty_init(&loop, &tty, file, 0), UV_EINVAL);
  CHECK_EQ(uv_tty_init(&loop, &tty, null, 0), UV_EINVAL);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(init_takes_pipes) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_tty_init(&loop, &tty, ends[0], 0), 0);
  CHECK_EQ(descriptor(&tty), ends[0]);
  CHECK_EQ(fcntl(ends[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  CHECK(uv_is_readable((uv_stream_t*) &tty));
  CHECK_EQ(uv_is_writable((uv_stream_t*) &tty), 0);
  check_close_loop(&loop);
}

TEST(init_opens_the_terminal_again) {
  init();
  CHECK_EQ(tty.type, UV_TTY);
  CHECK(descriptor(&tty) != slave);
  CHECK(isatty(descriptor(&tty)));
  CHECK_EQ(fcntl(descriptor(&tty), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  CHECK_EQ(fcntl(descriptor(&tty), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  CHECK_EQ(tty.flags & 0x100000, 0);
  CHECK(uv_is_readable((uv_stream_t*) &tty));
  CHECK(uv_is_writable((uv_stream_t*) &tty));
  CHECK_EQ(uv_is_active((uv_handle_t*) &tty), 0);
  int own = descriptor(&tty);
  uv_close((uv_handle_t*) &tty, NULL);
  CHECK_EQ(fcntl(own, F_GETFD), -1);
  CHECK(fcntl(slave, F_GETFD) != -1); /* stays the program's */
  check_close_loop(&loop);
}

TEST(init_leaves_the_descriptor_alone) {
  OURS_ONLY("the reference makes it non-blocking and closed on exec");
  init();
  CHECK_EQ(fcntl(slave, F_GETFL) & O_NONBLOCK, 0);
  CHECK_EQ(fcntl(slave, F_GETFD) & FD_CLOEXEC, 0);
  check_close_loop(&loop);
}

TEST(access_is_that_of_the_descriptor) {
  open_terminal();
  int to_read = open(ptsname(master), O_RDONLY | O_NOCTTY), to_write = open(ptsname(master), O_WRONLY | O_NOCTTY);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_tty_init(&loop, &tty, to_read, 0), 0);
  CHECK_EQ(uv_tty_init(&loop, &other, to_write, 1), 0); /* whatever the last argument says */
  CHECK(uv_is_readable((uv_stream_t*) &tty));
  CHECK_EQ(uv_is_writable((uv_stream_t*) &tty), 0);
  CHECK_EQ(uv_is_readable((uv_stream_t*) &other), 0);
  CHECK(uv_is_writable((uv_stream_t*) &other));
  check_close_loop(&loop);
}

TEST(a_master_cannot_be_opened_again) {
  open_terminal();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_tty_init(&loop, &tty, master, 0), 0);
  CHECK_EQ(descriptor(&tty), master);
  CHECK_EQ(tty.flags & 0x100000, 0x100000); /* writes block */
  CHECK_EQ(fcntl(master, F_GETFL) & O_NONBLOCK, 0);
  check_close_loop(&loop);
}

TEST(raw_mode) {
  init();
  struct termios before = settings(), now;
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_NORMAL), 0);
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_RAW), 0);
  now = settings();
  CHECK_EQ(now.c_lflag & (ECHO | ICANON | IEXTEN | ISIG), 0);
  CHECK_EQ(now.c_iflag & (BRKINT | ICRNL | INPCK | ISTRIP | IXON), 0);
  CHECK_EQ(now.c_oflag & (OPOST | ONLCR), OPOST | ONLCR);
  CHECK_EQ(now.c_cflag & CS8, CS8);
  CHECK_EQ(now.c_cc[VMIN], 1);
  CHECK_EQ(now.c_cc[VTIME], 0);
  CHECK_EQ(tty.mode, UV_TTY_MODE_RAW);
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_RAW), 0);
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_NORMAL), 0);
  now = settings();
  CHECK_EQ(now.c_lflag, before.c_lflag);
  CHECK_EQ(now.c_iflag, before.c_iflag);
  CHECK_EQ(now.c_oflag, before.c_oflag);
  check_close_loop(&loop);
}

TEST(raw_mode_for_sequences) {
  NEEDS(1, 51);
  init();
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_RAW_VT), 0);
  CHECK_EQ(tty.mode, UV_TTY_MODE_RAW); /* here they are the same */
  CHECK_EQ(settings().c_lflag & ICANON, 0);
  check_close_loop(&loop);
}

TEST(io_mode) {
  init();
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_RAW), 0);
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_IO), 0); /* from one to the other */
  CHECK_EQ(settings().c_oflag & OPOST, 0);
  CHECK_EQ(settings().c_lflag & (ECHO | ICANON | IEXTEN | ISIG), 0);
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_RAW), 0);
  CHECK_EQ(settings().c_oflag & OPOST, OPOST);
  check_close_loop(&loop);
}

TEST(an_unknown_mode) {
  OURS_ONLY("the reference aborts");
  init();
  CHECK_EQ(uv_tty_set_mode(&tty, (uv_tty_mode_t) 4), UV_EINVAL);
  CHECK_EQ(tty.mode, UV_TTY_MODE_NORMAL);
  check_close_loop(&loop);
}

TEST(a_mode_for_what_is_no_terminal) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_tty_init(&loop, &tty, ends[0], 0), 0);
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_RAW), UV_ENOTTY);
  CHECK_EQ(tty.mode, UV_TTY_MODE_NORMAL);
  CHECK_EQ(uv_tty_reset_mode(), 0);
  check_close_loop(&loop);
}

TEST(reset_mode) {
  CHECK_EQ(uv_tty_reset_mode(), 0); /* nothing to do */
  init();
  tcflag_t before = settings().c_lflag;
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_RAW), 0);
  CHECK(settings().c_lflag != before);
  errno = EDOM;
  CHECK_EQ(uv_tty_reset_mode(), 0);
  CHECK_EQ(errno, EDOM);
  CHECK_EQ(settings().c_lflag, before);
  check_close_loop(&loop);
}

TEST(closing_resets_the_mode) {
  NEEDS(1, 45);
  init();
  tcflag_t before = settings().c_lflag;
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_RAW), 0);
  uv_close((uv_handle_t*) &tty, NULL);
  CHECK_EQ(settings().c_lflag, before);
  CHECK_EQ(uv_tty_reset_mode(), 0);
  check_close_loop(&loop);
}

TEST(only_the_first_terminal_is_reset) {
  init();
  int first = slave;
  tcflag_t before = settings().c_lflag;
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_RAW), 0);
  open_terminal();
  CHECK_EQ(uv_tty_init(&loop, &other, slave, 0), 0);
  CHECK_EQ(uv_tty_set_mode(&other, UV_TTY_MODE_RAW), 0);
  CHECK_EQ(uv_tty_reset_mode(), 0);
  CHECK(settings().c_lflag != before);
  slave = first;
  CHECK_EQ(settings().c_lflag, before);
  check_close_loop(&loop);
}

TEST(the_size) {
  struct winsize size = {.ws_row = 24, .ws_col = 80};
  int width = 0, height = 0, ends[2];
  init();
  CHECK_EQ(ioctl(master, TIOCSWINSZ, &size), 0);
  CHECK_EQ(uv_tty_get_winsize(&tty, &width, &height), 0);
  CHECK_EQ(width, 80);
  CHECK_EQ(height, 24);
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(uv_tty_init(&loop, &other, ends[0], 0), 0);
  CHECK_EQ(uv_tty_get_winsize(&other, &width, &height), UV_ENOTTY);
  check_close_loop(&loop);
}

TEST(sequences_are_the_terminals_own) {
  NEEDS(1, 33);
  uv_tty_vtermstate_t state = UV_TTY_UNSUPPORTED;
  uv_tty_set_vterm_state(UV_TTY_SUPPORTED);
  CHECK_EQ(uv_tty_get_vterm_state(&state), UV_ENOTSUP);
}

static char text[64];

static void give(uv_handle_t* handle, size_t size, uv_buf_t* buf) {
  static char room[64];
  (void) handle, (void) size;
  *buf = uv_buf_init(room, sizeof(room));
}

static void keep(uv_stream_t* stream, ssize_t nread, const uv_buf_t* buf) {
  if (nread <= 0) return;
  strncat(text, buf->base, (size_t) nread);
  if (strchr(text, '!') != NULL) uv_close((uv_handle_t*) stream, NULL);
}

TEST(data_in_both_directions) {
  uv_buf_t hello = uv_buf_init("hello\n", 6);
  char found[16] = "";
  init();
  CHECK_EQ(uv_tty_set_mode(&tty, UV_TTY_MODE_RAW), 0);
  CHECK_EQ(uv_try_write((uv_stream_t*) &tty, &hello, 1), 6);
  for (size_t size = 0; size < 7;) {
    ssize_t more = read(master, found + size, sizeof(found) - 1 - size);
    CHECK(more > 0);
    size += (size_t) more;
  }
  CHECK_STR(found, "hello\r\n");
  CHECK_EQ(uv_read_start((uv_stream_t*) &tty, give, keep), 0);
  CHECK_EQ(write(master, "keys\x03!", 6), 6);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_STR(text, "keys\x03!"); /* without an end of line, and without a signal */
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static ssize_t end;

static void to_the_end(uv_stream_t* stream, ssize_t nread, const uv_buf_t* buf) {
  if (nread > 0) strncat(text, buf->base, (size_t) nread);
  if (nread >= 0) return;
  end = nread;
  uv_close((uv_handle_t*) stream, NULL);
}

/* What a program wrote to its terminal before it ended, for whoever gave it that terminal. */
TEST(a_master_reads_to_the_end) {
  open_terminal();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_tty_init(&loop, &tty, master, 0), 0);
  CHECK_EQ(uv_read_start((uv_stream_t*) &tty, give, to_the_end), 0);
  CHECK_EQ(write(slave, "bye", 3), 3);
  close(slave);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_STR(text, "bye");
  CHECK_EQ(end, UV_EOF); /* which read(2) calls EIO */
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(a_blocking_write_does_not_wait_for_who_is_gone) {
  OURS_ONLY("the reference spins in the call");
  static char much[1 << 20];
  uv_write_t req;
  uv_buf_t buf = uv_buf_init(much, sizeof(much));
  open_terminal();
  struct termios silent = settings();
  cfmakeraw(&silent); /* without an echo, which would be something to read */
  CHECK_EQ(tcsetattr(slave, TCSANOW, &silent), 0);
  CHECK_EQ(fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK), 0);
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_tty_init(&loop, &tty, master, 0), 0);
  CHECK_EQ(tty.flags & 0x100000, 0x100000); /* writes block */
  close(slave);
  CHECK_EQ(uv_write(&req, (uv_stream_t*) &tty, &buf, 1, NULL), 0);
  CHECK(tty.write_queue_size > 0);
  CHECK_EQ(uv_read_start((uv_stream_t*) &tty, give, to_the_end), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(end, UV_EOF);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

TEST(guess) {
  int ends[2], pair[2];
  open_terminal();
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  CHECK_EQ(uv_guess_handle(slave), UV_TTY);
  CHECK_EQ(uv_guess_handle(master), UV_TTY);
  CHECK_EQ(uv_guess_handle(ends[0]), UV_NAMED_PIPE);
  CHECK_EQ(uv_guess_handle(pair[0]), UV_NAMED_PIPE);
  CHECK_EQ(uv_guess_handle(socket(AF_INET, SOCK_STREAM, 0)), UV_TCP);
  CHECK_EQ(uv_guess_handle(socket(AF_INET, SOCK_DGRAM, 0)), UV_UDP);
  CHECK_EQ(uv_guess_handle(socket(AF_UNIX, SOCK_DGRAM, 0)), UV_UNKNOWN_HANDLE);
  CHECK_EQ(uv_guess_handle(socket(AF_UNIX, SOCK_SEQPACKET, 0)), UV_UNKNOWN_HANDLE);
  CHECK_EQ(uv_guess_handle(open("/proc/self/exe", O_RDONLY)), UV_FILE);
  CHECK_EQ(uv_guess_handle(open("/dev/null", O_RDWR)), UV_FILE);
  CHECK_EQ(uv_guess_handle(open("/", O_RDONLY)), UV_UNKNOWN_HANDLE);
  CHECK_EQ(uv_guess_handle(9999), UV_UNKNOWN_HANDLE);
  CHECK_EQ(uv_guess_handle(-1), UV_UNKNOWN_HANDLE);
}
