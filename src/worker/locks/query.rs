//! Who holds which locks, and who waits for them: a list for the program.

use super::{Lock, table};
use crate::abi::errno::{Errno, Result};
use crate::abi::uvx_lock_info_t;
use crate::event_loop::Loop;
use crate::mem;
use core::ffi::{c_char, c_int};
use core::slice::from_raw_parts;

/// `uvx_locks_query`: one block with the entries and, behind them, the names; and how many entries there are.
pub fn query() -> Result<(*mut uvx_lock_info_t, usize)> {
    let table = table::open();
    let (mut count, mut bytes) = (0_usize, 0_usize);
    table.for_each(|_, _, size, _| {
        count += 1;
        bytes = bytes.saturating_add(size_of::<uvx_lock_info_t>() + size);
    });
    let first = mem::alloc(bytes.max(1)).cast::<uvx_lock_info_t>();
    if first.is_null() {
        return Err(Errno::ENOMEM);
    }
    let mut entry = first;
    // SAFETY: the block has room for as many entries as there are, and for a copy of the name of each; nothing changes in between.
    unsafe {
        let mut text = first.add(count).cast::<c_char>();
        table.for_each(|lock, name, size, is_held| {
            text.copy_from_nonoverlapping(name, size);
            entry.write(describe(lock, text, is_held));
            entry = entry.add(1);
            text = text.add(size);
        });
    }
    Ok((first, count))
}

/// Shows what `query` lists, name by name, to a function that is short: all locks wait for it. The name, without NUL, and what the
/// entry points at are there while it runs.
pub fn look(mut visit: impl FnMut(&uvx_lock_info_t, &[u8])) {
    table::open().for_each(|lock, name, size, is_held| {
        // SAFETY: the lock is in the table, whose mutex is held; the name has this size, with its NUL.
        let (entry, text) = unsafe {
            (describe(lock, name, is_held), from_raw_parts(name.cast::<u8>(), size.saturating_sub(1)))
        };
        visit(&entry, text);
    });
}

/// # Safety
/// The lock is in the table, whose mutex is held.
unsafe fn describe(lock: *const Lock, name: *const c_char, is_held: bool) -> uvx_lock_info_t {
    // SAFETY: the caller's. A loop is not closed while it has locks, and who runs it is for any thread to know.
    unsafe {
        let home = (*lock).home;
        uvx_lock_info_t {
            name,
            loop_: home,
            tid: if home.is_null() { (*lock).tid } else { Loop::new(home).census().tid() },
            shared: c_int::from((*lock).is_shared),
            held: c_int::from(is_held),
            reserved: [0; 5],
        }
    }
}
