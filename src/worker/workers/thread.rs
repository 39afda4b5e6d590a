//! The worker's thread, from its first to its last act.

use super::{Worker, start, stop_all};
use crate::abi::*;
use crate::event_loop::notice::Notice;
use crate::event_loop::{Loop, lifecycle, run::run};
use crate::handles;
use crate::ptr::{Cx, Handle};
use crate::sync::prim::Ordering;
use crate::sys;
use crate::worker::call;
use crate::worker::locks;
use crate::worker::port::{Port, lateness};
use core::cell::Cell;
use core::ffi::c_void;
use core::ptr::{null, null_mut};

std::thread_local! {
    static CURRENT: Cell<*const Worker> = const { Cell::new(null()) };
}

/// The worker whose thread this is, or null.
pub fn current() -> *const Worker {
    CURRENT.try_with(Cell::get).unwrap_or(null())
}

/// The thread's function. The entry must return, so frames may lie below it.
pub unsafe extern "C" fn main(arg: *mut c_void) {
    // SAFETY: given by `start`; the worker goes only after this thread was joined.
    let worker = unsafe { &*arg.cast_const().cast::<Worker>() };
    // SAFETY: the worker's loop is this thread's.
    let (mut cx, lp) = unsafe { (Cx::enter(), Loop::new(worker.own_loop())) };
    // SAFETY: the name is a string.
    let _ = unsafe { sys::thread::set_name(worker.name.as_ptr()) }; // a thread without its name is a thread all the same
    worker.tid.store(sys::thread::tid(), Ordering::Relaxed);
    let _ = CURRENT.try_with(|current| current.set(worker));
    lp.internals().thread.store(sys::thread::number(), Ordering::Relaxed);
    live(&mut cx, worker, lp);
    tear_down(&mut cx, worker, lp);
    let _ = CURRENT.try_with(|current| current.set(null()));
    let late = lateness::take();
    worker.life.end();
    // SAFETY: the parent loop is not closed before it has seen this; nobody else posts the notice.
    unsafe { Notice::post(&raw const worker.exit_notice, worker.parent, late) };
}

/// From the entry until it is decided how the worker ends.
fn live(cx: &mut Cx, worker: &Worker, lp: Loop) {
    let (ctx, data) = (as_ctx(worker), worker.plan.data);
    if worker.life.is_decided() {
        return; // stopped before it began
    }
    worker.life.go_online();
    // SAFETY: the user's function with the user's pointer.
    let result = worker.plan.entry.map_or(0, |entry| cx.call(|| unsafe { entry(ctx, data) }));
    if result < 0 {
        return worker.life.fail(result);
    }
    while !worker.life.is_decided() {
        let is_stopped = run(cx, lp, UV_RUN_DEFAULT);
        if !is_stopped
            && !worker.life.is_decided()
            && let Some(hook) = worker.plan.before_exit
        {
            // SAFETY: as for the entry.
            cx.call(|| unsafe { hook(ctx, data) });
        }
        if is_stopped || !lp.is_alive() {
            worker.life.decide(UVX_WORKER_RETURNED, result);
        }
    }
}

/// Ends everything that belongs to the worker: its own workers, its calls, its handles and ports, its loop.
fn tear_down(cx: &mut Cx, worker: &Worker, lp: Loop) {
    worker.calls.set_interrupt_hook(None, null_mut()); // its data may go from here on
    if let Some(hook) = worker.plan.cleanup {
        // SAFETY: as for the entry.
        cx.call(|| unsafe { hook(as_ctx(worker), worker.plan.data) });
    }
    let _ = call::close(cx, lp, UV_ECANCELED); // or the program has done so
    finish_closing(cx, lp);
    // Exit callbacks close what belonged to the worker that has ended, so handles wait for them. Ports do not: a worker may wait for their ends.
    while !lp.internals().workers.get().is_null() {
        close_early(cx, lp);
        run(cx, lp, UV_RUN_ONCE);
    }
    finish_closing(cx, lp);
    wind_up(cx, lp);
    start::close_port(cx, worker.own_port());
    worker.env_data.clear(cx);
    worker.life.close(); // nobody posts to the loop any more, nor asks for its times
    let _ = lifecycle::close(lp); // not busy
}

/// Runs the loop until all that the program has closed has had its callbacks. One close may lead to the next: the program closes what it
/// means to close before the library closes the rest.
pub fn finish_closing(cx: &mut Cx, lp: Loop) {
    while is_closing(cx, lp) {
        run(cx, lp, UV_RUN_ONCE);
    }
}

fn is_closing(cx: &mut Cx, lp: Loop) -> bool {
    let mut found = false;
    Port::for_each_of(lp, |port| found |= port.own.closing.get());
    handles::walk(cx, lp, |raw| {
        // SAFETY: this is the user's part of the walk, so nothing else holds a handle; the loop's handles are alive.
        found |= unsafe { Handle::new(&Cx::enter(), raw).is_closing() };
    });
    found
}

/// Ends everything on the loop, until it can be closed: also what callbacks have opened meanwhile.
pub fn wind_up(cx: &mut Cx, lp: Loop) {
    loop {
        close_all(cx, lp);
        if !run(cx, lp, UV_RUN_DEFAULT) {
            locks::release_all(lp); // nothing is under way any more that could rely on them
        }
        if !lifecycle::is_busy(lp) {
            break;
        }
    }
}

/// Ends what need not wait for anything: workers, ports, requests for named locks.
fn close_early(cx: &mut Cx, lp: Loop) {
    stop_all(lp, 1);
    Port::for_each_of(lp, |port| start::close_port(cx, port)); // attached, so their ends come later
    locks::close(lp); // whose callbacks come later, too
}

/// Closes everything on the loop that is open, handles without a callback.
fn close_all(cx: &mut Cx, lp: Loop) {
    close_early(cx, lp);
    handles::walk(cx, lp, |raw| {
        // SAFETY: this is the user's part of the walk, so nothing else holds a handle; the loop's handles are alive.
        unsafe {
            let cx = Cx::enter();
            let handle = Handle::new(&cx, raw);
            if !handle.is_closing() {
                handles::close(handle, None);
            }
        }
    });
}

/// The worker as its own functions get it.
fn as_ctx(worker: &Worker) -> *mut uvx_worker_ctx_t {
    core::ptr::from_ref(worker).cast_mut().cast()
}

/// `uvx_worker_stop` was called: `uv_run` returns after this turn.
pub fn run_stop(_cx: &mut Cx, lp: Loop, _notice: *const Notice) {
    lp.set_stop_flag(1);
}
