//! An attached port: its settings, and the delivery of its messages by the loop.
//!
//! The loop dispatches a port whose bell rang. Before every callback it looks at the port anew, for callbacks may do anything to
//! it: stop, detach, close, receive from it, or send it to another thread, which may be using it already. Only after the inbox
//! is empty the mailbox goes back to `Asleep`; when the budget is spent instead, the port stands in line again and
//! nobody has to wake anybody.

use super::close;
use super::inbox::Next;
use super::message::{self, Message};
use super::port::{Budget, Far, Hold, Port, lateness};
use super::recycling::Recycler;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::ptr::Cx;
use crate::sync::mailbox::State;
use crate::sync::prim::Ordering;
use crate::sys::time::now_ns;
use crate::trace::own::Span;
use core::ptr::null_mut;

/// A dispatch delivers at least so many messages, if they come.
const FLOOR: u64 = 1000;
/// The most messages that one batch callback gets.
const BATCH: usize = 64;

/// `uvx_message_port_attach`.
pub fn attach(
    lp: Loop,
    port: &Port,
    message_cb: uvx_message_cb,
    end_cb: uvx_message_port_event_cb,
) -> Result {
    let claim = port.claim()?;
    if port.attached().is_some() {
        return Err(Errno::EBUSY);
    }
    let own = &port.own;
    own.started.set(false);
    own.referenced.set(true);
    own.told_end.set(false);
    own.budget.set(Budget::Usual);
    own.message_cb.set(message_cb);
    own.batch_cb.set(None);
    own.end_cb.set(end_cb);
    own.writable_cb.set(None);
    port.enter(lp);
    claim.keep();
    Ok(())
}

/// `uvx_message_port_detach`.
pub fn detach(port: &Port) -> Result {
    let (claim, lp) = port.claim_attached()?;
    port.leave(lp);
    claim.give_up();
    Ok(())
}

/// `uvx_message_port_start`.
pub fn start(port: &Port) -> Result {
    let (_claim, lp) = port.claim_attached()?;
    if !has_callback(port) {
        return Err(Errno::EINVAL);
    }
    port.own.started.set(true);
    port.update_alive();
    port.resume(lp);
    Ok(())
}

/// `uvx_message_port_stop`.
pub fn stop(port: &Port) -> Result {
    let _claim = port.claim_attached()?;
    port.own.started.set(false);
    port.inbox.settle(State::Awake);
    port.update_alive();
    Ok(())
}

/// `uvx_message_port_ref` and `uvx_message_port_unref`.
pub fn reference(port: &Port, referenced: bool) -> Result {
    let _claim = port.claim_attached()?;
    port.own.referenced.set(referenced);
    port.update_alive();
    Ok(())
}

/// `uvx_message_port_has_ref`.
pub fn is_referenced(port: &Port) -> bool {
    port.claim_attached().is_ok_and(|_| port.own.referenced.get())
}

/// `uvx_message_port_set_budget`.
pub fn set_budget(port: &Port, messages: usize, ns: u64) -> Result {
    let _claim = port.claim_attached()?;
    let bound = |value: u64| if value == 0 { u64::MAX } else { value };
    port.own.budget.set(Budget::Fixed(bound(messages as u64), bound(ns)));
    Ok(())
}

/// `uvx_message_port_set_batch_cb`.
pub fn set_batch_cb(port: &Port, batch_cb: uvx_message_batch_cb) -> Result {
    let _claim = port.claim_attached()?;
    if batch_cb.is_none() && port.own.message_cb.get().is_none() && port.own.started.get() {
        return Err(Errno::EINVAL);
    }
    port.own.batch_cb.set(batch_cb);
    Ok(())
}

