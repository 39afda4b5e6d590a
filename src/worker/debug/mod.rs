//! The debug port: a thread of its own that tells whoever connects what the loops of the process are doing (`report.rs`), whatever state
//! they are in. Off unless the program or the environment asks for it.
//!
//! `start` and `stop` are for any thread; what there is is under one mutex, which neither waits for the service thread nor for the port's. The
//! port's loop has one handle, which watches the listening socket; its memory is static, for there is one port in a process.

mod address;
mod client;
mod locks;
mod loops;
mod report;

use super::io_thread::{self, IoThread};
use super::service::sigwake::{self, SigWake};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::text::Text;
use crate::event_loop::{Loop, lifecycle};
use crate::handles::poll;
use crate::os::caller_buffer::CallerBuffer;
use crate::os::error_text;
use crate::ptr::{Cx, Handle};
use crate::sync::static_mutex::{Locked, StaticMutex};
use crate::sys::{fd, file};
use address::{Address, Place};
use core::cell::{Cell, UnsafeCell};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// What there is of the port.
struct State {
    /// The thread, while it listens.
    thread: Cell<*mut IoThread>,
    /// What waits for the signal, and where to listen then.
    wake: Cell<*mut SigWake>,
    later: UnsafeCell<Option<Address>>,
    /// Where it listens.
    place: UnsafeCell<Option<Place>>,
}

static STATE: StaticMutex<State> = StaticMutex::new(State {
    thread: Cell::new(null_mut()),
    wake: Cell::new(null_mut()),
    later: UnsafeCell::new(None),
    place: UnsafeCell::new(None),
});

/// The listening socket, or -1. Written under the mutex.
static LISTENER: AtomicI32 = AtomicI32::new(-1);

/// Memory for the handle that watches it.
struct Watch(UnsafeCell<MaybeUninit<uv_poll_t>>);

// SAFETY: used by the port's thread alone, and there is one at most.
unsafe impl Sync for Watch {}

static WATCH: Watch = Watch(UnsafeCell::new(MaybeUninit::zeroed()));

/// `uvx_debug_start`.
///
/// # Safety
/// `options` is null or points at options of the size that stands in them, whose path is a string or null.
pub unsafe fn start(options: *const uvx_debug_options_t) -> Result {
    // SAFETY: the caller's; defaults are all zero.
    let options = unsafe {
        match options.as_ref() {
            None => MaybeUninit::<uvx_debug_options_t>::zeroed().assume_init(),
            Some(given) if given.size < size_of::<uvx_debug_options_t>() => return Err(Errno::EINVAL),
            Some(_) => options.read(),
        }
    };
    look_at_environment(); // or the port's own loop would, in the middle of this
    // SAFETY: the caller's.
    let address = unsafe { Address::from_options(options.path, options.port)? };
    start_at(address, options.signum)
}

fn start_at(address: Address, signum: c_int) -> Result {
    lifecycle::guard_forks()?;
    let state = STATE.lock();
    if !state.thread.get().is_null() || !state.wake.get().is_null() {
        return Err(Errno::EALREADY);
    }
    if signum == 0 {
        return open(&state, &address);
    }
    // The signal may come at once; it is looked at when the mutex is free.
    state.wake.set(sigwake::install(signum, Some(on_signal), null_mut())?);
    // SAFETY: under the mutex.
    unsafe { *state.later.get() = Some(address) };
    Ok(())
}

/// Begins to listen.
fn open(state: &Locked<State>, address: &Address) -> Result {
    let (listener, place) = address.listen()?;
    LISTENER.store(listener, Ordering::Release);
    let options = uvx_io_thread_options_t {
        size: size_of::<uvx_io_thread_options_t>(),
        name: c"uvx-debug".as_ptr(),
        stack_size: 0,
        stop_cb: None,
    };
    // SAFETY: the options are what they say.
    let thread = unsafe { io_thread::start(Some(init), null_mut(), &raw const options) }
        .inspect_err(|_| close_listener(Some(&place)))?;
    state.thread.set(thread);
    // SAFETY: under the mutex.
    unsafe { *state.place.get() = Some(place) };
    Ok(())
}

/// Gives the socket up, and takes its file away.
fn close_listener(place: Option<&Place>) {
    if let Some(place) = place.filter(|place| place.as_bytes().contains(&b'/')) {
        address::remove(place);
    }
    fd::close(LISTENER.swap(-1, Ordering::AcqRel));
}

