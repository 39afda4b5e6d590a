//! Watchdogs.

use super::status;
use crate::abi::*;
use crate::worker::service::watchdog;
use core::ffi::{c_int, c_void};

/// Starts a watchdog: unless uvx_watchdog_stop comes first, `cb` runs with `arg` on the service thread, `timeout_ns` from now at the
/// earliest, as the monotonic clock has it. 0: at once; UVX_FOREVER: never, until uvx_watchdog_reset says otherwise. Starting and
/// stopping is cheap (some 100 ns): no system call as a rule, no memory. Any number may be started at once, nested or not.
///
/// The watchdog must not be started already. Any thread. UV_EINVAL: no callback. UV_EAGAIN, UV_ENOMEM: the service thread could not
/// be started; the watchdog is not started then.
///
/// After fork(2) the child's copies of started watchdogs never fire; stopping them is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_watchdog_start(
    watchdog: *mut uvx_watchdog_t,
    timeout_ns: u64,
    cb: uvx_watchdog_cb,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: the caller gives memory that stays until the watchdog is stopped.
    status(unsafe { watchdog::start(watchdog, timeout_ns, cb, arg) })
}

/// Starts a watchdog's time anew: `timeout_ns` from now. One that has fired will fire again; a callback may do this to its own watchdog.
/// Returns 1 if it has fired since it was started, else 0. Any thread. UV_EINVAL: it is not started, or is being stopped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_watchdog_reset(watchdog: *mut uvx_watchdog_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller gives a watchdog.
    match unsafe { watchdog::reset(watchdog, timeout_ns) } {
        Ok(fired) => c_int::from(fired),
        Err(error) => error.code(),
    }
}

/// Stops a watchdog. Returns 1 if it has fired since it was started, 0 if it has not. After this returns, its callback does not run and
/// will not run, and the memory is the program's: a callback that runs is waited for, so do not hold a lock that it may want.
/// In the watchdog's own callback this does not wait, of course; then the callback may free the memory.
///
/// Any thread, not only the one that has started it; one at a time. A watchdog that is not started: 0, if its memory is zeroed or it was
/// started once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_watchdog_stop(watchdog: *mut uvx_watchdog_t) -> c_int {
    // SAFETY: the caller gives a watchdog.
    c_int::from(unsafe { watchdog::stop(watchdog) })
}
