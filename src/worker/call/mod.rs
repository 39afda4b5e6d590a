//! Posted calls: any thread has a loop run a function. `docs/protocols/call.md` has the protocol.
//!
//! A loop that takes calls has one [`Calls`], which other threads hold references to and which outlives it: who posts never touches the
//! loop, but only the queue (one compare-and-swap) and, once per burst, the doorbell, which knows whether the loop is still there.
//! Each accepted call gets its turn exactly once: run by the loop, or cancelled by whoever closes the queue.

mod copied;
mod interrupt;
mod queue;
pub mod request;
mod sync;

pub use copied::post_copy;
pub use interrupt::Interrupt;
pub use queue::Queue;
pub use sync::call_sync;

use super::doorbell::Doorbell;
use super::port::lateness;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::census::Seen;
use crate::event_loop::notice::Notice;
use crate::event_loop::{Internals, Loop};
use crate::mem::Counted;
use crate::ptr::Cx;
use crate::sync::mailbox::Put;
use crate::sync::prim::{AtomicBool, Ordering};
use crate::sys::thread;
use core::ffi::{c_int, c_uint, c_void};
use core::ptr::{NonNull, null, null_mut};

/// A call: what `uvx_loop_call_t` really is.
#[repr(C)]
pub struct Call {
    data: *mut c_void,
    /// In the queue.
    pub(super) node: uv__queue,
    cb: uvx_loop_call_cb,
    /// What runs on the other loop, when `cb` has run or been cancelled.
    reply_cb: uvx_loop_call_cb,
    /// That loop's calls, a reference; null without reply.
    reply_to: *mut Calls,
    flags: c_uint,
    /// What a reply says.
    status: c_int,
}

const _: () = assert!(size_of::<Call>() == size_of::<uvx_loop_call_t>());

const KNOWN_FLAGS: c_uint = UVX_CALL_REF | UVX_CALL_INTERRUPT;

impl Call {
    /// A call of the library's own.
    pub fn new(cb: uvx_loop_call_cb, flags: c_uint) -> Call {
        let node = uv__queue { next: null_mut(), prev: null_mut() };
        Call { data: null_mut(), node, cb, reply_cb: None, reply_to: null_mut(), flags, status: 0 }
    }

    /// The call whose node this is.
    ///
    /// # Safety
    /// It is a call's node.
    unsafe fn of_node(node: *mut uv__queue) -> *mut Call {
        // SAFETY: the caller's.
        unsafe { container_of!(node, Call, node) }
    }

    /// # Safety
    /// The call is alive.
    unsafe fn has(call: *const Call, flag: c_uint) -> bool {
        // SAFETY: the caller's.
        unsafe { (*call).flags & flag != 0 }
    }
}

/// The calls of one loop: what `uvx_mailbox_t` really is.
pub struct Calls {
    queue: Queue,
    doorbell: Doorbell,
    notice: Notice,
    interrupt: Interrupt,
    /// What waits is cancelled.
    is_cancelled: AtomicBool,
    /// The loop's thread, as long as nobody has run the loop; 0 for none.
    maker: usize,
}

// SAFETY: other threads use the queue's mailbox, the doorbell and the interrupt; the rest is the loop's thread's.
unsafe impl Send for Calls {}
// SAFETY: as above.
unsafe impl Sync for Calls {}

/// For any thread that has a reference.
impl Calls {
    /// Calls of no loop yet; `maker` is the thread that is the loop's until somebody runs it, 0 for none.
    pub fn create(maker: usize) -> Result<Counted<Calls>> {
        Counted::new(Calls {
            queue: Queue::default(),
            doorbell: Doorbell::default(),
            notice: Notice::new(run),
            interrupt: Interrupt::default(),
            is_cancelled: AtomicBool::new(false),
            maker,
        })
    }

