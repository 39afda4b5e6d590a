//! An event as it lies in a buffer: a head, the words that only some events have, the arguments as they came, and copies of their strings.
//!
//! Everything is a whole number of words. Copies lie in the record itself, and the pointers in head and arguments lead to them; buffers do
//! not move.

use super::category::Category;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use core::ffi::{c_char, c_uint};
use core::mem::offset_of;
use core::ptr::copy_nonoverlapping;

/// In `Head::bits`, beside the flags of the interface: these words follow the head, in this order.
const HAS_ID: u32 = 1 << 16;
const HAS_DURATION: u32 = 1 << 17;
const HAS_CPU: u32 = 1 << 18;

/// An event on its way into a buffer.
pub struct Event {
    pub category: *const Category,
    pub phase: u8,
    pub name: *const c_char,
    /// 0: none.
    pub id: u64,
    /// When, or when it began, in ns.
    pub at: u64,
    /// In ns, of what is complete.
    pub duration: Option<u64>,
    /// CPU time of the thread in ns, if that is asked for.
    pub cpu: Option<u64>,
    pub args: *const uvx_trace_arg_t,
    pub count: u8,
    pub flags: c_uint,
}

#[repr(C)]
struct Head {
    words: u16,
    phase: u8,
    count: u8,
    bits: u32,
    category: *const Category,
    name: *const c_char,
    at: u64,
}

const WORD: usize = size_of::<u64>();
const HEAD_WORDS: usize = size_of::<Head>().div_ceil(WORD);
const ARG_WORDS: usize = size_of::<uvx_trace_arg_t>().div_ceil(WORD);
const _: () = {
    assert!(size_of::<uvx_trace_arg_t>() == ARG_WORDS * WORD && align_of::<uvx_trace_arg_t>() <= WORD);
    assert!(size_of::<Head>() == HEAD_WORDS * WORD && align_of::<Head>() <= WORD);
    assert!(offset_of!(Head, words) == 0);
};

impl Event {
    /// How many words its record takes. `UV_E2BIG`: more than any buffer has.
    ///
    /// # Safety
    /// Arguments and strings are what they say.
    #[inline]
    pub unsafe fn words(&self) -> Result<usize> {
        let extra = usize::from(self.id != 0)
            + usize::from(self.duration.is_some())
            + usize::from(self.cpu.is_some());
        let words = HEAD_WORDS + extra + usize::from(self.count) * ARG_WORDS;
        if self.flags & UVX_TRACE_COPY == 0 {
            return Ok(words);
        }
        // SAFETY: the caller's.
        let words = words.saturating_add(unsafe { self.text_bytes() }.div_ceil(WORD));
        if words > usize::from(u16::MAX) { Err(Errno::E2BIG) } else { Ok(words) }
    }

    /// # Safety
    /// As for `words`.
    #[cold]
    unsafe fn text_bytes(&self) -> usize {
        // SAFETY: the caller's.
        unsafe {
            let mut bytes = size(self.name);
            for index in 0..usize::from(self.count) {
                let arg = self.args.add(index).read();
                bytes = bytes.saturating_add(size(arg.name));
                if arg.type_ == UVX_TRACE_STRING {
                    bytes = bytes.saturating_add(size(arg.value.s));
                }
            }
            bytes
        }
    }

    /// Writes the record.
    ///
    /// # Safety
    /// `words` words at `at` are this thread's, `words` is what `words` says; as there.
    #[inline]
    pub unsafe fn write(&self, at: *mut u64, words: usize) {
        let mut bits = self.flags;
        // SAFETY: all of it lies within the words that were counted.
        unsafe {
            let mut next = at.add(HEAD_WORDS);
            let some = |value: Option<u64>| value.unwrap_or(0);
            for (bit, is_there, value) in [
                (HAS_ID, self.id != 0, self.id),
                (HAS_DURATION, self.duration.is_some(), some(self.duration)),
                (HAS_CPU, self.cpu.is_some(), some(self.cpu)),
            ] {
                if is_there {
                    bits |= bit;
                    next.write(value);
                    next = next.add(1);
                }
            }
            let head = at.cast::<Head>();
            head.write(Head {
                words: words as u16, // as `words` has checked
                phase: self.phase,
                count: self.count,
                bits,
                category: self.category,
                name: self.name,
                at: self.at,
            });
            let args = next.cast::<uvx_trace_arg_t>();
            for index in 0..usize::from(self.count) {
                args.add(index).write(self.args.add(index).read());
            }
            if self.flags & UVX_TRACE_COPY != 0 {
                copy_texts(head, args);
            }
        }
    }
}

