//! A thread with a loop that serves others: what a debug port or a logger needs, and nothing that a worker has beyond that.
//!
//! `start`, `stop` and `join` are for other threads and use the atomics and what is under the lock; the loop is the thread's, from its start to
//! its end.

use super::call::{self, Calls};
use super::workers::{finish_closing, wind_up};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::notice::Notice;
use crate::event_loop::run::run;
use crate::event_loop::{Loop, lifecycle};
use crate::mem::{Counted, Owned};
use crate::ptr::Cx;
use crate::sync::prim::{AtomicU32, Mutex, Ordering, lock};
use crate::sys::{self, futex, signal_mask, time::Deadline};
use core::cell::UnsafeCell;
use core::ffi::{c_char, c_void};
use core::mem::{MaybeUninit, offset_of};
use core::sync::atomic::{AtomicI32, AtomicUsize};

/// `init` has not returned.
const STARTING: u32 = 0;
/// It was successful.
const READY: u32 = 1;
/// The thread touches nothing of this any more.
const ENDED: u32 = 2;

/// See the module.
pub struct IoThread {
    init: uvx_io_thread_init,
    stop_cb: uvx_io_thread_stop_cb,
    arg: *mut c_void,
    name: [c_char; 16],
    calls: Counted<Calls>,
    own_loop: UnsafeCell<uv_loop_t>,
    thread: UnsafeCell<uv_thread_t>,
    /// Its `sys::thread::number`, for `join`.
    number: AtomicUsize,
    /// One of the three above; who waits sleeps on it.
    state: AtomicU32,
    /// What `init` returned.
    result: AtomicI32,
    /// The strongest mode that the thread was told, 0 for none.
    told: AtomicU32,
    notice: Notice,
    post: Mutex<Post>,
}

/// Whether `notice` may be posted.
struct Post {
    is_open: bool,
    is_posted: bool,
}

/// For any thread.
impl IoThread {
    /// The calls of the thread's loop.
    pub fn calls(&self) -> &Counted<Calls> {
        &self.calls
    }

    /// `uvx_io_thread_call`.
    pub fn call(&self, run: uvx_call_fn, arg: *mut c_void) -> Result {
        if self.told.load(Ordering::Acquire) != 0 {
            return Err(Errno::ESHUTDOWN); // those that came before still have their turn
        }
        call::post_copy(&self.calls, run, arg, 0)
    }

    /// `uvx_io_thread_stop`.
    pub fn stop(&self, mode: uvx_io_thread_mode) -> Result {
        if mode != UVX_IO_THREAD_DRAIN && mode != UVX_IO_THREAD_KILL {
            return Err(Errno::EINVAL);
        }
        let mut post = lock(&self.post);
        if !post.is_open || self.told.load(Ordering::Relaxed) >= mode {
            return Err(Errno::EALREADY);
        }
        self.told.store(mode, Ordering::Release);
        if mode == UVX_IO_THREAD_KILL {
            self.calls.cancel(); // those of the turn that is running, too
        }
        if !core::mem::replace(&mut post.is_posted, true) {
            // SAFETY: the loop is open as long as the lock says so, and the notice is in no loop.
            unsafe { Notice::post(&raw const self.notice, self.own_loop.get(), 0) };
        }
        Ok(())
    }

    fn set_state(&self, state: u32) {
        let word = &raw const self.state;
        self.state.store(state, Ordering::Release);
        futex::wake_all(word); // the address alone: who waited may have freed this
    }

    /// Waits until the thread's state is `least` or beyond.
    fn wait_for(&self, least: u32, timeout_ns: u64) -> Result {
        let deadline = Deadline::after(timeout_ns);
        loop {
            let state = self.state.load(Ordering::Acquire);
            if state >= least {
                return Ok(());
            }
            futex::wait(&self.state, state, deadline.left()?);
        }
    }
}

/// `uvx_io_thread_start`.
///
/// # Safety
/// `options` is null or points at options of the size that stands in them, whose name is a string or null.
pub unsafe fn start(
    init: uvx_io_thread_init,
    arg: *mut c_void,
    options: *const uvx_io_thread_options_t,
) -> Result<*mut IoThread> {
    // SAFETY: the caller's; defaults are all zero.
    let options = unsafe {
        match options.as_ref() {
            None => MaybeUninit::<uvx_io_thread_options_t>::zeroed().assume_init(),
            Some(given) if given.size < size_of::<uvx_io_thread_options_t>() => return Err(Errno::EINVAL),
            Some(_) => options.read(),
        }
    };
    if init.is_none() {
        return Err(Errno::EINVAL);
    }
    let thread = Owned::new(IoThread {
        init,
        stop_cb: options.stop_cb,
        arg,
        // SAFETY: the caller's.
        name: unsafe { sys::thread::short_name(options.name, c"uvx-io") },
        calls: Calls::create(0)?,
        // SAFETY: all-zero is a value of the structs.
        own_loop: UnsafeCell::new(unsafe { MaybeUninit::zeroed().assume_init() }),
        // SAFETY: as above.
        thread: UnsafeCell::new(unsafe { MaybeUninit::zeroed().assume_init() }),
        number: AtomicUsize::new(0),
        state: AtomicU32::new(STARTING),
        result: AtomicI32::new(0),
        told: AtomicU32::new(0),
        notice: Notice::new(on_notice),
        post: Mutex::new(Post { is_open: true, is_posted: false }),
    })?;
    // SAFETY: new memory, which neither moves nor goes before the thread has ended.
    unsafe {
        lifecycle::init(thread.own_loop.get())?;
        let lp = Loop::new(thread.own_loop.get());
        call::adopt(lp, &thread.calls);
        launch(&thread, options.stack_size).inspect_err(|_| {
            let _ = lifecycle::close(lp); // nothing was begun on it
        })?;
    }
    let _ = thread.wait_for(READY, u64::MAX); // without end
    let result = thread.result.load(Ordering::Acquire);
    let raw = thread.into_raw();
    if result < 0 {
        // SAFETY: the thread ends by itself, and nobody else knows it.
        unsafe { join(raw, u64::MAX)? };
        return Err(Errno::from_errno(result.wrapping_neg()));
    }
    Ok(raw)
}

