//! Synchronisation: the pthread primitives behind `uv_mutex_t` and its kin, and the lock-free structures of the loop.
//!
//! A primitive of the first kind is the system's own type in the caller's memory, so programs may mix calls of this library
//! with pthread calls on the same object. The functions take raw pointers to such objects.

pub mod barrier;
pub mod broken;
pub mod cond;
pub mod fork_guard;
pub mod key;
pub mod mailbox;
pub mod mutex;
pub mod once;
pub mod prim;
pub mod ready;
pub mod roster;
pub mod rwlock;
pub mod semaphore;
pub mod static_mutex;
