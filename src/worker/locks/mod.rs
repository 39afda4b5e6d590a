//! Named locks: `docs/uvx/locks.md` has the life of one.
//!
//! What is decided is decided under the mutex of the [`table`]: who gets a lock, who loses it, and whether a request was cancelled or granted.
//! Whoever decides then tells the loops that are concerned, each by the notice in its lock. A notice brings no news of its own: when it runs, it
//! looks at what the lock has come to by then, so that a grant that was cancelled or stolen on its way is never announced.
//!
//! A lock is the program's memory. It stays the library's until its loop knows that it is over; until then it is in the list of its loop,
//! which cannot be closed. So who tells a loop needs no more than the lock to keep the loop in place.

mod query;
mod table;
mod wait;

pub use query::{look, query};
pub use table::after_fork_in_child;
pub use wait::wait;

use super::port::lateness;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::event_loop::Loop;
use crate::event_loop::notice::Notice;
use crate::ptr::Cx;
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::ptr::null_mut;
use core::sync::atomic::AtomicU32; // no model uses it
use table::{Due, Name, Table};

/// A lock: what `uvx_lock_t` really is.
#[repr(C)]
pub struct Lock {
    data: *mut c_void,
    /// Tells the loop.
    notice: Notice,
    /// Among those who hold the name or wait for it. The mutex's, as `due`, `name` and `phase`.
    node: uv__queue,
    /// The next one in a [`Due`].
    due: *mut Lock,
    name: *mut Name,
    /// Among the locks of the loop. The loop's thread's.
    sibling: uv__queue,
    /// Null: a thread waits, or has waited.
    home: *mut uv_loop_t,
    granted: uvx_lock_cb,
    lost: uvx_lock_cb,
    /// What `granted` says if it is refused.
    status: c_int,
    /// Of the process that requested it.
    generation: u32,
    /// What a thread sleeps on, and its number.
    told: AtomicU32,
    tid: c_int,
    phase: Phase,
    is_shared: bool,
}

const _: () = assert!(size_of::<Lock>() == size_of::<uvx_lock_t>());

/// Where a lock is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Phase {
    /// In line.
    Waiting,
    /// It is there; the notice that says so is on its way.
    Granted,
    /// It is there, and the owner knows.
    Held,
    /// It is not there; the notice that says so is on its way.
    Refused,
    /// It was there, and was stolen. If the owner wants to know, the notice is on its way.
    Lost,
    /// The memory is the program's.
    Over,
}

impl Lock {
    /// Makes a lock of memory in which only `data` means something; of a loop, or of a thread.
    ///
    /// # Safety
    /// `lock` is memory for a lock, the caller's alone.
    unsafe fn set_up(
        lock: *mut Lock,
        home: Option<Loop>,
        flags: c_uint,
        granted: uvx_lock_cb,
        lost: uvx_lock_cb,
    ) {
        let nowhere = uv__queue { next: null_mut(), prev: null_mut() };
        // SAFETY: the caller's.
        unsafe {
            lock.write(Lock {
                data: (*lock).data,
                notice: Notice::new(arrive),
                node: nowhere,
                due: null_mut(),
                name: null_mut(),
                sibling: nowhere,
                home: home.map_or(null_mut(), Loop::as_ptr),
                granted,
                lost,
                status: 0,
                generation: 0,
                told: AtomicU32::new(0),
                tid: 0,
                phase: Phase::Over,
                is_shared: flags & UVX_LOCK_SHARED != 0,
            });
        }
    }

    /// # Safety
    /// It is the node of a lock.
    unsafe fn of_node(node: *mut uv__queue) -> *mut Lock {
        // SAFETY: the caller's.
        unsafe { container_of!(node, Lock, node) }
    }

    /// # Safety
    /// It is the sibling of a lock.
    unsafe fn of_sibling(node: *mut uv__queue) -> *mut Lock {
        // SAFETY: the caller's.
        unsafe { container_of!(node, Lock, sibling) }
    }

    /// Whether a notice goes to the owner when the lock is stolen.
    ///
    /// # Safety
    /// The lock is the library's.
    unsafe fn hears_of_loss(lock: *const Lock) -> bool {
        // SAFETY: the caller's.
        unsafe { !(*lock).home.is_null() && (*lock).lost.is_some() }
    }

    /// Tells the owner that something was decided.
    ///
    /// # Safety
    /// The lock was due, and the owner was not told yet, so that the lock is the library's and its loop alive. Afterwards it may be gone.
    unsafe fn tell(lock: *mut Lock) {
        // SAFETY: the caller's.
        unsafe {
            match (*lock).home.is_null() {
                true => wait::tell(&raw const (*lock).told),
                false => Notice::post(&raw const (*lock).notice, (*lock).home, lateness::take()),
            }
        }
    }
}

/// `uvx_lock_request`.
///
/// # Safety
/// `lock` is memory for a lock, the caller's alone; `name` is a string or null.
pub unsafe fn request(
    lp: Loop,
    lock: *mut Lock,
    name: *const c_char,
    flags: c_uint,
    granted: uvx_lock_cb,
    lost: uvx_lock_cb,
) -> Result {
    let is_known = flags == UVX_LOCK_STEAL || flags & !(UVX_LOCK_SHARED | UVX_LOCK_IF_AVAILABLE) == 0;
    if name.is_null() || granted.is_none() || !is_known {
        return Err(Errno::EINVAL);
    }
    if lp.internals().locks_closed.get() {
        return Err(Errno::ESHUTDOWN);
    }
    // SAFETY: the caller's. The lock is not over before a notice has run, which this thread does later.
    unsafe {
        Lock::set_up(lock, Some(lp), flags, granted, lost);
        let due = table::open().enter(lock, CStr::from_ptr(name), flags)?;
        queue::push_back(lp.locks(), &raw mut (*lock).sibling);
        lp.begin_request();
        due.tell();
    }
    Ok(())
}

