//! Memory of the library's own, all of it through the table that `uv_replace_allocator` sets.
//!
//! Every allocation can fail, and says so with a null pointer or an error. There is no `#[global_allocator]` behind this:
//! std may have allocated before the program sets its table.
//!
//! The table is set before the first use of the library (the reference asks the same), so its four words are plain relaxed
//! atomics: they never change while another thread reads them.

mod bytes;
mod counted;
mod owned;

pub use bytes::Bytes;
pub use counted::Counted;
pub use owned::Owned;

use crate::abi::errno::{Errno, Result};
use core::ffi::{c_char, c_void};
use core::mem::transmute;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// `uv_malloc_func`.
pub type MallocFn = unsafe extern "C" fn(usize) -> *mut c_void;
/// `uv_realloc_func`.
pub type ReallocFn = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
/// `uv_calloc_func`.
pub type CallocFn = unsafe extern "C" fn(usize, usize) -> *mut c_void;
/// `uv_free_func`.
pub type FreeFn = unsafe extern "C" fn(*mut c_void);

/// The four functions, as thin pointers so that they can be atomics; null stands for the C library's.
struct Table {
    malloc: AtomicPtr<c_void>,
    realloc: AtomicPtr<c_void>,
    calloc: AtomicPtr<c_void>,
    free: AtomicPtr<c_void>,
}

static TABLE: Table = Table {
    malloc: AtomicPtr::new(ptr::null_mut()),
    realloc: AtomicPtr::new(ptr::null_mut()),
    calloc: AtomicPtr::new(ptr::null_mut()),
    free: AtomicPtr::new(ptr::null_mut()),
};

/// Sets the functions that all later allocations go through.
pub fn replace(malloc: MallocFn, realloc: ReallocFn, calloc: CallocFn, free: FreeFn) {
    TABLE.malloc.store(malloc as *mut c_void, Relaxed);
    TABLE.realloc.store(realloc as *mut c_void, Relaxed);
    TABLE.calloc.store(calloc as *mut c_void, Relaxed);
    TABLE.free.store(free as *mut c_void, Relaxed);
}

/// `size` bytes of undefined content, or null.
#[allow(clippy::disallowed_methods)] // the one place that may
pub fn alloc(size: usize) -> *mut c_void {
    let custom = TABLE.malloc.load(Relaxed);
    if custom.is_null() {
        // SAFETY: malloc takes any size.
        return unsafe { libc::malloc(size) };
    }
    // SAFETY: the word was made from a `MallocFn` in `replace`, which takes any size.
    unsafe { transmute::<*mut c_void, MallocFn>(custom)(size) }
}

/// `size` zeroed bytes, or null.
#[allow(clippy::disallowed_methods)] // the one place that may
pub fn alloc_zeroed(size: usize) -> *mut c_void {
    let custom = TABLE.calloc.load(Relaxed);
    if custom.is_null() {
        // SAFETY: calloc takes any size.
        return unsafe { libc::calloc(1, size) };
    }
    // SAFETY: the word was made from a `CallocFn` in `replace`, which takes any size.
    let at = unsafe { transmute::<*mut c_void, CallocFn>(custom)(1, size) };
    if !at.is_null() {
        // Programs' own functions forget that, as one in the reference's tests does.
        // SAFETY: the block has so many bytes.
        unsafe { at.write_bytes(0, size) };
    }
    at
}

/// The block `at` (or null) with its new size, or null with the old block untouched.
///
/// # Safety
/// `at` is null or came from this module and was not freed.
pub unsafe fn resize(at: *mut c_void, size: usize) -> *mut c_void {
    let custom = TABLE.realloc.load(Relaxed);
    if custom.is_null() {
        // SAFETY: without a table all blocks came from the C library.
        return unsafe { libc::realloc(at, size) };
    }
    // SAFETY: the word was made from a `ReallocFn` in `replace`, whose malloc gave the block.
    unsafe { transmute::<*mut c_void, ReallocFn>(custom)(at, size) }
}

/// Gives a block back; null is fine. Keeps `errno`, so that error paths can free before they report.
///
/// # Safety
/// `at` is null or came from this module, and nothing uses it any more.
#[allow(clippy::disallowed_methods)] // the one place that may
pub unsafe fn free(at: *mut c_void) {
    // SAFETY: errno is this thread's own.
    let saved = unsafe { *libc::__errno_location() };
    let custom = TABLE.free.load(Relaxed);
    if custom.is_null() {
        // SAFETY: without a table all blocks came from the C library.
        unsafe { libc::free(at) }
    } else {
        // SAFETY: the word was made from a `FreeFn` in `replace`, whose malloc gave the block.
        unsafe { transmute::<*mut c_void, FreeFn>(custom)(at) }
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = saved };
}

/// An uninitialised block for `count` values of `T`.
pub fn alloc_array<T>(count: usize) -> Result<NonNull<T>> {
    const { assert!(align_of::<T>() <= 16, "malloc aligns to 16") };
    let size = count.checked_mul(size_of::<T>()).ok_or(Errno::ENOMEM)?;
    NonNull::new(alloc(size).cast()).ok_or(Errno::ENOMEM)
}

/// A copy of a C string, to be given back with `free`.
///
/// # Safety
/// `text` points at a string that ends in NUL.
pub unsafe fn duplicate(text: *const c_char) -> Result<NonNull<c_char>> {
    // SAFETY: the caller's.
    let size = unsafe { libc::strlen(text) } + 1;
    let copy = alloc_array::<c_char>(size)?;
    // SAFETY: both blocks hold `size` bytes, and the new one overlaps nothing.
    unsafe { ptr::copy_nonoverlapping(text, copy.as_ptr(), size) };
    Ok(copy)
}
