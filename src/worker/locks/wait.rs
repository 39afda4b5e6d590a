//! Waiting for a lock on a thread that has no loop.

use super::{Lock, Phase, table};
use crate::abi::errno::{Errno, Result};
use crate::abi::{UVX_LOCK_SHARED, UVX_LOCK_STEAL};
use crate::event_loop::lifecycle;
use crate::sys::time::Deadline;
use crate::sys::{futex::plain as futex, thread};
use core::ffi::{CStr, c_char, c_uint};
use core::sync::atomic::{AtomicU32, Ordering};

const WAITING: u32 = 0;
const ASLEEP: u32 = 1;
/// The lock is there, and nobody touches it any more but its owner.
const TOLD: u32 = 2;

/// `uvx_lock_wait`.
///
/// # Safety
/// `lock` is memory for a lock, the caller's alone; `name` is a string or null.
pub unsafe fn wait(lock: *mut Lock, name: *const c_char, flags: c_uint, timeout_ns: u64) -> Result {
    if name.is_null() || (flags != UVX_LOCK_STEAL && flags & !UVX_LOCK_SHARED != 0) {
        return Err(Errno::EINVAL);
    }
    lifecycle::guard_forks()?; // there may be no loop in the process
    let deadline = Deadline::after(timeout_ns);
    // SAFETY: the caller's. The lock stays in place until this returns, and then until it is released.
    unsafe {
        Lock::set_up(lock, None, flags, None, None);
        (*lock).tid = thread::tid();
        let due = table::open().enter(lock, CStr::from_ptr(name), flags)?;
        due.tell(); // the mutex is free again
        sleep(lock, deadline)
    }
}

/// # Safety
/// The lock is this thread's, and waits or was granted.
unsafe fn sleep(lock: *mut Lock, deadline: Deadline) -> Result {
    // SAFETY: the caller's.
    let told = unsafe { &(*lock).told };
    while told.load(Ordering::Acquire) != TOLD {
        let left = match deadline.left() {
            Ok(left) => left,
            // SAFETY: the caller's.
            Err(error) if unsafe { give_up(lock) } => return Err(error),
            Err(_) => None, // it has just been granted, and who did that will say so
        };
        let _ = told.compare_exchange(WAITING, ASLEEP, Ordering::Relaxed, Ordering::Relaxed); // or it sleeps no more
        futex::wait(told, ASLEEP, left);
    }
    Ok(())
}

/// Does not wait any more; false if the lock is there.
///
/// # Safety
/// As above.
unsafe fn give_up(lock: *mut Lock) -> bool {
    let mut due = table::Due::NOBODY;
    // SAFETY: the caller's; the mutex is held.
    let is_over = unsafe {
        let table = table::open();
        let waits = (*lock).phase == Phase::Waiting;
        if waits {
            (*lock).phase = Phase::Over;
            table.leave(lock, &mut due);
        }
        waits
    };
    due.tell();
    is_over
}

/// The lock is there.
///
/// # Safety
/// Its thread was not told yet. It may free the lock as soon as it is.
pub unsafe fn tell(told: *const AtomicU32) {
    // SAFETY: the caller's; waking needs the address alone.
    if unsafe { (*told).swap(TOLD, Ordering::AcqRel) } == ASLEEP {
        futex::wake(told);
    }
}
