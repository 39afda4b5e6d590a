//! The types of the debug port.

use core::ffi::{c_char, c_int};

/// Where and when the debug port is to listen. Zeroed but for `size`: now, on a Unix socket in the usual place.
#[repr(C)]
pub struct uvx_debug_options_t {
    /// sizeof(uvx_debug_options_t).
    pub size: usize,
    /// The path of the Unix socket, copied; "%p" in it stands for the process's number. NULL: "uvx-debug." and the process's number in
    /// XDG_RUNTIME_DIR or, without that, in /tmp, where uvx-inspect looks for it. Not with `port`.
    pub path: *const c_char,
    /// Above 0: this TCP port of 127.0.0.1 instead, to which every user of the machine has access; -1: any that is free.
    pub port: c_int,
    /// Not 0: does nothing yet, but listens when this signal comes (as uvx_sigwake_install says).
    pub signum: c_int,
}
