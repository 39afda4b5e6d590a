//! Data of the environment: values under names, which a worker gets as they are when it starts, from whoever starts it.
//!
//! There is one map for all threads that are no workers, and one for each worker, which only its own thread uses.

use super::current;
use crate::abi::errno::{Errno, Result};
use crate::event_loop::lifecycle;
use crate::mem::{self, Owned};
use crate::ptr::Cx;
use crate::sync::static_mutex::StaticMutex;
use crate::worker::shared_buffer::SharedBuffer;
use core::cell::Cell;
use core::ffi::c_char;
use core::ptr::{NonNull, null_mut};

/// Names with their values. What is left in it must be cleared before it goes.
pub struct Map {
    first: Cell<*mut Entry>,
}

struct Entry {
    next: *mut Entry,
    name: NonNull<c_char>,
    /// A reference.
    value: NonNull<SharedBuffer>,
}

/// Of the threads that are no workers.
static COMMON: StaticMutex<Map> = StaticMutex::new(Map { first: Cell::new(null_mut()) });

impl Default for Map {
    /// Empty.
    fn default() -> Self {
        Map { first: Cell::new(null_mut()) }
    }
}

/// `uvx_env_data_get`: the value under `name`, a reference for the caller; null without.
///
/// # Safety
/// `name` is a string, or null.
pub unsafe fn get(name: *const c_char) -> *mut SharedBuffer {
    if name.is_null() {
        return null_mut();
    }
    with_current(|map| {
        // SAFETY: the caller's; entries of the map are alive.
        let Some(entry) = (unsafe { map.find(name) }) else { return null_mut() };
        // SAFETY: as above.
        let value = unsafe { (*entry).value };
        // SAFETY: the map has a reference.
        unsafe { value.as_ref() }.reference();
        value.as_ptr()
    })
}

/// `uvx_env_data_set`: puts `value`, of which the map gets a reference of its own, under `name`; null takes away what is there.
///
/// # Safety
/// `name` is a string, `value` null or a shared buffer.
pub unsafe fn set(cx: &mut Cx, name: *const c_char, value: *mut SharedBuffer) -> Result {
    if name.is_null() {
        return Err(Errno::EINVAL);
    }
    lifecycle::guard_forks()?;
    // SAFETY: the caller's.
    let old = with_current(|map| unsafe { map.replace(name, NonNull::new(value)) })?;
    if let Some(old) = old {
        // SAFETY: the map's reference. Its end may run user code, which is why the map is free again.
        unsafe { SharedBuffer::unreference(cx, old) };
    }
    Ok(())
}

/// Copies the current thread's map into an empty one. On error that may hold something.
pub fn copy_current(to: &Map) -> Result {
    with_current(|map| {
        let mut at = map.first.get();
        while !at.is_null() {
            // SAFETY: entries of the map are alive; their names are strings.
            unsafe {
                to.add((*at).name.as_ptr(), (*at).value)?;
                at = (*at).next;
            }
        }
        Ok(())
    })
}

/// On the thread that forks: the child gets the common map whole, and nobody in it.
pub fn before_fork() {
    core::mem::forget(COMMON.lock());
}

/// In the parent.
pub fn after_fork_in_parent() {
    // SAFETY: `before_fork` took it on this thread.
    unsafe { COMMON.unlock() };
}

/// In the child.
pub fn after_fork_in_child() {
    // SAFETY: `before_fork` took it on the thread of which this is the copy.
    unsafe { COMMON.unlock() };
}

fn with_current<R>(run: impl FnOnce(&Map) -> R) -> R {
    // SAFETY: a worker is alive as long as its thread runs.
    match unsafe { current().as_ref() } {
        Some(worker) => run(&worker.env_data),
        None => run(&COMMON.lock()),
    }
}

impl Map {
    /// Gives everything up.
    pub fn clear(&self, cx: &mut Cx) {
        while let Some(entry) = NonNull::new(self.first.get()) {
            // SAFETY: entries come from `add`. The map is in order before user code may run.
            unsafe {
                self.first.set((*entry.as_ptr()).next);
                SharedBuffer::unreference(cx, free(entry.as_ptr()));
            }
        }
    }

    /// # Safety
    /// `name` is a string.
    unsafe fn find(&self, name: *const c_char) -> Option<*mut Entry> {
        let mut at = self.first.get();
        while !at.is_null() {
            // SAFETY: the caller's; entries of the map are alive.
            unsafe {
                if libc::strcmp((*at).name.as_ptr(), name) == 0 {
                    return Some(at);
                }
                at = (*at).next;
            }
        }
        None
    }

    /// The value that was there is the caller's.
    ///
    /// # Safety
    /// `name` is a string, `value` alive.
    unsafe fn replace(
        &self,
        name: *const c_char,
        value: Option<NonNull<SharedBuffer>>,
    ) -> Result<Option<NonNull<SharedBuffer>>> {
        // SAFETY: the caller's; entries of the map are alive.
        unsafe {
            match (self.find(name), value) {
                (None, None) => Ok(None),
                (None, Some(value)) => self.add(name, value).map(|()| None),
                (Some(entry), None) => Ok(Some(self.remove(entry))),
                (Some(entry), Some(value)) => {
                    value.as_ref().reference();
                    Ok(Some(core::mem::replace(&mut (*entry).value, value)))
                }
            }
        }
    }

    /// # Safety
    /// As for `replace`; the name is not there.
    unsafe fn add(&self, name: *const c_char, value: NonNull<SharedBuffer>) -> Result {
        // SAFETY: the caller's; without memory the copy of the name goes again.
        unsafe {
            let name = mem::duplicate(name)?;
            let entry = Owned::new(Entry { next: self.first.get(), name, value })
                .inspect_err(|_| mem::free(name.as_ptr().cast()))?;
            value.as_ref().reference();
            self.first.set(entry.into_raw());
        }
        Ok(())
    }

    /// # Safety
    /// The entry is in the map.
    unsafe fn remove(&self, entry: *mut Entry) -> NonNull<SharedBuffer> {
        // SAFETY: the caller's; entries of the map are alive.
        unsafe {
            let mut at = self.first.get();
            if at == entry {
                self.first.set((*entry).next);
            }
            while !at.is_null() {
                if (*at).next == entry {
                    (*at).next = (*entry).next;
                }
                at = (*at).next;
            }
            free(entry)
        }
    }
}

/// Frees an entry but for its value, which is the caller's.
///
/// # Safety
/// It comes from `Map::add`, and is in no map any more.
unsafe fn free(entry: *mut Entry) -> NonNull<SharedBuffer> {
    // SAFETY: the caller's.
    unsafe {
        let entry = Owned::from_raw(entry);
        mem::free(entry.name.as_ptr().cast());
        entry.value
    }
}
