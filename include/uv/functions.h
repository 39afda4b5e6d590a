/* The functions. Made by tools/headers.sh from src/ffi/uv_*.rs: edit those. Included by uv.h. */

#ifndef UV_FUNCTIONS_H
#define UV_FUNCTIONS_H

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
