//! Making, configuring and closing a loop, and taking it through fork.

use super::census::Census;
use super::linger::{self, Linger};
use super::metrics::Metrics;
use super::poll::Batch;
use super::ring::RingSlot;
use super::{Internals, Loop, dispatch};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::mem::{self, Owned};
use crate::ptr::{Cx, Handle};
use crate::sync::fork_guard::ForkGuard;
use crate::sync::mailbox::State;
use crate::sync::prim::AtomicU32;
use crate::sync::ready::Ready;
use crate::sys::{self, cpus, epoll, fd};
use core::cell::Cell;
use core::ffi::c_int;
use core::ptr::{null, null_mut};
use core::sync::atomic::AtomicUsize;

/// `uv_loop_init`: everything but `data` gets its first value.
///
/// # Safety
/// `raw` is writable memory for a loop that is not in use.
pub unsafe fn init(raw: *mut uv_loop_t) -> Result {
    linger::read_switch();
    cpus::measure();
    guard_forks()?;
    let internals = make_internals()?;
    // SAFETY: all-zero is a value of the struct: integers, null pointers, unlocked locks.
    let lp = unsafe {
        let data = (&raw const (*raw).data).read();
        raw.write_bytes(0, 1);
        (&raw mut (*raw).data).write(data);
        Loop::new(raw)
    };
    for head in [
        lp.handle_queue(),
        lp.watcher_queue(),
        lp.pending_queue(),
        lp.process_handles(),
        lp.prepare_handles(),
        lp.check_handles(),
        lp.idle_handles(),
    ] {
        // SAFETY: a queue head of the loop.
        unsafe { queue::init(head) };
    }
    // SAFETY: fields of the loop that this library does not use, with the values that programs may expect.
    unsafe {
        for unused in [&raw mut (*raw).wq, &raw mut (*raw).async_handles] {
            queue::init(unused);
        }
        (*raw).signal_pipefd = [-1, -1];
        (*raw).async_wfd = -1;
        (*raw).inotify_fd = -1;
    }
    lp.set_backend_fd(-1);
    lp.set_spare_fd(-1);
    open_descriptors(lp)?; // on error the internals go with their owner
    lp.set_internal_fields(internals.into_raw().cast());
    lp.update_time();
    lp.start_clock();
    lp.census().enlist(raw);
    dispatch::loop_made();
    Ok(())
}

static FORK_GUARD: ForkGuard = ForkGuard::new();

/// Has fork(2) leave the child with usable locks. To be called before the first lock could be held: it happens when the library is loaded,
/// and here only if there was no memory then.
pub fn guard_forks() -> Result {
    FORK_GUARD.set_up(|| {
        let [prepare, parent, child] = dispatch::FORK_HANDLERS;
        // SAFETY: the functions live as long as the process: the library is not unloaded while its loops are in use.
        sys::check_code(unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) })
    })
}

/// In the child after fork.
pub fn is_guarded() {
    FORK_GUARD.is_set_up();
}

/// In place: the wheel alone is 17 KiB, which zeroed pages give for nothing.
fn make_internals() -> Result<Owned<Internals>> {
    let place = mem::alloc_zeroed(size_of::<Internals>()).cast::<Internals>();
    if place.is_null() {
        return Err(Errno::ENOMEM);
    }
    // SAFETY: the block is new and large enough; all fields but the wheel, which is empty when zeroed, are written.
    unsafe {
        (&raw mut (*place).ready).write(Ready::new());
        (&raw mut (*place).linger).write(Linger::default());
        (&raw mut (*place).metrics).write(Metrics::default());
        (&raw mut (*place).batch).write(Cell::new(Batch::EMPTY));
        (&raw mut (*place).must_poll).write(Cell::new(true));
        (&raw mut (*place).was_fed).write(Cell::new(false));
        (&raw mut (*place).ring).write(RingSlot::default());
        (&raw mut (*place).files_answered).write(Cell::new(0));
        (&raw mut (*place).files_under_way).write(Cell::new(0));
        (&raw mut (*place).block_sigprof).write(Cell::new(false));
        (&raw mut (*place).ports).write(Cell::new(null()));
        (&raw mut (*place).workers).write(Cell::new(null()));
        (&raw mut (*place).calls).write(Cell::new(null()));
        queue::init((&raw mut (*place).locks).cast());
        (&raw mut (*place).locks_closed).write(Cell::new(false));
        (&raw mut (*place).thread).write(AtomicUsize::new(0));
        (&raw mut (*place).begun_elsewhere).write(AtomicU32::new(0));
        (&raw mut (*place).census).write(Census::default());
        (*place).ready.init();
        Ok(Owned::from_raw(place))
    }
}

