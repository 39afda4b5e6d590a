//! Times of files. (uv_fs_*.)

use crate::abi::*;
use crate::reqs::fs;
use core::ffi::{c_char, c_double, c_int};

/// Sets when the file at `path` was read and written last, in seconds since 1970, with fractions, negative before it. UV_FS_UTIME_NOW is now,
/// UV_FS_UTIME_OMIT leaves a time as it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_utime(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    atime: c_double,
    mtime: c_double,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: the caller gives a string, memory for the request and, with a callback, a loop, on its thread.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_UTIME, |fs| {
            fs.set_times(atime, mtime);
            fs.copy_path(path)
        })
    }
}

/// uv_fs_utime, for an open file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_futime(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    file: uv_file,
    atime: c_double,
    mtime: c_double,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_utime.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_FUTIME, |fs| {
            fs.set_times(atime, mtime);
            fs.set_file(file);
            Ok(())
        })
    }
}

/// uv_fs_utime, but of a symbolic link itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_lutime(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    atime: c_double,
    mtime: c_double,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_utime.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_LUTIME, |fs| {
            fs.set_times(atime, mtime);
            fs.copy_path(path)
        })
    }
}
