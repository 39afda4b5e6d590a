//! Callbacks that run once a turn, before the prepare callbacks; while one is started the loop does not block.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::loop_watchers;
use crate::ptr::{Cx, Handle};
use core::ffi::c_int;

/// Makes the memory at `idle` a idle handle, not started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_idle_init(r#loop: *mut uv_loop_t, idle: *mut uv_idle_t) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for the handle.
    unsafe { loop_watchers::init(&Cx::enter(), Loop::new(r#loop), idle, None) };
    0
}

/// Calls `cb` once a turn, before the prepare callbacks; while one is started the loop does not block, beginning with the next time.
/// What is started last runs first. Does nothing if it is started already. UV_EINVAL without `cb`, or for a closing handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_idle_start(idle: *mut uv_idle_t, cb: uv_idle_cb) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(loop_watchers::start(Handle::new(&Cx::enter(), idle), cb)) }
}

/// Stops the handle: its callback will not run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_idle_stop(idle: *mut uv_idle_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { loop_watchers::stop(Handle::new(&Cx::enter(), idle)) };
    0
}
