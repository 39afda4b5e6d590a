//! Processes by their number.

use crate::abi::errno::Result;
use crate::abi::uv_pid_t;
use crate::sys::check;
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
