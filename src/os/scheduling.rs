//! How the scheduler treats a thread: on which CPUs it runs, and with what priority.

use crate::abi::errno::{Errno, Result};
use crate::abi::{
    UV_THREAD_PRIORITY_ABOVE_NORMAL, UV_THREAD_PRIORITY_BELOW_NORMAL, UV_THREAD_PRIORITY_HIGHEST,
    UV_THREAD_PRIORITY_LOWEST, UV_THREAD_PRIORITY_NORMAL, uv_thread_t,
};
use crate::sys::{check, check_code, last_error, thread};
use core::ffi::{c_char, c_int};
use core::mem::MaybeUninit;

/// How many CPUs an affinity mask of the system tells apart. The masks of the interface have a byte for each.
pub const MASK_SIZE: usize = size_of::<libc::cpu_set_t>() * 8;

/// The number of the CPU that the calling thread is on.
pub fn current_cpu() -> Result<c_int> {
    // SAFETY: no pointers.
    check(unsafe { libc::sched_getcpu() })
}

/// Writes a 1 for each CPU that the thread may use, else a 0. A mask shorter than `MASK_SIZE` is `UV_EINVAL`.
///
/// # Safety
/// The thread was not joined, and `size` bytes can be written at `mask`.
pub unsafe fn get_affinity(thread: uv_thread_t, mask: *mut c_char, size: usize) -> Result<()> {
    if size < MASK_SIZE {
        return Err(Errno::EINVAL);
    }
    let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: the size is the set's, which is valid from the start; the mask has a byte for each CPU of the set.
    unsafe {
        check_code(libc::pthread_getaffinity_np(thread, size_of::<libc::cpu_set_t>(), set.as_mut_ptr()))?;
        for cpu in 0..MASK_SIZE {
            mask.add(cpu).write(c_char::from(libc::CPU_ISSET(cpu, set.assume_init_ref())));
        }
    }
    Ok(())
}

/// Lets the thread run only on the CPUs whose bytes are not 0, after writing to `old_mask`, unless that is null, what held before.
///
/// # Safety
/// The thread was not joined, and both masks have `size` bytes.
pub unsafe fn set_affinity(
    thread: uv_thread_t,
    mask: *const c_char,
    old_mask: *mut c_char,
    size: usize,
) -> Result<()> {
    if size < MASK_SIZE {
        return Err(Errno::EINVAL);
    }
    let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: the size is the set's, which is valid from the start; the masks have a byte for each CPU of the set.
    unsafe {
        if !old_mask.is_null() {
            get_affinity(thread, old_mask, size)?;
        }
        for cpu in 0..MASK_SIZE {
            if mask.add(cpu).read() != 0 {
                libc::CPU_SET(cpu, set.assume_init_mut());
            }
        }
        check_code(libc::pthread_setaffinity_np(thread, size_of::<libc::cpu_set_t>(), set.as_ptr()))
    }
}

/// The thread's priority in the system's own terms: for the calling thread under the usual policy its nice value, else what
/// `sched_param` says.
///
/// # Safety
/// The thread was not joined.
pub unsafe fn get_priority(thread: uv_thread_t) -> Result<c_int> {
    // SAFETY: the caller's.
    let (policy, parameters) = unsafe { policy(thread) }?;
    if has_nice_value(thread, policy) { nice_value() } else { Ok(parameters.sched_priority) }
}

/// Sets the priority to one of `UV_THREAD_PRIORITY_*`; other numbers are `UV_EINVAL`.
///
/// The usual policy knows only nice values, and those only for the calling thread; under it, the call does nothing for other threads.
///
/// # Safety
/// The thread was not joined.
pub unsafe fn set_priority(thread: uv_thread_t, priority: c_int) -> Result<()> {
    // The share of the policy's range that a priority stands for, in quarters.
    let (quarters, nice) = match priority {
        UV_THREAD_PRIORITY_HIGHEST => (4, -4),
        UV_THREAD_PRIORITY_ABOVE_NORMAL => (3, -2),
        UV_THREAD_PRIORITY_NORMAL => (2, 0),
        UV_THREAD_PRIORITY_BELOW_NORMAL => (1, 2),
        UV_THREAD_PRIORITY_LOWEST => (0, 4),
        _ => return Err(Errno::EINVAL),
    };
    // SAFETY: the caller's.
    let (policy, mut parameters) = unsafe { policy(thread) }?;
    if has_nice_value(thread, policy) {
        return set_nice_value(nice);
    }
    // SAFETY: no pointers.
    let (least, most) =
        unsafe { (libc::sched_get_priority_min(policy), libc::sched_get_priority_max(policy)) };
    let (least, most) = (check(least)?, check(most)?);
    let wanted = least.saturating_add(most.saturating_sub(least).saturating_mul(quarters) / 4);
    if wanted == parameters.sched_priority {
        return Ok(());
    }
    parameters.sched_priority = wanted;
    // SAFETY: the caller's thread, and parameters that are alive.
    check_code(unsafe { libc::pthread_setschedparam(thread, policy, &raw const parameters) })
}

/// # Safety
/// The thread was not joined.
unsafe fn policy(thread: uv_thread_t) -> Result<(c_int, libc::sched_param)> {
    let mut policy = 0;
    let mut parameters = MaybeUninit::<libc::sched_param>::zeroed();
    // SAFETY: the results fit, and zeroed parameters are valid.
    unsafe {
        check_code(libc::pthread_getschedparam(thread, &raw mut policy, parameters.as_mut_ptr()))?;
        Ok((policy, parameters.assume_init()))
    }
}

fn has_nice_value(thread: uv_thread_t, policy: c_int) -> bool {
    policy == libc::SCHED_OTHER && thread == thread::current()
}

/// The calling thread's: on Linux a thread's number stands for the thread alone.
fn nice_value() -> Result<c_int> {
    // SAFETY: errno is this thread's own; -1 is a nice value too, so errno alone tells a failure.
    let value = unsafe {
        *libc::__errno_location() = 0;
        libc::getpriority(libc::PRIO_PROCESS, this_thread())
    };
    if value == -1 && last_error() != Errno::from_errno(0) { Err(last_error()) } else { Ok(value) }
}

fn set_nice_value(value: c_int) -> Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::setpriority(libc::PRIO_PROCESS, this_thread(), value) }).map(|_| ())
}

fn this_thread() -> libc::id_t {
    // SAFETY: no preconditions.
    unsafe { libc::gettid() as libc::id_t } // positive
}
