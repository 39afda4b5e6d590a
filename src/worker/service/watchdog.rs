//! Watchdogs: a callback on the service thread unless they are stopped in time. Any thread.
//!
//! A watchdog lies in the program's memory; armed, it is a node of the service's heap, and everything about it happens under the service's
//! mutex. One that was started before a fork is the parent's, which its epoch tells.
//!
//! Unlike the original's, which costs a thread, a loop, a timer and an async each time, arming and disarming is two short critical sections.

use crate::abi::errno::{Errno, Result};
use crate::abi::{uvx_watchdog_cb, uvx_watchdog_t};
use crate::ds::pairing_heap::{self, Links, Node};
use crate::event_loop::lifecycle;
use crate::sys::time::now_ns;
use crate::worker::service::{self, Service, State};
use core::ffi::c_void;
use core::mem::MaybeUninit;

/// Between `start` and `stop`.
const STARTED: u32 = 1;
/// In the heap.
const ARMED: u32 = 2;
/// Its callback has begun at least once.
const FIRED: u32 = 4;
/// `stop` waits for its callback, which must not arm it again.
const STOPPING: u32 = 8;

/// What `uvx_watchdog_t` really is.
#[repr(C)]
pub struct Watchdog {
    links: MaybeUninit<Links<Watchdog>>,
    /// On the monotonic clock; the heap's order.
    deadline: u64,
    cb: uvx_watchdog_cb,
    arg: *mut c_void,
    state: u32,
    /// Of the process that started it.
    epoch: u32,
}

const _: () = assert!(size_of::<Watchdog>() <= size_of::<uvx_watchdog_t>());

// SAFETY: `links` is a field, and the deadline is not written while the watchdog is in the heap.
unsafe impl Node for Watchdog {
    unsafe fn links(node: *mut Self) -> *mut Links<Self> {
        // SAFETY: the caller's.
        unsafe { (&raw mut (*node).links).cast() }
    }
    unsafe fn before(a: *const Self, b: *const Self) -> bool {
        // SAFETY: the caller's.
        unsafe { (*a).deadline < (*b).deadline }
    }
}

/// `uvx_watchdog_start`.
///
/// # Safety
/// `raw` can be written, is not started, and stays in place until it is stopped.
pub unsafe fn start(
    raw: *mut uvx_watchdog_t,
    timeout_ns: u64,
    cb: uvx_watchdog_cb,
    arg: *mut c_void,
) -> Result {
    if cb.is_none() {
        return Err(Errno::EINVAL);
    }
    lifecycle::guard_forks()?;
    let watchdog = raw.cast::<Watchdog>();
    let deadline = now_ns().saturating_add(timeout_ns);
    let service = service::lock();
    service.start()?;
    let epoch = service::epoch();
    // SAFETY: the caller's.
    unsafe {
        watchdog.write(Watchdog { links: MaybeUninit::uninit(), deadline, cb, arg, state: STARTED, epoch });
        arm(&service, watchdog);
    }
    service.announce(deadline);
    Ok(())
}

/// `uvx_watchdog_reset`: says whether it had fired.
///
/// # Safety
/// `raw` was started once, or is zeroed.
pub unsafe fn reset(raw: *mut uvx_watchdog_t, timeout_ns: u64) -> Result<bool> {
    let watchdog = raw.cast::<Watchdog>();
    let deadline = now_ns().saturating_add(timeout_ns);
    let service = service::lock();
    // SAFETY: the caller's; under the mutex.
    unsafe {
        let state = (*watchdog).state;
        if state & STARTED == 0 || state & STOPPING != 0 || (*watchdog).epoch != service::epoch() {
            return Err(Errno::EINVAL);
        }
        disarm(&service, watchdog);
        (*watchdog).deadline = deadline;
        arm(&service, watchdog);
        service.announce(deadline);
        Ok(state & FIRED != 0)
    }
}

/// `uvx_watchdog_stop`: says whether it had fired. Its memory is the caller's again.
///
/// # Safety
/// As for `reset`.
pub unsafe fn stop(raw: *mut uvx_watchdog_t) -> bool {
    let watchdog = raw.cast::<Watchdog>();
    let service = service::lock();
    // SAFETY: the caller's; under the mutex.
    unsafe {
        let state = (*watchdog).state;
        let is_ours = state & STARTED != 0 && (*watchdog).epoch == service::epoch();
        let mut fired = state & FIRED != 0;
        if is_ours {
            disarm(&service, watchdog);
            (*watchdog).state |= STOPPING;
            let _service = service.part_with(watchdog.cast());
            fired = (*watchdog).state & FIRED != 0;
            (*watchdog).state = 0;
        } else {
            (*watchdog).state = 0;
        }
        fired
    }
}

/// # Safety
/// The watchdog is started and not armed.
unsafe fn arm(service: &State, watchdog: *mut Watchdog) {
    // SAFETY: the caller's; armed watchdogs are alive.
    unsafe {
        (*watchdog).state |= ARMED;
        service.heap.set(pairing_heap::insert(service.heap.get(), watchdog));
    }
}

/// # Safety
/// The watchdog is started in this process.
unsafe fn disarm(service: &State, watchdog: *mut Watchdog) {
    // SAFETY: the caller's; as in `arm`.
    unsafe {
        if (*watchdog).state & ARMED != 0 {
            (*watchdog).state &= !ARMED;
            service.heap.set(pairing_heap::remove(service.heap.get(), watchdog));
        }
    }
}

/// When the first one is due; `u64::MAX` if none is ever.
pub fn earliest(service: &State) -> u64 {
    let first = service.heap.get();
    // SAFETY: armed watchdogs are alive.
    unsafe { first.as_ref() }.map_or(u64::MAX, |first| first.deadline)
}

/// Runs the callback that is due first. Says whether there was one.
pub fn run_one(service: Service) -> (Service, bool) {
    let watchdog = service.heap.get();
    if watchdog.is_null() || earliest(&service) > now_ns() {
        return (service, false);
    }
    // SAFETY: armed, so alive; what the callback needs is read before it could be stopped. Nothing touches it afterwards.
    unsafe {
        disarm(&service, watchdog);
        (*watchdog).state |= FIRED;
        let (cb, arg) = ((*watchdog).cb, (*watchdog).arg);
        let service = service.run(watchdog.cast(), || {
            if let Some(cb) = cb {
                cb(watchdog.cast(), arg);
            }
        });
        (service, true)
    }
}
