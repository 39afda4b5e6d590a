//! `uv_key_t`, a `pthread_key_t` without a destructor: one pointer per thread.

use super::broken::must;
use crate::abi::errno::Result;
use crate::abi::uv_key_t;
use crate::sys::check_code;
use core::ffi::c_void;

/// Makes a key, under which every thread finds null at first; `UV_EAGAIN` when the process has too many.
///
/// # Safety
/// `key` can be written.
pub unsafe fn create(key: *mut uv_key_t) -> Result<()> {
    // SAFETY: the caller's.
    check_code(unsafe { libc::pthread_key_create(key, None) })
}

/// Ends a key. What threads have stored under it is theirs to free.
pub fn delete(key: uv_key_t) {
    // SAFETY: a key that is none is an error, not a danger.
    must(c"uv_key_delete", unsafe { libc::pthread_key_delete(key) });
}

/// What the calling thread stored under the key, or null.
pub fn get(key: uv_key_t) -> *mut c_void {
    // SAFETY: a key that is none gives null.
    unsafe { libc::pthread_getspecific(key) }
}

/// Stores a pointer for the calling thread.
#[allow(clippy::not_unsafe_ptr_arg_deref)] // nobody follows the pointer
pub fn set(key: uv_key_t, value: *mut c_void) {
    // SAFETY: a key that is none is an error, not a danger.
    must(c"uv_key_set", unsafe { libc::pthread_setspecific(key, value) });
}
