//! Files. (uv_fs_*: requests, and what is done by descriptor.)

use crate::abi::*;
use crate::reqs::fs::{self, Fs};
use core::ffi::{c_char, c_int, c_uint, c_void};

/// Gives back what a request owns: its copies of paths, and its result. After the callback, or after a call without one; again is
/// harmless, and so is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_req_cleanup(req: *mut uv_fs_t) {
    // SAFETY: the caller gives NULL or a request that is over.
    unsafe { fs::cleanup(req) };
}

/// What the request does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_get_type(req: *const uv_fs_t) -> uv_fs_type {
    // SAFETY: the caller gives a request.
    unsafe { Fs::new(req.cast_mut()) }.kind()
}

/// What came of the request: at least 0, or the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_get_result(req: *const uv_fs_t) -> isize {
    // SAFETY: the caller gives a request.
    unsafe { Fs::new(req.cast_mut()) }.result()
}

/// The system's number for the error in the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_get_system_error(req: *const uv_fs_t) -> c_int {
    // SAFETY: the caller gives a request.
    let result = unsafe { Fs::new(req.cast_mut()) }.result();
    result.wrapping_neg() as c_int // an error fits
}

/// The result of those requests that have more than a number; the request's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_get_ptr(req: *const uv_fs_t) -> *mut c_void {
    // SAFETY: the caller gives a request.
    unsafe { Fs::new(req.cast_mut()) }.ptr()
}

/// The path that the request was made with; the request's own, or without a callback the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_get_path(req: *const uv_fs_t) -> *const c_char {
    // SAFETY: the caller gives a request.
    unsafe { Fs::new(req.cast_mut()) }.path_ptr()
}

/// Where uv_fs_stat and its like leave their answer: inside the request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_get_statbuf(req: *mut uv_fs_t) -> *mut uv_stat_t {
    // SAFETY: the caller gives a request.
    unsafe { Fs::new(req) }.statbuf()
}

/// The system's handle for a descriptor of the C library: the descriptor itself.
#[unsafe(no_mangle)]
pub extern "C" fn uv_get_osfhandle(fd: c_int) -> uv_os_fd_t {
    fd
}

/// A descriptor of the C library for a handle of the system: the handle itself.
#[unsafe(no_mangle)]
pub extern "C" fn uv_open_osfhandle(os_fd: uv_os_fd_t) -> c_int {
    os_fd
}

/// Closes a file: close(2). The number is free afterwards, whatever the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_close(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    file: uv_file,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: the caller gives memory for the request and, with a callback, a loop, on its thread.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_CLOSE, |fs| {
            fs.set_file(file);
            Ok(())
        })
    }
}

/// Reads into the `nbufs` pieces at `bufs`, one after the other: preadv(2). An `offset` of -1 reads at the current position and moves it.
/// The result is the number of bytes, 0 at the end; there may be more than were read, and of more than 1024 pieces only the first 1024 are
/// used. The memory must stay until the callback, the array itself need not. UV_EINVAL without pieces.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_read(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    file: uv_file,
    bufs: *const uv_buf_t,
    nbufs: c_uint,
    offset: i64,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_close; there are so many pieces.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_READ, |fs| {
            fs.set_file(file);
            fs.set_off(offset);
            fs.copy_bufs(bufs, nbufs, usize::MAX)
        })
    }
}

/// Writes the `nbufs` pieces at `bufs`, one after the other: pwritev(2). An `offset` of -1 writes at the current position and moves it.
/// The result is the number of bytes: all, unless an error or a full disk came after a part. The memory must stay until the callback, the array
/// itself need not. UV_EINVAL without pieces, and for more than 2 GiB less 4 KiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_write(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    file: uv_file,
    bufs: *const uv_buf_t,
    nbufs: c_uint,
    offset: i64,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_read.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_WRITE, |fs| {
            fs.set_file(file);
            fs.set_off(offset);
            fs.copy_bufs(bufs, nbufs, fs::MOST_WRITTEN)
        })
    }
}

/// Asks about an open file: fstat(2). The answer is in `statbuf`, to which `ptr` leads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_fstat(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    file: uv_file,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_close.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_FSTAT, |fs| {
            fs.set_file(file);
            Ok(())
        })
    }
}

/// Returns when the file and its data are on the disk: fsync(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_fsync(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    file: uv_file,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_close.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_FSYNC, |fs| {
            fs.set_file(file);
            Ok(())
        })
    }
}

/// Returns when the data of the file are on the disk: fdatasync(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_fdatasync(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    file: uv_file,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_close.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_FDATASYNC, |fs| {
            fs.set_file(file);
            Ok(())
        })
    }
}

/// Cuts or lengthens the file to `offset` bytes: ftruncate(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_ftruncate(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    file: uv_file,
    offset: i64,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_close.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_FTRUNCATE, |fs| {
            fs.set_file(file);
            fs.set_off(offset);
            Ok(())
        })
    }
}

/// Sets the permissions of an open file: fchmod(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_fchmod(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    file: uv_file,
    mode: c_int,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_close.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_FCHMOD, |fs| {
            fs.set_file(file);
            fs.set_mode(mode.cast_unsigned());
            Ok(())
        })
    }
}

/// Sets the owner and the group of an open file; -1 leaves one as it is: fchown(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_fchown(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    file: uv_file,
    uid: uv_uid_t,
    gid: uv_gid_t,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_close.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_FCHOWN, |fs| {
            fs.set_file(file);
            fs.set_owner(uid, gid);
            Ok(())
        })
    }
}
