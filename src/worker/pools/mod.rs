//! Thread pools that a program makes for itself, and the task runners on top of them. `docs/uvx/pools.md` tells how they are used.
//!
//! A pool's jobs wait in [`lanes::Lanes`]; its threads (`thread.rs`) take them from there and sleep as those of the default pool do
//! (`event_loop/pool/crew.rs`). No thread keeps the time for delayed jobs: of the sleeping threads one, the timekeeper, sleeps only until
//! the first of them is due, and awake threads look by themselves whenever they look for work.
//!
//! All state is under one mutex, which is not held while user code runs. A pool is counted: the program and each thread have
//! references.

pub mod drain;
pub mod job;
mod lanes;
mod statistics;
mod thread;

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::lifecycle;
use crate::event_loop::pool::MAX_SIZE;
use crate::event_loop::pool::crew::{Crew, Picked, Sleeper};
use crate::mem::Counted;
use crate::os::parallelism;
use crate::sync::prim::{AtomicU32, Mutex, MutexGuard, Ordering, lock};
use crate::sync::roster::{Entry, Listed, Roster};
use crate::sys::time::{Deadline, now_ns};
use crate::sys::{self, futex};
use crate::worker::call::Calls;
use crate::worker::call::request;
use crate::worker::port::lateness;
use core::ffi::{CStr, c_char, c_int};
use core::mem::MaybeUninit;
use core::ptr::{NonNull, eq, null, null_mut};
use drain::Drain;
use job::{DoneFn, Job, LANES, Lane, Order, RunFn};
use lanes::Lanes;
use statistics::Statistics;
use thread::Worker;

/// The stack of a pool's thread, as in the default pool.
const USUAL_STACK: usize = 8 << 20;
/// What the library's own part of a thread needs.
const OWN_STACK: usize = 32 << 10;

/// What the program has asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Pool,
    TaskRunner,
}

/// See the module.
pub struct Pool {
    state: Mutex<State>,
    /// Held by who changes the size, which takes a while: the state is free meanwhile. Taken before it.
    sizing: Mutex<()>,
    kind: Kind,
    name: [c_char; 16],
    stack_size: usize,
    thread_priority: c_int,
    /// 1: the pool is closed, and all its threads are through.
    gone: AtomicU32,
    entry: Entry<Pool>,
}

/// All pools that somebody has a reference to.
pub static POOLS: Roster<Pool> = Roster::new();

impl Listed for Pool {
    fn entry(&self) -> &Entry<Pool> {
        &self.entry
    }
}

// SAFETY: the state is reached under the mutex; its pointers lead to threads and jobs of the pool, and to drains that wait.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

struct State {
    lanes: Lanes,
    crew: Crew,
    /// Takes nothing any more; threads end when nothing waits.
    closed: bool,
    /// How many threads there are to be, how many there are, and these together with those that are ending.
    wanted: u32,
    live: u32,
    present: u32,
    /// One for each thread there is or was.
    workers: *mut Worker,
    /// The thread that has ended last, which nobody has joined yet.
    ended: Option<uv_thread_t>,
    /// Who wakes when the first of the delayed jobs is due.
    timekeeper: *const Sleeper,
    /// Those that wait for the end of jobs.
    drains: *mut Drain,
    statistics: Statistics,
}

/// `uvx_pool_create`: a pool with all its threads, or none.
///
/// # Safety
/// `options` is null or points at options of the size that stands in them.
pub unsafe fn create(kind: Kind, options: *const uvx_pool_options_t) -> Result<Counted<Pool>> {
    // SAFETY: the caller's; defaults are all zero.
    let options = unsafe {
        match options.as_ref() {
            None => MaybeUninit::<uvx_pool_options_t>::zeroed().assume_init(),
            Some(given) if given.size < size_of::<uvx_pool_options_t>() => return Err(Errno::EINVAL),
            Some(_) => options.read(),
        }
    };
    let priorities = UV_THREAD_PRIORITY_LOWEST..=UV_THREAD_PRIORITY_HIGHEST;
    if options.flags != 0 || options.threads > MAX_SIZE || !priorities.contains(&options.thread_priority) {
        return Err(Errno::EINVAL);
    }
    lifecycle::guard_forks()?;
    let threads = if options.threads == 0 { parallelism::available().min(MAX_SIZE) } else { options.threads };
    let stack = if options.stack_size == 0 { USUAL_STACK } else { options.stack_size };
    let pool = Counted::new(Pool {
        state: Mutex::new(State {
            lanes: Lanes::default(),
            crew: Crew::new(),
            closed: false,
            wanted: 0,
            live: 0,
            present: 0,
            workers: null_mut(),
            ended: None,
            timekeeper: null(),
            drains: null_mut(),
            statistics: Statistics::default(),
        }),
        sizing: Mutex::new(()),
        kind,
        // SAFETY: the caller's.
        name: unsafe { sys::thread::short_name(options.name, c"uvx-pool") },
        stack_size: sys::thread::whole_stack(stack.max(OWN_STACK.saturating_add(sys::thread::LEAST_STACK))),
        thread_priority: options.thread_priority,
        gone: AtomicU32::new(0),
        entry: Entry::default(),
    })?;
    if let Err(error) = pool.set_size(threads) {
        let _ = pool.shutdown(UVX_SHUTDOWN_DROP, u64::MAX);
        return Err(error);
    }
    // SAFETY: it leaves when it is dropped.
    unsafe { POOLS.enter(&pool) };
    Ok(pool)
}

