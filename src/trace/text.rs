//! Text on its way out: grows as it must, and starts anew when it was written. The writer's.

use crate::mem;
use core::fmt;
use core::ptr::{copy_nonoverlapping, null_mut};

/// See the module. When there is no memory for more, what was to be added is an error.
pub struct Text {
    start: *mut u8,
    length: usize,
    capacity: usize,
}

impl Default for Text {
    /// Empty.
    fn default() -> Self {
        Text { start: null_mut(), length: 0, capacity: 0 }
    }
}

impl Text {
    /// How many bytes there are.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Forgets all but the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// The text so far.
    pub fn as_bytes(&self) -> &[u8] {
        if self.start.is_null() {
            return &[];
        }
        // SAFETY: so many bytes were written to there.
        unsafe { core::slice::from_raw_parts(self.start, self.length) }
    }

    /// Adds bytes.
    pub fn push(&mut self, more: &[u8]) -> fmt::Result {
        if self.capacity.wrapping_sub(self.length) < more.len() {
            self.reserve(more.len())?;
        }
        // SAFETY: there is room for them, and they lie elsewhere.
        unsafe { copy_nonoverlapping(more.as_ptr(), self.start.add(self.length), more.len()) };
        self.length = self.length.wrapping_add(more.len());
        Ok(())
    }

    /// Makes room for so many bytes more.
    pub fn reserve(&mut self, more: usize) -> fmt::Result {
        let needed = self.length.checked_add(more).ok_or(fmt::Error)?;
        if needed <= self.capacity {
            return Ok(());
        }
        let capacity = needed.max(self.capacity.saturating_mul(2));
        // SAFETY: null or the block from before.
        let start = unsafe { mem::resize(self.start.cast(), capacity) }.cast::<u8>();
        if start.is_null() {
            return Err(fmt::Error);
        }
        (self.start, self.capacity) = (start, capacity);
        Ok(())
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.push(more.as_bytes())
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: null or made by `reserve`.
        unsafe { mem::free(self.start.cast()) };
    }
}
