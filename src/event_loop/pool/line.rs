//! The line in which work waits for a thread. Everything here happens under the pool's mutex.
//!
//! Normal work and a marker stand in `line`; the marker stands for the slow work, which waits in `slow`, and goes to the end of the
//! line each time that one of those was taken. So the slow are served in turn, and never by more than half of the threads.
//!
//! Who has a piece of work is told by its `work` function: while it waits it is there; the thread that takes it takes the function, too;
//! cancelling puts the address of [`CANCELLED`] in its place.

use crate::abi::errno::{Errno, Result};
use crate::abi::{uv__queue, uv__work};
use crate::ds::queue;
use core::cell::{Cell, UnsafeCell};
use core::ptr::{self, null_mut};

/// What runs a piece of work.
pub type WorkFn = unsafe extern "C" fn(*mut uv__work);

/// How a piece of work waits for a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// In line.
    Normal,
    /// Among the slow, which may not have more than half of the threads.
    Slow,
}

/// A piece of work as a thread takes it.
#[derive(Clone, Copy)]
pub struct Item {
    /// The work, which is the thread's until it is complete.
    pub work: *mut uv__work,
    /// Where it waited; for `Line::finish`.
    pub lane: Lane,
    /// What to call with it.
    pub run: WorkFn,
}

/// See the module. It stays in place once `init` has run. Its nodes point back into it, hence the cells: no exclusive reference
/// may ever be made.
pub struct Line {
    line: UnsafeCell<uv__queue>,
    slow: UnsafeCell<uv__queue>,
    slow_marker: UnsafeCell<uv__queue>,
    /// Work in `line`, the marker not counted.
    waiting: Cell<u32>,
    slow_running: Cell<u32>,
    /// All work that waits, and all that was taken and is not done.
    queued: Cell<u32>,
    running: Cell<u32>,
    slow_limit: Cell<u32>,
}

impl Line {
    /// Not yet usable: `init` makes it so, in its place.
    pub const fn new() -> Line {
        const fn no_links() -> UnsafeCell<uv__queue> {
            UnsafeCell::new(uv__queue { next: null_mut(), prev: null_mut() })
        }
        Line {
            line: no_links(),
            slow: no_links(),
            slow_marker: no_links(),
            waiting: Cell::new(0),
            slow_running: Cell::new(0),
            queued: Cell::new(0),
            running: Cell::new(0),
            slow_limit: Cell::new(0),
        }
    }

    /// An empty line for `threads` threads.
    pub fn init(&self, threads: u32) {
        self.waiting.set(0);
        self.slow_running.set(0);
        self.queued.set(0);
        self.running.set(0);
        self.slow_limit.set(threads.div_ceil(2));
        for head in [self.line.get(), self.slow.get(), self.slow_marker.get()] {
            // SAFETY: fields of this struct, which stays in place.
            unsafe { queue::init(head) };
        }
    }

    /// Work of this lane that was taken is done.
    pub fn finish(&self, lane: Lane) {
        self.slow_running.set(self.slow_running.get() - u32::from(lane == Lane::Slow));
        self.running.set(self.running.get() - 1);
    }

    /// How much waits, and how much was taken and is not done.
    pub fn counts(&self) -> (u32, u32) {
        (self.queued.get(), self.running.get())
    }

    /// Puts `work`, whose function is set, at the end.
    ///
    /// # Safety
    /// `work` is alive until it is taken or cancelled, and in no queue.
    pub unsafe fn push(&self, work: *mut uv__work, lane: Lane) {
        self.queued.set(self.queued.get() + 1);
        // SAFETY: the caller's; the heads are fields of this struct, which stays in place.
        unsafe {
            let node = &raw mut (*work).wq;
            match lane {
                Lane::Normal => {
                    queue::push_back(self.line.get(), node);
                    self.waiting.set(self.waiting.get() + 1);
                }
                Lane::Slow => {
                    queue::push_back(self.slow.get(), node);
                    if queue::is_empty(self.slow_marker.get()) {
                        queue::push_back(self.line.get(), self.slow_marker.get());
                    }
                }
            }
        }
    }

    /// Takes the next piece of work, if there is one that may run.
    pub fn take(&self) -> Option<Item> {
        let marker = self.slow_marker.get();
        // SAFETY: the heads are fields of this struct, and what waits is alive.
        unsafe {
            let mut node = queue::pop_front(self.line.get())?;
            let mut lane = Lane::Normal;
            if node == marker && self.slow_may_run() {
                node = queue::pop_front(self.slow.get())?;
                lane = Lane::Slow;
                self.slow_running.set(self.slow_running.get() + 1);
                if !queue::is_empty(self.slow.get()) {
                    queue::push_back(self.line.get(), marker);
                }
            } else if node == marker {
                // Not now: the next in line goes first.
                let next = queue::pop_front(self.line.get());
                queue::push_back(self.line.get(), marker);
                node = next?;
            }
            self.waiting.set(self.waiting.get() - u32::from(lane == Lane::Normal));
            self.queued.set(self.queued.get() - 1);
            self.running.set(self.running.get() + 1);
            let work = container_of!(node, uv__work, wq);
            Some(Item { work, lane, run: (*work).work.take()? })
        }
    }

    /// Puts back, in front, what was just taken: there is no thread for it after all.
    ///
    /// # Safety
    /// `item` came from `take` and has not run.
    pub unsafe fn put_back(&self, item: Item) {
        // SAFETY: the caller's.
        unsafe {
            let node = &raw mut (*item.work).wq;
            (*item.work).work = Some(item.run);
            self.queued.set(self.queued.get() + 1);
            self.finish(item.lane);
            match item.lane {
                Lane::Normal => {
                    queue::push_front(self.line.get(), node);
                    self.waiting.set(self.waiting.get() + 1);
                }
                Lane::Slow => {
                    queue::push_front(self.slow.get(), node);
                    queue::unlink(self.slow_marker.get());
                    queue::push_front(self.line.get(), self.slow_marker.get());
                }
            }
        }
    }

