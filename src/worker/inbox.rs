//! An inbox: the mailbox that any thread posts into, and the list from which its one reader takes messages, oldest first.
//!
//! The reader takes all that the mailbox holds, turns it around, and goes back to the mailbox only when its list is empty. The
//! list stays with the inbox when the reader changes. The end of the channel is a node of its own, which the last writer
//! puts in: it never leaves the list again, and nothing comes after it.
//!
//! Writers count what they post and the reader what it reads, each in words of their own; the difference is what waits. (A count in
//! the mailbox's line, for all, more than doubled the price of a message.) The writers of a bounded inbox count in one place under
//! a lock, so that none is refused because of another that is refused itself.
//!
//! Who waits for room says so in `room.wanted`, then looks again; the reader counts, then looks whether somebody waits. Both
//! put a fence between, so one of them sees the other.

use super::message::{Doomed, Message};
use super::recycling::FreeStack;
use super::writer::{Count, Counter, Writer, Writers};
use crate::abi::errno::{Errno, Result};
use crate::abi::uv__queue;
use crate::sync::mailbox::{Kind, Mailbox, Put, State, Tagged};
use crate::sync::prim::{AtomicU32, Mutex, Ordering, fence, lock};
use crate::sys::futex;
use core::cell::{Cell, UnsafeCell};
use core::ptr::null_mut;
use core::sync::atomic::AtomicU64; // counters order nothing, so no model needs them

/// The bounds of an inbox; `u64::MAX` stands for none.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Unread messages.
    pub messages: u64,
    /// Unread bytes.
    pub bytes: u64,
    /// There is room again with fewer messages than this...
    pub low_messages: u64,
    /// ...and fewer bytes.
    pub low_bytes: u64,
}

impl Limits {
    /// No bounds.
    pub const NONE: Limits =
        Limits { messages: u64::MAX, bytes: u64::MAX, low_messages: u64::MAX, low_bytes: u64::MAX };

    fn is_bounded(&self) -> bool {
        self.messages != u64::MAX || self.bytes != u64::MAX
    }
}

/// What the reader finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// A message, now the reader's.
    Message(*mut Message),
    /// All writers are gone, and all that they posted was read.
    End,
    /// Nothing yet.
    Nothing,
}

/// Somebody waits in `post_wait`.
pub const THREADS: u32 = 1;
/// The other port has a callback to be told.
pub const CALLBACK: u32 = 2;

/// See the module.
#[repr(C, align(128))]
pub struct Inbox {
    mailbox: Mailbox,
    limits: Limits,
    reader: Reader,
    unused: FreeStack,
    /// What was posted, as far as it is not counted by the writers.
    posted: Counter,
    counting: Mutex<()>,
    room: Room,
    writers: Writers,
    end: UnsafeCell<uv__queue>,
}

/// What only the reader writes.
#[repr(C, align(128))]
struct Reader {
    first: Cell<*mut uv__queue>,
    last: Cell<*mut uv__queue>,
    /// How many messages are in the list, the end included.
    listed: Cell<u64>,
    taken: Counter,
    dropped: AtomicU64,
}

/// Those who wait for room.
struct Room {
    /// Who waits: `THREADS`, `CALLBACK`.
    wanted: AtomicU32,
    /// Counts up whenever there is room again; threads sleep on it.
    turn: AtomicU32,
    /// One more than had been read when a message was refused last; 0: none was.
    refused_at: AtomicU64,
}

impl Inbox {
    /// Empty, with no writer and no reader.
    pub fn new(limits: Limits) -> Inbox {
        Inbox {
            mailbox: Mailbox::new(State::Awake),
            limits,
            reader: Reader {
                first: Cell::new(null_mut()),
                last: Cell::new(null_mut()),
                listed: Cell::new(0),
                taken: Counter::default(),
                dropped: AtomicU64::new(0),
            },
            unused: FreeStack::default(),
            posted: Counter::default(),
            counting: Mutex::new(()),
            room: Room { wanted: AtomicU32::new(0), turn: AtomicU32::new(0), refused_at: AtomicU64::new(0) },
            writers: Writers::default(),
            end: UnsafeCell::new(uv__queue { next: null_mut(), prev: null_mut() }),
        }
    }

    /// Where the memory of messages that were read goes.
    pub fn free_stack(&self) -> &FreeStack {
        &self.unused
    }
}

