//! Descriptors that the loop watches.
//!
//! `Loop::watchers` maps a descriptor to its one watcher, a `uv__io_t` inside a handle. Changes of interest are only noted
//! (`pevents`, and a place on `watcher_queue`) and told to the kernel in one go before the next poll (`events`); but a watcher that
//! wants nothing any more is taken out at once, since its owner may close the descriptor next.

use super::Loop;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::fields;
use crate::mem;
use crate::sys::{epoll, fd};
use core::ffi::c_int;
use core::ptr::null_mut;

/// A view of a `uv__io_t` in C memory, valid while its handle is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Watcher(*mut uv__io_t);

/// Whose watcher it is: the value of `uv__io_t.bits`, by which `dispatch` finds the callback.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Owner {
    /// `uv_poll_t`
    Poll = 1,
    /// A stream that carries data.
    Stream = 2,
    /// A stream that listens.
    Server = 3,
    /// `uv_udp_t`
    Udp = 4,
    /// What `uv_process_t` has while its end is not known.
    Process = 5,
    /// The loop itself, for its `uv_fs_event_t`s.
    FsEvents = 6,
    /// The loop itself, for its io_uring.
    Ring = 7,
}

impl Watcher {
    /// A view of the watcher at `raw`.
    ///
    /// # Safety
    /// `raw` is inside a live handle, made by a pointer to the whole handle.
    pub unsafe fn new(raw: *mut uv__io_t) -> Watcher {
        Watcher(raw)
    }

    /// The pointer, from which the handle is reached.
    pub fn as_ptr(self) -> *mut uv__io_t {
        self.0
    }

    /// Sets it up for `fd`, watching nothing.
    pub fn init(self, owner: Owner, fd: c_int) {
        self.set_bits(owner as usize);
        self.set_fd(fd);
        self.set_pevents(0);
        self.set_events(0);
        // SAFETY: nodes of this watcher, in no queue.
        unsafe {
            queue::init(&raw mut (*self.0).pending_queue);
            queue::init(&raw mut (*self.0).watcher_queue);
        }
    }

    /// Whether the loop goes on with a descriptor that the kernel refuses to watch. The program is told of its own, and a process
    /// has another way.
    fn can_be_asked(self) -> bool {
        let owner = self.bits();
        owner != Owner::Poll as usize && owner != Owner::Process as usize
    }

    /// The events of a descriptor that the kernel refuses to watch: what there is now, or the error that makes its owner give up.
    pub fn events_without_kernel(self) -> u32 {
        if self.can_be_asked() {
            fd::ready(self.fd(), self.pevents())
        } else {
            libc::EPOLLERR.cast_unsigned()
        }
    }

    fn pending_node(self) -> *mut uv__queue {
        // SAFETY: the watcher is alive.
        unsafe { &raw mut (*self.0).pending_queue }
    }

    fn queue_node(self) -> *mut uv__queue {
        // SAFETY: the watcher is alive.
        unsafe { &raw mut (*self.0).watcher_queue }
    }
}

fields!([Watcher] {
    bits, set_bits: bits => usize;
    fd, set_fd: fd => c_int;
    pevents, set_pevents: pevents => u32;
    events, set_events: events => u32;
});

impl Loop {
    /// The watcher of `fd`, if any.
    pub fn watcher_of(self, fd: c_int) -> Option<Watcher> {
        let index = usize::try_from(fd).ok()?;
        if index >= self.nwatchers() as usize {
            return None;
        }
        // SAFETY: the table has `nwatchers` entries.
        let raw = unsafe { *self.watchers().add(index) };
        if raw.is_null() { None } else { Some(Watcher(raw)) }
    }

    /// Whether the kernel can watch `fd` at all (regular files: `UV_EPERM`).
    pub fn can_watch(self, fd: c_int) -> Result<()> {
        match epoll::control(self.backend_fd(), libc::EPOLL_CTL_ADD, fd, libc::EPOLLIN.cast_unsigned()) {
            Err(Errno::EEXIST) => Ok(()), // the program's own registration stays
            Err(error) => Err(error),
            Ok(()) => epoll::control(self.backend_fd(), libc::EPOLL_CTL_DEL, fd, 0),
        }
    }

    /// Watches for `events` (`EPOLL*` bits) from now on, instead of what was watched for before.
    pub fn watch(self, watcher: Watcher, events: u32) -> Result<()> {
        let index = usize::try_from(watcher.fd()).map_err(|_| Errno::EBADF)?;
        self.make_room(index)?;
        watcher.set_pevents(events);
        // SAFETY: the node is the watcher's, and the table has room for `index`.
        unsafe {
            queue::unlink(watcher.queue_node());
            if watcher.pevents() != watcher.events() {
                queue::push_back(self.watcher_queue(), watcher.queue_node());
            }
            let slot = self.watchers().add(index);
            if (*slot).is_null() {
                *slot = watcher.as_ptr();
                self.set_nfds(self.nfds() + 1);
            } else if *slot != watcher.as_ptr() && Watcher(*slot).pevents() == 0 {
                // Another handle of the same descriptor, which is stopped; the registration becomes ours.
                Watcher(*slot).set_events(0);
                *slot = watcher.as_ptr();
            }
        }
        Ok(())
    }

    /// Watches for `events` too.
    pub fn want(self, watcher: Watcher, events: u32) -> Result<()> {
        self.watch(watcher, watcher.pevents() | events)
    }

