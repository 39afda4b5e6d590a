//! Requests of a loop that other threads begin: work for a pool that is to come back to the loop.
//!
//! A request keeps its loop from being closed, so between its beginning and its end the loop can be used without the doorbell.

use super::{Calls, existing};
use crate::abi::errno::{Errno, Result};
use crate::abi::uv_loop_t;
use crate::event_loop::{Internals, Loop, run};
use crate::sync::prim::Ordering;
use crate::sys::epoll;

impl Calls {
    /// Begins a request: the loop stays alive until `Loop::end_request`. `UV_ESHUTDOWN` if it, or its mailbox, is closed. Any thread.
    #[inline]
    pub fn begin_request(&self) -> Result<*mut uv_loop_t> {
        match run::running_here() {
            Some(lp) if core::ptr::eq(lp.internals().calls.get().cast(), self) => {
                if self.queue.is_closed() {
                    return Err(Errno::ESHUTDOWN);
                }
                lp.begin_request();
                Ok(lp.as_ptr())
            }
            _ => self.begin_request_elsewhere(),
        }
    }

    fn begin_request_elsewhere(&self) -> Result<*mut uv_loop_t> {
        let owner = self.doorbell.owner();
        // Who closes the calls takes this lock afterwards, and then counts: so a request is seen there, or the end here.
        if owner.is_null() || self.queue.is_closed() {
            return Err(Errno::ESHUTDOWN);
        }
        internals(*owner).begun_elsewhere.fetch_add(1, Ordering::AcqRel);
        Ok(*owner)
    }
}

/// Takes back a request that `begin_request` began on this loop, and that came to nothing. Any thread.
///
/// # Safety
/// It was begun, and has not ended.
pub unsafe fn take_back(home: *mut uv_loop_t, calls: &Calls) {
    // The lock keeps the loop in place after the request is gone.
    let _owner = calls.doorbell.owner();
    internals(home).begun_elsewhere.fetch_sub(1, Ordering::AcqRel);
    wake(home);
}

/// Whether posted calls wait for the loop.
pub fn wait_for(lp: Loop) -> bool {
    super::collect(lp);
    existing(lp).is_some_and(|calls| calls.queue.collected() > 0)
}

/// A loop that has counted the request may sleep for its sake.
fn wake(home: *mut uv_loop_t) {
    // SAFETY: the loop cannot go while its name is locked.
    epoll::ring(unsafe { Loop::new(home) }.wake_fd());
}

fn internals<'a>(home: *mut uv_loop_t) -> &'a Internals {
    // SAFETY: the loop cannot go while its name is locked; its private part is set once.
    unsafe { &*(&raw const (*home).internal_fields).read().cast::<Internals>() }
}
