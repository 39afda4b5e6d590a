//! How much memory there is: in the machine, and for this process within the limits that hold for it.
//!
//! Deliberate differences from the reference: the limits of all control groups around this process's count, not only those of
//! the innermost; what cannot be read is no limit.

use super::cgroup::{Group, Version, number};
use crate::sys::small_file;
use core::mem::MaybeUninit;

/// The limit of a group without one.
const UNLIMITED: u64 = u64::MAX;

/// Bytes that programs could still get, what the kernel would give back for that included; 0 if unknown.
pub fn free() -> u64 {
    told(b"MemAvailable:").unwrap_or_else(|| counted(|info| info.freeram))
}

/// Bytes of the machine; 0 if unknown.
pub fn total() -> u64 {
    told(b"MemTotal:").unwrap_or_else(|| counted(|info| info.totalram))
}

/// Bytes that this process may have: the smallest of all limits, `u64::MAX` if there could be one and is none, 0 if unknown.
pub fn constrained() -> u64 {
    let group = Group::of_this_process(b"memory").and_then(|mut group| Limits::of(&mut group));
    match (group.map(|limits| limits.whole), resource_limit()) {
        (Some(group), Some(resource)) => group.min(resource),
        (group, resource) => group.or(resource).unwrap_or(0),
    }
}

/// Bytes that this process could still get within the limits of its control groups.
pub fn available() -> u64 {
    let limits = Group::of_this_process(b"memory").and_then(|mut group| Limits::of(&mut group));
    match limits {
        Some(limits) if limits.whole <= total() => limits.left,
        _ => free(),
    }
}

/// What the groups around a process allow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Limits {
    /// The smallest limit.
    whole: u64,
    /// The least that a group with a limit has left.
    left: u64,
}

impl Limits {
    /// Of a group and those around it; none if no group tells.
    fn of(group: &mut Group) -> Option<Limits> {
        let mut smallest: Option<Limits> = None;
        loop {
            if let Some(own) = Limits::of_one(group) {
                let outer = smallest.unwrap_or(own);
                smallest = Some(Limits { whole: outer.whole.min(own.whole), left: outer.left.min(own.left) });
            }
            if !group.ascend() {
                return smallest;
            }
        }
    }

    fn of_one(group: &mut Group) -> Option<Limits> {
        let (soft, hard, used) = match group.version() {
            Version::One => (
                &b"memory.soft_limit_in_bytes"[..],
                &b"memory.limit_in_bytes"[..],
                &b"memory.usage_in_bytes"[..],
            ),
            Version::Two => (&b"memory.high"[..], &b"memory.max"[..], &b"memory.current"[..]),
        };
        let whole = limit(group, soft)?.min(limit(group, hard)?);
        let mut buffer = [0; 32];
        let used = group.read(used, &mut buffer).and_then(number).unwrap_or(0);
        let left = if whole == UNLIMITED { UNLIMITED } else { whole.saturating_sub(used) };
        Some(Limits { whole, left })
    }
}

/// A limit from a file; `max`, and what version 1 says instead, is no limit.
fn limit(group: &mut Group, file: &[u8]) -> Option<u64> {
    let mut buffer = [0; 32];
    limit_in(group.read(file, &mut buffer)?)
}

/// The limit that such a file tells.
pub fn limit_in(content: &[u8]) -> Option<u64> {
    // Version 1: the highest count of whole pages that is a signed number, whatever the size of a page.
    const HIGHEST: u64 = (i64::MAX as u64) & !0xf_ffff;
    if content.starts_with(b"max") {
        return Some(UNLIMITED);
    }
    number(content).map(|bytes| if bytes >= HIGHEST { UNLIMITED } else { bytes })
}

