//! Every interleaving of threads that stop a worker, join it and ask for it with the worker, which begins, sleeps, ends by itself or fails,
//! and gives up its loop: how it ends is decided once, a stop that decides is not missed, and nobody touches a loop that is gone.
//! `RUSTFLAGS="--cfg loom" cargo test --release --test loom_worker`
#![cfg(loom)]

mod model;

use loom::cell::{Cell, UnsafeCell};
use loom::sync::Arc;
use loom::thread;
use model::{Bell, explore};
use std::ptr::null_mut;
use uv::abi::*;
use uv::sync::mailbox::{Kind, Mailbox, Put, State};
use uv::worker::workers::life::Life;

/// A worker as its end goes: its loop is a mailbox for the stop notice, and memory. The model finds whoever touches that while it goes.
struct Worker {
    life: Life,
    mailbox: Mailbox,
    bell: Bell,
    notice: *mut uv__queue,
    memory: UnsafeCell<()>,
    /// How often the notice was posted.
    posts: Cell<u32>,
}

// SAFETY: who uses what is what is tested.
unsafe impl Send for Worker {}
// SAFETY: as above.
unsafe impl Sync for Worker {}

/// What the worker's own thread does.
#[derive(Clone, Copy, PartialEq)]
enum Course {
    /// Something keeps its loop alive.
    Wait,
    /// Nothing does: the worker ends by itself, with 7.
    Return,
    /// It ends in a callback, with 8.
    Exit,
    /// Its entry fails.
    Fail,
}

impl Worker {
    fn new() -> Arc<Worker> {
        Arc::new(Worker {
            life: Life::default(),
            mailbox: Mailbox::new(State::Awake),
            bell: Bell::default(),
            notice: Box::into_raw(Box::new(uv__queue { next: null_mut(), prev: null_mut() })),
            memory: UnsafeCell::new(()),
            posts: Cell::new(0),
        })
    }

    /// As `Worker::stop`.
    fn stop(&self, code: i32) -> bool {
        self.life.stop(code, || {
            self.memory.with(|_| {});
            self.posts.set(self.posts.get() + 1);
            // SAFETY: one thread decides.
            if unsafe { self.mailbox.put(self.notice, Kind::Notice) } == Put::Wake {
                self.bell.ring();
            }
        })
    }

    /// As `uv_run`: whether it was stopped.
    fn run(&self, course: Course) -> bool {
        loop {
            if self.mailbox.take(State::Awake).state().is_none() {
                return true;
            }
            match course {
                Course::Exit => {
                    self.life.decide(UVX_WORKER_EXITED, 8);
                    return true;
                }
                Course::Wait if self.mailbox.settle(State::Asleep) => self.bell.sleep(),
                Course::Wait => {}
                _ => return false,
            }
        }
    }

    /// As `live` and `tear_down`.
    fn main(&self, course: Course) {
        self.live(course);
        self.life.close();
        self.memory.with_mut(|_| {});
        self.life.end();
    }

    fn live(&self, course: Course) {
        if self.life.is_decided() {
            return;
        }
        self.life.go_online();
        if course == Course::Fail {
            return self.life.fail(UV_EIO);
        }
        while !self.life.is_decided() {
            if self.run(course) || course != Course::Wait {
                self.life.decide(UVX_WORKER_RETURNED, 7);
            }
        }
    }

    fn ended(&self) -> (uvx_worker_reason, i32, i32) {
        assert_eq!(self.life.state(), UVX_WORKER_ENDED);
        let exit = self.life.exit();
        (exit.reason, exit.code, exit.uv_error)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // SAFETY: nobody has the node any more.
        drop(unsafe { Box::from_raw(self.notice) });
    }
}

fn with_worker<R: 'static>(
    worker: &Arc<Worker>,
    run: impl FnOnce(&Worker) -> R + 'static,
) -> thread::JoinHandle<R> {
    let worker = worker.clone();
    thread::spawn(move || run(&worker))
}

#[test]
fn loom_worker_hears_the_one_stop_that_decides() {
    explore(|| {
        let worker = Worker::new();
        let stops = [1, 2].map(|code| with_worker(&worker, move |worker| worker.stop(code)));
        worker.main(Course::Wait);
        let (reason, code, _) = worker.ended();
        let [first, second] = stops.map(|stop| stop.join().unwrap());
        assert!(first != second);
        assert_eq!((reason, code), (UVX_WORKER_STOPPED, if first { 1 } else { 2 }));
        assert!(worker.posts.get() <= 1);
    });
}

fn stop_against(course: Course, otherwise: (uvx_worker_reason, i32, i32)) {
    explore(move || {
        let worker = Worker::new();
        let stop = with_worker(&worker, |worker| worker.stop(1));
        worker.main(course);
        let ended = worker.ended();
        let decides = stop.join().unwrap();
        assert_eq!(ended, if decides { (UVX_WORKER_STOPPED, 1, 0) } else { otherwise });
    });
}

#[test]
fn loom_worker_ends_by_itself_or_is_stopped() {
    stop_against(Course::Return, (UVX_WORKER_RETURNED, 7, 0));
}

#[test]
fn loom_worker_exits_or_is_stopped() {
    stop_against(Course::Exit, (UVX_WORKER_EXITED, 8, 0));
}

#[test]
fn loom_worker_fails_or_is_stopped() {
    stop_against(Course::Fail, (UVX_WORKER_FAILED, 1, UV_EIO));
}

/// Who asks while the loop is there has it for that time; who knows of the decision knows all of it.
#[test]
fn loom_worker_is_asked_while_it_ends() {
    explore(|| {
        let worker = Worker::new();
        let asking = with_worker(&worker, |worker| {
            worker.life.while_open(|| worker.memory.with(|_| {}));
            let exit = worker.life.exit();
            assert!(exit.reason == 0 || (exit.reason, exit.uv_error) == (UVX_WORKER_FAILED, UV_EIO));
            let state = worker.life.state();
            assert!(exit.reason == 0 || state == UVX_WORKER_STOPPING || state == UVX_WORKER_ENDED);
        });
        worker.main(Course::Fail);
        asking.join().unwrap();
        assert!(worker.life.while_open(|| ()).is_none());
    });
}

#[test]
fn loom_worker_is_joined() {
    explore(|| {
        let worker = Worker::new();
        let joining = with_worker(&worker, |worker| {
            worker.life.wait_for_end(u64::MAX).unwrap();
            assert_eq!(worker.ended().0, UVX_WORKER_RETURNED);
            worker.memory.with(|_| {}); // what the worker did, is over
        });
        worker.main(Course::Return);
        joining.join().unwrap();
    });
}
