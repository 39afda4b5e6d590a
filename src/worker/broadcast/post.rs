//! Posting to a group: one message for each other member, or none for any.
//!
//! Each member gets a message of its own, so that receivers share nothing that they write to; a payload that does not fit into a
//! message is copied once and shared. First all messages are made and counted, then they are put in: a member without room,
//! or a want of memory, undoes those that were made. Members that close meanwhile are left out. Nothing here runs user code
//! before the list of members is free again.

use super::Member;
use super::members::Others;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ptr::Cx;
use crate::sync::mailbox::Put;
use crate::sys::time::Deadline;
use crate::worker::close;
use crate::worker::inbox::{CALLBACK, THREADS};
use crate::worker::message::{self, Doomed, INLINE, Message, Payload};
use crate::worker::port::{Hold, Port};
use crate::worker::post::{self, Route};
use crate::worker::transfer::Transfers;
use core::ptr::null_mut;

/// Posts one message.
///
/// # Safety
/// As for [`post::post`]; `member` is the port's.
pub unsafe fn post(cx: &mut Cx, port: &Port, member: &Member, desc: *const uvx_message_desc_t) -> Result {
    let mut full = None;
    // SAFETY: the caller's.
    unsafe { try_post(cx, port, member, desc, &mut full) }
}

/// Posts `count` messages, up to the first that fails; says how many were posted.
///
/// # Safety
/// As for [`post::post_many`]; `member` is the port's.
pub unsafe fn post_many(
    cx: &mut Cx,
    port: &Port,
    member: &Member,
    descs: *const uvx_message_desc_t,
    count: usize,
) -> (usize, Result) {
    let held = Hold::new(port); // what nobody gets is destroyed, which may run user code
    // SAFETY: the caller's.
    let stride = if count == 0 { 0 } else { unsafe { (*descs).size } };
    for index in 0..count {
        // SAFETY: as above.
        if let Err(error) = unsafe { post(cx, &held, member, descs.byte_add(index * stride)) } {
            return (index, Err(error));
        }
    }
    (count, Ok(()))
}

/// Posts one message, and waits for room for at most `timeout_ns`; `u64::MAX`: for ever.
///
/// # Safety
/// As for [`post::post_wait`]; `member` is the port's.
pub unsafe fn post_wait(
    cx: &mut Cx,
    port: &Port,
    member: &Member,
    desc: *const uvx_message_desc_t,
    timeout_ns: u64,
) -> Result {
    let held = Hold::new(port);
    let mut full = None;
    // SAFETY: the caller's.
    let mut result = unsafe { try_post(cx, &held, member, desc, &mut full) };
    if result != Err(Errno::EAGAIN) {
        return result;
    }
    let deadline = Deadline::after(timeout_ns);
    while result == Err(Errno::EAGAIN)
        && let Some(first) = full.take()
    {
        let turn = first.inbox.want_room(THREADS);
        // SAFETY: the caller's.
        result = unsafe { try_post(cx, &held, member, desc, &mut full) };
        if result == Err(Errno::EAGAIN) {
            let left = deadline.left()?;
            if full.as_ref().is_some_and(|now| core::ptr::eq::<Port>(&raw const **now, &raw const *first)) {
                first.inbox.wait_for_room(turn, left);
            }
        }
    }
    result
}

/// As `post`; if that fails for want of room, `full` is a member that had none.
///
/// # Safety
/// As for `post`.
unsafe fn try_post(
    cx: &mut Cx,
    port: &Port,
    member: &Member,
    desc: *const uvx_message_desc_t,
    full: &mut Option<Hold>,
) -> Result {
    let nowhere = Route::between(port, port);
    let mut left = Left { doomed: Doomed::default(), transfers: null_mut() };
    // SAFETY: the caller's; what is left belongs to nobody else.
    unsafe {
        let attempt = Attempt { port, desc, others: member.others() };
        let result = attempt.run(&nowhere, &mut left, full);
        drop(attempt);
        if let Err(error) = result {
            return post::refuse(cx, &nowhere, desc, error);
        }
        if !left.transfers.is_null() {
            Transfers::destroy(cx, left.transfers, |port| close::abandon(port, &mut left.doomed));
        }
        left.doomed.destroy(cx);
    }
    Ok(())
}

/// What a post has to destroy in the end, because nobody got it.
struct Left {
    doomed: Doomed,
    transfers: *mut Transfers,
}

/// A post, with the list of members held.
struct Attempt<'a> {
    port: &'a Port,
    desc: *const uvx_message_desc_t,
    others: Others<'a, Port>,
}

/// Messages that were made, the newest first, linked through `next`; `prev` leads to the port that each is for.
struct Made(*mut Message);

