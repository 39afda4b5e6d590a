//! What all requests have in common.

use crate::abi::{uv_req_t, uv_req_type};
use crate::reqs::kind;
use core::ffi::{c_char, c_void};
use core::ptr::null;

/// The size in bytes of a request of this type, for those who cannot see the structs; (size_t) -1 if there is no such type.
#[unsafe(no_mangle)]
pub extern "C" fn uv_req_size(r#type: uv_req_type) -> usize {
    kind::size(r#type).unwrap_or(usize::MAX)
}

/// The name of a request type's struct without `uv_` and `_t`: "connect" for UV_CONNECT. Static; NULL if there is no such type.
#[unsafe(no_mangle)]
pub extern "C" fn uv_req_type_name(r#type: uv_req_type) -> *const c_char {
    kind::name(r#type).map_or(null(), |name| name.as_ptr())
}

/// `req->data`, which is the program's alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_req_get_data(req: *const uv_req_t) -> *mut c_void {
    // SAFETY: the caller gives a request.
    unsafe { (*req).data }
}

/// Sets `req->data`. May be done at any time, also before the request is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_req_set_data(req: *mut uv_req_t, data: *mut c_void) {
    // SAFETY: the caller gives a request's memory.
    unsafe { (*req).data = data };
}

/// `req->type`, set when the request is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_req_get_type(req: *const uv_req_t) -> uv_req_type {
    // SAFETY: the caller gives a request that has been used.
    unsafe { (*req).type_ }
}
