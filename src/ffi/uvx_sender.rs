//! Senders: any thread's way to a port.

use super::status;
use crate::abi::*;
use crate::mem::Owned;
use crate::ptr::Cx;
use crate::worker::port::Port;
use crate::worker::post;
use crate::worker::sender::Sender;
use core::ffi::c_int;

/// Makes a sender that posts to `port` itself (what its owner receives). It stays valid when the port moves, and when it is closed.
/// As long as a sender of it is left, a port does not hear that its peer was closed: more may come. Each thread should have
/// one of its own, which is faster than sharing. Any thread that knows the port to be alive. UV_EBADF if it is closed, UV_EALREADY if
/// it is inside a message, UV_EPIPE if nobody is left who could post to it, UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_sender_create(
    port: *mut uvx_message_port_t,
    sender: *mut *mut uvx_message_sender_t,
) -> c_int {
    // SAFETY: the caller gives a port.
    match Sender::create(unsafe { &*port.cast::<Port>() }) {
        // SAFETY: the caller gives room for the result.
        Ok(made) => unsafe { sender.write(made.into_raw().cast()) },
        Err(error) => return error.code(),
    }
    0
}

/// Posts to the sender's port, as uvx_message_port_post does. Any thread, also several at once. UV_EPIPE after the port was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_sender_post(
    sender: *mut uvx_message_sender_t,
    desc: *const uvx_message_desc_t,
) -> c_int {
    // SAFETY: the caller gives a sender, and the description of a message.
    status(unsafe { post::post(&mut Cx::enter(), &(*sender.cast::<Sender>()).route(), desc) })
}

/// Gives up the sender. NULL is fine. Any thread, once nobody posts with it any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_sender_release(sender: *mut uvx_message_sender_t) {
    if !sender.is_null() {
        // SAFETY: the caller gives up its sender.
        Sender::release(unsafe { Owned::from_raw(sender.cast()) });
    }
}
