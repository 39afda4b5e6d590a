//! Workers, for those who start them.

use super::status;
use crate::abi::errno::Errno;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::mem::Counted;
use crate::ptr::Cx;
use crate::worker::workers::{self, Worker};
use core::ffi::{c_int, c_void};

/// Starts a thread with a loop of its own and a channel to this one. `options` and `exit_cb` may be NULL. When this returns, the worker's
/// port can be posted to; what is posted before the worker runs waits for it. `worker` is written before the thread runs.
///
/// The worker belongs to the loop that started it: `exit_cb` runs there, once, when the worker has ended for whatever reason. Until then
/// the worker keeps the loop alive (unless uvx_worker_unref), and uv_loop_close says UV_EBUSY.
///
/// The loop's thread. On error there is no worker, nothing was moved, and `exit_cb` will not run: UV_EINVAL: the options make no sense.
/// UV_ENOMEM, UV_EMFILE, UV_ENFILE: no memory or descriptors for its loop. UV_EAGAIN: the system has no more threads. What
/// uvx_message_port_post says of `first_message`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_start(
    r#loop: *mut uv_loop_t,
    worker: *mut *mut uvx_worker_t,
    entry: uvx_worker_entry,
    options: *const uvx_worker_options_t,
    exit_cb: uvx_worker_exit_cb,
) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, options or NULL, and room for the result.
    status(unsafe { workers::start(&mut Cx::enter(), Loop::new(r#loop), entry, options, exit_cb, worker) })
}

/// The parent's end of the channel to the worker. Any thread may post to it while the worker is alive; attaching and the rest is for the
/// loop's thread. The port is the worker's: it is closed after the exit callback, unless the program did so before, and it
/// cannot be handed over (UV_EPERM). See uvx_worker_take_port.
///
/// If it is attached when the worker exits, all messages are delivered before the exit callback, then UV_EOF to its on_close callback,
/// even if it is stopped. If not, they can still be received in the exit callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_port(worker: *mut uvx_worker_t) -> *mut uvx_message_port_t {
    // SAFETY: the caller has a worker.
    unsafe { &*worker.cast::<Worker>() }.port().as_c()
}

/// As uvx_worker_port, but from now on the port is the caller's: it can be handed over and used by any thread, and has to be closed. The
/// loop's thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_take_port(worker: *mut uvx_worker_t) -> *mut uvx_message_port_t {
    // SAFETY: the caller has a worker, on its loop's thread.
    unsafe { &*worker.cast::<Worker>() }.take_port().as_c()
}

/// The mailbox of the worker's own loop, for uvx_mailbox_call_sync and others. It is the worker's: who wants it longer takes a reference
/// (uvx_mailbox_ref). Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_mailbox(worker: *mut uvx_worker_t) -> *mut uvx_mailbox_t {
    // SAFETY: the caller has a worker.
    unsafe { &*worker.cast::<Worker>() }.calls().as_ptr().cast()
}

/// Ends the worker: its loop stops after the callback that is running, a wait in uvx_message_port_receive or
/// uvx_message_port_post_wait for its own port returns UV_EINTR, its interrupt hook runs. It cleans up, and exits with UVX_WORKER_STOPPED and this code; if it has not begun yet, its
/// entry is not called. Code that does not return cannot be ended: it has to ask uvx_worker_stopping.
///
/// Any thread, also in the worker itself; does not wait. 0: this decided how the worker ends. UV_EALREADY: that was decided before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_stop(worker: *mut uvx_worker_t, code: c_int) -> c_int {
    // SAFETY: the caller has a worker.
    status(unsafe { &*worker.cast::<Worker>() }.stop(code))
}

/// Stops all workers of the loop with this code and references them, so that uv_run goes on until their exit callbacks have run; after
/// that the loop can be closed. The loop's thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_workers_stop_all(r#loop: *mut uv_loop_t, code: c_int) {
    // SAFETY: the caller gives a loop, on its thread.
    workers::stop_all(unsafe { Loop::new(r#loop) }, code);
}

/// Has the worker run `cb` with `call` on its thread, before all else that waits there (UVX_CALL_INTERRUPT), and triggers its
/// interrupt hook; a busy worker may run it by uvx_loop_run_interrupts. Then `reply_cb`, unless it is NULL, runs with `call` on the
/// loop that started the worker: with 0, or with UV_ECANCELED if the worker ended first, and `cb` did not run. Without `reply_cb` it is
/// `cb` that gets UV_ECANCELED, on the worker's thread. Any thread. As for uvx_mailbox_call_reply; UV_ESHUTDOWN: the worker has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_interrupt(
    worker: *mut uvx_worker_t,
    call: *mut uvx_loop_call_t,
    cb: uvx_loop_call_cb,
    reply_cb: uvx_loop_call_cb,
) -> c_int {
    // SAFETY: the caller has a worker, and gives memory for the call.
    status(unsafe { (*worker.cast::<Worker>()).interrupt(call, cb, reply_cb) })
}

/// Waits until the worker has ended: its loop is closed, and none of its code runs any more. The exit callback comes from the loop all
/// the same, after this. UV_ETIMEDOUT after `timeout_ns` (UVX_FOREVER: never). UV_EINVAL in the worker itself. Any thread, also several.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_join(worker: *mut uvx_worker_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller has a worker.
    status(unsafe { &*worker.cast::<Worker>() }.join(timeout_ns))
}

/// The worker keeps its loop alive until it has exited; a new one does. The loop's thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_ref(worker: *mut uvx_worker_t) {
    // SAFETY: the caller has a worker, on its loop's thread.
    unsafe { &*worker.cast::<Worker>() }.set_referenced(true);
}

/// The worker does not keep its loop alive. The loop's thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_unref(worker: *mut uvx_worker_t) {
    // SAFETY: the caller has a worker, on its loop's thread.
    unsafe { &*worker.cast::<Worker>() }.set_referenced(false);
}

/// 1 if the worker is referenced, else 0. The loop's thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_has_ref(worker: *const uvx_worker_t) -> c_int {
    // SAFETY: the caller has a worker, on its loop's thread.
    c_int::from(unsafe { &*worker.cast::<Worker>() }.is_referenced())
}

/// Keeps the worker's memory beyond its exit callback, so that other threads may use the functions for any thread; once for each
/// uvx_worker_release. Any thread that knows it to be alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_retain(worker: *mut uvx_worker_t) {
    // SAFETY: the caller has a worker.
    let _ = unsafe { Counted::retain(worker.cast::<Worker>()) }.into_raw();
}

/// The opposite of uvx_worker_retain. NULL is fine. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_release(worker: *mut uvx_worker_t) {
    if !worker.is_null() {
        // SAFETY: the caller gives up its reference.
        drop(unsafe { Counted::from_raw(worker.cast::<Worker>()) });
    }
}

/// What can be said of the worker now. Any thread. UV_EINVAL if `info->size` is too small.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_info(worker: *mut uvx_worker_t, info: *mut uvx_worker_info_t) -> c_int {
    // SAFETY: the caller has a worker, and gives room for the result of the size that it says.
    unsafe {
        let size = (*info).size;
        if size < size_of::<uvx_worker_info_t>() {
            return Errno::EINVAL.code();
        }
        info.write(uvx_worker_info_t { size, ..(*worker.cast::<Worker>()).info() });
    }
    0
}

/// `data` of the worker's options. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_data(worker: *const uvx_worker_t) -> *mut c_void {
    // SAFETY: the caller has a worker.
    unsafe { &*worker.cast::<Worker>() }.data()
}
