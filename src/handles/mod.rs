//! The handles: what `uv_*_init` makes of the caller's memory and what runs when it becomes ready.

pub mod async_;
pub mod fs_event;
pub mod fs_poll;
pub mod kind;
pub mod loop_watchers;
pub mod pipe;
pub mod poll;
pub mod print;
pub mod process;
pub mod signal;
pub mod stream;
pub mod tcp;
pub mod tty;
pub mod udp;

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::event_loop::{Loop, closing, timers};
use crate::os::caller_buffer::CallerBuffer;
use crate::ptr::{Cx, Handle};
use crate::sync::broken;
use crate::sys;
use core::ffi::{CStr, c_char, c_int};

/// `uv_close`: stops the handle at once; `close_cb` runs at the end of a later turn.
pub fn close(handle: Handle<'_, uv_handle_t>, close_cb: uv_close_cb) {
    if handle.is_closing() {
        if cfg!(debug_assertions) {
            broken::abort(c"uv_close: the handle is closing already", libc::EINVAL);
        }
        return;
    }
    // SAFETY: each cast goes to what the type field says.
    unsafe {
        match handle.handle_type() {
            UV_ASYNC => async_::stop(handle.cast()),
            UV_CHECK => loop_watchers::stop::<uv_check_t>(handle.cast()),
            UV_FS_EVENT => fs_event::stop(handle.cast()),
            UV_FS_POLL => return fs_poll::close(handle.cast(), close_cb),
            UV_IDLE => loop_watchers::stop::<uv_idle_t>(handle.cast()),
            UV_PREPARE => loop_watchers::stop::<uv_prepare_t>(handle.cast()),
            UV_POLL => poll::stop(handle.cast()),
            UV_PROCESS => process::stop(handle.cast()),
            UV_NAMED_PIPE => pipe::stop(handle.cast()),
            UV_SIGNAL => signal::stop(handle.cast()),
            UV_TCP => stream::stop(handle.cast()),
            UV_TIMER => timers::stop(handle.cast()),
            UV_TTY => tty::stop(handle.cast()),
            UV_UDP => udp::stop(handle.cast()),
            _ => broken::abort(c"uv_close: not a handle", libc::EINVAL),
        }
    }
    closing::begin(handle, close_cb);
}

/// The descriptor behind a handle: `UV_EINVAL` for types without, `UV_EBADF` if it has none now.
pub fn descriptor(handle: Handle<'_, uv_handle_t>) -> Result<c_int> {
    // SAFETY: each cast goes to what the type field says.
    let fd = unsafe {
        match handle.handle_type() {
            UV_TCP | UV_NAMED_PIPE | UV_TTY => (*handle.as_ptr().cast::<uv_stream_t>()).io_watcher.fd,
            UV_UDP => (*handle.as_ptr().cast::<uv_udp_t>()).io_watcher.fd,
            UV_POLL => (*handle.as_ptr().cast::<uv_poll_t>()).io_watcher.fd,
            _ => return Err(Errno::EINVAL),
        }
    };
    if handle.is_closing() || fd == -1 { Err(Errno::EBADF) } else { Ok(fd) }
}

/// `uv_send_buffer_size` and `uv_recv_buffer_size`.
///
/// # Safety
/// `value` is null or an int.
pub unsafe fn buffer_size(handle: Handle<'_, uv_handle_t>, option: c_int, value: *mut c_int) -> Result {
    if value.is_null() {
        return Err(Errno::EINVAL);
    }
    match handle.handle_type() {
        UV_TCP | UV_NAMED_PIPE | UV_UDP => {}
        _ => return Err(Errno::ENOTSUP),
    }
    let fd = descriptor(handle)?;
    // SAFETY: the caller's.
    unsafe {
        if *value == 0 {
            *value = sys::socket::option(fd, libc::SOL_SOCKET, option)?;
            Ok(())
        } else {
            sys::socket::set_option(fd, libc::SOL_SOCKET, option, *value)
        }
    }
}

/// `uv_fs_event_getpath`, `uv_fs_poll_getpath`: the path of a started handle, or null.
///
/// # Safety
/// `path` is null or a string, `size` is null or points to the number of bytes that can be written at `buffer`.
pub unsafe fn write_path(path: *const c_char, buffer: *mut c_char, size: *mut usize) -> Result {
    // SAFETY: the caller's.
    let place = unsafe { CallerBuffer::new(buffer, size) }?;
    if path.is_null() {
        // SAFETY: not null, as `place` has found.
        unsafe { size.write(0) };
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's.
    place.put(unsafe { CStr::from_ptr(path) }.to_bytes())
}

/// `uv_walk`: calls `visit` for each handle that was there at the beginning and was not closed meanwhile to the end.
pub fn walk(cx: &mut Cx, lp: Loop, mut visit: impl FnMut(*mut uv_handle_t)) {
    // The handles move back to the loop's queue one by one, so callbacks may close and make handles freely.
    let mut pending = uv__queue { next: core::ptr::null_mut(), prev: core::ptr::null_mut() };
    let pending = &raw mut pending;
    // SAFETY: the list outlives the walk, at whose end it is empty.
    unsafe {
        queue::take_all(pending, lp.handle_queue());
    }
    // SAFETY: its nodes are live handles.
    while let Some(node) = unsafe { queue::pop_front(pending) } {
        // SAFETY: the node lies in its handle; the loop's queue is initialised.
        let raw = unsafe {
            queue::push_back(lp.handle_queue(), node);
            container_of!(node, uv_handle_t, handle_queue)
        };
        // SAFETY: a handle in the queue is alive.
        let internal = unsafe { Handle::new(cx, raw) }.has(UV_HANDLE_INTERNAL);
        if !internal {
            cx.call(|| visit(raw));
        }
    }
}
