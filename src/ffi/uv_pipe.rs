//! Unix sockets and pipes.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::pipe;
use crate::ptr::{Cx, Handle};
use crate::sys::socket::End;
use core::ffi::{CStr, c_char, c_int, c_uint};

/// Makes the memory at `handle` a pipe handle without a descriptor. Handles can be sent over it if `ipc` is nonzero; such a pipe
/// cannot listen.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe_init(r#loop: *mut uv_loop_t, handle: *mut uv_pipe_t, ipc: c_int) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for the handle.
    unsafe { pipe::init(&Cx::enter(), Loop::new(r#loop), handle, ipc) };
    0
}

/// Gives the handle an existing pipe, Unix socket or FIFO, which becomes non-blocking and is closed with the handle. UV_EEXIST if the
/// loop watches it already, UV_EBUSY if the handle has another one, UV_EBADF.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe_open(handle: *mut uv_pipe_t, file: uv_file) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(pipe::open(Handle::new(&Cx::enter(), handle), file)) }
}

/// uv_pipe_bind2 with a path, which is cut to the system's 108 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe_bind(handle: *mut uv_pipe_t, name: *const c_char) -> c_int {
    if name.is_null() {
        return UV_EINVAL;
    }
    // SAFETY: as for uv_pipe_bind2; the name is a string.
    unsafe { uv_pipe_bind2(handle, name, CStr::from_ptr(name).count_bytes(), 0) }
}

/// Binds the handle to a name of `namelen` bytes: a path, whose file is removed when the handle is closed, or with a zero as first byte
/// a name in the abstract namespace; for an empty one the system finds a name. `flags` is 0 or UV_PIPE_NO_TRUNCATE, which makes
/// UV_EINVAL of a name longer than 108 bytes. UV_EINVAL also for a bound or closing handle; UV_EADDRINUSE; UV_EACCES, also for a
/// folder that does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe_bind2(
    handle: *mut uv_pipe_t,
    name: *const c_char,
    namelen: usize,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and the name.
    unsafe { status(pipe::bind(Handle::new(&Cx::enter(), handle), name, namelen, flags)) }
}

/// uv_pipe_connect2 with a path, which is cut to the system's 108 bytes. All errors go to `cb`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe_connect(
    req: *mut uv_connect_t,
    handle: *mut uv_pipe_t,
    name: *const c_char,
    cb: uv_connect_cb,
) {
    // SAFETY: the caller gives a handle, on its loop's thread, memory for the request, and a string.
    unsafe { pipe::connect_by_path(req, Handle::new(&Cx::enter(), handle), name, cb) }
}

/// Connects to the Unix socket with the name, as uv_pipe_bind2 takes it. `cb`, which may be NULL, runs later with the outcome; until
/// then `req` is the library's. UV_EINVAL for a name that is empty or too long, unknown flags, or a closing handle;
/// UV_EALREADY while another connection is being made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe_connect2(
    req: *mut uv_connect_t,
    handle: *mut uv_pipe_t,
    name: *const c_char,
    namelen: usize,
    flags: c_uint,
    cb: uv_connect_cb,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, memory for the request, and the name.
    unsafe { status(pipe::connect(req, Handle::new(&Cx::enter(), handle), (name, namelen), flags, cb)) }
}

/// Stores the handle's own name in `buffer`, whose size is `*size`, and its length in `*size`; a path gets a zero behind it that is not
/// counted. With UV_ENOBUFS `*size` is what is needed; with other errors it is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe_getsockname(
    handle: *const uv_pipe_t,
    buffer: *mut c_char,
    size: *mut usize,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and room for the name.
    unsafe { status(pipe::name(Handle::new(&Cx::enter(), handle.cast_mut()), End::Own, buffer, size)) }
}

/// Stores the name of the other end, as uv_pipe_getsockname. UV_ENOTCONN if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe_getpeername(
    handle: *const uv_pipe_t,
    buffer: *mut c_char,
    size: *mut usize,
) -> c_int {
    // SAFETY: as for uv_pipe_getsockname.
    unsafe { status(pipe::name(Handle::new(&Cx::enter(), handle.cast_mut()), End::Peer, buffer, size)) }
}

/// A matter of other systems: does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe_pending_instances(_handle: *mut uv_pipe_t, _count: c_int) {}

/// How many handles have come over the pipe and wait for uv_accept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe_pending_count(handle: *mut uv_pipe_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    let count = unsafe { pipe::pending_count(Handle::new(&Cx::enter(), handle)) };
    c_int::try_from(count).unwrap_or(c_int::MAX)
}

/// The type of handle to initialise for the next uv_accept; UV_UNKNOWN_HANDLE if nothing waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe_pending_type(handle: *mut uv_pipe_t) -> uv_handle_type {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { pipe::pending_type(Handle::new(&Cx::enter(), handle)) }
}

/// Lets all users read (UV_READABLE), write (UV_WRITABLE) or both; otherwise UV_EINVAL. UV_EBADF for NULL, and without a descriptor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe_chmod(handle: *mut uv_pipe_t, flags: c_int) -> c_int {
    if handle.is_null() {
        return UV_EBADF;
    }
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(pipe::chmod(Handle::new(&Cx::enter(), handle), flags)) }
}

/// A pipe, closed on exec, the program's own: what is written to `fds[1]` is read from `fds[0]`. The end whose flags are
/// UV_NONBLOCK_PIPE does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_pipe(fds: *mut uv_file, read_flags: c_int, write_flags: c_int) -> c_int {
    // SAFETY: the caller gives room for two descriptors.
    status(pipe::pair(read_flags, write_flags).map(|made| unsafe { fds.cast::<[c_int; 2]>().write(made) }))
}
