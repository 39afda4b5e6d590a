/* The functions. Made by tools/headers.sh from src/ffi/uv_*.rs: edit those. Included by uv.h. */

#ifndef UV_FUNCTIONS_H
#define UV_FUNCTIONS_H

/* ---- Waking a loop from other threads ---- */

/**
 * Makes the memory at `async` an async, active at once. `async_cb`, which may be NULL, runs on the
 * loop's thread after a send.
 */
UV_EXTERN int uv_async_init(uv_loop_t* loop, uv_async_t* async, uv_async_cb async_cb);

/**
 * Has the callback run soon. Any thread, and signal handlers; may race with uv_close, not with its
 * callback. Sends before the callback begins are one; what the sender wrote before is seen by the
 * callback. Always 0.
 */
UV_EXTERN int uv_async_send(uv_async_t* async);

/* ---- Callbacks that run right after the loop has polled ---- */

/**
 * Makes the memory at `check` a check handle, not started.
 */
UV_EXTERN int uv_check_init(uv_loop_t* loop, uv_check_t* check);

/**
 * Calls `cb` right after the loop has polled, beginning with the next time. What is started last
 * runs first. Does nothing if it is started already. UV_EINVAL without `cb`, or for a closing
 * handle.
 */
UV_EXTERN int uv_check_start(uv_check_t* check, uv_check_cb cb);

/**
 * Stops the handle: its callback will not run.
 */
UV_EXTERN int uv_check_stop(uv_check_t* check);

/* ---- Shared libraries at run time ---- */

/**
 * Loads a shared library, as dlopen() finds it; NULL stands for the program itself. 0, or -1 and
 * uv_dlerror() tells why. In both cases `lib` goes to uv_dlclose() in the end.
 */
UV_EXTERN int uv_dlopen(const char* filename, uv_lib_t* lib);

/**
 * Gives back a library and the text of its last error. Nothing of it may be in use.
 */
UV_EXTERN void uv_dlclose(uv_lib_t* lib);

/**
 * Stores the address of a symbol, which may be NULL. 0, or -1 and uv_dlerror() tells why.
 */
UV_EXTERN int uv_dlsym(uv_lib_t* lib, const char* name, void** ptr);

/**
 * The text of the last error of uv_dlopen() or uv_dlsym() with this library, or "no error"; valid
 * until the next call with it.
 */
UV_EXTERN const char* uv_dlerror(const uv_lib_t* lib);

/* ---- Names and addresses of hosts and services ---- */

/**
 * getaddrinfo(3) on the thread pool: the addresses of a host (`node`, UTF-8), of a service, or of
 * both, for uv_freeaddrinfo(). `hints` says which, and may be NULL. What goes wrong with the
 * look-up the callback hears, usually as a UV_EAI_* code. Without a callback it is done at once,
 * the addresses are in `req->addrinfo`, and `loop` may be NULL. UV_EINVAL if there is neither
 * `node` nor `service`, and for a `node` that is empty, no UTF-8, or longer than 255 bytes in
 * ASCII; UV_ENOMEM.
 */
UV_EXTERN int uv_getaddrinfo(uv_loop_t* loop,
                             uv_getaddrinfo_t* req,
                             uv_getaddrinfo_cb getaddrinfo_cb,
                             const char* node,
                             const char* service,
                             const struct addrinfo* hints);

/**
 * Frees addresses that uv_getaddrinfo() found; NULL is fine. Any thread.
 */
UV_EXTERN void uv_freeaddrinfo(struct addrinfo* ai);

/**
 * getnameinfo(3) on the thread pool: the names of a host and a service by their IPv4 or IPv6
 * address, or as numbers with NI_NUMERICHOST and NI_NUMERICSERV in `flags`. Without a callback it
 * is done at once, the names are in `req->host` and `req->service`, and `loop` may be NULL.
 * UV_EINVAL for NULL and other families.
 */
UV_EXTERN int uv_getnameinfo(uv_loop_t* loop,
                             uv_getnameinfo_t* req,
                             uv_getnameinfo_cb getnameinfo_cb,
                             const struct sockaddr* addr,
                             int flags);

/* ---- Error codes and their texts ---- */

/**
 * The message of an error code, such as "invalid argument". Static, but for an unknown code, whose
 * text is allocated and never freed: see uv_strerror_r().
 */
UV_EXTERN const char* uv_strerror(int err);

/**
 * Writes the message of an error code to `buf`, cut to `buflen` bytes with its NUL, and returns
 * `buf`.
 */
UV_EXTERN char* uv_strerror_r(int err, char* buf, size_t buflen);

/**
 * The name of an error code, such as "EINVAL". Static, but for an unknown code, whose text is
 * allocated and never freed: see uv_err_name_r().
 */
UV_EXTERN const char* uv_err_name(int err);

/**
 * Writes the name of an error code to `buf`, cut to `buflen` bytes with its NUL, and returns `buf`.
 */
UV_EXTERN char* uv_err_name_r(int err, char* buf, size_t buflen);

/**
 * The error code for a value of errno. What is an error code already, or 0, stays as it is.
 */
UV_EXTERN int uv_translate_sys_error(int sys_errno);

/* ---- Files. (uv_fs_*: requests, and what is done by descriptor.) ---- */

/**
 * Gives back what a request owns: its copies of paths, and its result. After the callback, or after
 * a call without one; again is harmless, and so is NULL.
 */
UV_EXTERN void uv_fs_req_cleanup(uv_fs_t* req);

/**
 * What the request does.
 */
UV_EXTERN uv_fs_type uv_fs_get_type(const uv_fs_t* req);

/**
 * What came of the request: at least 0, or the error.
 */
UV_EXTERN ssize_t uv_fs_get_result(const uv_fs_t* req);

/**
 * The system's number for the error in the result.
 */
UV_EXTERN int uv_fs_get_system_error(const uv_fs_t* req);

/**
 * The result of those requests that have more than a number; the request's own.
 */
UV_EXTERN void* uv_fs_get_ptr(const uv_fs_t* req);

/**
 * The path that the request was made with; the request's own, or without a callback the caller's.
 */
UV_EXTERN const char* uv_fs_get_path(const uv_fs_t* req);

/**
 * Where uv_fs_stat and its like leave their answer: inside the request.
 */
UV_EXTERN uv_stat_t* uv_fs_get_statbuf(uv_fs_t* req);

/**
 * The system's handle for a descriptor of the C library: the descriptor itself.
 */
UV_EXTERN uv_os_fd_t uv_get_osfhandle(int fd);

/**
 * A descriptor of the C library for a handle of the system: the handle itself.
 */
UV_EXTERN int uv_open_osfhandle(uv_os_fd_t os_fd);

/**
 * Closes a file: close(2). The number is free afterwards, whatever the result.
 */
UV_EXTERN int uv_fs_close(uv_loop_t* loop, uv_fs_t* req, uv_file file, uv_fs_cb cb);

/**
 * Reads into the `nbufs` pieces at `bufs`, one after the other: preadv(2). An `offset` of -1 reads
 * at the current position and moves it. The result is the number of bytes, 0 at the end; there may
 * be more than were read, and of more than 1024 pieces only the first 1024 are used. The memory
 * must stay until the callback, the array itself need not. UV_EINVAL without pieces.
 */
UV_EXTERN int uv_fs_read(uv_loop_t* loop,
                         uv_fs_t* req,
                         uv_file file,
                         const uv_buf_t* bufs,
                         unsigned int nbufs,
                         int64_t offset,
                         uv_fs_cb cb);

/**
 * Writes the `nbufs` pieces at `bufs`, one after the other: pwritev(2). An `offset` of -1 writes at
 * the current position and moves it. The result is the number of bytes: all, unless an error or a
 * full disk came after a part. The memory must stay until the callback, the array itself need not.
 * UV_EINVAL without pieces, and for more than 2 GiB less 4 KiB.
 */
UV_EXTERN int uv_fs_write(uv_loop_t* loop,
                          uv_fs_t* req,
                          uv_file file,
                          const uv_buf_t* bufs,
                          unsigned int nbufs,
                          int64_t offset,
                          uv_fs_cb cb);

/**
 * Asks about an open file: fstat(2). The answer is in `statbuf`, to which `ptr` leads.
 */
UV_EXTERN int uv_fs_fstat(uv_loop_t* loop, uv_fs_t* req, uv_file file, uv_fs_cb cb);

/**
 * Returns when the file and its data are on the disk: fsync(2).
 */
UV_EXTERN int uv_fs_fsync(uv_loop_t* loop, uv_fs_t* req, uv_file file, uv_fs_cb cb);

/**
 * Returns when the data of the file are on the disk: fdatasync(2).
 */
UV_EXTERN int uv_fs_fdatasync(uv_loop_t* loop, uv_fs_t* req, uv_file file, uv_fs_cb cb);

/**
 * Cuts or lengthens the file to `offset` bytes: ftruncate(2).
 */
UV_EXTERN int uv_fs_ftruncate(uv_loop_t* loop,
                              uv_fs_t* req,
                              uv_file file,
                              int64_t offset,
                              uv_fs_cb cb);

/**
 * Sets the permissions of an open file: fchmod(2).
 */
UV_EXTERN int uv_fs_fchmod(uv_loop_t* loop, uv_fs_t* req, uv_file file, int mode, uv_fs_cb cb);

/**
 * Sets the owner and the group of an open file; -1 leaves one as it is: fchown(2).
 */
UV_EXTERN int uv_fs_fchown(uv_loop_t* loop,
                           uv_fs_t* req,
                           uv_file file,
                           uv_uid_t uid,
                           uv_gid_t gid,
                           uv_fs_cb cb);

/* ---- Copying files, and making temporary ones. (uv_fs_*.) ---- */

/**
 * Copies the file `path` to `new_path`, with its permissions and, as far as the process may, its
 * owner. `flags` are UV_FS_COPYFILE_*, else UV_EINVAL. What is at `new_path` is overwritten, unless
 * UV_FS_COPYFILE_EXCL is given (UV_EEXIST), or it is the same file, to which nothing happens then.
 * If copying fails, the file at `new_path` is removed. UV_EINVAL if it is no regular file.
 */
UV_EXTERN int uv_fs_copyfile(uv_loop_t* loop,
                             uv_fs_t* req,
                             const char* path,
                             const char* new_path,
                             int flags,
                             uv_fs_cb cb);

/**
 * Moves up to `length` bytes from `in_fd`, beginning at `in_offset`, to where `out_fd` stands. The
 * result is how many bytes; it is less where `in_fd` ends or an error comes half-way. Waits where
 * `out_fd` is full, even if that is non-blocking. The position of `in_fd` does not change; what has
 * none, as pipes and sockets, is read from where it is, and `in_offset` ignored. UV_EINVAL for more
 * than 0x7ffff000 bytes.
 */
