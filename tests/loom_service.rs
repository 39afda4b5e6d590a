//! Every interleaving of threads that arm watchdogs, post wakes and stop what they have started with the service thread, which looks,
//! sleeps and runs callbacks: it never sleeps for longer than it may, and who waits for the end of a callback does, and is woken.
//! `RUSTFLAGS="--cfg loom" cargo test --release --test loom_service`
#![cfg(loom)]

mod model;

use core::ffi::c_void;
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Mutex, MutexGuard};
use loom::thread;
use model::{Bell as Signal, Futex, explore};
use uv::worker::service::bell::{Bell, Rest};
use uv::worker::service::turn::{Ends, Turn};

/// Everything under the mutex, as in `worker/service/mod.rs`; `armed` is the heap.
#[derive(Default)]
struct State {
    armed: Vec<u64>,
    rest: Rest,
    is_stopping: bool,
}

/// The service as far as the thread's sleep goes.
#[derive(Default)]
struct Sleeper {
    state: Mutex<State>,
    bell: Bell,
    futex: Futex,
    /// A wake that was posted, as `handles::signal::Hook` has it.
    posted: AtomicBool,
}

// SAFETY: the state is used under the mutex.
unsafe impl Send for Sleeper {}
// SAFETY: as above.
unsafe impl Sync for Sleeper {}

impl Sleeper {
    fn ring(&self) {
        self.bell.ring(|_| self.futex.wake_all());
    }

    fn arm(&self, deadline: u64) {
        let mut state = self.state.lock().unwrap();
        state.armed.push(deadline);
        state.rest.announce(deadline, || self.ring());
    }

    fn disarm(&self, deadline: u64) {
        self.state.lock().unwrap().armed.retain(|armed| *armed != deadline);
    }

    /// In a signal handler, too.
    fn post(&self) {
        if !self.posted.swap(true, Ordering::AcqRel) {
            self.ring();
        }
    }

    fn stop(&self) {
        self.state.lock().unwrap().is_stopping = true;
        self.ring();
    }

    /// The thread, as `serve`, until it is to stop or has found `wakes` posts and sleeps until `expected`. No time passes, so a sleep that is
    /// too long is one for ever.
    fn serve(&self, expected: u64, wakes: u32) {
        let mut found = 0;
        let mut state = self.state.lock().unwrap();
        while !state.is_stopping {
            state.rest.end(&self.bell);
            while self.posted.load(Ordering::Relaxed) && self.posted.swap(false, Ordering::AcqRel) {
                found += 1;
                drop(state); // for the callback
                state = self.state.lock().unwrap();
            }
            let deadline = state.armed.iter().copied().min().unwrap_or(u64::MAX);
            if found >= wakes && deadline == expected {
                return;
            }
            state.rest.begin(deadline);
            drop(state);
            self.bell.sleep(|word, asleep| self.futex.wait(word, asleep));
            state = self.state.lock().unwrap();
        }
    }
}

fn with_sleeper<R: 'static>(
    sleeper: &Arc<Sleeper>,
    run: impl FnOnce(&Sleeper) -> R + 'static,
) -> thread::JoinHandle<R> {
    let sleeper = sleeper.clone();
    thread::spawn(move || run(&sleeper))
}

