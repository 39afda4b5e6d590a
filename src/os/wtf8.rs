//! UTF-16 as it comes, with surrogates that have no partner, to and from WTF-8: UTF-8 in which such a surrogate is an encoded
//! character of its own.
//!
//! Deliberate differences from the reference: converting WTF-8 stops at the end of the buffer, and at what is no WTF-8; that includes
//! characters that take more bytes than they need, among them a NUL in three.

use crate::abi::errno::{Errno, Result};
use crate::mem;
use core::ffi::c_char;

/// UTF-16 of the caller's, read from the front.
#[derive(Clone, Copy)]
struct Units {
    next: *const u16,
    /// None: up to a 0.
    left: Option<usize>,
}

impl Units {
    /// # Safety
    /// `start` has `length` units, or ends with a 0 if that is negative; while the value is used.
    unsafe fn new(start: *const u16, length: isize) -> Units {
        Units { next: start, left: usize::try_from(length).ok() }
    }

    fn peek(&self) -> Option<u16> {
        if self.left == Some(0) {
            return None;
        }
        // SAFETY: what `new` was promised: not at the end.
        let unit = unsafe { self.next.read() };
        if self.left.is_none() && unit == 0 { None } else { Some(unit) }
    }

    fn unit(&mut self) -> Option<u16> {
        let unit = self.peek()?;
        // SAFETY: there was a unit, so this is at most the end.
        self.next = unsafe { self.next.add(1) };
        self.left = self.left.map(|left| left.saturating_sub(1));
        Some(unit)
    }
}

/// Code points: pairs of surrogates as one, others as they are.
impl Iterator for Units {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let first = u32::from(self.unit()?);
        if let (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) = (first, self.peek()) {
            self.unit();
            return Some(0x1_0000 + ((first & 0x3ff) << 10) + (u32::from(second) & 0x3ff));
        }
        Some(first)
    }
}

/// A code point's bytes, as many as `width`.
fn encode(code: u32) -> [u8; 4] {
    let tail = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
    let lead = |mark: u8, shift: u32| mark | (code >> shift) as u8;
    match width(code) {
        1 => [code as u8, 0, 0, 0],
        2 => [lead(0xc0, 6), tail(0), 0, 0],
        3 => [lead(0xe0, 12), tail(6), tail(0), 0],
        _ => [lead(0xf0, 18), tail(12), tail(6), tail(0)],
    }
}

fn width(code: u32) -> usize {
    match code {
        0..=0x7f => 1,
        0x80..=0x7ff => 2,
        0x800..=0xffff => 3,
        _ => 4,
    }
}

/// The bytes that UTF-16 takes as WTF-8, without a NUL.
///
/// # Safety
/// `start` has `length` units, or ends with a 0 if that is negative.
pub unsafe fn length_from_utf16(start: *const u16, length: isize) -> usize {
    // SAFETY: the caller's.
    unsafe { Units::new(start, length) }.map(width).fold(0, usize::saturating_add)
}

/// UTF-16 to WTF-8 with a NUL. `to` null: only the length is stored. `*to` null: it becomes an allocated block. Otherwise `*size` bytes
/// and one for the NUL can be written there; if that is too little, `UV_ENOBUFS`: it is filled, and `*size` is what all would take.
///
/// # Safety
/// `start` as for `length_from_utf16`; `to` and `size` as above, and `size` may be null where nothing is read from it.
pub unsafe fn from_utf16(start: *const u16, length: isize, to: *mut *mut c_char, size: *mut usize) -> Result {
    // SAFETY: the caller's.
    unsafe {
        let needed = length_from_utf16(start, length);
        let mut room = needed;
        if !to.is_null() && (*to).is_null() {
            *to = mem::alloc_array::<c_char>(needed.saturating_add(1))
                .inspect_err(|_| {
                    if !size.is_null() {
                        *size = needed;
                    }
                })?
                .as_ptr();
        } else if !to.is_null() {
            room = *size;
        }
        if !size.is_null() {
            *size = needed;
        }
        if to.is_null() {
            return Ok(());
        }
        let mut filled = 0usize;
        let bytes = Units::new(start, length).flat_map(|code| encode(code).into_iter().take(width(code)));
        for byte in bytes.take(room) {
            (*to).add(filled).write(byte as c_char);
            filled = filled.saturating_add(1);
        }
        (*to).add(filled).write(0);
        if needed > room { Err(Errno::ENOBUFS) } else { Ok(()) }
    }
}

/// WTF-8 of the caller's, up to and with its NUL.
struct Bytes(Option<*const u8>);

impl Bytes {
    /// The byte that comes next, and moves behind it unless it is the NUL.
    fn byte(at: &mut *const u8) -> u32 {
        // SAFETY: within the string, by the constructor's promise.
        unsafe {
            let byte = at.read();
            if byte != 0 {
                *at = at.add(1);
            }
            u32::from(byte)
        }
    }
}

