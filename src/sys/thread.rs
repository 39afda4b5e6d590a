//! Threads: starting, joining, naming. `uv_thread_t` is `pthread_t`, and programs mix both interfaces.
//!
//! The system starts the user's entry function itself, without a function of ours below it, so `pthread_exit` and cancellation unwind nothing
//! of this library.
//!
//! Differences from the reference: a system that refuses the attributes of a thread is an error of `create`, not the end of the
//! program; an absurdly large stack size is refused instead of wrapping around to a small one.

use super::check_code;
use crate::abi::errno::{Errno, Result};
use crate::abi::uv_thread_t;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::{MaybeUninit, transmute};
use core::ptr::{copy_nonoverlapping, null_mut, write_bytes};

/// A thread's function as C declares it here.
pub type Entry = unsafe extern "C" fn(arg: *mut c_void);

/// Room for the longest name that Linux keeps, and its NUL.
const NAME_SIZE: usize = 16;

/// Below this a thread could not take a signal; the system's own minimum may be lower (musl) or higher (glibc).
pub const LEAST_STACK: usize = if libc::PTHREAD_STACK_MIN > 8192 { libc::PTHREAD_STACK_MIN } else { 8192 };

/// Without a limit to go by: what glibc takes, with any C library.
const USUAL_STACK: usize =
    if cfg!(any(target_arch = "powerpc", target_arch = "powerpc64")) { 4 << 20 } else { 2 << 20 };

/// Starts a thread. `stack_size` is in bytes and is rounded up to whole pages and to the least that works; 0 stands for the limit
/// that `RLIMIT_STACK` sets. The new thread may already read its own id at `thread`.
///
/// # Safety
/// `thread` can be written, and `entry` may be called with `arg` on a new thread.
pub unsafe fn create(
    thread: *mut uv_thread_t,
    stack_size: usize,
    entry: Entry,
    arg: *mut c_void,
) -> Result<()> {
    // SAFETY: only the return type differs: what `entry` leaves in the return register reaches `pthread_join`, which here
    // never asks for it. This way no frame of ours is on the new stack.
    let entry = unsafe { transmute::<Entry, extern "C" fn(*mut c_void) -> *mut c_void>(entry) };
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: init makes the attributes valid, and they are destroyed after their last use.
    unsafe {
        check_code(libc::pthread_attr_init(attributes.as_mut_ptr()))?;
        let result =
            check_code(libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), whole_stack(stack_size)))
                .and_then(|()| check_code(libc::pthread_create(thread, attributes.as_ptr(), entry, arg)));
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        result
    }
}

/// The size a stack really gets, of which so many bytes were asked for.
pub fn whole_stack(wanted: usize) -> usize {
    let in_page = page_size().wrapping_sub(1);
    match wanted {
        0 => limit_stack() & !in_page,
        _ => (wanted.saturating_add(in_page) & !in_page).max(LEAST_STACK),
    }
}

/// `RLIMIT_STACK`, if it says something useful.
fn limit_stack() -> usize {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the result fits. A failure leaves "no limit" in it.
    unsafe { libc::getrlimit(libc::RLIMIT_STACK, &raw mut limit) };
    match usize::try_from(limit.rlim_cur) {
        Ok(bytes) if limit.rlim_cur != libc::RLIM_INFINITY && bytes >= LEAST_STACK => bytes,
        _ => USUAL_STACK,
    }
}

