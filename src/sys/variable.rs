//! Variables of the environment that steer the library. It does not change the environment; that the program does not do so meanwhile
//! is what getenv(3) asks of it.

use core::ffi::{CStr, c_int};

/// The value, if there is one.
pub fn get(name: &CStr) -> Option<&'static CStr> {
    // SAFETY: both are strings; see the module.
    unsafe {
        let value = libc::getenv(name.as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value))
    }
}

/// The number in it, as atoi(3) reads it.
pub fn number(name: &CStr) -> Option<c_int> {
    // SAFETY: a string.
    get(name).map(|value| unsafe { libc::atoi(value.as_ptr()) })
}

/// Whether it begins with a 0, which switches something off.
pub fn is_off(name: &CStr) -> bool {
    get(name).is_some_and(|value| value.to_bytes().first() == Some(&b'0'))
}
