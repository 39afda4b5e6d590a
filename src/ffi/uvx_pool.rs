//! Thread pools of the program's own.

use super::status;
use crate::abi::errno::Errno;
use crate::abi::*;
use crate::mem::Counted;
use crate::reqs;
use crate::worker::call::{Calls, request};
use crate::worker::pools::job::{DoneFn, Lane, RunFn};
use crate::worker::pools::{self, Kind, Pool};
use core::ffi::{c_int, c_uint};
use core::mem::transmute;

/// Makes a pool and starts its threads. `options` may be NULL. The caller has a reference to the pool: uvx_pool_release, after
/// uvx_pool_shutdown. Any thread.
///
/// On error there is no pool, and no thread of it. UV_EINVAL: the options make no sense. UV_ENOMEM. UV_EAGAIN: the system has no more threads.
/// UV_EACCES, UV_EPERM: not with that priority.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_pool_create(
    pool: *mut *mut uvx_pool_t,
    options: *const uvx_pool_options_t,
) -> c_int {
    // SAFETY: the caller gives options or NULL, and room for the result.
    status(unsafe { pools::create(Kind::Pool, options).map(|made| pool.write(made.into_raw().cast())) })
}

/// One more reference. Any thread that has one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_pool_ref(pool: *mut uvx_pool_t) {
    // SAFETY: the caller has a reference, and gets one more.
    let _ = unsafe { Counted::retain(pool.cast::<Pool>()) }.into_raw();
}

/// Gives up a reference. Does not end the threads: a pool that was not shut down keeps them, and itself, until the process ends. NULL is
/// fine. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_pool_release(pool: *mut uvx_pool_t) {
    if !pool.is_null() {
        // SAFETY: the caller gives up its reference.
        drop(unsafe { Counted::from_raw(pool.cast::<Pool>()) });
    }
}

/// Runs `work_cb` on a thread of the pool, then `done_cb`, which may be NULL, on the loop of `home`. The loop stays alive until then, and cannot be
/// closed. If `home` is NULL, no loop takes part: `done_cb` runs on the pool's thread after `work_cb`, or, cancelled, on
/// the thread that cancels.
///
/// Any thread, also the pool's own. Waits for no work, nor for threads that are being started. On error nothing was queued: UV_ESHUTDOWN:
/// the pool is shut down, or the mailbox or its loop is closed. UV_EINVAL: no `work_cb`, or no such priority.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_pool_queue(
    pool: *mut uvx_pool_t,
    work: *mut uvx_pool_work_t,
    work_cb: uvx_pool_work_cb,
    priority: uvx_priority,
    home: *mut uvx_mailbox_t,
    done_cb: uvx_pool_done_cb,
) -> c_int {
    let (Some(lane), true) = (Lane::of(priority), work_cb.is_some()) else { return UV_EINVAL };
    // SAFETY: the caller has references to both, and gives memory for the work; the functions take a pointer to the same.
    status(unsafe {
        let run = transmute::<uvx_pool_work_cb, Option<RunFn>>(work_cb);
        let done = transmute::<uvx_pool_done_cb, Option<DoneFn>>(done_cb);
        (*pool.cast::<Pool>()).queue(work.cast(), run, done, lane, home.cast::<Calls>().as_ref())
    })
}

/// Takes back work that no thread has begun: its `done_cb` runs with UV_ECANCELED, on its loop, or without one inside of this.
/// UV_EBUSY: it runs, or its `done_cb` does that has no loop. UV_EALREADY: it ran, or was cancelled before. UV_EINVAL: it was queued to another pool. Any thread. The memory
/// of `work` must still be there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_pool_cancel(pool: *mut uvx_pool_t, work: *mut uvx_pool_work_t) -> c_int {
    // SAFETY: the caller has a reference, and work that was queued.
    status(unsafe { (*pool.cast::<Pool>()).cancel(work.cast()) })
}

/// How many threads the pool is to have, 1 to 1024. New ones are there when this returns; those that are too many end when they have done what
/// they are doing. Any thread. On error nothing has changed: UV_EINVAL, UV_ESHUTDOWN, and as for uvx_pool_create.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_pool_set_size(pool: *mut uvx_pool_t, threads: c_uint) -> c_int {
    // SAFETY: the caller has a reference.
    status(unsafe { &*pool.cast::<Pool>() }.set_size(threads))
}

/// What the pool does and has done. Any thread. UV_EINVAL if `stats->size` is too small.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_pool_stats(pool: *mut uvx_pool_t, stats: *mut uvx_pool_stats_t) -> c_int {
    // SAFETY: the caller has a reference, and gives room for the result of the size that it says.
    unsafe {
        let size = (*stats).size;
        if size < size_of::<uvx_pool_stats_t>() {
            return Errno::EINVAL.code();
        }
        stats.write(uvx_pool_stats_t { size, ..(*pool.cast::<Pool>()).statistics() });
    }
    0
}

/// Ends the pool: it takes nothing any more, what waits runs or is cancelled, as `mode` says, and its threads end. 0: they have. What is
/// cancelled and has no loop gets its UV_ECANCELED inside of this.
///
/// UV_ETIMEDOUT: threads are still busy after `timeout_ns` (UVX_FOREVER: no limit; 0: this does not wait). The pool ends all the same when
/// they are through; this can be called again, to wait longer or, after UVX_SHUTDOWN_RUN_ALL, to drop what still waits.
///
/// Any thread but the pool's own. UV_EINVAL: this is one of those, or there is no such mode; nothing has changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_pool_shutdown(
    pool: *mut uvx_pool_t,
    mode: uvx_shutdown_mode,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller has a reference.
    status(unsafe { &*pool.cast::<Pool>() }.shutdown(mode, timeout_ns))
}

/// As uv_queue_work, from any thread, such as in a `work_cb`: for the loop of `home`, which stays alive until `after_work_cb` has run, and
/// cannot be closed. uv_cancel is for the loop's thread as ever. UV_ESHUTDOWN: the mailbox or its loop is closed. Else as
/// uv_queue_work.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_queue_work_from(
    home: *mut uvx_mailbox_t,
    req: *mut uv_work_t,
    work_cb: uv_work_cb,
    after_work_cb: uv_after_work_cb,
) -> c_int {
    // SAFETY: the caller has a reference, and gives memory for the request, which goes with the error.
    status(unsafe {
        let calls = &*home.cast::<Calls>();
        calls.begin_request().and_then(|home| {
            reqs::work::queue_from_elsewhere(home, req, work_cb, after_work_cb)
                .inspect_err(|_| request::take_back(home, calls))
        })
    })
}