    /// `uvx_mailbox_call`. `UV_ESHUTDOWN` if nothing is taken any more: then the call is still the caller's.
    ///
    /// # Safety
    /// `raw` is memory for a call, the caller's alone until its callback.
    pub unsafe fn call(&self, raw: *mut uvx_loop_call_t, cb: uvx_loop_call_cb, flags: c_uint) -> Result {
        check(cb, flags)?;
        let call = raw.cast::<Call>();
        // SAFETY: the caller's. The program's `data` stays.
        unsafe {
            call.write(Call { data: (*raw).data, ..Call::new(cb, flags) });
            self.post(call, flags)
        }
    }

    /// `uvx_mailbox_call_reply`: the call comes back to `home` after its turn.
    ///
    /// # Safety
    /// As for `call`.
    pub unsafe fn call_reply(
        &self,
        raw: *mut uvx_loop_call_t,
        cb: uvx_loop_call_cb,
        home: &Counted<Calls>,
        reply_cb: uvx_loop_call_cb,
        flags: c_uint,
    ) -> Result {
        check(cb, flags)?;
        check(reply_cb, 0)?;
        let call = raw.cast::<Call>();
        let reply_to = home.clone().into_raw();
        // SAFETY: the caller's; the call has a reference of its own to `home`.
        unsafe {
            call.write(Call { data: (*raw).data, reply_cb, reply_to, ..Call::new(cb, flags) });
            self.post(call, flags).inspect_err(|_| drop(Counted::from_raw(reply_to)))
        }
    }

    /// Puts a complete call in.
    ///
    /// # Safety
    /// As for [`Queue::put`]; `flags` are the call's.
    pub unsafe fn post(&self, call: *mut Call, flags: c_uint) -> Result {
        // SAFETY: the caller's.
        match unsafe { self.queue.put(call) } {
            Put::Refused => return Err(Errno::ESHUTDOWN),
            Put::Wake => self.ring(),
            Put::Seen => {}
        }
        if flags & UVX_CALL_INTERRUPT != 0 {
            self.interrupt.request();
        }
        Ok(())
    }

    /// Triggers the interrupt hook, whether the loop has looked since the last time or not.
    pub fn insist_on_interrupt(&self) {
        self.interrupt.insist();
    }

    /// From now on those that have their turn get `UV_ECANCELED`.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Sets the interrupt hook.
    pub fn set_interrupt_hook(&self, hook: uvx_interrupt_hook, arg: *mut c_void) {
        self.interrupt.set(hook, arg);
    }

    /// Whether this is the loop's thread: the one that runs it, or ran it last, or that asked for the mailbox first. `UV_ESHUTDOWN` if
    /// the loop is gone or takes no calls any more.
    pub fn is_here(&self) -> Result<bool> {
        let owner = self.doorbell.owner();
        if owner.is_null() || self.queue.is_closed() {
            return Err(Errno::ESHUTDOWN);
        }
        // SAFETY: the loop cannot go while its name is locked.
        let internals = unsafe { &*(&raw const (**owner).internal_fields).read().cast::<Internals>() };
        let runner = internals.thread.load(Ordering::Relaxed);
        Ok(thread::number() == if runner == 0 { self.maker } else { runner })
    }

    /// The loop, if this is its thread, else `UV_EBUSY`; `UV_ESHUTDOWN` as for `is_here`.
    pub fn owner_here(&self) -> Result<Loop> {
        if !self.is_here()? {
            return Err(Errno::EBUSY);
        }
        // SAFETY: the loop has not gone since, for it would go on this thread.
        Ok(unsafe { Loop::new(*self.doorbell.owner()) })
    }

    /// Calls that wait: how many the loop has collected, and whether there are more.
    pub fn waiting(&self) -> (usize, bool) {
        (self.queue.collected(), self.queue.has_more())
    }

