//! The requests.

use core::ffi::{c_char, c_int, c_uint, c_void};
use core::mem::ManuallyDrop;

use super::*;

/// The head of every request.
#[repr(C)]
pub struct uv_req_t {
    pub data: *mut c_void,
    pub type_: uv_req_type,
    pub reserved: [*mut c_void; 6],
}

#[repr(C)]
pub struct uv_connect_t {
    pub req: uv_req_t,
    pub cb: uv_connect_cb,
    pub handle: *mut uv_stream_t,
    pub queue: uv__queue,
}

#[repr(C)]
pub struct uv_shutdown_t {
    pub req: uv_req_t,
    pub handle: *mut uv_stream_t,
    pub cb: uv_shutdown_cb,
}

#[repr(C)]
pub struct uv_write_t {
    pub req: uv_req_t,
    pub cb: uv_write_cb,
    pub send_handle: *mut uv_stream_t,
    pub handle: *mut uv_stream_t,
    pub queue: uv__queue,
    pub write_index: c_uint,
    pub bufs: *mut uv_buf_t,
    pub nbufs: c_uint,
    pub error: c_int,
    pub bufsml: [uv_buf_t; 4],
}

#[repr(C)]
pub struct uv_udp_send_t {
    pub req: uv_req_t,
    pub handle: *mut uv_udp_t,
    pub cb: uv_udp_send_cb,
    pub queue: uv__queue,
    pub u: uv_udp_send_u,
    pub nbufs: c_uint,
    pub bufs: *mut uv_buf_t,
    pub status: libc::ssize_t,
    pub send_cb: uv_udp_send_cb,
    pub bufsml: [uv_buf_t; 4],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union uv_udp_send_u {
    pub addr: libc::sockaddr,
    pub storage: libc::sockaddr_storage,
}

#[repr(C)]
pub struct uv_fs_t {
    pub req: uv_req_t,
    pub fs_type: uv_fs_type,
    pub loop_: *mut uv_loop_t,
    pub cb: uv_fs_cb,
    pub result: libc::ssize_t,
    pub ptr: *mut c_void,
    pub path: *const c_char,
    pub statbuf: uv_stat_t,
    pub new_path: *const c_char,
    pub file: uv_file,
    pub flags: c_int,
    pub mode: libc::mode_t,
    pub nbufs: c_uint,
    pub bufs: *mut uv_buf_t,
    pub off: libc::off_t,
    pub uid: uv_uid_t,
    pub gid: uv_gid_t,
    pub atime: f64,
    pub mtime: f64,
    pub work_req: uv__work,
    pub bufsml: [uv_buf_t; 4],
}

#[repr(C)]
pub struct uv_work_t {
    pub req: uv_req_t,
    pub loop_: *mut uv_loop_t,
    pub work_cb: uv_work_cb,
    pub after_work_cb: uv_after_work_cb,
    pub work_req: uv__work,
}

#[repr(C)]
pub struct uv_getaddrinfo_t {
    pub req: uv_req_t,
    pub loop_: *mut uv_loop_t,
    pub work_req: uv__work,
    pub cb: uv_getaddrinfo_cb,
    pub hints: *mut libc::addrinfo,
    pub hostname: *mut c_char,
    pub service: *mut c_char,
    pub addrinfo: *mut libc::addrinfo,
    pub retcode: c_int,
}

/// `NI_MAXHOST`, a matter of the C library.
const MAX_HOST: usize = if cfg!(target_env = "musl") { 255 } else { 1025 };
/// `NI_MAXSERV`.
const MAX_SERVICE: usize = 32;

#[repr(C)]
pub struct uv_getnameinfo_t {
    pub req: uv_req_t,
    pub loop_: *mut uv_loop_t,
    pub work_req: uv__work,
    pub getnameinfo_cb: uv_getnameinfo_cb,
    pub storage: libc::sockaddr_storage,
    pub flags: c_int,
    pub host: [c_char; MAX_HOST],
    pub service: [c_char; MAX_SERVICE],
    pub retcode: c_int,
}

#[repr(C)]
pub struct uv_random_t {
    pub req: uv_req_t,
    pub loop_: *mut uv_loop_t,
    pub status: c_int,
    pub buf: *mut c_void,
    pub buflen: usize,
    pub cb: uv_random_cb,
    pub work_req: uv__work,
}

/// Room for any request. Requests must not be copied, so the fields are not `Copy`.
#[repr(C)]
pub union uv_any_req {
    pub req: ManuallyDrop<uv_req_t>,
    pub connect: ManuallyDrop<uv_connect_t>,
    pub write: ManuallyDrop<uv_write_t>,
    pub shutdown: ManuallyDrop<uv_shutdown_t>,
    pub udp_send: ManuallyDrop<uv_udp_send_t>,
    pub fs: ManuallyDrop<uv_fs_t>,
    pub work: ManuallyDrop<uv_work_t>,
    pub getaddrinfo: ManuallyDrop<uv_getaddrinfo_t>,
    pub getnameinfo: ManuallyDrop<uv_getnameinfo_t>,
    pub random: ManuallyDrop<uv_random_t>,
}
