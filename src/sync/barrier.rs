//! `uv_barrier_t`, a `pthread_barrier_t`: threads wait until all have come.

use super::broken::{abort, must};
use crate::abi::errno::Result;
use crate::abi::uv_barrier_t;
use crate::sys::check_code;
use core::ffi::c_uint;
use core::ptr::null;

/// Makes a barrier for `count` threads; 0 is `UV_EINVAL`.
///
/// # Safety
/// `barrier` can be written and is no barrier in use.
pub unsafe fn init(barrier: *mut uv_barrier_t, count: c_uint) -> Result<()> {
    // SAFETY: the caller's.
    check_code(unsafe { libc::pthread_barrier_init(barrier, null(), count) })
}

/// Ends a barrier at which nobody waits. Threads that were let go but are still on their way out are waited for.
///
/// # Safety
/// `barrier` is a barrier, and nobody comes to it any more.
pub unsafe fn destroy(barrier: *mut uv_barrier_t) {
    // SAFETY: the caller's.
    must(c"uv_barrier_destroy", unsafe { libc::pthread_barrier_destroy(barrier) });
}

/// Waits until as many threads have come as the barrier is for. One of them, any, is told so by `true`: it may destroy the barrier.
///
/// # Safety
/// `barrier` is a barrier.
pub unsafe fn wait(barrier: *mut uv_barrier_t) -> bool {
    // SAFETY: the caller's.
    match unsafe { libc::pthread_barrier_wait(barrier) } {
        0 => false,
        libc::PTHREAD_BARRIER_SERIAL_THREAD => true,
        code => abort(c"uv_barrier_wait", code),
    }
}
