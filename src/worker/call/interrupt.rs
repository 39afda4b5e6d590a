//! How a busy thread is told that a call wants to interrupt it: by the program's hook, at most once until the thread has looked;
//! and that it is to end.

use crate::abi::uvx_interrupt_hook;
use crate::sync::prim::{AtomicBool, Mutex, Ordering, lock};
use core::ffi::c_void;
use core::ptr::null_mut;

/// See the module.
pub struct Interrupt {
    /// The hook ran, and the loop has not looked since.
    requested: AtomicBool,
    /// There is a hook, for all that the loop's thread knows. Others ask under the lock: so who is about to set it sees what was posted, or
    /// whoever posts sees it.
    is_set: AtomicBool,
    /// Held while the hook runs, so that it does not run any more once it was replaced.
    hook: Mutex<(uvx_interrupt_hook, *mut c_void)>,
}

impl Default for Interrupt {
    /// Without a hook.
    fn default() -> Self {
        Interrupt {
            requested: AtomicBool::new(false),
            is_set: AtomicBool::new(false),
            hook: Mutex::new((None, null_mut())),
        }
    }
}

impl Interrupt {
    /// Something was posted that interrupts. Any thread.
    pub fn request(&self) {
        if !self.requested.swap(true, Ordering::AcqRel) {
            self.run_hook();
        }
    }

    /// The thread is to end: the hook runs in any case, for it may have run for something that the thread has just looked for. Any thread.
    pub fn insist(&self) {
        self.run_hook();
    }

    fn run_hook(&self) {
        let hook = lock(&self.hook);
        if let (Some(hook), arg) = *hook {
            // SAFETY: the user's function with the user's pointer. It must not call back, so it needs no `Cx`.
            unsafe { hook(arg) };
        }
    }

    /// The loop is about to look: later requests run the hook again.
    pub fn begin(&self) {
        if self.is_set.load(Ordering::Relaxed) {
            self.requested.swap(false, Ordering::AcqRel);
        }
    }

    /// Sets the hook, or takes it away; then it does not run any more.
    pub fn set(&self, hook: uvx_interrupt_hook, arg: *mut c_void) {
        *lock(&self.hook) = (hook, arg);
        self.is_set.store(hook.is_some(), Ordering::Relaxed);
        self.requested.swap(false, Ordering::AcqRel);
    }
}
