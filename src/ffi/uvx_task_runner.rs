//! Task runners: pools with tasks that may be delayed, and that can be waited for.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::mem::Counted;
use crate::ptr::Cx;
use crate::worker::pools::job::{DoneFn, Lane, Order};
use crate::worker::pools::{self, Kind, Pool};
use core::ffi::c_int;
use core::mem::transmute;
use core::ptr::null_mut;

/// Makes a task runner and starts its threads, as uvx_pool_create.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_task_runner_create(
    runner: *mut *mut uvx_task_runner_t,
    options: *const uvx_pool_options_t,
) -> c_int {
    // SAFETY: the caller gives options or NULL, and room for the result.
    status(unsafe {
        pools::create(Kind::TaskRunner, options).map(|made| runner.write(made.into_raw().cast()))
    })
}

/// One more reference. Any thread that has one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_task_runner_ref(runner: *mut uvx_task_runner_t) {
    // SAFETY: the caller has a reference, and gets one more.
    let _ = unsafe { Counted::retain(runner.cast::<Pool>()) }.into_raw();
}

/// Gives up a reference, as uvx_pool_release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_task_runner_release(runner: *mut uvx_task_runner_t) {
    if !runner.is_null() {
        // SAFETY: the caller gives up its reference.
        drop(unsafe { Counted::from_raw(runner.cast::<Pool>()) });
    }
}

/// The runner's pool, for uvx_pool_set_size, uvx_pool_stats and work of its own. It is the runner's: whoever wants it longer takes a reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_task_runner_pool(runner: *mut uvx_task_runner_t) -> *mut uvx_pool_t {
    runner.cast()
}

/// Runs `cb` on one of the runner's threads: before tasks of lower priority, after those of the same that were posted before. Any thread, also
/// the runner's own. Never waits. On error nothing was posted: UV_ESHUTDOWN: the runner is shut down. UV_EINVAL: no `cb`, or no
/// such priority.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_task_runner_post(
    runner: *mut uvx_task_runner_t,
    task: *mut uvx_task_t,
    priority: uvx_priority,
    cb: uvx_task_cb,
) -> c_int {
    // SAFETY: the caller's duties are those of the other function.
    unsafe { uvx_task_runner_post_delayed(runner, task, priority, 0, cb) }
}

/// As uvx_task_runner_post, but the task is posted in `delay_ns`, not earlier. Tasks that are due at the same time run in the order of the
/// posts. 0: now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_task_runner_post_delayed(
    runner: *mut uvx_task_runner_t,
    task: *mut uvx_task_t,
    priority: uvx_priority,
    delay_ns: u64,
    cb: uvx_task_cb,
) -> c_int {
    let (Some(lane), true) = (Lane::of(priority), cb.is_some()) else { return UV_EINVAL };
    // SAFETY: the caller has a reference, and gives memory for the task; the function takes a pointer to the same.
    status(unsafe {
        let done = transmute::<uvx_task_cb, Option<DoneFn>>(cb);
        let order = Order { run: None, done, home: null_mut(), lane };
        (*runner.cast::<Pool>()).post(task.cast(), order, delay_ns)
    })
}

/// Takes back a task that no thread has begun: its callback runs inside of this, with UV_ECANCELED. UV_EBUSY: it runs, maybe right here.
/// UV_EALREADY: it ran, or was cancelled before. UV_EINVAL: it was posted to another runner. Any thread. The task's memory must still
/// be there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_task_runner_cancel(
    runner: *mut uvx_task_runner_t,
    task: *mut uvx_task_t,
) -> c_int {
    // SAFETY: the caller has a reference, and a task that was posted.
    status(unsafe { (*runner.cast::<Pool>()).cancel(task.cast()) })
}

/// Waits until no task of the priority `at_least` or above waits or runs, those included that are posted meanwhile. Tasks that are not due yet
/// do not count.
///
/// If `pump` is not NULL, that loop runs turns meanwhile, as if in uv_run, so that tasks may wait for what they post to it; the wait
/// is then over when also no posted call (uvx_mailbox_call) waits for the loop. On the loop's thread, and not inside of
/// one of its callbacks. UV_EINTR: uv_stop was called; it also ends the uv_run to come.
///
/// Any thread but the runner's own. UV_ETIMEDOUT: after `timeout_ns` (UVX_FOREVER: no limit; 0: this only looks). UV_EINVAL: this is a
/// thread of the runner, or there is no such priority.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_task_runner_drain(
    runner: *mut uvx_task_runner_t,
    at_least: uvx_priority,
    timeout_ns: u64,
    pump: *mut uv_loop_t,
) -> c_int {
    let Some(least) = Lane::of(at_least) else { return UV_EINVAL };
    // SAFETY: the caller has a reference, and gives NULL or a loop, on its thread; an entry from C.
    status(unsafe {
        let pump = (!pump.is_null()).then(|| Loop::new(pump));
        (*runner.cast::<Pool>()).drain(&mut Cx::enter(), least, timeout_ns, pump)
    })
}

/// Ends the runner, as uvx_pool_shutdown: tasks that are dropped get their UV_ECANCELED inside of this, once each; so do delayed tasks
/// that are not due yet, whatever the mode.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_task_runner_shutdown(
    runner: *mut uvx_task_runner_t,
    mode: uvx_shutdown_mode,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller has a reference.
    status(unsafe { &*runner.cast::<Pool>() }.shutdown(mode, timeout_ns))
}
