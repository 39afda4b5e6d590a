//! A call that brings its own memory: `uvx_mailbox_call_copy`.

use super::{Call, Calls, KNOWN_FLAGS};
use crate::abi::errno::{Errno, Result};
use crate::abi::{uvx_call_fn, uvx_loop_call_t};
use crate::mem::Owned;
use core::ffi::{c_int, c_uint, c_void};

#[repr(C)]
struct Copied {
    /// First, so that it leads back here.
    call: Call,
    run: uvx_call_fn,
    arg: *mut c_void,
}

/// Posts a call of `run` with `arg`.
pub fn post_copy(calls: &Calls, run: uvx_call_fn, arg: *mut c_void, flags: c_uint) -> Result {
    if run.is_none() || flags & !KNOWN_FLAGS != 0 {
        return Err(Errno::EINVAL);
    }
    let copied = Owned::new(Copied { call: Call::new(Some(on_turn), flags), run, arg })?.into_raw();
    // SAFETY: the call is new; it is freed at its turn, or here if it is refused.
    unsafe { calls.post(copied.cast(), flags).inspect_err(|_| drop(Owned::from_raw(copied))) }
}

unsafe extern "C" fn on_turn(call: *mut uvx_loop_call_t, status: c_int) {
    // SAFETY: posted by `post_copy`, which gave it up.
    let copied = unsafe { Owned::from_raw(call.cast::<Copied>()) };
    let (run, arg) = (copied.run, copied.arg);
    drop(copied);
    if let Some(run) = run {
        // SAFETY: the user's function with the user's pointer.
        unsafe { run(arg, status) };
    }
}
