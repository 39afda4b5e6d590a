//! Operations as the ring's entries, and the way back. What has no entry goes to the pool, as does what the kernel gives back undone.

use super::{Fs, done, run};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::event_loop::pool::{self, Lane};
use crate::mem;
use crate::ptr::Cx;
use crate::sys::fd::MOST_PIECES;
use crate::sys::stat::Extended;
use core::ffi::c_int;
use core::ptr::null_mut;
use io_uring::opcode as op;
use io_uring::squeue::Entry;
use io_uring::types::{Fd, FsyncFlags};

/// The entry for the operation of `fs`, if the ring can do it.
pub fn entry(fs: Fs) -> Option<Entry> {
    let file = Fd(fs.file());
    let here = Fd(libc::AT_FDCWD);
    let (path, new_path) = (fs.path().as_ptr(), fs.new_path().as_ptr());
    let offset = fs.off().max(-1).cast_unsigned(); // -1: the current position
    Some(match fs.kind() {
        UV_FS_OPEN => op::OpenAt::new(here, path).flags(fs.flags() | libc::O_CLOEXEC).mode(fs.mode()).build(),
        UV_FS_READ | UV_FS_WRITE if fs.nbufs() as usize > MOST_PIECES => return None,
        UV_FS_READ => op::Readv::new(file, fs.bufs().cast(), fs.nbufs()).offset(offset).build(),
        UV_FS_WRITE => op::Writev::new(file, fs.bufs().cast(), fs.nbufs()).offset(offset).build(),
        UV_FS_FSYNC => op::Fsync::new(file).build(),
        UV_FS_FDATASYNC => op::Fsync::new(file).flags(FsyncFlags::DATASYNC).build(),
        UV_FS_STAT | UV_FS_LSTAT | UV_FS_FSTAT => stat(fs)?,
        UV_FS_RENAME => op::RenameAt::new(here, path, here, new_path).build(),
        UV_FS_UNLINK => op::UnlinkAt::new(here, path).build(),
        UV_FS_MKDIR => op::MkDirAt::new(here, path).mode(fs.mode()).build(),
        UV_FS_LINK => op::LinkAt::new(here, path, here, new_path).build(),
        UV_FS_SYMLINK => op::SymlinkAt::new(here, path, new_path).build(),
        _ => return None,
    })
}

/// The kernel fills a block of its own, which `ptr` leads to meanwhile.
fn stat(fs: Fs) -> Option<Entry> {
    let block = mem::alloc_array::<Extended>(1).ok()?;
    fs.set_ptr(block.as_ptr().cast());
    let (directory, path, flags) = super::stat::target(fs).parts();
    Some(
        op::Statx::new(Fd(directory), path, block.as_ptr().cast())
            .flags(flags)
            .mask(Extended::WANTED)
            .build(),
    )
}

fn is_stat(fs: Fs) -> bool {
    matches!(fs.kind(), UV_FS_STAT | UV_FS_LSTAT | UV_FS_FSTAT)
}

fn free_block(fs: Fs) {
    if is_stat(fs) {
        // SAFETY: null or from `stat`.
        unsafe { mem::free(fs.ptr()) };
        fs.set_ptr(null_mut());
    }
}

/// Whether the ring has taken the operation.
///
/// # Safety
/// The request stays until its callback ran, and this is its loop's thread.
pub unsafe fn submit(lp: Loop, fs: Fs) -> bool {
    let work = fs.work();
    // SAFETY: the caller's; what an entry leads to is the request's own, or the program's until the callback.
    unsafe {
        (*work).work = None; // which is what `uv_cancel` finds
        if lp.submit_to_ring(work, || entry(fs)) {
            return true;
        }
    }
    free_block(fs);
    false
}

/// The ring is done with an operation.
///
/// # Safety
/// `work` is that of a request which `submit` has handed over.
pub unsafe fn finish(cx: &mut Cx, work: *mut uv__work, result: c_int) {
    // SAFETY: the caller's.
    let fs = unsafe { Fs::from_work(work) };
    let outcome = usize::try_from(result).map_err(|_| Errno::from_errno(result.wrapping_neg()));
    if let Err(Errno::EINTR | Errno::ENOTSUP) = outcome {
        free_block(fs);
        // SAFETY: the request is the loop's again.
        match unsafe { try_pool(fs) } {
            Ok(()) => return,
            Err(error) => fs.finish(Err(error)),
        }
    } else {
        conclude(fs, outcome);
    }
    // SAFETY: it ends the request and runs the user's callback.
    cx.call(|| unsafe { done(work, 0) });
}

/// # Safety
/// As for `pool::submit`.
unsafe fn try_pool(fs: Fs) -> Result {
    // SAFETY: the caller's; the request is counted once again when the pool has it.
    unsafe {
        let lp = Loop::new(fs.loop_ptr());
        pool::submit(lp, fs.work(), Lane::Normal, run, done)?;
        lp.end_request();
    }
    Ok(())
}

fn conclude(fs: Fs, outcome: Result<usize>) {
    if is_stat(fs) {
        let block = fs.ptr().cast::<Extended>();
        if outcome.is_ok() {
            // SAFETY: from `stat`, and filled by the kernel.
            super::stat::keep(fs, unsafe { (*block).convert() });
        } else {
            fs.set_ptr(null_mut());
        }
        // SAFETY: as above.
        unsafe { mem::free(block.cast()) };
    }
    fs.finish(fs.continued(outcome));
}
