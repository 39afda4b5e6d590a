//! Timers. All times are in ms.

use super::status;
use crate::abi::*;
use crate::event_loop::{Loop, timers};
use crate::ptr::{Cx, Handle};
use core::ffi::c_int;

/// Makes the memory at `handle` a timer, not started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_timer_init(r#loop: *mut uv_loop_t, handle: *mut uv_timer_t) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for a timer.
    unsafe { timers::init(&Cx::enter(), Loop::new(r#loop), handle) };
    0
}

/// Calls `cb` in `timeout` ms, counted from the loop's now, and then every `repeat` ms, if that is not 0. A timer that was
/// started is started anew. With timeout 0 the callback runs in the next turn. UV_EINVAL without `cb`, or for a closing handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_timer_start(
    handle: *mut uv_timer_t,
    cb: uv_timer_cb,
    timeout: u64,
    repeat: u64,
) -> c_int {
    // SAFETY: the caller gives a timer, on its loop's thread.
    unsafe { status(timers::start(Handle::new(&Cx::enter(), handle), cb, timeout, repeat)) }
}

/// Stops the timer: its callback will not run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_timer_stop(handle: *mut uv_timer_t) -> c_int {
    // SAFETY: the caller gives a timer, on its loop's thread.
    unsafe { timers::stop(Handle::new(&Cx::enter(), handle)) };
    0
}

/// Starts a repeating timer anew, with its repeat value as timeout; does nothing for others. UV_EINVAL if it was never started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_timer_again(handle: *mut uv_timer_t) -> c_int {
    // SAFETY: the caller gives a timer, on its loop's thread.
    unsafe { status(timers::again(Handle::new(&Cx::enter(), handle))) }
}

/// Sets the repeat value, which counts from the next time that the timer runs; 0: it does not repeat.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_timer_set_repeat(handle: *mut uv_timer_t, repeat: u64) {
    // SAFETY: the caller gives a timer, on its loop's thread.
    unsafe { Handle::new(&Cx::enter(), handle).set_repeat(repeat) };
}

/// The repeat value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_timer_get_repeat(handle: *const uv_timer_t) -> u64 {
    // SAFETY: the caller gives a timer, on its loop's thread.
    unsafe { Handle::new(&Cx::enter(), handle.cast_mut()).repeat() }
}

/// How long it is until the timer is due, from the loop's now; 0 if it is due or was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_timer_get_due_in(handle: *const uv_timer_t) -> u64 {
    // SAFETY: the caller gives a timer, on its loop's thread.
    unsafe { timers::due_in(Handle::new(&Cx::enter(), handle.cast_mut())) }
}
