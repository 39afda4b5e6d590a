//! The levels and slots of a wheel, and which of them a due time belongs to.

use super::{TimerNode, Wheel, pairing_heap, queue};
use crate::abi::uv__queue;
use core::ptr::null_mut;

const GROUP_BITS: u32 = 6;
const SLOTS: usize = 1 << GROUP_BITS;
pub(super) const LEVELS: usize = u64::BITS.div_ceil(GROUP_BITS) as usize;

/// The bitmaps say what a slot is, so that slots need no initialisation: bit n stands for slot n.
#[repr(C)]
pub(super) struct Level {
    occupied: u64,
    /// The slot is a heap and not a list. Never at level 0.
    heaps: u64,
    /// The slot's `least` is only a lower bound. Means nothing at level 0.
    outdated: u64,
    slots: [Slot; SLOTS],
}

#[repr(C)]
struct Slot {
    nodes: SlotNodes,
    /// The least due time in the list; unused in a heap.
    least: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) union SlotNodes {
    pub list: uv__queue,
    pub heap: *mut TimerNode,
}

/// One slot of a wheel. The wheel is alive as long as this is used.
#[derive(Clone, Copy)]
pub(super) struct Place {
    wheel: *mut Wheel,
    pub level: u32,
    row: *mut Level,
    slot: *mut Slot,
    /// The slot's bit in the bitmaps of its level.
    bit: u64,
}

/// Where a node that is due at `due` belongs.
///
/// # Safety
/// `wheel` is alive.
#[inline]
pub(super) unsafe fn place_of(wheel: *mut Wheel, due: u64) -> Place {
    // SAFETY: the caller's.
    let differing = (due ^ unsafe { (*wheel).time }) | 1; // equal times belong to level 0
    let level = differing.ilog2() / GROUP_BITS;
    // SAFETY: the highest of 64 bits is in group 10, the last.
    unsafe { place_at(wheel, level, (due >> (level * GROUP_BITS)) as usize % SLOTS) }
}

/// The first place that holds anything, and the first moment of its range.
///
/// # Safety
/// `wheel` is alive.
pub(super) unsafe fn first_place(wheel: *mut Wheel) -> Option<(Place, u64)> {
    // SAFETY: `levels` has a bit only for a level with an occupied slot, so neither bitmap is 0 and both counts are in bounds.
    unsafe {
        if (*wheel).levels == 0 {
            return None;
        }
        let level = (*wheel).levels.trailing_zeros();
        let slot = (*row_at(wheel, level)).occupied.trailing_zeros();
        let shift = level * GROUP_BITS;
        let above = (*wheel).time >> shift >> GROUP_BITS << GROUP_BITS;
        Some((place_at(wheel, level, slot as usize), (above | u64::from(slot)) << shift))
    }
}

/// # Safety
/// `wheel` is alive and `level` below `LEVELS`.
#[inline]
unsafe fn row_at(wheel: *mut Wheel, level: u32) -> *mut Level {
    // SAFETY: the caller's bound is the array's.
    unsafe { (&raw mut (*wheel).rows).cast::<Level>().add(level as usize) }
}

/// # Safety
/// `wheel` is alive, `level` below `LEVELS` and `slot` below `SLOTS`.
#[inline]
unsafe fn place_at(wheel: *mut Wheel, level: u32, slot: usize) -> Place {
    // SAFETY: the caller's bounds are those of the arrays.
    unsafe {
        let row = row_at(wheel, level);
        let slot_at = (&raw mut (*row).slots).cast::<Slot>().add(slot);
        Place { wheel, level, row, slot: slot_at, bit: 1 << slot }
    }
}

impl Place {
    /// # Safety
    /// That of the type.
    pub unsafe fn is_heap(self) -> bool {
        // SAFETY: the caller's.
        unsafe { (*self.row).heaps & self.bit != 0 }
    }

    /// # Safety
    /// That of the type.
    unsafe fn is_occupied(self) -> bool {
        // SAFETY: the caller's.
        unsafe { (*self.row).occupied & self.bit != 0 }
    }

    /// The head of the slot's list.
    ///
    /// # Safety
    /// That of the type.
    pub unsafe fn list(self) -> *mut uv__queue {
        // SAFETY: the caller's; this only computes an address.
        unsafe { &raw mut (*self.slot).nodes.list }
    }

