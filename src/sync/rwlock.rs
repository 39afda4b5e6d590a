//! `uv_rwlock_t`, a `pthread_rwlock_t`: many readers or one writer.

use super::broken::{abort, must};
use crate::abi::errno::{Errno, Result};
use crate::abi::uv_rwlock_t;
use crate::sys::check_code;
use core::ffi::{CStr, c_int};
use core::ptr::null;

/// Makes a lock.
///
/// # Safety
/// `lock` can be written and is no lock in use.
pub unsafe fn init(lock: *mut uv_rwlock_t) -> Result<()> {
    // SAFETY: the caller's.
    check_code(unsafe { libc::pthread_rwlock_init(lock, null()) })
}

/// Ends a lock that nobody holds.
///
/// # Safety
/// `lock` is a lock, and nobody uses it any more.
pub unsafe fn destroy(lock: *mut uv_rwlock_t) {
    // SAFETY: the caller's.
    must(c"uv_rwlock_destroy", unsafe { libc::pthread_rwlock_destroy(lock) });
}

/// Waits until nobody writes, and reads.
///
/// # Safety
/// `lock` is a lock.
pub unsafe fn read(lock: *mut uv_rwlock_t) {
    // SAFETY: the caller's.
    must(c"uv_rwlock_rdlock", unsafe { libc::pthread_rwlock_rdlock(lock) });
}

/// Reads if that needs no waiting, else `UV_EBUSY`.
///
/// # Safety
/// `lock` is a lock.
pub unsafe fn try_read(lock: *mut uv_rwlock_t) -> Result<()> {
    // SAFETY: the caller's.
    tried(c"uv_rwlock_tryrdlock", unsafe { libc::pthread_rwlock_tryrdlock(lock) })
}

/// Ends one reading.
///
/// # Safety
/// `lock` is a lock that the calling thread reads.
pub unsafe fn end_read(lock: *mut uv_rwlock_t) {
    // SAFETY: the caller's.
    must(c"uv_rwlock_rdunlock", unsafe { libc::pthread_rwlock_unlock(lock) });
}

/// Waits until nobody reads or writes, and writes.
///
/// # Safety
/// `lock` is a lock.
pub unsafe fn write(lock: *mut uv_rwlock_t) {
    // SAFETY: the caller's.
    must(c"uv_rwlock_wrlock", unsafe { libc::pthread_rwlock_wrlock(lock) });
}

/// Writes if that needs no waiting, else `UV_EBUSY`.
///
/// # Safety
/// `lock` is a lock.
pub unsafe fn try_write(lock: *mut uv_rwlock_t) -> Result<()> {
    // SAFETY: the caller's.
    tried(c"uv_rwlock_trywrlock", unsafe { libc::pthread_rwlock_trywrlock(lock) })
}

/// Ends the writing.
///
/// # Safety
/// `lock` is a lock that the calling thread writes.
pub unsafe fn end_write(lock: *mut uv_rwlock_t) {
    // SAFETY: the caller's.
    must(c"uv_rwlock_wrunlock", unsafe { libc::pthread_rwlock_unlock(lock) });
}

fn tried(function: &CStr, code: c_int) -> Result<()> {
    match code {
        0 => Ok(()),
        libc::EBUSY | libc::EAGAIN => Err(Errno::EBUSY), // EAGAIN: more readers than can be counted
        code => abort(function, code),
    }
}
