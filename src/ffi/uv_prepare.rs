//! Callbacks that run right before the loop polls.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::loop_watchers;
use crate::ptr::{Cx, Handle};
use core::ffi::c_int;

/// Makes the memory at `prepare` a prepare handle, not started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_prepare_init(r#loop: *mut uv_loop_t, prepare: *mut uv_prepare_t) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for the handle.
    unsafe { loop_watchers::init(&Cx::enter(), Loop::new(r#loop), prepare, None) };
    0
}

/// Calls `cb` right before the loop polls, beginning with the next time.
/// What is started last runs first. Does nothing if it is started already. UV_EINVAL without `cb`, or for a closing handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_prepare_start(prepare: *mut uv_prepare_t, cb: uv_prepare_cb) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(loop_watchers::start(Handle::new(&Cx::enter(), prepare), cb)) }
}

/// Stops the handle: its callback will not run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_prepare_stop(prepare: *mut uv_prepare_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { loop_watchers::stop(Handle::new(&Cx::enter(), prepare)) };
    0
}
