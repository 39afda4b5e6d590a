//! The types of watchdogs, signal wakes and SIGINT watchdogs.

use core::ffi::{c_int, c_void};

/// A watchdog: calls back if it is not stopped in time. The program's memory, on the stack for instance; it must stay in place from
/// uvx_watchdog_start to uvx_watchdog_stop. Needs no initialisation, no memory beside it, and no close.
#[repr(C)]
pub struct uvx_watchdog_t {
    /// The library's.
    pub reserved: [*mut c_void; 8],
}

/// The time is over. Runs on the library's service thread, with all signals blocked: there is one such thread for the process, so a
/// callback that takes long makes others late. It may use any function for any thread, and all functions for watchdogs.
pub type uvx_watchdog_cb = Option<unsafe extern "C" fn(watchdog: *mut uvx_watchdog_t, arg: *mut c_void)>;

/// What calls back on the service thread when a signal comes or when it is posted. On the heap; what it is made of is not public.
pub struct uvx_sigwake_t {
    _private: [u8; 0],
}

/// The signal came, or uvx_sigwake_post was called, once or more often since the last time. Runs on the service thread: as for
/// uvx_watchdog_cb. The threads that are busy go on; this one may have them look (uvx_mailbox_call with UVX_CALL_INTERRUPT).
pub type uvx_sigwake_cb = Option<unsafe extern "C" fn(wake: *mut uvx_sigwake_t, arg: *mut c_void)>;

/// Somebody who wants to know of SIGINT. The program's memory, as for uvx_watchdog_t.
#[repr(C)]
pub struct uvx_sigint_watchdog_t {
    /// The library's.
    pub reserved: [*mut c_void; 4],
}

/// SIGINT came. Runs on the service thread: as for uvx_watchdog_cb. UVX_SIGINT_STOP: it is dealt with. UVX_SIGINT_CONTINUE: the watchdog
/// that was started before this one is to see it, too.
pub type uvx_sigint_cb =
    Option<unsafe extern "C" fn(watchdog: *mut uvx_sigint_watchdog_t, arg: *mut c_void) -> c_int>;

/// The signal is dealt with.
pub const UVX_SIGINT_STOP: c_int = 0;
/// Others are to see the signal, too.
pub const UVX_SIGINT_CONTINUE: c_int = 1;
