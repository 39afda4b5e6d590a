//! Error codes and their texts.

use crate::os::error_text::{self, MESSAGE, NAME};
use core::ffi::{c_char, c_int};

/// The message of an error code, such as "invalid argument". Static, but for an unknown code, whose text is allocated and never
/// freed: see uv_strerror_r().
#[unsafe(no_mangle)]
pub extern "C" fn uv_strerror(err: c_int) -> *const c_char {
    error_text::of(err, MESSAGE)
}

/// Writes the message of an error code to `buf`, cut to `buflen` bytes with its NUL, and returns `buf`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_strerror_r(err: c_int, buf: *mut c_char, buflen: usize) -> *mut c_char {
    // SAFETY: the caller has `buflen` bytes at `buf`.
    unsafe { error_text::write(err, MESSAGE, buf, buflen) };
    buf
}

/// The name of an error code, such as "EINVAL". Static, but for an unknown code, whose text is allocated and never freed: see
/// uv_err_name_r().
#[unsafe(no_mangle)]
pub extern "C" fn uv_err_name(err: c_int) -> *const c_char {
    error_text::of(err, NAME)
}

/// Writes the name of an error code to `buf`, cut to `buflen` bytes with its NUL, and returns `buf`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_err_name_r(err: c_int, buf: *mut c_char, buflen: usize) -> *mut c_char {
    // SAFETY: the caller has `buflen` bytes at `buf`.
    unsafe { error_text::write(err, NAME, buf, buflen) };
    buf
}

/// The error code for a value of errno. What is an error code already, or 0, stays as it is.
#[unsafe(no_mangle)]
pub extern "C" fn uv_translate_sys_error(sys_errno: c_int) -> c_int {
    error_text::translate(sys_errno)
}