/// The epoll set, and the eventfd in it; on error neither.
fn open_descriptors(lp: Loop) -> Result {
    let backend = epoll::create()?;
    let wake = match epoll::event_fd() {
        Ok(wake) => wake,
        Err(error) => {
            fd::close(backend);
            return Err(error);
        }
    };
    let events = (libc::EPOLLIN | libc::EPOLLET).cast_unsigned();
    if let Err(error) = epoll::control(backend, libc::EPOLL_CTL_ADD, wake, events) {
        fd::close(wake);
        fd::close(backend);
        return Err(error);
    }
    lp.set_backend_fd(backend);
    // SAFETY: the loop is being made or forked: nobody posts.
    unsafe { (*lp.as_ptr()).async_io_watcher.fd = wake };
    Ok(())
}

/// `uv_loop_close`: `UV_EBUSY` while it has requests, handles that are not closed, attached ports, workers, named locks, or posted calls
/// that keep it alive. Other posted calls are cancelled.
pub fn close(lp: Loop) -> Result {
    // SAFETY: `close` is an entry from C on the loop's thread.
    let mut cx = unsafe { Cx::enter() };
    if is_busy(lp) {
        return Err(Errno::EBUSY);
    }
    dispatch::cancel_calls(&mut cx, lp);
    if is_busy(lp) {
        return Err(Errno::EBUSY); // a cancelled call has begun something, or another thread a request
    }
    lp.census().delist();
    dispatch::forget_calls(lp);
    lp.internals().ready.wait_for_wakers();
    lp.close_ring();
    dispatch::close(lp);
    fd::close(lp.wake_fd());
    fd::close(lp.backend_fd());
    lp.release_spare_fd();
    // SAFETY: both came from `mem`, and nothing can reach them any more.
    unsafe {
        mem::free(lp.watchers().cast());
        drop(Owned::from_raw(lp.internal_fields().cast::<Internals>()));
    }
    lp.set_watchers(null_mut());
    lp.set_nwatchers(0);
    lp.set_internal_fields(null_mut());
    lp.set_backend_fd(-1);
    Ok(())
}

/// Whether the loop cannot be closed.
pub fn is_busy(lp: Loop) -> bool {
    dispatch::collect_calls(lp);
    // SAFETY: the queues are initialised.
    let (has_handles, has_locks) =
        unsafe { (!queue::is_empty(lp.handle_queue()), !queue::is_empty(lp.locks())) };
    let internals = lp.internals();
    lp.active_reqs() > 0
        || has_handles
        || !internals.ports.get().is_null()
        || !internals.workers.get().is_null()
        || has_locks
}

/// `uv_loop_configure`.
pub fn configure(lp: Loop, option: uv_loop_option, argument: c_int) -> Result {
    match option {
        UV_LOOP_BLOCK_SIGNAL if argument == libc::SIGPROF => lp.internals().block_sigprof.set(true),
        UV_LOOP_BLOCK_SIGNAL => return Err(Errno::EINVAL),
        UV_LOOP_USE_IO_URING_SQPOLL => lp.want_ring(),
        UV_METRICS_IDLE_TIME => lp.internals().metrics.measure_idle(),
        _ => return Err(Errno::ENOSYS),
    }
    Ok(())
}

/// `uv_loop_fork`, in the child: new descriptors, and no memory of threads that are gone.
pub fn fork(lp: Loop) -> Result {
    let (old_backend, old_wake) = (lp.backend_fd(), lp.wake_fd());
    open_descriptors(lp)?;
    fd::close(old_backend);
    fd::close(old_wake);
    lp.internals().ready.forget_wakers(State::Outside);
    forget_pending(lp);
    lp.close_ring();
    dispatch::forget_threads(lp);
    lp.register_all_again();
    let result = dispatch::fork(lp);
    lp.census().delist();
    lp.census().enlist(lp.as_ptr());
    lp.leave();
    result
}

/// What was pending in the parent is none of the child's; its sender may not even have finished.
fn forget_pending(lp: Loop) {
    // SAFETY: `fork` is an entry from C on the loop's thread.
    let cx = unsafe { Cx::enter() };
    let head = lp.handle_queue();
    // SAFETY: the queue's nodes are live handles; nothing here unlinks one.
    unsafe {
        let mut node = (*head).next;
        while node != head {
            let handle = Handle::new(&cx, container_of!(node, uv_handle_t, handle_queue));
            dispatch::forget_pending(handle);
            node = (*node).next;
        }
    }
}
