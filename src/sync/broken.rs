//! The end of the program when a lock is misused: destroyed while held, unlocked by a stranger, locked twice.
//!
//! The interface gives these calls no way to fail, and to go on without the lock would damage what it guards. The reference aborts
//! too, but without a word.

use core::ffi::{CStr, c_int};

/// Goes on only if `code`, from a pthread function, says success. `function` is the name by which the user called it.
pub fn must(function: &CStr, code: c_int) {
    if code != 0 {
        abort(function, code);
    }
}

/// Says on standard error which call failed and why, and aborts.
#[cold]
pub fn abort(function: &CStr, code: c_int) -> ! {
    // SAFETY: errno is this thread's own, from where perror takes it, and the name is a string.
    unsafe {
        *libc::__errno_location() = code;
        libc::perror(function.as_ptr());
        libc::abort()
    }
}