    fn ring(&self) {
        // SAFETY: the loop stays while it is told; the notice is nowhere, as it was not scheduled. This holds a reference until it
        // has run, or the loop withdraws it before it gives up its own.
        self.doorbell
            .ring(|owner| unsafe { Notice::post(&raw const self.notice, owner, lateness::take()) }, || {});
    }
}

fn check(cb: uvx_loop_call_cb, flags: c_uint) -> Result {
    if cb.is_none() || flags & !KNOWN_FLAGS != 0 { Err(Errno::EINVAL) } else { Ok(()) }
}

/// `uvx_loop_mailbox`: the loop's calls, made if there are none. `UV_ESHUTDOWN` if they were closed.
pub fn of(lp: Loop) -> Result<Counted<Calls>> {
    if let Some(calls) = existing(lp) {
        return if calls.queue.is_closed() { Err(Errno::ESHUTDOWN) } else { Ok(calls) };
    }
    let calls = Calls::create(thread::number())?;
    adopt(lp, &calls);
    Ok(calls)
}

/// What waits in the calls of a loop that is looked at; None: it has no mailbox.
pub fn waiting_for(seen: &Seen) -> Option<(usize, bool)> {
    let calls = seen.internals().calls.get().cast::<Calls>();
    // SAFETY: the loop has a reference, which it gives up only when nobody looks.
    unsafe { calls.as_ref() }.map(Calls::waiting)
}

/// The calls become those of a loop that has none.
pub fn adopt(lp: Loop, calls: &Counted<Calls>) {
    calls.doorbell.set_owner(lp.as_ptr());
    let _unseen = lp.census().hold();
    lp.internals().calls.set(calls.clone().into_raw().cast());
}

fn existing(lp: Loop) -> Option<Counted<Calls>> {
    let calls = NonNull::new(lp.internals().calls.get().cast_mut().cast::<Calls>());
    // SAFETY: the loop has a reference.
    calls.map(|calls| unsafe { Counted::retain(calls.as_ptr()) })
}

/// Takes what was posted, and counts what keeps the loop alive: as requests, until their turn.
pub fn collect(lp: Loop) {
    let calls = lp.internals().calls.get().cast::<Calls>();
    // SAFETY: the loop has a reference, and no user code runs here.
    if let Some(calls) = unsafe { calls.as_ref() } {
        calls.collect(lp);
    }
}

impl Calls {
    fn collect(&self, lp: Loop) {
        self.interrupt.begin();
        // SAFETY: just taken.
        self.queue.collect(|call| unsafe { count(lp, call) });
    }

    /// What the next call gets that would get `status`.
    fn status(&self, status: c_int) -> c_int {
        if self.is_cancelled.load(Ordering::Relaxed) { UV_ECANCELED } else { status }
    }
}

/// # Safety
/// The call was taken from the loop's queue.
unsafe fn count(lp: Loop, call: *const Call) {
    // SAFETY: the caller's.
    if unsafe { Call::has(call, UVX_CALL_REF) } {
        lp.begin_request();
    }
}

/// The bell rang: runs what was posted until now. What is posted meanwhile waits for the next turn of the loop.
fn run(cx: &mut Cx, lp: Loop, _notice: *const Notice) {
    let Some(calls) = existing(lp) else { return };
    calls.doorbell.end_scheduling();
    lateness::set(lp.internals().linger.take_late());
    calls.collect(lp);
    calls.queue.begin_turn();
    while let Some(call) = calls.queue.pop_due() {
        // SAFETY: just taken.
        unsafe { take_turn(cx, lp, call, calls.status(0)) };
    }
    if !calls.queue.settle() && !calls.queue.is_closed() && calls.doorbell.begin_scheduling() {
        // SAFETY: this thread's loop; the notice is nowhere, as it was not scheduled.
        unsafe { Notice::post(&raw const calls.notice, lp.as_ptr(), 0) };
    }
}

