//! Senders: posting to a port from any thread, also after the port is closed.
//!
//! A sender is one of the writers of its port's inbox: the end comes when the peer and all senders are gone.

use super::port::{Hold, Port};
use super::post::Route;
use super::writer::Writer;
use crate::abi::errno::Result;
use crate::mem::Owned;

/// See the module.
pub struct Sender {
    writer: Writer,
    target: Hold,
}

impl Sender {
    /// A sender to `port`, one more of its writers.
    pub fn create(port: &Port) -> Result<Owned<Sender>> {
        port.check_usable()?;
        let sender = Owned::new(Sender { writer: Writer::default(), target: Hold::new(port) })?;
        // SAFETY: the sender stays where it is until `release`.
        unsafe { port.inbox.writers().add(&raw const sender.writer)? };
        Ok(sender)
    }

    /// The way from here to the port.
    pub fn route(&self) -> Route<'_> {
        Route { source: None, target: &self.target, writer: &self.writer }
    }

    /// One writer less.
    pub fn release(sender: Owned<Sender>) {
        // SAFETY: in the list since `create`, and nobody posts with it any more.
        if unsafe { sender.target.inbox.remove_writer(&raw const sender.writer) } {
            sender.target.ring();
        }
    }
}