/// The smaller of the limits on addresses and on data, if there is one.
fn resource_limit() -> Option<u64> {
    [libc::RLIMIT_AS, libc::RLIMIT_DATA]
        .into_iter()
        .filter_map(|resource| {
            let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
            // SAFETY: the result fits. A failure leaves "no limit" in it.
            unsafe { libc::getrlimit(resource, &raw mut limit) };
            (limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
        })
        .min()
}

/// A line of /proc/meminfo, in bytes.
fn told(name: &[u8]) -> Option<u64> {
    let mut buffer = [0; 4096];
    told_in(small_file::read(c"/proc/meminfo", &mut buffer).ok()?, name)
}

/// The line of `text` that begins with `name` and goes on with a number of KiB, in bytes.
pub fn told_in(text: &[u8], name: &[u8]) -> Option<u64> {
    let line = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name))?;
    number(line)?.checked_mul(1024).filter(|&bytes| bytes != 0)
}

fn counted(which: impl Fn(&libc::sysinfo) -> libc::c_ulong) -> u64 {
    let mut info = MaybeUninit::<libc::sysinfo>::zeroed();
    // SAFETY: zeros are a value of the struct, and the call can only fill it.
    let info = unsafe {
        libc::sysinfo(info.as_mut_ptr());
        info.assume_init()
    };
    which(&info).saturating_mul(info.mem_unit.into())
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::std_instead_of_core, clippy::alloc_instead_of_core)] // a test may
mod tests {
    use super::*;
    use std::fs;
    use std::hash::{BuildHasher, RandomState};
    use std::path::PathBuf;

    fn limits(name: &str, memberships: &str, files: &[(&str, &str)]) -> Option<Limits> {
        let unique = RandomState::new().hash_one(name);
        let root: PathBuf = std::env::temp_dir().join(std::format!("uvoxide-{unique:x}-memory-{name}"));
        for (file, content) in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let root_name = root.to_str().unwrap().as_bytes();
        let mut group = Group::find(memberships.as_bytes(), b"memory", root_name).unwrap();
        let limits = Limits::of(&mut group);
        fs::remove_dir_all(root).unwrap();
        limits
    }

    #[test]
    fn version_2_takes_the_smallest_of_all_levels() {
        let files = [
            ("a/b/memory.max", "max\n"),
            ("a/b/memory.high", "5000\n"),
            ("a/b/memory.current", "1000\n"),
            ("a/memory.max", "8000\n"),
            ("a/memory.high", "max\n"),
            ("a/memory.current", "7000\n"),
        ];
        assert_eq!(limits("v2", "0::/a/b\n", &files), Some(Limits { whole: 5000, left: 1000 }));
        let free = [files[0], ("a/b/memory.high", "max\n")];
        assert_eq!(limits("v2-free", "0::/a/b\n", &free), Some(Limits { whole: UNLIMITED, left: UNLIMITED }));
        assert_eq!(limits("v2-none", "0::/\n", &[("cgroup.procs", "")]), None);
    }

    #[test]
    fn version_1_knows_its_own_word_for_no_limit() {
        let own = |file: &'static str, text: &'static str| [(file, text)];
        let files = [
            own("memory/a/memory.soft_limit_in_bytes", "9223372036854771712\n"),
            own("memory/a/memory.limit_in_bytes", "4096000\n"),
            own("memory/a/memory.usage_in_bytes", "5096000\n"),
        ]
        .concat();
        assert_eq!(limits("v1", "4:memory:/a\n", &files), Some(Limits { whole: 4_096_000, left: 0 }));
        let files = [
            own("memory/memory.soft_limit_in_bytes", "9223372036854771712\n"),
            own("memory/memory.limit_in_bytes", "9223372036854710272\n"),
        ]
        .concat();
        let free = Some(Limits { whole: UNLIMITED, left: UNLIMITED });
        assert_eq!(limits("v1-container", "4:memory:/of/the/host\n", &files), free);
    }

    #[test]
    fn the_machine_has_memory() {
        assert!(total() > 0 && free() <= total() && available() <= total());
        assert!(counted(|info| info.totalram) > 0);
    }
}
