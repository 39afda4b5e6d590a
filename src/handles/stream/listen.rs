//! Listening and accepting.
//!
//! One connection a turn: loops that share a listening socket get their share, and the program can stop after any of them.
//!
//! Without a free descriptor the loop gives up a spare one, turns the waiting clients away with it and takes it back. When that fails
//! too, the socket is watched edge-triggered: only the next client wakes the loop, where the reference would spin.

use super::{IN, fd_passing};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::watcher::{Owner, Watcher};
use crate::handles::{pipe, tcp, udp};
use crate::ptr::{Cx, Handle};
use crate::sys::{fd, socket};
use core::ffi::c_int;

/// Only the arrival of a client is an event.
const EDGE: u32 = libc::EPOLLET.cast_unsigned();

/// `uv_listen`.
pub fn start(stream: Handle<'_, uv_stream_t>, backlog: c_int, cb: uv_connection_cb) -> Result {
    if stream.is_closing() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: each cast goes to what the type field says.
    unsafe {
        match stream.base().handle_type() {
            UV_TCP => tcp::prepare_listening(stream.cast())?,
            UV_NAMED_PIPE => pipe::prepare_listening(stream.cast())?,
            _ => return Err(Errno::EINVAL),
        }
    }
    socket::listen(stream.fd(), backlog)?;
    if stream.accepted_fd() == -1 {
        stream.want(IN)?; // called again while a connection waits, that one comes first
    }
    stream.owner().reserve_fd();
    stream.set_connection_cb(cb);
    stream.watcher().set_bits(Owner::Server as usize);
    stream.activate();
    Ok(())
}

/// The listening socket is readable.
pub fn run(cx: &mut Cx, watcher: Watcher) {
    // SAFETY: the watcher lies in its stream, which lives until its close callback, and that never runs in here; so for the others.
    let raw = unsafe { container_of!(watcher.as_ptr(), uv_stream_t, io_watcher) };
    // SAFETY: as above.
    let stream = unsafe { Handle::new(cx, raw) };
    if stream.accepted_fd() != -1 {
        return; // fed by nobody, and not watched while one waits
    }
    let Some(fd) = accept_one(stream) else { return };
    stream.set_accepted_fd(fd);
    if let Some(cb) = stream.connection_cb() {
        // SAFETY: the user's function, with the stream that it was given for.
        cx.call(|| unsafe { cb(raw, 0) });
    }
    // SAFETY: as above.
    let stream = unsafe { Handle::new(cx, raw) };
    if stream.accepted_fd() != -1 {
        stream.unwant(IN); // until it is accepted
    }
}

fn accept_one(stream: Handle<'_, uv_stream_t>) -> Option<c_int> {
    let mut result = socket::accept(stream.fd());
    if let Err(Errno::EMFILE | Errno::ENFILE) = result {
        result = turn_away(stream);
    }
    // Other errors are those of one connection, or pass: the clients behind it must not have to wait for one more to come.
    if let Err(Errno::EMFILE | Errno::ENFILE) = result {
        let _ = stream.want(EDGE); // cannot fail: it is watched already
    } else {
        stream.unwant(EDGE);
    }
    result.ok()
}

/// Turns all waiting clients away.
fn turn_away(stream: Handle<'_, uv_stream_t>) -> Result<c_int> {
    let lp = stream.owner();
    if !lp.release_spare_fd() {
        lp.reserve_fd();
        return Err(Errno::EMFILE);
    }
    let result = loop {
        match socket::accept(stream.fd()) {
            Ok(client) => fd::close(client),
            Err(error) => break Err(error),
        }
    };
    lp.reserve_fd();
    result
}

/// `uv_accept`: the client gets the descriptor that waits first; `UV_EAGAIN` if none does. If the client cannot take it, it is closed.
pub fn accept(server: Handle<'_, uv_stream_t>, client: Handle<'_, uv_stream_t>) -> Result {
    let fd = server.accepted_fd();
    if fd == -1 {
        return Err(Errno::EAGAIN);
    }
    let result = match client.base().handle_type() {
        UV_TCP | UV_NAMED_PIPE => super::open(client, fd, UV_HANDLE_READABLE | UV_HANDLE_WRITABLE),
        // SAFETY: the type says so.
        UV_UDP => udp::open(unsafe { client.cast() }, fd, 0),
        _ => return Err(Errno::EINVAL),
    };
    match result {
        Ok(()) => client.set(super::BOUND),
        Err(_) => fd::close(fd),
    }
    fd_passing::advance(server);
    // A pipe with handles is watched by those who read it.
    if server.accepted_fd() == -1 && server.watcher().bits() == Owner::Server as usize {
        server.want(IN)?;
    }
    result
}
