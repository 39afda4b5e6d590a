//! Posted calls: having a loop run a function, from any thread.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::mem::Counted;
use crate::ptr::Cx;
use crate::worker::call::{self, Calls};
use core::ffi::{c_int, c_uint, c_void};

/// Gives the loop's mailbox, with one more reference, which is the caller's: uvx_mailbox_release. A loop has one mailbox; it is made by
/// the first call of this. The loop's thread. UV_ENOMEM. UV_ESHUTDOWN after uvx_mailbox_close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_loop_mailbox(r#loop: *mut uv_loop_t, mailbox: *mut *mut uvx_mailbox_t) -> c_int {
    // SAFETY: the caller gives a loop, on its thread.
    match call::of(unsafe { Loop::new(r#loop) }) {
        // SAFETY: the caller gives room for the result.
        Ok(calls) => unsafe { mailbox.write(calls.into_raw().cast()) },
        Err(error) => return error.code(),
    }
    0
}

/// One more reference. Any thread that has one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_mailbox_ref(mailbox: *mut uvx_mailbox_t) {
    // SAFETY: the caller has a reference, and gets one more.
    let _ = unsafe { Counted::retain(mailbox.cast::<Calls>()) }.into_raw();
}

/// Gives up a reference. The loop is not touched, and what was posted stays posted. NULL is fine. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_mailbox_release(mailbox: *mut uvx_mailbox_t) {
    if !mailbox.is_null() {
        // SAFETY: the caller gives up its reference.
        drop(unsafe { Counted::from_raw(mailbox.cast::<Calls>()) });
    }
}

/// Has the loop run `cb` with `call`, in a turn to come; needs no memory, takes no lock, never waits. Calls run in the order in which
/// they were posted; what is posted while the loop runs some waits for its next turn. `flags`: 0 or UVX_CALL_REF, UVX_CALL_INTERRUPT.
///
/// `call` needs no initialisation but for `data`, which is the program's. It must not be posted again before its callback has begun.
/// Before uv_run, during it, and between two of them: the call waits for the loop to run. uv_loop_close says UV_EBUSY while calls with
/// UVX_CALL_REF wait, and cancels others: their callbacks run inside of it with UV_ECANCELED.
///
/// Any thread, the loop's own too. UV_ESHUTDOWN: the loop or the mailbox is closed; `cb` will not run. UV_EINVAL: no callback, or
/// unknown flags.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_mailbox_call(
    mailbox: *mut uvx_mailbox_t,
    call: *mut uvx_loop_call_t,
    cb: uvx_loop_call_cb,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller has a reference, and gives memory for the call.
    status(unsafe { (*mailbox.cast::<Calls>()).call(call, cb, flags) })
}

/// A call there and back: `cb` runs on the mailbox's loop with status 0, then `reply_cb` on the loop of `home`, with the same `call`. If
/// the mailbox is closed first, `cb` does not run and `reply_cb` gets UV_ECANCELED. `call` is the caller's again when
/// `reply_cb` begins, which it does exactly once: if `home` is closed, on the mailbox's thread and with UV_ESHUTDOWN, else
/// with UV_ECANCELED when `home` is closed later. `flags` are for the way there; the way back keeps no loop alive, so that of `home`
/// needs something else that does, such as an active handle, until the reply is there. Otherwise as uvx_mailbox_call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_mailbox_call_reply(
    mailbox: *mut uvx_mailbox_t,
    call: *mut uvx_loop_call_t,
    cb: uvx_loop_call_cb,
    home: *mut uvx_mailbox_t,
    reply_cb: uvx_loop_call_cb,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller has references to both, and gives memory for the call.
    status(unsafe {
        let home = Counted::retain(home.cast::<Calls>());
        (*mailbox.cast::<Calls>()).call_reply(call, cb, &home, reply_cb, flags)
    })
}

/// As uvx_mailbox_call, with memory of its own: has the loop run `fn` with `arg` and 0, or with UV_ECANCELED if it is closed first. Any
/// thread. UV_ENOMEM too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_mailbox_call_copy(
    mailbox: *mut uvx_mailbox_t,
    r#fn: uvx_call_fn,
    arg: *mut c_void,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller has a reference.
    status(call::post_copy(unsafe { &*mailbox.cast::<Calls>() }, r#fn, arg, flags))
}

/// Has the loop run `fn` with `arg` and 0, and returns 0 after that. What `arg` leads to may lie on the caller's stack. The loop stays
/// alive for it.
///
/// UV_ETIMEDOUT: the loop has not begun `fn` for `timeout_ns` (UVX_FOREVER: no limit), and never will; once begun, it is waited for.
/// UV_ECANCELED: the mailbox was closed first; UV_ESHUTDOWN: it was closed before. `fn` has not run then, nor with any other error.
/// UV_ENOMEM, UV_EINVAL.
///
/// Any thread. On the loop's own thread `fn` runs at once, before calls that were posted earlier. Two loops that wait for each
/// other wait until their time is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_mailbox_call_sync(
    mailbox: *mut uvx_mailbox_t,
    r#fn: uvx_call_fn,
    arg: *mut c_void,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller has a reference, and a function with its argument.
    status(unsafe { call::call_sync(&*mailbox.cast::<Calls>(), r#fn, arg, timeout_ns) })
}

/// Closes the mailbox: calls are refused with UV_ESHUTDOWN from now on. Those that wait have their callbacks inside of this: with 0 if
/// `run_pending` is not 0, else with UV_ECANCELED. References stay valid, and have to be given up. uv_loop_close does this by
/// itself. The thread of the mailbox's loop: others get UV_EBUSY. UV_ESHUTDOWN: it was closed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_mailbox_close(mailbox: *mut uvx_mailbox_t, run_pending: c_int) -> c_int {
    let turn = if run_pending != 0 { 0 } else { UV_ECANCELED };
    // SAFETY: the caller has a reference; an entry from C.
    let (calls, mut cx) = unsafe { (&*mailbox.cast::<Calls>(), Cx::enter()) };
    status(calls.owner_here().and_then(|lp| call::close(&mut cx, lp, turn)))
}

/// Sets what makes a busy loop look: `hook` runs with `arg`, on the thread that posts, when a call with UVX_CALL_INTERRUPT comes; then not
/// again until the loop has looked. NULL takes it away: when this returns, the old one does not run any more. The loop's thread.
/// UV_ENOMEM. UV_ESHUTDOWN: its mailbox was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_loop_interrupt_hook(
    r#loop: *mut uv_loop_t,
    hook: uvx_interrupt_hook,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: the caller gives a loop, on its thread.
    status(call::of(unsafe { Loop::new(r#loop) }).map(|calls| calls.set_interrupt_hook(hook, arg)))
}

/// Runs the calls with UVX_CALL_INTERRUPT that wait, inside of this: for code that keeps its loop busy for long. Says how many that were.
/// The loop's thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_loop_run_interrupts(r#loop: *mut uv_loop_t) -> usize {
    // SAFETY: the caller gives a loop, on its thread.
    unsafe { call::run_interrupts(&mut Cx::enter(), Loop::new(r#loop)) }
}
