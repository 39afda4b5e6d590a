//! Every interleaving of a thread that begins a request of a loop, for work that is to come back to it, with the end of that loop: either
//! the request is refused, or the loop cannot be closed before the work has come home. The loop is a real one, but for its sleep.
//! `RUSTFLAGS="--cfg loom" cargo test --release --test loom_request`
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // the rules of the library, which this is not

mod model;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use model::explore;
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};
use uv::abi::errno::Errno;
use uv::abi::{UV_RUN_NOWAIT, uv_loop_t};
use uv::event_loop::{Loop, active_reqs_of, lifecycle, run};
use uv::mem::Counted;
use uv::ptr::Cx;
use uv::worker::call::{self, Calls, request};
use uv::worker::pools::job::{Job, Lane, Order};

/// A loop, and a piece of work for it. The model finds whoever uses the loop's memory while it goes; who does so afterwards crashes.
struct Model {
    raw: *mut uv_loop_t,
    calls: Counted<Calls>,
    memory: UnsafeCell<()>,
}

// SAFETY: the loop is one thread's; what others do with it is what is tested.
unsafe impl Send for Model {}
// SAFETY: as above.
unsafe impl Sync for Model {}

const SIZE: usize = size_of::<uv_loop_t>();

#[repr(C)]
struct Work {
    job: MaybeUninit<Job>,
    home: *mut uv_loop_t,
    is_done: UnsafeCell<bool>,
}

unsafe extern "C" fn done(job: *mut Job, status: i32) {
    assert_eq!(status, 0);
    // SAFETY: the job is the first thing in a `Work`.
    unsafe {
        let work = job.cast::<Work>();
        (*work).is_done.with_mut(|is_done| *is_done = true);
        assert!(active_reqs_of((*work).home) <= 1, "its end was counted before its beginning");
    }
}

impl Model {
    fn new() -> Arc<Model> {
        // SAFETY: new pages, which stay to the end of the model.
        let (raw, calls) = unsafe {
            let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let pages = libc::mmap(null_mut(), SIZE, libc::PROT_READ | libc::PROT_WRITE, kind, -1, 0);
            let raw = pages.cast::<uv_loop_t>();
            lifecycle::init(raw).unwrap();
            (raw, call::of(Loop::new(raw)).unwrap())
        };
        Arc::new(Model { raw, calls, memory: UnsafeCell::new(()) })
    }

    fn lp(&self) -> Loop {
        // SAFETY: it is not closed yet.
        unsafe { Loop::new(self.raw) }
    }

    /// As `Pool::queue`, and the pool's thread: work that is done at once. Whether it was accepted.
    fn work(&self, work: &Work) -> bool {
        let home = match self.calls.begin_request() {
            Ok(home) => home,
            Err(error) => {
                assert_eq!(error, Errno::ESHUTDOWN);
                return false;
            }
        };
        self.memory.with(|_| {});
        let job = std::ptr::from_ref(work).cast_mut().cast::<Job>();
        let order = Order { run: None, done: Some(done), home, lane: Lane::Normal };
        // SAFETY: the job is the library's until its callback.
        unsafe {
            Job::set_up(job, null(), order, 0);
            Job::complete(job, 0, 0);
        }
        true
    }

    /// As `Pool::queue` when the pool refuses the work.
    fn give_up(&self) {
        if let Ok(home) = self.calls.begin_request() {
            self.memory.with(|_| {});
            // SAFETY: just begun.
            unsafe { request::take_back(home, &self.calls) };
        }
    }

    /// Closes the loop, and runs it as long as that is refused.
    fn close(&self) {
        // SAFETY: this is the loop's thread; no user code needs more.
        let mut cx = unsafe { Cx::enter() };
        while let Err(error) = lifecycle::close(self.lp()) {
            assert_eq!(error, Errno::EBUSY);
            run::run(&mut cx, self.lp(), UV_RUN_NOWAIT);
            thread::yield_now();
        }
        self.closed();
    }

    fn closed(&self) {
        self.memory.with_mut(|_| {});
        // SAFETY: nobody uses the pages; that is what is tested.
        unsafe { libc::mprotect(self.raw.cast(), SIZE, libc::PROT_NONE) };
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: from `new`; the loop is closed.
        unsafe { libc::munmap(self.raw.cast(), SIZE) };
    }
}

fn new_work(model: &Model) -> Arc<Work> {
    Arc::new(Work { job: MaybeUninit::zeroed(), home: model.raw, is_done: UnsafeCell::new(false) })
}

struct Shared(Arc<Work>);
// SAFETY: the work goes from one thread to the other; that is tested.
unsafe impl Send for Shared {}
impl Shared {
    fn get(&self) -> &Work {
        &self.0
    }
}

fn worker(model: &Arc<Model>, work: &Arc<Work>) -> thread::JoinHandle<bool> {
    let (model, work) = (model.clone(), Shared(work.clone()));
    thread::spawn(move || model.work(work.get()))
}

fn is_done(work: &Work) -> bool {
    // SAFETY: this is what is tested.
    work.is_done.with(|is_done| unsafe { *is_done })
}

#[test]
fn loom_request_comes_home_or_is_refused() {
    explore(|| {
        let model = Model::new();
        let work = new_work(&model);
        let worker = worker(&model, &work);
        model.close();
        let is_done = is_done(&work);
        assert_eq!(worker.join().unwrap(), is_done);
    });
}

/// The loop runs before it is closed: what is accepted has come home by the end of that, or keeps the loop.
#[test]
fn loom_request_keeps_a_loop_that_runs() {
    explore(|| {
        let model = Model::new();
        let work = new_work(&model);
        let worker = worker(&model, &work);
        // SAFETY: as in `close`.
        let mut cx = unsafe { Cx::enter() };
        run::run(&mut cx, model.lp(), UV_RUN_NOWAIT);
        model.close();
        let is_done = is_done(&work);
        assert_eq!(worker.join().unwrap(), is_done);
    });
}

#[test]
fn loom_requests_of_two() {
    explore(|| {
        let model = Model::new();
        let works = [new_work(&model), new_work(&model)];
        let workers = [0, 1].map(|index| worker(&model, &works[index]));
        model.close();
        let are_done = [0, 1].map(|index| is_done(&works[index]));
        assert_eq!(workers.map(|worker| worker.join().unwrap()), are_done);
    });
}

/// A request that came to nothing does not keep the loop, nor touch it afterwards.
#[test]
fn loom_request_is_taken_back() {
    explore(|| {
        let model = Model::new();
        let giving_up = {
            let model = model.clone();
            thread::spawn(move || model.give_up())
        };
        model.close();
        giving_up.join().unwrap();
    });
}

/// Who has closed its mailbox, and has nothing to do, can be closed at once whatever others try.
#[test]
fn loom_request_is_refused_once_the_mailbox_is_closed() {
    explore(|| {
        let model = Model::new();
        let work = new_work(&model);
        // SAFETY: as in `close`.
        call::close(&mut unsafe { Cx::enter() }, model.lp(), 0).unwrap();
        let worker = worker(&model, &work);
        lifecycle::close(model.lp()).unwrap();
        model.closed();
        assert!(!worker.join().unwrap() && !is_done(&work));
    });
}
