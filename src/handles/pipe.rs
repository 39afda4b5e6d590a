//! `uv_pipe_t`: Unix sockets and pipes. Belongs to its loop's thread.

use super::stream::connect;
use super::stream::{self, BOUND, fd_passing};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::mem;
use crate::os::descriptor;
use crate::ptr::{Cx, Handle};
use crate::sys::socket::{self, End, Progress, UNIX_PATH_MAX, UnixName};
use crate::sys::{self, path};
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::ptr::null;

/// `uv_pipe_init`.
///
/// # Safety
/// `raw` is writable memory for a pipe handle that is not in use.
pub unsafe fn init(cx: &Cx, lp: Loop, raw: *mut uv_pipe_t, ipc: c_int) {
    // SAFETY: the caller's.
    let handle = unsafe { stream::init(cx, lp, raw) };
    handle.set_ipc(ipc);
    handle.set_pipe_fname(null());
}

/// `uv_pipe_open`: readable and writable as the descriptor is. `UV_EEXIST` if the loop watches it already.
pub fn open(handle: Handle<'_, uv_pipe_t>, fd: c_int) -> Result {
    if handle.owner().is_watched(fd) {
        return Err(Errno::EEXIST);
    }
    let flags = sys::fd::flags(fd)?;
    if flags & libc::O_NONBLOCK == 0 {
        sys::fd::set_nonblocking(fd)?;
    }
    stream::open(handle.stream(), fd, stream::directions(flags))
}

/// The address for a name. A path that is too long is cut, or refused with `UV_PIPE_NO_TRUNCATE`; a name that begins with a zero is
/// in the abstract namespace.
///
/// # Safety
/// `name` is null, or `length` bytes long.
unsafe fn address<'a>(name: *const c_char, length: usize, flags: c_uint) -> Result<(UnixName, &'a [u8])> {
    if flags & !UV_PIPE_NO_TRUNCATE != 0 || name.is_null() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's.
    let name = unsafe { core::slice::from_raw_parts(name.cast::<u8>(), length) };
    if name.first().is_some_and(|first| *first != 0) && name.contains(&0) {
        return Err(Errno::EINVAL);
    }
    if flags & UV_PIPE_NO_TRUNCATE != 0 && length > UNIX_PATH_MAX {
        return Err(Errno::EINVAL);
    }
    let name = name.get(..UNIX_PATH_MAX).unwrap_or(name);
    Ok((UnixName::new(name)?, name))
}

/// `uv_pipe_bind2`. A missing folder is `UV_EACCES`, as on other systems.
///
/// # Safety
/// `name` is null, or `length` bytes long.
pub unsafe fn bind(
    handle: Handle<'_, uv_pipe_t>,
    name: *const c_char,
    length: usize,
    flags: c_uint,
) -> Result {
    // SAFETY: the caller's.
    let (address, name) = unsafe { address(name, length, flags)? };
    if handle.stream().fd() != -1 || handle.is_closing() {
        return Err(Errno::EINVAL);
    }
    let path = keep_path(name)?;
    let bound = socket::open(libc::AF_UNIX, libc::SOCK_STREAM, 0)
        .and_then(|fd| address.bind(fd).map(|()| fd).inspect_err(|_| sys::fd::close(fd)));
    match bound {
        Ok(fd) => {
            handle.set(BOUND);
            handle.set_pipe_fname(path);
            handle.stream().set_fd(fd);
            Ok(())
        }
        Err(error) => {
            // SAFETY: the copy made above, which nobody else has.
            unsafe { mem::free(path.cast_mut().cast()) };
            Err(if error == Errno::ENOENT { Errno::EACCES } else { error })
        }
    }
}

/// A copy of a path, for unlinking it later; null for other names.
fn keep_path(name: &[u8]) -> Result<*const c_char> {
    if name.first().is_none_or(|first| *first == 0) {
        return Ok(null());
    }
    let copy = mem::alloc_array::<u8>(name.len().saturating_add(1))?.as_ptr();
    // SAFETY: the block has room for the name and a zero.
    unsafe {
        copy.copy_from_nonoverlapping(name.as_ptr(), name.len());
        copy.add(name.len()).write(0);
    }
    Ok(copy.cast_const().cast())
}

/// `uv_listen`, up to the call that all streams share: `UV_EINVAL` for pipes that are not bound or carry handles.
pub fn prepare_listening(handle: Handle<'_, uv_pipe_t>) -> Result {
    if handle.stream().fd() == -1 || handle.ipc() != 0 { Err(Errno::EINVAL) } else { Ok(()) }
}

/// For `uv_close`. The file goes before the socket: later, it could be the one that another process has just bound.
pub fn stop(handle: Handle<'_, uv_pipe_t>) {
    let file = handle.pipe_fname();
    if !file.is_null() {
        // SAFETY: the copy that `bind` made, which ends in a zero; it is freed once.
        unsafe {
            let _ = path::unlink(CStr::from_ptr(file)); // another may have removed it
            mem::free(file.cast_mut().cast());
        }
        handle.set_pipe_fname(null());
    }
    stream::stop(handle.stream());
}

