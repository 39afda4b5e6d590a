/*
 * The handles: things that live on a loop and call back again and again. Included by uv.h.
 *
 * The memory is the user's and must stay until the callback of uv_close() was called. Fields marked public may be read;
 * data is the user's.
 */

#ifndef UV_HANDLES_H
#define UV_HANDLES_H

#define UV_HANDLE_FIELDS                                         \
  void* data;          /* public: the user's; never touched */   \
  uv_loop_t* loop;     /* public */                              \
  uv_handle_type type; /* public */                              \
  uv_close_cb close_cb;                                          \
  struct uv__queue handle_queue;                                 \
  union {                                                        \
    int fd;                                                      \
    void* reserved[4];                                           \
  } u;                                                           \
  UV_HANDLE_PRIVATE_FIELDS

/* The head of every handle. */
struct uv_handle_s {
  UV_HANDLE_FIELDS
};

/* ---- Streams ---- */

#define UV_STREAM_FIELDS                                                \
  size_t write_queue_size; /* public: bytes waiting to be written */    \
  uv_alloc_cb alloc_cb;                                                 \
  uv_read_cb read_cb;                                                   \
  uv_connect_t* connect_req;                                            \
  uv_shutdown_t* shutdown_req;                                          \
  uv__io_t io_watcher;                                                  \
  struct uv__queue write_queue;                                         \
  struct uv__queue write_completed_queue;                               \
  uv_connection_cb connection_cb;                                       \
  int delayed_error;                                                    \
  int accepted_fd;                                                      \
  void* queued_fds;

/* The head of every stream. */
struct uv_stream_s {
  UV_HANDLE_FIELDS
  UV_STREAM_FIELDS
};

/* A TCP connection or server. */
struct uv_tcp_s {
  UV_HANDLE_FIELDS
  UV_STREAM_FIELDS
};

/* Flags of uv_tcp_bind(). */
enum uv_tcp_flags {
  UV_TCP_IPV6ONLY = 1, /* no IPv4 through an IPv6 address */
  UV_TCP_REUSEPORT = 2 /* SO_REUSEPORT: several sockets share the port and the kernel spreads the connections */
};

/* A Unix domain socket, a FIFO or a pipe. */
struct uv_pipe_s {
  UV_HANDLE_FIELDS
  UV_STREAM_FIELDS
  int ipc; /* public: nonzero if handles can be sent over it */
  UV_PIPE_PRIVATE_FIELDS
};

/* Flags of uv_pipe_bind2() and uv_pipe_connect2(). */
enum {
  UV_PIPE_NO_TRUNCATE = 1u << 0 /* UV_EINVAL for a name that is too long, instead of cutting it */
};

/* A terminal. */
struct uv_tty_s {
  UV_HANDLE_FIELDS
  UV_STREAM_FIELDS
  UV_TTY_PRIVATE_FIELDS
};

typedef enum {
  UV_TTY_MODE_NORMAL, /* as the terminal was found */
  UV_TTY_MODE_RAW,    /* each key at once, no echo */
  UV_TTY_MODE_IO,     /* every byte passes unchanged */
  UV_TTY_MODE_RAW_VT  /* the same as UV_TTY_MODE_RAW here */
} uv_tty_mode_t;

/* Whether the terminal understands escape sequences; a question of Windows. */
typedef enum {
  UV_TTY_SUPPORTED,
  UV_TTY_UNSUPPORTED
} uv_tty_vtermstate_t;

/* ---- UDP ---- */

struct uv_udp_s {
  UV_HANDLE_FIELDS
  size_t send_queue_size;  /* public: bytes waiting to be sent */
  size_t send_queue_count; /* public: requests waiting to be sent */
  UV_UDP_PRIVATE_FIELDS
};

/* Flags of uv_udp_bind(), uv_udp_init_ex() and of the receive callback. */
enum uv_udp_flags {
  UV_UDP_IPV6ONLY = 1,       /* bind: no IPv4 through an IPv6 address */
  UV_UDP_PARTIAL = 2,        /* receive: the datagram was longer than the buffer and its rest is lost */
  UV_UDP_REUSEADDR = 4,      /* bind: SO_REUSEADDR; of several sockets on the port the last one receives */
  UV_UDP_MMSG_CHUNK = 8,     /* receive: buf is a part of a larger buffer; do not free it */
  UV_UDP_MMSG_FREE = 16,     /* receive: no datagram, but the large buffer of the chunks; free it */
  UV_UDP_LINUX_RECVERR = 32, /* bind: IP_RECVERR or IPV6_RECVERR, report what ICMP says */
  UV_UDP_REUSEPORT = 64,     /* bind: SO_REUSEPORT; several sockets share the port and the kernel spreads datagrams */
  UV_UDP_RECVMMSG = 256      /* init: many datagrams by one call; the buffers should be multiples of 64 KiB */
};

typedef enum {
  UV_LEAVE_GROUP = 0,
  UV_JOIN_GROUP
} uv_membership;

/* ---- Watchers ---- */

/* Watches a file descriptor that the user reads and writes. */
struct uv_poll_s {
  UV_HANDLE_FIELDS
  uv_poll_cb poll_cb;
  UV_POLL_PRIVATE_FIELDS
};

