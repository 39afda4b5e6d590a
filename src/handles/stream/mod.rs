//! Streams: what TCP sockets, pipes and terminals have in common.
//!
//! A stream belongs to its loop's thread. Its watcher runs when the descriptor is ready, and when it was fed: because something
//! is complete whose callback must not run inside the call that completed it.
//!
//! Differences from the reference, none of which a callback can tell: interest that is given up is told to the kernel only when
//! an event comes nevertheless, queued writes go out together, and a Unix socket that connects at once does not go through the poll.

pub mod connect;
pub mod fd_passing;
mod gather;
pub mod listen;
pub mod read;
pub mod shutdown;
pub mod write;

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::event_loop::Loop;
use crate::event_loop::watcher::{Owner, Watcher};
use crate::ptr::{Cx, Handle, StreamType};
use crate::sys::fd;
use core::ffi::{c_int, c_uint};
use core::ptr::null_mut;

// Bits of the flags that only streams use; programs know those of `abi`. Bound is one of UDP sockets too.
/// The write side is shut down.
pub const SHUT: c_uint = 0x200;
/// Reading has come to the end.
pub const READ_EOF: c_uint = 0x800;
/// Has an address or a connection.
pub const BOUND: c_uint = 0x2000;

/// What to watch for to read, and to write.
pub const IN: u32 = libc::EPOLLIN.cast_unsigned();
/// See `IN`.
pub const OUT: u32 = libc::EPOLLOUT.cast_unsigned();

/// What is wrong with a descriptor, whether or not it was asked for.
const ERR: u32 = libc::EPOLLERR.cast_unsigned();
const HUP: u32 = libc::EPOLLHUP.cast_unsigned();

/// Descriptors up to this one are the standard ones, which are never closed.
const LAST_STANDARD_FD: c_int = 2;

/// Makes the memory at `raw` a stream without a descriptor.
///
/// # Safety
/// `raw` is writable memory for a `T` that is no handle in use.
pub unsafe fn init<T: StreamType>(cx: &Cx, lp: Loop, raw: *mut T) -> Handle<'_, T> {
    // SAFETY: the caller's.
    let handle = unsafe { Handle::init(cx, lp, raw) };
    let stream = handle.stream();
    stream.set_alloc_cb(None);
    stream.set_read_cb(None);
    stream.set_connection_cb(None);
    stream.set_connect_req(null_mut());
    stream.set_shutdown_req(null_mut());
    stream.set_accepted_fd(-1);
    stream.set_queued_fds(null_mut());
    stream.set_delayed_error(0);
    stream.set_write_queue_size(0);
    // SAFETY: queue heads of this stream.
    unsafe {
        queue::init(stream.write_queue());
        queue::init(stream.write_completed_queue());
    }
    stream.watcher().init(Owner::Stream, -1);
    handle
}

/// Gives the stream its descriptor, which is closed with it, and adds `flags` (`UV_HANDLE_READABLE`, `UV_HANDLE_WRITABLE`).
/// `UV_EBUSY` if it has another one already. The descriptor should not block.
pub fn open(stream: Handle<'_, uv_stream_t>, fd: c_int, flags: c_uint) -> Result {
    if stream.fd() != -1 && stream.fd() != fd {
        return Err(Errno::EBUSY);
    }
    stream.set(flags);
    if stream.base().handle_type() == UV_TCP {
        // SAFETY: the type says so.
        super::tcp::apply_options(unsafe { stream.cast() }, fd)?;
    }
    stream.set_fd(fd);
    Ok(())
}

/// What can be done to a stream whose descriptor was opened with these `O_*` flags.
pub fn directions(flags: c_int) -> c_uint {
    match flags & libc::O_ACCMODE {
        libc::O_RDONLY => UV_HANDLE_READABLE,
        libc::O_WRONLY => UV_HANDLE_WRITABLE,
        _ => UV_HANDLE_READABLE | UV_HANDLE_WRITABLE,
    }
}

