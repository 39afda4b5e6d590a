//! `uv_fs_opendir`, `uv_fs_readdir`, `uv_fs_closedir`: a directory, a few entries at a time.
//!
//! The `uv_dir_t` is the library's, but what it reads into is the program's. The names are in one block, which the request of the
//! `uv_fs_readdir` owns.

use super::Fs;
use super::entries::{self, Entries};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::mem::{self, Owned};
use crate::sys::directory::Directory;
use core::mem::ManuallyDrop;
use core::ptr::{null, null_mut};

/// Opens the directory; `ptr` leads to the new `uv_dir_t`.
pub fn open(fs: Fs) -> Result<usize> {
    let stream = Directory::open(fs.path())?;
    let mut dir = Owned::new(uv_dir_t {
        dirents: null_mut(),
        nentries: 0,
        reserved: [null_mut(); 4],
        dir: null_mut(),
    })?;
    dir.dir = stream.into_raw();
    fs.set_ptr(dir.into_raw().cast());
    Ok(0)
}

/// Stores which directory the request is about. `UV_EINVAL` if there is none, or nothing to read into.
///
/// # Safety
/// `dir` is null or was opened and not closed.
pub unsafe fn set_read(fs: Fs, dir: *mut uv_dir_t) -> Result {
    // SAFETY: not null and the caller's.
    if dir.is_null() || unsafe { (*dir).dir.is_null() || (*dir).dirents.is_null() } {
        return Err(Errno::EINVAL);
    }
    fs.set_ptr(dir.cast());
    Ok(())
}

/// Reads as many entries as there is room for; the result is how many those are, 0 at the end.
pub fn read(fs: Fs) -> Result<usize> {
    let dir = fs.ptr().cast::<uv_dir_t>();
    // SAFETY: `set_read` has looked at it; while the request runs, nobody else uses it.
    let (stream, to, room) = unsafe { (Directory::from_raw((*dir).dir), (*dir).dirents, (*dir).nentries) };
    let mut stream = ManuallyDrop::new(stream.ok_or(Errno::EINVAL)?);
    let mut found = Entries::new();
    while found.count() < room
        && let Some(entry) = stream.read()?
    {
        found.push(&entry)?;
    }
    let count = found.count();
    let records = found.into_records();
    // SAFETY: records of so many entries, which are at most the room; the request keeps them until its cleanup.
    unsafe { entries::write(records, count, to) };
    fs.set_names(records);
    Ok(count)
}

/// Frees the names; the entries have none then. The directory is still open, as the interface asks for.
pub fn free_names(fs: Fs) {
    let names = fs.names();
    if names.is_null() {
        return;
    }
    // SAFETY: `read` has filled so many entries of this array, and their names are in this block.
    unsafe {
        let entries = (*fs.ptr().cast::<uv_dir_t>()).dirents;
        for index in 0..fs.result().unsigned_abs() {
            (*entries.add(index)).name = null();
        }
        mem::free(names.cast());
    }
    fs.set_names(null_mut());
}

/// Stores which directory the request is about. `UV_EINVAL` if there is none.
pub fn set_close(fs: Fs, dir: *mut uv_dir_t) -> Result {
    if dir.is_null() {
        return Err(Errno::EINVAL);
    }
    fs.set_ptr(dir.cast());
    Ok(())
}

/// Closes the directory and frees the `uv_dir_t`. What the system says of that is not told: there is nothing left to do about it.
pub fn close(fs: Fs) -> Result<usize> {
    // SAFETY: `open` made both, and this is the end of them.
    unsafe {
        let dir = fs.ptr().cast::<uv_dir_t>();
        drop(Directory::from_raw((*dir).dir));
        mem::free(dir.cast());
    }
    fs.set_ptr(null_mut());
    Ok(0)
}
