//! The threads of the pool: taking work, running it, sleeping.

use super::line::Item;
use super::{Locked, MAX_SIZE, POOL, State, complete};
use crate::abi::errno::Result;
use crate::event_loop::linger::Linger;
use crate::sync::prim::{AtomicU32, Ordering};
use crate::sys::{cpus, futex, thread, time::now_ns};
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::null_mut;

/// Stack of a thread of the pool; what the reference gives.
const STACK_BYTES: usize = 8 << 20;

/// A worker's word: it is not asleep, but may be watching the word.
const WATCHING: u32 = 0;
/// It waits for the word to change.
const ASLEEP: u32 = 1;
/// It was picked to look for work.
const WOKEN: u32 = 2;

/// One thread.
pub struct Worker {
    /// One of the three states above.
    word: AtomicU32,
    /// The one that went to sleep before, while in `State::sleepers`.
    pub next_sleeper: *mut Worker,
    thread: MaybeUninit<libc::pthread_t>,
    linger: Linger,
    /// What it was started for.
    first: Item,
}

/// Room for all threads that there may be. Pages that no thread lies on cost nothing; and as it stays, a thread can be woken with no
/// thought of whether it has just ended.
struct Table(UnsafeCell<[MaybeUninit<Worker>; MAX_SIZE as usize]>);

// SAFETY: an entry is written under the pool's mutex, before its thread starts; then each field has its own rule.
unsafe impl Sync for Table {}

static TABLE: Table = Table(UnsafeCell::new([const { MaybeUninit::uninit() }; MAX_SIZE as usize]));

fn entry(index: u32) -> *mut Worker {
    // SAFETY: indices are below the pool's size, which is at most `MAX_SIZE`.
    unsafe { TABLE.0.get().cast::<Worker>().add(index as usize) }
}

/// Starts a thread and hands `first` over to it. Under the pool's mutex.
pub fn start(state: &State, first: Item) -> Result {
    let worker = entry(state.started.get());
    // SAFETY: nobody has this one yet.
    unsafe {
        worker.write(Worker {
            word: AtomicU32::new(WATCHING),
            next_sleeper: null_mut(),
            thread: MaybeUninit::uninit(),
            linger: Linger::default(),
            first,
        });
        let id = (&raw mut (*worker).thread).cast::<libc::pthread_t>();
        thread::create(id, STACK_BYTES, enter, worker.cast())?;
    }
    state.started.set(state.started.get() + 1);
    POOL.awake.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Waits for the end of the thread that was started as number `index`, from 0.
///
/// # Safety
/// It was started, and nobody else waits for it.
pub unsafe fn join(index: u32) {
    // SAFETY: the caller's; `start` has stored the id.
    unsafe { libc::pthread_join((*entry(index)).thread.assume_init(), null_mut()) };
}

unsafe extern "C" fn enter(argument: *mut c_void) {
    // SAFETY: the name is a string of less than 16 bytes.
    unsafe { libc::pthread_setname_np(libc::pthread_self(), c"libuv-worker".as_ptr()) };
    let worker = argument.cast::<Worker>();
    // SAFETY: given by `start`; written before the thread began.
    let mut item = Some(unsafe { (&raw const (*worker).first).read() });
    loop {
        if let Some(Item { work, run, .. }) = item {
            // SAFETY: submitted work is alive until its `done` ran, which `complete` leads to; the worker outlives its thread.
            unsafe {
                run(work);
                complete(work, (*worker).linger.take_late());
            }
        }
        match next(worker, item) {
            Next::Run(found) => item = Some(found),
            Next::Search => item = None,
            Next::End => return,
        }
    }
}

enum Next {
    Run(Item),
    /// It was asleep and is woken to look.
    Search,
    End,
}

/// After `done`, or after having been woken: takes the next item, or sleeps until there may be one.
fn next(worker: *mut Worker, done: Option<Item>) -> Next {
    let pool = Locked::new();
    match done {
        None => pool.searching.set(pool.searching.get() - 1),
        Some(Item { lane, .. }) => pool.line.finish(lane),
    }
    if let Some(item) = pool.line.take() {
        let woken = pool.pick_sleeper();
        drop(pool);
        wake(woken, 0);
        return Next::Run(item);
    }
    if pool.stopping.get() {
        return Next::End;
    }
    // SAFETY: the worker's own; the mutex is held.
    unsafe {
        (*worker).word.store(WATCHING, Ordering::Relaxed);
        (*worker).next_sleeper = pool.sleepers.replace(worker);
    }
    let others = POOL.awake.fetch_sub(1, Ordering::Relaxed) - 1;
    drop(pool);
    // SAFETY: alive as long as its thread; only its own thread uses `linger` but for the parts that wakers may.
    unsafe { sleep(&(*worker).word, &(*worker).linger, others) };
    Next::Search
}

/// Returns when the word says WOKEN. `others` workers are awake.
fn sleep(word: &AtomicU32, linger: &Linger, others: u32) {
    // The loop has a CPU, too.
    let has_cpu = others + 1 < cpus::usable();
    if has_cpu && let Some(window) = linger.window() {
        let start = now_ns();
        while now_ns() - start < window {
            for _ in 0..32 {
                if word.load(Ordering::Acquire) == WOKEN {
                    linger.hit();
                    return;
                }
                core::hint::spin_loop();
            }
        }
        linger.miss();
    }
    linger.sleep();
    if word.compare_exchange(WATCHING, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_ok() {
        while word.load(Ordering::Acquire) == ASLEEP {
            futex::wait(word, ASLEEP, None);
        }
        linger.awake();
    }
}

/// Wakes a worker that was taken off `State::sleepers`; null is none. The waker was `late` itself. Without the mutex.
pub fn wake(worker: *mut Worker, late: u64) {
    if worker.is_null() {
        return;
    }
    // SAFETY: workers stay for good; these two fields are atomics, or for wakers in so far as they are used here.
    let (word, linger) = unsafe { (&(*worker).word, &(*worker).linger) };
    if word.swap(WOKEN, Ordering::AcqRel) == ASLEEP {
        linger.wake_by(late, || futex::wake(word));
    }
}
