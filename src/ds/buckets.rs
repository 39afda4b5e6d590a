//! The intrusive hash table: nodes in queues, by a number that several of them may share.
//!
//! Numbers that are given out one after the other, such as the kernel's, spread evenly by their low bits alone. The table doubles
//! when there are as many nodes as queues, if there is memory for that; without, the queues become longer.

use super::queue;
use crate::abi::errno::Result;
use crate::abi::uv__queue;
use crate::mem;
use core::cell::Cell;
use core::ffi::c_int;
use core::ptr::null_mut;

/// Queues of a table that was just made.
const FIRST_SIZE: usize = 32;

/// The table, which owns the heads of its queues, but no node.
pub struct Buckets {
    heads: Cell<*mut uv__queue>,
    /// A power of two.
    size: Cell<usize>,
    nodes: Cell<usize>,
}

impl Buckets {
    /// A table with nothing in it.
    pub fn new() -> Result<Buckets> {
        let heads = new_heads(FIRST_SIZE)?;
        Ok(Buckets { heads: Cell::new(heads), size: Cell::new(FIRST_SIZE), nodes: Cell::new(0) })
    }

    /// The queue with all nodes of `number`, and perhaps others.
    pub fn queue_of(&self, number: c_int) -> *mut uv__queue {
        // SAFETY: there are `size` heads.
        unsafe { self.heads.get().add(number.cast_unsigned() as usize & (self.size.get() - 1)) }
    }

    /// Puts `node`, which is in no queue, at the end of its queue. `number_of` tells the numbers of nodes, this one's too.
    ///
    /// # Safety
    /// `node` can be written, and it and the table's nodes are what `number_of` takes.
    pub unsafe fn push(&self, node: *mut uv__queue, number_of: impl Fn(*mut uv__queue) -> c_int) {
        if self.nodes.get() >= self.size.get() {
            self.grow(&number_of);
        }
        self.nodes.set(self.nodes.get() + 1);
        // SAFETY: the caller's.
        unsafe { queue::push_back(self.queue_of(number_of(node)), node) };
    }

    /// Takes `node` out of the table, or out of the queue to which it was moved from there.
    ///
    /// # Safety
    /// `node` was pushed, and its neighbours are alive.
    pub unsafe fn remove(&self, node: *mut uv__queue) {
        self.nodes.set(self.nodes.get().saturating_sub(1));
        // SAFETY: the caller's.
        unsafe { queue::unlink(node) };
    }

    fn grow(&self, number_of: impl Fn(*mut uv__queue) -> c_int) {
        let (old, old_size) = (self.heads.get(), self.size.get());
        let size = old_size.saturating_mul(2);
        let Ok(new) = new_heads(size) else { return };
        self.heads.set(new);
        self.size.set(size);
        for index in 0..old_size {
            // SAFETY: there are `old_size` old heads, whose nodes are the caller's; the block is used no more afterwards.
            unsafe {
                while let Some(node) = queue::pop_front(old.add(index)) {
                    queue::push_back(self.queue_of(number_of(node)), node);
                }
            }
        }
        // SAFETY: nothing leads there any more.
        unsafe { mem::free(old.cast()) };
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        // SAFETY: the table's own block; whoever drops the table has no nodes in it.
        unsafe { mem::free(self.heads.replace(null_mut()).cast()) };
    }
}

fn new_heads(size: usize) -> Result<*mut uv__queue> {
    let heads = mem::alloc_array::<uv__queue>(size)?.as_ptr();
    for index in 0..size {
        // SAFETY: the block has room for `size`.
        unsafe { queue::init(heads.add(index)) };
    }
    Ok(heads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Item {
        node: uv__queue,
        number: c_int,
    }

    fn number_of(node: *mut uv__queue) -> c_int {
        // SAFETY: the tests put in nodes of items that are alive.
        unsafe { (*node.cast::<Item>()).number }
    }

    fn count(table: &Buckets, number: c_int) -> usize {
        let head = table.queue_of(number);
        let mut found = 0;
        // SAFETY: the items are alive.
        unsafe {
            let mut node = (*head).next;
            while node != head {
                found += usize::from(number_of(node) == number);
                node = (*node).next;
            }
        }
        found
    }

    #[test]
    fn finds_every_node_while_it_grows_and_empties() {
        const COUNT: usize = 300;
        let mut items: [Item; COUNT] = core::array::from_fn(|index| Item {
            node: uv__queue { next: null_mut(), prev: null_mut() },
            number: index as c_int / 3, // three of each
        });
        let items = items.as_mut_ptr();
        let table = Buckets::new().unwrap();
        for index in 0..COUNT {
            // SAFETY: the items live to the end of the test and stay in place.
            unsafe { table.push(items.add(index).cast(), number_of) };
            assert_eq!(count(&table, index as c_int / 3), index % 3 + 1);
        }
        assert!(table.size.get() >= COUNT / 2);
        for number in 0..COUNT as c_int / 3 {
            assert_eq!(count(&table, number), 3);
        }
        assert_eq!(count(&table, -1), 0);
        for index in 0..COUNT {
            // SAFETY: as above.
            unsafe { table.remove(items.add(index).cast()) };
            assert_eq!(count(&table, index as c_int / 3), 2 - index % 3);
        }
        assert_eq!(table.nodes.get(), 0);
    }
}
