//! `uv_async_t`: lets another thread have a callback run on the loop's thread.
//!
//! `pending` is the word that senders share. Who sets PENDING puts the handle into the loop's mailbox; everybody else is done,
//! for that callback is still to come. Every send is a read-modify-write, even one that changes nothing: so the sender's data is
//! ordered before the callback that sees the bit (the reference only reads the word there, and can lose that order).
//!
//! Closing sets CLOSED, after which no sender touches anything but the word, and takes the handle out of the ready list. So a
//! send may race with `uv_close`, as long as it returns before the close callback frees the handle.

use crate::abi::errno::Result;
use crate::abi::*;
use crate::event_loop::{Loop, wakeup};
use crate::ptr::{Cx, Handle};
use crate::sync::mailbox::Kind;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicI32, Ordering};

/// In the mailbox or the ready list, or about to be.
const PENDING: i32 = 1;
/// `uv_close` was called.
const CLOSED: i32 = 2;

/// `uv_async_init`: active at once; `cb` may be null, a send then only wakes the loop.
///
/// # Safety
/// `raw` is writable memory for an async that is no handle in use.
pub unsafe fn init(cx: &Cx, lp: Loop, raw: *mut uv_async_t, cb: uv_async_cb) -> Result {
    // SAFETY: the caller's.
    let handle = unsafe { Handle::init(cx, lp, raw) };
    handle.set_async_cb(cb);
    // SAFETY: nobody else has the handle yet.
    unsafe {
        (*raw).queue.next = null_mut();
        (*raw).queue.prev = null_mut();
        (*raw).pending = 0;
    }
    handle.activate();
    Ok(())
}

/// `uv_async_send`. Any thread, and signal handlers.
///
/// # Safety
/// `raw` is an async whose close callback has not run.
pub unsafe fn send(raw: *mut uv_async_t) {
    // SAFETY: the caller's.
    let pending = unsafe { pending(raw) };
    let mut word = pending.load(Ordering::Relaxed);
    loop {
        let next = if word == 0 { PENDING } else { word };
        match pending.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(0) => break,
            Ok(_) => return,
            Err(seen) => word = seen,
        }
    }
    // SAFETY: with PENDING set by this thread the node is its own, and closing waits until it is in.
    unsafe {
        let target = (&raw const (*raw).handle.loop_).read();
        wakeup::post(target, &raw mut (*raw).queue, Kind::Async);
    }
}

/// Runs the callback of the handle around `node`.
///
/// # Safety
/// The node lies in an async that just left the ready list.
pub unsafe fn run(cx: &mut Cx, node: *mut uv__queue) {
    // SAFETY: the caller's; handles in the list are alive.
    let raw = unsafe { container_of!(node, uv_async_t, queue) };
    // Before the callback: what is sent from here on wants another one.
    // SAFETY: as above.
    unsafe { pending(raw) }.fetch_and(!PENDING, Ordering::AcqRel);
    // SAFETY: as above.
    let cb = unsafe { Handle::new(cx, raw) }.async_cb();
    if let Some(cb) = cb {
        // SAFETY: the user's function, with the handle that it was given for.
        cx.call(|| unsafe { cb(raw) });
    }
}

/// For `uv_close`.
pub fn stop(handle: Handle<'_, uv_async_t>) {
    let raw = handle.as_ptr();
    // SAFETY: the handle is alive.
    let before = unsafe { pending(raw) }.fetch_or(CLOSED, Ordering::AcqRel);
    if before & PENDING != 0 {
        let lp = handle.owner();
        // SAFETY: PENDING says that the node is in, or that its sender is about to put it in.
        unsafe { lp.internals().ready.withdraw(&raw mut (*raw).queue) };
    }
    handle.deactivate();
}

/// After fork, in the child: the sender may be a thread that is gone.
pub fn forget(handle: Handle<'_, uv_async_t>) {
    let raw = handle.as_ptr();
    // SAFETY: the handle is alive, and nobody else runs in the child.
    unsafe {
        if !(*raw).queue.prev.is_null() {
            handle.owner().internals().ready.unlink(&raw mut (*raw).queue);
        }
        pending(raw).fetch_and(!PENDING, Ordering::Relaxed);
    }
}

/// # Safety
/// `raw` is an async that is alive for `'a`.
unsafe fn pending<'a>(raw: *mut uv_async_t) -> &'a AtomicI32 {
    // SAFETY: the caller's; after init the word is only used as an atomic.
    unsafe { AtomicI32::from_ptr(&raw mut (*raw).pending) }
}
