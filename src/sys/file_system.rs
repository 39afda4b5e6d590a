//! What is known of a mounted file system.

use super::check_again;
use crate::abi::errno::Result;
use core::ffi::CStr;
use core::mem::MaybeUninit;

/// What the system says of the file system that has the file at `path`.
pub fn status(path: &CStr) -> Result<libc::statfs> {
    let mut status = MaybeUninit::<libc::statfs>::uninit();
    let room = status.as_mut_ptr();
    // SAFETY: the path is a string and the memory writable.
    check_again(|| unsafe { libc::statfs(path.as_ptr(), room) })?;
    // SAFETY: filled by the call.
    Ok(unsafe { status.assume_init() })
}
