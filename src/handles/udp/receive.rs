//! Receiving datagrams into the program's buffers.
//!
//! A readable socket is read until it is empty, which the program is told with an empty buffer that has no sender, or until the other
//! handles had to wait for long enough. With `UV_UDP_RECVMMSG` a buffer is cut into chunks of 64 KiB, and one call fills as many as
//! there are datagrams.
//!
//! Deliberate difference from the reference: when a callback closes the handle, chunks not yet delivered are dropped; the buffer
//! itself is given back in any case with `UV_UDP_MMSG_FREE`. (After `uv_udp_recv_stop` there is no callback any more, as there.)

use super::{RECVMMSG, bind_for, fail_unless_open, is_watched_for, watcher};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ptr::{Cx, Handle};
use crate::sys::datagram::{Inbox, Received};
use core::ffi::{c_char, c_uint};
use core::ptr::{null, null_mut};
use libc::sockaddr;

/// The largest datagram, and what the program is asked to make room for.
const LARGEST: usize = 64 * 1024;
/// Datagrams received with one call.
const CHUNKS: usize = 20;
/// Datagrams received before other handles get their turn.
const MOST_AT_ONCE: usize = 32;
const READABLE: u32 = libc::EPOLLIN.cast_unsigned();

/// `uv_udp_recv_start`: `UV_EALREADY` while it receives, `UV_EINVAL` without callbacks, and what binding an unbound handle gives.
pub fn start(handle: Handle<'_, uv_udp_t>, alloc_cb: uv_alloc_cb, recv_cb: uv_udp_recv_cb) -> Result {
    fail_unless_open(handle)?;
    if alloc_cb.is_none() || recv_cb.is_none() {
        return Err(Errno::EINVAL);
    }
    if is_watched_for(handle, libc::EPOLLIN) {
        return Err(Errno::EALREADY);
    }
    bind_for(handle, libc::AF_INET, 0)?;
    handle.owner().want(watcher(handle), READABLE)?;
    handle.set_alloc_cb(alloc_cb);
    handle.set_recv_cb(recv_cb);
    handle.activate();
    Ok(())
}

/// `uv_udp_recv_stop`.
pub fn stop(handle: Handle<'_, uv_udp_t>) {
    handle.owner().unwant(watcher(handle), READABLE);
    if handle.send_queue_count() == 0 {
        handle.deactivate();
    }
    handle.set_alloc_cb(None);
    handle.set_recv_cb(None);
}

/// The socket is readable, or with `errors` has something in its error queue.
///
/// # Safety
/// `raw` is a handle, which stays alive: its close callback is yet to come. So for the others here.
pub unsafe fn run(cx: &mut Cx, raw: *mut uv_udp_t, errors: bool) {
    let (mut left, mut drained) = (MOST_AT_ONCE, false);
    while left > 0 {
        // SAFETY: the caller's; so for the others.
        let handle = unsafe { Handle::new(cx, raw) };
        if handle.base().is_closing() || handle.recv_cb().is_none() {
            return;
        }
        let (alloc_cb, many) = (handle.alloc_cb(), handle.has(RECVMMSG));
        let mut buf = uv_buf_t { base: null_mut(), len: 0 };
        if let Some(alloc_cb) = alloc_cb {
            // SAFETY: the user's function, with the handle that it was given for.
            cx.call(|| unsafe { alloc_cb(raw.cast(), LARGEST, &raw mut buf) });
        }
        // SAFETY: as above.
        if unsafe { Handle::new(cx, raw) }.recv_cb().is_none() {
            return; // the program has changed its mind
        }
        if buf.base.is_null() || buf.len == 0 {
            // SAFETY: as above.
            unsafe { deliver(cx, raw, Errno::ENOBUFS.code() as isize, buf, null(), 0) };
            return;
        }
        // SAFETY: as above.
        let received = unsafe {
            match many {
                _ if drained => Err(Errno::EAGAIN),
                true => fill_many(cx, raw, buf, errors),
                false => fill_one(cx, raw, buf, errors),
            }
        };
        match received {
            Ok(taken) => {
                left = left.saturating_sub(taken.count);
                drained = taken.all;
            }
            Err(error) => {
                let nread = if error == Errno::EAGAIN { 0 } else { error.code() as isize };
                // SAFETY: as above.
                unsafe { deliver(cx, raw, nread, buf, null(), 0) };
                return;
            }
        }
    }
}