/// For writers, on any thread.
impl Inbox {
    /// Whether there are bounds.
    #[inline]
    pub fn is_bounded(&self) -> bool {
        self.limits.is_bounded()
    }

    /// Counts a message of `bytes` that is about to be put into a bounded inbox. `UV_EAGAIN` if there is no room, `UV_EMSGSIZE` if
    /// there never is, `UV_EPIPE` if the inbox is closed.
    #[cold]
    pub fn reserve(&self, bytes: u64) -> Result {
        let _counting = lock(&self.counting);
        if self.mailbox.is_closed() {
            return Err(Errno::EPIPE);
        }
        if bytes > self.limits.bytes {
            return Err(Errno::EMSGSIZE);
        }
        let taken = self.reader.taken.get().messages; // first: what is taken from now on may make the room that is missing
        let waiting = self.waiting();
        if waiting.messages >= self.limits.messages || waiting.bytes > self.limits.bytes - bytes {
            self.room.refused_at.store(taken.wrapping_add(1), Ordering::Relaxed);
            return Err(Errno::EAGAIN);
        }
        self.posted.add(bytes);
        Ok(())
    }

    /// Where messages are counted that their writer does not count: one more, or one that did not come after all.
    pub fn posted_otherwise(&self) -> &Counter {
        &self.posted
    }

    /// Puts in messages that were counted: `newest` leads to `oldest` as for [`Mailbox::put_chain`].
    ///
    /// # Safety
    /// The messages are the caller's alone.
    pub unsafe fn put(&self, newest: *mut Message, oldest: *mut Message) -> Put {
        // SAFETY: the caller's; a message begins with its link.
        unsafe { self.mailbox.put_chain(newest.cast(), oldest.cast(), Kind::Message) }
    }

    /// The writers, for the one who makes or closes them.
    pub fn writers(&self) -> &Writers {
        &self.writers
    }

    /// One writer less. After the last one comes the end; true if the reader must hear of it.
    ///
    /// # Safety
    /// As for [`Writers::remove`].
    pub unsafe fn remove_writer(&self, writer: *const Writer) -> bool {
        // SAFETY: the caller's. The end's node is put in once, by the last writer, and lives as long as the inbox.
        unsafe {
            self.writers.remove(writer) && self.mailbox.put(self.end.get(), Kind::Message) != Put::Refused
        }
    }

    /// Whether nobody will read what is posted.
    pub fn is_closed(&self) -> bool {
        self.mailbox.is_closed()
    }

    /// Whether there is as much room as those who wait are told of.
    pub fn has_room(&self) -> bool {
        if !self.is_bounded() {
            return true;
        }
        let waiting = self.waiting();
        waiting.messages < self.limits.low_messages && waiting.bytes < self.limits.low_bytes
    }

    /// Whether a message that was refused might be accepted now: there is room, and more of it than then.
    pub fn has_more_room(&self) -> bool {
        let taken = self.reader.taken.get().messages;
        self.has_room() && self.room.refused_at.load(Ordering::Relaxed) != taken.wrapping_add(1)
    }

    /// Asks to be told when there is room, and returns the word to wait for. The caller looks once more before it waits.
    pub fn want_room(&self, who: u32) -> u32 {
        let turn = self.room.turn.load(Ordering::Acquire);
        self.room.wanted.fetch_or(who, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        turn
    }

    /// Sleeps until the word is another than `turn`, for at most `timeout_ns`. May return at any time.
    pub fn wait_for_room(&self, turn: u32, timeout_ns: Option<u64>) {
        futex::wait(&self.room.turn, turn, timeout_ns);
    }

    /// Tells threads that wait for room that they have something to look at, and says who else waited.
    pub fn end_waits(&self) -> u32 {
        fence(Ordering::SeqCst);
        let wanted = self.room.wanted.swap(0, Ordering::AcqRel);
        if wanted & THREADS != 0 {
            self.room.turn.fetch_add(1, Ordering::Release);
            futex::wake_all(&raw const self.room.turn);
        }
        wanted
    }
}

/// For the reader.
impl Inbox {
    /// Takes the oldest message.
    #[inline]
    pub fn next(&self) -> Next {
        if self.reader.first.get().is_null() && !self.refill() {
            return Next::Nothing;
        }
        let node = self.reader.first.get();
        if node == self.end.get() {
            return Next::End;
        }
        let message = node.cast::<Message>();
        // SAFETY: nodes in the list are messages of the reader's.
        let bytes = unsafe {
            self.reader.first.set((*node).next);
            (*message).data.len as u64
        };
        self.reader.listed.set(self.reader.listed.get().wrapping_sub(1));
        self.reader.taken.add_alone(bytes);
        Next::Message(message)
    }

