//! Sockets: making, naming, connecting and their options. All made here are closed on exec and, but for pairs, non-blocking.

use super::{check, check_again};
use crate::abi::errno::{Errno, Result};
use core::ffi::{c_int, c_uint};
use core::mem::{MaybeUninit, offset_of};
use libc::{sockaddr, sockaddr_in, sockaddr_in6, sockaddr_un, socklen_t};

/// A new socket.
pub fn open(domain: c_int, kind: c_int, protocol: c_int) -> Result<c_int> {
    let kind = kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointers.
    check(unsafe { libc::socket(domain, kind, protocol) })
}

/// Two connected Unix sockets, closed on exec and, unless `kind` says otherwise, blocking.
pub fn pair(kind: c_int, protocol: c_int) -> Result<[c_int; 2]> {
    let mut fds = [-1; 2];
    // SAFETY: room for two descriptors.
    check(unsafe { libc::socketpair(libc::AF_UNIX, kind | libc::SOCK_CLOEXEC, protocol, fds.as_mut_ptr()) })?;
    Ok(fds)
}

/// The family of an address.
///
/// # Safety
/// `address` can be read.
pub unsafe fn family(address: *const sockaddr) -> c_int {
    // SAFETY: the caller's; programs keep addresses in buffers of bytes.
    c_int::from(unsafe { (&raw const (*address).sa_family).read_unaligned() })
}

/// The size of an address, by its family: `UV_EINVAL` for others than IPv4 and IPv6.
///
/// # Safety
/// `address` is an address that is as long as its family wants.
pub unsafe fn inet_size(address: *const sockaddr) -> Result<socklen_t> {
    // SAFETY: the caller's.
    let size = match unsafe { family(address) } {
        libc::AF_INET => size_of::<sockaddr_in>(),
        libc::AF_INET6 => size_of::<sockaddr_in6>(),
        _ => return Err(Errno::EINVAL),
    };
    socklen_t::try_from(size).map_err(|_| Errno::EINVAL)
}

/// Gives the socket its own address.
///
/// # Safety
/// `address` is `size` bytes long.
pub unsafe fn bind(fd: c_int, address: *const sockaddr, size: socklen_t) -> Result {
    // SAFETY: the caller's.
    check(unsafe { libc::bind(fd, address, size) }).map(|_| ())
}

/// How far a connection is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The socket becomes writable when it is done.
    Started,
    /// There is nothing to wait for.
    Connected,
}

/// Starts to connect.
///
/// # Safety
/// `address` is `size` bytes long.
pub unsafe fn connect(fd: c_int, address: *const sockaddr, size: socklen_t) -> Result<Progress> {
    // SAFETY: the caller's.
    match check_again(|| unsafe { libc::connect(fd, address, size) }) {
        Ok(_) => Ok(Progress::Connected),
        Err(error) if error == Errno::from_errno(libc::EINPROGRESS) => Ok(Progress::Started),
        Err(error) => Err(error),
    }
}

/// Accepts connections from now on.
pub fn listen(fd: c_int, backlog: c_int) -> Result {
    // SAFETY: no pointers.
    check(unsafe { libc::listen(fd, backlog) }).map(|_| ())
}

/// The next connection, non-blocking and closed on exec.
pub fn accept(fd: c_int) -> Result<c_int> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: the address is not asked for.
    check_again(|| unsafe { libc::accept4(fd, core::ptr::null_mut(), core::ptr::null_mut(), flags) })
}

/// Sends bytes and says how many; no signal if the other end is gone.
pub fn send(fd: c_int, bytes: &[u8]) -> Result<usize> {
    // SAFETY: the bytes are readable.
    check_again(|| unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) })
        .map(isize::cast_unsigned)
}

/// Says that nothing more will be written.
pub fn shutdown_write(fd: c_int) -> Result {
    // SAFETY: no pointers.
    check(unsafe { libc::shutdown(fd, libc::SHUT_WR) }).map(|_| ())
}

/// Which end's address is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `getsockname`
    Own,
    /// `getpeername`
    Peer,
}

/// The address of one end: stores what fits into `size` bytes, and in `size` how long the address is.
///
/// # Safety
/// `address` has room for `size` bytes.
pub unsafe fn name(fd: c_int, end: End, address: *mut sockaddr, size: &mut socklen_t) -> Result {
    // SAFETY: the caller's.
    let result = unsafe {
        match end {
            End::Own => libc::getsockname(fd, address, size),
            End::Peer => libc::getpeername(fd, address, size),
        }
    };
    check(result).map(|_| ())
}

/// As `name`, for a `size` that C keeps in an int.
///
/// # Safety
/// `size` is an int, and `address` has room for as many bytes.
pub unsafe fn name_for_c(fd: c_int, end: End, address: *mut sockaddr, size: *mut c_int) -> Result {
    // SAFETY: the caller's.
    unsafe {
        let mut length = size.read().cast_unsigned();
        name(fd, end, address, &mut length)?;
        size.write(length.cast_signed());
    }
    Ok(())
}

