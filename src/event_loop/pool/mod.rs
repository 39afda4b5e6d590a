//! The thread pool of the process: what would block runs here, and comes back to its loop through the loop's mailbox.
//!
//! Work waits in one queue, in the order in which it was submitted. Of slow work (name look-ups) at most half of the threads
//! is busy with at a time: it waits in a queue of its own, for which one marker stands in line in the first.
//!
//! Threads start when they are needed: each of the first submissions starts one and hands its work over, until the pool has its size
//! (`UV_THREADPOOL_SIZE`, 4 by default). Sleeping threads are woken last-asleep first, at most [`MOST_SEARCHING`] at a time are on their
//! way, and never more than there is work; each that finds work and leaves some wakes the next.
//!
//! Every change of these counts happens under one mutex (counting sleepers without it was tried and lost wake-ups); the wake call
//! itself is made after the mutex is free. `worker.rs` has the threads. After fork, the child starts with an empty pool.

mod worker;

use super::{Loop, wakeup};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::mem;
use crate::sync::mailbox::Kind;
use crate::sys;
use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, Ordering};
use worker::Worker;

/// Threads of a pool, unless the environment says otherwise.
const DEFAULT_SIZE: u32 = 4;
/// The most that the environment may ask for.
const MAX_SIZE: u32 = 1024;
/// Threads that were woken and have not found their work yet. With one, 5 us of work per item keep the others idle; with four they
/// wake for nothing.
const MOST_SEARCHING: u32 = 2;

/// What runs a piece of work.
pub type WorkFn = unsafe extern "C" fn(*mut uv__work);
/// What ends it, on the loop's thread.
pub type DoneFn = unsafe extern "C" fn(*mut uv__work, c_int);

/// How a piece of work waits for a thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// In line.
    Normal,
    /// Among the slow, which may not have more than half of the threads.
    Slow,
}

/// A piece of work as a thread takes it.
#[derive(Clone, Copy)]
struct Item {
    work: *mut uv__work,
    lane: Lane,
    run: WorkFn,
}

/// Everything under the mutex.
struct State {
    /// Work, and the marker of the slow.
    line: uv__queue,
    slow: uv__queue,
    /// Stands in `line` while `slow` holds something.
    slow_marker: uv__queue,
    /// Work in `line`, the marker not counted.
    waiting: u32,
    /// Threads busy with slow work.
    slow_running: u32,
    /// Threads that exist, and how many there may be; 0 before the first submission.
    started: u32,
    size: u32,
    workers: *mut Worker,
    /// Sleeping threads, the last to sleep first.
    sleepers: *mut Worker,
    /// Threads that were woken and have not looked yet.
    searching: u32,
    /// The process ends; threads end when no work is left.
    stopping: bool,
}

struct Pool {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    state: UnsafeCell<State>,
    /// Threads that neither sleep nor linger. Written under the mutex.
    awake: AtomicU32,
}

// SAFETY: the state is used under the mutex only.
unsafe impl Sync for Pool {}

static POOL: Pool = Pool {
    mutex: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER),
    state: UnsafeCell::new(EMPTY),
    awake: AtomicU32::new(0),
};

const EMPTY: State = State {
    line: NO_LINKS,
    slow: NO_LINKS,
    slow_marker: NO_LINKS,
    waiting: 0,
    slow_running: 0,
    started: 0,
    size: 0,
    workers: null_mut(),
    sleepers: null_mut(),
    searching: 0,
    stopping: false,
};

const NO_LINKS: uv__queue = uv__queue { next: null_mut(), prev: null_mut() };

/// The pool's mutex, held.
struct Locked(());

impl Locked {
    fn new() -> Locked {
        // SAFETY: the mutex is initialised and never destroyed; a plain one cannot fail.
        unsafe { libc::pthread_mutex_lock(POOL.mutex.get()) };
        Locked(())
    }

