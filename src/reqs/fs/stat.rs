//! `uv_fs_stat`, `uv_fs_lstat` and `uv_fs_fstat`.

use super::Fs;
use crate::abi::errno::Result;
use crate::abi::*;
use crate::sys::stat::{self, Target};

/// Which file the request asks about.
pub fn target<'a>(fs: Fs) -> Target<'a> {
    match fs.kind() {
        UV_FS_FSTAT => Target::File(fs.file()),
        UV_FS_LSTAT => Target::Link(fs.path()),
        _ => Target::Path(fs.path()),
    }
}

/// The operation.
pub fn run(fs: Fs) -> Result {
    let stat = stat::of(target(fs))?;
    keep(fs, stat);
    Ok(())
}

/// Stores what was found.
pub fn keep(fs: Fs, stat: uv_stat_t) {
    // SAFETY: a field of the request.
    unsafe { fs.statbuf().write(stat) };
    fs.set_ptr(fs.statbuf().cast());
}
