//! The process-wide registry: who waits for which signal, the signal handler, and the disposition that fits.
//!
//! Signal handles and the hooks of signal wakes (`worker/service/sigwake.rs`) share one handler, so that neither takes a signal from the other.
//!
//! The registry is guarded by a spin lock that is only ever held with all signals blocked, so the handler can take it too: whoever
//! holds it cannot be interrupted by a handler on its own thread, and is done in a moment.
//!
//! Unlike the reference, when the last one that waits for a signal goes, a handler that the program installed itself meanwhile is left
//! alone; and what a hook has replaced comes back.

use super::{Links, caught, links};
use crate::abi::errno::{Errno, Result};
use crate::abi::{uv__queue, uv_signal_t};
use crate::ds::queue;
use crate::event_loop::wakeup;
use crate::sync::mailbox::Kind;
use crate::sync::prim::ShortWait;
use crate::sys::{self, signal_mask};
use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::mem::{MaybeUninit, offset_of};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, Ordering};

/// Signals are numbered 1 to 64.
const SIGNALS: usize = 65;

/// What the handler does for a signal wake: notes the signal, and rings.
pub struct Hook {
    /// Nobody has looked since.
    posted: AtomicBool,
    /// Has somebody look; async-signal-safe.
    ring: fn(),
    /// The next hook for the same signal. The registry's.
    next: *mut Hook,
}

impl Hook {
    /// A hook in no list.
    pub fn new(ring: fn()) -> Hook {
        Hook { posted: AtomicBool::new(false), ring, next: null_mut() }
    }

    /// Notes a post. Any thread, and signal handlers.
    pub fn post(&self) {
        if !self.posted.swap(true, Ordering::AcqRel) {
            (self.ring)();
        }
    }

    /// Whether something was posted since the last call of this.
    pub fn take(&self) -> bool {
        self.posted.load(Ordering::Relaxed) && self.posted.swap(false, Ordering::AcqRel)
    }
}

/// What there is for one signal.
pub struct Entry {
    /// The started handles. A head whose `next` is null is empty too, so that the table can be a static.
    handles: uv__queue,
    /// The hooks, the newest first.
    hooks: *mut Hook,
    /// The last disposition that a hook has replaced.
    before: Option<libc::sigaction>,
}

pub(super) struct Registry {
    locked: AtomicBool,
    entries: UnsafeCell<[Entry; SIGNALS]>,
    /// The mask of the thread that forks.
    fork_mask: UnsafeCell<MaybeUninit<libc::sigset_t>>,
}

// SAFETY: the cells are only used under the lock.
unsafe impl Sync for Registry {}

static REGISTRY: Registry = Registry {
    locked: AtomicBool::new(false),
    entries: UnsafeCell::new(
        [const {
            Entry {
                handles: uv__queue { next: null_mut(), prev: null_mut() },
                hooks: null_mut(),
                before: None,
            }
        }; SIGNALS],
    ),
    fork_mask: UnsafeCell::new(MaybeUninit::uninit()),
};

/// Runs `f` under the lock, with signals blocked.
pub(super) fn with<R>(f: impl FnOnce(&Registry) -> R) -> R {
    let mask = signal_mask::block_all_signals();
    REGISTRY.lock();
    let result = f(&REGISTRY);
    REGISTRY.unlock();
    signal_mask::set_signal_mask(&mask);
    result
}

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

    /// What there is for `signum`. Under the lock.
    fn entry(&self, signum: c_int) -> Option<*mut Entry> {
        let index = usize::try_from(signum).ok().filter(|index| (1..SIGNALS).contains(index))?;
        // SAFETY: the index is in range, and the caller has the lock.
        unsafe {
            let entry = self.entries.get().cast::<Entry>().add(index);
            if (*entry).handles.next.is_null() {
                queue::init(&raw mut (*entry).handles);
            }
            Some(entry)
        }
    }

    /// The started handles of `signum`. Under the lock.
    pub(super) fn handles_of(&self, signum: c_int) -> Option<*mut uv__queue> {
        // SAFETY: a projection inside the static table.
        self.entry(signum).map(|entry| unsafe { &raw mut (*entry).handles })
    }

    /// Makes the process's disposition fit what waits for `signum`. Under the lock.
    pub(super) fn install(&self, signum: c_int) -> Result {
        let entry = self.entry(signum).ok_or(Errno::EINVAL)?;
        let ours = on_signal as *const () as libc::sighandler_t;
        // SAFETY: under the lock. Zeroed is a valid sigaction; the calls read and write live structs.
        unsafe {
            let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
            let has_handles = !queue::is_empty(&raw const (*entry).handles);
            if !has_handles && (*entry).hooks.is_null() {
                action = (*entry).before.take().unwrap_or(action); // zeroed: the default
                if current(signum)?.sa_sigaction != ours {
                    return Ok(()); // the program's own by now
                }
            } else {
                action.sa_sigaction = ours;
                action.sa_flags = libc::SA_RESTART;
                if (*entry).hooks.is_null() && all_one_shot(&raw mut (*entry).handles) {
                    action.sa_flags |= libc::SA_RESETHAND;
                }
                libc::sigfillset(&raw mut action.sa_mask);
            }
            sys::check(libc::sigaction(signum, &raw const action, null_mut())).map(|_| ())
        }
    }
}

