//! What is done to files by their names.

use super::check;
use crate::abi::errno::Result;
use core::ffi::CStr;

/// Removes a name; that there is none is fine.
pub fn unlink(path: &CStr) {
    // SAFETY: the path is a string.
    unsafe { libc::unlink(path.as_ptr()) };
}

/// Sets who may do what.
pub fn change_mode(path: &CStr, mode: libc::mode_t) -> Result {
    // SAFETY: the path is a string.
    check(unsafe { libc::chmod(path.as_ptr(), mode) }).map(|_| ())
}
