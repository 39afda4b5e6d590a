//! A counted value on the heap: what `Arc` would be, but fallible, through the allocator table, and with a plain pointer to the value
//! that C can have.

use super::{alloc, free};
use crate::abi::errno::{Errno, Result};
use core::ffi::c_void;
use core::mem::offset_of;
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

/// One reference to a `T`. With the last one goes the value.
pub struct Counted<T>(NonNull<Block<T>>);

#[repr(C)]
struct Block<T> {
    refs: AtomicUsize,
    /// What `alloc` gave; the value may want a larger alignment.
    memory: *mut c_void,
    value: T,
}

// SAFETY: as for `Arc`: whoever has a reference may use the value, and the last one drops it.
unsafe impl<T: Send + Sync> Send for Counted<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Counted<T> {}

impl<T> Counted<T> {
    /// Moves `value` to the heap; without memory it is dropped and the error is `UV_ENOMEM`.
    pub fn new(value: T) -> Result<Counted<T>> {
        let align = align_of::<Block<T>>();
        let memory = alloc(size_of::<Block<T>>().checked_add(align).ok_or(Errno::ENOMEM)?);
        if memory.is_null() {
            return Err(Errno::ENOMEM);
        }
        let block = memory.map_addr(|addr| addr.next_multiple_of(align)).cast::<Block<T>>();
        // SAFETY: the aligned place inside the new memory has room for the block.
        unsafe {
            block.write(Block { refs: AtomicUsize::new(1), memory, value });
            Ok(Counted(NonNull::new_unchecked(block)))
        }
    }

    /// The value's place, for C. As good as a reference for as long as somebody has one.
    pub fn as_ptr(&self) -> *mut T {
        // SAFETY: the block is alive.
        unsafe { &raw mut (*self.0.as_ptr()).value }
    }

    /// Gives up this handle without giving back the reference.
    pub fn into_raw(self) -> *mut T {
        let raw = self.as_ptr();
        core::mem::forget(self);
        raw
    }

    /// Takes a reference back.
    ///
    /// # Safety
    /// `raw` came from `into_raw` and is taken back once.
    pub unsafe fn from_raw(raw: *mut T) -> Counted<T> {
        // SAFETY: the caller's; the value lies in its block.
        Counted(unsafe { NonNull::new_unchecked(raw.byte_sub(offset_of!(Block<T>, value)).cast()) })
    }

    /// One more reference to the value at `raw`.
    ///
    /// # Safety
    /// `raw` came from `as_ptr` or `into_raw`, and somebody has a reference.
    pub unsafe fn retain(raw: *mut T) -> Counted<T> {
        // SAFETY: the caller's; the reference that is borrowed here is not given back.
        let borrowed = unsafe { core::mem::ManuallyDrop::new(Counted::from_raw(raw)) };
        Counted::clone(&borrowed)
    }

    /// One more reference to the value at `raw`, unless the last one is gone.
    ///
    /// # Safety
    /// `raw` came from `as_ptr` or `into_raw`, and dropping the value, should that have begun, is not over before this is.
    pub unsafe fn revive(raw: *mut T) -> Option<Counted<T>> {
        // SAFETY: the caller's; the reference is not given back unless it was taken.
        let found = unsafe { core::mem::ManuallyDrop::new(Counted::from_raw(raw)) };
        // SAFETY: the block is there until the value is dropped.
        let refs = unsafe { &found.0.as_ref().refs };
        let more = |refs: usize| (refs != 0).then(|| refs.saturating_add(1));
        let result = refs.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        result.is_ok().then_some(Counted(found.0))
    }
}

impl<T> Clone for Counted<T> {
    fn clone(&self) -> Self {
        // SAFETY: the block is alive.
        unsafe { self.0.as_ref() }.refs.fetch_add(1, Ordering::Relaxed);
        Counted(self.0)
    }
}

impl<T> Deref for Counted<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: alive as long as there is a reference.
        unsafe { &self.0.as_ref().value }
    }
}

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        // SAFETY: this reference keeps the block alive up to here; the last one has it alone.
        unsafe {
            if self.0.as_ref().refs.fetch_sub(1, Ordering::Release) != 1 {
                return;
            }
            self.0.as_ref().refs.load(Ordering::Acquire); // all that others did with it is done
            let memory = self.0.as_ref().memory;
            self.0.as_ptr().drop_in_place();
            free(memory);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use core::cell::Cell;

    #[repr(align(128))]
    struct Wide<'a>(&'a Cell<u32>);

    impl Drop for Wide<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn goes_with_its_last_reference() {
        let dropped = Cell::new(0);
        let first = Counted::new(Wide(&dropped)).unwrap();
        assert_eq!(first.as_ptr().addr() % 128, 0);
        let raw = first.clone().into_raw();
        // SAFETY: `raw` is a reference.
        let third = unsafe { Counted::retain(raw) };
        drop(first);
        drop(third);
        assert_eq!(dropped.get(), 0);
        // SAFETY: from `into_raw`, once.
        drop(unsafe { Counted::from_raw(raw) });
        assert_eq!(dropped.get(), 1);
    }

    #[test]
    fn is_revived_only_while_it_lives() {
        struct Finder(*mut Finder, Cell<bool>);
        impl Drop for Finder {
            fn drop(&mut self) {
                // SAFETY: the value is just being dropped.
                assert!(unsafe { Counted::revive(self.0) }.is_none() && self.1.get());
            }
        }
        let first = Counted::new(Finder(core::ptr::null_mut(), Cell::new(false))).unwrap();
        // SAFETY: the value is this test's alone.
        unsafe { (*first.as_ptr()).0 = first.as_ptr() };
        // SAFETY: alive.
        let second = unsafe { Counted::revive(first.as_ptr()) }.unwrap();
        drop(first);
        second.1.set(true);
    }
}
