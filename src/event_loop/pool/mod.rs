//! The thread pool of the process: what would block runs here, and comes back to its loop through the loop's mailbox.
//!
//! Work waits in line (`line.rs`), in the order in which it was submitted; with slow work (name look-ups) at most half of the threads
//! are busy.
//!
//! Threads start when they are needed: each of the first submissions starts one and hands its work over, until the pool has its size
//! (`UV_THREADPOOL_SIZE`, 4 by default). `worker.rs` has the threads, `crew.rs` their sleep, which the pools of the extension
//! (`worker/pools/`) share. After fork, the child starts with an empty pool.

pub mod crew;
pub mod line;
mod worker;

use super::{Loop, wakeup};
use crate::abi::errno::Result;
use crate::abi::*;
use crate::ds::queue;
use crate::sync::mailbox::Kind;
use crate::sync::static_mutex::StaticMutex;
use crate::sys::variable;
use crate::trace::own::{self, QUEUED};
use core::cell::Cell;
use core::ffi::c_int;
use core::ptr::null_mut;
use crew::{Crew, Picked};
use line::Line;
pub use line::{Lane, WorkFn, was_cancelled};

/// Threads of a pool, unless the environment says otherwise.
const DEFAULT_SIZE: u32 = 4;
/// The most threads that a pool may be asked to have.
pub const MAX_SIZE: u32 = 1024;

/// What ends it, on the loop's thread.
pub type DoneFn = unsafe extern "C" fn(*mut uv__work, c_int);

/// Everything under the mutex.
struct State {
    line: Line,
    /// Threads that exist, and how many there may be; 0 before the first submission.
    started: Cell<u32>,
    size: Cell<u32>,
    crew: Crew,
    /// The process ends; threads end when no work is left.
    stopping: Cell<bool>,
}

static POOL: StaticMutex<State> = StaticMutex::new(State {
    line: Line::new(),
    started: Cell::new(0),
    size: Cell::new(0),
    crew: Crew::new(),
    stopping: Cell::new(false),
});

pub use crew::awake as awake_workers;

/// Gives `work` to the pool; `run` runs on one of its threads, then `done` on the loop's. Keeps the loop alive until `Loop::end_request`.
///
/// # Safety
/// `work` is writable memory that stays alive until `done` ran; this is the loop's thread.
pub unsafe fn submit(lp: Loop, work: *mut uv__work, lane: Lane, run: WorkFn, done: DoneFn) -> Result {
    // SAFETY: the caller's.
    let woken = unsafe { put_in_line(lp.as_ptr(), work, lane, run, done) }?;
    lp.begin_request();
    woken.wake(lp.internals().linger.take_late());
    Ok(())
}

/// As `submit`, from any thread: that of a request which was begun by `worker::call::Calls::begin_request`.
///
/// # Safety
/// As for `submit`, but for the thread; the loop stays alive until `done` ran.
pub unsafe fn submit_from_elsewhere(
    home: *mut uv_loop_t,
    work: *mut uv__work,
    lane: Lane,
    run: WorkFn,
    done: DoneFn,
) -> Result {
    // SAFETY: the caller's.
    unsafe { put_in_line(home, work, lane, run, done) }?.wake(0);
    Ok(())
}

/// Puts `work` in line, or hands it to a new thread. Gives the thread that the caller must wake.
///
/// # Safety
/// As for `submit`, on any thread.
#[inline]
unsafe fn put_in_line(
    home: *mut uv_loop_t,
    work: *mut uv__work,
    lane: Lane,
    run: WorkFn,
    done: DoneFn,
) -> Result<Picked> {
    // SAFETY: the caller's.
    unsafe {
        (*work).work = Some(run);
        (*work).done = Some(done);
        (*work).loop_ = home;
        queue::init(&raw mut (*work).wq);
    }
    own::mark(b'b', QUEUED, work.addr());
    let pool = POOL.lock();
    if pool.size.get() == 0 {
        pool.set_up();
    }
    // SAFETY: the caller's.
    unsafe { pool.line.push(work, lane) };
    if pool.started.get() < pool.size.get() && !pool.stopping.get() {
        // SAFETY: just put in.
        unsafe { start_one(&pool, work, lane) }.inspect_err(|_| own::mark(b'e', QUEUED, work.addr()))?;
    }
    Ok(pool.crew.pick(pool.line.runnable()))
}

/// Starts a thread for the next in line. On error `work` is not in line any more.
///
/// # Safety
/// `work` is in line.
#[cold]
unsafe fn start_one(pool: &State, work: *mut uv__work, lane: Lane) -> Result {
    let started = pool.started.get();
    let Some(item) = pool.line.take() else { return Ok(()) };
    let result = worker::start(pool, item);
    if result.is_err() {
        // SAFETY: just taken.
        unsafe { pool.line.put_back(item) };
        if started == 0 {
            // SAFETY: it is in line, and there is no thread to take it.
            let _ = unsafe { pool.line.cancel(work, lane) };
            return result;
        }
        // The threads that exist must do.
    }
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
    let _pool = POOL.lock(); // a thread may be taking it
    // SAFETY: the caller's.
    unsafe { line::was_answered(work) }
}

/// Takes `work` back, unless a thread has it (`UV_EBUSY`). Its `done` runs with `UV_ECANCELED`.
///
/// # Safety
/// `work` was submitted to `lane`, its `done` has not returned, and this is its loop's thread.
pub unsafe fn cancel(work: *mut uv__work, lane: Lane) -> Result {
    let pool = POOL.lock();
    // SAFETY: the caller's.
    let ours = unsafe { pool.line.cancel(work, lane) }?;
    drop(pool);
    if ours {
        own::mark(b'e', QUEUED, work.addr());
        // SAFETY: it is in no queue, and no thread will get it.
        unsafe { complete(work, 0) };
    }
    Ok(())
}

/// What the pool has to do.
pub struct Load {
    /// Threads that exist, and how many there may be; 0 before the first submission.
    pub threads: u32,
    /// See `threads`.
    pub size: u32,
    /// Work that has a thread.
    pub running: u32,
    /// Work that waits for one.
    pub waiting: u32,
}

/// What the pool has to do now. Any thread.
pub fn load() -> Load {
    let pool = POOL.lock();
    let (waiting, running) = pool.line.counts();
    Load { threads: pool.started.get(), size: pool.size.get(), running, waiting }
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
    let pool = POOL.lock();
    pool.stopping.set(true);
    let started = pool.started.get();
    let sleepers = pool.crew.pick_many(started);
    drop(pool);
    sleepers.wake(0);
    for index in 0..started {
        // SAFETY: started above, and nobody else waits for it.
        unsafe { worker::join(index) };
    }
    let pool = POOL.lock();
    pool.forget_threads();
    pool.size.set(0);
}

/// In the child after fork: the threads, and what they had, are the parent's.
pub fn after_fork_in_child() {
    // SAFETY: the child has one thread, which forks outside of the mutex.
    unsafe { POOL.renew() };
    crew::forget_all();
    POOL.lock().forget_threads();
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
        self.crew.forget();
        self.started.set(0);
        self.stopping.set(false);
    }
}

/// `UV_THREADPOOL_SIZE`, in bounds.
fn size_from_environment() -> u32 {
    let Some(size) = variable::number(c"UV_THREADPOOL_SIZE") else { return DEFAULT_SIZE };
    u32::try_from(size).unwrap_or(MAX_SIZE).clamp(1, MAX_SIZE)
}
