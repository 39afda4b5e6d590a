//! TCP sockets.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::tcp::{self, KeepAlive};
use crate::ptr::{Cx, Handle};
use crate::sys::socket::End;
use core::ffi::{c_int, c_uint};
use libc::sockaddr;

/// Makes the memory at `handle` a TCP handle without a socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tcp_init(r#loop: *mut uv_loop_t, handle: *mut uv_tcp_t) -> c_int {
    // SAFETY: as for uv_tcp_init_ex.
    unsafe { uv_tcp_init_ex(r#loop, handle, libc::AF_UNSPEC.cast_unsigned()) }
}

/// uv_tcp_init with a socket of the family `flags`: AF_INET, AF_INET6, or none with AF_UNSPEC. UV_EINVAL for anything else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tcp_init_ex(
    r#loop: *mut uv_loop_t,
    handle: *mut uv_tcp_t,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, and memory for the handle.
    unsafe { status(tcp::init(&Cx::enter(), Loop::new(r#loop), handle, flags)) }
}

/// Gives the handle an existing socket, which becomes non-blocking and is closed with the handle. UV_EEXIST if the loop watches it
/// already, UV_EBUSY if the handle has another one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tcp_open(handle: *mut uv_tcp_t, sock: uv_os_sock_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(tcp::open(Handle::new(&Cx::enter(), handle), sock)) }
}

/// Sends small writes at once (TCP_NODELAY) if `enable` is nonzero. May be set before there is a socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tcp_nodelay(handle: *mut uv_tcp_t, enable: c_int) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(tcp::set_nodelay(Handle::new(&Cx::enter(), handle), enable != 0)) }
}

/// uv_tcp_keepalive_ex with 10 probes, 1 second apart.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tcp_keepalive(handle: *mut uv_tcp_t, enable: c_int, delay: c_uint) -> c_int {
    // SAFETY: as for uv_tcp_keepalive_ex.
    unsafe { uv_tcp_keepalive_ex(handle, enable, delay, 1, 10) }
}

/// If `on` is nonzero, a connection that was silent for `idle` seconds is probed every `intvl` seconds, and fails with UV_ETIMEDOUT
/// after `cnt` probes without an answer; UV_EINVAL if one of them is 0. If `on` is 0 they do not matter. May be set before
/// there is a socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tcp_keepalive_ex(
    handle: *mut uv_tcp_t,
    on: c_int,
    idle: c_uint,
    intvl: c_uint,
    cnt: c_uint,
) -> c_int {
    let times = (on != 0).then_some(KeepAlive { idle, interval: intvl, count: cnt });
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(tcp::set_keepalive(Handle::new(&Cx::enter(), handle), times)) }
}

/// A matter of other systems: does nothing, returns 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tcp_simultaneous_accepts(_handle: *mut uv_tcp_t, _enable: c_int) -> c_int {
    0
}

/// Binds the handle to an IPv4 or IPv6 address; `flags` are those of uv_tcp_flags. That the address is in use is only reported by
/// uv_listen or in the callback of uv_tcp_connect. UV_EINVAL for other addresses, closing handles, and UV_TCP_IPV6ONLY with IPv4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tcp_bind(handle: *mut uv_tcp_t, addr: *const sockaddr, flags: c_uint) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and an address.
    unsafe { status(tcp::bind(Handle::new(&Cx::enter(), handle), addr, flags)) }
}

/// Stores the handle's own address in `name` and its size in `namelen`, which says how much room there is. UV_EBADF without a socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tcp_getsockname(
    handle: *const uv_tcp_t,
    name: *mut sockaddr,
    namelen: *mut c_int,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, and room for the name.
    unsafe { status(tcp::name(Handle::new(&Cx::enter(), handle.cast_mut()), End::Own, name, namelen)) }
}

/// Stores the address of the other end, as uv_tcp_getsockname. UV_ENOTCONN if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tcp_getpeername(
    handle: *const uv_tcp_t,
    name: *mut sockaddr,
    namelen: *mut c_int,
) -> c_int {
    // SAFETY: as for uv_tcp_getsockname.
    unsafe { status(tcp::name(Handle::new(&Cx::enter(), handle.cast_mut()), End::Peer, name, namelen)) }
}

/// Sets SO_LINGER so that the connection is reset, and closes the handle as uv_close. UV_EINVAL while it is being shut down.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tcp_close_reset(handle: *mut uv_tcp_t, close_cb: uv_close_cb) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(tcp::close_reset(Handle::new(&Cx::enter(), handle), close_cb)) }
}

/// Connects to an IPv4 or IPv6 address. `cb`, which may be NULL, runs later with the outcome; until then `req` is the library's, and
/// what is written waits. UV_EALREADY while another connection is being made, UV_EINVAL for other addresses; errors that the system
/// reports at once, such as UV_ENETUNREACH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tcp_connect(
    req: *mut uv_connect_t,
    handle: *mut uv_tcp_t,
    addr: *const sockaddr,
    cb: uv_connect_cb,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread, memory for the request, and an address.
    unsafe { status(tcp::connect(req, Handle::new(&Cx::enter(), handle), addr, cb)) }
}

/// Two connected Unix sockets of `type`, closed on exec, the program's own. The end whose flags are UV_NONBLOCK_PIPE does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_socketpair(
    r#type: c_int,
    protocol: c_int,
    socket_vector: *mut uv_os_sock_t,
    flags0: c_int,
    flags1: c_int,
) -> c_int {
    let made = tcp::pair(r#type, protocol, [flags0, flags1]);
    // SAFETY: the caller gives room for two descriptors.
    status(made.map(|fds| unsafe { socket_vector.cast::<[c_int; 2]>().write(fds) }))
}
