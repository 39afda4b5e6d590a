//! Every interleaving of a thread that takes work, and a loop that cancels it: exactly one of them has it, and it comes home once.
//! `RUSTFLAGS="--cfg loom" cargo test --release --test loom_pool`
#![cfg(loom)]

use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex};
use loom::thread;
use std::ptr::null_mut;
use uv::abi::{uv__queue, uv__work};
use uv::event_loop::pool::line::{Lane, Line, was_cancelled};
use uv::sync::mailbox::{Kind, Mailbox, State};

/// A pool of one thread, whose line `Mutex` guards as the pool's own mutex does, and a loop.
struct Model {
    line: Mutex<Line>,
    home: Mailbox,
    /// Raced on by whoever thinks that the work is his.
    owned: UnsafeCell<u32>,
    work: *mut uv__work,
}

// SAFETY: the line is used under the mutex, `work` by whom the line or the mailbox gives it to.
unsafe impl Send for Model {}
// SAFETY: as above.
unsafe impl Sync for Model {}

unsafe extern "C" fn run(_: *mut uv__work) {}

fn new_work() -> *mut uv__work {
    let wq = uv__queue { next: null_mut(), prev: null_mut() };
    Box::into_raw(Box::new(uv__work { work: Some(run), done: None, loop_: null_mut(), wq }))
}

impl Model {
    fn complete(&self) {
        self.owned.with_mut(|owned| unsafe { *owned += 1 });
        // SAFETY: this thread has the work now.
        unsafe {
            (*self.work).wq.prev = null_mut();
            self.home.put(&raw mut (*self.work).wq, Kind::Work);
        }
    }
}

fn model(lane: Lane) {
    loom::model(move || {
        let model = Arc::new(Model {
            line: Mutex::new(Line::new()),
            home: Mailbox::new(State::Awake),
            owned: UnsafeCell::new(0),
            work: new_work(),
        });
        // SAFETY: the work lives to the end, and the line stays in the Arc.
        unsafe {
            let line = model.line.lock().unwrap();
            line.init(1);
            line.push(model.work, lane);
        }
        let runner = {
            let model = model.clone();
            thread::spawn(move || {
                let item = model.line.lock().unwrap().take();
                if let Some(item) = item {
                    model.complete();
                    model.line.lock().unwrap().finish(item.lane);
                }
                item.is_some()
            })
        };
        // SAFETY: the work has not been handed back yet: only this thread takes it out of the mailbox.
        let cancelled = unsafe { model.line.lock().unwrap().cancel(model.work, lane) };
        if cancelled.is_ok() {
            model.complete();
        }
        let ran = runner.join().unwrap();
        assert_eq!(cancelled, if ran { Err(uv::abi::errno::Errno::EBUSY) } else { Ok(true) });
        let came = model.home.take(State::Awake);
        assert_eq!(came.node(), unsafe { &raw mut (*model.work).wq });
        // SAFETY: it came home.
        unsafe {
            assert_eq!(was_cancelled(model.work), !ran);
            drop(Box::from_raw(model.work));
        }
    });
}

#[test]
fn loom_cancel_against_run() {
    model(Lane::Normal);
}

#[test]
fn loom_cancel_against_run_in_the_slow_lane() {
    model(Lane::Slow);
}
