//! Copying files, and making temporary ones. (uv_fs_*.)

use crate::abi::*;
use crate::reqs::fs::{self, copyfile, sendfile};
use core::ffi::{c_char, c_int};

/// Copies the file `path` to `new_path`, with its permissions and, as far as the process may, its owner. `flags` are UV_FS_COPYFILE_*,
/// else UV_EINVAL. What is at `new_path` is overwritten, unless UV_FS_COPYFILE_EXCL is given (UV_EEXIST), or it is the same file, to
/// which nothing happens then. If copying fails, the file at `new_path` is removed. UV_EINVAL if it is no regular file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_copyfile(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    new_path: *const c_char,
    flags: c_int,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: the caller gives strings, memory for the request and, with a callback, a loop, on its thread.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_COPYFILE, |fs| {
            copyfile::set_flags(fs, flags)?;
            fs.copy_paths(path, new_path)
        })
    }
}

/// Moves up to `length` bytes from `in_fd`, beginning at `in_offset`, to where `out_fd` stands. The result is how many bytes; it is
/// less where `in_fd` ends or an error comes half-way. Waits where `out_fd` is full, even if that is non-blocking. The position of `in_fd`
/// does not change; what has none, as pipes and sockets, is read from where it is, and `in_offset` ignored. UV_EINVAL for more than
/// 0x7ffff000 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_sendfile(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    out_fd: uv_file,
    in_fd: uv_file,
    in_offset: i64,
    length: usize,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_copyfile.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_SENDFILE, |fs| sendfile::set(fs, out_fd, in_fd, in_offset, length))
    }
}

/// Makes a directory that nobody else can use: mkdtemp(3). `tpl` ends in XXXXXX, else it is UV_EINVAL, and is not changed; the new name is
/// `req->path`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_mkdtemp(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    tpl: *const c_char,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_copyfile.
    unsafe { fs::start(r#loop, req, cb, UV_FS_MKDTEMP, |fs| fs.own_path(tpl)) }
}

/// Makes a file that nobody else can use and opens it for reading and writing, closed on exec: mkstemp(3). The result is the descriptor.
/// `tpl` as for uv_fs_mkdtemp(); the new name is `req->path`, which is empty after an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_mkstemp(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    tpl: *const c_char,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_copyfile.
    unsafe { fs::start(r#loop, req, cb, UV_FS_MKSTEMP, |fs| fs.own_path(tpl)) }
}
