//! Handles that travel over pipes: the descriptors that came and wait for `uv_accept`, and the one to send.
//!
//! The first waits in `accepted_fd`, the others in the block at `queued_fds`, in order.

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::mem;
use crate::ptr::{Cx, Handle};
use crate::sys::{fd, rights};
use core::ffi::c_int;
use core::ptr::null_mut;

/// The head of the block; the descriptors follow.
#[repr(C)]
#[derive(Clone, Copy)]
struct Waiting {
    /// Room for so many.
    room: usize,
    count: usize,
}

/// How much the room grows.
const STEP: usize = 8;

/// Whether handles may travel over the stream.
pub fn is_ipc(stream: Handle<'_, uv_stream_t>) -> bool {
    if stream.base().handle_type() != UV_NAMED_PIPE {
        return false;
    }
    // SAFETY: the type says so.
    let pipe: Handle<'_, uv_pipe_t> = unsafe { stream.cast() };
    pipe.ipc() != 0
}

/// The descriptor of a handle to send: `UV_EBADF` if it has none, or is of a type that cannot be sent.
///
/// # Safety
/// `raw` is a handle.
pub unsafe fn descriptor_of(raw: *mut uv_stream_t) -> Result<c_int> {
    // SAFETY: the caller is on the loop's thread and runs no user code meanwhile.
    let cx = unsafe { Cx::enter() };
    // SAFETY: the caller's.
    let handle = unsafe { Handle::new(&cx, raw) }.base();
    match handle.handle_type() {
        UV_TCP | UV_NAMED_PIPE | UV_UDP => crate::handles::descriptor(handle),
        _ => Err(Errno::EBADF),
    }
}

/// Reads bytes and keeps the descriptors that came with them. Without memory for one of those, it and all behind it are closed, and the
/// inner result is `UV_ENOMEM`: the message is lost, the connection is not.
///
/// # Safety
/// `buffer` is writable.
pub unsafe fn receive(stream: Handle<'_, uv_stream_t>, buffer: uv_buf_t) -> Result<Result<usize>> {
    // SAFETY: the caller's.
    let (count, mut received) = unsafe { rights::read(stream.fd(), buffer)? };
    let kept = received.try_for_each(|fd| keep(stream, fd).inspect_err(|_| fd::close(fd)));
    Ok(kept.map(|()| count))
}

fn keep(stream: Handle<'_, uv_stream_t>, fd: c_int) -> Result {
    if stream.accepted_fd() == -1 {
        stream.set_accepted_fd(fd);
        return Ok(());
    }
    let block = make_room(stream)?;
    // SAFETY: there is room for one more.
    unsafe {
        descriptors(block).add((*block).count).write(fd);
        (*block).count += 1;
    }
    Ok(())
}

fn make_room(stream: Handle<'_, uv_stream_t>) -> Result<*mut Waiting> {
    let old = stream.queued_fds().cast::<Waiting>();
    // SAFETY: the block is null or was made here.
    let Waiting { room, count } = if old.is_null() { Waiting { room: 0, count: 0 } } else { unsafe { *old } };
    if count < room {
        return Ok(old);
    }
    let room = room.saturating_add(STEP);
    let bytes = room.checked_mul(size_of::<c_int>()).and_then(|all| all.checked_add(size_of::<Waiting>()));
    // SAFETY: as above.
    let block = unsafe { mem::resize(old.cast(), bytes.ok_or(Errno::ENOMEM)?) }.cast::<Waiting>();
    if block.is_null() {
        return Err(Errno::ENOMEM);
    }
    // SAFETY: the block is that large.
    unsafe { block.write(Waiting { room, count }) };
    stream.set_queued_fds(block.cast());
    Ok(block)
}

/// # Safety
/// `block` is alive.
unsafe fn descriptors(block: *mut Waiting) -> *mut c_int {
    // SAFETY: the caller's.
    unsafe { block.add(1).cast() }
}

/// How many descriptors wait.
pub fn count(stream: Handle<'_, uv_stream_t>) -> usize {
    if stream.accepted_fd() == -1 {
        return 0;
    }
    let block = stream.queued_fds().cast::<Waiting>();
    // SAFETY: the block is null or was made here.
    if block.is_null() { 1 } else { unsafe { (*block).count }.saturating_add(1) }
}

/// The first waiting descriptor was taken: the next one moves up.
pub fn advance(stream: Handle<'_, uv_stream_t>) {
    let block = stream.queued_fds().cast::<Waiting>();
    if block.is_null() {
        stream.set_accepted_fd(-1);
        return;
    }
    // SAFETY: the block was made here, and is never empty.
    unsafe {
        let first = descriptors(block);
        stream.set_accepted_fd(first.read());
        (*block).count = (*block).count.saturating_sub(1);
        first.copy_from(first.add(1), (*block).count);
        if (*block).count == 0 {
            mem::free(block.cast());
            stream.set_queued_fds(null_mut());
        }
    }
}

/// Closes all waiting descriptors.
pub fn discard(stream: Handle<'_, uv_stream_t>) {
    while stream.accepted_fd() != -1 {
        fd::close(stream.accepted_fd());
        advance(stream);
    }
}
