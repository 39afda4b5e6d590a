//! The wheel's own tests; `tests/wheel_model.rs` compares it with a sorted map.

use super::*;
use core::mem::zeroed;

const NODES: usize = 300;

/// A wheel and nodes in one place, reached only through the raw pointer that `with` gives.
struct Bench {
    wheel: Wheel,
    expired: uv__queue,
    nodes: [TimerNode; NODES],
}

fn with(test: impl FnOnce(*mut Bench)) {
    // SAFETY: all zeros is a valid value of each part.
    let mut bench: Bench = unsafe { zeroed() };
    let bench = &raw mut bench;
    // SAFETY: `bench` lives until after the test.
    unsafe { queue::init(&raw mut (*bench).expired) };
    test(bench);
}

/// # Safety
/// `bench` is alive and `at` below `NODES`.
unsafe fn node(bench: *mut Bench, at: usize) -> *mut TimerNode {
    // SAFETY: the caller's.
    unsafe { (&raw mut (*bench).nodes).cast::<TimerNode>().add(at) }
}

/// Puts node `at` in, with its number as its order.
///
/// # Safety
/// As for `node`; it is in no wheel.
unsafe fn start(bench: *mut Bench, at: usize, due: u64) {
    // SAFETY: the caller's.
    unsafe {
        let node = node(bench, at);
        (*node).due = due;
        (*node).order = at as u64;
        insert(&raw mut (*bench).wheel, node);
    }
}

/// Advances, and compares the numbers of what expired.
///
/// # Safety
/// As for `node`.
unsafe fn expect(bench: *mut Bench, now: u64, expected: impl IntoIterator<Item = usize>) {
    // SAFETY: the caller's.
    unsafe {
        advance(&raw mut (*bench).wheel, now, &raw mut (*bench).expired);
        for at in expected {
            let first = queue::pop_front(&raw mut (*bench).expired).expect("more to expire");
            assert_eq!((*first.cast::<TimerNode>()).order, at as u64);
        }
        assert!(queue::is_empty(&raw mut (*bench).expired));
    }
}

#[test]
fn is_empty_at_first() {
    with(|bench| {
        // SAFETY: `bench` is alive.
        unsafe {
            let wheel = &raw mut (*bench).wheel;
            assert!(is_empty(wheel));
            assert_eq!(next_due(wheel), None);
            expect(bench, u64::MAX, []);
            assert!(is_empty(wheel));
        }
    });
}

#[test]
fn due_times_at_every_power_keep_their_order() {
    with(|bench| {
        // SAFETY: `bench` is alive.
        unsafe {
            let wheel = &raw mut (*bench).wheel;
            // From far to near, so that the numbers run against the due times.
            let dues = (0..64).rev().flat_map(|bit| [(1 << bit) + 1, 1_u64 << bit, (1 << bit) - 1]);
            let mut count = 0;
            for due in [u64::MAX].into_iter().chain(dues) {
                start(bench, count, due);
                count += 1;
                let least = (0..count).map(|at| (*node(bench, at)).due).min();
                assert_eq!(next_due(wheel), least);
            }
            let mut by_due: [usize; NODES] = core::array::from_fn(|at| at);
            let by_due = &mut by_due[..count];
            by_due.sort_by_key(|&at| ((*node(bench, at)).due, at));
            for &at in by_due.iter() {
                let due = (*node(bench, at)).due;
                if let Some(before) = due.checked_sub(1) {
                    advance(wheel, before, &raw mut (*bench).expired);
                }
            }
            advance(wheel, u64::MAX, &raw mut (*bench).expired);
            expect(bench, u64::MAX, by_due.iter().copied());
            assert!(is_empty(wheel));
        }
    });
}

#[test]
fn one_jump_expires_all_in_order() {
    with(|bench| {
        // SAFETY: `bench` is alive.
        unsafe {
            for at in 0..NODES {
                start(bench, at, u64::MAX >> (at % 64));
            }
            let mut by_due: [usize; NODES] = core::array::from_fn(|at| at);
            by_due.sort_by_key(|&at| (core::cmp::Reverse(at % 64), at));
            expect(bench, u64::MAX, by_due);
        }
    });
}

#[test]
fn equal_due_times_keep_their_order_however_near_they_were_started() {
    with(|bench| {
        // SAFETY: `bench` is alive.
        unsafe {
            let due = 5 << 18 | 3 << 12 | 2 << 6 | 1;
            let times = [0, 1, 4 << 18, 5 << 18, 5 << 18 | 3 << 12, due - 1, due];
            for (at, &now) in times.iter().enumerate() {
                if now < due {
                    expect(bench, now, []);
                }
                start(bench, at, due);
            }
            expect(bench, due, 0..times.len());
        }
    });
}

