//! Text that grows on the heap.

use crate::mem;
use core::ffi::c_void;
use core::fmt;
use core::ptr::null_mut;

/// See the module. Writing is an error only without memory.
pub struct Buffer {
    base: *mut u8,
    length: usize,
    room: usize,
}

impl Buffer {
    /// Empty.
    pub const fn new() -> Buffer {
        Buffer { base: null_mut(), length: 0, room: 0 }
    }

    /// What was written.
    pub fn as_bytes(&self) -> &[u8] {
        if self.base.is_null() {
            return &[];
        }
        // SAFETY: so many bytes were written.
        unsafe { core::slice::from_raw_parts(self.base, self.length) }
    }

    fn grow(&mut self, more: usize) -> fmt::Result {
        let needed = self.length.checked_add(more).ok_or(fmt::Error)?;
        if needed > self.room {
            let room = needed.max(self.room.saturating_mul(2)).max(1024);
            // SAFETY: null, or from `mem`.
            let base = unsafe { mem::resize(self.base.cast::<c_void>(), room) };
            if base.is_null() {
                return Err(fmt::Error);
            }
            self.base = base.cast();
            self.room = room;
        }
        Ok(())
    }
}

impl fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.grow(text.len())?;
        // SAFETY: there is room behind what was written, and the text is elsewhere.
        unsafe { self.base.add(self.length).copy_from_nonoverlapping(text.as_ptr(), text.len()) };
        self.length += text.len();
        Ok(())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: null, or from `mem`, and nobody else's.
        unsafe { mem::free(self.base.cast()) };
    }
}
