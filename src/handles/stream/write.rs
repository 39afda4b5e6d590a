//! Writing: at once if nothing else waits, in order, and with callbacks that always run later.
//!
//! `write_queue` holds what is not written, `write_completed_queue` what only waits for its callback. `write_queue_size` counts the bytes
//! of both: what the kernel took leaves it at once, what failed only before its callback, so that the program sees that it
//! should stop writing.

use super::{OUT, gather};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::mem;
use crate::ptr::{Cx, Handle};
use crate::sys::{fd, rights};
use core::ffi::c_uint;
use core::ptr::null_mut;

/// More buffers than this are a mistake, such as a negative number.
const MOST_BUFFERS: c_uint = 1024 * 1024;
/// What Linux writes at once at most, in bytes.
const MOST_BYTES: usize = 0x7fff_f000;
/// System calls in one go, so that a fast reader does not keep the others waiting.
const WRITES_PER_TURN: usize = 32;

/// What the program wants written.
#[derive(Clone, Copy)]
pub struct Data {
    /// At least `count` buffers.
    pub buffers: *const uv_buf_t,
    /// How many.
    pub count: c_uint,
    /// The handle to send with the first byte; may be null.
    pub passenger: *mut uv_stream_t,
}

/// `uv_write` and `uv_write2`.
///
/// # Safety
/// `req` is writable memory for a request that is not in use; it, the bytes and the passenger stay so until its callback ran.
pub unsafe fn start(
    req: *mut uv_write_t,
    stream: Handle<'_, uv_stream_t>,
    data: Data,
    cb: uv_write_cb,
) -> Result {
    // SAFETY: the caller's; so for the others.
    unsafe {
        let bytes = check(stream, data)?;
        let buffers = copy_buffers(req, data)?;
        (*req).req.type_ = UV_WRITE;
        (*req).cb = cb;
        (*req).handle = stream.as_ptr();
        (*req).send_handle = data.passenger;
        (*req).write_index = 0;
        (*req).bufs = buffers;
        (*req).nbufs = data.count;
        (*req).error = 0;
        // What failed and waits for its callback counts too: writing on would only fail again.
        let idle = stream.write_queue_size() == 0;
        stream.set_write_queue_size(stream.write_queue_size().wrapping_add(bytes));
        stream.owner().begin_request();
        queue::push_back(stream.write_queue(), &raw mut (*req).queue);
        if !stream.connect_req().is_null() {
            return Ok(()); // written when it is connected
        }
        if idle {
            flush(stream);
        } else {
            wait_for_room(stream);
        }
    }
    Ok(())
}

/// `uv_try_write` and `uv_try_write2`: how many bytes were written; `UV_EAGAIN` if none can be now.
///
/// # Safety
/// The data is readable.
pub unsafe fn try_now(stream: Handle<'_, uv_stream_t>, data: Data) -> Result<usize> {
    if !stream.connect_req().is_null() || stream.write_queue_size() != 0 {
        return Err(Errno::EAGAIN);
    }
    // SAFETY: the caller's.
    unsafe {
        check(stream, data)?;
        write(stream, data)
    }
}

/// Whether it may be written to the stream, and how many bytes it is.
///
/// # Safety
/// The data is readable.
unsafe fn check(stream: Handle<'_, uv_stream_t>, data: Data) -> Result<usize> {
    if data.count < 1 || data.count > MOST_BUFFERS {
        return Err(Errno::EINVAL);
    }
    let mut bytes = 0usize;
    for index in 0..data.count as usize {
        // SAFETY: the caller's.
        let length = unsafe { (&raw const (*data.buffers.add(index)).len).read() };
        bytes = bytes.checked_add(length).filter(|sum| *sum <= MOST_BYTES).ok_or(Errno::EINVAL)?;
    }
    if stream.fd() < 0 {
        return Err(Errno::EBADF);
    }
    if !stream.has(UV_HANDLE_WRITABLE) {
        return Err(Errno::EPIPE);
    }
    if !data.passenger.is_null() {
        if !super::fd_passing::is_ipc(stream) {
            return Err(Errno::EINVAL);
        }
        // SAFETY: the caller's.
        unsafe { super::fd_passing::descriptor_of(data.passenger)? };
    }
    Ok(bytes)
}

/// The request's own copy of the buffers, for the program's array may go.
///
/// # Safety
/// As for `start`.
unsafe fn copy_buffers(req: *mut uv_write_t, data: Data) -> Result<*mut uv_buf_t> {
    // SAFETY: the caller's; the new block, or the four in the request, have room.
    unsafe {
        let small = (&raw mut (*req).bufsml).cast::<uv_buf_t>();
        let count = data.count as usize;
        let buffers = if count <= 4 { small } else { mem::alloc_array::<uv_buf_t>(count)?.as_ptr() };
        buffers.copy_from(data.buffers, count);
        Ok(buffers)
    }
}

/// # Safety
/// The data is readable, and the passenger a handle.
unsafe fn write(stream: Handle<'_, uv_stream_t>, data: Data) -> Result<usize> {
    // SAFETY: the caller's.
    unsafe {
        if data.passenger.is_null() {
            return fd::write(stream.fd(), data.buffers, data.count as usize);
        }
        let passenger = super::fd_passing::descriptor_of(data.passenger)?;
        rights::write(stream.fd(), data.buffers, data.count as usize, passenger)
    }
}

