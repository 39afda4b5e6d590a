//! Control groups: whatever the list of memberships says, the walk stays between the own group and the root, and ends there.

#![no_main]

use libfuzzer_sys::fuzz_target;
use uv::os::cgroup::{Group, Version, number, numbers};
use uv::os::memory::limit_in;

const ROOT: &[u8] = b"/no/such/root";

fn check_walk(memberships: &[u8], controller: &[u8]) {
    let Some(mut group) = Group::find(memberships, controller, ROOT) else { return };
    let mut root = ROOT.to_vec();
    if group.version() == Version::One {
        root.extend([b"/", controller].concat());
    }
    let own = group.folder().to_vec();
    // The part below the root stands in one of the lines.
    let below = own.strip_prefix(&root[..]).expect("below the root");
    assert!(memberships.windows(below.len() + 1).any(|part| part[0] == b':' && part[1..] == *below));
    let mut steps = below.iter().filter(|&&byte| byte == b'/').count();
    loop {
        let folder = group.folder().to_vec();
        assert!(own.starts_with(&folder) && folder.starts_with(&root));
        assert!(folder.len() == own.len() || folder.len() == root.len() || own[folder.len()] == b'/');
        assert!(group.read(b"cgroup.procs", &mut [0; 8]).is_none());
        assert_eq!(group.folder(), folder, "reading leaves the group where it is");
        if !group.ascend() {
            break;
        }
        assert!(group.folder().len() < folder.len());
        steps -= 1;
    }
    assert_eq!(steps, 0);
}

fn check_numbers(text: &[u8]) {
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let expected: Vec<Option<u64>> = words
        .map(|word| {
            let digits = word.strip_prefix(b"+").unwrap_or(word);
            let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            all.then(|| {
                digits
                    .iter()
                    .try_fold(0u64, |sum, digit| sum.checked_mul(10)?.checked_add((digit - b'0').into()))
            })?
        })
        .collect();
    assert!(numbers(text).eq(expected.iter().copied()));
    assert_eq!(number(text), expected.first().copied().flatten());
    let limit = limit_in(text);
    if text.starts_with(b"max") {
        assert_eq!(limit, Some(u64::MAX));
    } else {
        assert_eq!(limit.is_some(), number(text).is_some());
        assert!(limit == number(text) || limit == Some(u64::MAX));
    }
}

fuzz_target!(|data: &[u8]| {
    let memberships: Vec<u8> = data.iter().copied().filter(|&byte| byte != 0).collect();
    for controller in [&b"cpu"[..], b"memory", b"name=systemd"] {
        check_walk(&memberships, controller);
    }
    check_numbers(data);
});
