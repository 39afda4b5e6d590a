//! The loop. Its size is fixed: what does not fit hangs on `internal_fields`.

use core::ffi::{c_int, c_uint, c_ulong, c_void};

use super::*;

#[repr(C)]
pub struct uv_loop_t {
    pub data: *mut c_void,
    /// Handles that are active and referenced; programs read it.
    pub active_handles: c_uint,
    pub handle_queue: uv__queue,
    pub active_reqs: uv_loop_active_reqs,
    pub internal_fields: *mut c_void,
    /// Nonzero stops the loop; programs write it.
    pub stop_flag: c_uint,
    pub flags: c_ulong,
    /// An epoll fd that holds the user's fds under their own numbers; programs use it.
    pub backend_fd: c_int,
    pub pending_queue: uv__queue,
    pub watcher_queue: uv__queue,
    pub watchers: *mut *mut uv__io_t,
    pub nwatchers: c_uint,
    pub nfds: c_uint,
    pub wq: uv__queue,
    pub wq_mutex: uv_mutex_t,
    pub wq_async: uv_async_t,
    pub cloexec_lock: uv_rwlock_t,
    pub closing_handles: *mut uv_handle_t,
    pub process_handles: uv__queue,
    pub prepare_handles: uv__queue,
    pub check_handles: uv__queue,
    pub idle_handles: uv__queue,
    pub async_handles: uv__queue,
    pub async_unused: Option<unsafe extern "C" fn()>,
    pub async_io_watcher: uv__io_t,
    pub async_wfd: c_int,
    pub timer_heap: uv_loop_timer_heap,
    pub timer_counter: u64,
    /// Milliseconds.
    pub time: u64,
    pub signal_pipefd: [c_int; 2],
    pub signal_io_watcher: uv__io_t,
    pub child_watcher: uv_signal_t,
    pub emfile_fd: c_int,
    pub inotify_read_watcher: uv__io_t,
    pub inotify_watchers: *mut c_void,
    pub inotify_fd: c_int,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union uv_loop_active_reqs {
    pub unused: *mut c_void,
    pub count: c_uint,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct uv_loop_timer_heap {
    pub min: *mut c_void,
    pub nelts: c_uint,
}
