//! The event loop: what `uv_loop_t` is and does. `docs/ARCHITECTURE.md` follows one turn through these files.
//!
//! [`Loop`] views the caller's `uv_loop_t`; what does not fit into its 848 bytes is in [`Internals`], which hangs on its
//! `internal_fields`. A loop belongs to one thread. Other threads touch only `Internals::ready`, the stamps of `linger`, the idle
//! time of `metrics`, `thread`, `begun_elsewhere`, and read the eventfd's number.

pub mod census;
pub mod closing;
pub mod default;
pub mod dispatch;
pub mod handle;
pub mod lifecycle;
pub mod linger;
pub mod metrics;
pub mod notice;
pub mod poll;
pub mod pool;
pub mod ring;
pub mod run;
pub mod timers;
pub mod wakeup;
pub mod watcher;

use crate::abi::*;
use crate::ds::wheel::Wheel;
use crate::fields;
use crate::sync::prim;
use crate::sync::ready::Ready;
use crate::sys::fd;
use census::Census;
use core::cell::{Cell, UnsafeCell};
use core::ffi::{c_int, c_uint, c_void};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use linger::Linger;
use metrics::Metrics;
use ring::RingSlot;

/// What a loop has beyond its public struct. Shared references only, so every field is a cell, an atomic, or guarded by the rule
/// that its methods run no user code.
pub struct Internals {
    /// What is ready to run, and who must wake whom.
    pub ready: Ready,
    /// When it pays to watch `ready` for a moment before sleeping.
    pub linger: Linger,
    /// All started timers.
    pub timers: UnsafeCell<Wheel>,
    /// For `uv_metrics_info` and `uv_metrics_idle_time`.
    pub metrics: Metrics,
    /// Events of one `epoll_pwait`, valid while its batch is dispatched; see `poll.rs`.
    pub batch: Cell<poll::Batch>,
    /// This `uv_run` has not looked at the descriptors yet; see `poll.rs`.
    pub must_poll: Cell<bool>,
    /// The last turn ran something that another thread had made ready; only then may the loop linger.
    pub was_fed: Cell<bool>,
    /// The io_uring, if there is one.
    pub ring: RingSlot,
    /// File requests whose callback is to come: of those that were answered at once, and of the others.
    pub files_answered: Cell<usize>,
    pub files_under_way: Cell<usize>,
    /// `SIGPROF` is blocked while polling (`UV_LOOP_BLOCK_SIGNAL`).
    pub block_sigprof: Cell<bool>,
    /// The list of message ports attached to this loop, which keep it from being closed.
    pub ports: Cell<*const c_void>,
    /// The list of workers that were started from this loop, which keep it from being closed.
    pub workers: Cell<*const c_void>,
    /// The loop's mailbox for posted calls, once it has one.
    pub calls: Cell<*const c_void>,
    /// The named locks that the loop holds or waits for, which keep it from being closed.
    pub locks: UnsafeCell<uv__queue>,
    /// The loop ends, and asks for no more of them.
    pub locks_closed: Cell<bool>,
    /// What others may know of the loop.
    pub census: Census,
    /// The thread that runs the loop, or did last (`sys::thread::number`); 0 before the first run.
    pub thread: AtomicUsize,
    /// Requests that other threads have begun (modulo 2^32: less those they took back) and `collect_requests` has not counted yet.
    pub begun_elsewhere: prim::AtomicU32,
}

/// A view of a loop in C memory. The caller keeps a loop alive for as long as any of its functions runs, so unlike a handle it may be
/// held across callbacks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Loop(NonNull<uv_loop_t>);

impl Loop {
    /// A view of the loop at `raw`.
    ///
    /// # Safety
    /// `raw` is not null and is a loop that was initialised and not closed, and this is its thread.
    pub unsafe fn new(raw: *mut uv_loop_t) -> Loop {
        // SAFETY: the caller's.
        Loop(unsafe { NonNull::new_unchecked(raw) })
    }

    /// The pointer, for callbacks and handles.
    pub fn as_ptr(self) -> *mut uv_loop_t {
        self.0.as_ptr()
    }

    /// The loop's private part.
    pub fn internals(&self) -> &Internals {
        // SAFETY: set by `lifecycle::init`, freed by `lifecycle::close`, after which nobody may use the loop.
        unsafe { &*self.internal_fields().cast::<Internals>() }
    }

    /// The loop's timers.
    pub fn timers(self) -> *mut Wheel {
        self.internals().timers.get()
    }
}

fields!([Loop] {
    internal_fields, set_internal_fields: internal_fields => *mut c_void;
    stop_flag, set_stop_flag: stop_flag => c_uint;
    flags, set_flags: flags => core::ffi::c_ulong;
    backend_fd, set_backend_fd: backend_fd => c_int;
    async_wfd, set_async_wfd: async_wfd => c_int;
    spare_fd, set_spare_fd: emfile_fd => c_int;
    watchers, set_watchers: watchers => *mut *mut uv__io_t;
    nwatchers, set_nwatchers: nwatchers => c_uint;
    nfds, set_nfds: nfds => c_uint;
    closing_handles, set_closing_handles: closing_handles => *mut uv_handle_t;
    timer_counter, set_timer_counter: timer_counter => u64;
    time, set_time: time => u64;
    inotify_watchers, set_inotify_watchers: inotify_watchers => *mut c_void;
    inotify_fd, set_inotify_fd: inotify_fd => c_int;
});

