//! `uv_prepare_t`, `uv_check_t`, `uv_idle_t`: callbacks that run once a turn, each in its phase.
//!
//! One that starts goes before those that run already, and order then stays as it is: programs know both.

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::event_loop::Loop;
use crate::ptr::{Cx, Handle, HandleType};
use core::ptr::null_mut;

/// What the three differ in.
///
/// # Safety
/// The functions give the addresses and values of one handle type's own queue, node and callback.
pub unsafe trait LoopWatcher: HandleType + Sized {
    /// The callback's type.
    type Callback: Copy;
    /// The loop's queue of started handles.
    fn queue(lp: Loop) -> *mut uv__queue;
    /// The handle's node for that queue.
    fn node(handle: Handle<'_, Self>) -> *mut uv__queue;
    /// Stores the callback.
    fn set_callback(handle: Handle<'_, Self>, cb: Self::Callback);
    /// Whether there is one.
    fn is_some(cb: &Self::Callback) -> bool;
    /// A call of the callback of the handle around `node`.
    ///
    /// # Safety
    /// The node is in the queue.
    unsafe fn prepare_call(cx: &Cx, node: *mut uv__queue) -> impl FnOnce() + use<Self>;
}

macro_rules! loop_watcher {
    ($type:ty, $callback:ty, $queue:ident, $get:ident, $set:ident) => {
        // SAFETY: each function names the fields of this type.
        unsafe impl LoopWatcher for $type {
            type Callback = $callback;
            fn queue(lp: Loop) -> *mut uv__queue {
                lp.$queue()
            }
            fn node(handle: Handle<'_, Self>) -> *mut uv__queue {
                // SAFETY: a projection inside a live handle.
                unsafe { &raw mut (*handle.as_ptr()).queue }
            }
            fn set_callback(handle: Handle<'_, Self>, cb: Self::Callback) {
                handle.$set(cb);
            }
            fn is_some(cb: &Self::Callback) -> bool {
                cb.is_some()
            }
            unsafe fn prepare_call(cx: &Cx, node: *mut uv__queue) -> impl FnOnce() + use<> {
                // SAFETY: the caller's; started handles are alive.
                let raw = unsafe { container_of!(node, $type, queue) };
                // SAFETY: as above.
                let cb = unsafe { Handle::new(cx, raw) }.$get();
                move || {
                    if let Some(cb) = cb {
                        // SAFETY: the user's function, with the handle that it was given for.
                        unsafe { cb(raw) }
                    }
                }
            }
        }
    };
}

loop_watcher!(uv_prepare_t, uv_prepare_cb, prepare_handles, prepare_cb, set_prepare_cb);
loop_watcher!(uv_check_t, uv_check_cb, check_handles, check_cb, set_check_cb);
loop_watcher!(uv_idle_t, uv_idle_cb, idle_handles, idle_cb, set_idle_cb);

/// `uv_prepare_init` and its kin.
///
/// # Safety
/// `raw` is writable memory for a handle that is not in use.
pub unsafe fn init<T: LoopWatcher>(cx: &Cx, lp: Loop, raw: *mut T, no_callback: T::Callback) {
    // SAFETY: the caller's.
    let handle = unsafe { Handle::init(cx, lp, raw) };
    T::set_callback(handle, no_callback);
    // SAFETY: the handle's own node.
    unsafe { queue::init(T::node(handle)) };
}

/// `uv_prepare_start` and its kin. Starting a started handle changes nothing, not even its callback.
pub fn start<T: LoopWatcher>(handle: Handle<'_, T>, cb: T::Callback) -> Result {
    if handle.is_active() {
        return Ok(());
    }
    if !T::is_some(&cb) || handle.is_closing() {
        return Err(Errno::EINVAL);
    }
    T::set_callback(handle, cb);
    // SAFETY: the loop's queue is initialised; a handle that is not active is in none.
    unsafe { queue::push_front(T::queue(handle.owner()), T::node(handle)) };
    handle.activate();
    Ok(())
}

/// `uv_prepare_stop` and its kin.
pub fn stop<T: LoopWatcher>(handle: Handle<'_, T>) {
    if handle.is_active() {
        // SAFETY: an active handle is in its queue.
        unsafe { queue::unlink(T::node(handle)) };
        handle.deactivate();
    }
}

/// The phase: runs each handle that was started before it.
pub fn run<T: LoopWatcher>(cx: &mut Cx, lp: Loop) {
    let started = T::queue(lp);
    // SAFETY: the loop's queue is initialised.
    if unsafe { queue::is_empty(started) } {
        return;
    }
    let mut pending = uv__queue { next: null_mut(), prev: null_mut() };
    let pending = &raw mut pending;
    // SAFETY: the list outlives the phase, at whose end it is empty.
    unsafe {
        queue::take_all(pending, started);
    }
    // SAFETY: its nodes are started handles; one that a callback stops leaves it.
    while let Some(node) = unsafe { queue::pop_front(pending) } {
        // SAFETY: as above.
        let call = unsafe {
            queue::push_back(started, node);
            T::prepare_call(cx, node)
        };
        cx.call(call);
    }
}
