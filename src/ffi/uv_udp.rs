//! Datagrams.

use super::status;
use crate::abi::errno::Errno;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::udp::{self, options, receive, send};
use crate::ptr::{Cx, Handle};
use crate::sys::datagram::Outgoing;
use crate::sys::socket::End;
use core::ffi::{c_char, c_int, c_uint};
use libc::sockaddr;

/// Makes the memory at `handle` a UDP handle without a socket; one is made when it is bound or first used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_init(r#loop: *mut uv_loop_t, handle: *mut uv_udp_t) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for the handle.
    status(unsafe { udp::init(&Cx::enter(), Loop::new(r#loop), handle, 0) })
}

/// As uv_udp_init. The lower eight bits of `flags` are AF_INET or AF_INET6, for a socket that is made at once, or AF_UNSPEC; with
/// UV_UDP_RECVMMSG several datagrams are received at once into buffers of several times 64 KiB. UV_EINVAL for anything else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_init_ex(
    r#loop: *mut uv_loop_t,
    handle: *mut uv_udp_t,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for the handle.
    status(unsafe { udp::init(&Cx::enter(), Loop::new(r#loop), handle, flags) })
}

/// uv_udp_open_ex with UV_UDP_REUSEADDR.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_open(handle: *mut uv_udp_t, sock: uv_os_sock_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    status(unsafe { udp::open(Handle::new(&Cx::enter(), handle), sock, UV_UDP_REUSEADDR) })
}

/// Gives the handle a datagram socket, of any family, which becomes non-blocking and is the handle's to close; it may be bound or
/// connected. `flags`: UV_UDP_REUSEADDR and UV_UDP_REUSEPORT, as for uv_udp_bind, or 0; UV_EINVAL for others. UV_EBUSY if the handle has a
/// socket, UV_EEXIST if the loop watches this one already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_open_ex(handle: *mut uv_udp_t, sock: uv_os_sock_t, flags: c_uint) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    status(unsafe { udp::open(Handle::new(&Cx::enter(), handle), sock, flags) })
}

/// Binds the handle to an IPv4 or IPv6 address; port 0 lets the system choose. `flags`: UV_UDP_IPV6ONLY takes no IPv4 datagrams;
/// UV_UDP_REUSEADDR shares the address with others that set it, of whom the last gets all datagrams; UV_UDP_REUSEPORT distributes the
/// datagrams among those that share it; UV_UDP_LINUX_RECVERR reports all ICMP errors. UV_EINVAL for other flags or families, for a handle
/// that is bound, and for a socket of the other family; UV_EADDRINUSE. After an error the handle may have a socket that is not bound.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_bind(handle: *mut uv_udp_t, addr: *const sockaddr, flags: c_uint) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and an address.
    status(unsafe { udp::bind(Handle::new(&Cx::enter(), handle), addr, flags) })
}

/// Connects the handle: it sends to this address, without naming it each time, and receives from nobody else. Binds a handle that was
/// not. NULL disconnects. UV_EISCONN if it is connected, UV_ENOTCONN for NULL if it is not, UV_EINVAL for families other than IPv4 and
/// IPv6.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_connect(handle: *mut uv_udp_t, addr: *const sockaddr) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and an address or null.
    status(unsafe { udp::connect(Handle::new(&Cx::enter(), handle), addr) })
}

/// Stores the address that the handle is connected to: at most `*namelen` bytes of it, and in `*namelen` how long it is. UV_ENOTCONN if
/// it is not connected, UV_EBADF without a socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_getpeername(
    handle: *const uv_udp_t,
    name: *mut sockaddr,
    namelen: *mut c_int,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and room for `*namelen` bytes.
    status(unsafe { udp::name(Handle::new(&Cx::enter(), handle.cast_mut()), End::Peer, name, namelen) })
}

/// Stores the address that the handle is bound to, as uv_udp_getpeername. UV_EBADF without a socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_getsockname(
    handle: *const uv_udp_t,
    name: *mut sockaddr,
    namelen: *mut c_int,
) -> c_int {
    // SAFETY: as for uv_udp_getpeername.
    status(unsafe { udp::name(Handle::new(&Cx::enter(), handle.cast_mut()), End::Own, name, namelen) })
}

