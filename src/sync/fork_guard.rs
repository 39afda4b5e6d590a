//! Registering fork handlers, once for the process and before the first lock that they are about: when `set_up` returns they are there,
//! whichever thread has registered them.

use super::prim::ShortWait;
use crate::abi::errno::Result;
use core::sync::atomic::{AtomicI32, Ordering};

/// `NOT_GUARDED`, `GUARDED`, or the number of the process of which a thread is about to register.
pub struct ForkGuard(AtomicI32);

const NOT_GUARDED: i32 = 0;
const GUARDED: i32 = -1;

impl ForkGuard {
    /// Nothing is registered.
    pub const fn new() -> ForkGuard {
        ForkGuard(AtomicI32::new(NOT_GUARDED))
    }

    /// Has `register` run, unless it has. After an error the next one tries again.
    pub fn set_up(&self, register: impl FnOnce() -> Result) -> Result {
        let mut wait = ShortWait::default();
        loop {
            let found = self.0.load(Ordering::Acquire);
            if found == GUARDED {
                return Ok(());
            }
            // SAFETY: no preconditions.
            let own = unsafe { libc::getpid() };
            if found == own {
                wait.step(); // for another thread. In a child that was forked meanwhile there is none, and the number is another
            } else if self.0.compare_exchange(found, own, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                break;
            }
        }
        let result = register();
        self.0.store(if result.is_ok() { GUARDED } else { NOT_GUARDED }, Ordering::Release);
        result
    }

    /// In the child after fork: what runs this was registered.
    pub fn is_set_up(&self) {
        self.0.store(GUARDED, Ordering::Relaxed);
    }
}

impl Default for ForkGuard {
    fn default() -> Self {
        ForkGuard::new()
    }
}
