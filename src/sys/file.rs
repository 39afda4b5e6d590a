//! Open files: opening and closing them, reading and writing at a place in them, and what else is done by descriptor.

use super::{check, check_again, fd, last_error};
use crate::abi::errno::{Errno, Result};
use crate::abi::uv_buf_t;
use core::ffi::{CStr, c_int};

/// Opens a file, closed on exec.
pub fn open(path: &CStr, flags: c_int, mode: libc::mode_t) -> Result<c_int> {
    // SAFETY: the path is a string.
    check_again(|| unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, mode) })
}

/// Opens a file, closed on exec, if its name can be looked up in memory alone, else `UV_EAGAIN`. Opening itself may still wait.
pub fn open_cached(path: &CStr, flags: c_int) -> Result<c_int> {
    let flags = (flags | libc::O_CLOEXEC).cast_unsigned();
    let how = [u64::from(flags), 0, libc::RESOLVE_CACHED]; // the kernel's struct open_how: flags, mode, how to look up
    // SAFETY: the path is a string, and `how` of that size.
    let fd = unsafe {
        libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, path.as_ptr(), how.as_ptr(), size_of_val(&how))
    };
    check(fd as c_int) // a descriptor or -1
}

/// Closes a descriptor of the program's. The number is free even when the call was interrupted, so that is no error.
pub fn close(fd: c_int) -> Result {
    // SAFETY: the caller's to close.
    match check(unsafe { libc::close(fd) }) {
        Err(error) if error != Errno::EINTR => Err(error),
        _ => Ok(()),
    }
}

/// Has the system write everything that belongs to the file.
pub fn sync(fd: c_int) -> Result {
    // SAFETY: no pointers.
    check_again(|| unsafe { libc::fsync(fd) }).map(|_| ())
}

/// The same of the data, and what is needed to find it.
pub fn sync_data(fd: c_int) -> Result {
    // SAFETY: no pointers.
    check_again(|| unsafe { libc::fdatasync(fd) }).map(|_| ())
}

/// The current position.
pub fn position(fd: c_int) -> Result<u64> {
    // SAFETY: no pointers.
    u64::try_from(unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) }).map_err(|_| last_error())
}

/// Sets the length.
pub fn truncate(fd: c_int, length: libc::off_t) -> Result {
    // SAFETY: no pointers.
    check_again(|| unsafe { libc::ftruncate(fd, length) }).map(|_| ())
}

/// Sets whose it is.
pub fn change_owner(fd: c_int, uid: libc::uid_t, gid: libc::gid_t) -> Result {
    // SAFETY: no pointers.
    check_again(|| unsafe { libc::fchown(fd, uid, gid) }).map(|_| ())
}

