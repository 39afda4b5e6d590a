//! Every interleaving of posters and a consumer on a mailbox, and on the ready list of a loop: nothing is lost or seen twice,
//! each poster's order is kept, nobody sleeps while something waits, and nobody touches what was closed.
//! `RUSTFLAGS="--cfg loom" cargo test --release --test loom_mailbox`
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // the rules of the library, which this is not

mod model;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use loom::thread;
use model::{Bell, explore};
use std::ptr::null_mut;
use uv::abi::uv__queue;
use uv::sync::mailbox::{Kind, Mailbox, Put, State, Tagged};
use uv::sync::ready::Ready;

#[repr(C)]
struct Node {
    link: uv__queue,
    poster: usize,
    number: usize,
    /// Written by the poster, read by the consumer: loom reports a race unless the mailbox orders them.
    content: UnsafeCell<usize>,
}

fn node(poster: usize, number: usize) -> *mut uv__queue {
    let link = uv__queue { next: null_mut(), prev: null_mut() };
    Box::into_raw(Box::new(Node { link, poster, number, content: UnsafeCell::new(0) })).cast()
}

/// Posts `count` nodes.
fn post(mailbox: &Mailbox, bell: &Bell, poster: usize, count: usize) {
    for number in 0..count {
        let node = node(poster, number);
        // SAFETY: the node is new.
        let put = unsafe {
            (*node.cast::<Node>()).content.with_mut(|content| *content = number + 1);
            mailbox.put(node, Kind::Work)
        };
        match put {
            Put::Seen => {}
            Put::Wake => bell.ring(),
            Put::Refused => panic!("the mailbox is open"),
        }
    }
}

/// Takes the nodes of a word apart; they must continue each poster's numbers. Returns how many there were.
fn consume(word: Tagged, expected: &mut [usize]) -> usize {
    let mut nodes = Vec::new();
    let mut word = word;
    while word.state().is_none() {
        assert_eq!(word.kind(), Kind::Work);
        nodes.push(word.node());
        // SAFETY: the node was taken.
        word = unsafe { Tagged::from_raw((*word.node()).next) };
    }
    for node in nodes.iter().rev() {
        // SAFETY: as above; each was made by `node`.
        let node = unsafe { Box::from_raw(node.cast::<Node>()) };
        node.content.with(|content| assert_eq!(unsafe { *content }, node.number + 1));
        assert_eq!(node.number, expected[node.poster]);
        expected[node.poster] += 1;
    }
    nodes.len()
}

