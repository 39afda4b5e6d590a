//! Files of any size, such as lists in /proc, read into memory of their own.

use super::{fd, file};
use crate::abi::errno::Result;
use crate::mem::Bytes;
use core::ffi::{CStr, c_int};

/// A read gets room for so much, or more.
const AT_ONCE: usize = 16 << 10;

/// What the file at `path` holds.
pub fn read(path: &CStr) -> Result<Bytes> {
    let fd = file::open(path, libc::O_RDONLY, 0)?;
    let content = read_all(fd);
    fd::close(fd);
    content
}

fn read_all(fd: c_int) -> Result<Bytes> {
    let mut content = Bytes::empty();
    loop {
        let room = content.room(AT_ONCE)?;
        // SAFETY: the room is writable and this long.
        let count = unsafe { fd::read(fd, room.as_mut_ptr().cast(), room.len()) }?;
        if count == 0 {
            return Ok(content);
        }
        // SAFETY: the call has filled so much of the room.
        unsafe { content.add(count) };
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::std_instead_of_core, clippy::alloc_instead_of_core)] // a test may
mod tests {
    use super::*;
    use crate::abi::errno::Errno;
    use std::hash::{BuildHasher, RandomState};

    #[test]
    fn reads_more_than_fits_at_first() {
        let unique = RandomState::new().hash_one("whole file");
        let path = std::env::temp_dir().join(std::format!("uvoxide-{unique:x}-whole-file"));
        let content: std::vec::Vec<u8> = (0..100_000u32).map(|index| index as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let file = read(&name);
        std::fs::remove_file(&path).unwrap();
        assert!(*file.unwrap() == content[..]);
    }

    #[test]
    fn errors_are_the_systems() {
        assert_eq!(read(c"/no/such/file").err(), Some(Errno::ENOENT));
        assert_eq!(read(c"/").err(), Some(Errno::EISDIR));
    }
}