    fn state(&mut self) -> &mut State {
        // SAFETY: the mutex is held, and the borrow of the guard makes this the only reference.
        unsafe { &mut *POOL.state.get() }
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

/// Gives `work` to the pool; `run` runs on one of its threads, then `done` on the loop's. Keeps the loop alive until `release`.
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
    let mut pool = Locked::new();
    let state = pool.state();
    if state.size == 0 {
        state.set_up()?;
    }
    let may_run = lane == Lane::Normal || state.slow_running < state.slow_limit();
    if state.started < state.size && may_run {
        // SAFETY: the caller's.
        unsafe { (*work).work = None };
        match worker::start(state, Item { work, lane, run }) {
            Ok(()) => {
                lp.set_active_reqs(lp.active_reqs().wrapping_add(1));
                return Ok(());
            }
            Err(error) if state.started == 0 => return Err(error),
            // The threads that exist must do.
            // SAFETY: the caller's.
            Err(_) => unsafe { (*work).work = Some(run) },
        }
    }
    lp.set_active_reqs(lp.active_reqs().wrapping_add(1));
    // SAFETY: the work is alive and in no queue.
    unsafe { state.enqueue(work, lane) };
    let woken = state.pick_sleeper();
    drop(pool);
    worker::wake(woken, lp.internals().linger.take_late());
    Ok(())
}

/// The request of `submit` is over. On the loop's thread.
pub fn release(lp: Loop) {
    lp.set_active_reqs(lp.active_reqs().wrapping_sub(1));
}

/// Takes `work` back, unless a thread has it (`UV_EBUSY`). Its `done` runs with `UV_ECANCELED`.
///
/// # Safety
/// `work` was submitted to `lane`, its `done` has not returned, and this is its loop's thread.
pub unsafe fn cancel(work: *mut uv__work, lane: Lane) -> Result {
    let mut pool = Locked::new();
    // SAFETY: the work is alive; `work.work` changes under the mutex only: it is there until a thread takes it.
    unsafe {
        match (*work).work {
            None => return Err(Errno::EBUSY),
            Some(run) if is_cancelled(run) => return Ok(()), // once more is as good
            Some(_) => {}
        }
        pool.state().dequeue(work, lane);
        (*work).work = Some(cancelled);
        drop(pool);
        complete(work, 0);
    }
    Ok(())
}

/// Whether the pool gives `work` back without having run it.
///
/// # Safety
/// `work` came back to its loop, whose thread this is.
pub unsafe fn was_cancelled(work: *const uv__work) -> bool {
    // SAFETY: the caller's.
    unsafe { (&raw const (*work).work).read() }.is_some_and(is_cancelled)
}

/// Stands where the function of cancelled work was.
unsafe extern "C" fn cancelled(_: *mut uv__work) {}

fn is_cancelled(run: WorkFn) -> bool {
    core::ptr::fn_addr_eq(run, cancelled as WorkFn)
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
    let mut pool = Locked::new();
    let state = pool.state();
    state.stopping = true;
    let (workers, started) = (state.workers, state.started);
    let mut sleepers = core::mem::replace(&mut state.sleepers, null_mut());
    drop(pool);
    while !sleepers.is_null() {
        // SAFETY: a sleeping worker is alive; its link is read before it is woken.
        unsafe {
            let next = (*sleepers).next_sleeper;
            worker::wake(sleepers, 0);
            sleepers = next;
        }
    }
    for index in 0..started {
        // SAFETY: the table has `started` threads, which end now.
        unsafe { libc::pthread_join((*workers.add(index as usize)).thread, null_mut()) };
    }
    let mut pool = Locked::new();
    *pool.state() = EMPTY;
    POOL.awake.store(0, Ordering::Relaxed);
    // SAFETY: the threads are gone.
    unsafe { mem::free(workers.cast()) };
}

/// In the child after fork: its threads, and what they had, are the parent's.
extern "C" fn forget_after_fork() {
    // SAFETY: the child has one thread, so nobody is inside the mutex, whatever state it was copied in.
    unsafe {
        POOL.mutex.get().write(libc::PTHREAD_MUTEX_INITIALIZER);
        let state = POOL.state.get();
        mem::free((*state).workers.cast());
        state.write(EMPTY);
    }
    POOL.awake.store(0, Ordering::Relaxed);
}

impl State {
    /// Before the first submission of the process (or of the child).
    fn set_up(&mut self) -> Result {
        static GUARDED: AtomicU32 = AtomicU32::new(0);
        if GUARDED.swap(1, Ordering::Relaxed) == 0 {
            // SAFETY: the function lives as long as the process.
            let code = unsafe { libc::pthread_atfork(None, None, Some(forget_after_fork)) };
            sys::check_code(code).inspect_err(|_| GUARDED.store(0, Ordering::Relaxed))?;
        }
        let size = size_from_environment();
        self.workers = mem::alloc_array::<Worker>(size as usize)?.as_ptr();
        self.size = size;
        for head in [&raw mut self.line, &raw mut self.slow, &raw mut self.slow_marker] {
            // SAFETY: fields of the static state, which stays where it is.
            unsafe { queue::init(head) };
        }
        Ok(())
    }

