//! A port: one end of a channel, or a member of a group, and what its owner has done with it.
//!
//! A port is owned by the loop that it is attached to, by whichever thread uses it, or by the message that it is in; `user`
//! (`claim.rs`) enforces that. Only the owner touches the cells. Whoever posts to the port, rings its bell or interrupts it uses the
//! atomics, from any thread.

pub use super::delivery::run;

use super::broadcast::Member;
use super::channel::Channel;
use super::claim::User;
use super::doorbell::Doorbell;
use super::inbox::{CALLBACK, Inbox, Limits, Next};
use super::writer::{Count, Writer};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::census::Seen;
use crate::event_loop::linger::Linger;
use crate::event_loop::{Loop, wakeup};
use crate::sync::mailbox::{Kind, State};
use crate::sync::prim::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use crate::sys::futex;
use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::ops::Deref;
use core::ptr::{NonNull, null, null_mut};

/// In the futex word: the bell rang.
pub const RUNG: u32 = 1;
/// In the futex word: `receive` is to return.
pub const INTERRUPTED: u32 = 2;

/// See the module.
#[repr(C)]
pub struct Port {
    /// What was posted to this port.
    pub inbox: Inbox,
    /// The way to the other ports' inboxes.
    pub writer: Writer,
    /// Closed by its owner, or with the message that it was in.
    pub closed: AtomicBool,
    /// It cannot be handed over.
    pub pinned: AtomicBool,
    /// Null in a group.
    peer: *const Port,
    /// Null in a channel.
    member: *const Member,
    channel: *const Channel,
    data: AtomicPtr<c_void>,
    pub(super) user: User,
    /// For the owner.
    pub own: Owned,
    /// From here on, what others write.
    pub(super) doorbell: Doorbell,
    node: UnsafeCell<uv__queue>,
    /// A thread in `receive` sleeps on this word.
    pub word: AtomicU32,
    /// When it pays to watch before sleeping.
    pub linger: Linger,
    /// The other port closed, and what is unread does not matter any more.
    pub cut: AtomicBool,
    /// Tell the owner that the other port has room again.
    pub writable: AtomicBool,
    /// Nobody waits for room any more to post from this port.
    no_waiting: AtomicBool,
}

/// What the owner has set. `attach` begins anew.
pub struct Owned {
    attached: Cell<*mut uv_loop_t>,
    /// The loop's list of ports.
    next: Cell<*const Port>,
    previous: Cell<*const Port>,
    /// Counted in the loop's `active_handles`.
    counted: Cell<bool>,
    pub started: Cell<bool>,
    pub referenced: Cell<bool>,
    /// The owner knows of the end.
    pub told_end: Cell<bool>,
    /// `close` was called, and its callback is to come; first what is in the inbox if `flushing`.
    pub closing: Cell<bool>,
    pub flushing: Cell<bool>,
    pub budget: Cell<Budget>,
    pub message_cb: Cell<uvx_message_cb>,
    pub batch_cb: Cell<uvx_message_batch_cb>,
    pub end_cb: Cell<uvx_message_port_event_cb>,
    pub close_cb: Cell<uvx_message_port_event_cb>,
    pub writable_cb: Cell<uvx_message_port_event_cb>,
}

