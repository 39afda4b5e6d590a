//! The hierarchical timing wheel: gives first what is due first, and of that what was put in first. For one thread, the loop's.
//!
//! A due time is eleven groups of six bits. A node's place follows from its due time and the wheel's time: the level is the
//! highest group in which the two differ (level 0 when they do not), the slot is that group of the due time. So all of a level
//! is due before all of the next level, and the first slot of the lowest level that holds anything comes first of all. When the
//! time reaches that slot, it is emptied into lower levels (cascaded); a node moves at most ten times in its life.
//!
//! A place never goes stale: each slot is cascaded before the time enters its range, so at every moment each node lies where
//! it would be put now. Hence nodes of equal due time always share a slot; and as slots are first in, first out, and are cascaded
//! from front to back, those nodes stay in the order in which they came.
//!
//! The first due time is known exactly. A slot keeps the least due time of its nodes, which is right until that node is removed
//! before its time. Only if it is asked for after that, the slot's list is turned into a heap, once, and stays one until it is
//! empty; so no number of timers makes an operation slow again and again.
//!
//! Deliberately unlike the reference, which keeps a binary heap: starting and stopping take the same time however many timers
//! there are. Order and due times are the same.

mod place;
#[cfg(test)]
mod tests;

use super::pairing_heap::{self, Links};
use super::queue;
use crate::abi::uv__queue;
use core::ptr::null_mut;
use place::{LEVELS, Level, Place, first_place, place_of};

/// What lies in a wheel: the last 48 bytes of a `uv_timer_t`.
#[repr(C)]
pub struct TimerNode {
    links: NodeLinks,
    /// When it is due, in milliseconds of the loop's clock. Not written while the node is in a wheel or expired.
    pub due: u64,
    /// The timer's own; nothing to the wheel.
    pub repeat: u64,
    /// Which of two with the same due time comes first: greater with each insertion into the same wheel.
    pub order: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
union NodeLinks {
    list: uv__queue,
    heap: Links<TimerNode>,
}

// SAFETY: the links are a field, and `due` and `order` are not written while the node is in a wheel.
unsafe impl pairing_heap::Node for TimerNode {
    unsafe fn links(node: *mut Self) -> *mut Links<Self> {
        // SAFETY: the caller's; this only computes an address.
        unsafe { &raw mut (*node).links.heap }
    }

    unsafe fn before(a: *const Self, b: *const Self) -> bool {
        // SAFETY: the caller's.
        unsafe { ((*a).due, (*a).order) < ((*b).due, (*b).order) }
    }
}

/// All zeros is an empty wheel at time 0. It stays in place while it holds anything, and is used through raw pointers alone.
#[repr(C)]
pub struct Wheel {
    /// In milliseconds of the loop's clock: the greatest `now` of any `advance`.
    time: u64,
    /// Bit n: level n holds something.
    levels: u64,
    rows: [Level; LEVELS],
}

/// Puts `node` in. What is due before the wheel's time counts as due now.
///
/// # Safety
/// The wheel and its nodes are alive. `node` can be written, is in no wheel and not expired, and its `order` is greater than that
/// of all nodes in the wheel.
#[inline]
pub unsafe fn insert(wheel: *mut Wheel, node: *mut TimerNode) {
    // SAFETY: the caller's; the bitmap tells the heaps from the lists.
    unsafe {
        let place = place_of(wheel, (*node).due.max((*wheel).time));
        if place.is_heap() {
            place.push_to_heap(node);
        } else {
            place.push_to_list(node);
        }
    }
}

/// Takes `node` out of the wheel, or off the list that `advance` moved it to.
///
/// # Safety
/// The wheel and its nodes are alive. `node` is in the wheel, or `advance` moved it to a list, whose nodes are alive, and it is
/// still there.
#[inline]
pub unsafe fn remove(wheel: *mut Wheel, node: *mut TimerNode) {
    // SAFETY: the node is where its due time says. An expired one is due by now, which is a place at level 0 and so no heap.
    unsafe {
        let place = place_of(wheel, (*node).due.max((*wheel).time));
        if place.is_heap() {
            place.remove_from_heap(node);
        } else {
            place.remove_from_list(node);
        }
    }
}

/// Whether the wheel holds nothing. What expired is no longer in it.
///
/// # Safety
/// `wheel` is alive.
pub unsafe fn is_empty(wheel: *const Wheel) -> bool {
    // SAFETY: the caller's.
    unsafe { (*wheel).levels == 0 }
}

/// When the first node is due, in milliseconds of the loop's clock; the wheel's time for a node that was late when it was put in.
///
/// # Safety
/// The wheel and its nodes are alive.
pub unsafe fn next_due(wheel: *mut Wheel) -> Option<u64> {
    // SAFETY: the caller's; the first place is occupied.
    unsafe {
        let (place, start) = first_place(wheel)?;
        Some(if place.level == 0 { start } else { place.least_due() })
    }
}

/// Sets the time to `now`, unless it is that late already, and moves what is due by then to the end of the list `expired`, what
/// comes first first. The list's entries are the nodes, cast.
///
/// # Safety
/// The wheel and its nodes are alive, and `expired` is an initialised list of living nodes.
pub unsafe fn advance(wheel: *mut Wheel, now: u64, expired: *mut uv__queue) {
    // SAFETY: the caller's; the first place is occupied, and no heap at level 0.
    unsafe {
        let now = now.max((*wheel).time);
        while let Some((place, start)) = first_place(wheel) {
            if start > now {
                break;
            }
            (*wheel).time = start;
            if place.level == 0 {
                queue::append(expired, place.list());
                place.set_empty();
            } else {
                cascade(wheel, place);
            }
        }
        (*wheel).time = now;
    }
}

/// Empties a slot into lower levels.
///
/// # Safety
/// The wheel and its nodes are alive, `place` is its first, above level 0, and the time is the first moment of its range.
unsafe fn cascade(wheel: *mut Wheel, place: Place) {
    // SAFETY: the caller's; a node's `next` is read before the node moves, and none moves into the slot it came from.
    unsafe {
        let (nodes, is_heap) = place.take();
        if is_heap {
            return cascade_heap(wheel, nodes.heap);
        }
        let mut entry = nodes.list.next;
        while entry != place.list() {
            let node = entry.cast::<TimerNode>();
            entry = (*entry).next;
            place_of(wheel, (*node).due).push_to_list(node);
        }
    }
}

/// Taking a heap apart costs less than taking out its least node again and again, but loses the order. So slots above level 0
/// become heaps again, and what goes into level 0 is put in order first.
///
/// # Safety
/// As for `cascade`, whose slot's heap this is.
unsafe fn cascade_heap(wheel: *mut Wheel, root: *mut TimerNode) {
    // SAFETY: the caller's; all lower levels are empty, and a node that is visited is in no heap any more.
    unsafe {
        let mut soon: *mut TimerNode = null_mut();
        pairing_heap::take_apart(root, |node| {
            let place = place_of(wheel, (*node).due);
            if place.level == 0 {
                soon = pairing_heap::insert(soon, node);
            } else {
                place.push_to_heap(node);
            }
        });
        while !soon.is_null() {
            let node = soon;
            soon = pairing_heap::remove(soon, node);
            place_of(wheel, (*node).due).push_to_list(node);
        }
    }
}
