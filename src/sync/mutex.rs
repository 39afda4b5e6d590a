//! `uv_mutex_t`, a `pthread_mutex_t`.
//!
//! A debug build makes mutexes that notice misuse and then abort, as a debug build of the reference does. A release build makes
//! plain ones, with which a second lock by the owner waits for ever.

use super::broken::{abort, must};
use crate::abi::errno::{Errno, Result};
use crate::abi::uv_mutex_t;
use crate::sys::check_code;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ptr::null;

/// Makes a mutex.
///
/// # Safety
/// `mutex` can be written and is no mutex in use.
pub unsafe fn init(mutex: *mut uv_mutex_t) -> Result<()> {
    if cfg!(debug_assertions) {
        // SAFETY: the caller's.
        return unsafe { init_as(mutex, libc::PTHREAD_MUTEX_ERRORCHECK) };
    }
    // SAFETY: the caller's.
    check_code(unsafe { libc::pthread_mutex_init(mutex, null()) })
}

/// Makes a mutex that its owner may lock again, and unlocks as often.
///
/// # Safety
/// As for `init`.
pub unsafe fn init_recursive(mutex: *mut uv_mutex_t) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { init_as(mutex, libc::PTHREAD_MUTEX_RECURSIVE) }
}

/// # Safety
/// As for `init`.
unsafe fn init_as(mutex: *mut uv_mutex_t, kind: c_int) -> Result<()> {
    let mut attributes = MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    // SAFETY: init makes the attributes valid, and they are destroyed after their last use.
    unsafe {
        check_code(libc::pthread_mutexattr_init(attributes.as_mut_ptr()))?;
        let result = check_code(libc::pthread_mutexattr_settype(attributes.as_mut_ptr(), kind))
            .and_then(|()| check_code(libc::pthread_mutex_init(mutex, attributes.as_ptr())));
        libc::pthread_mutexattr_destroy(attributes.as_mut_ptr());
        result
    }
}

/// Ends a mutex that nobody holds.
///
/// # Safety
/// `mutex` is a mutex, and nobody uses it any more.
pub unsafe fn destroy(mutex: *mut uv_mutex_t) {
    // SAFETY: the caller's.
    must(c"uv_mutex_destroy", unsafe { libc::pthread_mutex_destroy(mutex) });
}

/// Waits for the mutex and takes it.
///
/// # Safety
/// `mutex` is a mutex.
pub unsafe fn lock(mutex: *mut uv_mutex_t) {
    // SAFETY: the caller's.
    must(c"uv_mutex_lock", unsafe { libc::pthread_mutex_lock(mutex) });
}

/// Takes the mutex if that needs no waiting, else `UV_EBUSY`.
///
/// # Safety
/// `mutex` is a mutex.
pub unsafe fn try_lock(mutex: *mut uv_mutex_t) -> Result<()> {
    // SAFETY: the caller's.
    match unsafe { libc::pthread_mutex_trylock(mutex) } {
        0 => Ok(()),
        libc::EBUSY | libc::EAGAIN => Err(Errno::EBUSY), // EAGAIN: locked recursively as often as can be counted
        code => abort(c"uv_mutex_trylock", code),
    }
}

/// Gives the mutex back.
///
/// # Safety
/// `mutex` is a mutex that the calling thread holds.
pub unsafe fn unlock(mutex: *mut uv_mutex_t) {
    // SAFETY: the caller's.
    must(c"uv_mutex_unlock", unsafe { libc::pthread_mutex_unlock(mutex) });
}
