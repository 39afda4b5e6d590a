//! The types and constants of thread pools and task runners.

use core::ffi::{c_char, c_int, c_uint, c_void};

/// A pool of threads. Counted; what it is made of is not public.
pub struct uvx_pool_t {
    _private: [u8; 0],
}

/// A pool with tasks that may be delayed, and that can be waited for. Counted; what it is made of is not public.
pub struct uvx_task_runner_t {
    _private: [u8; 0],
}

/// How urgent work is: of what waits in a pool the most urgent is next, and among equals what was queued first. What was overtaken 32
/// times in a row while it was the first of its priority is next in any case, so nothing waits for ever.
pub type uvx_priority = c_int;
/// For what nobody waits for.
pub const UVX_PRIORITY_LOW: uvx_priority = -1;
/// The usual.
pub const UVX_PRIORITY_NORMAL: uvx_priority = 0;
/// For what somebody is waiting for right now.
pub const UVX_PRIORITY_HIGH: uvx_priority = 1;

/// Work for a pool. The caller's memory, which is the library's from the moment it is queued until its last callback begins; that may
/// free it or queue it again.
#[repr(C)]
pub struct uvx_pool_work_t {
    /// The program's own.
    pub data: *mut c_void,
    /// The library's. Needs no initialisation.
    pub reserved: [*mut c_void; 15],
}

/// Runs on one of the pool's threads. It must return: pthread_exit, longjmp out of it and cancellation are not allowed.
pub type uvx_pool_work_cb = Option<unsafe extern "C" fn(work: *mut uvx_pool_work_t)>;

/// The work is over: `status` is 0, or UV_ECANCELED if it did not run. Exactly once for all that was queued.
pub type uvx_pool_done_cb = Option<unsafe extern "C" fn(work: *mut uvx_pool_work_t, status: c_int)>;

/// A task. The caller's memory, which is the library's from the post until its callback begins; that may free it or post it again.
#[repr(C)]
pub struct uvx_task_t {
    /// The program's own.
    pub data: *mut c_void,
    /// The library's. Needs no initialisation.
    pub reserved: [*mut c_void; 15],
}

/// The task itself, on one of the runner's threads, with 0; or, with UV_ECANCELED, all that comes of it: on the thread that cancels it or shuts
/// the runner down. Exactly once for each task that was posted. It must return, as uvx_pool_work_cb.
pub type uvx_task_cb = Option<unsafe extern "C" fn(task: *mut uvx_task_t, status: c_int)>;

/// What can be said of a pool. Zeroed but for `size`: the defaults.
#[repr(C)]
pub struct uvx_pool_options_t {
    /// sizeof(uvx_pool_options_t).
    pub size: usize,
    /// 0.
    pub flags: c_uint,
    /// How many threads, 1 to 1024; 0: as uv_available_parallelism says.
    pub threads: c_uint,
    /// The threads' name, copied; of which the system shows 15 bytes. NULL: "uvx-pool".
    pub name: *const c_char,
    /// In bytes; 0: 8 MiB. Rounded up to whole pages, and to what the system (PTHREAD_STACK_MIN) and the library need at least.
    pub stack_size: usize,
    /// One of UV_THREAD_PRIORITY_*, set by each thread for itself as by uv_thread_setpriority.
    pub thread_priority: c_int,
}

/// How a pool is shut down.
pub type uvx_shutdown_mode = c_int;
/// What waits is cancelled.
pub const UVX_SHUTDOWN_DROP: uvx_shutdown_mode = 0;
/// What waits for a thread runs. Delayed tasks that are not due yet are cancelled.
pub const UVX_SHUTDOWN_RUN_ALL: uvx_shutdown_mode = 1;

/// What uvx_pool_stats says. Counts and times are those since the pool was made. A wait is the time between queueing and the beginning of the
/// work, for delayed tasks from when they were due; times in ns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct uvx_pool_stats_t {
    /// sizeof(uvx_pool_stats_t).
    pub size: usize,
    /// How many threads there are to be, how many there are, and how many of these are running work.
    pub threads: c_uint,
    pub started: c_uint,
    pub busy: c_uint,
    /// The most that were running work at a time.
    pub most_busy: c_uint,
    /// What waits for a thread now, of each priority, the lowest first.
    pub waiting: [usize; 3],
    /// Tasks whose time has not come.
    pub delayed: usize,
    /// The most that were waiting at a time.
    pub most_waiting: usize,
    /// All that was queued, that was begun, that ran to its end, and that was cancelled.
    pub queued: u64,
    pub begun: u64,
    pub done: u64,
    pub cancelled: u64,
    /// Of all that was begun. Divided by `begun`: the mean.
    pub wait_total_ns: u64,
    pub wait_max_ns: u64,
    /// Half of all, and 99 of a hundred, waited less than this; up to a quarter too much.
    pub wait_p50_ns: u64,
    pub wait_p99_ns: u64,
    /// How long what waits longest among the first of each priority has waited; 0: nothing waits.
    pub oldest_ns: u64,
}
