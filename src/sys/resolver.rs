//! Names and addresses of hosts and services, by getaddrinfo(3) and getnameinfo(3), which read files and ask servers, so they may
//! take long.

use super::last_error;
use crate::abi::errno::{Errno, Result};
use core::ffi::{c_char, c_int};
use core::ptr::null_mut;
use libc::{addrinfo, sockaddr, socklen_t};

/// The C library's numbers that the libc crate lacks for some systems.
const EAI_NODATA: c_int = -5;
const EAI_ADDRFAMILY: c_int = -9;
const EAI_CANCELED: c_int = -101;

/// The addresses of a host and a service, of which one may be null; for [`free`].
///
/// # Safety
/// Each of the three is null or leads to a value of its type.
pub unsafe fn addresses(
    host: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
) -> Result<*mut addrinfo> {
    let mut found = null_mut();
    // SAFETY: the caller's; the result fits.
    check(unsafe { libc::getaddrinfo(host, service, hints, &raw mut found) })?;
    Ok(found)
}

/// Frees what `addresses` found.
///
/// # Safety
/// `found` is null or came from there, and nobody uses it any more.
pub unsafe fn free(found: *mut addrinfo) {
    if !found.is_null() {
        // SAFETY: the caller's.
        unsafe { libc::freeaddrinfo(found) };
    }
}

/// How large a socket address of this family is; none for families that have no names.
pub fn address_size(family: c_int) -> Option<usize> {
    match family {
        libc::AF_INET => Some(size_of::<libc::sockaddr_in>()),
        libc::AF_INET6 => Some(size_of::<libc::sockaddr_in6>()),
        _ => None,
    }
}

/// The names of a host and a service, by their address.
///
/// # Safety
/// `address` is a socket address; both arrays can be written.
pub unsafe fn names<const HOST: usize, const SERVICE: usize>(
    address: *const sockaddr,
    flags: c_int,
    host: *mut [c_char; HOST],
    service: *mut [c_char; SERVICE],
) -> Result {
    // SAFETY: the caller's; an address of a family without names is refused by its size.
    unsafe {
        let size = address_size(c_int::from((*address).sa_family)).unwrap_or(0) as socklen_t;
        let (host_size, service_size) = (HOST as socklen_t, SERVICE as socklen_t);
        check(libc::getnameinfo(address, size, host.cast(), host_size, service.cast(), service_size, flags))
    }
}

/// What both functions return. `EAI_SYSTEM` says that the error is in `errno`.
fn check(result: c_int) -> Result {
    Err(match result {
        0 => return Ok(()),
        EAI_ADDRFAMILY => Errno::EAI_ADDRFAMILY,
        libc::EAI_AGAIN => Errno::EAI_AGAIN,
        libc::EAI_BADFLAGS => Errno::EAI_BADFLAGS,
        EAI_CANCELED => Errno::EAI_CANCELED,
        libc::EAI_FAMILY => Errno::EAI_FAMILY,
        libc::EAI_MEMORY => Errno::EAI_MEMORY,
        EAI_NODATA => Errno::EAI_NODATA,
        libc::EAI_NONAME => Errno::EAI_NONAME,
        libc::EAI_OVERFLOW => Errno::EAI_OVERFLOW,
        libc::EAI_SERVICE => Errno::EAI_SERVICE,
        libc::EAI_SOCKTYPE => Errno::EAI_SOCKTYPE,
        libc::EAI_SYSTEM if last_error().code() != 0 => last_error(),
        _ => Errno::EAI_FAIL,
    })
}
