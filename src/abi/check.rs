//! Proof, while the crate compiles, that every type, field and constant is as the tables of `abi/` say for this target.
//!
//! `build/layout.rs` makes the list; it names what cannot be checked here and why.

use core::mem::{align_of, offset_of, size_of};

use super::*;

macro_rules! size {
    ($type:ty, $size:literal, $align:literal) => {
        const _: () = assert!(size_of::<$type>() == $size && align_of::<$type>() == $align);
    };
}

#[allow(unused_macros)] // not every table says the sign
macro_rules! enumeration {
    ($type:ty, $size:literal, $align:literal, $signed:literal) => {
        size!($type, $size, $align);
        const _: () = assert!((<$type>::MIN != 0) == $signed);
    };
}

macro_rules! field {
    ($type:ty, $($path:ident).+, $offset:literal, $size:literal) => {
        const _: () = {
            assert!(offset_of!($type, $($path).+) == $offset);
            // SAFETY: never called, only its type is looked at.
            assert!(size_of_result(|whole: *const $type| unsafe { &raw const (*whole).$($path).+ }) == $size);
        };
    };
}

macro_rules! constant {
    ($name:ident, $value:literal) => {
        const _: () = assert!($name == $value);
    };
}

const fn size_of_result<T, F>(_: fn(*const T) -> *const F) -> usize {
    size_of::<F>()
}

include!(concat!(env!("OUT_DIR"), "/abi_checks.rs"));