#[test]
fn a_late_node_is_due_at_once() {
    with(|bench| {
        // SAFETY: `bench` is alive.
        unsafe {
            let wheel = &raw mut (*bench).wheel;
            expect(bench, 1000, []);
            start(bench, 0, 1000);
            start(bench, 1, 7);
            start(bench, 2, 0);
            assert_eq!(next_due(wheel), Some(1000));
            remove(wheel, node(bench, 1));
            expect(bench, 3, [0, 2]); // the time does not go back
            start(bench, 3, 999);
            remove(wheel, node(bench, 3));
            assert!(is_empty(wheel));
        }
    });
}

#[test]
fn expired_nodes_can_be_removed() {
    with(|bench| {
        // SAFETY: `bench` is alive.
        unsafe {
            let wheel = &raw mut (*bench).wheel;
            for at in 0..3 {
                start(bench, at, 100 + at as u64);
            }
            advance(wheel, 200, &raw mut (*bench).expired);
            assert!(is_empty(wheel));
            start(bench, 3, 200); // in the slot that an expired node's due time leads to
            remove(wheel, node(bench, 1));
            assert_eq!(next_due(wheel), Some(200));
            expect(bench, 200, [0, 2, 3]);
        }
    });
}

#[test]
fn the_next_due_time_stays_exact_when_the_first_is_removed() {
    with(|bench| {
        // SAFETY: `bench` is alive.
        unsafe {
            let wheel = &raw mut (*bench).wheel;
            for at in 0..200 {
                start(bench, at, 5000 + (at as u64 * 37 % 200));
            }
            let by_due = |at: &usize| ((*node(bench, *at)).due, *at);
            for _ in 0..100 {
                let first =
                    (0..200).filter(|at| by_due(at).0 != 0).min_by_key(by_due).expect("some are left");
                assert_eq!(next_due(wheel), Some((*node(bench, first)).due));
                remove(wheel, node(bench, first));
                (*node(bench, first)).due = 0;
            }
            // The slot is a heap now. What joins it, with equal due times too, comes out in order.
            assert!(place_of(wheel, 5150).is_heap());
            for at in 200..NODES {
                start(bench, at, 5000 + (at as u64 * 53 % 200));
            }
            let mut rest: [usize; NODES] = core::array::from_fn(|at| at);
            rest.sort_by_key(by_due);
            let gone = rest.iter().filter(|at| by_due(at).0 == 0).count();
            expect(bench, 6000, rest.iter().copied().skip(gone));
        }
    });
}

#[test]
fn a_slot_becomes_a_heap_only_if_its_least_due_time_is_lost() {
    with(|bench| {
        // SAFETY: `bench` is alive.
        unsafe {
            let wheel = &raw mut (*bench).wheel;
            let look = |due| {
                assert_eq!(next_due(wheel), Some(due));
                place_of(wheel, due).is_heap()
            };
            start(bench, 0, 1010);
            start(bench, 1, 1020);
            start(bench, 2, 1015);
            assert!(!look(1010));
            remove(wheel, node(bench, 0));
            start(bench, 3, 1005);
            assert!(!look(1005));
            for at in [3, 2, 1] {
                remove(wheel, node(bench, at));
            }
            start(bench, 4, 1010);
            assert!(!look(1010));
            start(bench, 5, 1020);
            remove(wheel, node(bench, 4));
            assert!(look(1020));
            remove(wheel, node(bench, 5));
            assert!(is_empty(wheel));
            start(bench, 6, 1010);
            assert!(!look(1010));
        }
    });
}

#[test]
fn a_heap_keeps_the_order_through_all_levels() {
    with(|bench| {
        // SAFETY: `bench` is alive.
        unsafe {
            let wheel = &raw mut (*bench).wheel;
            let slot = 9 << 24;
            for at in 0..NODES {
                // Near to each other, in all slots of the lower levels, and some equal.
                start(bench, at, slot + (at as u64 % 3) * 70_001 * (at as u64 % 50));
            }
            remove(wheel, node(bench, 0));
            assert_eq!(next_due(wheel), Some(slot));
            assert!(place_of(wheel, slot).is_heap());
            let mut rest: [usize; NODES] = core::array::from_fn(|at| at);
            rest.sort_by_key(|&at| (at != 0, (*node(bench, at)).due, at));
            let (mut now, mut at) = (slot, 1);
            while at < NODES {
                let count = rest[at..].iter().take_while(|&&at| (*node(bench, at)).due <= now).count();
                expect(bench, now, rest[at..at + count].iter().copied());
                at += count;
                now = next_due(wheel).unwrap_or(now);
            }
            assert!(is_empty(wheel));
        }
    });
}
