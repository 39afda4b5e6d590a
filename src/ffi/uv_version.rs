//! Which version of the reference this library stands in for.

use core::ffi::{c_char, c_uint};

// The headers say the same; a C test compares them.
const MAJOR: c_uint = 1;
const MINOR: c_uint = 52;
const PATCH: c_uint = 1;

/// The version in one number, 8 bits for each part: 1.2.3 is 0x010203.
#[unsafe(no_mangle)]
pub extern "C" fn uv_version() -> c_uint {
    MAJOR << 16 | MINOR << 8 | PATCH
}

/// The version as text, such as "1.2.3". Static.
#[unsafe(no_mangle)]
pub extern "C" fn uv_version_string() -> *const c_char {
    c"1.52.1".as_ptr()
}
