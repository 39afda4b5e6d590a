//! What there is one of in the process, under one lock: the agent, the list of all queues, the list of categories. And what there is one of in
//! each thread: its queue.
//!
//! The lock is held for no more than such a list takes; events take none, but a thread's first one. After fork the child has no agent and no
//! queues, and all categories are off: what is there is the parent's.

use super::agent::Agent;
use super::category;
use super::output::OPEN;
use super::queue::Queue;
use crate::abi::errno::{Errno, Result};
use crate::mem::Counted;
use crate::sync::fork_guard::ForkGuard;
use crate::sync::prim::Ordering;
use crate::sync::static_mutex::{self, StaticMutex};
use crate::sys::{check_code, fd};
use core::cell::Cell;
use core::ffi::c_void;
use core::ops::Deref;
use core::ptr::{null, null_mut};
use core::sync::atomic::AtomicU64;

/// What is under the lock.
pub struct State {
    /// A reference.
    agent: Cell<*mut Agent>,
    /// A reference each.
    queues: Cell<*const Queue>,
    /// Tells of the end of threads.
    key: Cell<Option<libc::pthread_key_t>>,
}

static STATE: StaticMutex<State> =
    StaticMutex::new(State { agent: Cell::new(null_mut()), queues: Cell::new(null()), key: Cell::new(None) });

std::thread_local! {
    /// The thread's queue; it is in the list for as long as it stands here.
    static HERE: Cell<*const Queue> = const { Cell::new(null()) };
    /// The thread may trace nothing for the moment: it is the writer, or inside of `enter`.
    static REFUSES: Cell<bool> = const { Cell::new(false) };
}

/// Events that were dropped by threads that must not take the lock, and that the agent has not counted.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// The lock, held, and so the way to the state. The thread traces nothing meanwhile, for what it calls may be the program's: an allocator.
pub struct Locked {
    state: static_mutex::Locked<State>,
    here: *const Queue,
    refused: bool,
}

/// Takes the lock.
pub fn lock() -> Locked {
    let state = STATE.lock();
    let here = HERE.try_with(|here| here.replace(null())).unwrap_or(null());
    let refused = REFUSES.try_with(|refuses| refuses.replace(true)).unwrap_or(true);
    let state = Locked { state, here, refused };
    if DROPPED.load(Ordering::Relaxed) != 0 {
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        if let Some(agent) = state.agent() {
            agent.counts.dropped.fetch_add(dropped, Ordering::Relaxed);
        }
    }
    state
}

impl Deref for Locked {
    type Target = State;
    fn deref(&self) -> &State {
        &self.state
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        refuse(self.refused);
        let _ = HERE.try_with(|here| here.set(self.here));
    }
}

impl State {
    /// The agent that was started and is not stopped.
    pub fn agent(&self) -> Option<&Agent> {
        // SAFETY: the state has a reference.
        unsafe { self.agent.get().as_ref() }
    }

    /// It, unless it is being stopped.
    pub fn accepting_agent(&self) -> Option<&Agent> {
        self.agent().filter(|agent| agent.accepting.load(Ordering::Relaxed))
    }

    /// Whether it is this one.
    pub fn has_agent(&self, agent: *const Agent) -> bool {
        core::ptr::eq(self.agent.get(), agent)
    }

    /// Sets the agent.
    pub fn set_agent(&self, agent: Counted<Agent>) {
        self.agent.set(agent.into_raw());
    }

    /// Takes the agent back out, and gives up the queues whose threads are gone, for there is no writer any more.
    pub fn take_agent(&self) -> Option<Counted<Agent>> {
        let agent = self.agent.replace(null_mut());
        self.for_each_queue(|queue| {
            if queue.has_ended() {
                self.remove(queue);
            }
        });
        // SAFETY: the reference of `set_agent`.
        (!agent.is_null()).then(|| unsafe { Counted::from_raw(agent) })
    }

    /// What a key for the ends of threads is made for; once.
    pub fn make_key(&self) -> Result {
        if self.key.get().is_none() {
            let mut key = 0;
            // SAFETY: the key can be written, the function be called with what is stored under it.
            check_code(unsafe { libc::pthread_key_create(&raw mut key, Some(leave)) })?;
            self.key.set(Some(key));
        }
        Ok(())
    }

    /// The newest queue.
    pub fn first_queue(&self) -> *const Queue {
        self.queues.get()
    }

    /// Each queue, which may be removed.
    pub fn for_each_queue(&self, mut visit: impl FnMut(&Queue)) {
        let mut at = self.queues.get();
        // SAFETY: queues of the list are alive.
        while let Some(queue) = unsafe { at.as_ref() } {
            at = queue.next.get();
            visit(queue);
        }
    }

