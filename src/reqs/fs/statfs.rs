//! `uv_fs_statfs`.

use super::Fs;
use crate::abi::errno::Result;
use crate::abi::*;
use crate::mem::Owned;
use crate::sys::file_system;

/// Asks about the file system; `ptr` leads to the answer, which the cleanup frees.
pub fn run(fs: Fs) -> Result {
    let found = file_system::status(fs.path())?;
    let answer = Owned::new(uv_statfs_t {
        f_type: found.f_type as u64, // some are signed, by C library; none is negative
        f_bsize: found.f_bsize as u64,
        f_blocks: found.f_blocks,
        f_bfree: found.f_bfree,
        f_bavail: found.f_bavail,
        f_files: found.f_files,
        f_ffree: found.f_ffree,
        f_frsize: found.f_frsize as u64,
        f_spare: [0; 3],
    })?;
    fs.set_ptr(answer.into_raw().cast());
    Ok(())
}
