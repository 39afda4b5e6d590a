//! The hand-over of a thread's two buffers: who may write where, and who may read what.
//!
//! Buffers are numbered from 0, and number `n` lies in place `n % 2`. The owner writes to `current`, and publishes how far it is filled; the
//! reader reads along, from the oldest buffer on, and need not wait until one is full. The owner goes on to the next one when the reader
//! is through with the one before, which lay in the same place. None of this takes more than a load and a store.
//!
//! Only to drop a buffer unread takes an exchange: it must not be the one that the reader is reading.

use crate::sync::prim::{AtomicUsize, Ordering};

/// In `reading`: the reader is in this buffer right now.
const BUSY: usize = 1;

/// See the module.
pub struct HandOver {
    /// The owner's: the buffer that it writes to.
    current: AtomicUsize,
    /// The owner's: how many words of each place are published.
    filled: [AtomicUsize; 2],
    /// Twice the number of the oldest buffer that is not read to its end, and [`BUSY`].
    reading: AtomicUsize,
    /// How many events the reader has taken out of what lies in each place. Whose the place is, theirs is this.
    taken: [AtomicUsize; 2],
}

/// What the reader may read: words of a buffer up to `end`; it is the last of it if `is_sealed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The number of the buffer.
    pub buffer: usize,
    /// So many words are there.
    pub end: usize,
    /// Nothing will be added.
    pub is_sealed: bool,
}

impl Default for HandOver {
    /// Both buffers are empty.
    fn default() -> Self {
        HandOver {
            current: AtomicUsize::new(0),
            filled: [AtomicUsize::new(0), AtomicUsize::new(0)],
            reading: AtomicUsize::new(0),
            taken: [AtomicUsize::new(0), AtomicUsize::new(0)],
        }
    }
}

/// For the owner.
impl HandOver {
    /// The buffer to write to, and how many words of it are filled.
    #[inline]
    pub fn position(&self) -> (usize, usize) {
        let current = self.current.load(Ordering::Relaxed);
        (current, place(&self.filled, current).load(Ordering::Relaxed))
    }

    /// What was written to the current buffer, up to `end`, can be read.
    #[inline]
    pub fn publish(&self, end: usize) {
        place(&self.filled, self.current.load(Ordering::Relaxed)).store(end, Ordering::Release);
    }

    /// Seals the current buffer and goes on to the next; false if that one is not free.
    pub fn advance(&self) -> bool {
        let current = self.current.load(Ordering::Relaxed);
        // What the reader has read is read: nobody looks at the place any more.
        if self.reading.load(Ordering::Acquire) >> 1 < current {
            return false;
        }
        let next = current.wrapping_add(1);
        place(&self.filled, next).store(0, Ordering::Relaxed); // of which the reader learns through `current`
        place(&self.taken, next).store(0, Ordering::Relaxed);
        self.current.store(next, Ordering::Release);
        true
    }

    /// Drops the older buffer; says how many events the reader had taken out of it. None if it is read right now, or there is only one.
    pub fn discard(&self) -> Option<usize> {
        let current = self.current.load(Ordering::Relaxed);
        let reading = self.reading.load(Ordering::Relaxed);
        if reading & BUSY != 0 || reading >> 1 >= current {
            return None;
        }
        // The reader, who begins with the next buffer, knows then that it is there.
        let next = reading.wrapping_add(2);
        self.reading.compare_exchange(reading, next, Ordering::AcqRel, Ordering::Relaxed).ok()?;
        // The place is the owner's now.
        Some(place(&self.taken, reading >> 1).load(Ordering::Relaxed))
    }
}

/// For the reader.
impl HandOver {
    /// Where all ends that is published now. Later buffers are none of it.
    pub fn published(&self) -> (usize, usize) {
        let current = self.current.load(Ordering::Acquire);
        (current, place(&self.filled, current).load(Ordering::Acquire))
    }

    /// Begins to read the oldest buffer. To be ended soon by `release`.
    pub fn claim(&self) -> Extent {
        let buffer = self.reading.fetch_or(BUSY, Ordering::Acquire) >> 1;
        // In this order: of a sealed buffer all is seen.
        let is_sealed = self.current.load(Ordering::Acquire) != buffer;
        let end = place(&self.filled, buffer).load(Ordering::Acquire);
        Extent { buffer, end, is_sealed }
    }

    /// Ends what `claim` began: of the buffer `taken` events were taken in all, and it may be written to again if that `is_all`.
    pub fn release(&self, buffer: usize, taken: usize, is_all: bool) {
        place(&self.taken, buffer).store(taken, Ordering::Relaxed);
        let next = if is_all { buffer.wrapping_add(1) } else { buffer };
        self.reading.store(next << 1, Ordering::Release);
    }
}

#[inline]
fn place(places: &[AtomicUsize; 2], buffer: usize) -> &AtomicUsize {
    let [even, odd] = places;
    if buffer.is_multiple_of(2) { even } else { odd }
}