/// # Safety
/// The thread is in its place, and its loop is made.
unsafe fn launch(thread: &IoThread, stack_size: usize) -> Result {
    let arg = core::ptr::from_ref(thread).cast_mut().cast();
    let least = sys::thread::LEAST_STACK.saturating_add(LOOP_STACK);
    let size = if stack_size == 0 { 0 } else { stack_size.max(least) };
    let mask = signal_mask::block_all_signals();
    // SAFETY: the caller's; who frees the thread has joined it.
    let result = unsafe { sys::thread::create(thread.thread.get(), size, main, arg) };
    signal_mask::set_signal_mask(&mask);
    result
}

/// What a loop's turn needs, with callbacks that need little themselves.
const LOOP_STACK: usize = 64 << 10;

/// `uvx_io_thread_join`.
///
/// # Safety
/// `raw` came from `start`, and only one caller has success.
pub unsafe fn join(raw: *mut IoThread, timeout_ns: u64) -> Result {
    // SAFETY: the caller's.
    unsafe {
        if (*raw).number.load(Ordering::Relaxed) == sys::thread::number() {
            return Err(Errno::EINVAL);
        }
        (*raw).wait_for(ENDED, timeout_ns)?;
        let _ = sys::thread::join((*raw).thread.get().read());
        drop(Owned::from_raw(raw));
    }
    Ok(())
}

/// The thread's function.
unsafe extern "C" fn main(arg: *mut c_void) {
    // SAFETY: given by `start`, and freed only after this has ended. The loop is this thread's.
    let (thread, mut cx) = unsafe { (&*arg.cast_const().cast::<IoThread>(), Cx::enter()) };
    // SAFETY: as above.
    let lp = unsafe { Loop::new(thread.own_loop.get()) };
    thread.number.store(sys::thread::number(), Ordering::Relaxed);
    lp.internals().thread.store(sys::thread::number(), Ordering::Relaxed);
    // SAFETY: the name is a string.
    let _ = unsafe { sys::thread::set_name(thread.name.as_ptr()) }; // a thread without its name is a thread all the same
    // SAFETY: the user's function with the user's pointer.
    let result = thread.init.map_or(0, |init| cx.call(|| unsafe { init(lp.as_ptr(), thread.arg) }));
    thread.result.store(result, Ordering::Release);
    if result >= 0 {
        thread.set_state(READY);
        live(&mut cx, thread, lp);
    }
    tear_down(&mut cx, thread, lp);
    thread.set_state(ENDED);
}

/// Runs the loop until the thread is told to end, and, if it may, as long as something keeps it alive.
fn live(cx: &mut Cx, thread: &IoThread, lp: Loop) {
    lp.begin_request(); // it stays with nothing open
    while thread.told.load(Ordering::Acquire) == 0 {
        run(cx, lp, UV_RUN_DEFAULT);
    }
    lp.end_request();
    let mut mode = thread.told.load(Ordering::Acquire);
    let _ = call::close(cx, lp, if mode == UVX_IO_THREAD_DRAIN { 0 } else { UV_ECANCELED }); // or the program has done so
    loop {
        if let Some(stop_cb) = thread.stop_cb {
            // SAFETY: the user's function with the user's pointer.
            cx.call(|| unsafe { stop_cb(lp.as_ptr(), thread.arg, mode) });
        }
        while thread.told.load(Ordering::Acquire) == UVX_IO_THREAD_DRAIN && lp.is_alive() {
            run(cx, lp, UV_RUN_DEFAULT);
        }
        let told = thread.told.load(Ordering::Acquire);
        if told == mode {
            return;
        }
        mode = told;
    }
}

/// Closes all that is left, and the loop.
fn tear_down(cx: &mut Cx, thread: &IoThread, lp: Loop) {
    let _ = call::close(cx, lp, UV_ECANCELED);
    finish_closing(cx, lp);
    wind_up(cx, lp);
    let mut post = lock(&thread.post);
    post.is_open = false;
    if post.is_posted {
        // SAFETY: this is the loop's thread, and who set the flag has posted the notice.
        unsafe { thread.notice.withdraw(lp) };
    }
    drop(post);
    let _ = lifecycle::close(lp); // not busy
}

/// The thread was told to end: `run` returns, and `live` looks.
fn on_notice(cx: &mut Cx, lp: Loop, notice: *const Notice) {
    // SAFETY: the notice is a thread's, which is alive as long as its loop.
    let thread = unsafe { &*notice.byte_sub(offset_of!(IoThread, notice)).cast::<IoThread>() };
    lock(&thread.post).is_posted = false;
    if thread.told.load(Ordering::Acquire) == UVX_IO_THREAD_KILL {
        let _ = call::close(cx, lp, UV_ECANCELED); // or it was closed before
    }
    lp.set_stop_flag(1);
}
