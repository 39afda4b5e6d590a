//! Socket addresses from text and back: family, port and zeros whatever the text is, the scope by the interface's name, and the text of
//! what was read means the same address.

#![no_main]

use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::MaybeUninit;
use libfuzzer_sys::fuzz_target;
use uv::abi::errno::{Errno, Result};
use uv::os::inet;

fn bytes_of<T>(value: &T) -> Vec<u8> {
    // SAFETY: socket addresses have no padding.
    unsafe { core::slice::from_raw_parts(core::ptr::from_ref(value).cast(), size_of::<T>()) }.to_vec()
}

fn printed<T>(address: &T) -> String {
    let mut text = [0xa5u8; 64];
    // SAFETY: a whole socket address, and so much room.
    assert_eq!(
        unsafe { inet::print_sockaddr(core::ptr::from_ref(address).cast(), text.as_mut_ptr().cast(), 46) },
        Ok(())
    );
    assert!(text[46..].iter().all(|&byte| byte == 0xa5));
    CStr::from_bytes_until_nul(&text).expect("it ends in NUL").to_str().expect("ASCII").to_owned()
}

fn read<T>(
    parse: unsafe fn(*const c_char, c_int, *mut T) -> Result<()>,
    text: &CStr,
    port: u16,
) -> (Result<()>, T) {
    let mut address = MaybeUninit::uninit();
    // SAFETY: a string and room for the address, which is written in any case.
    unsafe { (parse(text.as_ptr(), port.into(), address.as_mut_ptr()), address.assume_init()) }
}

/// Reads the text of what was read.
fn again<T>(parse: unsafe fn(*const c_char, c_int, *mut T) -> Result<()>, address: &T, port: u16) -> T {
    let mut text = printed(address).into_bytes();
    text.push(0);
    let (result, address) = read(parse, CStr::from_bytes_until_nul(&text).expect("it ends in NUL"), port);
    assert_eq!(result, Ok(()));
    address
}

fn check_ip4(text: &CStr, port: u16) {
    let (result, address) = read(inet::to_sockaddr_in, text, port);
    assert_eq!((c_int::from(address.sin_family), address.sin_port), (libc::AF_INET, port.to_be()));
    if result.is_ok() {
        assert_eq!(bytes_of(&again(inet::to_sockaddr_in, &address, port)), bytes_of(&address));
    } else {
        assert_eq!((result, address.sin_addr.s_addr), (Err(Errno::EINVAL), 0));
    }
    assert_eq!(address.sin_zero, [0; 8]);
}

fn check_ip6(text: &CStr, port: u16) {
    let (result, mut address) = read(inet::to_sockaddr_in6, text, port);
    assert_eq!((c_int::from(address.sin6_family), address.sin6_port), (libc::AF_INET6, port.to_be()));
    assert_eq!(address.sin6_flowinfo, 0);
    let zone =
        text.to_bytes().iter().position(|&byte| byte == b'%').map(|at| &text.to_bytes_with_nul()[at + 1..]);
    // SAFETY: a string.
    let scope = zone.map_or(0, |zone| unsafe { libc::if_nametoindex(zone.as_ptr().cast()) });
    assert_eq!(address.sin6_scope_id, scope);
    if result.is_ok() {
        address.sin6_scope_id = 0; // is not printed
        assert_eq!(bytes_of(&again(inet::to_sockaddr_in6, &address, port)), bytes_of(&address));
    } else {
        assert_eq!((result, address.sin6_addr.s6_addr), (Err(Errno::EINVAL), [0; 16]));
    }
}

fuzz_target!(|input: (u16, u16, &[u8])| {
    let (port, family, text) = input;
    let mut string: Vec<u8> = text.iter().copied().filter(|&byte| byte != 0).collect();
    string.push(0);
    let string = CStr::from_bytes_until_nul(&string).expect("it ends in NUL");
    check_ip4(string, port);
    check_ip6(string, port);

    if !matches!(c_int::from(family), libc::AF_INET | libc::AF_INET6) {
        // SAFETY: zeros are a value of the struct.
        let mut other: libc::sockaddr = unsafe { core::mem::zeroed() };
        other.sa_family = family;
        let mut byte = 0xa5u8;
        // SAFETY: only the family is looked at.
        let result = unsafe { inet::print_sockaddr(&raw const other, (&raw mut byte).cast(), 1) };
        assert_eq!((result, byte), (Err(Errno::EAFNOSUPPORT), 0xa5));
        let nowhere = (&raw mut byte).cast::<c_void>();
        // SAFETY: as above.
        let result = unsafe { inet::parse(family.into(), string.as_ptr(), nowhere) };
        assert_eq!((result, byte), (Err(Errno::EAFNOSUPPORT), 0xa5));
    }
});
