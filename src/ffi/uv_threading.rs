//! Threads and what they share. All objects are the system's own: a `uv_mutex_t` is a `pthread_mutex_t`, and so on.

use super::status;
use crate::abi::errno::Errno;
use crate::abi::*;
use crate::os::scheduling;
use crate::sync::{barrier, cond, key, mutex, once, rwlock, semaphore};
use crate::sys::thread;
use core::ffi::{c_char, c_int, c_uint, c_void};

/// Starts a thread that runs `entry(arg)`, with a stack as large as RLIMIT_STACK allows. The thread may end itself with pthread_exit() too.
/// It has to be joined or detached. UV_EAGAIN if the system has no room for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_thread_create(
    tid: *mut uv_thread_t,
    entry: uv_thread_cb,
    arg: *mut c_void,
) -> c_int {
    let Some(entry) = entry else { return UV_EINVAL };
    // SAFETY: the caller has room for the id, and lets `entry` run on another thread.
    status(unsafe { thread::create(tid, 0, entry, arg) })
}

/// Like uv_thread_create(), with options. If `params->flags` has UV_THREAD_HAS_STACK_SIZE, the stack gets `params->stack_size` bytes,
/// rounded up to whole pages and to the least that the system allows; 0 means the default.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_thread_create_ex(
    tid: *mut uv_thread_t,
    params: *const uv_thread_options_t,
    entry: uv_thread_cb,
    arg: *mut c_void,
) -> c_int {
    let Some(entry) = entry else { return UV_EINVAL };
    // SAFETY: the caller gives options, of which those without a flag are not read, has room for the id, and lets `entry` run on
    // another thread.
    unsafe {
        let has_size = (*params).flags & UV_THREAD_HAS_STACK_SIZE != 0;
        let stack_size = if has_size { (*params).stack_size } else { 0 };
        status(thread::create(tid, stack_size, entry, arg))
    }
}

/// Lets a thread free its resources by itself when it ends; it cannot be joined any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_thread_detach(tid: *mut uv_thread_t) -> c_int {
    // SAFETY: the caller gives a thread that is not joined or detached yet.
    status(unsafe { thread::detach(*tid) })
}

/// Waits for a thread's end. UV_EDEADLK for the calling thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_thread_join(tid: *mut uv_thread_t) -> c_int {
    // SAFETY: the caller gives a thread that is not joined or detached yet.
    status(unsafe { thread::join(*tid) })
}

/// The calling thread.
#[unsafe(no_mangle)]
pub extern "C" fn uv_thread_self() -> uv_thread_t {
    thread::current()
}

/// Not 0 if both are the same thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_thread_equal(t1: *const uv_thread_t, t2: *const uv_thread_t) -> c_int {
    // SAFETY: the caller gives two ids.
    c_int::from(unsafe { *t1 == *t2 })
}

/// Names the calling thread. Linux keeps 15 bytes; the rest is cut off. UV_EINVAL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_thread_setname(name: *const c_char) -> c_int {
    // SAFETY: the caller gives a string or null.
    status(unsafe { thread::set_name(name) })
}

/// Writes the name of a thread to `name`, cut to `size` bytes with its NUL. UV_EINVAL for NULL or a size of 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_thread_getname(tid: *mut uv_thread_t, name: *mut c_char, size: usize) -> c_int {
    // SAFETY: the caller gives a thread that was not joined, and `size` bytes at `name`, or null.
    status(unsafe { thread::get_name(*tid, name, size) })
}

/// Sets a thread's priority to one of UV_THREAD_PRIORITY_*, else UV_EINVAL. Under the usual policy of Linux this is the nice value of
/// the calling thread, for whose lowering a privilege is needed (UV_EACCES); for other threads it does nothing then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_thread_setpriority(tid: uv_thread_t, priority: c_int) -> c_int {
    // SAFETY: the caller gives a thread that was not joined.
    status(unsafe { scheduling::set_priority(tid, priority) })
}

/// Stores a thread's priority in the system's own terms: under the usual policy of Linux the nice value of the calling thread, and 0
/// for others. UV_EINVAL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_thread_getpriority(tid: uv_thread_t, priority: *mut c_int) -> c_int {
    if priority.is_null() {
        return UV_EINVAL;
    }
    // SAFETY: the caller gives a thread that was not joined, and room for the result.
    status(unsafe { scheduling::get_priority(tid).map(|value| priority.write(value)) })
}

/// Restricts a thread to the CPUs whose bytes in `cpumask` are not 0. What held before is stored in `oldmask`, unless that is NULL. Both
/// masks have `mask_size` bytes, at least uv_cpumask_size(), else UV_EINVAL; as is a mask without any CPU of this machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_thread_setaffinity(
    tid: *mut uv_thread_t,
    cpumask: *mut c_char,
    oldmask: *mut c_char,
    mask_size: usize,
) -> c_int {
    // SAFETY: the caller gives a thread that was not joined, and masks of that size.
    status(unsafe { scheduling::set_affinity(*tid, cpumask, oldmask, mask_size) })
}

