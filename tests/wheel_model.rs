//! The timing wheel against a sorted map of (due, order): any sequence of operations has to give the same.

#![allow(clippy::disallowed_types, clippy::indexing_slicing)] // a test may allocate and panic

use core::mem::zeroed;
use core::ptr::null_mut;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use uv::abi::uv__queue;
use uv::ds::queue;
use uv::ds::wheel::{self, TimerNode, Wheel};

const NODES: usize = 48;

/// A due time, or the time to advance to.
#[derive(Clone, Debug)]
enum When {
    Now,
    /// Milliseconds from now.
    After(u64),
    /// The next multiple of 64^power, plus or minus a little.
    Boundary {
        power: u32,
        off_by: i64,
    },
    /// That of one of the nodes.
    SameAs(usize),
    Absolute(u64),
}

#[derive(Clone, Debug)]
enum Action {
    /// Puts the node in; takes it out before that if it is in.
    Start(usize, When),
    Remove(usize),
    /// Takes out what is due first.
    RemoveFirst,
    /// Looks at the next due time.
    Look,
}

#[derive(Clone, Debug)]
enum Step {
    Do(Action),
    /// Advances, and does something after each of the expired nodes, like callbacks.
    Advance(When, Vec<Action>),
    /// Advances to the next due time.
    AdvanceToNext,
    /// Advances to just before the next due time.
    AdvanceUpToNext,
}

fn whens() -> impl Strategy<Value = When> {
    prop_oneof![
        2 => Just(When::Now),
        6 => (0..70_u64).prop_map(When::After),
        4 => (0..10_000_u64).prop_map(When::After),
        3 => (0..64_u32, any::<u64>()).prop_map(|(shift, bits)| When::After(bits >> shift)),
        6 => (0..11_u32, -2..=2_i64).prop_map(|(power, off_by)| When::Boundary { power, off_by }),
        6 => (0..NODES).prop_map(When::SameAs),
        1 => Just(When::Absolute(u64::MAX)),
        1 => (0..3_u64).prop_map(|less| When::Absolute(u64::MAX - less)),
        1 => (0..3_u64).prop_map(When::Absolute), // late, mostly
    ]
}

/// Times that do not leave everything behind at once.
fn near_whens() -> impl Strategy<Value = When> {
    prop_oneof![
        Just(When::Now),
        (0..70_u64).prop_map(When::After),
        (0..5_000_u64).prop_map(When::After),
        (0..5_u32, -2..=2_i64).prop_map(|(power, off_by)| When::Boundary { power, off_by }),
        (0..NODES).prop_map(When::SameAs),
    ]
}

fn actions() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => (0..NODES, whens()).prop_map(|(at, when)| Action::Start(at, when)),
        // Many near each other and many equal, so that slots above level 0 hold more than one.
        4 => (0..NODES, 2_000..2_200_u64).prop_map(|(at, after)| Action::Start(at, When::After(after))),
        8 => (0..NODES, 100..104_u64).prop_map(|(at, after)| Action::Start(at, When::After(after))),
        3 => (0..NODES).prop_map(Action::Remove),
        3 => Just(Action::RemoveFirst),
        3 => Just(Action::Look),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let callbacks = || proptest::collection::vec(actions(), 0..6);
    prop_oneof![
        30 => actions().prop_map(Step::Do),
        4 => (near_whens(), callbacks()).prop_map(|(when, actions)| Step::Advance(when, actions)),
        1 => (whens(), callbacks()).prop_map(|(when, actions)| Step::Advance(when, actions)),
        3 => Just(Step::AdvanceToNext),
        2 => Just(Step::AdvanceUpToNext),
    ]
}

/// The wheel and the map. All that is linked lies on the heap and is reached through one raw pointer for each block.
struct Pair {
    wheel: *mut Wheel,
    nodes: *mut TimerNode,
    expired: *mut uv__queue,
    /// What is in the wheel. A late node's key has the time at which it was put in.
    map: BTreeMap<(u64, u64), usize>,
    /// What expired and was not taken yet.
    due_now: VecDeque<usize>,
    /// The key in `map`, for the nodes that are in it.
    keys: [Option<(u64, u64)>; NODES],
    now: u64,
    last_order: u64,
}

impl Pair {
    fn new() -> Self {
        // SAFETY: all zeros is a valid value of each type.
        let (wheel, nodes) =
            unsafe { (Box::new(zeroed::<Wheel>()), Box::new(zeroed::<[TimerNode; NODES]>())) };
        let expired = Box::into_raw(Box::new(uv__queue { next: null_mut(), prev: null_mut() }));
        // SAFETY: just allocated.
        unsafe { queue::init(expired) };
        Self {
            wheel: Box::into_raw(wheel),
            nodes: Box::into_raw(nodes).cast(),
            expired,
            map: BTreeMap::new(),
            due_now: VecDeque::new(),
            keys: [None; NODES],
            now: 0,
            last_order: 0,
        }
    }

