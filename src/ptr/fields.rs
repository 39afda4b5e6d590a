//! Getters and setters for the fields of C structs: one place, one shape, whole-struct provenance.

use super::Handle;
use crate::abi::*;
use core::ffi::{c_int, c_uint, c_void};

/// Types that begin with the base of all handles.
///
/// # Safety
/// `Self` begins with a `uv_handle_t` and is what a handle with `TYPE` in its type field is.
pub unsafe trait HandleType {
    /// The value of the type field.
    const TYPE: uv_handle_type;
}

/// Types that begin with the base of all requests.
///
/// # Safety
/// `Self` begins with a `uv_req_t`.
pub unsafe trait Request {
    /// The value of the type field.
    const TYPE: uv_req_type;
}

macro_rules! handle_types {
    ($($type:ty = $value:expr;)*) => {$(
        // SAFETY: the layout checks of `abi` compare the offsets of the base fields of each of them.
        unsafe impl HandleType for $type {
            const TYPE: uv_handle_type = $value;
        }
    )*};
}

handle_types! {
    uv_handle_t = UV_HANDLE;
    uv_async_t = UV_ASYNC;
    uv_check_t = UV_CHECK;
    uv_idle_t = UV_IDLE;
    uv_poll_t = UV_POLL;
    uv_prepare_t = UV_PREPARE;
    uv_signal_t = UV_SIGNAL;
    uv_timer_t = UV_TIMER;
}

// SAFETY: the layout checks of `abi` compare the offsets of the base fields.
unsafe impl Request for uv_work_t {
    const TYPE: uv_req_type = UV_WORK;
}

/// `fields!([Receiver] { getter, setter: path => type; ... })` for receivers that have `as_ptr()`.
#[macro_export]
#[doc(hidden)]
macro_rules! fields {
    ([$($receiver:tt)+] { $($get:ident, $set:ident: $($path:ident).+ => $value:ty;)* }) => {
        #[allow(missing_docs, dead_code)]
        #[allow(clippy::not_unsafe_ptr_arg_deref)] // pointers are stored, not followed
        impl $($receiver)+ {$(
            #[inline]
            pub fn $get(self) -> $value {
                // SAFETY: the view is valid for reads of its struct, by the contract of its constructor.
                unsafe { (&raw const (*self.as_ptr()).$($path).+).read() }
            }
            #[inline]
            pub fn $set(self, value: $value) {
                // SAFETY: the view is valid for writes of its struct, by the contract of its constructor.
                unsafe { (&raw mut (*self.as_ptr()).$($path).+).write(value) }
            }
        )*}
    };
}

/// What all handles have.
impl<'cx, T: HandleType> Handle<'cx, T> {
    /// The handle as its base.
    pub fn base(self) -> Handle<'cx, uv_handle_t> {
        // SAFETY: what `HandleType` promises.
        unsafe { self.cast() }
    }

    /// Whether all bits of `mask` are set in the handle's flags.
    pub fn has(self, mask: c_uint) -> bool {
        self.base().flags() & mask == mask
    }

    /// Sets bits of the flags.
    pub fn set(self, mask: c_uint) {
        self.base().set_flags(self.base().flags() | mask);
    }

    /// Clears bits of the flags.
    pub fn clear(self, mask: c_uint) {
        self.base().set_flags(self.base().flags() & !mask);
    }

    /// Active: started, or waiting for something.
    pub fn is_active(self) -> bool {
        self.has(UV_HANDLE_ACTIVE)
    }

    /// `uv_close` was called.
    pub fn is_closing(self) -> bool {
        self.base().flags() & (UV_HANDLE_CLOSING | UV_HANDLE_CLOSED) != 0
    }
}

fields!([Handle<'_, uv_handle_t>] {
    data, set_data: data => *mut c_void;
    loop_ptr, set_loop_ptr: loop_ => *mut uv_loop_t;
    handle_type, set_handle_type: type_ => uv_handle_type;
    close_cb, set_close_cb: close_cb => uv_close_cb;
    next_closing, set_next_closing: next_closing => *mut uv_handle_t;
    flags, set_flags: flags => c_uint;
});

fields!([Handle<'_, uv_timer_t>] {
    timer_cb, set_timer_cb: timer_cb => uv_timer_cb;
    timeout, set_timeout: timeout => u64;
    repeat, set_repeat: repeat => u64;
    start_id, set_start_id: start_id => u64;
});

fields!([Handle<'_, uv_async_t>] {
    async_cb, set_async_cb: async_cb => uv_async_cb;
});

fields!([Handle<'_, uv_prepare_t>] {
    prepare_cb, set_prepare_cb: prepare_cb => uv_prepare_cb;
});

fields!([Handle<'_, uv_check_t>] {
    check_cb, set_check_cb: check_cb => uv_check_cb;
});

fields!([Handle<'_, uv_idle_t>] {
    idle_cb, set_idle_cb: idle_cb => uv_idle_cb;
});

fields!([Handle<'_, uv_poll_t>] {
    poll_cb, set_poll_cb: poll_cb => uv_poll_cb;
    fd, set_fd: io_watcher.fd => c_int;
});

fields!([Handle<'_, uv_signal_t>] {
    signal_cb, set_signal_cb: signal_cb => uv_signal_cb;
    signum, set_signum: signum => c_int;
});
