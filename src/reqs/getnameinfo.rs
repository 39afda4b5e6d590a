//! `uv_getnameinfo`: names of hosts and services by their address, at once or by the pool.

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::event_loop::pool::{self, Lane};
use crate::sys::resolver;
use core::ffi::c_int;
use core::ptr::{copy_nonoverlapping, null};
use libc::sockaddr;

/// `uv_getnameinfo`; without `cb` the result is there when it returns, and `lp` is not used.
///
/// # Safety
/// `req` is null or writable memory for a request that is not in use, `address` is null or a socket address. With `cb`: `lp` is a loop,
/// this is its thread, and both stay so until `cb` ran.
pub unsafe fn start(
    lp: *mut uv_loop_t,
    req: *mut uv_getnameinfo_t,
    cb: uv_getnameinfo_cb,
    address: *const sockaddr,
    flags: c_int,
) -> Result {
    if req.is_null() || address.is_null() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's; an address may be less aligned than its type.
    unsafe {
        let family = c_int::from((&raw const (*address).sa_family).read_unaligned());
        let size = resolver::address_size(family).ok_or(Errno::EINVAL)?;
        copy_nonoverlapping(address.cast::<u8>(), (&raw mut (*req).storage).cast(), size);
        (*req).req.type_ = UV_GETNAMEINFO;
        (*req).loop_ = lp;
        (*req).getnameinfo_cb = cb;
        (*req).flags = flags;
        (*req).retcode = 0;
        if cb.is_none() {
            return look_up(req);
        }
        pool::submit(Loop::new(lp), &raw mut (*req).work_req, Lane::Slow, work, done)
    }
}

/// Keeps the result in the request, too.
///
/// # Safety
/// The request's address and flags are set.
unsafe fn look_up(req: *mut uv_getnameinfo_t) -> Result {
    // SAFETY: the caller's.
    unsafe {
        let (host, service) = (&raw mut (*req).host, &raw mut (*req).service);
        let result = resolver::names((&raw const (*req).storage).cast(), (*req).flags, host, service);
        (*req).retcode = result.map_or_else(Errno::code, |()| 0);
        result
    }
}

/// On the pool's thread.
unsafe extern "C" fn work(work: *mut uv__work) {
    // SAFETY: set by `start`; the result stays in the request.
    unsafe {
        let _ = look_up(container_of!(work, uv_getnameinfo_t, work_req));
    }
}

/// On the loop's thread.
unsafe extern "C" fn done(work: *mut uv__work, cancelled: c_int) {
    // SAFETY: set by `start`.
    unsafe {
        let req = container_of!(work, uv_getnameinfo_t, work_req);
        Loop::new((*req).loop_).end_request();
        if cancelled != 0 {
            (*req).retcode = UV_EAI_CANCELED;
        }
        let (mut host, mut service) = (null(), null());
        if (*req).retcode == 0 {
            host = (&raw const (*req).host).cast();
            service = (&raw const (*req).service).cast();
        }
        if let Some(cb) = (&raw const (*req).getnameinfo_cb).read() {
            cb(req, (*req).retcode, host, service);
        }
    }
}