/// Stores a 1 in `cpumask` for every CPU that the thread may run on, else a 0. `mask_size` is as for uv_thread_setaffinity().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_thread_getaffinity(
    tid: *mut uv_thread_t,
    cpumask: *mut c_char,
    mask_size: usize,
) -> c_int {
    // SAFETY: the caller gives a thread that was not joined, and a mask of that size.
    status(unsafe { scheduling::get_affinity(*tid, cpumask, mask_size) })
}

/// The number of the CPU that the calling thread runs on at the moment, or an error code.
#[unsafe(no_mangle)]
pub extern "C" fn uv_thread_getcpu() -> c_int {
    scheduling::current_cpu().unwrap_or_else(Errno::code)
}

/// Makes a key, under which each thread can keep a pointer of its own, NULL at first. UV_EAGAIN if the process has too many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_key_create(key: *mut uv_key_t) -> c_int {
    // SAFETY: the caller has room for the key.
    status(unsafe { key::create(key) })
}

/// Ends a key; what threads keep under it is not freed. Aborts if it is no key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_key_delete(key: *mut uv_key_t) {
    // SAFETY: the caller gives a key.
    key::delete(unsafe { *key });
}

/// The calling thread's pointer under a key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_key_get(key: *mut uv_key_t) -> *mut c_void {
    // SAFETY: the caller gives a key.
    key::get(unsafe { *key })
}

/// Sets the calling thread's pointer under a key. Aborts if it is no key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_key_set(key: *mut uv_key_t, value: *mut c_void) {
    // SAFETY: the caller gives a key.
    key::set(unsafe { *key }, value);
}

/// Calls `callback` once for each guard, which has to begin as UV_ONCE_INIT; threads that come meanwhile wait until it is done.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_once(guard: *mut uv_once_t, callback: Option<unsafe extern "C" fn()>) {
    let Some(callback) = callback else { return };
    // SAFETY: the caller gives a guard that began as UV_ONCE_INIT.
    unsafe { once::run(guard, callback) }
}

/// Makes a mutex.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_mutex_init(handle: *mut uv_mutex_t) -> c_int {
    // SAFETY: the caller has room for a mutex.
    status(unsafe { mutex::init(handle) })
}

/// Makes a mutex that its owner may lock several times, and has to unlock as often.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_mutex_init_recursive(handle: *mut uv_mutex_t) -> c_int {
    // SAFETY: the caller has room for a mutex.
    status(unsafe { mutex::init_recursive(handle) })
}

/// Ends a mutex. Aborts if it is locked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_mutex_destroy(handle: *mut uv_mutex_t) {
    // SAFETY: the caller gives a mutex that nobody uses any more.
    unsafe { mutex::destroy(handle) }
}

/// Waits for a mutex and locks it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_mutex_lock(handle: *mut uv_mutex_t) {
    // SAFETY: the caller gives a mutex.
    unsafe { mutex::lock(handle) }
}

/// Locks a mutex if it is free, else UV_EBUSY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_mutex_trylock(handle: *mut uv_mutex_t) -> c_int {
    // SAFETY: the caller gives a mutex.
    status(unsafe { mutex::try_lock(handle) })
}

/// Unlocks a mutex that the calling thread has locked. Aborts where the system notices that it has not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_mutex_unlock(handle: *mut uv_mutex_t) {
    // SAFETY: the caller gives a mutex that it has locked.
    unsafe { mutex::unlock(handle) }
}

/// Makes a lock that many may read or one may write at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_rwlock_init(rwlock: *mut uv_rwlock_t) -> c_int {
    // SAFETY: the caller has room for a lock.
    status(unsafe { rwlock::init(rwlock) })
}

/// Ends a read-write lock that nobody holds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_rwlock_destroy(rwlock: *mut uv_rwlock_t) {
    // SAFETY: the caller gives a lock that nobody uses any more.
    unsafe { rwlock::destroy(rwlock) }
}

/// Waits until nobody writes, and locks for reading.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_rwlock_rdlock(rwlock: *mut uv_rwlock_t) {
    // SAFETY: the caller gives a lock.
    unsafe { rwlock::read(rwlock) }
}

/// Locks for reading if that needs no waiting, else UV_EBUSY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_rwlock_tryrdlock(rwlock: *mut uv_rwlock_t) -> c_int {
    // SAFETY: the caller gives a lock.
    status(unsafe { rwlock::try_read(rwlock) })
}

