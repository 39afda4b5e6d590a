//! Posting: from a description of a message to the message in an inbox.
//!
//! The way of most messages is short: unused memory from the writer's cache, a copy, two counters, one compare-and-swap. A
//! message whose memory, room or transfers cannot be had, or that the inbox refuses, leaves nothing behind.

use super::close;
use super::inbox::{Next, THREADS};
use super::message::{self, Doomed, Message};
use super::port::{Hold, Port};
use super::recycling::Recycler;
use super::transfer::Transfers;
use super::writer::Writer;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ptr::Cx;
use crate::sync::mailbox::{Kind, Put, Tagged};
use crate::sys::time::Deadline;
use core::ptr::null_mut;

/// From where to where.
pub struct Route<'a> {
    /// The port that is posted from; none for senders.
    pub source: Option<&'a Port>,
    /// The port that is posted to.
    pub target: &'a Port,
    /// What is posted with.
    pub writer: &'a Writer,
}

impl<'a> Route<'a> {
    /// From a port to another one.
    pub fn between(port: &'a Port, target: &'a Port) -> Route<'a> {
        Route { source: Some(port), target, writer: &port.writer }
    }

    /// Whether a port may go this way.
    pub fn check_port(&self, port: *const Port) -> Result {
        if self.source.is_some_and(|source| core::ptr::eq(source, port)) {
            return Err(Errno::EINVAL);
        }
        if core::ptr::eq(self.target, port) {
            return Err(Errno::ELOOP);
        }
        Ok(())
    }
}

/// Posts one message.
///
/// # Safety
/// The description is one, and what it leads to is the caller's.
pub unsafe fn post(cx: &mut Cx, route: &Route<'_>, desc: *const uvx_message_desc_t) -> Result {
    // SAFETY: the caller's.
    unsafe {
        match make(route, desc) {
            Ok(message) => publish(cx, route, message, message),
            Err(error) => refuse(cx, route, desc, error),
        }
    }
}

/// Posts `count` messages at once, up to the first that fails; says how many were posted.
///
/// # Safety
/// As for `post`; the descriptions have one size.
pub unsafe fn post_many(
    cx: &mut Cx,
    route: &Route<'_>,
    descs: *const uvx_message_desc_t,
    count: usize,
) -> (usize, Result) {
    let (mut newest, mut oldest) = (null_mut::<Message>(), null_mut::<Message>());
    let (mut made, mut failed) = (0, None);
    // SAFETY: the caller's; the chain is this function's until it is published. What fails is refused after that, for it may run
    // user code, which may be the end of the ports.
    unsafe {
        let stride = if count == 0 { 0 } else { (*descs).size };
        for index in 0..count {
            let desc = descs.byte_add(index * stride);
            let message = match make(route, desc) {
                Ok(message) => message,
                Err(error) => {
                    failed = Some((desc, error));
                    break;
                }
            };
            if newest.is_null() {
                oldest = message;
            } else {
                (*message).link.next = Tagged::new(newest.cast(), Kind::Message).into_raw();
            }
            newest = message;
            made += 1;
        }
        if made > 0
            && let Err(error) = publish(cx, route, newest, oldest)
        {
            return (0, Err(error));
        }
        (made, failed.map_or(Ok(()), |(desc, error)| refuse(cx, route, desc, error)))
    }
}

/// Posts one message, and waits for room for at most `timeout_ns`; `u64::MAX`: for ever. `UV_EINTR` if that is over (`Port::end_waits`).
///
/// # Safety
/// As for `post`.
pub unsafe fn post_wait(
    cx: &mut Cx,
    route: &Route<'_>,
    desc: *const uvx_message_desc_t,
    timeout_ns: u64,
) -> Result {
    // SAFETY: the caller's.
    let mut result = unsafe { post(cx, route, desc) };
    if result != Err(Errno::EAGAIN) {
        return result;
    }
    let _target = Hold::new(route.target); // a close of both ends wakes this thread, which may come late
    let deadline = Deadline::after(timeout_ns);
    while result == Err(Errno::EAGAIN) {
        let turn = route.target.inbox.want_room(THREADS);
        // SAFETY: the caller's.
        result = unsafe { post(cx, route, desc) };
        if result == Err(Errno::EAGAIN) {
            if !route.source.is_none_or(Port::may_wait) {
                return Err(Errno::EINTR);
            }
            route.target.inbox.wait_for_room(turn, deadline.left()?);
        }
    }
    result
}

