//! Memory, time, processes, the environment, internet addresses: what belongs to no page of its own.

use super::status;
use crate::abi::*;
use crate::mem;
use crate::os::{clock, descriptor, environment, inet, parallelism, pid, scheduling};
use crate::reqs;
use crate::sys::time;
use core::ffi::{c_char, c_int, c_uint, c_void};
use core::ptr::null_mut;

/// Sets the functions that the library allocates with from now on; they are called from any thread. To be done before any other
/// use of the library. UV_EINVAL if one is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_replace_allocator(
    malloc_func: uv_malloc_func,
    realloc_func: uv_realloc_func,
    calloc_func: uv_calloc_func,
    free_func: uv_free_func,
) -> c_int {
    let (Some(malloc), Some(realloc), Some(calloc), Some(free)) =
        (malloc_func, realloc_func, calloc_func, free_func)
    else {
        return UV_EINVAL;
    };
    mem::replace(malloc, realloc, calloc, free);
    0
}

/// A buffer of `len` bytes at `base`, which stays the caller's.
#[unsafe(no_mangle)]
pub extern "C" fn uv_buf_init(base: *mut c_char, len: c_uint) -> uv_buf_t {
    uv_buf_t { base, len: len as usize }
}

/// A clock for measuring: nanoseconds since some point in the past. Never goes back.
#[unsafe(no_mangle)]
pub extern "C" fn uv_hrtime() -> u64 {
    time::now_ns()
}

/// Stores what a clock says: UV_CLOCK_MONOTONIC counts from some point in the past and never goes back, UV_CLOCK_REALTIME from 1970
/// and can be set. UV_EFAULT if `ts` is NULL, UV_EINVAL for another clock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_clock_gettime(clock_id: uv_clock_id, ts: *mut uv_timespec64_t) -> c_int {
    // SAFETY: the caller has room for the time, or gives null.
    status(unsafe { clock::read(clock_id, ts) })
}

/// Stores the time since 1970. UV_EINVAL if `tv` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_gettimeofday(tv: *mut uv_timeval64_t) -> c_int {
    // SAFETY: the caller has room for the time, or gives null.
    status(unsafe { clock::time_of_day(tv) })
}

/// Lets the calling thread, and so its loop, sleep for so many milliseconds.
#[unsafe(no_mangle)]
pub extern "C" fn uv_sleep(msec: c_uint) {
    clock::sleep(msec);
}

/// How many threads it makes sense to run at a time: the CPUs that the calling thread may use, or fewer if a control group limits their
/// time. At least 1.
#[unsafe(no_mangle)]
pub extern "C" fn uv_available_parallelism() -> c_uint {
    parallelism::available()
}

/// The size in bytes of the masks for uv_thread_setaffinity() and uv_thread_getaffinity().
#[unsafe(no_mangle)]
pub extern "C" fn uv_cpumask_size() -> c_int {
    scheduling::MASK_SIZE as c_int
}

/// The type of handle that fits a descriptor: UV_TTY, UV_FILE (also for devices), UV_NAMED_PIPE (pipes and Unix sockets), UV_TCP, UV_UDP, or
/// UV_UNKNOWN_HANDLE for anything else and what is not open.
#[unsafe(no_mangle)]
pub extern "C" fn uv_guess_handle(file: uv_file) -> uv_handle_type {
    descriptor::guess(file)
}

/// Fills `buflen` bytes with what nobody can guess, on the thread pool; without a callback at once, and `loop` and `req` may then be NULL.
/// `flags` is 0. May block while the system, after its start, gathers randomness. UV_E2BIG for more than 0x7fffffff bytes, UV_EINVAL
/// for flags.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_random(
    r#loop: *mut uv_loop_t,
    req: *mut uv_random_t,
    buf: *mut c_void,
    buflen: usize,
    flags: c_uint,
    cb: uv_random_cb,
) -> c_int {
    // SAFETY: the caller gives room for the bytes, and with a callback a loop, on its thread, and memory for the request.
    status(unsafe { reqs::random::start(r#loop, req, buf, buflen, flags, cb) })
}

/// The number of this process.
#[unsafe(no_mangle)]
pub extern "C" fn uv_os_getpid() -> uv_pid_t {
    pid::own()
}

/// The number of the parent process.
#[unsafe(no_mangle)]
pub extern "C" fn uv_os_getppid() -> uv_pid_t {
    pid::parent()
}

/// Sends a signal to a process, or with 0 only asks whether it could be sent. UV_ESRCH if there is no such process, UV_EPERM without the
/// right to, UV_EINVAL if there is no such signal.
#[unsafe(no_mangle)]
pub extern "C" fn uv_kill(pid: c_int, signum: c_int) -> c_int {
    status(pid::kill(pid, signum))
}

/// Copies the value of an environment variable to `buffer`, which has `*size` bytes, and sets `*size` to its length without the NUL.
/// UV_ENOBUFS if it does not fit, and `*size` is then what it needs with the NUL; UV_ENOENT if there is no such variable; UV_EINVAL
/// for NULL and a size of 0. As getenv(), not safe while another thread changes the environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_getenv(name: *const c_char, buffer: *mut c_char, size: *mut usize) -> c_int {
    // SAFETY: the caller gives strings, sizes and room, or null, and keeps the environment from changing.
    status(unsafe { environment::get(name, buffer, size) })
}

/// Sets an environment variable. UV_EINVAL for NULL, and for a name that is empty or holds a `=`. As setenv(), not safe while another
/// thread uses the environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_setenv(name: *const c_char, value: *const c_char) -> c_int {
    // SAFETY: the caller gives strings or null, and keeps others from the environment.
    status(unsafe { environment::set(name, value) })
}

/// Removes an environment variable, if there is one. UV_EINVAL for NULL, and for a name that is empty or holds a `=`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_unsetenv(name: *const c_char) -> c_int {
    // SAFETY: the caller gives a string or null, and keeps others from the environment.
    status(unsafe { environment::unset(name) })
}

