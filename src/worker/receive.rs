//! Taking messages without a loop: at once, or waiting for one.

use super::inbox::Next;
use super::message::{self, Message};
use super::port::{INTERRUPTED, Port, RUNG, lateness};
use crate::abi::errno::{Errno, Result};
use crate::sync::mailbox::State;
use crate::sync::prim::Ordering;
use crate::sys::{futex, time::now_ns};
use core::ptr::null_mut;

/// `uvx_message_port_receive`: the next message, whose reference is the caller's. Waits for at most `timeout_ns`; `u64::MAX`: for ever.
pub fn receive(port: &Port, timeout_ns: u64) -> Result<*mut Message> {
    let claim = port.claim()?;
    let result = wait(port, timeout_ns);
    if let Some(lp) = port.attached() {
        port.resume(lp);
    }
    if let Ok(message) = result {
        // SAFETY: it was taken.
        unsafe { message::set_home(message, port) };
    }
    drop(claim);
    result
}

/// `uvx_message_port_interrupt`. Any thread.
pub fn interrupt(port: &Port) {
    port.word.fetch_or(INTERRUPTED, Ordering::Release);
    futex::wake(&raw const port.word);
}

fn wait(port: &Port, timeout_ns: u64) -> Result<*mut Message> {
    if let Some(result) = look(port) {
        return result;
    }
    if timeout_ns == 0 {
        return Err(Errno::EAGAIN);
    }
    let start = now_ns();
    let until = if timeout_ns == u64::MAX { u64::MAX } else { start.saturating_add(timeout_ns) };
    let seen = if watch(port, start, until) { look(port) } else { None };
    if let Some(result) = seen {
        return result;
    }
    let owner = port.attached().map(|_| port.doorbell.lend(null_mut()));
    let result = sleep(port, until);
    if let Some(owner) = owner {
        port.doorbell.lend(owner);
    }
    result
}

/// What `receive` returns without waiting, if anything.
fn look(port: &Port) -> Option<Result<*mut Message>> {
    if port.word.load(Ordering::Relaxed) & INTERRUPTED != 0 {
        port.word.fetch_and(!INTERRUPTED, Ordering::Acquire);
        return Some(Err(Errno::EINTR));
    }
    if port.cut.load(Ordering::Acquire) {
        return Some(Err(Errno::EOF));
    }
    match port.next() {
        Next::Message(message) => Some(Ok(message)),
        Next::End => Some(Err(Errno::EOF)),
        Next::Nothing if port.own.told_end.get() => Some(Err(Errno::EOF)),
        Next::Nothing => None,
    }
}

/// Watches for a moment, if that pays; true if there is something to look at.
fn watch(port: &Port, start: u64, until: u64) -> bool {
    let Some(window) = port.linger.window() else { return false };
    let end = until.min(start.saturating_add(window));
    loop {
        for _ in 0..32 {
            if port.has_news() || port.word.load(Ordering::Relaxed) & INTERRUPTED != 0 {
                port.linger.hit();
                return true;
            }
            core::hint::spin_loop();
        }
        if now_ns() >= end {
            port.linger.miss();
            return false;
        }
    }
}

fn sleep(port: &Port, until: u64) -> Result<*mut Message> {
    loop {
        port.word.fetch_and(!RUNG, Ordering::Acquire);
        let asleep = port.inbox.settle(State::Asleep);
        if asleep && !port.cut.load(Ordering::Acquire) {
            let now = now_ns();
            if now >= until {
                port.inbox.settle(State::Awake);
                return look(port).unwrap_or(Err(Errno::ETIMEDOUT));
            }
            port.linger.sleep();
            futex::wait(&port.word, 0, (until != u64::MAX).then(|| until - now));
            port.linger.awake();
            lateness::set(port.linger.take_late());
        }
        port.inbox.settle(State::Awake);
        if let Some(result) = look(port) {
            return result;
        }
    }
}
