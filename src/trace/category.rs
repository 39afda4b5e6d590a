//! Categories: a byte each, which says whether events of the category are wanted.
//!
//! A category is made for the first who asks for its name and stays for good, since programs keep the address of its byte. Who is to
//! change a byte, or to add a category, has the lock of `state.rs`.

use super::clients::Clients;
use crate::abi::errno::Result;
use crate::mem::{self, Owned};
use core::cell::Cell;
use core::ffi::{CStr, c_char};
use core::ptr::{from_ref, null};
use core::sync::atomic::{AtomicU8, Ordering};

/// See the module.
#[repr(C)]
pub struct Category {
    /// Not 0: on. First, so that its address is that of the category.
    state: AtomicU8,
    name: *const c_char,
    /// The list of all. For who has the lock.
    next: Cell<*const Category>,
}

// SAFETY: `next` is for who has the lock, the name does not change.
unsafe impl Sync for Category {}

/// The library's own.
pub static OWN: Category = Category::new(c"uv");

/// What programs get that there is no memory for: never on.
pub static NEVER: Category = Category::new(c"");

impl Category {
    const fn new(name: &'static CStr) -> Category {
        Category { state: AtomicU8::new(0), name: name.as_ptr(), next: Cell::new(null()) }
    }

    /// Whether its events are wanted.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.state.load(Ordering::Relaxed) != 0
    }

    /// The byte, for C.
    pub fn as_byte(&self) -> *const u8 {
        from_ref(self).cast()
    }

    /// The category of a byte.
    ///
    /// # Safety
    /// The byte is that of a category.
    #[inline]
    pub unsafe fn of_byte<'a>(byte: *const u8) -> &'a Category {
        // SAFETY: the caller's; categories stay, and the byte is their first field, made from the whole.
        unsafe { &*byte.cast() }
    }

    /// One name, or several with commas between them.
    pub fn name(&self) -> &CStr {
        // SAFETY: a string that stays.
        unsafe { CStr::from_ptr(self.name) }
    }
}

/// The one called `name`, made if there is none. With the lock.
pub fn find(name: &CStr, clients: Option<&Clients>) -> Result<&'static Category> {
    let mut at = from_ref(&OWN);
    loop {
        // SAFETY: categories stay.
        let category = unsafe { &*at };
        if category.name() == name {
            return Ok(category);
        }
        at = category.next.get();
        if at.is_null() {
            break;
        }
    }
    // SAFETY: a string.
    let copy = unsafe { mem::duplicate(name.as_ptr()) }?;
    let new = Category { state: AtomicU8::new(0), name: copy.as_ptr(), next: Cell::new(OWN.next.get()) };
    let new = Owned::new(new).inspect_err(|_| {
        // SAFETY: the copy is nobody else's.
        unsafe { mem::free(copy.as_ptr().cast()) }
    })?;
    let new = new.into_raw();
    OWN.next.set(new);
    // SAFETY: it stays from now on.
    let new = unsafe { &*new };
    set(new, clients);
    Ok(new)
}

/// Switches all as the clients want it; none: off. With the lock.
pub fn set_all(clients: Option<&Clients>) {
    let mut at = from_ref(&OWN);
    // SAFETY: categories stay.
    while let Some(category) = unsafe { at.as_ref() } {
        set(category, clients);
        at = category.next.get();
    }
}

fn set(category: &Category, clients: Option<&Clients>) {
    let is_on = clients.is_some_and(|clients| clients.want(category.name().to_bytes()));
    category.state.store(u8::from(is_on), Ordering::Relaxed);
}
