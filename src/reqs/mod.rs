//! Requests: operations that run once, off the loop's thread, and end in a callback on it.

pub mod fs;
pub mod getaddrinfo;
pub mod getnameinfo;
pub mod kind;
pub mod random;
pub mod work;

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::pool::{self, Lane};
use crate::ptr::Cx;

/// `uv_cancel`: `UV_EBUSY` once the request runs or is done, `UV_EINVAL` for kinds that cannot be cancelled. Otherwise its callback
/// runs with `UV_ECANCELED`, or with `UV_EAI_CANCELED` after a name look-up, in the next turn, however busy the pool is.
///
/// # Safety
/// `req` is a request in use, and this is its loop's thread.
pub unsafe fn cancel(req: *mut uv_req_t) -> Result {
    // SAFETY: the type field says what the memory is.
    let (work, lane) = unsafe {
        match (&raw const (*req).type_).read() {
            UV_WORK => (&raw mut (*req.cast::<uv_work_t>()).work_req, Lane::Normal),
            UV_FS => return fs::cancel(req.cast()),
            UV_GETADDRINFO => (&raw mut (*req.cast::<uv_getaddrinfo_t>()).work_req, Lane::Slow),
            UV_GETNAMEINFO => (&raw mut (*req.cast::<uv_getnameinfo_t>()).work_req, Lane::Slow),
            UV_RANDOM => (&raw mut (*req.cast::<uv_random_t>()).work_req, Lane::Normal),
            _ => return Err(Errno::EINVAL),
        }
    };
    // SAFETY: a request of this type was submitted to the pool.
    unsafe { pool::cancel(work, lane) }
}

/// The pool is done with the work of `node`.
///
/// # Safety
/// The node lies in a `uv__work` that just left the ready list.
pub unsafe fn finish(cx: &mut Cx, node: *mut uv__queue) {
    // SAFETY: the caller's; it stays alive until its `done` has run.
    let (work, done, cancelled) = unsafe {
        let work = container_of!(node, uv__work, wq);
        (work, (&raw const (*work).done).read(), pool::was_cancelled(work))
    };
    let status = if cancelled { Errno::ECANCELED.code() } else { 0 };
    if let Some(done) = done {
        // SAFETY: set by the request that was submitted; it runs the user's callback.
        cx.call(|| unsafe { done(work, status) });
    }
}
