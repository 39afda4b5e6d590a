//! What is ready on one loop: a mailbox that any thread puts nodes into, and the list into which the loop moves them, oldest
//! first, before it runs them.
//!
//! The list is doubly linked, so that closing a handle takes it out at once; its links carry kinds like the mailbox's words.
//! A node is in the list exactly while its `prev` is not null; only the loop's thread reads or writes `prev`.
//!
//! A poster that owes a wake-up still touches the loop after its node is in, perhaps after the loop has dispatched it. The loop
//! learns from the word under the oldest node that such a poster exists, and [`Ready::wait_for_wakers`] waits for it
//! before the loop's memory goes.

use super::mailbox::{Kind, Mailbox, Put, State, Tagged};
use super::prim::{AtomicUsize, Ordering, ShortWait};
use crate::abi::uv__queue;
use core::cell::{Cell, UnsafeCell};
use core::ptr::null_mut;

/// See the module.
pub struct Ready {
    mailbox: Mailbox,
    /// Wake-ups that posters have finished.
    paid: AtomicUsize,
    /// Wake-ups that posters owed, as far as collected.
    owed: Cell<usize>,
    /// How many nodes the list holds.
    len: Cell<usize>,
    list: UnsafeCell<uv__queue>,
}

impl Ready {
    /// Empty, for a loop that does not run yet. It must be given its place in memory and then `init`.
    pub fn new() -> Ready {
        Ready {
            mailbox: Mailbox::new(State::Outside),
            paid: AtomicUsize::new(0),
            owed: Cell::new(0),
            len: Cell::new(0),
            list: UnsafeCell::new(uv__queue { next: null_mut(), prev: null_mut() }),
        }
    }

    /// Makes the list circular. Once, before anything else, and the value must not move afterwards.
    pub fn init(&self) {
        let head = self.list.get();
        // SAFETY: nobody else has the value yet.
        unsafe {
            (*head).next = head;
            (*head).prev = head;
        }
    }

    /// Puts a node in, from any thread or signal handler. With `Put::Wake` the caller must wake the loop and then call `paid`.
    ///
    /// # Safety
    /// As for [`Mailbox::put`]; with the node's `prev` null.
    pub unsafe fn put(&self, node: *mut uv__queue, kind: Kind) -> Put {
        // SAFETY: the caller's.
        unsafe { self.mailbox.put(node, kind) }
    }

    /// The poster's last touch of the loop, after its wake-up.
    pub fn paid(&self) {
        self.paid.fetch_add(1, Ordering::Release);
    }

    /// Moves what is in the mailbox to the end of the list, and leaves `state` in the mailbox. Loop's thread only.
    pub fn collect(&self, state: State) {
        let mut word = self.mailbox.take(state);
        let head = self.list.get();
        // SAFETY: nodes in the list or taken from the mailbox are alive until the loop lets go of them, and their links are the
        // loop's, whose thread this is.
        unsafe {
            let last = Tagged::from_raw((*head).prev);
            let mut after = Tagged::from_raw(head);
            // From the newest to the oldest, each in front of the one before.
            while word.state().is_none() {
                let node = word.node();
                let older = Tagged::from_raw((*node).next);
                (*node).next = after.into_raw();
                (*after.node()).prev = word.into_raw();
                self.len.set(self.len.get() + 1);
                if matches!(older.state(), Some(State::Asleep | State::Outside)) {
                    self.owed.set(self.owed.get() + 1);
                }
                (after, word) = (word, older);
            }
            (*after.node()).prev = last.into_raw();
            (*last.node()).next = after.into_raw();
        }
    }

    /// Takes the first node of the list. Loop's thread only.
    pub fn pop(&self) -> Option<(*mut uv__queue, Kind)> {
        let head = self.list.get();
        // SAFETY: as in `collect`.
        let first = Tagged::from_raw(unsafe { (*head).next });
        if first.node() == head {
            return None;
        }
        // SAFETY: it is in the list.
        unsafe { self.unlink(first.node()) };
        Some((first.node(), first.kind()))
    }

