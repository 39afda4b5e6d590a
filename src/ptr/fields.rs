//! Getters and setters for the fields of C structs: one place, one shape, whole-struct provenance.

use super::Handle;
use crate::abi::*;
use core::ffi::{c_char, c_int, c_uint, c_void};

/// Types that begin with the base of all handles.
///
/// # Safety
/// `Self` begins with a `uv_handle_t` and is what a handle with `TYPE` in its type field is.
pub unsafe trait HandleType {
    /// The value of the type field.
    const TYPE: uv_handle_type;
}

/// Types that begin with the base of all requests.
///
/// # Safety
/// `Self` begins with a `uv_req_t`.
pub unsafe trait Request {
    /// The value of the type field.
    const TYPE: uv_req_type;
}

macro_rules! handle_types {
    ($($type:ty = $value:expr;)*) => {$(
        // SAFETY: the layout checks of `abi` compare the offsets of the base fields of each of them.
        unsafe impl HandleType for $type {
            const TYPE: uv_handle_type = $value;
        }
    )*};
}

handle_types! {
    uv_handle_t = UV_HANDLE;
    uv_async_t = UV_ASYNC;
    uv_check_t = UV_CHECK;
    uv_fs_event_t = UV_FS_EVENT;
    uv_fs_poll_t = UV_FS_POLL;
    uv_idle_t = UV_IDLE;
    uv_poll_t = UV_POLL;
    uv_pipe_t = UV_NAMED_PIPE;
    uv_prepare_t = UV_PREPARE;
    uv_process_t = UV_PROCESS;
    uv_signal_t = UV_SIGNAL;
    uv_stream_t = UV_STREAM;
    uv_tcp_t = UV_TCP;
    uv_timer_t = UV_TIMER;
    uv_tty_t = UV_TTY;
    uv_udp_t = UV_UDP;
}

// SAFETY: the layout checks of `abi` compare the offsets of the base fields.
unsafe impl Request for uv_work_t {
    const TYPE: uv_req_type = UV_WORK;
}

/// `fields!([Receiver] { getter, setter: path => type; ... })` for receivers that have `as_ptr()`.
#[macro_export]
#[doc(hidden)]
macro_rules! fields {
    ([$($receiver:tt)+] { $($get:ident, $set:ident: $($path:ident).+ => $value:ty;)* }) => {
        #[allow(missing_docs)]
        #[allow(clippy::not_unsafe_ptr_arg_deref)] // pointers are stored, not followed
        impl $($receiver)+ {$(
            #[inline]
            pub fn $get(self) -> $value {
                // SAFETY: the view is valid for reads of its struct, by the contract of its constructor.
                unsafe { (&raw const (*self.as_ptr()).$($path).+).read() }
            }
            #[inline]
            pub fn $set(self, value: $value) {
                // SAFETY: the view is valid for writes of its struct, by the contract of its constructor.
                unsafe { (&raw mut (*self.as_ptr()).$($path).+).write(value) }
            }
        )*}
    };
}

/// What all handles have.
impl<'cx, T: HandleType> Handle<'cx, T> {
    /// The handle as its base.
    pub fn base(self) -> Handle<'cx, uv_handle_t> {
        // SAFETY: what `HandleType` promises.
        unsafe { self.cast() }
    }

    /// Whether all bits of `mask` are set in the handle's flags.
    pub fn has(self, mask: c_uint) -> bool {
        self.base().flags() & mask == mask
    }

    /// Sets bits of the flags.
    pub fn set(self, mask: c_uint) {
        self.base().set_flags(self.base().flags() | mask);
    }

    /// Clears bits of the flags.
    pub fn clear(self, mask: c_uint) {
        self.base().set_flags(self.base().flags() & !mask);
    }

    /// Active: started, or waiting for something.
    pub fn is_active(self) -> bool {
        self.has(UV_HANDLE_ACTIVE)
    }

    /// `uv_close` was called.
    pub fn is_closing(self) -> bool {
        self.base().flags() & (UV_HANDLE_CLOSING | UV_HANDLE_CLOSED) != 0
    }
}

/// Types that begin with what all streams have.
///
/// # Safety
/// `Self` begins with a `uv_stream_t`.
pub unsafe trait StreamType: HandleType {}