/// Something was decided about the lock: says what it has come to.
fn arrive(cx: &mut Cx, lp: Loop, notice: *const Notice) {
    lateness::set(lp.internals().linger.take_late());
    // SAFETY: the notice lies in a lock, which is the library's until `learn` has said that it is over. Then it goes to its owner, and
    // leaves the list of its loop for that.
    let (lock, cb, status) = unsafe {
        let lock = container_of!(notice, Lock, notice).cast_mut();
        let phase = learn(lock);
        if phase != Phase::Granted {
            queue::unlink(&raw mut (*lock).sibling);
        }
        match phase {
            Phase::Lost => (lock, (*lock).lost, UV_ECANCELED),
            _ => {
                lp.end_request();
                (lock, (*lock).granted, (*lock).status)
            }
        }
    };
    if let Some(cb) = cb {
        // SAFETY: the user's function, with the lock that it was given for.
        cx.call(|| unsafe { cb(lock.cast(), status) });
    }
}

/// The owner gets to know what the lock has come to, since a notice has run: granted, refused, or lost.
///
/// # Safety
/// The lock is the library's.
unsafe fn learn(lock: *mut Lock) -> Phase {
    let _table = table::open();
    // SAFETY: the caller's; the mutex is held.
    unsafe {
        let phase = (*lock).phase;
        (*lock).phase = if phase == Phase::Granted { Phase::Held } else { Phase::Over };
        phase
    }
}

/// `uvx_lock_release`.
///
/// # Safety
/// The lock was requested, and its memory is there. The loop's thread, or any if it has no loop.
pub unsafe fn release(lock: *mut Lock) -> Result {
    let mut due = Due::NOBODY;
    // SAFETY: the caller's. What was decided under the mutex stays so, since the lock is in no queue then.
    unsafe {
        let phase = {
            let table = table::open();
            let phase = if table.knows(lock) { (*lock).phase } else { Phase::Over };
            match phase {
                Phase::Held => table.leave(lock, &mut due),
                Phase::Lost => {}
                _ => return Err(Errno::EINVAL),
            }
            (*lock).phase = Phase::Over;
            phase
        };
        if !(*lock).home.is_null() {
            queue::unlink(&raw mut (*lock).sibling);
        }
        if phase == Phase::Lost && Lock::hears_of_loss(lock) {
            (*lock).notice.withdraw(Loop::new((*lock).home)); // who has stolen it posts it, or has done so
        }
    }
    due.tell();
    Ok(())
}

/// `uvx_lock_cancel`.
///
/// # Safety
/// The lock was requested, and its memory is there. The loop's thread.
pub unsafe fn cancel(lock: *mut Lock) -> Result {
    let mut due = Due::NOBODY;
    // SAFETY: the caller's; the mutex is held. A lock that was granted has its notice on its way, which will say this instead.
    unsafe {
        let table = table::open();
        if !table.knows(lock) || (*lock).home.is_null() {
            return Err(Errno::EINVAL);
        }
        match (*lock).phase {
            Phase::Waiting => {
                Table::refuse(lock, UV_ECANCELED, &mut due);
                table.leave(lock, &mut due);
            }
            Phase::Granted => {
                (*lock).phase = Phase::Refused;
                table.leave(lock, &mut due);
            }
            Phase::Refused => {}
            Phase::Held | Phase::Lost => return Err(Errno::EBUSY),
            Phase::Over => return Err(Errno::EINVAL),
        }
        (*lock).status = UV_ECANCELED;
    }
    due.tell();
    Ok(())
}

/// `uvx_lock_is_held`.
///
/// # Safety
/// The lock was requested, and its memory is there. Any thread.
pub unsafe fn is_held(lock: *const Lock) -> bool {
    let table = table::open();
    // SAFETY: the caller's; the mutex is held.
    unsafe { table.knows(lock) && (*lock).phase == Phase::Held }
}

/// The loop ends: refuses requests from now on, and cancels those that wait, whose callbacks come when it runs.
pub fn close(lp: Loop) {
    lp.internals().locks_closed.set(true);
    // SAFETY: locks in the list are alive, and this loop's.
    for_each_of(lp, |lock| unsafe {
        let _ = cancel(lock); // or it is held
    });
}

/// The loop ends: releases what it holds. No callback of these runs.
pub fn release_all(lp: Loop) {
    // SAFETY: as above.
    for_each_of(lp, |lock| unsafe {
        let _ = release(lock); // or it is not held
    });
}

/// In the child after fork: the loop's locks are the parent's, and their memory is the program's again.
pub fn forget(lp: Loop) {
    // SAFETY: locks in the list are alive; there is no other thread.
    for_each_of(lp, |lock| unsafe {
        (*lock).notice.forget(lp);
        if !matches!((*lock).phase, Phase::Held | Phase::Lost) {
            lp.end_request();
        }
        queue::unlink(&raw mut (*lock).sibling);
    });
}

/// `visit` may take the lock out of the list.
fn for_each_of(lp: Loop, mut visit: impl FnMut(*mut Lock)) {
    let head = lp.locks();
    // SAFETY: locks in the list are alive; only this thread changes it.
    unsafe {
        let mut node = (*head).next;
        while node != head {
            let next = (*node).next;
            visit(Lock::of_sibling(node));
            node = next;
        }
    }
}