    /// Takes `work` out, unless a thread has it (`UV_EBUSY`). True: it is the caller's to complete; false: that was done before.
    ///
    /// # Safety
    /// `work` was pushed to `lane` and has not been handed to its owner since.
    pub unsafe fn cancel(&self, work: *mut uv__work, lane: Lane) -> Result<bool> {
        // SAFETY: the caller's; the function changes under the mutex only.
        unsafe {
            if was_cancelled(work) {
                return Ok(false);
            }
            if (*work).work.is_none() {
                return Err(Errno::EBUSY);
            }
            *owner(work) = &raw const CANCELLED;
            queue::unlink(&raw mut (*work).wq);
            self.queued.set(self.queued.get() - 1);
            match lane {
                Lane::Normal => self.waiting.set(self.waiting.get() - 1),
                Lane::Slow if queue::is_empty(self.slow.get()) => queue::unlink(self.slow_marker.get()),
                Lane::Slow => {}
            }
        }
        Ok(true)
    }

    fn slow_may_run(&self) -> bool {
        self.slow_running.get() < self.slow_limit.get()
    }

    /// How many threads would find something to do now.
    pub fn runnable(&self) -> u32 {
        // SAFETY: an initialised queue of this struct.
        let has_slow = unsafe { !queue::is_empty(self.slow.get()) };
        self.waiting.get() + u32::from(has_slow && self.slow_may_run())
    }
}

impl Default for Line {
    fn default() -> Self {
        Line::new()
    }
}

/// Whether `work` was given back without having run.
///
/// # Safety
/// `work` is alive, and it has come home to its loop's thread, or the mutex is held.
pub unsafe fn was_cancelled(work: *mut uv__work) -> bool {
    // SAFETY: the caller's.
    unsafe { ptr::eq(*owner(work), &raw const CANCELLED) }
}

/// Its address stands where the function of cancelled work was. (A function would not do: those that do the same may be one.)
static CANCELLED: u8 = 0;

/// The same for work that no thread was needed for.
static ANSWERED: u8 = 1;

/// Says of `work`, which is not to be pushed, that it is done.
///
/// # Safety
/// `work` is alive, and its loop's.
pub unsafe fn set_answered(work: *mut uv__work) {
    // SAFETY: the caller's.
    unsafe { *owner(work) = &raw const ANSWERED };
}

/// Whether `set_answered` was the last word.
///
/// # Safety
/// `work` is alive, and the mutex is held.
pub unsafe fn was_answered(work: *mut uv__work) -> bool {
    // SAFETY: the caller's.
    unsafe { ptr::eq(*owner(work), &raw const ANSWERED) }
}

/// The place of `work`'s function, as that of a plain pointer.
///
/// # Safety
/// `work` is alive.
unsafe fn owner(work: *mut uv__work) -> *mut *const u8 {
    // SAFETY: the caller's; an optional function has the size of a pointer, and is null where there is none.
    unsafe { (&raw mut (*work).work).cast() }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    unsafe extern "C" fn run(_: *mut uv__work) {}

    fn works<const N: usize>() -> [uv__work; N] {
        core::array::from_fn(|_| {
            let wq = uv__queue { next: null_mut(), prev: null_mut() };
            uv__work { work: Some(run), done: None, loop_: null_mut(), wq }
        })
    }

    #[test]
    fn the_slow_take_turns_and_at_most_half_of_the_threads() {
        let line = Line::new();
        line.init(2);
        let mut works = works::<5>();
        let at = works.as_mut_ptr();
        // SAFETY: all of it stays in place to the end of the test.
        unsafe {
            for (index, lane) in
                [Lane::Slow, Lane::Normal, Lane::Slow, Lane::Normal, Lane::Slow].iter().enumerate()
            {
                line.push(at.add(index), *lane);
            }
            let next = || line.take().map(|item| item.work.offset_from(at));
            assert_eq!(next(), Some(0));
            assert_eq!(next(), Some(1));
            assert_eq!(next(), Some(3), "the slow have their half");
            assert_eq!(next(), None);
            line.finish(Lane::Slow);
            assert_eq!(line.runnable(), 1);
            assert_eq!(line.cancel(at.add(2), Lane::Slow), Ok(true));
            assert_eq!(line.cancel(at.add(2), Lane::Slow), Ok(false));
            assert!(was_cancelled(at.add(2)));
            assert_eq!(line.take().map(|item| item.work.offset_from(at)), Some(4));
            assert_eq!(line.cancel(at.add(4), Lane::Slow), Err(Errno::EBUSY));
            assert!(line.take().is_none());
            line.finish(Lane::Slow);

            // What was put back is the next, whatever came meanwhile.
            for (index, lane) in [Lane::Slow, Lane::Normal].iter().enumerate() {
                (*at.add(index)).work = Some(run);
                line.push(at.add(index), *lane);
                let item = line.take().unwrap();
                (*at.add(3)).work = Some(run);
                line.push(at.add(3), Lane::Normal);
                line.put_back(item);
                assert_eq!(line.take().map(|item| item.work.offset_from(at)), Some(index as isize));
                assert_eq!(line.take().map(|item| item.work.offset_from(at)), Some(3));
                line.finish(*lane);
                assert!(line.take().is_none());
            }
        }
    }
}
