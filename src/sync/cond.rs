//! `uv_cond_t`, a `pthread_cond_t` that goes by the monotonic clock: setting the time of day neither shortens nor stretches a wait.
//!
//! Difference from the reference: a timeout beyond what the clock can say waits for ever, where there it wraps around to one
//! that is over at once.

use super::broken::{abort, must};
use crate::abi::errno::{Errno, Result};
use crate::abi::{uv_cond_t, uv_mutex_t};
use crate::sys::{check_code, time};
use core::mem::MaybeUninit;

const NS: u64 = 1_000_000_000;

/// Makes a condition.
///
/// # Safety
/// `cond` can be written and is no condition in use.
pub unsafe fn init(cond: *mut uv_cond_t) -> Result<()> {
    let mut attributes = MaybeUninit::<libc::pthread_condattr_t>::uninit();
    // SAFETY: init makes the attributes valid, and they are destroyed after their last use.
    unsafe {
        check_code(libc::pthread_condattr_init(attributes.as_mut_ptr()))?;
        let result =
            check_code(libc::pthread_condattr_setclock(attributes.as_mut_ptr(), libc::CLOCK_MONOTONIC))
                .and_then(|()| check_code(libc::pthread_cond_init(cond, attributes.as_ptr())));
        libc::pthread_condattr_destroy(attributes.as_mut_ptr());
        result
    }
}

/// Ends a condition that nobody waits for.
///
/// # Safety
/// `cond` is a condition, and nobody uses it any more.
pub unsafe fn destroy(cond: *mut uv_cond_t) {
    // SAFETY: the caller's.
    must(c"uv_cond_destroy", unsafe { libc::pthread_cond_destroy(cond) });
}

/// Wakes one waiter, if there is any.
///
/// # Safety
/// `cond` is a condition.
pub unsafe fn signal(cond: *mut uv_cond_t) {
    // SAFETY: the caller's.
    must(c"uv_cond_signal", unsafe { libc::pthread_cond_signal(cond) });
}

/// Wakes all waiters.
///
/// # Safety
/// `cond` is a condition.
pub unsafe fn broadcast(cond: *mut uv_cond_t) {
    // SAFETY: the caller's.
    must(c"uv_cond_broadcast", unsafe { libc::pthread_cond_broadcast(cond) });
}

/// Lets go of the mutex, waits to be woken, and takes the mutex again. May return without having been woken.
///
/// # Safety
/// `cond` is a condition, `mutex` a mutex that the calling thread holds.
pub unsafe fn wait(cond: *mut uv_cond_t, mutex: *mut uv_mutex_t) {
    // SAFETY: the caller's.
    must(c"uv_cond_wait", unsafe { libc::pthread_cond_wait(cond, mutex) });
}

/// Like `wait`, but for at most `timeout_ns`, then `UV_ETIMEDOUT`; the mutex is held again in either case.
///
/// # Safety
/// As for `wait`.
pub unsafe fn timed_wait(cond: *mut uv_cond_t, mutex: *mut uv_mutex_t, timeout_ns: u64) -> Result<()> {
    let end = time::now_ns().saturating_add(timeout_ns);
    let end = libc::timespec {
        tv_sec: libc::time_t::try_from(end / NS).unwrap_or(libc::time_t::MAX),
        tv_nsec: (end % NS) as _, // below 10^9, which fits
    };
    // SAFETY: the caller's.
    match unsafe { libc::pthread_cond_timedwait(cond, mutex, &raw const end) } {
        0 => Ok(()),
        libc::ETIMEDOUT => Err(Errno::ETIMEDOUT),
        code => abort(c"uv_cond_timedwait", code),
    }
}