/// `uvx_loop_run_interrupts`: runs what interrupts and was posted until now; says how many calls that were.
pub fn run_interrupts(cx: &mut Cx, lp: Loop) -> usize {
    collect(lp);
    let Some(calls) = existing(lp) else { return 0 };
    let mut count = 0;
    for _ in 0..calls.queue.interrupts() {
        let Some(call) = calls.queue.pop_interrupt() else { break };
        // SAFETY: just taken.
        unsafe { take_turn(cx, lp, call, calls.status(0)) };
        count += 1;
    }
    count
}

/// Takes no calls any more, and gives those that wait their turn now, with `status`. `UV_ESHUTDOWN` if it was closed before.
pub fn close(cx: &mut Cx, lp: Loop, status: c_int) -> Result {
    let Some(calls) = existing(lp) else { return Ok(()) };
    if calls.queue.is_closed() {
        return Err(Errno::ESHUTDOWN);
    }
    // SAFETY: just taken.
    calls.queue.close(|call| unsafe { count(lp, call) });
    drop(calls.doorbell.owner()); // who is just beginning a request has begun it; nobody else will
    while let Some(call) = calls.queue.pop() {
        // SAFETY: just taken.
        unsafe { take_turn(cx, lp, call, calls.status(status)) };
    }
    Ok(())
}

/// The loop goes. Its calls were closed.
pub fn leave(lp: Loop) {
    let Some(raw) = take(lp) else { return };
    // SAFETY: the loop's reference.
    let calls = unsafe { Counted::from_raw(raw) };
    if calls.doorbell.set_owner(null_mut()) {
        // SAFETY: who set the flag has posted the notice, before the owner could change.
        unsafe { calls.notice.withdraw(lp) };
    }
    calls.interrupt.set(None, null_mut());
}

/// In the child after fork: the calls are the parent's. Their memory is left alone: threads that are gone may have been using it.
pub fn forget(lp: Loop) {
    let Some(raw) = take(lp) else { return };
    // SAFETY: the loop's reference, which is not given back; nobody else runs in the child.
    let calls = unsafe { &*raw };
    calls.notice.forget(lp);
    while let Some(call) = calls.queue.pop() {
        // SAFETY: just taken.
        if unsafe { Call::has(call, UVX_CALL_REF) } {
            lp.end_request();
        }
    }
}

fn take(lp: Loop) -> Option<*mut Calls> {
    let _unseen = lp.census().hold();
    let raw = lp.internals().calls.replace(null()).cast_mut().cast::<Calls>();
    (!raw.is_null()).then_some(raw)
}

/// Runs a call, or cancels it, and sends it home if it wants a reply.
///
/// # Safety
/// The call was taken from the loop's queue.
unsafe fn take_turn(cx: &mut Cx, lp: Loop, call: *mut Call, status: c_int) {
    // SAFETY: the caller's. Without a reply the call is its callback's; with one it stays the library's.
    unsafe {
        if Call::has(call, UVX_CALL_REF) {
            lp.end_request();
        }
        let status = if (*call).status != 0 { (*call).status } else { status };
        let (cb, reply_to) = ((*call).cb, (*call).reply_to);
        if let Some(cb) = cb
            && (reply_to.is_null() || status == 0)
        {
            cx.call(|| cb(call.cast(), status));
        }
        if !reply_to.is_null() {
            send_home(cx, call, status);
        }
    }
}

/// # Safety
/// The call had its turn, and wants a reply.
unsafe fn send_home(cx: &mut Cx, call: *mut Call, status: c_int) {
    // SAFETY: the caller's; the reference to the calls there is the call's.
    unsafe {
        let home = Counted::from_raw((*call).reply_to);
        let reply_cb = (*call).reply_cb;
        call.write(Call { data: (*call).data, status, ..Call::new(reply_cb, 0) });
        if home.post(call, 0).is_err()
            && let Some(reply_cb) = reply_cb
        {
            cx.call(|| reply_cb(call.cast(), UV_ESHUTDOWN));
        }
    }
}
