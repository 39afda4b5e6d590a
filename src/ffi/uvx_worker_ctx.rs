//! Workers, for their own threads. A `ctx` is alive as long as the thread runs.

use crate::abi::*;
use crate::worker::workers::{self, Worker};
use core::ffi::{c_int, c_void};

/// The worker whose thread this is, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn uvx_worker_current() -> *mut uvx_worker_ctx_t {
    workers::current().cast_mut().cast()
}

/// The worker's loop. The library runs it when the entry has returned, and closes it; the program may also run it itself. uv_stop, by
/// the worker itself, ends the worker as if nothing kept the loop alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_ctx_loop(ctx: *mut uvx_worker_ctx_t) -> *mut uv_loop_t {
    // SAFETY: the caller is the worker.
    unsafe { &*ctx.cast::<Worker>() }.own_loop()
}

/// The worker's end of the channel to the loop that started it, not attached yet. It is the worker's: it is closed at the end, unless the
/// program did so before, and it cannot be handed over (UV_EPERM). If it is attached and started, it keeps the worker alive
/// until it hears UV_EOF: the parent has closed its end; or is stopped, or unreferenced.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_ctx_port(ctx: *mut uvx_worker_ctx_t) -> *mut uvx_message_port_t {
    // SAFETY: the caller is the worker.
    unsafe { &*ctx.cast::<Worker>() }.own_port().as_c()
}

/// `data` of the worker's options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_ctx_data(ctx: *mut uvx_worker_ctx_t) -> *mut c_void {
    // SAFETY: the caller is the worker.
    unsafe { &*ctx.cast::<Worker>() }.data()
}

/// The worker's number; see uvx_worker_info_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_ctx_id(ctx: *mut uvx_worker_ctx_t) -> u64 {
    // SAFETY: the caller is the worker.
    unsafe { &*ctx.cast::<Worker>() }.id()
}

/// Ends the worker with UVX_WORKER_EXITED and this code, unless it is decided already how it ends. It returns: the loop stops after the
/// callback that is running, or is not run if this is the entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_exit(ctx: *mut uvx_worker_ctx_t, code: c_int) {
    // SAFETY: the caller is the worker.
    unsafe { &*ctx.cast::<Worker>() }.exit(code);
}

/// 1 if it is decided that the worker ends, by itself or by uvx_worker_stop: busy code should return soon. Cheap: one load. Any thread
/// that the worker has given its `ctx` to, and that it waits for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_worker_stopping(ctx: *mut uvx_worker_ctx_t) -> c_int {
    // SAFETY: the caller is the worker.
    c_int::from(unsafe { &*ctx.cast::<Worker>() }.is_stopping())
}
