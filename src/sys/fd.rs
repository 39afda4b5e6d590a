//! Flags of descriptors.

use super::check;
use crate::abi::errno::Result;
use core::ffi::c_int;

/// Reads and writes on `fd` never wait.
pub fn set_nonblocking(fd: c_int) -> Result<()> {
    let mut on: c_int = 1;
    // SAFETY: the argument is alive through the call.
    check(unsafe { libc::ioctl(fd, libc::FIONBIO, &raw mut on) }).map(|_| ())
}

/// A copy of `fd` that is closed on exec.
pub fn duplicate(fd: c_int) -> Result<c_int> {
    // SAFETY: no pointers.
    check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })
}

/// `UV_EBADF` if `fd` is no open descriptor.
pub fn check_open(fd: c_int) -> Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::fcntl(fd, libc::F_GETFD) }).map(|_| ())
}

/// Closes a descriptor that is the caller's to close.
pub fn close(fd: c_int) {
    // SAFETY: no pointers.
    unsafe { libc::close(fd) };
}

/// An integer option of a socket.
pub fn socket_option(fd: c_int, option: c_int) -> Result<c_int> {
    let mut value: c_int = 0;
    let mut size = size_of::<c_int>() as libc::socklen_t; // 4
    // SAFETY: both are alive through the call.
    check(unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, option, (&raw mut value).cast(), &raw mut size) })?;
    Ok(value)
}

/// Sets an integer option of a socket.
pub fn set_socket_option(fd: c_int, option: c_int, value: c_int) -> Result<()> {
    let size = size_of::<c_int>() as libc::socklen_t; // 4
    // SAFETY: the value is alive through the call.
    check(unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, option, (&raw const value).cast(), size) })
        .map(|_| ())
}