/// An address of a Unix socket, and its length.
pub struct UnixName {
    address: sockaddr_un,
    size: socklen_t,
}

/// Bytes before the path.
const UNIX_HEAD: usize = offset_of!(sockaddr_un, sun_path);
/// Bytes of the longest path.
pub const UNIX_PATH_MAX: usize = size_of::<sockaddr_un>() - UNIX_HEAD;

impl UnixName {
    /// The address with this name, of at most [`UNIX_PATH_MAX`] bytes. One that begins with a zero is in the abstract namespace,
    /// where every byte counts; an empty one asks the kernel to choose.
    pub fn new(name: &[u8]) -> Result<UnixName> {
        // SAFETY: all-zero is a value of the struct: integers.
        let mut address: sockaddr_un = unsafe { MaybeUninit::zeroed().assume_init() };
        address.sun_family = libc::AF_UNIX as libc::sa_family_t; // 1
        if name.len() > UNIX_PATH_MAX {
            return Err(Errno::EINVAL);
        }
        for (to, from) in address.sun_path.iter_mut().zip(name) {
            *to = from.cast_signed() as core::ffi::c_char; // the same byte, whatever the sign of a char is
        }
        let is_path = name.first().is_some_and(|first| *first != 0);
        let size = if is_path { size_of::<sockaddr_un>() } else { UNIX_HEAD + name.len() };
        Ok(UnixName { address, size: socklen_t::try_from(size).map_err(|_| Errno::EINVAL)? })
    }

    /// The name of one end of a socket.
    pub fn of(fd: c_int, end: End) -> Result<UnixName> {
        let mut found = UnixName::new(&[])?;
        found.size = size_of::<sockaddr_un>() as socklen_t; // 110
        let address = (&raw mut found.address).cast();
        // SAFETY: there is room for `size` bytes.
        unsafe { name(fd, end, address, &mut found.size)? };
        Ok(found)
    }

    /// `bind`
    pub fn bind(&self, fd: c_int) -> Result {
        // SAFETY: the address is that long.
        unsafe { bind(fd, (&raw const self.address).cast(), self.size) }
    }

    /// `connect`
    pub fn connect(&self, fd: c_int) -> Result<Progress> {
        // SAFETY: the address is that long.
        unsafe { connect(fd, (&raw const self.address).cast(), self.size) }
    }

    /// The name: a path without its final zero, all bytes of an abstract name, nothing for a socket without one.
    pub fn bytes(&self) -> &[u8] {
        let length = (self.size as usize).saturating_sub(UNIX_HEAD).min(UNIX_PATH_MAX);
        // SAFETY: `length` bytes of the array, read as what they are.
        let all = unsafe { core::slice::from_raw_parts(self.address.sun_path.as_ptr().cast::<u8>(), length) };
        match all.first() {
            None | Some(0) => all,
            Some(_) => all.split(|byte| *byte == 0).next().unwrap_or_default(),
        }
    }
}

/// An integer option.
pub fn option(fd: c_int, level: c_int, option: c_int) -> Result<c_int> {
    let mut value: c_int = 0;
    let mut size = size_of::<c_int>() as socklen_t; // 4
    // SAFETY: both are alive through the call.
    check(unsafe { libc::getsockopt(fd, level, option, (&raw mut value).cast(), &raw mut size) })?;
    Ok(value)
}

/// Sets an option; `T` is a plain C type.
pub fn set_option<T: Copy>(fd: c_int, level: c_int, option: c_int, value: T) -> Result {
    let size = socklen_t::try_from(size_of::<T>()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the value is alive through the call.
    check(unsafe { libc::setsockopt(fd, level, option, (&raw const value).cast(), size) }).map(|_| ())
}

/// The scope of the first link-local IPv6 address of this machine; 0 if there is none.
pub fn link_local_scope() -> c_uint {
    let mut first = core::ptr::null_mut();
    // SAFETY: stores a list, which is freed below.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return 0;
    }
    let (mut entry, mut scope) = (first, 0);
    // SAFETY: the list is alive until it is freed, and its addresses are as long as their families want.
    unsafe {
        while !entry.is_null() && scope == 0 {
            let address = (*entry).ifa_addr;
            if !address.is_null() && is_link_local(address) {
                scope = (*address.cast::<sockaddr_in6>()).sin6_scope_id;
            }
            entry = (*entry).ifa_next;
        }
        libc::freeifaddrs(first);
    }
    scope
}

/// Whether it is an IPv6 address of the network `fe80::/16`.
///
/// # Safety
/// `address` is an address that is as long as its family wants.
pub unsafe fn is_link_local(address: *const sockaddr) -> bool {
    // SAFETY: the caller's.
    unsafe {
        family(address) == libc::AF_INET6
            && (&raw const (*address.cast::<sockaddr_in6>()).sin6_addr.s6_addr)
                .read_unaligned()
                .starts_with(&[0xFE, 0x80])
    }
}
