//! Waiting until nothing of some priorities waits or runs: `uvx_task_runner_drain`.
//!
//! With a loop to pump, the loop runs while its thread waits here, so that jobs may wait for what they post to it. The wait is over
//! when the jobs are, and the loop has run all calls that were posted to it: whatever a job has posted, it posted before it was over.

use super::job::Lane;
use super::{Pool, State, thread};
use crate::abi::errno::{Errno, Result};
use crate::abi::uv_loop_t;
use crate::event_loop::notice::Notice;
use crate::event_loop::{Loop, run};
use crate::ptr::Cx;
use crate::sync::prim::{AtomicU32, Ordering, lock};
use crate::sys::futex;
use crate::sys::time::{Deadline, now_ns};
use crate::worker::call::request;
use core::ffi::c_int;
use core::ptr::null_mut;

/// Somebody who waits. It lies on its thread's stack, and in the pool's list while it does.
pub struct Drain {
    least: Lane,
    /// Null: the thread sleeps on `told`.
    pump: *mut uv_loop_t,
    /// Changes when the jobs may be over.
    told: AtomicU32,
    /// The loop is told by this.
    notice: Notice,
    /// The notice is in the loop's mailbox. The mutex's, as the next.
    posted: bool,
    next: *mut Drain,
}

impl State {
    /// Jobs were finished or taken out: tells those who wait for that.
    pub fn tell_drains(&mut self) {
        let mut at = self.drains;
        while !at.is_null() {
            // SAFETY: a drain leaves the list, under the mutex, before it goes; its loop is its own thread's, which waits.
            unsafe {
                if self.lanes.are_done((*at).least) {
                    tell(at);
                }
                at = (*at).next;
            }
        }
    }
}

/// # Safety
/// The mutex is held, and the drain in the list.
unsafe fn tell(drain: *mut Drain) {
    // SAFETY: the caller's.
    unsafe {
        if (*drain).pump.is_null() {
            (*drain).told.fetch_add(1, Ordering::Release);
            futex::wake(&raw const (*drain).told);
        } else if !(*drain).posted {
            (*drain).posted = true;
            Notice::post(&raw const (*drain).notice, (*drain).pump, 0);
        }
    }
}

/// The notice has woken the loop, which is all it is for.
fn heard(_cx: &mut Cx, _lp: Loop, notice: *const Notice) {
    // SAFETY: the notice lies in a drain, whose thread this is.
    unsafe { (*container_of!(notice, Drain, notice)).told.fetch_add(1, Ordering::Relaxed) };
}

impl Pool {
    /// Waits. `UV_ETIMEDOUT`; `UV_EINVAL` on a thread of the pool; `UV_EINTR` when the loop is to stop.
    pub fn drain(&self, cx: &mut Cx, least: Lane, timeout_ns: u64, pump: Option<Loop>) -> Result {
        if thread::is_of(self) {
            return Err(Errno::EINVAL);
        }
        let deadline = Deadline::after(timeout_ns);
        let mut drain = Drain {
            least,
            pump: pump.map_or(null_mut(), Loop::as_ptr),
            told: AtomicU32::new(0),
            notice: Notice::new(heard),
            posted: false,
            next: null_mut(),
        };
        let drain = &raw mut drain;
        // SAFETY: it stays here until it has left the list.
        unsafe {
            self.enter(drain);
            let result = match pump {
                Some(lp) => self.drain_pumping(cx, drain, lp, deadline),
                None => self.drain_sleeping(drain, deadline),
            };
            self.leave(drain, pump);
            result
        }
    }

    /// # Safety
    /// The drain is this thread's, and in the list; so below.
    unsafe fn drain_sleeping(&self, drain: *const Drain, deadline: Deadline) -> Result {
        // SAFETY: the caller's.
        let (told, least) = unsafe { (&(*drain).told, (*drain).least) };
        loop {
            let seen = told.load(Ordering::Acquire);
            if self.state_at(now_ns()).lanes.are_done(least) {
                return Ok(());
            }
            futex::wait(told, seen, deadline.left()?);
        }
    }

    /// # Safety
    /// As above.
    unsafe fn drain_pumping(&self, cx: &mut Cx, drain: *mut Drain, lp: Loop, deadline: Deadline) -> Result {
        loop {
            // SAFETY: the caller's.
            let is_done = unsafe { self.look(drain) };
            if is_done && !request::wait_for(lp) {
                return Ok(());
            }
            let left = deadline.left()?;
            if lp.stop_flag() != 0 {
                return Err(Errno::EINTR);
            }
            let most = if is_done { 0 } else { left.map_or(-1, whole_ms) };
            lp.begin_request(); // without one the loop might see no reason to wait
            run::turn_within(cx, lp, most);
            lp.end_request();
        }
    }

    /// Whether the jobs are over; if not, the notice tells of it.
    ///
    /// # Safety
    /// As above.
    unsafe fn look(&self, drain: *mut Drain) -> bool {
        let state = self.state_at(now_ns());
        // SAFETY: the caller's; the mutex is held.
        unsafe {
            if (*drain).told.swap(0, Ordering::Relaxed) != 0 {
                (*drain).posted = false;
            }
            state.lanes.are_done((*drain).least)
        }
    }

    /// # Safety
    /// The drain stays where it is until `leave`.
    unsafe fn enter(&self, drain: *mut Drain) {
        let mut state = lock(&self.state);
        // SAFETY: the caller's.
        unsafe { (*drain).next = state.drains };
        state.drains = drain;
    }

    /// # Safety
    /// The drain is in the list, this thread's, and its loop this.
    unsafe fn leave(&self, drain: *mut Drain, pump: Option<Loop>) {
        let mut state = lock(&self.state);
        // SAFETY: those in the list are alive.
        unsafe {
            let mut link = &raw mut state.drains;
            while *link != drain {
                link = &raw mut (**link).next;
            }
            *link = (*drain).next;
            drop(state);
            if let Some(lp) = pump
                && (*drain).posted
                && (*drain).told.load(Ordering::Relaxed) == 0
            {
                (*drain).notice.withdraw(lp);
            }
        }
    }
}

fn whole_ms(ns: u64) -> c_int {
    c_int::try_from(ns.div_ceil(1_000_000)).unwrap_or(c_int::MAX)
}