/// Copies the strings of a record to its end, and leads its pointers there.
///
/// # Safety
/// There is room for them behind the arguments.
#[cold]
unsafe fn copy_texts(head: *mut Head, args: *mut uvx_trace_arg_t) {
    // SAFETY: the caller's; strings end in NUL.
    unsafe {
        let count = usize::from((*head).count);
        let mut end = args.add(count).cast::<c_char>();
        let mut copy = |text: *const c_char| {
            let size = size(text);
            if size == 0 {
                return text;
            }
            let to = end;
            copy_nonoverlapping(text, to, size);
            to.add(size - 1).write(0); // whatever another thread does to the text meanwhile
            end = end.add(size);
            to.cast_const()
        };
        (*head).name = copy((*head).name);
        for index in 0..count {
            let arg = args.add(index);
            (*arg).name = copy((*arg).name);
            if (*arg).type_ == UVX_TRACE_STRING {
                (*arg).value.s = copy((*arg).value.s);
            }
        }
    }
}

/// Of a string with its NUL; 0 for null.
///
/// # Safety
/// It is a string or null.
unsafe fn size(text: *const c_char) -> usize {
    // SAFETY: the caller's.
    if text.is_null() { 0 } else { unsafe { libc::strlen(text) }.saturating_add(1) }
}

/// A published record, for the reader.
pub struct Record {
    head: *const Head,
}

impl Record {
    /// # Safety
    /// A record begins there, and stays for as long as this is used.
    pub unsafe fn new(at: *const u64) -> Record {
        Record { head: at.cast() }
    }

    /// How many words it takes.
    pub fn words(&self) -> usize {
        // SAFETY: as `new` asks; so for the others.
        usize::from(unsafe { (*self.head).words })
    }

    /// One letter.
    pub fn phase(&self) -> u8 {
        // SAFETY: as above.
        unsafe { (*self.head).phase }
    }

    /// The flags that it came with.
    pub fn flags(&self) -> c_uint {
        // SAFETY: as above.
        unsafe { (*self.head).bits }
    }

    /// What it belongs to.
    pub fn category(&self) -> &Category {
        // SAFETY: as above; categories stay.
        unsafe { &*(*self.head).category }
    }

    /// A string.
    pub fn name(&self) -> *const c_char {
        // SAFETY: as above.
        unsafe { (*self.head).name }
    }

    /// When it was, in ns.
    pub fn at(&self) -> u64 {
        // SAFETY: as above.
        unsafe { (*self.head).at }
    }

    /// The id, if it has one.
    pub fn id(&self) -> Option<u64> {
        self.extra(HAS_ID)
    }

    /// How long it took, in ns, if it says so.
    pub fn duration(&self) -> Option<u64> {
        self.extra(HAS_DURATION)
    }

    /// CPU time of its thread, in ns, if it says so.
    pub fn cpu(&self) -> Option<u64> {
        self.extra(HAS_CPU)
    }

    fn extra(&self, bit: u32) -> Option<u64> {
        let before = (self.flags() & (bit - 1)) >> 16;
        if self.flags() & bit == 0 {
            return None;
        }
        // SAFETY: the words follow the head, one for each bit that is set.
        Some(unsafe { self.head.add(1).cast::<u64>().add(before.count_ones() as usize).read() })
    }

    /// The arguments.
    pub fn args(&self) -> impl Iterator<Item = uvx_trace_arg_t> {
        let extra = (self.flags() >> 16).count_ones() as usize;
        // SAFETY: they follow the extra words.
        unsafe {
            let first = self.head.add(1).cast::<u64>().add(extra).cast::<uvx_trace_arg_t>();
            (0..usize::from((*self.head).count)).map(move |index| first.add(index).read())
        }
    }
}
