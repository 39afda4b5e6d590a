//! The loop's timers: a hierarchical wheel (`ds/wheel.rs`) behind the reference's rules.
//!
//! They run in the order of due time, then of start. Those that are due are taken out of the wheel first and run then, so a timer that is
//! started by a callback, even with timeout 0, waits for the next pass. All times are ms of the loop's clock, which stands still
//! between `update_time`s.

use super::Loop;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::ds::wheel::{self, TimerNode};
use crate::ptr::{Cx, Handle};
use crate::trace::own::Span;
use core::mem::offset_of;
use core::ptr::null_mut;

// The wheel's node lies over the end of `uv_timer_t`.
const _: () = {
    let node = offset_of!(uv_timer_t, node);
    assert!(node + offset_of!(TimerNode, due) == offset_of!(uv_timer_t, timeout));
    assert!(node + offset_of!(TimerNode, order) == offset_of!(uv_timer_t, start_id));
    assert!(node + size_of::<TimerNode>() == size_of::<uv_timer_t>());
};

/// `uv_timer_init`.
///
/// # Safety
/// `raw` is writable memory for a timer that is no handle in use.
pub unsafe fn init(cx: &Cx, lp: Loop, raw: *mut uv_timer_t) {
    // SAFETY: the caller's.
    let timer = unsafe { Handle::init(cx, lp, raw) };
    timer.set_timer_cb(None);
    timer.set_timeout(0);
    timer.set_repeat(0);
    timer.set_start_id(0);
}

/// `uv_timer_start`.
pub fn start(timer: Handle<'_, uv_timer_t>, cb: uv_timer_cb, timeout: u64, repeat: u64) -> Result {
    if cb.is_none() || timer.is_closing() {
        return Err(Errno::EINVAL);
    }
    stop(timer);
    let lp = timer.owner();
    timer.set_timer_cb(cb);
    timer.set_timeout(lp.time().saturating_add(timeout));
    timer.set_repeat(repeat);
    timer.set_start_id(lp.timer_counter());
    lp.set_timer_counter(lp.timer_counter().wrapping_add(1));
    // SAFETY: the node is the timer's and, since it was stopped, in no wheel.
    unsafe { wheel::insert(lp.timers(), node(timer)) };
    timer.activate();
    Ok(())
}

/// `uv_timer_stop`.
pub fn stop(timer: Handle<'_, uv_timer_t>) {
    if timer.is_active() {
        // SAFETY: an active timer is in its loop's wheel, or among the expired ones of the pass that is running.
        unsafe { wheel::remove(timer.owner().timers(), node(timer)) };
        timer.deactivate();
    }
}

/// `uv_timer_again`.
pub fn again(timer: Handle<'_, uv_timer_t>) -> Result {
    let cb = timer.timer_cb();
    if cb.is_none() {
        return Err(Errno::EINVAL); // never started
    }
    let repeat = timer.repeat();
    if repeat != 0 {
        stop(timer);
        return start(timer, cb, repeat, repeat);
    }
    Ok(())
}

/// `uv_timer_get_due_in`: ms from the loop's now; 0 when it is over.
pub fn due_in(timer: Handle<'_, uv_timer_t>) -> u64 {
    timer.timeout().saturating_sub(timer.owner().time())
}

impl Loop {
    /// When the next timer is due.
    pub fn next_timer(self) -> Option<u64> {
        // SAFETY: the loop's own wheel, whose nodes are started timers.
        unsafe { wheel::next_due(self.timers()) }
    }

    /// Sets the wheel of a new loop to the loop's time: as far from 0 as that is, each timer would have to come down level by level.
    pub fn start_clock(self) {
        let mut none = uv__queue { next: null_mut(), prev: null_mut() };
        // SAFETY: the wheel is empty, so the list stays so.
        unsafe {
            queue::init(&raw mut none);
            wheel::advance(self.timers(), self.time(), &raw mut none);
        }
    }

    /// Runs all timers that are due.
    pub fn run_timers(self, cx: &mut Cx) {
        let mut expired = uv__queue { next: null_mut(), prev: null_mut() };
        let expired = &raw mut expired;
        // SAFETY: the list outlives the pass: a timer leaves it when it runs or is stopped.
        unsafe {
            queue::init(expired);
            wheel::advance(self.timers(), self.time(), expired);
        }
        // SAFETY: its nodes are started timers.
        while let Some(node) = unsafe { queue::pop_front(expired) } {
            // SAFETY: the node lies in its timer.
            let raw = unsafe { container_of!(node, uv_timer_t, node) };
            let span = Span::begin();
            let (cb, late) = {
                // SAFETY: a started timer is alive.
                let timer = unsafe { Handle::new(cx, raw) };
                timer.deactivate();
                let late = self.time().saturating_sub(timer.timeout());
                // Repeats before the callback, which may stop it.
                let _ = again(timer);
                (timer.timer_cb(), late)
            };
            if let Some(cb) = cb {
                // SAFETY: the user's function, with the timer that it was started for.
                cx.call(|| unsafe { cb(raw) });
            }
            span.end(c"timer", &[(c"late_ms", late.cast_signed())]);
        }
    }
}

fn node(timer: Handle<'_, uv_timer_t>) -> *mut TimerNode {
    // SAFETY: the assertions above.
    unsafe { (&raw mut (*timer.as_ptr()).node).cast() }
}
