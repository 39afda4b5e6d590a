//! Text that goes into a buffer of the caller's: the room comes in through `*size` and the length goes out.

use crate::abi::errno::{Errno, Result};
use core::ffi::c_char;
use core::ptr::copy_nonoverlapping;

/// A buffer of `*size` bytes, which was checked and not yet filled.
pub struct CallerBuffer {
    start: *mut c_char,
    size: *mut usize,
    room: usize,
}

impl CallerBuffer {
    /// `UV_EINVAL` for null pointers and a size of 0.
    ///
    /// # Safety
    /// `size` is null or points to the number of bytes that can be written at `buffer`, as long as this value is used.
    pub unsafe fn new(buffer: *mut c_char, size: *mut usize) -> Result<CallerBuffer> {
        if buffer.is_null() || size.is_null() {
            return Err(Errno::EINVAL);
        }
        // SAFETY: not null.
        match unsafe { size.read() } {
            0 => Err(Errno::EINVAL),
            room => Ok(CallerBuffer { start: buffer, size, room }),
        }
    }

    /// The start and how many bytes there are, for system calls that write themselves.
    pub fn room(&self) -> (*mut c_char, usize) {
        (self.start, self.room)
    }

    /// Copies a text and its NUL. If it does not fit nothing is copied, the size becomes what is needed, and it is `UV_ENOBUFS`.
    pub fn put(self, text: &[u8]) -> Result {
        let needed = text.len().saturating_add(1);
        if needed > self.room {
            // SAFETY: what `new` was promised.
            unsafe { self.size.write(needed) };
            return Err(Errno::ENOBUFS);
        }
        // SAFETY: as above; the caller's buffer is no memory of ours.
        unsafe { copy_nonoverlapping(text.as_ptr().cast(), self.start, text.len()) };
        self.end_at(text.len());
        Ok(())
    }

    /// Ends the text in the buffer after `length` bytes, which are less than the room.
    pub fn end_at(self, length: usize) {
        debug_assert!(length < self.room);
        // SAFETY: what `new` was promised.
        unsafe {
            self.start.add(length).write(0);
            self.size.write(length);
        }
    }
}
