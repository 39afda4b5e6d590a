//! Every interleaving of those who post to a group with those who join and leave it: who is in the group for all of a post gets it,
//! once and in order; nobody posts to one who has left, or reads a list that is being written.
//! `RUSTFLAGS="--cfg loom" cargo test --release --test loom_broadcast`
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // the rules of the library, which this is not

mod model;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;
use model::explore_with;
use std::ptr::null;
use std::sync::OnceLock;
use uv::mem;
use uv::ptr::Cx;
use uv::sync::mailbox::Put;
use uv::worker::broadcast::members::{Members, Seat};
use uv::worker::inbox::{Inbox, Limits, Next};
use uv::worker::message::{self, Doomed, Message};

/// A port without its owner.
struct Port {
    inbox: Inbox,
    /// Its memory is gone.
    gone: AtomicBool,
    seat: OnceLock<Seat<Port>>,
}

// SAFETY: the reader's cells are used by one thread at a time, and seats are what is tested.
unsafe impl Send for Port {}
// SAFETY: as above.
unsafe impl Sync for Port {}

/// The members under the lock of their row.
struct Group(Mutex<Members<Port>>);

// SAFETY: as for ports.
unsafe impl Send for Group {}
// SAFETY: as for ports.
unsafe impl Sync for Group {}

impl Group {
    fn new() -> Arc<Group> {
        Arc::new(Group(Mutex::new(Members::EMPTY)))
    }

    fn open(&self) -> Arc<Port> {
        let port = Arc::new(Port {
            inbox: Inbox::new(Limits::NONE),
            gone: AtomicBool::new(false),
            seat: OnceLock::new(),
        });
        let seat = port.seat.get_or_init(|| Seat::new(Arc::as_ptr(&port)));
        // SAFETY: the port stays in place, and leaves before it goes.
        unsafe { self.0.lock().unwrap().join(seat) }.unwrap();
        port
    }

    /// As `uvx_message_port_close`; says how many messages there were.
    fn close(&self, port: &Port) -> u64 {
        port.inbox.close();
        // SAFETY: it has joined.
        unsafe { self.0.lock().unwrap().leave(port.seat()) };
        port.gone.store(true, Ordering::Relaxed);
        let mut doomed = Doomed::default();
        port.inbox.empty_into(&mut doomed);
        // SAFETY: no user code is run.
        doomed.destroy(&mut unsafe { Cx::enter() });
        port.inbox.dropped()
    }
}

impl Port {
    fn seat(&self) -> &Seat<Port> {
        self.seat.get().unwrap()
    }

    /// Posts to all others; says how many there were.
    fn post(&self, tag: u64) -> u64 {
        let others = self.seat().others();
        let mut count = 0;
        for other in others.iter() {
            assert!(!other.gone.load(Ordering::Relaxed), "nobody posts to memory that is gone");
            assert!(!std::ptr::eq(other, self));
            let message = new_message(tag);
            // SAFETY: the message is new, and this thread's again if it is refused.
            match unsafe { other.inbox.put(message, message) } {
                Put::Refused => unsafe { mem::free(message.cast()) },
                _ => count += 1,
            }
        }
        count
    }

    /// All that waits.
    fn read(&self) -> Vec<u64> {
        let mut seen = Vec::new();
        while let Next::Message(message) = self.inbox.next() {
            // SAFETY: it was taken.
            unsafe {
                seen.push((*message).tag);
                message::unreference(&mut Cx::enter(), message);
            }
        }
        seen
    }
}

fn new_message(tag: u64) -> *mut Message {
    let raw = mem::alloc(size_of::<Message>()).cast::<Message>();
    // SAFETY: new memory; no buffers.
    unsafe { message::write(raw, tag, null(), 0, 0) }.unwrap();
    raw
}

#[test]
fn loom_broadcast_while_one_joins() {
    explore_with(3, || {
        let group = Group::new();
        let (poster, listener) = (group.open(), group.open());
        let posting = {
            let poster = poster.clone();
            thread::spawn(move || (0..3).for_each(|tag| assert!(poster.post(tag) >= 1)))
        };
        let late = group.open();
        let seen_at_once = late.read();
        posting.join().unwrap();
        assert_eq!(listener.read(), [0, 1, 2]);
        let seen = [seen_at_once, late.read()].concat();
        assert!([0, 1, 2].ends_with(&seen), "no gap behind the first one: {seen:?}");
        for port in [poster, listener, late] {
            group.close(&port);
        }
    });
}

#[test]
fn loom_broadcast_while_one_leaves() {
    explore_with(3, || {
        let group = Group::new();
        let (poster, leaver, listener) = (group.open(), group.open(), group.open());
        let posting = {
            let poster = poster.clone();
            thread::spawn(move || (0..2).map(|tag| poster.post(tag)).sum::<u64>())
        };
        let dropped = group.close(&leaver);
        let posted = posting.join().unwrap();
        assert_eq!(listener.read(), [0, 1]);
        assert_eq!(posted, 2 + dropped, "accepted and destroyed, or refused");
        group.close(&poster);
        group.close(&listener);
    });
}

/// Both arrays change their roles while a list is read.
#[test]
fn loom_broadcast_while_two_come_and_go() {
    explore_with(3, || {
        let group = Group::new();
        let (poster, listener) = (group.open(), group.open());
        let visiting = {
            let group = group.clone();
            thread::spawn(move || {
                let visitor = group.open();
                visitor.post(10);
                group.close(&visitor);
            })
        };
        let posting = {
            let poster = poster.clone();
            thread::spawn(move || assert!(poster.post(0) >= 1))
        };
        let other = group.open();
        group.close(&other);
        visiting.join().unwrap();
        posting.join().unwrap();
        let mut seen = listener.read();
        seen.sort_unstable();
        assert_eq!(seen, [0, 10]);
        assert_eq!(poster.read(), [10]);
        group.close(&poster);
        group.close(&listener);
        assert!(group.0.lock().unwrap().is_empty());
    });
}

/// Who leaves while it posts itself.
#[test]
fn loom_broadcast_crosswise() {
    explore_with(3, || {
        let group = Group::new();
        let (a, b) = (group.open(), group.open());
        let crossing = {
            let (group, b) = (group.clone(), b.clone());
            thread::spawn(move || {
                let posted = b.post(1);
                (posted, group.close(&b))
            })
        };
        let posted = a.post(0);
        let dropped = group.close(&a);
        let (posted_there, dropped_there) = crossing.join().unwrap();
        assert_eq!(posted, dropped_there);
        assert_eq!(posted_there, dropped);
    });
}

/// Another thread posts with the port of one who leaves; it is in time, or does nothing.
#[test]
fn loom_broadcast_with_the_leavers_port() {
    explore_with(3, || {
        let group = Group::new();
        let (leaver, listener) = (group.open(), group.open());
        let posting = {
            let leaver = leaver.clone();
            thread::spawn(move || leaver.post(0))
        };
        group.close(&leaver);
        let dropped = group.close(&listener);
        assert_eq!(posting.join().unwrap(), dropped);
    });
}
