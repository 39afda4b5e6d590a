//! Shared buffers: counted memory that any number of messages may hand over without a copy.

use crate::abi::errno::{Errno, Result};
use crate::abi::uvx_free_cb;
use crate::mem;
use crate::ptr::Cx;
use core::ffi::c_void;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicUsize, Ordering};

/// See the module. What it describes never changes.
#[repr(C, align(16))]
pub struct SharedBuffer {
    refs: AtomicUsize,
    base: *mut c_void,
    len: usize,
    free_cb: uvx_free_cb,
    arg: *mut c_void,
}

impl SharedBuffer {
    /// New memory of `len` bytes, of undefined content, with one reference.
    pub fn create(len: usize) -> Result<NonNull<SharedBuffer>> {
        let whole = len.checked_add(size_of::<SharedBuffer>()).ok_or(Errno::ENOMEM)?;
        let block = mem::alloc_array::<u8>(whole)?.cast::<SharedBuffer>();
        let refs = AtomicUsize::new(1);
        // SAFETY: the block is new and begins with room for the header; the bytes lie behind it.
        unsafe {
            let base = block.add(1).as_ptr().cast();
            block.write(SharedBuffer { refs, base, len, free_cb: None, arg: null_mut() });
        }
        Ok(block)
    }

    /// Memory of somebody else's, with one reference; `free_cb` runs when the last one goes.
    pub fn wrap(
        base: *mut c_void,
        len: usize,
        free_cb: uvx_free_cb,
        arg: *mut c_void,
    ) -> Result<NonNull<SharedBuffer>> {
        let block = mem::alloc_array::<SharedBuffer>(1)?;
        // SAFETY: the block is new and large enough.
        unsafe { block.write(SharedBuffer { refs: AtomicUsize::new(1), base, len, free_cb, arg }) };
        Ok(block)
    }

    /// The bytes.
    pub fn data(&self) -> (*mut c_void, usize) {
        (self.base, self.len)
    }

    /// One more reference. Any thread.
    pub fn reference(&self) {
        self.refs.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives up a reference that cannot be the last one. Any thread.
    pub fn unreference_not_last(&self) {
        self.refs.fetch_sub(1, Ordering::Release);
    }

    /// Gives up a reference. Any thread.
    ///
    /// # Safety
    /// The reference is the caller's.
    pub unsafe fn unreference(cx: &mut Cx, buffer: NonNull<SharedBuffer>) {
        // SAFETY: the caller's reference keeps it alive up to here; the last one has it alone.
        unsafe {
            if buffer.as_ref().refs.fetch_sub(1, Ordering::Release) != 1 {
                return;
            }
            buffer.as_ref().refs.load(Ordering::Acquire); // all that others did with it is done
            let SharedBuffer { base, len, free_cb, arg, .. } = buffer.read();
            mem::free(buffer.as_ptr().cast());
            if let Some(free_cb) = free_cb {
                cx.call(|| free_cb(base, len, arg));
            }
        }
    }
}