fn page_size() -> usize {
    // SAFETY: no pointers.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// Waits for a thread's end; `UV_EDEADLK` for the calling thread itself.
///
/// # Safety
/// The thread was neither joined nor detached before.
pub unsafe fn join(thread: uv_thread_t) -> Result<()> {
    // SAFETY: the caller's.
    check_code(unsafe { libc::pthread_join(thread, null_mut()) })
}

/// Lets a thread give back its memory by itself when it ends.
///
/// # Safety
/// As for `join`.
pub unsafe fn detach(thread: uv_thread_t) -> Result<()> {
    // SAFETY: the caller's.
    check_code(unsafe { libc::pthread_detach(thread) })
}

/// The calling thread.
pub fn current() -> uv_thread_t {
    // SAFETY: no preconditions.
    unsafe { libc::pthread_self() }
}

/// A number for the calling thread that no other living thread has; neither 0 nor 1.
pub fn number() -> usize {
    std::thread_local! {
        static HERE: u16 = const { 0 };
    }
    // Without a destructor the variable can be had until the thread's end.
    HERE.try_with(|here| core::ptr::from_ref(here).addr()).unwrap_or(2)
}

/// Whether `pthread_cancel` may end the calling thread inside a system call; says whether it might before.
pub fn set_cancellable(on: bool) -> bool {
    // As glibc and musl have them; the libc crate does not.
    const ENABLE: c_int = 0;
    const DISABLE: c_int = 1;
    unsafe extern "C" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
    let mut before = ENABLE;
    // SAFETY: the old state fits.
    unsafe { pthread_setcancelstate(if on { ENABLE } else { DISABLE }, &raw mut before) };
    before == ENABLE
}

/// Has the calling thread's waits end when their time is over, and not up to 50 us later, as the system otherwise allows itself.
pub fn wait_exactly() {
    // SAFETY: two numbers; an older kernel that refuses them changes nothing.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1 as core::ffi::c_ulong) };
}

/// Names the calling thread; what does not fit into 15 bytes is cut off.
///
/// # Safety
/// `name` is null, which is `UV_EINVAL`, or a string.
pub unsafe fn set_name(name: *const c_char) -> Result<()> {
    if name.is_null() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's; the short name is a string.
    unsafe { check_code(libc::pthread_setname_np(current(), short_name(name, c"").as_ptr())) }
}

/// The system's number for the calling thread.
pub fn tid() -> libc::pid_t {
    // SAFETY: no preconditions.
    unsafe { libc::gettid() }
}

/// As much of a name as the system keeps; of `usual` if there is none.
///
/// # Safety
/// `name` is null or a string.
pub unsafe fn short_name(name: *const c_char, usual: &CStr) -> [c_char; NAME_SIZE] {
    let name = if name.is_null() { usual.as_ptr() } else { name };
    let mut short = [0; NAME_SIZE];
    // SAFETY: at most 15 bytes are read of a string and written to 16, of which the last stays 0.
    unsafe { copy_nonoverlapping(name, short.as_mut_ptr(), libc::strnlen(name, NAME_SIZE - 1)) };
    short
}

/// Writes a thread's name to `name`, cut to fit and filled up with zeros to `size` bytes. The latter two must not be null or 0: `UV_EINVAL`.
///
/// # Safety
/// The thread was not joined, and `size` bytes can be written at `name`.
pub unsafe fn get_name(thread: uv_thread_t, name: *mut c_char, size: usize) -> Result<()> {
    if name.is_null() || size == 0 {
        return Err(Errno::EINVAL);
    }
    let mut whole = [0; NAME_SIZE];
    // SAFETY: the system writes a string of at most 16 bytes to `whole`, of which less than `size` are copied.
    unsafe {
        check_code(libc::pthread_getname_np(thread, whole.as_mut_ptr(), NAME_SIZE))?;
        let length = libc::strlen(whole.as_ptr()).min(size.wrapping_sub(1));
        copy_nonoverlapping(whole.as_ptr(), name, length);
        write_bytes(name.add(length), 0, size.wrapping_sub(length));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_whole_pages_and_never_too_small() {
        let page = page_size();
        for wanted in [1, 42, page, LEAST_STACK - 1, LEAST_STACK, LEAST_STACK + 1, 1_234_567, 8 << 20] {
            let whole = whole_stack(wanted);
            assert!(
                whole >= wanted && whole >= LEAST_STACK && whole & (page - 1) == 0,
                "{wanted} gives {whole}"
            );
            assert!(whole < wanted + page || whole == LEAST_STACK, "{wanted} gives {whole}");
        }
        assert!(whole_stack(0) >= LEAST_STACK);
        assert!(
            whole_stack(usize::MAX) > usize::MAX / 2,
            "a size that cannot be must not become a small one"
        );
    }
}
