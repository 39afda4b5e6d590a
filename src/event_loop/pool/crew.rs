//! The threads of a pool as far as they sleep and are woken.
//!
//! Sleeping threads are woken last-asleep first, at most [`MOST_SEARCHING`] at a time are on their way, and never more than there is
//! work; each that finds work and leaves some wakes the next.
//!
//! Every change of these counts happens under the pool's mutex (counting sleepers without it was tried and lost wake-ups); the wake
//! call itself is made after the mutex is free.

use crate::event_loop::linger::Linger;
use crate::sync::prim::{AtomicU32, Ordering};
use crate::sys::{cpus, futex, time::now_ns};
use core::cell::Cell;
use core::ptr::null_mut;
use core::sync::atomic::AtomicU32 as Count; // one that no model follows

/// Threads that were woken and have not found their work yet. With one, 5 us of work per item keep the others idle; with four they
/// wake for nothing.
const MOST_SEARCHING: u32 = 2;

/// A sleeper's word: it is not asleep, but may be watching the word.
const WATCHING: u32 = 0;
/// It waits for the word to change.
const ASLEEP: u32 = 1;
/// It was picked to look for work.
const WOKEN: u32 = 2;

/// Threads of all pools that neither sleep nor linger.
static AWAKE: Count = Count::new(0);

/// Threads of pools that are neither asleep nor lingering. Any thread; a snapshot.
pub fn awake() -> u32 {
    AWAKE.load(Ordering::Relaxed)
}

/// A thread was started, awake.
pub fn begin() {
    AWAKE.fetch_add(1, Ordering::Relaxed);
}

/// A thread ends, awake.
pub fn end() {
    AWAKE.fetch_sub(1, Ordering::Relaxed);
}

/// In the child after fork there are no threads.
pub fn forget_all() {
    AWAKE.store(0, Ordering::Relaxed);
}

/// One pool's sleepers. All of it under the pool's mutex.
pub struct Crew {
    /// Sleeping threads, the last to sleep first.
    sleepers: Cell<*mut Sleeper>,
    /// Threads that were woken and have not looked yet.
    searching: Cell<u32>,
}

impl Crew {
    /// Without anybody.
    pub const fn new() -> Crew {
        Crew { sleepers: Cell::new(null_mut()), searching: Cell::new(0) }
    }

    /// A sleeper to wake, if there is more to do than threads on their way to it.
    pub fn pick(&self, runnable: u32) -> Picked {
        let sleeper = self.sleepers.get();
        let searching = self.searching.get();
        if sleeper.is_null() || searching >= MOST_SEARCHING || runnable <= searching {
            return Picked::NOBODY;
        }
        // SAFETY: a sleeping thread is alive, and its link is the mutex's.
        self.sleepers.set(unsafe { (*sleeper).next.replace(null_mut()) });
        self.count_searching();
        Picked(sleeper)
    }

    /// At most `count` sleepers, all to be woken.
    pub fn pick_many(&self, count: u32) -> Picked {
        let mut picked = null_mut();
        for _ in 0..count {
            let sleeper = self.sleepers.get();
            if sleeper.is_null() {
                break;
            }
            // SAFETY: a sleeping thread is alive, and its link is the mutex's.
            self.sleepers.set(unsafe { (*sleeper).next.replace(picked) });
            self.count_searching();
            picked = sleeper;
        }
        Picked(picked)
    }

    /// This sleeper, to be woken, unless it was picked before.
    pub fn pick_this(&self, sleeper: *const Sleeper) -> Picked {
        let found = self.take_out(sleeper);
        self.searching.set(self.searching.get() + u32::from(!found.is_null()));
        Picked(found)
    }

    /// A thread that was woken has got the mutex.
    pub fn arrive(&self) {
        self.searching.set(self.searching.get() - 1);
    }

    /// The thread is about to sleep, as soon as the mutex is free. Tells how many others of all pools are awake.
    pub fn lie_down(&self, sleeper: &Sleeper) -> u32 {
        sleeper.word.store(WATCHING, Ordering::Relaxed);
        sleeper.next.set(self.sleepers.replace(core::ptr::from_ref(sleeper).cast_mut()));
        AWAKE.fetch_sub(1, Ordering::Relaxed) - 1
    }

