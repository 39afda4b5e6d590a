//! The threads of a pool: taking jobs, running them, sleeping, and their end.
//!
//! A thread ends when the pool is closed and nothing waits, or when there are too many. It cannot join itself, so it leaves its name
//! for the next one that ends, or for `shutdown`, and joins the one whose name it finds.

use super::job::{Job, Lane};
use super::{Pool, State};
use crate::abi::errno::{Errno, Result};
use crate::abi::{UV_THREAD_PRIORITY_NORMAL, uv_thread_t};
use crate::event_loop::pool::crew::{self, Sleeper};
use crate::mem::{Counted, Owned};
use crate::os::scheduling;
use crate::sync::prim::{AtomicU32, Ordering, lock};
use crate::sys::{check_code, futex, thread, time::now_ns};
use crate::worker::port::lateness;
use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr::{null, null_mut};
use core::sync::atomic::AtomicI32; // ordered by `begun`

/// A thread, or the place for one. It stays as long as the pool, since others may still be waking a thread that has just ended.
pub struct Worker {
    sleeper: Sleeper,
    /// A reference while the thread runs.
    pool: *const Pool,
    /// 1: the thread runs, if `status` is 0.
    begun: AtomicU32,
    status: AtomicI32,
    /// The rest is the mutex's. The job that it runs.
    job: *mut Job,
    in_use: bool,
    pub next: *mut Worker,
}

std::thread_local! {
    /// The pool that this is a thread of.
    static HERE: Cell<*const Pool> = const { Cell::new(null()) };
}

/// Whether this is one of the pool's threads.
pub fn is_of(pool: &Pool) -> bool {
    HERE.try_with(|here| core::ptr::eq(here.get(), pool)).unwrap_or(false)
}

/// Whether a thread of the pool runs this job.
pub fn runs(state: &State, job: *const Job) -> bool {
    workers(state).any(|worker| {
        // SAFETY: workers stay as long as the pool.
        unsafe { (*worker).in_use && core::ptr::eq((*worker).job, job) }
    })
}

fn workers(state: &State) -> impl Iterator<Item = *mut Worker> + use<> {
    let mut at = state.workers;
    core::iter::from_fn(move || {
        let worker = at;
        // SAFETY: workers stay as long as the pool.
        at = unsafe { worker.as_ref() }?.next;
        Some(worker)
    })
}

/// Starts one more thread if there are too few, without the mutex, and returns when it runs; false: there were enough. `UV_ESHUTDOWN` if
/// the pool is closed.
pub fn start(pool: &Pool) -> Result<bool> {
    let Some(worker) = enlist(&mut lock(&pool.state))? else { return Ok(false) };
    // SAFETY: just enlisted.
    unsafe {
        launch(pool, worker).inspect_err(|_| {
            crew::end();
            let mut state = lock(&pool.state);
            state.live -= 1;
            let is_last = delist(&mut state, worker);
            drop(state);
            if is_last {
                pool.tell_gone();
            }
        })?;
    }
    Ok(true)
}

/// A place for one more thread, which counts from here on, so that it finds itself counted.
fn enlist(state: &mut State) -> Result<Option<*mut Worker>> {
    if state.closed {
        return Err(Errno::ESHUTDOWN);
    }
    if state.live >= state.wanted {
        return Ok(None);
    }
    // SAFETY: as in `workers`.
    let worker = match workers(state).find(|worker| unsafe { !(**worker).in_use }) {
        Some(worker) => worker,
        None => add(state)?,
    };
    // SAFETY: as above; the mutex is held.
    unsafe { (*worker).in_use = true };
    state.live += 1;
    state.present += 1;
    crew::begin();
    Ok(Some(worker))
}

/// Says whether the pool is closed and without threads now.
///
/// # Safety
/// The worker is enlisted, and its thread is through or was never there.
unsafe fn delist(state: &mut State, worker: *mut Worker) -> bool {
    // SAFETY: the caller's; the mutex is held.
    unsafe { (*worker).in_use = false };
    state.present -= 1;
    state.closed && state.present == 0
}

/// # Safety
/// The worker is enlisted, and has no thread.
unsafe fn launch(pool: &Pool, worker: *mut Worker) -> Result {
    let mut id = MaybeUninit::<uv_thread_t>::uninit();
    // SAFETY: nobody uses the worker; but who has woken the last thread here may still touch its sleeper, which is never replaced.
    // The thread gets a reference to the pool, of which the caller has one.
    unsafe {
        (*worker).begun.store(0, Ordering::Relaxed);
        (*worker).pool = Counted::retain(core::ptr::from_ref(pool).cast_mut()).into_raw();
        let created = thread::create(id.as_mut_ptr(), pool.stack_size, enter, worker.cast());
        created
            .and_then(|()| wait_for_beginning(worker, id.assume_init()))
            .inspect_err(|_| drop(Counted::from_raw((*worker).pool.cast_mut())))
    }
}

fn add(state: &mut State) -> Result<*mut Worker> {
    let worker = Owned::new(Worker {
        sleeper: Sleeper::default(),
        pool: null(),
        begun: AtomicU32::new(0),
        status: AtomicI32::new(0),
        job: null_mut(),
        in_use: false,
        next: state.workers,
    })?;
    state.workers = worker.into_raw();
    Ok(state.workers)
}

