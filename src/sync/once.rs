//! `uv_once_t`, a `pthread_once_t`: something is done once, however many threads ask for it.

use super::broken::must;
use crate::abi::uv_once_t;
use core::ffi::c_int;

unsafe extern "C" {
    /// Declared here because libc's own wants a function without `unsafe`.
    fn pthread_once(guard: *mut uv_once_t, routine: unsafe extern "C" fn()) -> c_int;
}

/// Calls `routine`, unless that was done for this guard before; returns when it is done, by whomever.
///
/// # Safety
/// `guard` began as `UV_ONCE_INIT`, and `routine` may be called.
pub unsafe fn run(guard: *mut uv_once_t, routine: unsafe extern "C" fn()) {
    // SAFETY: the caller's.
    must(c"uv_once", unsafe { pthread_once(guard, routine) });
}
