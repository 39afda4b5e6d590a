//! Files by their names. (uv_fs_*.)

use crate::abi::*;
use crate::reqs::fs;
use core::ffi::{c_char, c_int};

/// Opens a file: open(2) with `flags` (UV_FS_O_*) and, for a new file, the permissions `mode`. The result is the descriptor, which is closed
/// on exec. UV_EINVAL without a path.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_open(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    flags: c_int,
    mode: c_int,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: the caller gives a string, memory for the request and, with a callback, a loop, on its thread.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_OPEN, |fs| {
            fs.set_flags(flags);
            fs.set_mode(mode.cast_unsigned());
            fs.copy_path(path)
        })
    }
}

/// Asks about a file: stat(2). The answer is in `statbuf`, to which `ptr` leads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_stat(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; `path` is a string.
    unsafe { fs::start(r#loop, req, cb, UV_FS_STAT, |fs| fs.copy_path(path)) }
}

/// uv_fs_stat, but of a symbolic link itself: lstat(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_lstat(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; `path` is a string.
    unsafe { fs::start(r#loop, req, cb, UV_FS_LSTAT, |fs| fs.copy_path(path)) }
}

/// Whether the process may do `mode` (F_OK, or R_OK, W_OK, X_OK together): access(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_access(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    mode: c_int,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; `path` is a string.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_ACCESS, |fs| {
            fs.set_flags(mode);
            fs.copy_path(path)
        })
    }
}

/// Sets the permissions of a file: chmod(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_chmod(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    mode: c_int,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; `path` is a string.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_CHMOD, |fs| {
            fs.set_mode(mode.cast_unsigned());
            fs.copy_path(path)
        })
    }
}

/// Sets the owner and the group of a file; -1 leaves one as it is: chown(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_chown(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    uid: uv_uid_t,
    gid: uv_gid_t,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; `path` is a string.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_CHOWN, |fs| {
            fs.set_owner(uid, gid);
            fs.copy_path(path)
        })
    }
}

/// uv_fs_chown, but of a symbolic link itself: lchown(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_lchown(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    uid: uv_uid_t,
    gid: uv_gid_t,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; `path` is a string.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_LCHOWN, |fs| {
            fs.set_owner(uid, gid);
            fs.copy_path(path)
        })
    }
}

/// Removes the name of a file: unlink(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_unlink(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; `path` is a string.
    unsafe { fs::start(r#loop, req, cb, UV_FS_UNLINK, |fs| fs.copy_path(path)) }
}

/// Makes a directory with the permissions `mode`: mkdir(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_mkdir(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    mode: c_int,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; `path` is a string.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_MKDIR, |fs| {
            fs.set_mode(mode.cast_unsigned());
            fs.copy_path(path)
        })
    }
}

/// Removes an empty directory: rmdir(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_rmdir(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; `path` is a string.
    unsafe { fs::start(r#loop, req, cb, UV_FS_RMDIR, |fs| fs.copy_path(path)) }
}

/// Renames a file; what has the name `new_path` is replaced: rename(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_rename(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    new_path: *const c_char,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; both paths are strings.
    unsafe { fs::start(r#loop, req, cb, UV_FS_RENAME, |fs| fs.copy_paths(path, new_path)) }
}

/// Gives a file another name: link(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_link(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    new_path: *const c_char,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; both paths are strings.
    unsafe { fs::start(r#loop, req, cb, UV_FS_LINK, |fs| fs.copy_paths(path, new_path)) }
}

/// Makes `new_path` a symbolic link to `path`: symlink(2). `flags` matter on Windows only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_symlink(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    new_path: *const c_char,
    flags: c_int,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; both paths are strings.
    unsafe {
        fs::start(r#loop, req, cb, UV_FS_SYMLINK, |fs| {
            fs.set_flags(flags);
            fs.copy_paths(path, new_path)
        })
    }
}

/// Where a symbolic link leads: readlink(2). `ptr` leads to the string, which goes with uv_fs_req_cleanup.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_readlink(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; `path` is a string.
    unsafe { fs::start(r#loop, req, cb, UV_FS_READLINK, |fs| fs.copy_path(path)) }
}

/// The absolute path of a file, without links: realpath(3). `ptr` leads to the string, which goes with uv_fs_req_cleanup.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_fs_realpath(
    r#loop: *mut uv_loop_t,
    req: *mut uv_fs_t,
    path: *const c_char,
    cb: uv_fs_cb,
) -> c_int {
    // SAFETY: as for uv_fs_open; `path` is a string.
    unsafe { fs::start(r#loop, req, cb, UV_FS_REALPATH, |fs| fs.copy_path(path)) }
}