UV_EXTERN int uv_fs_sendfile(uv_loop_t* loop,
                             uv_fs_t* req,
                             uv_file out_fd,
                             uv_file in_fd,
                             int64_t in_offset,
                             size_t length,
                             uv_fs_cb cb);

/**
 * Makes a directory that nobody else can use: mkdtemp(3). `tpl` ends in XXXXXX, else it is
 * UV_EINVAL, and is not changed; the new name is `req->path`.
 */
UV_EXTERN int uv_fs_mkdtemp(uv_loop_t* loop, uv_fs_t* req, const char* tpl, uv_fs_cb cb);

/**
 * Makes a file that nobody else can use and opens it for reading and writing, closed on exec:
 * mkstemp(3). The result is the descriptor. `tpl` as for uv_fs_mkdtemp(); the new name is
 * `req->path`, which is empty after an error.
 */
UV_EXTERN int uv_fs_mkstemp(uv_loop_t* loop, uv_fs_t* req, const char* tpl, uv_fs_cb cb);

/* ---- Directories and file systems. (uv_fs_*.) ---- */

/**
 * Lists a directory without `.` and `..`. The result is how many entries there are;
 * uv_fs_scandir_next() gives them. `flags` are ignored.
 */
UV_EXTERN int uv_fs_scandir(uv_loop_t* loop,
                            uv_fs_t* req,
                            const char* path,
                            int flags,
                            uv_fs_cb cb);

/**
 * The next entry of what uv_fs_scandir() has listed, in the order of the bytes of the names. UV_EOF
 * after the last one, or the error of the request. The name is freed with the request, or by the
 * call that returns UV_EOF. The type is UV_DIRENT_UNKNOWN where the file system does not say.
 */
UV_EXTERN int uv_fs_scandir_next(uv_fs_t* req, uv_dirent_t* ent);

/**
 * Opens a directory; `ptr` leads to it. It goes with uv_fs_closedir(), and not with the request.
 */
UV_EXTERN int uv_fs_opendir(uv_loop_t* loop, uv_fs_t* req, const char* path, uv_fs_cb cb);

/**
 * Reads at most `dir->nentries` entries into `dir->dirents`, in the order of the file system,
 * without `.` and `..`. The result is how many, 0 at the end. Their names are freed with the
 * request, which is to be cleaned up before the directory is closed. One call at a time for a
 * directory. UV_EINVAL without a directory or without `dirents`.
 */
UV_EXTERN int uv_fs_readdir(uv_loop_t* loop, uv_fs_t* req, uv_dir_t* dir, uv_fs_cb cb);

/**
 * Closes a directory and frees the uv_dir_t. UV_EINVAL without one.
 */
UV_EXTERN int uv_fs_closedir(uv_loop_t* loop, uv_fs_t* req, uv_dir_t* dir, uv_fs_cb cb);

/**
 * Asks about the file system that has the file at `path`: statfs(2). `ptr` leads to a uv_statfs_t,
 * which is freed with the request.
 */
UV_EXTERN int uv_fs_statfs(uv_loop_t* loop, uv_fs_t* req, const char* path, uv_fs_cb cb);

/* ---- Watching files and folders ---- */

/**
 * Makes the memory at `handle` a watcher of files, not started.
 */
UV_EXTERN int uv_fs_event_init(uv_loop_t* loop, uv_fs_event_t* handle);

/**
 * Calls `cb` when what `path` leads to changes: with UV_CHANGE for its content or attributes, with
 * UV_RENAME when it, or an entry of the folder that it is, was made, removed or renamed. The
 * callback's file name is valid during the callback: the folder's entry, or the last part of
 * `path`, or NULL when events were lost. Once the file is gone there are no more callbacks, though
 * the handle stays active. No flag has a meaning on Linux. UV_EINVAL if the handle is active or
 * closing, or for NULL; UV_ENOENT, UV_EACCES, UV_ENOSPC and UV_EMFILE at the limits of the system,
 * UV_ENOMEM.
 */
UV_EXTERN int uv_fs_event_start(uv_fs_event_t* handle,
                                uv_fs_event_cb cb,
                                const char* path,
                                unsigned int flags);

/**
 * Stops the handle: its callback will not run.
 */
UV_EXTERN int uv_fs_event_stop(uv_fs_event_t* handle);

/**
 * Writes the path that the handle was started with, with a NUL, into `buffer`, which has `*size`
 * bytes; `*size` becomes its length without the NUL. UV_ENOBUFS if it does not fit: `*size` becomes
 * what is needed, with the NUL. UV_EINVAL if the handle is not active (`*size` becomes 0), for
 * NULL, or if `*size` is 0.
 */
UV_EXTERN int uv_fs_event_getpath(uv_fs_event_t* handle, char* buffer, size_t* size);

/* ---- Files by their names. (uv_fs_*.) ---- */

/**
 * Opens a file: open(2) with `flags` (UV_FS_O_*) and, for a new file, the permissions `mode`. The
 * result is the descriptor, which is closed on exec. UV_EINVAL without a path.
 */
UV_EXTERN int uv_fs_open(uv_loop_t* loop,
                         uv_fs_t* req,
                         const char* path,
                         int flags,
                         int mode,
                         uv_fs_cb cb);

/**
 * Asks about a file: stat(2). The answer is in `statbuf`, to which `ptr` leads.
 */
UV_EXTERN int uv_fs_stat(uv_loop_t* loop, uv_fs_t* req, const char* path, uv_fs_cb cb);

/**
 * uv_fs_stat, but of a symbolic link itself: lstat(2).
 */
UV_EXTERN int uv_fs_lstat(uv_loop_t* loop, uv_fs_t* req, const char* path, uv_fs_cb cb);

/**
 * Whether the process may do `mode` (F_OK, or R_OK, W_OK, X_OK together): access(2).
 */
UV_EXTERN int uv_fs_access(uv_loop_t* loop, uv_fs_t* req, const char* path, int mode, uv_fs_cb cb);

/**
 * Sets the permissions of a file: chmod(2).
 */
UV_EXTERN int uv_fs_chmod(uv_loop_t* loop, uv_fs_t* req, const char* path, int mode, uv_fs_cb cb);

/**
 * Sets the owner and the group of a file; -1 leaves one as it is: chown(2).
 */
UV_EXTERN int uv_fs_chown(uv_loop_t* loop,
                          uv_fs_t* req,
                          const char* path,
                          uv_uid_t uid,
                          uv_gid_t gid,
                          uv_fs_cb cb);

/**
 * uv_fs_chown, but of a symbolic link itself: lchown(2).
 */
UV_EXTERN int uv_fs_lchown(uv_loop_t* loop,
                           uv_fs_t* req,
                           const char* path,
                           uv_uid_t uid,
                           uv_gid_t gid,
                           uv_fs_cb cb);

/**
 * Removes the name of a file: unlink(2).
 */
UV_EXTERN int uv_fs_unlink(uv_loop_t* loop, uv_fs_t* req, const char* path, uv_fs_cb cb);

/**
 * Makes a directory with the permissions `mode`: mkdir(2).
 */
UV_EXTERN int uv_fs_mkdir(uv_loop_t* loop, uv_fs_t* req, const char* path, int mode, uv_fs_cb cb);

/**
 * Removes an empty directory: rmdir(2).
 */
UV_EXTERN int uv_fs_rmdir(uv_loop_t* loop, uv_fs_t* req, const char* path, uv_fs_cb cb);

/**
 * Renames a file; what has the name `new_path` is replaced: rename(2).
 */
UV_EXTERN int uv_fs_rename(uv_loop_t* loop,
                           uv_fs_t* req,
                           const char* path,
                           const char* new_path,
                           uv_fs_cb cb);

/**
 * Gives a file another name: link(2).
 */
UV_EXTERN int uv_fs_link(uv_loop_t* loop,
                         uv_fs_t* req,
                         const char* path,
                         const char* new_path,
                         uv_fs_cb cb);

/**
 * Makes `new_path` a symbolic link to `path`: symlink(2). `flags` matter on Windows only.
 */
UV_EXTERN int uv_fs_symlink(uv_loop_t* loop,
                            uv_fs_t* req,
                            const char* path,
                            const char* new_path,
                            int flags,
                            uv_fs_cb cb);

/**
 * Where a symbolic link leads: readlink(2). `ptr` leads to the string, which goes with
 * uv_fs_req_cleanup.
 */
UV_EXTERN int uv_fs_readlink(uv_loop_t* loop, uv_fs_t* req, const char* path, uv_fs_cb cb);

/**
 * The absolute path of a file, without links: realpath(3). `ptr` leads to the string, which goes
 * with uv_fs_req_cleanup.
 */
UV_EXTERN int uv_fs_realpath(uv_loop_t* loop, uv_fs_t* req, const char* path, uv_fs_cb cb);

/* ---- Watching files by looking at them ---- */

/**
 * Makes the memory at `handle` a poller of files, not started.
 */
UV_EXTERN int uv_fs_poll_init(uv_loop_t* loop, uv_fs_poll_t* handle);

/**
 * Looks at `path` now and every `interval` ms (0 counts as 1), on the thread pool, and calls
 * `poll_cb` when its size, mode, owner, times (not that of the last access) or the file itself have
 * changed, with what was known before and what is now, both valid during the callback. A file that
 * cannot be looked at is reported once, as a negative status, and again when the reason changes or
 * it is back. A handle that is active goes on as it was. UV_EINVAL for a closing handle or NULL,
 * UV_ENOMEM, UV_EAGAIN if no thread can start.
 */
UV_EXTERN int uv_fs_poll_start(uv_fs_poll_t* handle,
                               uv_fs_poll_cb poll_cb,
                               const char* path,
                               unsigned int interval);

/**
 * Stops the handle: its callback will not run. What a thread has begun ends by itself, and keeps
 * the loop alive until then.
 */
UV_EXTERN int uv_fs_poll_stop(uv_fs_poll_t* handle);

/**
 * uv_fs_event_getpath, for a poller.
 */
UV_EXTERN int uv_fs_poll_getpath(uv_fs_poll_t* handle, char* buffer, size_t* size);

/* ---- Times of files. (uv_fs_*.) ---- */

/**
 * Sets when the file at `path` was read and written last, in seconds since 1970, with fractions,
 * negative before it. UV_FS_UTIME_NOW is now, UV_FS_UTIME_OMIT leaves a time as it is.
 */
UV_EXTERN int uv_fs_utime(uv_loop_t* loop,
                          uv_fs_t* req,
                          const char* path,
                          double atime,
                          double mtime,
                          uv_fs_cb cb);

/**
 * uv_fs_utime, for an open file.
 */
UV_EXTERN int uv_fs_futime(uv_loop_t* loop,
                           uv_fs_t* req,
                           uv_file file,
                           double atime,
                           double mtime,
                           uv_fs_cb cb);

