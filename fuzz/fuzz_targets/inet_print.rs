//! Printing internet addresses: the same text as the C library's inet_ntop, within the room that there is, and it can be read again.

#![no_main]

use core::ffi::{CStr, c_char, c_int, c_void};
use libfuzzer_sys::fuzz_target;
use uv::abi::errno::Errno;
use uv::os::inet;

unsafe extern "C" {
    fn inet_ntop(
        family: c_int,
        bytes: *const c_void,
        text: *mut c_char,
        size: libc::socklen_t,
    ) -> *const c_char;
}

fn check(family: c_int, address: &[u8], room: usize) {
    let (mut ours, mut theirs) = ([0xa5u8; 80], [0u8; 80]);
    // SAFETY: an address of the family; 80 bytes are more than any room given.
    let result = unsafe {
        assert!(!inet_ntop(family, address.as_ptr().cast(), theirs.as_mut_ptr().cast(), 80).is_null());
        inet::print(family, address.as_ptr().cast(), ours.as_mut_ptr().cast(), room)
    };
    let wanted = CStr::from_bytes_until_nul(&theirs).expect("it ends in NUL").to_bytes_with_nul();
    if wanted.len() > room {
        assert_eq!(result, Err(Errno::ENOSPC));
        assert_eq!(ours, [0xa5; 80]);
        return;
    }
    assert_eq!(result, Ok(()));
    assert_eq!(&ours[..wanted.len()], wanted);
    assert!(ours[wanted.len()..].iter().all(|&byte| byte == 0xa5));
    let mut back = [0u8; 16];
    // SAFETY: a string, and room for either kind of address.
    assert_eq!(unsafe { inet::parse(family, ours.as_ptr().cast(), back.as_mut_ptr().cast()) }, Ok(()));
    assert_eq!(&back[..address.len()], address);
}

fuzz_target!(|data: [u8; 17]| {
    let (room, address) = (usize::from(data[0]) % 64, &data[1..]);
    check(libc::AF_INET, &address[..4], room);
    check(libc::AF_INET6, address, room);
});
