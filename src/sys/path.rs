//! What is done to files by their names.

use super::{check_again, last_error};
use crate::abi::errno::{Errno, Result};
use core::ffi::{CStr, c_int};

/// Room for any path, with the zero at its end.
pub const MOST_BYTES: usize = libc::PATH_MAX as usize; // 4096

/// Removes a name.
pub fn unlink(path: &CStr) -> Result {
    // SAFETY: the path is a string; so in all functions below.
    check_again(|| unsafe { libc::unlink(path.as_ptr()) }).map(|_| ())
}

/// Whether this process may do what `mode` says (`F_OK`, or `R_OK`, `W_OK`, `X_OK` together).
pub fn access(path: &CStr, mode: c_int) -> Result {
    // SAFETY: as above.
    check_again(|| unsafe { libc::access(path.as_ptr(), mode) }).map(|_| ())
}

/// Sets who may do what.
pub fn change_mode(path: &CStr, mode: libc::mode_t) -> Result {
    // SAFETY: as above.
    check_again(|| unsafe { libc::chmod(path.as_ptr(), mode) }).map(|_| ())
}

/// Sets whose it is.
pub fn change_owner(path: &CStr, uid: libc::uid_t, gid: libc::gid_t) -> Result {
    // SAFETY: as above.
    check_again(|| unsafe { libc::chown(path.as_ptr(), uid, gid) }).map(|_| ())
}

/// Sets whose it is; a symbolic link is not followed.
pub fn change_owner_of_link(path: &CStr, uid: libc::uid_t, gid: libc::gid_t) -> Result {
    // SAFETY: as above.
    check_again(|| unsafe { libc::lchown(path.as_ptr(), uid, gid) }).map(|_| ())
}

/// Gives a file another name.
pub fn link(path: &CStr, new_path: &CStr) -> Result {
    // SAFETY: as above.
    check_again(|| unsafe { libc::link(path.as_ptr(), new_path.as_ptr()) }).map(|_| ())
}

/// Makes `new_path` a symbolic link that says `target`.
pub fn link_by_name(target: &CStr, new_path: &CStr) -> Result {
    // SAFETY: as above.
    check_again(|| unsafe { libc::symlink(target.as_ptr(), new_path.as_ptr()) }).map(|_| ())
}

/// Changes a name; what had the new one goes.
pub fn rename(path: &CStr, new_path: &CStr) -> Result {
    // SAFETY: as above.
    check_again(|| unsafe { libc::rename(path.as_ptr(), new_path.as_ptr()) }).map(|_| ())
}

/// Makes a directory.
pub fn make_directory(path: &CStr, mode: libc::mode_t) -> Result {
    // SAFETY: as above.
    check_again(|| unsafe { libc::mkdir(path.as_ptr(), mode) }).map(|_| ())
}

/// Removes an empty directory.
pub fn remove_directory(path: &CStr) -> Result {
    // SAFETY: as above.
    check_again(|| unsafe { libc::rmdir(path.as_ptr()) }).map(|_| ())
}

/// What a symbolic link says, as a string; a longer one is cut.
pub fn read_link(path: &CStr, text: &mut [u8; MOST_BYTES]) -> Result {
    loop {
        // SAFETY: there is room for so many bytes.
        let length = unsafe { libc::readlink(path.as_ptr(), text.as_mut_ptr().cast(), MOST_BYTES - 1) };
        match usize::try_from(length).map_err(|_| last_error()) {
            Ok(end) => return text.get_mut(end).map(|byte| *byte = 0).ok_or(Errno::ENAMETOOLONG),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The absolute path without links, as a string.
pub fn resolve(path: &CStr, text: &mut [u8; MOST_BYTES]) -> Result {
    loop {
        // SAFETY: the room is what realpath(3) asks for.
        if !unsafe { libc::realpath(path.as_ptr(), text.as_mut_ptr().cast()) }.is_null() {
            return Ok(());
        }
        match last_error() {
            Errno::EINTR => {}
            error => return Err(error),
        }
    }
}
