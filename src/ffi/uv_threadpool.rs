//! Work on the thread pool.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::worker::{debug, service};
use crate::{event_loop, reqs, trace};
use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, Ordering};

/// Runs `work_cb` on a thread of the pool and then `after_work_cb`, which may be NULL, on the loop's. The pool has
/// UV_THREADPOOL_SIZE threads (1 to 1024, by default 4). UV_EINVAL without `work_cb`; UV_ENOMEM or UV_EAGAIN if no thread can start.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_queue_work(
    r#loop: *mut uv_loop_t,
    req: *mut uv_work_t,
    work_cb: uv_work_cb,
    after_work_cb: uv_after_work_cb,
) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for the request.
    status(unsafe { reqs::work::queue(Loop::new(r#loop), req, work_cb, after_work_cb) })
}

/// Takes back a request that no thread has begun: its callback runs soon, with UV_ECANCELED. UV_EBUSY if it runs or is done,
/// UV_EINVAL for types that cannot be cancelled. On the loop's thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_cancel(req: *mut uv_req_t) -> c_int {
    // SAFETY: the caller gives a request in use.
    status(unsafe { reqs::cancel(req) })
}

/// Ends the threads of the pool. Nothing of this library may be used afterwards. Runs by itself when the library is unloaded or the
/// process ends; calls after the first do nothing.
#[unsafe(no_mangle)]
pub extern "C" fn uv_library_shutdown() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if !DONE.swap(true, Ordering::AcqRel) {
        debug::stop();
        event_loop::pool::shutdown();
        service::shutdown();
    }
}

/// A fork that is under way does not know of handlers that are registered meanwhile, yet copies the locks that are taken after that. So
/// they are registered before any thread can be in a hurry; what fails for want of memory is tried again before the first lock.
extern "C" fn guard_forks() {
    let _ = event_loop::lifecycle::guard_forks();
    let _ = trace::state::guard_forks();
}

/// Runs when the library is loaded.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = guard_forks;

/// Runs at the end of the process.
#[used]
#[unsafe(link_section = ".fini_array")]
static AT_END: extern "C" fn() = uv_library_shutdown;
