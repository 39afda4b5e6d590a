//! What all handles have in common.

use super::status;
use crate::abi::*;
use crate::handles::{self, kind};
use crate::ptr::{Cx, Handle};
use core::ffi::{c_char, c_int, c_void};
use core::ptr::null;

/// Nonzero if the handle is active: started, running, or waiting.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_is_active(handle: *const uv_handle_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { c_int::from(Handle::new(&Cx::enter(), handle.cast_mut()).is_active()) }
}

/// Nonzero if uv_close was called for the handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_is_closing(handle: *const uv_handle_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { c_int::from(Handle::new(&Cx::enter(), handle.cast_mut()).is_closing()) }
}

/// Stops the handle at once. Its memory is the program's again when `close_cb`, which may be NULL, is called in a later phase; the
/// handle that was closed last is called first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_close(handle: *mut uv_handle_t, close_cb: uv_close_cb) {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { handles::close(Handle::new(&Cx::enter(), handle), close_cb) };
}

/// An active handle keeps its loop alive. New handles do; calling it twice changes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_ref(handle: *mut uv_handle_t) {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { Handle::new(&Cx::enter(), handle).reference() };
}

/// The handle keeps its loop alive no more. Calling it twice changes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_unref(handle: *mut uv_handle_t) {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { Handle::new(&Cx::enter(), handle).unreference() };
}

/// Nonzero if the handle keeps its loop alive while it is active.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_has_ref(handle: *const uv_handle_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { c_int::from(Handle::new(&Cx::enter(), handle.cast_mut()).has(UV_HANDLE_REF)) }
}

/// The size in bytes of a handle of this type; (size_t) -1 if there is no such type.
#[unsafe(no_mangle)]
pub extern "C" fn uv_handle_size(r#type: uv_handle_type) -> usize {
    kind::size(r#type).unwrap_or(usize::MAX)
}

/// The name of a handle type's struct without `uv_` and `_t`: "timer" for UV_TIMER. Static; NULL if there is no such type.
#[unsafe(no_mangle)]
pub extern "C" fn uv_handle_type_name(r#type: uv_handle_type) -> *const c_char {
    kind::name(r#type).map_or(null(), |name| name.as_ptr())
}

/// `handle->type`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_handle_get_type(handle: *const uv_handle_t) -> uv_handle_type {
    // SAFETY: the caller gives a handle, on its loop's thread.
    let cx = unsafe { Cx::enter() };
    // SAFETY: as above.
    let handle = unsafe { Handle::new(&cx, handle.cast_mut()) };
    handle.handle_type()
}

/// `handle->data`, which is the program's alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_handle_get_data(handle: *const uv_handle_t) -> *mut c_void {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { Handle::new(&Cx::enter(), handle.cast_mut()).data() }
}

/// Sets `handle->data`. May be done at any time, also before the handle's init.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_handle_set_data(handle: *mut uv_handle_t, data: *mut c_void) {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { Handle::new(&Cx::enter(), handle).set_data(data) };
}

/// `handle->loop`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_handle_get_loop(handle: *const uv_handle_t) -> *mut uv_loop_t {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { Handle::new(&Cx::enter(), handle.cast_mut()).loop_ptr() }
}

/// The descriptor behind a TCP, pipe, TTY, UDP or poll handle, which stays the handle's. UV_EINVAL for other types, UV_EBADF if it
/// has none or is closing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fileno(handle: *const uv_handle_t, fd: *mut uv_os_fd_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    let cx = unsafe { Cx::enter() };
    // SAFETY: as above.
    let handle = unsafe { Handle::new(&cx, handle.cast_mut()) };
    // SAFETY: the caller gives room for the result.
    status(handles::descriptor(handle).map(|found| unsafe { fd.write(found) }))
}

/// The size in bytes of the socket's send buffer: stores it if `*value` is 0, else sets it (Linux takes twice the size, and says
/// so). UV_EINVAL without `value`, UV_ENOTSUP for handles without a socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_send_buffer_size(handle: *mut uv_handle_t, value: *mut c_int) -> c_int {
    if handle.is_null() {
        return UV_EINVAL;
    }
    // SAFETY: the caller gives a handle, on its loop's thread.
    let cx = unsafe { Cx::enter() };
    // SAFETY: as above.
    let handle = unsafe { Handle::new(&cx, handle) };
    // SAFETY: the caller gives null or an int.
    status(unsafe { handles::buffer_size(handle, libc::SO_SNDBUF, value) })
}

/// The size in bytes of the socket's receive buffer, as uv_send_buffer_size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_recv_buffer_size(handle: *mut uv_handle_t, value: *mut c_int) -> c_int {
    if handle.is_null() {
        return UV_EINVAL;
    }
    // SAFETY: the caller gives a handle, on its loop's thread.
    let cx = unsafe { Cx::enter() };
    // SAFETY: as above.
    let handle = unsafe { Handle::new(&cx, handle) };
    // SAFETY: the caller gives null or an int.
    status(unsafe { handles::buffer_size(handle, libc::SO_RCVBUF, value) })
}

/// Writes a line for each handle of the loop (NULL: the default loop): [flags] type address. Flags: R referenced, A active, I internal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_print_all_handles(r#loop: *mut uv_loop_t, stream: *mut libc::FILE) {
    // SAFETY: the caller gives null or a loop, and a stream.
    unsafe { handles::print::print(r#loop, false, stream) };
}

/// uv_print_all_handles for active handles only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_print_active_handles(r#loop: *mut uv_loop_t, stream: *mut libc::FILE) {
    // SAFETY: the caller gives null or a loop, and a stream.
    unsafe { handles::print::print(r#loop, true, stream) };
}
