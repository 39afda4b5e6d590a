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
 * closed, requests that are not done, or attached ports.
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
 * while polling. UV_METRICS_IDLE_TIME: idle time is measured. UV_ENOSYS for others, UV_EINVAL for
 * another signal.
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
 * with UV_EBADF, and stops the handle. UV_EINVAL for a closing handle, UV_EEXIST if another handle
 * watches the descriptor now, UV_ENOMEM.
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

/* ---- Which version of the reference this library stands in for ---- */

/**
 * The version in one number, 8 bits for each part: 1.2.3 is 0x010203.
 */
UV_EXTERN unsigned int uv_version(void);

/**
 * The version as text, such as "1.2.3". Static.
 */
UV_EXTERN const char* uv_version_string(void);

#endif /* UV_FUNCTIONS_H */
