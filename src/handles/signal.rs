//! `uv_signal_t`: runs a callback on the loop's thread for a signal that any thread of the process received.
//!
//! The process-wide registry lists the started handles of each signal. The signal handler counts the signal on each of them
//! (`caught_signals`) and puts those that were at 0 into their loops' mailboxes; the loop takes the count and calls back as often.
//!
//! The registry is guarded by a spin lock that is only ever held with all signals blocked, so the handler can take it too: whoever
//! holds it cannot be interrupted by a handler on its own thread, and is done in a moment.
//!
//! Unlike the reference, nothing is written into a pipe per signal, a signal is never dropped because one is full, and when the
//! last handle of a signal stops, a handler that the program installed itself meanwhile is left alone.

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::event_loop::{Loop, wakeup};
use crate::ptr::{Cx, Handle};
use crate::sync::mailbox::Kind;
use crate::sync::prim::ShortWait;
use crate::sys::{self, signal_mask};
use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::mem::{MaybeUninit, offset_of};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Signals are numbered 1 to 64.
const SIGNALS: usize = 65;

/// What lies over `uv_signal_t.tree_entry`.
#[repr(C)]
struct Links {
    /// In the registry, while started.
    registry: uv__queue,
    /// In the loop's mailbox or ready list, while signals are to be run.
    ready: uv__queue,
}

const _: () = assert!(
    size_of::<Links>() == offset_of!(uv_signal_t, caught_signals) - offset_of!(uv_signal_t, tree_entry)
);

/// The started handles by signal; a queue head whose `next` is null is empty too, so that the table can be a static.
struct Registry {
    locked: AtomicBool,
    started: UnsafeCell<[uv__queue; SIGNALS]>,
    /// The mask of the thread that forks.
    fork_mask: UnsafeCell<MaybeUninit<libc::sigset_t>>,
}

// SAFETY: the cells are only used under the lock.
unsafe impl Sync for Registry {}

static REGISTRY: Registry = Registry {
    locked: AtomicBool::new(false),
    started: UnsafeCell::new([const { uv__queue { next: null_mut(), prev: null_mut() } }; SIGNALS]),
    fork_mask: UnsafeCell::new(MaybeUninit::uninit()),
};

impl Registry {
    /// Only with all signals blocked on this thread.
    fn lock(&self) {
        let mut wait = ShortWait::default();
        while self.locked.swap(true, Ordering::Acquire) {
            wait.step();
        }
    }

    fn unlock(&self) {
        self.locked.store(false, Ordering::Release);
    }

    /// The handles of `signum`. Under the lock.
    fn handles_of(&self, signum: c_int) -> Option<*mut uv__queue> {
        let index = usize::try_from(signum).ok().filter(|index| (1..SIGNALS).contains(index))?;
        // SAFETY: the index is in range, and the caller has the lock.
        unsafe {
            let head = self.started.get().cast::<uv__queue>().add(index);
            if (*head).next.is_null() {
                queue::init(head);
            }
            Some(head)
        }
    }

    /// Runs `f` under the lock, with signals blocked.
    fn with<R>(&self, f: impl FnOnce(&Registry) -> R) -> R {
        let mask = signal_mask::block_all_signals();
        self.lock();
        let result = f(self);
        self.unlock();
        signal_mask::set_signal_mask(&mask);
        result
    }
}

/// `uv_signal_init`.
///
/// # Safety
/// `raw` is writable memory for a signal handle that is not in use.
pub unsafe fn init(cx: &Cx, lp: Loop, raw: *mut uv_signal_t) {
    // SAFETY: the caller's.
    let handle = unsafe { Handle::init(cx, lp, raw) };
    handle.set_signal_cb(None);
    handle.set_signum(0);
    // SAFETY: nobody else has the handle yet.
    unsafe {
        let links = links(raw);
        queue::init(&raw mut (*links).registry);
        (*links).ready.next = null_mut();
        (*links).ready.prev = null_mut();
        (*raw).caught_signals = 0;
        (*raw).dispatched_signals = 0;
    }
}