/// Moves the position back by `bytes`.
pub fn step_back(fd: c_int, bytes: isize) -> Result {
    let by = libc::off_t::try_from(bytes.saturating_neg()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: no pointers.
    if unsafe { libc::lseek(fd, by, libc::SEEK_CUR) } < 0 { Err(last_error()) } else { Ok(()) }
}

/// Memory to read into or to write.
#[derive(Clone, Copy)]
pub struct Pieces {
    first: *mut uv_buf_t,
    count: usize,
}

impl Pieces {
    /// `count` pieces from `first`.
    ///
    /// # Safety
    /// They are valid for as long as this is used, and what is done may be taken off them.
    pub unsafe fn new(first: *mut uv_buf_t, count: usize) -> Pieces {
        Pieces { first, count }
    }

    /// How many bytes one call reads into them, or writes, at most.
    pub fn bytes(self) -> usize {
        // SAFETY: so many pieces are there.
        (0..self.count.min(fd::MOST_PIECES))
            .fold(0, |sum: usize, index| unsafe { sum.saturating_add((*self.first.add(index)).len) })
    }

    /// Takes off what is done: the pieces that follow are still to do.
    pub fn advance(&mut self, mut bytes: usize) {
        while self.count > 0 {
            // SAFETY: there is one.
            unsafe {
                let length = (*self.first).len;
                let done = length.min(bytes);
                (*self.first).base = (*self.first).base.add(done);
                (*self.first).len = length - done;
                if done < length {
                    return;
                }
                bytes -= done;
                self.first = self.first.add(1);
            }
            self.count -= 1;
        }
    }

    /// Nothing is left to do.
    pub fn is_empty(self) -> bool {
        self.count == 0
    }

    /// As the system calls want them: a pointer, and how many, at most as many as one call takes.
    fn as_vectors(self) -> (*const libc::iovec, c_int) {
        (self.first.cast_const().cast(), self.count.min(fd::MOST_PIECES) as c_int) // at most 1024
    }
}

/// Reads at `offset`; -1: at the current position, which moves. Interruptions are the caller's.
pub fn read(fd: c_int, pieces: Pieces, offset: libc::off_t) -> Result<usize> {
    let (vectors, count) = pieces.as_vectors();
    // SAFETY: what `Pieces::new` was promised.
    let bytes = unsafe {
        match (offset < 0, count == 1) {
            (true, true) => libc::read(fd, (*vectors).iov_base, (*vectors).iov_len),
            (true, false) => libc::readv(fd, vectors, count),
            (false, true) => libc::pread(fd, (*vectors).iov_base, (*vectors).iov_len, offset),
            (false, false) => libc::preadv(fd, vectors, count, offset),
        }
    };
    usize::try_from(bytes).map_err(|_| last_error())
}

/// `read` that gives what is there without waiting; `UV_EAGAIN`: nothing is, or nobody knows.
pub fn read_cached(fd: c_int, pieces: Pieces, offset: libc::off_t) -> Result<usize> {
    let (vectors, count) = pieces.as_vectors();
    // SAFETY: what `Pieces::new` was promised.
    let bytes = unsafe { libc::preadv2(fd, vectors, count, offset, libc::RWF_NOWAIT) };
    usize::try_from(bytes).map_err(|_| match last_error() {
        Errno::ENOSYS | Errno::ENOTSUP => Errno::EAGAIN,
        error => error,
    })
}

/// Writes at `offset`; -1: at the current position, which moves. Interruptions are the caller's.
pub fn write(fd: c_int, pieces: Pieces, offset: libc::off_t) -> Result<usize> {
    let (vectors, count) = pieces.as_vectors();
    // SAFETY: what `Pieces::new` was promised.
    let bytes = unsafe {
        match (offset < 0, count == 1) {
            (true, true) => libc::write(fd, (*vectors).iov_base, (*vectors).iov_len),
            (true, false) => libc::writev(fd, vectors, count),
            (false, true) => libc::pwrite(fd, (*vectors).iov_base, (*vectors).iov_len, offset),
            (false, false) => libc::pwritev(fd, vectors, count, offset),
        }
    };
    usize::try_from(bytes).map_err(|_| last_error())
}

/// Writes once, at `offset` if there is one, else at the current position; that nothing is taken is an error, for it would be so forever.
pub fn write_some(fd: c_int, bytes: &[u8], offset: Option<libc::off_t>) -> Result<usize> {
    let (start, length) = (bytes.as_ptr().cast(), bytes.len());
    // SAFETY: the memory is readable and this long.
    let count = check_again(|| unsafe {
        match offset {
            Some(offset) => libc::pwrite(fd, start, length, offset),
            None => libc::write(fd, start, length),
        }
    })?;
    if count == 0 { Err(Errno::EIO) } else { Ok(count.cast_unsigned()) }
}

/// The same until all is written.
pub fn write_all(fd: c_int, mut bytes: &[u8], mut offset: Option<libc::off_t>) -> Result {
    while !bytes.is_empty() {
        let count = write_some(fd, bytes, offset)?;
        bytes = bytes.get(count..).unwrap_or_default();
        offset = offset.map(|offset| offset.saturating_add_unsigned(count as _)); // a count of bytes that exist
    }
    Ok(())
}
