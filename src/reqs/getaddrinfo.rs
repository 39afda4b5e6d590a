//! `uv_getaddrinfo`: addresses of hosts and services, at once or by the pool.
//!
//! Host names are made ASCII on the caller's thread, so those that cannot be are errors of the call. What the pool's thread reads is copied
//! to one block, to which `hints`, `hostname` and `service` point, in this order; the block begins at the first that is not null.

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::event_loop::pool::{self, Lane};
use crate::mem;
use crate::os::idna;
use crate::sys::resolver;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::{copy_nonoverlapping, null, null_mut};
use libc::addrinfo;

/// `uv_getaddrinfo`; without `cb` the result is there when it returns, and `lp` is not used.
///
/// # Safety
/// `req` is null or writable memory for a request that is not in use, `host` and `service` are null or strings, `hints` is null or such a
/// struct. With `cb`: `lp` is a loop, this is its thread, and both stay so until `cb` ran.
pub unsafe fn start(
    lp: *mut uv_loop_t,
    req: *mut uv_getaddrinfo_t,
    cb: uv_getaddrinfo_cb,
    host: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
) -> Result {
    if req.is_null() || (host.is_null() && service.is_null()) {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's.
    unsafe {
        let ascii = match host.is_null() {
            true => None,
            false => Some(idna::to_ascii(CStr::from_ptr(host).to_bytes())?),
        };
        let host = ascii.as_ref().map_or(null(), |name| name.as_c_str().as_ptr());
        (*req).req.type_ = UV_GETADDRINFO;
        (*req).loop_ = lp;
        (*req).cb = cb;
        (*req).addrinfo = null_mut();
        (*req).retcode = 0;
        ((*req).hints, (*req).hostname, (*req).service) = (null_mut(), null_mut(), null_mut());
        if cb.is_none() {
            return look_up(req, host, service, hints);
        }
        copy_question(req, host, service, hints)?;
        pool::submit(Loop::new(lp), &raw mut (*req).work_req, Lane::Slow, work, done)
            .inspect_err(|_| free_question(req))
    }
}

/// Keeps the result in the request, too.
///
/// # Safety
/// As for `start`.
unsafe fn look_up(
    req: *mut uv_getaddrinfo_t,
    host: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
) -> Result {
    // SAFETY: the caller's.
    unsafe {
        let found = resolver::addresses(host, service, hints);
        (*req).retcode = found.map_or_else(Errno::code, |_| 0);
        (*req).addrinfo = found.unwrap_or(null_mut());
        found.map(|_| ())
    }
}

/// # Safety
/// As for `start`.
unsafe fn copy_question(
    req: *mut uv_getaddrinfo_t,
    host: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
) -> Result {
    // SAFETY: the caller's; the block has room for all that is not null.
    unsafe {
        let hints_size = if hints.is_null() { 0 } else { size_of::<addrinfo>() };
        let (host_size, service_size) = (size_of_text(host), size_of_text(service));
        let block = mem::alloc_array::<u8>(hints_size + host_size + service_size)?.as_ptr();
        if !hints.is_null() {
            (*req).hints = block.cast();
            (*req).hints.write(hints.read());
        }
        if !host.is_null() {
            (*req).hostname = block.add(hints_size).cast();
            copy_nonoverlapping(host, (*req).hostname, host_size);
        }
        if !service.is_null() {
            (*req).service = block.add(hints_size + host_size).cast();
            copy_nonoverlapping(service, (*req).service, service_size);
        }
    }
    Ok(())
}

/// The bytes of a string with its NUL; 0 for a null pointer.
///
/// # Safety
/// `text` is null or a string.
unsafe fn size_of_text(text: *const c_char) -> usize {
    // SAFETY: the caller's.
    if text.is_null() { 0 } else { unsafe { CStr::from_ptr(text) }.count_bytes() + 1 }
}

/// # Safety
/// `copy_question` was the last to set the request's three pointers.
unsafe fn free_question(req: *mut uv_getaddrinfo_t) {
    // SAFETY: the first of them that is not null is the block.
    unsafe {
        let parts: [*mut c_void; 3] = [(*req).hints.cast(), (*req).hostname.cast(), (*req).service.cast()];
        mem::free(parts.into_iter().find(|part| !part.is_null()).unwrap_or(null_mut()));
        ((*req).hints, (*req).hostname, (*req).service) = (null_mut(), null_mut(), null_mut());
    }
}

/// On the pool's thread.
unsafe extern "C" fn work(work: *mut uv__work) {
    // SAFETY: set by `start`; the result stays in the request.
    unsafe {
        let req = container_of!(work, uv_getaddrinfo_t, work_req);
        let _ = look_up(req, (*req).hostname, (*req).service, (*req).hints);
    }
}

/// On the loop's thread.
unsafe extern "C" fn done(work: *mut uv__work, cancelled: c_int) {
    // SAFETY: set by `start`.
    unsafe {
        let req = container_of!(work, uv_getaddrinfo_t, work_req);
        Loop::new((*req).loop_).end_request();
        free_question(req);
        if cancelled != 0 {
            (*req).retcode = UV_EAI_CANCELED;
        }
        if let Some(cb) = (&raw const (*req).cb).read() {
            cb(req, (*req).retcode, (*req).addrinfo);
        }
    }
}