/// `uv_signal_start` and `uv_signal_start_oneshot`.
pub fn start(handle: Handle<'_, uv_signal_t>, cb: uv_signal_cb, signum: c_int, one_shot: bool) -> Result {
    if handle.is_closing() || !can_be_caught(signum) {
        return Err(Errno::EINVAL);
    }
    if !handle.is_active() || handle.signum() != signum {
        stop(handle);
    }
    let raw = handle.as_ptr();
    REGISTRY.with(|registry| {
        let head = registry.handles_of(signum).ok_or(Errno::EINVAL)?;
        // SAFETY: under the lock; the handle is in no other list of the registry. What cannot be installed leaves it again.
        unsafe {
            let node = &raw mut (*links(raw)).registry;
            (*raw).dispatched_signals = u32::from(one_shot);
            if !handle.is_active() {
                queue::push_back(head, node);
            }
            install(head, signum).inspect_err(|_| queue::unlink(node))
        }
    })?;
    handle.set_signum(signum);
    handle.set_signal_cb(cb);
    handle.activate();
    Ok(())
}

fn can_be_caught(signum: c_int) -> bool {
    (1..SIGNALS as c_int).contains(&signum) && signum != libc::SIGKILL && signum != libc::SIGSTOP
}

/// `uv_signal_stop`. Signals caught before and not yet run are forgotten.
pub fn stop(handle: Handle<'_, uv_signal_t>) {
    if !handle.is_active() {
        return;
    }
    let raw = handle.as_ptr();
    let signum = handle.signum();
    REGISTRY.with(|registry| {
        // SAFETY: under the lock, and an active handle is in the registry.
        unsafe { queue::unlink(&raw mut (*links(raw)).registry) };
        if let Some(head) = registry.handles_of(signum) {
            let _ = install(head, signum); // worked when it was started
        }
    });
    // From here on no signal handler reaches the handle.
    // SAFETY: the handle is alive.
    if unsafe { caught(raw) }.swap(0, Ordering::AcqRel) != 0 {
        // SAFETY: a count above 0 says that the node is in the mailbox or the list.
        unsafe { handle.owner().internals().ready.withdraw(&raw mut (*links(raw)).ready) };
    }
    handle.set_signum(0);
    handle.deactivate();
}

/// Runs the callback of the handle around `node`, once for each signal caught.
///
/// # Safety
/// The node lies in a signal handle that just left the ready list.
pub unsafe fn run(cx: &mut Cx, node: *mut uv__queue) {
    // SAFETY: the caller's; handles in the list are alive.
    let raw = unsafe {
        let links = container_of!(node, Links, ready);
        links.byte_sub(offset_of!(uv_signal_t, tree_entry)).cast::<uv_signal_t>()
    };
    // SAFETY: as above.
    let count = unsafe { caught(raw) }.swap(0, Ordering::AcqRel);
    // SAFETY: as above.
    let signum = unsafe { Handle::new(cx, raw) }.signum();
    for _ in 0..count {
        let cb = {
            // SAFETY: memory of a handle is the library's until its close callback, which runs in another phase.
            let handle = unsafe { Handle::new(cx, raw) };
            if !handle.is_active() || handle.signum() != signum {
                return; // a callback has stopped it
            }
            handle.signal_cb()
        };
        if let Some(cb) = cb {
            // SAFETY: the user's function, with the handle that it was given for.
            cx.call(|| unsafe { cb(raw, signum) });
        }
        // SAFETY: as above.
        let handle = unsafe { Handle::new(cx, raw) };
        if wants_one(handle) {
            stop(handle);
        }
    }
}

/// After fork, in the child: signals of the parent are not run.
pub fn forget(handle: Handle<'_, uv_signal_t>) {
    let raw = handle.as_ptr();
    // SAFETY: the handle is alive; with a count its node is in the list, into which the mailbox was emptied.
    unsafe {
        if caught(raw).swap(0, Ordering::AcqRel) != 0 {
            handle.owner().internals().ready.unlink(&raw mut (*links(raw)).ready);
        }
    }
}