/// Writes what the kernel takes of the queue; for the rest, watches for room.
pub fn flush(stream: Handle<'_, uv_stream_t>) {
    let mut calls = 0;
    // SAFETY: the queue's nodes are requests whose callbacks have not run.
    while let Some(first) = unsafe { gather::first(stream) } {
        // SAFETY: as above.
        match unsafe { write_from(stream, first) } {
            Ok(true) if calls < WRITES_PER_TURN => calls += 1,
            Err(error) if error != Errno::EAGAIN => {
                // SAFETY: as above. Those behind it are tried one by one: each gets an error of its own.
                unsafe { fail(stream, first, error) };
                stream.unwant(OUT);
                return;
            }
            _ if stream.has(UV_HANDLE_BLOCKING_WRITES) && fd::wait_writable(stream.fd()) => {}
            _ => return wait_for_room(stream),
        }
    }
}

fn wait_for_room(stream: Handle<'_, uv_stream_t>) {
    // Without memory to watch with, the next turn tries again.
    if stream.want(OUT).is_err() {
        stream.feed();
    }
}

/// One system call for `first` and, if they can go together, those behind it; whether all that was given was written.
///
/// # Safety
/// `first` is the first of the queue.
unsafe fn write_from(stream: Handle<'_, uv_stream_t>, first: *mut uv_write_t) -> Result<bool> {
    // SAFETY: the caller's.
    unsafe {
        let index = (*first).write_index;
        let alone = Data {
            buffers: (*first).bufs.add(index as usize),
            count: (*first).nbufs.wrapping_sub(index),
            passenger: (*first).send_handle,
        };
        let (given, written) = if alone.passenger.is_null() && gather::pays(stream, first) {
            gather::write(stream)?
        } else {
            (unwritten(first), write(stream, alone)?)
        };
        (*first).send_handle = null_mut(); // it is on its way, even if some bytes are not
        take_off(stream, written);
        Ok(written == given)
    }
}

/// Accounts for `written` bytes, in order, and completes the requests that have no more.
///
/// # Safety
/// As many bytes of the queue were written.
unsafe fn take_off(stream: Handle<'_, uv_stream_t>, mut written: usize) {
    stream.set_write_queue_size(stream.write_queue_size().wrapping_sub(written));
    // SAFETY: the queue's nodes are requests whose callbacks have not run, and their buffers are the library's.
    unsafe {
        while let Some(req) = gather::first(stream) {
            if !(*req).send_handle.is_null() {
                return; // has not been its turn
            }
            while (*req).write_index < (*req).nbufs {
                let buffer = (*req).bufs.add((*req).write_index as usize);
                let part = written.min((*buffer).len);
                if part > 0 {
                    (*buffer).base = (*buffer).base.add(part);
                    (*buffer).len -= part;
                    written -= part;
                }
                if (*buffer).len > 0 {
                    return;
                }
                (*req).write_index += 1;
            }
            release_buffers(req);
            complete(stream, req);
            if written == 0 {
                return;
            }
        }
    }
}

/// # Safety
/// `req` is in the queue.
unsafe fn fail(stream: Handle<'_, uv_stream_t>, req: *mut uv_write_t, error: Errno) {
    // SAFETY: the caller's.
    unsafe {
        (*req).error = error.code();
        complete(stream, req);
    }
}

/// # Safety
/// `req` is in the queue.
unsafe fn complete(stream: Handle<'_, uv_stream_t>, req: *mut uv_write_t) {
    // SAFETY: the caller's.
    unsafe {
        queue::unlink(&raw mut (*req).queue);
        queue::push_back(stream.write_completed_queue(), &raw mut (*req).queue);
    }
    stream.feed();
}

/// Bytes that are not written.
///
/// # Safety
/// `req` is a request with its buffers.
pub unsafe fn unwritten(req: *mut uv_write_t) -> usize {
    // SAFETY: the caller's.
    unsafe {
        ((*req).write_index..(*req).nbufs)
            .fold(0usize, |sum, index| sum.wrapping_add((*(*req).bufs.add(index as usize)).len))
    }
}

/// # Safety
/// `req` is a request with its buffers, or without any more.
unsafe fn release_buffers(req: *mut uv_write_t) {
    // SAFETY: the caller's; `start` took them from `mem`, or from the request.
    unsafe {
        if (*req).bufs != (&raw mut (*req).bufsml).cast() {
            mem::free((*req).bufs.cast());
        }
        (*req).bufs = null_mut();
    }
}

/// The stream is closed, or not connected: what is not written never will be.
pub fn cancel(stream: Handle<'_, uv_stream_t>) {
    // SAFETY: the queue's nodes are requests whose callbacks have not run.
    unsafe {
        while let Some(node) = queue::pop_front(stream.write_queue()) {
            let req = container_of!(node, uv_write_t, queue);
            (*req).error = Errno::ECANCELED.code();
            queue::push_back(stream.write_completed_queue(), node);
        }
    }
}

/// Runs the callbacks of all requests that are complete.
///
/// # Safety
/// `raw` is a stream that is no less than closing.
pub unsafe fn run_callbacks(cx: &mut Cx, raw: *mut uv_stream_t) {
    let mut due = uv__queue { next: null_mut(), prev: null_mut() };
    let due = &raw mut due;
    // SAFETY: the caller's; the list lives until it is empty, and requests until their callbacks.
    unsafe {
        queue::take_all(due, Handle::new(cx, raw).write_completed_queue());
        while let Some(node) = queue::pop_front(due) {
            let req = container_of!(node, uv_write_t, queue);
            let stream = Handle::new(cx, raw);
            stream.owner().end_request();
            if !(*req).bufs.is_null() {
                stream.set_write_queue_size(stream.write_queue_size().wrapping_sub(unwritten(req)));
                release_buffers(req);
            }
            let (cb, status) = ((*req).cb, (*req).error);
            if let Some(cb) = cb {
                cx.call(|| cb(req, status));
            }
        }
    }
}
