//! Workers: threads with a loop and a channel to the loop that started them. `docs/uvx/workers.md` tells of their life.
//!
//! `start` makes all that can fail on the thread of the parent loop, so that it can say so; `thread` is the worker's own thread from its
//! first to its last act; `exit` is the end as the parent loop sees it. A [`Worker`] belongs to its parent loop, which cannot be
//! closed before it has seen the exit; other threads keep one by a reference of their own.

pub mod env_data;
mod exit;
pub mod life;
mod start;
mod thread;

pub use start::{Plan, start};
pub use thread::{current, finish_closing, wind_up};

use super::call::Calls;
use super::port::{Hold, Port};
use super::receive;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::event_loop::notice::Notice;
use crate::mem::Counted;
use crate::sync::prim::Ordering;
use crate::sync::roster::{Entry, Listed, Roster};
use crate::sys;
use core::cell::{Cell, UnsafeCell};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::null;
use core::sync::atomic::AtomicI32;
use env_data::Map;
use life::Life;

/// See the module.
pub struct Worker {
    /// What `start` has set.
    plan: Plan,
    name: [c_char; 16],
    parent: *mut uv_loop_t,
    /// The parent loop's calls, for replies; none if they were closed.
    replies: Option<Counted<Calls>>,
    /// The worker's own.
    calls: Counted<Calls>,
    own_loop: UnsafeCell<uv_loop_t>,
    /// The numbers of the worker's loop and of the parent loop (`census.rs`).
    loop_id: Cell<u64>,
    parent_id: u64,
    /// The parent's end of the channel, and the worker's.
    near: Hold,
    far: Hold,

    /// For any thread.
    life: Life,
    tid: AtomicI32,
    exit_notice: Notice,
    stop_notice: Notice,
    entry: Entry<Worker>,

    /// For the parent loop's thread.
    thread: UnsafeCell<uv_thread_t>,
    port_taken: Cell<bool>,
    referenced: Cell<bool>,
    /// Counted in the parent loop's `active_handles`.
    counted: Cell<bool>,
    next: Cell<*const Worker>,
    previous: Cell<*const Worker>,

    /// For the worker's thread.
    env_data: Map,
}

/// All workers that were started and are still there.
pub static WORKERS: Roster<Worker> = Roster::new();

impl Listed for Worker {
    fn entry(&self) -> &Entry<Worker> {
        &self.entry
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        WORKERS.leave(self);
    }
}

/// A reference to each worker whose exit callback was not called yet, the newest first.
pub fn each() -> impl Iterator<Item = Counted<Worker>> {
    WORKERS.walk(|worker| {
        let is_there = worker.life.state() != UVX_WORKER_GONE;
        // SAFETY: workers in the roster are counted; one that is being dropped waits to leave it.
        is_there.then(|| unsafe { Counted::revive(core::ptr::from_ref(worker).cast_mut()) }).flatten()
    })
}

/// For any thread that has a reference.
impl Worker {
    /// `uvx_worker_stop`. `UV_EALREADY` if it was decided before how the worker ends.
    pub fn stop(&self, code: c_int) -> Result {
        // SAFETY: the loop is there, and nobody else posts the notice: there is one decision.
        let tell = || unsafe { Notice::post(&raw const self.stop_notice, self.own_loop.get(), 0) };
        if !self.life.stop(code, tell) {
            return Err(Errno::EALREADY);
        }
        self.calls.insist_on_interrupt();
        receive::interrupt(&self.far);
        self.far.end_waits();
        Ok(())
    }

    /// `uvx_worker_join`. `UV_EINVAL` in the worker itself.
    pub fn join(&self, timeout_ns: u64) -> Result {
        if core::ptr::eq(current(), self) {
            return Err(Errno::EINVAL);
        }
        self.life.wait_for_end(timeout_ns)
    }

    /// `uvx_worker_interrupt`.
    ///
    /// # Safety
    /// As for [`Calls::call`].
    pub unsafe fn interrupt(
        &self,
        call: *mut uvx_loop_call_t,
        cb: uvx_loop_call_cb,
        reply_cb: uvx_loop_call_cb,
    ) -> Result {
        // SAFETY: the caller's.
        unsafe {
            if reply_cb.is_none() {
                return self.calls.call(call, cb, UVX_CALL_INTERRUPT);
            }
            let home = self.replies.as_ref().ok_or(Errno::ESHUTDOWN)?;
            self.calls.call_reply(call, cb, home, reply_cb, UVX_CALL_INTERRUPT)
        }
    }

    /// The worker's calls.
    pub fn calls(&self) -> &Counted<Calls> {
        &self.calls
    }

    /// A number that no other worker of the process has or had.
    pub fn id(&self) -> u64 {
        self.entry.id()
    }

    /// What its thread is called.
    pub fn name(&self) -> &CStr {
        // SAFETY: a string, from `short_name`.
        unsafe { CStr::from_ptr(self.name.as_ptr()) }
    }

    /// How far it is.
    pub fn state(&self) -> uvx_worker_state {
        self.life.state()
    }

