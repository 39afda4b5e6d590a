//! Connecting. The callback always runs later, also for an error that is known at once.

use super::{ERR, HUP, OUT, write};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::ptr::{Cx, Handle};
use crate::sys::socket::{self, Progress};
use core::ptr::null_mut;

/// Begins a request for a connection that has been started, or has failed already.
///
/// # Safety
/// `req` is writable memory for a request that is not in use, and stays so until its callback ran.
pub unsafe fn begin(
    req: *mut uv_connect_t,
    stream: Handle<'_, uv_stream_t>,
    progress: Result<Progress>,
    cb: uv_connect_cb,
) {
    // SAFETY: the caller's.
    unsafe {
        (*req).req.type_ = UV_CONNECT;
        (*req).cb = cb;
        (*req).handle = stream.as_ptr();
        queue::init(&raw mut (*req).queue);
    }
    stream.owner().begin_request();
    stream.set_connect_req(req);
    let waiting = match progress {
        Ok(Progress::Started) => stream.want(OUT).map(|()| true),
        Ok(Progress::Connected) => Ok(false),
        Err(error) => Err(error),
    };
    if let Err(error) = waiting {
        stream.set_delayed_error(error.code());
    }
    if waiting != Ok(true) {
        stream.feed();
    }
}

/// The socket has `events`, or none if it was fed.
///
/// # Safety
/// `raw` is a stream with a connect request, no less than closing.
pub unsafe fn run(cx: &mut Cx, raw: *mut uv_stream_t, events: u32) {
    // SAFETY: the caller's; so for the others.
    let stream = unsafe { Handle::new(cx, raw) };
    let Some(status) = outcome(stream, events) else { return };
    stream.set_delayed_error(0);
    // SAFETY: the queue is initialised.
    if status != 0 || unsafe { queue::is_empty(stream.write_queue()) } {
        stream.unwant(OUT);
    }
    // SAFETY: as above.
    unsafe {
        finish(cx, raw, status);
        after(cx, raw, status);
    }
}

/// How the connection has ended; None if it has not.
fn outcome(stream: Handle<'_, uv_stream_t>, events: u32) -> Option<i32> {
    if stream.delayed_error() != 0 {
        return Some(stream.delayed_error());
    }
    if events == 0 {
        // Fed: by a connection without delay, or, while one is still on its way, by a shutdown.
        return (stream.watcher().pevents() & OUT == 0).then_some(0);
    }
    if events & (ERR | HUP) == 0 {
        return Some(0);
    }
    match socket::option(stream.fd(), libc::SOL_SOCKET, libc::SO_ERROR) {
        Ok(libc::EINPROGRESS) => None,
        Ok(errno) => Some(Errno::from_errno(errno).code()),
        Err(error) => Some(error.code()),
    }
}

/// What waited for the connection: writes, which fail with it, and a shutdown.
///
/// # Safety
/// As for `run`.
unsafe fn after(cx: &mut Cx, raw: *mut uv_stream_t, status: i32) {
    // SAFETY: the caller's; so for the others.
    let stream = unsafe { Handle::new(cx, raw) };
    if stream.is_closing() {
        return;
    }
    if !stream.shutdown_req().is_null() {
        stream.feed();
    }
    if status == 0 {
        write::flush(stream);
        return;
    }
    write::cancel(stream);
    // SAFETY: as above.
    unsafe { write::run_callbacks(cx, raw) };
}

/// The stream is closed.
///
/// # Safety
/// As for `run`, but the stream may have no connect request.
pub unsafe fn cancel(cx: &mut Cx, raw: *mut uv_stream_t) {
    // SAFETY: the caller's.
    unsafe { finish(cx, raw, Errno::ECANCELED.code()) };
}

/// # Safety
/// As for `cancel`.
unsafe fn finish(cx: &mut Cx, raw: *mut uv_stream_t, status: i32) {
    // SAFETY: the caller's.
    let stream = unsafe { Handle::new(cx, raw) };
    let req = stream.connect_req();
    if req.is_null() {
        return;
    }
    stream.set_connect_req(null_mut());
    stream.owner().end_request();
    // SAFETY: the request is alive until its callback.
    if let Some(cb) = unsafe { (&raw const (*req).cb).read() } {
        // SAFETY: the user's function, with the request that it was given for.
        cx.call(|| unsafe { cb(req, status) });
    }
}
