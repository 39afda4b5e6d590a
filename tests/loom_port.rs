//! Every interleaving of those who post to a port and those who own it, one after the other: no message is lost, doubled or
//! out of order, no owner sleeps on one, a closed inbox has told everybody, room is announced to all who wait for it, and no
//! memory of a message is handed out twice.
//! `RUSTFLAGS="--cfg loom" cargo test --release --test loom_port`
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // the rules of the library, which this is not

mod model;

use loom::sync::Arc;
use loom::thread;
use model::{Bell, explore};
use std::ptr::{null, null_mut};
use uv::abi::{uv__queue, uv_loop_t};
use uv::mem;
use uv::ptr::Cx;
use uv::sync::mailbox::{Kind, Mailbox, Put, State};
use uv::worker::doorbell::Doorbell;
use uv::worker::inbox::{Inbox, Limits, Next, THREADS};
use uv::worker::message::{self, Doomed, Message};
use uv::worker::recycling::Recycler;
use uv::worker::writer::Writer;

/// A loop as a port sees it: a mailbox for its node, and a bell to be woken by.
struct Model {
    mailbox: Mailbox,
    bell: Bell,
}

impl Model {
    fn new() -> Model {
        Model { mailbox: Mailbox::new(State::Awake), bell: Bell::default() }
    }

    /// The address that a doorbell keeps.
    fn as_owner(&self) -> *mut uv_loop_t {
        std::ptr::from_ref(self).cast_mut().cast()
    }
}

/// A port without what its owner alone uses.
struct Port {
    inbox: Inbox,
    doorbell: Doorbell,
    /// For a thread in `receive`.
    bell: Bell,
    writer: Writer,
    node: *mut uv__queue,
    loops: [Model; 2],
}

// SAFETY: the reader's cells are used by one owner at a time; that is what is tested.
unsafe impl Send for Port {}
// SAFETY: as above.
unsafe impl Sync for Port {}

impl Port {
    fn new(limits: Limits) -> Arc<Port> {
        let port = Arc::new(Port {
            inbox: Inbox::new(limits),
            doorbell: Doorbell::default(),
            bell: Bell::default(),
            writer: Writer::default(),
            node: Box::into_raw(Box::new(uv__queue { next: null_mut(), prev: null_mut() })),
            loops: [Model::new(), Model::new()],
        });
        // SAFETY: the writer lies in the Arc.
        unsafe { port.inbox.writers().begin(&raw const port.writer) };
        port
    }

    fn put(&self, tag: u64) -> Put {
        let message = new_message(tag);
        // SAFETY: the message is new, and this thread's again if it is refused.
        unsafe {
            let put = self.inbox.put(message, message);
            if put == Put::Refused {
                mem::free(message.cast());
            }
            put
        }
    }

    fn post(&self, tag: u64) -> bool {
        let put = self.put(tag);
        if put == Put::Wake {
            self.ring();
        }
        put != Put::Refused
    }

    fn ring(&self) {
        self.doorbell.ring(
            // SAFETY: models live as long as the port.
            |owner| self.put_node(unsafe { &*owner.cast::<Model>() }),
            || self.bell.ring(),
        );
    }

    fn put_node(&self, model: &Model) {
        // SAFETY: whoever set the flag has the node.
        match unsafe { model.mailbox.put(self.node, Kind::Port) } {
            Put::Wake => model.bell.ring(),
            Put::Seen => {}
            Put::Refused => panic!("a loop does not close"),
        }
    }

    fn schedule(&self, model: &Model) {
        if self.doorbell.begin_scheduling() {
            self.put_node(model);
        }
    }

    fn enter(&self, model: &Model) {
        self.doorbell.set_owner(model.as_owner());
        if self.inbox.has_backlog() || !self.inbox.settle(State::Asleep) {
            self.schedule(model);
        }
    }

    fn leave(&self, model: &Model) {
        self.inbox.settle(State::Awake);
        if self.doorbell.set_owner(null_mut()) {
            let taken = model.mailbox.take(State::Awake);
            assert_eq!(taken.node(), self.node, "the node is in when the flag was set");
        }
    }

