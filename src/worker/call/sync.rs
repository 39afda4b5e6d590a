//! A call that its caller waits for: `uvx_mailbox_call_sync`.
//!
//! The deadline is for the beginning: a call that was not begun by then never will be, and for one that was the caller waits, so that
//! what `arg` leads to may lie on the caller's stack.

use super::{Call, Calls};
use crate::abi::errno::{Errno, Result};
use crate::abi::{UVX_CALL_REF, uvx_call_fn, uvx_loop_call_t};
use crate::mem::Counted;
use crate::sync::prim::{AtomicU32, Ordering};
use crate::sys::{futex, time::Deadline};
use core::ffi::{c_int, c_void};

const WAITING: u32 = 0;
const RUNNING: u32 = 1;
const DONE: u32 = 2;
const CANCELLED: u32 = 3;
const GIVEN_UP: u32 = 4;

/// One reference is the caller's, one the queue's.
#[repr(C)]
struct Waited {
    /// First, so that it leads back here.
    call: Call,
    run: uvx_call_fn,
    arg: *mut c_void,
    state: AtomicU32,
}

/// Has the loop run `run`, and waits for its end. On the loop's own thread it runs at once.
///
/// # Safety
/// `run` may be called with `arg` on the loop's thread.
pub unsafe fn call_sync(calls: &Calls, run: uvx_call_fn, arg: *mut c_void, timeout_ns: u64) -> Result {
    let Some(function) = run else { return Err(Errno::EINVAL) };
    if calls.is_here()? {
        // SAFETY: the caller's; nothing of ours is held.
        unsafe { function(arg, 0) };
        return Ok(());
    }
    let deadline = Deadline::after(timeout_ns);
    let call = Call::new(Some(on_turn), UVX_CALL_REF);
    let waited = Counted::new(Waited { call, run, arg, state: AtomicU32::new(WAITING) })?;
    let queued = waited.clone().into_raw();
    // SAFETY: the call is new; it has a reference of its own until its turn.
    unsafe { calls.post(queued.cast(), UVX_CALL_REF).inspect_err(|_| drop(Counted::from_raw(queued)))? };
    wait(&waited.state, deadline)
}

fn wait(state: &AtomicU32, deadline: Deadline) -> Result {
    loop {
        let now = state.load(Ordering::Acquire);
        let left = match now {
            DONE => return Ok(()),
            CANCELLED => return Err(Errno::ECANCELED),
            RUNNING => Ok(None),
            _ => deadline.left(),
        };
        match left {
            Ok(left) => futex::wait(state, now, left),
            Err(error) if change(state, GIVEN_UP) => return Err(error),
            Err(_) => {}
        }
    }
}

/// From waiting to something else, unless it is something else already.
fn change(state: &AtomicU32, to: u32) -> bool {
    state.compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
}

unsafe extern "C" fn on_turn(call: *mut uvx_loop_call_t, status: c_int) {
    // SAFETY: posted by `call_sync` with this reference.
    let waited = unsafe { Counted::from_raw(call.cast::<Waited>()) };
    if !change(&waited.state, RUNNING) {
        return; // its caller has given up
    }
    if let (Some(run), 0) = (waited.run, status) {
        // SAFETY: the user's function; its caller waits, so `arg` is what it was.
        unsafe { run(waited.arg, status) };
    }
    waited.state.store(if status == 0 { DONE } else { CANCELLED }, Ordering::Release);
    futex::wake(&raw const waited.state);
}
