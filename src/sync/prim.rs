//! Atomics, real or modelled: everything lock-free imports from here, so that `--cfg loom` can explore its interleavings.

#[cfg(not(loom))]
pub use core::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
#[cfg(loom)]
pub use loom::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

#[cfg(loom)]
pub use loom::sync::{Mutex, MutexGuard};
#[cfg(not(loom))]
pub use parking_lot::{Mutex, MutexGuard};

/// Locks `mutex`.
#[cfg(not(loom))]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

/// Locks `mutex`. A model that panics ends there, so nothing is ever poisoned.
#[cfg(loom)]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One step of a short wait for another thread that is between two instructions: after a few tries the CPU is given away, for
/// that thread may have lost its own.
#[derive(Default)]
pub struct ShortWait(#[cfg(not(loom))] u32);

impl ShortWait {
    /// Waits a moment.
    pub fn step(&mut self) {
        #[cfg(loom)]
        loom::thread::yield_now();
        #[cfg(not(loom))]
        if self.0 < 64 {
            self.0 += 1;
            core::hint::spin_loop();
        } else {
            // SAFETY: sched_yield has no preconditions.
            unsafe { libc::sched_yield() };
        }
    }
}

/// Statics with such types in them, which a model makes anew each time.
macro_rules! statics {
    ($($(#[$meta:meta])* static $NAME:ident: $Type:ty = $value:expr;)*) => {
        $(
            #[cfg(not(loom))]
            $(#[$meta])*
            static $NAME: $Type = $value;
        )*
        #[cfg(loom)]
        loom::lazy_static! { $($(#[$meta])* static ref $NAME: $Type = $value;)* }
    };
}
pub(crate) use statics;

/// A thread-local of which each of a model's threads has one, too.
macro_rules! thread_local_const {
    ($(#[$meta:meta])* static $NAME:ident: $Type:ty = $value:expr;) => {
        #[cfg(not(loom))]
        std::thread_local! { $(#[$meta])* static $NAME: $Type = const { $value }; }
        #[cfg(loom)]
        loom::thread_local! { $(#[$meta])* static $NAME: $Type = $value; }
    };
}
pub(crate) use thread_local_const;
