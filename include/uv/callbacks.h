/*
 * The functions that the user supplies. Included by uv.h.
 *
 * They run on the thread of the loop, inside uv_run(), unless something else is said. A status is 0 or a UV_E* code;
 * UV_ECANCELED if the handle was closed or the request cancelled before it was done.
 */

#ifndef UV_CALLBACKS_H
#define UV_CALLBACKS_H

/* ---- Memory, see uv_replace_allocator(). Called from any thread; as malloc() and its like in <stdlib.h>. ---- */

typedef void* (*uv_malloc_func)(size_t size);
typedef void* (*uv_realloc_func)(void* ptr, size_t size);
typedef void* (*uv_calloc_func)(size_t count, size_t size);
typedef void (*uv_free_func)(void* ptr);

/* ---- Handles ---- */

/* The handle is closed; from now on its memory is the user's again. */
typedef void (*uv_close_cb)(uv_handle_t* handle);

/* Called by uv_walk(), once for each handle. */
typedef void (*uv_walk_cb)(uv_handle_t* handle, void* arg);

typedef void (*uv_timer_cb)(uv_timer_t* handle);
typedef void (*uv_async_cb)(uv_async_t* handle);
typedef void (*uv_prepare_cb)(uv_prepare_t* handle);
typedef void (*uv_check_cb)(uv_check_t* handle);
typedef void (*uv_idle_cb)(uv_idle_t* handle);

/* events are UV_READABLE and its like; 0 if status is an error. */
typedef void (*uv_poll_cb)(uv_poll_t* handle, int status, int events);

typedef void (*uv_signal_cb)(uv_signal_t* handle, int signum);

/* term_signal is the signal that ended the process, or 0. */
typedef void (*uv_exit_cb)(uv_process_t* handle, int64_t exit_status, int term_signal);

/*
 * events are UV_RENAME and UV_CHANGE. If a directory is watched, filename is the entry that changed, valid during the
 * call, or NULL if it is not known.
 */
typedef void (*uv_fs_event_cb)(uv_fs_event_t* handle, const char* filename, int events, int status);

/* What was known of the file before and what is now; both valid during the call. */
typedef void (*uv_fs_poll_cb)(uv_fs_poll_t* handle, int status, const uv_stat_t* prev, const uv_stat_t* curr);

/* ---- Streams and UDP ---- */

/*
 * Asks for memory to read into: fill buf in. suggested_size is a hint, in bytes. The read callback that follows gives
 * it back. A buffer without memory or length makes that call report UV_ENOBUFS.
 */
typedef void (*uv_alloc_cb)(uv_handle_t* handle, size_t suggested_size, uv_buf_t* buf);

/*
 * nread bytes were read into buf, which is the user's to free. Below 0 it is a code, UV_EOF at the end of the stream, and
 * buf may be empty; 0 means that nothing was there after all.
 */
typedef void (*uv_read_cb)(uv_stream_t* stream, ssize_t nread, const uv_buf_t* buf);

typedef void (*uv_write_cb)(uv_write_t* req, int status);
typedef void (*uv_connect_cb)(uv_connect_t* req, int status);
typedef void (*uv_shutdown_cb)(uv_shutdown_t* req, int status);

/* A connection has come in: take it with uv_accept(). */
typedef void (*uv_connection_cb)(uv_stream_t* server, int status);

typedef void (*uv_udp_send_cb)(uv_udp_send_t* req, int status);

/*
 * A datagram of nread bytes came from addr (valid during the call). nread is 0 with addr NULL if nothing was there, and
 * below 0 for an error. flags are UV_UDP_PARTIAL, UV_UDP_MMSG_CHUNK and UV_UDP_MMSG_FREE. buf is the user's to free,
 * except when UV_UDP_MMSG_CHUNK is set.
 */
typedef void (*uv_udp_recv_cb)(uv_udp_t* handle,
                               ssize_t nread,
                               const uv_buf_t* buf,
                               const struct sockaddr* addr,
                               unsigned flags);

/* ---- Requests ---- */

/* The operation is done: see result in the request. Call uv_fs_req_cleanup() when finished with it. */
typedef void (*uv_fs_cb)(uv_fs_t* req);

/* Runs on a thread of the pool: only what is safe there may be done. */
typedef void (*uv_work_cb)(uv_work_t* req);

typedef void (*uv_after_work_cb)(uv_work_t* req, int status);

/* res is the user's, for uv_freeaddrinfo(). */
typedef void (*uv_getaddrinfo_cb)(uv_getaddrinfo_t* req, int status, struct addrinfo* res);

/* The strings lie in the request; NULL on error. */
typedef void (*uv_getnameinfo_cb)(uv_getnameinfo_t* req, int status, const char* hostname, const char* service);

typedef void (*uv_random_cb)(uv_random_t* req, int status, void* buf, size_t buflen);

/* ---- Threads ---- */

/* The body of a new thread. */
typedef void (*uv_thread_cb)(void* arg);

#endif /* UV_CALLBACKS_H */
