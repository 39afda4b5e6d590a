//! Watching files by looking at them.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::{self, fs_poll};
use crate::ptr::{Cx, Handle};
use core::ffi::{c_char, c_int, c_uint};

/// Makes the memory at `handle` a poller of files, not started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_poll_init(r#loop: *mut uv_loop_t, handle: *mut uv_fs_poll_t) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for the handle.
    unsafe { fs_poll::init(&Cx::enter(), Loop::new(r#loop), handle) };
    0
}

/// Looks at `path` now and every `interval` ms (0 counts as 1), on the thread pool, and calls `poll_cb` when its size, mode, owner, times
/// (not that of the last access) or the file itself have changed, with what was known before and what is now, both valid during
/// the callback. A file that cannot be looked at is reported once, as a negative status, and again when the reason changes or it is
/// back. A handle that is active goes on as it was. UV_EINVAL for a closing handle or NULL, UV_ENOMEM, UV_EAGAIN if no
/// thread can start.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_poll_start(
    handle: *mut uv_fs_poll_t,
    poll_cb: uv_fs_poll_cb,
    path: *const c_char,
    interval: c_uint,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and a string.
    unsafe {
        let cx = Cx::enter();
        status(fs_poll::start(&cx, Handle::new(&cx, handle), poll_cb, path, interval))
    }
}

/// Stops the handle: its callback will not run. What a thread has begun ends by itself, and keeps the loop alive until then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_poll_stop(handle: *mut uv_fs_poll_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { fs_poll::stop(Handle::new(&Cx::enter(), handle)) };
    0
}

/// uv_fs_event_getpath, for a poller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_poll_getpath(
    handle: *mut uv_fs_poll_t,
    buffer: *mut c_char,
    size: *mut usize,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and room of that size.
    unsafe { status(handles::write_path(fs_poll::path(Handle::new(&Cx::enter(), handle)), buffer, size)) }
}
