//! The handle types: their sizes and names.

use crate::abi::*;
use core::ffi::CStr;

/// The size of a type's struct.
pub fn size(kind: uv_handle_type) -> Option<usize> {
    Some(match kind {
        UV_ASYNC => size_of::<uv_async_t>(),
        UV_CHECK => size_of::<uv_check_t>(),
        UV_FS_EVENT => size_of::<uv_fs_event_t>(),
        UV_FS_POLL => size_of::<uv_fs_poll_t>(),
        UV_HANDLE => size_of::<uv_handle_t>(),
        UV_IDLE => size_of::<uv_idle_t>(),
        UV_NAMED_PIPE => size_of::<uv_pipe_t>(),
        UV_POLL => size_of::<uv_poll_t>(),
        UV_PREPARE => size_of::<uv_prepare_t>(),
        UV_PROCESS => size_of::<uv_process_t>(),
        UV_STREAM => size_of::<uv_stream_t>(),
        UV_TCP => size_of::<uv_tcp_t>(),
        UV_TIMER => size_of::<uv_timer_t>(),
        UV_TTY => size_of::<uv_tty_t>(),
        UV_UDP => size_of::<uv_udp_t>(),
        UV_SIGNAL => size_of::<uv_signal_t>(),
        _ => return None,
    })
}

/// The name of a type's struct without `uv_` and `_t`.
pub fn name(kind: uv_handle_type) -> Option<&'static CStr> {
    Some(match kind {
        UV_ASYNC => c"async",
        UV_CHECK => c"check",
        UV_FS_EVENT => c"fs_event",
        UV_FS_POLL => c"fs_poll",
        UV_HANDLE => c"handle",
        UV_IDLE => c"idle",
        UV_NAMED_PIPE => c"pipe",
        UV_POLL => c"poll",
        UV_PREPARE => c"prepare",
        UV_PROCESS => c"process",
        UV_STREAM => c"stream",
        UV_TCP => c"tcp",
        UV_TIMER => c"timer",
        UV_TTY => c"tty",
        UV_UDP => c"udp",
        UV_SIGNAL => c"signal",
        UV_FILE => c"file",
        _ => return None,
    })
}
