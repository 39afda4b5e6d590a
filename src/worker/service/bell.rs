//! How the service thread falls asleep, and who wakes it.
//!
//! The bell is rung by any thread and by signal handlers. The thread sleeps only by replacing `AWAKE`, so no ring is lost. Who arms
//! something need not ring for it if the thread will look by then anyway: [`Rest`] says until when it sleeps.

use crate::sync::prim::{AtomicU32, Ordering};
use core::cell::Cell;

/// What the bell says: the thread is awake, and will look before it sleeps only if it finds RUNG.
pub(super) const AWAKE: u32 = 0;
/// Something was posted, or armed.
const RUNG: u32 = 1;
/// The thread sleeps on the bell.
const ASLEEP: u32 = 2;

/// See the module.
pub struct Bell {
    pub(super) word: AtomicU32,
}

impl Default for Bell {
    /// Of a thread that is awake.
    fn default() -> Self {
        Bell { word: AtomicU32::new(AWAKE) }
    }
}

impl Bell {
    /// Has the thread look; `wake` wakes it if it sleeps on the word. Any thread, and signal handlers.
    pub fn ring(&self, wake: impl FnOnce(&AtomicU32)) {
        if self.word.swap(RUNG, Ordering::AcqRel) == ASLEEP {
            wake(&self.word);
        }
    }

    /// The thread has looked. Unless somebody has rung since it began to, `wait` has it sleep while the word is what it is given.
    pub fn sleep(&self, wait: impl FnOnce(&AtomicU32, u32)) {
        if self.word.compare_exchange(AWAKE, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            wait(&self.word, ASLEEP);
        }
    }

    /// In the child after fork: as at the beginning.
    pub fn renew(&self) {
        self.word.store(AWAKE, Ordering::Relaxed);
    }
}

/// Until when the thread will not look by itself; 0 while it is about to look anyway. The mutex's.
pub struct Rest(Cell<u64>);

impl Default for Rest {
    fn default() -> Self {
        Rest::new()
    }
}

impl Rest {
    /// Of a thread that has not looked yet.
    pub const fn new() -> Rest {
        Rest(Cell::new(0))
    }

    /// The thread begins to look: it will see what was posted before this, and what comes after rings again.
    pub fn end(&self, bell: &Bell) {
        bell.word.swap(AWAKE, Ordering::AcqRel);
        self.0.set(0);
    }

    /// The thread has looked, and sleeps until then when the mutex is free.
    pub fn begin(&self, until: u64) {
        self.0.set(until);
    }

    /// Something is to be done at `deadline`: rings if the thread would sleep for longer.
    pub fn announce(&self, deadline: u64, ring: impl FnOnce()) {
        if deadline < self.0.get() {
            self.0.set(0); // it comes, whoever else announces something
            ring(); // before the mutex is free: who finds the 0 relies on it
        }
    }

    /// In the child after fork: as at the beginning.
    pub fn renew(&self) {
        self.0.set(0);
    }
}
