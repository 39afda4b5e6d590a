//! The handles that carry data: streams and UDP sockets.

use core::ffi::{c_char, c_int, c_void};

use super::*;

/// The head of every TCP socket, pipe and terminal.
#[repr(C)]
pub struct uv_stream_t {
    pub handle: uv_handle_t,
    /// Bytes queued and not yet written; read by programs.
    pub write_queue_size: usize,
    pub alloc_cb: uv_alloc_cb,
    /// Not null exactly while the stream is being read.
    pub read_cb: uv_read_cb,
    pub connect_req: *mut uv_connect_t,
    pub shutdown_req: *mut uv_shutdown_t,
    pub io_watcher: uv__io_t,
    pub write_queue: uv__queue,
    pub write_completed_queue: uv__queue,
    pub connection_cb: uv_connection_cb,
    pub delayed_error: c_int,
    pub accepted_fd: c_int,
    pub queued_fds: *mut c_void,
}

#[repr(C)]
pub struct uv_tcp_t {
    pub stream: uv_stream_t,
}

#[repr(C)]
pub struct uv_pipe_t {
    pub stream: uv_stream_t,
    /// Nonzero if handles may be sent over it.
    pub ipc: c_int,
    pub pipe_fname: *const c_char,
}

#[repr(C)]
pub struct uv_tty_t {
    pub stream: uv_stream_t,
    pub orig_termios: libc::termios,
    pub mode: c_int,
}

#[repr(C)]
pub struct uv_udp_t {
    pub handle: uv_handle_t,
    /// Bytes queued; read by programs.
    pub send_queue_size: usize,
    pub send_queue_count: usize,
    pub alloc_cb: uv_alloc_cb,
    pub recv_cb: uv_udp_recv_cb,
    pub io_watcher: uv__io_t,
    pub write_queue: uv__queue,
    pub write_completed_queue: uv__queue,
}
