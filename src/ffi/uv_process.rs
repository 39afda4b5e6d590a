//! Child processes.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::handles::process;
use crate::ptr::{Cx, Handle};
use crate::sys::fd;
use core::ffi::c_int;

/// Starts a program as `options` say and makes the memory at `handle` a process handle; also on an error the handle must be closed before
/// its memory goes. When this returns 0 the program runs: an error says what kept it from that, UV_ENOENT and UV_EACCES for the
/// file or the folder, UV_EPERM for the user or group, UV_EAGAIN and UV_ENOMEM without room for a process, UV_EINVAL for options
/// that are none, and others of the system. A file without a slash is looked up in the PATH that the program gets. The streams of
/// UV_CREATE_PIPE are open even after an error of the program. Closing the handle of a process that runs leaves the process to its fate,
/// and its end to the caller's waitpid().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_spawn(
    r#loop: *mut uv_loop_t,
    handle: *mut uv_process_t,
    options: *const uv_process_options_t,
) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, memory for the handle, and options.
    status(unsafe { process::spawn(&Cx::enter(), Loop::new(r#loop), handle, options) })
}

/// Sends a signal to the process, or with 0 only asks whether it could be sent. UV_ESRCH once its end is known to the loop, UV_EPERM without
/// the right to, UV_EINVAL if there is no such signal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_process_kill(handle: *mut uv_process_t, signum: c_int) -> c_int {
    // SAFETY: the caller gives a handle, on its loop's thread.
    unsafe { status(process::kill(Handle::new(&Cx::enter(), handle), signum)) }
}

/// The number of the process, also after its end; 0 if it could not be started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_process_get_pid(handle: *const uv_process_t) -> uv_pid_t {
    // SAFETY: the caller gives a handle.
    unsafe { (*handle).pid }
}

/// Keeps the descriptors that are open now, the standard streams among them, from programs started later, unless those are given them. For
/// the start of main: descriptors that the program has inherited itself.
#[unsafe(no_mangle)]
pub extern "C" fn uv_disable_stdio_inheritance() {
    fd::close_all_on_exec();
}
