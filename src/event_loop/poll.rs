//! The poll phase: waiting for what may become ready, and running it.
//!
//! One `epoll_pwait` a turn; none in a turn that must not block and has no descriptors to look at. Descriptors are run first, in the
//! kernel's order, then what stands in `ready` (asyncs, signals, finished work, ports), oldest first.

use super::census::Phase;
use super::watcher::Owner;
use super::{Loop, dispatch, pool};
use crate::abi::errno::Errno;
use crate::abi::uv__queue;
use crate::ds::queue;
use crate::ptr::Cx;
use crate::sync::broken;
use crate::sync::mailbox::State;
use crate::sys::{cpus, epoll, signal_mask, time::now_ns};
use crate::trace::own::Span;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use libc::epoll_event;

/// Events fetched at once.
const BATCH: usize = 1024;
/// Full batches run in one turn before other phases get their turn.
const MOST_BATCHES: usize = 48;
/// While lingering with descriptors to watch, the kernel is asked this often.
const PEEK_NS: u64 = 4_000;

/// How long to wait until the kernel is asked again to watch what it has refused.
const RETRY_MS: c_int = 1;

type Events = [MaybeUninit<epoll_event>; BATCH];

/// The part of a batch that has not run yet.
#[derive(Clone, Copy)]
pub struct Batch {
    rest: *mut epoll_event,
    len: usize,
}

impl Batch {
    /// No events.
    pub const EMPTY: Batch = Batch { rest: core::ptr::null_mut(), len: 0 };

    /// Strikes out the events of a descriptor that is watched no more: its number may soon be another's.
    pub fn forget(self, fd: c_int) {
        for index in 0..self.len {
            // SAFETY: a batch is only in the loop's hands while its events are alive and unborrowed.
            unsafe {
                let event = self.rest.add(index);
                if (&raw const (*event).u64).read_unaligned() == u64::from(fd.cast_unsigned()) {
                    (&raw mut (*event).u64).write_unaligned(NOBODY);
                }
            }
        }
    }
}

/// Stands where the events of a forgotten descriptor were.
const NOBODY: u64 = u64::MAX;

/// The poll phase. `timeout` in ms, -1: for ever.
pub fn poll(cx: &mut Cx, lp: Loop, timeout: c_int) {
    let timeout = register(cx, lp, timeout);
    let mut events: Events = [const { MaybeUninit::uninit() }; BATCH];
    lp.census().enter(Phase::Poll);
    let span = Span::begin();
    let (mut count, were_waiting) = wait(lp, &mut events, timeout);
    span.end(c"wait", &[(c"timeout_ms", timeout.into()), (c"events", count as i64)]);
    lp.internals().metrics.end_waiting();
    lp.census().stir(Phase::Events, lp.time());
    for batches_left in (0..MOST_BATCHES).rev() {
        run_descriptors(cx, lp, &mut events, count, were_waiting);
        if count < BATCH || batches_left == 0 {
            break;
        }
        count = fetch(lp, &mut events, 0).unwrap_or(0);
    }
    run_ready(cx, lp, were_waiting);
}

/// Tells the kernel of changed interests, and says how long may be waited then. A descriptor that it refuses, for lack of memory or because
/// there is nothing to wait for in it, is looked after here: some get an error event, others are asked about each turn.
fn register(cx: &mut Cx, lp: Loop, mut timeout: c_int) -> c_int {
    let mut changed = uv__queue { next: null_mut(), prev: null_mut() };
    let changed = &raw mut changed;
    // SAFETY: the list lives until it is empty.
    unsafe {
        queue::take_all(changed, lp.watcher_queue());
    }
    // SAFETY: its nodes are those of live watchers: one that is given up leaves it.
    while let Some(result) = unsafe { lp.register_next(changed) } {
        let Err(watcher) = result else { continue };
        let events = watcher.events_without_kernel();
        if events != 0 {
            timeout = 0; // what runs now may leave something to do at once
            dispatch::run_watcher(cx, lp, watcher, events);
        } else if !(0..RETRY_MS).contains(&timeout) {
            timeout = RETRY_MS;
        }
    }
    timeout
}

/// Waits until something is ready or the time is over. Says how many events were fetched, and whether what is ready was so
/// before the loop asked.
fn wait(lp: Loop, events: &mut Events, mut timeout: c_int) -> (usize, bool) {
    let internals = lp.internals();
    if timeout == 0 && lp.nfds() == 0 && !internals.must_poll.get() {
        return (0, true);
    }
    if timeout != 0 {
        if internals.metrics.measures_idle() {
            // Only a look that does not block tells what was waiting.
            match fetch(lp, events, 0) {
                Some(count) if count > 0 => return (count, true),
                _ => internals.metrics.begin_waiting(),
            }
        }
        if let Some(count) = linger(lp, events) {
            lp.update_time();
            return (count, false);
        }
        internals.was_fed.set(false);
        if internals.ready.collected() > 0 || !internals.ready.settle(State::Asleep) {
            timeout = 0;
        }
    }
    if timeout == 0 {
        return (fetch(lp, events, 0).unwrap_or(0), true);
    }
    internals.linger.sleep();
    let count = sleep(lp, events, timeout);
    internals.linger.awake();
    (count, false)
}

