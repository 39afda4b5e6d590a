//! Watching descriptors of the program's own.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::poll;
use crate::ptr::{Cx, Handle};
use core::ffi::c_int;

/// Makes the memory at `handle` a poll handle for `fd`, which becomes non-blocking and stays the program's; it may be closed once
/// the handle is stopped. UV_EEXIST if the loop watches it already, UV_EPERM for regular files and the like, UV_EBADF.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_poll_init(r#loop: *mut uv_loop_t, handle: *mut uv_poll_t, fd: c_int) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for the handle.
    status(unsafe { poll::init(&Cx::enter(), Loop::new(r#loop), handle, fd) })
}

/// uv_poll_init: on Linux a socket is a descriptor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_poll_init_socket(
    r#loop: *mut uv_loop_t,
    handle: *mut uv_poll_t,
    socket: uv_os_sock_t,
) -> c_int {
    // SAFETY: as for uv_poll_init.
    status(unsafe { poll::init(&Cx::enter(), Loop::new(r#loop), handle, socket) })
}

/// Calls `cb` whenever the descriptor is ready for one of `events` (uv_poll_event), every turn while it stays so; replaces what was
/// asked for before. An error of the descriptor is reported once, with UV_EBADF, and stops the handle. UV_EINVAL for a closing
/// handle or unknown events, UV_EEXIST if another handle watches the descriptor now, UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_poll_start(handle: *mut uv_poll_t, events: c_int, cb: uv_poll_cb) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(poll::start(Handle::new(&Cx::enter(), handle), events, cb)) }
}

/// Stops the handle: its callback will not run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_poll_stop(handle: *mut uv_poll_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { poll::stop(Handle::new(&Cx::enter(), handle)) };
    0
}
