//! SIGINT watchdogs.

use super::status;
use crate::abi::*;
use crate::worker::service::sigint;
use core::ffi::{c_int, c_void};

/// Starts a SIGINT watchdog: when SIGINT comes, `cb` runs with `arg` on the service thread, however busy all other threads are. The
/// watchdog that was started last is the first to see it; those before it only if its callback returns UVX_SIGINT_CONTINUE. Without
/// callback (NULL) a watchdog only keeps the signal from ending the program, and lets it pass.
///
/// The first watchdog installs the signal's handler (as uvx_sigwake_install does), the last one that stops brings the disposition from
/// before back. Any thread. UV_ENOMEM. UV_EAGAIN: the service thread could not be started. After fork(2) the child has no
/// watchdogs; stopping its copies is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_sigint_watchdog_start(
    watchdog: *mut uvx_sigint_watchdog_t,
    cb: uvx_sigint_cb,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: the caller gives memory that stays until the watchdog is stopped.
    status(unsafe { sigint::start(watchdog, cb, arg) })
}

/// Stops a SIGINT watchdog. Returns 1 if a SIGINT came that no callback has dealt with: there was none, or all of them said
/// UVX_SIGINT_CONTINUE, or it came too late for them. That is told once, to whoever stops first after it came; the program may
/// want to end, or to raise the signal again when all are stopped. After this returns, the callback does not run and will not run: one
/// that runs is waited for, but not in the callback of a watchdog.
///
/// Any thread, in any order. 0 for one that is not started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_sigint_watchdog_stop(watchdog: *mut uvx_sigint_watchdog_t) -> c_int {
    // SAFETY: the caller gives a watchdog.
    c_int::from(unsafe { sigint::stop(watchdog) })
}
