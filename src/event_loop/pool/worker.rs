//! The threads of the pool: taking work, running it, sleeping.

use super::crew::{self, Sleeper};
use super::line::Item;
use super::{MAX_SIZE, POOL, State, complete};
use crate::abi::errno::Result;
use crate::sys::thread;
use crate::trace::own::{self, QUEUED, Span, WORK};
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::null_mut;

/// Stack of a thread of the pool; what the reference gives.
const STACK_BYTES: usize = 8 << 20;

/// One thread.
struct Worker {
    sleeper: Sleeper,
    thread: MaybeUninit<libc::pthread_t>,
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
        worker.write(Worker { sleeper: Sleeper::default(), thread: MaybeUninit::uninit(), first });
        let id = (&raw mut (*worker).thread).cast::<libc::pthread_t>();
        thread::create(id, STACK_BYTES, enter, worker.cast())?;
    }
    state.started.set(state.started.get() + 1);
    crew::begin();
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
    // SAFETY: the worker outlives its thread; wakers use the sleeper as it allows.
    let sleeper = unsafe { &(*worker).sleeper };
    loop {
        if let Some(Item { work, run, .. }) = item {
            // SAFETY: submitted work is alive until its `done` ran, which `complete` leads to.
            unsafe {
                own::mark(b'e', QUEUED, work.addr());
                let span = Span::begin();
                run(work);
                span.end(WORK, &[]);
                complete(work, sleeper.take_late());
            }
        }
        match next(sleeper, item) {
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
fn next(sleeper: &Sleeper, done: Option<Item>) -> Next {
    let pool = POOL.lock();
    match done {
        None => pool.crew.arrive(),
        Some(Item { lane, .. }) => pool.line.finish(lane),
    }
    if let Some(item) = pool.line.take() {
        let woken = pool.crew.pick(pool.line.runnable());
        drop(pool);
        woken.wake(0);
        return Next::Run(item);
    }
    if pool.stopping.get() {
        crew::end();
        return Next::End;
    }
    let others = pool.crew.lie_down(sleeper);
    drop(pool);
    sleeper.sleep(others, None);
    Next::Search
}
