//! The names in use, who holds each and who waits, and the rule by which the next one gets it. All of it under one mutex.
//!
//! Under the mutex it is only decided who gets or loses what; who is concerned is told when it is free again ([`Due`]).

use super::{Lock, Phase};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::{hash, queue};
use crate::mem;
use crate::sync::static_mutex::{Locked, StaticMutex};
use core::cell::Cell;
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::ptr::null_mut;

/// What a name stands for as long as somebody holds it or waits. The text, with its NUL, follows.
pub struct Name {
    /// Of the same row.
    next: *mut Name,
    row: usize,
    /// Those who hold it: several only if all share it.
    held: uv__queue,
    /// Those who wait, the first to ask first.
    waiting: uv__queue,
    /// Bytes of the text, with its NUL.
    size: usize,
}

const ROWS: usize = 256;

/// Names whose hashes fall together are in one row.
pub struct Table {
    rows: [Cell<*mut Name>; ROWS],
    /// How often this process and its parents have forked, as far as locks go: those of the parent are not the child's.
    generation: Cell<u32>,
}

static TABLE: StaticMutex<Table> =
    StaticMutex::new(Table { rows: [const { Cell::new(null_mut()) }; ROWS], generation: Cell::new(0) });

/// The table, and the right to change locks.
pub fn open() -> Locked<Table> {
    TABLE.lock()
}

/// In the child after fork: all locks are the parent's. Their memory is left alone, for threads that are gone may have been using it.
pub fn after_fork_in_child() {
    // SAFETY: the child has one thread.
    unsafe { TABLE.renew() };
    let table = TABLE.lock();
    table.rows.iter().for_each(|row| row.set(null_mut()));
    table.generation.set(table.generation.get().wrapping_add(1));
}

/// Locks whose owners are to be told something when the mutex is free, in this order.
#[must_use]
pub struct Due {
    first: *mut Lock,
    last: *mut Lock,
}

impl Due {
    /// Nobody.
    pub const NOBODY: Due = Due { first: null_mut(), last: null_mut() };

    /// # Safety
    /// The mutex is held, and the lock is in no such list: nothing is on its way to its owner.
    unsafe fn add(&mut self, lock: *mut Lock) {
        // SAFETY: the caller's; a lock stays the library's until its owner was told.
        unsafe {
            (*lock).due = null_mut();
            match self.last.is_null() {
                true => self.first = lock,
                false => (*self.last).due = lock,
            }
        }
        self.last = lock;
    }

    /// Tells all of them. The mutex is free.
    pub fn tell(self) {
        let mut lock = self.first;
        while !lock.is_null() {
            // SAFETY: as in `add`. Once told the lock may go, so the way to the next one comes first.
            unsafe {
                let next = (*lock).due;
                Lock::tell(lock);
                lock = next;
            }
        }
    }
}

/// For whoever holds the mutex.
impl Table {
    /// A lock that is the caller's comes to the table: it is granted, waits, or is refused, as its `flags` say.
    ///
    /// # Safety
    /// The lock was set up, and stays in place until it is over.
    pub unsafe fn enter(&self, lock: *mut Lock, text: &CStr, flags: c_uint) -> Result<Due> {
        let name = self.find_or_make(text.to_bytes_with_nul())?;
        let mut due = Due::NOBODY;
        // SAFETY: the caller's; names in the table are alive, and so are the locks of each.
        unsafe {
            (*lock).name = name;
            (*lock).generation = self.generation.get();
            if flags & UVX_LOCK_STEAL != 0 {
                Name::rob(name, &mut due);
                Name::grant(name, lock, &mut due);
            } else if queue::is_empty(&raw const (*name).waiting) && Name::is_free_for(name, lock) {
                Name::grant(name, lock, &mut due);
            } else if flags & UVX_LOCK_IF_AVAILABLE != 0 {
                Self::refuse(lock, UV_EAGAIN, &mut due);
            } else {
                (*lock).phase = Phase::Waiting;
                queue::push_back(&raw mut (*name).waiting, &raw mut (*lock).node);
            }
        }
        Ok(due)
    }

    /// The owner of a lock in the table gives it up, or does not wait any more. The others move up.
    ///
    /// # Safety
    /// The lock holds its name, or waits for it.
    pub unsafe fn leave(&self, lock: *mut Lock, due: &mut Due) {
        // SAFETY: the caller's; as in `enter`.
        unsafe {
            let name = (*lock).name;
            queue::unlink(&raw mut (*lock).node);
            Name::move_up(name, due);
            if queue::is_empty(&raw const (*name).held) {
                self.remove(name); // then nobody waits either
            }
        }
    }

    /// A request ends without the lock. Its owner is to be told.
    ///
    /// # Safety
    /// The lock is in no queue, and nothing is on its way to its owner.
    pub unsafe fn refuse(lock: *mut Lock, status: c_int, due: &mut Due) {
        // SAFETY: the caller's.
        unsafe {
            (*lock).phase = Phase::Refused;
            (*lock).status = status;
            due.add(lock);
        }
    }

    /// Whether the lock was requested in this process, not in its parent.
    ///
    /// # Safety
    /// The lock's memory is there.
    pub unsafe fn knows(&self, lock: *const Lock) -> bool {
        // SAFETY: the caller's.
        unsafe { (*lock).generation == self.generation.get() }
    }

