//! The end of a worker as its parent loop sees it: every message, the end of the port, the exit callback, and then the memory.

use super::Worker;
use super::start::close_port;
use crate::abi::uvx_worker_exit_t;
use crate::event_loop::Loop;
use crate::event_loop::notice::Notice;
use crate::mem::Counted;
use crate::ptr::Cx;
use crate::sys;
use crate::worker::delivery;

/// The worker's thread has done its last act.
pub fn run(cx: &mut Cx, lp: Loop, notice: *const Notice) {
    // SAFETY: the notice lies in a worker, whose reference `start` left for this.
    let worker = unsafe { Counted::from_raw(container_of!(notice, Worker, exit_notice).cast_mut()) };
    // SAFETY: started, and joined by nobody else.
    let _ = unsafe { sys::thread::join(worker.thread.get().read()) }; // which waits for a few instructions
    delivery::conclude(cx, lp, &worker.near);
    worker.count_alive(false);
    worker.unlink();
    worker.life.go();
    let exit: uvx_worker_exit_t = worker.life.exit();
    if let Some(exit_cb) = worker.plan.exit_cb {
        // SAFETY: the user's function, with the worker that it was given for.
        cx.call(|| unsafe { exit_cb(worker.as_ptr().cast(), &raw const exit) });
    }
    if !worker.port_taken.get() {
        close_port(cx, &worker.near);
    }
}
