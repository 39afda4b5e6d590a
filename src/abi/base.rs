//! What the other types are made of: queue nodes, watchers, work items, buffers, and the names for the system's own types.

use core::ffi::{c_char, c_int, c_uint, c_void};

use super::uv_loop_t;

pub type uv_file = c_int;
pub type uv_os_sock_t = c_int;
pub type uv_os_fd_t = c_int;
pub type uv_pid_t = libc::pid_t;
pub type uv_uid_t = libc::uid_t;
pub type uv_gid_t = libc::gid_t;
pub type uv__dirent_t = libc::dirent;

// C programs mix uv_* and pthread_* calls on these, so they are the system's types themselves.
/// `pthread_once_t`, which libc does not name: an int with glibc and with musl.
pub type uv_once_t = c_int;
pub type uv_thread_t = libc::pthread_t;
pub type uv_mutex_t = libc::pthread_mutex_t;
pub type uv_rwlock_t = libc::pthread_rwlock_t;
pub type uv_sem_t = libc::sem_t;
pub type uv_cond_t = libc::pthread_cond_t;
pub type uv_key_t = libc::pthread_key_t;
pub type uv_barrier_t = libc::pthread_barrier_t;

/// A node, and the head, of a circular queue; `crate::ds::queue` works on it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct uv__queue {
    pub next: *mut uv__queue,
    pub prev: *mut uv__queue,
}

/// What a loop watches on one file descriptor. `fd` is read by programs.
#[repr(C)]
pub struct uv__io_t {
    /// Says which handle this watcher lies in.
    pub bits: usize,
    pub pending_queue: uv__queue,
    pub watcher_queue: uv__queue,
    /// The events wanted from the next poll on.
    pub pevents: c_uint,
    /// The events the kernel was told.
    pub events: c_uint,
    pub fd: c_int,
}

/// An item of the thread pool's queue, inside a request.
#[repr(C)]
pub struct uv__work {
    pub work: Option<unsafe extern "C" fn(*mut uv__work)>,
    pub done: Option<unsafe extern "C" fn(*mut uv__work, c_int)>,
    pub loop_: *mut uv_loop_t,
    pub wq: uv__queue,
}

/// A piece of memory. The same layout as `struct iovec`, and cast to it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct uv_buf_t {
    pub base: *mut c_char,
    pub len: usize,
}

#[repr(C)]
pub struct uv_lib_t {
    pub handle: *mut c_void,
    pub errmsg: *mut c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct uv_thread_options_t {
    pub flags: c_uint,
    /// Bytes.
    pub stack_size: usize,
}
