//! `uv_fs_poll_t`: asks on the thread pool, again and again, what the system knows of a file, and tells when that has changed.
//!
//! What a start begins is a [`Polling`] on the heap, which a thread of the pool may have in its hands when the handle stops or
//! starts again. Such a leftover ends by itself; a handle that is closed waits for its leftovers, so that the loop can be closed right
//! after the close callback.
//!
//! Deliberate differences from the reference: a leftover reports nothing, also when the handle was started again meanwhile; if a
//! thread of the pool cannot be started it is tried again after the interval, instead of ending the program.

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::event_loop::pool::{self, Lane};
use crate::event_loop::{Loop, closing, timers};
use crate::mem::{self, Owned};
use crate::ptr::{Cx, Handle};
use crate::sys::stat::{self, Target};
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::mem::zeroed;
use core::ptr::null_mut;

/// What `uv_fs_poll_t.poll_ctx` leads to while the handle is active.
struct Polling {
    handle: *mut uv_fs_poll_t,
    cb: uv_fs_poll_cb,
    path: *mut c_char,
    /// In ms, at least 1.
    interval: u64,
    /// Runs at the next look.
    timer: uv_timer_t,
    /// The look itself.
    work: uv__work,
    /// The loop's time when that began.
    began: u64,
    /// The pool has `work`, or the callback runs: whoever comes back from there frees a stopped polling.
    busy: bool,
    stopped: bool,
    /// What the looks before have led to, 0 or an error; None before the first.
    last_status: Option<c_int>,
    /// What was known of the file when it was found last.
    last: uv_stat_t,
    /// What this look has found; written by the pool's thread.
    status: c_int,
    found: uv_stat_t,
}

/// `uv_fs_poll_init`.
///
/// # Safety
/// `raw` is writable memory for a handle that is not in use.
pub unsafe fn init(cx: &Cx, lp: Loop, raw: *mut uv_fs_poll_t) {
    // SAFETY: the caller's.
    let handle = unsafe { Handle::init(cx, lp, raw) };
    handle.set_poll_ctx(null_mut());
    set_looks(handle, 0);
}

/// `uv_fs_poll_start`; an active handle goes on as it was.
///
/// # Safety
/// `path` is null or a string.
pub unsafe fn start(
    cx: &Cx,
    handle: Handle<'_, uv_fs_poll_t>,
    cb: uv_fs_poll_cb,
    path: *const c_char,
    interval: c_uint,
) -> Result {
    if path.is_null() || handle.is_closing() {
        return Err(Errno::EINVAL);
    }
    if handle.is_active() {
        return Ok(());
    }
    // SAFETY: zeros are a value of all these structs.
    let (timer, work, last, found) = unsafe { zeroed() };
    let polling = Owned::new(Polling {
        handle: handle.as_ptr(),
        cb,
        // SAFETY: the caller's.
        path: unsafe { mem::duplicate(path) }?.as_ptr(),
        interval: u64::from(interval.max(1)),
        timer,
        work,
        began: 0,
        busy: false,
        stopped: false,
        last_status: None,
        last,
        status: 0,
        found,
    })?
    .into_raw();
    // SAFETY: just made; nobody else has it.
    unsafe {
        init_timer(cx, handle.owner(), polling);
        look(cx, polling).inspect_err(|_| drop(Owned::from_raw(polling)))?;
    }
    handle.set_poll_ctx(polling.cast());
    handle.activate();
    Ok(())
}

impl Drop for Polling {
    fn drop(&mut self) {
        // SAFETY: made by `start`, and the polling's own.
        unsafe { mem::free(self.path.cast()) };
    }
}

/// `uv_fs_poll_stop`.
pub fn stop(handle: Handle<'_, uv_fs_poll_t>) {
    let polling = polling(handle);
    if polling.is_null() {
        return;
    }
    handle.set_poll_ctx(null_mut());
    handle.deactivate();
    // SAFETY: an active handle's polling is alive, and so is its timer; its work's `done` has not returned while it is busy.
    unsafe {
        timers::stop(handle.beside(&raw mut (*polling).timer));
        if (*polling).busy {
            (*polling).stopped = true;
            let _ = pool::cancel(&raw mut (*polling).work, Lane::Normal);
        } else {
            drop(Owned::from_raw(polling));
        }
    }
}

/// `uv_close`. The callback waits for what the pool still has.
pub fn close(handle: Handle<'_, uv_fs_poll_t>, close_cb: uv_close_cb) {
    stop(handle);
    closing::announce(handle.base(), close_cb);
    if looks(handle) == 0 {
        closing::enter(handle.base());
    }
}

/// The path that an active handle was started with; null otherwise.
pub fn path(handle: Handle<'_, uv_fs_poll_t>) -> *const c_char {
    let polling = polling(handle);
    if polling.is_null() {
        return core::ptr::null();
    }
    // SAFETY: an active handle's polling is alive.
    unsafe { (*polling).path }
}

/// Makes the timer one that the program does not see, and that does not keep the loop alive.
///
/// # Safety
/// `polling` is new.
unsafe fn init_timer(cx: &Cx, lp: Loop, polling: *mut Polling) {
    // SAFETY: the caller's. In no queue of the loop, the timer neither is walked nor has to be closed.
    unsafe {
        let raw = &raw mut (*polling).timer;
        timers::init(cx, lp, raw);
        queue::unlink(&raw mut (*raw).handle.handle_queue);
        let timer = Handle::new(cx, raw);
        timer.set(UV_HANDLE_INTERNAL);
        timer.unreference();
    }
}

