//! Every interleaving of those who post calls to a loop and the loop, which runs them, sleeps, and goes: each accepted call has its
//! turn once, in order, no loop sleeps on one, and nobody touches a loop that is gone.
//! `RUSTFLAGS="--cfg loom" cargo test --release --test loom_call`
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // the rules of the library, which this is not

mod model;

use core::ffi::c_void;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use model::{Bell, explore};
use std::ptr::null_mut;
use uv::abi::{UVX_CALL_INTERRUPT, UVX_CALL_REF, uv__queue, uv_loop_t};
use uv::sync::mailbox::{Kind, Mailbox, Put, State};
use uv::worker::call::{Call, Interrupt, Queue};
use uv::worker::doorbell::Doorbell;

/// A loop as its calls see it. The model finds whoever touches it while it goes.
struct Model {
    mailbox: Mailbox,
    bell: Bell,
    memory: UnsafeCell<()>,
}

/// `Calls` as far as it is shared, and its loop.
struct Calls {
    queue: Queue,
    doorbell: Doorbell,
    node: *mut uv__queue,
    model: Model,
}

// SAFETY: the lists are the loop's; that is what is tested.
unsafe impl Send for Calls {}
// SAFETY: as above.
unsafe impl Sync for Calls {}

impl Calls {
    fn new() -> Arc<Calls> {
        let model =
            Model { mailbox: Mailbox::new(State::Awake), bell: Bell::default(), memory: UnsafeCell::new(()) };
        let node = Box::into_raw(Box::new(uv__queue { next: null_mut(), prev: null_mut() }));
        let calls = Arc::new(Calls { queue: Queue::default(), doorbell: Doorbell::default(), node, model });
        calls.doorbell.set_owner(std::ptr::from_ref(&calls.model).cast_mut().cast::<uv_loop_t>());
        calls
    }

    /// Whether the call was accepted.
    fn post(&self, flags: u32) -> bool {
        let call = Box::into_raw(Box::new(Call::new(None, flags)));
        // SAFETY: the call is new, and this thread's again if it is refused.
        match unsafe { self.queue.put(call) } {
            Put::Seen => {}
            Put::Wake => self.doorbell.ring(|_| self.schedule(), || {}),
            Put::Refused => {
                // SAFETY: as above.
                drop(unsafe { Box::from_raw(call) });
                return false;
            }
        }
        true
    }

    fn schedule(&self) {
        self.model.memory.with(|_| {});
        // SAFETY: whoever set the flag has the node.
        if unsafe { self.model.mailbox.put(self.node, Kind::Notice) } == Put::Wake {
            self.model.bell.ring();
        }
    }

    /// Runs what was collected.
    fn run_collected(&self, seen: &mut Vec<u32>) {
        while let Some(call) = self.queue.pop() {
            seen.push(0);
            // SAFETY: posted above.
            drop(unsafe { Box::from_raw(call) });
        }
    }

    /// The loop's dispatch.
    fn dispatch(&self, seen: &mut Vec<u32>) {
        self.doorbell.end_scheduling();
        self.queue.collect(|_| {});
        self.run_collected(seen);
        if !self.queue.settle() && !self.queue.is_closed() && self.doorbell.begin_scheduling() {
            self.schedule();
        }
    }

    /// The loop: runs until it has seen `most` calls.
    fn run(&self, seen: &mut Vec<u32>, most: usize) {
        while seen.len() < most {
            if self.model.mailbox.take(State::Awake).state().is_none() {
                self.dispatch(seen);
            } else if self.model.mailbox.settle(State::Asleep) {
                self.model.bell.sleep();
            }
        }
    }

    /// What `uv_loop_close` does: the number of calls that were cancelled.
    fn end(&self) -> usize {
        let mut cancelled = Vec::new();
        self.queue.close(|_| {});
        self.run_collected(&mut cancelled);
        if self.doorbell.set_owner(null_mut()) {
            let taken = self.model.mailbox.take(State::Awake);
            assert_eq!(taken.node(), self.node, "the notice is in when the flag was set");
        }
        self.model.memory.with_mut(|_| {});
        cancelled.len()
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        // SAFETY: nobody has the node any more.
        drop(unsafe { Box::from_raw(self.node) });
    }
}

fn poster(calls: &Arc<Calls>, flags: &'static [u32]) -> thread::JoinHandle<usize> {
    let calls = calls.clone();
    thread::spawn(move || flags.iter().filter(|flags| calls.post(**flags)).count())
}