    /// The sleeper wakes by itself. False: it was picked before.
    pub fn get_up(&self, sleeper: &Sleeper) -> bool {
        !self.take_out(sleeper).is_null()
    }

    fn take_out(&self, sleeper: *const Sleeper) -> *mut Sleeper {
        let mut link = &self.sleepers;
        while !link.get().is_null() {
            let found = link.get();
            // SAFETY: a sleeping thread is alive, and its link is the mutex's.
            let next = unsafe { &(*found).next };
            if core::ptr::eq(found, sleeper) {
                link.set(next.replace(null_mut()));
                AWAKE.fetch_add(1, Ordering::Relaxed);
                return found;
            }
            link = next;
        }
        null_mut()
    }

    /// The threads are gone.
    pub fn forget(&self) {
        self.sleepers.set(null_mut());
        self.searching.set(0);
    }

    fn count_searching(&self) {
        self.searching.set(self.searching.get() + 1);
        AWAKE.fetch_add(1, Ordering::Relaxed);
    }
}

impl Default for Crew {
    fn default() -> Self {
        Crew::new()
    }
}

/// What a thread sleeps on. Its memory stays at least until every thread that wakes it is through with `wake`.
pub struct Sleeper {
    /// One of the three states above.
    word: AtomicU32,
    /// The one that went to sleep before, while in `Crew::sleepers`; the next to be woken, while picked.
    next: Cell<*mut Sleeper>,
    linger: Linger,
}

impl Default for Sleeper {
    fn default() -> Self {
        Sleeper { word: AtomicU32::new(WATCHING), next: Cell::new(null_mut()), linger: Linger::default() }
    }
}

/// For the sleeper's own thread.
impl Sleeper {
    /// How late the thread was woken for what it does; once.
    pub fn take_late(&self) -> u64 {
        self.linger.take_late()
    }

    /// After `lie_down`, without the mutex: returns true when the sleeper was picked, false when the clock says `until` (None: never).
    /// `others` threads are awake.
    #[inline]
    pub fn sleep(&self, others: u32, until: Option<u64>) -> bool {
        // The loop has a CPU, too.
        let has_cpu = others + 1 < cpus::usable();
        if has_cpu && let Some(window) = self.linger.window() {
            let start = now_ns();
            while now_ns() - start < window {
                for _ in 0..32 {
                    if self.word.load(Ordering::Acquire) == WOKEN {
                        self.linger.hit();
                        return true;
                    }
                    core::hint::spin_loop();
                }
            }
            self.linger.miss();
        }
        self.linger.sleep();
        if self.word.compare_exchange(WATCHING, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            while self.word.load(Ordering::Acquire) == ASLEEP {
                let left = until.map(|until| until.saturating_sub(now_ns()));
                if left == Some(0) {
                    return false;
                }
                futex::wait(&self.word, ASLEEP, left);
            }
            self.linger.awake();
        }
        true
    }

    /// After the time was up, but the sleeper had been picked: waits for whoever did so.
    pub fn wait_for_waker(&self) {
        while self.word.load(Ordering::Acquire) != WOKEN {
            futex::wait(&self.word, ASLEEP, None);
        }
        self.linger.awake();
    }
}

/// Sleepers that were picked: they must be woken, in a chain by their `next`.
#[must_use]
pub struct Picked(*mut Sleeper);

impl Picked {
    /// Nobody has to be woken.
    pub const NOBODY: Picked = Picked(null_mut());

    /// Wakes them, without the mutex; the waker was `late` itself.
    #[inline]
    pub fn wake(self, late: u64) {
        let mut sleeper = self.0;
        while !sleeper.is_null() {
            // SAFETY: it was picked, so it is there until this is through; the fields are an atomic, one that is used here as wakers
            // may, and a link that is read before the sleeper wakes.
            let (word, linger, next) =
                unsafe { (&(*sleeper).word, &(*sleeper).linger, (*sleeper).next.get()) };
            if word.swap(WOKEN, Ordering::AcqRel) == ASLEEP {
                linger.wake_by(late, || futex::wake(word));
            }
            sleeper = next;
        }
    }
}
