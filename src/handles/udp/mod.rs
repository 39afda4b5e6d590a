//! `uv_udp_t`: a datagram socket.
//!
//! The socket is made when it is first needed, of the family of the first address, and bound to any address and port if the program has
//! not bound it. Sending is in `send.rs`, receiving in `receive.rs`, options of the socket in `options.rs`.
//!
//! Deliberate differences from the reference: a closing handle refuses whatever would open its socket again (`UV_EINVAL`); an error of the
//! socket that comes while nothing is received is left to the next send.

pub mod options;
pub mod receive;
pub mod send;

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::event_loop::Loop;
use crate::event_loop::watcher::{Owner, Watcher};
use crate::ptr::{Cx, Handle};
use crate::sys::fd;
use crate::sys::socket::{self, End};
use core::ffi::{c_int, c_uint};
use libc::{sockaddr, sockaddr_storage, socklen_t};

/// Callbacks of sent datagrams are running.
const PROCESSING: c_uint = 0x0100_0000;
/// The socket has a peer.
const CONNECTED: c_uint = 0x0200_0000;
/// `UV_UDP_RECVMMSG` was asked for.
const RECVMMSG: c_uint = 0x0400_0000;

/// `uv_udp_init_ex`: the low eight bits of `flags` are the family of a socket to be made at once, or `AF_UNSPEC`; the others may be
/// `UV_UDP_RECVMMSG`. `UV_EINVAL` for anything else, and what making the socket gives.
///
/// # Safety
/// `raw` is writable memory for a handle that is not in use.
pub unsafe fn init(cx: &Cx, lp: Loop, raw: *mut uv_udp_t, flags: c_uint) -> Result {
    let (family, extra) = ((flags & 0xFF).cast_signed(), flags & !0xFF);
    if extra & !UV_UDP_RECVMMSG != 0 {
        return Err(Errno::EINVAL);
    }
    let fd = match family {
        libc::AF_UNSPEC => -1,
        libc::AF_INET | libc::AF_INET6 => socket::open(family, libc::SOCK_DGRAM, 0)?,
        _ => return Err(Errno::EINVAL),
    };
    // SAFETY: the caller's.
    let handle = unsafe { Handle::init(cx, lp, raw) };
    if extra != 0 {
        handle.set(RECVMMSG);
    }
    handle.set_alloc_cb(None);
    handle.set_recv_cb(None);
    handle.set_send_queue_size(0);
    handle.set_send_queue_count(0);
    watcher(handle).init(Owner::Udp, fd);
    // SAFETY: heads of queues inside the handle.
    unsafe {
        queue::init(&raw mut (*raw).write_queue);
        queue::init(&raw mut (*raw).write_completed_queue);
    }
    Ok(())
}

/// `uv_udp_open_ex`: `UV_EBUSY` if the handle has a socket, `UV_EEXIST` if the loop watches this one, `UV_EINVAL` for unknown flags.
pub fn open(handle: Handle<'_, uv_udp_t>, sock: c_int, flags: c_uint) -> Result {
    fail_unless_open(handle)?;
    if flags & !(UV_UDP_REUSEADDR | UV_UDP_REUSEPORT) != 0 {
        return Err(Errno::EINVAL);
    }
    if handle.fd() != -1 {
        return Err(Errno::EBUSY);
    }
    if handle.owner().is_watched(sock) {
        return Err(Errno::EEXIST);
    }
    fd::set_nonblocking(sock)?;
    set_sharing(sock, flags)?;
    handle.set_fd(sock);
    if has_peer(sock) {
        handle.set(CONNECTED);
    }
    Ok(())
}