    /// Threads that may be busy with slow work: half, rounded up.
    fn slow_limit(&self) -> u32 {
        self.size.div_ceil(2)
    }

    /// # Safety
    /// `work` is alive and in no queue.
    unsafe fn enqueue(&mut self, work: *mut uv__work, lane: Lane) {
        // SAFETY: the caller's; the heads are fields of the static state.
        unsafe {
            let node = &raw mut (*work).wq;
            match lane {
                Lane::Normal => {
                    queue::push_back(&raw mut self.line, node);
                    self.waiting += 1;
                }
                Lane::Slow => {
                    queue::push_back(&raw mut self.slow, node);
                    if queue::is_empty(&raw const self.slow_marker) {
                        queue::push_back(&raw mut self.line, &raw mut self.slow_marker);
                    }
                }
            }
        }
    }

    /// # Safety
    /// `work` waits in `lane`.
    unsafe fn dequeue(&mut self, work: *mut uv__work, lane: Lane) {
        // SAFETY: the caller's; the heads are fields of the static state.
        unsafe {
            queue::unlink(&raw mut (*work).wq);
            match lane {
                Lane::Normal => self.waiting -= 1,
                Lane::Slow if queue::is_empty(&raw const self.slow) => {
                    queue::unlink(&raw mut self.slow_marker)
                }
                Lane::Slow => {}
            }
        }
    }

    /// What a thread would find to do now.
    fn runnable(&self) -> u32 {
        // SAFETY: an initialised queue of the static state.
        let has_slow = unsafe { !queue::is_empty(&raw const self.slow) };
        self.waiting + u32::from(has_slow && self.slow_running < self.slow_limit())
    }

    /// The next piece of work, if there is one that may run.
    fn take(&mut self) -> Option<Item> {
        // SAFETY: the heads are fields of the static state, and queued work is alive.
        unsafe {
            let marker = &raw mut self.slow_marker;
            let mut node = queue::pop_front(&raw mut self.line)?;
            let mut lane = Lane::Normal;
            if node == marker {
                if self.slow_running < self.slow_limit() {
                    node = queue::pop_front(&raw mut self.slow)?;
                    lane = Lane::Slow;
                    self.slow_running += 1;
                    if !queue::is_empty(&raw const self.slow) {
                        queue::push_back(&raw mut self.line, marker); // behind what waits already
                    }
                } else {
                    // Not now: the next in line goes first.
                    let next = queue::pop_front(&raw mut self.line);
                    queue::push_back(&raw mut self.line, marker);
                    node = next?;
                }
            }
            if lane == Lane::Normal {
                self.waiting -= 1;
            }
            let work = container_of!(node, uv__work, wq);
            Some(Item { work, lane, run: (*work).work.take()? })
        }
    }

    /// A sleeper to wake, if there is more to do than threads on their way to it.
    fn pick_sleeper(&mut self) -> *mut Worker {
        let sleeper = self.sleepers;
        if sleeper.is_null() || self.searching >= MOST_SEARCHING || self.runnable() <= self.searching {
            return null_mut();
        }
        // SAFETY: a sleeping worker is alive, and its link is the mutex's.
        self.sleepers = unsafe { (*sleeper).next_sleeper };
        self.searching += 1;
        POOL.awake.fetch_add(1, Ordering::Relaxed);
        sleeper
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
