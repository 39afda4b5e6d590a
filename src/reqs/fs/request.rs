//! A file request in C memory: its arguments, its result, and what it owns.
//!
//! With a callback the paths are copied (two in one block), without one they are the caller's. Pieces of memory to read into or to write
//! are always copied, since what is done is taken off them.

use super::directory;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::fields;
use crate::mem;
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::ptr::{self, NonNull, null, null_mut};

/// In the flags of a read, which has none of its own: it cannot be taken back any more.
const BEGUN: c_int = 1;

/// A view of a request that was begun. It belongs to the thread that runs it, else to its loop's.
#[derive(Clone, Copy)]
pub struct Fs(NonNull<uv_fs_t>);

fields!([Fs] {
    kind, set_kind: fs_type => uv_fs_type;
    loop_ptr, set_loop_ptr: loop_ => *mut uv_loop_t;
    cb, set_cb: cb => uv_fs_cb;
    result, set_result: result => isize;
    ptr, set_ptr: ptr => *mut c_void;
    path_ptr, set_path_ptr: path => *const c_char;
    new_path_ptr, set_new_path_ptr: new_path => *const c_char;
    file, set_file: file => uv_file;
    flags, set_flags: flags => c_int;
    mode, set_mode: mode => libc::mode_t;
    nbufs, set_nbufs: nbufs => c_uint;
    bufs, set_bufs: bufs => *mut uv_buf_t;
    off, set_off: off => libc::off_t;
    uid, set_uid: uid => uv_uid_t;
    gid, set_gid: gid => uv_gid_t;
    atime, set_atime: atime => f64;
    mtime, set_mtime: mtime => f64;
});

impl Fs {
    /// Makes the memory at `req` a request of this kind, without arguments yet.
    ///
    /// # Safety
    /// It is writable memory for a request that is not in use.
    pub unsafe fn init(req: NonNull<uv_fs_t>, lp: *mut uv_loop_t, cb: uv_fs_cb, kind: uv_fs_type) -> Fs {
        let fs = Fs(req);
        // SAFETY: the caller's.
        unsafe { (&raw mut (*fs.as_ptr()).req.type_).write(UV_FS) };
        fs.set_kind(kind);
        fs.set_loop_ptr(lp);
        fs.set_cb(cb);
        fs.set_result(0);
        fs.set_ptr(null_mut());
        fs.set_path_ptr(null());
        fs.set_new_path_ptr(null());
        fs.set_bufs(null_mut());
        fs.set_nbufs(0);
        fs.set_flags(0);
        fs
    }

    /// A view of a request.
    ///
    /// # Safety
    /// It went through `init`, and is this thread's now.
    pub unsafe fn new(req: *mut uv_fs_t) -> Fs {
        // SAFETY: the caller's.
        Fs(unsafe { NonNull::new_unchecked(req) })
    }

    /// The request whose `work` this is.
    ///
    /// # Safety
    /// As for `new`.
    pub unsafe fn from_work(work: *mut uv__work) -> Fs {
        // SAFETY: the caller's.
        unsafe { Fs::new(container_of!(work, uv_fs_t, work_req)) }
    }

    /// The pointer, for callbacks.
    pub fn as_ptr(self) -> *mut uv_fs_t {
        self.0.as_ptr()
    }

    /// Its place in the pool's line.
    pub fn work(self) -> *mut uv__work {
        // SAFETY: a projection inside the request; so for the others.
        unsafe { &raw mut (*self.as_ptr()).work_req }
    }

    /// Where `ptr` leads after a stat.
    pub fn statbuf(self) -> *mut uv_stat_t {
        // SAFETY: as above.
        unsafe { &raw mut (*self.as_ptr()).statbuf }
    }

    /// Stores whose the file is to be.
    pub fn set_owner(self, uid: uv_uid_t, gid: uv_gid_t) {
        self.set_uid(uid);
        self.set_gid(gid);
    }

    fn few_bufs(self) -> *mut uv_buf_t {
        // SAFETY: as above.
        unsafe { (&raw mut (*self.as_ptr()).bufsml).cast() }
    }

    /// Stores the path, a copy of it if there is a callback. `UV_EINVAL` for null.
    ///
    /// # Safety
    /// `path` is null or a string, which without a callback lives as long as the request.
    pub unsafe fn copy_path(self, path: *const c_char) -> Result {
        if path.is_null() {
            return Err(Errno::EINVAL);
        }
        let kept = match self.cb() {
            // SAFETY: the caller's.
            Some(_) => unsafe { mem::duplicate(path)? }.as_ptr(),
            None => path.cast_mut(),
        };
        self.set_path_ptr(kept);
        Ok(())
    }

    /// Stores a copy of the path in any case, for operations that write over it. `UV_EINVAL` for null.
    ///
    /// # Safety
    /// `path` is null or a string.
    pub unsafe fn own_path(self, path: *const c_char) -> Result {
        if path.is_null() {
            return Err(Errno::EINVAL);
        }
        // SAFETY: the caller's.
        self.set_path_ptr(unsafe { mem::duplicate(path)? }.as_ptr());
        Ok(())
    }