/// `uvx_message_port_on_writable`.
pub fn on_writable(port: &Port, cb: uvx_message_port_event_cb) -> Result {
    let (_claim, lp) = port.claim_attached()?;
    port.own.writable_cb.set(cb);
    port.update_alive();
    if cb.is_some() && port.await_room() {
        port.writable.store(true, Ordering::Relaxed);
        port.schedule(lp);
    }
    Ok(())
}

/// `uvx_message_port_drain`: what waits now is delivered before this returns.
pub fn drain(cx: &mut Cx, port: &Port) -> Result {
    let lp = {
        let (_claim, lp) = port.claim_attached()?;
        lp
    };
    if !has_callback(port) {
        return Err(Errno::EINVAL);
    }
    let held = Hold::new(port);
    deliver_backlog(cx, &held, lp);
    if held.is_on(lp) && !held.own.closing.get() {
        held.resume(lp);
    }
    Ok(())
}

/// The other end is gone for good: what waits is delivered, and then the end, also if the port is stopped. Nothing happens to a port that
/// is not attached to this loop: another thread may be using it.
pub fn conclude(cx: &mut Cx, lp: Loop, port: &Port) {
    if *port.doorbell.owner() != lp.as_ptr() {
        return; // and will not be: only this thread attaches ports to the loop
    }
    let held = Hold::new(port);
    held.claim_for_dispatch();
    deliver_backlog(cx, &held, lp);
    let own = &held.own;
    if held.is_on(lp) && !own.closing.get() && (held.cut.load(Ordering::Acquire) || held.inbox.at_end()) {
        tell_end(cx, &held);
    }
}

/// Delivers what waits now, unless the port closes without it.
fn deliver_backlog(cx: &mut Cx, port: &Port, lp: Loop) {
    let mut unused = Recycler::new(port.inbox.free_stack());
    let mut left = port.inbox.backlog();
    while left > 0 && port.is_on(lp) && (!port.own.closing.get() || port.own.flushing.get()) {
        let count = deliver_some(cx, port, left, &mut unused);
        if count == 0 {
            break;
        }
        left = left.saturating_sub(count);
    }
}

/// The port was ready and left the loop's list.
///
/// # Safety
/// The node is that of a port which is attached to this loop.
pub unsafe fn run(cx: &mut Cx, lp: Loop, node: *mut uv__queue) {
    // SAFETY: the caller's; ports leave the list before they are freed.
    let port = Hold::new(unsafe { Port::of_node(node) });
    port.doorbell.end_scheduling();
    port.claim_for_dispatch();
    lateness::set(lp.internals().linger.take_late());
    if port.writable.swap(false, Ordering::Acquire) {
        tell_writable(cx, &port);
    }
    let span = Span::begin();
    let before = if span.is_on() { port.inbox.received() } else { 0 };
    let is_over = deliver(cx, &port, lp);
    if span.is_on() {
        let count = port.inbox.received().wrapping_sub(before);
        span.end(c"port", &[(c"messages", count.cast_signed())]);
    }
    if is_over {
        close::finish(cx, &port, lp);
    }
}

fn tell_writable(cx: &mut Cx, port: &Port) {
    if port.own.closing.get() {
        return;
    }
    if port.own.writable_cb.get().is_none() || !port.await_room() {
        return; // what was announced is gone again, or was announced to a callback that has been replaced
    }
    let Some(cb) = port.own.writable_cb.take() else { return };
    port.update_alive();
    let status = match port.far() {
        Far::Port(peer) if peer.inbox.is_closed() => UV_EPIPE,
        _ => 0,
    };
    // SAFETY: the user's function, with the port that it was given for.
    cx.call(|| unsafe { cb(port.as_c(), status) });
}

