/*
 * The requests: one operation each. Included by uv.h.
 *
 * The memory is the user's and must stay until the callback was called. Fields marked public may be read; data is the
 * user's.
 */

#ifndef UV_REQUESTS_H
#define UV_REQUESTS_H

#define UV_REQ_FIELDS                                             \
  void* data;       /* public: the user's; never touched */       \
  uv_req_type type; /* public */                                  \
  void* reserved[6];

/* The head of every request. */
struct uv_req_s {
  UV_REQ_FIELDS
};

struct uv_connect_s {
  UV_REQ_FIELDS
  uv_connect_cb cb;
  uv_stream_t* handle; /* public */
  UV_CONNECT_PRIVATE_FIELDS
};

struct uv_shutdown_s {
  UV_REQ_FIELDS
  uv_stream_t* handle; /* public */
  uv_shutdown_cb cb;
};

struct uv_write_s {
  UV_REQ_FIELDS
  uv_write_cb cb;
  uv_stream_t* send_handle; /* public: the stream that is sent over the pipe, or NULL */
  uv_stream_t* handle;      /* public */
  UV_WRITE_PRIVATE_FIELDS
};

struct uv_udp_send_s {
  UV_REQ_FIELDS
  uv_udp_t* handle; /* public */
  uv_udp_send_cb cb;
  UV_UDP_SEND_PRIVATE_FIELDS
};

/* Work for a thread of the pool, see uv_queue_work(). */
struct uv_work_s {
  UV_REQ_FIELDS
  uv_loop_t* loop; /* public */
  uv_work_cb work_cb;
  uv_after_work_cb after_work_cb;
  struct uv__work work_req;
};

struct uv_getaddrinfo_s {
  UV_REQ_FIELDS
  uv_loop_t* loop; /* public */
  struct uv__work work_req;
  uv_getaddrinfo_cb cb;
  struct addrinfo* hints;
  char* hostname;
  char* service;
  struct addrinfo* addrinfo; /* public: the result of a call without a callback, for uv_freeaddrinfo() */
  int retcode;
};

struct uv_getnameinfo_s {
  UV_REQ_FIELDS
  uv_loop_t* loop; /* public */
  struct uv__work work_req;
  uv_getnameinfo_cb getnameinfo_cb;
  struct sockaddr_storage storage;
  int flags;
  char host[NI_MAXHOST];    /* public: the result, as is the next */
  char service[NI_MAXSERV];
  int retcode;
};

struct uv_random_s {
  UV_REQ_FIELDS
  uv_loop_t* loop; /* public */
  int status;
  void* buf;
  size_t buflen;
  uv_random_cb cb;
  struct uv__work work_req;
};

/* ---- File operations ---- */

typedef enum {
  UV_FS_UNKNOWN = -1,
  UV_FS_CUSTOM,
  UV_FS_OPEN,
  UV_FS_CLOSE,
  UV_FS_READ,
  UV_FS_WRITE,
  UV_FS_SENDFILE,
  UV_FS_STAT,
  UV_FS_LSTAT,
  UV_FS_FSTAT,
  UV_FS_FTRUNCATE,
  UV_FS_UTIME,
  UV_FS_FUTIME,
  UV_FS_ACCESS,
  UV_FS_CHMOD,
  UV_FS_FCHMOD,
  UV_FS_FSYNC,
  UV_FS_FDATASYNC,
  UV_FS_UNLINK,
  UV_FS_RMDIR,
  UV_FS_MKDIR,
  UV_FS_MKDTEMP,
  UV_FS_RENAME,
  UV_FS_SCANDIR,
  UV_FS_LINK,
  UV_FS_SYMLINK,
  UV_FS_READLINK,
  UV_FS_CHOWN,
  UV_FS_FCHOWN,
  UV_FS_REALPATH,
  UV_FS_COPYFILE,
  UV_FS_LCHOWN,
  UV_FS_OPENDIR,
  UV_FS_READDIR,
  UV_FS_CLOSEDIR,
  UV_FS_STATFS,
  UV_FS_MKSTEMP,
  UV_FS_LUTIME
} uv_fs_type;

/* Everything in it that the library allocated is freed by uv_fs_req_cleanup(), which must be called once it is done. */
struct uv_fs_s {
  UV_REQ_FIELDS
  uv_fs_type fs_type; /* public */
  uv_loop_t* loop;    /* public */
  uv_fs_cb cb;
  ssize_t result;     /* public: a UV_E* code below 0, otherwise what the operation returns: bytes, a file, 0 */
  void* ptr;          /* public: more of the result, such as the text of a link */
  const char* path;   /* public */
  uv_stat_t statbuf;  /* public: the result of uv_fs_stat() and its like */
  UV_FS_PRIVATE_FIELDS
};

#endif /* UV_REQUESTS_H */
