//! How the threads of a program work together: message ports, posted calls, workers. `docs/protocols/` has the protocols and what is
//! proven of them.
//!
//! A channel (`channel.rs`) is one counted block with two [`port::Port`]s in it. Each port has an [`inbox::Inbox`], into which the
//! other one and its senders post [`message::Message`]s, and a [`doorbell::Doorbell`], which finds whoever is to be woken: the loop
//! that the port is attached to, or the thread that waits in `receive`.
//!
//! A port may belong to a group (`broadcast/`) instead of a channel: what is posted to one member arrives at all others.
//!
//! A loop's [`call::Calls`] let any thread have it run a function. A worker (`workers/`) is a thread with a loop, calls, and a channel to
//! the loop that started it.
//!
//! Named [`locks`] are for loops and for threads without one.
//!
//! The service thread (`service/`) runs watchdogs and what signals wake, beside all loops. An [`io_thread`] is a thread with a loop and calls.
//!
//! The debug port (`debug/`) tells from outside what all of them are doing.
//!
//! Layers, top to bottom: `debug`; `io_thread`; `workers`; `locks`; `call`; `broadcast`; `delivery`, `receive`, `close`, `sender`; `post`; `transfer`; `port`, `claim`; `channel`; `message`; `inbox`,
//! `doorbell`, `writer`, `recycling`, `depot`, `shared_buffer`. `service` stands on none of them. (Messages hold ports and ports hold messages, so `message` and `close` know each other.)

pub mod broadcast;
pub mod call;
pub mod channel;
pub mod claim;
pub mod close;
pub mod debug;
pub mod delivery;
pub mod depot;
pub mod doorbell;
pub mod inbox;
pub mod io_thread;
pub mod locks;
pub mod message;
pub mod pools;
pub mod port;
pub mod post;
pub mod receive;
pub mod recycling;
pub mod sender;
pub mod service;
pub mod shared_buffer;
pub mod transfer;
pub mod workers;
pub mod writer;
