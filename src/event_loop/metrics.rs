//! What `uv_metrics_info` and `uv_metrics_idle_time` report.

use crate::abi::uv_metrics_t;
use crate::sync::prim::ShortWait;
use crate::sys::time::now_ns;
use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering, fence};

/// Counters of one loop. Only `idle_ns` and `turns` may be called from other threads.
#[derive(Default)]
pub struct Metrics {
    /// Written by the loop's thread alone.
    turns: AtomicU64,
    events: Cell<u64>,
    events_waiting: Cell<u64>,
    /// `UV_METRICS_IDLE_TIME` was asked for.
    measure_idle: Cell<bool>,
    /// Odd while the two words below do not belong together (a sequence lock).
    version: AtomicU64,
    /// When the loop began to wait; 0 while it does not.
    waiting_since: AtomicU64,
    idle: AtomicU64,
}

impl Metrics {
    /// Begin to measure idle time.
    pub fn measure_idle(&self) {
        self.measure_idle.set(true);
    }

    /// A turn of the loop.
    pub fn count_turn(&self) {
        self.turns.store(self.turns.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// `count` events came; `waiting` says that they were there before the loop asked.
    pub fn count_events(&self, count: usize, waiting: bool) {
        let count = count as u64;
        self.events.set(self.events.get() + count);
        if waiting {
            self.events_waiting.set(self.events_waiting.get() + count);
        }
    }

    /// Whether idle time is measured.
    pub fn measures_idle(&self) -> bool {
        self.measure_idle.get()
    }

    /// The loop is about to wait for events, in a loop whose idle time is measured.
    pub fn begin_waiting(&self) {
        self.write(self.idle.load(Ordering::Relaxed), now_ns());
    }

    /// The wait is over, if there was one.
    pub fn end_waiting(&self) {
        let since = self.waiting_since.load(Ordering::Relaxed);
        if since != 0 {
            let idle = self.idle.load(Ordering::Relaxed) + (now_ns() - since);
            self.write(idle, 0);
        }
    }

    fn write(&self, idle: u64, waiting_since: u64) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.idle.store(idle, Ordering::Relaxed);
        self.waiting_since.store(waiting_since, Ordering::Relaxed);
        self.version.store(version + 2, Ordering::Release);
    }

    /// How long the loop has waited for events, in ns; 0 unless that is measured. Any thread.
    pub fn idle_ns(&self) -> u64 {
        let mut wait = ShortWait::default();
        loop {
            let version = self.version.load(Ordering::Acquire);
            let idle = self.idle.load(Ordering::Relaxed);
            let since = self.waiting_since.load(Ordering::Relaxed);
            fence(Ordering::Acquire);
            if version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version {
                let current = if since == 0 { 0 } else { now_ns().saturating_sub(since) };
                return idle + current;
            }
            wait.step();
        }
    }

    /// How many turns the loop has made. Any thread.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// The counters.
    pub fn info(&self) -> uv_metrics_t {
        uv_metrics_t {
            loop_count: self.turns(),
            events: self.events.get(),
            events_waiting: self.events_waiting.get(),
            reserved: [core::ptr::null_mut(); 13],
        }
    }
}
