//! Sending datagrams: at once if the socket takes them, in order, and with few calls.
//!
//! A request stands in `write_queue` until its datagram is out or has failed, then in `write_completed_queue` until its callback runs,
//! which is never inside `uv_udp_send`. `send_queue_size` and `send_queue_count` count both.
//!
//! Whoever finds requests in `write_queue` need not do anything about them: either something is completed, and then the handle is fed
//! to the loop, whose `run` sends the rest; or the socket has no room, and then it is watched until it has; or callbacks of completed
//! requests are running, and `complete` sends what they have queued. (The reference asks the kernel to watch the socket in all of
//! these cases.)

use super::{CONNECTED, PROCESSING, bind_for, fail_unless_open, is_watched_for, watcher};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::mem;
use crate::ptr::{Cx, Handle};
use crate::sys::datagram::{self, Outgoing, address_length};
use crate::sys::socket;
use core::ffi::{c_int, c_uint};
use core::ptr::{copy_nonoverlapping, null_mut};
use libc::sockaddr;

/// No request has more pieces.
const MOST_PIECES: c_uint = 1024 * 1024;
/// No request has more bytes: what the kernel takes with one call.
const MOST_BYTES: usize = 0x7fff_f000;
const WRITABLE: u32 = libc::EPOLLOUT.cast_unsigned();

/// `uv_udp_send`: `UV_EISCONN` for an address although the handle is connected, `UV_EDESTADDRREQ` without either, `UV_EINVAL` for what
/// can never be sent, `UV_ENOMEM`, and what binding an unbound handle gives. All else is told to the callback.
///
/// # Safety
/// `req` is writable memory for a request that is not in use, and stays so until its callback ran; so do the bytes of the pieces. The
/// list of pieces and the address, which may be null, are needed only now.
pub unsafe fn send(
    handle: Handle<'_, uv_udp_t>,
    req: *mut uv_udp_send_t,
    datagram: Outgoing,
    send_cb: uv_udp_send_cb,
) -> Result {
    // SAFETY: the caller's.
    let size = unsafe { prepare(handle, datagram)? };
    // SAFETY: the caller's; the request is in no queue yet.
    unsafe {
        fill_in(req, handle, datagram, send_cb)?;
        queue::push_back(write_queue(handle), &raw mut (*req).queue);
    }
    let was_idle = handle.send_queue_count() == 0;
    handle.owner().begin_request();
    handle.set_send_queue_size(handle.send_queue_size().wrapping_add(size));
    handle.set_send_queue_count(handle.send_queue_count().wrapping_add(1));
    handle.activate();
    if was_idle && !handle.has(PROCESSING) {
        flush(handle);
    }
    Ok(())
}

/// `uv_udp_try_send`: the size of the datagram, which is sent now. Errors as for `send`, `UV_EAGAIN` if there is no room or others wait,
/// and what the socket says.
///
/// # Safety
/// The pieces and the address, which may be null, can be read.
pub unsafe fn try_send(handle: Handle<'_, uv_udp_t>, datagram: Outgoing) -> Result<c_int> {
    if handle.send_queue_count() != 0 {
        // SAFETY: the caller's.
        return unsafe { check(handle, datagram) }.and(Err(Errno::EAGAIN));
    }
    // SAFETY: the caller's.
    unsafe {
        let size = prepare(handle, datagram)?;
        datagram::send(handle.fd(), core::iter::once(datagram))?;
        c_int::try_from(size).map_err(|_| Errno::EINVAL)
    }
}

