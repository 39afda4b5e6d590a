//! Ports: posting, receiving, closing.

use super::status;
use crate::abi::errno::Errno;
use crate::abi::*;
use crate::ptr::Cx;
use crate::worker::channel::{self, Channel};
use crate::worker::port::{Far, Port};
use crate::worker::post::{self, Route};
use crate::worker::{broadcast, close, receive};
use core::ffi::{c_int, c_uint, c_void};
use core::ptr::null_mut;

/// Makes a channel and gives its two ports to the caller. What is posted to one is received from the other. `options` may be NULL.
/// Any thread. UV_EINVAL for options that make no sense, UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_channel_create(
    a: *mut *mut uvx_message_port_t,
    b: *mut *mut uvx_message_port_t,
    options: *const uvx_message_channel_options_t,
) -> c_int {
    // SAFETY: the caller gives options or NULL.
    match unsafe { channel::limits(options) }.and_then(Channel::create) {
        // SAFETY: the caller gives room for the results.
        Ok((first, second)) => unsafe {
            a.write(first.as_ptr().cast());
            b.write(second.as_ptr().cast());
        },
        Err(error) => return error.code(),
    }
    0
}

/// Posts a message to the other end, or to all others of its group (uvx_broadcast_open); never waits. The payload is copied; what
/// `xfers` lists belongs to the message from then on. On error nothing was moved, and all is the caller's as before (see
/// UVX_POST_CONSUME). A listed port leaves its loop by itself, if this is the loop's thread; its unread messages go with it, while
/// others go on to post to it.
///
/// Any thread. UV_EAGAIN: the channel is full. UV_EMSGSIZE: the payload never fits. UV_EPIPE: the other end is closed. UV_EBADF: this
/// port is closed, or a descriptor is none. UV_EALREADY: this port, or a listed one, is inside a message already. UV_EINVAL: the
/// description makes no sense, or lists this port itself. UV_ELOOP: it lists the other end. UV_EEXIST: it lists something
/// twice. UV_EBUSY: another thread uses a listed port. UV_EPERM: a listed port must not be handed over. UV_E2BIG: more than UVX_XFER_MAX things.
/// UV_ENOTSUP: several ports of a group cannot all have what is listed. UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_post(
    port: *mut uvx_message_port_t,
    desc: *const uvx_message_desc_t,
) -> c_int {
    // SAFETY: the caller gives a port, and the description of a message.
    unsafe {
        let (cx, port) = (&mut Cx::enter(), &*port.cast::<Port>());
        status(match port.far() {
            Far::Port(peer) => post::post(cx, &Route::between(port, peer), desc),
            Far::Group(member) => broadcast::post::post(cx, port, member, desc),
        })
    }
}

/// Posts `n` messages, in order, with a single hand-over (in a group, one after the other). Ends at the first that fails, with its
/// error; those before it are posted. How many that are goes to `done`, unless it is NULL; those behind the one that failed were
/// not looked at. All descriptions have the size of the first. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_post_many(
    port: *mut uvx_message_port_t,
    descs: *const uvx_message_desc_t,
    n: usize,
    done: *mut usize,
) -> c_int {
    // SAFETY: the caller gives a port, and descriptions of messages.
    let (count, result) = unsafe {
        let (cx, port) = (&mut Cx::enter(), &*port.cast::<Port>());
        match port.far() {
            Far::Port(peer) => post::post_many(cx, &Route::between(port, peer), descs, n),
            Far::Group(member) => broadcast::post::post_many(cx, port, member, descs, n),
        }
    };
    if !done.is_null() {
        // SAFETY: the caller gives room for the count.
        unsafe { done.write(count) };
    }
    status(result)
}

/// Posts a message; while the channel is full, waits until fewer than `low_water` messages are left. UV_ETIMEDOUT after `timeout_ns`
/// (UVX_FOREVER: never). UV_EINTR: it is the port of a worker that was stopped, and would have to wait. Not on the thread that has to
/// read the messages. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_post_wait(
    port: *mut uvx_message_port_t,
    desc: *const uvx_message_desc_t,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller gives a port, and the description of a message.
    unsafe {
        let (cx, port) = (&mut Cx::enter(), &*port.cast::<Port>());
        status(match port.far() {
            Far::Port(peer) => post::post_wait(cx, &Route::between(port, peer), desc, timeout_ns),
            Far::Group(member) => broadcast::post::post_wait(cx, port, member, desc, timeout_ns),
        })
    }
}