    /// # Safety
    /// That of the type.
    unsafe fn set_occupied(self) {
        // SAFETY: the caller's.
        unsafe {
            (*self.wheel).levels |= 1 << self.level;
            (*self.row).occupied |= self.bit;
        }
    }

    /// Records that the slot holds nothing, whatever lies in it.
    ///
    /// # Safety
    /// That of the type.
    pub unsafe fn set_empty(self) {
        // SAFETY: the caller's.
        unsafe {
            (*self.row).occupied &= !self.bit;
            (*self.row).heaps &= !self.bit;
            (*self.row).outdated &= !self.bit;
            if (*self.row).occupied == 0 {
                (*self.wheel).levels &= !(1 << self.level);
            }
        }
    }

    /// Empties the slot; returns what lay in it, and whether that is a heap.
    ///
    /// # Safety
    /// The slot is occupied.
    pub unsafe fn take(self) -> (SlotNodes, bool) {
        // SAFETY: the caller's.
        unsafe {
            let taken = ((*self.slot).nodes, self.is_heap());
            self.set_empty();
            taken
        }
    }

    /// Adds a node at the end of the slot's list.
    ///
    /// # Safety
    /// The slot is no heap, its nodes are alive, and `node` can be written and is in no list.
    #[inline]
    pub unsafe fn push_to_list(self, node: *mut TimerNode) {
        // SAFETY: the caller's; an occupied slot's list is initialised.
        unsafe {
            let due = (*node).due;
            if !self.is_occupied() {
                self.set_occupied();
                queue::init(self.list());
                (*self.slot).least = due;
            } else if due <= (*self.slot).least {
                (*self.slot).least = due;
                (*self.row).outdated &= !self.bit;
            }
            queue::push_back(self.list(), node.cast());
        }
    }

    /// Adds a node to the slot's heap, or makes the empty slot one.
    ///
    /// # Safety
    /// The slot is a heap or empty, its nodes are alive, and `node` can be written and is in no heap.
    pub unsafe fn push_to_heap(self, node: *mut TimerNode) {
        // SAFETY: the caller's; only a slot that is a heap has a root.
        unsafe {
            let root = if self.is_heap() { (*self.slot).nodes.heap } else { null_mut() };
            self.set_occupied();
            (*self.row).heaps |= self.bit;
            (*self.slot).nodes.heap = pairing_heap::insert(root, node);
        }
    }

    /// # Safety
    /// The slot is a list and the node in it, or else the node is in a list outside the wheel and the slot is at level 0.
    #[inline]
    pub unsafe fn remove_from_list(self, node: *mut TimerNode) {
        // SAFETY: the caller's; an occupied slot that the node was not in still holds something.
        unsafe {
            queue::unlink(node.cast());
            if !self.is_occupied() {
                return;
            }
            if queue::is_empty(self.list()) {
                self.set_empty();
            } else if (*node).due == (*self.slot).least {
                (*self.row).outdated |= self.bit;
            }
        }
    }

    /// # Safety
    /// The slot is a heap, its nodes are alive and `node` is one of them.
    pub unsafe fn remove_from_heap(self, node: *mut TimerNode) {
        // SAFETY: the caller's.
        unsafe {
            let root = pairing_heap::remove((*self.slot).nodes.heap, node);
            (*self.slot).nodes.heap = root;
            if root.is_null() {
                self.set_empty();
            }
        }
    }

    /// The least due time in the slot.
    ///
    /// # Safety
    /// The slot is occupied and above level 0, and its nodes are alive.
    pub unsafe fn least_due(self) -> u64 {
        // SAFETY: the caller's; an occupied heap has a root.
        unsafe {
            if !self.is_heap() {
                if (*self.row).outdated & self.bit == 0 {
                    return (*self.slot).least;
                }
                self.list_to_heap();
            }
            (*(*self.slot).nodes.heap).due
        }
    }

    /// # Safety
    /// The slot is an occupied list above level 0, and its nodes are alive.
    #[cold]
    unsafe fn list_to_heap(self) {
        // SAFETY: the caller's; an entry's `next` is read before the heap overwrites it.
        unsafe {
            let (mut root, mut entry) = (null_mut(), (*self.list()).next);
            while entry != self.list() {
                let node = entry.cast::<TimerNode>();
                entry = (*entry).next;
                root = pairing_heap::insert(root, node);
            }
            (*self.row).heaps |= self.bit;
            (*self.slot).nodes.heap = root;
        }
    }
}