    /// How many messages there are to be taken now, about.
    pub fn backlog(&self) -> u64 {
        self.refill();
        self.reader.listed.get()
    }

    /// After a message was taken: who is to be told of the room, `THREADS` having been told already.
    #[inline]
    pub fn make_room(&self) -> u32 {
        if !self.limits.is_bounded() {
            return 0;
        }
        fence(Ordering::SeqCst);
        if self.room.wanted.load(Ordering::Relaxed) == 0 || !self.has_room() {
            return 0;
        }
        self.end_waits()
    }

    /// Whether the next thing to take is the end.
    pub fn at_end(&self) -> bool {
        (!self.reader.first.get().is_null() || self.refill()) && self.reader.first.get() == self.end.get()
    }

    /// Whether there is anything to take.
    pub fn has_backlog(&self) -> bool {
        !self.reader.first.get().is_null() || self.mailbox.has_nodes()
    }

    /// Sets what posters find in the empty mailbox; false if it is not empty, or closed.
    pub fn settle(&self, state: State) -> bool {
        self.reader.first.get().is_null() && self.mailbox.settle(state)
    }

    /// Nothing comes in any more. What is in stays for the reader.
    pub fn close(&self) {
        self.append(self.mailbox.take(State::Closed));
    }

    /// Takes all that is left, unread. Only after `close`.
    pub fn empty_into(&self, doomed: &mut Doomed) {
        loop {
            match self.next() {
                Next::Message(message) => {
                    self.reader.dropped.fetch_add(1, Ordering::Relaxed);
                    // SAFETY: it was taken.
                    unsafe { doomed.push(message) };
                }
                // Something may stand behind the end if its writer was closed in the middle of a post.
                // SAFETY: the end is in the list, so its link is the reader's.
                Next::End => self.reader.first.set(unsafe { (*self.end.get()).next }),
                Next::Nothing => return,
            }
        }
    }

    fn refill(&self) -> bool {
        if !self.mailbox.has_nodes() {
            return false;
        }
        self.append(self.mailbox.take(State::Awake));
        true
    }

    /// Puts what was taken from the mailbox, newest first, behind the list.
    fn append(&self, taken: Tagged) {
        let mut word = taken;
        let mut count = self.reader.listed.get();
        let mut after = null_mut::<uv__queue>();
        while word.state().is_none() {
            let node = word.node();
            prefetch_payload(node);
            count += 1;
            // SAFETY: nodes that were taken are the reader's.
            word = unsafe {
                let older = Tagged::from_raw((*node).next);
                (*node).next = after;
                older
            };
            after = node;
        }
        if after.is_null() {
            return;
        }
        if self.reader.first.get().is_null() {
            self.reader.first.set(after);
        } else {
            // SAFETY: the last node is in the list, which is not empty.
            unsafe { (*self.reader.last.get()).next = after };
        }
        self.reader.last.set(taken.node());
        self.reader.listed.set(count);
    }
}

/// Counters, for any thread.
impl Inbox {
    /// Messages that were ever posted.
    pub fn posted(&self) -> Count {
        let mut count = self.posted.get();
        if !self.is_bounded() {
            count += self.writers.posted();
        }
        count
    }

    /// Messages that wait.
    pub fn waiting(&self) -> Count {
        let taken = self.reader.taken.get(); // first, so as not to be ahead
        let posted = self.posted();
        Count {
            messages: posted.messages.saturating_sub(taken.messages),
            bytes: posted.bytes.saturating_sub(taken.bytes),
        }
    }

    /// Messages that were read.
    pub fn received(&self) -> u64 {
        self.reader.taken.get().messages.saturating_sub(self.dropped())
    }

    /// Messages that were destroyed unread.
    pub fn dropped(&self) -> u64 {
        self.reader.dropped.load(Ordering::Relaxed)
    }
}

/// Payload is read soon after; its writer's CPU had it last.
#[inline]
fn prefetch_payload(node: *const uv__queue) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch has no effect that could be observed, whatever the address.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(node.cast::<i8>().wrapping_add(64));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = node;
}
