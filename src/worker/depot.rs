//! Unused messages that belong to no channel: what a burst has left over waits here for the next one, of whichever channel.
//!
//! A burst is longer than what a channel keeps (`recycling.rs`) as soon as a reader has to wait for its CPU. Giving all that memory to
//! the allocator and asking for it again costs more than all else about a message: the GNU C library gives the top of its heap back to
//! the system and faults it in anew, under a lock at which reader and writer meet.
//!
//! Chains come and go as wholes, so some 32 messages share one visit. Nobody waits: who finds somebody else in the depot goes to the
//! allocator, which is also what the child of a fork does that has copied it so. What is kept is bounded for the whole process, and
//! freed when the last inbox goes.

use super::message::Message;
use super::recycling::{Chain, free_all};
use core::cell::Cell;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// At most so many chains are kept: 4 MiB, what a writer posts in the few ms that a reader waits for its CPU.
const MOST_CHAINS: usize = 1024;

/// Inboxes that are alive.
static INBOXES: AtomicUsize = AtomicUsize::new(0);

static DEPOT: Depot =
    Depot { busy: AtomicBool::new(false), chains: AtomicUsize::new(0), newest: Cell::new(null_mut()) };

struct Depot {
    /// A thread is in the depot.
    busy: AtomicBool,
    /// How many are there; for whoever set `busy` to write.
    chains: AtomicUsize,
    /// The chain that came last; the first message of each leads to the chain before through `prev`. For whoever set `busy`.
    newest: Cell<*mut Message>,
}

// SAFETY: one thread at a time is in it, as `busy` says.
unsafe impl Sync for Depot {}

/// There is one more inbox.
pub fn inbox_made() {
    INBOXES.fetch_add(1, Ordering::Relaxed);
}

/// There is one inbox less. After the last one nothing is kept.
pub fn inbox_gone() {
    if INBOXES.fetch_sub(1, Ordering::AcqRel) == 1 {
        DEPOT.empty();
    }
}

/// Takes a chain in, or frees it.
///
/// # Safety
/// It is the caller's, and not empty.
pub unsafe fn give(chain: Chain) {
    // SAFETY: the caller's.
    unsafe {
        let first = chain.end();
        if !DEPOT.give(first) {
            free_all(first);
        }
    }
}

/// Gives a chain out, linked through `next`, up to null; or null.
pub fn take() -> *mut Message {
    DEPOT.take()
}

impl Depot {
    /// # Safety
    /// The chain is the caller's, unless this says false.
    unsafe fn give(&self, first: *mut Message) -> bool {
        let chains = self.chains.load(Ordering::Relaxed);
        if chains >= MOST_CHAINS || self.busy.swap(true, Ordering::Acquire) {
            return false;
        }
        // SAFETY: the caller's: unused messages, whose second link nobody needs.
        unsafe { (*first).link.prev = self.newest.replace(first).cast() };
        self.chains.store(self.chains.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.busy.store(false, Ordering::Release);
        true
    }

    fn take(&self) -> *mut Message {
        if self.chains.load(Ordering::Relaxed) == 0 || self.busy.swap(true, Ordering::Acquire) {
            return null_mut();
        }
        let first = self.newest.get();
        if !first.is_null() {
            // SAFETY: the depot's, in which chains are linked so.
            self.newest.set(unsafe { (*first).link.prev.cast() });
            self.chains.store(self.chains.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
        }
        self.busy.store(false, Ordering::Release);
        first
    }

    fn empty(&self) {
        loop {
            let chain = self.take();
            if chain.is_null() {
                return;
            }
            // SAFETY: out of the depot, and so this thread's.
            unsafe { free_all(chain) };
        }
    }
}
