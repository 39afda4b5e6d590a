//! Which CPUs this thread may use, and which one it is on. With one, watching for another thread only keeps that thread from running.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

static USABLE: AtomicU32 = AtomicU32::new(0);

/// The count as last measured; measures it at the first call.
pub fn usable() -> u32 {
    match USABLE.load(Relaxed) {
        0 => measure(),
        count => count,
    }
}

/// Measures the count anew.
pub fn measure() -> u32 {
    let mut set = core::mem::MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: the size is the set's; a zeroed set is a valid set, whether the call succeeds or not.
    let count = unsafe {
        libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), set.as_mut_ptr());
        libc::CPU_COUNT(&set.assume_init())
    };
    // More CPUs than the set has room for fail the call and leave 0: surely more than one then.
    let count = match u32::try_from(count) {
        Ok(count) if count > 0 => count,
        _ => 2,
    };
    USABLE.store(count, Relaxed);
    count
}

/// The CPU that this thread runs on, right now.
pub fn current() -> u32 {
    // SAFETY: no arguments. It cannot fail on any kernel since 2.6; -1 would be a CPU like others to its users.
    unsafe { libc::sched_getcpu() }.cast_unsigned()
}
