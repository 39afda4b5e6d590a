//! The end of a port.
//!
//! The inbox of a closed port refuses everything, and the peer's gets the end behind all that was posted before: its node is part
//! of the channel, so closing cannot fail. A member of a group leaves it instead, and nobody hears of that. A port that is attached goes in a later turn of its loop, after its callback;
//! another one goes at once.

use super::channel::Channel;
use super::delivery;
use super::message::Doomed;
use super::port::{Far, Port};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::ptr::Cx;
use crate::sync::prim::Ordering;
use core::ffi::c_uint;

/// `uvx_message_port_close`.
pub fn close(cx: &mut Cx, port: &Port, flags: c_uint, cb: uvx_message_port_event_cb) -> Result {
    if flags & !(UVX_PORT_CLOSE_FLUSH | UVX_PORT_CLOSE_NOW) != 0 {
        return Err(Errno::EINVAL);
    }
    let claim = port.claim()?;
    let attached = port.attached();
    let flushing = flags & UVX_PORT_CLOSE_FLUSH != 0;
    if flushing && !(attached.is_some() && delivery::has_callback(port)) {
        return Err(Errno::EINVAL);
    }
    hang_up(port, flags & UVX_PORT_CLOSE_NOW != 0);
    let Some(lp) = attached else {
        drop(claim);
        go(cx, port, cb);
        return Ok(());
    };
    let own = &port.own;
    own.closing.set(true);
    own.flushing.set(flushing);
    own.close_cb.set(cb);
    port.update_alive();
    port.schedule(lp);
    Ok(())
}

/// The rest of closing, when the loop has delivered what is to be delivered.
pub fn finish(cx: &mut Cx, port: &Port, lp: Loop) {
    let cb = port.own.close_cb.take();
    port.leave(lp);
    go(cx, port, cb);
}

/// The message that `port` is in is destroyed; what is in the port's inbox shares its fate.
///
/// # Safety
/// The port is the caller's alone, and goes.
pub unsafe fn abandon(port: *const Port, doomed: &mut Doomed) {
    // SAFETY: the caller's; the reference of the port is given up last.
    unsafe {
        hang_up(&*port, false);
        (*port).inbox.empty_into(doomed);
        Channel::release((*port).channel());
    }
}

/// Ends all that others have to do with the port. `now`: the peer hears of it before it has read everything.
fn hang_up(port: &Port, now: bool) {
    port.closed.store(true, Ordering::Release);
    port.inbox.close();
    let peer = match port.far() {
        Far::Port(peer) => peer,
        Far::Group(member) => return member.leave(port),
    };
    if now {
        peer.cut.store(true, Ordering::Release);
    }
    // SAFETY: the writer is in the list since the channel was made; nobody posts with it once the port is closed.
    if unsafe { peer.inbox.remove_writer(&raw const port.writer) } || now {
        peer.ring();
    }
    port.tell_writers(port.inbox.end_waits());
    peer.inbox.end_waits(); // threads that wait for room to post from this port
}

/// Destroys what is unread, calls back, and gives the port's memory up.
fn go(cx: &mut Cx, port: &Port, cb: uvx_message_port_event_cb) {
    let (raw, channel) = (port.as_c(), port.channel());
    let mut doomed = Doomed::default();
    port.inbox.empty_into(&mut doomed);
    doomed.destroy(cx);
    if let Some(cb) = cb {
        // SAFETY: the user's function, with the port that it was given for.
        cx.call(|| unsafe { cb(raw, 0) });
    }
    // SAFETY: the port's own reference; nothing touches the port after this.
    unsafe { Channel::release(channel) };
}
