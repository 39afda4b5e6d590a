//! Directories and file systems. (uv_fs_*.)

use super::status;
use crate::abi::*;
use crate::reqs::fs::{self, Fs, directory, scandir};
use core::ffi::{c_char, c_int};

/// Lists a directory without `.` and `..`. The result is how many entries there are; uv_fs_scandir_next() gives them. `flags` are ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_scandir(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    flags: c_int,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: the caller gives a string, memory for the request and, with a callback, a loop, on its thread.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_SCANDIR, |fs| {
            fs.set_flags(flags);
            fs.copy_path(path)
        })
    }
}

/// The next entry of what uv_fs_scandir() has listed, in the order of the bytes of the names. UV_EOF after the last one, or the error
/// of the request. The name is freed with the request, or by the call that returns UV_EOF. The type is UV_DIRENT_UNKNOWN where the
/// file system does not say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_scandir_next(req: *mut uv_fs_t, ent: *mut uv_dirent_t) -> c_int {
    // SAFETY: the caller gives a request of uv_fs_scandir that is done, and room for an entry.
    status(unsafe { scandir::next(Fs::new(req), ent) })
}

/// Opens a directory; `ptr` leads to it. It goes with uv_fs_closedir(), and not with the request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_opendir(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_scandir.
    unsafe { fs::start(r#loop, req, cb, UV_FS_OPENDIR, |fs| fs.copy_path(path)) }
}

/// Reads at most `dir->nentries` entries into `dir->dirents`, in the order of the file system, without `.` and `..`. The result is how
/// many, 0 at the end. Their names are freed with the request, which is to be cleaned up before the directory is closed. One call at
/// a time for a directory. UV_EINVAL without a directory or without `dirents`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_readdir(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    dir: *mut uv_dir_t,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_scandir; the directory is null or one of uv_fs_opendir.
    unsafe { fs::start(r#loop, req, cb, UV_FS_READDIR, |fs| directory::set_read(fs, dir)) }
}

/// Closes a directory and frees the uv_dir_t. UV_EINVAL without one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_closedir(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    dir: *mut uv_dir_t,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_readdir.
    unsafe { fs::start(r#loop, req, cb, UV_FS_CLOSEDIR, |fs| directory::set_close(fs, dir)) }
}

/// Asks about the file system that has the file at `path`: statfs(2). `ptr` leads to a uv_statfs_t, which is freed with the request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_statfs(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_scandir.
    unsafe { fs::start(r#loop, req, cb, UV_FS_STATFS, |fs| fs.copy_path(path)) }
}
