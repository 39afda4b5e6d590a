//! What the system knows of a file: statx(2), or, where that is refused, fstatat(2).

use super::check_again;
use crate::abi::errno::{Errno, Result};
use crate::abi::{uv_stat_t, uv_timespec_t};
use core::ffi::{CStr, c_int, c_long};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Which file is asked about.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// The one that a path leads to.
    Path(&'a CStr),
    /// The same, but not through a symbolic link at its end.
    Link(&'a CStr),
    /// An open one.
    File(c_int),
}

impl Target<'_> {
    /// As the calls of the `at` family want it.
    pub fn parts(&self) -> (c_int, *const core::ffi::c_char, c_int) {
        match self {
            Target::Path(path) => (libc::AT_FDCWD, path.as_ptr(), 0),
            Target::Link(path) => (libc::AT_FDCWD, path.as_ptr(), libc::AT_SYMLINK_NOFOLLOW),
            Target::File(fd) => (*fd, c"".as_ptr(), libc::AT_EMPTY_PATH),
        }
    }
}

/// The system has no statx, or a filter forbids it.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// All that is known. A time of birth that the file system does not have is zero; with an older system it is that of the last change.
pub fn of(target: Target<'_>) -> Result<uv_stat_t> {
    if !REFUSED.load(Relaxed) {
        match extended(target, 0, 0) {
            // What filters of system calls say, too.
            Err(Errno::ENOSYS | Errno::EPERM | Errno::EINVAL | Errno::ENOTSUP) => {}
            result => return result.map(|stat| stat.convert()),
        }
    }
    let stat = plain(target)?;
    REFUSED.store(true, Relaxed); // the older call succeeds where the newer did not
    Ok(stat)
}

/// statx(2) for what every file has, and `more` (`STATX_*` bits); `flags` are `AT_*` bits.
pub fn extended(target: Target<'_>, flags: c_int, more: u32) -> Result<Extended> {
    let (directory, path, at) = target.parts();
    let mut stat = MaybeUninit::<Extended>::zeroed();
    let place = stat.as_mut_ptr();
    // SAFETY: the path is a string, the place has the size of the kernel's struct.
    let call = || unsafe {
        libc::syscall(libc::SYS_statx, directory, path, at | flags, Extended::WANTED | more, place)
    };
    check_again(|| call() as c_int)?; // 0 or -1
    // SAFETY: integers; zeroed, and then filled by the kernel.
    Ok(unsafe { stat.assume_init() })
}

fn plain(target: Target<'_>) -> Result<uv_stat_t> {
    let (directory, path, at) = target.parts();
    let mut stat = MaybeUninit::<libc::stat>::zeroed();
    let place = stat.as_mut_ptr();
    // SAFETY: the path is a string, the place that of the result.
    check_again(|| unsafe { libc::fstatat(directory, path, place, at) })?;
    // SAFETY: integers; zeroed, and then filled by the call.
    let stat = unsafe { stat.assume_init() };
    let time = |tv_sec, tv_nsec| uv_timespec_t { tv_sec, tv_nsec };
    Ok(uv_stat_t {
        st_dev: stat.st_dev,
        st_mode: stat.st_mode.into(),
        st_nlink: wide(stat.st_nlink),
        st_uid: stat.st_uid.into(),
        st_gid: stat.st_gid.into(),
        st_rdev: stat.st_rdev,
        st_ino: stat.st_ino,
        st_size: stat.st_size.cast_unsigned(),
        st_blksize: stat.st_blksize as u64,
        st_blocks: stat.st_blocks.cast_unsigned(),
        st_flags: 0,
        st_gen: 0,
        st_atim: time(stat.st_atime, stat.st_atime_nsec),
        st_mtim: time(stat.st_mtime, stat.st_mtime_nsec),
        st_ctim: time(stat.st_ctime, stat.st_ctime_nsec),
        st_birthtim: time(stat.st_ctime, stat.st_ctime_nsec),
    })
}

/// Its width differs from machine to machine.
fn wide(number: impl Into<u64>) -> u64 {
    number.into()
}

/// Whether its type is `kind` (`S_IF*`).
pub fn is(file: &uv_stat_t, kind: libc::mode_t) -> bool {
    file.st_mode as libc::mode_t & libc::S_IFMT == kind
}

/// The kernel's `struct statx`, the same on every machine. (libc has it only for some C libraries.)
#[repr(C)]
pub struct Extended {
    /// Which fields are filled (`STATX_*` bits).
    pub mask: u32,
    block_size: u32,
    attributes: u64,
    /// How many names the file has.
    pub links: u32,
    uid: u32,
    gid: u32,
    /// Type and permissions.
    pub mode: u16,
    unused: u16,
    inode: u64,
    /// In bytes.
    pub size: u64,
    blocks: u64,
    attributes_mask: u64,
    accessed: Time,
    born: Time,
    changed: Time,
    modified: Time,
    special_device: [u32; 2],
    device: [u32; 2],
    /// Which mount it was found on.
    pub mount: u64,
    spare: [u64; 13],
}

const _: () = assert!(size_of::<Extended>() == 256);

#[repr(C)]
#[derive(Clone, Copy)]
struct Time {
    seconds: i64,
    nanoseconds: u32,
    unused: i32,
}

impl Time {
    fn convert(self) -> uv_timespec_t {
        uv_timespec_t { tv_sec: self.seconds as c_long, tv_nsec: self.nanoseconds.into() } // a long is what C has
    }
}

impl Extended {
    /// What to ask for: the basic fields, and the time of birth.
    pub const WANTED: u32 = 0x7ff | 0x800; // STATX_BASIC_STATS, STATX_BTIME

    /// As C gets it.
    pub fn convert(&self) -> uv_stat_t {
        let number = |[major, minor]: [u32; 2]| libc::makedev(major, minor);
        uv_stat_t {
            st_dev: number(self.device),
            st_mode: self.mode.into(),
            st_nlink: self.links.into(),
            st_uid: self.uid.into(),
            st_gid: self.gid.into(),
            st_rdev: number(self.special_device),
            st_ino: self.inode,
            st_size: self.size,
            st_blksize: self.block_size.into(),
            st_blocks: self.blocks,
            st_flags: 0,
            st_gen: 0,
            st_atim: self.accessed.convert(),
            st_mtim: self.modified.convert(),
            st_ctim: self.changed.convert(),
            st_birthtim: self.born.convert(),
        }
    }

    /// The type in `mode`, as `S_IF*`.
    pub fn file_type(&self) -> libc::mode_t {
        libc::mode_t::from(self.mode) & libc::S_IFMT
    }
}
