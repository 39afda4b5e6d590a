//! The loop's io_uring: file operations done by the kernel, for programs that ask for it by both of the reference's switches,
//! `UV_LOOP_USE_IO_URING_SQPOLL` and `UV_USE_IO_URING=1` in the environment.
//!
//! The ring is made for the first operation that wants it. A thread of the kernel's looks for submissions, so most cost no system call;
//! completions make the ring's descriptor readable, and the loop watches that like any other. What the ring does not take goes to
//! the pool: nobody asked for a ring, the kernel refuses one or is too old, the ring is full.
//!
//! The kernel's thread has the rights that the process had when the ring was made, also after setuid(2).
//!
//! For the loop's thread alone.

use super::watcher::{Owner, Watcher};
use super::{Loop, dispatch};
use crate::abi::*;
use crate::mem::Owned;
use crate::ptr::Cx;
use crate::sys::variable;
use core::cell::{Cell, UnsafeCell};
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use io_uring::{IoUring, squeue};
use std::os::fd::AsRawFd;

/// Submissions that the kernel has not seen yet.
const ENTRIES: u32 = 64;
/// Operations under way: as many completions as the kernel has room for.
const MOST: usize = 2 * ENTRIES as usize;
/// After so long without submissions the kernel's thread sleeps, and the next one costs a system call.
const KERNEL_THREAD_IDLE_MS: u32 = 10;

/// What the loop knows of its ring.
#[derive(Default)]
pub struct RingSlot {
    /// The program wants one, and the kernel has not refused it.
    wanted: Cell<bool>,
    ring: Cell<*mut Ring>,
}

struct Ring {
    uring: UnsafeCell<IoUring>,
    watcher: UnsafeCell<uv__io_t>,
    /// What is under way, by the number that the kernel knows it by; null where there is none.
    under_way: [Cell<*mut uv__work>; MOST],
    /// Where to look for a free number first.
    next: Cell<usize>,
}

impl Ring {
    fn make() -> Option<Owned<Ring>> {
        let uring = IoUring::builder().setup_sqpoll(KERNEL_THREAD_IDLE_MS).build(ENTRIES).ok()?;
        // Told by a feature of Linux 5.17: all operations that are used, the last of which came with 5.15.
        if !uring.params().is_feature_skip_cqe_on_success() {
            return None;
        }
        // SAFETY: integers, pointers and an optional function: all-zero is a value. `Watcher::init` follows.
        let watcher = unsafe { MaybeUninit::<uv__io_t>::zeroed().assume_init() };
        Owned::new(Ring {
            uring: UnsafeCell::new(uring),
            watcher: UnsafeCell::new(watcher),
            under_way: [const { Cell::new(null_mut()) }; MOST],
            next: Cell::new(0),
        })
        .ok()
    }

    /// # Safety
    /// No other reference to it is alive: each is used within one statement, on the loop's thread.
    #[allow(clippy::mut_from_ref)]
    unsafe fn uring(&self) -> &mut IoUring {
        // SAFETY: the caller's.
        unsafe { &mut *self.uring.get() }
    }

    fn watcher(&self) -> Watcher {
        // SAFETY: it lies in a ring, which is alive.
        unsafe { Watcher::new(self.watcher.get()) }
    }

    /// Whether the kernel will see `entry`, which is for `work`.
    fn push(&self, work: *mut uv__work, entry: squeue::Entry) -> bool {
        let slots = self.under_way.iter().enumerate().cycle().skip(self.next.get()).take(MOST);
        let Some((number, slot)) = slots.into_iter().find(|(_, slot)| slot.get().is_null()) else {
            return false;
        };
        // SAFETY: the loop's thread; what the entry leads to lives until its completion, as `submit_to_ring` was promised.
        unsafe {
            let uring = self.uring();
            if uring.submission().push(&entry.user_data(number as u64)).is_err() {
                return false;
            }
            slot.set(work);
            self.next.set((number + 1) % MOST);
            let _ = uring.submit(); // at most wakes the kernel's thread; that cannot fail on a ring that works
        }
        true
    }

    /// The next operation that is done, and its result.
    fn pop(&self) -> Option<(*mut uv__work, c_int)> {
        // SAFETY: the loop's thread.
        let done = unsafe { self.uring().completion().next() }?;
        let slot = self.under_way.get(usize::try_from(done.user_data()).ok()?)?;
        Some((slot.replace(null_mut()), done.result()))
    }
}

impl Loop {
    /// The program wants a ring; whether it gets one is seen when it is needed.
    pub fn want_ring(self) {
        let allowed = variable::number(c"UV_USE_IO_URING").is_some_and(|number| number > 0);
        self.internals().ring.wanted.set(allowed);
    }

    /// Hands an operation to the ring, if there is one that takes it; when it is done, `dispatch::finish_in_ring` gets `work` and
    /// the result. `entry` is only asked for if there is a ring. Keeps the loop alive until `Loop::end_request`.
    ///
    /// # Safety
    /// What the entry leads to, and `work`, stay until then.
    pub unsafe fn submit_to_ring(
        self,
        work: *mut uv__work,
        entry: impl FnOnce() -> Option<squeue::Entry>,
    ) -> bool {
        let Some(ring) = self.ring() else { return false };
        let Some(entry) = entry() else { return false };
        if !ring.push(work, entry) {
            return false;
        }
        self.begin_request();
        true
    }

    fn ring<'a>(self) -> Option<&'a Ring> {
        let slot = &self.internals().ring;
        if !slot.wanted.get() {
            return None;
        }
        if slot.ring.get().is_null() {
            slot.wanted.set(false); // unless all goes well
            let ring = Ring::make()?;
            let raw = ring.into_raw();
            slot.ring.set(raw);
            // SAFETY: made here, and the loop's until `close_ring`.
            let watcher = unsafe { (*raw).watcher() };
            // SAFETY: as above.
            watcher.init(Owner::Ring, unsafe { (*raw).uring() }.as_raw_fd());
            if self.watch(watcher, libc::EPOLLIN.cast_unsigned()).is_err() {
                self.close_ring();
                return None;
            }
            slot.wanted.set(true);
        }
        // SAFETY: the loop's until `close_ring`.
        unsafe { slot.ring.get().as_ref() }
    }

    /// The ring goes, with nothing under way; or in the child after fork, whose ring is the parent's. Another one is made when needed.
    pub fn close_ring(self) {
        let raw = self.internals().ring.ring.replace(null_mut());
        if !raw.is_null() {
            // SAFETY: made by `ring`, and not used any more.
            let ring = unsafe { Owned::from_raw(raw) };
            self.unwatch(ring.watcher());
        }
    }
}

/// The ring has completions.
pub fn run(cx: &mut Cx, lp: Loop) {
    for _ in 0..MOST {
        // A callback may have ended this ring, by fork.
        // SAFETY: the loop's until `close_ring`.
        let ring = unsafe { lp.internals().ring.ring.get().as_ref() };
        let Some((work, result)) = ring.and_then(Ring::pop) else { return };
        // SAFETY: given to `submit_to_ring`, and done.
        unsafe { dispatch::finish_in_ring(cx, work, result) };
    }
}