/// Takes the oldest message from the port's inbox; it goes to `out`, and its reference is the caller's: uvx_message_unref. Waits for
/// one for at most `timeout_ns`; 0: not at all, UVX_FOREVER: without end. Works on stopped and on started ports, inside callbacks
/// too. A thread must not wait for what its own loop would have to post.
///
/// The port's owner. UV_EAGAIN: nothing is there (timeout 0). UV_ETIMEDOUT. UV_EINTR: uvx_message_port_interrupt was called. UV_EOF: the
/// other end is closed, and all was read, or does not matter (UVX_PORT_CLOSE_NOW). UV_EBADF: this port is closed. UV_EBUSY: another thread has the port.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_receive(
    port: *mut uvx_message_port_t,
    out: *mut *mut uvx_message_t,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller gives a port.
    match receive::receive(unsafe { &*port.cast::<Port>() }, timeout_ns) {
        // SAFETY: the caller gives room for the result.
        Ok(message) => unsafe { out.write(message.cast()) },
        Err(error) => return error.code(),
    }
    0
}

/// Makes the running uvx_message_port_receive return UV_EINTR, or if there is none, the next one. Any thread. Always 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_interrupt(port: *mut uvx_message_port_t) -> c_int {
    // SAFETY: the caller gives a port.
    receive::interrupt(unsafe { &*port.cast::<Port>() });
    0
}

/// Closes the port. The other end receives all that was posted to it, and then hears UV_EOF; a group goes on without the port. What
/// is unread here is destroyed, unless `flags` has UVX_PORT_CLOSE_FLUSH. `cb`, which may be NULL, gets 0; the port is gone
/// when it returns.
///
/// For an attached port `cb` runs on its loop after this call, and until then other threads may still call functions of the port,
/// most of which say UV_EBADF. A port that is not attached is gone when this returns; `cb` runs before.
///
/// The port's owner. UV_EBADF: it is closed already. UV_EBUSY: another thread has it. UV_EALREADY: it is inside a message. UV_EINVAL:
/// unknown flags, or UVX_PORT_CLOSE_FLUSH without a callback that could get the messages.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_close(
    port: *mut uvx_message_port_t,
    flags: c_uint,
    cb: uvx_message_port_event_cb,
) -> c_int {
    // SAFETY: the caller gives a port.
    status(unsafe { close::close(&mut Cx::enter(), &*port.cast::<Port>(), flags, cb) })
}

/// What went through the port's inbox. Any thread. UV_EINVAL if `stats->size` is too small.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_stats(
    port: *mut uvx_message_port_t,
    stats: *mut uvx_message_port_stats_t,
) -> c_int {
    // SAFETY: the caller gives a port, and room for the result of the size that it says.
    unsafe {
        let size = (*stats).size;
        if size < size_of::<uvx_message_port_stats_t>() {
            return Errno::EINVAL.code();
        }
        stats.write(uvx_message_port_stats_t { size, ..(*port.cast::<Port>()).statistics() });
    }
    0
}

/// The port cannot be handed over any more: a post that lists it says UV_EPERM. The port's owner. UV_EBUSY: another thread has it. UV_EBADF,
/// UV_EALREADY as for uvx_message_port_close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_forbid_transfer(port: *mut uvx_message_port_t) -> c_int {
    // SAFETY: the caller gives a port.
    status(unsafe { &*port.cast::<Port>() }.forbid_transfer())
}

/// Sets a pointer for the program's own use; it is NULL at first, and again for a port that was taken out of a message. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_set_data(port: *mut uvx_message_port_t, data: *mut c_void) {
    // SAFETY: the caller gives a port.
    unsafe { &*port.cast::<Port>() }.set_data(data);
}

/// The pointer of uvx_message_port_set_data. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_get_data(port: *const uvx_message_port_t) -> *mut c_void {
    // SAFETY: the caller gives a port.
    unsafe { &*port.cast::<Port>() }.data()
}

/// The loop that the port is attached to, or NULL. The port's owner.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_loop(port: *const uvx_message_port_t) -> *mut uv_loop_t {
    // SAFETY: the caller gives a port, on its owner's thread.
    unsafe { &*port.cast::<Port>() }.attached().map_or(null_mut(), |lp| lp.as_ptr())
}
