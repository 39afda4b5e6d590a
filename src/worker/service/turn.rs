//! Whose callback runs on the service thread, and who waits for its end.
//!
//! One waits for that one callback, not for its owner to be idle: a callback may end its own owner, whose memory may be another one's
//! at once. Nobody who comes then waits for it; who did already goes on waiting.

use crate::sync::prim::{AtomicU32, Ordering};
use core::cell::Cell;
use core::ffi::c_void;
use core::ptr::{eq, null};

/// See the module. The mutex's.
pub struct Turn {
    /// Whose callback is running; null if nobody's, or that of somebody who is gone.
    owner: Cell<*const c_void>,
    /// How many threads wait for the end of a callback.
    waiting: Cell<u32>,
}

/// Counts callbacks that are over; who waits for one sleeps on it. For any thread.
pub struct Ends {
    pub(super) count: AtomicU32,
}

impl Default for Ends {
    /// None is over.
    fn default() -> Self {
        Ends { count: AtomicU32::new(0) }
    }
}

impl Ends {
    /// Waits for the end that `seen` does not count yet, by `sleep`, which sleeps while the word is what it is given.
    pub fn wait(&self, seen: u32, sleep: impl Fn(&AtomicU32, u32)) {
        while self.count.load(Ordering::Acquire) == seen {
            sleep(&self.count, seen);
        }
    }
}

impl Default for Turn {
    fn default() -> Self {
        Turn::new()
    }
}

impl Turn {
    /// Nobody's.
    pub const fn new() -> Turn {
        Turn { owner: Cell::new(null()), waiting: Cell::new(0) }
    }

    /// A callback of `owner` comes next, without the mutex.
    pub fn begin(&self, owner: *const c_void) {
        self.owner.set(owner);
    }

    /// It is over; `wake` wakes all who sleep on the word.
    pub fn end(&self, ends: &Ends, wake: impl FnOnce(&AtomicU32)) {
        self.owner.set(null());
        ends.count.fetch_add(1, Ordering::Release);
        if self.waiting.get() > 0 {
            wake(&ends.count);
        }
    }

    /// The callback that is running has ended its owner, if it is this one's.
    pub fn disown(&self, owner: *const c_void) {
        if eq(self.owner.get(), owner) {
            self.owner.set(null());
        }
    }

    /// If a callback of `owner` is running, what to `Ends::wait` with when the mutex is free; `came_back` must follow.
    pub fn wait_for(&self, owner: *const c_void, ends: &Ends) -> Option<u32> {
        let is_running = eq(self.owner.get(), owner);
        is_running.then(|| {
            self.waiting.set(self.waiting.get() + 1);
            ends.count.load(Ordering::Relaxed)
        })
    }

    /// A thread that waited has the mutex again.
    pub fn came_back(&self) {
        self.waiting.set(self.waiting.get() - 1);
    }

    /// In the child after fork: as at the beginning.
    pub fn renew(&self) {
        self.owner.set(null());
        self.waiting.set(0);
    }
}
