//! `uv_fs_t`: operations on files. Without a callback they run in the call; with one, on a thread of the pool, or, if the answer is
//! there without waiting, at once, and then the callback comes in the next turn (`at_once.rs`).
//!
//! An operation is a function `fn(Fs) -> Result<usize>`, found by its type in `operation.rs`; `request.rs` has the request: its
//! arguments, and what it owns. While a request runs, its thread alone has it; before and after, the loop's.

pub mod at_once;
pub mod by_ring;
pub mod copyfile;
pub mod directory;
mod entries;
mod operation;
mod read_write;
mod request;
pub mod scandir;
pub mod sendfile;
mod stat;
mod statfs;
mod temporary;

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::event_loop::pool::{self, Lane};
use core::cell::Cell;
use core::ffi::c_int;
use core::ptr::NonNull;
pub use read_write::MOST_WRITTEN;
pub use request::Fs;

/// Begins an operation whose arguments `arguments` stores. What C gets: the result of an operation that ran in the call, 0 for one whose
/// callback will come, or an error.
///
/// # Safety
/// `req` is null (`UV_EINVAL`) or memory for a request that is not in use, and stays so until its callback ran; with a callback, `lp` is
/// a loop and this is its thread.
pub unsafe fn start(
    lp: *mut uv_loop_t,
    req: *mut uv_fs_t,
    cb: uv_fs_cb,
    kind: uv_fs_type,
    arguments: impl FnOnce(Fs) -> Result,
) -> c_int {
    let Some(req) = NonNull::new(req) else { return Errno::EINVAL.code() };
    // SAFETY: the caller's.
    let fs = unsafe { Fs::init(req, lp, cb, kind) };
    match arguments(fs) {
        Ok(()) => carry_out(fs),
        Err(error) => error.code(),
    }
}

/// Decides where an operation runs: here for good, here with the callback still to come, in the loop's ring, or on the pool.
fn carry_out(fs: Fs) -> c_int {
    if fs.cb().is_none() {
        fs.finish(operation::run(fs));
        return c_int::try_from(fs.result()).unwrap_or(c_int::MAX);
    }
    // SAFETY: with a callback there is a loop.
    let lp = unsafe { Loop::new(fs.loop_ptr()) };
    if let Some(result) = at_once::run(lp, fs) {
        return answer(lp, fs, result);
    }
    // SAFETY: as above.
    let begun = unsafe {
        match by_ring::submit(lp, fs) {
            true => Ok(()),
            false => pool::submit(lp, fs.work(), Lane::Normal, run, done),
        }
    };
    match begun {
        Ok(()) => {
            add(&lp.internals().files_under_way, 1);
            0
        }
        Err(_) if fs.is_begun() => answer(lp, fs, Ok(fs.result().unsigned_abs())),
        Err(error) => {
            fs.cleanup();
            error.code()
        }
    }
}

/// The operation was carried out here; the callback is still to come.
fn answer(lp: Loop, fs: Fs, result: Result<usize>) -> c_int {
    fs.finish(result);
    add(&lp.internals().files_answered, 1);
    // SAFETY: the request stays until the callback ran.
    unsafe { pool::complete_now(lp, fs.work(), done_at_once) };
    0
}

fn add(count: &Cell<usize>, change: isize) {
    count.set(count.get().wrapping_add_signed(change));
}

/// On the pool's thread.
unsafe extern "C" fn run(work: *mut uv__work) {
    // SAFETY: submitted by `carry_out`.
    let fs = unsafe { Fs::from_work(work) };
    fs.finish(operation::run(fs));
}

/// On the loop's thread.
unsafe extern "C" fn done_at_once(work: *mut uv__work, _status: c_int) {
    // SAFETY: submitted by `carry_out`, on a loop.
    unsafe {
        let fs = Fs::from_work(work);
        let lp = Loop::new(fs.loop_ptr());
        add(&lp.internals().files_answered, -1);
        (*work).work = None; // too late for `cancel` now
        end(lp, fs);
    }
}

/// On the loop's thread.
unsafe extern "C" fn done(work: *mut uv__work, status: c_int) {
    // SAFETY: submitted by `carry_out`, on a loop.
    unsafe {
        let fs = Fs::from_work(work);
        let lp = Loop::new(fs.loop_ptr());
        add(&lp.internals().files_under_way, -1);
        if status == Errno::ECANCELED.code() {
            fs.finish(Err(Errno::ECANCELED));
        }
        end(lp, fs);
    }
}

/// # Safety
/// The request is done, and this is its loop's thread.
unsafe fn end(lp: Loop, fs: Fs) {
    lp.end_request();
    if let Some(cb) = fs.cb() {
        // SAFETY: the user's function, with the request that it was given for.
        unsafe { cb(fs.as_ptr()) };
    }
}

/// `uv_cancel` of a file request.
///
/// # Safety
/// The request was begun with a callback, which has not run yet, and this is its loop's thread.
pub unsafe fn cancel(req: *mut uv_fs_t) -> Result {
    // SAFETY: the caller's.
    unsafe {
        let fs = Fs::new(req);
        if fs.is_begun() {
            return Err(Errno::EBUSY);
        }
        if pool::was_answered(fs.work()) {
            return at_once::take_back(Loop::new(fs.loop_ptr()), fs);
        }
        pool::cancel(fs.work(), Lane::Normal)
    }
}

/// `uv_fs_req_cleanup`.
///
/// # Safety
/// `req` is null or was begun, and is not running.
pub unsafe fn cleanup(req: *mut uv_fs_t) {
    if !req.is_null() {
        // SAFETY: the caller's.
        unsafe { Fs::new(req) }.cleanup();
    }
}
