//! A piece of work, or a task: what `uvx_pool_work_t` and `uvx_task_t` really are.
//!
//! From the post to the last callback it is the library's. What changes then, changes under the pool's mutex.

use super::Pool;
use crate::abi::*;
use crate::ds::pairing_heap::{Links, Node};
use crate::event_loop::Loop;
use crate::event_loop::notice::Notice;
use crate::ptr::Cx;
use crate::trace::own::{QUEUED, Span, WORK};
use crate::worker::port::lateness;
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr::null_mut;

/// What a thread of the pool calls.
pub type RunFn = unsafe extern "C" fn(*mut Job);
/// What ends the job.
pub type DoneFn = unsafe extern "C" fn(*mut Job, c_int);

/// Where a job waits, by its priority.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Lane {
    Low,
    Normal,
    High,
}

/// All of them, the least urgent first.
pub const LANES: [Lane; 3] = [Lane::Low, Lane::Normal, Lane::High];

impl Lane {
    /// The lane of a priority, if it is one.
    pub fn of(priority: uvx_priority) -> Option<Lane> {
        match priority {
            UVX_PRIORITY_LOW => Some(Lane::Low),
            UVX_PRIORITY_NORMAL => Some(Lane::Normal),
            UVX_PRIORITY_HIGH => Some(Lane::High),
            _ => None,
        }
    }
}

/// Where a job is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Place {
    /// In the heap of those that are not due.
    Delayed = 1,
    /// In its lane.
    Waiting = 2,
    /// A thread has it or had it, or it was cancelled.
    Taken = 3,
}

/// See the module.
#[repr(C)]
pub struct Job {
    data: *mut c_void,
    /// Its way home, when it is over.
    notice: Notice,
    /// Its neighbours in its lane.
    pub next: *mut Job,
    pub previous: *mut Job,
    links: MaybeUninit<Links<Job>>,
    /// When it was queued, or will be due; in ns.
    pub stamp: u64,
    /// The loop on which it ends, and on which it has begun a request; null: the thread that ends it.
    home: *mut uv_loop_t,
    run: Option<RunFn>,
    done: Option<DoneFn>,
    /// Where it was posted.
    pub pool: *const Pool,
    status: c_int,
    pub lane: Lane,
    pub place: Place,
    /// Tells apart those that are due at the same time, in the order in which they were posted.
    pub number: u64,
}

const _: () = assert!(size_of::<Job>() == size_of::<uvx_pool_work_t>());
const _: () = assert!(size_of::<Job>() == size_of::<uvx_task_t>());

/// What a job is to do.
#[derive(Clone, Copy)]
pub struct Order {
    pub run: Option<RunFn>,
    pub done: Option<DoneFn>,
    pub home: *mut uv_loop_t,
    pub lane: Lane,
}

impl Job {
    /// Makes a job of memory in which only `data` means something.
    ///
    /// # Safety
    /// `raw` is memory for a job, the caller's alone.
    pub unsafe fn set_up(raw: *mut Job, pool: *const Pool, order: Order, stamp: u64) {
        let Order { run, done, home, lane } = order;
        // SAFETY: the caller's.
        unsafe {
            raw.write(Job {
                data: (*raw).data,
                notice: Notice::new(arrive),
                next: null_mut(),
                previous: null_mut(),
                links: MaybeUninit::uninit(),
                stamp,
                home,
                run,
                done,
                pool,
                status: 0,
                lane,
                place: Place::Taken,
                number: 0,
            });
        }
    }

    /// Does the work, on a thread of the pool, and ends the job. The thread was woken `late` ns late.
    ///
    /// # Safety
    /// The caller has taken the job, which may be gone afterwards.
    pub unsafe fn execute(job: *mut Job, late: u64) {
        // SAFETY: the caller's; the user's functions with the user's memory, which with its last callback is the user's again.
        unsafe {
            let (comes_home, has_done) = (!(*job).home.is_null(), (*job).done.is_some());
            let span = Span::begin();
            span.waited(QUEUED, job.addr(), (*job).stamp);
            if let Some(run) = (*job).run {
                run(job);
            }
            if comes_home {
                span.end(WORK, &[]);
                Job::complete(job, 0, late);
            } else {
                if has_done {
                    Job::complete(job, 0, late);
                }
                span.end(WORK, &[]);
            }
        }
    }

    /// Ends a job that does not run any more.
    ///
    /// # Safety
    /// As for `execute`; no lock is held.
    pub unsafe fn cancel(job: *mut Job) {
        // SAFETY: the caller's.
        unsafe {
            Span::begin().waited(QUEUED, job.addr(), (*job).stamp);
            Job::complete(job, UV_ECANCELED, 0);
        }
    }

    /// Ends the job: on its loop if it has one, else here.
    ///
    /// # Safety
    /// As for `execute`; no lock is held.
    pub unsafe fn complete(job: *mut Job, status: c_int, late: u64) {
        // SAFETY: the caller's; the job's request keeps its loop alive.
        unsafe {
            if !(*job).home.is_null() {
                (*job).status = status;
                Notice::post(&raw const (*job).notice, (*job).home, late);
            } else if let Some(done) = (*job).done {
                done(job, status);
            }
        }
    }
}

/// The job has come home.
fn arrive(cx: &mut Cx, lp: Loop, notice: *const Notice) {
    // SAFETY: the notice lies in a job, which is the library's until its callback.
    let (job, done, status) = unsafe {
        let job = container_of!(notice, Job, notice).cast_mut();
        (job, (*job).done, (*job).status)
    };
    lateness::set(lp.internals().linger.take_late());
    lp.collect_requests();
    lp.end_request();
    if let Some(done) = done {
        // SAFETY: the user's function, with what was given for it.
        cx.call(|| unsafe { done(job, status) });
    }
}

// SAFETY: `links` is a field; stamp and number do not change while the job is delayed.
unsafe impl Node for Job {
    unsafe fn links(node: *mut Self) -> *mut Links<Self> {
        // SAFETY: the caller's.
        unsafe { (&raw mut (*node).links).cast() }
    }
    unsafe fn before(a: *const Self, b: *const Self) -> bool {
        // SAFETY: the caller's.
        unsafe { ((*a).stamp, (*a).number) < ((*b).stamp, (*b).number) }
    }
}
