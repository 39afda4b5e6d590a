//! SIGINT watchdogs: the newest one sees the signal first and says whether the next one is to see it.
//!
//! All of them share one signal wake, which is there while any is started. Their list is under a mutex of its own, in which no callback
//! runs and nothing waits.

use super::sigwake::{self, SigWake};
use crate::abi::errno::Result;
use crate::abi::*;
use crate::event_loop::lifecycle;
use crate::sync::static_mutex::{Locked, StaticMutex};
use crate::worker::service;
use core::cell::Cell;
use core::ffi::c_void;
use core::ptr::null_mut;

/// What `uvx_sigint_watchdog_t` really is.
#[repr(C)]
pub struct SigintWatchdog {
    /// The one that was started before.
    next: *mut SigintWatchdog,
    cb: uvx_sigint_cb,
    arg: *mut c_void,
    /// Of the process that started it.
    epoch: u32,
    started: bool,
}

const _: () = assert!(size_of::<SigintWatchdog>() <= size_of::<uvx_sigint_watchdog_t>());

struct Started {
    newest: Cell<*mut SigintWatchdog>,
    /// There while any is started.
    wake: Cell<*mut SigWake>,
    /// A signal came that nobody has dealt with.
    is_pending: Cell<bool>,
    /// The next one to see the signal that is being handed around.
    cursor: Cell<*mut SigintWatchdog>,
}

static STARTED: StaticMutex<Started> = StaticMutex::new(Started {
    newest: Cell::new(null_mut()),
    wake: Cell::new(null_mut()),
    is_pending: Cell::new(false),
    cursor: Cell::new(null_mut()),
});

/// `uvx_sigint_watchdog_start`.
///
/// # Safety
/// `raw` can be written, is not started, and stays in place until it is stopped.
pub unsafe fn start(raw: *mut uvx_sigint_watchdog_t, cb: uvx_sigint_cb, arg: *mut c_void) -> Result {
    lifecycle::guard_forks()?;
    let list = STARTED.lock();
    if list.wake.get().is_null() {
        list.wake.set(sigwake::install(libc::SIGINT, Some(on_sigint), null_mut())?);
    }
    let watchdog = raw.cast::<SigintWatchdog>();
    let epoch = service::epoch();
    // SAFETY: the caller's.
    unsafe { watchdog.write(SigintWatchdog { next: list.newest.get(), cb, arg, epoch, started: true }) };
    list.newest.set(watchdog);
    Ok(())
}

/// `uvx_sigint_watchdog_stop`: says whether a signal came that nobody has dealt with. Such a signal is told once.
///
/// # Safety
/// `raw` was started once, or is zeroed.
pub unsafe fn stop(raw: *mut uvx_sigint_watchdog_t) -> bool {
    let watchdog = raw.cast::<SigintWatchdog>();
    let list = STARTED.lock();
    // SAFETY: the caller's; under the mutex.
    unsafe {
        let was_started = core::mem::replace(&mut (*watchdog).started, false);
        if !was_started || (*watchdog).epoch != service::epoch() {
            return false;
        }
        unlink(&list, watchdog);
        let wake = list.wake.get();
        let is_last = list.newest.get().is_null();
        if is_last {
            list.wake.set(null_mut());
            sigwake::silence(wake); // what comes from here on is for the disposition of before, or for a new wake
        }
        drop(list);
        let came_late = if is_last {
            sigwake::remove(wake)
        } else {
            drop(service::lock().wait_out(wake.cast()));
            false
        };
        STARTED.lock().is_pending.replace(false) || came_late
    }
}

/// # Safety
/// The watchdog was started.
unsafe fn unlink(list: &Started, watchdog: *mut SigintWatchdog) {
    // SAFETY: watchdogs in the list are alive.
    unsafe {
        let next = (*watchdog).next;
        if list.cursor.get() == watchdog {
            list.cursor.set(next);
        }
        let mut at = list.newest.get();
        if at == watchdog {
            return list.newest.set(next);
        }
        while !at.is_null() && (*at).next != watchdog {
            at = (*at).next;
        }
        if !at.is_null() {
            (*at).next = next;
        }
    }
}

/// Hands a signal around, on the service thread.
unsafe extern "C" fn on_sigint(_wake: *mut uvx_sigwake_t, _arg: *mut c_void) {
    let list = STARTED.lock();
    list.cursor.set(list.newest.get());
    drop(list);
    while let Some((watchdog, cb, arg)) = next() {
        // SAFETY: the user's function with the user's pointer; who stops the watchdog waits for the end of this.
        if cb.is_some_and(|cb| unsafe { cb(watchdog.cast(), arg) } == UVX_SIGINT_STOP) {
            return;
        }
    }
}

/// The next one to see the signal; if there is none, it stays pending.
fn next() -> Option<(*mut SigintWatchdog, uvx_sigint_cb, *mut c_void)> {
    let list: Locked<Started> = STARTED.lock();
    let watchdog = list.cursor.get();
    if watchdog.is_null() {
        list.is_pending.set(true);
        return None;
    }
    // SAFETY: watchdogs in the list are alive, and the cursor leaves one that is stopped.
    unsafe {
        list.cursor.set((*watchdog).next);
        Some((watchdog, (*watchdog).cb, (*watchdog).arg))
    }
}

/// In the child after fork: nothing is started.
pub fn forget() {
    // SAFETY: the child has one thread.
    unsafe { STARTED.renew() };
    let list = STARTED.lock();
    list.newest.set(null_mut());
    list.wake.set(null_mut());
    list.cursor.set(null_mut());
    list.is_pending.set(false);
}
