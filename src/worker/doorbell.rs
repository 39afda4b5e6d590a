//! Who is to be told that something waits in an inbox: the loop that the port is attached to, or a thread inside `receive`.
//!
//! It rings once per burst, when a poster replaced `Asleep` in the mailbox, or when somebody insists. The lock keeps the loop in
//! place while it is being told: a port leaves its loop under the same lock. `scheduled` keeps the port's one node from
//! being put into the loop's mailbox twice: whoever sets it puts the node in, and the loop clears it when it takes the node out.

use crate::abi::uv_loop_t;
use crate::sync::prim::{AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering, lock};
use core::ptr::null_mut;

/// See the module.
#[repr(C, align(128))]
pub struct Doorbell {
    /// The loop, or null: a thread that waits in `receive`, if anybody.
    owner: Mutex<*mut uv_loop_t>,
    scheduled: AtomicBool,
    rings: AtomicU64,
}

impl Default for Doorbell {
    /// Without a loop.
    fn default() -> Self {
        Doorbell {
            owner: Mutex::new(null_mut()),
            scheduled: AtomicBool::new(false),
            rings: AtomicU64::new(0),
        }
    }
}

impl Doorbell {
    /// Tells the owner. `schedule` puts the port's node into the loop's mailbox, `wake` wakes a thread. Any thread.
    pub fn ring(&self, schedule: impl FnOnce(*mut uv_loop_t), wake: impl FnOnce()) {
        let owner = self.owner();
        if owner.is_null() {
            drop(owner);
            self.rings.fetch_add(1, Ordering::Relaxed);
            wake();
        } else if self.begin_scheduling() {
            self.rings.fetch_add(1, Ordering::Relaxed);
            schedule(*owner);
        }
    }

    /// The owner, who cannot change while this is held.
    pub fn owner(&self) -> MutexGuard<'_, *mut uv_loop_t> {
        lock(&self.owner)
    }

    /// Changes the owner; true if the port's node is in the old one's mailbox or list, and must be taken out.
    pub fn set_owner(&self, owner: *mut uv_loop_t) -> bool {
        let mut guard = self.owner();
        *guard = owner;
        self.scheduled.swap(false, Ordering::AcqRel)
    }

    /// Another owner for a while, of the same thread; what is scheduled stays so. Returns the old one.
    pub fn lend(&self, owner: *mut uv_loop_t) -> *mut uv_loop_t {
        core::mem::replace(&mut *self.owner(), owner)
    }

    /// True: the caller must put the node into the loop's mailbox.
    pub fn begin_scheduling(&self) -> bool {
        !self.scheduled.swap(true, Ordering::AcqRel)
    }

    /// The loop has taken the node out. What was done before ringing is seen by what comes after this.
    pub fn end_scheduling(&self) {
        self.scheduled.swap(false, Ordering::AcqRel);
    }

    /// How often anybody was told.
    pub fn rings(&self) -> u64 {
        self.rings.load(Ordering::Relaxed)
    }
}
