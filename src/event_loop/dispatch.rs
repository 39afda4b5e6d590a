//! Who runs what: from the loop's queues up to the handles, requests and ports.
//!
//! This is the one place where the loop knows of the layers above it.

use super::watcher::{Owner, Watcher};
use super::{Loop, notice, ring};
use crate::abi::errno::Result;
use crate::abi::*;
use crate::ds::queue;
use crate::handles::stream::{self, listen};
use crate::handles::{async_, fs_event, loop_watchers, poll, process, signal, udp};
use crate::ptr::{Cx, Handle};
use crate::reqs;
use crate::sync::mailbox::Kind;
use crate::worker::{broadcast, call, debug, locks, pools, port, service, workers};
use core::ffi::c_int;
use core::ptr::null_mut;

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

/// Runs the watchers that were fed until now; what they feed waits for the next time.
pub fn run_fed(cx: &mut Cx, lp: Loop) {
    let mut due = uv__queue { next: null_mut(), prev: null_mut() };
    let due = &raw mut due;
    // SAFETY: the list lives until it is empty; fed watchers are alive, since closing takes them out.
    unsafe {
        queue::take_all(due, lp.pending_queue());
        while let Some(node) = queue::pop_front(due) {
            run_watcher(cx, lp, Watcher::new(container_of!(node, uv__io_t, pending_queue)), 0);
        }
    }
}

/// A watched descriptor has `events` (`EPOLL*` bits), or none if its watcher was fed.
pub fn run_watcher(cx: &mut Cx, lp: Loop, watcher: Watcher, events: u32) {
    const POLL: usize = Owner::Poll as usize;
    const STREAM: usize = Owner::Stream as usize;
    const SERVER: usize = Owner::Server as usize;
    const UDP: usize = Owner::Udp as usize;
    const PROCESS: usize = Owner::Process as usize;
    const FS_EVENTS: usize = Owner::FsEvents as usize;
    const RING: usize = Owner::Ring as usize;
    match watcher.bits() {
        POLL => poll::run(cx, watcher, events),
        STREAM => stream::run(cx, watcher, events),
        SERVER => listen::run(cx, watcher),
        UDP => udp::run(cx, watcher, events),
        PROCESS => process::run(cx, watcher, events),
        FS_EVENTS => fs_event::run(cx, lp),
        RING => ring::run(cx, lp),
        _ => {}
    }
}

/// What is left to do, and to call back, when a handle's closing is complete.
pub fn finish_closing(cx: &mut Cx, handle: *mut uv_handle_t, kind: uv_handle_type) {
    // SAFETY: the kind says what the memory is; a closing handle is the library's until its callback.
    unsafe {
        match kind {
            UV_TCP | UV_NAMED_PIPE | UV_TTY => stream::finish_closing(cx, handle.cast()),
            UV_UDP => udp::finish_closing(cx, handle.cast()),
            _ => {}
        }
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
            Kind::Notice => notice::run(cx, lp, node),
            Kind::Message | Kind::Call => {} // these are put into mailboxes of their own, never into a loop's
        }
    }
}

/// The operation of `work` is done by the loop's ring, with this result of its system call.
///
/// # Safety
/// `work` was given to `Loop::submit_to_ring`.
pub unsafe fn finish_in_ring(cx: &mut Cx, work: *mut uv__work, result: c_int) {
    // SAFETY: the caller's; only file requests go there.
    unsafe { reqs::fs::by_ring::finish(cx, work, result) };
}

/// Counts the posted calls, and the requests begun by other threads, that keep the loop alive.
pub fn collect_calls(lp: Loop) {
    lp.collect_requests();
    if !lp.internals().calls.get().is_null() {
        call::collect(lp);
    }
}

/// The loop is about to be closed: takes no calls any more, and cancels those that wait.
pub fn cancel_calls(cx: &mut Cx, lp: Loop) {
    let _ = call::close(cx, lp, UV_ECANCELED); // or it was closed before
}

/// Nobody who has the loop's mailbox touches the loop any more.
pub fn forget_calls(lp: Loop) {
    call::leave(lp);
}

/// In the child after fork: calls that were posted to the loop are the parent's, and so are its workers, ports and locks.
pub fn forget_threads(lp: Loop) {
    call::forget(lp);
    workers::forget(lp);
    port::Port::forget_all(lp);
    locks::forget(lp);
}

/// A loop was made: the environment may want its process to have a debug port.
pub fn loop_made() {
    debug::look_at_environment();
}

/// For `pthread_atfork`: before fork, and afterwards in the parent and in the child.
pub const FORK_HANDLERS: [unsafe extern "C" fn(); 3] = [before_fork, after_fork, after_fork_in_child];

unsafe extern "C" fn before_fork() {
    workers::env_data::before_fork();
    workers::WORKERS.before_fork();
    pools::POOLS.before_fork();
    super::census::LOOPS.before_fork(); // these may have to wait, and the next one blocks signals
    signal::before_fork();
}

unsafe extern "C" fn after_fork() {
    signal::after_fork();
    super::census::LOOPS.after_fork_in_parent();
    pools::POOLS.after_fork_in_parent();
    workers::WORKERS.after_fork_in_parent();
    workers::env_data::after_fork_in_parent();
}

unsafe extern "C" fn after_fork_in_child() {
    super::lifecycle::is_guarded();
    signal::after_fork_in_child();
    super::pool::after_fork_in_child();
    service::after_fork_in_child();
    broadcast::after_fork_in_child();
    locks::after_fork_in_child();
    super::census::after_fork_in_child();
    pools::POOLS.after_fork_in_child(|_| ());
    workers::WORKERS.after_fork_in_child(|_| ());
    workers::env_data::after_fork_in_child();
    debug::after_fork_in_child();
}

/// In the child after fork: what another thread of the parent, or a signal to it, made ready is forgotten.
pub fn forget_pending(handle: Handle<'_, uv_handle_t>) {
    // SAFETY: each cast goes to what the type field says.
    unsafe {
        match handle.handle_type() {
            UV_ASYNC => async_::forget(handle.cast()),
            UV_SIGNAL => signal::forget(handle.cast()),
            _ => {}
        }
    }
}

/// In the child after fork: what layers above share with the parent and should not.
pub fn fork(lp: Loop) -> Result {
    fs_event::fork(lp)
}

/// The loop is being closed: what layers above have in it goes.
pub fn close(lp: Loop) {
    fs_event::close(lp);
}