/**
 * uv_fs_utime, but of a symbolic link itself.
 */
UV_EXTERN int uv_fs_lutime(uv_loop_t* loop,
                           uv_fs_t* req,
                           const char* path,
                           double atime,
                           double mtime,
                           uv_fs_cb cb);

/* ---- What all handles have in common ---- */

/**
 * Nonzero if the handle is active: started, running, or waiting.
 */
UV_EXTERN int uv_is_active(const uv_handle_t* handle);

/**
 * Nonzero if uv_close was called for the handle.
 */
UV_EXTERN int uv_is_closing(const uv_handle_t* handle);

/**
 * Stops the handle at once. Its memory is the program's again when `close_cb`, which may be NULL,
 * is called in a later phase; the handle that was closed last is called first.
 */
UV_EXTERN void uv_close(uv_handle_t* handle, uv_close_cb close_cb);

/**
 * An active handle keeps its loop alive. New handles do; calling it twice changes nothing.
 */
UV_EXTERN void uv_ref(uv_handle_t* handle);

/**
 * The handle keeps its loop alive no more. Calling it twice changes nothing.
 */
UV_EXTERN void uv_unref(uv_handle_t* handle);

/**
 * Nonzero if the handle keeps its loop alive while it is active.
 */
UV_EXTERN int uv_has_ref(const uv_handle_t* handle);

/**
 * The size in bytes of a handle of this type; (size_t) -1 if there is no such type.
 */
UV_EXTERN size_t uv_handle_size(uv_handle_type type);

/**
 * The name of a handle type's struct without `uv_` and `_t`: "timer" for UV_TIMER. Static; NULL if
 * there is no such type.
 */
UV_EXTERN const char* uv_handle_type_name(uv_handle_type type);

/**
 * `handle->type`.
 */
UV_EXTERN uv_handle_type uv_handle_get_type(const uv_handle_t* handle);

/**
 * `handle->data`, which is the program's alone.
 */
UV_EXTERN void* uv_handle_get_data(const uv_handle_t* handle);

/**
 * Sets `handle->data`. May be done at any time, also before the handle's init.
 */
UV_EXTERN void uv_handle_set_data(uv_handle_t* handle, void* data);

/**
 * `handle->loop`.
 */
UV_EXTERN uv_loop_t* uv_handle_get_loop(const uv_handle_t* handle);

/**
 * The descriptor behind a TCP, pipe, TTY, UDP or poll handle, which stays the handle's. UV_EINVAL
 * for other types, UV_EBADF if it has none or is closing.
 */
UV_EXTERN int uv_fileno(const uv_handle_t* handle, uv_os_fd_t* fd);

/**
 * The size in bytes of the socket's send buffer: stores it if `*value` is 0, else sets it (Linux
 * takes twice the size, and says so). UV_EINVAL without `value`, UV_ENOTSUP for handles without a
 * socket.
 */
UV_EXTERN int uv_send_buffer_size(uv_handle_t* handle, int* value);

/**
 * The size in bytes of the socket's receive buffer, as uv_send_buffer_size.
 */
UV_EXTERN int uv_recv_buffer_size(uv_handle_t* handle, int* value);

/**
 * Writes a line for each handle of the loop (NULL: the default loop): [flags] type address. Flags:
 * R referenced, A active, I internal.
 */
UV_EXTERN void uv_print_all_handles(uv_loop_t* loop, FILE* stream);

/**
 * uv_print_all_handles for active handles only.
 */
UV_EXTERN void uv_print_active_handles(uv_loop_t* loop, FILE* stream);

/* ---- Callbacks that run once a turn, before the prepare callbacks; while one is started the loop does not block ---- */

/**
 * Makes the memory at `idle` a idle handle, not started.
 */
UV_EXTERN int uv_idle_init(uv_loop_t* loop, uv_idle_t* idle);

/**
 * Calls `cb` once a turn, before the prepare callbacks; while one is started the loop does not
 * block, beginning with the next time. What is started last runs first. Does nothing if it is
 * started already. UV_EINVAL without `cb`, or for a closing handle.
 */
UV_EXTERN int uv_idle_start(uv_idle_t* idle, uv_idle_cb cb);

/**
 * Stops the handle: its callback will not run.
 */
UV_EXTERN int uv_idle_stop(uv_idle_t* idle);

/* ---- The event loop ---- */

/**
 * The loop of the process, made at the first call; NULL if that fails. It is the program's to run
 * and to close, and must be used from one thread like any other.
 */
UV_EXTERN uv_loop_t* uv_default_loop(void);

/**
 * Makes the memory at `loop` a loop; `loop->data` keeps its value. UV_ENOMEM, UV_EMFILE, UV_ENFILE.
 */
UV_EXTERN int uv_loop_init(uv_loop_t* loop);

/**
 * Gives back what the loop holds, but not its memory. UV_EBUSY while it has handles that are not
 * closed, requests that are not done, attached ports, workers, or named locks.
 */
UV_EXTERN int uv_loop_close(uv_loop_t* loop);

/**
 * A loop on the heap, for uv_loop_delete; NULL if that fails. Deprecated: use uv_loop_init.
 */
UV_EXTERN uv_loop_t* uv_loop_new(void);

/**
 * Closes a loop of uv_loop_new, which must be ready for that, and frees it. Deprecated: use
 * uv_loop_close.
 */
UV_EXTERN void uv_loop_delete(uv_loop_t* loop);

/**
 * The size of a loop in bytes, for those who cannot see the struct.
 */
UV_EXTERN size_t uv_loop_size(void);

/**
 * Nonzero while something keeps the loop running: active and referenced handles, requests, closing
 * handles.
 */
UV_EXTERN int uv_loop_alive(const uv_loop_t* loop);

/**
 * Sets an option, before the first uv_run. UV_LOOP_BLOCK_SIGNAL with SIGPROF: the signal is blocked
 * while polling. UV_METRICS_IDLE_TIME: idle time is measured. UV_LOOP_USE_IO_URING_SQPOLL: with
 * UV_USE_IO_URING=1 in the environment, the kernel does file operations by io_uring where it can;
 * it goes on with the rights that the process had at the first one, so a program that gives up
 * rights later must not use it. UV_ENOSYS for others, UV_EINVAL for another signal.
 */
UV_EXTERN int uv_loop_configure(uv_loop_t* loop, uv_loop_option option, ...);

/**
 * In the child after fork(2): makes a loop of the parent usable again. Asyncs that were pending are
 * pending no more.
 */
UV_EXTERN int uv_loop_fork(uv_loop_t* loop);

/**
 * Runs the loop: UV_RUN_DEFAULT until nothing keeps it alive or it is stopped, UV_RUN_ONCE one
 * turn, which may block, UV_RUN_NOWAIT one turn that may not. Nonzero if something still keeps it
 * alive. Not from inside a callback of the same loop.
 */
UV_EXTERN int uv_run(uv_loop_t* loop, uv_run_mode mode);

/**
 * Makes uv_run return after the current turn, or before its first. On the loop's thread.
 */
UV_EXTERN void uv_stop(uv_loop_t* loop);

/**
 * Takes the clock's time as the loop's now, for those who have kept the loop waiting in a callback.
 */
UV_EXTERN void uv_update_time(uv_loop_t* loop);

/**
 * The loop's now in ms, from an arbitrary point in the past; it stands still during a turn.
 */
UV_EXTERN uint64_t uv_now(const uv_loop_t* loop);

/**
 * The epoll descriptor: an embedder may poll it, from any thread, and run the loop with
 * UV_RUN_NOWAIT when it is readable or uv_backend_timeout is over.
 */
UV_EXTERN int uv_backend_fd(const uv_loop_t* loop);

/**
 * How long a poll may last, in ms: 0 not at all, -1 for ever.
 */
UV_EXTERN int uv_backend_timeout(const uv_loop_t* loop);

/**
 * Calls `walk_cb` for each handle of the loop. The callback may close and make handles.
 */
UV_EXTERN void uv_walk(uv_loop_t* loop, uv_walk_cb walk_cb, void* arg);

/**
 * `loop->data`, which is the program's alone.
 */
UV_EXTERN void* uv_loop_get_data(const uv_loop_t* loop);

/**
 * Sets `loop->data`.
 */
UV_EXTERN void uv_loop_set_data(uv_loop_t* loop, void* data);

/**
 * The loop's counters since its init. UV_EINVAL without `metrics`.
 */
UV_EXTERN int uv_metrics_info(uv_loop_t* loop, uv_metrics_t* metrics);

/**
 * How long the loop has waited in the kernel for events, in ns; 0 unless UV_METRICS_IDLE_TIME is
 * set. Any thread.
 */
UV_EXTERN uint64_t uv_metrics_idle_time(uv_loop_t* loop);

/* ---- Memory, time, processes, the environment, internet addresses: what belongs to no page of its own ---- */

/**
 * Sets the functions that the library allocates with from now on; they are called from any thread.
 * To be done before any other use of the library. UV_EINVAL if one is NULL.
 */
UV_EXTERN int uv_replace_allocator(uv_malloc_func malloc_func,
                                   uv_realloc_func realloc_func,
                                   uv_calloc_func calloc_func,
                                   uv_free_func free_func);

/**
 * A buffer of `len` bytes at `base`, which stays the caller's.
 */
UV_EXTERN uv_buf_t uv_buf_init(char* base, unsigned int len);

/**
 * A clock for measuring: nanoseconds since some point in the past. Never goes back.
 */
UV_EXTERN uint64_t uv_hrtime(void);

/**
 * Stores what a clock says: UV_CLOCK_MONOTONIC counts from some point in the past and never goes
 * back, UV_CLOCK_REALTIME from 1970 and can be set. UV_EFAULT if `ts` is NULL, UV_EINVAL for
 * another clock.
 */
UV_EXTERN int uv_clock_gettime(uv_clock_id clock_id, uv_timespec64_t* ts);

/**
 * Stores the time since 1970. UV_EINVAL if `tv` is NULL.
 */
UV_EXTERN int uv_gettimeofday(uv_timeval64_t* tv);

/**
 * Lets the calling thread, and so its loop, sleep for so many milliseconds.
 */
UV_EXTERN void uv_sleep(unsigned int msec);

/**
 * How many threads it makes sense to run at a time: the CPUs that the calling thread may use, or
 * fewer if a control group limits their time. At least 1.
 */
UV_EXTERN unsigned int uv_available_parallelism(void);

/**
 * The size in bytes of the masks for uv_thread_setaffinity() and uv_thread_getaffinity().
 */
UV_EXTERN int uv_cpumask_size(void);

/**
 * The type of handle that fits a descriptor: UV_TTY, UV_FILE (also for devices), UV_NAMED_PIPE
 * (pipes and Unix sockets), UV_TCP, UV_UDP, or UV_UNKNOWN_HANDLE for anything else and what is not
 * open.
 */
