//! The environment. Like getenv(3) and setenv(3), on which it stands, it is not safe against changes from other threads.
//!
//! Difference from the reference: the list of all variables is one allocation, and without a single variable (after clearenv(3))
//! it is empty instead of a crash.

use crate::abi::errno::{Errno, Result};
use crate::abi::uv_env_item_t;
use crate::mem;
use crate::sys::check;
use core::ffi::{c_char, c_int};
use core::ptr::copy_nonoverlapping;

unsafe extern "C" {
    /// Declared here because libc has it for some C libraries only.
    static environ: *const *const c_char;
}

/// The list itself, for programs that are started with it; null if there is none.
pub fn raw() -> *const *const c_char {
    // SAFETY: a word of the C library's; what it leads to the caller of the library keeps from changing.
    unsafe { environ }
}

/// Copies a variable's value to `buffer` of `*size` bytes, and sets `*size` to its length. If it does not fit, `UV_ENOBUFS` and
/// `*size` is what it needs with its NUL. `UV_ENOENT` if there is no such variable, `UV_EINVAL` for null pointers and a size of 0.
///
/// # Safety
/// `name` is null or a string; `size` is null or points to the number of bytes that can be written at `buffer`.
pub unsafe fn get(name: *const c_char, buffer: *mut c_char, size: *mut usize) -> Result<()> {
    // SAFETY: `size` is read only if it is not null.
    if name.is_null() || buffer.is_null() || size.is_null() || unsafe { size.read() } == 0 {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the value is a string which nobody changes meanwhile, and it is copied only if it fits.
    unsafe {
        let value = libc::getenv(name);
        if value.is_null() {
            return Err(Errno::ENOENT);
        }
        let length = libc::strlen(value);
        let needed = length.wrapping_add(1);
        if needed > size.read() {
            size.write(needed);
            return Err(Errno::ENOBUFS);
        }
        copy_nonoverlapping(value, buffer, needed);
        size.write(length);
    }
    Ok(())
}

/// Sets a variable. `UV_EINVAL` for null pointers, and for a name that is empty or holds a `=`.
///
/// # Safety
/// Both are null or strings.
pub unsafe fn set(name: *const c_char, value: *const c_char) -> Result<()> {
    if name.is_null() || value.is_null() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: both are strings.
    check(unsafe { libc::setenv(name, value, 1) }).map(|_| ())
}

/// Removes a variable, if there is one. `UV_EINVAL` for names as in `set`.
///
/// # Safety
/// `name` is null or a string.
pub unsafe fn unset(name: *const c_char) -> Result<()> {
    if name.is_null() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: it is a string.
    check(unsafe { libc::unsetenv(name) }).map(|_| ())
}

/// All variables: a block of this library's memory that starts with the items and goes on with their strings, and the number of items.
pub fn list() -> Result<(*mut uv_env_item_t, c_int)> {
    let mut count = 0usize;
    let mut text_size = 0usize;
    each_variable(|_, size| {
        count = count.wrapping_add(1);
        text_size = text_size.wrapping_add(size);
    });
    let items_size = count.checked_mul(size_of::<uv_env_item_t>()).ok_or(Errno::ENOMEM)?;
    let block = mem::alloc(items_size.checked_add(text_size.max(1)).ok_or(Errno::ENOMEM)?);
    if block.is_null() {
        return Err(Errno::ENOMEM);
    }
    let items = block.cast::<uv_env_item_t>();
    // SAFETY: the strings' part of the block begins where the items end.
    let (mut item, mut text) = (items, unsafe { block.byte_add(items_size).cast::<c_char>() });
    // SAFETY: nothing has changed since the sizes were added up, so there is room for all.
    each_variable(|variable, size| unsafe {
        copy_nonoverlapping(variable, text, size);
        let equals = libc::strchr(text, c_int::from(b'='));
        equals.write(0);
        item.write(uv_env_item_t { name: text, value: equals.add(1) });
        item = item.add(1);
        text = text.add(size);
    });
    Ok((items, c_int::try_from(count).map_err(|_| Errno::ENOMEM)?))
}

/// Visits each `NAME=value` with its size including the NUL. Entries without `=`, which no function here makes, are left out.
fn each_variable(mut visit: impl FnMut(*const c_char, usize)) {
    // SAFETY: `environ` is null or leads to strings and a null at the end; the caller of the library keeps it from changing.
    unsafe {
        let mut next = environ;
        while !next.is_null() && !(*next).is_null() {
            if !libc::strchr(*next, c_int::from(b'=')).is_null() {
                visit(*next, libc::strlen(*next).wrapping_add(1));
            }
            next = next.add(1);
        }
    }
}