    /// One dispatch: messages until `most` are read or the inbox is empty.
    fn deliver(&self, seen: &mut Vec<u64>, most: usize) {
        self.doorbell.end_scheduling();
        loop {
            if seen.len() >= most {
                return;
            }
            match self.inbox.next() {
                Next::Message(message) => seen.push(take_tag(message)),
                Next::End => return seen.push(END),
                Next::Nothing if self.inbox.settle(State::Asleep) => return,
                Next::Nothing => {}
            }
        }
    }

    /// The loop: runs until `most` messages are read.
    fn run(&self, model: &Model, seen: &mut Vec<u64>, most: usize) {
        while seen.len() < most {
            if model.mailbox.take(State::Awake).state().is_none() {
                self.deliver(seen, most);
            } else if model.mailbox.settle(State::Asleep) {
                model.bell.sleep();
            }
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // SAFETY: nobody has the node any more.
        drop(unsafe { Box::from_raw(self.node) });
    }
}

/// A thread that posts 0, 1 and so on.
fn poster(port: &Arc<Port>, count: u64) -> thread::JoinHandle<()> {
    let port = port.clone();
    thread::spawn(move || (0..count).for_each(|tag| assert!(port.post(tag))))
}

const END: u64 = 99;

fn new_message(tag: u64) -> *mut Message {
    let raw = mem::alloc(size_of::<Message>()).cast::<Message>();
    // SAFETY: new memory; no buffers.
    unsafe { message::write(raw, tag, null(), 0, 0) }.unwrap();
    raw
}

fn take_tag(message: *mut Message) -> u64 {
    // SAFETY: it was taken.
    unsafe {
        let tag = (*message).tag;
        message::unreference(&mut Cx::enter(), message);
        tag
    }
}

#[test]
fn loom_port_wakes_its_loop() {
    explore(|| {
        let port = Port::new(Limits::NONE);
        let poster = poster(&port, 2);
        let mut seen = Vec::new();
        port.enter(&port.loops[0]);
        port.run(&port.loops[0], &mut seen, 2);
        assert_eq!(seen, [0, 1]);
        poster.join().unwrap();
    });
}

#[test]
fn loom_port_moves_while_others_post() {
    explore(|| {
        let port = Port::new(Limits::NONE);
        let poster = poster(&port, 2);
        let mut seen = Vec::new();
        port.enter(&port.loops[0]);
        port.run(&port.loops[0], &mut seen, 1);
        port.leave(&port.loops[0]);
        // The next owner has all that the first one did: the port comes in a message.
        port.enter(&port.loops[1]);
        port.run(&port.loops[1], &mut seen, 2);
        assert_eq!(seen, [0, 1]);
        assert_eq!(
            port.loops[0].mailbox.take(State::Awake).state(),
            Some(State::Awake),
            "the node left the first loop"
        );
        poster.join().unwrap();
    });
}

#[test]
fn loom_port_moves_at_any_time() {
    explore(|| {
        let port = Port::new(Limits::NONE);
        let poster = poster(&port, 1);
        port.enter(&port.loops[0]);
        port.leave(&port.loops[0]);
        let next_owner = {
            let port = port.clone();
            thread::spawn(move || {
                let mut seen = Vec::new();
                port.enter(&port.loops[1]);
                port.run(&port.loops[1], &mut seen, 1);
                assert_eq!(seen, [0]);
            })
        };
        next_owner.join().unwrap();
        poster.join().unwrap();
    });
}

#[test]
fn loom_port_wakes_a_receiver() {
    explore(|| {
        let port = Port::new(Limits::NONE);
        let poster = poster(&port, 2);
        let mut seen = Vec::new();
        while seen.len() < 2 {
            match port.inbox.next() {
                Next::Message(message) => seen.push(take_tag(message)),
                Next::End => panic!("the writer is still there"),
                Next::Nothing => {
                    if port.inbox.settle(State::Asleep) {
                        port.bell.sleep();
                        port.inbox.settle(State::Awake);
                    }
                }
            }
        }
        assert_eq!(seen, [0, 1]);
        poster.join().unwrap();
    });
}

#[test]
fn loom_port_end_comes_last() {
    explore(|| {
        let port = Port::new(Limits::NONE);
        let sender = Arc::new(Writer::default());
        // SAFETY: the writer lies in an Arc.
        unsafe { port.inbox.writers().add(&raw const *sender) }.unwrap();
        let threads: Vec<_> = (0..2)
            .map(|index| {
                let (port, sender) = (port.clone(), sender.clone());
                let owned = SendWriter(sender);
                thread::spawn(move || {
                    assert!(port.post(index));
                    let writer = if index == 0 { &raw const port.writer } else { &raw const *owned.get() };
                    // SAFETY: in the list, and removed once.
                    if unsafe { port.inbox.remove_writer(writer) } {
                        port.ring();
                    }
                })
            })
            .collect();
        let mut seen = Vec::new();
        port.enter(&port.loops[0]);
        port.run(&port.loops[0], &mut seen, 3);
        assert_eq!(seen.pop(), Some(END));
        seen.sort_unstable();
        assert_eq!(seen, [0, 1]);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// A writer is used from any thread, which its cells do not say.
struct SendWriter(Arc<Writer>);
// SAFETY: `Writer` guards its cells itself.
unsafe impl Send for SendWriter {}
impl SendWriter {
    fn get(&self) -> &Writer {
        &self.0
    }
}

#[test]
fn loom_port_close_against_posts() {
    explore(|| {
        let port = Port::new(Limits::NONE);
        let poster = {
            let port = port.clone();
            thread::spawn(move || (0..2).map(|tag| u64::from(port.post(tag))).sum::<u64>())
        };
        port.enter(&port.loops[0]);
        let mut seen = 0;
        if let Next::Message(message) = port.inbox.next() {
            take_tag(message);
            seen += 1;
        }
        port.inbox.close();
        let mut doomed = Doomed::default();
        port.inbox.empty_into(&mut doomed);
        // SAFETY: no user code is run.
        doomed.destroy(&mut unsafe { Cx::enter() });
        port.leave(&port.loops[0]);
        assert_eq!(poster.join().unwrap(), seen + port.inbox.dropped());
    });
}

/// Who waits for room is told, unless there was room when it looked again.
#[test]
fn loom_port_room_is_announced() {
    explore(|| {
        let port = Port::new(Limits { messages: 1, bytes: u64::MAX, low_messages: 1, low_bytes: u64::MAX });
        port.inbox.reserve(0).unwrap();
        assert!(port.post(0));
        let waiter = {
            let port = port.clone();
            thread::spawn(move || {
                let turn = port.inbox.want_room(THREADS);
                if port.inbox.reserve(0).is_ok() { None } else { Some(turn) }
            })
        };
        let Next::Message(message) = port.inbox.next() else { panic!("it was posted") };
        port.inbox.make_room();
        take_tag(message);
        if let Some(turn) = waiter.join().unwrap() {
            assert_ne!(port.inbox.want_room(THREADS), turn, "the waiter would sleep for ever");
        }
    });
}

/// Two threads use one writer: nobody gets memory that another one has.
#[test]
fn loom_port_memory_has_one_user() {
    explore(|| {
        let port = Port::new(Limits::NONE);
        {
            let mut unused = Recycler::new(port.inbox.free_stack());
            for tag in 0..3 {
                // SAFETY: a new message.
                unsafe { unused.add(new_message(tag)) };
            }
        }
        // The first one fills the writer's store.
        let mut all = vec![port.writer.begin(&port.inbox, 0).unwrap().expose_provenance()];
        let other = {
            let port = port.clone();
            thread::spawn(move || port.writer.begin(&port.inbox, 0).unwrap().expose_provenance())
        };
        all.push(port.writer.begin(&port.inbox, 0).unwrap().expose_provenance());
        all.push(other.join().unwrap());
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 3);
        assert_eq!(port.inbox.posted().messages, 3);
        for addr in all {
            // SAFETY: nobody else has it.
            unsafe { mem::free(std::ptr::with_exposed_provenance_mut(addr)) };
        }
    });
}
