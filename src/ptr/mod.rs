//! Views of C memory.
//!
//! Handles and requests live in the caller's memory and are reached from queues, callbacks and other threads, so no Rust
//! reference may ever point at one. They are reached through [`Handle`], a copyable pointer whose getters and setters, made
//! in `fields.rs`, read and write single fields.
//!
//! [`Cx`] is what keeps such pointers honest. Every entry from C makes one; a `Handle<'cx, T>` borrows it; and user code runs only
//! through [`Cx::call`], which needs it exclusively. A callback may free any handle, and this way to touch one afterwards is a
//! compile error:
//!
//! ```compile_fail,E0502
//! use uv::{abi::uv_timer_t, ptr::{Cx, Handle}};
//! fn fire(cx: &mut Cx, raw: *mut uv_timer_t) {
//!     let timer = unsafe { Handle::new(cx, raw) };
//!     cx.call(|| { /* the user closes and frees the timer */ });
//!     timer.timeout(); // error[E0502]: `cx` was lent to `call` while `timer` borrows it
//! }
//! ```

mod fields;

pub use fields::{HandleType, Request, StreamType};

use core::marker::PhantomData;
use core::ptr::NonNull;

/// Proof that the running code is on the loop's thread, between two pieces of user code. Zero-sized.
pub struct Cx(PhantomData<*mut ()>);

impl Cx {
    /// Made at every entry from C, and nowhere else.
    ///
    /// # Safety
    /// The caller is on the thread of the loop that it goes on to use (what the interface asks of its user), and holds no `Handle`
    /// of an outer `Cx` across the use of this one.
    pub unsafe fn enter() -> Cx {
        Cx(PhantomData)
    }

    /// The one place in which user code runs. It may do anything: call back into the library, close, free.
    pub fn call<R>(&mut self, user: impl FnOnce() -> R) -> R {
        user()
    }
}

/// A handle in C memory, for as long as no user code runs.
#[repr(transparent)]
pub struct Handle<'cx, T>(NonNull<T>, PhantomData<&'cx Cx>);

impl<T> Clone for Handle<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Handle<'_, T> {}

impl<T> PartialEq for Handle<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<'cx, T> Handle<'cx, T> {
    /// A view of the handle at `raw`.
    ///
    /// # Safety
    /// `raw` is not null and is a `T` of a loop that belongs to this thread. Before the handle's init function ran only setters
    /// may be used.
    pub unsafe fn new(_cx: &'cx Cx, raw: *mut T) -> Handle<'cx, T> {
        // SAFETY: the caller's.
        Handle(unsafe { NonNull::new_unchecked(raw) }, PhantomData)
    }

    /// The pointer, for queues and callbacks.
    pub fn as_ptr(self) -> *mut T {
        self.0.as_ptr()
    }

    /// Another handle of the same loop, for as long as this one.
    ///
    /// # Safety
    /// As for `new`.
    pub unsafe fn beside<U>(self, raw: *mut U) -> Handle<'cx, U> {
        // SAFETY: the caller's.
        Handle(unsafe { NonNull::new_unchecked(raw) }, PhantomData)
    }

    /// The same memory seen as another type.
    ///
    /// # Safety
    /// It is a `U`: a prefix of `T`, or what the handle's type field says.
    pub unsafe fn cast<U>(self) -> Handle<'cx, U> {
        Handle(self.0.cast(), PhantomData)
    }
}

/// From a field of a struct back to the struct: the field's pointer must come from a pointer to the whole.
#[macro_export]
#[doc(hidden)]
macro_rules! container_of {
    ($field:expr, $type:ty, $($path:tt)+) => {
        $field.byte_sub(core::mem::offset_of!($type, $($path)+)).cast::<$type>()
    };
}
