//! Names and addresses of hosts and services.

use super::status;
use crate::abi::*;
use crate::reqs;
use crate::sys::resolver;
use core::ffi::{c_char, c_int};
use libc::{addrinfo, sockaddr};

/// getaddrinfo(3) on the thread pool: the addresses of a host (`node`, UTF-8), of a service, or of both, for uv_freeaddrinfo(). `hints`
/// says which, and may be NULL. What goes wrong with the look-up the callback hears, usually as a UV_EAI_* code. Without a callback
/// it is done at once, the addresses are in `req->addrinfo`, and `loop` may be NULL. UV_EINVAL if there is neither `node` nor `service`, and
/// for a `node` that is empty, no UTF-8, or longer than 255 bytes in ASCII; UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_getaddrinfo(
    r#loop: *mut uv_loop_t,
    req: *mut uv_getaddrinfo_t,
    getaddrinfo_cb: uv_getaddrinfo_cb,
    node: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, memory for the request, and strings.
    status(unsafe { reqs::getaddrinfo::start(r#loop, req, getaddrinfo_cb, node, service, hints) })
}

/// Frees addresses that uv_getaddrinfo() found; NULL is fine. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_freeaddrinfo(ai: *mut addrinfo) {
    // SAFETY: the caller gives addresses that it needs no more.
    unsafe { resolver::free(ai) };
}

/// getnameinfo(3) on the thread pool: the names of a host and a service by their IPv4 or IPv6 address, or as numbers with
/// NI_NUMERICHOST and NI_NUMERICSERV in `flags`. Without a callback it is done at once, the names are in `req->host` and `req->service`,
/// and `loop` may be NULL. UV_EINVAL for NULL and other families.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_getnameinfo(
    r#loop: *mut uv_loop_t,
    req: *mut uv_getnameinfo_t,
    getnameinfo_cb: uv_getnameinfo_cb,
    addr: *const sockaddr,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, memory for the request, and an address.
    status(unsafe { reqs::getnameinfo::start(r#loop, req, getnameinfo_cb, addr, flags) })
}