#[test]
fn loom_call_wakes_its_loop() {
    explore(|| {
        let calls = Calls::new();
        let posters = [poster(&calls, &[0, 0]), poster(&calls, &[0])];
        let mut seen = Vec::new();
        calls.run(&mut seen, 3);
        assert_eq!(posters.map(|poster| poster.join().unwrap()), [2, 1]);
        assert_eq!(calls.end(), 0);
    });
}

/// What `uv_loop_alive` collects is not forgotten by the dispatch, nor by the sleep.
#[test]
fn loom_call_is_collected_early() {
    explore(|| {
        let calls = Calls::new();
        let posting = poster(&calls, &[UVX_CALL_REF, UVX_CALL_REF]);
        let mut alive = 0;
        calls.queue.collect(|_| alive += 1);
        let mut seen = Vec::new();
        calls.run(&mut seen, 2);
        assert_eq!(posting.join().unwrap(), 2);
        assert!(alive <= 2);
        assert_eq!(calls.end(), 0);
    });
}

#[test]
fn loom_call_against_the_end_of_the_loop() {
    explore(|| {
        let calls = Calls::new();
        let posters = [poster(&calls, &[0, 0]), poster(&calls, &[0])];
        let mut seen = Vec::new();
        if calls.model.mailbox.take(State::Awake).state().is_none() {
            calls.dispatch(&mut seen);
        }
        let cancelled = calls.end();
        let accepted: usize = posters.map(|poster| poster.join().unwrap()).iter().sum();
        assert_eq!(accepted, seen.len() + cancelled, "each accepted call has its turn once");
        assert!(!calls.post(0));
    });
}

/// A mailbox that is closed while its loop lives on.
#[test]
fn loom_call_against_close() {
    explore(|| {
        let calls = Calls::new();
        let posting = poster(&calls, &[0, 0]);
        let mut seen = Vec::new();
        calls.queue.close(|_| {});
        calls.run_collected(&mut seen);
        // The bell of an accepted call may still ring; the loop finds nothing.
        if calls.model.mailbox.take(State::Awake).state().is_none() {
            let before = seen.len();
            calls.dispatch(&mut seen);
            assert_eq!(seen.len(), before);
        }
        assert_eq!(posting.join().unwrap(), seen.len());
        calls.end();
    });
}

unsafe extern "C" fn ring(bell: *mut c_void) {
    // SAFETY: the bell of the test below.
    unsafe { &*bell.cast::<Bell>() }.ring();
}

/// A busy loop that looks only when its hook tells it to.
#[test]
fn loom_call_interrupts() {
    explore(|| {
        let calls = Calls::new();
        let shared = Arc::new((Interrupt::default(), Bell::default()));
        shared.0.set(Some(ring), std::ptr::from_ref(&shared.1).cast_mut().cast());
        let posting = {
            let (calls, shared) = (calls.clone(), shared.clone());
            thread::spawn(move || {
                for _ in 0..2 {
                    assert!(calls.post(UVX_CALL_INTERRUPT));
                    shared.0.request();
                }
            })
        };
        let mut seen = Vec::new();
        while seen.len() < 2 {
            shared.1.sleep();
            shared.0.begin();
            calls.queue.collect(|_| {});
            calls.run_collected(&mut seen);
        }
        posting.join().unwrap();
        calls.end();
    });
}

/// A loop that gets its hook while somebody posts, and then looks: it sees the call, or its hook runs.
#[test]
fn loom_call_hook_set_meanwhile() {
    explore(|| {
        let calls = Calls::new();
        let shared = Arc::new((Interrupt::default(), Bell::default()));
        let posting = {
            let (calls, shared) = (calls.clone(), shared.clone());
            thread::spawn(move || {
                assert!(calls.post(UVX_CALL_INTERRUPT));
                shared.0.request();
            })
        };
        shared.0.set(Some(ring), std::ptr::from_ref(&shared.1).cast_mut().cast());
        let mut seen = Vec::new();
        loop {
            shared.0.begin();
            calls.queue.collect(|_| {});
            calls.run_collected(&mut seen);
            if !seen.is_empty() {
                break;
            }
            shared.1.sleep();
        }
        posting.join().unwrap();
        calls.end();
    });
}

/// A loop that gets its hook while somebody decides that it ends: it finds that decided, or its hook runs.
#[test]
fn loom_call_hook_set_while_stopped() {
    explore(|| {
        let shared = Arc::new((Interrupt::default(), Bell::default(), AtomicBool::new(false)));
        let stopping = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.2.swap(true, Ordering::AcqRel);
                shared.0.insist();
            })
        };
        shared.0.set(Some(ring), std::ptr::from_ref(&shared.1).cast_mut().cast());
        if !shared.2.load(Ordering::Acquire) {
            shared.1.sleep();
        }
        stopping.join().unwrap();
    });
}