    /// Watches for `events` no more. If then nothing is wanted the kernel is not told yet: the next thing wanted is often the same,
    /// and most streams are closed soon. An event that comes nevertheless tells it (`disarm`).
    pub fn unwant(self, watcher: Watcher, events: u32) {
        let left = watcher.pevents() & !events;
        if left == watcher.pevents() {
            return;
        }
        watcher.set_pevents(left);
        // SAFETY: the node is the watcher's.
        unsafe {
            queue::unlink(watcher.queue_node());
            if left != 0 && left != watcher.events() {
                queue::push_back(self.watcher_queue(), watcher.queue_node());
            }
        }
    }

    /// Tells the kernel that nothing is wanted of the watcher's descriptor.
    pub fn disarm(self, watcher: Watcher) {
        watcher.set_events(0);
        // The program may have closed or removed the descriptor itself: nothing is left to do then.
        let _ = epoll::control(self.backend_fd(), libc::EPOLL_CTL_DEL, watcher.fd(), 0);
    }

    /// Whether something is wanted of `fd`.
    pub fn is_watched(self, fd: c_int) -> bool {
        self.watcher_of(fd).is_some_and(|watcher| watcher.pevents() != 0)
    }

    /// Has the watcher's owner run soon, without an event: before the next poll or right after this one.
    pub fn feed(self, watcher: Watcher) {
        // SAFETY: the node is the watcher's.
        unsafe {
            if queue::is_empty(watcher.pending_node()) {
                queue::push_back(self.pending_queue(), watcher.pending_node());
            }
        }
    }

    /// Watches for nothing any more and forgets the descriptor, also in events already fetched.
    pub fn unwatch(self, watcher: Watcher) {
        // SAFETY: the nodes are the watcher's.
        unsafe {
            queue::unlink(watcher.queue_node());
            queue::unlink(watcher.pending_node());
        }
        if watcher.fd() == -1 {
            return;
        }
        if self.watcher_of(watcher.fd()).is_some_and(|found| found.0 == watcher.0) {
            // SAFETY: `watcher_of` has found it there, so the index is in range.
            unsafe { *self.watchers().add(watcher.fd().cast_unsigned() as usize) = null_mut() };
            self.set_nfds(self.nfds() - 1);
        }
        self.internals().batch.get().forget(watcher.fd());
        if watcher.events() != 0 {
            self.disarm(watcher);
        }
        watcher.set_pevents(0);
    }

    /// Tells the kernel of the next change in `changed`; gives the watcher back if the kernel refuses it, None when there is no more.
    ///
    /// # Safety
    /// The queue holds nodes of live watchers of this loop.
    pub unsafe fn register_next(self, changed: *mut uv__queue) -> Option<core::result::Result<(), Watcher>> {
        // SAFETY: the caller's.
        let watcher = unsafe {
            let node = queue::pop_front(changed)?;
            Watcher(container_of!(node, uv__io_t, watcher_queue))
        };
        let first = watcher.events() == 0;
        let (operation, other) = if first {
            (libc::EPOLL_CTL_ADD, libc::EPOLL_CTL_MOD)
        } else {
            (libc::EPOLL_CTL_MOD, libc::EPOLL_CTL_ADD)
        };
        let register =
            |operation| epoll::control(self.backend_fd(), operation, watcher.fd(), watcher.pevents());
        // Programs add and remove descriptors of this epoll set themselves.
        let result = match register(operation) {
            Err(Errno::EEXIST | Errno::ENOENT) => register(other),
            result => result,
        };
        watcher.set_events(watcher.pevents());
        if result.is_err() && watcher.can_be_asked() {
            watcher.set_events(0);
            // SAFETY: the node is the watcher's and was just taken out. The next turn tries again.
            unsafe { queue::push_back(self.watcher_queue(), watcher.queue_node()) };
        }
        Some(result.map_err(|_| watcher))
    }

    /// After fork, with a new epoll set: notes all watchers as new.
    pub fn register_all_again(self) {
        for index in 0..self.nwatchers() as usize {
            // SAFETY: the table has `nwatchers` entries, null or alive.
            unsafe {
                let raw = *self.watchers().add(index);
                if raw.is_null() {
                    continue;
                }
                let watcher = Watcher(raw);
                watcher.set_events(0);
                if watcher.pevents() != 0 && queue::is_empty(watcher.queue_node()) {
                    queue::push_back(self.watcher_queue(), watcher.queue_node());
                }
            }
        }
    }

    fn make_room(self, index: usize) -> Result<()> {
        let have = self.nwatchers() as usize;
        if index < have {
            return Ok(());
        }
        let want = (index + 1).next_power_of_two().max(64);
        let bytes = want.checked_mul(size_of::<*mut uv__io_t>()).ok_or(Errno::ENOMEM)?;
        // SAFETY: the table came from this module, or is null.
        let table = unsafe { mem::resize(self.watchers().cast(), bytes) }.cast::<*mut uv__io_t>();
        if table.is_null() {
            return Err(Errno::ENOMEM);
        }
        for new in have..want {
            // SAFETY: below `want`, for which there is room now.
            unsafe { *table.add(new) = null_mut() };
        }
        self.set_watchers(table);
        self.set_nwatchers(u32::try_from(want).map_err(|_| Errno::ENOMEM)?);
        Ok(())
    }
}