enum uv_poll_event {
  UV_READABLE = 1,
  UV_WRITABLE = 2,
  UV_DISCONNECT = 4, /* the other side hung up; not every kind of file reports it */
  UV_PRIORITIZED = 8 /* out-of-band data of TCP, interrupts in sysfs */
};

struct uv_timer_s {
  UV_HANDLE_FIELDS
  uv_timer_cb timer_cb;
  union {
    void* heap[3];
    struct uv__queue queue;
  } node;
  uint64_t timeout;
  uint64_t repeat;
  uint64_t start_id;
};

/* Called before the loop waits for events. */
struct uv_prepare_s {
  UV_HANDLE_FIELDS
  uv_prepare_cb prepare_cb;
  struct uv__queue queue;
};

/* Called after the loop waited for events. */
struct uv_check_s {
  UV_HANDLE_FIELDS
  uv_check_cb check_cb;
  struct uv__queue queue;
};

/* Called in each turn of the loop, which does not wait as long as one is active. */
struct uv_idle_s {
  UV_HANDLE_FIELDS
  uv_idle_cb idle_cb;
  struct uv__queue queue;
};

/* Called after any thread sent it uv_async_send(). */
struct uv_async_s {
  UV_HANDLE_FIELDS
  uv_async_cb async_cb;
  struct uv__queue queue;
  int pending;
};

struct uv_signal_s {
  UV_HANDLE_FIELDS
  uv_signal_cb signal_cb;
  int signum; /* public: the signal that is watched */
  struct {
    struct uv_signal_s* rbe_left;
    struct uv_signal_s* rbe_right;
    struct uv_signal_s* rbe_parent;
    int rbe_color;
  } tree_entry;
  unsigned int caught_signals;
  unsigned int dispatched_signals;
};

/* ---- Files that change ---- */

/* Told by the kernel. */
struct uv_fs_event_s {
  UV_HANDLE_FIELDS
  char* path;
  uv_fs_event_cb cb;
  UV_PLATFORM_FS_EVENT_FIELDS
};

enum uv_fs_event {
  UV_RENAME = 1, /* appeared, disappeared or got another name */
  UV_CHANGE = 2
};

/* Flags of uv_fs_event_start(); none of them does anything on Linux. */
enum uv_fs_event_flags {
  UV_FS_EVENT_WATCH_ENTRY = 1,
  UV_FS_EVENT_STAT = 2,
  UV_FS_EVENT_RECURSIVE = 4
};

/* Found by looking at the file from time to time. */
struct uv_fs_poll_s {
  UV_HANDLE_FIELDS
  void* poll_ctx;
};

/* ---- Child processes ---- */

/* What a file descriptor of the child is. */
typedef enum {
  UV_IGNORE = 0x00,         /* /dev/null for 0, 1 and 2; closed otherwise */
  UV_CREATE_PIPE = 0x01,    /* the other end of data.stream, a uv_pipe_t that is initialised and not open */
  UV_INHERIT_FD = 0x02,     /* data.fd */
  UV_INHERIT_STREAM = 0x04, /* the file descriptor of data.stream */

  /* With UV_CREATE_PIPE: what the child can do with it. */
  UV_READABLE_PIPE = 0x10,
  UV_WRITABLE_PIPE = 0x20,
  UV_NONBLOCK_PIPE = 0x40,  /* non-blocking in the child, which must expect that */
  UV_OVERLAPPED_PIPE = 0x40 /* an older name */
} uv_stdio_flags;

typedef struct uv_stdio_container_s {
  uv_stdio_flags flags;
  union {
    uv_stream_t* stream;
    int fd;
  } data;
} uv_stdio_container_t;

/* Bits of uv_process_options_t.flags. */
enum uv_process_flags {
  UV_PROCESS_SETUID = (1 << 0),   /* uid is set */
  UV_PROCESS_SETGID = (1 << 1),   /* gid is set */
  UV_PROCESS_DETACHED = (1 << 3), /* the child leads a session of its own and outlives its parent */

  /* These do nothing on Linux. */
  UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS = (1 << 2),
  UV_PROCESS_WINDOWS_HIDE = (1 << 4),
  UV_PROCESS_WINDOWS_HIDE_CONSOLE = (1 << 5),
  UV_PROCESS_WINDOWS_HIDE_GUI = (1 << 6),
  UV_PROCESS_WINDOWS_FILE_PATH_EXACT_NAME = (1 << 7)
};

/* What uv_spawn() starts. Zero it first. Nothing in it is needed after the call. */
typedef struct uv_process_options_s {
  uv_exit_cb exit_cb; /* may be NULL */
  const char* file;   /* searched in PATH if it holds no slash */
  char** args;        /* ends with NULL; args[0] is the name the child is given */
  char** env;         /* ends with NULL; NULL for that of the parent */
  const char* cwd;    /* NULL for that of the parent */
  unsigned int flags; /* UV_PROCESS_* */
  int stdio_count;
  uv_stdio_container_t* stdio; /* of stdio_count file descriptors, from 0 on */
  uv_uid_t uid;
  uv_gid_t gid;
} uv_process_options_t;

struct uv_process_s {
  UV_HANDLE_FIELDS
  uv_exit_cb exit_cb;
  int pid; /* public */
  UV_PROCESS_PRIVATE_FIELDS
};

#endif /* UV_HANDLES_H */
