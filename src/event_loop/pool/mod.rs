//! The thread pool of the process: what would block runs here, and comes back to its loop through the loop's mailbox.
//!
//! Work waits in line (`line.rs`), in the order in which it was submitted; with slow work (name look-ups) at most half of the threads
//! are busy.
//!
//! Threads start when they are needed: each of the first submissions starts one and hands its work over, until the pool has its size
//! (`UV_THREADPOOL_SIZE`, 4 by default). Sleeping threads are woken last-asleep first, at most [`MOST_SEARCHING`] at a time are on their
//! way, and never more than there is work; each that finds work and leaves some wakes the next.
//!
//! Every change of these counts happens under one mutex (counting sleepers without it was tried and lost wake-ups); the wake call
//! itself is made after the mutex is free. `worker.rs` has the threads. After fork, the child starts with an empty pool.

pub mod line;
mod worker;

use super::{Loop, wakeup};
use crate::abi::errno::Result;
use crate::abi::*;
use crate::ds::queue;
use crate::sync::mailbox::Kind;
use core::cell::{Cell, UnsafeCell};
use core::ffi::c_int;
use core::ops::Deref;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, Ordering};
use line::Line;
pub use line::{Lane, WorkFn, was_cancelled};
use worker::Worker;

/// Threads of a pool, unless the environment says otherwise.
const DEFAULT_SIZE: u32 = 4;
/// The most that the environment may ask for.
const MAX_SIZE: u32 = 1024;
/// Threads that were woken and have not found their work yet. With one, 5 us of work per item keep the others idle; with four they
/// wake for nothing.
const MOST_SEARCHING: u32 = 2;

/// What ends it, on the loop's thread.
pub type DoneFn = unsafe extern "C" fn(*mut uv__work, c_int);

/// Everything under the mutex.
struct State {
    line: Line,
    /// Threads that exist, and how many there may be; 0 before the first submission.
    started: Cell<u32>,
    size: Cell<u32>,
    /// Sleeping threads, the last to sleep first.
    sleepers: Cell<*mut Worker>,
    /// Threads that were woken and have not looked yet.
    searching: Cell<u32>,
    /// The process ends; threads end when no work is left.
    stopping: Cell<bool>,
}

struct Pool {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    state: State,
    /// Threads that neither sleep nor linger. Written under the mutex.
    awake: AtomicU32,
}

// SAFETY: the state is reached through `Locked` only, that is, under the mutex.
unsafe impl Sync for Pool {}

static POOL: Pool = Pool {
    mutex: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER),
    state: State {
        line: Line::new(),
        started: Cell::new(0),
        size: Cell::new(0),
        sleepers: Cell::new(null_mut()),
        searching: Cell::new(0),
        stopping: Cell::new(false),
    },
    awake: AtomicU32::new(0),
};

/// The pool's mutex, held, and so the way to the state.
struct Locked(());

impl Locked {
    fn new() -> Locked {
        // SAFETY: the mutex is initialised and never destroyed; a plain one cannot fail.
        unsafe { libc::pthread_mutex_lock(POOL.mutex.get()) };
        Locked(())
    }
}

impl Deref for Locked {
    type Target = State;
    fn deref(&self) -> &State {
        &POOL.state
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // SAFETY: held by this thread.
        unsafe { libc::pthread_mutex_unlock(POOL.mutex.get()) };
    }
}

/// Threads of the pool that are neither asleep nor lingering. Any thread; a snapshot.
pub fn awake_workers() -> u32 {
    POOL.awake.load(Ordering::Relaxed)
}

/// Gives `work` to the pool; `run` runs on one of its threads, then `done` on the loop's. Keeps the loop alive until `Loop::end_request`.
///
/// # Safety
/// `work` is writable memory that stays alive until `done` ran; this is the loop's thread.
pub unsafe fn submit(lp: Loop, work: *mut uv__work, lane: Lane, run: WorkFn, done: DoneFn) -> Result {
    // SAFETY: the caller's.
    unsafe {
        (*work).work = Some(run);
        (*work).done = Some(done);
        (*work).loop_ = lp.as_ptr();
        queue::init(&raw mut (*work).wq);
    }
    let pool = Locked::new();
    if pool.size.get() == 0 {
        pool.set_up();
    }
    // SAFETY: the caller's.
    unsafe { pool.line.push(work, lane) };
    let started = pool.started.get();
    if started < pool.size.get()
        && !pool.stopping.get()
        && let Some(item) = pool.line.take()
    {
        match worker::start(&pool, item) {
            Ok(()) => {}
            Err(error) => {
                // SAFETY: just taken.
                unsafe { pool.line.put_back(item) };
                if started == 0 {
                    // SAFETY: it is in line, and there is no thread to take it.
                    let _ = unsafe { pool.line.cancel(work, lane) };
                    return Err(error);
                }
                // The threads that exist must do.
            }
        }
    }
    lp.begin_request();
    let woken = pool.pick_sleeper();
    drop(pool);
    worker::wake(woken, lp.internals().linger.take_late());
    Ok(())
}

