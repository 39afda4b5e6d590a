//! Loops whose memory is the library's: the default loop, and the deprecated ones on the heap.

use super::{Loop, lifecycle};
use crate::abi::uv_loop_t;
use crate::mem;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, Ordering};

/// Room for the default loop. It is used from one thread, like every loop.
struct Room(UnsafeCell<MaybeUninit<uv_loop_t>>);

// SAFETY: handed out as a raw pointer only; what is done with it is the program's duty.
unsafe impl Sync for Room {}

static ROOM: Room = Room(UnsafeCell::new(MaybeUninit::zeroed()));
static READY: AtomicBool = AtomicBool::new(false);

/// `uv_default_loop`: the loop, made if it is not there; null if that fails.
pub fn get() -> *mut uv_loop_t {
    let raw = ROOM.0.get().cast::<uv_loop_t>();
    if !READY.load(Ordering::Acquire) {
        // SAFETY: static memory, and no loop now.
        if unsafe { lifecycle::init(raw) }.is_err() {
            return null_mut();
        }
        READY.store(true, Ordering::Release);
    }
    raw
}

/// Whether this is the default loop.
pub fn is_it(raw: *const uv_loop_t) -> bool {
    core::ptr::eq(raw, ROOM.0.get().cast())
}

/// `raw` was closed; if it is the default loop, the next `get` makes it anew.
pub fn forget(raw: *mut uv_loop_t) {
    if raw == ROOM.0.get().cast() {
        READY.store(false, Ordering::Release);
    }
}

/// `uv_loop_new`.
pub fn new_on_heap() -> *mut uv_loop_t {
    let raw = mem::alloc_zeroed(size_of::<uv_loop_t>()).cast::<uv_loop_t>();
    if raw.is_null() {
        return raw;
    }
    // SAFETY: new memory, of the right size.
    if unsafe { lifecycle::init(raw) }.is_err() {
        // SAFETY: as above; nobody has it.
        unsafe { mem::free(raw.cast()) };
        return null_mut();
    }
    raw
}

/// `uv_loop_delete`. A loop that cannot be closed is left as it is: freeing it would pull it from under its handles.
///
/// # Safety
/// `raw` is the default loop or came from `new_on_heap`, and this is its thread.
pub unsafe fn delete(raw: *mut uv_loop_t) {
    // SAFETY: the caller's.
    let result = lifecycle::close(unsafe { Loop::new(raw) });
    debug_assert!(result.is_ok(), "uv_loop_delete: the loop is in use");
    if result.is_err() {
        return;
    }
    if raw == ROOM.0.get().cast() {
        forget(raw);
    } else {
        // SAFETY: from `mem`, by `new_on_heap`, and closed.
        unsafe { mem::free(raw.cast()) };
    }
}
