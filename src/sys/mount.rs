//! Which mounts hold files that this machine has itself, so that what is in memory of them is answered without waiting for anybody.
//!
//! statmount(2) tells from the kernel's own tables; statfs(2) would ask the file system, which may be the other side of a network. Mounts
//! are known by numbers that are never used again, which Linux has since 6.8. Before that nothing is known to be local.

use super::stat::Extended;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// For `stat::extended`: number the mount. `STATX_MNT_ID_UNIQUE`.
pub const NUMBER: u32 = 0x4000;

/// File systems on a disk or in memory. Not overlayfs: its layers may be anything.
const LOCAL: [u64; 6] = [
    0xEF53,      // ext4
    0x5846_5342, // xfs
    0x9123_683E, // btrfs
    0xF2F5_2010, // f2fs
    0x0102_1994, // tmpfs
    0x8584_58F6, // ramfs
];

/// The kernel does not number mounts.
static UNNUMBERED: AtomicBool = AtomicBool::new(false);

/// What is known: twice the mount's number, plus one if it is local. A mount has one place in here and shares it with others.
static KNOWN: [AtomicU64; 16] = [const { AtomicU64::new(0) }; 16];

/// Whether it makes sense to ask.
pub fn can_be_told() -> bool {
    !UNNUMBERED.load(Relaxed)
}

/// Whether the file is on a local mount; `stat` was asked for the mount's `NUMBER`.
pub fn is_local(stat: &Extended) -> bool {
    if stat.mask & NUMBER == 0 {
        UNNUMBERED.store(true, Relaxed);
        return false;
    }
    let number = stat.mount;
    let Some(place) = KNOWN.get(number as usize % KNOWN.len()) else { return false }; // always there
    let known = place.load(Relaxed);
    if known >> 1 == number {
        return known & 1 != 0;
    }
    let local = file_system(number).is_some_and(|kind| LOCAL.contains(&kind));
    place.store(number << 1 | u64::from(local), Relaxed);
    local
}

/// The magic number of the mount's file system.
fn file_system(mount: u64) -> Option<u64> {
    const STATMOUNT: core::ffi::c_long = 457; // which libc does not name everywhere
    const BASIC: u64 = 1; // STATMOUNT_SB_BASIC
    let request = [REQUEST_SIZE, mount, BASIC];
    let mut answer = [0u64; 5]; // sizes, mask, device, magic number, flags
    // SAFETY: the request is the kernel's struct mnt_id_req, and the answer has room for the start of its struct statmount.
    let result =
        unsafe { libc::syscall(STATMOUNT, request.as_ptr(), answer.as_mut_ptr(), size_of_val(&answer), 0) };
    let [_, mask, _, magic, _] = answer;
    (result == 0 && mask & BASIC != 0).then_some(magic)
}

/// The request begins with its own size, as 32 bits, and 32 bits that are zero.
const REQUEST_SIZE: u64 = if cfg!(target_endian = "little") { 24 } else { 24 << 32 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::stat::{self, Target};

    #[test]
    fn proc_is_not_local() {
        let stat = stat::extended(Target::Path(c"/proc/self"), 0, NUMBER).unwrap();
        assert!(!is_local(&stat));
        assert!(!is_local(&stat), "nor the second time");
    }
}