UV_EXTERN uv_handle_type uv_guess_handle(uv_file file);

/**
 * Fills `buflen` bytes with what nobody can guess, on the thread pool; without a callback at once,
 * and `loop` and `req` may then be NULL. `flags` is 0. May block while the system, after its start,
 * gathers randomness. UV_E2BIG for more than 0x7fffffff bytes, UV_EINVAL for flags.
 */
UV_EXTERN int uv_random(uv_loop_t* loop,
                        uv_random_t* req,
                        void* buf,
                        size_t buflen,
                        unsigned int flags,
                        uv_random_cb cb);

/**
 * The number of this process.
 */
UV_EXTERN uv_pid_t uv_os_getpid(void);

/**
 * The number of the parent process.
 */
UV_EXTERN uv_pid_t uv_os_getppid(void);

/**
 * Sends a signal to a process, or with 0 only asks whether it could be sent. UV_ESRCH if there is
 * no such process, UV_EPERM without the right to, UV_EINVAL if there is no such signal.
 */
UV_EXTERN int uv_kill(int pid, int signum);

/**
 * Copies the value of an environment variable to `buffer`, which has `*size` bytes, and sets
 * `*size` to its length without the NUL. UV_ENOBUFS if it does not fit, and `*size` is then what it
 * needs with the NUL; UV_ENOENT if there is no such variable; UV_EINVAL for NULL and a size of 0.
 * As getenv(), not safe while another thread changes the environment.
 */
UV_EXTERN int uv_os_getenv(const char* name, char* buffer, size_t* size);

/**
 * Sets an environment variable. UV_EINVAL for NULL, and for a name that is empty or holds a `=`. As
 * setenv(), not safe while another thread uses the environment.
 */
UV_EXTERN int uv_os_setenv(const char* name, const char* value);

/**
 * Removes an environment variable, if there is one. UV_EINVAL for NULL, and for a name that is
 * empty or holds a `=`.
 */
UV_EXTERN int uv_os_unsetenv(const char* name);

/**
 * Stores a list of all environment variables and its length, to be freed with uv_os_free_environ().
 * UV_ENOMEM leaves NULL and 0.
 */
UV_EXTERN int uv_os_environ(uv_env_item_t** envitems, int* count);

/**
 * Frees a list from uv_os_environ(), or NULL; `count` is what that stored.
 */
UV_EXTERN void uv_os_free_environ(uv_env_item_t* envitems, int count);

/**
 * Fills in a socket address from an IPv4 address such as "127.0.0.1" and a port. UV_EINVAL if it is
 * none.
 */
UV_EXTERN int uv_ip4_addr(const char* ip, int port, struct sockaddr_in* addr);

/**
 * Fills in a socket address from an IPv6 address such as "::1" and a port. The name of an interface
 * may follow, as in "fe80::1%eth0", and its number becomes the scope, 0 if there is none of that
 * name. UV_EINVAL if it is no address.
 */
UV_EXTERN int uv_ip6_addr(const char* ip, int port, struct sockaddr_in6* addr);

/**
 * Writes the IPv4 address in a socket address as text. UV_ENOSPC if it does not fit into `size`
 * bytes; INET_ADDRSTRLEN always do.
 */
UV_EXTERN int uv_ip4_name(const struct sockaddr_in* src, char* dst, size_t size);

/**
 * Writes the IPv6 address in a socket address as text, without the scope. UV_ENOSPC if it does not
 * fit into `size` bytes; INET6_ADDRSTRLEN always do.
 */
UV_EXTERN int uv_ip6_name(const struct sockaddr_in6* src, char* dst, size_t size);

/**
 * Writes the address in a socket address of either family as text, like uv_ip4_name() and
 * uv_ip6_name(). UV_EAFNOSUPPORT for others.
 */
UV_EXTERN int uv_ip_name(const struct sockaddr* src, char* dst, size_t size);

/**
 * Writes an address of the family AF_INET (4 bytes in network order) or AF_INET6 (16) as text.
 * UV_ENOSPC if it does not fit into `size` bytes, UV_EAFNOSUPPORT for other families.
 */
UV_EXTERN int uv_inet_ntop(int af, const void* src, char* dst, size_t size);

/**
 * Reads an address of the family AF_INET or AF_INET6 into 4 or 16 bytes in network order; a "%" and
 * what follows in an IPv6 address is ignored. UV_EINVAL for NULL and what is no address,
 * UV_EAFNOSUPPORT for other families.
 */
UV_EXTERN int uv_inet_pton(int af, const char* src, void* dst);

/* ---- Unix sockets and pipes ---- */

/**
 * Makes the memory at `handle` a pipe handle without a descriptor. Handles can be sent over it if
 * `ipc` is nonzero; such a pipe cannot listen.
 */
UV_EXTERN int uv_pipe_init(uv_loop_t* loop, uv_pipe_t* handle, int ipc);

/**
 * Gives the handle an existing pipe, Unix socket or FIFO, which becomes non-blocking and is closed
 * with the handle. UV_EEXIST if the loop watches it already, UV_EBUSY if the handle has another
 * one, UV_EBADF.
 */
UV_EXTERN int uv_pipe_open(uv_pipe_t* handle, uv_file file);

/**
 * uv_pipe_bind2 with a path, which is cut to the system's 108 bytes.
 */
UV_EXTERN int uv_pipe_bind(uv_pipe_t* handle, const char* name);

/**
 * Binds the handle to a name of `namelen` bytes: a path, whose file is removed when the handle is
 * closed, or with a zero as first byte a name in the abstract namespace; for an empty one the
 * system finds a name. `flags` is 0 or UV_PIPE_NO_TRUNCATE, which makes UV_EINVAL of a name longer
 * than 108 bytes. UV_EINVAL also for a bound or closing handle; UV_EADDRINUSE; UV_EACCES, also for
 * a folder that does not exist.
 */
UV_EXTERN int uv_pipe_bind2(uv_pipe_t* handle,
                            const char* name,
                            size_t namelen,
                            unsigned int flags);

/**
 * uv_pipe_connect2 with a path, which is cut to the system's 108 bytes. All errors go to `cb`.
 */
UV_EXTERN void uv_pipe_connect(uv_connect_t* req,
                               uv_pipe_t* handle,
                               const char* name,
                               uv_connect_cb cb);

/**
 * Connects to the Unix socket with the name, as uv_pipe_bind2 takes it. `cb`, which may be NULL,
 * runs later with the outcome; until then `req` is the library's. UV_EINVAL for a name that is
 * empty or too long, unknown flags, or a closing handle; UV_EALREADY while another connection is
 * being made.
 */
UV_EXTERN int uv_pipe_connect2(uv_connect_t* req,
                               uv_pipe_t* handle,
                               const char* name,
                               size_t namelen,
                               unsigned int flags,
                               uv_connect_cb cb);

/**
 * Stores the handle's own name in `buffer`, whose size is `*size`, and its length in `*size`; a
 * path gets a zero behind it that is not counted. With UV_ENOBUFS `*size` is what is needed; with
 * other errors it is 0.
 */
UV_EXTERN int uv_pipe_getsockname(const uv_pipe_t* handle, char* buffer, size_t* size);

/**
 * Stores the name of the other end, as uv_pipe_getsockname. UV_ENOTCONN if there is none.
 */
UV_EXTERN int uv_pipe_getpeername(const uv_pipe_t* handle, char* buffer, size_t* size);

/**
 * A matter of other systems: does nothing.
 */
UV_EXTERN void uv_pipe_pending_instances(uv_pipe_t *_handle, int _count);

/**
 * How many handles have come over the pipe and wait for uv_accept.
 */
UV_EXTERN int uv_pipe_pending_count(uv_pipe_t* handle);

/**
 * The type of handle to initialise for the next uv_accept; UV_UNKNOWN_HANDLE if nothing waits.
 */
UV_EXTERN uv_handle_type uv_pipe_pending_type(uv_pipe_t* handle);

/**
 * Lets all users read (UV_READABLE), write (UV_WRITABLE) or both; otherwise UV_EINVAL. UV_EBADF for
 * NULL, and without a descriptor.
 */
UV_EXTERN int uv_pipe_chmod(uv_pipe_t* handle, int flags);

/**
 * A pipe, closed on exec, the program's own: what is written to `fds[1]` is read from `fds[0]`. The
 * end whose flags are UV_NONBLOCK_PIPE does not block.
 */
UV_EXTERN int uv_pipe(uv_file fds[2], int read_flags, int write_flags);

/* ---- Watching descriptors of the program's own ---- */

/**
 * Makes the memory at `handle` a poll handle for `fd`, which becomes non-blocking and stays the
 * program's; it may be closed once the handle is stopped. UV_EEXIST if the loop watches it already,
 * UV_EPERM for regular files and the like, UV_EBADF.
 */
UV_EXTERN int uv_poll_init(uv_loop_t* loop, uv_poll_t* handle, int fd);

/**
 * uv_poll_init: on Linux a socket is a descriptor.
 */
UV_EXTERN int uv_poll_init_socket(uv_loop_t* loop, uv_poll_t* handle, uv_os_sock_t socket);

/**
 * Calls `cb` whenever the descriptor is ready for one of `events` (uv_poll_event), every turn while
 * it stays so; replaces what was asked for before. An error of the descriptor is reported once,
 * with UV_EBADF, and stops the handle. UV_EINVAL for a closing handle or unknown events, UV_EEXIST
 * if another handle watches the descriptor now, UV_ENOMEM.
 */
UV_EXTERN int uv_poll_start(uv_poll_t* handle, int events, uv_poll_cb cb);

/**
 * Stops the handle: its callback will not run.
 */
UV_EXTERN int uv_poll_stop(uv_poll_t* handle);

/* ---- Callbacks that run right before the loop polls ---- */

/**
 * Makes the memory at `prepare` a prepare handle, not started.
 */
UV_EXTERN int uv_prepare_init(uv_loop_t* loop, uv_prepare_t* prepare);

/**
 * Calls `cb` right before the loop polls, beginning with the next time. What is started last runs
 * first. Does nothing if it is started already. UV_EINVAL without `cb`, or for a closing handle.
 */
UV_EXTERN int uv_prepare_start(uv_prepare_t* prepare, uv_prepare_cb cb);

/**
 * Stops the handle: its callback will not run.
 */
UV_EXTERN int uv_prepare_stop(uv_prepare_t* prepare);

/* ---- Child processes ---- */

/**
 * Starts a program as `options` say and makes the memory at `handle` a process handle; also on an
 * error the handle must be closed before its memory goes. When this returns 0 the program runs: an
 * error says what kept it from that, UV_ENOENT and UV_EACCES for the file or the folder, UV_EPERM
 * for the user or group, UV_EAGAIN and UV_ENOMEM without room for a process, UV_EINVAL for options
 * that are none, and others of the system. A file without a slash is looked up in the PATH that the
 * program gets. The streams of UV_CREATE_PIPE are open even after an error of the program. Closing
 * the handle of a process that runs leaves the process to its fate, and its end to the caller's
 * waitpid().
 */