/// Stores a list of all environment variables and its length, to be freed with uv_os_free_environ(). UV_ENOMEM leaves NULL and 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_environ(envitems: *mut *mut uv_env_item_t, count: *mut c_int) -> c_int {
    let list = environment::list();
    let (items, length) = list.unwrap_or((null_mut(), 0));
    // SAFETY: the caller has room for both.
    unsafe {
        envitems.write(items);
        count.write(length);
    }
    status(list.map(|_| ()))
}

/// Frees a list from uv_os_environ(), or NULL; `count` is what that stored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_free_environ(envitems: *mut uv_env_item_t, count: c_int) {
    let _ = count; // the list is one block
    // SAFETY: the caller gives a list that was not freed, or null.
    unsafe { mem::free(envitems.cast()) }
}

/// Fills in a socket address from an IPv4 address such as "127.0.0.1" and a port. UV_EINVAL if it is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_ip4_addr(ip: *const c_char, port: c_int, addr: *mut libc::sockaddr_in) -> c_int {
    // SAFETY: the caller gives a string or null, and room for the address.
    status(unsafe { inet::to_sockaddr_in(ip, port, addr) })
}

/// Fills in a socket address from an IPv6 address such as "::1" and a port. The name of an interface may follow, as in "fe80::1%eth0", and
/// its number becomes the scope, 0 if there is none of that name. UV_EINVAL if it is no address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_ip6_addr(ip: *const c_char, port: c_int, addr: *mut libc::sockaddr_in6) -> c_int {
    // SAFETY: the caller gives a string or null, and room for the address.
    status(unsafe { inet::to_sockaddr_in6(ip, port, addr) })
}

/// Writes the IPv4 address in a socket address as text. UV_ENOSPC if it does not fit into `size` bytes; INET_ADDRSTRLEN always do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_ip4_name(src: *const libc::sockaddr_in, dst: *mut c_char, size: usize) -> c_int {
    // SAFETY: the caller gives an address and `size` bytes.
    status(unsafe { inet::print(libc::AF_INET, (&raw const (*src).sin_addr).cast(), dst, size) })
}

/// Writes the IPv6 address in a socket address as text, without the scope. UV_ENOSPC if it does not fit into `size` bytes;
/// INET6_ADDRSTRLEN always do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_ip6_name(src: *const libc::sockaddr_in6, dst: *mut c_char, size: usize) -> c_int {
    // SAFETY: the caller gives an address and `size` bytes.
    status(unsafe { inet::print(libc::AF_INET6, (&raw const (*src).sin6_addr).cast(), dst, size) })
}

/// Writes the address in a socket address of either family as text, like uv_ip4_name() and uv_ip6_name(). UV_EAFNOSUPPORT for others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_ip_name(src: *const libc::sockaddr, dst: *mut c_char, size: usize) -> c_int {
    // SAFETY: the caller gives an address as long as its family says, and `size` bytes.
    status(unsafe { inet::print_sockaddr(src, dst, size) })
}

/// Writes an address of the family AF_INET (4 bytes in network order) or AF_INET6 (16) as text. UV_ENOSPC if it does not fit into `size`
/// bytes, UV_EAFNOSUPPORT for other families.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_inet_ntop(af: c_int, src: *const c_void, dst: *mut c_char, size: usize) -> c_int {
    // SAFETY: the caller gives an address of that family and `size` bytes.
    status(unsafe { inet::print(af, src, dst, size) })
}

/// Reads an address of the family AF_INET or AF_INET6 into 4 or 16 bytes in network order; a "%" and what follows in an IPv6 address is
/// ignored. UV_EINVAL for NULL and what is no address, UV_EAFNOSUPPORT for other families.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_inet_pton(af: c_int, src: *const c_char, dst: *mut c_void) -> c_int {
    // SAFETY: the caller gives a string and room for an address of that family, or null.
    status(unsafe { inet::parse(af, src, dst) })
}
