//! What a descriptor is good for.

use crate::abi::*;
use crate::sys::socket;
use core::ffi::c_int;
use core::mem::MaybeUninit;

/// `uv_guess_handle`: the type of handle that fits.
pub fn guess(fd: c_int) -> uv_handle_type {
    let mut found = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: there is room for what is stored.
    if unsafe { libc::fstat(fd, found.as_mut_ptr()) } != 0 {
        return UV_UNKNOWN_HANDLE;
    }
    // SAFETY: stored by the successful call.
    match unsafe { (*found.as_ptr()).st_mode } & libc::S_IFMT {
        // SAFETY: takes any number.
        libc::S_IFCHR if unsafe { libc::isatty(fd) } == 1 => UV_TTY,
        libc::S_IFCHR | libc::S_IFREG => UV_FILE,
        libc::S_IFIFO => UV_NAMED_PIPE,
        libc::S_IFSOCK => guess_socket(fd),
        _ => UV_UNKNOWN_HANDLE,
    }
}

fn guess_socket(fd: c_int) -> uv_handle_type {
    let ask = |option| socket::option(fd, libc::SOL_SOCKET, option).unwrap_or(-1);
    match (ask(libc::SO_TYPE), ask(libc::SO_DOMAIN)) {
        (libc::SOCK_DGRAM, libc::AF_INET | libc::AF_INET6) => UV_UDP,
        (libc::SOCK_STREAM, libc::AF_INET | libc::AF_INET6) => UV_TCP,
        (libc::SOCK_STREAM, libc::AF_UNIX) => UV_NAMED_PIPE,
        _ => UV_UNKNOWN_HANDLE,
    }
}