UV_EXTERN int uv_spawn(uv_loop_t* loop, uv_process_t* handle, const uv_process_options_t* options);

/**
 * Sends a signal to the process, or with 0 only asks whether it could be sent. UV_ESRCH once its
 * end is known to the loop, UV_EPERM without the right to, UV_EINVAL if there is no such signal.
 */
UV_EXTERN int uv_process_kill(uv_process_t* handle, int signum);

/**
 * The number of the process, also after its end; 0 if it could not be started.
 */
UV_EXTERN uv_pid_t uv_process_get_pid(const uv_process_t* handle);

/**
 * Keeps the descriptors that are open now, the standard streams among them, from programs started
 * later, unless those are given them. For the start of main: descriptors that the program has
 * inherited itself.
 */
UV_EXTERN void uv_disable_stdio_inheritance(void);

/* ---- The program itself: its arguments and title, folders, user, priority, and what it has used ---- */

/**
 * Takes the memory of main's arguments for the process title and returns a copy of them, to be used
 * instead. To be called once, at the start of main. Without memory `argv` itself is returned, and
 * there is no title.
 */
UV_EXTERN char** uv_setup_args(int argc, char** argv);

/**
 * Copies the process title to `buffer`, which has `size` bytes. UV_ENOBUFS if it does not fit, and
 * before uv_setup_args(); UV_EINVAL for NULL and a size of 0. Any thread.
 */
UV_EXTERN int uv_get_process_title(char* buffer, size_t size);

/**
 * Sets the process title, cut to the room that the program's arguments took. UV_ENOBUFS before
 * uv_setup_args(), UV_EINVAL for NULL. Any thread; its name is set as well.
 */
UV_EXTERN int uv_set_process_title(const char* title);

/**
 * Copies the path of the program's file to `buffer`, which has `*size` bytes, cut to fit, and sets
 * `*size` to its length. UV_EINVAL for NULL and a size of 0.
 */
UV_EXTERN int uv_exepath(char* buffer, size_t* size);

/**
 * Copies the current folder to `buffer`, which has `*size` bytes, and sets `*size` to its length
 * without the NUL. UV_ENOBUFS if it does not fit, and `*size` is then what it needs with the NUL;
 * UV_EINVAL for NULL and a size of 0; UV_ENOENT if the folder is gone.
 */
UV_EXTERN int uv_cwd(char* buffer, size_t* size);

/**
 * Makes a folder the current one, for all threads.
 */
UV_EXTERN int uv_chdir(const char* dir);

/**
 * Copies the user's home folder, which is HOME or what the list of users says, to `buffer`, which
 * has `*size` bytes, and sets `*size` to its length without the NUL. UV_ENOBUFS if it does not fit,
 * and `*size` is then what it needs with the NUL; UV_EINVAL for NULL and a size of 0. As getenv(),
 * not safe while another thread changes the environment.
 */
UV_EXTERN int uv_os_homedir(char* buffer, size_t* size);

/**
 * Copies the folder for temporary files, which is the first of TMPDIR, TMP, TEMP and TEMPDIR that
 * is set, or /tmp, to `buffer`; otherwise as uv_os_homedir().
 */
UV_EXTERN int uv_os_tmpdir(char* buffer, size_t* size);

/**
 * Fills in the entry of the user whose rights the process has, to be given to uv_os_free_passwd().
 * UV_ENOENT if there is none, UV_EINVAL for NULL.
 */
UV_EXTERN int uv_os_get_passwd(uv_passwd_t* pwd);

/**
 * Fills in the entry of a user, to be given to uv_os_free_passwd(). UV_ENOENT if there is none,
 * UV_EINVAL for NULL.
 */
UV_EXTERN int uv_os_get_passwd2(uv_passwd_t* pwd, uv_uid_t uid);

/**
 * Frees what uv_os_get_passwd() or uv_os_get_passwd2() has filled in. NULL is allowed.
 */
UV_EXTERN void uv_os_free_passwd(uv_passwd_t* pwd);

/**
 * Fills in the entry of a group, to be given to uv_os_free_group(). The list of members ends with
 * NULL. UV_ENOENT if there is none, UV_EINVAL for NULL.
 */
UV_EXTERN int uv_os_get_group(uv_group_t* grp, uv_uid_t gid);

/**
 * Frees what uv_os_get_group() has filled in. NULL is allowed.
 */
UV_EXTERN void uv_os_free_group(uv_group_t* grp);

/**
 * Stores the priority of a process (0: this one), from -20, the highest, to 19. UV_ESRCH if there
 * is no such process, UV_EINVAL for NULL.
 */
UV_EXTERN int uv_os_getpriority(uv_pid_t pid, int* priority);

/**
 * Sets the priority of a process (0: this one), from -20, the highest, to 19. UV_EINVAL for other
 * numbers, UV_ESRCH if there is no such process, UV_EACCES and UV_EPERM without the right to.
 */
UV_EXTERN int uv_os_setpriority(uv_pid_t pid, int priority);

/**
 * Stores what the process has used so far; `ru_maxrss` is in KiB.
 */
UV_EXTERN int uv_getrusage(uv_rusage_t* rusage);

/**
 * Stores what the calling thread has used so far; `ru_maxrss` is in KiB, and the process's.
 */
UV_EXTERN int uv_getrusage_thread(uv_rusage_t* rusage);

/**
 * Stores how many bytes of the process are in memory.
 */
UV_EXTERN int uv_resident_set_memory(size_t* rss);

/* ---- What all requests have in common ---- */

/**
 * The size in bytes of a request of this type, for those who cannot see the structs; (size_t) -1 if
 * there is no such type.
 */
UV_EXTERN size_t uv_req_size(uv_req_type type);

/**
 * The name of a request type's struct without `uv_` and `_t`: "connect" for UV_CONNECT. Static;
 * NULL if there is no such type.
 */
UV_EXTERN const char* uv_req_type_name(uv_req_type type);

/**
 * `req->data`, which is the program's alone.
 */
UV_EXTERN void* uv_req_get_data(const uv_req_t* req);

/**
 * Sets `req->data`. May be done at any time, also before the request is used.
 */
UV_EXTERN void uv_req_set_data(uv_req_t* req, void* data);

/**
 * `req->type`, set when the request is used.
 */
UV_EXTERN uv_req_type uv_req_get_type(const uv_req_t* req);

/* ---- Signals as callbacks ---- */

/**
 * Makes the memory at `handle` a signal handle, not started.
 */
UV_EXTERN int uv_signal_init(uv_loop_t* loop, uv_signal_t* handle);

/**
 * Calls `signal_cb` on the loop's thread for each `signum` that the process receives. Any number of
 * handles of any loops may wait for the same signal. UV_EINVAL for signals that do not exist or
 * cannot be caught, and for a closing handle.
 */
UV_EXTERN int uv_signal_start(uv_signal_t* handle, uv_signal_cb signal_cb, int signum);

/**
 * uv_signal_start for one signal: the handle stops after its callback.
 */
UV_EXTERN int uv_signal_start_oneshot(uv_signal_t* handle, uv_signal_cb signal_cb, int signum);

/**
 * Stops the handle: its callback will not run. With the last handle of a signal goes the library's
 * handler.
 */
UV_EXTERN int uv_signal_stop(uv_signal_t* handle);

/* ---- Streams: what TCP sockets, pipes and terminals have in common ---- */

/**
 * Has `cb` called with status 0 for each connection that arrives; it takes the connection with
 * uv_accept. `backlog` connections may wait in the system. UV_EADDRINUSE if a TCP handle could not
 * have its address; UV_EINVAL for closing handles, other types, and pipes that are not bound or
 * carry handles.
 */
UV_EXTERN int uv_listen(uv_stream_t* stream, int backlog, uv_connection_cb cb);

/**
 * Gives `client`, an initialised handle of the same loop, the connection that waits at `server`, or
 * the handle that came over a pipe. Until it is called no further connections are reported.
 * UV_EAGAIN if nothing waits; when `client` cannot take what waits, that is closed, except that
 * nothing happens if its type is wrong (UV_EINVAL).
 */
UV_EXTERN int uv_accept(uv_stream_t* server, uv_stream_t* client);

/**
 * Reads: `alloc_cb` is asked for a buffer before each read, then `read_cb` gets the number of bytes
 * in it; 0 means that there was nothing after all, UV_ENOBUFS that `alloc_cb` gave no buffer.
 * UV_EOF and errors end the reading. The buffer is always the program's to free. UV_EINVAL without
 * callbacks or for closing handles, UV_EALREADY while reading, UV_ENOTCONN if the stream cannot be
 * read.
 */
UV_EXTERN int uv_read_start(uv_stream_t* stream, uv_alloc_cb alloc_cb, uv_read_cb read_cb);

/**
 * Stops reading: the callbacks will not run. Always 0.
 */
UV_EXTERN int uv_read_stop(uv_stream_t* stream);

/**
 * Writes the `nbufs` buffers, in order and after what was written before. The array may go at once,
 * the bytes and `req` are the library's until `cb`, which may be NULL and never runs inside this
 * call. UV_EINVAL for no buffers, or more than 2 GiB; UV_EBADF without a descriptor; UV_EPIPE if
 * the stream cannot be written; UV_ENOMEM. Writing to a pipe or socket whose other end is closed
 * raises SIGPIPE.
 */
UV_EXTERN int uv_write(uv_write_t* req,
                       uv_stream_t* stream,
                       const uv_buf_t* bufs,
                       unsigned int nbufs,
                       uv_write_cb cb);

/**
 * uv_write over a pipe with `ipc` that also sends a handle: a TCP socket, a pipe or a UDP socket.
 * It arrives with the first byte, and stays open here. UV_EINVAL if `stream` is no such pipe,
 * UV_EBADF if `send_handle` has no descriptor.
 */
UV_EXTERN int uv_write2(uv_write_t* req,
                        uv_stream_t* stream,
                        const uv_buf_t* bufs,
                        unsigned int nbufs,
                        uv_stream_t* send_handle,
                        uv_write_cb cb);

/**
 * Writes what can be written at once and returns how many bytes that were; UV_EAGAIN if none, or if
 * other writes wait. Other errors as uv_write.
 */
UV_EXTERN int uv_try_write(uv_stream_t* stream, const uv_buf_t* bufs, unsigned int nbufs);

/**
 * uv_try_write that also sends a handle, as uv_write2.
 */
UV_EXTERN int uv_try_write2(uv_stream_t* stream,
                            const uv_buf_t* bufs,
                            unsigned int nbufs,
                            uv_stream_t* send_handle);

