//! Names and messages of error codes, from the one table in `abi::errno`.
//!
//! Difference from the reference: the text about an unknown code always shows the whole number.

use crate::abi::errno::{ERRNO_MAP, ErrnoEntry};
use crate::mem;
use core::ffi::{CStr, c_char, c_int};

const UNKNOWN: &CStr = c"Unknown system error %d";

/// Which of its two texts is wanted of a code.
pub type Text = fn(&ErrnoEntry) -> &'static CStr;

pub const NAME: Text = |entry| entry.name;
pub const MESSAGE: Text = |entry| entry.message;

/// The text of a code. That of an unknown code is allocated and never freed, as is documented, since nobody could know.
pub fn of(code: c_int, text: Text) -> *const c_char {
    if let Some(known) = find(code, text) {
        return known.as_ptr();
    }
    let mut buffer = [0; 40];
    // SAFETY: the buffer is as long as is said, and then holds a string.
    let copy = unsafe {
        write(code, text, buffer.as_mut_ptr(), buffer.len());
        mem::duplicate(buffer.as_ptr())
    };
    copy.map_or(c"Unknown system error".as_ptr(), |copy| copy.as_ptr().cast_const())
}

/// Writes the text of a code, cut to fit `size` bytes with its NUL.
///
/// # Safety
/// `size` bytes can be written at `buffer`.
pub unsafe fn write(code: c_int, text: Text, buffer: *mut c_char, size: usize) {
    // SAFETY: the arguments are what the formats ask for, and snprintf keeps to the size.
    unsafe {
        match find(code, text) {
            Some(known) => libc::snprintf(buffer, size, c"%s".as_ptr(), known.as_ptr()),
            None => libc::snprintf(buffer, size, UNKNOWN.as_ptr(), code),
        };
    }
}

fn find(code: c_int, text: Text) -> Option<&'static CStr> {
    ERRNO_MAP.iter().find(|entry| entry.code == code).map(text)
}

/// From the system's `errno` to a code of this library; what is a code already stays.
pub fn translate(errno: c_int) -> c_int {
    if errno > 0 { errno.wrapping_neg() } else { errno }
}
