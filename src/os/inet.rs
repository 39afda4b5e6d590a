//! Internet addresses as text and as bytes: inet_pton(3) and inet_ntop(3), with the same texts.
//!
//! Differences from the reference: an address with a zone (`fe80::1%eth0`) is never cut to fit before it is read, so a text that is too
//! long is an error; a null pointer for an IPv6 text is `UV_EINVAL` instead of a crash.

use crate::abi::errno::{Errno, Result};
use crate::ds::text::Text;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::fmt::{self, Display, Write};
use core::net::{Ipv4Addr, Ipv6Addr};
use core::ptr::copy_nonoverlapping;
use core::str::FromStr;

/// The longest text of an address, with its NUL.
const LONGEST: usize = 46;

/// Reads an address of the family `AF_INET` (four bytes) or `AF_INET6` (sixteen, a zone is ignored) into `bytes`.
/// `UV_EAFNOSUPPORT` for other families, `UV_EINVAL` for null pointers and what is no address.
///
/// # Safety
/// `text` is null or a string, `bytes` is null or can take the address.
pub unsafe fn parse(family: c_int, text: *const c_char, bytes: *mut c_void) -> Result<()> {
    if text.is_null() || bytes.is_null() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: it is a string.
    let text = unsafe { CStr::from_ptr(text) }.to_bytes();
    match family {
        libc::AF_INET => {
            let address: Ipv4Addr = parsed(text)?;
            // SAFETY: the caller has room for the four bytes.
            unsafe { bytes.cast::<[u8; 4]>().write(address.octets()) };
        }
        libc::AF_INET6 => {
            let address: Ipv6Addr = parsed(without_zone(text))?;
            // SAFETY: the caller has room for the sixteen bytes.
            unsafe { bytes.cast::<[u8; 16]>().write(address.octets()) };
        }
        _ => return Err(Errno::EAFNOSUPPORT),
    }
    Ok(())
}

fn parsed<A: FromStr>(text: &[u8]) -> Result<A> {
    let text = core::str::from_utf8(text).map_err(|_| Errno::EINVAL)?;
    text.parse().map_err(|_| Errno::EINVAL)
}

fn without_zone(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == b'%').next().unwrap_or(text)
}

/// Writes an address of the family `AF_INET` or `AF_INET6` as text; `UV_ENOSPC`, and nothing written, if it does not fit into
/// `size` bytes with its NUL. `UV_EAFNOSUPPORT` for other families.
///
/// # Safety
/// `bytes` is an address of that family, and `size` bytes can be written at `text`.
pub unsafe fn print(family: c_int, bytes: *const c_void, text: *mut c_char, size: usize) -> Result<()> {
    let mut printed = Text::<LONGEST>::default();
    let done = match family {
        libc::AF_INET => {
            // SAFETY: the caller's; bytes have no alignment.
            let octets = unsafe { bytes.cast::<[u8; 4]>().read() };
            write!(printed, "{}", Ipv4Addr::from(octets))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let octets = unsafe { bytes.cast::<[u8; 16]>().read() };
            write!(printed, "{}", Inet6(Ipv6Addr::from(octets)))
        }
        _ => return Err(Errno::EAFNOSUPPORT),
    };
    let printed = printed.as_c_str().to_bytes_with_nul();
    if done.is_err() || printed.len() > size {
        return Err(Errno::ENOSPC);
    }
    // SAFETY: the text with its NUL is at most `size` bytes.
    unsafe { copy_nonoverlapping(printed.as_ptr().cast(), text, printed.len()) };
    Ok(())
}

/// Prints like inet_ntop: what Rust prints, but that an address of six zero words and something shows that as IPv4.
struct Inet6(Ipv6Addr);

impl Display for Inet6 {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self.0.segments() {
            [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
                let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
                write!(out, "::{a}.{b}.{c}.{d}")
            }
            _ => write!(out, "{}", self.0),
        }
    }
}

/// Fills in a socket address from a text; the family, the port and zeros even if the text is no address.
///
/// # Safety
/// `text` is null or a string, `address` can be written.
pub unsafe fn to_sockaddr_in(
    text: *const c_char,
    port: c_int,
    address: *mut libc::sockaddr_in,
) -> Result<()> {
    // SAFETY: the caller lets the address be written, and all zeros is a valid one.
    unsafe {
        address.write_bytes(0, 1);
        (*address).sin_family = libc::AF_INET as libc::sa_family_t;
        (*address).sin_port = (port as u16).to_be();
        parse(libc::AF_INET, text, (&raw mut (*address).sin_addr).cast())
    }
}

/// Fills in a socket address from a text, like `to_sockaddr_in`. What follows a `%` names an interface, whose number becomes the
/// scope; a name that is none becomes 0.
///
/// # Safety
/// As for `to_sockaddr_in`.
pub unsafe fn to_sockaddr_in6(
    text: *const c_char,
    port: c_int,
    address: *mut libc::sockaddr_in6,
) -> Result<()> {
    // SAFETY: the caller lets the address be written, and all zeros is a valid one. strchr stays in the string.
    unsafe {
        address.write_bytes(0, 1);
        (*address).sin6_family = libc::AF_INET6 as libc::sa_family_t;
        (*address).sin6_port = (port as u16).to_be();
        if !text.is_null() {
            let zone = libc::strchr(text, c_int::from(b'%'));
            if !zone.is_null() {
                (*address).sin6_scope_id = libc::if_nametoindex(zone.add(1));
            }
        }
        parse(libc::AF_INET6, text, (&raw mut (*address).sin6_addr).cast())
    }
}

/// Prints the address in a socket address, without port and scope. Errors as for `print`.
///
/// # Safety
/// `address` is a socket address as long as its family says, and `size` bytes can be written at `text`.
pub unsafe fn print_sockaddr(address: *const libc::sockaddr, text: *mut c_char, size: usize) -> Result<()> {
    // SAFETY: the family says which of the two it is.
    unsafe {
        let family = c_int::from((*address).sa_family);
        let bytes: *const c_void = match family {
            libc::AF_INET => (&raw const (*address.cast::<libc::sockaddr_in>()).sin_addr).cast(),
            libc::AF_INET6 => (&raw const (*address.cast::<libc::sockaddr_in6>()).sin6_addr).cast(),
            _ => return Err(Errno::EAFNOSUPPORT),
        };
        print(family, bytes, text, size)
    }
}
