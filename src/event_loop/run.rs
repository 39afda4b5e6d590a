//! One turn of the loop, and `uv_run`, which makes turns.
//!
//! The phases and their order are those of the reference's documentation ("The I/O loop"), and observable.

use super::census::Phase;
use super::{Loop, dispatch, poll};
use crate::abi::*;
use crate::ptr::Cx;
use crate::sync::mailbox::State;
use crate::sync::prim;
use crate::sys::thread;
use crate::trace::own::Span;
use core::cell::Cell;
use core::ffi::c_int;
use core::ptr::null_mut;
use core::sync::atomic::Ordering;

prim::thread_local_const! {
    static RUNNING: Cell<*mut uv_loop_t> = Cell::new(null_mut());
}

/// The loop inside of whose `uv_run` this is, if any.
pub fn running_here() -> Option<Loop> {
    let raw = RUNNING.try_with(Cell::get).unwrap_or(null_mut());
    // SAFETY: a loop is not closed while it runs, and this is its thread.
    (!raw.is_null()).then(|| unsafe { Loop::new(raw) })
}

fn set_running(raw: *mut uv_loop_t) -> *mut uv_loop_t {
    RUNNING.try_with(|running| running.replace(raw)).unwrap_or(null_mut())
}

/// How often in a turn what was fed runs; once at least after polling.
const FED_ROUNDS: usize = 9;

impl Loop {
    /// Something keeps the loop running: active and referenced handles, requests, calls posted with a reference, or handles being closed.
    pub fn is_alive(self) -> bool {
        dispatch::collect_calls(self);
        self.active_handles() > 0
            || self.active_reqs() > 0
            || self.has_fed_watchers()
            || !self.closing_handles().is_null()
    }

    /// Sets the loop's idea of now.
    pub fn update_time(self) {
        self.set_time(crate::sys::time::now_ns() / 1_000_000);
    }

    /// How long the poll phase may block, in ms; -1: for ever.
    pub fn poll_timeout(self) -> c_int {
        let has_work = self.active_handles() > 0 || self.active_reqs() > 0;
        if self.stop_flag() != 0 || !has_work || self.has_idle_handles() || !self.closing_handles().is_null()
        {
            return 0;
        }
        if self.has_fed_watchers() || !self.internals().ready.is_empty() {
            return 0;
        }
        let next = self.next_timer();
        self.census().expect_timer(next);
        match next {
            None => -1,
            Some(due) => c_int::try_from(due.saturating_sub(self.time())).unwrap_or(c_int::MAX),
        }
    }
}

/// `uv_run`: makes turns until nothing keeps the loop alive, or as `mode` says; tells whether anything still does.
pub fn run(cx: &mut Cx, lp: Loop, mode: uv_run_mode) -> bool {
    let outer = enter(lp);
    let alive = run_turns(cx, lp, mode);
    exit(lp, outer);
    alive
}

/// The thread is in the loop now. Gives the loop that it is in already, or null, for `exit`.
fn enter(lp: Loop) -> *mut uv_loop_t {
    lp.internals().ready.settle(State::Awake);
    lp.internals().must_poll.set(true);
    lp.internals().thread.store(thread::number(), Ordering::Relaxed);
    lp.census().run_here();
    set_running(lp.as_ptr())
}

fn exit(lp: Loop, outer: *mut uv_loop_t) {
    set_running(outer);
    lp.census().enter(Phase::Outside);
    lp.leave();
}

fn run_turns(cx: &mut Cx, lp: Loop, mode: uv_run_mode) -> bool {
    let mut alive = lp.is_alive();
    if !alive {
        lp.update_time();
    }
    if mode == UV_RUN_DEFAULT && alive && lp.stop_flag() == 0 {
        lp.update_time();
        lp.census().stir(Phase::Timers, lp.time());
        lp.run_timers(cx);
    }
    while alive && lp.stop_flag() == 0 {
        turn(cx, lp, mode, -1);
        alive = lp.is_alive();
        if mode != UV_RUN_DEFAULT {
            break;
        }
    }
    lp.set_stop_flag(0);
    alive
}

/// Runs what was fed, and what that feeds, in so many rounds; says how many are left. Before polling too: the callback of a write comes
/// before one that reads the answer to it.
fn run_fed(cx: &mut Cx, lp: Loop, mut rounds: usize) -> usize {
    while rounds > 0 && lp.has_fed_watchers() {
        dispatch::run_fed(cx, lp);
        rounds -= 1;
    }
    rounds
}

/// One turn that waits for at most `most` ms (-1: no limit), for whoever has something to wait for on the loop's thread. Not inside of
/// `run`.
pub fn turn_within(cx: &mut Cx, lp: Loop, most: c_int) {
    let outer = enter(lp);
    lp.update_time();
    if lp.is_alive() {
        turn(cx, lp, UV_RUN_ONCE, most);
    }
    exit(lp, outer);
}

/// One turn that waits for at most `most` ms (-1: no limit).
fn turn(cx: &mut Cx, lp: Loop, mode: uv_run_mode, most: c_int) {
    let span = Span::begin();
    // An idle handle that starts in its own phase must not make `UV_RUN_ONCE` block.
    let can_sleep = !lp.has_idle_handles() && !lp.has_fed_watchers();

    lp.census().enter(Phase::Prepare);
    let rounds_left = run_fed(cx, lp, FED_ROUNDS - 1);
    dispatch::run_idle(cx, lp);
    dispatch::run_prepare(cx, lp);

    let may_block = mode == UV_RUN_DEFAULT || (mode == UV_RUN_ONCE && can_sleep);
    let timeout = if may_block { shorter(lp.poll_timeout(), most) } else { 0 };
    lp.internals().metrics.count_turn();
    poll::poll(cx, lp, timeout);
    run_fed(cx, lp, rounds_left + 1);

    lp.census().enter(Phase::Check);
    dispatch::run_check(cx, lp);
    lp.census().enter(Phase::Closing);
    lp.run_closing(cx);
    lp.update_time();
    lp.census().enter(Phase::Timers);
    lp.run_timers(cx);
    span.end(c"turn", &[]);
}

/// The shorter of two waits in ms, of which -1 is the longest.
fn shorter(a: c_int, b: c_int) -> c_int {
    match (a, b) {
        (-1, other) | (other, -1) => other,
        _ => a.min(b),
    }
}