impl Attempt<'_> {
    /// # Safety
    /// As for `post`.
    unsafe fn run(&self, nowhere: &Route<'_>, left: &mut Left, full: &mut Option<Hold>) -> Result {
        // SAFETY: the caller's.
        unsafe {
            let len = post::check(self.desc)?;
            post::check_source(nowhere, self.desc)?;
            let hands_over = (*self.desc).nxfers > 0;
            let several = (hands_over || len > INLINE) && self.receivers().nth(1).is_some();
            if hands_over && several {
                self.check_shareable()?;
            }
            let mut payload = null_mut();
            if len > INLINE && several {
                payload = Payload::create((*self.desc).bufs, (*self.desc).nbufs as usize, len)?;
            }
            let made = self.make_all(len, payload, full);
            if !payload.is_null() {
                Payload::release(payload);
            }
            let made = made?;
            if made.0.is_null() && hands_over {
                left.transfers = post::pack(nowhere, self.desc)?;
            }
            publish(&made, left);
        }
        Ok(())
    }

    /// Those who get the message, unless they close meanwhile.
    fn receivers(&self) -> impl Iterator<Item = &Port> {
        self.others.iter().filter(|port| !port.inbox.is_closed())
    }

    /// With several receivers, only shared buffers can be handed over.
    ///
    /// # Safety
    /// The description was checked.
    unsafe fn check_shareable(&self) -> Result {
        // SAFETY: the caller's.
        unsafe {
            for index in 0..(*self.desc).nxfers as usize {
                match (*(*self.desc).xfers.add(index)).type_ {
                    UVX_XFER_SHARED => {}
                    ..=UVX_XFER_FD => return Err(Errno::ENOTSUP),
                    _ => return Err(Errno::EINVAL),
                }
            }
        }
        Ok(())
    }

    /// A message for each member that is not closed; on error none.
    ///
    /// # Safety
    /// As for `post`; `payload` is null or a reference.
    unsafe fn make_all(&self, len: usize, payload: *mut Payload, full: &mut Option<Hold>) -> Result<Made> {
        let mut made = Made(null_mut());
        for target in self.receivers() {
            // SAFETY: the caller's; new messages are this function's.
            unsafe {
                match self.make(target, len, payload) {
                    Ok(message) => {
                        (*message).link.next = made.0.cast();
                        (*message).link.prev = core::ptr::from_ref(target).cast_mut().cast();
                        made.0 = message;
                    }
                    Err(Errno::EPIPE) => {} // closed meanwhile
                    Err(error) => {
                        if error == Errno::EAGAIN {
                            *full = Some(Hold::new(target));
                        }
                        self.undo(&made);
                        return Err(error);
                    }
                }
            }
        }
        Ok(made)
    }

    /// # Safety
    /// As for `make_all`.
    unsafe fn make(&self, target: &Port, len: usize, payload: *mut Payload) -> Result<*mut Message> {
        let route = Route::between(self.port, target);
        // SAFETY: the caller's.
        unsafe {
            let memory = route.writer.begin_elsewhere(&target.inbox, len as u64).inspect_err(|error| {
                if *error == Errno::ENOMEM {
                    self.room_is_back(target);
                }
            })?;
            let written = match payload.is_null() {
                true => post::write(&route, memory, self.desc, len),
                false => {
                    message::write_shared(memory, (*self.desc).tag, payload);
                    post::hand_over(&route, memory, self.desc)
                }
            };
            written.inspect_err(|_| self.give_back(target, memory, len))?;
            Ok(memory)
        }
    }

    /// # Safety
    /// The messages were made, and were not put in.
    #[cold]
    unsafe fn undo(&self, made: &Made) {
        let mut message = made.0;
        while !message.is_null() {
            // SAFETY: the caller's.
            unsafe {
                let (next, target) = ((*message).link.next.cast(), &*(*message).link.prev.cast::<Port>());
                if !(*message).transfers.is_null() {
                    Transfers::unpack((*message).transfers);
                }
                message::free_payload(message);
                self.give_back(target, message, (*message).data.len);
                message = next;
            }
        }
    }

    /// # Safety
    /// The message was counted for the target, and holds nothing any more.
    #[cold]
    unsafe fn give_back(&self, target: &Port, message: *mut Message, len: usize) {
        target.inbox.posted_otherwise().subtract(len as u64);
        // SAFETY: the caller's.
        unsafe { target.inbox.free_stack().give(message) };
        self.room_is_back(target);
    }

    /// What the post had reserved may be what others were refused for.
    #[cold]
    fn room_is_back(&self, target: &Port) {
        if target.inbox.make_room() & CALLBACK != 0 {
            self.others.all_but(target).for_each(Port::tell_of_room);
        }
    }
}

/// Puts the messages in, and wakes their readers if need be. What a member refuses that closed meanwhile is left over.
///
/// # Safety
/// The messages were made, for ports that are still there.
unsafe fn publish(made: &Made, left: &mut Left) {
    let mut message = made.0;
    while !message.is_null() {
        // SAFETY: the caller's. What was put in is not touched any more.
        unsafe {
            let (next, target) = ((*message).link.next.cast(), &*(*message).link.prev.cast::<Port>());
            let len = (*message).data.len as u64;
            match target.inbox.put(message, message) {
                Put::Seen => {}
                Put::Wake => target.ring(),
                Put::Refused => {
                    target.inbox.posted_otherwise().subtract(len);
                    left.doomed.push(message);
                }
            }
            message = next;
        }
    }
}
