//! The agent: what those who trace, those who control it, and its writer have in common. Its thread is `writer.rs`.
//!
//! Work is asked for by ringing the bell. Whoever wants to know when it is done draws a number (`requested`), and waits until the writer has
//! served it: with each pass the writer serves all that were drawn before the pass began.

use super::clients::Clients;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::sync::prim::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::sys::{futex, time::Deadline};
use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::AtomicI32;

/// See the module. Counted: the control has a reference, and so has each thread's queue.
pub struct Agent {
    pub options: Options,
    /// For who has the lock of `state.rs`.
    pub clients: Clients,
    /// Events are taken. Once false it stays so.
    pub accepting: AtomicBool,
    /// Somebody waits for the end.
    pub stopping: AtomicBool,
    /// Something is enabled, so that there may be events.
    pub wanted: AtomicBool,
    bell: AtomicU32,
    requested: AtomicU32,
    served: AtomicU32,
    /// There will be no further pass, whatever number is drawn.
    finished: AtomicBool,
    /// The first error that nobody was told of by `flush`.
    error: AtomicI32,
    pub counts: Counts,
    /// Set once, before anybody has the agent.
    pub thread: UnsafeCell<MaybeUninit<uv_thread_t>>,
}

/// What the program has asked for, with the defaults in it.
pub struct Options {
    pub given: uvx_trace_options_t,
    /// Words of each of a thread's two buffers.
    pub buffer_words: usize,
    pub max_args: u8,
    pub events_per_file: u64,
    pub bytes_per_file: u64,
    /// None: never by itself.
    pub interval_ns: Option<u64>,
}

/// Of all threads that are gone, and of the writer.
#[derive(Default)]
pub struct Counts {
    pub written: AtomicU64,
    pub dropped: AtomicU64,
    pub lost: AtomicU64,
    pub blocked: AtomicU64,
    pub bytes: AtomicU64,
    pub files: AtomicU64,
}

// SAFETY: `clients` is for who has the lock, `thread` does not change; the program says what its callbacks and their data may.
unsafe impl Send for Agent {}
// SAFETY: as above.
unsafe impl Sync for Agent {}

impl Agent {
    /// One that takes events, as soon as somebody wants some.
    pub fn new(options: Options) -> Agent {
        Agent {
            options,
            clients: Clients::default(),
            accepting: AtomicBool::new(true),
            stopping: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            bell: AtomicU32::new(0),
            requested: AtomicU32::new(0),
            served: AtomicU32::new(0),
            finished: AtomicBool::new(false),
            error: AtomicI32::new(0),
            counts: Counts::default(),
            thread: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// There is something to do.
    pub fn ring(&self) {
        self.bell.fetch_add(1, Ordering::Release);
        futex::wake(&raw const self.bell);
    }

    /// What the bell says now, for `sleep`.
    pub fn bell(&self) -> u32 {
        self.bell.load(Ordering::Acquire)
    }

    /// Sleeps until the bell rings, or has rung since it said `heard`, or for so long. May return at any time.
    pub fn sleep(&self, heard: u32, ns: Option<u64>) {
        futex::wait(&self.bell, heard, ns);
    }

    /// Draws a number, and wakes the writer. What was published before is in the pass that serves it.
    pub fn request(&self) -> u32 {
        let number = self.requested.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
        self.ring();
        number
    }

    /// The last number that was drawn.
    pub fn requested(&self) -> u32 {
        self.requested.load(Ordering::Acquire)
    }

    /// The writer has done what was asked for up to this number.
    pub fn serve(&self, number: u32) {
        self.served.store(number, Ordering::Release);
        futex::wake_all(&raw const self.served);
    }

    /// The writer has made its last pass.
    pub fn finish(&self) {
        self.finished.store(true, Ordering::Relaxed); // who draws a later number than this sees it
        self.serve(self.requested.fetch_add(1, Ordering::AcqRel).wrapping_add(1));
    }

    /// Waits until the number is served, for at most `timeout_ns`; `u64::MAX`: for ever.
    pub fn wait_until_served(&self, number: u32, timeout_ns: u64) -> Result {
        let deadline = Deadline::after(timeout_ns);
        loop {
            let served = self.served.load(Ordering::Acquire);
            if number.wrapping_sub(served).cast_signed() <= 0 || self.finished.load(Ordering::Acquire) {
                return Ok(());
            }
            futex::wait(&self.served, served, deadline.left()?);
        }
    }

    /// Something went wrong.
    pub fn note_error(&self, code: c_int) {
        let _ = self.error.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed); // the first one counts
    }

    /// The first error since this was asked for the last time.
    pub fn take_error(&self) -> Result {
        match self.error.swap(0, Ordering::Relaxed) {
            0 => Ok(()),
            code => Err(Errno::from_errno(code.wrapping_neg())),
        }
    }
}