/// Where a port's posts go.
pub enum Far<'a> {
    /// The other end of the channel. Its memory is there as long as this one's.
    Port(&'a Port),
    /// The group's other members.
    Group(&'a Member),
}

/// How much one dispatch may deliver.
#[derive(Clone, Copy)]
pub enum Budget {
    /// All that waits at the beginning, or [`FLOOR`] messages if that is more.
    Usual,
    /// So many messages, and for so many ns; a maximal value stands for no bound.
    Fixed(u64, u64),
}

impl Port {
    /// A port of a channel that is being made; either `peer` or `member` is null.
    pub fn new(limits: Limits, channel: *const Channel, peer: *const Port, member: *const Member) -> Port {
        Port {
            inbox: Inbox::new(limits),
            writer: Writer::default(),
            closed: AtomicBool::new(false),
            pinned: AtomicBool::new(false),
            user: User::default(),
            cut: AtomicBool::new(false),
            writable: AtomicBool::new(false),
            no_waiting: AtomicBool::new(false),
            doorbell: Doorbell::default(),
            word: AtomicU32::new(0),
            linger: Linger::default(),
            data: AtomicPtr::new(null_mut()),
            channel,
            peer,
            member,
            node: UnsafeCell::new(uv__queue { next: null_mut(), prev: null_mut() }),
            own: Owned {
                attached: Cell::new(null_mut()),
                next: Cell::new(null()),
                previous: Cell::new(null()),
                counted: Cell::new(false),
                started: Cell::new(false),
                referenced: Cell::new(true),
                told_end: Cell::new(false),
                closing: Cell::new(false),
                flushing: Cell::new(false),
                budget: Cell::new(Budget::Usual),
                message_cb: Cell::new(None),
                batch_cb: Cell::new(None),
                end_cb: Cell::new(None),
                close_cb: Cell::new(None),
                writable_cb: Cell::new(None),
            },
        }
    }

    /// The port as C sees it.
    pub fn as_c(&self) -> *mut uvx_message_port_t {
        core::ptr::from_ref(self).cast_mut().cast()
    }

    /// The port whose node this is.
    ///
    /// # Safety
    /// It is a port's node, and the port is alive for `'a`.
    pub unsafe fn of_node<'a>(node: *mut uv__queue) -> &'a Port {
        // SAFETY: the caller's.
        unsafe { &*container_of!(node, Port, node) }
    }

    /// Where posts go.
    #[inline]
    pub fn far(&self) -> Far<'_> {
        // SAFETY: the other port, or what makes this one a member, lies in the same block.
        unsafe {
            match self.member.as_ref() {
                None => Far::Port(&*self.peer),
                Some(member) => Far::Group(member),
            }
        }
    }

    /// The channel, for its count.
    pub fn channel(&self) -> *const Channel {
        self.channel
    }

    /// Why the port cannot be used, if it cannot.
    pub fn check_usable(&self) -> Result {
        if self.closed.load(Ordering::Acquire) {
            return Err(Errno::EBADF);
        }
        if self.user.is_moving() { Err(Errno::EALREADY) } else { Ok(()) }
    }

    /// `uvx_message_port_forbid_transfer`.
    pub fn forbid_transfer(&self) -> Result {
        let _claim = self.claim()?;
        self.pinned.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The program's pointer.
    pub fn data(&self) -> *mut c_void {
        self.data.load(Ordering::Relaxed)
    }

    /// Sets the program's pointer.
    pub fn set_data(&self, data: *mut c_void) {
        self.data.store(data, Ordering::Relaxed);
    }
}

/// Belonging to a loop.
impl Port {
    /// The loop that the port is attached to. Owner only.
    pub fn attached(&self) -> Option<Loop> {
        let raw = self.own.attached.get();
        // SAFETY: a loop that ports are attached to is not closed, and the owner is on its thread.
        (!raw.is_null()).then(|| unsafe { Loop::new(raw) })
    }

    /// Begins to belong to a loop.
    pub fn enter(&self, lp: Loop) {
        self.link(lp);
        self.own.attached.set(lp.as_ptr());
        self.doorbell.set_owner(lp.as_ptr());
        self.update_alive();
        if self.has_news() || self.writable.load(Ordering::Acquire) {
            self.schedule(lp);
        }
    }

    /// Ends to belong to a loop; nobody has it then.
    pub fn leave(&self, lp: Loop) {
        self.inbox.settle(State::Awake);
        if self.doorbell.set_owner(null_mut()) {
            // SAFETY: who set the flag has put the node in, before the owner could change.
            unsafe { lp.internals().ready.withdraw(self.node.get()) };
        }
        self.count_alive(lp, false);
        self.unlink(lp);
        self.own.attached.set(null_mut());
    }

    /// Enters the loop's list of ports.
    fn link(&self, lp: Loop) {
        let _unseen = lp.census().hold();
        let first = lp.internals().ports.replace(core::ptr::from_ref(self).cast()).cast::<Port>();
        self.own.previous.set(null());
        self.own.next.set(first);
        if !first.is_null() {
            // SAFETY: ports leave the list before they go, on this thread.
            unsafe { (*first).own.previous.set(self) };
        }
    }

    /// Leaves the loop's list of ports.
    fn unlink(&self, lp: Loop) {
        let _unseen = lp.census().hold();
        let (previous, next) = (self.own.previous.get(), self.own.next.get());
        // SAFETY: as in `link`, also for the neighbours.
        unsafe {
            match previous.is_null() {
                true => lp.internals().ports.set(next.cast()),
                false => (*previous).own.next.set(next),
            }
            if !next.is_null() {
                (*next).own.previous.set(previous);
            }
        }
    }

    /// In the child after fork: the ports are the parent's. Their memory is left alone.
    pub fn forget_all(lp: Loop) {
        let _unseen = lp.census().hold();
        Port::for_each_of(lp, |port| {
            // SAFETY: in the child there is no other thread, so the node is in the list or in nothing.
            unsafe {
                if !(*port.node.get()).prev.is_null() {
                    lp.internals().ready.unlink(port.node.get());
                }
            }
            port.count_alive(lp, false);
            port.own.attached.set(null_mut()); // fork may have been called in one's callback, which ends its batch then
        });
        lp.internals().ports.set(null());
    }

    /// Calls `visit` for each port of the loop. It runs no user code, and no port leaves the loop meanwhile.
    pub fn for_each_of(lp: Loop, mut visit: impl FnMut(&Port)) {
        let mut at = lp.internals().ports.get().cast::<Port>();
        // SAFETY: as in `link`.
        while let Some(port) = unsafe { at.as_ref() } {
            visit(port);
            at = port.own.next.get();
        }
    }

    /// Calls `visit` with what waits in each port of a loop that is looked at.
    pub fn for_each_depth(seen: &Seen, mut visit: impl FnMut(Count)) {
        let mut at = seen.internals().ports.get().cast::<Port>();
        // SAFETY: ports in the list are alive, and the list does not change while somebody looks.
        while let Some(port) = unsafe { at.as_ref() } {
            visit(port.inbox.waiting());
            at = port.own.next.get();
        }
    }

    /// After what the loop counts on may have changed. Owner only.
    pub fn update_alive(&self) {
        let own = &self.own;
        let waits = own.started.get() && !own.told_end.get() || own.writable_cb.get().is_some();
        if let Some(lp) = self.attached() {
            self.count_alive(lp, own.closing.get() || own.referenced.get() && waits);
        }
    }

    fn count_alive(&self, lp: Loop, alive: bool) {
        if self.own.counted.replace(alive) != alive {
            let active = lp.active_handles();
            lp.set_active_handles(if alive { active.wrapping_add(1) } else { active.wrapping_sub(1) });
        }
    }

    /// Whether the loop has to look at the port. Owner only.
    pub fn has_news(&self) -> bool {
        self.inbox.has_backlog() || self.cut.load(Ordering::Acquire)
    }

    /// Has the loop look at the port soon, from its own thread.
    pub fn schedule(&self, lp: Loop) {
        if self.doorbell.begin_scheduling() {
            // SAFETY: this thread's loop; the node is in nothing, as the flag was not set.
            unsafe { wakeup::post(lp.as_ptr(), self.node.get(), Kind::Port) };
        }
    }

    /// After something else than a delivery has taken messages, or begun to want some: posters wake the loop, or it looks itself.
    pub fn resume(&self, lp: Loop) {
        let is_over = self.inbox.at_end() || self.cut.load(Ordering::Acquire);
        let looks = match is_over {
            true => !self.own.told_end.get(),
            false => self.own.started.get() && !self.inbox.settle(State::Asleep),
        };
        if looks || self.writable.load(Ordering::Acquire) {
            self.schedule(lp);
        }
    }

    /// Tells the owner to look at the inbox. Any thread.
    pub fn ring(&self) {
        self.doorbell.ring(
            // SAFETY: the owner stays in place meanwhile; the node is in nothing, as the flag was not set.
            |owner| unsafe { wakeup::post_late(owner, self.node.get(), Kind::Port, lateness::take()) },
            || {
                self.word.fetch_or(RUNG, Ordering::Release);
                self.linger.wake_by(lateness::take(), || futex::wake(&raw const self.word));
            },
        );
    }

    /// Takes the oldest message, and tells those who wait for room. Owner only.
    #[inline]
    pub fn next(&self) -> Next {
        let next = self.inbox.next();
        if let Next::Message(_) = next {
            self.tell_writers(self.inbox.make_room());
        }
        next
    }

    /// Tells the owners of ports that post to this one that there is room, if they are to be told.
    pub fn tell_writers(&self, who: u32) {
        if who & CALLBACK != 0 {
            self.announce_room();
        }
    }

    #[cold]
    fn announce_room(&self) {
        match self.far() {
            Far::Port(peer) => peer.tell_of_room(),
            Far::Group(member) => member.others().iter().for_each(Port::tell_of_room),
        }
    }

    /// What this port posts to may have room again.
    pub fn tell_of_room(&self) {
        self.writable.store(true, Ordering::Release);
        self.ring();
    }

    /// Whether all that this port posts to has room, or takes nothing any more; the owner will be told of it otherwise.
    pub fn await_room(&self) -> bool {
        let is_ready = |port: &Port| port.inbox.is_closed() || port.inbox.has_more_room();
        let awaits = |port: &Port| {
            is_ready(port) || {
                port.inbox.want_room(CALLBACK);
                is_ready(port)
            }
        };
        match self.far() {
            Far::Port(peer) => awaits(peer),
            Far::Group(member) => member.others().iter().all(awaits),
        }
    }

    /// Who waits for room to post from this port, which is one of a channel, gives up, and so does who would wait later. Any thread.
    pub fn end_waits(&self) {
        self.no_waiting.store(true, Ordering::Relaxed);
        if let Far::Port(peer) = self.far() {
            peer.tell_writers(peer.inbox.end_waits()); // with a fence, as those who wait have between saying so and looking here
        }
    }

    /// Whether one may wait for room to post from this port.
    pub fn may_wait(&self) -> bool {
        !self.no_waiting.load(Ordering::Relaxed)
    }

    /// For `uvx_message_port_stats`; any thread.
    pub fn statistics(&self) -> uvx_message_port_stats_t {
        uvx_message_port_stats_t {
            size: size_of::<uvx_message_port_stats_t>(),
            depth: self.inbox.waiting().messages,
            bytes: self.inbox.waiting().bytes,
            posted: self.inbox.posted().messages,
            received: self.inbox.received(),
            dropped: self.inbox.dropped(),
            wakes: self.doorbell.rings(),
        }
    }
}

/// How late this thread was woken for the message that it answers; see `event_loop/linger.rs`.
pub mod lateness {
    use core::cell::Cell;

    std::thread_local! {
        static LATE_NS: Cell<u64> = const { Cell::new(0) };
    }

    /// The thread was woken so late, in ns.
    pub fn set(ns: u64) {
        let _ = LATE_NS.try_with(|late| late.set(ns));
    }

    /// Once.
    pub fn take() -> u64 {
        LATE_NS.try_with(Cell::take).unwrap_or(0)
    }
}

/// Keeps a port's memory.
pub struct Hold(NonNull<Port>);

impl Hold {
    /// Holds a port that is alive.
    pub fn new(port: &Port) -> Hold {
        // SAFETY: somebody has a reference, as the port is alive.
        unsafe { Channel::retain(port.channel) };
        Hold(NonNull::from(port))
    }

    /// Gives up the hold without giving back the reference.
    pub fn into_raw(self) -> *const Port {
        let raw = self.0.as_ptr();
        core::mem::forget(self);
        raw
    }

    /// Takes it back.
    ///
    /// # Safety
    /// `raw` came from `into_raw` and is taken back once.
    pub unsafe fn from_raw(raw: *const Port) -> Hold {
        // SAFETY: the caller's.
        Hold(unsafe { NonNull::new_unchecked(raw.cast_mut()) })
    }
}

impl Deref for Hold {
    type Target = Port;
    fn deref(&self) -> &Port {
        // SAFETY: held.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // SAFETY: the reference is this hold's; the pointer to the channel is read before it goes.
        unsafe { Channel::release((*self.0.as_ptr()).channel) };
    }
}