/// A reference to each pool, the newest first.
pub fn each() -> impl Iterator<Item = Counted<Pool>> {
    // SAFETY: pools in the roster are counted; one that is being dropped waits to leave it.
    POOLS.walk(|pool| unsafe { Counted::revive(core::ptr::from_ref(pool).cast_mut()) })
}

/// For any thread that has a reference.
impl Pool {
    /// `uvx_pool_queue`.
    ///
    /// # Safety
    /// `job` is memory for a job, the caller's alone; `home` null or alive.
    pub unsafe fn queue(
        &self,
        job: *mut Job,
        run: Option<RunFn>,
        done: Option<DoneFn>,
        lane: Lane,
        home: Option<&Calls>,
    ) -> Result {
        let Some(calls) = home else {
            // SAFETY: the caller's.
            return unsafe { self.post(job, Order { run, done, home: null_mut(), lane }, 0) };
        };
        let home = calls.begin_request()?;
        // SAFETY: the caller's; the request goes again if the job is refused.
        unsafe {
            self.post(job, Order { run, done, home, lane }, 0)
                .inspect_err(|_| request::take_back(home, calls))
        }
    }

    /// Takes a job in, for `delay` ns from now. `UV_ESHUTDOWN` after `shutdown`.
    ///
    /// # Safety
    /// As for `queue`; a request was begun on the order's loop.
    pub unsafe fn post(&self, job: *mut Job, order: Order, delay: u64) -> Result {
        let now = now_ns();
        let mut state = self.state_at(now);
        if state.closed {
            return Err(Errno::ESHUTDOWN);
        }
        // SAFETY: the caller's.
        unsafe { Job::set_up(job, self, order, now.saturating_add(delay)) };
        state.statistics.queued += 1;
        // SAFETY: the caller's; it stays alive until it has been taken out.
        let woken = unsafe { if delay == 0 { state.admit(job) } else { state.admit_later(job) } };
        drop(state);
        woken.wake(lateness::take());
        Ok(())
    }

    /// `uvx_pool_cancel`: `UV_EBUSY` while the job runs, `UV_EALREADY` after that, `UV_EINVAL` if it is another pool's.
    ///
    /// # Safety
    /// The job was posted, and its memory is still there.
    pub unsafe fn cancel(&self, job: *mut Job) -> Result {
        let mut state = lock(&self.state);
        // SAFETY: the caller's. Who takes a job out does so under the mutex.
        unsafe {
            if !eq((*job).pool, self) {
                return Err(Errno::EINVAL);
            }
            if !state.lanes.remove(job) {
                return Err(if thread::runs(&state, job) { Errno::EBUSY } else { Errno::EALREADY });
            }
            state.statistics.cancelled += 1;
            state.tell_drains();
            drop(state);
            Job::cancel(job);
        }
        Ok(())
    }

    /// `uvx_pool_set_size`: all new threads are started, or none.
    pub fn set_size(&self, size: u32) -> Result {
        if size == 0 || size > MAX_SIZE {
            return Err(Errno::EINVAL);
        }
        let _sizing = lock(&self.sizing);
        let before = core::mem::replace(&mut lock(&self.state).wanted, size);
        let result = self.grow();
        let mut state = lock(&self.state);
        if result.is_err() {
            state.wanted = before;
        }
        let surplus = state.live.saturating_sub(state.wanted);
        let woken = state.crew.pick_many(surplus);
        drop(state);
        woken.wake(0);
        result
    }

    /// Starts what is missing. On error some may have been started.
    fn grow(&self) -> Result {
        while thread::start(self)? {}
        Ok(())
    }

    /// `uvx_pool_shutdown`: `UV_ETIMEDOUT` if threads are still busy, `UV_EINVAL` on one of them.
    pub fn shutdown(&self, mode: uvx_shutdown_mode, timeout_ns: u64) -> Result {
        if mode != UVX_SHUTDOWN_DROP && mode != UVX_SHUTDOWN_RUN_ALL {
            return Err(Errno::EINVAL);
        }
        if thread::is_of(self) {
            return Err(Errno::EINVAL);
        }
        let deadline = Deadline::after(timeout_ns);
        let mut state = self.state_at(now_ns());
        state.closed = true;
        let mut dropped = state.drop_waiting(mode == UVX_SHUTDOWN_DROP);
        if state.present == 0 {
            self.gone.store(1, Ordering::Release);
        }
        let woken = state.crew.pick_many(u32::MAX);
        drop(state);
        woken.wake(0);
        while let Some(job) = NonNull::new(dropped) {
            // SAFETY: taken out just now, so that this is the only way to it; the link is read before the job ends.
            unsafe {
                dropped = (*job.as_ptr()).next;
                Job::cancel(job.as_ptr());
            }
        }
        self.wait_for_end(deadline)
    }