    /// The same for two paths; the copies are in one block.
    ///
    /// # Safety
    /// As for `copy_path`, for both.
    pub unsafe fn copy_paths(self, path: *const c_char, new_path: *const c_char) -> Result {
        if path.is_null() || new_path.is_null() {
            return Err(Errno::EINVAL);
        }
        if self.cb().is_none() {
            self.set_path_ptr(path);
            self.set_new_path_ptr(new_path);
            return Ok(());
        }
        // SAFETY: the caller's: both are strings. The block holds both with their ends.
        unsafe {
            let (first, second) = (libc::strlen(path) + 1, libc::strlen(new_path) + 1);
            let copy = mem::alloc_array::<c_char>(first.saturating_add(second))?.as_ptr();
            ptr::copy_nonoverlapping(path, copy, first);
            ptr::copy_nonoverlapping(new_path, copy.add(first), second);
            self.set_path_ptr(copy);
            self.set_new_path_ptr(copy.add(first));
        }
        Ok(())
    }

    /// Stores when a file was read and written last.
    pub fn set_times(self, accessed: f64, modified: f64) {
        self.set_atime(accessed);
        self.set_mtime(modified);
    }

    /// Keeps a block, or null, until the cleanup: the names of a `uv_fs_readdir`, which has no second path.
    pub fn set_names(self, block: *mut u8) {
        self.set_new_path_ptr(block.cast());
    }

    /// What `set_names` has kept.
    pub fn names(self) -> *mut u8 {
        self.new_path_ptr().cast_mut().cast()
    }

    /// The path; an empty one where there is none.
    pub fn path<'a>(self) -> &'a CStr {
        text(self.path_ptr())
    }

    /// The second path; an empty one where there is none.
    pub fn new_path<'a>(self) -> &'a CStr {
        text(self.new_path_ptr())
    }

    /// Copies the array of pieces. `UV_EINVAL` for none, or if they hold more than `most` bytes.
    ///
    /// # Safety
    /// `bufs` is null or leads to `nbufs` pieces.
    pub unsafe fn copy_bufs(self, bufs: *const uv_buf_t, nbufs: c_uint, most: usize) -> Result {
        const FEW: usize = 4;
        let count = nbufs as usize;
        if bufs.is_null() || count == 0 {
            return Err(Errno::EINVAL);
        }
        // SAFETY: the caller's.
        let lengths = (0..count).map(|index| unsafe { (*bufs.add(index)).len });
        if lengths.fold(0, usize::saturating_add) > most {
            return Err(Errno::EINVAL);
        }
        let copy = if count <= FEW { self.few_bufs() } else { mem::alloc_array::<uv_buf_t>(count)?.as_ptr() };
        // SAFETY: the caller's; there is room for as many.
        unsafe { ptr::copy_nonoverlapping(bufs, copy, count) };
        self.set_bufs(copy);
        self.set_nbufs(nbufs);
        Ok(())
    }

    /// A read is to go on after the first `count` bytes, which were there at once.
    pub fn begin_with(self, count: usize) {
        self.set_result(count.cast_signed());
        self.set_flags(BEGUN);
    }

    /// Whether `begin_with` was called. (The result would not tell: the pool's thread writes it.)
    pub fn is_begun(self) -> bool {
        self.kind() == UV_FS_READ && self.flags() == BEGUN
    }

    /// The outcome of an operation as a whole: after what was read at once, an error does not matter.
    pub fn continued(self, outcome: Result<usize>) -> Result<usize> {
        if !self.is_begun() {
            return outcome;
        }
        Ok(self.result().unsigned_abs().saturating_add(outcome.unwrap_or(0)))
    }

    /// The operation is over: stores what came of it.
    pub fn finish(self, outcome: Result<usize>) {
        self.set_result(match outcome {
            Ok(count) => isize::try_from(count).unwrap_or(isize::MAX),
            Err(error) => error.code() as isize,
        });
        self.free_bufs();
    }

    fn free_bufs(self) {
        if self.bufs() != self.few_bufs() {
            // SAFETY: null or allocated by `copy_bufs`.
            unsafe { mem::free(self.bufs().cast()) };
        }
        self.set_bufs(null_mut());
    }

    /// `uv_fs_req_cleanup`: gives back what the request owns; again is harmless.
    pub fn cleanup(self) {
        if self.owns_path() {
            // SAFETY: null or a copy; a second path lies in the same block.
            unsafe { mem::free(self.path_ptr().cast_mut().cast()) };
        }
        match self.kind() {
            UV_FS_OPENDIR | UV_FS_CLOSEDIR => {} // the directory is the program's
            UV_FS_READDIR => directory::free_names(self),
            // SAFETY: null or memory that the operation allocated as its result.
            _ if self.ptr() != self.statbuf().cast() => unsafe { mem::free(self.ptr()) },
            _ => {}
        }
        self.set_path_ptr(null());
        self.set_new_path_ptr(null());
        self.free_bufs();
        self.set_ptr(null_mut());
    }

    fn owns_path(self) -> bool {
        self.cb().is_some() || matches!(self.kind(), UV_FS_MKDTEMP | UV_FS_MKSTEMP)
    }
}

fn text<'a>(path: *const c_char) -> &'a CStr {
    // SAFETY: null, or a string that lives as long as the request runs.
    unsafe { if path.is_null() { c"" } else { CStr::from_ptr(path) } }
}