/// Code points, the NUL being the last one; None in between for what is no WTF-8, which is also the last.
impl Iterator for Bytes {
    type Item = Option<u32>;

    fn next(&mut self) -> Option<Option<u32>> {
        let mut at = self.0.take()?;
        let lead = Bytes::byte(&mut at);
        let (more, mut code, least) = match lead {
            0 => return Some(Some(0)),
            1..=0x7f => (0, lead, 0),
            0xc2..=0xdf => (1, lead & 0x1f, 0x80),
            0xe0..=0xef => (2, lead & 0x0f, 0x800),
            0xf0..=0xf4 => (3, lead & 0x07, 0x1_0000),
            _ => return Some(None),
        };
        for _ in 0..more {
            match Bytes::byte(&mut at) {
                byte @ 0x80..=0xbf => code = code << 6 | byte & 0x3f,
                _ => return Some(None),
            }
        }
        if !(least..=0x10_ffff).contains(&code) {
            return Some(None);
        }
        self.0 = Some(at);
        Some(Some(code))
    }
}

/// The units that WTF-8 takes as UTF-16, the 0 at the end included; `UV_EINVAL` if it is none.
///
/// # Safety
/// `start` is a string.
pub unsafe fn length_to_utf16(start: *const c_char) -> Result<isize> {
    let mut length = 0isize;
    for code in Bytes(Some(start.cast())) {
        length = length.saturating_add(if code.ok_or(Errno::EINVAL)? > 0xffff { 2 } else { 1 });
    }
    Ok(length)
}

/// WTF-8 to UTF-16 with its 0, as far as `room` units go.
///
/// # Safety
/// `start` is a string, and `room` units can be written at `to`.
pub unsafe fn to_utf16(start: *const c_char, to: *mut u16, room: usize) {
    let units = Bytes(Some(start.cast())).map_while(|code| code).flat_map(|code| {
        let pair = code.wrapping_sub(0x1_0000);
        match code {
            0..=0xffff => [Some(code as u16), None],
            _ => [Some(0xd800 | (pair >> 10) as u16), Some(0xdc00 | (pair & 0x3ff) as u16)],
        }
    });
    for (index, unit) in units.flatten().take(room).enumerate() {
        // SAFETY: the caller's.
        unsafe { to.add(index).write(unit) };
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::std_instead_of_core, clippy::alloc_instead_of_core)] // a test may
mod tests {
    use super::*;
    use std::string::String;
    use std::vec::Vec;

    #[test]
    fn agrees_with_the_standard_library_and_comes_back() {
        for text in ["", "a", "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}", "grün 🦀"] {
            let units: Vec<u16> = text.encode_utf16().collect();
            let mut at = core::ptr::null_mut();
            let mut size = 0;
            // SAFETY: the pointers are those of living vectors.
            unsafe {
                from_utf16(units.as_ptr(), units.len() as isize, &raw mut at, &raw mut size).unwrap();
                assert_eq!(core::slice::from_raw_parts(at.cast::<u8>(), size), text.as_bytes());
                let length = length_to_utf16(at).unwrap() as usize;
                assert_eq!(length, units.len() + 1);
                let mut back = std::vec![1u16; length];
                to_utf16(at, back.as_mut_ptr(), length);
                assert_eq!(String::from_utf16(&back[..units.len()]).unwrap(), text);
                assert_eq!(back[units.len()], 0);
                mem::free(at.cast());
            }
        }
    }

    #[test]
    fn lone_surrogates_survive() {
        let units = [0xd800u16, 0x41, 0xdc00, 0xd83d];
        let mut bytes = [0 as c_char; 16];
        let (mut at, mut size) = (bytes.as_mut_ptr(), 15);
        let mut back = [1u16; 5];
        // SAFETY: as above.
        unsafe {
            from_utf16(units.as_ptr(), 4, &raw mut at, &raw mut size).unwrap();
            assert_eq!(size, 10);
            assert_eq!(length_to_utf16(at), Ok(5));
            to_utf16(at, back.as_mut_ptr(), 5);
        }
        assert_eq!(back, [0xd800, 0x41, 0xdc00, 0xd83d, 0]);
    }

    #[test]
    fn what_is_no_wtf8_is_refused() {
        for text in [
            c"\x80",
            c"\xc1\x81",
            c"\xe0\x80\x80",
            c"\xe0\x9f\xbf",
            c"\xf0\x8f\xbf\xbf",
            c"\xe2\x82",
            c"\xf4\x90\x80\x80",
            c"\xff",
            c"a\xc3(",
        ] {
            // SAFETY: a string.
            assert_eq!(unsafe { length_to_utf16(text.as_ptr()) }, Err(Errno::EINVAL), "{text:?}");
        }
    }
}
