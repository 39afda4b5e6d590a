//! Bytes in one block that grows.

use super::{free, resize};
use crate::abi::errno::{Errno, Result};
use core::fmt;
use core::mem::MaybeUninit;
use core::ops::Deref;
use core::ptr::{NonNull, copy_nonoverlapping};
use core::slice::{from_raw_parts, from_raw_parts_mut};

/// The smallest block, so that short contents are allocated once.
const LEAST: usize = 512;

/// Owns a block of which the first `length` bytes are in use.
pub struct Bytes {
    start: NonNull<u8>,
    length: usize,
    /// 0 as long as there is no block.
    capacity: usize,
}

impl Bytes {
    /// No bytes and no memory yet.
    pub const fn empty() -> Bytes {
        Bytes { start: NonNull::dangling(), length: 0, capacity: 0 }
    }

    /// Makes room for so many bytes more, which are then appended without an error.
    pub fn reserve(&mut self, more: usize) -> Result {
        let needed = self.length.checked_add(more).ok_or(Errno::ENOMEM)?;
        if needed <= self.capacity {
            return Ok(());
        }
        let capacity = needed.max(self.capacity.saturating_mul(2)).max(LEAST);
        // SAFETY: null or the block from before.
        let block = unsafe { resize(self.block().cast(), capacity) };
        self.start = NonNull::new(block.cast()).ok_or(Errno::ENOMEM)?;
        self.capacity = capacity;
        Ok(())
    }

    /// Copies `bytes` behind the others.
    pub fn append(&mut self, bytes: &[u8]) -> Result {
        self.reserve(bytes.len())?;
        // SAFETY: the room was just made, and nothing borrowed lies in it.
        unsafe { copy_nonoverlapping(bytes.as_ptr(), self.start.as_ptr().add(self.length), bytes.len()) };
        self.length = self.length.saturating_add(bytes.len());
        Ok(())
    }

    /// Forgets all but the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// The room behind the bytes, of at least `least` more; what is written there counts with `add`.
    pub fn room(&mut self, least: usize) -> Result<&mut [MaybeUninit<u8>]> {
        self.reserve(least)?;
        let left = self.capacity.saturating_sub(self.length);
        // SAFETY: the block has so many bytes behind those in use; with no block there are none, and the pointer may dangle.
        Ok(unsafe { from_raw_parts_mut(self.start.as_ptr().add(self.length).cast(), left) })
    }

    /// The next `count` bytes are in use, too.
    ///
    /// # Safety
    /// So many were written to the `room`.
    pub unsafe fn add(&mut self, count: usize) {
        self.length = self.length.saturating_add(count);
    }

    /// Gives up ownership: null, or the block, which then goes back with `mem::free`.
    pub fn into_raw(self) -> *mut u8 {
        let block = self.block();
        core::mem::forget(self);
        block
    }

    fn block(&self) -> *mut u8 {
        if self.capacity == 0 { core::ptr::null_mut() } else { self.start.as_ptr() }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: so many bytes were appended; with none the pointer may dangle.
        unsafe { from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

/// Text is appended; it is an error only without memory.
impl fmt::Write for Bytes {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.append(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        // SAFETY: null or the one block, which nobody else owns.
        unsafe { free(self.block().cast()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_keeps_what_it_has() {
        let mut bytes = Bytes::empty();
        assert!(bytes.is_empty());
        for value in 0..3000u32 {
            bytes.append(&value.to_ne_bytes()).unwrap();
        }
        assert_eq!(bytes.len(), 12000);
        for (value, four) in (0..3000u32).zip(bytes.chunks_exact(4)) {
            assert_eq!(four, value.to_ne_bytes());
        }
    }

    #[test]
    fn room_is_filled_in_place() {
        let mut bytes = Bytes::empty();
        assert!(bytes.room(0).unwrap().is_empty());
        for round in 0..20u8 {
            let room = bytes.room(100).unwrap();
            assert!(room.len() >= 100);
            room.iter_mut().take(100).for_each(|byte| _ = byte.write(round));
            // SAFETY: just written.
            unsafe { bytes.add(100) };
        }
        assert_eq!(bytes.len(), 2000);
        assert!(bytes.chunks(100).zip(0..).all(|(chunk, round)| chunk.iter().all(|&byte| byte == round)));
    }

    #[test]
    fn too_much_is_an_error_and_changes_nothing() {
        let mut bytes = Bytes::empty();
        bytes.append(b"abc").unwrap();
        assert_eq!(bytes.reserve(usize::MAX), Err(Errno::ENOMEM));
        assert_eq!(&*bytes, b"abc");
    }

    #[test]
    fn text_is_written_and_forgotten() {
        use core::fmt::Write;
        let mut bytes = Bytes::empty();
        let number = 12;
        write!(bytes, "{number}-ab").unwrap();
        assert_eq!(&*bytes, b"12-ab");
        bytes.truncate(9);
        bytes.truncate(2);
        bytes.write_str("!").unwrap();
        assert_eq!(&*bytes, b"12!");
    }

    #[test]
    fn gives_its_block_away() {
        assert!(Bytes::empty().into_raw().is_null());
        let mut bytes = Bytes::empty();
        bytes.append(b"x").unwrap();
        let block = bytes.into_raw();
        // SAFETY: the block holds one byte and is ours.
        unsafe {
            assert_eq!(*block, b'x');
            free(block.cast());
        }
    }
}
