//! The mailbox: any thread puts nodes in, one consumer takes them all. The heart of every wake-up in this library.
//!
//! One atomic word holds either the newest node (each node's `next` leads to the one before it) or, when nothing waits, the
//! consumer's [`State`]. So a single compare-and-swap both delivers a node and tells its poster whether the consumer must be
//! woken, and by whom: only the poster whose node took the place of `Asleep` or `Outside` owes the wake-up.
//!
//! A word that leads to a node carries the node's [`Kind`] in its low bits, since the two words of a node (a `uv__queue` inside
//! C memory) have no room for it. `next` belongs to the poster until the node is in, then to the consumer; `prev` belongs to the
//! consumer alone and is null unless the node is in a [`Ready`](super::ready::Ready) list.
//!
//! `docs/protocols/mailbox.md` has the states, the proof and the loom tests.

use super::prim::{AtomicPtr, Ordering};
use crate::abi::uv__queue;
use core::ptr;

/// What the consumer does while its mailbox is empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum State {
    /// Will look again before it sleeps: nobody needs to wake it.
    Awake = 0,
    /// Sleeps, or is about to: the next poster wakes it.
    Asleep = 1,
    /// Not inside the loop at all; somebody may be polling its descriptor: the next poster makes that readable.
    Outside = 2,
    /// Takes nothing any more.
    Closed = 3,
}

/// What a node is embedded in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Kind {
    /// `uv_async_t.queue`
    Async = 0,
    /// `uv_signal_t.tree_entry`
    Signal = 1,
    /// `uv__work.wq`
    Work = 2,
    /// A message port of this loop.
    Port = 3,
    /// A message in a port's inbox.
    Message = 4,
    /// `event_loop::notice::Notice`
    Notice = 5,
    /// A posted call, in the mailbox for those.
    Call = 6,
}

/// Nodes are at least 8-aligned, so three bits are free.
const MASK: usize = 7;

/// A word of the mailbox: a state, or a node with its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tagged(*mut uv__queue);

impl Tagged {
    /// The word for `node`.
    pub fn new(node: *mut uv__queue, kind: Kind) -> Tagged {
        debug_assert!(node.addr() & MASK == 0 && !node.is_null());
        Tagged(node.map_addr(|addr| addr | kind as usize))
    }

    fn from_state(state: State) -> Tagged {
        Tagged(ptr::without_provenance_mut(state as usize))
    }

    /// The state, unless this is a node.
    pub fn state(self) -> Option<State> {
        match self.0.addr() {
            0 => Some(State::Awake),
            1 => Some(State::Asleep),
            2 => Some(State::Outside),
            3 => Some(State::Closed),
            _ => None,
        }
    }

    /// The node; meaningless for a state.
    pub fn node(self) -> *mut uv__queue {
        self.0.map_addr(|addr| addr & !MASK)
    }

    /// The node's kind; meaningless for a state.
    pub fn kind(self) -> Kind {
        match self.0.addr() & MASK {
            0 => Kind::Async,
            1 => Kind::Signal,
            2 => Kind::Work,
            3 => Kind::Port,
            4 => Kind::Message,
            5 => Kind::Notice,
            _ => Kind::Call,
        }
    }

    /// As a raw word, for storing in a node's links.
    pub fn into_raw(self) -> *mut uv__queue {
        self.0
    }

    /// The inverse of `into_raw`.
    pub fn from_raw(raw: *mut uv__queue) -> Tagged {
        Tagged(raw)
    }
}

/// What became of a node that was put in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Put {
    /// The consumer will see it without help.
    Seen,
    /// The caller owes the consumer its wake-up.
    Wake,
    /// The mailbox is closed; the node is still the caller's.
    Refused,
}

/// See the module.
#[derive(Debug)]
pub struct Mailbox(AtomicPtr<uv__queue>);

impl Mailbox {
    /// An empty mailbox.
    pub fn new(state: State) -> Mailbox {
        Mailbox(AtomicPtr::new(Tagged::from_state(state).0))
    }

    /// Puts a node in; from any thread, and from signal handlers (no lock, no allocation, no system call).
    ///
    /// # Safety
    /// The node is alive, in no mailbox, and the caller alone may put it in.
    pub unsafe fn put(&self, node: *mut uv__queue, kind: Kind) -> Put {
        // SAFETY: the caller's; a chain of one.
        unsafe { self.put_chain(node, node, kind) }
    }

    /// Puts several nodes in at once: `newest`, whose `next` words lead to `oldest` as [`Tagged`] words of `kind`.
    ///
    /// # Safety
    /// As for `put`, for each of the nodes.
    pub unsafe fn put_chain(&self, newest: *mut uv__queue, oldest: *mut uv__queue, kind: Kind) -> Put {
        let new = Tagged::new(newest, kind);
        let mut current = Tagged(self.0.load(Ordering::Relaxed));
        loop {
            if current.state() == Some(State::Closed) {
                return Put::Refused;
            }
            // SAFETY: until the exchange succeeds the nodes are the caller's alone.
            unsafe { (*oldest).next = current.0 };
            // Release hands the node over; Acquire because the poster that replaced a state goes on to use what the consumer
            // prepared before it went to sleep.
            match self.0.compare_exchange_weak(current.0, new.0, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => break,
                Err(word) => current = Tagged(word),
            }
        }
        match current.state() {
            Some(State::Asleep | State::Outside) => Put::Wake,
            _ => Put::Seen,
        }
    }

    /// Takes all there is and leaves `state` behind. Consumer only.
    ///
    /// The result is the newest node, whose `next` words lead to the oldest and end in the state that it replaced; or the state
    /// that was there, when nothing was.
    pub fn take(&self, state: State) -> Tagged {
        Tagged(self.0.swap(Tagged::from_state(state).0, Ordering::AcqRel))
    }

    /// Replaces the state by `state`, unless a node is in or the mailbox is closed; says whether it did. Consumer only.
    pub fn settle(&self, state: State) -> bool {
        let mut current = Tagged(self.0.load(Ordering::Relaxed));
        loop {
            match current.state() {
                None | Some(State::Closed) => return false,
                Some(old) if old == state => return true,
                Some(_) => {}
            }
            let wanted = Tagged::from_state(state).0;
            match self.0.compare_exchange_weak(current.0, wanted, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(word) => current = Tagged(word),
            }
        }
    }

    /// Whether the consumer takes nothing any more.
    pub fn is_closed(&self) -> bool {
        Tagged(self.0.load(Ordering::Acquire)).state() == Some(State::Closed)
    }

    /// Whether a node waits.
    pub fn has_nodes(&self) -> bool {
        Tagged(self.0.load(Ordering::Relaxed)).state().is_none()
    }
}
