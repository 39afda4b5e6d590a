//! `uv_queue_work`: a function of the program's on a thread of the pool, and a callback on the loop when it is done.

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::event_loop::pool::{self, Lane};
use core::ffi::c_int;

/// `uv_queue_work`.
///
/// # Safety
/// `req` is writable memory for a request that is not in use, and stays so until its callback ran.
pub unsafe fn queue(
    lp: Loop,
    req: *mut uv_work_t,
    work_cb: uv_work_cb,
    after_work_cb: uv_after_work_cb,
) -> Result {
    // SAFETY: the caller's.
    unsafe {
        prepare(lp.as_ptr(), req, work_cb, after_work_cb)?;
        pool::submit(lp, &raw mut (*req).work_req, Lane::Normal, work, done)
    }
}

/// As `queue`, from any thread, for a loop on which the caller has begun a request (`worker::call::Calls::begin_request`).
///
/// # Safety
/// As for `queue`.
pub unsafe fn queue_from_elsewhere(
    home: *mut uv_loop_t,
    req: *mut uv_work_t,
    work_cb: uv_work_cb,
    after_work_cb: uv_after_work_cb,
) -> Result {
    // SAFETY: the caller's.
    unsafe {
        prepare(home, req, work_cb, after_work_cb)?;
        pool::submit_from_elsewhere(home, &raw mut (*req).work_req, Lane::Normal, work, done)
    }
}

/// # Safety
/// As for `queue`.
unsafe fn prepare(
    home: *mut uv_loop_t,
    req: *mut uv_work_t,
    work_cb: uv_work_cb,
    after_work_cb: uv_after_work_cb,
) -> Result {
    if work_cb.is_none() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's.
    unsafe {
        (*req).req.type_ = UV_WORK;
        (*req).loop_ = home;
        (*req).work_cb = work_cb;
        (*req).after_work_cb = after_work_cb;
    }
    Ok(())
}

/// On the pool's thread.
unsafe extern "C" fn work(work: *mut uv__work) {
    // SAFETY: set by `queue`.
    unsafe {
        let req = container_of!(work, uv_work_t, work_req);
        if let Some(cb) = (&raw const (*req).work_cb).read() {
            cb(req);
        }
    }
}

/// On the loop's thread.
unsafe extern "C" fn done(work: *mut uv__work, status: c_int) {
    // SAFETY: set by `queue`.
    unsafe {
        let req = container_of!(work, uv_work_t, work_req);
        let lp = Loop::new((*req).loop_);
        lp.collect_requests();
        lp.end_request();
        if let Some(cb) = (&raw const (*req).after_work_cb).read() {
            cb(req, status);
        }
    }
}
