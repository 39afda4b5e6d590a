//! A writer: a port's way to its peer's inbox, or a sender's to its port's.
//!
//! It keeps unused messages and counts what it posts, both without touching what others write: one thread at a time uses it
//! fully; another one that comes meanwhile does not wait, but allocates its message and counts in the inbox.
//!
//! The writers of an inbox stand in a list, so that their counts can be added up.

use super::inbox::Inbox;
use super::message::Message;
use super::recycling::free_all;
use crate::abi::errno::{Errno, Result};
use crate::mem;
use crate::sync::prim::{AtomicBool, AtomicPtr, Mutex, Ordering, lock};
use core::cell::Cell;
use core::ptr::{null, null_mut};
use core::sync::atomic::AtomicU64; // counters order nothing, so no model needs them

/// Messages and their bytes.
#[derive(Clone, Copy, Default)]
pub struct Count {
    pub messages: u64,
    pub bytes: u64,
}

impl core::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Count) {
        self.messages = self.messages.wrapping_add(other.messages);
        self.bytes = self.bytes.wrapping_add(other.bytes);
    }
}

/// A count that any thread may read.
#[derive(Default)]
pub struct Counter {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Counter {
    /// The count now.
    pub fn get(&self) -> Count {
        Count { messages: self.messages.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }

    /// Counts one message. Only one thread at a time.
    #[inline]
    pub fn add_alone(&self, bytes: u64) {
        let count = self.get();
        self.messages.store(count.messages.wrapping_add(1), Ordering::Relaxed);
        self.bytes.store(count.bytes.wrapping_add(bytes), Ordering::Relaxed);
    }

    /// Counts one message. Any thread.
    pub fn add(&self, bytes: u64) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts one message less. Any thread; the sum of several counters may be below what one of them lost.
    pub fn subtract(&self, bytes: u64) {
        self.messages.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// See the module.
pub struct Writer {
    busy: AtomicBool,
    /// Unused messages, linked through `next`; for whoever set `busy`.
    unused: AtomicPtr<Message>,
    posted: Counter,
    /// In the list; changes under its lock.
    next: Cell<*const Writer>,
}

impl Default for Writer {
    /// Has posted nothing, and stands in no list.
    fn default() -> Self {
        Writer {
            busy: AtomicBool::new(false),
            unused: AtomicPtr::new(null_mut()),
            posted: Counter::default(),
            next: Cell::new(null()),
        }
    }
}

impl Writer {
    /// Memory for a message of `bytes` to `inbox`, which is counted. The writer is one of that inbox.
    #[inline]
    pub fn begin(&self, inbox: &Inbox, bytes: u64) -> Result<*mut Message> {
        let mut message = null_mut::<Message>();
        let bounded = inbox.is_bounded();
        if bounded {
            inbox.reserve(bytes)?;
        }
        if !self.busy.swap(true, Ordering::Acquire) {
            message = self.take_unused(inbox);
            if !bounded {
                self.posted.add_alone(bytes);
            }
            self.busy.store(false, Ordering::Release);
        } else if !bounded {
            inbox.posted_otherwise().add(bytes);
        }
        or_new(message, inbox, bytes)
    }

    /// As `begin`, to an inbox of which this is no writer: it does the counting itself.
    pub fn begin_elsewhere(&self, inbox: &Inbox, bytes: u64) -> Result<*mut Message> {
        if inbox.is_bounded() {
            inbox.reserve(bytes)?;
        } else {
            inbox.posted_otherwise().add(bytes);
        }
        let mut message = null_mut::<Message>();
        if !self.busy.swap(true, Ordering::Acquire) {
            message = self.take_unused(inbox);
            self.busy.store(false, Ordering::Release);
        }
        or_new(message, inbox, bytes)
    }

    /// Memory that was used before, if there is any. For whoever set `busy`.
    #[inline]
    fn take_unused(&self, inbox: &Inbox) -> *mut Message {
        let mut message = self.unused.load(Ordering::Relaxed);
        if message.is_null() {
            message = inbox.free_stack().take();
        }
        if !message.is_null() {
            // SAFETY: unused messages belong to the writer, whose only user this thread is for the moment.
            let next = unsafe { (*message).link.next.cast::<Message>() };
            prefetch_for_writing(next);
            self.unused.store(next, Ordering::Relaxed);
        }
        message
    }
}

/// `memory`, or new memory if that is null; without any, the message is counted no more.
#[inline]
fn or_new(memory: *mut Message, inbox: &Inbox, bytes: u64) -> Result<*mut Message> {
    if !memory.is_null() {
        return Ok(memory);
    }
    let new = mem::alloc(size_of::<Message>()).cast::<Message>();
    if new.is_null() {
        inbox.posted_otherwise().subtract(bytes);
        return Err(Errno::ENOMEM);
    }
    Ok(new)
}

impl Drop for Writer {
    fn drop(&mut self) {
        // SAFETY: nobody else has the writer any more.
        unsafe { free_all(self.unused.load(Ordering::Relaxed)) };
    }
}

/// Has the next message at hand when it is its turn: its reader's CPU had it last.
#[inline]
fn prefetch_for_writing(message: *const Message) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch has no effect that could be observed, whatever the address.
    unsafe {
        core::arch::asm!(
            "prefetchw [{0}]", "prefetchw [{0} + 64]",
            in(reg) message, options(nostack, preserves_flags, readonly)
        );
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = message;
}

/// The writers of one inbox.
pub struct Writers(Mutex<List>);

struct List {
    first: *const Writer,
    /// Writers that are left.
    left: usize,
    /// What those have posted that are gone.
    gone: Count,
}

impl Default for Writers {
    /// None yet.
    fn default() -> Self {
        Writers(Mutex::new(List { first: null(), left: 0, gone: Count::default() }))
    }
}

impl Writers {
    /// The first writer.
    ///
    /// # Safety
    /// `writer` stays in place until it is removed.
    pub unsafe fn begin(&self, writer: *const Writer) {
        let mut list = lock(&self.0);
        list.first = writer;
        list.left = 1;
    }

    /// One more, unless none is left: `UV_EPIPE`.
    ///
    /// # Safety
    /// As for `begin`.
    pub unsafe fn add(&self, writer: *const Writer) -> Result {
        let mut list = lock(&self.0);
        if list.left == 0 {
            return Err(Errno::EPIPE);
        }
        list.left += 1;
        // SAFETY: the caller's; the link changes under the lock.
        unsafe { (*writer).next.set(list.first) };
        list.first = writer;
        Ok(())
    }

    /// One less; true if it was the last.
    ///
    /// # Safety
    /// The writer is in the list, and posts nothing any more.
    pub unsafe fn remove(&self, writer: *const Writer) -> bool {
        let mut list = lock(&self.0);
        // SAFETY: writers in the list are alive; links change under the lock.
        unsafe {
            list.gone += (*writer).posted.get();
            let mut at = list.first;
            if at == writer {
                list.first = (*writer).next.get();
            }
            while !at.is_null() {
                if (*at).next.get() == writer {
                    (*at).next.set((*writer).next.get());
                }
                at = (*at).next.get();
            }
        }
        list.left -= 1;
        list.left == 0
    }

    /// What all of them have posted.
    pub fn posted(&self) -> Count {
        let list = lock(&self.0);
        let mut sum = list.gone;
        let mut at = list.first;
        while !at.is_null() {
            // SAFETY: as in `remove`.
            unsafe {
                sum += (*at).posted.get();
                at = (*at).next.get();
            }
        }
        sum
    }
}