/// Until the thread says that it runs as it is to, or has ended.
///
/// # Safety
/// The worker is the thread's.
unsafe fn wait_for_beginning(worker: *const Worker, id: uv_thread_t) -> Result {
    // SAFETY: the caller's. A thread that cannot run ends at once.
    unsafe {
        while (*worker).begun.load(Ordering::Acquire) == 0 {
            futex::wait(&(*worker).begun, 0, None);
        }
        let status = (*worker).status.load(Ordering::Relaxed);
        if status != 0 {
            let _ = thread::join(id);
        }
        check_code(status.saturating_neg())
    }
}

unsafe extern "C" fn enter(argument: *mut c_void) {
    let worker = argument.cast::<Worker>();
    // SAFETY: `start` waits until this has begun; the pool's reference is this thread's if it runs.
    unsafe {
        let pool = (*worker).pool;
        let status = prepare(&*pool);
        (*worker).status.store(status, Ordering::Relaxed);
        (*worker).begun.store(1, Ordering::Release);
        futex::wake(&raw const (*worker).begun);
        if status != 0 {
            return;
        }
        let pool = Counted::from_raw(pool.cast_mut());
        run(&pool, worker);
        end(pool, worker);
    }
}

/// What a thread does for itself before it runs; a status.
fn prepare(pool: &Pool) -> c_int {
    HERE.with(|here| here.set(pool));
    // SAFETY: the name is a string of less than 16 bytes; the thread is this one.
    let result = unsafe {
        let _ = thread::set_name(pool.name.as_ptr()); // which does not matter
        match pool.thread_priority {
            UV_THREAD_PRIORITY_NORMAL => Ok(()),
            priority => scheduling::set_priority(thread::current(), priority),
        }
    };
    result.err().map_or(0, Errno::code)
}

/// What the thread has just done.
enum Was {
    Started,
    Running(Lane),
    /// It was woken to look for work.
    Woken,
    /// As the timekeeper: a job is due.
    InTime,
}

enum Next {
    Run(*mut Job, Lane),
    Sleep { others: u32, until: Option<u64> },
    End,
}

/// # Safety
/// This is the worker's thread, which has begun.
unsafe fn run(pool: &Pool, worker: *mut Worker) {
    // SAFETY: the caller's; others use the sleeper as it allows.
    let sleeper = unsafe { &(*worker).sleeper };
    let mut was = Was::Started;
    loop {
        // SAFETY: the caller's.
        was = match unsafe { next(pool, worker, was) } {
            Next::Run(job, lane) => {
                let late = sleeper.take_late();
                lateness::set(late);
                // SAFETY: `next` has taken it.
                unsafe { Job::execute(job, late) };
                Was::Running(lane)
            }
            Next::Sleep { others, until } if sleeper.sleep(others, until) => Was::Woken,
            Next::Sleep { .. } => Was::InTime,
            Next::End => return,
        }
    }
}

/// # Safety
/// As for `run`.
unsafe fn next(pool: &Pool, worker: *mut Worker, was: Was) -> Next {
    let now = now_ns();
    // SAFETY: as in `run`.
    let sleeper = unsafe { &(*worker).sleeper };
    let mut state = lock(&pool.state);
    match was {
        Was::Started => {}
        Was::Running(lane) => {
            // SAFETY: the mutex is held.
            unsafe { (*worker).job = null_mut() };
            state.finish(lane);
        }
        Was::InTime if state.crew.get_up(sleeper) => {}
        Was::InTime => {
            drop(state);
            sleeper.wait_for_waker();
            state = lock(&pool.state);
            state.crew.arrive();
        }
        Was::Woken => state.crew.arrive(),
    }
    if core::ptr::eq(state.timekeeper, sleeper) {
        state.timekeeper = null();
    }
    state.lanes.promote(now);
    let next = if state.live > state.wanted {
        Next::End
    } else if let Some((job, lane)) = state.begin(now) {
        // SAFETY: the mutex is held.
        unsafe { (*worker).job = job };
        Next::Run(job, lane)
    } else if state.closed {
        Next::End
    } else {
        let until = if state.timekeeper.is_null() { state.lanes.next_due() } else { None };
        if until.is_some() {
            state.timekeeper = sleeper;
        }
        let others = state.crew.lie_down(sleeper);
        return Next::Sleep { others, until };
    };
    if let Next::End = next {
        state.live -= 1;
    }
    let woken = state.pick();
    drop(state);
    woken.wake(0);
    next
}

/// The thread's last act; `next` has told it to end.
///
/// # Safety
/// As for `run`.
unsafe fn end(pool: Counted<Pool>, worker: *mut Worker) {
    crew::end();
    let mut state = lock(&pool.state);
    let before = state.ended.replace(thread::current());
    // SAFETY: the caller's.
    let is_last = unsafe { delist(&mut state, worker) };
    drop(state);
    if let Some(before) = before {
        // SAFETY: who takes it out joins it.
        let _ = unsafe { thread::join(before) };
    }
    if is_last {
        pool.tell_gone();
    }
}

/// The pool goes: nobody has it, and its threads are through.
pub fn leave(state: &mut State) {
    if let Some(ended) = state.ended.take() {
        // SAFETY: who takes it out sees to its end. It may be this thread, with the last reference.
        let _ =
            unsafe { if ended == thread::current() { thread::detach(ended) } else { thread::join(ended) } };
    }
    while !state.workers.is_null() {
        // SAFETY: from `add`, and taken out once.
        unsafe {
            let worker = Owned::from_raw(state.workers);
            state.workers = worker.next;
        }
    }
}
