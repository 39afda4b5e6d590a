//! The process's title: what `ps` shows. It stands where the system put the program's arguments, so the program gets copies of them.
//!
//! The area is set once and its content is guarded by a lock, so titles may be set and read from any thread.
//!
//! Deliberate differences from the reference: only arguments that really stand one after the other are written over; a second
//! `uv_setup_args` changes nothing; the copies of the arguments are never freed, because the program goes on using them.

use crate::abi::errno::{Errno, Result};
use crate::mem;
use core::ffi::{c_char, c_int};
use core::ptr::{copy_nonoverlapping, null_mut, write_bytes};
use parking_lot::Mutex;

/// Where the title stands.
struct Area {
    start: *mut c_char,
    /// Bytes, with the NUL; 0 until `set_up`.
    capacity: usize,
    /// Of the title now.
    length: usize,
}

// SAFETY: the memory is the process's own, of no thread in particular, and used under the lock only.
unsafe impl Send for Area {}

static AREA: Mutex<Area> = Mutex::new(Area { start: null_mut(), capacity: 0, length: 0 });

/// `uv_setup_args`: takes the memory of the arguments for the title, and returns a copy of them; or, without memory for that or when
/// it was done already, `arguments` itself.
///
/// # Safety
/// `arguments` are `count` strings, those of the program's `main`.
pub unsafe fn set_up(count: c_int, arguments: *mut *mut c_char) -> *mut *mut c_char {
    let mut area = AREA.lock();
    let count = usize::try_from(count).unwrap_or(0);
    if count == 0 || area.capacity != 0 {
        return arguments;
    }
    // SAFETY: the caller's.
    unsafe {
        let Ok(copies) = copy(count, arguments) else { return arguments };
        let start = *arguments;
        let length = libc::strlen(start);
        let mut end = start.add(length.wrapping_add(1));
        for index in 1..count {
            let argument = *arguments.add(index);
            if argument != end {
                break;
            }
            end = argument.add(libc::strlen(argument).wrapping_add(1));
        }
        *area = Area { start, capacity: end.addr().wrapping_sub(start.addr()), length };
        copies
    }
}

/// A block with a list of pointers, a null pointer at its end, and the strings.
///
/// # Safety
/// `arguments` are `count` strings.
unsafe fn copy(count: usize, arguments: *mut *mut c_char) -> Result<*mut *mut c_char> {
    // SAFETY: the caller's; the block has room for the list and all strings.
    unsafe {
        let list_size = count.saturating_add(1).saturating_mul(size_of::<*mut c_char>());
        let mut size = list_size;
        for index in 0..count {
            size = size.saturating_add(libc::strlen(*arguments.add(index)).wrapping_add(1));
        }
        let list = mem::alloc_array::<u8>(size)?.as_ptr().cast::<*mut c_char>();
        let mut text = list.byte_add(list_size).cast::<c_char>();
        for index in 0..count {
            let argument = *arguments.add(index);
            let size = libc::strlen(argument).wrapping_add(1);
            copy_nonoverlapping(argument, text, size);
            list.add(index).write(text);
            text = text.add(size);
        }
        list.add(count).write(null_mut());
        Ok(list)
    }
}

/// Sets the title, cut to fit, and the name of the calling thread. `UV_ENOBUFS` before `set_up`, `UV_EINVAL` for a null pointer.
///
/// # Safety
/// `title` is null or a string.
pub unsafe fn set(title: *const c_char) -> Result {
    if title.is_null() {
        return Err(Errno::EINVAL);
    }
    let mut area = AREA.lock();
    let Some(room) = area.capacity.checked_sub(1) else { return Err(Errno::ENOBUFS) };
    // SAFETY: the caller's; the area has `capacity` bytes, and the lock makes them ours.
    unsafe {
        let length = libc::strnlen(title, room);
        core::ptr::copy(title, area.start, length); // the program may give the old title itself
        write_bytes(area.start.add(length), 0, area.capacity.wrapping_sub(length));
        area.length = length;
        libc::prctl(libc::PR_SET_NAME, area.start); // keeps 15 bytes of it
    }
    Ok(())
}

/// Writes the title. `UV_ENOBUFS` if it does not fit into `size` bytes with its NUL, and before `set_up`; `UV_EINVAL` without room.
///
/// # Safety
/// `buffer` is null or has `size` bytes.
pub unsafe fn get(buffer: *mut c_char, size: usize) -> Result {
    if buffer.is_null() || size == 0 {
        return Err(Errno::EINVAL);
    }
    let area = AREA.lock();
    if area.capacity == 0 || area.length >= size {
        return Err(Errno::ENOBUFS);
    }
    // SAFETY: the caller's; the lock keeps the title from changing.
    unsafe {
        copy_nonoverlapping(area.start, buffer, area.length);
        buffer.add(area.length).write(0);
    }
    Ok(())
}
