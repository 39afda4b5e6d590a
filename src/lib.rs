//! uvoxide: libuv, written anew in Rust.
//!
//! The library is used through its C interface: `include/uv.h` (the reference's) and `include/uvx.h` (ours). The Rust
//! modules are public only so that the tests of this crate reach them; they are no stable interface.
//!
//! Layers, top to bottom, each of which may use only those below it: `ffi` the C entry points; `worker` message ports;
//! `handles`, `reqs`, `os` what runs on a loop or asks the machine; `event_loop` the loop; `sys`, `sync`, `mem`, `ptr`, `ds`
//! the ground; `abi` the C types. `docs/ARCHITECTURE.md` is the map.

#![no_std] // keeps Box, Vec and String, which abort without memory, out of scope
#![allow(clippy::missing_safety_doc)]

extern crate std;

// Nothing may unwind into C. The test harness is exempt: it cannot run without unwinding.
#[cfg(not(any(panic = "abort", test, feature = "testing", loom)))]
compile_error!("uvoxide must be built with panic = \"abort\"");

#[doc(hidden)]
pub mod abi;
#[doc(hidden)]
pub mod ds;
#[doc(hidden)]
pub mod mem;
#[doc(hidden)]
#[macro_use]
pub mod ptr;
#[doc(hidden)]
pub mod event_loop;
#[doc(hidden)]
pub mod ffi;
#[doc(hidden)]
pub mod handles;
#[doc(hidden)]
pub mod os;
#[doc(hidden)]
pub mod reqs;
#[doc(hidden)]
pub mod sync;
#[doc(hidden)]
pub mod sys;
#[doc(hidden)]
pub mod trace;
#[doc(hidden)]
pub mod worker;