fn current(signum: c_int) -> Result<libc::sigaction> {
    // SAFETY: zeroed is a valid sigaction, which the call writes.
    unsafe {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        sys::check(libc::sigaction(signum, core::ptr::null(), &raw mut action))?;
        Ok(action)
    }
}

/// Whether a program may wait for this signal.
pub fn can_be_caught(signum: c_int) -> bool {
    (1..SIGNALS as c_int).contains(&signum) && signum != libc::SIGKILL && signum != libc::SIGSTOP
}

/// From here on `signum` is noted on `hook`.
///
/// # Safety
/// The hook is in no list, and alive until it is removed.
pub unsafe fn add_hook(hook: *mut Hook, signum: c_int) -> Result {
    with(|registry| {
        let entry = registry.entry(signum).ok_or(Errno::EINVAL)?;
        let found = current(signum)?;
        // SAFETY: the caller's; under the lock.
        unsafe {
            if found.sa_sigaction != on_signal as *const () as libc::sighandler_t {
                (*entry).before = Some(found); // the program's, also if it came after other hooks
            }
            (*hook).next = (*entry).hooks;
            (*entry).hooks = hook;
            registry.install(signum).inspect_err(|_| (*entry).hooks = (*hook).next)
        }
    })
}

/// From here on `signum` is not noted on `hook`, and no signal handler touches it.
///
/// # Safety
/// The hook was added for this signal.
pub unsafe fn remove_hook(hook: *mut Hook, signum: c_int) {
    with(|registry| {
        let Some(entry) = registry.entry(signum) else { return };
        // SAFETY: hooks in the list are alive; under the lock.
        unsafe {
            let mut at = &raw mut (*entry).hooks;
            while !(*at).is_null() && *at != hook {
                at = &raw mut (**at).next;
            }
            if !(*at).is_null() {
                *at = (*hook).next;
            }
        }
        let _ = registry.install(signum); // worked when it was added
    });
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
    if let Some(entry) = REGISTRY.entry(signum) {
        // SAFETY: handles and hooks in the registry are alive and stay so while the lock is held; the handles' nodes may be put in by
        // whoever raises the count from 0.
        unsafe {
            let head = &raw mut (*entry).handles;
            let mut node = (*head).next;
            while node != head {
                let raw = handle_of(node);
                if caught(raw).fetch_add(1, Ordering::AcqRel) == 0 {
                    let target = (&raw const (*raw).handle.loop_).read();
                    wakeup::post(target, &raw mut (*links(raw)).ready, Kind::Signal);
                }
                node = (*node).next;
            }
            let mut hook = (*entry).hooks;
            while !hook.is_null() {
                (*hook).post();
                hook = (*hook).next;
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

/// In the child: it has no hooks, and signals do what they did before, from the first one on that comes.
pub fn after_fork_in_child() {
    for signum in 1..SIGNALS as c_int {
        let Some(entry) = REGISTRY.entry(signum) else { continue };
        // SAFETY: under the lock, which is this thread's copy of the one that `before_fork` took.
        if unsafe { !core::mem::replace(&mut (*entry).hooks, null_mut()).is_null() } {
            let _ = REGISTRY.install(signum); // worked when the hook was added
        }
    }
    after_fork();
}

/// In the parent.
pub fn after_fork() {
    // SAFETY: under the lock, which `before_fork` took on this thread (or on the thread that this child's is a copy of).
    let mask = unsafe { (*REGISTRY.fork_mask.get()).assume_init_read() };
    REGISTRY.unlock();
    signal_mask::set_signal_mask(&mask);
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
