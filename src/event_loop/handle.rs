//! What all handles have in common: their place on the loop, and when they keep it alive.

use super::Loop;
use crate::abi::*;
use crate::ds::queue;
use crate::ptr::{Cx, Handle, HandleType};

impl<'cx, T: HandleType> Handle<'cx, T> {
    /// Makes the memory at `raw` a handle of `lp`: referenced, not active. Fields of the type itself are the caller's to set.
    ///
    /// # Safety
    /// `raw` is writable memory for a `T` that is no handle in use.
    pub unsafe fn init(cx: &'cx Cx, lp: Loop, raw: *mut T) -> Handle<'cx, T> {
        // SAFETY: the caller's; only setters are used until the handle is complete.
        let handle = unsafe { Handle::new(cx, raw) };
        let base = handle.base();
        base.set_loop_ptr(lp.as_ptr());
        base.set_handle_type(T::TYPE);
        base.set_flags(UV_HANDLE_REF);
        base.set_close_cb(None);
        base.set_next_closing(core::ptr::null_mut());
        // SAFETY: the queue is initialised, the node is this handle's and in no queue.
        unsafe { queue::push_back(lp.handle_queue(), &raw mut (*base.as_ptr()).handle_queue) };
        handle.count_in();
        handle
    }

    /// The handle's loop.
    pub fn owner(self) -> Loop {
        // SAFETY: set by `init`; a loop outlives its handles.
        unsafe { Loop::new(self.base().loop_ptr()) }
    }

    /// Becomes active; keeps the loop alive if it is referenced.
    pub fn activate(self) {
        if self.is_active() {
            return;
        }
        self.set(UV_HANDLE_ACTIVE);
        self.count_active(true);
        if self.has(UV_HANDLE_REF) {
            let lp = self.owner();
            lp.set_active_handles(lp.active_handles().wrapping_add(1));
        }
    }

    /// Is active no more.
    pub fn deactivate(self) {
        if !self.is_active() {
            return;
        }
        self.clear(UV_HANDLE_ACTIVE);
        self.count_active(false);
        if self.has(UV_HANDLE_REF) {
            let lp = self.owner();
            lp.set_active_handles(lp.active_handles().wrapping_sub(1));
        }
    }

    /// `uv_ref`: while active, the handle keeps its loop alive.
    pub fn reference(self) {
        if self.has(UV_HANDLE_REF) {
            return;
        }
        self.set(UV_HANDLE_REF);
        self.count_referenced(true);
        if self.is_active() && !self.has(UV_HANDLE_CLOSING) {
            let lp = self.owner();
            lp.set_active_handles(lp.active_handles().wrapping_add(1));
        }
    }

    /// `uv_unref`: the handle does not keep its loop alive.
    pub fn unreference(self) {
        if !self.has(UV_HANDLE_REF) {
            return;
        }
        self.clear(UV_HANDLE_REF);
        self.count_referenced(false);
        if self.is_active() && !self.has(UV_HANDLE_CLOSING) {
            let lp = self.owner();
            lp.set_active_handles(lp.active_handles().wrapping_sub(1));
        }
    }
}
