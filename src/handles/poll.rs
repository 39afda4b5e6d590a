//! `uv_poll_t`: tells the program when a descriptor of its own is ready.
//!
//! Level-triggered: while a descriptor stays ready, the callback runs every turn.

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::event_loop::watcher::{Owner, Watcher};
use crate::ptr::{Cx, Handle};
use crate::sys;
use core::ffi::c_int;

/// What the program asks for, and what the kernel calls it.
const EVENTS: [(c_int, c_int); 4] = [
    (UV_READABLE as c_int, libc::EPOLLIN),
    (UV_WRITABLE as c_int, libc::EPOLLOUT),
    (UV_DISCONNECT as c_int, libc::EPOLLRDHUP),
    (UV_PRIORITIZED as c_int, libc::EPOLLPRI),
];

/// `uv_poll_init`: `UV_EEXIST` if the loop watches `fd` already, `UV_EPERM` for what cannot be watched. The descriptor becomes
/// non-blocking.
///
/// # Safety
/// `raw` is writable memory for a poll handle that is not in use.
pub unsafe fn init(cx: &Cx, lp: Loop, raw: *mut uv_poll_t, fd: c_int) -> Result {
    if lp.is_watched(fd) {
        return Err(Errno::EEXIST);
    }
    lp.can_watch(fd)?;
    sys::fd::set_nonblocking(fd)?;
    // SAFETY: the caller's.
    let handle = unsafe { Handle::init(cx, lp, raw) };
    handle.set_poll_cb(None);
    watcher(handle).init(Owner::Poll, fd);
    Ok(())
}

/// `uv_poll_start`: replaces interest and callback; without events the handle stops.
pub fn start(handle: Handle<'_, uv_poll_t>, events: c_int, cb: uv_poll_cb) -> Result {
    let known = EVENTS.iter().fold(0, |all, (ours, _)| all | ours);
    if handle.is_closing() || events & !known != 0 {
        return Err(Errno::EINVAL);
    }
    let lp = handle.owner();
    let watcher = watcher(handle);
    if lp.watcher_of(watcher.fd()).is_some_and(|other| other != watcher && other.pevents() != 0) {
        return Err(Errno::EEXIST);
    }
    if events == 0 {
        stop(handle);
        return Ok(());
    }
    let wanted =
        EVENTS.iter().filter(|(ours, _)| events & ours != 0).fold(0, |all, (_, kernel)| all | kernel);
    lp.watch(watcher, wanted.cast_unsigned())?;
    handle.set_poll_cb(cb);
    handle.activate();
    Ok(())
}

/// `uv_poll_stop`.
pub fn stop(handle: Handle<'_, uv_poll_t>) {
    handle.owner().unwatch(watcher(handle));
    handle.deactivate();
}

/// The descriptor has `events` (`EPOLL*` bits).
pub fn run(cx: &mut Cx, watcher: Watcher, events: u32) {
    // SAFETY: the watcher lies in its handle, which is alive while it is watched.
    let raw = unsafe { container_of!(watcher.as_ptr(), uv_poll_t, io_watcher) };
    let (cb, status, ready) = {
        // SAFETY: as above.
        let handle = unsafe { Handle::new(cx, raw) };
        let events = events.cast_signed();
        // An error without urgent data: tell the program once; it must start again.
        if events & libc::EPOLLERR != 0 && events & libc::EPOLLPRI == 0 {
            stop(handle);
            (handle.poll_cb(), Errno::EBADF.code(), 0)
        } else {
            let ready =
                EVENTS.iter().filter(|(_, kernel)| events & kernel != 0).fold(0, |all, (ours, _)| all | ours);
            (handle.poll_cb(), 0, ready)
        }
    };
    if let Some(cb) = cb {
        // SAFETY: the user's function, with the handle that it was given for.
        cx.call(|| unsafe { cb(raw, status, ready) });
    }
}

fn watcher(handle: Handle<'_, uv_poll_t>) -> Watcher {
    // SAFETY: the watcher is a field of the live handle.
    unsafe { Watcher::new(&raw mut (*handle.as_ptr()).io_watcher) }
}
