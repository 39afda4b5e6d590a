//! The types and constants of workers.

use super::*;
use core::ffi::{c_char, c_int, c_uint, c_void};

/// A worker as those see it who started it. On the heap; what it is made of is not public.
pub struct uvx_worker_t {
    _private: [u8; 0],
}

/// A worker as it sees itself: for its own thread.
pub struct uvx_worker_ctx_t {
    _private: [u8; 0],
}

/// The worker's function, the first to run on its thread. `data` is that of the options. Its loop (uvx_worker_ctx_loop) and its port
/// (uvx_worker_ctx_port) are there. It may set things up and return, or do all its work and return.
///
/// When it returns 0 or more, the library runs the loop until nothing keeps it alive; the worker then exits by itself, with what
/// was returned as its exit code. A negative result says that the worker could not begin: it exits as UVX_WORKER_FAILED.
/// It must return: pthread_exit, longjmp out of it and cancellation are not allowed.
pub type uvx_worker_entry =
    Option<unsafe extern "C" fn(ctx: *mut uvx_worker_ctx_t, data: *mut c_void) -> c_int>;

/// Something for the worker's thread to do at its end; `data` is that of the options.
pub type uvx_worker_hook = Option<unsafe extern "C" fn(ctx: *mut uvx_worker_ctx_t, data: *mut c_void)>;

/// Why a worker has ended.
pub type uvx_worker_reason = c_uint;
/// It has not.
pub const UVX_WORKER_NOT_ENDED: uvx_worker_reason = 0;
/// Nothing was left to do. The code is what its entry returned.
pub const UVX_WORKER_RETURNED: uvx_worker_reason = 1;
/// It called uvx_worker_exit. The code is the one given there.
pub const UVX_WORKER_EXITED: uvx_worker_reason = 2;
/// uvx_worker_stop was called, if only before it began. The code is the one given there.
pub const UVX_WORKER_STOPPED: uvx_worker_reason = 3;
/// Its entry returned an error, which is `uv_error`. The code is 1.
pub const UVX_WORKER_FAILED: uvx_worker_reason = 4;

/// How a worker has ended.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct uvx_worker_exit_t {
    pub code: c_int,
    pub reason: uvx_worker_reason,
    /// 0 but for UVX_WORKER_FAILED.
    pub uv_error: c_int,
}

/// A worker has ended: its thread is gone, its loop closed, and all messages that it posted to an attached port have been delivered. Runs
/// on the loop that started it. When it returns, the worker's port is closed (unless it was taken) and `worker` is freed
/// (unless it is retained).
pub type uvx_worker_exit_cb =
    Option<unsafe extern "C" fn(worker: *mut uvx_worker_t, result: *const uvx_worker_exit_t)>;

/// The worker's loop measures its idle time, for uvx_worker_info (as UV_METRICS_IDLE_TIME does).
pub const UVX_WORKER_METRICS: c_uint = 1;

/// What can be said of a worker beyond its function. Zeroed but for `size`: the defaults.
#[repr(C)]
pub struct uvx_worker_options_t {
    /// sizeof(uvx_worker_options_t).
    pub size: usize,
    /// 0 or UVX_WORKER_METRICS.
    pub flags: c_uint,
    /// The thread's name, copied; of which the system shows 15 bytes. NULL: "WorkerThread".
    pub name: *const c_char,
    /// In bytes; 0: 4 MiB. Rounded up to whole pages, and to what the system (PTHREAD_STACK_MIN) and the library need at least.
    pub stack_size: usize,
    /// For the entry and the hooks.
    pub data: *mut c_void,
    /// Posted to the worker before it starts, so that it is the first message it reads. NULL: none. If the start fails, what it lists
    /// is the caller's as before.
    pub first_message: *const uvx_message_desc_t,
    /// Runs on the worker's thread when nothing keeps its loop alive any more. It may begin new things, and then runs again after those.
    /// Not if the worker was stopped or has called uvx_worker_exit.
    pub before_exit: uvx_worker_hook,
    /// Runs on the worker's thread once, at its end, however it came: the place to close handles and to free memory. The loop then
    /// runs until all that was closed here has had its callbacks. Handles and ports that are still open after that are closed
    /// without a callback; their memory is the program's all the same.
    pub cleanup: uvx_worker_hook,
    /// Has a busy worker look: runs when the worker is stopped or interrupted (uvx_interrupt_hook), with `data`. Not any more once
    /// `cleanup` has begun.
    pub interrupt_hook: uvx_interrupt_hook,
    /// The bounds of the channel between the worker and the loop that starts it. NULL: none. A worker that waits for room
    /// (uvx_message_port_post_wait) goes on when its parent reads, closes its end, or stops the worker.
    pub channel: *const uvx_message_channel_options_t,
}

/// Where a worker is in its life.
pub type uvx_worker_state = c_uint;
/// Its thread has been created, and has not run yet.
pub const UVX_WORKER_STARTING: uvx_worker_state = 0;
/// Its entry has been called.
pub const UVX_WORKER_ONLINE: uvx_worker_state = 1;
/// It has been stopped or ends by itself, and is not through yet.
pub const UVX_WORKER_STOPPING: uvx_worker_state = 2;
/// Its thread has ended; the exit callback is to come.
pub const UVX_WORKER_ENDED: uvx_worker_state = 3;
/// The exit callback has been called.
pub const UVX_WORKER_GONE: uvx_worker_state = 4;

/// What uvx_worker_info says.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct uvx_worker_info_t {
    /// sizeof(uvx_worker_info_t).
    pub size: usize,
    /// No other worker of the process has or had it. The first is 1.
    pub id: u64,
    pub state: uvx_worker_state,
    /// The system's number for the thread; -1 unless the thread is running.
    pub tid: c_int,
    /// The thread's name.
    pub name: [c_char; 16],
    /// In bytes.
    pub stack_size: usize,
    /// When its entry was called, as uv_hrtime says it; 0: not yet.
    pub started_ns: u64,
    /// How long its loop has waited for events, in ns. UINT64_MAX: not measured (UVX_WORKER_METRICS), or its loop is closed.
    pub idle_ns: u64,
    /// CPU time of the thread, in ns. UINT64_MAX unless the thread is running.
    pub cpu_ns: u64,
    /// How it ends, as soon as that is decided.
    pub exit: uvx_worker_exit_t,
}
