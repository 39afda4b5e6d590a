//! Waking a loop from other threads.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::async_;
use crate::ptr::Cx;
use core::ffi::c_int;

/// Makes the memory at `async` an async, active at once. `async_cb`, which may be NULL, runs on the loop's thread after a send.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_async_init(
    r#loop: *mut uv_loop_t,
    r#async: *mut uv_async_t,
    async_cb: uv_async_cb,
) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for an async.
    status(unsafe { async_::init(&Cx::enter(), Loop::new(r#loop), r#async, async_cb) })
}

/// Has the callback run soon. Any thread, and signal handlers; may race with uv_close, not with its callback. Sends before the
/// callback begins are one; what the sender wrote before is seen by the callback. Always 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_async_send(r#async: *mut uv_async_t) -> c_int {
    // SAFETY: the caller gives an async that is not freed.
    unsafe { async_::send(r#async) };
    0
}
