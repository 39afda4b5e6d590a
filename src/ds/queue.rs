//! The intrusive queue: circular, doubly linked, the head a node like the others.
//!
//! Nodes lie inside memory that the caller owns, so all of this works on raw pointers: no reference is ever made to a node.
//! A node that was unlinked points at itself, so unlinking it again is harmless.

use crate::abi::uv__queue;

/// Makes `node` an empty queue (or a node that is in none).
///
/// # Safety
/// `node` can be written.
pub unsafe fn init(node: *mut uv__queue) {
    // SAFETY: the caller's.
    unsafe {
        (*node).next = node;
        (*node).prev = node;
    }
}

/// Whether the queue `head` holds nothing, or the node `head` is in no queue.
///
/// # Safety
/// `head` is initialised.
pub unsafe fn is_empty(head: *const uv__queue) -> bool {
    // SAFETY: the caller's.
    unsafe { core::ptr::eq((*head).next, head) }
}

/// Puts `node`, which is in no queue, at the end of `head`'s.
///
/// # Safety
/// Both can be written and the neighbours of `head` are alive.
pub unsafe fn push_back(head: *mut uv__queue, node: *mut uv__queue) {
    // SAFETY: the caller's.
    unsafe {
        let last = (*head).prev;
        (*node).next = head;
        (*node).prev = last;
        (*last).next = node;
        (*head).prev = node;
    }
}

/// Puts `node`, which is in no queue, at the front of `head`'s.
///
/// # Safety
/// As for `push_back`.
pub unsafe fn push_front(head: *mut uv__queue, node: *mut uv__queue) {
    // SAFETY: the caller's; inserting behind the last node of `first` is inserting in front of it.
    unsafe { push_back((*head).next, node) }
}

/// Takes `node` out of its queue.
///
/// # Safety
/// `node` is initialised and its neighbours are alive.
pub unsafe fn unlink(node: *mut uv__queue) {
    // SAFETY: the caller's.
    unsafe {
        let (next, prev) = ((*node).next, (*node).prev);
        (*prev).next = next;
        (*next).prev = prev;
        init(node);
    }
}

/// Takes the first node, or None when the queue is empty.
///
/// # Safety
/// `head` is initialised and its nodes are alive.
pub unsafe fn pop_front(head: *mut uv__queue) -> Option<*mut uv__queue> {
    // SAFETY: the caller's.
    unsafe {
        let first = (*head).next;
        if core::ptr::eq(first, head) {
            return None;
        }
        unlink(first);
        Some(first)
    }
}

/// Moves all of `from` to the end of `to`, in order; `from` is empty afterwards.
///
/// # Safety
/// Both are initialised and their nodes are alive.
pub unsafe fn append(to: *mut uv__queue, from: *mut uv__queue) {
    // SAFETY: the caller's.
    unsafe {
        if is_empty(from) {
            return;
        }
        let (first, last, end) = ((*from).next, (*from).prev, (*to).prev);
        (*end).next = first;
        (*first).prev = end;
        (*last).next = to;
        (*to).prev = last;
        init(from);
    }
}

/// Makes `to` a queue of all that is in `from`, which is empty afterwards: the head of one's own from which a drain begins.
///
/// # Safety
/// `to` can be written, `from` is initialised and its nodes are alive.
pub unsafe fn take_all(to: *mut uv__queue, from: *mut uv__queue) {
    // SAFETY: the caller's.
    unsafe {
        init(to);
        append(to, from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ptr::null_mut;

    fn node() -> uv__queue {
        uv__queue { next: null_mut(), prev: null_mut() }
    }

    #[test]
    fn keeps_order_through_every_operation() {
        let (mut head, mut other) = (node(), node());
        let mut nodes = [node(), node(), node(), node()];
        let (head, other, nodes) = (&raw mut head, &raw mut other, nodes.as_mut_ptr());
        // SAFETY: all nodes live to the end of the test and stay in place.
        unsafe {
            init(head);
            init(other);
            assert!(is_empty(head));
            push_back(head, nodes.add(1));
            push_front(head, nodes);
            push_back(other, nodes.add(2));
            push_back(other, nodes.add(3));
            append(head, other);
            assert!(is_empty(other));
            unlink(nodes.add(1));
            unlink(nodes.add(1));
            assert!(is_empty(nodes.add(1)));
            assert_eq!(pop_front(head), Some(nodes));
            assert_eq!(pop_front(head), Some(nodes.add(2)));
            assert_eq!(pop_front(head), Some(nodes.add(3)));
            assert_eq!(pop_front(head), None);
        }
    }
}