    /// All threads are through, and there will be no more.
    fn tell_gone(&self) {
        self.gone.store(1, Ordering::Release);
        futex::wake_all(&raw const self.gone);
    }

    fn wait_for_end(&self, deadline: Deadline) -> Result {
        while self.gone.load(Ordering::Acquire) == 0 {
            futex::wait(&self.gone, 0, deadline.left()?);
        }
        let ended = lock(&self.state).ended.take();
        if let Some(ended) = ended {
            // SAFETY: who takes it out joins it. It has nothing left to do.
            let _ = unsafe { sys::thread::join(ended) };
        }
        Ok(())
    }

    /// The state as it is at this time, even if no thread has looked since: what is due is in its lane.
    fn state_at(&self, now: u64) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        state.lanes.promote(now);
        state
    }

    /// A number that no other pool of the process has or had.
    pub fn id(&self) -> u64 {
        self.entry.id()
    }

    /// See the type.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What its threads are called.
    pub fn name(&self) -> &CStr {
        // SAFETY: a string, from `short_name`.
        unsafe { CStr::from_ptr(self.name.as_ptr()) }
    }

    /// `uvx_pool_stats`.
    pub fn statistics(&self) -> uvx_pool_stats_t {
        // SAFETY: numbers, for which zero is a value.
        let mut stats: uvx_pool_stats_t = unsafe { MaybeUninit::zeroed().assume_init() };
        let mut state = self.state_at(now_ns());
        stats.size = size_of::<uvx_pool_stats_t>();
        stats.threads = state.wanted;
        stats.started = state.live;
        stats.waiting = LANES.map(|lane| state.lanes.waiting_in(lane));
        stats.delayed = state.lanes.delayed();
        stats.oldest_ns = state.lanes.oldest().map_or(0, |stamp| now_ns().saturating_sub(stamp));
        state.statistics.fill(&mut stats);
        stats
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        POOLS.leave(self);
        thread::leave(&mut lock(&self.state));
    }
}

impl State {
    /// Puts a job in its lane; gives the thread to wake.
    ///
    /// # Safety
    /// As for `Lanes::push`.
    unsafe fn admit(&mut self, job: *mut Job) -> Picked {
        // SAFETY: the caller's.
        unsafe {
            self.lanes.push(job);
        }
        self.statistics.wait(self.lanes.waiting());
        self.pick()
    }

    /// Has a job wait for its time; gives the thread to wake.
    ///
    /// # Safety
    /// As for `Lanes::delay`.
    unsafe fn admit_later(&mut self, job: *mut Job) -> Picked {
        // SAFETY: the caller's.
        let is_first = unsafe { self.lanes.delay(job) };
        let timekeeper = self.timekeeper;
        if timekeeper.is_null() {
            return self.pick();
        }
        // It sleeps for too long now. Or it is on its way, and will see.
        if is_first { self.crew.pick_this(timekeeper) } else { Picked::NOBODY }
    }

    /// Takes out the delayed jobs, and all others if `also_due`, in the order of their `next`.
    fn drop_waiting(&mut self, also_due: bool) -> *mut Job {
        let (mut first, mut last) = (null_mut::<Job>(), null_mut::<Job>());
        while let Some(job) =
            self.lanes.pop_delayed().or_else(|| if also_due { self.lanes.pop() } else { None })
        {
            // SAFETY: taken out just now; so was the last.
            unsafe {
                (*job).next = null_mut();
                match last.is_null() {
                    true => first = job,
                    false => (*last).next = job,
                }
            }
            last = job;
            self.statistics.cancelled += 1;
        }
        self.tell_drains();
        first
    }

    /// Takes the next job, which is to run now.
    fn begin(&mut self, now: u64) -> Option<(*mut Job, Lane)> {
        let job = self.lanes.take()?;
        // SAFETY: taken just now.
        let (stamp, lane) = unsafe { ((*job).stamp, (*job).lane) };
        self.statistics.begin(now.saturating_sub(stamp));
        Some((job, lane))
    }

    /// A job of this lane is over.
    fn finish(&mut self, lane: Lane) {
        self.lanes.finish(lane);
        self.statistics.end();
        self.tell_drains();
    }

    /// A sleeper to wake, if there is more to do than threads on their way: a delayed job wants a timekeeper.
    fn pick(&self) -> Picked {
        let wants_timekeeper = self.timekeeper.is_null() && self.lanes.delayed() > 0;
        let runnable = u32::try_from(self.lanes.waiting()).unwrap_or(u32::MAX);
        self.crew.pick(runnable.saturating_add(u32::from(wants_timekeeper)))
    }
}
