//! Options of the socket: multicast groups and interfaces, hop limits, broadcast.
//!
//! Deliberate differences from the reference: which family the socket has is asked of the kernel, so that options reach IPv6 sockets also
//! if they were opened, or made without being bound; what is wrong with the arguments is found before the handle is bound.

use super::{bind_for, fail_unless_open};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::os::inet;
use crate::ptr::Handle;
use crate::sys::socket::{option, set_option};
use core::ffi::{c_char, c_int, c_uint};
use libc::{in_addr, sockaddr_in, sockaddr_in6};

/// An address of a group, of an interface or of a sender.
enum Address {
    V4(sockaddr_in),
    V6(sockaddr_in6),
}

impl Address {
    /// # Safety
    /// `text` is null or a string.
    unsafe fn parse(text: *const c_char) -> Result<Address> {
        // SAFETY: the caller's.
        unsafe { parse_v4(text).map(Address::V4).or_else(|_| parse_v6(text).map(Address::V6)) }
    }
}

/// `uv_udp_set_membership`: joins or leaves a group; binds a handle that was not, letting others use the same address. `UV_EINVAL` for
/// what is no address, and for an interface of the other family; else what the system says.
///
/// # Safety
/// The texts are strings; the interface may be null, which lets the system choose.
pub unsafe fn set_membership(
    handle: Handle<'_, uv_udp_t>,
    group: *const c_char,
    interface: *const c_char,
    membership: uv_membership,
) -> Result {
    fail_unless_open(handle)?;
    // SAFETY: the caller's.
    match unsafe { Address::parse(group)? } {
        Address::V4(group) => {
            let option = join_or_leave(membership, libc::IP_ADD_MEMBERSHIP, libc::IP_DROP_MEMBERSHIP)?;
            // SAFETY: the caller's.
            let imr_interface = unsafe { interface_v4(interface)? };
            bind_for(handle, libc::AF_INET, UV_UDP_REUSEADDR)?;
            let request = libc::ip_mreq { imr_multiaddr: group.sin_addr, imr_interface };
            set_option(handle.fd(), libc::IPPROTO_IP, option, request)
        }
        Address::V6(group) => {
            let option = join_or_leave(membership, libc::IPV6_ADD_MEMBERSHIP, libc::IPV6_DROP_MEMBERSHIP)?;
            // SAFETY: the caller's.
            let ipv6mr_interface = unsafe { interface_v6(interface)? };
            bind_for(handle, libc::AF_INET6, UV_UDP_REUSEADDR)?;
            let request = libc::ipv6_mreq { ipv6mr_multiaddr: group.sin6_addr, ipv6mr_interface };
            set_option(handle.fd(), libc::IPPROTO_IPV6, option, request)
        }
    }
}

/// `uv_udp_set_source_membership`: as `set_membership`, for what one sender, an address of the group's family, sends to the group.
///
/// # Safety
/// As for `set_membership`.
pub unsafe fn set_source_membership(
    handle: Handle<'_, uv_udp_t>,
    group: *const c_char,
    interface: *const c_char,
    source: *const c_char,
    membership: uv_membership,
) -> Result {
    fail_unless_open(handle)?;
    // SAFETY: the caller's.
    match unsafe { Address::parse(group)? } {
        Address::V4(group) => {
            let (join, leave) = (libc::IP_ADD_SOURCE_MEMBERSHIP, libc::IP_DROP_SOURCE_MEMBERSHIP);
            let option = join_or_leave(membership, join, leave)?;
            // SAFETY: the caller's.
            let (imr_interface, source) = unsafe { (interface_v4(interface)?, parse_v4(source)?) };
            bind_for(handle, libc::AF_INET, UV_UDP_REUSEADDR)?;
            let request = libc::ip_mreq_source {
                imr_multiaddr: group.sin_addr,
                imr_interface,
                imr_sourceaddr: source.sin_addr,
            };
            set_option(handle.fd(), libc::IPPROTO_IP, option, request)
        }
        Address::V6(group) => {
            let (join, leave) = (libc::MCAST_JOIN_SOURCE_GROUP, libc::MCAST_LEAVE_SOURCE_GROUP);
            let option = join_or_leave(membership, join, leave)?;
            // SAFETY: the caller's.
            let (interface, source) = unsafe { (interface_v6(interface)?, parse_v6(source)?) };
            bind_for(handle, libc::AF_INET6, UV_UDP_REUSEADDR)?;
            // SAFETY: all-zero is a value of it, and its addresses have room for any family.
            let request = unsafe {
                let mut request = core::mem::zeroed::<libc::group_source_req>();
                request.gsr_interface = interface;
                (&raw mut request.gsr_group).cast::<sockaddr_in6>().write(group);
                (&raw mut request.gsr_source).cast::<sockaddr_in6>().write(source);
                request
            };
            set_option(handle.fd(), libc::IPPROTO_IPV6, option, request)
        }
    }
}

