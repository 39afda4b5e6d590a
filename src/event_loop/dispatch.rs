//! Who runs what: from the loop's queues up to the handles, requests and ports.
//!
//! This is the one place where the loop knows of the layers above it.

use super::Loop;
use super::watcher::{Owner, Watcher};
use crate::abi::*;
use crate::handles::{async_, loop_watchers, poll, signal};
use crate::ptr::Cx;
use crate::reqs;
use crate::sync::mailbox::Kind;
use crate::worker::port;

/// The idle phase.
pub fn run_idle(cx: &mut Cx, lp: Loop) {
    loop_watchers::run::<uv_idle_t>(cx, lp);
}

/// The prepare phase.
pub fn run_prepare(cx: &mut Cx, lp: Loop) {
    loop_watchers::run::<uv_prepare_t>(cx, lp);
}

/// The check phase.
pub fn run_check(cx: &mut Cx, lp: Loop) {
    loop_watchers::run::<uv_check_t>(cx, lp);
}

/// A watched descriptor has `events` (`EPOLL*` bits).
pub fn run_watcher(cx: &mut Cx, _lp: Loop, watcher: Watcher, events: u32) {
    const POLL: usize = Owner::Poll as usize;
    if watcher.bits() == POLL {
        poll::run(cx, watcher, events);
    }
}

/// Runs what `node` stands for.
///
/// # Safety
/// The node was of that kind and just left the loop's ready list.
pub unsafe fn run_ready(cx: &mut Cx, lp: Loop, node: *mut uv__queue, kind: Kind) {
    // SAFETY: the caller's; the kind says what the node lies in.
    unsafe {
        match kind {
            Kind::Async => async_::run(cx, node),
            Kind::Signal => signal::run(cx, node),
            Kind::Work => reqs::finish(cx, node),
            Kind::Port => port::run(cx, lp, node),
            Kind::Message => {} // messages are put into inboxes, never into a loop's mailbox
        }
    }
}
