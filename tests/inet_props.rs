//! Reading and printing internet addresses against the C library's inet_pton and inet_ntop.

#![allow(clippy::disallowed_types, clippy::indexing_slicing, clippy::unwrap_used)] // a test may allocate and panic

use core::ffi::{CStr, c_char, c_int, c_void};
use libc::{AF_INET, AF_INET6};
use proptest::prelude::*;
use std::ffi::CString;
use uv::abi::errno::{Errno, Result};
use uv::os::inet;

// The libc crate does not declare them.
unsafe extern "C" {
    fn inet_pton(family: c_int, text: *const c_char, bytes: *mut c_void) -> c_int;
    fn inet_ntop(
        family: c_int,
        bytes: *const c_void,
        text: *mut c_char,
        size: libc::socklen_t,
    ) -> *const c_char;
}

fn parse(family: c_int, text: &CStr) -> Result<[u8; 16]> {
    let mut bytes = [0xa5; 16];
    // SAFETY: a string, and room for either kind of address.
    unsafe { inet::parse(family, text.as_ptr(), bytes.as_mut_ptr().cast()) }.map(|()| bytes)
}

fn parse_by_libc(family: c_int, text: &CStr) -> Result<[u8; 16]> {
    let mut bytes = [0xa5; 16];
    // SAFETY: as above.
    match unsafe { inet_pton(family, text.as_ptr(), bytes.as_mut_ptr().cast()) } {
        1 => Ok(bytes),
        _ => Err(Errno::EINVAL),
    }
}

fn print(family: c_int, bytes: &[u8; 16], size: usize) -> Result<CString> {
    let mut text = vec![0x23u8; 64];
    // SAFETY: an address of either kind, and room for more than `size` bytes.
    let result = unsafe { inet::print(family, bytes.as_ptr().cast(), text.as_mut_ptr().cast(), size) };
    assert!(text[size..].iter().all(|&byte| byte == 0x23), "wrote beyond {size} bytes");
    result.map(|()| CStr::from_bytes_until_nul(&text).unwrap().to_owned())
}

fn print_by_libc(family: c_int, bytes: &[u8; 16]) -> CString {
    let mut text = vec![0u8; 64];
    // SAFETY: an address of either kind, and room for any text.
    unsafe { inet_ntop(family, bytes.as_ptr().cast(), text.as_mut_ptr().cast(), 64) };
    CStr::from_bytes_until_nul(&text).unwrap().to_owned()
}

/// Addresses with many zero words, so that all ways to shorten come up.
fn addresses() -> impl Strategy<Value = [u8; 16]> {
    let word =
        prop_oneof![3 => Just(0u16), 1 => Just(1), 1 => Just(0xffff), 1 => any::<u16>(), 1 => 0u16..0x1000];
    prop::array::uniform8(word).prop_map(|words| {
        let mut bytes = [0; 16];
        for (pair, word) in bytes.chunks_exact_mut(2).zip(words) {
            pair.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    })
}

/// Texts that are addresses, or nearly.
fn texts() -> impl Strategy<Value = CString> {
    let token = prop_oneof![
        4 => "[0-9a-fA-F]{1,4}",
        3 => Just(":".to_owned()),
        2 => Just("::".to_owned()),
        2 => Just(".".to_owned()),
        2 => "[0-9]{1,3}",
        1 => "(25[0-6]|0[0-9]|[0-9]{1,3})(\\.(25[0-6]|0[0-9]|[0-9]{1,3})){3}",
        1 => "[0-9a-g:. +-]",
    ];
    let of_tokens = prop::collection::vec(token, 0..18).prop_map(|tokens| tokens.concat());
    let of_six_words = "([0-9a-f]{0,5}:){1,8}[0-9a-f]{0,4}";
    let of_four_bytes = "[0-9]{1,4}(\\.[0-9]{1,4}){2,4}";
    let any_text =
        prop_oneof![of_tokens, of_six_words, of_four_bytes].prop_map(|text| CString::new(text).unwrap());
    let any_bytes = prop::collection::vec(1u8..=255, 0..12).prop_map(|bytes| CString::new(bytes).unwrap());
    prop_oneof![8 => any_text, 1 => any_bytes]
        .prop_filter("a zone is another matter", |text| !text.to_bytes().contains(&b'%'))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_text_means_the_same(text in texts()) {
        for family in [AF_INET, AF_INET6] {
            prop_assert_eq!(parse(family, &text), parse_by_libc(family, &text), "{:?} of family {}", text, family);
        }
    }

    #[test]
    fn a_zone_changes_nothing(text in texts(), zone in "[%:.a-z0-9]{0,20}") {
        let zoned = CString::new([text.to_bytes(), b"%", zone.as_bytes()].concat()).unwrap();
        prop_assert_eq!(parse(AF_INET6, &zoned), parse_by_libc(AF_INET6, &text));
        prop_assert_eq!(parse(AF_INET, &zoned), Err(Errno::EINVAL));
    }

    #[test]
    fn any_address_looks_the_same(bytes in addresses(), size in 0usize..60) {
        for family in [AF_INET, AF_INET6] {
            let expected = print_by_libc(family, &bytes);
            let fits = expected.to_bytes_with_nul().len() <= size;
            let wanted = if fits { Ok(expected) } else { Err(Errno::ENOSPC) };
            prop_assert_eq!(print(family, &bytes, size), wanted);
        }
    }

    #[test]
    fn what_is_printed_can_be_read(bytes in addresses()) {
        let text = print(AF_INET6, &bytes, 46).unwrap();
        prop_assert_eq!(parse(AF_INET6, &text), Ok(bytes));
    }
}
