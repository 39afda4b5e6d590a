//! What can be known of a loop from outside while it runs, or is stuck: how many handles of which type, where in its turn it is, since
//! when. For the debug port.
//!
//! The loop's thread alone writes, with relaxed stores and no read-modify-writes; any thread may read. All loops of the process stand in a
//! list under a mutex, which who reads holds: `uv_loop_close` waits for it, so no loop goes while it is looked at.

use super::Loop;
use crate::abi::*;
use crate::ds::queue;
use crate::ptr::{Handle, HandleType};
use crate::sync::static_mutex::StaticMutex;
use crate::sys::thread;
use core::cell::Cell;
use core::ptr::null;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Handle types are below this.
const KINDS: usize = UV_HANDLE_TYPE_MAX as usize;

/// Where in its turn a loop is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Phase {
    /// Not in `uv_run`.
    Outside,
    /// Runs what was fed, idle and prepare callbacks.
    Prepare,
    /// Waits for events, if it may.
    Poll,
    /// Runs the callbacks of descriptors, asyncs, finished work, ports.
    Events,
    /// Runs check callbacks.
    Check,
    /// Runs close callbacks.
    Closing,
    /// Runs timers.
    Timers,
}

/// The names of the phases, in order.
const PHASES: [&str; 7] = ["outside", "prepare", "poll", "events", "check", "closing", "timers"];

/// What is counted of the handles of one type.
#[derive(Default)]
struct Count {
    handles: AtomicU32,
    active: AtomicU32,
    referenced: AtomicU32,
}

/// See the module.
pub struct Census {
    counts: [Count; KINDS],
    phase: AtomicU32,
    /// The loop's time when its last wait for events ended.
    stirred_at: AtomicU64,
    /// When the first timer is due, as it was known before the last wait; 0: not known, `u64::MAX`: none.
    next_due: AtomicU64,
    /// The system's number for the thread that runs the loop, or did last; 0 for none.
    tid: AtomicI32,
    /// The same as `sys::thread::number`.
    runner: AtomicUsize,
    /// Not to be shown.
    hidden: AtomicBool,
    /// No other loop of the process has or had it; 0: not in the list.
    id: AtomicU64,
    /// The loop, and its neighbours in the list. Under the list's mutex.
    raw: Cell<*const uv_loop_t>,
    next: Cell<*const Census>,
    previous: Cell<*const Census>,
}

/// All loops, the newest first, and the last number that one got.
struct Loops {
    first: Cell<*const Census>,
    last_id: Cell<u64>,
}

static LOOPS: StaticMutex<Loops> =
    StaticMutex::new(Loops { first: Cell::new(null()), last_id: Cell::new(0) });

fn add(counter: &AtomicU32, by: u32) {
    counter.store(counter.load(Relaxed).wrapping_add(by), Relaxed);
}

/// One less.
const MINUS: u32 = u32::MAX;

impl Default for Census {
    /// Of a loop in no list.
    fn default() -> Self {
        Census {
            counts: core::array::from_fn(|_| Count::default()),
            phase: AtomicU32::new(Phase::Outside as u32),
            stirred_at: AtomicU64::new(0),
            next_due: AtomicU64::new(0),
            tid: AtomicI32::new(0),
            runner: AtomicUsize::new(0),
            hidden: AtomicBool::new(false),
            id: AtomicU64::new(0),
            raw: Cell::new(null()),
            next: Cell::new(null()),
            previous: Cell::new(null()),
        }
    }
}

/// For the loop's thread.
impl Census {
    /// The loop's time is `now`, and it goes on with `phase`.
    pub fn stir(&self, phase: Phase, now: u64) {
        self.stirred_at.store(now, Relaxed);
        self.enter(phase);
    }

    /// The loop goes on with `phase`.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u32, Relaxed);
    }

    /// The first timer is due at `due`, if there is any.
    pub fn expect_timer(&self, due: Option<u64>) {
        self.next_due.store(due.unwrap_or(u64::MAX), Relaxed);
    }

    /// This thread runs the loop from now on.
    pub fn run_here(&self) {
        if self.runner.load(Relaxed) != thread::number() {
            self.runner.store(thread::number(), Relaxed);
            self.tid.store(thread::tid(), Relaxed);
        }
    }

    /// The loop is not to be shown.
    pub fn hide(&self) {
        self.hidden.store(true, Relaxed);
    }

    /// Enters the list.
    pub fn enlist(&self, raw: *const uv_loop_t) {
        let loops = LOOPS.lock();
        loops.last_id.set(loops.last_id.get() + 1);
        self.id.store(loops.last_id.get(), Relaxed);
        self.raw.set(raw);
        self.previous.set(null());
        self.next.set(loops.first.replace(self));
        // SAFETY: loops leave the list before they go; under the mutex.
        if let Some(next) = unsafe { self.next.get().as_ref() } {
            next.previous.set(self);
        }
    }

    /// Leaves the list, if it is there.
    pub fn delist(&self) {
        let loops = LOOPS.lock();
        if self.id.swap(0, Relaxed) == 0 {
            return; // a loop of the parent in the child after fork
        }
        // SAFETY: as in `enlist`.
        unsafe {
            match self.previous.get().as_ref() {
                None => loops.first.set(self.next.get()),
                Some(previous) => previous.next.set(self.next.get()),
            }
            if let Some(next) = self.next.get().as_ref() {
                next.previous.set(self.previous.get());
            }
        }
    }
}

