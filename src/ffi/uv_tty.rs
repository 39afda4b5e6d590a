//! Terminals.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::tty;
use crate::ptr::{Cx, Handle};
use core::ffi::c_int;

/// Makes the memory at `handle` a stream for the terminal behind `fd`, readable and writable as `fd` is. The terminal is opened once more for
/// it: `fd` stays as it is, and the program's. Pipes and sockets are taken as they are, and become non-blocking. If a terminal cannot be
/// opened, as the master of a pseudoterminal, `fd` itself is used and writes block. UV_EINVAL for files, UV_EBADF. `unused` is not used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tty_init(
    r#loop: *mut uv_loop_t,
    handle: *mut uv_tty_t,
    fd: uv_file,
    unused: c_int,
) -> c_int {
    let _ = unused; // once told whether it is read
    // SAFETY: the caller gives a loop, on its thread, and memory for the handle.
    status(unsafe { tty::init(&Cx::enter(), Loop::new(r#loop), handle, fd) })
}

/// Changes the mode of the terminal. UV_TTY_MODE_NORMAL: as it was; UV_TTY_MODE_RAW and UV_TTY_MODE_RAW_VT: every key at once, none with a
/// meaning of its own, without echo; UV_TTY_MODE_IO: bytes as they are, in both directions. UV_EINVAL for another mode.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tty_set_mode(handle: *mut uv_tty_t, mode: uv_tty_mode_t) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    status(unsafe { tty::set_mode(Handle::new(&Cx::enter(), handle), mode) })
}

/// Gives the first terminal whose mode was changed its settings back; to be called when the program ends. Any thread, and signal handlers;
/// UV_EBUSY if it interrupts a change of the mode.
#[unsafe(no_mangle)]
pub extern "C" fn uv_tty_reset_mode() -> c_int {
    status(tty::reset())
}

/// Stores the size of the terminal in columns and rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tty_get_winsize(
    handle: *mut uv_tty_t,
    width: *mut c_int,
    height: *mut c_int,
) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    let found = unsafe { tty::size(Handle::new(&Cx::enter(), handle)) };
    // SAFETY: the caller has room for both.
    status(found.map(|(columns, rows)| unsafe {
        width.write(columns);
        height.write(rows);
    }))
}

/// Does nothing: terminals here handle their sequences themselves.
#[unsafe(no_mangle)]
pub extern "C" fn uv_tty_set_vterm_state(state: uv_tty_vtermstate_t) {
    let _ = state;
}

/// UV_ENOTSUP: see uv_tty_set_vterm_state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_tty_get_vterm_state(state: *mut uv_tty_vtermstate_t) -> c_int {
    let _ = state;
    UV_ENOTSUP
}
