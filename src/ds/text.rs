//! Text under construction in a buffer of fixed size, without allocation. Belongs to whoever made it.

use core::ffi::CStr;
use core::fmt;

/// Room for `SIZE - 1` bytes and a NUL. Writing what does not fit is an error and changes nothing.
pub struct Text<const SIZE: usize> {
    bytes: [u8; SIZE],
    length: usize,
}

impl<const SIZE: usize> Default for Text<SIZE> {
    /// Empty.
    fn default() -> Self {
        const { assert!(SIZE > 0, "no room for the NUL") };
        Text { bytes: [0; SIZE], length: 0 }
    }
}

impl<const SIZE: usize> Text<SIZE> {
    /// Adds bytes, of which none should be a NUL.
    pub fn push(&mut self, more: &[u8]) -> fmt::Result {
        let end = self.length.saturating_add(more.len());
        if end >= SIZE {
            return Err(fmt::Error);
        }
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(more);
        self.length = end;
        Ok(())
    }

    /// Forgets all but the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        if let Some(rest) = self.bytes.get_mut(length..) {
            rest.fill(0);
            self.length = self.length.min(length);
        }
    }

    /// The text so far.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The text so far, for C.
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}

impl<const SIZE: usize> fmt::Write for Text<SIZE> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.push(more.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::fmt::Write;

    #[test]
    fn grows_to_its_size_and_no_further() {
        let mut text = Text::<6>::default();
        write!(text, "{}", 12345).unwrap();
        assert_eq!((text.as_bytes(), text.as_c_str()), (b"12345".as_slice(), c"12345"));
        assert!(text.push(b"6").is_err());
        assert_eq!(text.as_c_str(), c"12345");
    }

    #[test]
    fn shrinks() {
        let mut text = Text::<6>::default();
        text.push(b"12345").unwrap();
        text.truncate(7);
        assert_eq!(text.as_c_str(), c"12345");
        text.truncate(2);
        text.push(b"x").unwrap();
        assert_eq!(text.as_c_str(), c"12x");
    }
}
