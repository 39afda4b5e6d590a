//! inotify(7): the descriptor, what it watches, and the events that are read from it.

use super::{check, fd};
use crate::abi::errno::{Errno, Result};
use core::ffi::{CStr, c_int};

/// What is asked of every watch.
const WATCHED: u32 = libc::IN_ATTRIB
    | libc::IN_MODIFY
    | libc::IN_CREATE
    | libc::IN_DELETE
    | libc::IN_DELETE_SELF
    | libc::IN_MOVE_SELF
    | libc::IN_MOVED_FROM
    | libc::IN_MOVED_TO;

/// The largest event: the fixed part, and a name with its NUL.
pub const LARGEST_EVENT: usize = size_of::<libc::inotify_event>() + 256;

/// A new descriptor, not blocking, closed on exec.
pub fn create() -> Result<c_int> {
    // SAFETY: no pointers.
    check(unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) })
}

/// Watches what `path` leads to, and returns the watch's number: the same for the same file, whatever the path.
pub fn add(inotify: c_int, path: &CStr) -> Result<c_int> {
    // SAFETY: the path is a string.
    check(unsafe { libc::inotify_add_watch(inotify, path.as_ptr(), WATCHED) })
}

/// Ends a watch; one that ended by itself is fine.
pub fn remove(inotify: c_int, watch: c_int) {
    // SAFETY: no pointers.
    unsafe { libc::inotify_rm_watch(inotify, watch) };
}

/// Reads whole events; `UV_EAGAIN` when there are none.
pub fn read(inotify: c_int, buffer: &mut [u8]) -> Result<&[u8]> {
    // SAFETY: the memory is the buffer, which is this long.
    let count = unsafe { fd::read(inotify, buffer.as_mut_ptr().cast(), buffer.len()) }?;
    buffer.get(..count).ok_or(Errno::EIO)
}

/// One event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event<'a> {
    /// The number of the watch; -1 if events were lost.
    pub watch: c_int,
    /// `IN_*` bits.
    pub mask: u32,
    /// Which entry of a watched folder; none if it is the watched file itself.
    pub name: Option<&'a CStr>,
}

/// The events in what was read. Ends before an event that is not whole.
pub fn events(bytes: &[u8]) -> Events<'_> {
    Events(bytes)
}

/// See [`events`].
pub struct Events<'a>(&'a [u8]);

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        let mut rest = core::mem::take(&mut self.0); // what is not whole ends it for good
        let watch = i32::from_ne_bytes(take_word(&mut rest)?);
        let mask = u32::from_ne_bytes(take_word(&mut rest)?);
        let _cookie = take_word(&mut rest)?;
        let size = usize::try_from(u32::from_ne_bytes(take_word(&mut rest)?)).ok()?;
        let (name, rest) = rest.split_at_checked(size)?;
        self.0 = rest;
        // Padded with NULs; without a name nothing but padding.
        let name = CStr::from_bytes_until_nul(name).ok().filter(|name| !name.is_empty());
        Some(Event { watch, mask, name })
    }
}

fn take_word(bytes: &mut &[u8]) -> Option<[u8; 4]> {
    let (word, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event as the kernel writes it, with `size` bytes for the name.
    fn encode(into: &mut [u8], watch: i32, mask: u32, size: u32, name: &[u8]) -> usize {
        let end = 16 + size as usize;
        into[..end].fill(0);
        into[0..4].copy_from_slice(&watch.to_ne_bytes());
        into[4..8].copy_from_slice(&mask.to_ne_bytes());
        into[12..16].copy_from_slice(&size.to_ne_bytes());
        into[16..16 + name.len()].copy_from_slice(name);
        end
    }

    #[test]
    fn finds_events_with_and_without_a_name() {
        let mut bytes = [0xff; 256];
        let mut end = encode(&mut bytes, 1, libc::IN_MODIFY, 0, b"");
        end += encode(&mut bytes[end..], 7, libc::IN_CREATE, 16, b"name");
        end += encode(&mut bytes[end..], 7, libc::IN_ATTRIB, 16, b"");
        end += encode(&mut bytes[end..], -1, libc::IN_Q_OVERFLOW, 0, b"");
        let mut found = events(&bytes[..end]);
        assert_eq!(found.next(), Some(Event { watch: 1, mask: libc::IN_MODIFY, name: None }));
        assert_eq!(found.next(), Some(Event { watch: 7, mask: libc::IN_CREATE, name: Some(c"name") }));
        assert_eq!(found.next(), Some(Event { watch: 7, mask: libc::IN_ATTRIB, name: None }));
        assert_eq!(found.next(), Some(Event { watch: -1, mask: libc::IN_Q_OVERFLOW, name: None }));
        assert_eq!(found.next(), None);
    }

    #[test]
    fn ends_before_what_is_not_whole() {
        let mut bytes = [0; 256];
        let first = encode(&mut bytes, 1, libc::IN_MODIFY, 0, b"");
        let end = first + encode(&mut bytes[first..], 2, libc::IN_CREATE, 16, b"name");
        for length in first..end {
            assert_eq!(events(&bytes[..length]).count(), 1);
        }
        assert_eq!(events(&bytes[..end]).count(), 2);
        assert_eq!(events(&bytes[..first - 1]).count(), 0);
        encode(&mut bytes, 1, 0, 0, b"");
        bytes[12..16].fill(0xff); // a name of 4 GiB
        assert_eq!(events(&bytes).count(), 0);
    }

    #[test]
    fn a_name_without_its_end_is_none() {
        let mut bytes = [b'x'; 32];
        encode(&mut bytes, 1, 0, 16, &[b'x'; 16]);
        assert_eq!(events(&bytes).next().unwrap().name, None);
    }

    #[test]
    fn the_kernels_own() {
        let mut path = *b"/tmp/uv-inotify-XXXXXX\0";
        // SAFETY: the template is a string that can be written.
        assert!(!unsafe { libc::mkdtemp(path.as_mut_ptr().cast()) }.is_null());
        let path = CStr::from_bytes_with_nul(&path).unwrap();
        let inotify = create().unwrap();
        let watch = add(inotify, path).unwrap();
        assert_eq!(add(inotify, path), Ok(watch));
        let mut buffer = [0; LARGEST_EVENT];
        assert_eq!(read(inotify, &mut buffer), Err(Errno::EAGAIN));
        // SAFETY: the path is a string.
        unsafe { libc::rmdir(path.as_ptr()) };
        let mut masks = 0;
        while let Ok(bytes) = read(inotify, &mut buffer) {
            for event in events(bytes) {
                assert_eq!((event.watch, event.name), (watch, None));
                masks |= event.mask;
            }
        }
        assert_eq!(
            masks & (libc::IN_DELETE_SELF | libc::IN_IGNORED),
            libc::IN_DELETE_SELF | libc::IN_IGNORED
        );
        remove(inotify, watch);
        fd::close(inotify);
        assert_eq!(add(inotify, path), Err(Errno::EBADF));
    }
}
