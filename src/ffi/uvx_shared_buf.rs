//! Shared buffers.

use crate::abi::errno::Errno;
use crate::abi::*;
use crate::ptr::Cx;
use crate::worker::shared_buffer::SharedBuffer;
use core::ffi::{c_int, c_void};
use core::ptr::NonNull;

/// Makes a shared buffer of `len` bytes of undefined content, at 16-byte alignment, with one reference: the caller's. Any thread.
/// UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_shared_buf_create(buf: *mut *mut uvx_shared_buf_t, len: usize) -> c_int {
    match SharedBuffer::create(len) {
        // SAFETY: the caller gives room for the result.
        Ok(buffer) => unsafe { buf.write(buffer.as_ptr().cast()) },
        Err(error) => return error.code(),
    }
    0
}

/// Makes a shared buffer of memory that is there already, with one reference: the caller's. `cb`, which may be NULL, runs when the
/// last one goes. UV_EINVAL if `base` is NULL and `len` is not 0. UV_ENOMEM; then `cb` will not run. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_shared_buf_wrap(
    buf: *mut *mut uvx_shared_buf_t,
    base: *mut c_void,
    len: usize,
    cb: uvx_free_cb,
    arg: *mut c_void,
) -> c_int {
    if base.is_null() && len > 0 {
        return Errno::EINVAL.code();
    }
    match SharedBuffer::wrap(base, len, cb, arg) {
        // SAFETY: the caller gives room for the result.
        Ok(buffer) => unsafe { buf.write(buffer.as_ptr().cast()) },
        Err(error) => return error.code(),
    }
    0
}

/// The memory; its length goes to `len` unless that is NULL. Who writes while others read has to agree with them. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_shared_buf_data(buf: *mut uvx_shared_buf_t, len: *mut usize) -> *mut c_void {
    // SAFETY: the caller has a reference.
    let (base, length) = unsafe { &*buf.cast::<SharedBuffer>() }.data();
    if !len.is_null() {
        // SAFETY: the caller gives room for the length.
        unsafe { len.write(length) };
    }
    base
}

/// One more reference. Any thread that has one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_shared_buf_ref(buf: *mut uvx_shared_buf_t) {
    // SAFETY: the caller has a reference.
    unsafe { &*buf.cast::<SharedBuffer>() }.reference();
}

/// Gives up a reference; with the last one goes the memory. NULL is fine. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_shared_buf_unref(buf: *mut uvx_shared_buf_t) {
    if let Some(buffer) = NonNull::new(buf.cast::<SharedBuffer>()) {
        // SAFETY: the caller gives up its reference.
        unsafe { SharedBuffer::unreference(&mut Cx::enter(), buffer) };
    }
}
