//! `uv_print_all_handles`: for people who wonder what keeps their loop alive.

use super::kind;
use crate::abi::*;
use crate::event_loop::{Loop, default};
use crate::ptr::{Cx, Handle};
use core::ffi::c_int;

/// Writes a line for each handle of `raw` (null: the default loop).
///
/// # Safety
/// `raw` is null or a loop of this thread, and `stream` is open.
pub unsafe fn print(raw: *mut uv_loop_t, active_only: bool, stream: *mut libc::FILE) {
    let raw = if raw.is_null() { default::get() } else { raw };
    if raw.is_null() {
        return;
    }
    // SAFETY: the caller's; nothing here runs user code or changes the queue.
    unsafe {
        let cx = Cx::enter();
        let head = Loop::new(raw).handle_queue();
        let mut node = (*head).next;
        while node != head {
            let handle = Handle::new(&cx, container_of!(node, uv_handle_t, handle_queue));
            if !active_only || handle.is_active() {
                line(handle, stream);
            }
            node = (*node).next;
        }
    }
}

/// # Safety
/// `stream` is open.
unsafe fn line(handle: Handle<'_, uv_handle_t>, stream: *mut libc::FILE) {
    let flag = |mask, letter: u8| c_int::from(if handle.has(mask) { letter } else { b'-' });
    let name = kind::name(handle.handle_type()).unwrap_or(c"<unknown>");
    // SAFETY: the format takes three chars, a string and a pointer.
    unsafe {
        libc::fprintf(
            stream,
            c"[%c%c%c] %-8s %p\n".as_ptr(),
            flag(UV_HANDLE_REF, b'R'),
            flag(UV_HANDLE_ACTIVE, b'A'),
            flag(UV_HANDLE_INTERNAL, b'I'),
            name.as_ptr(),
            handle.as_ptr(),
        );
    }
}