/// Makes the process's disposition fit the handles that wait for `signum`. Under the lock.
fn install(head: *mut uv__queue, signum: c_int) -> Result {
    // SAFETY: zeroed is a valid sigaction; the calls read and write live structs.
    unsafe {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        let ours = on_signal as *const () as libc::sighandler_t;
        if queue::is_empty(head) {
            let mut current = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
            sys::check(libc::sigaction(signum, core::ptr::null(), &raw mut current))?;
            if current.sa_sigaction != ours {
                return Ok(()); // the program's own by now
            }
            action.sa_sigaction = libc::SIG_DFL;
        } else {
            action.sa_sigaction = ours;
            action.sa_flags = libc::SA_RESTART;
            if all_one_shot(head) {
                action.sa_flags |= libc::SA_RESETHAND;
            }
            libc::sigfillset(&raw mut action.sa_mask);
        }
        sys::check(libc::sigaction(signum, &raw const action, null_mut())).map(|_| ())
    }
}

/// # Safety
/// `head` is an initialised queue of the registry, under the lock.
unsafe fn all_one_shot(head: *mut uv__queue) -> bool {
    // SAFETY: the caller's: its nodes lie in live handles.
    unsafe {
        let mut node = (*head).next;
        while node != head {
            if (*handle_of(node)).dispatched_signals == 0 {
                return false;
            }
            node = (*node).next;
        }
        true
    }
}

extern "C" fn on_signal(signum: c_int) {
    // All signals are blocked by the action's mask.
    REGISTRY.lock();
    if let Some(head) = REGISTRY.handles_of(signum) {
        // SAFETY: handles in the registry are alive and stay so while the lock is held; their nodes may be put in by
        // whoever raises the count from 0.
        unsafe {
            let mut node = (*head).next;
            while node != head {
                let raw = handle_of(node);
                if caught(raw).fetch_add(1, Ordering::AcqRel) == 0 {
                    let target = (&raw const (*raw).handle.loop_).read();
                    wakeup::post(target, &raw mut (*links(raw)).ready, Kind::Signal);
                }
                node = (*node).next;
            }
        }
    }
    REGISTRY.unlock();
}

/// On the thread that forks: nobody else may be changing the registry then.
pub fn before_fork() {
    let mask = signal_mask::block_all_signals();
    REGISTRY.lock();
    // SAFETY: under the lock.
    unsafe { (*REGISTRY.fork_mask.get()).write(mask) };
}

/// In the parent and in the child.
pub fn after_fork() {
    // SAFETY: under the lock, which `before_fork` took on this thread (or on the thread that this child's is a copy of).
    let mask = unsafe { (*REGISTRY.fork_mask.get()).assume_init_read() };
    REGISTRY.unlock();
    signal_mask::set_signal_mask(&mask);
}

/// Whether the handle wants one signal only. That stands in the otherwise unused `dispatched_signals`, which, unlike the flags, is
/// written under the lock alone, so that handlers and other loops' threads may read it there.
fn wants_one(handle: Handle<'_, uv_signal_t>) -> bool {
    // SAFETY: the handle is alive, and this is its thread, the only one that writes the field.
    unsafe { (&raw const (*handle.as_ptr()).dispatched_signals).read() != 0 }
}

/// # Safety
/// `node` is the registry node of a live handle.
unsafe fn handle_of(node: *mut uv__queue) -> *mut uv_signal_t {
    // SAFETY: the caller's; the links lie over the tree entry.
    unsafe {
        let links = container_of!(node, Links, registry);
        links.byte_sub(offset_of!(uv_signal_t, tree_entry)).cast()
    }
}

/// # Safety
/// `raw` is a live handle.
unsafe fn links(raw: *mut uv_signal_t) -> *mut Links {
    // SAFETY: the assertion above.
    unsafe { (&raw mut (*raw).tree_entry).cast() }
}

/// # Safety
/// `raw` is a handle that is alive for `'a`.
unsafe fn caught<'a>(raw: *mut uv_signal_t) -> &'a AtomicU32 {
    // SAFETY: the caller's; after init the word is only used as an atomic.
    unsafe { AtomicU32::from_ptr(&raw mut (*raw).caught_signals) }
}
