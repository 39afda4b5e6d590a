//! Signals as callbacks.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::signal;
use crate::ptr::{Cx, Handle};
use core::ffi::c_int;

/// Makes the memory at `handle` a signal handle, not started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_signal_init(r#loop: *mut uv_loop_t, handle: *mut uv_signal_t) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for the handle.
    unsafe { signal::init(&Cx::enter(), Loop::new(r#loop), handle) };
    0
}

/// Calls `signal_cb` on the loop's thread for each `signum` that the process receives. Any number of handles of any loops may
/// wait for the same signal. UV_EINVAL for signals that do not exist or cannot be caught, and for a closing handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_signal_start(
    handle: *mut uv_signal_t,
    signal_cb: uv_signal_cb,
    signum: c_int,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(signal::start(Handle::new(&Cx::enter(), handle), signal_cb, signum, false)) }
}

/// uv_signal_start for one signal: the handle stops after its callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_signal_start_oneshot(
    handle: *mut uv_signal_t,
    signal_cb: uv_signal_cb,
    signum: c_int,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(signal::start(Handle::new(&Cx::enter(), handle), signal_cb, signum, true)) }
}

/// Stops the handle: its callback will not run. With the last handle of a signal goes the library's handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_signal_stop(handle: *mut uv_signal_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { signal::stop(Handle::new(&Cx::enter(), handle)) };
    0
}
