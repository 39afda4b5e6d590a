//! Which CPUs this thread may use, and which one it is on. With one, watching for another thread only keeps that thread from running.

use super::check;
use core::mem::MaybeUninit;
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
    // More CPUs than a mask has room for: surely more than one.
    let count = in_affinity_mask().filter(|count| *count > 0).unwrap_or(2);
    USABLE.store(count, Relaxed);
    count
}

/// The CPUs in the calling thread's affinity mask, unless the machine has more than a mask can hold.
pub fn in_affinity_mask() -> Option<u32> {
    let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: the size is the set's.
    check(unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), set.as_mut_ptr()) }).ok()?;
    // SAFETY: it was zeroed and then written: a set.
    u32::try_from(unsafe { libc::CPU_COUNT(set.assume_init_ref()) }).ok()
}

/// The CPU that this thread runs on, right now.
pub fn current() -> u32 {
    // SAFETY: no arguments. It cannot fail on any kernel since 2.6; -1 would be a CPU like others to its users.
    unsafe { libc::sched_getcpu() }.cast_unsigned()
}
