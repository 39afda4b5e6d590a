//! A value on the heap that has one owner: what `Box` would be, but fallible and through the allocator table.

use super::{alloc_array, free};
use crate::abi::errno::Result;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

/// Owns one `T` on the heap; dropping it drops the value and gives the block back.
pub struct Owned<T>(NonNull<T>);

impl<T> Owned<T> {
    /// Moves `value` to the heap; without memory the value is dropped and the error is `UV_ENOMEM`.
    pub fn new(value: T) -> Result<Self> {
        let place = alloc_array::<T>(1)?;
        // SAFETY: the block is new, aligned and large enough.
        unsafe { place.write(value) };
        Ok(Owned(place))
    }

    /// Gives up ownership, to C memory for instance.
    pub fn into_raw(self) -> *mut T {
        let raw = self.0.as_ptr();
        core::mem::forget(self);
        raw
    }

    /// Takes ownership back.
    ///
    /// # Safety
    /// `raw` came from `into_raw` and is taken back once.
    pub unsafe fn from_raw(raw: *mut T) -> Self {
        // SAFETY: `into_raw` never gives null.
        Owned(unsafe { NonNull::new_unchecked(raw) })
    }
}

impl<T> Deref for Owned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the value lives as long as its owner.
        unsafe { self.0.as_ref() }
    }
}

impl<T> DerefMut for Owned<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and `&mut self` makes it exclusive.
        unsafe { self.0.as_mut() }
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the value is alive and nobody else owns the block.
        unsafe {
            self.0.as_ptr().drop_in_place();
            free(self.0.as_ptr().cast());
        }
    }
}
