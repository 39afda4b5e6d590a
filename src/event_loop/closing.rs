//! `uv_close`: from the call to the close callback.
//!
//! A handle stops at once; its callback runs at the end of the turn, the one closed last first, since programs rely on that order.

use super::{Loop, dispatch};
use crate::abi::*;
use crate::ptr::{Cx, Handle};

/// Begins to close a handle that was stopped.
pub fn begin(handle: Handle<'_, uv_handle_t>, close_cb: uv_close_cb) {
    announce(handle, close_cb);
    enter(handle);
}

/// The first half: the handle is closing, but its callback has to wait. Something else keeps the loop alive.
pub fn announce(handle: Handle<'_, uv_handle_t>, close_cb: uv_close_cb) {
    handle.set(UV_HANDLE_CLOSING);
    handle.set_close_cb(close_cb);
}

/// The second half: enters the handle on its loop's list of closing handles.
pub fn enter(handle: Handle<'_, uv_handle_t>) {
    let lp = handle.owner();
    handle.set_next_closing(lp.closing_handles());
    lp.set_closing_handles(handle.as_ptr());
}

impl Loop {
    /// Runs the close callbacks of all handles whose closing began before. What callbacks close themselves waits for the next turn.
    pub fn run_closing(self, cx: &mut Cx) {
        let mut next = self.closing_handles();
        self.set_closing_handles(core::ptr::null_mut());
        while !next.is_null() {
            let raw = next;
            let kind = {
                // SAFETY: a closing handle stays the library's until its callback.
                let handle = unsafe { Handle::new(cx, raw) };
                next = handle.next_closing();
                handle.set(UV_HANDLE_CLOSED);
                handle.handle_type()
            };
            dispatch::finish_closing(cx, raw, kind);
            let close_cb = {
                // SAFETY: as above.
                let handle = unsafe { Handle::new(cx, raw) };
                handle.leave_list();
                // Stopped, so its reference counts no more.
                handle.clear(UV_HANDLE_REF);
                handle.close_cb()
            };
            if let Some(close_cb) = close_cb {
                // SAFETY: the user's function, with the handle that it was given for.
                cx.call(|| unsafe { close_cb(raw) });
            }
        }
    }
}
