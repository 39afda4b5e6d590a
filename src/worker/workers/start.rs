//! Starting a worker. All that can fail is made here, on the parent loop's thread, and unmade if a later step fails.

use super::env_data::{self, Map};
use super::life::Life;
use super::{WORKERS, Worker, exit, thread};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::notice::Notice;
use crate::event_loop::{Loop, lifecycle};
use crate::mem::Counted;
use crate::ptr::Cx;
use crate::sync::prim::Ordering;
use crate::sync::roster::Entry;
use crate::sys;
use crate::worker::call::{self, Calls};
use crate::worker::channel::{self, Channel};
use crate::worker::close;
use crate::worker::inbox::Limits;
use crate::worker::port::{Hold, Port};
use crate::worker::post::{self, Route};
use core::cell::{Cell, UnsafeCell};
use core::ffi::{c_char, c_uint, c_void};
use core::mem::MaybeUninit;
use core::ptr::{null, null_mut};
use core::sync::atomic::AtomicI32; // a number that orders nothing, so no model needs it

/// The stack of a worker unless it asks for another.
const USUAL_STACK: usize = 4 << 20;
/// What a loop's turn needs, with callbacks that need little themselves.
const LOOP_STACK: usize = 64 << 10;

/// What the worker is to do, copied from the options.
pub struct Plan {
    pub entry: uvx_worker_entry,
    pub data: *mut c_void,
    pub flags: c_uint,
    pub stack_size: usize,
    pub before_exit: uvx_worker_hook,
    pub cleanup: uvx_worker_hook,
    pub interrupt_hook: uvx_interrupt_hook,
    pub exit_cb: uvx_worker_exit_cb,
}

impl Plan {
    /// Whether the worker's loop measures its idle time.
    pub fn measures_idle(&self) -> bool {
        self.flags & UVX_WORKER_METRICS != 0
    }
}

/// `uvx_worker_start`.
///
/// # Safety
/// `options` is null or points at options of the size that stands in them, whose strings, message and pointers are what they say.
/// `out` can be written; the worker is there before its thread runs.
pub unsafe fn start(
    cx: &mut Cx,
    parent: Loop,
    entry: uvx_worker_entry,
    options: *const uvx_worker_options_t,
    exit_cb: uvx_worker_exit_cb,
    out: *mut *mut uvx_worker_t,
) -> Result {
    // SAFETY: the caller's; defaults are all zero.
    let options = unsafe {
        match options.as_ref() {
            None => MaybeUninit::<uvx_worker_options_t>::zeroed().assume_init(),
            Some(given) if given.size < size_of::<uvx_worker_options_t>() => return Err(Errno::EINVAL),
            Some(_) => options.read(),
        }
    };
    if entry.is_none() || options.flags & !UVX_WORKER_METRICS != 0 {
        return Err(Errno::EINVAL);
    }
    let wanted = if options.stack_size == 0 { USUAL_STACK } else { options.stack_size };
    let plan = Plan {
        entry,
        data: options.data,
        flags: options.flags,
        stack_size: sys::thread::whole_stack(wanted.max(LOOP_STACK.saturating_add(sys::thread::LEAST_STACK))),
        before_exit: options.before_exit,
        cleanup: options.cleanup,
        interrupt_hook: options.interrupt_hook,
        exit_cb,
    };
    // SAFETY: the caller's.
    let (name, bounds) = unsafe {
        (sys::thread::short_name(options.name, c"WorkerThread"), channel::limits(options.channel)?)
    };
    let replies = match call::of(parent) {
        Ok(calls) => Some(calls),
        Err(Errno::ESHUTDOWN) => None,
        Err(error) => return Err(error),
    };
    let worker = make(parent, plan, name, bounds, replies)?;
    // SAFETY: the caller's; nobody else has the worker yet.
    unsafe {
        let result = launch(&worker, options.first_message, out, cx);
        if let Err(error) = result {
            out.write(null_mut());
            unmake(cx, &worker);
            return Err(error);
        }
    }
    worker.link();
    worker.count_alive(true);
    let _ = worker.into_raw(); // the reference that the exit gives up
    Ok(())
}