/// The two counts that others may read while the loop runs (`census.rs`); written by the loop's thread alone.
#[allow(missing_docs)]
impl Loop {
    pub fn active_handles(self) -> c_uint {
        active_handles_of(self.as_ptr())
    }
    pub fn set_active_handles(self, count: c_uint) {
        // SAFETY: the loop is alive, and all of the library uses the field as an atomic.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.as_ptr()).active_handles) }
            .store(count, Ordering::Relaxed);
    }
    pub fn active_reqs(self) -> c_uint {
        active_reqs_of(self.as_ptr())
    }
    pub fn set_active_reqs(self, count: c_uint) {
        // SAFETY: as above.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.as_ptr()).active_reqs.count) }
            .store(count, Ordering::Relaxed);
    }
}

/// How much is active and referenced. Any thread.
#[allow(clippy::not_unsafe_ptr_arg_deref)] // only called with loops that are alive: in this file, and under the list's mutex
pub fn active_handles_of(raw: *const uv_loop_t) -> c_uint {
    // SAFETY: the loop is alive, and all of the library uses the field as an atomic.
    unsafe { AtomicU32::from_ptr((&raw const (*raw).active_handles).cast_mut()) }.load(Ordering::Relaxed)
}

/// How many requests are active. Any thread.
#[allow(clippy::not_unsafe_ptr_arg_deref)] // as above
pub fn active_reqs_of(raw: *const uv_loop_t) -> c_uint {
    // SAFETY: as above.
    unsafe { AtomicU32::from_ptr((&raw const (*raw).active_reqs.count).cast_mut()) }.load(Ordering::Relaxed)
}

/// The addresses of the loop's queues.
#[allow(missing_docs)]
impl Loop {
    pub fn handle_queue(self) -> *mut uv__queue {
        // SAFETY: a projection inside the loop's struct, which is alive; so for the others.
        unsafe { &raw mut (*self.as_ptr()).handle_queue }
    }
    pub fn watcher_queue(self) -> *mut uv__queue {
        // SAFETY: as above.
        unsafe { &raw mut (*self.as_ptr()).watcher_queue }
    }
    pub fn pending_queue(self) -> *mut uv__queue {
        // SAFETY: as above.
        unsafe { &raw mut (*self.as_ptr()).pending_queue }
    }
    pub fn process_handles(self) -> *mut uv__queue {
        // SAFETY: as above.
        unsafe { &raw mut (*self.as_ptr()).process_handles }
    }
    pub fn child_watcher(self) -> *mut uv_signal_t {
        // SAFETY: as above.
        unsafe { &raw mut (*self.as_ptr()).child_watcher }
    }
    pub fn prepare_handles(self) -> *mut uv__queue {
        // SAFETY: as above.
        unsafe { &raw mut (*self.as_ptr()).prepare_handles }
    }
    pub fn check_handles(self) -> *mut uv__queue {
        // SAFETY: as above.
        unsafe { &raw mut (*self.as_ptr()).check_handles }
    }
    pub fn idle_handles(self) -> *mut uv__queue {
        // SAFETY: as above.
        unsafe { &raw mut (*self.as_ptr()).idle_handles }
    }

    pub fn locks(self) -> *mut uv__queue {
        self.internals().locks.get()
    }

    /// Sets a descriptor aside, if there is one and none is.
    pub fn reserve_fd(self) {
        if self.spare_fd() == -1 {
            self.set_spare_fd(fd::reserve().unwrap_or(-1));
        }
    }

    /// Gives up the one that was set aside; false: none was.
    pub fn release_spare_fd(self) -> bool {
        let spare = self.spare_fd();
        if spare == -1 {
            return false;
        }
        fd::close(spare);
        self.set_spare_fd(-1);
        true
    }

    /// Whether the kernel has not been told yet of changed interests, so that its descriptor does not speak for them.
    pub fn has_unregistered_watchers(self) -> bool {
        // SAFETY: the loop's queues are initialised.
        !unsafe { crate::ds::queue::is_empty(self.watcher_queue()) }
    }

    /// A request began, which keeps the loop alive.
    pub fn begin_request(self) {
        self.set_active_reqs(self.active_reqs().wrapping_add(1));
    }

    /// Counts the requests that other threads have begun. The end of a request is seen only after its beginning, so this comes before
    /// `end_request` for one that may be theirs.
    pub fn collect_requests(self) {
        let begun = &self.internals().begun_elsewhere;
        if begun.load(Ordering::Relaxed) != 0 {
            let count = begun.swap(0, Ordering::AcqRel);
            self.set_active_reqs(self.active_reqs().wrapping_add(count));
        }
    }

    /// A request is over; its callback comes next.
    pub fn end_request(self) {
        self.set_active_reqs(self.active_reqs().wrapping_sub(1));
    }

    /// Whether watchers are to be run without an event; see `Loop::feed`.
    pub fn has_fed_watchers(self) -> bool {
        // SAFETY: the loop's queues are initialised.
        !unsafe { crate::ds::queue::is_empty(self.pending_queue()) }
    }

    /// Whether an idle handle is started, so that the loop must not block.
    pub fn has_idle_handles(self) -> bool {
        // SAFETY: the loop's queues are initialised.
        !unsafe { crate::ds::queue::is_empty(self.idle_handles()) }
    }
}
