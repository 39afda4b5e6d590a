//! Host names in ASCII: agrees with another implementation of Punycode, keeps its bounds, and changes nothing the second time.

#![no_main]

use libfuzzer_sys::fuzz_target;
use uv::abi::errno::Errno;
use uv::os::idna::{LONGEST, to_ascii};

const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

fn expected(name: &str) -> Option<String> {
    let labels = name.split(DOTS).map(|label| match label.is_ascii() {
        true => Some(label.to_owned()),
        false => punycode::encode(label).ok().map(|code| format!("xn--{code}")),
    });
    let ascii = labels.collect::<Option<Vec<_>>>()?.join(".");
    (!name.is_empty() && ascii.len() <= LONGEST).then_some(ascii)
}

fn check(name: &[u8]) {
    let result = to_ascii(name);
    if let Ok(ascii) = &result {
        let ascii = ascii.as_bytes();
        assert!(ascii.is_ascii() && !ascii.is_empty() && ascii.len() <= LONGEST);
        assert_eq!(to_ascii(ascii).ok().expect("the second time").as_bytes(), ascii);
    }
    match str::from_utf8(name) {
        Ok(text) if text.chars().count() <= 1000 => {
            let ascii = result.map(|ascii| ascii.as_c_str().to_str().expect("ASCII").to_owned());
            assert_eq!(ascii, expected(text).ok_or(Errno::EINVAL));
        }
        _ => assert_eq!(result.err(), Some(Errno::EINVAL)),
    }
}

fuzz_target!(|data: &[u8]| {
    let name: Vec<u8> = data.iter().copied().filter(|&byte| byte != 0).collect();
    check(&name);
    check(String::from_utf8_lossy(&name).as_bytes());
    // Two bytes for a character reach more scripts than UTF-8 that was made by chance.
    let units =
        data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).filter(|&unit| unit != 0);
    check(char::decode_utf16(units).map(|code| code.unwrap_or('.')).collect::<String>().as_bytes());
});
