//! UTF-16 and WTF-8, the two ways in which systems write names that need not be valid Unicode.

use super::status;
use crate::os::wtf8;
use core::ffi::{c_char, c_int};

/// The bytes that UTF-16 takes as WTF-8, without a NUL. `utf16_len` is in units; if it is negative the text ends with a 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_utf16_length_as_wtf8(utf16: *const u16, utf16_len: libc::ssize_t) -> usize {
    // SAFETY: the caller gives a text of that length.
    unsafe { wtf8::length_from_utf16(utf16, utf16_len) }
}

/// Converts UTF-16 to WTF-8 with a NUL. `utf16_len` is in units; if it is negative the text ends with a 0. The length without the NUL is
/// stored in `*wtf8_len_ptr`. If `wtf8_ptr` is NULL that is all. If `*wtf8_ptr` is NULL it becomes memory that is the caller's, of the
/// allocator of uv_replace_allocator(); UV_ENOMEM. Otherwise it has room for `*wtf8_len_ptr` bytes and the NUL; UV_ENOBUFS
/// if that is too little: it is filled then, and the length is that of the whole.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_utf16_to_wtf8(
    utf16: *const u16,
    utf16_len: libc::ssize_t,
    wtf8_ptr: *mut *mut c_char,
    wtf8_len_ptr: *mut usize,
) -> c_int {
    // SAFETY: the caller gives a text of that length, and room.
    status(unsafe { wtf8::from_utf16(utf16, utf16_len, wtf8_ptr, wtf8_len_ptr) })
}

/// The units that a string of WTF-8 takes as UTF-16, the 0 at the end included; UV_EINVAL if it is no WTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_wtf8_length_as_utf16(wtf8: *const c_char) -> libc::ssize_t {
    // SAFETY: the caller gives a string.
    unsafe { wtf8::length_to_utf16(wtf8) }.unwrap_or_else(|error| error.code() as libc::ssize_t)
}

/// Converts a string of WTF-8 to UTF-16 with a 0; `utf16_len` is what uv_wtf8_length_as_utf16() says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_wtf8_to_utf16(wtf8: *const c_char, utf16: *mut u16, utf16_len: usize) {
    // SAFETY: the caller gives a string, and room for so many units.
    unsafe { wtf8::to_utf16(wtf8, utf16, utf16_len) }
}
