//! Events of inotify: what is found is what was written, in order, however often and wherever the bytes were cut; of what is no event
//! at all nothing outside the bytes is read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::ffi::CStr;
use uv::sys::inotify::{Event, events};

type Told<'a> = (i32, u32, Option<&'a [u8]>);

fn told<'a>(event: &Event<'a>) -> Told<'a> {
    (event.watch, event.mask, event.name.map(CStr::to_bytes))
}

/// The same, read field by field.
fn expected(mut rest: &[u8]) -> Vec<Told<'_>> {
    let mut all = Vec::new();
    while rest.len() >= size_of::<libc::inotify_event>() {
        let word = |index: usize| u32::from_ne_bytes(rest[4 * index..][..4].try_into().unwrap());
        let (watch, mask, size) = (word(0) as i32, word(1), word(3) as usize);
        let Some(name) = rest.get(16..16 + size) else { break };
        let end = name.iter().position(|&byte| byte == 0);
        all.push((watch, mask, end.filter(|&end| end > 0).map(|end| &name[..end])));
        rest = &rest[16 + size..];
    }
    all
}

fuzz_target!(|bytes: &[u8]| {
    let all = expected(bytes);
    assert!(events(bytes).map(|event| told(&event)).eq(all.iter().copied()));
    for length in (0..bytes.len()).step_by(bytes.len() / 64 + 1) {
        let found: Vec<_> = events(&bytes[..length]).map(|event| told(&event)).collect();
        assert!(all.starts_with(&found));
        assert_eq!(found, expected(&bytes[..length]));
    }
});