/**
 * Closes the write side once all that was written before is out, then calls `cb`, which may be
 * NULL. UV_ENOTCONN if the stream is not writable, or shut down already.
 */
UV_EXTERN int uv_shutdown(uv_shutdown_t* req, uv_stream_t* stream, uv_shutdown_cb cb);

/**
 * 1 if the stream can be read, else 0.
 */
UV_EXTERN int uv_is_readable(const uv_stream_t* stream);

/**
 * 1 if the stream can be written, else 0.
 */
UV_EXTERN int uv_is_writable(const uv_stream_t* stream);

/**
 * With a nonzero `blocking`, writes complete inside uv_write; their callbacks still run later. Set
 * it before anything is written. Reads then may block too. UV_EBADF without a descriptor.
 */
UV_EXTERN int uv_stream_set_blocking(uv_stream_t* stream, int blocking);

/**
 * Bytes that wait to be written.
 */
UV_EXTERN size_t uv_stream_get_write_queue_size(const uv_stream_t* stream);

/* ---- The machine: its names, CPUs, memory, network interfaces, and how busy it is ---- */

/**
 * Fills in the names of the operating system, as uname(). UV_EINVAL for NULL.
 */
UV_EXTERN int uv_os_uname(uv_utsname_t* buffer);

/**
 * Copies the machine's name to `buffer`, which has `*size` bytes (UV_MAXHOSTNAMESIZE is always
 * enough), and sets `*size` to its length without the NUL. UV_ENOBUFS if it does not fit, and
 * `*size` is then what it needs with the NUL; UV_EINVAL for NULL and a size of 0.
 */
UV_EXTERN int uv_os_gethostname(char* buffer, size_t* size);

/**
 * Stores for how many seconds the machine, or the container, has been running.
 */
UV_EXTERN int uv_uptime(double* uptime);

/**
 * Stores the numbers of runnable threads, averaged over the last 1, 5 and 15 minutes.
 */
UV_EXTERN void uv_loadavg(double avg[3]);

/**
 * Stores a list of the CPUs in use and its length, to be freed with uv_free_cpu_info(). Speeds are
 * in MHz, times in ms. An error leaves NULL and 0.
 */
UV_EXTERN int uv_cpu_info(uv_cpu_info_t** cpu_infos, int* count);

/**
 * Frees a list from uv_cpu_info(), or NULL; `count` is what that stored.
 */
UV_EXTERN void uv_free_cpu_info(uv_cpu_info_t* cpu_infos, int count);

/**
 * Stores a list of the internet addresses of all network interfaces that are up, and its length, to
 * be freed with uv_free_interface_addresses(). An interface is in it once for each of its
 * addresses. An error leaves NULL and 0.
 */
UV_EXTERN int uv_interface_addresses(uv_interface_address_t** addresses, int* count);

/**
 * Frees a list from uv_interface_addresses(), or NULL; `count` is what that stored.
 */
UV_EXTERN void uv_free_interface_addresses(uv_interface_address_t* addresses, int count);

/**
 * Copies the name of a network interface to `buffer`, which has `*size` bytes (UV_IF_NAMESIZE is
 * always enough), and sets `*size` to its length without the NUL. UV_ENOBUFS if it does not fit,
 * and `*size` is then what it needs with the NUL; UV_ENXIO if there is no such interface; UV_EINVAL
 * for NULL and a size of 0.
 */
UV_EXTERN int uv_if_indextoname(unsigned int ifindex, char* buffer, size_t* size);

/**
 * As uv_if_indextoname(): what stands behind the % of an IPv6 address.
 */
UV_EXTERN int uv_if_indextoiid(unsigned int ifindex, char* buffer, size_t* size);

/**
 * The bytes of memory that programs could still get; 0 if unknown.
 */
UV_EXTERN uint64_t uv_get_free_memory(void);

/**
 * The bytes of memory that the machine has; 0 if unknown.
 */
UV_EXTERN uint64_t uv_get_total_memory(void);

/**
 * The bytes of memory that the process may use, by its control groups and resource limits.
 * UINT64_MAX if these set no limit, 0 if there are none or it cannot be told. It may be more than
 * the machine has.
 */
UV_EXTERN uint64_t uv_get_constrained_memory(void);

/**
 * The bytes of memory that the process could still get within the limits of its control groups;
 * uv_get_free_memory() without limits.
 */
UV_EXTERN uint64_t uv_get_available_memory(void);

/* ---- TCP sockets ---- */

/**
 * Makes the memory at `handle` a TCP handle without a socket.
 */
UV_EXTERN int uv_tcp_init(uv_loop_t* loop, uv_tcp_t* handle);

/**
 * uv_tcp_init with a socket of the family `flags`: AF_INET, AF_INET6, or none with AF_UNSPEC.
 * UV_EINVAL for anything else.
 */
UV_EXTERN int uv_tcp_init_ex(uv_loop_t* loop, uv_tcp_t* handle, unsigned int flags);

/**
 * Gives the handle an existing socket, which becomes non-blocking and is closed with the handle.
 * UV_EEXIST if the loop watches it already, UV_EBUSY if the handle has another one.
 */
UV_EXTERN int uv_tcp_open(uv_tcp_t* handle, uv_os_sock_t sock);

/**
 * Sends small writes at once (TCP_NODELAY) if `enable` is nonzero. May be set before there is a
 * socket.
 */
UV_EXTERN int uv_tcp_nodelay(uv_tcp_t* handle, int enable);

/**
 * uv_tcp_keepalive_ex with 10 probes, 1 second apart.
 */
UV_EXTERN int uv_tcp_keepalive(uv_tcp_t* handle, int enable, unsigned int delay);

/**
 * If `on` is nonzero, a connection that was silent for `idle` seconds is probed every `intvl`
 * seconds, and fails with UV_ETIMEDOUT after `cnt` probes without an answer; UV_EINVAL if one of
 * them is 0. If `on` is 0 they do not matter. May be set before there is a socket.
 */
UV_EXTERN int uv_tcp_keepalive_ex(uv_tcp_t* handle,
                                  int on,
                                  unsigned int idle,
                                  unsigned int intvl,
                                  unsigned int cnt);

/**
 * A matter of other systems: does nothing, returns 0.
 */
UV_EXTERN int uv_tcp_simultaneous_accepts(uv_tcp_t *_handle, int _enable);

/**
 * Binds the handle to an IPv4 or IPv6 address; `flags` are those of uv_tcp_flags. That the address
 * is in use is only reported by uv_listen or in the callback of uv_tcp_connect. UV_EINVAL for other
 * addresses, closing handles, and UV_TCP_IPV6ONLY with IPv4.
 */
UV_EXTERN int uv_tcp_bind(uv_tcp_t* handle, const struct sockaddr* addr, unsigned int flags);

/**
 * Stores the handle's own address in `name` and its size in `namelen`, which says how much room
 * there is. UV_EBADF without a socket.
 */
UV_EXTERN int uv_tcp_getsockname(const uv_tcp_t* handle, struct sockaddr* name, int* namelen);

/**
 * Stores the address of the other end, as uv_tcp_getsockname. UV_ENOTCONN if there is none.
 */
UV_EXTERN int uv_tcp_getpeername(const uv_tcp_t* handle, struct sockaddr* name, int* namelen);

/**
 * Sets SO_LINGER so that the connection is reset, and closes the handle as uv_close. UV_EINVAL
 * while it is being shut down.
 */
UV_EXTERN int uv_tcp_close_reset(uv_tcp_t* handle, uv_close_cb close_cb);

/**
 * Connects to an IPv4 or IPv6 address. `cb`, which may be NULL, runs later with the outcome; until
 * then `req` is the library's, and what is written waits. UV_EALREADY while another connection is
 * being made, UV_EINVAL for other addresses; errors that the system reports at once, such as
 * UV_ENETUNREACH.
 */
UV_EXTERN int uv_tcp_connect(uv_connect_t* req,
                             uv_tcp_t* handle,
                             const struct sockaddr* addr,
                             uv_connect_cb cb);

/**
 * Two connected Unix sockets of `type`, closed on exec, the program's own. The end whose flags are
 * UV_NONBLOCK_PIPE does not block.
 */
UV_EXTERN int uv_socketpair(int type,
                            int protocol,
                            uv_os_sock_t socket_vector[2],
                            int flags0,
                            int flags1);

/* ---- Threads and what they share. All objects are the system's own: a `uv_mutex_t` is a `pthread_mutex_t`, and so on ---- */

/**
 * Starts a thread that runs `entry(arg)`, with a stack as large as RLIMIT_STACK allows. The thread
 * may end itself with pthread_exit() too. It has to be joined or detached. UV_EAGAIN if the system
 * has no room for it.
 */
UV_EXTERN int uv_thread_create(uv_thread_t* tid, uv_thread_cb entry, void* arg);

/**
 * Like uv_thread_create(), with options. If `params->flags` has UV_THREAD_HAS_STACK_SIZE, the stack
 * gets `params->stack_size` bytes, rounded up to whole pages and to the least that the system
 * allows; 0 means the default.
 */
UV_EXTERN int uv_thread_create_ex(uv_thread_t* tid,
                                  const uv_thread_options_t* params,
                                  uv_thread_cb entry,
                                  void* arg);

/**
 * Lets a thread free its resources by itself when it ends; it cannot be joined any more.
 */
UV_EXTERN int uv_thread_detach(uv_thread_t* tid);

/**
 * Waits for a thread's end. UV_EDEADLK for the calling thread.
 */
UV_EXTERN int uv_thread_join(uv_thread_t* tid);

/**
 * The calling thread.
 */
UV_EXTERN uv_thread_t uv_thread_self(void);

/**
 * Not 0 if both are the same thread.
 */
UV_EXTERN int uv_thread_equal(const uv_thread_t* t1, const uv_thread_t* t2);

/**
 * Names the calling thread. Linux keeps 15 bytes; the rest is cut off. UV_EINVAL for NULL.
 */
UV_EXTERN int uv_thread_setname(const char* name);

/**
 * Writes the name of a thread to `name`, cut to `size` bytes with its NUL. UV_EINVAL for NULL or a
 * size of 0.
 */
UV_EXTERN int uv_thread_getname(uv_thread_t* tid, char* name, size_t size);

/**
 * Sets a thread's priority to one of UV_THREAD_PRIORITY_*, else UV_EINVAL. Under the usual policy
 * of Linux this is the nice value of the calling thread, for whose lowering a privilege is needed
 * (UV_EACCES); for other threads it does nothing then.
 */
UV_EXTERN int uv_thread_setpriority(uv_thread_t tid, int priority);

/**
 * Stores a thread's priority in the system's own terms: under the usual policy of Linux the nice
 * value of the calling thread, and 0 for others. UV_EINVAL for NULL.
 */
UV_EXTERN int uv_thread_getpriority(uv_thread_t tid, int* priority);