/// Undoes the post of a message that nobody can have read, the oldest of the inbox: what it handed over is back where it was.
///
/// # Safety
/// The caller has the target alone.
pub unsafe fn take_back(target: &Port) {
    let Next::Message(message) = target.next() else { return };
    // SAFETY: it was taken, by the thread that posted it.
    unsafe {
        let transfers = (*message).transfers;
        if !transfers.is_null() {
            Transfers::unpack(transfers);
        }
        message::free_payload(message);
        target.inbox.free_stack().give(message);
    }
}

/// Makes a message of its description, counted but not posted. `UV_EPIPE` if `refuse` may have to consume something.
///
/// # Safety
/// As for `post`.
unsafe fn make(route: &Route<'_>, desc: *const uvx_message_desc_t) -> Result<*mut Message> {
    // SAFETY: the caller's.
    unsafe {
        let len = check(desc)?;
        check_source(route, desc)?;
        let inbox = &route.target.inbox;
        let memory = route.writer.begin(inbox, len as u64).inspect_err(|error| {
            if *error == Errno::ENOMEM {
                room_is_back(route);
            }
        })?;
        write(route, memory, desc, len).inspect_err(|_| {
            inbox.posted_otherwise().subtract(len as u64);
            inbox.free_stack().give(memory);
            room_is_back(route);
        })?;
        Ok(memory)
    }
}

/// Whether the port that is posted from can be. `UV_EPIPE` if `refuse` may have to consume something.
///
/// # Safety
/// The description is one.
#[inline]
pub unsafe fn check_source(route: &Route<'_>, desc: *const uvx_message_desc_t) -> Result {
    let usable = route.source.map_or(Ok(()), Port::check_usable);
    // SAFETY: the caller's.
    usable.map_err(|error| if unsafe { consumes(desc) } { Errno::EPIPE } else { error })
}

/// # Safety
/// The description is one.
unsafe fn consumes(desc: *const uvx_message_desc_t) -> bool {
    // SAFETY: the caller's.
    unsafe { (*desc).flags & UVX_POST_CONSUME != 0 }
}

/// What a post had reserved before it failed may be what others were refused for.
#[cold]
fn room_is_back(route: &Route<'_>) {
    route.target.tell_writers(route.target.inbox.make_room());
}

/// Makes a message of the memory at `raw`; if that fails, `raw` holds nothing.
///
/// # Safety
/// As for `post`; the description was checked, and holds `len` bytes.
pub unsafe fn write(
    route: &Route<'_>,
    raw: *mut Message,
    desc: *const uvx_message_desc_t,
    len: usize,
) -> Result {
    // SAFETY: the caller's.
    unsafe {
        message::write(raw, (*desc).tag, (*desc).bufs, (*desc).nbufs as usize, len)?;
        if (*desc).nxfers > 0 { hand_over(route, raw, desc) } else { Ok(()) }
    }
}

/// Moves what the description hands over into a message; if that fails, the message loses its payload, too.
///
/// # Safety
/// As for `post`; the message is written, and the caller's alone.
pub unsafe fn hand_over(route: &Route<'_>, raw: *mut Message, desc: *const uvx_message_desc_t) -> Result {
    // SAFETY: the caller's.
    unsafe {
        if (*desc).nxfers > 0 {
            (*raw).transfers = pack(route, desc).inspect_err(|_| message::free_payload(raw))?;
        }
    }
    Ok(())
}