/// Sends `work` home as if a thread had done it: `done` runs in the loop's next turn. Keeps the loop alive, as `submit` does.
///
/// # Safety
/// As for `submit`.
pub unsafe fn complete_now(lp: Loop, work: *mut uv__work, done: DoneFn) {
    // SAFETY: the caller's.
    unsafe {
        line::set_answered(work);
        (*work).done = Some(done);
        (*work).loop_ = lp.as_ptr();
        lp.begin_request();
        complete(work, 0);
    }
}

/// Whether `complete_now` was called with `work`, rather than `submit`.
///
/// # Safety
/// One of them was, its `done` has not returned, and this is its loop's thread.
pub unsafe fn was_answered(work: *mut uv__work) -> bool {
    let _pool = Locked::new(); // a thread may be taking it
    // SAFETY: the caller's.
    unsafe { line::was_answered(work) }
}

/// Takes `work` back, unless a thread has it (`UV_EBUSY`). Its `done` runs with `UV_ECANCELED`.
///
/// # Safety
/// `work` was submitted to `lane`, its `done` has not returned, and this is its loop's thread.
pub unsafe fn cancel(work: *mut uv__work, lane: Lane) -> Result {
    let pool = Locked::new();
    // SAFETY: the caller's.
    let ours = unsafe { pool.line.cancel(work, lane) }?;
    drop(pool);
    if ours {
        // SAFETY: it is in no queue, and no thread will get it.
        unsafe { complete(work, 0) };
    }
    Ok(())
}

/// Sends `work` home, from a thread that was woken `late` ns late for it.
///
/// # Safety
/// `work` is alive and in no queue, and nobody else has it.
unsafe fn complete(work: *mut uv__work, late: u64) {
    // SAFETY: the caller's; its loop is alive while a request is active.
    unsafe {
        (*work).wq.prev = null_mut();
        wakeup::post_late((*work).loop_, &raw mut (*work).wq, Kind::Work, late);
    }
}

/// Ends all threads after the work that is queued. For `uv_library_shutdown`.
pub fn shutdown() {
    let pool = Locked::new();
    pool.stopping.set(true);
    let started = pool.started.get();
    let sleepers = pool.sleepers.replace(null_mut());
    // SAFETY: sleeping workers are alive, and their links are the mutex's; a link is read before its worker is woken.
    unsafe {
        let mut sleeper = sleepers;
        while !sleeper.is_null() {
            pool.count_searching();
            sleeper = (*sleeper).next_sleeper;
        }
        drop(pool);
        sleeper = sleepers;
        while !sleeper.is_null() {
            let next = (*sleeper).next_sleeper;
            worker::wake(sleeper, 0);
            sleeper = next;
        }
        for index in 0..started {
            worker::join(index);
        }
    }
    let pool = Locked::new();
    pool.forget_threads();
    pool.size.set(0);
}

/// In the child after fork: the threads, and what they had, are the parent's.
pub fn after_fork_in_child() {
    // SAFETY: the child has one thread, so nobody is inside the mutex, whatever state it was copied in.
    unsafe { POOL.mutex.get().write(libc::PTHREAD_MUTEX_INITIALIZER) };
    Locked::new().forget_threads();
}

impl State {
    /// Before the first submission of the process.
    fn set_up(&self) {
        let size = size_from_environment();
        self.size.set(size);
        self.line.init(size);
    }

    /// The threads are gone, and what waited with them.
    fn forget_threads(&self) {
        self.line.init(self.size.get());
        self.sleepers.set(null_mut());
        self.started.set(0);
        self.searching.set(0);
        self.stopping.set(false);
        POOL.awake.store(0, Ordering::Relaxed);
    }

    /// A sleeper to wake, if there is more to do than threads on their way to it.
    fn pick_sleeper(&self) -> *mut Worker {
        let sleeper = self.sleepers.get();
        let searching = self.searching.get();
        if sleeper.is_null() || searching >= MOST_SEARCHING || self.line.runnable() <= searching {
            return null_mut();
        }
        // SAFETY: a sleeping worker is alive, and its link is the mutex's.
        self.sleepers.set(unsafe { (*sleeper).next_sleeper });
        self.count_searching();
        sleeper
    }

    /// A sleeper is being woken.
    fn count_searching(&self) {
        self.searching.set(self.searching.get() + 1);
        POOL.awake.fetch_add(1, Ordering::Relaxed);
    }
}

/// `UV_THREADPOOL_SIZE`, in bounds.
fn size_from_environment() -> u32 {
    // SAFETY: getenv gives null or a string; changing the environment meanwhile is the program's to avoid.
    unsafe {
        let value = libc::getenv(c"UV_THREADPOOL_SIZE".as_ptr());
        if value.is_null() {
            return DEFAULT_SIZE;
        }
        u32::try_from(libc::atoi(value)).unwrap_or(MAX_SIZE).clamp(1, MAX_SIZE)
    }
}
