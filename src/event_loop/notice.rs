//! A notice: a node for a loop's mailbox that brings its own function. What belongs to no handle, and is not the loop's to know, has
//! itself run on the loop's thread by one.

use super::{Loop, wakeup};
use crate::abi::uv__queue;
use crate::ptr::Cx;
use crate::sync::mailbox::Kind;
use core::cell::UnsafeCell;
use core::ptr::null_mut;

/// Runs on the loop's thread, when the notice has left the loop's list and could be posted again.
pub type Run = unsafe fn(&mut Cx, Loop, *const Notice);

/// See the module. Whoever posts one sees to it that it is in at most one loop, once.
#[repr(C)]
pub struct Notice {
    node: UnsafeCell<uv__queue>,
    run: Run,
}

impl Notice {
    /// A notice for `run`, posted nowhere.
    pub const fn new(run: Run) -> Notice {
        Notice { node: UnsafeCell::new(uv__queue { next: null_mut(), prev: null_mut() }), run }
    }

    /// Has the notice run by the loop, which is woken if need be. The poster was woken `late` ns late for it (0: not).
    ///
    /// # Safety
    /// The loop, and the notice, which is in no loop, are alive until it ran or was withdrawn: so it may be gone before this returns,
    /// and is no reference. Any thread.
    pub unsafe fn post(notice: *const Notice, target: *const crate::abi::uv_loop_t, late: u64) {
        // SAFETY: the caller's; nothing looks at the notice once the node is in.
        unsafe {
            let node = UnsafeCell::raw_get(&raw const (*notice).node);
            wakeup::post_late(target, node, Kind::Notice, late);
        }
    }

    /// Takes the notice back, from the loop's thread.
    ///
    /// # Safety
    /// Somebody has posted it to this loop, or will at once, and it has not run.
    pub unsafe fn withdraw(&self, lp: Loop) {
        // SAFETY: the caller's.
        unsafe { lp.internals().ready.withdraw(self.node.get()) };
    }

    /// After fork, in the child: takes the notice back if it was posted; its poster may be gone.
    pub fn forget(&self, lp: Loop) {
        let node = self.node.get();
        // SAFETY: in the child there is no other thread, so the node is in the list or in nothing.
        unsafe {
            if !(*node).prev.is_null() {
                lp.internals().ready.unlink(node);
            }
        }
    }
}

/// Runs the notice around `node`.
///
/// # Safety
/// The node is a notice's, and just left the loop's list.
pub unsafe fn run(cx: &mut Cx, lp: Loop, node: *mut uv__queue) {
    let notice = node.cast_const().cast::<Notice>(); // which begins with its node
    // SAFETY: the caller's; the notice is alive until it runs.
    unsafe { ((*notice).run)(cx, lp, notice) };
}
