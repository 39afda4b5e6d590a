//! Groups of ports: what is posted to one member arrives at all others, as if each had a channel to each.
//!
//! A group has a name that holds for the process. It is made when the first member opens it, and goes with the last. A member is
//! a [`Port`] with an inbox of its own, which is attached, received from, handed over and closed as every port is.
//!
//! One lock for all groups whose names fall together guards their members and the groups themselves; it is taken to open and to
//! close, never to post. Under it the locks of seats are taken, one at a time; under one of those what a post takes. A
//! post holds the lock of its own seat and of no other.

pub mod members;
pub mod post;

use super::channel::Channel;
use super::inbox::{CALLBACK, Limits};
use super::port::{Far, Port};
use crate::abi::errno::{Errno, Result};
use crate::ds::hash;
use crate::event_loop::lifecycle;
use crate::mem;
use core::cell::Cell;
use core::ffi::{CStr, c_char};
use core::ptr::{NonNull, null_mut};
use members::{Members, Others, Seat};
use parking_lot::Mutex; // for statics; no model uses them

/// What makes a port a member of a group.
pub struct Member {
    seat: Seat<Port>,
    /// Set by `open`, before anybody knows the port.
    group: Cell<*mut Group>,
}

struct Group {
    /// Of the same row.
    next: *mut Group,
    row: usize,
    members: Members<Port>,
    /// Of the name, which follows.
    len: usize,
}

/// Groups whose names have the same hash.
struct Row(*mut Group);

// SAFETY: whoever has the row's lock may use what is in it, on any thread.
unsafe impl Send for Row {}

const ROWS: usize = 64;
static TABLE: [Mutex<Row>; ROWS] = [const { Mutex::new(Row(null_mut())) }; ROWS];

/// `uvx_broadcast_open`: a new member of the group with that name.
///
/// # Safety
/// `name` is a string, or null.
pub unsafe fn open(name: *const c_char, limits: Limits) -> Result<NonNull<Port>> {
    if name.is_null() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    lifecycle::guard_forks()?;
    let port = Channel::create_single(limits)?;
    // SAFETY: the port is new, and alive as long as it is in the group.
    unsafe {
        let channel = port.as_ref().channel();
        join(name, port.as_ref()).inspect_err(|_| Channel::release(channel))?;
    }
    Ok(port)
}

/// # Safety
/// The port is that of a member, of no group yet; it stays until it has left.
unsafe fn join(name: &[u8], port: &Port) -> Result {
    let Far::Group(member) = port.far() else { return Err(Errno::EINVAL) };
    let index = row_of(name);
    let Some(row) = TABLE.get(index) else { return Err(Errno::EINVAL) };
    let mut row = row.lock();
    let (group, is_new) = match row.find(name) {
        Some(group) => (group, false),
        None => (Group::create(name, index)?, true),
    };
    // SAFETY: the row's lock is held, and the group is in the row, or new.
    unsafe {
        member.group.set(group);
        if let Err(error) = (*group).members.join(&raw const member.seat) {
            if is_new {
                Group::destroy(group);
            }
            return Err(error);
        }
        if is_new {
            (*group).next = row.0;
            row.0 = group;
        }
    }
    Ok(())
}

/// In the child after fork: the groups are the parent's. Their memory is left alone, for threads that are gone may have been using it.
pub fn after_fork_in_child() {
    for row in &TABLE {
        // SAFETY: the child has one thread, so nobody is inside the lock, whatever state it was copied in.
        unsafe { core::ptr::from_ref(row).cast_mut().write(Mutex::new(Row(null_mut()))) };
    }
}

impl Member {
    /// For the port at that place, which is not written yet.
    pub fn new(port: *const Port) -> Member {
        Member { seat: Seat::new(port), group: Cell::new(null_mut()) }
    }

    /// The other members, who stay in place as long as this is held.
    pub fn others(&self) -> Others<'_, Port> {
        self.seat.others()
    }

    /// The port is closed: nobody posts to it any more when this returns, and nobody waits for its sake.
    pub fn leave(&self, port: &Port) {
        let group = self.group.replace(null_mut());
        if group.is_null() {
            return; // it could not join
        }
        port.tell_writers(port.inbox.end_waits());
        self.end_waits();
        // SAFETY: the group is there as long as it has members.
        let Some(row) = TABLE.get(unsafe { (*group).row }) else { return };
        let mut row = row.lock();
        // SAFETY: the row's lock is held, and the member has joined.
        unsafe {
            (*group).members.leave(&raw const self.seat);
            if (*group).members.is_empty() {
                row.remove(group);
                Group::destroy(group);
            }
        }
    }

    /// Threads that wait for room to post from this port have to look at it. Members that were to be told of room as well look, too.
    fn end_waits(&self) {
        let others = self.others();
        let bounded = others.iter().filter(|other| other.inbox.is_bounded());
        let waits = bounded.fold(0, |waits, other| waits | other.inbox.end_waits());
        if waits & CALLBACK != 0 {
            others.iter().for_each(Port::tell_of_room);
        }
    }
}

impl Group {
    /// A group that is in no row.
    fn create(name: &[u8], row: usize) -> Result<*mut Group> {
        let size = size_of::<Group>().checked_add(name.len()).ok_or(Errno::ENOMEM)?;
        let group = mem::alloc(size).cast::<Group>();
        if group.is_null() {
            return Err(Errno::ENOMEM);
        }
        // SAFETY: new memory, with room for the group and the name behind it.
        unsafe {
            group.write(Group { next: null_mut(), row, members: Members::EMPTY, len: name.len() });
            group.add(1).cast::<u8>().copy_from_nonoverlapping(name.as_ptr(), name.len());
        }
        Ok(group)
    }

    /// # Safety
    /// It has no members, and is in no row.
    unsafe fn destroy(group: *mut Group) {
        // SAFETY: the caller's.
        unsafe {
            group.drop_in_place();
            mem::free(group.cast());
        }
    }
}

impl Row {
    fn find(&self, name: &[u8]) -> Option<*mut Group> {
        let mut group = self.0;
        while !group.is_null() {
            // SAFETY: groups in the row are alive; the name follows.
            unsafe {
                if core::slice::from_raw_parts(group.add(1).cast::<u8>(), (*group).len) == name {
                    return Some(group);
                }
                group = (*group).next;
            }
        }
        None
    }

    fn remove(&mut self, group: *mut Group) {
        let mut at = &raw mut self.0;
        // SAFETY: groups in the row are alive, and the group is one of them.
        unsafe {
            while *at != group {
                at = &raw mut (**at).next;
            }
            *at = (*group).next;
        }
    }
}

fn row_of(name: &[u8]) -> usize {
    (hash::of_bytes(name) % ROWS as u64) as usize
}