/// `uv_udp_set_multicast_interface`: by the address of the interface; null lets the system choose. `UV_EINVAL` for what is no address.
///
/// # Safety
/// `interface` is null or a string.
pub unsafe fn set_multicast_interface(handle: Handle<'_, uv_udp_t>, interface: *const c_char) -> Result {
    let fd = handle.fd();
    let scope = if interface.is_null() {
        if is_inet6(fd)? { Some(0) } else { None }
    } else {
        // SAFETY: the caller's.
        match unsafe { Address::parse(interface)? } {
            Address::V4(_) => None,
            Address::V6(address) => Some(address.sin6_scope_id),
        }
    };
    if let Some(scope) = scope {
        return set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_IF, scope);
    }
    // SAFETY: the caller's.
    set_option(fd, libc::IPPROTO_IP, libc::IP_MULTICAST_IF, unsafe { interface_v4(interface)? })
}

/// `uv_udp_set_multicast_loop`: `UV_EINVAL` for what does not fit into a byte.
pub fn set_multicast_loop(handle: Handle<'_, uv_udp_t>, on: c_int) -> Result {
    set_byte(handle, libc::IP_MULTICAST_LOOP, libc::IPV6_MULTICAST_LOOP, 0, on)
}

/// `uv_udp_set_multicast_ttl`: `UV_EINVAL` for what does not fit into a byte. (The documentation asks for at least 1, but 0 is of use: the
/// datagram does not leave the machine.)
pub fn set_multicast_ttl(handle: Handle<'_, uv_udp_t>, ttl: c_int) -> Result {
    set_byte(handle, libc::IP_MULTICAST_TTL, libc::IPV6_MULTICAST_HOPS, 0, ttl)
}

/// `uv_udp_set_ttl`: `UV_EINVAL` unless it is 1 to 255.
pub fn set_ttl(handle: Handle<'_, uv_udp_t>, ttl: c_int) -> Result {
    set_byte(handle, libc::IP_TTL, libc::IPV6_UNICAST_HOPS, 1, ttl)
}

/// `uv_udp_set_broadcast`.
pub fn set_broadcast(handle: Handle<'_, uv_udp_t>, on: c_int) -> Result {
    set_option(handle.fd(), libc::SOL_SOCKET, libc::SO_BROADCAST, on)
}

fn set_byte(handle: Handle<'_, uv_udp_t>, v4: c_int, v6: c_int, least: c_int, value: c_int) -> Result {
    if value < least || value > 255 {
        return Err(Errno::EINVAL);
    }
    let fd = handle.fd();
    let (level, option) = if is_inet6(fd)? { (libc::IPPROTO_IPV6, v6) } else { (libc::IPPROTO_IP, v4) };
    set_option(fd, level, option, value)
}

fn is_inet6(fd: c_int) -> Result<bool> {
    Ok(option(fd, libc::SOL_SOCKET, libc::SO_DOMAIN)? == libc::AF_INET6)
}

fn join_or_leave(membership: uv_membership, join: c_int, leave: c_int) -> Result<c_int> {
    match membership {
        UV_JOIN_GROUP => Ok(join),
        UV_LEAVE_GROUP => Ok(leave),
        _ => Err(Errno::EINVAL),
    }
}

/// # Safety
/// `text` is null, for any interface, or a string.
unsafe fn interface_v4(text: *const c_char) -> Result<in_addr> {
    if text.is_null() {
        return Ok(in_addr { s_addr: libc::INADDR_ANY });
    }
    // SAFETY: the caller's.
    unsafe { parse_v4(text) }.map(|address| address.sin_addr)
}

/// # Safety
/// `text` is null, for any interface, or a string.
unsafe fn interface_v6(text: *const c_char) -> Result<c_uint> {
    if text.is_null() {
        return Ok(0);
    }
    // SAFETY: the caller's.
    unsafe { parse_v6(text) }.map(|address| address.sin6_scope_id)
}

/// # Safety
/// `text` is null or a string.
unsafe fn parse_v4(text: *const c_char) -> Result<sockaddr_in> {
    // SAFETY: all-zero is an address; the rest is the caller's.
    unsafe {
        let mut address = core::mem::zeroed();
        inet::to_sockaddr_in(text, 0, &raw mut address)?;
        Ok(address)
    }
}

/// # Safety
/// `text` is null or a string.
unsafe fn parse_v6(text: *const c_char) -> Result<sockaddr_in6> {
    // SAFETY: as above.
    unsafe {
        let mut address = core::mem::zeroed();
        inet::to_sockaddr_in6(text, 0, &raw mut address)?;
        Ok(address)
    }
}
