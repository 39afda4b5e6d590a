//! Who wants which categories: a list with one entry for each time that a client has enabled a pattern, so that enabling nests.
//!
//! A pattern is the name of a category, or the beginning of names and a `*`. A category that has several names, with commas between them, is
//! wanted if one of them is.

use crate::abi::errno::{Errno, Result};
use crate::mem::{self, Owned};
use core::cell::Cell;
use core::ffi::c_void;
use core::ptr::{NonNull, copy_nonoverlapping, null_mut};

/// All clients of an agent. For who has the lock of `state.rs`.
pub struct Clients {
    list: List,
}

/// The oldest entry first.
struct List(Cell<*mut Entry>);

struct Entry {
    next: Cell<*mut Entry>,
    /// The client's address; nobody follows it.
    client: *const c_void,
    pattern: NonNull<u8>,
    length: usize,
}

impl Default for Clients {
    /// None.
    fn default() -> Self {
        Clients { list: List(Cell::new(null_mut())) }
    }
}

impl Clients {
    /// `client` wants the patterns in `text`, one time more. `UV_ENOMEM`: nothing has changed. `UV_EINVAL`: there is none in it.
    pub fn add(&self, client: *const c_void, text: &[u8]) -> Result {
        let new = List(Cell::new(null_mut()));
        for pattern in patterns(text) {
            new.append(Entry::new(client, pattern)?);
        }
        if new.0.get().is_null() {
            return Err(Errno::EINVAL);
        }
        self.list.end().set(new.0.take());
        Ok(())
    }

    /// `client` wants the patterns in `text` one time less. `UV_ENOENT`: one of them it did not want, and nothing has changed.
    pub fn remove(&self, client: *const c_void, text: &[u8]) -> Result {
        let gone = List(Cell::new(null_mut()));
        for pattern in patterns(text) {
            match self.list.take(client, Some(pattern)) {
                Some(entry) => gone.append(entry),
                None => {
                    self.list.end().set(gone.0.take());
                    return Err(Errno::ENOENT);
                }
            }
        }
        if gone.0.get().is_null() { Err(Errno::EINVAL) } else { Ok(()) }
    }

    /// `client` wants nothing any more. `UV_ENOENT`: as before.
    pub fn remove_all(&self, client: *const c_void) -> Result {
        let mut result: Result = Err(Errno::ENOENT);
        while self.list.take(client, None).is_some() {
            result = Ok(());
        }
        result
    }

    /// Nobody wants anything any more.
    pub fn clear(&self) {
        drop(List(Cell::new(self.list.0.take())));
    }

    /// Whether somebody wants the category of this name.
    pub fn want(&self, name: &[u8]) -> bool {
        patterns(name).any(|name| self.list.iter().any(|entry| matches(entry.pattern(), name)))
    }

    /// Whether anybody wants anything.
    pub fn want_something(&self) -> bool {
        !self.list.0.get().is_null()
    }

    /// Each pattern that somebody wants, once.
    pub fn for_each_pattern(&self, mut take: impl FnMut(&[u8])) {
        for entry in self.list.iter() {
            let first = self.list.iter().find(|other| other.pattern() == entry.pattern());
            if first.is_some_and(|first| core::ptr::eq(first, entry)) {
                take(entry.pattern());
            }
        }
    }
}

/// The parts between commas, without spaces around them.
fn patterns(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|part| !part.is_empty())
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_last() {
        Some((b'*', start)) => name.starts_with(start),
        _ => pattern == name,
    }
}

impl List {
    fn iter(&self) -> impl Iterator<Item = &Entry> {
        let mut at = self.0.get();
        core::iter::from_fn(move || {
            // SAFETY: entries of the list are alive, and it does not change while it is borrowed for this.
            let entry = unsafe { at.as_ref() }?;
            at = entry.next.get();
            Some(entry)
        })
    }

    /// Where the next entry is to be entered.
    fn end(&self) -> &Cell<*mut Entry> {
        self.iter().last().map_or(&self.0, |entry| &entry.next)
    }

    fn append(&self, entry: Owned<Entry>) {
        self.end().set(entry.into_raw());
    }

    /// Takes out the first entry of the client, with this pattern or with any.
    fn take(&self, client: *const c_void, pattern: Option<&[u8]>) -> Option<Owned<Entry>> {
        let mut link = &self.0;
        loop {
            // SAFETY: entries of the list are alive.
            let entry = unsafe { link.get().as_ref() }?;
            if entry.client == client && pattern.is_none_or(|pattern| pattern == entry.pattern()) {
                let raw = link.replace(entry.next.take());
                // SAFETY: it came from `append`, and is in no list any more.
                return Some(unsafe { Owned::from_raw(raw) });
            }
            link = &entry.next;
        }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        while let Some(raw) = NonNull::new(self.0.get()) {
            // SAFETY: as in `take`.
            let entry = unsafe { Owned::from_raw(raw.as_ptr()) };
            self.0.set(entry.next.take());
        }
    }
}

impl Entry {
    fn new(client: *const c_void, pattern: &[u8]) -> Result<Owned<Entry>> {
        let copy = mem::alloc_array::<u8>(pattern.len())?;
        // SAFETY: the copy is new and has that size.
        unsafe { copy_nonoverlapping(pattern.as_ptr(), copy.as_ptr(), pattern.len()) };
        Owned::new(Entry { next: Cell::new(null_mut()), client, pattern: copy, length: pattern.len() })
    }

    fn pattern(&self) -> &[u8] {
        // SAFETY: set by `new`, and does not change.
        unsafe { core::slice::from_raw_parts(self.pattern.as_ptr(), self.length) }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // SAFETY: the entry's own.
        unsafe { mem::free(self.pattern.as_ptr().cast()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ptr::null;

    #[test]
    fn enabling_nests_and_is_all_or_nothing() {
        let clients = Clients::default();
        let other = core::ptr::from_ref(&clients).cast::<c_void>();
        clients.add(null(), b" a, b*,a").unwrap();
        clients.add(other, b"b*").unwrap();
        assert!(clients.want(b"a") && clients.want(b"bcd") && !clients.want(b"ab") && clients.want(b"x,a"));
        assert_eq!(clients.remove(null(), b"a,a,a"), Err(Errno::ENOENT));
        clients.remove(null(), b"a").unwrap();
        assert!(clients.want(b"a"));
        clients.remove(null(), b"a,b*").unwrap();
        assert!(!clients.want(b"a") && clients.want(b"b"));
        assert_eq!(clients.remove_all(null()), Err(Errno::ENOENT));
        clients.remove_all(other).unwrap();
        assert!(!clients.want_something());
        assert_eq!(clients.add(null(), b" ,"), Err(Errno::EINVAL));
    }
}
