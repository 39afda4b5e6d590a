//! Signal wakes.

use crate::abi::*;
use crate::worker::service::sigwake::{self, SigWake};
use core::ffi::{c_int, c_void};

/// Has `cb` run with `arg` on the service thread whenever `signum` comes, however busy all other threads are. `signum` 0: only when
/// uvx_sigwake_post is called. Several wakes and signal handles (uv_signal_t) may have the same signal, and all are called.
///
/// The signal's handler only makes a note; the thread that it interrupts goes on (SA_RESTART). What the program had installed before is
/// not called meanwhile, and comes back when the last wake is removed, unless the program has installed something else since.
///
/// When the handler is in place, the signal is unblocked on the calling thread. So a program that must not die of an early signal
/// blocks it first of all: one that came before is delivered now.
///
/// Any thread. UV_EINVAL: no callback, or a signal that cannot be caught. UV_ENOMEM. UV_EAGAIN: the service thread could not be started. On
/// error nothing has changed: a blocked signal stays blocked. After fork(2) the child has no wakes, and the dispositions from before;
/// removing its copies is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_sigwake_install(
    signum: c_int,
    cb: uvx_sigwake_cb,
    arg: *mut c_void,
    wake: *mut *mut uvx_sigwake_t,
) -> c_int {
    match sigwake::install(signum, cb, arg) {
        // SAFETY: the caller gives room for the result.
        Ok(installed) => unsafe { wake.write(installed.cast()) },
        Err(error) => return error.code(),
    }
    0
}

/// Removes a wake and frees it; NULL is fine. Returns 1 if a signal or a post came for which the callback has not run and will not run, else
/// 0. A callback that runs is waited for, but not in the callback itself. Any thread; nobody may post to it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_sigwake_remove(wake: *mut uvx_sigwake_t) -> c_int {
    // SAFETY: the caller gives a wake, and gives it up.
    c_int::from(!wake.is_null() && unsafe { sigwake::remove(wake.cast::<SigWake>()) })
}

/// Has the wake's callback run. Any thread, and signal handlers: takes no lock, keeps errno. Several posts may become one call, but a post
/// that comes after the callback has begun is followed by another one, which sees what the poster wrote before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_sigwake_post(wake: *mut uvx_sigwake_t) {
    // SAFETY: the caller gives a wake.
    unsafe { sigwake::post(wake) };
}