fn posters_and_a_sleeper(counts: &'static [usize], asleep: State) {
    explore(move || {
        let shared = Arc::new((Mailbox::new(State::Awake), Bell::default()));
        let threads: Vec<_> = (0..counts.len())
            .map(|poster| {
                let shared = shared.clone();
                thread::spawn(move || post(&shared.0, &shared.1, poster, counts[poster]))
            })
            .collect();
        let mut expected = vec![0; counts.len()];
        let mut missing: usize = counts.iter().sum();
        while missing > 0 {
            let count = consume(shared.0.take(State::Awake), &mut expected);
            missing -= count;
            if count == 0 && shared.0.settle(asleep) {
                shared.1.sleep();
                shared.0.settle(State::Awake);
            }
        }
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn loom_mailbox_one_poster() {
    posters_and_a_sleeper(&[3], State::Asleep);
}

#[test]
fn loom_mailbox_two_posters() {
    posters_and_a_sleeper(&[2, 1], State::Asleep);
}

#[test]
fn loom_mailbox_outside() {
    posters_and_a_sleeper(&[1, 1], State::Outside);
}

#[test]
fn loom_mailbox_chains_arrive_whole_and_in_order() {
    explore(|| {
        let shared = Arc::new((Mailbox::new(State::Awake), Bell::default()));
        let chain = {
            let shared = shared.clone();
            thread::spawn(move || {
                let nodes = [node(0, 0), node(0, 1)];
                // SAFETY: the nodes are new.
                let put = unsafe {
                    for (number, node) in nodes.iter().enumerate() {
                        (*node.cast::<Node>()).content.with_mut(|content| *content = number + 1);
                    }
                    (*nodes[1]).next = Tagged::new(nodes[0], Kind::Work).into_raw();
                    shared.0.put_chain(nodes[1], nodes[0], Kind::Work)
                };
                if put == Put::Wake {
                    shared.1.ring();
                }
            })
        };
        let single = {
            let shared = shared.clone();
            thread::spawn(move || post(&shared.0, &shared.1, 1, 1))
        };
        let mut expected = [0, 0];
        while expected != [2, 1] {
            let count = consume(shared.0.take(State::Awake), &mut expected);
            assert_ne!(expected[0], 1, "half a chain");
            if count == 0 && shared.0.settle(State::Asleep) {
                shared.1.sleep();
            }
        }
        chain.join().unwrap();
        single.join().unwrap();
    });
}

#[test]
fn loom_mailbox_closing_refuses_or_takes() {
    explore(|| {
        let mailbox = Arc::new(Mailbox::new(State::Awake));
        let poster = {
            let mailbox = mailbox.clone();
            thread::spawn(move || {
                let mut accepted = 0;
                for number in 0..2 {
                    let node = node(0, number);
                    // SAFETY: the node is new, and this thread's again if it is refused.
                    unsafe {
                        (*node.cast::<Node>()).content.with_mut(|content| *content = number + 1);
                        match mailbox.put(node, Kind::Work) {
                            Put::Refused => drop(Box::from_raw(node.cast::<Node>())),
                            _ => accepted += 1,
                        }
                    }
                }
                accepted
            })
        };
        let mut expected = [0];
        consume(mailbox.take(State::Awake), &mut expected);
        consume(mailbox.take(State::Closed), &mut expected);
        let accepted = poster.join().unwrap();
        assert_eq!(expected[0], accepted);
        assert!(mailbox.is_closed());
        assert!(!mailbox.settle(State::Asleep));
    });
}

const PENDING: i32 = 1;
const CLOSED: i32 = 2;

/// An async on a loop, as `handles/async_.rs` has it, with its word as loom's.
struct Async {
    ready: Ready,
    bell: Bell,
    pending: AtomicI32,
    /// What senders announce.
    posted: AtomicU32,
    node: *mut uv__queue,
    /// Touched by a waker like the loop's memory; and by the loop when it frees that.
    memory: UnsafeCell<()>,
}

// SAFETY: the cells of `Ready` are the loop's thread's alone; that is what is tested.
unsafe impl Send for Async {}
// SAFETY: as above.
unsafe impl Sync for Async {}

impl Async {
    fn new() -> Arc<Async> {
        let shared = Arc::new(Async {
            ready: Ready::new(),
            bell: Bell::default(),
            pending: AtomicI32::new(0),
            posted: AtomicU32::new(0),
            node: Box::into_raw(Box::new(uv__queue { next: null_mut(), prev: null_mut() })),
            memory: UnsafeCell::new(()),
        });
        shared.ready.init();
        shared.ready.settle(State::Awake);
        shared
    }

    fn send(&self) {
        self.posted.fetch_add(1, Ordering::Relaxed);
        let mut word = self.pending.load(Ordering::Relaxed);
        loop {
            let next = if word == 0 { PENDING } else { word };
            match self.pending.compare_exchange(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(0) => break,
                Ok(_) => return,
                Err(seen) => word = seen,
            }
        }
        // SAFETY: the node is this sender's.
        if unsafe { self.ready.put(self.node, Kind::Async) } == Put::Wake {
            self.memory.with(|_| ());
            self.bell.ring();
            self.ready.paid();
        }
    }

    /// What `uv_close` does, and `uv_loop_close` after it.
    fn close(&self) {
        let before = self.pending.fetch_or(CLOSED, Ordering::AcqRel);
        if before & PENDING != 0 {
            // SAFETY: the bit says that the node is in, or will be at once.
            unsafe { self.ready.withdraw(self.node) };
        }
        self.ready.wait_for_wakers();
        self.memory.with_mut(|_| ());
        assert!(self.ready.is_empty());
        // SAFETY: nobody has the node any more.
        drop(unsafe { Box::from_raw(self.node) });
    }
}

#[test]
fn loom_async_is_seen_and_closed() {
    explore(|| {
        let shared = Async::new();
        let sender = {
            let shared = shared.clone();
            thread::spawn(move || shared.send())
        };
        let mut seen = 0;
        while seen == 0 {
            shared.ready.collect(State::Awake);
            while let Some((node, kind)) = shared.ready.pop() {
                assert_eq!((node, kind), (shared.node, Kind::Async));
                shared.pending.fetch_and(!PENDING, Ordering::AcqRel);
                seen = shared.posted.load(Ordering::Relaxed);
                assert_eq!(seen, 1, "the callback comes after what the sender did");
            }
            if seen == 0 && shared.ready.settle(State::Asleep) {
                shared.bell.sleep();
            }
        }
        shared.close();
        sender.join().unwrap();
    });
}

#[test]
fn loom_async_sends_are_never_lost() {
    explore(|| {
        let shared = Async::new();
        let senders: Vec<_> = (0..2)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || shared.send())
            })
            .collect();
        let mut seen = 0;
        while seen < 2 {
            shared.ready.collect(State::Awake);
            while shared.ready.pop().is_some() {
                shared.pending.fetch_and(!PENDING, Ordering::AcqRel);
                seen = shared.posted.load(Ordering::Relaxed);
            }
            if seen < 2 && shared.ready.settle(State::Asleep) {
                shared.bell.sleep();
            }
        }
        shared.close();
        for sender in senders {
            sender.join().unwrap();
        }
    });
}

#[test]
fn loom_async_close_against_send() {
    explore(|| {
        let shared = Async::new();
        shared.ready.settle(State::Asleep);
        let sender = {
            let shared = shared.clone();
            thread::spawn(move || shared.send())
        };
        shared.close();
        sender.join().unwrap();
    });
}
