//! Watching files and folders.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::{self, fs_event};
use crate::ptr::{Cx, Handle};
use core::ffi::{c_char, c_int, c_uint};

/// Makes the memory at `handle` a watcher of files, not started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_event_init(r#loop: *mut uv_loop_t, handle: *mut uv_fs_event_t) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for the handle.
    unsafe { fs_event::init(&Cx::enter(), Loop::new(r#loop), handle) };
    0
}

/// Calls `cb` when what `path` leads to changes: with UV_CHANGE for its content or attributes, with UV_RENAME when it, or an entry of
/// the folder that it is, was made, removed or renamed. The callback's file name is valid during the callback: the folder's entry,
/// or the last part of `path`, or NULL when events were lost. Once the file is gone there are no more callbacks, though the handle stays
/// active. No flag has a meaning on Linux. UV_EINVAL if the handle is active or closing, or for NULL; UV_ENOENT, UV_EACCES,
/// UV_ENOSPC and UV_EMFILE at the limits of the system, UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_event_start(
    handle: *mut uv_fs_event_t,
    cb: uv_fs_event_cb,
    path: *const c_char,
    flags: c_uint,
) -> c_int {
    let _ = flags;
    // SAFETY: the caller gives a handle, on its loop's thread, and a string.
    unsafe { status(fs_event::start(Handle::new(&Cx::enter(), handle), cb, path)) }
}

/// Stops the handle: its callback will not run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_event_stop(handle: *mut uv_fs_event_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { fs_event::stop(Handle::new(&Cx::enter(), handle)) };
    0
}

/// Writes the path that the handle was started with, with a NUL, into `buffer`, which has `*size` bytes; `*size` becomes its length
/// without the NUL. UV_ENOBUFS if it does not fit: `*size` becomes what is needed, with the NUL. UV_EINVAL if the handle is not active
/// (`*size` becomes 0), for NULL, or if `*size` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_event_getpath(
    handle: *mut uv_fs_event_t,
    buffer: *mut c_char,
    size: *mut usize,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and room of that size.
    unsafe { status(handles::write_path(Handle::new(&Cx::enter(), handle).path(), buffer, size)) }
}
