//! `uv_random`: bytes that nobody can guess, at once or by the pool.

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::event_loop::pool::{self, Lane};
use crate::sys::random::fill;
use core::ffi::{c_int, c_uint, c_void};

/// The most bytes that can be asked for.
const LARGEST: usize = 0x7fff_ffff;

/// `uv_random`; without `cb` the bytes are there when it returns, and `lp` and `req` are not used.
///
/// # Safety
/// `buf` has room for `buflen` bytes. With `cb`: `lp` is a loop, this is its thread, `req` is writable memory for a request that is not
/// in use, and both stay so until `cb` ran.
pub unsafe fn start(
    lp: *mut uv_loop_t,
    req: *mut uv_random_t,
    buf: *mut c_void,
    buflen: usize,
    flags: c_uint,
    cb: uv_random_cb,
) -> Result {
    if buflen > LARGEST {
        return Err(Errno::E2BIG);
    }
    if flags != 0 {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's.
    unsafe {
        if cb.is_none() {
            return fill(buf, buflen);
        }
        (*req).req.type_ = UV_RANDOM;
        (*req).loop_ = lp;
        (*req).status = 0;
        (*req).buf = buf;
        (*req).buflen = buflen;
        (*req).cb = cb;
        pool::submit(Loop::new(lp), &raw mut (*req).work_req, Lane::Normal, work, done)
    }
}

/// On the pool's thread.
unsafe extern "C" fn work(work: *mut uv__work) {
    // SAFETY: set by `start`.
    unsafe {
        let req = container_of!(work, uv_random_t, work_req);
        if let Err(error) = fill((*req).buf, (*req).buflen) {
            (*req).status = error.code();
        }
    }
}

/// On the loop's thread.
unsafe extern "C" fn done(work: *mut uv__work, cancelled: c_int) {
    // SAFETY: set by `start`.
    unsafe {
        let req = container_of!(work, uv_random_t, work_req);
        Loop::new((*req).loop_).end_request();
        if cancelled != 0 {
            (*req).status = cancelled;
        }
        if let Some(cb) = (&raw const (*req).cb).read() {
            cb(req, (*req).status, (*req).buf, (*req).buflen);
        }
    }
}
