//! Message ports: the threads of a program talk through them. `docs/protocols/port.md` has the protocols and what is proven of them.
//!
//! A channel (`channel.rs`) is one counted block with two [`port::Port`]s in it. Each port has an [`inbox::Inbox`], into which the
//! other one and its senders post [`message::Message`]s, and a [`doorbell::Doorbell`], which finds whoever is to be woken: the loop
//! that the port is attached to, or the thread that waits in `receive`.
//!
//! Layers, top to bottom: `delivery`, `receive`, `close`, `sender`; `post`; `transfer`; `port`, `claim`; `channel`; `message`; `inbox`,
//! `doorbell`, `writer`, `recycling`, `shared_buffer`. (Messages hold ports and ports hold messages, so `message` and `close` know each other.)

pub mod channel;
pub mod claim;
pub mod close;
pub mod delivery;
pub mod doorbell;
pub mod inbox;
pub mod message;
pub mod port;
pub mod post;
pub mod receive;
pub mod recycling;
pub mod sender;
pub mod shared_buffer;
pub mod transfer;
pub mod writer;