/// Blocks, also through interruptions and early ends, for `timeout` ms of the loop's time.
fn sleep(lp: Loop, events: &mut Events, timeout: c_int) -> usize {
    let until = (timeout > 0).then(|| lp.time().saturating_add(timeout.cast_unsigned().into()));
    let mut left = timeout;
    loop {
        let fetched = fetch(lp, events, left);
        lp.update_time();
        match fetched {
            Some(count) if count > 0 => return count,
            // An interruption; or the kernel's clock and ours, in ms, do not quite agree.
            _ => {}
        }
        if lp.internals().ready.has_mail() {
            return 0;
        }
        if let Some(until) = until {
            if lp.time() >= until {
                return 0;
            }
            left = c_int::try_from(until - lp.time()).unwrap_or(c_int::MAX);
        }
    }
}

/// One `epoll_pwait`; None when it was interrupted.
fn fetch(lp: Loop, events: &mut Events, timeout: c_int) -> Option<usize> {
    lp.internals().must_poll.set(false);
    let mask = lp.internals().block_sigprof.get().then(|| signal_mask::set_of(libc::SIGPROF));
    match epoll::wait(lp.backend_fd(), events, timeout, mask.as_ref()) {
        Ok(count) => Some(count),
        Err(Errno::EINTR) => None,
        // The program has closed the loop's descriptor: without it the loop can only spin.
        Err(error) => broken::abort(c"epoll_pwait", -error.code()),
    }
}

/// Watches for work a moment before sleeping, when experience says that it pays. Some: the wait is over, with that many
/// events fetched.
fn linger(lp: Loop, events: &mut Events) -> Option<usize> {
    let internals = lp.internals();
    if !internals.was_fed.get() || pool::awake_workers() >= cpus::usable() {
        return None;
    }
    let window = internals.linger.window()?;
    let start = now_ns();
    let mut peek_at = start + PEEK_NS;
    loop {
        for _ in 0..32 {
            if internals.ready.has_mail() {
                internals.linger.hit();
                return Some(if lp.nfds() > 0 { fetch(lp, events, 0).unwrap_or(0) } else { 0 });
            }
            core::hint::spin_loop();
        }
        let now = now_ns();
        if now - start >= window {
            internals.linger.miss();
            return None;
        }
        if lp.nfds() > 0 && now >= peek_at {
            match fetch(lp, events, 0) {
                Some(count) if count > 0 => return Some(count),
                _ => peek_at = now + PEEK_NS,
            }
        }
    }
}

fn run_descriptors(cx: &mut Cx, lp: Loop, events: &mut Events, count: usize, were_waiting: bool) {
    let first = events.as_mut_ptr().cast::<epoll_event>();
    let batch = &lp.internals().batch;
    for index in 0..count {
        // SAFETY: the kernel stored `count` events, and `index` is below.
        let (event, rest) = unsafe { (first.add(index).read_unaligned(), first.add(index + 1)) };
        batch.set(Batch { rest, len: count - index - 1 });
        let key = event.u64;
        let Ok(fd) = c_int::try_from(key) else { continue };
        if fd == lp.wake_fd() {
            continue; // what it announces stands in `ready`
        }
        lp.internals().metrics.count_events(1, were_waiting);
        let Some(watcher) = lp.watcher_of(fd) else {
            // Watched no more, but still open somewhere: an inherited copy keeps it in the set.
            let _ = epoll::control(lp.backend_fd(), libc::EPOLL_CTL_DEL, fd, 0);
            continue;
        };
        if watcher.pevents() == 0 {
            lp.disarm(watcher);
            continue;
        }
        let trouble = (libc::EPOLLERR | libc::EPOLLHUP).cast_unsigned();
        let mut fired = event.events & (watcher.pevents() | trouble);
        let tells_trouble_apart = watcher.bits() == Owner::Stream as usize;
        if fired != 0 && fired & !trouble == 0 && !tells_trouble_apart {
            // Trouble alone is reported as what the owner asked for, so that its next call gets the error.
            let kinds = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLPRI;
            fired |= watcher.pevents() & kinds.cast_unsigned();
        }
        if fired != 0 {
            dispatch::run_watcher(cx, lp, watcher, fired);
        }
    }
    batch.set(Batch::EMPTY);
}

/// Runs what is ready now; what becomes ready meanwhile waits for the next turn.
fn run_ready(cx: &mut Cx, lp: Loop, were_waiting: bool) {
    let internals = lp.internals();
    internals.ready.collect(State::Awake);
    let count = internals.ready.collected();
    if count == 0 {
        return;
    }
    internals.was_fed.set(true);
    internals.metrics.count_events(count, were_waiting);
    for _ in 0..count {
        let Some((node, kind)) = internals.ready.pop() else { break };
        // SAFETY: just taken off the list.
        unsafe { dispatch::run_ready(cx, lp, node, kind) };
    }
}
