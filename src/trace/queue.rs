//! The events of one thread for one agent: two buffers, of which the thread is the owner and the writer the reader (`handover.rs`).
//!
//! A queue is made for a thread's first event, and goes when the thread has ended and the writer has read it to its end. If the thread goes on
//! to trace for another agent, it gets another queue.

use super::agent::Agent;
use super::handover::HandOver;
use super::record::{Event, Record};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::mem::{self, Counted};
use crate::sync::prim::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
use crate::sys::{futex, thread};
use core::cell::Cell;
use core::ffi::{CStr, c_char};
use core::ptr::{NonNull, null};

/// See the module.
pub struct Queue {
    pub agent: Counted<Agent>,
    /// The list of all. Changed under the lock of `state.rs`; the writer, who alone takes queues out while it runs, may follow it without.
    pub next: Cell<*const Queue>,
    pub tid: libc::pid_t,
    name: [c_char; 16],
    buffers: [NonNull<u64>; 2],
    handover: HandOver,
    /// The owner's: how many events lie in each buffer.
    events: [Cell<usize>; 2],
    pub dropped: AtomicU64,
    pub blocked: AtomicU64,
    /// The owner waits for room, or is about to.
    waiting: AtomicBool,
    /// It sleeps on this word.
    room: AtomicU32,
    /// The thread has ended, or traces for another agent.
    ended: AtomicBool,
    /// The writer's.
    place: Cell<Place>,
    pub named_in: Cell<u64>,
}

/// How far the writer is.
#[derive(Clone, Copy, Default)]
struct Place {
    buffer: usize,
    word: usize,
    taken: usize,
}

/// Why `read` has returned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The taker wants no more for now.
    Full,
    /// A buffer is through; there may be more in the next.
    Next,
    /// There is no more.
    End,
}

// SAFETY: `events` is the owner's, `place` and `named_in` the writer's, `next` says whose it is; the rest does not change, or is atomic.
unsafe impl Sync for Queue {}
// SAFETY: as above.
unsafe impl Send for Queue {}

impl Queue {
    /// A queue for the calling thread.
    pub fn new(agent: &Counted<Agent>) -> Result<Counted<Queue>> {
        let words = agent.options.buffer_words;
        let first = mem::alloc_array::<u64>(words)?;
        let second = mem::alloc_array::<u64>(words).inspect_err(|_| {
            // SAFETY: just made.
            unsafe { mem::free(first.as_ptr().cast()) }
        })?;
        let mut name = [0; 16];
        // SAFETY: the name has room for 16 bytes.
        unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
        // Without memory the buffers go with the queue.
        Counted::new(Queue {
            agent: agent.clone(),
            next: Cell::new(null()),
            tid: thread::tid(),
            name,
            buffers: [first, second],
            handover: HandOver::default(),
            events: [Cell::new(0), Cell::new(0)],
            dropped: AtomicU64::new(0),
            blocked: AtomicU64::new(0),
            waiting: AtomicBool::new(false),
            room: AtomicU32::new(0),
            ended: AtomicBool::new(false),
            place: Cell::new(Place::default()),
            named_in: Cell::new(0),
        })
    }

    /// What the thread was called when it traced its first event.
    pub fn name(&self) -> &CStr {
        // SAFETY: the system has put a NUL at its end.
        unsafe { CStr::from_ptr(self.name.as_ptr()) }
    }

    fn buffer(&self, number: usize) -> *mut u64 {
        let [even, odd] = &self.buffers;
        if number.is_multiple_of(2) { even.as_ptr() } else { odd.as_ptr() }
    }

    fn events(&self, number: usize) -> &Cell<usize> {
        let [even, odd] = &self.events;
        if number.is_multiple_of(2) { even } else { odd }
    }
}

/// For the owner.
impl Queue {
    /// Adds an event. `UV_E2BIG`: it would not even fit into an empty buffer. `UV_EAGAIN`: there is no room, it was counted.
    ///
    /// # Safety
    /// The event's arguments and strings are what they say; this is the owner.
    #[inline]
    pub unsafe fn append(&self, event: &Event) -> Result {
        // SAFETY: the caller's.
        let words = unsafe { event.words() }?;
        let (mut number, mut filled) = self.handover.position();
        if self.agent.options.buffer_words.wrapping_sub(filled) < words {
            self.make_room(words)?;
            (number, filled) = self.handover.position();
        }
        // SAFETY: the words behind what is filled are the owner's, and there are enough.
        unsafe { event.write(self.buffer(number).add(filled), words) };
        let events = self.events(number);
        events.set(events.get().wrapping_add(1));
        self.handover.publish(filled.wrapping_add(words));
        Ok(())
    }