/// `uv_pipe_connect2`: returns what is wrong with the arguments; everything else goes to the callback.
///
/// # Safety
/// `req` is writable memory for a request that is not in use, and stays so until its callback ran; `name` is null, or `length`
/// bytes long.
pub unsafe fn connect(
    req: *mut uv_connect_t,
    handle: Handle<'_, uv_pipe_t>,
    (name, length): (*const c_char, usize),
    flags: c_uint,
    cb: uv_connect_cb,
) -> Result {
    // SAFETY: the caller's.
    let (address, _) = unsafe { address(name, length, flags)? };
    if length == 0 || handle.is_closing() {
        return Err(Errno::EINVAL);
    }
    if !handle.stream().connect_req().is_null() {
        return Err(Errno::EALREADY);
    }
    let progress = start_connecting(handle, &address);
    // SAFETY: the caller's.
    unsafe { connect::begin(req, handle.stream(), progress, cb) };
    Ok(())
}

/// `uv_pipe_connect`: all errors go to the callback.
///
/// # Safety
/// As for `connect`; `name` is a string.
pub unsafe fn connect_by_path(
    req: *mut uv_connect_t,
    handle: Handle<'_, uv_pipe_t>,
    name: *const c_char,
    cb: uv_connect_cb,
) {
    // SAFETY: the caller's.
    unsafe {
        let length = CStr::from_ptr(name).to_bytes().len();
        if let Err(error) = connect(req, handle, (name, length), 0, cb) {
            connect::begin(req, handle.stream(), Err(error), cb);
        }
    }
}

fn start_connecting(handle: Handle<'_, uv_pipe_t>, address: &UnixName) -> Result<Progress> {
    let stream = handle.stream();
    if stream.fd() == -1 {
        stream.set_fd(socket::open(libc::AF_UNIX, libc::SOCK_STREAM, 0)?);
    }
    address.connect(stream.fd()).inspect(|_| stream.set(UV_HANDLE_READABLE | UV_HANDLE_WRITABLE))
}

/// `uv_pipe_getsockname` and `uv_pipe_getpeername`: stores the name, with a zero behind it unless it is an abstract one, and in `size`
/// its length, or with `UV_ENOBUFS` the size that is needed.
///
/// # Safety
/// `size` is null or readable and writable, and `buffer` null or that long.
pub unsafe fn name(handle: Handle<'_, uv_pipe_t>, end: End, buffer: *mut c_char, size: *mut usize) -> Result {
    // SAFETY: the caller's; so for the others.
    if buffer.is_null() || size.is_null() || unsafe { size.read() } == 0 {
        return Err(Errno::EINVAL);
    }
    let found = super::descriptor(handle.base()).and_then(|fd| UnixName::of(fd, end));
    // SAFETY: as above.
    unsafe {
        let name = match &found {
            Ok(name) => name.bytes(),
            Err(error) => {
                size.write(0);
                return Err(*error);
            }
        };
        let is_path = name.first().is_some_and(|first| *first != 0);
        let needed = name.len() + usize::from(is_path); // at most 109
        if needed > size.read() {
            size.write(needed);
            return Err(Errno::ENOBUFS);
        }
        buffer.copy_from_nonoverlapping(name.as_ptr().cast(), name.len());
        if is_path || name.is_empty() {
            buffer.add(name.len()).write(0);
        }
        size.write(name.len());
    }
    Ok(())
}

/// `uv_pipe_chmod`: everybody may read, write or both; nobody may do what is not named.
pub fn chmod(handle: Handle<'_, uv_pipe_t>, mode: c_int) -> Result {
    let fd = handle.stream().fd();
    if fd == -1 {
        return Err(Errno::EBADF);
    }
    let bits = match mode.cast_unsigned() {
        UV_READABLE => 0o444,
        UV_WRITABLE => 0o222,
        both if both == UV_READABLE | UV_WRITABLE => 0o666,
        _ => return Err(Errno::EINVAL),
    };
    sys::fd::change_mode(fd, bits)?;
    let mut file = [0; UNIX_PATH_MAX + 1];
    let mut size = file.len();
    // SAFETY: the buffer is that long, and the name ends in a zero: there is room for it after the longest.
    unsafe {
        name(handle, End::Own, file.as_mut_ptr(), &raw mut size)?;
        path::change_mode(CStr::from_ptr(file.as_ptr()), bits)
    }
}

/// `uv_pipe_pending_count`.
pub fn pending_count(handle: Handle<'_, uv_pipe_t>) -> usize {
    if handle.ipc() == 0 { 0 } else { fd_passing::count(handle.stream()) }
}

/// `uv_pipe_pending_type`.
pub fn pending_type(handle: Handle<'_, uv_pipe_t>) -> uv_handle_type {
    match handle.stream().accepted_fd() {
        fd if fd == -1 || handle.ipc() == 0 => UV_UNKNOWN_HANDLE,
        fd => descriptor::guess(fd),
    }
}

/// `uv_pipe`: non-blocking where the flags of an end say `UV_NONBLOCK_PIPE`.
pub fn pair(read_flags: c_int, write_flags: c_int) -> Result<[c_int; 2]> {
    let non_blocking = [read_flags, write_flags].map(|flags| flags.cast_unsigned() & UV_NONBLOCK_PIPE != 0);
    sys::fd::set_nonblocking_where(sys::fd::pipe()?, non_blocking)
}
