//! A second opinion on the layouts, by hand and with another crate: `src/abi/check.rs` proves all of them, from tables.

use core::mem::size_of;

use memoffset::{offset_of, offset_of_union, span_of};
use uv::abi::*;

/// The numbers that programs compiled against any 1.x header of the reference rely on.
#[test]
fn handles_and_streams() {
    assert_eq!(size_of::<uv_handle_t>(), 96);
    assert_eq!(offset_of!(uv_handle_t, data), 0);
    assert_eq!(offset_of!(uv_handle_t, loop_), 8);
    assert_eq!(offset_of!(uv_handle_t, type_), 16);
    assert_eq!(offset_of!(uv_handle_t, flags), 88);
    assert_eq!(offset_of!(uv_stream_t, write_queue_size), 96);
    assert_eq!(offset_of!(uv_stream_t, io_watcher) + offset_of!(uv__io_t, fd), 184);
    assert_eq!(offset_of!(uv_poll_t, io_watcher) + offset_of!(uv__io_t, fd), 152);
    assert_eq!(offset_of!(uv_udp_t, io_watcher) + offset_of!(uv__io_t, fd), 176);
    assert_eq!(offset_of!(uv_udp_t, send_queue_size), 96);
    assert_eq!(span_of!(uv_timer_t, node), 104..128);
    assert_eq!(offset_of_union!(uv_timer_node, queue), 0);
    assert_eq!(span_of!(uv_timer_t, timeout), 128..136);
    assert_eq!(offset_of!(uv_process_t, pid), 104);
    assert_eq!(offset_of!(uv_signal_t, signum), 104);
    assert_eq!(offset_of!(uv_async_t, pending), 120);
    assert_eq!(size_of::<uv_any_handle>(), 312);
}

/// The derived structs begin behind the padding of the base, and do not move into it.
#[test]
fn bases_keep_their_padding() {
    assert_eq!(span_of!(uv_timer_t, handle), 0..96);
    assert_eq!(offset_of!(uv_timer_t, timer_cb), 96);
    assert_eq!(span_of!(uv_tty_t, stream), 0..248);
    assert_eq!(offset_of!(uv_tty_t, orig_termios), 248);
    assert_eq!(span_of!(uv_write_t, req), 0..64);
}

#[test]
fn requests() {
    assert_eq!(size_of::<uv_req_t>(), 64);
    assert_eq!(offset_of!(uv_fs_t, result), 88);
    assert_eq!(offset_of!(uv_fs_t, ptr), 96);
    assert_eq!(offset_of!(uv_fs_t, statbuf), 112);
    assert_eq!(size_of::<uv_fs_t>(), 440);
    assert_eq!(offset_of!(uv_getaddrinfo_t, addrinfo), 144);
    assert_eq!(offset_of!(uv_getnameinfo_t, host), 252);
}

/// `uv_buf_t` is cast to `struct iovec`.
#[test]
fn buffers_are_iovecs() {
    assert_eq!(size_of::<uv_buf_t>(), size_of::<libc::iovec>());
    assert_eq!(span_of!(uv_buf_t, base), span_of!(libc::iovec, iov_base));
    assert_eq!(span_of!(uv_buf_t, len), span_of!(libc::iovec, iov_len));
}

/// On aarch64 `pthread_mutex_t` is larger and moves what is behind it.
#[test]
fn the_loop() {
    let mutex = size_of::<libc::pthread_mutex_t>();
    assert_eq!(size_of::<uv_loop_t>(), 808 + mutex);
    assert_eq!(offset_of!(uv_loop_t, active_handles), 8);
    assert_eq!(offset_of!(uv_loop_t, active_reqs), 32);
    assert_eq!(offset_of!(uv_loop_t, internal_fields), 40);
    assert_eq!(offset_of!(uv_loop_t, stop_flag), 48);
    assert_eq!(offset_of!(uv_loop_t, backend_fd), 64);
    assert_eq!(offset_of!(uv_loop_t, watchers), 104);
    assert_eq!(offset_of!(uv_loop_t, wq_mutex), 136);
    assert_eq!(offset_of!(uv_loop_t, wq_async), 136 + mutex);
    assert_eq!(offset_of!(uv_loop_t, cloexec_lock), 264 + mutex);
    assert_eq!(offset_of!(uv_loop_t, closing_handles), 320 + mutex);
    assert_eq!(offset_of!(uv_loop_t, timer_heap), 480 + mutex);
    assert_eq!(offset_of!(uv_loop_t, time), 504 + mutex);
    assert_eq!(offset_of!(uv_loop_t, child_watcher), 576 + mutex);
    assert_eq!(offset_of!(uv_loop_t, inotify_fd), 800 + mutex);
}

/// What stands in the tables as an expression, or differs from them.
#[test]
fn constants_that_are_expressions() {
    assert!(UV_FS_UTIME_NOW == f64::INFINITY && UV_FS_UTIME_OMIT.is_nan());
    assert_eq!(UV_IF_NAMESIZE, libc::IF_NAMESIZE + 1);
    assert_eq!(UV_MAXHOSTNAMESIZE, 64 + 1);
    assert_eq!(UV_VERSION_HEX, 0x01_34_01);
    assert_eq!((UV_VERSION_IS_RELEASE, UV_VERSION_SUFFIX), (1, c""));
}

#[test]
fn error_codes() {
    use uv::abi::errno::{ERRNO_MAP, Errno};
    assert_eq!(Errno::EINVAL.code(), UV_EINVAL);
    assert_eq!(Errno::from_errno(libc::ENOENT), Errno::ENOENT);
    assert_eq!(ERRNO_MAP.len(), 85);
    let named = |code| ERRNO_MAP.iter().find(|entry| entry.code == code);
    let eof = named(UV_EOF).expect("UV_EOF has a name");
    assert_eq!((eof.name, eof.message), (c"EOF", c"end of file"));
    for (index, entry) in ERRNO_MAP.iter().enumerate() {
        assert!(UV_ERRNO_MAX < entry.code && entry.code < 0);
        assert!(ERRNO_MAP.iter().skip(index + 1).all(|other| other.code != entry.code));
    }
}
