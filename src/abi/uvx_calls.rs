//! The types and constants of posted calls.

use core::ffi::{c_int, c_uint, c_void};

/// The way to a loop for other threads: they post calls to it, which the loop runs. Counted; it outlives its loop. What it is made of is
/// not public.
pub struct uvx_mailbox_t {
    _private: [u8; 0],
}

/// A posted call. The caller's memory, which is the library's from the post until the last callback of the call begins; that may
/// free it or post it again.
#[repr(C)]
pub struct uvx_loop_call_t {
    /// The program's own.
    pub data: *mut c_void,
    /// The library's. Needs no initialisation.
    pub reserved: [*mut c_void; 6],
}

/// A call's turn: `status` is 0, or UV_ECANCELED if the loop, or its mailbox, was closed before; then this runs on the thread that closed
/// it. Exactly once for each call that was accepted.
pub type uvx_loop_call_cb = Option<unsafe extern "C" fn(call: *mut uvx_loop_call_t, status: c_int)>;

/// The same for calls that need no struct of the caller's.
pub type uvx_call_fn = Option<unsafe extern "C" fn(arg: *mut c_void, status: c_int)>;

/// Makes a busy thread look at what was posted to it, for instance by having a virtual machine break in. It runs on the thread that
/// posted, with a lock held: it must be quick, must not wait, and must not call functions of this library for the same loop.
pub type uvx_interrupt_hook = Option<unsafe extern "C" fn(arg: *mut c_void)>;

/// The loop stays alive until the call has run. Without it the call needs something else that does, such as an active handle: uv_run
/// returns from a loop that nothing keeps alive without running what waits, which is cancelled if the loop is closed then.
pub const UVX_CALL_REF: c_uint = 1;
/// The call comes before all those without this flag, triggers the loop's interrupt hook, and is run by uvx_loop_run_interrupts too.
pub const UVX_CALL_INTERRUPT: c_uint = 2;
