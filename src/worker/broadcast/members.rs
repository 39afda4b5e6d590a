//! Who is in a group: a list that is never changed while somebody reads it.
//!
//! Each member has a seat, and in it a view of the current list under a lock of its own. Who posts from a member reads that view,
//! with the lock held, so that posts from different members never wait for each other. Who joins or leaves writes the
//! other of two arrays and then goes from seat to seat to show it; after that nobody reads the first array, and nobody who
//! begins to read finds the one who left. Two arrays of the same size are there before they are needed: leaving takes no memory.

use crate::abi::errno::Result;
use crate::mem;
use crate::sync::prim::{Mutex, MutexGuard, lock};
use core::ptr::{null, null_mut};

/// A member's place; `T` is what it is a member as.
pub struct Seat<T> {
    view: Mutex<View<T>>,
    who: *const T,
}

/// Seats, one after the other.
struct View<T> {
    first: *const *const Seat<T>,
    len: usize,
}

impl<T> View<T> {
    const EMPTY: View<T> = View { first: null(), len: 0 };
}

impl<T> Seat<T> {
    /// For `who`, who is in no group yet.
    pub fn new(who: *const T) -> Seat<T> {
        Seat { view: Mutex::new(View::EMPTY), who }
    }

    /// The other members, who stay as long as this is held. It must not be held for another seat's sake.
    pub fn others(&self) -> Others<'_, T> {
        Others { seat: self, view: lock(&self.view) }
    }
}

/// See [`Seat::others`].
pub struct Others<'a, T> {
    seat: &'a Seat<T>,
    view: MutexGuard<'a, View<T>>,
}

impl<T> Others<'_, T> {
    /// One after the other, the first to join first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let seat = self.seat;
        // SAFETY: the array holds so many seats, none of which goes before this one shows another array.
        self.everybody().filter(move |other| !core::ptr::eq(*other, seat)).map(|other| unsafe { &*other.who })
    }

    /// All members but `one`, this one too.
    pub fn all_but(&self, one: &T) -> impl Iterator<Item = &T> {
        // SAFETY: as in `iter`.
        self.everybody().map(|seat| unsafe { &*seat.who }).filter(move |who| !core::ptr::eq(*who, one))
    }

    fn everybody(&self) -> impl Iterator<Item = &Seat<T>> {
        let View { first, len } = *self.view;
        // SAFETY: as in `iter`.
        (0..len).map(move |index| unsafe { &**first.add(index) })
    }
}

/// All members, for those who join and leave, one at a time.
pub struct Members<T> {
    /// What the seats show.
    current: *mut *const Seat<T>,
    /// As large.
    spare: *mut *const Seat<T>,
    capacity: usize,
    len: usize,
}

impl<T> Members<T> {
    /// Nobody.
    pub const EMPTY: Members<T> = Members { current: null_mut(), spare: null_mut(), capacity: 0, len: 0 };

    /// Whether nobody is left.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One more, at the end.
    ///
    /// # Safety
    /// The seat is in no group, and stays in place until it has left.
    pub unsafe fn join(&mut self, seat: *const Seat<T>) -> Result {
        let mut old = [null_mut(); 2];
        if self.len == self.capacity {
            let capacity = (2 * self.capacity).max(4);
            let [current, spare] = Self::arrays(capacity)?;
            // SAFETY: the new array is larger than what is in the old one.
            unsafe { current.copy_from_nonoverlapping(self.current, self.len) };
            old = [self.current, self.spare];
            (self.current, self.spare, self.capacity) = (spare, current, capacity);
        } else {
            // SAFETY: both arrays have that size.
            unsafe { self.spare.copy_from_nonoverlapping(self.current, self.len) };
        }
        // SAFETY: there is room for one more. Nobody reads the old arrays once the new one is shown.
        unsafe {
            self.spare.add(self.len).write(seat);
            self.len += 1;
            self.show();
            old.into_iter().for_each(|array| mem::free(array.cast()));
        }
        Ok(())
    }

    /// One less. When this returns nobody reads a list with the seat in it.
    ///
    /// # Safety
    /// The seat has joined.
    pub unsafe fn leave(&mut self, seat: *const Seat<T>) {
        // SAFETY: the caller's; the others fit into the other array.
        unsafe {
            *lock(&(*seat).view) = View::EMPTY;
            let mut len = 0;
            for index in 0..self.len {
                let other = self.current.add(index).read();
                if other != seat {
                    self.spare.add(len).write(other);
                    len += 1;
                }
            }
            self.len = len;
            self.show();
        }
    }

    /// Shows the spare array to all who are in it; the other one is the spare then.
    ///
    /// # Safety
    /// `len` live seats are in the array.
    unsafe fn show(&mut self) {
        core::mem::swap(&mut self.current, &mut self.spare);
        for index in 0..self.len {
            // SAFETY: the caller's.
            unsafe { *lock(&(**self.current.add(index)).view) = View { first: self.current, len: self.len } };
        }
    }

    fn arrays(capacity: usize) -> Result<[*mut *const Seat<T>; 2]> {
        let first = mem::alloc_array::<*const Seat<T>>(capacity)?;
        match mem::alloc_array::<*const Seat<T>>(capacity) {
            Ok(second) => Ok([first.as_ptr(), second.as_ptr()]),
            Err(error) => {
                // SAFETY: made above.
                unsafe { mem::free(first.as_ptr().cast()) };
                Err(error)
            }
        }
    }
}

impl<T> Drop for Members<T> {
    fn drop(&mut self) {
        // SAFETY: nobody is left who could read them.
        unsafe {
            mem::free(self.current.cast());
            mem::free(self.spare.cast());
        }
    }
}
