//! Shared libraries at run time.

use crate::abi::*;
use crate::os::dl;
use core::ffi::{c_char, c_int, c_void};

/// Loads a shared library, as dlopen() finds it; NULL stands for the program itself. 0, or -1 and uv_dlerror() tells why. In both cases
/// `lib` goes to uv_dlclose() in the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_dlopen(filename: *const c_char, lib: *mut uv_lib_t) -> c_int {
    // SAFETY: the caller gives a string or NULL, and room for the library.
    unsafe { dl::open(filename, lib) }
}

/// Gives back a library and the text of its last error. Nothing of it may be in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_dlclose(lib: *mut uv_lib_t) {
    // SAFETY: the caller gives a library of uv_dlopen.
    unsafe { dl::close(lib) }
}

/// Stores the address of a symbol, which may be NULL. 0, or -1 and uv_dlerror() tells why.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_dlsym(lib: *mut uv_lib_t, name: *const c_char, ptr: *mut *mut c_void) -> c_int {
    // SAFETY: the caller gives an open library, a string, and room for the address.
    unsafe { dl::symbol(lib, name, ptr) }
}

/// The text of the last error of uv_dlopen() or uv_dlsym() with this library, or "no error"; valid until the next call with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_dlerror(lib: *const uv_lib_t) -> *const c_char {
    // SAFETY: the caller gives a library of uv_dlopen.
    unsafe { dl::error(lib) }
}
