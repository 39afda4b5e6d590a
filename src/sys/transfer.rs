//! Bytes from one descriptor to another: in the kernel where it can, else through a small buffer.

use super::{check_again, fd, file};
use crate::abi::errno::{Errno, Result};
use core::ffi::c_int;
use core::mem::MaybeUninit;

/// On the caller's stack, which may be a small one.
const BUFFER: usize = 8 << 10;

/// Moves up to `length` bytes from `from`, beginning at `offset`, to where `to` stands, and says how many. The position of `from` stays;
/// of what has none (pipes, sockets) `offset` means nothing. Fewer bytes are moved where `from` ends, or an error stops it half-way. Waits
/// where a non-blocking `to` is full.
pub fn transfer(to: c_int, from: c_int, offset: i64, length: usize) -> Result<usize> {
    copy_range(to, from, offset, length)
        .or_else(|| send_file(to, from, offset, length))
        .unwrap_or_else(|| through_buffer(to, from, offset, length))
}

/// Between two files. `None` where that does not work: not files, not the same file system, opened to append, refused by a sandbox, or
/// by a file system that is better at reading and writing.
fn copy_range(to: c_int, from: c_int, mut offset: i64, length: usize) -> Option<Result<usize>> {
    // SAFETY: the offset is alive through the call.
    let moved = check_again(|| unsafe {
        libc::copy_file_range(from, &raw mut offset, to, core::ptr::null_mut(), length, 0)
    });
    match moved.map(isize::cast_unsigned) {
        // The end; or a file of /proc or /sys, to Linux before 5.19. The other ways know.
        Ok(0)
        | Err(
            Errno::ENOSYS
            | Errno::EINVAL
            | Errno::EXDEV
            | Errno::ENOTSUP
            | Errno::EPERM
            | Errno::EACCES
            | Errno::EBADF
            | Errno::ETXTBSY
            | Errno::EIO,
        ) => None,
        moved => Some(moved),
    }
}

/// From a file to anything. `None` where that does not work.
fn send_file(to: c_int, from: c_int, mut offset: i64, length: usize) -> Option<Result<usize>> {
    let mut moved = 0usize;
    while moved < length {
        let left = length.saturating_sub(moved);
        // SAFETY: the offset is alive through the call.
        let sent = check_again(|| unsafe { libc::sendfile(to, from, &raw mut offset, left) });
        match sent.map(isize::cast_unsigned) {
            Ok(0) => break,
            Ok(count) => moved = moved.saturating_add(count),
            Err(Errno::EAGAIN) if fd::wait_writable(to) => {}
            Err(_) if moved > 0 => break,
            Err(
                Errno::ENOSYS
                | Errno::EINVAL
                | Errno::EXDEV
                | Errno::ENOTSUP
                | Errno::ENOTSOCK
                | Errno::ESPIPE
                | Errno::EIO,
            ) => return None,
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(moved))
}

/// From anything to anything. An error of reading, or one of writing what can be read once more, is reported only if nothing was moved
/// before: the next call would meet it again. What cannot be read again is lost when it cannot be written; the error tells that.
pub fn through_buffer(to: c_int, from: c_int, offset: i64, length: usize) -> Result<usize> {
    let mut memory = [MaybeUninit::<u8>::uninit(); BUFFER];
    let mut has_position = true;
    let mut moved = 0usize;
    while moved < length {
        let wanted = memory.get_mut(..BUFFER.min(length.saturating_sub(moved))).unwrap_or_default();
        let at = has_position.then(|| offset.saturating_add(moved as i64)); // a count of bytes that exist
        let read = match read(from, wanted, at) {
            Ok([]) => break,
            Ok(bytes) => bytes,
            Err(Errno::ESPIPE) if has_position && moved == 0 => {
                has_position = false;
                continue;
            }
            Err(error) if moved == 0 => return Err(error),
            Err(_) => break,
        };
        let mut rest = read;
        while !rest.is_empty() {
            match file::write_some(to, rest, None) {
                Ok(count) => {
                    moved = moved.saturating_add(count);
                    rest = rest.get(count..).unwrap_or_default();
                }
                Err(Errno::EAGAIN) if fd::wait_writable(to) => {}
                Err(_) if has_position && moved > 0 => return Ok(moved),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(moved)
}

/// Reads once, at `position` if there is one.
fn read(from: c_int, memory: &mut [MaybeUninit<u8>], position: Option<i64>) -> Result<&[u8]> {
    let (start, length) = (memory.as_mut_ptr(), memory.len());
    // SAFETY: the memory is writable and this long.
    let count = check_again(|| unsafe {
        match position {
            Some(position) => libc::pread(from, start.cast(), length, position),
            None => libc::read(from, start.cast(), length),
        }
    })?;
    // SAFETY: so many bytes were just written there, at most `length`.
    Ok(unsafe { core::slice::from_raw_parts(start.cast(), count.cast_unsigned()) })
}
