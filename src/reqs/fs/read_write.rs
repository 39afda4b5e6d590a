//! Reading and writing. A read is one call of the system's, so it may be short; a write goes on until all is written or nothing more is
//! taken.

use super::Fs;
use crate::abi::errno::{Errno, Result};
use crate::sys::file::{self, Pieces};

/// What one `uv_fs_write` may hold: as much as the system writes at once.
pub const MOST_WRITTEN: usize = 0x7fff_f000;

/// `uv_fs_read`.
pub fn read(fs: Fs) -> Result<usize> {
    fs.continued(file::read(fs.file(), pieces(fs), fs.off()))
}

/// `uv_fs_write`: an error after a part was written is not told; the next write will meet it.
pub fn write(fs: Fs) -> Result<usize> {
    let mut rest = pieces(fs);
    let mut total = 0usize;
    loop {
        match file::write(fs.file(), rest, fs.off()) {
            Err(Errno::EINTR) => continue,
            Err(error) if total == 0 => return Err(error),
            Err(_) | Ok(0) => return Ok(total),
            Ok(count) => {
                total = total.saturating_add(count);
                take_off(fs, &mut rest, count);
            }
        }
        if rest.is_empty() {
            return Ok(total);
        }
    }
}

/// What is left to read or to write.
pub fn pieces(fs: Fs) -> Pieces {
    // SAFETY: the request's own array, which leads to memory that is the caller's to keep until the callback.
    unsafe { Pieces::new(fs.bufs(), fs.nbufs() as usize) }
}

/// `count` bytes are done: from `pieces`, and at the offset, if there is one.
pub fn take_off(fs: Fs, pieces: &mut Pieces, count: usize) {
    pieces.advance(count);
    if fs.off() >= 0 {
        let count = libc::off_t::try_from(count).unwrap_or(libc::off_t::MAX);
        fs.set_off(fs.off().saturating_add(count));
    }
}
