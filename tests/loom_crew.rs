//! Every interleaving of threads that sleep until there is work, or until their time is up, and one that wakes them: no wake-up is lost,
//! and the counts are right afterwards.
//! `RUSTFLAGS="--cfg loom" cargo test --release --test loom_crew`
#![cfg(loom)]

use loom::sync::{Arc, Mutex};
use loom::thread;
use uv::event_loop::pool::crew::{Crew, Sleeper, begin};

#[derive(Default)]
struct State {
    crew: Crew,
    work: u32,
}

struct Pool {
    state: Mutex<State>,
    sleepers: [Sleeper; 2],
}

// SAFETY: the crew is used under the mutex, a sleeper by its thread and as the crew allows.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

/// What a thread of a pool does until it has work, as in `worker/pools/thread.rs`. The first sleep ends at `until`.
fn take_work(pool: &Pool, index: usize, mut until: Option<u64>) {
    let sleeper = &pool.sleepers[index];
    let mut state = pool.state.lock().unwrap();
    while state.work == 0 {
        let others = state.crew.lie_down(sleeper);
        drop(state);
        let in_time = !sleeper.sleep(others, until.take());
        state = pool.state.lock().unwrap();
        if !in_time {
            state.crew.arrive();
        } else if !state.crew.get_up(sleeper) {
            drop(state);
            sleeper.wait_for_waker();
            state = pool.state.lock().unwrap();
            state.crew.arrive();
        }
    }
    state.work -= 1;
    let woken = state.crew.pick(state.work);
    drop(state);
    woken.wake(0);
}

fn model(untils: &'static [Option<u64>]) {
    loom::model(|| {
        let sleepers = [Sleeper::default(), Sleeper::default()];
        let pool = Arc::new(Pool { state: Mutex::new(State::default()), sleepers });
        let threads: Vec<_> = untils
            .iter()
            .enumerate()
            .map(|(index, until)| {
                begin();
                let pool = pool.clone();
                thread::spawn(move || take_work(&pool, index, *until))
            })
            .collect();
        let woken = {
            let mut state = pool.state.lock().unwrap();
            state.work = untils.len() as u32;
            state.crew.pick(state.work)
        };
        woken.wake(0);
        for thread in threads {
            thread.join().unwrap();
        }
        // Nobody is on the way any more, so a sleeper is woken for one piece of work.
        let state = pool.state.lock().unwrap();
        assert_eq!(state.work, 0);
        state.crew.lie_down(&pool.sleepers[0]);
        let woken = state.crew.pick(1);
        drop(state);
        woken.wake(0);
        assert!(pool.sleepers[0].sleep(0, None));
    });
}

#[test]
fn loom_a_sleeper_is_woken() {
    model(&[None]);
}

#[test]
fn loom_a_sleeper_is_woken_when_its_time_is_up() {
    model(&[Some(0)]);
}

#[test]
fn loom_two_are_woken_one_after_the_other() {
    model(&[None, Some(0)]);
}
