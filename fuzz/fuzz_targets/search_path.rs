//! Looking for a program in the folders of PATH: every folder that fits, in order, each with the name behind it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use uv::sys::search_path::{NAME_MAX, candidates};

fuzz_target!(|input: (&[u8], &[u8])| {
    let text = |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().filter(|&byte| byte != 0).collect() };
    let (folders, mut name) = (text(input.0), text(input.1));
    name.retain(|&byte| byte != b'/');
    name.truncate(NAME_MAX);
    // Longer than what the fuzzer makes.
    let long = [&folders[..], &b"f".repeat(4090), &folders[..]].concat();
    for folders in [folders, long] {
        let list =
            folders.split(|&byte| byte == b':').filter(|folder| folder.len() < libc::PATH_MAX as usize);
        let expected = list.map(|folder| match folder {
            [] => name.clone(),
            _ => [folder, b"/", &name].concat(),
        });
        let found = candidates(&folders, &name).map(|path| path.as_c_str().to_bytes().to_vec());
        assert!(found.eq(expected));
    }
});
