//! The service thread: one for the process, started when it is first needed, with all signals blocked. It runs, one at a time, the
//! callbacks of watchdogs that are due (`watchdog.rs`) and of wakes that signals or threads have posted (`sigwake.rs`).
//!
//! Everything is under one mutex, but for the bell (`bell.rs`), which signal handlers ring too. The thread sleeps until the earliest
//! deadline that it knows of; who arms a later one need not wake it, and who disarms that one does not either. So a program that arms and
//! disarms again and again wakes the thread once per timeout, not once per turn. `turn.rs` says whose callback is running, for those who
//! have to wait for its end.
//!
//! After fork the child has no such thread, and nothing that is started or installed: dispositions are as before. The next watchdog or
//! wake brings a new thread.

pub mod bell;
pub mod sigint;
pub mod sigwake;
pub mod turn;
pub mod watchdog;

use crate::abi::errno::Result;
use crate::sync::prim::{self, statics};
use crate::sync::static_mutex::{Locked, StaticMutex};
use crate::sys::{futex, signal_mask, thread, time::now_ns};
use bell::{Bell, Rest};
use core::cell::Cell;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, Ordering};
use sigwake::SigWake;
use turn::{Ends, Turn};
use watchdog::Watchdog;

/// Everything under the mutex.
pub struct State {
    /// Armed watchdogs, the earliest at the root.
    pub heap: Cell<*mut Watchdog>,
    /// All wakes, the one that was called last at the end.
    pub wakes: Cell<*mut SigWake>,
    rest: Rest,
    turn: Turn,
    is_started: Cell<bool>,
    stopping: Cell<bool>,
    /// The service thread, while there is one.
    thread: Cell<MaybeUninit<libc::pthread_t>>,
}

static SERVICE: StaticMutex<State> = StaticMutex::new(State {
    heap: Cell::new(null_mut()),
    wakes: Cell::new(null_mut()),
    rest: Rest::new(),
    turn: Turn::new(),
    is_started: Cell::new(false),
    stopping: Cell::new(false),
    thread: Cell::new(MaybeUninit::uninit()),
});

statics! {
    static BELL: Bell = Bell { word: prim::AtomicU32::new(bell::AWAKE) };
    static ENDS: Ends = Ends { count: prim::AtomicU32::new(0) };
}

/// Counts the forks on the way to this process, so that what an ancestor has started can be told.
static EPOCH: AtomicU32 = AtomicU32::new(0);

/// See [`EPOCH`].
pub fn epoch() -> u32 {
    EPOCH.load(Ordering::Relaxed)
}

/// The mutex, held.
pub struct Service(Locked<State>);

impl core::ops::Deref for Service {
    type Target = State;
    fn deref(&self) -> &State {
        &self.0
    }
}

/// Takes the mutex. Who does that for the first time has called `guard_forks`.
pub fn lock() -> Service {
    Service(SERVICE.lock())
}

impl Service {
    /// Has the thread run. On error nothing has changed.
    pub fn start(&self) -> Result {
        if self.is_started.get() {
            return Ok(());
        }
        let mut id = MaybeUninit::uninit();
        let mask = signal_mask::block_all_signals();
        // SAFETY: room for the id; the function wants no argument.
        let result = unsafe { thread::create(id.as_mut_ptr(), 0, serve, null_mut()) };
        signal_mask::set_signal_mask(&mask);
        result?;
        self.thread.set(id);
        self.is_started.set(true);
        Ok(())
    }

    /// Something is to be done at `deadline`: wakes the thread if it would sleep longer.
    pub fn announce(self, deadline: u64) {
        self.rest.announce(deadline, ring);
    }

    /// If a callback of `owner` is running, waits until it is over, unless this is called from a callback. Lets go of the mutex meanwhile.
    pub fn wait_out(self, owner: *const c_void) -> Service {
        if is_here() {
            return self;
        }
        let Some(seen) = self.turn.wait_for(owner, &ENDS) else { return self };
        drop(self);
        ENDS.wait(seen, |word, seen| futex::wait(word, seen, None));
        let service = lock();
        service.turn.came_back();
        service
    }

    /// `wait_out` for an owner that ends. If that is what its callback is doing, nobody will wait for it.
    pub fn part_with(self, owner: *const c_void) -> Service {
        if is_here() {
            self.turn.disown(owner);
        }
        self.wait_out(owner)
    }

    /// Runs a callback of `owner`, which may be gone afterwards, without the mutex.
    pub fn run(self, owner: *const c_void, callback: impl FnOnce()) -> Service {
        self.turn.begin(owner);
        drop(self);
        callback();
        let service = lock();
        service.turn.end(&ENDS, |word| futex::wake_all(word));
        service
    }
}

/// Has the thread look. Any thread, and signal handlers.
pub fn ring() {
    BELL.ring(|word| futex::wake(word));
}

std::thread_local! {
    static HERE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is the service thread, that is, whether a callback is running on it.
pub fn is_here() -> bool {
    HERE.try_with(Cell::get).unwrap_or(false)
}

unsafe extern "C" fn serve(_: *mut c_void) {
    // SAFETY: the name is a string.
    let _ = unsafe { thread::set_name(c"uvx-service".as_ptr()) }; // a thread without its name is a thread all the same
    thread::wait_exactly();
    let _ = HERE.try_with(|here| here.set(true));
    let mut service = lock();
    while !service.stopping.get() {
        service.rest.end(&BELL);
        service = run_all(service);
        let deadline = watchdog::earliest(&service);
        service.rest.begin(deadline);
        drop(service);
        BELL.sleep(|word, asleep| sleep(word, asleep, deadline));
        service = lock();
    }
}

/// By turns, so that one that always has something to do does not keep others from theirs.
fn run_all(mut service: Service) -> Service {
    let mut found = true;
    while found {
        let found_watchdog;
        let found_wake;
        (service, found_watchdog) = watchdog::run_one(service);
        (service, found_wake) = sigwake::run_one(service);
        found = found_watchdog || found_wake;
    }
    service
}

/// Sleeps while the bell says so, at most until `deadline`.
fn sleep(bell: &prim::AtomicU32, asleep: u32, deadline: u64) {
    let left = deadline.saturating_sub(now_ns());
    if left > 0 {
        futex::wait(bell, asleep, (deadline != u64::MAX).then_some(left));
    }
}

/// Ends the thread, for `uv_library_shutdown`. What is armed fires no more.
pub fn shutdown() {
    let service = lock();
    if !service.is_started.get() || is_here() {
        return; // a callback ends the process
    }
    service.stopping.set(true);
    let id = service.thread.get();
    drop(service);
    ring();
    // SAFETY: the thread was started and nobody else joins it.
    let _ = unsafe { thread::join(id.assume_init()) };
    let service = lock();
    service.is_started.set(false);
    service.stopping.set(false);
}

/// In the child after fork: there is no service thread, and what was started or installed is the parent's.
pub fn after_fork_in_child() {
    sigint::forget();
    // SAFETY: the child has one thread.
    unsafe { SERVICE.renew() };
    let service = lock();
    service.heap.set(null_mut());
    service.wakes.set(null_mut());
    service.rest.renew();
    service.turn.renew();
    service.is_started.set(false);
    service.stopping.set(false);
    BELL.renew();
    EPOCH.fetch_add(1, Ordering::Relaxed);
    let _ = HERE.try_with(|here| here.set(false));
}
