//! The debug port's clients, one after the other; the port's thread alone has to do with them.
//!
//! A descriptor is set aside for them in the port's loop: who has run out of descriptors wants to know what has them, so the client is taken
//! with the spare one instead of being turned away.

use super::report;
use crate::abi::errno::Errno;
use crate::event_loop::Loop;
use crate::mem::Bytes;
use crate::os::clock;
use crate::sys::time::Deadline;
use crate::sys::{fd, socket};
use core::ffi::c_int;

/// An answer may take so many ns to send.
const PATIENCE: u64 = 1_000_000_000;

/// So many ms are the socket left alone that cannot be accepted from, and stays readable.
const PAUSE: u32 = 20;

/// A client waits: answers it, and lets it go.
pub fn serve(lp: Loop, listener: c_int) {
    if let Some(client) = accept(lp, listener) {
        let mut text = Bytes::empty();
        if report::write(&mut text).is_ok() {
            send(client, &text);
        }
        fd::close(client);
    }
    lp.reserve_fd();
}

fn accept(lp: Loop, listener: c_int) -> Option<c_int> {
    let mut result = socket::accept(listener);
    if let Err(Errno::EMFILE | Errno::ENFILE) = result
        && lp.release_spare_fd()
    {
        result = socket::accept(listener); // unless somebody else was faster
    }
    if !matches!(result, Ok(_) | Err(Errno::EAGAIN | Errno::ECONNABORTED)) {
        clock::sleep(PAUSE);
    }
    result.ok()
}

/// Sends all of it, unless the client goes or the time is over.
fn send(client: c_int, mut text: &[u8]) {
    let deadline = Deadline::after(PATIENCE);
    while !text.is_empty() {
        let Ok(left) = deadline.left() else { return };
        match socket::send(client, text) {
            Ok(sent) => text = text.get(sent..).unwrap_or_default(),
            Err(Errno::EAGAIN) => fd::wait_writable_for(client, left.unwrap_or(PATIENCE)),
            Err(_) => return,
        }
    }
}
