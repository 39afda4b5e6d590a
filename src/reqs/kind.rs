//! What kinds of requests there are, as one table.

use crate::abi::*;
use core::ffi::CStr;

struct Kind {
    number: uv_req_type,
    name: &'static CStr,
    size: usize,
}

const fn kind<T>(number: uv_req_type, name: &'static CStr) -> Kind {
    Kind { number, name, size: size_of::<T>() }
}

static KINDS: [Kind; 10] = [
    kind::<uv_req_t>(UV_REQ, c"req"),
    kind::<uv_connect_t>(UV_CONNECT, c"connect"),
    kind::<uv_write_t>(UV_WRITE, c"write"),
    kind::<uv_shutdown_t>(UV_SHUTDOWN, c"shutdown"),
    kind::<uv_udp_send_t>(UV_UDP_SEND, c"udp_send"),
    kind::<uv_fs_t>(UV_FS, c"fs"),
    kind::<uv_work_t>(UV_WORK, c"work"),
    kind::<uv_getaddrinfo_t>(UV_GETADDRINFO, c"getaddrinfo"),
    kind::<uv_getnameinfo_t>(UV_GETNAMEINFO, c"getnameinfo"),
    kind::<uv_random_t>(UV_RANDOM, c"random"),
];

fn find(number: uv_req_type) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.number == number)
}

/// How large the struct of this kind is.
pub fn size(number: uv_req_type) -> Option<usize> {
    find(number).map(|kind| kind.size)
}

/// The name of the struct of this kind, without `uv_` and `_t`.
pub fn name(number: uv_req_type) -> Option<&'static CStr> {
    find(number).map(|kind| kind.name)
}
