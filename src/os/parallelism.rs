//! How many threads can run at a time: the CPUs that the calling thread may use, or fewer if a control group limits their time.
//!
//! Differences from the reference: of the limits of nested groups the smallest counts, not the outermost; the limits of
//! version 1 groups count too, which its code is meant to look for but does not find.

use super::cgroup::{Group, Version, number, numbers};
use crate::sys::cpus;
use core::ffi::c_uint;

/// Never 0.
pub fn available() -> c_uint {
    let cpus = cpus::in_affinity_mask().or_else(online_cpus).unwrap_or(1);
    time_limit().map_or(cpus, |limit| limit.min(cpus)).max(1)
}

fn online_cpus() -> Option<c_uint> {
    // SAFETY: no pointers.
    c_uint::try_from(unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }).ok()
}

fn time_limit() -> Option<c_uint> {
    smallest_limit(&mut Group::of_this_process(b"cpu")?)
}

/// The smallest limit of a control group and those around it, in whole CPUs.
fn smallest_limit(group: &mut Group) -> Option<c_uint> {
    let mut smallest = None;
    loop {
        smallest = smallest.into_iter().chain(limit_of(group)).min();
        if !group.ascend() {
            return smallest;
        }
    }
}

/// CPU time per time, rounded down, but at least 1.
fn limit_of(group: &mut Group) -> Option<c_uint> {
    let mut buffer = [0; 64];
    let (quota, period) = match group.version() {
        Version::One => (
            number(group.read(b"cpu.cfs_quota_us", &mut buffer)?)?,
            number(group.read(b"cpu.cfs_period_us", &mut buffer)?)?,
        ),
        Version::Two => {
            let mut words = numbers(group.read(b"cpu.max", &mut buffer)?);
            (words.next()??, words.next()??)
        }
    };
    c_uint::try_from(quota.checked_div(period)?.max(1)).ok()
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::std_instead_of_core, clippy::alloc_instead_of_core)] // a test may
mod tests {
    use super::*;
    use std::fs;
    use std::hash::{BuildHasher, RandomState};
    use std::path::PathBuf;

    /// A tree of groups in a temporary folder, and the limit that the innermost, `a/b`, sees.
    fn limit(name: &str, memberships: &str, files: &[(&str, &str)]) -> Option<c_uint> {
        let unique = RandomState::new().hash_one(name);
        let root: PathBuf = std::env::temp_dir().join(std::format!("uvoxide-{unique:x}-{name}"));
        for (file, content) in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let mut group =
            Group::find(memberships.as_bytes(), b"cpu", root.to_str().unwrap().as_bytes()).unwrap();
        let limit = smallest_limit(&mut group);
        fs::remove_dir_all(root).unwrap();
        limit
    }

    #[test]
    fn version_2_takes_the_smallest_of_all_levels() {
        let files = [
            ("a/b/cpu.max", "max 100000\n"),
            ("a/cpu.max", "250000 100000\n"),
            ("cpu.max", "400000 100000\n"),
        ];
        assert_eq!(limit("v2", "0::/a/b\n", &files), Some(2));
        assert_eq!(limit("v2-inner", "0::/a/b\n", &[("a/b/cpu.max", "50000 100000\n"), files[2]]), Some(1));
        assert_eq!(limit("v2-none", "0::/a/b\n", &[files[0]]), None);
        assert_eq!(limit("v2-zero", "0::/a/b\n", &[("a/b/cpu.max", "100000 0\n")]), None);
    }

    #[test]
    fn version_1_reads_quota_and_period() {
        let own = [("cpu/a/b/cpu.cfs_quota_us", "300000\n"), ("cpu/a/b/cpu.cfs_period_us", "100000\n")];
        assert_eq!(limit("v1", "2:cpu,cpuacct:/a/b\n", &own), Some(3));
        let unlimited = [("cpu/a/b/cpu.cfs_quota_us", "-1\n"), own[1]];
        assert_eq!(limit("v1-none", "2:cpu,cpuacct:/a/b\n", &unlimited), None);
    }

    #[test]
    fn version_1_in_a_container_finds_the_mounted_root() {
        let root = [("cpu/cpu.cfs_quota_us", "200000\n"), ("cpu/cpu.cfs_period_us", "100000\n")];
        assert_eq!(limit("v1-root", "2:cpu:/of/the/host\n", &root), Some(2));
    }

    #[test]
    fn something_is_available() {
        assert!(available() >= 1 && available() <= online_cpus().unwrap());
    }
}
