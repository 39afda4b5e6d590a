//! Streams: what TCP sockets, pipes and terminals have in common.

use super::status;
use crate::abi::*;
use crate::handles::stream::{self, listen, read, shutdown, write};
use crate::ptr::{Cx, Handle};
use core::ffi::{c_int, c_uint};
use core::ptr::null_mut;

/// Has `cb` called with status 0 for each connection that arrives; it takes the connection with uv_accept. `backlog` connections
/// may wait in the system. UV_EADDRINUSE if a TCP handle could not have its address; UV_EINVAL for closing handles, other types, and
/// pipes that are not bound or carry handles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_listen(stream: *mut uv_stream_t, backlog: c_int, cb: uv_connection_cb) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(listen::start(Handle::new(&Cx::enter(), stream), backlog, cb)) }
}

/// Gives `client`, an initialised handle of the same loop, the connection that waits at `server`, or the handle that came over a
/// pipe. Until it is called no further connections are reported. UV_EAGAIN if nothing waits; when `client` cannot take what waits,
/// that is closed, except that nothing happens if its type is wrong (UV_EINVAL).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_accept(server: *mut uv_stream_t, client: *mut uv_stream_t) -> c_int {
    // SAFETY: the caller gives two handles, on their loop's thread.
    unsafe {
        let cx = Cx::enter();
        status(listen::accept(Handle::new(&cx, server), Handle::new(&cx, client)))
    }
}

/// Reads: `alloc_cb` is asked for a buffer before each read, then `read_cb` gets the number of bytes in it; 0 means that there was
/// nothing after all, UV_ENOBUFS that `alloc_cb` gave no buffer. UV_EOF and errors end the reading. The buffer is always the
/// program's to free. UV_EINVAL without callbacks or for closing handles, UV_EALREADY while reading, UV_ENOTCONN if the
/// stream cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_read_start(
    stream: *mut uv_stream_t,
    alloc_cb: uv_alloc_cb,
    read_cb: uv_read_cb,
) -> c_int {
    if stream.is_null() {
        return UV_EINVAL;
    }
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(read::start(Handle::new(&Cx::enter(), stream), alloc_cb, read_cb)) }
}

/// Stops reading: the callbacks will not run. Always 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_read_stop(stream: *mut uv_stream_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { read::stop(Handle::new(&Cx::enter(), stream)) };
    0
}

/// Writes the `nbufs` buffers, in order and after what was written before. The array may go at once, the bytes and `req` are the
/// library's until `cb`, which may be NULL and never runs inside this call. UV_EINVAL for no buffers, or more than 2 GiB;
/// UV_EBADF without a descriptor; UV_EPIPE if the stream cannot be written; UV_ENOMEM. Writing to a pipe or socket whose other end
/// is closed raises SIGPIPE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_write(
    req: *mut uv_write_t,
    stream: *mut uv_stream_t,
    bufs: *const uv_buf_t,
    nbufs: c_uint,
    cb: uv_write_cb,
) -> c_int {
    let data = write::Data { buffers: bufs, count: nbufs, passenger: null_mut() };
    // SAFETY: the caller gives a handle, on its loop's thread, memory for the request, and buffers.
    unsafe { status(write::start(req, Handle::new(&Cx::enter(), stream), data, cb)) }
}

/// uv_write over a pipe with `ipc` that also sends a handle: a TCP socket, a pipe or a UDP socket. It arrives with the first byte, and
/// stays open here. UV_EINVAL if `stream` is no such pipe, UV_EBADF if `send_handle` has no descriptor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_write2(
    req: *mut uv_write_t,
    stream: *mut uv_stream_t,
    bufs: *const uv_buf_t,
    nbufs: c_uint,
    send_handle: *mut uv_stream_t,
    cb: uv_write_cb,
) -> c_int {
    let data = write::Data { buffers: bufs, count: nbufs, passenger: send_handle };
    // SAFETY: as for uv_write.
    unsafe { status(write::start(req, Handle::new(&Cx::enter(), stream), data, cb)) }
}

/// Writes what can be written at once and returns how many bytes that were; UV_EAGAIN if none, or if other writes wait. Other errors
/// as uv_write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_try_write(
    stream: *mut uv_stream_t,
    bufs: *const uv_buf_t,
    nbufs: c_uint,
) -> c_int {
    // SAFETY: as for uv_try_write2.
    unsafe { uv_try_write2(stream, bufs, nbufs, null_mut()) }
}

/// uv_try_write that also sends a handle, as uv_write2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_try_write2(
    stream: *mut uv_stream_t,
    bufs: *const uv_buf_t,
    nbufs: c_uint,
    send_handle: *mut uv_stream_t,
) -> c_int {
    let data = write::Data { buffers: bufs, count: nbufs, passenger: send_handle };
    // SAFETY: the caller gives a handle, on its loop's thread, and buffers.
    match unsafe { write::try_now(Handle::new(&Cx::enter(), stream), data) } {
        Ok(written) => c_int::try_from(written).unwrap_or(c_int::MAX),
        Err(error) => error.code(),
    }
}

/// Closes the write side once all that was written before is out, then calls `cb`, which may be NULL. UV_ENOTCONN if the stream is
/// not writable, or shut down already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_shutdown(
    req: *mut uv_shutdown_t,
    stream: *mut uv_stream_t,
    cb: uv_shutdown_cb,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and memory for the request.
    unsafe { status(shutdown::start(req, Handle::new(&Cx::enter(), stream), cb)) }
}

/// 1 if the stream can be read, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_is_readable(stream: *const uv_stream_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { c_int::from(Handle::new(&Cx::enter(), stream.cast_mut()).has(UV_HANDLE_READABLE)) }
}

/// 1 if the stream can be written, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_is_writable(stream: *const uv_stream_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { c_int::from(Handle::new(&Cx::enter(), stream.cast_mut()).has(UV_HANDLE_WRITABLE)) }
}

/// With a nonzero `blocking`, writes complete inside uv_write; their callbacks still run later. Set it before anything is
/// written. Reads then may block too. UV_EBADF without a descriptor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_stream_set_blocking(stream: *mut uv_stream_t, blocking: c_int) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(stream::set_blocking(Handle::new(&Cx::enter(), stream), blocking != 0)) }
}

/// Bytes that wait to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_stream_get_write_queue_size(stream: *const uv_stream_t) -> usize {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { Handle::new(&Cx::enter(), stream.cast_mut()).write_queue_size() }
}
