//! Posted calls in line: a mailbox that any thread puts them into, and the lists from which the loop takes them, oldest first and those
//! that interrupt before all others.

use super::Call;
use crate::abi::{UVX_CALL_INTERRUPT, uv__queue};
use crate::sync::mailbox::{Kind, Mailbox, Put, State, Tagged};
use core::cell::Cell;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering}; // a count that others only look at, so no model follows it

/// See the module.
pub struct Queue {
    mailbox: Mailbox,
    /// The rest is the consumer's.
    interrupts: List,
    others: List,
}

impl Default for Queue {
    /// Empty, of a loop that sleeps as far as this queue goes.
    fn default() -> Self {
        Queue { mailbox: Mailbox::new(State::Asleep), interrupts: List::default(), others: List::default() }
    }
}

impl Queue {
    /// Puts a call in. Any thread; with `Put::Wake` the caller must tell the consumer.
    ///
    /// # Safety
    /// The call is complete, in no queue, and the caller's alone.
    pub unsafe fn put(&self, call: *mut Call) -> Put {
        // SAFETY: the caller's.
        unsafe { self.mailbox.put(&raw mut (*call).node, Kind::Call) }
    }

    /// Moves what is in the mailbox into the lists; posters need not tell the consumer until it settles again. `seen` is called for each
    /// call, newest first. Consumer only.
    pub fn collect(&self, seen: impl FnMut(*mut Call)) {
        // What is asleep or closed stays so.
        if self.mailbox.has_nodes() {
            self.take(State::Awake, seen);
        }
    }

    /// The same for the last time: nothing is taken in any more. Consumer only.
    pub fn close(&self, seen: impl FnMut(*mut Call)) {
        self.take(State::Closed, seen);
    }

    fn take(&self, state: State, mut seen: impl FnMut(*mut Call)) {
        let mut word = self.mailbox.take(state);
        let (mut interrupts, mut others) = (Chain::default(), Chain::default());
        while word.state().is_none() {
            let node = word.node();
            // SAFETY: calls that were taken are the consumer's, and so are their links.
            unsafe {
                word = Tagged::from_raw((*node).next);
                let call = Call::of_node(node);
                seen(call);
                let chain = if Call::has(call, UVX_CALL_INTERRUPT) { &mut interrupts } else { &mut others };
                chain.push_front(node);
            }
        }
        self.interrupts.append(interrupts);
        self.others.append(others);
    }

    /// Takes the call whose turn it is, if it was collected. Consumer only.
    pub fn pop(&self) -> Option<*mut Call> {
        self.pop_interrupt().or_else(|| self.others.pop())
    }

    /// What was collected until now is due; what comes later is not. Consumer only.
    pub fn begin_turn(&self) {
        self.interrupts.begin_turn();
        self.others.begin_turn();
    }

    /// As `pop`, but only a call that is due. Consumer only.
    pub fn pop_due(&self) -> Option<*mut Call> {
        self.interrupts.pop_due().or_else(|| self.others.pop_due())
    }

    /// Takes the oldest call that interrupts, if it was collected. Consumer only.
    pub fn pop_interrupt(&self) -> Option<*mut Call> {
        self.interrupts.pop()
    }

    /// How many calls that interrupt were collected and not taken. Consumer only.
    pub fn interrupts(&self) -> usize {
        self.interrupts.len()
    }

    /// How many calls were collected and not taken. Others than the consumer see a number of some moment ago.
    pub fn collected(&self) -> usize {
        self.interrupts.len() + self.others.len()
    }

    /// Whether there are calls that were not collected. Any thread.
    pub fn has_more(&self) -> bool {
        self.mailbox.has_nodes()
    }

    /// Whether it takes nothing any more. Any thread.
    pub fn is_closed(&self) -> bool {
        self.mailbox.is_closed()
    }

    /// The next one who puts a call in has to tell the consumer. False if something waits, or if the queue is closed. Consumer only.
    pub fn settle(&self) -> bool {
        self.collected() == 0 && self.mailbox.settle(State::Asleep)
    }
}

/// Calls, oldest first.
struct List {
    first: Cell<*mut uv__queue>,
    /// Meaningless in an empty list.
    last: Cell<*mut uv__queue>,
    count: AtomicUsize,
    /// How many of them, from the first on, are due.
    due: Cell<usize>,
}

impl Default for List {
    /// Empty.
    fn default() -> Self {
        List {
            first: Cell::new(null_mut()),
            last: Cell::new(null_mut()),
            count: AtomicUsize::new(0),
            due: Cell::new(0),
        }
    }
}

/// Calls that are to be appended to a list.
struct Chain {
    first: *mut uv__queue,
    last: *mut uv__queue,
    count: usize,
}

impl Default for Chain {
    fn default() -> Self {
        Chain { first: null_mut(), last: null_mut(), count: 0 }
    }
}

impl Chain {
    /// # Safety
    /// The node is the consumer's, and in no list.
    unsafe fn push_front(&mut self, node: *mut uv__queue) {
        // SAFETY: the caller's.
        unsafe { (*node).next = self.first };
        if self.first.is_null() {
            self.last = node;
        }
        self.first = node;
        self.count += 1;
    }
}

impl List {
    fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn begin_turn(&self) {
        self.due.set(self.len());
    }

    fn append(&self, more: Chain) {
        if more.first.is_null() {
            return;
        }
        match self.first.get().is_null() {
            true => self.first.set(more.first),
            // SAFETY: the last node of a list is the consumer's.
            false => unsafe { (*self.last.get()).next = more.first },
        }
        self.last.set(more.last);
        self.count.store(self.len() + more.count, Ordering::Relaxed);
    }

    fn pop_due(&self) -> Option<*mut Call> {
        if self.due.get() > 0 { self.pop() } else { None }
    }

    fn pop(&self) -> Option<*mut Call> {
        let first = self.first.get();
        if first.is_null() {
            return None;
        }
        // SAFETY: nodes in the list are the consumer's.
        unsafe {
            self.first.set((*first).next);
            self.count.store(self.len() - 1, Ordering::Relaxed);
            self.due.set(self.due.get().saturating_sub(1));
            Some(Call::of_node(first))
        }
    }
}
