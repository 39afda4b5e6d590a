//! `uv_shutdown`: closing the write side, once all that was written before is out.

use super::{OUT, SHUT};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::ptr::{Cx, Handle};
use crate::sys::socket;
use core::ptr::null_mut;

/// `uv_shutdown`.
///
/// # Safety
/// `req` is writable memory for a request that is not in use, and stays so until its callback ran.
pub unsafe fn start(req: *mut uv_shutdown_t, stream: Handle<'_, uv_stream_t>, cb: uv_shutdown_cb) -> Result {
    let writable = stream.has(UV_HANDLE_WRITABLE) && !stream.has(SHUT);
    if !writable || !stream.shutdown_req().is_null() || stream.is_closing() {
        return Err(Errno::ENOTCONN);
    }
    // SAFETY: the caller's.
    unsafe {
        (*req).req.type_ = UV_SHUTDOWN;
        (*req).handle = stream.as_ptr();
        (*req).cb = cb;
    }
    stream.owner().begin_request();
    stream.set_shutdown_req(req);
    stream.clear(UV_HANDLE_WRITABLE);
    // SAFETY: the queue is initialised.
    if unsafe { queue::is_empty(stream.write_queue()) } {
        stream.feed();
    }
    Ok(())
}

/// Nothing is left to write: stops watching for room, and shuts down if that was asked for.
///
/// # Safety
/// `raw` is a stream that is no less than closing.
pub unsafe fn run(cx: &mut Cx, raw: *mut uv_stream_t) {
    // SAFETY: the caller's; the queue is initialised.
    let stream = unsafe { Handle::new(cx, raw) };
    // SAFETY: as above.
    let busy = unsafe { !queue::is_empty(stream.write_queue()) };
    if busy || stream.is_closing() {
        return;
    }
    stream.unwant(OUT);
    if stream.shutdown_req().is_null() {
        return;
    }
    let result = socket::shutdown_write(stream.fd());
    if result.is_ok() {
        stream.set(SHUT);
    }
    // SAFETY: the caller's.
    unsafe { finish(cx, raw, result) };
}

/// The stream is closed.
///
/// # Safety
/// As for `run`.
pub unsafe fn cancel(cx: &mut Cx, raw: *mut uv_stream_t) {
    // SAFETY: the caller's.
    unsafe { finish(cx, raw, Err(Errno::ECANCELED)) };
}

/// # Safety
/// As for `run`.
unsafe fn finish(cx: &mut Cx, raw: *mut uv_stream_t, result: Result) {
    // SAFETY: the caller's.
    let stream = unsafe { Handle::new(cx, raw) };
    let req = stream.shutdown_req();
    if req.is_null() {
        return;
    }
    stream.set_shutdown_req(null_mut());
    stream.owner().end_request();
    // SAFETY: the request is alive until its callback.
    if let Some(cb) = unsafe { (&raw const (*req).cb).read() } {
        let status = result.err().map_or(0, Errno::code);
        // SAFETY: the user's function, with the request that it was given for.
        cx.call(|| unsafe { cb(req, status) });
    }
}
