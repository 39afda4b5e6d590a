/*
 * The interface of libuv. The types stand in the files of uv/, the functions, which are made from the library's source,
 * in uv/functions.h.
 *
 * What holds throughout:
 * - A function that returns int returns 0 (or a result >= 0), or a UV_E* code, which is negative.
 * - A loop and everything on it belong to one thread, that which calls uv_run(). Callbacks run on it. A function that
 *   other threads may call says so.
 * - Handles and requests are the caller's memory. A handle must stay until the callback of uv_close() was called, a
 *   request until its own callback was.
 * - Strings end with a zero byte, are UTF-8 where it matters, and are copied unless something else is said.
 */

#ifndef UV_H
#define UV_H
#ifdef __cplusplus
extern "C" {
#endif

#if defined(BUILDING_UV_SHARED) && defined(USING_UV_SHARED)
#error "BUILDING_UV_SHARED and USING_UV_SHARED exclude each other."
#endif

/* Goes before each function; may be defined by the program that includes this file. */
#ifndef UV_EXTERN
# ifdef __GNUC__
#  define UV_EXTERN __attribute__((visibility("default")))
# else
#  define UV_EXTERN
# endif
#endif

#include "uv/errno.h"
#include "uv/version.h"
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Private: a node of a circular list. */
struct uv__queue {
  struct uv__queue* next;
  struct uv__queue* prev;
};

#include "uv/unix.h"

/* ---- Errors ---- */

/* Every code, without its UV_, and the text that uv_strerror() gives for it. */
#define UV_ERRNO_MAP(XX)                                         \
  XX(E2BIG, "argument list too long")                            \
  XX(EACCES, "permission denied")                                \
  XX(EADDRINUSE, "address already in use")                       \
  XX(EADDRNOTAVAIL, "address not available")                     \
  XX(EAFNOSUPPORT, "address family not supported")               \
  XX(EAGAIN, "resource temporarily unavailable")                 \
  XX(EAI_ADDRFAMILY, "address family not supported")             \
  XX(EAI_AGAIN, "temporary failure")                             \
  XX(EAI_BADFLAGS, "bad ai_flags value")                         \
  XX(EAI_BADHINTS, "invalid value for hints")                    \
  XX(EAI_CANCELED, "request canceled")                           \
  XX(EAI_FAIL, "permanent failure")                              \
  XX(EAI_FAMILY, "ai_family not supported")                      \
  XX(EAI_MEMORY, "out of memory")                                \
  XX(EAI_NODATA, "no address")                                   \
  XX(EAI_NONAME, "unknown node or service")                      \
  XX(EAI_OVERFLOW, "argument buffer overflow")                   \
  XX(EAI_PROTOCOL, "resolved protocol is unknown")               \
  XX(EAI_SERVICE, "service not available for socket type")       \
  XX(EAI_SOCKTYPE, "socket type not supported")                  \
  XX(EALREADY, "connection already in progress")                 \
  XX(EBADF, "bad file descriptor")                               \
  XX(EBUSY, "resource busy or locked")                           \
  XX(ECANCELED, "operation canceled")                            \
  XX(ECHARSET, "invalid Unicode character")                      \
  XX(ECONNABORTED, "software caused connection abort")           \
  XX(ECONNREFUSED, "connection refused")                         \
  XX(ECONNRESET, "connection reset by peer")                     \
  XX(EDESTADDRREQ, "destination address required")               \
  XX(EEXIST, "file already exists")                              \
  XX(EFAULT, "bad address in system call argument")              \
  XX(EFBIG, "file too large")                                    \
  XX(EHOSTUNREACH, "host is unreachable")                        \
  XX(EINTR, "interrupted system call")                           \
  XX(EINVAL, "invalid argument")                                 \
  XX(EIO, "i/o error")                                           \
  XX(EISCONN, "socket is already connected")                     \
  XX(EISDIR, "illegal operation on a directory")                 \
  XX(ELOOP, "too many symbolic links encountered")               \
  XX(EMFILE, "too many open files")                              \
  XX(EMSGSIZE, "message too long")                               \
  XX(ENAMETOOLONG, "name too long")                              \
  XX(ENETDOWN, "network is down")                                \
  XX(ENETUNREACH, "network is unreachable")                      \
  XX(ENFILE, "file table overflow")                              \
  XX(ENOBUFS, "no buffer space available")                       \
  XX(ENODEV, "no such device")                                   \
  XX(ENOENT, "no such file or directory")                        \
  XX(ENOMEM, "not enough memory")                                \
  XX(ENONET, "machine is not on the network")                    \
  XX(ENOPROTOOPT, "protocol not available")                      \
  XX(ENOSPC, "no space left on device")                          \
  XX(ENOSYS, "function not implemented")                         \
  XX(ENOTCONN, "socket is not connected")                        \
  XX(ENOTDIR, "not a directory")                                 \
  XX(ENOTEMPTY, "directory not empty")                           \
  XX(ENOTSOCK, "socket operation on non-socket")                 \
  XX(ENOTSUP, "operation not supported on socket")               \
  XX(EOVERFLOW, "value too large for defined data type")         \
  XX(EPERM, "operation not permitted")                           \
  XX(EPIPE, "broken pipe")                                       \
  XX(EPROTO, "protocol error")                                   \
  XX(EPROTONOSUPPORT, "protocol not supported")                  \
  XX(EPROTOTYPE, "protocol wrong type for socket")               \
  XX(ERANGE, "result too large")                                 \
  XX(EROFS, "read-only file system")                             \
  XX(ESHUTDOWN, "cannot send after transport endpoint shutdown") \
  XX(ESPIPE, "invalid seek")                                     \
  XX(ESRCH, "no such process")                                   \
  XX(ETIMEDOUT, "connection timed out")                          \
  XX(ETXTBSY, "text file is busy")                               \
  XX(EXDEV, "cross-device link not permitted")                   \
  XX(UNKNOWN, "unknown error")                                   \
  XX(EOF, "end of file")                                         \
  XX(ENXIO, "no such device or address")                         \
  XX(EMLINK, "too many links")                                   \
  XX(EHOSTDOWN, "host is down")                                  \
  XX(EREMOTEIO, "remote I/O error")                              \
  XX(ENOTTY, "inappropriate ioctl for device")                   \
  XX(EFTYPE, "inappropriate file type or format")                \
  XX(EILSEQ, "illegal byte sequence")                            \
  XX(ESOCKTNOSUPPORT, "socket type not supported")               \
  XX(ENODATA, "no data available")                               \
  XX(EUNATCH, "protocol driver not attached")                    \
  XX(ENOEXEC, "exec format error")

typedef enum {
#define XX(code, _) UV_##code = UV__##code,
  UV_ERRNO_MAP(XX)
#undef XX
  UV_ERRNO_MAX = UV__EOF - 1
} uv_errno_t;

/* ---- Kinds of handles and requests. The order is part of the binary interface. ---- */

/* Each kind: UV_<first> is its number, uv_<second>_t its type. */
#define UV_HANDLE_TYPE_MAP(XX) \
  XX(ASYNC, async)             \
  XX(CHECK, check)             \
  XX(FS_EVENT, fs_event)       \
  XX(FS_POLL, fs_poll)         \
  XX(HANDLE, handle)           \
  XX(IDLE, idle)               \
  XX(NAMED_PIPE, pipe)         \
  XX(POLL, poll)               \
  XX(PREPARE, prepare)         \
  XX(PROCESS, process)         \
  XX(STREAM, stream)           \
  XX(TCP, tcp)                 \
  XX(TIMER, timer)             \
  XX(TTY, tty)                 \
  XX(UDP, udp)                 \
  XX(SIGNAL, signal)

#define UV_REQ_TYPE_MAP(XX)    \
  XX(REQ, req)                 \
  XX(CONNECT, connect)         \
  XX(WRITE, write)             \
  XX(SHUTDOWN, shutdown)       \
  XX(UDP_SEND, udp_send)       \
  XX(FS, fs)                   \
  XX(WORK, work)               \
  XX(GETADDRINFO, getaddrinfo) \
  XX(GETNAMEINFO, getnameinfo) \
  XX(RANDOM, random)

typedef enum {
  UV_UNKNOWN_HANDLE = 0,
#define XX(upper, _) UV_##upper,
  UV_HANDLE_TYPE_MAP(XX)
#undef XX
  UV_FILE, /* no handle, but an answer of uv_guess_handle() */
  UV_HANDLE_TYPE_MAX
} uv_handle_type;

typedef enum {
  UV_UNKNOWN_REQ = 0,
#define XX(upper, _) UV_##upper,
  UV_REQ_TYPE_MAP(XX)
#undef XX
  UV_REQ_TYPE_MAX
} uv_req_type;

/* ---- Names ---- */

typedef struct uv_loop_s uv_loop_t;

typedef struct uv_handle_s uv_handle_t; /* the head of every handle: any handle may be cast to it */
typedef struct uv_stream_s uv_stream_t; /* the head of uv_tcp_t, uv_pipe_t and uv_tty_t */
typedef struct uv_tcp_s uv_tcp_t;
typedef struct uv_pipe_s uv_pipe_t;
typedef struct uv_tty_s uv_tty_t;
typedef struct uv_udp_s uv_udp_t;
typedef struct uv_poll_s uv_poll_t;
typedef struct uv_timer_s uv_timer_t;
typedef struct uv_prepare_s uv_prepare_t;
typedef struct uv_check_s uv_check_t;
typedef struct uv_idle_s uv_idle_t;
typedef struct uv_async_s uv_async_t;
typedef struct uv_process_s uv_process_t;
typedef struct uv_fs_event_s uv_fs_event_t;
typedef struct uv_fs_poll_s uv_fs_poll_t;
typedef struct uv_signal_s uv_signal_t;

typedef struct uv_req_s uv_req_t; /* the head of every request: any request may be cast to it */
typedef struct uv_connect_s uv_connect_t;
typedef struct uv_shutdown_s uv_shutdown_t;
typedef struct uv_write_s uv_write_t;
typedef struct uv_udp_send_s uv_udp_send_t;
typedef struct uv_fs_s uv_fs_t;
typedef struct uv_work_s uv_work_t;
typedef struct uv_getaddrinfo_s uv_getaddrinfo_t;
typedef struct uv_getnameinfo_s uv_getnameinfo_t;
typedef struct uv_random_s uv_random_t;

typedef struct uv_cpu_info_s uv_cpu_info_t;
typedef struct uv_dir_s uv_dir_t;
typedef struct uv_dirent_s uv_dirent_t;
typedef struct uv_env_item_s uv_env_item_t;
typedef struct uv_group_s uv_group_t;
typedef struct uv_interface_address_s uv_interface_address_t;
typedef struct uv_metrics_s uv_metrics_t;
typedef struct uv_passwd_s uv_passwd_t;
typedef struct uv_statfs_s uv_statfs_t;
typedef struct uv_thread_options_s uv_thread_options_t;
typedef struct uv_utsname_s uv_utsname_t;

/* ---- The types ---- */

#include "uv/data.h"
#include "uv/callbacks.h"
#include "uv/requests.h"
#include "uv/handles.h"

/* What uv_run() does. */
typedef enum {
  UV_RUN_DEFAULT = 0, /* runs until nothing is active and referenced any more, or uv_stop() */
  UV_RUN_ONCE,        /* waits for events once and handles them */
  UV_RUN_NOWAIT       /* handles what is ready, without waiting */
} uv_run_mode;

/* What uv_loop_configure() sets. */
typedef enum {
  UV_LOOP_BLOCK_SIGNAL = 0,   /* an int follows, which must be SIGPROF: block that signal while waiting for events */
  UV_METRICS_IDLE_TIME,       /* measure the time spent waiting, for uv_metrics_idle_time() */
  UV_LOOP_USE_IO_URING_SQPOLL /* let the kernel do file operations by io_uring where it can */
#define UV_LOOP_USE_IO_URING_SQPOLL UV_LOOP_USE_IO_URING_SQPOLL
} uv_loop_option;

struct uv_loop_s {
  void* data; /* the user's; never touched */

  /* Private from here on. */
  unsigned int active_handles;
  struct uv__queue handle_queue;
  union {
    void* unused;
    unsigned int count;
  } active_reqs;
  void* internal_fields;
  unsigned int stop_flag;
  unsigned long flags;
  int backend_fd;
  struct uv__queue pending_queue;
  struct uv__queue watcher_queue;
  uv__io_t** watchers;
  unsigned int nwatchers;
  unsigned int nfds;
  struct uv__queue wq;
  uv_mutex_t wq_mutex;
  uv_async_t wq_async;
  uv_rwlock_t cloexec_lock;
  uv_handle_t* closing_handles;
  struct uv__queue process_handles;
  struct uv__queue prepare_handles;
  struct uv__queue check_handles;
  struct uv__queue idle_handles;
  struct uv__queue async_handles;
  void (*async_unused)(void);
  uv__io_t async_io_watcher;
  int async_wfd;
  struct {
    void* min;
    unsigned int nelts;
  } timer_heap;
  uint64_t timer_counter;
  uint64_t time; /* ms; what uv_now() gives */
  int signal_pipefd[2];
  uv__io_t signal_io_watcher;
  uv_signal_t child_watcher;
  int emfile_fd;
  UV_PLATFORM_LOOP_FIELDS
};

/* Room for any handle and for any request. */
#define XX(_, lower) uv_##lower##_t lower;
union uv_any_handle {
  UV_HANDLE_TYPE_MAP(XX)
};

union uv_any_req {
  UV_REQ_TYPE_MAP(XX)
};
#undef XX

/* ---- The functions ---- */

#include "uv/functions.h"

#undef UV__ERR

#ifdef __cplusplus
}
#endif
#endif /* UV_H */
