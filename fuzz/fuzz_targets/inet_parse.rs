//! Reading internet addresses: agrees with the C library's inet_pton, but for the zone, which it does not know.

#![no_main]

use core::ffi::{CStr, c_char, c_int, c_void};
use libfuzzer_sys::fuzz_target;
use uv::abi::errno::Errno;
use uv::os::inet;

unsafe extern "C" {
    fn inet_pton(family: c_int, text: *const c_char, bytes: *mut c_void) -> c_int;
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut string: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != 0).collect();
    string.push(0);
    string
}

fn check(family: c_int, text: &CStr, reference: &CStr) {
    let (mut ours, mut theirs) = ([0xa5u8; 20], [0xa5u8; 20]);
    // SAFETY: strings, and room for either kind of address.
    let (result, known) = unsafe {
        (
            inet::parse(family, text.as_ptr(), ours.as_mut_ptr().cast()),
            inet_pton(family, reference.as_ptr(), theirs.as_mut_ptr().cast()) == 1,
        )
    };
    assert_eq!(result, if known { Ok(()) } else { Err(Errno::EINVAL) }, "{text:?}");
    if known {
        assert_eq!(ours, theirs, "{text:?}");
    } else {
        assert_eq!(ours, [0xa5; 20], "{text:?}");
    }
}

fuzz_target!(|data: &[u8]| {
    let whole = string(data);
    let before_zone = string(data.split(|&byte| byte == b'%').next().unwrap_or(data));
    let whole = CStr::from_bytes_until_nul(&whole).expect("it ends in NUL");
    let before_zone = CStr::from_bytes_until_nul(&before_zone).expect("it ends in NUL");
    check(libc::AF_INET, whole, whole);
    check(libc::AF_INET6, whole, before_zone);
});
