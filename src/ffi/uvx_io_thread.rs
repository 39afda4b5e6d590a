//! Threads with a loop that serve others.

use super::status;
use crate::abi::*;
use crate::worker::io_thread::{self, IoThread};
use core::ffi::{c_int, c_void};

/// Starts a thread with a loop of its own, and waits until `init` has run there with `arg`. 0: the thread runs its loop, also with nothing
/// open on it, until uvx_io_thread_stop. All signals are blocked on it. `options` may be NULL.
///
/// On error there is no thread: what `init` returned. UV_EINVAL: no `init`, or options that make no sense. UV_ENOMEM, UV_EMFILE, UV_ENFILE: no
/// memory or descriptors for its loop. UV_EAGAIN: the system has no more threads. Any thread. After fork(2) the child must not use it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_io_thread_start(
    thread: *mut *mut uvx_io_thread_t,
    init: uvx_io_thread_init,
    arg: *mut c_void,
    options: *const uvx_io_thread_options_t,
) -> c_int {
    // SAFETY: the caller gives options or NULL.
    match unsafe { io_thread::start(init, arg, options) } {
        // SAFETY: the caller gives room for the result.
        Ok(started) => unsafe { thread.write(started.cast()) },
        Err(error) => return error.code(),
    }
    0
}

/// Has the thread run `fn` with `arg` and 0, or with UV_ECANCELED if it is killed first; in the order of the calls. Any thread, the thread
/// itself too. UV_ESHUTDOWN: uvx_io_thread_stop was called; `fn` will not run. UV_EINVAL: no function. UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_io_thread_call(
    thread: *mut uvx_io_thread_t,
    r#fn: uvx_call_fn,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: the caller has a thread.
    status(unsafe { &*thread.cast::<IoThread>() }.call(r#fn, arg))
}

/// The mailbox of the thread's loop, for calls that need no memory, that wait, or that interrupt. It is the thread's: who wants it longer
/// takes a reference (uvx_mailbox_ref). Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_io_thread_mailbox(thread: *mut uvx_io_thread_t) -> *mut uvx_mailbox_t {
    // SAFETY: the caller has a thread.
    unsafe { &*thread.cast::<IoThread>() }.calls().as_ptr().cast()
}

/// Ends the thread in the way that `mode` says. A second call may turn UVX_IO_THREAD_DRAIN into UVX_IO_THREAD_KILL. Does not wait; any thread,
/// the thread itself too. UV_EALREADY: it was told so before. UV_EINVAL: no such mode.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_io_thread_stop(thread: *mut uvx_io_thread_t, mode: uvx_io_thread_mode) -> c_int {
    // SAFETY: the caller has a thread.
    status(unsafe { &*thread.cast::<IoThread>() }.stop(mode))
}

/// Waits until the thread has ended, for at most `timeout_ns` (UVX_FOREVER: without end), and frees it. It does not end by itself:
/// uvx_io_thread_stop. To be called once with success, by any thread but itself (UV_EINVAL). UV_ETIMEDOUT: it is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_io_thread_join(thread: *mut uvx_io_thread_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller has a thread, and gives it up if this works.
    status(unsafe { io_thread::join(thread.cast::<IoThread>(), timeout_ns) })
}