/// Ends one reading.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_rwlock_rdunlock(rwlock: *mut uv_rwlock_t) {
    // SAFETY: the caller gives a lock that it has locked for reading.
    unsafe { rwlock::end_read(rwlock) }
}

/// Waits until nobody reads or writes, and locks for writing. Aborts if the calling thread is writing already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_rwlock_wrlock(rwlock: *mut uv_rwlock_t) {
    // SAFETY: the caller gives a lock.
    unsafe { rwlock::write(rwlock) }
}

/// Locks for writing if that needs no waiting, else UV_EBUSY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_rwlock_trywrlock(rwlock: *mut uv_rwlock_t) -> c_int {
    // SAFETY: the caller gives a lock.
    status(unsafe { rwlock::try_write(rwlock) })
}

/// Ends the writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_rwlock_wrunlock(rwlock: *mut uv_rwlock_t) {
    // SAFETY: the caller gives a lock that it has locked for writing.
    unsafe { rwlock::end_write(rwlock) }
}

/// Makes a semaphore that counts from `value`. UV_EINVAL above SEM_VALUE_MAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_sem_init(sem: *mut uv_sem_t, value: c_uint) -> c_int {
    // SAFETY: the caller has room for a semaphore.
    status(unsafe { semaphore::init(sem, value) })
}

/// Ends a semaphore that nobody waits for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_sem_destroy(sem: *mut uv_sem_t) {
    // SAFETY: the caller gives a semaphore that nobody uses any more.
    unsafe { semaphore::destroy(sem) }
}

/// Counts up, letting one waiter go on. May be called from signal handlers. Aborts above SEM_VALUE_MAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_sem_post(sem: *mut uv_sem_t) {
    // SAFETY: the caller gives a semaphore.
    unsafe { semaphore::post(sem) }
}

/// Waits until the count is above 0 and counts down. Signals do not end the wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_sem_wait(sem: *mut uv_sem_t) {
    // SAFETY: the caller gives a semaphore.
    unsafe { semaphore::wait(sem) }
}

/// Counts down if the count is above 0, else UV_EAGAIN.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_sem_trywait(sem: *mut uv_sem_t) -> c_int {
    // SAFETY: the caller gives a semaphore.
    status(unsafe { semaphore::try_wait(sem) })
}

/// Makes a condition variable, whose timeouts go by the monotonic clock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_cond_init(cond: *mut uv_cond_t) -> c_int {
    // SAFETY: the caller has room for a condition.
    status(unsafe { cond::init(cond) })
}

/// Ends a condition variable that nobody waits for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_cond_destroy(cond: *mut uv_cond_t) {
    // SAFETY: the caller gives a condition that nobody uses any more.
    unsafe { cond::destroy(cond) }
}

/// Wakes one thread that waits, if there is any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_cond_signal(cond: *mut uv_cond_t) {
    // SAFETY: the caller gives a condition.
    unsafe { cond::signal(cond) }
}

/// Wakes all threads that wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_cond_broadcast(cond: *mut uv_cond_t) {
    // SAFETY: the caller gives a condition.
    unsafe { cond::broadcast(cond) }
}

/// Unlocks the mutex, waits to be woken, and locks the mutex again. May return although nobody woke it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_cond_wait(cond: *mut uv_cond_t, mutex: *mut uv_mutex_t) {
    // SAFETY: the caller gives a condition and a mutex that it has locked.
    unsafe { cond::wait(cond, mutex) }
}

/// Like uv_cond_wait(), but waits for at most `timeout` nanoseconds from now, then returns UV_ETIMEDOUT. The mutex is locked again in
/// either case.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_cond_timedwait(
    cond: *mut uv_cond_t,
    mutex: *mut uv_mutex_t,
    timeout: u64,
) -> c_int {
    // SAFETY: the caller gives a condition and a mutex that it has locked.
    status(unsafe { cond::timed_wait(cond, mutex, timeout) })
}

/// Makes a barrier at which `count` threads meet. UV_EINVAL for 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_barrier_init(barrier: *mut uv_barrier_t, count: c_uint) -> c_int {
    // SAFETY: the caller has room for a barrier.
    status(unsafe { barrier::init(barrier, count) })
}

/// Ends a barrier, once all threads that were let go have left it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_barrier_destroy(barrier: *mut uv_barrier_t) {
    // SAFETY: the caller gives a barrier that nobody comes to any more.
    unsafe { barrier::destroy(barrier) }
}

/// Waits until all threads have come. Returns 1 to one of them, any, which may then destroy the barrier, and 0 to the others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_barrier_wait(barrier: *mut uv_barrier_t) -> c_int {
    // SAFETY: the caller gives a barrier.
    c_int::from(unsafe { barrier::wait(barrier) })
}
