//! All things of one kind in the process, for who wants to look at them one after the other, the newest first.
//!
//! The mutex is held for steps along the list alone. Who looks at a thing keeps it in place by a lock or a reference of the thing's own, which
//! [`Roster::walk`] takes while the list cannot change.

use super::static_mutex::StaticMutex;
use core::cell::Cell;
use core::ptr::null;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// See the module. For a static.
pub struct Roster<T: 'static>(StaticMutex<List<T>>);

struct List<T> {
    first: Cell<*const T>,
    /// The last number that a thing got.
    last_id: Cell<u64>,
}

/// What a thing needs to stand in a roster.
pub struct Entry<T> {
    /// No other thing of the roster has or had it; 0: it is not in there.
    id: AtomicU64,
    /// Its neighbours. Under the mutex.
    next: Cell<*const T>,
    previous: Cell<*const T>,
}

impl<T> Default for Entry<T> {
    /// Of a thing that is in no roster.
    fn default() -> Self {
        Entry { id: AtomicU64::new(0), next: Cell::new(null()), previous: Cell::new(null()) }
    }
}

impl<T> Entry<T> {
    /// The thing's number; 0: it is not in the roster. Any thread.
    pub fn id(&self) -> u64 {
        self.id.load(Relaxed)
    }
}

/// What has an entry.
pub trait Listed: Sized {
    /// The entry.
    fn entry(&self) -> &Entry<Self>;
}

impl<T: Listed> Roster<T> {
    /// Empty.
    pub const fn new() -> Roster<T> {
        Roster(StaticMutex::new(List { first: Cell::new(null()), last_id: Cell::new(0) }))
    }

    /// Puts a thing in, which is not in there.
    ///
    /// # Safety
    /// It stays in place until it has left.
    pub unsafe fn enter(&'static self, thing: &T) {
        let list = self.0.lock();
        list.last_id.set(list.last_id.get() + 1);
        let entry = thing.entry();
        entry.id.store(list.last_id.get(), Relaxed);
        entry.previous.set(null());
        entry.next.set(list.first.replace(thing));
        // SAFETY: things leave before they go; under the mutex.
        if let Some(next) = unsafe { entry.next.get().as_ref() } {
            next.entry().previous.set(thing);
        }
    }

    /// Takes a thing out, if it is in there.
    pub fn leave(&'static self, thing: &T) {
        let list = self.0.lock();
        let entry = thing.entry();
        if entry.id.swap(0, Relaxed) == 0 {
            return; // it never was, or it is the parent's, in the child after fork
        }
        // SAFETY: as in `enter`.
        unsafe {
            match entry.previous.get().as_ref() {
                None => list.first.set(entry.next.get()),
                Some(previous) => previous.entry().next.set(entry.next.get()),
            }
            if let Some(next) = entry.next.get().as_ref() {
                next.entry().previous.set(entry.previous.get());
            }
        }
    }

    /// What `keep` makes of each thing, the newest first; things for which that is None are left out. `keep` runs under the mutex, the caller's part
    /// does not. Things that come or go meanwhile are seen or not.
    pub fn walk<R>(&'static self, mut keep: impl FnMut(&T) -> Option<R>) -> impl Iterator<Item = R> {
        let mut before = u64::MAX;
        core::iter::from_fn(move || {
            let list = self.0.lock();
            let mut at = list.first.get();
            // SAFETY: things in the list are in place; under the mutex.
            while let Some(thing) = unsafe { at.as_ref() } {
                if thing.entry().id() < before {
                    before = thing.entry().id();
                    if let Some(kept) = keep(thing) {
                        return Some(kept);
                    }
                }
                at = thing.entry().next.get();
            }
            None
        })
    }

    /// On the thread that forks: nobody else is changing the list then.
    pub fn before_fork(&'static self) {
        core::mem::forget(self.0.lock());
    }

    /// In the parent.
    pub fn after_fork_in_parent(&'static self) {
        // SAFETY: `before_fork` took it on this thread.
        unsafe { self.0.unlock() };
    }

    /// In the child: what is in there is the parent's, and taken out. `each` is called with it.
    pub fn after_fork_in_child(&'static self, each: impl Fn(&T)) {
        // SAFETY: `before_fork` took it on the thread of which this is the copy.
        unsafe { self.0.unlock() };
        let mut at = self.0.lock().first.replace(null());
        // SAFETY: the parent's memory is the child's too.
        while let Some(thing) = unsafe { at.as_ref() } {
            thing.entry().id.store(0, Relaxed);
            each(thing);
            at = thing.entry().next.get();
        }
    }
}

impl<T: Listed> Default for Roster<T> {
    fn default() -> Self {
        Roster::new()
    }
}

#[cfg(all(test, not(loom)))]
#[allow(clippy::disallowed_types, clippy::std_instead_of_core, clippy::alloc_instead_of_core)] // a test may
mod tests {
    use super::*;
    use std::vec::Vec;

    #[derive(Default)]
    struct Thing {
        name: u32,
        entry: Entry<Thing>,
    }

    impl Listed for Thing {
        fn entry(&self) -> &Entry<Thing> {
            &self.entry
        }
    }

    #[test]
    fn the_newest_come_first_and_may_go_meanwhile() {
        static THINGS: Roster<Thing> = Roster::new();
        let things: [Thing; 5] = core::array::from_fn(|name| Thing { name: name as u32, ..Thing::default() });
        let seen = |skipped| -> Vec<u32> {
            THINGS.walk(|thing| Some(thing.name).filter(|name| *name != skipped)).collect()
        };
        for thing in &things {
            assert_eq!(thing.entry.id(), 0);
            // SAFETY: all leave below.
            unsafe { THINGS.enter(thing) };
        }
        assert_eq!(seen(99), [4, 3, 2, 1, 0]);
        assert_eq!(seen(3), [4, 2, 1, 0]);
        THINGS.leave(&things[4]);
        THINGS.leave(&things[4]);
        assert_eq!(seen(99), [3, 2, 1, 0]);
        let mut rest = Vec::new();
        for name in THINGS.walk(|thing| Some(thing.name)) {
            rest.push(name);
            match name {
                3 => THINGS.leave(&things[2]), // the next one
                1 => THINGS.leave(&things[1]), // this one
                _ => {}
            }
        }
        assert_eq!(rest, [3, 1, 0]);
        // SAFETY: as above.
        unsafe { THINGS.enter(&things[1]) };
        assert_eq!(seen(99), [1, 3, 0]);
        things.iter().for_each(|thing| THINGS.leave(thing));
        assert_eq!(seen(99), []);
    }
}
