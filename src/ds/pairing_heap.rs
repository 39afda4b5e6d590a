//! The intrusive pairing heap: joining two heaps and adding a node take one comparison, removing any node O(log n) amortised.
//!
//! A heap is a pointer to its least node, null when it is empty; what changes it returns the new one. Nodes lie inside memory
//! that the caller owns, so all of this works on raw pointers, and nothing recurses.

use core::ptr::null_mut;

/// The three words of a node.
#[repr(C)]
pub struct Links<N> {
    /// The first of those that come after this node.
    child: *mut N,
    /// The next child of the same parent.
    next: *mut N,
    /// The child before this one, or the parent of the first child; null at the root.
    prev: *mut N,
}

impl<N> Clone for Links<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Links<N> {}

/// What can lie in a heap.
///
/// # Safety
/// `links` points into `node`, always to the same place, and `before` is a strict order that does not change while the nodes
/// lie in a heap.
pub unsafe trait Node: Sized {
    /// # Safety
    /// `node` is alive.
    unsafe fn links(node: *mut Self) -> *mut Links<Self>;

    /// Whether `a` comes before `b`.
    ///
    /// # Safety
    /// Both are alive.
    unsafe fn before(a: *const Self, b: *const Self) -> bool;
}

/// Adds `node`, which is in no heap.
///
/// # Safety
/// `root` is a heap of living nodes; `node` can be written.
#[must_use]
pub unsafe fn insert<N: Node>(root: *mut N, node: *mut N) -> *mut N {
    // SAFETY: the caller's; with its links null, `node` is a heap of one.
    unsafe {
        *N::links(node) = Links { child: null_mut(), next: null_mut(), prev: null_mut() };
        merge(root, node)
    }
}

/// Takes `node` out.
///
/// # Safety
/// `root` is a heap of living nodes and `node` is in it.
#[must_use]
pub unsafe fn remove<N: Node>(root: *mut N, node: *mut N) -> *mut N {
    // SAFETY: the links of living nodes in one heap point at living nodes; a node that is not the root has a `prev`.
    unsafe {
        let Links { child, next, prev } = *N::links(node);
        let children = merge_siblings(child);
        if node == root {
            return children;
        }
        let before = N::links(prev);
        if (*before).child == node {
            (*before).child = next;
        } else {
            (*before).next = next;
        }
        if !next.is_null() {
            (*N::links(next)).prev = prev;
        }
        merge(root, children)
    }
}

/// Takes the heap apart: hands each node to `visit`, in no order and without a comparison. `visit` may do with it what it likes.
///
/// # Safety
/// `root` is a heap of living nodes, which stay alive until they were visited.
pub unsafe fn take_apart<N: Node>(root: *mut N, mut visit: impl FnMut(*mut N)) {
    // Rows of siblings that are still to be walked; `prev` of a row's first node leads to the next row.
    let mut rows = root;
    while !rows.is_null() {
        let node = rows;
        // SAFETY: `node` was not visited yet, so it is alive, and so are those below and beside it.
        unsafe {
            let Links { child, next, prev } = *N::links(node);
            rows = prev;
            for row in [next, child] {
                if !row.is_null() {
                    (*N::links(row)).prev = rows;
                    rows = row;
                }
            }
        }
        visit(node);
    }
}

/// Makes one heap of two, either of which may be empty. Leaves `next` and `prev` of the new root alone.
///
/// # Safety
/// Both are heaps of living nodes and share none.
unsafe fn merge<N: Node>(a: *mut N, b: *mut N) -> *mut N {
    if a.is_null() {
        return b;
    }
    if b.is_null() {
        return a;
    }
    // SAFETY: both nodes are alive, and so is a root's child.
    unsafe {
        let (parent, child) = if N::before(b, a) { (b, a) } else { (a, b) };
        let first = (*N::links(parent)).child;
        (*N::links(child)).next = first;
        (*N::links(child)).prev = parent;
        if !first.is_null() {
            (*N::links(first)).prev = child;
        }
        (*N::links(parent)).child = child;
        parent
    }
}

