//! What can be known of a loop from outside while it runs, or is stuck: how many handles of which type, where in its turn it is, since
//! when. For the debug port.
//!
//! The loop's thread alone writes, with relaxed stores and no read-modify-writes; any thread may read. All loops of the process stand in a
//! roster, from which `uv_loop_close` takes them. Who looks at a loop holds its lock, for which `uv_loop_close` waits; so does the loop's thread
//! while it changes what hangs on the loop and is no atomic: the list of its ports, and whose its posted calls are.

use super::{Internals, Loop};
use crate::abi::*;
use crate::ds::queue;
use crate::ptr::{Handle, HandleType};
use crate::sync::prim::{Mutex, MutexGuard, lock};
use crate::sync::roster::{Entry, Listed, Roster};
use crate::sys::thread;
use core::cell::Cell;
use core::ops::Deref;
use core::ptr::null;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Handle types are below this.
pub const KINDS: usize = UV_HANDLE_TYPE_MAX as usize;

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
    /// See the module.
    looked_at: Mutex<()>,
    /// The loop. Set before it enters the roster.
    raw: Cell<*const uv_loop_t>,
    entry: Entry<Census>,
}

/// All loops.
pub static LOOPS: Roster<Census> = Roster::new();

impl Listed for Census {
    fn entry(&self) -> &Entry<Census> {
        &self.entry
    }
}

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
            looked_at: Mutex::new(()),
            raw: Cell::new(null()),
            entry: Entry::default(),
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

    /// Enters the roster.
    pub fn enlist(&self, raw: *const uv_loop_t) {
        self.raw.set(raw);
        // SAFETY: `uv_loop_close` takes it out first.
        unsafe { LOOPS.enter(self) };
    }

    /// Leaves the roster, if it is there; nobody looks at the loop any more.
    pub fn delist(&self) {
        LOOPS.leave(self);
        drop(self.hold());
    }

    /// Until the result is dropped, nobody looks at what hangs on the loop. Short.
    pub fn hold(&self) -> MutexGuard<'_, ()> {
        lock(&self.looked_at)
    }
}

/// What is counted of one type's handles.
#[derive(Clone, Copy)]
pub struct Handles {
    /// Not closed.
    pub count: u32,
    /// Started, or waiting for something.
    pub active: u32,
    /// Those that keep the loop alive while they are active.
    pub referenced: u32,
}

/// For any thread.
impl Census {
    /// The loop's number, which no other loop of the process has or had; 0: it is not in the roster.
    pub fn id(&self) -> u64 {
        self.entry.id()
    }

    /// The loop.
    pub fn raw(&self) -> *const uv_loop_t {
        self.raw.get()
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

    /// The handles of each type.
    pub fn handles(&self) -> [Handles; KINDS] {
        self.counts.each_ref().map(|count| Handles {
            count: count.handles.load(Relaxed),
            active: count.active.load(Relaxed),
            referenced: count.referenced.load(Relaxed),
        })
    }
}

/// A loop that is looked at: it stays until this is dropped. Only atomics may be read, and what its thread changes under `hold`.
pub struct Seen {
    census: &'static Census,
    _held: MutexGuard<'static, ()>,
}

impl Seen {
    /// The loop's private part.
    pub fn internals(&self) -> &Internals {
        // SAFETY: set up before the loop entered the roster, and freed after nobody looks at it.
        unsafe { &*(&raw const (*self.raw.get()).internal_fields).read().cast_const().cast::<Internals>() }
    }
}

impl Deref for Seen {
    type Target = Census;
    fn deref(&self) -> &Census {
        self.census
    }
}

/// Each loop that may be shown, the newest first. One is to be dropped before the next is asked for.
pub fn each() -> impl Iterator<Item = Seen> {
    LOOPS.walk(|census| {
        // SAFETY: it is in the roster, which it leaves under the mutex that is held here; then it waits for `_held`.
        let census = unsafe { &*core::ptr::from_ref(census) };
        (!census.hidden.load(Relaxed)).then(|| Seen { census, _held: census.hold() })
    })
}

/// In the child: the loops are the parent's. Those that the child goes on with enter the roster again (`uv_loop_fork`).
pub fn after_fork_in_child() {
    LOOPS.after_fork_in_child(|census| {
        // SAFETY: the child has one thread, so nobody is inside the lock, whatever state it was copied in.
        unsafe { core::ptr::from_ref(&census.looked_at).cast_mut().write(Mutex::new(())) };
    });
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