/// What is counted of one type's handles.
pub struct Handles {
    /// Not closed.
    pub count: u32,
    /// Started, or waiting for something.
    pub active: u32,
    /// Those that keep the loop alive while they are active.
    pub referenced: u32,
}

/// Until the result is dropped, nobody looks at what hangs on loops: for who changes what is shown and is no atomic. Short.
pub fn hold() -> impl Drop {
    LOOPS.lock()
}

/// For any thread.
impl Census {
    /// The loop's number.
    pub fn id(&self) -> u64 {
        self.id.load(Relaxed)
    }

    /// The thread that runs the loop, or did last; 0 for none.
    pub fn tid(&self) -> i32 {
        self.tid.load(Relaxed)
    }

    /// The name of the phase that the loop is in.
    pub fn phase(&self) -> &'static str {
        PHASES.get(self.phase.load(Relaxed) as usize).copied().unwrap_or("")
    }

    /// See the field.
    pub fn stirred_at(&self) -> u64 {
        self.stirred_at.load(Relaxed)
    }

    /// When the first timer was due before the last wait, in ms of the loop's clock; None: there was none, or it never waited.
    pub fn next_due(&self) -> Option<u64> {
        Some(self.next_due.load(Relaxed)).filter(|due| *due != 0 && *due != u64::MAX)
    }

    /// The handles of a type.
    pub fn handles(&self, kind: uv_handle_type) -> Handles {
        let Some(count) = self.counts.get(kind as usize) else {
            return Handles { count: 0, active: 0, referenced: 0 };
        };
        Handles {
            count: count.handles.load(Relaxed),
            active: count.active.load(Relaxed),
            referenced: count.referenced.load(Relaxed),
        }
    }
}

/// Calls `visit` for each loop that may be shown, the newest first, with its struct, of which only atomics may be read. No loop is
/// made or closed meanwhile.
pub fn for_each(mut visit: impl FnMut(&Census, *const uv_loop_t)) {
    let loops = LOOPS.lock();
    let mut at = loops.first.get();
    // SAFETY: loops in the list are alive; under the mutex.
    while let Some(census) = unsafe { at.as_ref() } {
        if !census.hidden.load(Relaxed) {
            visit(census, census.raw.get());
        }
        at = census.next.get();
    }
}

/// On the thread that forks: nobody else is changing the list then.
pub fn before_fork() {
    core::mem::forget(LOOPS.lock());
}

/// In the parent.
pub fn after_fork_in_parent() {
    // SAFETY: `before_fork` took it on this thread.
    unsafe { LOOPS.unlock() };
}

/// In the child: the loops are the parent's. Those that the child goes on with enter the list again (`uv_loop_fork`).
pub fn after_fork_in_child() {
    // SAFETY: the child has one thread.
    unsafe { LOOPS.renew() };
    let mut at = LOOPS.lock().first.replace(null());
    // SAFETY: memory of the parent's loops is the child's too.
    while let Some(census) = unsafe { at.as_ref() } {
        census.id.store(0, Relaxed);
        at = census.next.get();
    }
}

/// The parts of a handle's life that are counted.
impl<'cx, T: HandleType> Handle<'cx, T> {
    /// Has come to its loop, referenced and not active.
    pub fn count_in(self) {
        if let Some(count) = self.count() {
            add(&count.handles, 1);
            add(&count.referenced, 1);
        }
    }

    /// Leaves its loop's list; not active any more.
    pub fn leave_list(self) {
        if let Some(count) = self.count() {
            add(&count.handles, MINUS);
            add(&count.referenced, if self.has(UV_HANDLE_REF) { MINUS } else { 0 });
        }
        // SAFETY: linked since init.
        unsafe { queue::unlink(self.node()) };
    }

    /// Has become active, or is so no more.
    pub fn count_active(self, is_active: bool) {
        if let Some(count) = self.count() {
            add(&count.active, if is_active { 1 } else { MINUS });
        }
    }

    /// Has become referenced, or is so no more.
    pub fn count_referenced(self, is_referenced: bool) {
        if let Some(count) = self.count() {
            add(&count.referenced, if is_referenced { 1 } else { MINUS });
        }
    }

    /// The counters of its type; None for a handle that is in no list: one of the library's own, or one that never came to life.
    fn count(&self) -> Option<&Count> {
        // SAFETY: initialised since init.
        if unsafe { queue::is_empty(self.node()) } {
            return None;
        }
        let counts = core::ptr::from_ref(&self.owner().internals().census.counts);
        // SAFETY: a loop outlives its handles.
        unsafe { &*counts }.get(self.base().handle_type() as usize)
    }

    fn node(self) -> *mut uv__queue {
        // SAFETY: a projection inside the handle, which is alive.
        unsafe { &raw mut (*self.base().as_ptr()).handle_queue }
    }
}

impl Loop {
    /// What is known of the loop from outside.
    pub fn census(&self) -> &Census {
        &self.internals().census
    }
}