/**
 * Restricts a thread to the CPUs whose bytes in `cpumask` are not 0. What held before is stored in
 * `oldmask`, unless that is NULL. Both masks have `mask_size` bytes, at least uv_cpumask_size(),
 * else UV_EINVAL; as is a mask without any CPU of this machine.
 */
UV_EXTERN int uv_thread_setaffinity(uv_thread_t* tid,
                                    char* cpumask,
                                    char* oldmask,
                                    size_t mask_size);

/**
 * Stores a 1 in `cpumask` for every CPU that the thread may run on, else a 0. `mask_size` is as for
 * uv_thread_setaffinity().
 */
UV_EXTERN int uv_thread_getaffinity(uv_thread_t* tid, char* cpumask, size_t mask_size);

/**
 * The number of the CPU that the calling thread runs on at the moment, or an error code.
 */
UV_EXTERN int uv_thread_getcpu(void);

/**
 * Makes a key, under which each thread can keep a pointer of its own, NULL at first. UV_EAGAIN if
 * the process has too many.
 */
UV_EXTERN int uv_key_create(uv_key_t* key);

/**
 * Ends a key; what threads keep under it is not freed. Aborts if it is no key.
 */
UV_EXTERN void uv_key_delete(uv_key_t* key);

/**
 * The calling thread's pointer under a key.
 */
UV_EXTERN void* uv_key_get(uv_key_t* key);

/**
 * Sets the calling thread's pointer under a key. Aborts if it is no key.
 */
UV_EXTERN void uv_key_set(uv_key_t* key, void* value);

/**
 * Calls `callback` once for each guard, which has to begin as UV_ONCE_INIT; threads that come
 * meanwhile wait until it is done.
 */
UV_EXTERN void uv_once(uv_once_t* guard, void (*callback)(void));

/**
 * Makes a mutex.
 */
UV_EXTERN int uv_mutex_init(uv_mutex_t* handle);

/**
 * Makes a mutex that its owner may lock several times, and has to unlock as often.
 */
UV_EXTERN int uv_mutex_init_recursive(uv_mutex_t* handle);

/**
 * Ends a mutex. Aborts if it is locked.
 */
UV_EXTERN void uv_mutex_destroy(uv_mutex_t* handle);

/**
 * Waits for a mutex and locks it.
 */
UV_EXTERN void uv_mutex_lock(uv_mutex_t* handle);

/**
 * Locks a mutex if it is free, else UV_EBUSY.
 */
UV_EXTERN int uv_mutex_trylock(uv_mutex_t* handle);

/**
 * Unlocks a mutex that the calling thread has locked. Aborts where the system notices that it has
 * not.
 */
UV_EXTERN void uv_mutex_unlock(uv_mutex_t* handle);

/**
 * Makes a lock that many may read or one may write at a time.
 */
UV_EXTERN int uv_rwlock_init(uv_rwlock_t* rwlock);

/**
 * Ends a read-write lock that nobody holds.
 */
UV_EXTERN void uv_rwlock_destroy(uv_rwlock_t* rwlock);

/**
 * Waits until nobody writes, and locks for reading.
 */
UV_EXTERN void uv_rwlock_rdlock(uv_rwlock_t* rwlock);

/**
 * Locks for reading if that needs no waiting, else UV_EBUSY.
 */
UV_EXTERN int uv_rwlock_tryrdlock(uv_rwlock_t* rwlock);

/**
 * Ends one reading.
 */
UV_EXTERN void uv_rwlock_rdunlock(uv_rwlock_t* rwlock);

/**
 * Waits until nobody reads or writes, and locks for writing. Aborts if the calling thread is
 * writing already.
 */
UV_EXTERN void uv_rwlock_wrlock(uv_rwlock_t* rwlock);

/**
 * Locks for writing if that needs no waiting, else UV_EBUSY.
 */
UV_EXTERN int uv_rwlock_trywrlock(uv_rwlock_t* rwlock);

/**
 * Ends the writing.
 */
UV_EXTERN void uv_rwlock_wrunlock(uv_rwlock_t* rwlock);

/**
 * Makes a semaphore that counts from `value`. UV_EINVAL above SEM_VALUE_MAX.
 */
UV_EXTERN int uv_sem_init(uv_sem_t* sem, unsigned int value);

/**
 * Ends a semaphore that nobody waits for.
 */
UV_EXTERN void uv_sem_destroy(uv_sem_t* sem);

/**
 * Counts up, letting one waiter go on. May be called from signal handlers. Aborts above
 * SEM_VALUE_MAX.
 */
UV_EXTERN void uv_sem_post(uv_sem_t* sem);

/**
 * Waits until the count is above 0 and counts down. Signals do not end the wait.
 */
UV_EXTERN void uv_sem_wait(uv_sem_t* sem);

/**
 * Counts down if the count is above 0, else UV_EAGAIN.
 */
UV_EXTERN int uv_sem_trywait(uv_sem_t* sem);

/**
 * Makes a condition variable, whose timeouts go by the monotonic clock.
 */
UV_EXTERN int uv_cond_init(uv_cond_t* cond);

/**
 * Ends a condition variable that nobody waits for.
 */
UV_EXTERN void uv_cond_destroy(uv_cond_t* cond);

/**
 * Wakes one thread that waits, if there is any.
 */
UV_EXTERN void uv_cond_signal(uv_cond_t* cond);

/**
 * Wakes all threads that wait.
 */
UV_EXTERN void uv_cond_broadcast(uv_cond_t* cond);

/**
 * Unlocks the mutex, waits to be woken, and locks the mutex again. May return although nobody woke
 * it.
 */
UV_EXTERN void uv_cond_wait(uv_cond_t* cond, uv_mutex_t* mutex);

/**
 * Like uv_cond_wait(), but waits for at most `timeout` nanoseconds from now, then returns
 * UV_ETIMEDOUT. The mutex is locked again in either case.
 */
UV_EXTERN int uv_cond_timedwait(uv_cond_t* cond, uv_mutex_t* mutex, uint64_t timeout);

/**
 * Makes a barrier at which `count` threads meet. UV_EINVAL for 0.
 */
UV_EXTERN int uv_barrier_init(uv_barrier_t* barrier, unsigned int count);

/**
 * Ends a barrier, once all threads that were let go have left it.
 */
UV_EXTERN void uv_barrier_destroy(uv_barrier_t* barrier);

/**
 * Waits until all threads have come. Returns 1 to one of them, any, which may then destroy the
 * barrier, and 0 to the others.
 */
UV_EXTERN int uv_barrier_wait(uv_barrier_t* barrier);

/* ---- Work on the thread pool ---- */

/**
 * Runs `work_cb` on a thread of the pool and then `after_work_cb`, which may be NULL, on the
 * loop's. The pool has UV_THREADPOOL_SIZE threads (1 to 1024, by default 4). UV_EINVAL without
 * `work_cb`; UV_ENOMEM or UV_EAGAIN if no thread can start.
 */
UV_EXTERN int uv_queue_work(uv_loop_t* loop,
                            uv_work_t* req,
                            uv_work_cb work_cb,
                            uv_after_work_cb after_work_cb);

/**
 * Takes back a request that no thread has begun: its callback runs soon, with UV_ECANCELED.
 * UV_EBUSY if it runs or is done, UV_EINVAL for types that cannot be cancelled. On the loop's
 * thread.
 */
UV_EXTERN int uv_cancel(uv_req_t* req);

/**
 * Ends the threads of the pool. Nothing of this library may be used afterwards. Runs by itself when
 * the library is unloaded or the process ends; calls after the first do nothing.
 */
UV_EXTERN void uv_library_shutdown(void);

/* ---- Timers. All times are in ms ---- */

/**
 * Makes the memory at `handle` a timer, not started.
 */
UV_EXTERN int uv_timer_init(uv_loop_t* loop, uv_timer_t* handle);

/**
 * Calls `cb` in `timeout` ms, counted from the loop's now, and then every `repeat` ms, if that is
 * not 0. A timer that was started is started anew. With timeout 0 the callback runs in the next
 * turn. UV_EINVAL without `cb`, or for a closing handle.
 */
UV_EXTERN int uv_timer_start(uv_timer_t* handle, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);

/**
 * Stops the timer: its callback will not run.
 */
UV_EXTERN int uv_timer_stop(uv_timer_t* handle);

/**
 * Starts a repeating timer anew, with its repeat value as timeout; does nothing for others.
 * UV_EINVAL if it was never started.
 */
UV_EXTERN int uv_timer_again(uv_timer_t* handle);

/**
 * Sets the repeat value, which counts from the next time that the timer runs; 0: it does not
 * repeat.
 */
UV_EXTERN void uv_timer_set_repeat(uv_timer_t* handle, uint64_t repeat);

/**
 * The repeat value.
 */
UV_EXTERN uint64_t uv_timer_get_repeat(const uv_timer_t* handle);

/**
 * How long it is until the timer is due, from the loop's now; 0 if it is due or was.
 */
UV_EXTERN uint64_t uv_timer_get_due_in(const uv_timer_t* handle);

/* ---- Terminals ---- */

/**
 * Makes the memory at `handle` a stream for the terminal behind `fd`, readable and writable as `fd`
 * is. The terminal is opened once more for it: `fd` stays as it is, and the program's. Pipes and
 * sockets are taken as they are, and become non-blocking. If a terminal cannot be opened, as the
 * master of a pseudoterminal, `fd` itself is used and writes block. UV_EINVAL for files, UV_EBADF.
 * `unused` is not used.
 */
UV_EXTERN int uv_tty_init(uv_loop_t* loop, uv_tty_t* handle, uv_file fd, int unused);

/**
 * Changes the mode of the terminal. UV_TTY_MODE_NORMAL: as it was; UV_TTY_MODE_RAW and
 * UV_TTY_MODE_RAW_VT: every key at once, none with a meaning of its own, without echo;
 * UV_TTY_MODE_IO: bytes as they are, in both directions. UV_EINVAL for another mode.
 */
UV_EXTERN int uv_tty_set_mode(uv_tty_t* handle, uv_tty_mode_t mode);

/**
 * Gives the first terminal whose mode was changed its settings back; to be called when the program
 * ends. Any thread, and signal handlers; UV_EBUSY if it interrupts a change of the mode.
 */
UV_EXTERN int uv_tty_reset_mode(void);

/**
 * Stores the size of the terminal in columns and rows.
 */
UV_EXTERN int uv_tty_get_winsize(uv_tty_t* handle, int* width, int* height);

/**
 * Does nothing: terminals here handle their sequences themselves.
 */
UV_EXTERN void uv_tty_set_vterm_state(uv_tty_vtermstate_t state);

/**
 * UV_ENOTSUP: see uv_tty_set_vterm_state.
 */
