//! Groups of ports with a name.

use crate::abi::*;
use crate::worker::{broadcast, channel};
use core::ffi::{c_char, c_int};

/// Opens a port in the group called `name`, which begins with its first port and is gone with its last: what is posted to one port of
/// the group arrives at all others that are open then, whatever thread they belong to. In every other respect it is a port like that
/// of a channel, and is closed in the same way; the others do not hear of that, so there is no end, and no UV_EOF. Names
/// are those of the process. `options` may be NULL; they bound what is unread at this port alone.
///
/// What one thread posts from a port arrives in that order everywhere; what different threads or ports post may arrive in
/// different orders. A post to a group without other ports succeeds, and what it hands over is destroyed. With several other ports it
/// can hand over shared buffers only, of which each gets a reference: UV_ENOTSUP. If one of them is full, the post fails with
/// UV_EAGAIN and none gets the message: who opens a port with bounds can hold the others up. Each thread should have a port of
/// its own: posts from one port wait for each other, and for ports that are being opened and closed.
///
/// Any thread. UV_EINVAL: no name, or options that make no sense. UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_broadcast_open(
    port: *mut *mut uvx_message_port_t,
    name: *const c_char,
    options: *const uvx_message_channel_options_t,
) -> c_int {
    // SAFETY: the caller gives options or NULL, and a string.
    match unsafe { channel::limits(options).and_then(|limits| broadcast::open(name, limits)) } {
        // SAFETY: the caller gives room for the result.
        Ok(opened) => unsafe { port.write(opened.as_ptr().cast()) },
        Err(error) => return error.code(),
    }
    0
}
