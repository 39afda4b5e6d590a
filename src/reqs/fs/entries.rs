//! Directory entries in memory: what `uv_fs_scandir` and `uv_fs_readdir` give out.

use crate::abi::errno::Result;
use crate::abi::*;
use crate::mem::Bytes;
use crate::sys::directory::Entry;
use core::ffi::c_char;

/// Entries as they were read, each as a byte with its type, its name and a NUL.
pub struct Entries {
    records: Bytes,
    count: usize,
}

impl Entries {
    pub const fn new() -> Entries {
        Entries { records: Bytes::empty(), count: 0 }
    }

    /// Adds one, or nothing if there is no memory.
    pub fn push(&mut self, entry: &Entry<'_>) -> Result {
        let name = entry.name.to_bytes_with_nul();
        self.records.reserve(name.len().saturating_add(1))?;
        self.records.append(&[entry.kind])?;
        self.records.append(name)?;
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// What is to be kept for as long as the names are used.
    pub fn records(&self) -> &[u8] {
        &self.records
    }

    /// Gives the records away: null, or a block to be given back with `mem::free`.
    pub fn into_records(self) -> *mut u8 {
        self.records.into_raw()
    }
}

/// Writes `count` entries to `to`, whose names lie in `records`.
///
/// # Safety
/// The records are those of so many entries, and there is room for them.
pub unsafe fn write(mut records: *const u8, count: usize, to: *mut uv_dirent_t) {
    for index in 0..count {
        // SAFETY: the caller's; each record ends in a NUL, behind which lies the next.
        unsafe {
            let name = records.add(1).cast::<c_char>();
            to.add(index).write(uv_dirent_t { name, type_: entry_type(records.read()) });
            records = name.add(libc::strlen(name) + 1).cast();
        }
    }
}

/// What the interface calls a type of the system's.
fn entry_type(kind: u8) -> uv_dirent_type_t {
    match kind {
        libc::DT_REG => UV_DIRENT_FILE,
        libc::DT_DIR => UV_DIRENT_DIR,
        libc::DT_LNK => UV_DIRENT_LINK,
        libc::DT_FIFO => UV_DIRENT_FIFO,
        libc::DT_SOCK => UV_DIRENT_SOCKET,
        libc::DT_CHR => UV_DIRENT_CHAR,
        libc::DT_BLK => UV_DIRENT_BLOCK,
        _ => UV_DIRENT_UNKNOWN,
    }
}
