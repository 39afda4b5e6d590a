//! `uv_sem_t`, a `sem_t` of one process.

use super::broken::{abort, must};
use crate::abi::errno::{Errno, Result};
use crate::abi::uv_sem_t;
use crate::sys::check;
use core::ffi::{c_int, c_uint};

/// Makes a semaphore that counts from `value`; `UV_EINVAL` if it cannot count as far.
///
/// # Safety
/// `semaphore` can be written and is no semaphore in use.
pub unsafe fn init(semaphore: *mut uv_sem_t, value: c_uint) -> Result<()> {
    // SAFETY: the caller's.
    check(unsafe { libc::sem_init(semaphore, 0, value) }).map(|_| ())
}

/// Ends a semaphore that nobody waits for.
///
/// # Safety
/// `semaphore` is a semaphore, and nobody uses it any more.
pub unsafe fn destroy(semaphore: *mut uv_sem_t) {
    // SAFETY: the caller's.
    must(c"uv_sem_destroy", code(check(unsafe { libc::sem_destroy(semaphore) })));
}

/// Counts up, which lets one waiter go on. Signal handlers may do this too.
///
/// # Safety
/// `semaphore` is a semaphore.
pub unsafe fn post(semaphore: *mut uv_sem_t) {
    // SAFETY: the caller's.
    must(c"uv_sem_post", code(check(unsafe { libc::sem_post(semaphore) })));
}

/// Waits until the count is above 0, and counts down. Signals do not end the wait.
///
/// # Safety
/// `semaphore` is a semaphore.
pub unsafe fn wait(semaphore: *mut uv_sem_t) {
    // SAFETY: the caller's.
    must(c"uv_sem_wait", code(uninterrupted(|| unsafe { libc::sem_wait(semaphore) })));
}

/// Counts down if the count is above 0, else `UV_EAGAIN`.
///
/// # Safety
/// `semaphore` is a semaphore.
pub unsafe fn try_wait(semaphore: *mut uv_sem_t) -> Result<()> {
    // SAFETY: the caller's.
    match uninterrupted(|| unsafe { libc::sem_trywait(semaphore) }) {
        Ok(_) => Ok(()),
        Err(Errno::EAGAIN) => Err(Errno::EAGAIN),
        broken => abort(c"uv_sem_trywait", code(broken)),
    }
}

fn uninterrupted(call: impl Fn() -> c_int) -> Result<c_int> {
    loop {
        let result = check(call());
        if result != Err(Errno::EINTR) {
            return result;
        }
    }
}

/// Back to the pthread way: 0 or the error number.
fn code(result: Result<c_int>) -> c_int {
    result.map_or_else(|error| error.code().wrapping_neg(), |_| 0)
}
