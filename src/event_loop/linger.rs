//! When it pays to watch for work a moment longer before sleeping.
//!
//! A sleep and a wake across CPUs cost more than most wake-ups bring. But a thread that watches in vain burns a CPU that others
//! want, so a fixed window is ruinous; this is the policy that was measured to cost nothing (docs/BENCHMARKS.md):
//!
//! - The one who wakes a sleeper makes a system call anyway, so it may as well stamp the time. From the stamp the sleeper learns for
//!   nothing how long it would have had to watch. Only when that was short, again and again, does it begin to watch.
//! - "Short" is measured against how late the sleeper woke after the call began, and never more than [`MOST_NS`].
//! - Part of a wait may only be due to the waker having been asleep itself. A waker that knows says so, else two threads that wait
//!   for each other would both conclude that watching cannot pay.
//! - A sleeper that was woken on the waker's own CPU does not watch: it would keep the other from running, and such wakes are cheap.
//! - A watch in vain doubles the number of sleeps until the next try, up to one in [`MOST_SKIPS`].
//! - With one usable CPU nobody watches.
//!
//! `Linger` belongs to the sleeping thread, but for the atomics, which its wakers write.

use crate::sys::{cpus, time::now_ns, variable};
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

/// No watch is longer.
const MOST_NS: u64 = 50_000;
/// After misses at least one sleep in so many is preceded by a watch, if the stamps speak for it.
const MOST_SKIPS: u32 = 1024;
/// How sure the prediction can get, either way.
const SURE: i32 = 4;

/// Set once from `UV_LINGER=0` in the environment.
static SWITCHED_OFF: AtomicBool = AtomicBool::new(false);

/// Reads the switch. Called when a loop is made.
pub fn read_switch() {
    SWITCHED_OFF.store(variable::is_off(c"UV_LINGER"), Relaxed);
}

/// One thread's experience with its sleeps.
#[derive(Default)]
pub struct Linger {
    /// When and where the last waker made its call, and how late it was itself.
    woken_at: AtomicU64,
    waker_cpu: AtomicU32,
    waker_late: AtomicU64,
    /// How late this thread runs after a call from another CPU begins, a moving average in ns.
    late: Cell<u64>,
    /// The last waker was on this thread's CPU.
    local: Cell<bool>,
    /// Above 0: watching would have paid lately.
    score: Cell<i32>,
    /// Sleeps to let pass without watching, and how many that will be after the next miss.
    skips: Cell<u32>,
    penalty: Cell<u32>,
    slept_at: Cell<u64>,
    /// How late the last wake-up was, unless that was passed on already.
    own_late: Cell<u64>,
}

impl Linger {
    /// How long to watch now, if at all. Sleeper only.
    pub fn window(&self) -> Option<u64> {
        if self.score.get() <= 0 || self.local.get() || SWITCHED_OFF.load(Relaxed) || cpus::usable() < 2 {
            return None;
        }
        if let Some(left) = self.skips.get().checked_sub(1) {
            self.skips.set(left);
            return None;
        }
        Some(self.bound())
    }

    /// A watch saw work.
    pub fn hit(&self) {
        self.score.set(SURE.min(self.score.get() + 1));
        self.penalty.set(self.penalty.get() / 2);
        self.own_late.set(0);
    }

    /// A watch was in vain.
    pub fn miss(&self) {
        let penalty = (self.penalty.get() * 2).clamp(8, MOST_SKIPS);
        self.penalty.set(penalty);
        self.skips.set(penalty);
        self.score.set(self.score.get() - 1);
        cpus::measure();
    }

    /// The thread goes to sleep. Sleeper only.
    pub fn sleep(&self) {
        self.own_late.set(0);
        self.slept_at.set(now_ns());
    }

    /// The thread woke. Sleeper only.
    pub fn awake(&self) {
        let woken_at = self.woken_at.load(Relaxed);
        let slept_at = self.slept_at.get();
        if woken_at < slept_at {
            return; // not woken by another thread, or too long ago to be told
        }
        let late = now_ns().saturating_sub(woken_at);
        self.own_late.set(late);
        self.local.set(self.waker_cpu.load(Relaxed) == cpus::current());
        if self.local.get() {
            return;
        }
        let average = self.late.get();
        let late = late.min(MOST_NS);
        self.late.set(if average == 0 { late } else { average - average / 8 + late / 8 });
        let waited = (woken_at - slept_at).saturating_sub(self.waker_late.load(Relaxed));
        let step = if waited <= self.bound() { 1 } else { -1 };
        self.score.set((self.score.get() + step).clamp(-SURE, SURE));
    }

    /// How late this thread was woken before it did what it is about to wake another for; once. Its own thread only.
    pub fn take_late(&self) -> u64 {
        self.own_late.take()
    }

    /// Wakes the sleeper by `call`; the waker itself was `late` ns late (0: not, or not known). Any thread and signal handlers.
    pub fn wake_by(&self, late: u64, call: impl FnOnce()) {
        self.waker_late.store(late, Relaxed);
        self.waker_cpu.store(cpus::current(), Relaxed);
        self.woken_at.store(now_ns(), Relaxed);
        call();
    }

    fn bound(&self) -> u64 {
        (self.late.get() * 3 / 2).min(MOST_NS)
    }
}
