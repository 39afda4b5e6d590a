//! Data of the environment, which workers inherit.

use super::status;
use crate::abi::*;
use crate::ptr::Cx;
use crate::worker::workers::env_data;
use core::ffi::{c_char, c_int};

/// Puts a value under a name, for the current environment: that of the worker whose thread this is, or the common one of all other
/// threads. A worker begins with a copy of the environment that starts it, as it is then; what either sets later the other does not see.
/// The name is copied; of `value` a reference is taken; NULL takes away what is there. Any thread. UV_EINVAL without a name, UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_env_data_set(key: *const c_char, value: *mut uvx_shared_buf_t) -> c_int {
    // SAFETY: the caller gives a string, and a shared buffer or NULL.
    status(unsafe { env_data::set(&mut Cx::enter(), key, value.cast()) })
}

/// The value under a name in the current environment, with a reference for the caller: uvx_shared_buf_unref. NULL: there is none. Any
/// thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_env_data_get(key: *const c_char) -> *mut uvx_shared_buf_t {
    // SAFETY: the caller gives a string.
    unsafe { env_data::get(key) }.cast()
}