/// `uv_udp_try_send2`: how many of the datagrams, at least one, were sent. Errors, of the first, as for `try_send`; an error of a later one
/// only ends the sending. `UV_EINVAL` without datagrams, without a socket, or if any of them can never be sent.
///
/// # Safety
/// As for `try_send`, for each of them; `get` works for numbers below `count`.
pub unsafe fn try_send_many(
    handle: Handle<'_, uv_udp_t>,
    count: c_uint,
    get: impl Fn(usize) -> Outgoing,
) -> Result<c_int> {
    let count = count as usize;
    for datagram in (0..count).map(&get) {
        // SAFETY: the caller's.
        unsafe { check(handle, datagram)? };
    }
    if count == 0 || handle.fd() == -1 {
        return Err(Errno::EINVAL);
    }
    if handle.send_queue_count() > 0 {
        return Err(Errno::EAGAIN);
    }
    let mut sent = 0;
    while sent < count {
        // SAFETY: the caller's.
        match unsafe { datagram::send(handle.fd(), (sent..count).map(&get)) } {
            Ok(more) => sent += more,
            Err(error) if sent == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(c_int::try_from(sent).unwrap_or(c_int::MAX))
}

/// The socket has room, or requests are completed.
///
/// # Safety
/// `raw` is a handle, which stays alive: its close callback is yet to come. So for the others here.
pub unsafe fn run(cx: &mut Cx, raw: *mut uv_udp_t) {
    {
        // SAFETY: the caller's.
        let handle = unsafe { Handle::new(cx, raw) };
        if handle.base().is_closing() {
            return;
        }
        flush(handle);
    }
    // SAFETY: as above.
    unsafe { complete(cx, raw) };
}

/// Runs all callbacks of a handle that is being closed, those of requests that were not sent with `UV_ECANCELED`.
///
/// # Safety
/// As for `run`.
pub unsafe fn cancel(cx: &mut Cx, raw: *mut uv_udp_t) {
    {
        // SAFETY: the caller's.
        let handle = unsafe { Handle::new(cx, raw) };
        while finish_first(handle, Errno::ECANCELED.code()) {}
    }
    // SAFETY: as above.
    unsafe { complete(cx, raw) };
}

/// Runs the callbacks of completed requests, and sends what they have queued.
///
/// # Safety
/// As for `run`.
unsafe fn complete(cx: &mut Cx, raw: *mut uv_udp_t) {
    // SAFETY: the caller's.
    unsafe { Handle::new(cx, raw) }.set(PROCESSING);
    loop {
        let (req, send_cb, status) = {
            // SAFETY: as above.
            let handle = unsafe { Handle::new(cx, raw) };
            // SAFETY: the queue is initialised and holds live requests.
            let Some(node) = (unsafe { queue::pop_front(completed_queue(handle)) }) else { break };
            // SAFETY: the node lies in its request, which was filled in.
            unsafe { release(handle, container_of!(node, uv_udp_send_t, queue)) }
        };
        if let Some(send_cb) = send_cb {
            // SAFETY: the user's function, with the request that it was given for.
            cx.call(|| unsafe { send_cb(req, status) });
        }
    }
    // SAFETY: as above.
    let handle = unsafe { Handle::new(cx, raw) };
    handle.clear(PROCESSING);
    if !handle.base().is_closing() {
        flush(handle);
    }
    // SAFETY: the queues are initialised.
    if unsafe { queue::is_empty(write_queue(handle)) } {
        handle.owner().unwant(watcher(handle), WRITABLE);
        // SAFETY: as above.
        if !is_watched_for(handle, libc::EPOLLIN) && unsafe { queue::is_empty(completed_queue(handle)) } {
            handle.deactivate();
        }
    }
}

/// Sends what is queued, as far as there is room.
fn flush(handle: Handle<'_, uv_udp_t>) {
    let lp = handle.owner();
    // SAFETY: the queue holds requests that were filled in, and whose pieces the program keeps.
    while unsafe { !queue::is_empty(write_queue(handle)) } {
        // SAFETY: as above.
        match unsafe { datagram::send(handle.fd(), Queued::of(write_queue(handle))) } {
            Ok(sent) => (0..sent).for_each(|_| {
                finish_first(handle, 0);
            }),
            Err(error) => {
                let waiting =
                    if error == Errno::EAGAIN { lp.want(watcher(handle), WRITABLE) } else { Err(error) };
                let Err(error) = waiting else { break };
                finish_first(handle, error.code());
            }
        }
    }
    // SAFETY: the queue is initialised.
    if unsafe { !queue::is_empty(completed_queue(handle)) } {
        lp.feed(watcher(handle));
    }
}

/// The datagrams in a queue of requests.
struct Queued {
    head: *const uv__queue,
    next: *mut uv__queue,
}

impl Queued {
    /// # Safety
    /// The queue holds live requests and does not change meanwhile.
    unsafe fn of(head: *mut uv__queue) -> Self {
        // SAFETY: the caller's.
        Queued { head, next: unsafe { (*head).next } }
    }
}

impl Iterator for Queued {
    type Item = Outgoing;

    fn next(&mut self) -> Option<Outgoing> {
        if core::ptr::eq(self.next, self.head) {
            return None;
        }
        // SAFETY: what `of` was promised.
        unsafe {
            let req = container_of!(self.next, uv_udp_send_t, queue);
            self.next = (*self.next).next;
            // Without an address the family is AF_UNSPEC, which stands for none.
            Some(Outgoing { bufs: (*req).bufs, nbufs: (*req).nbufs, address: (&raw const (*req).u).cast() })
        }
    }
}

/// Moves the first request that waits, if any, to the completed ones.
fn finish_first(handle: Handle<'_, uv_udp_t>, status: c_int) -> bool {
    // SAFETY: the queues are initialised, and the node lies in a live request.
    unsafe {
        let Some(node) = queue::pop_front(write_queue(handle)) else { return false };
        (*container_of!(node, uv_udp_send_t, queue)).status = status as libc::ssize_t;
        queue::push_back(completed_queue(handle), node);
    }
    true
}

/// Makes the request the program's again; gives it back with its callback and status.
///
/// # Safety
/// The request is one of this handle and in no queue.
unsafe fn release(
    handle: Handle<'_, uv_udp_t>,
    req: *mut uv_udp_send_t,
) -> (*mut uv_udp_send_t, uv_udp_send_cb, c_int) {
    handle.owner().end_request();
    // SAFETY: the caller's; a list of pieces that is not the request's own came from `mem`.
    unsafe {
        let size = total((*req).bufs, (*req).nbufs);
        handle.set_send_queue_size(handle.send_queue_size().wrapping_sub(size));
        handle.set_send_queue_count(handle.send_queue_count().wrapping_sub(1));
        if (*req).bufs != (&raw mut (*req).bufsml).cast() {
            mem::free((*req).bufs.cast());
        }
        (*req).bufs = null_mut();
        (req, (*req).send_cb, c_int::try_from((*req).status).unwrap_or(0))
    }
}

/// # Safety
/// As for `send`.
unsafe fn fill_in(
    req: *mut uv_udp_send_t,
    handle: Handle<'_, uv_udp_t>,
    datagram: Outgoing,
    send_cb: uv_udp_send_cb,
) -> Result {
    let count = datagram.nbufs as usize;
    // SAFETY: the caller's.
    unsafe {
        let own = &raw mut (*req).bufsml;
        let bufs = if count <= (&*own).len() { own.cast() } else { mem::alloc_array(count)?.as_ptr() };
        copy_nonoverlapping(datagram.bufs, bufs, count);
        (*req).req.type_ = UV_UDP_SEND;
        (*req).handle = handle.as_ptr();
        (*req).send_cb = send_cb;
        (*req).nbufs = datagram.nbufs;
        (*req).bufs = bufs;
        let address = (&raw mut (*req).u).cast::<u8>();
        match address_length(datagram.address) {
            Some(length) => copy_nonoverlapping(datagram.address.cast(), address, length as usize),
            None => (*address.cast::<sockaddr>()).sa_family = libc::AF_UNSPEC as libc::sa_family_t,
        }
    }
    Ok(())
}

/// Checks a datagram and binds a handle that was not; says how large the datagram is.
///
/// # Safety
/// As for `try_send`.
unsafe fn prepare(handle: Handle<'_, uv_udp_t>, datagram: Outgoing) -> Result<usize> {
    // SAFETY: the caller's.
    unsafe {
        let size = check(handle, datagram)?;
        if !datagram.address.is_null() {
            bind_for(handle, socket::family(datagram.address), 0)?;
        }
        Ok(size)
    }
}

/// Checks what can be known before sending; says how large the datagram is.
///
/// # Safety
/// As for `try_send`.
unsafe fn check(handle: Handle<'_, uv_udp_t>, datagram: Outgoing) -> Result<usize> {
    fail_unless_open(handle)?;
    match (datagram.address.is_null(), handle.has(CONNECTED)) {
        (false, true) => return Err(Errno::EISCONN),
        (true, false) => return Err(Errno::EDESTADDRREQ),
        // SAFETY: the caller's.
        (false, false) if unsafe { address_length(datagram.address) }.is_none() => {
            return Err(Errno::EINVAL);
        }
        _ => {}
    }
    if datagram.nbufs < 1 || datagram.nbufs > MOST_PIECES {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's.
    let size = unsafe { total(datagram.bufs, datagram.nbufs) };
    if size > MOST_BYTES { Err(Errno::EINVAL) } else { Ok(size) }
}

/// The number of bytes in the pieces.
///
/// # Safety
/// So many pieces can be read.
unsafe fn total(bufs: *const uv_buf_t, nbufs: c_uint) -> usize {
    // SAFETY: the caller's.
    (0..nbufs as usize).fold(0, |sum: usize, index| sum.saturating_add(unsafe { (*bufs.add(index)).len }))
}

fn write_queue(handle: Handle<'_, uv_udp_t>) -> *mut uv__queue {
    // SAFETY: a projection inside the live handle.
    unsafe { &raw mut (*handle.as_ptr()).write_queue }
}

fn completed_queue(handle: Handle<'_, uv_udp_t>) -> *mut uv__queue {
    // SAFETY: as above.
    unsafe { &raw mut (*handle.as_ptr()).write_completed_queue }
}
