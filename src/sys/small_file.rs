//! Files of a few lines, such as those in /proc and /sys, read in one go.

use super::{fd, file};
use crate::abi::errno::{Errno, Result};
use core::ffi::{CStr, c_int};

/// Fills `buffer` from the file's start and returns what was read; of a longer file the rest is missing.
pub fn read<'a>(path: &CStr, buffer: &'a mut [u8]) -> Result<&'a [u8]> {
    let fd = file::open(path, libc::O_RDONLY, 0)?;
    let length = fill(fd, buffer);
    fd::close(fd);
    buffer.get(..length?).ok_or(Errno::EIO)
}

/// Reads until the buffer is full or the file ends.
fn fill(fd: c_int, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        // SAFETY: the memory is `rest`, which is this long.
        match unsafe { fd::read(fd, rest.as_mut_ptr().cast(), rest.len()) }? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_and_cut() {
        let mut whole = [0; 64];
        assert!(read(c"/proc/sys/kernel/ostype", &mut whole).unwrap().starts_with(b"Linux"));
        let mut cut = [0; 3];
        assert_eq!(read(c"/proc/sys/kernel/ostype", &mut cut).unwrap(), b"Lin");
        assert_eq!(read(c"/proc/sys/kernel/ostype", &mut []).unwrap(), b"");
    }

    #[test]
    fn errors_are_the_systems() {
        assert_eq!(read(c"/no/such/file", &mut [0; 4]), Err(Errno::ENOENT));
        assert_eq!(read(c"/", &mut [0; 4]), Err(Errno::EISDIR));
    }
}