UV_EXTERN int uv_tty_get_vterm_state(uv_tty_vtermstate_t* state);

/* ---- Datagrams ---- */

/**
 * Makes the memory at `handle` a UDP handle without a socket; one is made when it is bound or first
 * used.
 */
UV_EXTERN int uv_udp_init(uv_loop_t* loop, uv_udp_t* handle);

/**
 * As uv_udp_init. The lower eight bits of `flags` are AF_INET or AF_INET6, for a socket that is
 * made at once, or AF_UNSPEC; with UV_UDP_RECVMMSG several datagrams are received at once into
 * buffers of several times 64 KiB. UV_EINVAL for anything else.
 */
UV_EXTERN int uv_udp_init_ex(uv_loop_t* loop, uv_udp_t* handle, unsigned int flags);

/**
 * uv_udp_open_ex with UV_UDP_REUSEADDR.
 */
UV_EXTERN int uv_udp_open(uv_udp_t* handle, uv_os_sock_t sock);

/**
 * Gives the handle a datagram socket, of any family, which becomes non-blocking and is the handle's
 * to close; it may be bound or connected. `flags`: UV_UDP_REUSEADDR and UV_UDP_REUSEPORT, as for
 * uv_udp_bind, or 0; UV_EINVAL for others. UV_EBUSY if the handle has a socket, UV_EEXIST if the
 * loop watches this one already.
 */
UV_EXTERN int uv_udp_open_ex(uv_udp_t* handle, uv_os_sock_t sock, unsigned int flags);

/**
 * Binds the handle to an IPv4 or IPv6 address; port 0 lets the system choose. `flags`:
 * UV_UDP_IPV6ONLY takes no IPv4 datagrams; UV_UDP_REUSEADDR shares the address with others that set
 * it, of whom the last gets all datagrams; UV_UDP_REUSEPORT distributes the datagrams among those
 * that share it; UV_UDP_LINUX_RECVERR reports all ICMP errors. UV_EINVAL for other flags or
 * families, for a handle that is bound, and for a socket of the other family; UV_EADDRINUSE. After
 * an error the handle may have a socket that is not bound.
 */
UV_EXTERN int uv_udp_bind(uv_udp_t* handle, const struct sockaddr* addr, unsigned int flags);

/**
 * Connects the handle: it sends to this address, without naming it each time, and receives from
 * nobody else. Binds a handle that was not. NULL disconnects. UV_EISCONN if it is connected,
 * UV_ENOTCONN for NULL if it is not, UV_EINVAL for families other than IPv4 and IPv6.
 */
UV_EXTERN int uv_udp_connect(uv_udp_t* handle, const struct sockaddr* addr);

/**
 * Stores the address that the handle is connected to: at most `*namelen` bytes of it, and in
 * `*namelen` how long it is. UV_ENOTCONN if it is not connected, UV_EBADF without a socket.
 */
UV_EXTERN int uv_udp_getpeername(const uv_udp_t* handle, struct sockaddr* name, int* namelen);

/**
 * Stores the address that the handle is bound to, as uv_udp_getpeername. UV_EBADF without a socket.
 */
UV_EXTERN int uv_udp_getsockname(const uv_udp_t* handle, struct sockaddr* name, int* namelen);

/**
 * Joins or leaves a multicast group, on the interface with this address, or for IPv6 with the scope
 * of it ("::%eth0"); NULL lets the system choose. Binds a handle that was not, with
 * UV_UDP_REUSEADDR. UV_EINVAL for what is no address or no membership, UV_ENODEV if there is no
 * such interface, UV_EADDRNOTAVAIL when leaving a group that was not joined.
 */
UV_EXTERN int uv_udp_set_membership(uv_udp_t* handle,
                                    const char* multicast_addr,
                                    const char* interface_addr,
                                    uv_membership membership);

/**
 * As uv_udp_set_membership, only for what `source_addr`, of the group's family, sends to the group.
 */
UV_EXTERN int uv_udp_set_source_membership(uv_udp_t* handle,
                                           const char* multicast_addr,
                                           const char* interface_addr,
                                           const char* source_addr,
                                           uv_membership membership);

/**
 * Whether multicast datagrams also come back to sockets of this machine: 1 (the default) or 0. The
 * handle needs a socket (UV_EBADF); so for the other options.
 */
UV_EXTERN int uv_udp_set_multicast_loop(uv_udp_t* handle, int on);

/**
 * How many hops multicast datagrams may take, 1 to 255, or 0 to stay on this machine; at first 1.
 * UV_EINVAL for others.
 */
UV_EXTERN int uv_udp_set_multicast_ttl(uv_udp_t* handle, int ttl);

/**
 * Sends multicast datagrams through the interface with this address, or for IPv6 with the scope of
 * it; NULL lets the system choose. UV_EINVAL for what is no address, UV_EADDRNOTAVAIL if no
 * interface has it.
 */
UV_EXTERN int uv_udp_set_multicast_interface(uv_udp_t* handle, const char* interface_addr);

/**
 * Whether datagrams may be sent to broadcast addresses: 1 or 0 (the default).
 */
UV_EXTERN int uv_udp_set_broadcast(uv_udp_t* handle, int on);

/**
 * How many hops datagrams may take: 1 to 255, UV_EINVAL for others.
 */
UV_EXTERN int uv_udp_set_ttl(uv_udp_t* handle, int ttl);

/**
 * Sends a datagram made of `nbufs` pieces, whose bytes must stay until the callback; the list of
 * pieces and the address need not. `send_cb`, which may be NULL, runs in a later phase with 0 or an
 * error, in the order of sending; with UV_ECANCELED if the handle is closed before. Binds a handle
 * that was not. `addr` is NULL for a connected handle, and only then: UV_EISCONN, UV_EDESTADDRREQ.
 * UV_EINVAL for more than 2^20 pieces or none, for more than 2 GiB, and for families other than
 * IPv4, IPv6 and Unix; UV_ENOMEM.
 */
UV_EXTERN int uv_udp_send(uv_udp_send_t* req,
                          uv_udp_t* handle,
                          const uv_buf_t* bufs,
                          unsigned int nbufs,
                          const struct sockaddr* addr,
                          uv_udp_send_cb send_cb);

/**
 * Sends a datagram now and returns its size in bytes. Errors as for uv_udp_send and those of the
 * system; UV_EAGAIN if it cannot be sent now or others are waiting.
 */
UV_EXTERN int uv_udp_try_send(uv_udp_t* handle,
                              const uv_buf_t* bufs,
                              unsigned int nbufs,
                              const struct sockaddr* addr);

/**
 * Sends up to `count` datagrams now, the i-th made of `nbufs[i]` pieces at `bufs[i]` for
 * `addrs[i]`, and returns how many were sent, at least one, or the error of the first, as
 * uv_udp_try_send. The handle must have a socket. `flags` is 0. UV_EINVAL if `count` is 0.
 */
UV_EXTERN int uv_udp_try_send2(uv_udp_t* handle,
                               unsigned int count,
                               uv_buf_t** bufs,
                               unsigned int* nbufs,
                               struct sockaddr** addrs,
                               unsigned int flags);

/**
 * Receives datagrams, each into a buffer from `alloc_cb`, which is asked for 64 KiB. `recv_cb` gets
 * the size and the sender of each, with UV_UDP_PARTIAL if it was larger than the buffer; the buffer
 * is the program's again. When for now there is nothing more it gets 0 and no sender, for an error
 * the error: UV_ENOBUFS without a buffer, and what the socket says. Errors of sent datagrams come
 * with UV_UDP_LINUX_RECVERR and who reported them. Binds a handle that was not, to IPv4.
 * UV_EALREADY if it receives, UV_EINVAL for NULL.
 *
 * With UV_UDP_RECVMMSG datagrams come in pieces of one buffer, with UV_UDP_MMSG_CHUNK: they must
 * not be freed. The buffer itself comes back with UV_UDP_MMSG_FREE, 0 and no sender, or with the
 * end of the data or an error; not after uv_udp_recv_stop.
 */
UV_EXTERN int uv_udp_recv_start(uv_udp_t* handle, uv_alloc_cb alloc_cb, uv_udp_recv_cb recv_cb);

/**
 * Stops receiving: the callback will not run any more. Calling it twice changes nothing.
 */
UV_EXTERN int uv_udp_recv_stop(uv_udp_t* handle);

/**
 * 1 if the handle was made with UV_UDP_RECVMMSG, else 0.
 */
UV_EXTERN int uv_udp_using_recvmmsg(const uv_udp_t* handle);

/**
 * The number of bytes in requests whose callback has not run.
 */
UV_EXTERN size_t uv_udp_get_send_queue_size(const uv_udp_t* handle);

/**
 * The number of requests whose callback has not run.
 */
UV_EXTERN size_t uv_udp_get_send_queue_count(const uv_udp_t* handle);

/* ---- Which version of the reference this library stands in for ---- */

/**
 * The version in one number, 8 bits for each part: 1.2.3 is 0x010203.
 */
UV_EXTERN unsigned int uv_version(void);

/**
 * The version as text, such as "1.2.3". Static.
 */
UV_EXTERN const char* uv_version_string(void);

/* ---- UTF-16 and WTF-8, the two ways in which systems write names that need not be valid Unicode ---- */

/**
 * The bytes that UTF-16 takes as WTF-8, without a NUL. `utf16_len` is in units; if it is negative
 * the text ends with a 0.
 */
UV_EXTERN size_t uv_utf16_length_as_wtf8(const uint16_t* utf16, ssize_t utf16_len);

/**
 * Converts UTF-16 to WTF-8 with a NUL. `utf16_len` is in units; if it is negative the text ends
 * with a 0. The length without the NUL is stored in `*wtf8_len_ptr`. If `wtf8_ptr` is NULL that is
 * all. If `*wtf8_ptr` is NULL it becomes memory that is the caller's, of the allocator of
 * uv_replace_allocator(); UV_ENOMEM. Otherwise it has room for `*wtf8_len_ptr` bytes and the NUL;
 * UV_ENOBUFS if that is too little: it is filled then, and the length is that of the whole.
 */
UV_EXTERN int uv_utf16_to_wtf8(const uint16_t* utf16,
                               ssize_t utf16_len,
                               char** wtf8_ptr,
                               size_t* wtf8_len_ptr);

/**
 * The units that a string of WTF-8 takes as UTF-16, the 0 at the end included; UV_EINVAL if it is
 * no WTF-8.
 */
UV_EXTERN ssize_t uv_wtf8_length_as_utf16(const char* wtf8);

/**
 * Converts a string of WTF-8 to UTF-16 with a 0; `utf16_len` is what uv_wtf8_length_as_utf16()
 * says.
 */
UV_EXTERN void uv_wtf8_to_utf16(const char* wtf8, uint16_t* utf16, size_t utf16_len);

#endif /* UV_FUNCTIONS_H */
