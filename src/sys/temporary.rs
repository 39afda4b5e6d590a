//! Files and directories with names that did not exist before: a template ends in six X, which become something unique.

use super::{check, last_error};
use crate::abi::errno::{Errno, Result};
use core::ffi::{c_char, c_int};

const PLACEHOLDER: &[u8; 6] = b"XXXXXX";

/// Makes a directory for this user alone and writes its name over the template. `UV_EINVAL` if that does not end in six X.
///
/// # Safety
/// `template` is a string in writable memory.
pub unsafe fn make_directory(template: *mut c_char) -> Result {
    // SAFETY: the caller's.
    unsafe {
        fill(template, || {
            let made = libc::mkdtemp(template);
            if made.is_null() { Err(last_error()) } else { Ok(()) }
        })
    }
}

/// Makes a file for this user alone, writes its name over the template and returns it open for reading and writing, closed on exec.
///
/// # Safety
/// `template` is a string in writable memory.
pub unsafe fn make_file(template: *mut c_char) -> Result<c_int> {
    // SAFETY: the caller's.
    unsafe { fill(template, || check(libc::mkostemp(template, libc::O_CLOEXEC))) }
}

/// Tries again if it was interrupted, with the template as it was.
///
/// # Safety
/// `template` is a string in writable memory, which `make` leaves as long as it is.
unsafe fn fill<T>(template: *mut c_char, mut make: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match make() {
            // SAFETY: the string ended in six X, or the error were another.
            Err(Errno::EINTR) => unsafe {
                let end = template.add(libc::strlen(template));
                end.sub(PLACEHOLDER.len()).cast::<[u8; 6]>().write(*PLACEHOLDER);
            },
            result => return result,
        }
    }
}
