//! `uv_tcp_t`: TCP sockets, connected or listening. Belongs to its loop's thread.
//!
//! Unlike the reference, keep-alive times set before there is a socket are kept for it, and wrong ones are refused then too.

use super::stream::connect;
use super::stream::{self, BOUND};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::ptr::{Cx, Handle};
use crate::sys::fd;
use crate::sys::socket::{self, End, Progress};
use core::ffi::{c_int, c_uint};
use libc::{sockaddr, sockaddr_in6};

// Bits of the flags that only TCP handles use: options for a socket that is still to come.
const NODELAY: c_uint = 0x100_0000;
const KEEPALIVE: c_uint = 0x200_0000;

/// Both directions.
const DUPLEX: c_uint = UV_HANDLE_READABLE | UV_HANDLE_WRITABLE;

/// `uv_tcp_init_ex`: the lower eight bits of `flags` are an address family for which a socket is made at once.
///
/// # Safety
/// `raw` is writable memory for a TCP handle that is not in use.
pub unsafe fn init(cx: &Cx, lp: Loop, raw: *mut uv_tcp_t, flags: c_uint) -> Result {
    let domain = flags.cast_signed();
    let fd = match domain {
        libc::AF_UNSPEC => -1,
        libc::AF_INET | libc::AF_INET6 => socket::open(domain, libc::SOCK_STREAM, 0)?,
        _ => return Err(Errno::EINVAL),
    };
    // SAFETY: the caller's.
    unsafe { stream::init(cx, lp, raw) }.stream().set_fd(fd);
    Ok(())
}

/// Makes sure that there is a socket, and adds `flags`.
fn ensure_socket(handle: Handle<'_, uv_tcp_t>, domain: c_int, flags: c_uint) -> Result {
    if handle.stream().fd() != -1 {
        handle.set(flags);
        return Ok(());
    }
    let fd = socket::open(domain, libc::SOCK_STREAM, 0)?;
    stream::open(handle.stream(), fd, flags).inspect_err(|_| fd::close(fd))
}

/// `uv_tcp_open`: `UV_EEXIST` if the loop watches the socket already.
pub fn open(handle: Handle<'_, uv_tcp_t>, fd: c_int) -> Result {
    if handle.owner().is_watched(fd) {
        return Err(Errno::EEXIST);
    }
    fd::set_nonblocking(fd)?;
    stream::open(handle.stream(), fd, DUPLEX)
}

/// `uv_tcp_bind`. That the address is in use is only reported when the handle listens or connects.
///
/// # Safety
/// `address` is an address that is as long as its family wants.
pub unsafe fn bind(handle: Handle<'_, uv_tcp_t>, address: *const sockaddr, flags: c_uint) -> Result {
    if handle.base().handle_type() != UV_TCP || handle.is_closing() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's.
    let (size, domain) = unsafe { (socket::inet_size(address)?, socket::family(address)) };
    if flags & UV_TCP_IPV6ONLY != 0 && domain != libc::AF_INET6 {
        return Err(Errno::EINVAL);
    }
    ensure_socket(handle, domain, 0)?;
    let fd = handle.stream().fd();
    socket::set_option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    if flags & UV_TCP_REUSEPORT != 0 {
        socket::set_option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
    }
    if domain == libc::AF_INET6 {
        let only = c_int::from(flags & UV_TCP_IPV6ONLY != 0);
        socket::set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, only)?;
    }
    // SAFETY: the caller's.
    let delayed = match unsafe { socket::bind(fd, address, size) } {
        Ok(()) => 0,
        Err(Errno::EADDRINUSE) => UV_EADDRINUSE,
        Err(Errno::EAFNOSUPPORT) => return Err(Errno::EINVAL), // not the socket's family
        Err(error) => return Err(error),
    };
    handle.stream().set_delayed_error(delayed);
    handle.set(BOUND);
    Ok(())
}

/// `uv_listen`, up to the call that all streams share.
pub fn prepare_listening(handle: Handle<'_, uv_tcp_t>) -> Result {
    delayed_error(handle)?;
    ensure_socket(handle, libc::AF_INET, 0)?;
    handle.set(BOUND);
    Ok(())
}

/// What `bind` did not report.
fn delayed_error(handle: Handle<'_, uv_tcp_t>) -> Result {
    match handle.stream().delayed_error() {
        0 => Ok(()),
        code => Err(Errno::from_errno(code.wrapping_neg())),
    }
}

/// `uv_tcp_connect`: `UV_EALREADY` while another connection is being made. A refused connection, and an address that `bind` could not
/// have, go to the callback; other errors that are known at once are returned.
///
/// # Safety
/// `req` is writable memory for a request that is not in use, and stays so until its callback ran; `address` is an address that
/// is as long as its family wants.
pub unsafe fn connect(
    req: *mut uv_connect_t,
    handle: Handle<'_, uv_tcp_t>,
    address: *const sockaddr,
    cb: uv_connect_cb,
) -> Result {
    if handle.base().handle_type() != UV_TCP || handle.is_closing() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's.
    let size = unsafe { socket::inet_size(address)? };
    if !handle.stream().connect_req().is_null() {
        return Err(Errno::EALREADY);
    }
    let progress = match delayed_error(handle) {
        Err(error) => Err(error),
        // SAFETY: the caller's.
        Ok(()) => match unsafe { start_connecting(handle, address, size) } {
            Ok(progress) => Ok(progress),
            Err(Errno::ECONNREFUSED) => Err(Errno::ECONNREFUSED),
            Err(error) => return Err(error),
        },
    };
    // SAFETY: the caller's.
    unsafe { connect::begin(req, handle.stream(), progress, cb) };
    Ok(())
}