/// For `uv_close`: from now on nothing happens but what `finish_closing` calls back.
pub fn stop(stream: Handle<'_, uv_stream_t>) {
    stream.owner().unwatch(stream.watcher());
    read::stop(stream);
    stream.deactivate();
    stream.clear(UV_HANDLE_READABLE | UV_HANDLE_WRITABLE);
    if stream.fd() > LAST_STANDARD_FD {
        fd::close(stream.fd());
    }
    stream.set_fd(-1);
    fd_passing::discard(stream);
}

/// Calls back what the closed stream had not finished, with `UV_ECANCELED`: connecting, then writes in order, then shutting down.
///
/// # Safety
/// `raw` is a stream whose closing ends now.
pub unsafe fn finish_closing(cx: &mut Cx, raw: *mut uv_stream_t) {
    // SAFETY: the caller's; so for the others.
    unsafe {
        let stream = Handle::new(cx, raw);
        stream.owner().unwatch(stream.watcher()); // a program may have used the handle after closing it
        connect::cancel(cx, raw);
        write::cancel(Handle::new(cx, raw));
        write::run_callbacks(cx, raw);
        shutdown::cancel(cx, raw);
    }
}

/// The stream's descriptor has `events` (`EPOLL*` bits), or none if it was fed.
pub fn run(cx: &mut Cx, watcher: Watcher, events: u32) {
    // SAFETY: the watcher lies in its stream, which lives until its close callback, and that never runs in here; so for the others.
    let raw = unsafe { container_of!(watcher.as_ptr(), uv_stream_t, io_watcher) };
    // SAFETY: as above.
    let has_fd = |cx: &mut Cx| unsafe { Handle::new(cx, raw) }.fd() != -1;
    // SAFETY: as above.
    unsafe {
        if !Handle::new(cx, raw).connect_req().is_null() {
            connect::run(cx, raw, events);
            return;
        }
        if events & (IN | ERR) != 0 {
            read::run(cx, raw);
        }
        // A hang-up alone is an end: what is left to read would be announced with it.
        if events & HUP != 0 && events & IN == 0 && has_fd(cx) {
            read::end(cx, raw, uv_buf_t { base: null_mut(), len: 0 });
        }
        if (events == 0 || events & (OUT | ERR | HUP) != 0) && has_fd(cx) {
            write::flush(Handle::new(cx, raw));
            write::run_callbacks(cx, raw);
            shutdown::run(cx, raw);
        }
    }
}

/// `uv_stream_set_blocking`.
pub fn set_blocking(stream: Handle<'_, uv_stream_t>, on: bool) -> Result {
    fd::set_blocking(stream.fd(), on)
}

impl Handle<'_, uv_stream_t> {
    /// What the loop watches for this stream.
    pub fn watcher(self) -> Watcher {
        // SAFETY: the watcher is a field of the live stream.
        unsafe { Watcher::new(&raw mut (*self.as_ptr()).io_watcher) }
    }

    /// Watches for `events` too.
    pub fn want(self, events: u32) -> Result {
        self.owner().want(self.watcher(), events)
    }

    /// Watches for `events` no more.
    pub fn unwant(self, events: u32) {
        self.owner().unwant(self.watcher(), events);
    }

    /// Has `run` called soon.
    pub fn feed(self) {
        self.owner().feed(self.watcher());
    }

    /// Write requests that are not complete.
    pub fn write_queue(self) -> *mut uv__queue {
        // SAFETY: a projection inside the live stream.
        unsafe { &raw mut (*self.as_ptr()).write_queue }
    }

    /// Write requests that are complete but for their callbacks.
    pub fn write_completed_queue(self) -> *mut uv__queue {
        // SAFETY: a projection inside the live stream.
        unsafe { &raw mut (*self.as_ptr()).write_completed_queue }
    }
}