/// Makes one heap of a row of siblings: in pairs from the left, then the pairs from the right. Only so is the cost logarithmic.
///
/// # Safety
/// `first` is null or the first of a row of living nodes, whose parent is given up.
unsafe fn merge_siblings<N: Node>(first: *mut N) -> *mut N {
    let (mut rest, mut pairs) = (first, null_mut::<N>());
    // SAFETY: the row is walked by `next`, which is read before the merge changes it; the pairs are a row by `next`, too.
    unsafe {
        while !rest.is_null() {
            let left = rest;
            let right = (*N::links(left)).next;
            rest = if right.is_null() { null_mut() } else { (*N::links(right)).next };
            let pair = merge(left, right);
            (*N::links(pair)).next = pairs;
            pairs = pair;
        }
        let mut root = null_mut();
        while !pairs.is_null() {
            let pair = pairs;
            pairs = (*N::links(pair)).next;
            root = merge(root, pair);
        }
        if !root.is_null() {
            (*N::links(root)).next = null_mut();
            (*N::links(root)).prev = null_mut();
        }
        root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Number {
        value: u32,
        links: Links<Number>,
        seen: bool,
    }

    // SAFETY: `links` is a field, and `value` is not written while the node is in a heap.
    unsafe impl Node for Number {
        unsafe fn links(node: *mut Self) -> *mut Links<Self> {
            // SAFETY: the caller's.
            unsafe { &raw mut (*node).links }
        }
        unsafe fn before(a: *const Self, b: *const Self) -> bool {
            // SAFETY: the caller's.
            unsafe { (*a).value < (*b).value }
        }
    }

    const COUNT: usize = 1000;

    /// Numbers below `COUNT`, each once, in an order without a pattern.
    fn numbers() -> [Number; COUNT] {
        let links = Links { child: null_mut(), next: null_mut(), prev: null_mut() };
        core::array::from_fn(|at| Number { value: (at * 617 % COUNT) as u32, links, seen: false })
    }

    /// # Safety
    /// The numbers outlive the heap.
    unsafe fn heap_of(numbers: *mut Number) -> *mut Number {
        let mut root = null_mut();
        for at in 0..COUNT {
            // SAFETY: `numbers` has `COUNT` elements, each inserted once.
            root = unsafe { insert(root, numbers.add(at)) };
        }
        root
    }

    #[test]
    fn gives_the_least_first() {
        let mut numbers = numbers();
        // SAFETY: the numbers live to the end of the test and stay in place.
        unsafe {
            let mut root = heap_of(numbers.as_mut_ptr());
            for expected in 0..COUNT as u32 {
                assert_eq!((*root).value, expected);
                assert!((*root).links.next.is_null() && (*root).links.prev.is_null());
                root = remove(root, root);
            }
            assert!(root.is_null());
        }
    }

    #[test]
    fn any_node_can_be_removed() {
        let mut numbers = numbers();
        let numbers = numbers.as_mut_ptr();
        // SAFETY: as above.
        unsafe {
            let mut root = heap_of(numbers);
            root = remove(root, root); // so that the heap has depth
            for at in 0..COUNT {
                if (*numbers.add(at)).value % 3 == 1 {
                    root = remove(root, numbers.add(at));
                }
            }
            for expected in (1..COUNT as u32).filter(|value| value % 3 != 1) {
                assert_eq!((*root).value, expected);
                root = remove(root, root);
            }
            assert!(root.is_null());
        }
    }

    #[test]
    fn taking_apart_visits_each_node_once_and_lets_it_go() {
        let mut numbers = numbers();
        // SAFETY: as above.
        unsafe {
            let mut root = heap_of(numbers.as_mut_ptr());
            for _ in 0..10 {
                let least = root;
                root = insert(remove(root, least), least);
            }
            let (mut count, mut other) = (0, null_mut());
            take_apart(root, |node| {
                assert!(!(*node).seen);
                (*node).seen = true;
                count += 1;
                other = insert(other, node);
            });
            assert_eq!(count, COUNT);
            assert_eq!((*other).value, 0);
            take_apart(null_mut::<Number>(), |_| panic!("an empty heap has no node"));
        }
    }
}
