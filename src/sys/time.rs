//! The monotonic clock, and what threads have used of their CPUs.

use crate::abi::errno::{Errno, Result};

/// Nanoseconds since some fixed point in the past. Never fails, never goes back.
pub fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the result fits; the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    // Both are positive by the kernel's promise, and seconds since boot leave room for the product.
    now.tv_sec.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec.cast_unsigned())
}

/// The end of a wait whose caller has bounded it.
#[derive(Clone, Copy)]
pub struct Deadline(u64);

impl Deadline {
    /// In `timeout_ns` from now; `u64::MAX`: never.
    pub fn after(timeout_ns: u64) -> Deadline {
        Deadline(now_ns().saturating_add(timeout_ns))
    }

    /// How long it is until then, in ns; None: for ever. `UV_ETIMEDOUT` if the time is over.
    pub fn left(self) -> Result<Option<u64>> {
        match self.0 {
            u64::MAX => Ok(None),
            end => match end.saturating_sub(now_ns()) {
                0 => Err(Errno::ETIMEDOUT),
                left => Ok(Some(left)),
            },
        }
    }
}

/// CPU time in ns of the thread that the system knows by this number, 0: the calling one; None if there is no such thread in this process.
pub fn thread_cpu_ns(tid: libc::pid_t) -> Option<u64> {
    let clock = (!tid << 3) | 6; // as pthread_getcpuclockid makes it: per thread, and what the scheduler says
    let mut used = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the result fits; a clock that does not exist is an error.
    if unsafe { libc::clock_gettime(clock, &raw mut used) } != 0 {
        return None;
    }
    Some(used.tv_sec.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(used.tv_nsec.cast_unsigned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines() {
        assert_eq!(Deadline::after(u64::MAX).left(), Ok(None));
        assert_eq!(Deadline::after(0).left(), Err(Errno::ETIMEDOUT));
        let left = Deadline::after(3_600_000_000_000).left().unwrap().unwrap();
        assert!((1..=3_600_000_000_000).contains(&left));
    }
}
