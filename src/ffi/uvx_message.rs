//! Messages that arrived.

use crate::abi::errno::Errno;
use crate::abi::*;
use crate::ptr::Cx;
use crate::worker::message::{self, Message};
use crate::worker::transfer::Transfers;
use core::ffi::{c_int, c_uint};

/// The sender's tag. Any thread that has a reference, or that was called back with the message; so for the others below.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_tag(message: *const uvx_message_t) -> u64 {
    // SAFETY: the caller has a message.
    unsafe { (*message.cast::<Message>()).tag }
}

/// The payload, in one piece, at 16-byte alignment; alive as long as the message. It may be written to by whoever has the message
/// alone, unless it came through a group: then others may be reading the same bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_data(message: *const uvx_message_t) -> *const uv_buf_t {
    // SAFETY: the caller has a message.
    unsafe { &raw const (*message.cast::<Message>()).data }
}

/// How many things were handed over with the message, taken ones included.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_xfer_count(message: *const uvx_message_t) -> c_int {
    // SAFETY: the caller has a message; there are at most UVX_XFER_MAX transfers.
    unsafe { (*message.cast::<Message>()).transfers.as_ref() }
        .map_or(0, |transfers| transfers.count() as c_int)
}

/// Takes thing number `i`, counted from 0, out of the message: it is the caller's from now on, with what that brings: a port has to be
/// closed, memory given to its `free_cb` (unless that is NULL), a shared buffer unreferenced, a descriptor closed. What nobody takes goes with the
/// message. UV_EINVAL if there are not so many, UV_EALREADY if it was taken. Nothing is written to `out` then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_take(
    message: *mut uvx_message_t,
    i: c_uint,
    out: *mut uvx_xfer_t,
) -> c_int {
    // SAFETY: the caller has a message, and gives room for the result.
    unsafe {
        let transfers = (*message.cast::<Message>()).transfers;
        if transfers.is_null() {
            return Errno::EINVAL.code();
        }
        match Transfers::take(transfers, i as usize) {
            Ok(item) => out.write(item),
            Err(error) => return error.code(),
        }
    }
    0
}

/// One more reference: the message stays beyond its callback, or for another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_ref(message: *mut uvx_message_t) {
    // SAFETY: the caller has a message.
    unsafe { message::reference(message.cast()) };
}

/// Gives up a reference. With the last one goes the message, and all that was not taken from it. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_unref(message: *mut uvx_message_t) {
    if !message.is_null() {
        // SAFETY: the caller gives up its reference.
        unsafe { message::unreference(&mut Cx::enter(), message.cast()) };
    }
}
