//! Processes by their number: signals and priorities.

use crate::abi::errno::{Errno, Result};
use crate::abi::{UV_PRIORITY_HIGHEST, UV_PRIORITY_LOW, uv_pid_t};
use crate::sys::{check, last_error};
use core::ffi::c_int;

/// This process.
pub fn own() -> uv_pid_t {
    // SAFETY: no preconditions.
    unsafe { libc::getpid() }
}

/// The process that started this one, or whoever has adopted it since.
pub fn parent() -> uv_pid_t {
    // SAFETY: no preconditions.
    unsafe { libc::getppid() }
}

/// Sends a signal; 0 only asks whether that would be possible. Negative numbers and 0 mean process groups, as in kill(2).
pub fn kill(pid: uv_pid_t, signum: c_int) -> Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::kill(pid, signum) }).map(|_| ())
}

/// The priority of a process (0: this one), from -20, the highest, to 19.
pub fn priority(pid: uv_pid_t) -> Result<c_int> {
    let pid = libc::id_t::try_from(pid).map_err(|_| Errno::ESRCH)?;
    // SAFETY: errno is this thread's own; the call takes no pointers, and its -1 may be a priority.
    unsafe {
        *libc::__errno_location() = 0;
        let priority = libc::getpriority(libc::PRIO_PROCESS, pid);
        if priority == -1 && *libc::__errno_location() != 0 { Err(last_error()) } else { Ok(priority) }
    }
}

/// Sets the priority of a process (0: this one). `UV_EINVAL` for numbers that are none.
pub fn set_priority(pid: uv_pid_t, priority: c_int) -> Result<()> {
    if !(UV_PRIORITY_HIGHEST..=UV_PRIORITY_LOW).contains(&priority) {
        return Err(Errno::EINVAL);
    }
    let pid = libc::id_t::try_from(pid).map_err(|_| Errno::ESRCH)?;
    // SAFETY: no pointers.
    check(unsafe { libc::setpriority(libc::PRIO_PROCESS, pid, priority) }).map(|_| ())
}