    /// Takes a queue out of the list and gives it up; its counts go to its agent.
    pub fn remove(&self, queue: &Queue) {
        let mut link = &self.queues;
        while !core::ptr::eq(link.get(), queue) {
            // SAFETY: queues of the list are alive.
            let Some(other) = (unsafe { link.get().as_ref() }) else { return };
            link = &other.next;
        }
        link.set(queue.next.get());
        let counts = &queue.agent.counts;
        counts.dropped.fetch_add(queue.dropped.load(Ordering::Relaxed), Ordering::Relaxed);
        counts.blocked.fetch_add(queue.blocked.load(Ordering::Relaxed), Ordering::Relaxed);
        // SAFETY: the list's reference.
        drop(unsafe { Counted::from_raw(core::ptr::from_ref(queue).cast_mut()) });
    }
}

/// The calling thread's queue, if its agent takes events.
#[inline]
pub fn here() -> Option<&'static Queue> {
    let queue = HERE.try_with(Cell::get).unwrap_or(null());
    // SAFETY: a queue that stands there is in the list, and does not go while the thread may use it: only the thread ends it.
    let queue = unsafe { queue.as_ref() }?;
    queue.agent.accepting.load(Ordering::Relaxed).then_some(queue)
}

/// A queue for the calling thread's first event. None if there is no agent any more. `UV_EAGAIN`: the thread must not trace now.
#[cold]
pub fn enter() -> Result<Option<&'static Queue>> {
    if REFUSES.try_with(Cell::get).unwrap_or(true) {
        DROPPED.fetch_add(1, Ordering::Relaxed); // without the lock, which it may have
        return Err(Errno::EAGAIN);
    }
    refuse(true); // what allocates may trace
    let queue = make_queue();
    refuse(false);
    queue
}

/// Whether the calling thread's events are dropped.
pub fn refuse(on: bool) {
    let _ = REFUSES.try_with(|refuses| refuses.set(on));
}

fn make_queue() -> Result<Option<&'static Queue>> {
    let old = HERE.try_with(|here| here.replace(null())).unwrap_or(null());
    // SAFETY: as in `here`.
    if let Some(old) = unsafe { old.as_ref() } {
        if let Some(key) = lock().key.get() {
            // SAFETY: the key was made by `make_key`.
            unsafe { libc::pthread_setspecific(key, null()) }; // or the thread's end would mean whatever has the address by then
        }
        old.end();
    }
    let agent = {
        let state = lock();
        if state.accepting_agent().is_none() {
            return Ok(None);
        }
        // SAFETY: the state has a reference.
        unsafe { Counted::retain(state.agent.get()) }
    };
    let count_dropped = |_: &Errno| {
        agent.counts.dropped.fetch_add(1, Ordering::Relaxed);
    };
    let queue = Queue::new(&agent).inspect_err(count_dropped)?;
    let state = lock();
    if !state.accepting_agent().is_some_and(|now| core::ptr::eq(now, agent.as_ptr())) {
        return Ok(None);
    }
    let Some(key) = state.key.get() else { return Ok(None) };
    // SAFETY: the key was made by `make_key`.
    check_code(unsafe { libc::pthread_setspecific(key, queue.as_ptr().cast()) })
        .inspect_err(count_dropped)?;
    queue.next.set(state.queues.get());
    let queue = queue.into_raw();
    state.queues.set(queue);
    drop(state);
    let _ = HERE.try_with(|here| here.set(queue));
    // SAFETY: it is in the list.
    Ok(unsafe { queue.as_ref() })
}

/// The calling thread ends.
unsafe extern "C" fn leave(queue: *mut c_void) {
    let _ = HERE.try_with(|here| here.set(null()));
    let state = lock();
    state.for_each_queue(|other| {
        if core::ptr::eq(other, queue.cast()) {
            other.end();
            if state.agent().is_none() {
                state.remove(other);
            }
        }
    });
}

static FORK_GUARD: ForkGuard = ForkGuard::new();

/// Has fork(2) leave the child without what is the parent's. Before the lock is taken for the first time.
pub fn guard_forks() -> Result {
    // SAFETY: the function lives as long as the process: the library is not unloaded while it is in use.
    FORK_GUARD.set_up(|| check_code(unsafe { libc::pthread_atfork(None, None, Some(after_fork_in_child)) }))
}

unsafe extern "C" fn after_fork_in_child() {
    FORK_GUARD.is_set_up();
    // SAFETY: the child has one thread, which forks outside of the mutex.
    unsafe { STATE.renew() };
    let state = lock();
    category::set_all(None);
    if let Some(agent) = state.agent() {
        agent.accepting.store(false, Ordering::Relaxed);
    }
    // The writer may have been using any of this when it was copied, so it is left alone.
    state.agent.set(null_mut());
    state.queues.set(null());
    drop(state);
    refuse(false);
    let fd = OPEN.swap(-1, Ordering::Relaxed);
    if fd >= 0 {
        fd::close(fd);
    }
}