    /// All locks that are held or waited for, name by name; with the name, its size with the NUL, and whether it is held.
    pub fn for_each(&self, mut visit: impl FnMut(*const Lock, *const c_char, usize, bool)) {
        for row in &self.rows {
            let mut name = row.get();
            while !name.is_null() {
                // SAFETY: names in the table are alive, and so are the locks of each.
                unsafe {
                    let (text, size) = (name.add(1).cast::<c_char>(), (*name).size);
                    Name::for_each(&raw const (*name).held, |lock| visit(lock, text, size, true));
                    Name::for_each(&raw const (*name).waiting, |lock| visit(lock, text, size, false));
                    name = (*name).next;
                }
            }
        }
    }

    fn find_or_make(&self, text: &[u8]) -> Result<*mut Name> {
        let index = (hash::of_bytes(text) % ROWS as u64) as usize;
        let row = self.rows.get(index).ok_or(Errno::EINVAL)?; // there are so many
        let mut name = row.get();
        while !name.is_null() {
            // SAFETY: names in the table are alive; the text follows.
            unsafe {
                if core::slice::from_raw_parts(name.add(1).cast::<u8>(), (*name).size) == text {
                    return Ok(name);
                }
                name = (*name).next;
            }
        }
        let name = Name::create(text, index)?;
        // SAFETY: just made.
        unsafe { (*name).next = row.replace(name) };
        Ok(name)
    }

    /// # Safety
    /// The name is in the table, and nobody holds it or waits.
    unsafe fn remove(&self, name: *mut Name) {
        // SAFETY: the caller's; names in the row are alive.
        unsafe {
            let Some(row) = self.rows.get((*name).row) else { return };
            let mut at = row.as_ptr();
            while *at != name {
                at = &raw mut (**at).next;
            }
            *at = (*name).next;
            mem::free(name.cast());
        }
    }
}

/// The mutex is held for all of these.
impl Name {
    /// A name that is in no row.
    fn create(text: &[u8], row: usize) -> Result<*mut Name> {
        let size = size_of::<Name>().checked_add(text.len()).ok_or(Errno::ENOMEM)?;
        let name = mem::alloc(size).cast::<Name>();
        if name.is_null() {
            return Err(Errno::ENOMEM);
        }
        let nothing = uv__queue { next: null_mut(), prev: null_mut() };
        // SAFETY: new memory, with room for the name and the text behind it.
        unsafe {
            name.write(Name { next: null_mut(), row, held: nothing, waiting: nothing, size: text.len() });
            queue::init(&raw mut (*name).held);
            queue::init(&raw mut (*name).waiting);
            name.add(1).cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
        }
        Ok(name)
    }

    /// Whether those who hold the name leave room for this lock.
    ///
    /// # Safety
    /// Both are alive.
    unsafe fn is_free_for(name: *const Name, lock: *const Lock) -> bool {
        // SAFETY: the caller's; those who hold it share it, or there is one.
        unsafe {
            let held = &raw const (*name).held;
            queue::is_empty(held) || ((*lock).is_shared && (*Lock::of_node((*held).next)).is_shared)
        }
    }

    /// # Safety
    /// There is room for the lock, which is in no queue.
    unsafe fn grant(name: *mut Name, lock: *mut Lock, due: &mut Due) {
        // SAFETY: the caller's; who waits has nothing on its way.
        unsafe {
            // A thread that waits looks for itself, and misses nothing that happens in between.
            (*lock).phase = if (*lock).home.is_null() { Phase::Held } else { Phase::Granted };
            queue::push_back(&raw mut (*name).held, &raw mut (*lock).node);
            due.add(lock);
        }
    }

    /// Grants what can be granted to those who wait: the first one, and with it those right behind it if all share.
    ///
    /// # Safety
    /// The name is alive.
    unsafe fn move_up(name: *mut Name, due: &mut Due) {
        // SAFETY: the caller's; locks in the queues are alive.
        unsafe {
            let waiting = &raw mut (*name).waiting;
            while !queue::is_empty(waiting) {
                let lock = Lock::of_node((*waiting).next);
                if !Name::is_free_for(name, lock) {
                    break;
                }
                queue::unlink(&raw mut (*lock).node);
                Name::grant(name, lock, due);
            }
        }
    }

    /// Takes the name from all who hold it.
    ///
    /// # Safety
    /// The name is alive.
    unsafe fn rob(name: *mut Name, due: &mut Due) {
        // SAFETY: the caller's; locks in the queues are alive.
        unsafe {
            while let Some(node) = queue::pop_front(&raw mut (*name).held) {
                let lock = Lock::of_node(node);
                if (*lock).phase == Phase::Granted {
                    (*lock).phase = Phase::Refused; // what is on its way says so
                    (*lock).status = UV_ECANCELED;
                } else {
                    (*lock).phase = Phase::Lost;
                    if Lock::hears_of_loss(lock) {
                        due.add(lock);
                    }
                }
            }
        }
    }

    /// # Safety
    /// The queue is a name's, and `visit` changes nothing.
    unsafe fn for_each(head: *const uv__queue, mut visit: impl FnMut(*const Lock)) {
        // SAFETY: the caller's; locks in the queues are alive.
        unsafe {
            let mut node = (*head).next;
            while !core::ptr::eq(node, head) {
                visit(Lock::of_node(node));
                node = (*node).next;
            }
        }
    }
}
