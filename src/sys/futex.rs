//! futex(2): sleeping on a word of this process.

#[cfg(not(loom))]
pub use plain::{wait, wake, wake_all};

/// The real thing, also for words that no model has.
pub mod plain {
    use core::ffi::{c_int, c_long};
    use core::ptr::{null, null_mut};
    use core::sync::atomic::AtomicU32;

    /// Sleeps while `word` holds `expected`, until `wake` or for at most `timeout_ns` (None: for ever). May return at any time.
    pub fn wait(word: &AtomicU32, expected: u32, timeout_ns: Option<u64>) {
        let timeout = timeout_ns.map(|ns| libc::timespec {
            tv_sec: libc::time_t::try_from(ns / 1_000_000_000).unwrap_or(libc::time_t::MAX),
            tv_nsec: (ns % 1_000_000_000) as _, // below 10^9, which fits
        });
        let timeout = timeout.as_ref().map_or(null(), core::ptr::from_ref);
        // SAFETY: the word and the time are alive through the call.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                word.as_ptr(),
                op(libc::FUTEX_WAIT),
                expected,
                timeout,
                null_mut::<u32>(),
                0,
            )
        };
    }

    /// Wakes one thread that sleeps on `word`.
    #[allow(clippy::not_unsafe_ptr_arg_deref)] // an address to the kernel, which follows it no further than its own table
    pub fn wake(word: *const AtomicU32) {
        // SAFETY: the kernel does not read the word; a word that is gone by now wakes nobody.
        unsafe { libc::syscall(libc::SYS_futex, word, op(libc::FUTEX_WAKE), 1) };
    }

    /// Wakes all threads that sleep on `word`.
    #[allow(clippy::not_unsafe_ptr_arg_deref)] // as in `wake`
    pub fn wake_all(word: *const AtomicU32) {
        // SAFETY: as in `wake`.
        unsafe { libc::syscall(libc::SYS_futex, word, op(libc::FUTEX_WAKE), i32::MAX) };
    }

    fn op(operation: c_int) -> c_long {
        c_long::from(operation | libc::FUTEX_PRIVATE_FLAG)
    }
}

/// In a model every wait ends at some time by itself, as it may.
#[cfg(loom)]
pub fn wait(_word: &crate::sync::prim::AtomicU32, _expected: u32, _timeout_ns: Option<u64>) {
    loom::thread::yield_now();
}

/// Wakes nobody: see `wait`.
#[cfg(loom)]
pub fn wake(_word: *const crate::sync::prim::AtomicU32) {}

/// As `wake`.
#[cfg(loom)]
pub fn wake_all(_word: *const crate::sync::prim::AtomicU32) {}