/// # Safety
/// As for `connect`.
unsafe fn start_connecting(
    handle: Handle<'_, uv_tcp_t>,
    address: *const sockaddr,
    size: libc::socklen_t,
) -> Result<Progress> {
    // SAFETY: the caller's.
    ensure_socket(handle, unsafe { socket::family(address) }, DUPLEX)?;
    let fd = handle.stream().fd();
    // SAFETY: as above.
    unsafe {
        if socket::is_link_local(address) {
            let mut scoped = address.cast::<sockaddr_in6>().read_unaligned();
            if scoped.sin6_scope_id == 0 {
                scoped.sin6_scope_id = socket::link_local_scope();
            }
            socket::connect(fd, (&raw const scoped).cast(), size)
        } else {
            socket::connect(fd, address, size)
        }
    }
}

/// `uv_tcp_getsockname` and `uv_tcp_getpeername`.
///
/// # Safety
/// `size` is an int, and `address` has room for as many bytes.
pub unsafe fn name(
    handle: Handle<'_, uv_tcp_t>,
    end: End,
    address: *mut sockaddr,
    size: *mut c_int,
) -> Result {
    delayed_error(handle)?;
    let fd = super::descriptor(handle.base())?;
    // SAFETY: the caller's.
    unsafe { socket::name_for_c(fd, end, address, size) }
}

/// `uv_tcp_nodelay`: for the socket, or for the one to come.
pub fn set_nodelay(handle: Handle<'_, uv_tcp_t>, on: bool) -> Result {
    let fd = handle.stream().fd();
    if fd != -1 {
        socket::set_option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, c_int::from(on))?;
    }
    if on {
        handle.set(NODELAY)
    } else {
        handle.clear(NODELAY)
    }
    Ok(())
}

/// When to ask whether the peer is still there.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct KeepAlive {
    /// Seconds of silence before the first probe.
    pub idle: c_uint,
    /// Seconds between probes.
    pub interval: c_uint,
    /// Unanswered probes until the connection is given up.
    pub count: c_uint,
}

impl KeepAlive {
    fn apply(self, fd: c_int) -> Result {
        socket::set_option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1)?;
        socket::set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, self.idle)?;
        socket::set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, self.interval)?;
        socket::set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPCNT, self.count)
    }
}

/// `uv_tcp_keepalive_ex`: for the socket, or for the one to come; None turns it off.
pub fn set_keepalive(handle: Handle<'_, uv_tcp_t>, times: Option<KeepAlive>) -> Result {
    let fd = handle.stream().fd();
    let Some(times) = times else {
        if fd != -1 {
            socket::set_option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 0)?;
        }
        handle.clear(KEEPALIVE);
        return Ok(());
    };
    if times.idle < 1 || times.interval < 1 || times.count < 1 {
        return Err(Errno::EINVAL);
    }
    if fd != -1 {
        times.apply(fd)?;
    }
    // SAFETY: a field of the live handle.
    unsafe { kept_times(handle).write(times) };
    handle.set(KEEPALIVE);
    Ok(())
}

/// Where the times wait for a socket: words of the handle that nothing else uses.
fn kept_times(handle: Handle<'_, uv_tcp_t>) -> *mut KeepAlive {
    const { assert!(size_of::<KeepAlive>() <= size_of::<uv_handle_u>()) };
    // SAFETY: a projection inside the live handle.
    unsafe { (&raw mut (*handle.base().as_ptr()).u).cast() }
}

/// Gives a socket the options that were set before it was there.
pub fn apply_options(handle: Handle<'_, uv_tcp_t>, fd: c_int) -> Result {
    if handle.has(NODELAY) {
        socket::set_option::<c_int>(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)?;
    }
    if handle.has(KEEPALIVE) {
        // SAFETY: written when the flag was set.
        unsafe { kept_times(handle).read() }.apply(fd)?;
    }
    Ok(())
}

/// `uv_tcp_close_reset`: `UV_EINVAL` while the write side is being shut down.
pub fn close_reset(handle: Handle<'_, uv_tcp_t>, close_cb: uv_close_cb) -> Result {
    if !handle.stream().shutdown_req().is_null() {
        return Err(Errno::EINVAL);
    }
    let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
    socket::set_option(handle.stream().fd(), libc::SOL_SOCKET, libc::SO_LINGER, at_once)?;
    super::close(handle.base(), close_cb);
    Ok(())
}

/// `uv_socketpair`: non-blocking where the flags of an end say `UV_NONBLOCK_PIPE`.
pub fn pair(kind: c_int, protocol: c_int, flags: [c_int; 2]) -> Result<[c_int; 2]> {
    let fds = socket::pair(kind, protocol)?;
    fd::set_nonblocking_where(fds, flags.map(|flags| flags.cast_unsigned() & UV_NONBLOCK_PIPE != 0))
}
