//! The monotonic clock, and what threads have used of their CPUs.

/// Nanoseconds since some fixed point in the past. Never fails, never goes back.
pub fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the result fits; the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    // Both are positive by the kernel's promise, and seconds since boot leave room for the product.
    now.tv_sec.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec.cast_unsigned())
}

/// CPU time in ns of the thread that the system knows by this number; None if there is no such thread in this process.
pub fn thread_cpu_ns(tid: libc::pid_t) -> Option<u64> {
    let clock = (!tid << 3) | 6; // as pthread_getcpuclockid makes it: per thread, and what the scheduler says
    let mut used = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the result fits; a clock that does not exist is an error.
    if unsafe { libc::clock_gettime(clock, &raw mut used) } != 0 {
        return None;
    }
    Some(used.tv_sec.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(used.tv_nsec.cast_unsigned()))
}