    /// Goes on to an empty buffer.
    #[cold]
    fn make_room(&self, words: usize) -> Result {
        if words > self.agent.options.buffer_words {
            return Err(Errno::E2BIG);
        }
        let has_room = match self.agent.options.given.overflow {
            UVX_TRACE_BLOCK => self.handover.advance() || self.wait_for_room(),
            UVX_TRACE_DROP_OLD => self.handover.advance() || self.drop_old(),
            _ => self.handover.advance(),
        };
        if !has_room {
            self.count_dropped(1);
            return Err(Errno::EAGAIN);
        }
        self.events(self.handover.position().0).set(0);
        self.agent.ring();
        Ok(())
    }

    fn drop_old(&self) -> bool {
        let older = self.handover.position().0.wrapping_sub(1);
        let Some(taken) = self.handover.discard() else { return false };
        self.count_dropped(self.events(older).get().saturating_sub(taken));
        self.handover.advance()
    }

    /// False if the agent stops meanwhile.
    fn wait_for_room(&self) -> bool {
        self.blocked.store(self.blocked.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        loop {
            let room = self.room.load(Ordering::Acquire);
            self.waiting.store(true, Ordering::Relaxed);
            // Either the reader sees that the owner waits, or the owner sees what the reader has done.
            fence(Ordering::SeqCst);
            if self.handover.advance() {
                return true;
            }
            if !self.agent.accepting.load(Ordering::Acquire) {
                return false; // whoever has seen to that announces room after it
            }
            self.agent.ring();
            futex::wait(&self.room, room, None);
        }
    }

    /// Nobody else writes the counter.
    pub fn count_dropped(&self, count: usize) {
        let dropped = self.dropped.load(Ordering::Relaxed).wrapping_add(count as u64);
        self.dropped.store(dropped, Ordering::Relaxed);
    }

    /// The owner will not use the queue any more.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }
}

/// For the writer.
impl Queue {
    /// Whether nothing will come any more: what is published now is all.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Where all ends that is published now, for `read`.
    pub fn published(&self) -> (usize, usize) {
        self.handover.published()
    }

    /// Gives records to `take`, one after the other up to `until`, until it returns false, which leaves that one there. No more
    /// than one buffer, which the owner cannot drop meanwhile.
    pub fn read(&self, until: (usize, usize), mut take: impl FnMut(&Record) -> bool) -> Stop {
        let extent = self.handover.claim();
        let mut place = self.place.get();
        if place.buffer != extent.buffer {
            place = Place { buffer: extent.buffer, word: 0, taken: 0 };
        }
        let mut stop = Stop::End;
        while place.word < extent.end && (place.buffer, place.word) < until {
            // SAFETY: what is published are whole records, which stay until the buffer is released.
            let record = unsafe { Record::new(self.buffer(place.buffer).add(place.word)) };
            if !take(&record) {
                stop = Stop::Full;
                break;
            }
            place.word = place.word.wrapping_add(record.words());
            place.taken = place.taken.wrapping_add(1);
        }
        let is_all = extent.is_sealed && place.word >= extent.end;
        self.place.set(place);
        self.handover.release(place.buffer, place.taken, is_all);
        if !is_all {
            return stop;
        }
        self.announce_room();
        Stop::Next
    }

    /// Wakes the owner if it waits.
    pub fn announce_room(&self) {
        fence(Ordering::SeqCst); // see `wait_for_room`
        if self.waiting.load(Ordering::Relaxed) {
            self.waiting.store(false, Ordering::Relaxed);
            self.room.fetch_add(1, Ordering::Release);
            futex::wake(&raw const self.room);
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        for buffer in self.buffers {
            // SAFETY: made by `new`; nobody reads or writes it any more.
            unsafe { mem::free(buffer.as_ptr().cast()) };
        }
    }
}
