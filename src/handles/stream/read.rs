//! Reading: as long as the program wants it and something comes, at most some reads a turn.

use super::{IN, READ_EOF, fd_passing};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ptr::{Cx, Handle};
use crate::sys::fd;
use core::ptr::null_mut;

/// What the program is asked to provide for a read.
const SUGGESTED_SIZE: usize = 64 * 1024;
/// Reads in one turn, so that a fast sender does not keep the others waiting.
const READS_PER_TURN: usize = 32;

/// `uv_read_start`.
pub fn start(stream: Handle<'_, uv_stream_t>, alloc_cb: uv_alloc_cb, read_cb: uv_read_cb) -> Result {
    if alloc_cb.is_none() || read_cb.is_none() || stream.has(UV_HANDLE_CLOSING) {
        return Err(Errno::EINVAL);
    }
    if stream.read_cb().is_some() {
        return Err(Errno::EALREADY);
    }
    if !stream.has(UV_HANDLE_READABLE) || stream.fd() == -1 {
        return Err(Errno::ENOTCONN);
    }
    stream.want(IN)?;
    stream.clear(READ_EOF);
    stream.set_alloc_cb(alloc_cb);
    stream.set_read_cb(read_cb);
    stream.activate();
    Ok(())
}

/// `uv_read_stop`.
pub fn stop(stream: Handle<'_, uv_stream_t>) {
    if stream.read_cb().is_some() {
        stream.unwant(IN);
        stream.deactivate();
        stream.set_read_cb(None);
        stream.set_alloc_cb(None);
    }
}

/// Reads what there is. A read that did not fill its buffer was the last one: the next would only say so.
///
/// # Safety
/// `raw` is a stream that is no less than closing.
pub unsafe fn run(cx: &mut Cx, raw: *mut uv_stream_t) {
    for _ in 0..READS_PER_TURN {
        // SAFETY: the caller's.
        if !unsafe { read_once(cx, raw) } {
            return;
        }
    }
}

/// One read; whether there may be more.
///
/// # Safety
/// As for `run`.
unsafe fn read_once(cx: &mut Cx, raw: *mut uv_stream_t) -> bool {
    // SAFETY: the caller's; so for the others.
    let Some(alloc_cb) = unsafe { Handle::new(cx, raw) }.alloc_cb() else { return false };
    let mut buffer = uv_buf_t { base: null_mut(), len: 0 };
    let place = &raw mut buffer;
    // SAFETY: the user's function, with the stream that it was given for.
    cx.call(|| unsafe { alloc_cb(raw.cast(), SUGGESTED_SIZE, place) });

    // SAFETY: as above.
    let stream = unsafe { Handle::new(cx, raw) };
    if stream.read_cb().is_none() {
        return false; // the program has changed its mind
    }
    if buffer.base.is_null() || buffer.len == 0 {
        // SAFETY: as above.
        unsafe { report(cx, raw, Errno::ENOBUFS.code() as isize, buffer) };
        return false;
    }
    // SAFETY: the buffer is the program's, for writing.
    match unsafe { receive(stream, buffer) } {
        // SAFETY: as above; so for the others.
        Ok(Ok(0)) => unsafe { end(cx, raw, buffer) },
        Ok(Ok(count)) => {
            // SAFETY: as above.
            unsafe { report(cx, raw, count.cast_signed(), buffer) };
            return count == buffer.len;
        }
        // SAFETY: as above.
        Ok(Err(lost)) => unsafe { report(cx, raw, lost.code() as isize, buffer) },
        // SAFETY: as above.
        Err(Errno::EAGAIN) => unsafe { report(cx, raw, 0, buffer) },
        // SAFETY: as above.
        Err(error) => unsafe { fail(cx, raw, error, buffer) },
    }
    false
}

/// How many bytes came; the inner error is that of a message which was lost.
///
/// # Safety
/// `buffer` is writable.
unsafe fn receive(stream: Handle<'_, uv_stream_t>, buffer: uv_buf_t) -> Result<Result<usize>> {
    if fd_passing::is_ipc(stream) {
        // SAFETY: the caller's.
        unsafe { fd_passing::receive(stream, buffer) }
    } else {
        // SAFETY: the caller's.
        unsafe { fd::read(stream.fd(), buffer.base, buffer.len) }.map(Ok)
    }
}

/// The other side has finished: reading stops, with `UV_EOF`.
///
/// # Safety
/// As for `run`.
pub unsafe fn end(cx: &mut Cx, raw: *mut uv_stream_t, buffer: uv_buf_t) {
    // SAFETY: the caller's.
    let stream = unsafe { Handle::new(cx, raw) };
    let Some(read_cb) = stream.read_cb() else { return };
    stream.set(READ_EOF);
    stop(stream);
    // SAFETY: the user's function, with the stream that it was given for.
    cx.call(|| unsafe { read_cb(raw, UV_EOF as isize, &raw const buffer) });
}

/// The connection is broken. Inside the callback it still counts as being read.
///
/// # Safety
/// As for `run`.
unsafe fn fail(cx: &mut Cx, raw: *mut uv_stream_t, error: Errno, buffer: uv_buf_t) {
    // SAFETY: the caller's; so for the others.
    unsafe {
        Handle::new(cx, raw).clear(UV_HANDLE_READABLE | UV_HANDLE_WRITABLE);
        report(cx, raw, error.code() as isize, buffer);
        stop(Handle::new(cx, raw));
    }
}

/// # Safety
/// As for `run`.
unsafe fn report(cx: &mut Cx, raw: *mut uv_stream_t, count: isize, buffer: uv_buf_t) {
    // SAFETY: the caller's.
    let Some(read_cb) = (unsafe { Handle::new(cx, raw) }).read_cb() else { return };
    // SAFETY: the user's function, with the stream that it was given for.
    cx.call(|| unsafe { read_cb(raw, count, &raw const buffer) });
}
