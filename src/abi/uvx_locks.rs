//! The types and constants of named locks.

use super::uv_loop_t;
use core::ffi::{c_char, c_int, c_uint, c_void};

/// A named lock: a request for it, and then the lock itself. The caller's memory, which is the library's from a request that succeeds
/// until it is over: until uvx_lock_release has returned, or the callback begins that says that the lock is not, or no longer, there.
/// Then it may be freed or used for the next request.
#[repr(C)]
pub struct uvx_lock_t {
    /// The program's own.
    pub data: *mut c_void,
    /// The library's. Needs no initialisation.
    pub reserved: [*mut c_void; 15],
}

/// What became of a request (`granted`), or of a lock (`lost`); see uvx_lock_request.
pub type uvx_lock_cb = Option<unsafe extern "C" fn(lock: *mut uvx_lock_t, status: c_int)>;

/// Others may hold the lock at the same time, if they share it too. Without it: nobody else.
pub const UVX_LOCK_SHARED: c_uint = 1;
/// Only if the lock can be had at once: else the request ends with UV_EAGAIN.
pub const UVX_LOCK_IF_AVAILABLE: c_uint = 2;
/// Takes the lock from all who hold it, before all who wait. Not together with other flags.
pub const UVX_LOCK_STEAL: c_uint = 4;

/// Somebody who holds a lock, or waits for it.
#[repr(C)]
pub struct uvx_lock_info_t {
    /// The name. It goes with the list.
    pub name: *const c_char,
    /// Whose request it is: this loop's, or with NULL a thread's in uvx_lock_wait. Only to compare it: it may be closed by now.
    pub loop_: *mut uv_loop_t,
    /// The system's number (gettid) of the thread that called uvx_lock_wait, or that runs the loop, or ran it last; 0: none has.
    pub tid: c_int,
    /// 1: shared; 0: exclusive.
    pub shared: c_int,
    /// 1: holds the lock; 0: waits for it.
    pub held: c_int,
    /// 0.
    pub reserved: [c_int; 5],
}
