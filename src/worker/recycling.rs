//! Where the memory of messages comes from and goes to: what was read circulates between a channel's reader and its writers.
//!
//! The reader gives back whole chains; a writer takes all there is (`writer.rs`), so the stack between them has no ABA problem,
//! and both touch it once for many messages. Chains keep the order of reading, which is that of posting, so that memory is
//! used in the order in which it lies.

use super::depot;
use super::message::Message;
use crate::mem;
use crate::sync::prim::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use core::cell::Cell;
use core::ptr::null_mut;

/// About as many unused messages are kept for each direction of a channel; the rest goes to the depot.
const MOST_KEPT: usize = 1024;
/// So many are given back at a time.
const CHAIN: usize = 32;

/// What was read and can be used again. Any thread may give and take.
#[repr(C, align(128))]
pub struct FreeStack {
    newest: AtomicPtr<Message>,
    /// Never more than are there, so the bound is not a sharp one.
    kept: AtomicUsize,
    single: Collector,
}

/// Messages that come back one by one. Not in the line that starving writers look at.
#[repr(C, align(128))]
struct Collector {
    busy: AtomicBool,
    /// For whoever sets `busy`.
    chain: Cell<Chain>,
}

impl Default for FreeStack {
    /// Empty.
    fn default() -> Self {
        depot::inbox_made();
        FreeStack {
            newest: AtomicPtr::new(null_mut()),
            kept: AtomicUsize::new(0),
            single: Collector { busy: AtomicBool::new(false), chain: Cell::new(Chain::EMPTY) },
        }
    }
}

impl FreeStack {
    /// Gives back one message.
    ///
    /// # Safety
    /// It is the caller's alone, and holds nothing any more.
    pub unsafe fn give(&self, message: *mut Message) {
        let mut chain = Chain::EMPTY;
        if self.single.busy.swap(true, Ordering::Acquire) {
            // SAFETY: the caller's.
            return unsafe {
                chain.add(message);
                self.give_chain(chain);
            };
        }
        chain = self.single.chain.get();
        // SAFETY: the caller's; the chain is this thread's for the moment.
        unsafe {
            chain.add(message);
            if chain.count == CHAIN {
                self.give_chain(chain);
                chain = Chain::EMPTY;
            }
        }
        self.single.chain.set(chain);
        self.single.busy.store(false, Ordering::Release);
    }

    /// # Safety
    /// The chain is the caller's, and not empty.
    unsafe fn give_chain(&self, chain: Chain) {
        if self.kept.load(Ordering::Relaxed) >= MOST_KEPT {
            // SAFETY: the caller's.
            return unsafe { depot::give(chain) };
        }
        self.kept.fetch_add(chain.count, Ordering::Relaxed);
        let mut below = self.newest.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller's, until the exchange succeeds.
            unsafe { (*chain.last).link.next = below.cast() };
            match self.newest.compare_exchange_weak(below, chain.first, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(seen) => below = seen,
            }
        }
    }

    /// Takes all there is, or if that is nothing, what the depot gives: messages linked through `next`, up to null.
    pub fn take(&self) -> *mut Message {
        if self.newest.load(Ordering::Relaxed).is_null() { depot::take() } else { self.take_all() }
    }

    fn take_all(&self) -> *mut Message {
        let first = self.newest.swap(null_mut(), Ordering::Acquire);
        self.kept.store(0, Ordering::Relaxed);
        first
    }
}

impl Drop for FreeStack {
    fn drop(&mut self) {
        // SAFETY: nobody else has the stack any more.
        unsafe {
            free_all(self.take_all());
            let chain = self.single.chain.get();
            if chain.count > 0 {
                free_all(chain.end());
            }
        }
        depot::inbox_gone();
    }
}

/// Unused messages, the oldest first. Who copies a chain must not use the original.
#[derive(Clone, Copy)]
pub struct Chain {
    first: *mut Message,
    last: *mut Message,
    count: usize,
}

impl Chain {
    const EMPTY: Chain = Chain { first: null_mut(), last: null_mut(), count: 0 };

    /// # Safety
    /// The message is the caller's, and so is the chain.
    unsafe fn add(&mut self, message: *mut Message) {
        if self.last.is_null() {
            self.first = message;
        } else {
            // SAFETY: the last one is in the chain.
            unsafe { (*self.last).link.next = message.cast() };
        }
        self.last = message;
        self.count += 1;
    }

    /// The first message; the last one now leads to null.
    ///
    /// # Safety
    /// The chain is the caller's, and not empty.
    pub unsafe fn end(self) -> *mut Message {
        // SAFETY: the caller's.
        unsafe { (*self.last).link.next = null_mut() };
        self.first
    }
}

/// Frees messages that are linked through `next`, up to null.
///
/// # Safety
/// They are the caller's alone, and hold nothing.
pub unsafe fn free_all(mut message: *mut Message) {
    while !message.is_null() {
        // SAFETY: the caller's.
        unsafe {
            let next = (*message).link.next.cast();
            mem::free(message.cast());
            message = next;
        }
    }
}

/// Collects messages that were read and gives them back in chains; the rest when it is dropped.
pub struct Recycler<'a> {
    stack: &'a FreeStack,
    chain: Chain,
}

impl<'a> Recycler<'a> {
    /// For the messages of the inbox that `stack` belongs to.
    pub fn new(stack: &'a FreeStack) -> Recycler<'a> {
        Recycler { stack, chain: Chain::EMPTY }
    }

    /// Takes a message.
    ///
    /// # Safety
    /// It is the caller's alone, and holds nothing any more.
    pub unsafe fn add(&mut self, message: *mut Message) {
        // SAFETY: the caller's; the chain is this recycler's.
        unsafe { self.chain.add(message) };
        if self.chain.count == CHAIN {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let chain = core::mem::replace(&mut self.chain, Chain::EMPTY);
        if chain.count > 0 {
            // SAFETY: the chain was this recycler's.
            unsafe { self.stack.give_chain(chain) };
        }
    }
}

impl Drop for Recycler<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}