/// The signal came: listens now, unless it does already.
unsafe extern "C" fn on_signal(_wake: *mut uvx_sigwake_t, _arg: *mut c_void) {
    let state = STATE.lock();
    // SAFETY: under the mutex.
    if let Some(address) = unsafe { &*state.later.get() }
        && state.thread.get().is_null()
        && let Err(error) = open(&state, address)
    {
        complain(error);
    }
}

/// `uvx_debug_stop`.
pub fn stop() {
    let wake = STATE.lock().wake.replace(null_mut());
    if !wake.is_null() {
        // SAFETY: installed by `start_at`, and nobody else has it now. Its callback may want the mutex.
        unsafe { sigwake::remove(wake) };
    }
    let state = STATE.lock();
    let thread = state.thread.get();
    if !thread.is_null() {
        // SAFETY: nobody else stops the thread, which does not want the mutex.
        unsafe {
            let _ = (*thread).stop(UVX_IO_THREAD_KILL);
            let _ = io_thread::join(thread, u64::MAX);
            close_listener((*state.place.get()).as_ref());
            *state.place.get() = None;
        }
        state.thread.set(null_mut());
    }
}

/// `uvx_debug_address`.
///
/// # Safety
/// `buffer` has room for as many bytes as `size` says.
pub unsafe fn address(buffer: *mut c_char, size: *mut usize) -> Result {
    // SAFETY: the caller's.
    let out = unsafe { CallerBuffer::new(buffer, size)? };
    let state = STATE.lock();
    // SAFETY: under the mutex.
    let place = unsafe { (*state.place.get()).as_ref() }.ok_or(Errno::ENOENT)?;
    out.put(place.as_bytes())
}

/// A loop was made: does what the environment says, once.
pub fn look_at_environment() {
    static LOOKED: AtomicBool = AtomicBool::new(false);
    if LOOKED.load(Ordering::Relaxed) || LOOKED.swap(true, Ordering::AcqRel) {
        return;
    }
    let Some(text) = address::from_environment(c"UVX_DEBUG_SOCKET") else { return };
    if let Err(error) = Address::from_text(text).and_then(|address| start_at(address, 0)) {
        complain(error);
    }
}

/// Says on stderr that there is no port, to whom asked for one without being there to get the error.
fn complain(error: Errno) {
    let text = error_text::of(error.code(), error_text::MESSAGE);
    let mut line = Text::<160>::default();
    // SAFETY: a string.
    let known = unsafe { CStr::from_ptr(text) }.to_bytes();
    for part in [b"libuv: no debug port: ", known, b"\n"] {
        let _ = line.push(part); // texts are shorter
    }
    let _ = file::write_all(libc::STDERR_FILENO, line.as_bytes(), None); // there is nobody else to tell
}

/// In the child after fork: the port is the parent's.
pub fn after_fork_in_child() {
    // SAFETY: the child has one thread.
    unsafe { STATE.renew() };
    let state = STATE.lock();
    state.thread.set(null_mut());
    state.wake.set(null_mut());
    // SAFETY: under the mutex.
    unsafe {
        *state.later.get() = None;
        *state.place.get() = None;
    }
    // Else clients would still be taken, by nobody, when the parent has ended.
    let listener = LISTENER.swap(-1, Ordering::AcqRel);
    if listener != -1 {
        fd::close(listener);
    }
}

/// On the port's thread: watches the socket.
unsafe extern "C" fn init(raw: *mut uv_loop_t, _arg: *mut c_void) -> c_int {
    // SAFETY: this thread's loop, and memory that nobody else uses.
    let (cx, lp) = unsafe { (Cx::enter(), Loop::new(raw)) };
    lp.census().hide();
    lp.reserve_fd();
    let watch = WATCH.0.get().cast::<uv_poll_t>();
    // SAFETY: as above; a handle once it is made.
    let result = unsafe {
        poll::init(&cx, lp, watch, LISTENER.load(Ordering::Acquire))
            .and_then(|()| poll::start(Handle::new(&cx, watch), UV_READABLE.cast_signed(), Some(on_client)))
    };
    result.map_or_else(|error| error.code(), |()| 0)
}

unsafe extern "C" fn on_client(watch: *mut uv_poll_t, _status: c_int, _events: c_int) {
    // SAFETY: the handle is the port's, and this is its loop's thread.
    let lp = unsafe { Handle::new(&Cx::enter(), watch).owner() };
    client::serve(lp, LISTENER.load(Ordering::Acquire));
}
