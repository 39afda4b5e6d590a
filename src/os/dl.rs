//! Shared libraries at run time: dlopen(3) and its companions. The text of an error is kept with the library that it is about.

use crate::abi::uv_lib_t;
use crate::mem;
use core::ffi::{c_char, c_int, c_void};
use core::ptr::null_mut;

/// Loads a library (null: the program itself); 0, or -1 and the reason is in `library`.
///
/// # Safety
/// `file` is null or a string, `library` can be written.
pub unsafe fn open(file: *const c_char, library: *mut uv_lib_t) -> c_int {
    // SAFETY: the caller's.
    unsafe {
        libc::dlerror(); // forgets older errors
        let handle = libc::dlopen(file, libc::RTLD_LAZY);
        library.write(uv_lib_t { handle, errmsg: null_mut() });
        if handle.is_null() { keep_error(library) } else { 0 }
    }
}

/// Gives a library back, and the text of its error.
///
/// # Safety
/// `library` went through `open`, and nothing of it is in use.
pub unsafe fn close(library: *mut uv_lib_t) {
    // SAFETY: the caller's; the text is ours.
    unsafe {
        mem::free((*library).errmsg.cast());
        (*library).errmsg = null_mut();
        let handle = (*library).handle;
        (*library).handle = null_mut();
        if !handle.is_null() {
            libc::dlclose(handle);
        }
    }
}

/// Finds a symbol, whose address may be null; 0, or -1 and the reason is in `library`.
///
/// # Safety
/// `library` is open, `name` a string, and `address` can be written.
pub unsafe fn symbol(library: *mut uv_lib_t, name: *const c_char, address: *mut *mut c_void) -> c_int {
    // SAFETY: the caller's.
    unsafe {
        libc::dlerror(); // forgets older errors
        let found = libc::dlsym((*library).handle, name);
        address.write(found);
        if found.is_null() { keep_error(library) } else { 0 }
    }
}

/// The text of the last error.
///
/// # Safety
/// `library` went through `open`.
pub unsafe fn error(library: *const uv_lib_t) -> *const c_char {
    // SAFETY: the caller's.
    let text = unsafe { (*library).errmsg };
    if text.is_null() { c"no error".as_ptr() } else { text }
}

/// Copies what the system says, which the next call on this thread overwrites.
///
/// # Safety
/// `library` is initialised.
unsafe fn keep_error(library: *mut uv_lib_t) -> c_int {
    // SAFETY: the caller's; dlerror gives null or a string.
    unsafe {
        mem::free((*library).errmsg.cast());
        (*library).errmsg = null_mut();
        let text = libc::dlerror();
        if text.is_null() {
            return 0;
        }
        (*library).errmsg = mem::duplicate(text).map_or(null_mut(), |copy| copy.as_ptr());
        -1
    }
}
