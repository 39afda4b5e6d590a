//! `uv_fs_scandir`: all entries of a directory at once, in the order of the bytes of their names.
//!
//! The result is one block, which `ptr` leads to: a [`Listing`], the entries, and the records that have their names.

use super::Fs;
use super::entries::{self, Entries};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::mem;
use crate::sys::directory::Directory;
use core::ptr::{copy_nonoverlapping, null_mut};

/// The head of the block.
#[repr(C)]
struct Listing {
    count: usize,
    /// The entry that is to be given out next.
    next: usize,
}

const _: () = assert!(size_of::<Listing>().is_multiple_of(align_of::<uv_dirent_t>()));

/// Reads the whole directory; the result is how many entries there are. Nothing is allocated for an empty one.
pub fn run(fs: Fs) -> Result<usize> {
    let mut found = Entries::new();
    let mut directory = Directory::open(fs.path())?;
    while let Some(entry) = directory.read()? {
        found.push(&entry)?;
    }
    drop(directory);
    if found.count() > 0 {
        fs.set_ptr(list(&found)?.cast());
    }
    Ok(found.count())
}

/// The sorted listing in a block of its own.
fn list(found: &Entries) -> Result<*mut Listing> {
    let (count, records) = (found.count(), found.records());
    let size = count
        .checked_mul(size_of::<uv_dirent_t>())
        .and_then(|size| size.checked_add(size_of::<Listing>()))
        .and_then(|size| size.checked_add(records.len()))
        .ok_or(Errno::ENOMEM)?;
    let listing = mem::alloc(size).cast::<Listing>();
    if listing.is_null() {
        return Err(Errno::ENOMEM);
    }
    // SAFETY: a new block, in which the three parts lie one behind the other; no other part is touched while it is sorted.
    unsafe {
        listing.write(Listing { count, next: 0 });
        let first = first_entry(listing);
        let names = first.add(count).cast::<u8>();
        copy_nonoverlapping(records.as_ptr(), names, records.len());
        entries::write(names, count, first);
        core::slice::from_raw_parts_mut(first, count)
            .sort_unstable_by(|one, other| libc::strcmp(one.name, other.name).cmp(&0));
    }
    Ok(listing)
}

/// Where the entries are.
fn first_entry(listing: *mut Listing) -> *mut uv_dirent_t {
    listing.wrapping_add(1).cast()
}

/// `uv_fs_scandir_next`: `UV_EOF` after the last entry, or the error of the request. The name lives until `UV_EOF` or the cleanup.
///
/// # Safety
/// The request was one of `uv_fs_scandir` and is done; the entry is writable.
pub unsafe fn next(fs: Fs, entry: *mut uv_dirent_t) -> Result {
    if let Ok(error) = i32::try_from(fs.result())
        && error < 0
    {
        return Err(Errno::from_errno(error.saturating_neg()));
    }
    let listing = fs.ptr().cast::<Listing>();
    if listing.is_null() {
        return Err(Errno::EOF);
    }
    // SAFETY: made by `list`; the entry is the caller's.
    unsafe {
        let Listing { count, next } = listing.read();
        if next == count {
            mem::free(listing.cast());
            fs.set_ptr(null_mut());
            return Err(Errno::EOF);
        }
        (*listing).next = next + 1;
        entry.write(first_entry(listing).add(next).read());
    }
    Ok(())
}
