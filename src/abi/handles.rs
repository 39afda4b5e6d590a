//! The handles that are no streams.

use core::ffi::{c_char, c_int, c_uint, c_void};
use core::mem::ManuallyDrop;

use super::*;

/// The head of every handle. 96 bytes: handles do not reuse its padding.
#[repr(C)]
pub struct uv_handle_t {
    pub data: *mut c_void,
    pub loop_: *mut uv_loop_t,
    pub type_: uv_handle_type,
    pub close_cb: uv_close_cb,
    pub handle_queue: uv__queue,
    pub u: uv_handle_u,
    pub next_closing: *mut uv_handle_t,
    /// `UV_HANDLE_*` bits.
    pub flags: c_uint,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union uv_handle_u {
    pub fd: c_int,
    pub reserved: [*mut c_void; 4],
}

#[repr(C)]
pub struct uv_timer_t {
    pub handle: uv_handle_t,
    pub timer_cb: uv_timer_cb,
    pub node: uv_timer_node,
    /// When it is due: milliseconds of the loop's clock.
    pub timeout: u64,
    /// Milliseconds.
    pub repeat: u64,
    pub start_id: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union uv_timer_node {
    pub heap: [*mut c_void; 3],
    pub queue: uv__queue,
}

#[repr(C)]
pub struct uv_async_t {
    pub handle: uv_handle_t,
    pub async_cb: uv_async_cb,
    pub queue: uv__queue,
    /// Shared with the sending threads: touch it only as an atomic.
    pub pending: c_int,
}

#[repr(C)]
pub struct uv_prepare_t {
    pub handle: uv_handle_t,
    pub prepare_cb: uv_prepare_cb,
    pub queue: uv__queue,
}

#[repr(C)]
pub struct uv_check_t {
    pub handle: uv_handle_t,
    pub check_cb: uv_check_cb,
    pub queue: uv__queue,
}

#[repr(C)]
pub struct uv_idle_t {
    pub handle: uv_handle_t,
    pub idle_cb: uv_idle_cb,
    pub queue: uv__queue,
}

#[repr(C)]
pub struct uv_poll_t {
    pub handle: uv_handle_t,
    pub poll_cb: uv_poll_cb,
    pub io_watcher: uv__io_t,
}

#[repr(C)]
pub struct uv_signal_t {
    pub handle: uv_handle_t,
    pub signal_cb: uv_signal_cb,
    pub signum: c_int,
    pub tree_entry: uv_signal_tree_entry,
    pub caught_signals: c_uint,
    pub dispatched_signals: c_uint,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct uv_signal_tree_entry {
    pub rbe_left: *mut uv_signal_t,
    pub rbe_right: *mut uv_signal_t,
    pub rbe_parent: *mut uv_signal_t,
    pub rbe_color: c_int,
}

#[repr(C)]
pub struct uv_process_t {
    pub handle: uv_handle_t,
    pub exit_cb: uv_exit_cb,
    pub pid: c_int,
    pub queue: uv__queue,
    pub status: c_int,
}

#[repr(C)]
pub struct uv_process_options_t {
    pub exit_cb: uv_exit_cb,
    pub file: *const c_char,
    pub args: *mut *mut c_char,
    pub env: *mut *mut c_char,
    pub cwd: *const c_char,
    /// `UV_PROCESS_*` bits.
    pub flags: c_uint,
    pub stdio_count: c_int,
    pub stdio: *mut uv_stdio_container_t,
    pub uid: uv_uid_t,
    pub gid: uv_gid_t,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct uv_stdio_container_t {
    pub flags: uv_stdio_flags,
    pub data: uv_stdio_container_data,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union uv_stdio_container_data {
    pub stream: *mut uv_stream_t,
    pub fd: c_int,
}

#[repr(C)]
pub struct uv_fs_event_t {
    pub handle: uv_handle_t,
    pub path: *mut c_char,
    pub cb: uv_fs_event_cb,
    pub watchers: uv__queue,
    pub wd: c_int,
}

#[repr(C)]
pub struct uv_fs_poll_t {
    pub handle: uv_handle_t,
    pub poll_ctx: *mut c_void,
}

/// Room for any handle. Handles must not be copied, so the fields are not `Copy`.
#[repr(C)]
pub union uv_any_handle {
    pub async_: ManuallyDrop<uv_async_t>,
    pub check: ManuallyDrop<uv_check_t>,
    pub fs_event: ManuallyDrop<uv_fs_event_t>,
    pub fs_poll: ManuallyDrop<uv_fs_poll_t>,
    pub handle: ManuallyDrop<uv_handle_t>,
    pub idle: ManuallyDrop<uv_idle_t>,
    pub pipe: ManuallyDrop<uv_pipe_t>,
    pub poll: ManuallyDrop<uv_poll_t>,
    pub prepare: ManuallyDrop<uv_prepare_t>,
    pub process: ManuallyDrop<uv_process_t>,
    pub stream: ManuallyDrop<uv_stream_t>,
    pub tcp: ManuallyDrop<uv_tcp_t>,
    pub timer: ManuallyDrop<uv_timer_t>,
    pub tty: ManuallyDrop<uv_tty_t>,
    pub udp: ManuallyDrop<uv_udp_t>,
    pub signal: ManuallyDrop<uv_signal_t>,
}
