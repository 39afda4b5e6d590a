//! `uv_signal_t`: runs a callback on the loop's thread for a signal that any thread of the process received.
//!
//! The signal handler (`registry.rs`) counts the signal on each started handle (`caught_signals`) and puts those that were at 0 into
//! their loops' mailboxes; the loop takes the count and calls back as often.
//!
//! Unlike the reference, nothing is written into a pipe per signal, and a signal is never dropped because one is full.

pub mod registry;

pub use registry::{Hook, after_fork, after_fork_in_child, before_fork};

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::event_loop::Loop;
use crate::ptr::{Cx, Handle};
use core::ffi::c_int;
use core::mem::offset_of;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, Ordering};

/// What lies over `uv_signal_t.tree_entry`.
#[repr(C)]
struct Links {
    /// In the registry, while started.
    registry: uv__queue,
    /// In the loop's mailbox or ready list, while signals are to be run.
    ready: uv__queue,
}

const _: () = assert!(
    size_of::<Links>() == offset_of!(uv_signal_t, caught_signals) - offset_of!(uv_signal_t, tree_entry)
);

/// `uv_signal_init`.
///
/// # Safety
/// `raw` is writable memory for a signal handle that is not in use.
pub unsafe fn init(cx: &Cx, lp: Loop, raw: *mut uv_signal_t) {
    // SAFETY: the caller's.
    let handle = unsafe { Handle::init(cx, lp, raw) };
    handle.set_signal_cb(None);
    handle.set_signum(0);
    // SAFETY: nobody else has the handle yet.
    unsafe {
        let links = links(raw);
        queue::init(&raw mut (*links).registry);
        (*links).ready.next = null_mut();
        (*links).ready.prev = null_mut();
        (*raw).caught_signals = 0;
        (*raw).dispatched_signals = 0;
    }
}

/// `uv_signal_start` and `uv_signal_start_oneshot`.
pub fn start(handle: Handle<'_, uv_signal_t>, cb: uv_signal_cb, signum: c_int, one_shot: bool) -> Result {
    if handle.is_closing() || !registry::can_be_caught(signum) {
        return Err(Errno::EINVAL);
    }
    if !handle.is_active() || handle.signum() != signum {
        stop(handle);
    }
    let raw = handle.as_ptr();
    registry::with(|registry| {
        let head = registry.handles_of(signum).ok_or(Errno::EINVAL)?;
        // SAFETY: under the lock; the handle is in no other list of the registry. What cannot be installed leaves it again.
        unsafe {
            let node = &raw mut (*links(raw)).registry;
            (*raw).dispatched_signals = u32::from(one_shot);
            if !handle.is_active() {
                queue::push_back(head, node);
            }
            registry.install(signum).inspect_err(|_| queue::unlink(node))
        }
    })?;
    handle.set_signum(signum);
    handle.set_signal_cb(cb);
    handle.activate();
    Ok(())
}

/// `uv_signal_stop`. Signals caught before and not yet run are forgotten.
pub fn stop(handle: Handle<'_, uv_signal_t>) {
    if !handle.is_active() {
        return;
    }
    let raw = handle.as_ptr();
    let signum = handle.signum();
    registry::with(|registry| {
        // SAFETY: under the lock, and an active handle is in the registry.
        unsafe { queue::unlink(&raw mut (*links(raw)).registry) };
        let _ = registry.install(signum); // worked when it was started
    });
    // From here on no signal handler reaches the handle.
    // SAFETY: the handle is alive.
    if unsafe { caught(raw) }.swap(0, Ordering::AcqRel) != 0 {
        // SAFETY: a count above 0 says that the node is in the mailbox or the list.
        unsafe { handle.owner().internals().ready.withdraw(&raw mut (*links(raw)).ready) };
    }
    handle.set_signum(0);
    handle.deactivate();
}

/// Runs the callback of the handle around `node`, once for each signal caught.
///
/// # Safety
/// The node lies in a signal handle that just left the ready list.
pub unsafe fn run(cx: &mut Cx, node: *mut uv__queue) {
    // SAFETY: the caller's; handles in the list are alive.
    let raw = unsafe {
        let links = container_of!(node, Links, ready);
        links.byte_sub(offset_of!(uv_signal_t, tree_entry)).cast::<uv_signal_t>()
    };
    // SAFETY: as above.
    let count = unsafe { caught(raw) }.swap(0, Ordering::AcqRel);
    // SAFETY: as above.
    let signum = unsafe { Handle::new(cx, raw) }.signum();
    for _ in 0..count {
        let cb = {
            // SAFETY: memory of a handle is the library's until its close callback, which runs in another phase.
            let handle = unsafe { Handle::new(cx, raw) };
            if !handle.is_active() || handle.signum() != signum {
                return; // a callback has stopped it
            }
            handle.signal_cb()
        };
        if let Some(cb) = cb {
            // SAFETY: the user's function, with the handle that it was given for.
            cx.call(|| unsafe { cb(raw, signum) });
        }
        // SAFETY: as above.
        let handle = unsafe { Handle::new(cx, raw) };
        if wants_one(handle) {
            stop(handle);
        }
    }
}

/// After fork, in the child: signals of the parent are not run.
pub fn forget(handle: Handle<'_, uv_signal_t>) {
    let raw = handle.as_ptr();
    // SAFETY: the handle is alive; with a count its node is in the list, into which the mailbox was emptied.
    unsafe {
        if caught(raw).swap(0, Ordering::AcqRel) != 0 {
            handle.owner().internals().ready.unlink(&raw mut (*links(raw)).ready);
        }
    }
}

/// Whether the handle wants one signal only. That stands in the otherwise unused `dispatched_signals`, which, unlike the flags, is
/// written under the lock alone, so that handlers and other loops' threads may read it there.
fn wants_one(handle: Handle<'_, uv_signal_t>) -> bool {
    // SAFETY: the handle is alive, and this is its thread, the only one that writes the field.
    unsafe { (&raw const (*handle.as_ptr()).dispatched_signals).read() != 0 }
}

/// # Safety
/// `raw` is a live handle.
unsafe fn links(raw: *mut uv_signal_t) -> *mut Links {
    // SAFETY: the assertion above.
    unsafe { (&raw mut (*raw).tree_entry).cast() }
}

/// # Safety
/// `raw` is a handle that is alive for `'a`.
unsafe fn caught<'a>(raw: *mut uv_signal_t) -> &'a AtomicU32 {
    // SAFETY: the caller's; after init the word is only used as an atomic.
    unsafe { AtomicU32::from_ptr(&raw mut (*raw).caught_signals) }
}