    /// The system's number for its thread; -1: it has not begun.
    pub fn tid(&self) -> i32 {
        self.tid.load(Ordering::Relaxed)
    }

    /// The number of its loop, and of the one that it was started from.
    pub fn loop_ids(&self) -> (u64, u64) {
        (self.loop_id.get(), self.parent_id)
    }

    /// The program's pointer.
    pub fn data(&self) -> *mut c_void {
        self.plan.data
    }

    /// For `uvx_worker_info`.
    pub fn info(&self) -> uvx_worker_info_t {
        let mut info = uvx_worker_info_t {
            size: size_of::<uvx_worker_info_t>(),
            id: self.id(),
            state: self.life.state(),
            tid: -1,
            name: self.name,
            stack_size: self.plan.stack_size,
            started_ns: self.life.started_ns(),
            idle_ns: u64::MAX,
            cpu_ns: u64::MAX,
            exit: self.life.exit(),
        };
        self.life.while_open(|| {
            let tid = self.tid.load(Ordering::Relaxed);
            if tid == -1 {
                return;
            }
            info.tid = tid;
            info.cpu_ns = sys::time::thread_cpu_ns(tid).unwrap_or(u64::MAX);
            if self.plan.measures_idle() {
                // SAFETY: the loop is there; its idle time is for any thread.
                info.idle_ns = unsafe { Loop::new(self.own_loop.get()) }.internals().metrics.idle_ns();
            }
        });
        info
    }
}

/// For the parent loop's thread.
impl Worker {
    /// The parent's end of the channel.
    pub fn port(&self) -> &Port {
        &self.near
    }

    /// `uvx_worker_take_port`.
    pub fn take_port(&self) -> &Port {
        self.port_taken.set(true);
        self.near.pinned.store(false, Ordering::Relaxed);
        &self.near
    }

    /// `uvx_worker_ref` and `uvx_worker_unref`.
    pub fn set_referenced(&self, referenced: bool) {
        self.referenced.set(referenced);
        if self.life.state() != UVX_WORKER_GONE {
            self.count_alive(referenced);
        }
    }

    /// Whether the worker is to keep its parent loop alive.
    pub fn is_referenced(&self) -> bool {
        self.referenced.get()
    }

    fn parent(&self) -> Loop {
        // SAFETY: a loop with workers is not closed.
        unsafe { Loop::new(self.parent) }
    }

    fn count_alive(&self, alive: bool) {
        if self.counted.replace(alive) != alive {
            let active = self.parent().active_handles();
            self.parent().set_active_handles(if alive {
                active.wrapping_add(1)
            } else {
                active.wrapping_sub(1)
            });
        }
    }

    /// Enters the parent loop's list of workers.
    fn link(&self) {
        let first = self.parent().internals().workers.replace(core::ptr::from_ref(self).cast());
        let first = first.cast::<Worker>();
        self.next.set(first);
        if !first.is_null() {
            // SAFETY: workers leave the list before they go, on this thread.
            unsafe { (*first).previous.set(self) };
        }
    }

    /// Leaves the parent loop's list of workers.
    fn unlink(&self) {
        let (previous, next) = (self.previous.get(), self.next.get());
        // SAFETY: as in `link`, also for the neighbours.
        unsafe {
            match previous.is_null() {
                true => self.parent().internals().workers.set(next.cast()),
                false => (*previous).next.set(next),
            }
            if !next.is_null() {
                (*next).previous.set(previous);
            }
        }
    }
}

/// For the worker's thread.
impl Worker {
    /// The worker's loop.
    pub fn own_loop(&self) -> *mut uv_loop_t {
        self.own_loop.get()
    }

    /// The worker's end of the channel.
    pub fn own_port(&self) -> &Port {
        &self.far
    }

    /// `uvx_worker_exit`.
    pub fn exit(&self, code: c_int) {
        self.life.decide(UVX_WORKER_EXITED, code);
        // SAFETY: the worker's thread, in one of its callbacks.
        unsafe { Loop::new(self.own_loop.get()) }.set_stop_flag(1);
    }

    /// `uvx_worker_stopping`. Any thread.
    pub fn is_stopping(&self) -> bool {
        self.life.is_decided()
    }
}

fn for_each_of(lp: Loop, mut visit: impl FnMut(&Worker)) {
    let mut at = lp.internals().workers.get().cast::<Worker>();
    // SAFETY: workers in the list are alive; they leave it on this thread, and nothing here lets them.
    while let Some(worker) = unsafe { at.as_ref() } {
        visit(worker);
        at = worker.next.get();
    }
}

/// `uvx_workers_stop_all`: stops all workers of the loop, which stays alive until they have exited.
pub fn stop_all(lp: Loop, code: c_int) {
    for_each_of(lp, |worker| {
        worker.set_referenced(true);
        let _ = worker.stop(code); // or it ends already
    });
}

/// In the child after fork: the threads are the parent's. Their memory is left alone.
pub fn forget(lp: Loop) {
    for_each_of(lp, |worker| {
        worker.exit_notice.forget(lp);
        worker.count_alive(false);
    });
    lp.internals().workers.set(null());
}
