//! `uv_fs_copyfile`.

use super::Fs;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::sys::copy_file::{self, Sharing};
use core::ffi::c_int;

/// Stores the flags; `UV_EINVAL` for one that does not exist.
pub fn set_flags(fs: Fs, flags: c_int) -> Result {
    const ALL: c_int = UV_FS_COPYFILE_EXCL | UV_FS_COPYFILE_FICLONE | UV_FS_COPYFILE_FICLONE_FORCE;
    if flags & !ALL != 0 {
        return Err(Errno::EINVAL);
    }
    fs.set_flags(flags);
    Ok(())
}

/// Copies the file.
pub fn run(fs: Fs) -> Result {
    let has = |flag| fs.flags() & flag != 0;
    let sharing = if has(UV_FS_COPYFILE_FICLONE_FORCE) {
        Sharing::Always
    } else if has(UV_FS_COPYFILE_FICLONE) {
        Sharing::IfPossible
    } else {
        Sharing::Never
    };
    copy_file::copy(fs.path(), fs.new_path(), has(UV_FS_COPYFILE_EXCL), sharing)
}