/// Has the pool look at the file.
///
/// # Safety
/// `polling` is alive, and not busy.
unsafe fn look(cx: &Cx, polling: *mut Polling) -> Result {
    // SAFETY: the caller's; the polling lives until `done`, and its handle for as long as there are looks.
    unsafe {
        let handle = Handle::new(cx, (*polling).handle);
        (*polling).began = handle.owner().time();
        pool::submit(handle.owner(), &raw mut (*polling).work, Lane::Normal, work, done)?;
        (*polling).busy = true;
        set_looks(handle, looks(handle) + 1);
    }
    Ok(())
}

/// It is time for the next look.
unsafe extern "C" fn on_time(timer: *mut uv_timer_t) {
    // SAFETY: called on the loop's thread with the timer of a polling that was not stopped. Nothing here runs user code.
    unsafe {
        let cx = Cx::enter();
        let polling = container_of!(timer, Polling, timer);
        if look(&cx, polling).is_err() {
            look_again_later(&cx, polling);
        }
    }
}

/// On the pool's thread.
unsafe extern "C" fn work(work: *mut uv__work) {
    // SAFETY: the work of a polling; nobody else touches these fields, or frees it, before `done`.
    unsafe {
        let polling = container_of!(work, Polling, work);
        let (status, found) = match stat::of(Target::Path(CStr::from_ptr((*polling).path))) {
            Ok(found) => (0, found),
            Err(error) => (error.code(), zeroed()),
        };
        (*polling).status = status;
        (*polling).found = found;
    }
}

/// On the loop's thread, where the callback runs; `_status` is an error if the polling was stopped.
unsafe extern "C" fn done(work: *mut uv__work, _status: c_int) {
    // SAFETY: the work of a polling that is busy, so it is alive, and so is its handle.
    unsafe {
        let polling = container_of!(work, Polling, work);
        let mut cx = Cx::enter();
        {
            let handle = Handle::new(&cx, (*polling).handle);
            handle.owner().end_request();
            set_looks(handle, looks(handle) - 1);
            if (*polling).stopped {
                drop(Owned::from_raw(polling));
                if handle.is_closing() && looks(handle) == 0 {
                    closing::enter(handle.base());
                }
                return;
            }
        }
        report(&mut cx, polling);
        (*polling).busy = false;
        if (*polling).stopped {
            drop(Owned::from_raw(polling));
        } else {
            look_again_later(&cx, polling);
        }
    }
}

/// Calls back if the look has found something new. The first one does only if there is no file.
///
/// # Safety
/// `polling` is busy, but with the pool no more.
unsafe fn report(cx: &mut Cx, polling: *mut Polling) {
    // SAFETY: the caller's: nobody frees it during the callback.
    unsafe {
        let status = (*polling).status;
        let is_new = match (*polling).last_status {
            None => status != 0,
            Some(0) if status == 0 => !is_same(&(*polling).last, &(*polling).found),
            Some(last) => status != last,
        };
        if is_new && let Some(cb) = (*polling).cb {
            let (handle, last, found) =
                ((*polling).handle, &raw const (*polling).last, &raw const (*polling).found);
            cx.call(|| cb(handle, status, last, found));
        }
        (*polling).last_status = Some(status);
        if status == 0 {
            (*polling).last = (*polling).found;
        }
    }
}

/// # Safety
/// `polling` is alive, not busy and not stopped.
unsafe fn look_again_later(cx: &Cx, polling: *mut Polling) {
    // SAFETY: the caller's.
    unsafe {
        let timer = Handle::new(cx, &raw mut (*polling).timer);
        let interval = (*polling).interval;
        // The looks stay a multiple of the interval apart, however long one takes.
        let late = timer.owner().time().saturating_sub((*polling).began).checked_rem(interval).unwrap_or(0);
        let _ = timers::start(timer, Some(on_time), interval.saturating_sub(late), 0);
    }
}

/// What counts as a change: not the time of the last access, nor what follows from other fields.
fn is_same(a: &uv_stat_t, b: &uv_stat_t) -> bool {
    let times = |stat: &uv_stat_t| {
        [stat.st_ctim, stat.st_mtim, stat.st_birthtim].map(|time| (time.tv_sec, time.tv_nsec))
    };
    let numbers = |stat: &uv_stat_t| {
        [
            stat.st_size,
            stat.st_mode,
            stat.st_uid,
            stat.st_gid,
            stat.st_ino,
            stat.st_dev,
            stat.st_flags,
            stat.st_gen,
        ]
    };
    times(a) == times(b) && numbers(a) == numbers(b)
}

fn polling(handle: Handle<'_, uv_fs_poll_t>) -> *mut Polling {
    handle.poll_ctx().cast()
}

/// How many looks of this handle the pool has, those of stopped pollings counted.
fn looks(handle: Handle<'_, uv_fs_poll_t>) -> usize {
    // SAFETY: set by `init`; the words are the library's.
    unsafe { (&raw const (*handle.base().as_ptr()).u.reserved).cast::<usize>().read() }
}

fn set_looks(handle: Handle<'_, uv_fs_poll_t>, count: usize) {
    // SAFETY: the handle is writable, and the words are the library's.
    unsafe { (&raw mut (*handle.base().as_ptr()).u.reserved).cast::<usize>().write(count) }
}