/// Joins or leaves a multicast group, on the interface with this address, or for IPv6 with the scope of it ("::%eth0"); NULL lets the
/// system choose. Binds a handle that was not, with UV_UDP_REUSEADDR. UV_EINVAL for what is no address or no membership, UV_ENODEV if there
/// is no such interface, UV_EADDRNOTAVAIL when leaving a group that was not joined.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_set_membership(
    handle: *mut uv_udp_t,
    multicast_addr: *const c_char,
    interface_addr: *const c_char,
    membership: uv_membership,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and strings; the interface may be null.
    status(unsafe {
        let cx = Cx::enter();
        options::set_membership(Handle::new(&cx, handle), multicast_addr, interface_addr, membership)
    })
}

/// As uv_udp_set_membership, only for what `source_addr`, of the group's family, sends to the group.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_set_source_membership(
    handle: *mut uv_udp_t,
    multicast_addr: *const c_char,
    interface_addr: *const c_char,
    source_addr: *const c_char,
    membership: uv_membership,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and strings; the interface may be null.
    status(unsafe {
        let cx = Cx::enter();
        let handle = Handle::new(&cx, handle);
        options::set_source_membership(handle, multicast_addr, interface_addr, source_addr, membership)
    })
}

/// Whether multicast datagrams also come back to sockets of this machine: 1 (the default) or 0. The handle needs a socket (UV_EBADF); so
/// for the other options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_set_multicast_loop(handle: *mut uv_udp_t, on: c_int) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    status(unsafe { options::set_multicast_loop(Handle::new(&Cx::enter(), handle), on) })
}

/// How many hops multicast datagrams may take, 1 to 255, or 0 to stay on this machine; at first 1. UV_EINVAL for others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_set_multicast_ttl(handle: *mut uv_udp_t, ttl: c_int) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    status(unsafe { options::set_multicast_ttl(Handle::new(&Cx::enter(), handle), ttl) })
}

/// Sends multicast datagrams through the interface with this address, or for IPv6 with the scope of it; NULL lets the system choose.
/// UV_EINVAL for what is no address, UV_EADDRNOTAVAIL if no interface has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_set_multicast_interface(
    handle: *mut uv_udp_t,
    interface_addr: *const c_char,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and a string or null.
    status(unsafe { options::set_multicast_interface(Handle::new(&Cx::enter(), handle), interface_addr) })
}

/// Whether datagrams may be sent to broadcast addresses: 1 or 0 (the default).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_set_broadcast(handle: *mut uv_udp_t, on: c_int) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    status(unsafe { options::set_broadcast(Handle::new(&Cx::enter(), handle), on) })
}

/// How many hops datagrams may take: 1 to 255, UV_EINVAL for others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_set_ttl(handle: *mut uv_udp_t, ttl: c_int) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    status(unsafe { options::set_ttl(Handle::new(&Cx::enter(), handle), ttl) })
}

/// Sends a datagram made of `nbufs` pieces, whose bytes must stay until the callback; the list of pieces and the address need not.
/// `send_cb`, which may be NULL, runs in a later phase with 0 or an error, in the order of sending; with UV_ECANCELED if the handle is
/// closed before. Binds a handle that was not. `addr` is NULL for a connected handle, and only then: UV_EISCONN, UV_EDESTADDRREQ.
/// UV_EINVAL for more than 2^20 pieces or none, for more than 2 GiB, and for families other than IPv4, IPv6 and Unix; UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_send(
    req: *mut uv_udp_send_t,
    handle: *mut uv_udp_t,
    bufs: *const uv_buf_t,
    nbufs: c_uint,
    addr: *const sockaddr,
    send_cb: uv_udp_send_cb,
) -> c_int {
    let datagram = Outgoing { bufs, nbufs, address: addr };
    // SAFETY: the caller gives a request, a handle, on its loop's thread, pieces, and an address or null.
    status(unsafe { send::send(Handle::new(&Cx::enter(), handle), req, datagram, send_cb) })
}

