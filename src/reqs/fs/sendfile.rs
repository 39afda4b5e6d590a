//! `uv_fs_sendfile`.

use super::Fs;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::sys::transfer;
use core::ptr::null_mut;

/// The most that the system moves at once.
const MOST: usize = 0x7fff_f000;

/// Stores what is to go where; `UV_EINVAL` for more than [`MOST`]. The length is kept as that of a piece of memory, the only field of its
/// size.
pub fn set(fs: Fs, to: uv_file, from: uv_file, offset: i64, length: usize) -> Result {
    if length > MOST {
        return Err(Errno::EINVAL);
    }
    fs.set_file(to);
    fs.set_flags(from);
    fs.set_off(offset);
    // SAFETY: one piece, alive through the call; what it leads to is never used.
    unsafe { fs.copy_bufs(&uv_buf_t { base: null_mut(), len: length }, 1, usize::MAX) }
}

/// Moves the bytes; the result is how many.
pub fn run(fs: Fs) -> Result<usize> {
    // SAFETY: the piece of `set`.
    let length = unsafe { (*fs.bufs()).len };
    transfer::transfer(fs.file(), fs.flags(), fs.off(), length)
}
