//! The C types and constants of `include/uv.h`, byte for byte. No logic.
//!
//! The names are the C ones; only `type` and `loop`, words of Rust, carry an underscore. What C spells out at the head of every handle
//! (request, stream) is one embedded field here: `handle`, `req`, `stream`. Enumerations are plain integers, because C may
//! pass any value. `check` compares all of it with `abi/*.tsv` while the crate compiles.
//!
//! These structs live in memory of the caller: make no reference to one, see `crate::ptr`.

mod base;
mod callbacks;
mod check;
mod constants;
pub mod errno;
mod handles;
mod info;
mod loop_;
mod reqs;
mod streams;
mod uvx_calls;
mod uvx_debug;
mod uvx_io_threads;
mod uvx_locks;
mod uvx_pools;
mod uvx_ports;
mod uvx_trace;
mod uvx_watchdogs;
mod uvx_workers;

pub use base::*;
pub use callbacks::*;
pub use constants::*;
pub use errno::constants::*;
pub use handles::*;
pub use info::*;
pub use loop_::*;
pub use reqs::*;
pub use streams::*;
pub use uvx_calls::*;
pub use uvx_debug::*;
pub use uvx_io_threads::*;
pub use uvx_locks::*;
pub use uvx_pools::*;
pub use uvx_ports::*;
pub use uvx_trace::*;
pub use uvx_watchdogs::*;
pub use uvx_workers::*;
