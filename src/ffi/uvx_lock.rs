//! Named locks.

use super::status;
use crate::abi::*;
use crate::event_loop::Loop;
use crate::mem;
use crate::worker::locks;
use core::ffi::{c_char, c_int, c_uint};

/// Asks for the lock with that name, which holds for the whole process: one loop or thread has it, or several that share it. Who asks
/// first has it first. `flags`: 0, or UVX_LOCK_SHARED, UVX_LOCK_IF_AVAILABLE, or UVX_LOCK_STEAL alone. The name is any string, and is copied.
///
/// `granted` runs once, on the loop, never inside of this. 0: the lock is held, until uvx_lock_release. UV_EAGAIN: it is not available, and
/// UVX_LOCK_IF_AVAILABLE was asked for. UV_ECANCELED: uvx_lock_cancel was called, the worker that has the loop ends, or the lock was
/// stolen before this could tell that it was there. With an error the lock is over.
///
/// `lost` runs once, on the loop, with UV_ECANCELED, when somebody has stolen a lock that is held; it is over then, and there is nothing to
/// release. If that is called before `lost` has begun, that does not run. It may be NULL: then a lock that was stolen is released like any other.
///
/// The loop stays alive until `granted` has run; a lock that is held does not keep it alive. It cannot be closed before the lock is over; a
/// worker that ends cancels and releases all of its own. The loop's thread.
///
/// UV_EINVAL: no name, no `granted`, or flags that make no sense. UV_ESHUTDOWN: the worker that has the loop ends. UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_lock_request(
    r#loop: *mut uv_loop_t,
    lock: *mut uvx_lock_t,
    name: *const c_char,
    flags: c_uint,
    granted: uvx_lock_cb,
    lost: uvx_lock_cb,
) -> c_int {
    // SAFETY: the caller gives a loop, on its thread, memory for the lock, and a string or NULL.
    status(unsafe { locks::request(Loop::new(r#loop), lock.cast(), name, flags, granted, lost) })
}

/// As uvx_lock_request, for a thread without a loop: returns 0 when the lock is held. Nobody tells such a thread that its lock was stolen:
/// uvx_lock_is_held does. `flags`: 0, UVX_LOCK_SHARED or UVX_LOCK_STEAL.
///
/// UV_ETIMEDOUT: it was not to be had for `timeout_ns` (UVX_FOREVER: no limit; 0: this does not wait). UV_EINVAL: no name, or flags that make
/// no sense. UV_ENOMEM. With an error `lock` is the caller's again.
///
/// Any thread. One that waits for a lock that it holds itself, by another request or by its loop, waits until its time is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_lock_wait(
    lock: *mut uvx_lock_t,
    name: *const c_char,
    flags: c_uint,
    timeout_ns: u64,
) -> c_int {
    // SAFETY: the caller gives memory for the lock, and a string or NULL.
    status(unsafe { locks::wait(lock.cast(), name, flags, timeout_ns) })
}

/// Gives up a lock that is held: whoever is next has it. Then `lock` is the caller's again, and no callback of it runs. 0 also if it was
/// stolen, as long as `lost` has not begun. The loop's thread; any thread for a lock of uvx_lock_wait.
///
/// UV_EINVAL: it is not held: not yet granted, released before, lost, or the parent's in the child after fork(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_lock_release(lock: *mut uvx_lock_t) -> c_int {
    // SAFETY: the caller gives a lock that was requested, whose memory is still there.
    status(unsafe { locks::release(lock.cast()) })
}

/// Takes a request back: its `granted` runs with UV_ECANCELED, on the loop. This can be done until `granted` begins; also if the lock has been
/// granted by then: the next one gets it. The loop's thread.
///
/// UV_EBUSY: the lock is held. UV_EINVAL: it is over; it is not a loop's; or it is the parent's in the child after fork(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_lock_cancel(lock: *mut uvx_lock_t) -> c_int {
    // SAFETY: as above.
    status(unsafe { locks::cancel(lock.cast()) })
}

/// 1: the lock is held, which can change at any time if others steal; 0: it is not, or not yet. Any thread, as long as the lock's memory is
/// there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_lock_is_held(lock: *const uvx_lock_t) -> c_int {
    // SAFETY: as above.
    c_int::from(unsafe { locks::is_held(lock.cast()) })
}

/// Who holds the locks of the process, and who waits for them, at one moment: name by name, for each name those who hold it and
/// then those who wait, the next one first. A list of `count` entries, to be given back by uvx_locks_free. Any thread. UV_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_locks_query(list: *mut *mut uvx_lock_info_t, count: *mut usize) -> c_int {
    // SAFETY: the caller gives room for both results.
    status(locks::query().map(|(first, len)| unsafe {
        list.write(first);
        count.write(len);
    }))
}

/// Frees a list of uvx_locks_query. NULL is fine. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_locks_free(list: *mut uvx_lock_info_t, count: usize) {
    let _ = count; // one block, whatever its size
    // SAFETY: the caller gives up the list.
    unsafe { mem::free(list.cast()) };
}
