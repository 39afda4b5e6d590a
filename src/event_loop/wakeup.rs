//! Waking a loop: from another thread, from a signal handler, or from itself.
//!
//! What became ready is put into the loop's mailbox (`sync/mailbox.rs`). The answer says whether the loop must be woken; then, and
//! only then, its eventfd is written: at most once per sleep, and never while the loop is awake.
//!
//! The eventfd is in the epoll set edge-triggered and is never read. The reference tried that in 2024 and took it back for a
//! while, since a program then saw its data late: a send that found the handle already pending ordered nothing, and without
//! the read nothing else did. Here every send is a read-modify-write on the handle (`handles/async_.rs`), which orders the
//! sender's data before the callback.

use super::{Internals, Loop};
use crate::abi::{uv__queue, uv_loop_t};
use crate::sync::mailbox::{Kind, Put, State};
use crate::sys::epoll;

/// Puts a node into a loop's mailbox and wakes the loop if it needs that. Any thread, and signal handlers.
///
/// # Safety
/// The loop is alive until the node was dispatched or withdrawn; the node is as [`crate::sync::ready::Ready::put`] wants it.
pub unsafe fn post(target: *const uv_loop_t, node: *mut uv__queue, kind: Kind) {
    // SAFETY: the caller's.
    unsafe { post_late(target, node, kind, 0) }
}

/// `post` by a thread that was itself woken `late` ns late for what it delivers; see `linger.rs`.
///
/// # Safety
/// As for `post`.
pub unsafe fn post_late(target: *const uv_loop_t, node: *mut uv__queue, kind: Kind, late: u64) {
    // SAFETY: the pointer is set once, before anybody can post, and the loop is alive (see `paid` for how long).
    let internals = unsafe { &*(&raw const (*target).internal_fields).read().cast::<Internals>() };
    // SAFETY: the caller's.
    if unsafe { internals.ready.put(node, kind) } == Put::Wake {
        // SAFETY: written by init and fork only, which no poster may race with.
        let fd = unsafe { (&raw const (*target).async_io_watcher.fd).read() };
        internals.linger.wake_by(late, || epoll::ring(fd));
        internals.ready.paid();
    }
}

impl Loop {
    /// Leaves the loop: from now on posters make its descriptor readable. What is ready already must do so itself.
    pub fn leave(self) {
        let ready = &self.internals().ready;
        if ready.collected() > 0 || !ready.settle(State::Outside) {
            ready.collect(State::Outside);
            epoll::ring(self.wake_fd());
        }
    }

    /// The loop's eventfd.
    pub fn wake_fd(self) -> i32 {
        // SAFETY: the loop is alive.
        unsafe { (&raw const (*self.as_ptr()).async_io_watcher.fd).read() }
    }
}