/// A worker without its loop, which needs a place in memory, and without its thread.
fn make(
    parent: Loop,
    plan: Plan,
    name: [c_char; 16],
    bounds: Limits,
    replies: Option<Counted<Calls>>,
) -> Result<Counted<Worker>> {
    let calls = Calls::create(0)?;
    let (near, far) = Channel::create(bounds)?;
    // SAFETY: both ports are the caller's.
    let (near, far) = unsafe { (near.as_ref(), far.as_ref()) };
    for port in [near, far] {
        port.pinned.store(true, Ordering::Relaxed);
    }
    Counted::new(Worker {
        plan,
        name,
        parent: parent.as_ptr(),
        replies,
        calls,
        // SAFETY: all-zero is a value of the struct; so below.
        own_loop: UnsafeCell::new(unsafe { MaybeUninit::zeroed().assume_init() }),
        loop_id: Cell::new(0),
        parent_id: parent.census().id(),
        near: Hold::new(near),
        far: Hold::new(far),
        life: Life::default(),
        tid: AtomicI32::new(-1),
        exit_notice: Notice::new(exit::run),
        stop_notice: Notice::new(thread::run_stop),
        entry: Entry::default(),
        // SAFETY: as above.
        thread: UnsafeCell::new(unsafe { MaybeUninit::zeroed().assume_init() }),
        port_taken: Cell::new(false),
        referenced: Cell::new(true),
        counted: Cell::new(false),
        next: Cell::new(null()),
        previous: Cell::new(null()),
        env_data: Map::default(),
    })
    .inspect_err(|_| {
        // SAFETY: `start` is an entry from C; ports that nobody has used hold nothing.
        let mut cx = unsafe { Cx::enter() };
        close_port(&mut cx, near);
        close_port(&mut cx, far);
    })
}

/// Gives the worker its loop, its first message and its thread.
///
/// # Safety
/// As for `start`; nobody else has the worker.
unsafe fn launch(
    worker: &Counted<Worker>,
    first: *const uvx_message_desc_t,
    out: *mut *mut uvx_worker_t,
    cx: &mut Cx,
) -> Result {
    env_data::copy_current(&worker.env_data)?;
    // SAFETY: the caller's; the worker's thread keeps to what is its own, and the exit joins it before the worker goes.
    unsafe {
        lifecycle::init(worker.own_loop.get())?;
        let lp = Loop::new(worker.own_loop.get());
        worker.loop_id.set(lp.census().id());
        call::adopt(lp, &worker.calls);
        worker.calls.set_interrupt_hook(worker.plan.interrupt_hook, worker.plan.data);
        if worker.plan.measures_idle() {
            lp.internals().metrics.measure_idle();
        }
        if !first.is_null() {
            post::post(cx, &Route::between(&worker.near, &worker.far), first)?;
        }
        WORKERS.enter(worker); // which it leaves when it is dropped
        let arg = worker.as_ptr().cast();
        out.write(worker.as_ptr().cast());
        sys::thread::create(worker.thread.get(), worker.plan.stack_size, thread::main, arg)
    }
}

/// Undoes what `launch` did before it failed.
fn unmake(cx: &mut Cx, worker: &Worker) {
    // SAFETY: nobody else has the worker; a loop that was made has its private part.
    unsafe {
        post::take_back(&worker.far);
        if !(*worker.own_loop.get()).internal_fields.is_null() {
            let _ = lifecycle::close(Loop::new(worker.own_loop.get())); // nothing was begun on it
        }
    }
    close_port(cx, &worker.near);
    close_port(cx, &worker.far);
    worker.env_data.clear(cx);
}

/// Closes a port, unless that was done already.
pub fn close_port(cx: &mut Cx, port: &Port) {
    let _ = close::close(cx, port, 0, None);
}
