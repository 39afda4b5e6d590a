//! UTF-16 to WTF-8 and back: agrees with the standard library on what is Unicode, survives the round trip, and writes no byte too many.

#![no_main]

use core::ffi::c_char;
use libfuzzer_sys::fuzz_target;
use uv::abi::errno::Errno;
use uv::os::wtf8;

const GUARD: u8 = 0xa5;

/// What the units are in WTF-8.
fn encoded(units: &[u16]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for code in char::decode_utf16(units.iter().copied()) {
        match code {
            Ok(code) => bytes.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => {
                let unit = lone.unpaired_surrogate();
                bytes.extend([
                    0xe0 | (unit >> 12) as u8,
                    0x80 | (unit >> 6 & 0x3f) as u8,
                    0x80 | (unit & 0x3f) as u8,
                ]);
            }
        }
    }
    bytes
}

/// With room for `room` bytes and the NUL.
fn encode(units: &[u16], length: isize, room: usize) {
    let wanted = encoded(units);
    let mut bytes = vec![GUARD; room + 9];
    let (mut at, mut size) = (bytes.as_mut_ptr().cast::<c_char>(), room);
    // SAFETY: `length` is that of the units, or negative and a 0 follows them; the buffer has that room.
    let result = unsafe {
        assert_eq!(wtf8::length_from_utf16(units.as_ptr(), length), wanted.len());
        wtf8::from_utf16(units.as_ptr(), length, &raw mut at, &raw mut size)
    };
    assert_eq!(result, if room < wanted.len() { Err(Errno::ENOBUFS) } else { Ok(()) });
    assert_eq!(size, wanted.len());
    let filled = room.min(wanted.len());
    assert_eq!(bytes[..filled], wanted[..filled]);
    assert_eq!(bytes[filled], 0);
    assert!(bytes[filled + 1..].iter().all(|&byte| byte == GUARD));
}

/// The units of a text that ends in NUL, with their 0.
fn decode(text: &[u8]) -> Option<Vec<u16>> {
    // SAFETY: a string; the buffers have the room that they are said to have.
    unsafe {
        let start = text.as_ptr().cast::<c_char>();
        let length = match wtf8::length_to_utf16(start) {
            Ok(length) => length as usize,
            Err(error) => {
                assert_eq!(error, Errno::EINVAL);
                return None;
            }
        };
        let mut units = vec![0xa5a5; length + 4];
        wtf8::to_utf16(start, units.as_mut_ptr(), length);
        assert_eq!(units[length..], [0xa5a5; 4]);
        let mut some = vec![0xa5a5; length / 2 + 4];
        wtf8::to_utf16(start, some.as_mut_ptr(), length / 2);
        assert_eq!(some[..length / 2], units[..length / 2]);
        assert_eq!(some[length / 2..], [0xa5a5; 4]);
        units.truncate(length);
        assert_eq!(units.last(), Some(&0));
        Some(units)
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&room, rest)) = data.split_first() else { return };

    let mut units: Vec<u16> =
        rest.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    encode(&units, units.len() as isize, room.into());
    encode(&units, units.len() as isize, 4 * units.len());
    units.retain(|&unit| unit != 0);
    units.push(0);
    encode(&units[..units.len() - 1], -1, room.into());
    assert_eq!(decode(&encoded(&units)), Some(units));

    let mut text: Vec<u8> = rest.iter().copied().filter(|&byte| byte != 0).collect();
    text.push(0);
    let units = decode(&text);
    if let Ok(text) = str::from_utf8(&text) {
        assert_eq!(units, Some(text.encode_utf16().collect()));
    }
    if let Some(units) = units {
        assert_eq!(decode(&encoded(&units)), Some(units));
    }
});
