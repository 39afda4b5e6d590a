//! A mutex for statics that outlives fork: the pthread mutex under it can be made anew in the child, where nobody holds it.

use core::cell::UnsafeCell;
use core::ops::Deref;

/// Guards a `T`, whose fields are cells.
pub struct StaticMutex<T> {
    raw: UnsafeCell<libc::pthread_mutex_t>,
    value: T,
}

// SAFETY: the value is reached through `Locked` only, that is, under the mutex.
unsafe impl<T> Sync for StaticMutex<T> {}

/// The mutex, held, and so the way to the value.
pub struct Locked<T: 'static>(&'static StaticMutex<T>);

impl<T> StaticMutex<T> {
    /// For a static.
    pub const fn new(value: T) -> Self {
        StaticMutex { raw: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER), value }
    }

    /// Takes the mutex.
    pub fn lock(&'static self) -> Locked<T> {
        // SAFETY: the mutex is initialised and never destroyed; a plain one cannot fail.
        unsafe { libc::pthread_mutex_lock(self.raw.get()) };
        Locked(self)
    }

    /// Gives back a mutex whose guard was forgotten: after fork.
    ///
    /// # Safety
    /// This thread holds it.
    pub unsafe fn unlock(&self) {
        // SAFETY: the caller's.
        unsafe { libc::pthread_mutex_unlock(self.raw.get()) };
    }

    /// In the child after fork, whose one thread is the one that forked: a free mutex, whatever state it was copied in.
    ///
    /// # Safety
    /// There is no other thread, and nobody uses a guard from before.
    pub unsafe fn renew(&self) {
        // SAFETY: the caller's.
        unsafe { self.raw.get().write(libc::PTHREAD_MUTEX_INITIALIZER) };
    }
}

impl<T> Deref for Locked<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> Drop for Locked<T> {
    fn drop(&mut self) {
        // SAFETY: held by this thread.
        unsafe { self.0.unlock() };
    }
}