/// `uv_udp_bind`: makes the socket if there is none. `UV_EINVAL` for other families than IPv4 and IPv6, unknown flags, and a family that
/// is not the socket's; else what the system says. A socket that was made stays, also after an error.
///
/// # Safety
/// `address` is an address as long as its family says.
pub unsafe fn bind(handle: Handle<'_, uv_udp_t>, address: *const sockaddr, flags: c_uint) -> Result {
    const KNOWN: c_uint = UV_UDP_IPV6ONLY | UV_UDP_REUSEADDR | UV_UDP_REUSEPORT | UV_UDP_LINUX_RECVERR;
    fail_unless_open(handle)?;
    // SAFETY: the caller's.
    let (family, length) = unsafe { (socket::family(address), socket::inet_size(address)?) };
    let is_inet6 = family == libc::AF_INET6;
    if flags & !KNOWN != 0 || (flags & UV_UDP_IPV6ONLY != 0 && !is_inet6) {
        return Err(Errno::EINVAL);
    }
    if handle.fd() == -1 {
        handle.set_fd(socket::open(family, libc::SOCK_DGRAM, 0)?);
    }
    let fd = handle.fd();
    if flags & UV_UDP_LINUX_RECVERR != 0 {
        let (level, option) = if is_inet6 {
            (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
        } else {
            (libc::IPPROTO_IP, libc::IP_RECVERR)
        };
        socket::set_option(fd, level, option, 1)?;
    }
    set_sharing(fd, flags)?;
    if flags & UV_UDP_IPV6ONLY != 0 {
        socket::set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
    }
    // SAFETY: the caller's.
    match unsafe { socket::bind(fd, address, length) } {
        Err(Errno::EAFNOSUPPORT) => Err(Errno::EINVAL),
        result => result,
    }
}

/// `uv_udp_connect`: `UV_EISCONN` if it is connected; without an address it is disconnected, `UV_ENOTCONN` if it is not connected.
///
/// # Safety
/// `address` is null or an address as long as its family says.
pub unsafe fn connect(handle: Handle<'_, uv_udp_t>, address: *const sockaddr) -> Result {
    fail_unless_open(handle)?;
    if address.is_null() {
        return disconnect(handle);
    }
    // SAFETY: the caller's.
    let (family, length) = unsafe { (socket::family(address), socket::inet_size(address)?) };
    if handle.has(CONNECTED) {
        return Err(Errno::EISCONN);
    }
    bind_for(handle, family, 0)?;
    // SAFETY: the caller's.
    unsafe { socket::connect(handle.fd(), address, length)? };
    handle.set(CONNECTED);
    Ok(())
}

fn disconnect(handle: Handle<'_, uv_udp_t>) -> Result {
    if !handle.has(CONNECTED) {
        return Err(Errno::ENOTCONN);
    }
    let nobody = sockaddr { sa_family: libc::AF_UNSPEC as libc::sa_family_t, sa_data: [0; 14] };
    // SAFETY: the address has that size.
    unsafe { socket::connect(handle.fd(), &raw const nobody, size_of::<sockaddr>() as socklen_t)? };
    handle.clear(CONNECTED);
    Ok(())
}

/// `uv_udp_getsockname` and `uv_udp_getpeername`: `UV_EBADF` without a socket.
///
/// # Safety
/// `size` is an int, and `address` has room for as many bytes.
pub unsafe fn name(
    handle: Handle<'_, uv_udp_t>,
    end: End,
    address: *mut sockaddr,
    size: *mut c_int,
) -> Result {
    let fd = super::descriptor(handle.base())?;
    // SAFETY: the caller's.
    unsafe { socket::name_for_c(fd, end, address, size) }
}

/// `uv_udp_using_recvmmsg`.
pub fn uses_recvmmsg(handle: Handle<'_, uv_udp_t>) -> bool {
    handle.has(RECVMMSG)
}

/// For `uv_close`: closes the socket at once. Requests are cancelled when the closing is finished.
pub fn stop(handle: Handle<'_, uv_udp_t>) {
    handle.owner().unwatch(watcher(handle));
    handle.deactivate();
    if handle.fd() != -1 {
        fd::close(handle.fd());
        handle.set_fd(-1);
    }
}

/// What is left to do before the close callback: the callbacks of all requests.
///
/// # Safety
/// `raw` is a handle whose closing ends now.
pub unsafe fn finish_closing(cx: &mut Cx, raw: *mut uv_udp_t) {
    // SAFETY: the caller's.
    let handle = unsafe {
        send::cancel(cx, raw);
        Handle::new(cx, raw)
    };
    handle.set_alloc_cb(None);
    handle.set_recv_cb(None);
}

/// The socket has `events` (`EPOLL*` bits), or none if the handle was fed.
pub fn run(cx: &mut Cx, watcher: Watcher, events: u32) {
    let has = |bits: c_int| events & bits.cast_unsigned() != 0;
    // SAFETY: the watcher lies in its handle, which is alive while it is watched or fed, and whose close callback never runs in here.
    unsafe {
        let raw = container_of!(watcher.as_ptr(), uv_udp_t, io_watcher);
        if has(libc::EPOLLIN | libc::EPOLLERR) {
            receive::run(cx, raw, false);
        }
        if has(libc::EPOLLERR) {
            receive::run(cx, raw, true);
        }
        if events == 0 || has(libc::EPOLLOUT | libc::EPOLLERR) {
            send::run(cx, raw);
        }
    }
}

/// `UV_EINVAL` for a handle that is being closed.
fn fail_unless_open(handle: Handle<'_, uv_udp_t>) -> Result {
    if handle.base().is_closing() { Err(Errno::EINVAL) } else { Ok(()) }
}

/// Makes and binds the socket, if there is none, to any address of this family.
fn bind_for(handle: Handle<'_, uv_udp_t>, family: c_int, flags: c_uint) -> Result {
    if handle.fd() != -1 {
        return Ok(());
    }
    // SAFETY: zeros are an address: any, with any port.
    let mut any = unsafe { core::mem::zeroed::<sockaddr_storage>() };
    any.ss_family = family as libc::sa_family_t; // came from an address
    // SAFETY: the storage is as long as any address.
    unsafe { bind(handle, (&raw const any).cast(), flags) }
}

/// Lets others use the same address: `UV_UDP_REUSEADDR` takes the datagrams from them, `UV_UDP_REUSEPORT` shares them.
fn set_sharing(fd: c_int, flags: c_uint) -> Result {
    if flags & UV_UDP_REUSEADDR != 0 {
        socket::set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    }
    if flags & UV_UDP_REUSEPORT != 0 {
        socket::set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
    }
    Ok(())
}

fn has_peer(fd: c_int) -> bool {
    // SAFETY: zeros are an address.
    let mut peer = unsafe { core::mem::zeroed::<sockaddr_storage>() };
    let mut length = size_of::<sockaddr_storage>() as socklen_t; // 128
    // SAFETY: the storage has that size.
    unsafe { socket::name(fd, End::Peer, (&raw mut peer).cast(), &mut length) }.is_ok() && length > 0
}

fn watcher(handle: Handle<'_, uv_udp_t>) -> Watcher {
    // SAFETY: the watcher is a field of the live handle.
    unsafe { Watcher::new(&raw mut (*handle.as_ptr()).io_watcher) }
}

/// Whether the socket is watched for this.
fn is_watched_for(handle: Handle<'_, uv_udp_t>, events: c_int) -> bool {
    watcher(handle).pevents() & events.cast_unsigned() != 0
}