/// Delivers until nothing is left, the budget is spent, or the port wants no more. True if the port can be closed now.
fn deliver(cx: &mut Cx, port: &Port, lp: Loop) -> bool {
    let own = &port.own;
    let mut unused = Recycler::new(port.inbox.free_stack());
    let mut allowance = None;
    loop {
        if !port.is_on(lp) {
            return false;
        }
        let closing = own.closing.get();
        let wants = has_callback(port) && if closing { own.flushing.get() } else { own.started.get() };
        if !closing && (own.told_end.get() || port.cut.load(Ordering::Acquire) || port.inbox.at_end()) {
            tell_end(cx, port);
            return false;
        }
        if !wants {
            return closing;
        }
        let allowance = allowance.get_or_insert_with(|| Allowance::new(port));
        if allowance.messages == 0 {
            if !port.inbox.settle(State::Asleep) {
                port.schedule(lp);
            }
            return false;
        }
        let count = deliver_some(cx, port, allowance.messages, &mut unused);
        if count > 0 {
            allowance.spend(count);
        } else if closing {
            return true;
        } else if port.inbox.settle(State::Asleep) {
            return false;
        }
    }
}

pub(super) fn has_callback(port: &Port) -> bool {
    port.own.message_cb.get().is_some() || port.own.batch_cb.get().is_some()
}

/// Calls back with the next message, or with the next batch of at most `most`; says how many that were.
fn deliver_some(cx: &mut Cx, port: &Port, most: u64, unused: &mut Recycler<'_>) -> u64 {
    if let Some(batch_cb) = port.own.batch_cb.get() {
        return deliver_batch(cx, port, most, batch_cb, unused);
    }
    let Some(message_cb) = port.own.message_cb.get() else { return 0 };
    let Next::Message(message) = port.next() else { return 0 };
    // SAFETY: the user's function, with the port that it was given for; the message was taken.
    unsafe {
        cx.call(|| message_cb(port.as_c(), message.cast()));
        message::finish(cx, message, unused);
    }
    1
}

fn deliver_batch(
    cx: &mut Cx,
    port: &Port,
    most: u64,
    batch_cb: unsafe extern "C" fn(*mut uvx_message_port_t, *mut *mut uvx_message_t, usize),
    unused: &mut Recycler<'_>,
) -> u64 {
    let mut messages = [null_mut::<Message>(); BATCH];
    let most = usize::try_from(most).unwrap_or(BATCH);
    let mut count = 0;
    for place in messages.iter_mut().take(most) {
        let Next::Message(message) = port.next() else { break };
        *place = message;
        count += 1;
    }
    if count == 0 {
        return 0;
    }
    // SAFETY: the user's function, with the port that it was given for; the messages were taken. It may change the array that it
    // gets, so that is a copy.
    unsafe {
        let mut shown = messages;
        cx.call(|| batch_cb(port.as_c(), shown.as_mut_ptr().cast(), count));
        for message in messages.iter().take(count) {
            message::finish(cx, *message, unused);
        }
    }
    count as u64
}

fn tell_end(cx: &mut Cx, port: &Port) {
    if port.own.told_end.replace(true) {
        return;
    }
    port.inbox.close();
    port.update_alive();
    if let Some(end_cb) = port.own.end_cb.get() {
        // SAFETY: the user's function, with the port that it was given for.
        cx.call(|| unsafe { end_cb(port.as_c(), UV_EOF) });
    }
}

/// What is left of the budget of one dispatch.
struct Allowance {
    messages: u64,
    /// In ns of the monotonic clock; `u64::MAX` for none.
    until: u64,
}

impl Allowance {
    fn new(port: &Port) -> Allowance {
        match port.own.budget.get() {
            Budget::Usual => Allowance { messages: port.inbox.backlog().max(FLOOR), until: u64::MAX },
            Budget::Fixed(messages, u64::MAX) => Allowance { messages, until: u64::MAX },
            Budget::Fixed(messages, ns) => Allowance { messages, until: now_ns().saturating_add(ns) },
        }
    }

    fn spend(&mut self, count: u64) {
        self.messages = self.messages.saturating_sub(count);
        if self.until != u64::MAX && now_ns() >= self.until {
            self.messages = 0;
        }
    }
}