/// Moves what the description hands over into a block of its own.
///
/// # Safety
/// As for `post`; the description was checked.
pub unsafe fn pack(route: &Route<'_>, desc: *const uvx_message_desc_t) -> Result<*mut Transfers> {
    // SAFETY: the caller's.
    unsafe { Transfers::pack(route, (*desc).xfers, (*desc).nxfers, consumes(desc)) }
}

/// The length of the payload, if the description makes sense.
///
/// # Safety
/// As for `post`.
pub unsafe fn check(desc: *const uvx_message_desc_t) -> Result<usize> {
    // SAFETY: the caller's.
    unsafe {
        if (*desc).size < size_of::<uvx_message_desc_t>() || (*desc).flags & !UVX_POST_CONSUME != 0 {
            return Err(Errno::EINVAL);
        }
        let (bufs, count) = ((*desc).bufs, (*desc).nbufs as usize);
        if bufs.is_null() && count > 0 || (*desc).xfers.is_null() && (*desc).nxfers > 0 {
            return Err(Errno::EINVAL);
        }
        let mut len = 0usize;
        for index in 0..count {
            let buf = bufs.add(index);
            len = len.checked_add((*buf).len).ok_or(Errno::EINVAL)?;
            if (*buf).base.is_null() && (*buf).len > 0 {
                return Err(Errno::EINVAL);
            }
        }
        Ok(len)
    }
}

/// Puts a chain of messages into the inbox and wakes its reader if need be; if the inbox is closed, `UV_EPIPE`, and all is undone.
///
/// # Safety
/// The messages were made here and are the caller's alone; `newest` leads to `oldest`.
unsafe fn publish(cx: &mut Cx, route: &Route<'_>, newest: *mut Message, oldest: *mut Message) -> Result {
    // SAFETY: the caller's.
    match unsafe { route.target.inbox.put(newest, oldest) } {
        Put::Seen => Ok(()),
        Put::Wake => {
            route.target.ring();
            Ok(())
        }
        // SAFETY: a refused chain is the caller's again.
        Put::Refused => unsafe {
            undo(cx, route, newest, oldest);
            Err(Errno::EPIPE)
        },
    }
}

/// # Safety
/// As for `publish`; the chain was refused.
#[cold]
unsafe fn undo(cx: &mut Cx, route: &Route<'_>, newest: *mut Message, oldest: *mut Message) {
    let mut doomed = Doomed::default();
    {
        let inbox = &route.target.inbox;
        let mut unused = Recycler::new(inbox.free_stack());
        let mut message = newest;
        while !message.is_null() {
            // SAFETY: the caller's; all but the oldest lead to another one.
            unsafe {
                let older = if message == oldest { null_mut() } else { (*message).link.next };
                inbox.posted_otherwise().subtract((*message).data.len as u64);
                let transfers = (*message).transfers;
                // Those behind the first one that failed are as if they had not been looked at.
                if message == oldest && !transfers.is_null() && (*transfers).is_consumed() {
                    doomed.push(message);
                } else {
                    if !transfers.is_null() {
                        Transfers::unpack(transfers);
                    }
                    message::free_payload(message);
                    unused.add(message);
                }
                message = Tagged::from_raw(older).node().cast();
            }
        }
    }
    doomed.destroy(cx);
}

/// Ends a post that failed with `error`. If that is `UV_EPIPE`, and the message was to consume things, they are destroyed; if they
/// cannot be, it is the post's error instead. Touches nothing of the route after user code ran.
///
/// # Safety
/// As for `post`; the description was checked, unless it was that which failed.
#[cold]
pub unsafe fn refuse(
    cx: &mut Cx,
    route: &Route<'_>,
    desc: *const uvx_message_desc_t,
    error: Errno,
) -> Result {
    // SAFETY: the caller's.
    unsafe {
        if error == Errno::EPIPE && consumes(desc) && (*desc).nxfers > 0 {
            let transfers = Transfers::pack(route, (*desc).xfers, (*desc).nxfers, true)?;
            let mut doomed = Doomed::default();
            Transfers::destroy(cx, transfers, |port| close::abandon(port, &mut doomed));
            doomed.destroy(cx);
        }
    }
    Err(error)
}
