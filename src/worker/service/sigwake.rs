//! Signal wakes: a callback on the service thread when a signal comes, or when any thread or signal handler posts. However busy the
//! program's own threads are, the service thread is there.
//!
//! The signal's handler is that of `handles/signal`, which serves signal handles and wakes alike: neither takes the signal from the
//! other. It only notes the signal (`Hook`) and rings the service's bell.

use crate::abi::errno::{Errno, Result};
use crate::abi::{uvx_sigwake_cb, uvx_sigwake_t};
use crate::event_loop::lifecycle;
use crate::handles::signal::{Hook, registry};
use crate::mem::Owned;
use crate::sys::signal_mask;
use crate::worker::service::{self, Service};
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

/// What `uvx_sigwake_t` really is.
#[repr(C)]
pub struct SigWake {
    /// What the signal handler notes, and who posts.
    hook: Hook,
    /// 0: none.
    signum: c_int,
    cb: uvx_sigwake_cb,
    arg: *mut c_void,
    /// Of the process that installed it.
    epoch: u32,
    /// The service's list.
    next: *mut SigWake,
}

/// `uvx_sigwake_install`. The signal is unblocked on this thread.
pub fn install(signum: c_int, cb: uvx_sigwake_cb, arg: *mut c_void) -> Result<*mut SigWake> {
    if cb.is_none() || (signum != 0 && !registry::can_be_caught(signum)) {
        return Err(Errno::EINVAL);
    }
    lifecycle::guard_forks()?;
    let hook = Hook::new(service::ring);
    let wake =
        Owned::new(SigWake { hook, signum, cb, arg, epoch: service::epoch(), next: null_mut() })?.into_raw();
    // SAFETY: `wake` is new; from here on it is the service's and the registry's, or this function's again.
    unsafe {
        let ready = enlist(wake).and_then(|()| match signum {
            0 => Ok(()),
            _ => registry::add_hook(&raw mut (*wake).hook, signum)
                .inspect_err(|_| drop(delist(service::lock(), wake))),
        });
        if let Err(error) = ready {
            drop(Owned::from_raw(wake));
            return Err(error);
        }
    }
    if signum != 0 {
        signal_mask::unblock(signum); // one that came early arrives now
    }
    Ok(wake)
}

/// Enters the service's list.
///
/// # Safety
/// The wake is in no list.
unsafe fn enlist(wake: *mut SigWake) -> Result {
    let service = service::lock();
    service.start()?;
    // SAFETY: the caller's; under the mutex.
    unsafe { (*wake).next = service.wakes.replace(wake) };
    Ok(())
}

/// Leaves the service's list.
///
/// # Safety
/// The wake is in that list.
unsafe fn delist(service: Service, wake: *mut SigWake) -> Service {
    let mut at = service.wakes.get();
    if at == wake {
        // SAFETY: wakes in the list are alive; so below.
        service.wakes.set(unsafe { (*wake).next });
        return service;
    }
    // SAFETY: as above.
    unsafe {
        while !at.is_null() && (*at).next != wake {
            at = (*at).next;
        }
        if !at.is_null() {
            (*at).next = (*wake).next;
        }
    }
    service
}

/// Enters the service's list at its end.
///
/// # Safety
/// The wake is in no list.
unsafe fn append(service: &Service, wake: *mut SigWake) {
    // SAFETY: the caller's; wakes in the list are alive.
    unsafe {
        (*wake).next = null_mut();
        let mut at = service.wakes.get();
        if at.is_null() {
            return service.wakes.set(wake);
        }
        while !(*at).next.is_null() {
            at = (*at).next;
        }
        (*at).next = wake;
    }
}

/// Lets go of the signal: from here on the wake is not posted by signals. First half of `remove`.
///
/// # Safety
/// The wake is installed.
pub unsafe fn silence(wake: *mut SigWake) {
    // SAFETY: the caller's.
    unsafe {
        if (*wake).signum != 0 && (*wake).epoch == service::epoch() {
            registry::remove_hook(&raw mut (*wake).hook, (*wake).signum);
            (*wake).signum = 0;
        }
    }
}

/// `uvx_sigwake_remove`: says whether it was posted and will not call back for that.
///
/// # Safety
/// The wake is installed; nobody uses it any more.
pub unsafe fn remove(wake: *mut SigWake) -> bool {
    // SAFETY: the caller's; once it is in no list and its callback is over, it is this function's.
    unsafe {
        silence(wake);
        let service = delist(service::lock(), wake).part_with(wake.cast());
        let was_posted = (*wake).hook.take();
        drop(service);
        drop(Owned::from_raw(wake));
        was_posted
    }
}

/// `uvx_sigwake_post`. Async-signal-safe.
///
/// # Safety
/// The wake is installed.
pub unsafe fn post(wake: *const uvx_sigwake_t) {
    // SAFETY: the caller's.
    unsafe { (*wake.cast::<SigWake>()).hook.post() };
}

/// Runs the callback of one wake that was posted. Says whether there was one.
pub fn run_one(service: Service) -> (Service, bool) {
    let mut wake = service.wakes.get();
    // SAFETY: wakes in the list are alive; what the callback needs is read before it could be removed.
    unsafe {
        while !wake.is_null() && !(*wake).hook.take() {
            wake = (*wake).next;
        }
        if wake.is_null() {
            return (service, false);
        }
        let (cb, arg) = ((*wake).cb, (*wake).arg);
        let service = delist(service, wake);
        append(&service, wake); // however often it is posted, others have their turn first
        let service = service.run(wake.cast(), || {
            if let Some(cb) = cb {
                cb(wake.cast(), arg);
            }
        });
        (service, true)
    }
}
