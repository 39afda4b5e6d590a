//! Link settings of the shared library, and the assertions that `src/abi/check.rs` includes.

// A build may stop with a panic and may allocate; the rules against both are for the library.
#![allow(clippy::disallowed_types, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "build/layout.rs"]
mod layout;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libuv.so.1");
    layout::generate();
}
