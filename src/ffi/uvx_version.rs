//! The version of this library itself.

use core::ffi::{c_char, c_uint};

/// The version of this library in one number, 8 bits for each part: 1.2.3 is 0x010203. uv_version is that of the interface.
#[unsafe(no_mangle)]
pub extern "C" fn uvx_version() -> c_uint {
    1 << 8
}

/// The version of this library as text, such as "1.2.3". Static.
#[unsafe(no_mangle)]
pub extern "C" fn uvx_version_string() -> *const c_char {
    c"0.1.0".as_ptr()
}