/// Sends a datagram now and returns its size in bytes. Errors as for uv_udp_send and those of the system; UV_EAGAIN if it cannot be sent
/// now or others are waiting.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_try_send(
    handle: *mut uv_udp_t,
    bufs: *const uv_buf_t,
    nbufs: c_uint,
    addr: *const sockaddr,
) -> c_int {
    let datagram = Outgoing { bufs, nbufs, address: addr };
    // SAFETY: the caller gives a handle, on its loop's thread, pieces, and an address or null.
    let sent = unsafe { send::try_send(Handle::new(&Cx::enter(), handle), datagram) };
    sent.unwrap_or_else(Errno::code)
}

/// Sends up to `count` datagrams now, the i-th made of `nbufs[i]` pieces at `bufs[i]` for `addrs[i]`, and returns how many were sent, at
/// least one, or the error of the first, as uv_udp_try_send. The handle must have a socket. `flags` is 0. UV_EINVAL if `count` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_try_send2(
    handle: *mut uv_udp_t,
    count: c_uint,
    bufs: *mut *mut uv_buf_t,
    nbufs: *mut c_uint,
    addrs: *mut *mut sockaddr,
    flags: c_uint,
) -> c_int {
    if flags != 0 {
        return UV_EINVAL;
    }
    // SAFETY: the caller gives lists of that length.
    let get = |index: usize| unsafe {
        Outgoing { bufs: *bufs.add(index), nbufs: *nbufs.add(index), address: *addrs.add(index) }
    };
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { send::try_send_many(Handle::new(&Cx::enter(), handle), count, get) }.unwrap_or_else(Errno::code)
}

/// Receives datagrams, each into a buffer from `alloc_cb`, which is asked for 64 KiB. `recv_cb` gets the size and the sender of each, with
/// UV_UDP_PARTIAL if it was larger than the buffer; the buffer is the program's again. When for now there is nothing more it gets 0 and no
/// sender, for an error the error: UV_ENOBUFS without a buffer, and what the socket says. Errors of sent datagrams come with
/// UV_UDP_LINUX_RECVERR and who reported them. Binds a handle that was not, to IPv4. UV_EALREADY if it receives, UV_EINVAL for NULL.
///
/// With UV_UDP_RECVMMSG datagrams come in pieces of one buffer, with UV_UDP_MMSG_CHUNK: they must not be freed. The buffer itself
/// comes back with UV_UDP_MMSG_FREE, 0 and no sender, or with the end of the data or an error; not after uv_udp_recv_stop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_recv_start(
    handle: *mut uv_udp_t,
    alloc_cb: uv_alloc_cb,
    recv_cb: uv_udp_recv_cb,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    status(unsafe { receive::start(Handle::new(&Cx::enter(), handle), alloc_cb, recv_cb) })
}

/// Stops receiving: the callback will not run any more. Calling it twice changes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_recv_stop(handle: *mut uv_udp_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { receive::stop(Handle::new(&Cx::enter(), handle)) };
    0
}

/// 1 if the handle was made with UV_UDP_RECVMMSG, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_using_recvmmsg(handle: *const uv_udp_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    c_int::from(unsafe { udp::uses_recvmmsg(Handle::new(&Cx::enter(), handle.cast_mut())) })
}

/// The number of bytes in requests whose callback has not run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_get_send_queue_size(handle: *const uv_udp_t) -> usize {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { Handle::new(&Cx::enter(), handle.cast_mut()).send_queue_size() }
}

/// The number of requests whose callback has not run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_udp_get_send_queue_count(handle: *const uv_udp_t) -> usize {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { Handle::new(&Cx::enter(), handle.cast_mut()).send_queue_count() }
}
