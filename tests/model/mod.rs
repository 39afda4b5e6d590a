//! What the models share.
#![allow(dead_code)] // each uses its part

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::sync::{Condvar, Mutex};

/// All interleavings with at most two preemptions, or as many as LOOM_MAX_PREEMPTIONS asks for.
pub fn explore(model: impl Fn() + Sync + Send + 'static) {
    explore_with(2, model);
}

/// The same with another bound.
pub fn explore_with(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.check(model);
}

/// What somebody sleeps on: an eventfd, a futex. A sleeper whom nobody wakes is a deadlock, which loom reports.
#[derive(Default)]
pub struct Bell(Mutex<bool>, Condvar);

impl Bell {
    pub fn ring(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_one();
    }

    pub fn sleep(&self) {
        let mut rung = self.0.lock().unwrap();
        while !*rung {
            rung = self.1.wait(rung).unwrap();
        }
        *rung = false;
    }
}

/// The kernel's part of a futex. A wait without end whose waker does not come is a deadlock, as above.
#[derive(Default)]
pub struct Futex(Mutex<()>, Condvar);

impl Futex {
    pub fn wait(&self, word: &AtomicU32, expected: u32) {
        let queue = self.0.lock().unwrap();
        if word.load(Ordering::Relaxed) == expected {
            drop(self.1.wait(queue).unwrap());
        }
    }

    pub fn wake_all(&self) {
        drop(self.0.lock().unwrap());
        self.1.notify_all();
    }
}