#[test]
fn loom_service_hears_of_the_earliest() {
    explore(|| {
        let sleeper = Arc::new(Sleeper::default());
        let threads = [[30, 20], [40, 10]].map(|deadlines| {
            with_sleeper(&sleeper, move |sleeper| deadlines.into_iter().for_each(|at| sleeper.arm(at)))
        });
        sleeper.serve(10, 0);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// What is disarmed again has woken the thread for nothing, and must not keep it from hearing of the next.
#[test]
fn loom_service_hears_of_one_after_another_was_disarmed() {
    explore(|| {
        let sleeper = Arc::new(Sleeper::default());
        let fickle = with_sleeper(&sleeper, |sleeper| {
            sleeper.arm(5);
            sleeper.disarm(5);
            sleeper.arm(20);
        });
        let other = with_sleeper(&sleeper, |sleeper| sleeper.arm(10));
        fickle.join().unwrap();
        sleeper.serve(10, 0);
        other.join().unwrap();
    });
}

#[test]
fn loom_service_hears_posts() {
    explore(|| {
        let sleeper = Arc::new(Sleeper::default());
        let armer = with_sleeper(&sleeper, |sleeper| sleeper.arm(10));
        let poster = with_sleeper(&sleeper, Sleeper::post);
        sleeper.serve(10, 1);
        armer.join().unwrap();
        poster.join().unwrap();
    });
}

#[test]
fn loom_service_is_stopped() {
    explore(|| {
        let sleeper = Arc::new(Sleeper::default());
        let armer = with_sleeper(&sleeper, |sleeper| sleeper.arm(10));
        let stopper = with_sleeper(&sleeper, Sleeper::stop);
        sleeper.serve(0, 0);
        armer.join().unwrap();
        stopper.join().unwrap();
    });
}

/// A watchdog's memory. The model finds who touches it while another one does.
#[derive(Default)]
struct Memory(UnsafeCell<u32>);

impl Memory {
    fn touch(&self) {
        // SAFETY: this is what is tested.
        self.0.with_mut(|number| unsafe { *number += 1 });
    }

    fn name(&self) -> *const c_void {
        std::ptr::from_ref(self).cast()
    }
}

#[derive(Default)]
struct Running {
    turn: Turn,
    /// What is armed, and due.
    due: Vec<usize>,
    /// How many have begun to wait.
    waiters: u32,
}

/// The service as far as callbacks and those who wait for them go.
#[derive(Default)]
struct Runner {
    state: Mutex<Running>,
    ends: Ends,
    futex: Futex,
    memory: [Memory; 2],
    signal: Signal,
}

// SAFETY: the state is used under the mutex; that the memory has one user at a time is what is tested.
unsafe impl Send for Runner {}
// SAFETY: as above.
unsafe impl Sync for Runner {}

impl Runner {
    fn lock(&self) -> MutexGuard<'_, Running> {
        self.state.lock().unwrap()
    }

    fn with_due(due: &[usize]) -> Arc<Runner> {
        let runner = Runner::default();
        runner.lock().due.extend(due);
        Arc::new(runner)
    }

    /// As `run_due`, on the service thread.
    fn run_all(&self, mut callback: impl FnMut(usize)) {
        let mut state = self.lock();
        while let Some(index) = state.due.pop() {
            state.turn.begin(self.memory[index].name());
            drop(state);
            callback(index);
            state = self.lock();
            state.turn.end(&self.ends, |_| self.futex.wake_all());
        }
    }

    /// As `watchdog::stop`, on another thread: whether the callback has run.
    fn stop(&self, index: usize) -> bool {
        let mut state = self.lock();
        let count = state.due.len();
        state.due.retain(|due| *due != index);
        let has_fired = state.due.len() == count;
        let Some(seen) = state.turn.wait_for(self.memory[index].name(), &self.ends) else { return has_fired };
        state.waiters += 1;
        drop(state);
        self.ends.wait(seen, |word, seen| self.futex.wait(word, seen));
        self.lock().turn.came_back();
        assert!(has_fired, "it was running");
        true
    }

    /// The same in the watchdog's own callback: whether somebody waits for that.
    fn stop_own(&self, index: usize) -> bool {
        let state = self.lock();
        state.turn.disown(self.memory[index].name());
        state.waiters > 0
    }
}

fn stopper(runner: &Arc<Runner>, index: usize) -> thread::JoinHandle<bool> {
    let runner = runner.clone();
    thread::spawn(move || {
        let has_fired = runner.stop(index);
        runner.memory[index].touch(); // which is the program's again
        has_fired
    })
}

#[test]
fn loom_service_stops_wait_for_the_callback() {
    explore(|| {
        let runner = Runner::with_due(&[0, 1]);
        let stoppers = [0, 1].map(|index| stopper(&runner, index));
        let mut ran = [false; 2];
        runner.run_all(|index| {
            ran[index] = true;
            runner.memory[index].touch();
        });
        assert_eq!(stoppers.map(|stopper| stopper.join().unwrap()), ran);
    });
}

/// A callback ends its own watchdog; another thread has the memory from then on, for a watchdog that it stops while that callback runs.
#[test]
fn loom_service_stops_do_not_wait_for_the_callback_of_another() {
    explore(|| {
        let runner = Runner::with_due(&[0, 1]);
        let next_owner = {
            let runner = runner.clone();
            thread::spawn(move || {
                runner.signal.sleep();
                runner.memory[1].touch();
                runner.stop(1);
                runner.memory[1].touch();
            })
        };
        let stopper = stopper(&runner, 0);
        let mut next_owner = Some(next_owner);
        let mut ran = false;
        runner.run_all(|index| match index {
            1 => {
                runner.memory[1].touch();
                runner.stop_own(1);
                runner.signal.ring();
                next_owner.take().unwrap().join().unwrap();
            }
            _ => {
                runner.memory[0].touch();
                ran = true;
            }
        });
        assert_eq!(stopper.join().unwrap(), ran);
    });
}

/// Who waits for a callback already goes on waiting when that ends its own owner, as the last SIGINT watchdog does with the wake of all.
#[test]
fn loom_service_who_waits_already_goes_on_waiting() {
    explore(|| {
        let runner = Runner::with_due(&[0]);
        let waiter = {
            let runner = runner.clone();
            thread::spawn(move || {
                runner.signal.sleep();
                runner.stop(0);
                runner.memory[1].touch();
            })
        };
        runner.run_all(|_| {
            runner.signal.ring();
            if runner.stop_own(0) {
                runner.memory[1].touch();
            }
        });
        waiter.join().unwrap();
    });
}
