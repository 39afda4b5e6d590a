//! The types and constants of service threads with a loop.

use super::*;
use core::ffi::{c_char, c_int, c_uint, c_void};

/// A thread with a loop of its own that serves other threads. On the heap; what it is made of is not public.
pub struct uvx_io_thread_t {
    _private: [u8; 0],
}

/// Sets the thread up: the first to run on it. The loop is this thread's. 0 or more: it is ready, and uvx_io_thread_start returns 0. A
/// negative result is what uvx_io_thread_start returns; handles that were opened are closed then, without a callback.
pub type uvx_io_thread_init = Option<unsafe extern "C" fn(r#loop: *mut uv_loop_t, arg: *mut c_void) -> c_int>;

/// How a thread with a loop is to end.
pub type uvx_io_thread_mode = c_uint;
/// Begins nothing new, and ends when nothing keeps its loop alive any more. Calls that were posted before run.
pub const UVX_IO_THREAD_DRAIN: uvx_io_thread_mode = 1;
/// Ends now, whatever is open. Calls that were posted and have not run get UV_ECANCELED.
pub const UVX_IO_THREAD_KILL: uvx_io_thread_mode = 2;

/// The thread is to end. Runs on it, once for each mode that it is told (only for UVX_IO_THREAD_KILL if that comes before it has begun to drain), after the calls that were posted before: the place to close
/// listeners (UVX_IO_THREAD_DRAIN), or everything (UVX_IO_THREAD_KILL). What is still open at the end is closed without a callback; its
/// memory is the program's all the same.
pub type uvx_io_thread_stop_cb =
    Option<unsafe extern "C" fn(r#loop: *mut uv_loop_t, arg: *mut c_void, mode: uvx_io_thread_mode)>;

/// What can be said of a thread with a loop. Zeroed but for `size`: the defaults.
#[repr(C)]
pub struct uvx_io_thread_options_t {
    /// sizeof(uvx_io_thread_options_t).
    pub size: usize,
    /// The thread's name, copied; of which the system shows 15 bytes. NULL: "uvx-io".
    pub name: *const c_char,
    /// In bytes; 0: what the system gives (RLIMIT_STACK). Rounded up to whole pages, and to what the system and the library need at least.
    pub stack_size: usize,
    /// May be NULL.
    pub stop_cb: uvx_io_thread_stop_cb,
}