    fn node(&self, at: usize) -> *mut TimerNode {
        assert!(at < NODES);
        // SAFETY: in bounds.
        unsafe { self.nodes.add(at) }
    }

    fn resolve(&self, when: &When) -> u64 {
        match *when {
            When::Now => self.now,
            When::After(ms) => self.now.saturating_add(ms),
            When::Boundary { power, off_by } => {
                let size = 1_u64 << (6 * power);
                (self.now | (size - 1)).saturating_add(1).saturating_add_signed(off_by)
            }
            // SAFETY: the node is alive.
            When::SameAs(at) => unsafe { (*self.node(at)).due },
            When::Absolute(at) => at,
        }
    }

    fn start(&mut self, at: usize, due: u64) {
        self.remove(at);
        self.last_order += 1;
        let node = self.node(at);
        // SAFETY: the node is alive and was taken out.
        unsafe {
            (*node).due = due;
            (*node).order = self.last_order;
            wheel::insert(self.wheel, node);
        }
        let key = (due.max(self.now), self.last_order);
        self.keys[at] = Some(key);
        self.map.insert(key, at);
    }

    fn remove(&mut self, at: usize) {
        if let Some(key) = self.keys[at].take() {
            self.map.remove(&key);
        } else if let Some(place) = self.due_now.iter().position(|&other| other == at) {
            self.due_now.remove(place);
        } else {
            return;
        }
        // SAFETY: the map says that the node is in the wheel or expired.
        unsafe { wheel::remove(self.wheel, self.node(at)) };
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Start(at, when) => self.start(*at, self.resolve(when)),
            Action::Remove(at) => self.remove(*at),
            Action::RemoveFirst => {
                if let Some(&at) = self.map.values().next() {
                    self.remove(at);
                }
            }
            Action::Look => self.look(),
        }
    }

    fn look(&self) {
        let expected = self.map.keys().next().map(|key| key.0);
        // SAFETY: all nodes are alive.
        assert_eq!(unsafe { wheel::next_due(self.wheel) }, expected);
    }

    fn advance(&mut self, to: u64, callbacks: &[Action]) {
        // SAFETY: all nodes are alive, and the list is initialised.
        unsafe { wheel::advance(self.wheel, to, self.expired) };
        self.now = self.now.max(to);
        while let Some(first) = self.map.first_entry().filter(|first| first.key().0 <= self.now) {
            let at = first.remove();
            self.keys[at] = None;
            self.due_now.push_back(at);
        }
        let mut callbacks = callbacks.iter();
        loop {
            // SAFETY: the list is initialised and its nodes are alive.
            let entry = unsafe { queue::pop_front(self.expired) };
            let expected = self.due_now.pop_front().map(|at| self.node(at));
            assert_eq!(entry.map(|entry| entry.cast::<TimerNode>()), expected);
            if entry.is_none() {
                break;
            }
            if let Some(action) = callbacks.next() {
                self.act(action);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        let next = self.map.keys().next().map(|key| key.0);
        match step {
            Step::Do(action) => self.act(action),
            Step::Advance(when, callbacks) => self.advance(self.resolve(when), callbacks),
            Step::AdvanceToNext => self.advance(next.unwrap_or(self.now), &[]),
            Step::AdvanceUpToNext => self.advance(next.map_or(self.now, |due| due.saturating_sub(1)), &[]),
        }
        // SAFETY: the wheel is alive.
        assert_eq!(unsafe { wheel::is_empty(self.wheel) }, self.map.is_empty());
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // SAFETY: each came from a box of this type in `new`.
        unsafe {
            drop(Box::from_raw(self.wheel));
            drop(Box::from_raw(self.nodes.cast::<[TimerNode; NODES]>()));
            drop(Box::from_raw(self.expired));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_wheel_is_a_sorted_map(
        begin in prop_oneof![Just(0), any::<u64>(), (0..64_u32, any::<u64>()).prop_map(|(shift, bits)| bits >> shift)],
        steps in proptest::collection::vec(steps(), 1..200),
    ) {
        let mut pair = Pair::new();
        pair.advance(begin, &[]);
        for step in &steps {
            pair.step(step);
        }
        pair.look();
        pair.advance(u64::MAX, &[]);
        prop_assert!(pair.map.is_empty());
    }
}
