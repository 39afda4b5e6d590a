//! Callbacks that run right after the loop has polled.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::loop_watchers;
use crate::ptr::{Cx, Handle};
use core::ffi::c_int;

/// Makes the memory at `check` a check handle, not started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_check_init(r#loop: *mut uv_loop_t, check: *mut uv_check_t) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for the handle.
    unsafe { loop_watchers::init(&Cx::enter(), Loop::new(r#loop), check, None) };
    0
}

/// Calls `cb` right after the loop has polled, beginning with the next time.
/// What is started last runs first. Does nothing if it is started already. UV_EINVAL without `cb`, or for a closing handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_check_start(check: *mut uv_check_t, cb: uv_check_cb) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(loop_watchers::start(Handle::new(&Cx::enter(), check), cb)) }
}

/// Stops the handle: its callback will not run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_check_stop(check: *mut uv_check_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { loop_watchers::stop(Handle::new(&Cx::enter(), check)) };
    0
}
