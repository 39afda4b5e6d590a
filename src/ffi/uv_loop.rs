//! The event loop.

use super::status;
use crate::abi::errno::Errno;
use crate::abi::*;
use crate::event_loop::{Loop, default, lifecycle, run};
use crate::handles;
use crate::ptr::Cx;
use core::ffi::{c_int, c_void};

/// The loop of the process, made at the first call; NULL if that fails. It is the program's to run and to close, and must be used
/// from one thread like any other.
#[unsafe(no_mangle)]
pub extern "C" fn uv_default_loop() -> *mut uv_loop_t {
    default::get()
}

/// Makes the memory at `loop` a loop; `loop->data` keeps its value. UV_ENOMEM, UV_EMFILE, UV_ENFILE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_loop_init(r#loop: *mut uv_loop_t) -> c_int {
    // SAFETY: the caller gives memory for a loop.
    status(unsafe { lifecycle::init(r#loop) })
}

/// Gives back what the loop holds, but not its memory. UV_EBUSY while it has handles that are not closed, requests that are not
/// done, attached ports, workers, or named locks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_loop_close(r#loop: *mut uv_loop_t) -> c_int {
    // SAFETY: the caller gives a loop.
    let result = lifecycle::close(unsafe { Loop::new(r#loop) });
    if result.is_ok() {
        default::forget(r#loop);
    }
    status(result)
}

/// A loop on the heap, for uv_loop_delete; NULL if that fails. Deprecated: use uv_loop_init.
#[unsafe(no_mangle)]
pub extern "C" fn uv_loop_new() -> *mut uv_loop_t {
    default::new_on_heap()
}

/// Closes a loop of uv_loop_new, which must be ready for that, and frees it. Deprecated: use uv_loop_close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_loop_delete(r#loop: *mut uv_loop_t) {
    // SAFETY: the caller gives a loop of `uv_loop_new`, or the default one.
    unsafe { default::delete(r#loop) };
}

/// The size of a loop in bytes, for those who cannot see the struct.
#[unsafe(no_mangle)]
pub extern "C" fn uv_loop_size() -> usize {
    size_of::<uv_loop_t>()
}

/// Nonzero while something keeps the loop running: active and referenced handles, requests, closing handles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_loop_alive(r#loop: *const uv_loop_t) -> c_int {
    // SAFETY: the caller gives a loop.
    c_int::from(unsafe { Loop::new(r#loop.cast_mut()) }.is_alive())
}

/// Sets an option, before the first uv_run. UV_LOOP_BLOCK_SIGNAL with SIGPROF: the signal is blocked while polling.
/// UV_METRICS_IDLE_TIME: idle time is measured. UV_LOOP_USE_IO_URING_SQPOLL: with UV_USE_IO_URING=1 in the environment, the kernel does
/// file operations by io_uring where it can; it goes on with the rights that the process had at the first one, so a program that gives
/// up rights later must not use it. UV_ENOSYS for others, UV_EINVAL for another signal.
// Rust cannot define a variadic function. On the ABIs of Linux an int argument behind a variadic prototype is passed where a third
// fixed argument is; options without one leave it undefined, and unread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_loop_configure(
    r#loop: *mut uv_loop_t,
    option: uv_loop_option,
    argument: c_int,
) -> c_int {
    // SAFETY: the caller gives a loop.
    status(lifecycle::configure(unsafe { Loop::new(r#loop) }, option, argument))
}

/// In the child after fork(2): makes a loop of the parent usable again. Asyncs that were pending are pending no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_loop_fork(r#loop: *mut uv_loop_t) -> c_int {
    // SAFETY: the caller gives a loop.
    status(lifecycle::fork(unsafe { Loop::new(r#loop) }))
}

/// Runs the loop: UV_RUN_DEFAULT until nothing keeps it alive or it is stopped, UV_RUN_ONCE one turn, which may block,
/// UV_RUN_NOWAIT one turn that may not. Nonzero if something still keeps it alive. Not from inside a callback of the same loop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_run(r#loop: *mut uv_loop_t, mode: uv_run_mode) -> c_int {
    // SAFETY: the caller gives a loop, on its thread.
    let (mut cx, lp) = unsafe { (Cx::enter(), Loop::new(r#loop)) };
    c_int::from(run::run(&mut cx, lp, mode))
}

/// Makes uv_run return after the current turn, or before its first. On the loop's thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_stop(r#loop: *mut uv_loop_t) {
    // SAFETY: the caller gives a loop.
    unsafe { Loop::new(r#loop) }.set_stop_flag(1);
}

/// Takes the clock's time as the loop's now, for those who have kept the loop waiting in a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_update_time(r#loop: *mut uv_loop_t) {
    // SAFETY: the caller gives a loop.
    unsafe { Loop::new(r#loop) }.update_time();
}

/// The loop's now in ms, from an arbitrary point in the past; it stands still during a turn.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_now(r#loop: *const uv_loop_t) -> u64 {
    // SAFETY: the caller gives a loop.
    unsafe { Loop::new(r#loop.cast_mut()) }.time()
}

/// The epoll descriptor: an embedder may poll it, from any thread, and run the loop with UV_RUN_NOWAIT when it is readable or
/// uv_backend_timeout is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_backend_fd(r#loop: *const uv_loop_t) -> c_int {
    // SAFETY: the caller gives a loop.
    unsafe { Loop::new(r#loop.cast_mut()) }.backend_fd()
}

/// How long a poll may last, in ms: 0 not at all, -1 for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_backend_timeout(r#loop: *const uv_loop_t) -> c_int {
    // SAFETY: the caller gives a loop.
    let lp = unsafe { Loop::new(r#loop.cast_mut()) };
    if lp.has_unregistered_watchers() { 0 } else { lp.poll_timeout() }
}

/// Calls `walk_cb` for each handle of the loop. The callback may close and make handles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_walk(r#loop: *mut uv_loop_t, walk_cb: uv_walk_cb, arg: *mut c_void) {
    let Some(walk_cb) = walk_cb else { return };
    // SAFETY: the caller gives a loop, on its thread, and a function for its handles.
    unsafe { handles::walk(&mut Cx::enter(), Loop::new(r#loop), |handle| walk_cb(handle, arg)) };
}

/// `loop->data`, which is the program's alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_loop_get_data(r#loop: *const uv_loop_t) -> *mut c_void {
    // SAFETY: the caller gives a loop.
    unsafe { (*r#loop).data }
}

/// Sets `loop->data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_loop_set_data(r#loop: *mut uv_loop_t, data: *mut c_void) {
    // SAFETY: the caller gives a loop's memory.
    unsafe { (*r#loop).data = data };
}

/// The loop's counters since its init. UV_EINVAL without `metrics`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_metrics_info(r#loop: *mut uv_loop_t, metrics: *mut uv_metrics_t) -> c_int {
    if metrics.is_null() {
        return Errno::EINVAL.code();
    }
    // SAFETY: the caller gives a loop, and room for the result.
    unsafe { metrics.write(Loop::new(r#loop).internals().metrics.info()) };
    0
}

/// How long the loop has waited in the kernel for events, in ns; 0 unless UV_METRICS_IDLE_TIME is set. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_metrics_idle_time(r#loop: *mut uv_loop_t) -> u64 {
    // SAFETY: the caller gives a loop; this part of it may be read by any thread.
    unsafe { Loop::new(r#loop).internals().metrics.idle_ns() }
}
