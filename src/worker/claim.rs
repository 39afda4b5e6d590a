//! Who has a port: nobody, one thread, or the message that it is in.
//!
//! One word says it, so that these exclude each other: a thread claims the port by compare-and-swap from "nobody", for one call
//! or, by attaching it, for as long as it belongs to that thread's loop. A port that goes into a message is claimed first, and stays out
//! of everybody's reach until it has been taken out of the message, or has come back from it.

use super::port::Port;
use crate::abi::errno::{Errno, Result};
use crate::event_loop::{Internals, Loop};
use crate::sync::prim::{AtomicUsize, Ordering};
use crate::sys::thread;

/// Nobody has it.
pub const NOBODY: usize = 0;
/// A message has it. Threads have other numbers (`sys::thread::number`).
const A_MESSAGE: usize = 1;

/// See the module. The user's writes are seen by the next user.
pub struct User(AtomicUsize);

impl Default for User {
    /// Nobody.
    fn default() -> Self {
        User(AtomicUsize::new(NOBODY))
    }
}

impl User {
    /// Thread `me` has it from now on if nobody did; else who does.
    pub fn claim(&self, me: usize) -> core::result::Result<(), usize> {
        self.0.compare_exchange(NOBODY, me, Ordering::Acquire, Ordering::Acquire).map(drop)
    }

    /// Nobody has it, unless another thread has come to it in the place of `me`.
    pub fn release(&self, me: usize) {
        let _ = self.0.compare_exchange(me, NOBODY, Ordering::Release, Ordering::Relaxed);
    }

    /// Thread `me` has it in the place of `other`, if that still has it.
    pub fn succeed(&self, other: usize, me: usize) -> bool {
        self.0.compare_exchange(other, me, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Whether thread `me` has it.
    pub fn is(&self, me: usize) -> bool {
        self.0.load(Ordering::Acquire) == me
    }

    /// Whether a message has it.
    pub fn is_moving(&self) -> bool {
        self.0.load(Ordering::Acquire) == A_MESSAGE
    }

    /// From the thread that has it into a message.
    pub fn depart(&self) {
        self.0.store(A_MESSAGE, Ordering::Release);
    }

    /// Out of the message, to `user`.
    pub fn arrive(&self, user: usize) {
        self.0.store(user, Ordering::Release);
    }
}

/// The right to use a port, which one thread has at a time.
pub struct Claim<'p> {
    port: &'p Port,
    keep: bool,
}

impl Claim<'_> {
    /// The port stays with this thread: it was attached.
    pub fn keep(mut self) {
        self.keep = true;
    }

    /// Nobody has the port: it has left its loop.
    pub fn give_up(mut self) {
        self.keep = false;
    }

    /// A message has the port.
    pub fn depart(self) {
        self.port.user.depart();
        self.keep();
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.keep {
            self.port.user.release(thread::number());
        }
    }
}

impl Port {
    /// Claims the port for this thread: `UV_EBUSY` if another one has it, or if it is attached to another one's loop; `UV_EBADF` if it
    /// is closed, `UV_EALREADY` if it is inside a message.
    pub fn claim(&self) -> Result<Claim<'_>> {
        let me = thread::number();
        let claim = match self.user.claim(me) {
            Ok(()) => Claim { port: self, keep: false },
            Err(user) if user == me || self.succeed(user, me) => Claim { port: self, keep: true },
            Err(_) => return Err(self.check_usable().err().unwrap_or(Errno::EBUSY)),
        };
        self.check_usable()?;
        Ok(claim)
    }

    /// Has the port instead of `user`, if it is attached to a loop that this thread runs, or that no thread has run yet.
    fn succeed(&self, user: usize, me: usize) -> bool {
        let owner = self.doorbell.owner();
        if owner.is_null() || user == A_MESSAGE {
            return false;
        }
        // SAFETY: the port cannot leave its loop while the owner is locked, and a loop with ports is not closed.
        let internals = unsafe { &*(&raw const (**owner).internal_fields).read().cast::<Internals>() };
        let thread = internals.thread.load(Ordering::Relaxed);
        (thread == me || thread == 0) && self.user.succeed(user, me)
    }

    /// Claims the port for the loop that dispatches it.
    pub fn claim_for_dispatch(&self) {
        self.user.arrive(thread::number());
    }

    /// Claims a port that is attached.
    pub fn claim_attached(&self) -> Result<(Claim<'_>, Loop)> {
        let claim = self.claim()?;
        let lp = self.attached().ok_or(Errno::EINVAL)?;
        Ok((claim, lp))
    }

    /// Whether the port is still attached to this loop; for the loop's thread, after user code ran.
    pub fn is_on(&self, lp: Loop) -> bool {
        self.user.is(thread::number()) && self.attached() == Some(lp)
    }
}
