//! Ports on a loop. All of these belong to the port's owner: the thread of its loop.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::ptr::Cx;
use crate::worker::delivery;
use crate::worker::port::Port;
use core::ffi::c_int;

/// Attaches the port to a loop: from now on its messages go to `message_cb`, once it is started. `on_close`, which may be NULL, gets
/// UV_EOF when the other end is closed (and all senders are released) and all that was posted before has been delivered; the port
/// then no longer keeps the loop alive, and still has to be closed. A stopped port hears it when nothing is left to read.
/// `message_cb` may be NULL until a batch callback is set; without either the port cannot be started.
///
/// The loop's thread. UV_EBUSY: the port is attached already, or another thread has it. UV_EBADF: it is closed. UV_EALREADY: it is inside
/// a message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_attach(
    r#loop: *mut uv_loop_t,
    port: *mut uvx_message_port_t,
    message_cb: uvx_message_cb,
    on_close: uvx_message_port_event_cb,
) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and a port.
    status(unsafe { delivery::attach(Loop::new(r#loop), &*port.cast::<Port>(), message_cb, on_close) })
}

/// Takes the port from its loop, with all that is unread: any thread may attach it or receive from it next. Callbacks are forgotten.
/// UV_EINVAL: it is not attached. UV_EBUSY, UV_EBADF, UV_EALREADY as for uvx_message_port_attach; so for all functions below.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_detach(port: *mut uvx_message_port_t) -> c_int {
    // SAFETY: the caller gives a port.
    status(delivery::detach(unsafe { &*port.cast::<Port>() }))
}

/// Messages are delivered from now on, beginning with those that wait. While it is started and referenced, the port keeps its loop
/// alive. UV_EINVAL: it is not attached, or has no callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_start(port: *mut uvx_message_port_t) -> c_int {
    // SAFETY: the caller gives a port.
    status(delivery::start(unsafe { &*port.cast::<Port>() }))
}

/// No further message is delivered, not even the next of a batch; they wait. UV_EINVAL: the port is not attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_stop(port: *mut uvx_message_port_t) -> c_int {
    // SAFETY: the caller gives a port.
    status(delivery::stop(unsafe { &*port.cast::<Port>() }))
}

/// The port keeps its loop alive while it is started; a port that was just attached does. UV_EINVAL: it is not attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_ref(port: *mut uvx_message_port_t) -> c_int {
    // SAFETY: the caller gives a port.
    status(delivery::reference(unsafe { &*port.cast::<Port>() }, true))
}

/// The port does not keep its loop alive. UV_EINVAL: it is not attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_unref(port: *mut uvx_message_port_t) -> c_int {
    // SAFETY: the caller gives a port.
    status(delivery::reference(unsafe { &*port.cast::<Port>() }, false))
}

/// 1 if the port is attached and referenced, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_has_ref(port: *const uvx_message_port_t) -> c_int {
    // SAFETY: the caller gives a port.
    c_int::from(delivery::is_referenced(unsafe { &*port.cast::<Port>() }))
}

/// How much one turn of the loop delivers at most: so many messages, and no more after so many ns; 0 stands for no bound. Without this
/// call, a turn delivers what waits at its beginning, and up to 1000 messages if that is more. UV_EINVAL: not attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_set_budget(
    port: *mut uvx_message_port_t,
    max_messages: usize,
    max_ns: u64,
) -> c_int {
    // SAFETY: the caller gives a port.
    status(delivery::set_budget(unsafe { &*port.cast::<Port>() }, max_messages, max_ns))
}

/// Messages go to `cb` from now on, up to 64 at a time, instead of the message callback; NULL: to that one again. UV_EINVAL: the port is
/// not attached, or would be left without a callback while it is started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_set_batch_cb(
    port: *mut uvx_message_port_t,
    cb: uvx_message_batch_cb,
) -> c_int {
    // SAFETY: the caller gives a port.
    status(delivery::set_batch_cb(unsafe { &*port.cast::<Port>() }, cb))
}

/// Delivers all messages that wait now, before it returns, even if the port is stopped, whatever its budget, and if the other end was
/// closed with UVX_PORT_CLOSE_NOW. UV_EINVAL: the port is not attached, or has no callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_drain(port: *mut uvx_message_port_t) -> c_int {
    // SAFETY: the caller gives a port, on its loop's thread.
    status(unsafe { delivery::drain(&mut Cx::enter(), &*port.cast::<Port>()) })
}

/// Calls `cb` once, on the port's loop, when fewer than `low_water` messages wait at the other end: with status 0, or with UV_EPIPE if
/// the other end is closed; in a group, when there is such room at every other port. Soon, if that is so already, unless a message was
/// refused and the other end has read none since. Another call replaces the callback, NULL takes it back. The port need not be
/// started. While the callback is to come, a referenced port keeps its loop alive. UV_EINVAL: the port is not attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_message_port_on_writable(
    port: *mut uvx_message_port_t,
    cb: uvx_message_port_event_cb,
) -> c_int {
    // SAFETY: the caller gives a port.
    status(delivery::on_writable(unsafe { &*port.cast::<Port>() }, cb))
}