// SAFETY: the layout checks of `abi` compare the offsets of the stream's fields; so for the others.
unsafe impl StreamType for uv_stream_t {}
// SAFETY: as above.
unsafe impl StreamType for uv_tcp_t {}
// SAFETY: as above.
unsafe impl StreamType for uv_pipe_t {}
// SAFETY: as above.
unsafe impl StreamType for uv_tty_t {}

impl<'cx, T: StreamType> Handle<'cx, T> {
    /// The handle as what all streams have.
    pub fn stream(self) -> Handle<'cx, uv_stream_t> {
        // SAFETY: what `StreamType` promises.
        unsafe { self.cast() }
    }
}

fields!([Handle<'_, uv_stream_t>] {
    write_queue_size, set_write_queue_size: write_queue_size => usize;
    alloc_cb, set_alloc_cb: alloc_cb => uv_alloc_cb;
    read_cb, set_read_cb: read_cb => uv_read_cb;
    connect_req, set_connect_req: connect_req => *mut uv_connect_t;
    shutdown_req, set_shutdown_req: shutdown_req => *mut uv_shutdown_t;
    fd, set_fd: io_watcher.fd => c_int;
    connection_cb, set_connection_cb: connection_cb => uv_connection_cb;
    delayed_error, set_delayed_error: delayed_error => c_int;
    accepted_fd, set_accepted_fd: accepted_fd => c_int;
    queued_fds, set_queued_fds: queued_fds => *mut c_void;
});

fields!([Handle<'_, uv_pipe_t>] {
    ipc, set_ipc: ipc => c_int;
    pipe_fname, set_pipe_fname: pipe_fname => *const c_char;
});

fields!([Handle<'_, uv_handle_t>] {
    data, set_data: data => *mut c_void;
    loop_ptr, set_loop_ptr: loop_ => *mut uv_loop_t;
    handle_type, set_handle_type: type_ => uv_handle_type;
    close_cb, set_close_cb: close_cb => uv_close_cb;
    next_closing, set_next_closing: next_closing => *mut uv_handle_t;
    flags, set_flags: flags => c_uint;
});

fields!([Handle<'_, uv_timer_t>] {
    timer_cb, set_timer_cb: timer_cb => uv_timer_cb;
    timeout, set_timeout: timeout => u64;
    repeat, set_repeat: repeat => u64;
    start_id, set_start_id: start_id => u64;
});

fields!([Handle<'_, uv_async_t>] {
    async_cb, set_async_cb: async_cb => uv_async_cb;
});

fields!([Handle<'_, uv_prepare_t>] {
    prepare_cb, set_prepare_cb: prepare_cb => uv_prepare_cb;
});

fields!([Handle<'_, uv_check_t>] {
    check_cb, set_check_cb: check_cb => uv_check_cb;
});

fields!([Handle<'_, uv_idle_t>] {
    idle_cb, set_idle_cb: idle_cb => uv_idle_cb;
});

fields!([Handle<'_, uv_poll_t>] {
    poll_cb, set_poll_cb: poll_cb => uv_poll_cb;
    fd, set_fd: io_watcher.fd => c_int;
});

fields!([Handle<'_, uv_fs_event_t>] {
    path, set_path: path => *mut c_char;
    cb, set_cb: cb => uv_fs_event_cb;
    wd, set_wd: wd => c_int;
});

fields!([Handle<'_, uv_fs_poll_t>] {
    poll_ctx, set_poll_ctx: poll_ctx => *mut c_void;
});

fields!([Handle<'_, uv_process_t>] {
    exit_cb, set_exit_cb: exit_cb => uv_exit_cb;
    pid, set_pid: pid => c_int;
    status, set_status: status => c_int;
});

fields!([Handle<'_, uv_signal_t>] {
    signal_cb, set_signal_cb: signal_cb => uv_signal_cb;
    signum, set_signum: signum => c_int;
});

fields!([Handle<'_, uv_udp_t>] {
    send_queue_size, set_send_queue_size: send_queue_size => usize;
    send_queue_count, set_send_queue_count: send_queue_count => usize;
    alloc_cb, set_alloc_cb: alloc_cb => uv_alloc_cb;
    recv_cb, set_recv_cb: recv_cb => uv_udp_recv_cb;
    fd, set_fd: io_watcher.fd => c_int;
});

fields!([Handle<'_, uv_tty_t>] {
    orig_termios, set_orig_termios: orig_termios => libc::termios;
    mode, set_mode: mode => c_int;
});