    /// Takes `node` out of the list. Loop's thread only.
    ///
    /// # Safety
    /// The node is in this list.
    pub unsafe fn unlink(&self, node: *mut uv__queue) {
        // SAFETY: the caller's, and as in `collect` for the neighbours.
        unsafe {
            let (next, prev) = (Tagged::from_raw((*node).next), Tagged::from_raw((*node).prev));
            (*prev.node()).next = next.into_raw();
            (*next.node()).prev = prev.into_raw();
            (*node).prev = null_mut();
        }
        self.len.set(self.len.get() - 1);
    }

    /// Takes a node out that was put in, or that another thread is just putting in. Loop's thread only; waits for that
    /// thread, which is between two instructions.
    ///
    /// # Safety
    /// Somebody has put the node in or will at once, and it was not popped.
    pub unsafe fn withdraw(&self, node: *mut uv__queue) {
        let mut wait = ShortWait::default();
        loop {
            // SAFETY: the caller's; `prev` is written by this thread alone.
            if !unsafe { (*node).prev }.is_null() {
                // SAFETY: so it is in the list.
                return unsafe { self.unlink(node) };
            }
            // As if outside the loop, for it may be: inside, that costs one write of the eventfd at most.
            self.collect(State::Outside);
            // SAFETY: as above.
            if unsafe { (*node).prev }.is_null() {
                wait.step();
            }
        }
    }

    /// How many nodes are in the list, not counting the mailbox. Loop's thread only.
    pub fn collected(&self) -> usize {
        self.len.get()
    }

    /// Whether nothing is ready. Loop's thread only.
    pub fn is_empty(&self) -> bool {
        self.len.get() == 0 && !self.mailbox.has_nodes()
    }

    /// Whether the mailbox holds something; from any thread.
    pub fn has_mail(&self) -> bool {
        self.mailbox.has_nodes()
    }

    /// Sets what posters find while the mailbox is empty; false when it is not.
    pub fn settle(&self, state: State) -> bool {
        self.mailbox.settle(state)
    }

    /// After fork, in the child: the posters that owed a wake-up are threads of the parent. Loop's thread only.
    pub fn forget_wakers(&self, state: State) {
        self.collect(state);
        self.paid.store(self.owed.get(), Ordering::Relaxed);
    }

    /// Returns when no poster touches the loop any more, provided that nobody can begin to. Loop's thread only.
    pub fn wait_for_wakers(&self) {
        self.collect(State::Awake);
        let mut wait = ShortWait::default();
        while self.paid.load(Ordering::Acquire) != self.owed.get() {
            wait.step();
        }
    }
}

impl Default for Ready {
    fn default() -> Self {
        Ready::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn nodes<const N: usize>() -> [uv__queue; N] {
        core::array::from_fn(|_| uv__queue { next: null_mut(), prev: null_mut() })
    }

    #[test]
    fn oldest_first_through_several_collections() {
        let ready = Ready::new();
        ready.init();
        let mut nodes = nodes::<5>();
        let at = nodes.as_mut_ptr();
        // SAFETY: the nodes outlive the list and are used from this thread alone.
        unsafe {
            assert_eq!(ready.put(at, Kind::Async), Put::Wake);
            ready.paid();
            assert_eq!(ready.put(at.add(1), Kind::Work), Put::Seen);
            ready.collect(State::Awake);
            assert_eq!(ready.put(at.add(2), Kind::Port), Put::Seen);
            assert!(!ready.settle(State::Asleep));
            assert_eq!(ready.put(at.add(3), Kind::Async), Put::Seen);
            ready.collect(State::Awake);
            assert_eq!(ready.collected(), 4);
            ready.unlink(at.add(1));
            assert!(ready.settle(State::Asleep));
            assert_eq!(ready.put(at.add(4), Kind::Signal), Put::Wake);
            ready.withdraw(at.add(4));
            ready.paid();
            assert_eq!(ready.pop(), Some((at, Kind::Async)));
            assert_eq!(ready.pop(), Some((at.add(2), Kind::Port)));
            assert_eq!(ready.pop(), Some((at.add(3), Kind::Async)));
            assert_eq!(ready.pop(), None);
        }
        assert!(ready.is_empty());
        ready.wait_for_wakers();
    }
}
