/* System headers, names for system types, and the private parts of the structs. Included by uv.h; not useful alone. */

#ifndef UV_UNIX_H
#define UV_UNIX_H

/* Programs rely on uv.h bringing all of these. */
#include <sys/types.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <termios.h>

#include "uv/threadpool.h"
#include "uv/linux.h"

/* Their values decide the size of uv_getnameinfo_t; <netdb.h> may hide them. */
#ifndef NI_MAXHOST
# define NI_MAXHOST 1025
#endif
#ifndef NI_MAXSERV
# define NI_MAXSERV 32
#endif

/* ---- Names for system types. pthread_* and sem_* functions may be called on them. ---- */

typedef int uv_file;
typedef int uv_os_sock_t;
typedef int uv_os_fd_t;
typedef pid_t uv_pid_t;
typedef uid_t uv_uid_t;
typedef gid_t uv_gid_t;

#define UV_ONCE_INIT PTHREAD_ONCE_INIT
#define UV_PLATFORM_SEM_T sem_t

typedef pthread_once_t uv_once_t;
typedef pthread_t uv_thread_t;
typedef pthread_mutex_t uv_mutex_t;
typedef pthread_rwlock_t uv_rwlock_t;
typedef UV_PLATFORM_SEM_T uv_sem_t;
typedef pthread_cond_t uv_cond_t;
typedef pthread_key_t uv_key_t;
typedef pthread_barrier_t uv_barrier_t;

/* A piece of memory: len bytes at base. Has the layout of struct iovec and may be cast to it. */
typedef struct uv_buf_t {
  char* base;
  size_t len;
} uv_buf_t;

/* A loaded library, for uv_dlopen() and uv_dlclose(). Private inside; see uv_dlerror(). */
typedef struct {
  void* handle;
  char* errmsg;
} uv_lib_t;

/* Goes before a symbol that is to be found with uv_dlsym(). */
#define UV_DYNAMIC

typedef struct dirent uv__dirent_t;

#ifdef DT_UNKNOWN
# define HAVE_DIRENT_TYPES
# define UV__DT_FILE DT_REG
# define UV__DT_DIR DT_DIR
# define UV__DT_LINK DT_LNK
# define UV__DT_FIFO DT_FIFO
# define UV__DT_SOCKET DT_SOCK
# define UV__DT_CHAR DT_CHR
# define UV__DT_BLOCK DT_BLK
#endif

/* ---- Private parts. The layouts are fixed; what the fields hold is not, except where docs/ABI.md says so. ---- */

#define UV_IO_PRIVATE_PLATFORM_FIELDS
#define UV_STREAM_PRIVATE_PLATFORM_FIELDS
#define UV_SHUTDOWN_PRIVATE_FIELDS
#define UV_PRIVATE_REQ_TYPES

typedef struct uv__io_s uv__io_t;

/* What a loop watches on one file descriptor. */
struct uv__io_s {
  uintptr_t bits;
  struct uv__queue pending_queue;
  struct uv__queue watcher_queue;
  unsigned int pevents;
  unsigned int events;
  int fd;
};

#define UV_HANDLE_PRIVATE_FIELDS \
  uv_handle_t* next_closing;     \
  unsigned int flags;

#define UV_PIPE_PRIVATE_FIELDS \
  const char* pipe_fname;

#define UV_TTY_PRIVATE_FIELDS   \
  struct termios orig_termios;  \
  int mode;

#define UV_UDP_PRIVATE_FIELDS             \
  uv_alloc_cb alloc_cb;                   \
  uv_udp_recv_cb recv_cb;                 \
  uv__io_t io_watcher;                    \
  struct uv__queue write_queue;           \
  struct uv__queue write_completed_queue;

#define UV_POLL_PRIVATE_FIELDS \
  uv__io_t io_watcher;

#define UV_PROCESS_PRIVATE_FIELDS \
  struct uv__queue queue;         \
  int status;

#define UV_DIR_PRIVATE_FIELDS \
  DIR* dir;

#define UV_CONNECT_PRIVATE_FIELDS \
  struct uv__queue queue;

#define UV_WRITE_PRIVATE_FIELDS \
  struct uv__queue queue;       \
  unsigned int write_index;     \
  uv_buf_t* bufs;               \
  unsigned int nbufs;           \
  int error;                    \
  uv_buf_t bufsml[4];

#define UV_UDP_SEND_PRIVATE_FIELDS   \
  struct uv__queue queue;            \
  union {                            \
    struct sockaddr addr;            \
    struct sockaddr_storage storage; \
  } u;                               \
  unsigned int nbufs;                \
  uv_buf_t* bufs;                    \
  ssize_t status;                    \
  uv_udp_send_cb send_cb;            \
  uv_buf_t bufsml[4];

#define UV_FS_PRIVATE_FIELDS \
  const char* new_path;      \
  uv_file file;              \
  int flags;                 \
  mode_t mode;               \
  unsigned int nbufs;        \
  uv_buf_t* bufs;            \
  off_t off;                 \
  uv_uid_t uid;              \
  uv_gid_t gid;              \
  double atime;              \
  double mtime;              \
  struct uv__work work_req;  \
  uv_buf_t bufsml[4];

/* ---- Flags of uv_fs_open(). A flag that the system headers do not show, or that only other systems have, is 0. ---- */

#define UV_FS_O_RDONLY O_RDONLY
#define UV_FS_O_WRONLY O_WRONLY
#define UV_FS_O_RDWR O_RDWR
#define UV_FS_O_APPEND O_APPEND
#define UV_FS_O_CREAT O_CREAT
#define UV_FS_O_EXCL O_EXCL
#define UV_FS_O_NOCTTY O_NOCTTY
#define UV_FS_O_NONBLOCK O_NONBLOCK
#define UV_FS_O_SYNC O_SYNC
#define UV_FS_O_TRUNC O_TRUNC

#if defined(__x86_64__)
# define UV_FS_O_DIRECT 0x04000 /* also when <fcntl.h> hides O_DIRECT */
#elif defined(O_DIRECT)
# define UV_FS_O_DIRECT O_DIRECT
#else
# define UV_FS_O_DIRECT 0
#endif

#ifdef O_DIRECTORY
# define UV_FS_O_DIRECTORY O_DIRECTORY
#else
# define UV_FS_O_DIRECTORY 0
#endif

#ifdef O_DSYNC
# define UV_FS_O_DSYNC O_DSYNC
#else
# define UV_FS_O_DSYNC 0
#endif

#ifdef O_NOATIME
# define UV_FS_O_NOATIME O_NOATIME
#else
# define UV_FS_O_NOATIME 0
#endif

#ifdef O_NOFOLLOW
# define UV_FS_O_NOFOLLOW O_NOFOLLOW
#else
# define UV_FS_O_NOFOLLOW 0
#endif

#define UV_FS_O_EXLOCK 0
#define UV_FS_O_FILEMAP 0
#define UV_FS_O_RANDOM 0
#define UV_FS_O_SEQUENTIAL 0
#define UV_FS_O_SHORT_LIVED 0
#define UV_FS_O_SYMLINK 0
#define UV_FS_O_TEMPORARY 0

#endif /* UV_UNIX_H */
