//! Directories: what is in them, one entry after the other, without `.` and `..`.

use super::last_error;
use crate::abi::errno::{Errno, Result};
use core::ffi::CStr;
use core::ptr::NonNull;

/// An open directory; dropping it closes it.
pub struct Directory(NonNull<libc::DIR>);

/// One entry of a directory.
pub struct Entry<'a> {
    pub name: &'a CStr,
    /// A `DT_*` number; `DT_UNKNOWN` where the file system does not say.
    pub kind: u8,
}

impl Directory {
    /// Opens the directory at `path`, closed on exec.
    pub fn open(path: &CStr) -> Result<Directory> {
        loop {
            // SAFETY: the path is a string.
            match NonNull::new(unsafe { libc::opendir(path.as_ptr()) }) {
                Some(stream) => return Ok(Directory(stream)),
                None if last_error() == Errno::EINTR => {}
                None => return Err(last_error()),
            }
        }
    }

    /// The next entry, in the order of the file system; `None` at the end.
    pub fn read(&mut self) -> Result<Option<Entry<'_>>> {
        loop {
            // SAFETY: errno is this thread's own; it tells the end from an error.
            unsafe { *libc::__errno_location() = 0 };
            // SAFETY: open, and through `&mut self` nobody else reads it.
            let entry = unsafe { libc::readdir(self.0.as_ptr()) };
            if entry.is_null() {
                match last_error() {
                    NO_ERROR => return Ok(None),
                    Errno::EINTR => continue,
                    error => return Err(error),
                }
            }
            // SAFETY: the entry and its name stay as they are until the next call, which the result's lifetime excludes. The name may
            // be longer than the field's type says, so it is never looked at as an array.
            let (name, kind) = unsafe {
                (CStr::from_ptr((&raw const (*entry).d_name).cast()), (&raw const (*entry).d_type).read())
            };
            if name != c"." && name != c".." {
                return Ok(Some(Entry { name, kind }));
            }
        }
    }

    /// Gives up ownership, to C memory for instance.
    pub fn into_raw(self) -> *mut libc::DIR {
        let stream = self.0.as_ptr();
        core::mem::forget(self);
        stream
    }

    /// Takes ownership back; `None` for null.
    ///
    /// # Safety
    /// `stream` is null or came from `into_raw`, and has no other owner.
    pub unsafe fn from_raw(stream: *mut libc::DIR) -> Option<Directory> {
        NonNull::new(stream).map(Directory)
    }
}

const NO_ERROR: Errno = Errno::from_errno(0);

impl Drop for Directory {
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe { libc::closedir(self.0.as_ptr()) };
    }
}
