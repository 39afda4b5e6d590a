//! The debug port: what the loops, workers, pools and locks of a process are doing, told to whoever connects.

use super::status;
use crate::abi::*;
use crate::worker::debug;
use core::ffi::{c_char, c_int};

/// Opens the debug port: a thread of its own listens on a Unix socket (mode 0600) or a TCP port of 127.0.0.1, and answers each connection
/// with one JSON object about the loops, workers, pools and locks of the process, also while those are busy or stuck. It takes no commands.
/// docs/uvx/debug_port.md has the fields; the program uvx-inspect shows them. `options` may be NULL.
///
/// Without this call there is a port only if the environment says so when the first loop is made: UVX_DEBUG_SOCKET is a path ("%p" in it
/// stands for the process's number) or a port number (0: any).
///
/// Any thread. UV_EALREADY: there is a port, or it waits for its signal. UV_EADDRINUSE: somebody listens there. UV_ENAMETOOLONG, UV_EINVAL, and
/// what the system or uvx_io_thread_start says. After fork(2) the child has no port, and may open its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_debug_start(options: *const uvx_debug_options_t) -> c_int {
    // SAFETY: the caller gives options or NULL.
    status(unsafe { debug::start(options) })
}

/// Closes the debug port, or no longer waits for its signal. Waits for an answer that is being sent, a second at most. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn uvx_debug_stop() {
    debug::stop();
}

/// Where the debug port listens, as a string: a path, or "127.0.0.1:PORT". `size` is in bytes: in, the room at `buffer`; out, the length
/// without NUL, with UV_ENOBUFS what is needed with it. UV_ENOENT: it does not listen. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_debug_address(buffer: *mut c_char, size: *mut usize) -> c_int {
    // SAFETY: the caller gives a buffer of that size.
    status(unsafe { debug::address(buffer, size) })
}
