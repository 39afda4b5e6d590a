//! Queued writes that go out together: one system call for what many requests hold.
//!
//! Only on sockets that carry a stream of bytes. On others the borders of a write mean something: packets, or, in pipes, what
//! several writers may not tear apart.

use crate::abi::errno::Result;
use crate::abi::*;
use crate::ptr::Handle;
use crate::sys::{fd, socket};
use core::ffi::c_uint;
use core::mem::MaybeUninit;

// Bits of the stream's flags.
/// Whether the next bit says anything.
const ASKED: c_uint = 0x4_0000;
/// The descriptor is a socket of type `SOCK_STREAM`.
const BYTE_STREAM: c_uint = 0x8_0000;

/// Pieces in one call: what most queues hold, in 4 KiB of stack.
const PIECES: usize = 256;
const _: () = assert!(PIECES <= fd::MOST_PIECES);

/// The first request of the queue.
///
/// # Safety
/// The queue's nodes are requests.
pub unsafe fn first(stream: Handle<'_, uv_stream_t>) -> Option<*mut uv_write_t> {
    // SAFETY: the caller's.
    unsafe {
        let node = (*stream.write_queue()).next;
        (node != stream.write_queue()).then(|| container_of!(node, uv_write_t, queue))
    }
}

/// Whether there are several requests, few enough pieces in the first, and a socket that may take them together.
///
/// # Safety
/// `first` is the first of the queue.
pub unsafe fn pays(stream: Handle<'_, uv_stream_t>, first: *mut uv_write_t) -> bool {
    // SAFETY: the caller's.
    unsafe {
        let several = (*first).queue.next != stream.write_queue();
        let pieces = (*first).nbufs.wrapping_sub((*first).write_index) as usize;
        several && pieces < PIECES && is_byte_stream(stream)
    }
}

fn is_byte_stream(stream: Handle<'_, uv_stream_t>) -> bool {
    if !stream.has(ASKED) {
        stream.set(ASKED);
        if socket::option(stream.fd(), libc::SOL_SOCKET, libc::SO_TYPE) == Ok(libc::SOCK_STREAM) {
            stream.set(BYTE_STREAM);
        }
    }
    stream.has(BYTE_STREAM)
}

/// Writes the first requests up to one that carries a handle; how many bytes were given, and how many written.
///
/// # Safety
/// The queue's nodes are requests with their buffers, and the first carries no handle.
pub unsafe fn write(stream: Handle<'_, uv_stream_t>) -> Result<(usize, usize)> {
    let mut pieces = [const { MaybeUninit::<uv_buf_t>::uninit() }; PIECES];
    let (mut count, mut given) = (0, 0usize);
    // SAFETY: the caller's.
    unsafe {
        let mut node = (*stream.write_queue()).next;
        'full: while node != stream.write_queue() {
            let req = container_of!(node, uv_write_t, queue);
            if !(*req).send_handle.is_null() {
                break;
            }
            for index in (*req).write_index..(*req).nbufs {
                let Some(place) = pieces.get_mut(count) else { break 'full };
                let buffer = (*req).bufs.add(index as usize).read();
                place.write(buffer);
                count += 1;
                given = given.wrapping_add(buffer.len);
            }
            node = (*node).next;
        }
        Ok((given, fd::write(stream.fd(), pieces.as_ptr().cast(), count)?))
    }
}
