//! Files of any size, such as lists in /proc, read into memory of their own.

use super::{check, last_error};
use crate::abi::errno::{Errno, Result};
use crate::mem;
use core::ffi::{CStr, c_int};
use core::ops::Deref;
use core::ptr::null_mut;

/// What a file holds.
pub struct WholeFile {
    start: *mut u8,
    length: usize,
    capacity: usize,
}

impl WholeFile {
    /// Reads the file at `path`.
    pub fn read(path: &CStr) -> Result<WholeFile> {
        // SAFETY: the path is a string.
        let fd = check(unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) })?;
        let mut file = WholeFile { start: null_mut(), length: 0, capacity: 0 };
        let result = file.fill(fd);
        // SAFETY: the descriptor was opened above and is nobody else's.
        unsafe { libc::close(fd) };
        result.map(|()| file)
    }

    /// Adds what the descriptor has, to its end.
    fn fill(&mut self, fd: c_int) -> Result {
        loop {
            if self.length == self.capacity {
                self.grow()?;
            }
            let room = self.capacity.saturating_sub(self.length);
            // SAFETY: that many bytes are free behind those that were read.
            let count = unsafe { libc::read(fd, self.start.add(self.length).cast(), room) };
            match usize::try_from(count) {
                Ok(0) => return Ok(()),
                Ok(count) => self.length = self.length.saturating_add(count),
                Err(_) if last_error() == Errno::EINTR => {}
                Err(_) => return Err(last_error()),
            }
        }
    }

    fn grow(&mut self) -> Result {
        let capacity = self.capacity.checked_mul(2).ok_or(Errno::ENOMEM)?.max(16 << 10);
        // SAFETY: null or the block from before.
        let start = unsafe { mem::resize(self.start.cast(), capacity) }.cast::<u8>();
        if start.is_null() {
            return Err(Errno::ENOMEM);
        }
        (self.start, self.capacity) = (start, capacity);
        Ok(())
    }
}

impl Deref for WholeFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: so many bytes were read to there; `read` has allocated at least once.
        unsafe { core::slice::from_raw_parts(self.start, self.length) }
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // SAFETY: null or allocated by `grow`.
        unsafe { mem::free(self.start.cast()) };
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::std_instead_of_core, clippy::alloc_instead_of_core)] // a test may
mod tests {
    use super::*;

    #[test]
    fn reads_more_than_fits_at_first() {
        let path = std::env::temp_dir().join(std::format!("uvoxide-{}-whole-file", std::process::id()));
        let content: std::vec::Vec<u8> = (0..100_000u32).map(|index| index as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let file = WholeFile::read(&name);
        std::fs::remove_file(&path).unwrap();
        assert!(*file.unwrap() == content[..]);
    }

    #[test]
    fn errors_are_the_systems() {
        assert_eq!(WholeFile::read(c"/no/such/file").err(), Some(Errno::ENOENT));
        assert_eq!(WholeFile::read(c"/").err(), Some(Errno::EISDIR));
    }
}