/// What was received.
struct Taken {
    count: usize,
    /// The kernel had no more.
    all: bool,
}

/// Receives one datagram into the buffer.
///
/// # Safety
/// As for `run`.
unsafe fn fill_one(cx: &mut Cx, raw: *mut uv_udp_t, buf: uv_buf_t, errors: bool) -> Result<Taken> {
    let mut inbox = Inbox::<1>::empty();
    // SAFETY: the caller's; the program gave the buffer to be written.
    let received = unsafe {
        let fd = Handle::new(cx, raw).fd();
        inbox.receive(fd, core::iter::once(buf), errors)?;
        inbox.get(0)
    };
    // SAFETY: the caller's.
    unsafe { deliver_received(cx, raw, received, 0) };
    Ok(Taken { count: 1, all: false })
}

/// Receives as many datagrams as there are into chunks of the buffer. `UV_EINVAL` if there is no room for one.
///
/// # Safety
/// As for `run`.
unsafe fn fill_many(cx: &mut Cx, raw: *mut uv_udp_t, buf: uv_buf_t, errors: bool) -> Result<Taken> {
    let chunks = (buf.len / LARGEST).min(CHUNKS);
    if chunks == 0 {
        return Err(Errno::EINVAL);
    }
    let chunk = |index: usize| uv_buf_t { base: nth_chunk(buf.base, index), len: LARGEST };
    let mut inbox = Inbox::<CHUNKS>::empty();
    // SAFETY: as in `fill_one`; the chunks lie in the buffer.
    let count = unsafe {
        let fd = Handle::new(cx, raw).fd();
        inbox.receive(fd, (0..chunks).map(chunk), errors)?
    };
    for index in 0..count {
        // SAFETY: the caller's; so for the others.
        if unsafe { Handle::new(cx, raw) }.base().is_closing() {
            break;
        }
        // SAFETY: below what was received.
        unsafe { deliver_received(cx, raw, inbox.get(index), UV_UDP_MMSG_CHUNK) };
    }
    // SAFETY: as above.
    unsafe { deliver(cx, raw, 0, buf, null(), UV_UDP_MMSG_FREE) };
    Ok(Taken { count, all: count < chunks })
}

fn nth_chunk(base: *mut c_char, index: usize) -> *mut c_char {
    base.wrapping_add(index.wrapping_mul(LARGEST))
}

/// # Safety
/// As for `run`.
unsafe fn deliver_received(cx: &mut Cx, raw: *mut uv_udp_t, received: Received, flags: c_uint) {
    let partial = if received.truncated { UV_UDP_PARTIAL } else { 0 };
    let (nread, address, more) = match received.failure {
        None => (received.size.cast_signed(), received.peer, 0),
        Some(failure) => (failure.code as isize, failure.offender, UV_UDP_LINUX_RECVERR),
    };
    // SAFETY: the caller's.
    unsafe { deliver(cx, raw, nread, received.buf, address, flags | partial | more) };
}

/// Runs the program's callback, if it still has one.
///
/// # Safety
/// As for `run`.
unsafe fn deliver(
    cx: &mut Cx,
    raw: *mut uv_udp_t,
    nread: isize,
    buf: uv_buf_t,
    address: *const sockaddr,
    flags: c_uint,
) {
    // SAFETY: the caller's.
    let recv_cb = unsafe { Handle::new(cx, raw) }.recv_cb();
    if let Some(recv_cb) = recv_cb {
        // SAFETY: the user's function, with the handle that it was given for; the address lives through the call.
        cx.call(|| unsafe { recv_cb(raw, nread, &raw const buf, address, flags) });
    }
}
