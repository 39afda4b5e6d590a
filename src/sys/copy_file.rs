//! Copying a file by name.
//!
//! Deliberate differences from the reference: a destination that is no regular file is refused before anything happens to it, and stays;
//! a source without a size, such as those in /proc, is copied until it ends; one that ends before its size says so ends the copy.

use super::stat::{self, Target};
use super::{check_again, fd, file, path, transfer};
use crate::abi::errno::{Errno, Result};
use crate::abi::{uv_stat_t, uv_timespec_t};
use core::ffi::{CStr, c_int};
use core::mem::MaybeUninit;

/// Whether the copy shares its blocks with the source, where the file system can do that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    Never,
    IfPossible,
    Always,
}

/// Copies the file at `source` to `destination`, with its mode and, as far as this process may, its owner. If `new`, there must be no
/// file; else one is overwritten, unless it is the source itself. If the copy fails, there is no file at `destination` in the end.
pub fn copy(source: &CStr, destination: &CStr, new: bool, sharing: Sharing) -> Result {
    let from = file::open(source, libc::O_RDONLY, 0)?;
    let copied = copy_to(from, destination, new, sharing);
    fd::close(from);
    copied
}

fn copy_to(from: c_int, destination: &CStr, new: bool, sharing: Sharing) -> Result {
    let source = stat::of(Target::File(from))?;
    let flags = libc::O_WRONLY | libc::O_CREAT | if new { libc::O_EXCL } else { 0 };
    let to = file::open(destination, flags, permissions(&source))?;
    let found = stat::of(Target::File(to));
    let copied = match &found {
        Ok(found) if same_file(&source, found) => Ok(()),
        Ok(found) => fill(from, &source, to, found, sharing),
        Err(error) => Err(*error),
    };
    let copied = copied.and(file::close(to));
    if copied.is_err()
        && found.is_ok_and(|found| stat::is(&found, libc::S_IFREG) && !same_file(&source, &found))
    {
        let _ = path::unlink(destination); // the error is another
    }
    copied
}

/// Makes `to` like `from`.
fn fill(from: c_int, source: &uv_stat_t, to: c_int, found: &uv_stat_t, sharing: Sharing) -> Result {
    if !stat::is(found, libc::S_IFREG) {
        return Err(Errno::EINVAL);
    }
    if found.st_size != 0 {
        file::truncate(to, 0)?;
    }
    copy_attributes(source, to)?;
    if sharing != Sharing::Never {
        // SAFETY: no pointers.
        match check_again(|| unsafe { libc::ioctl(to, libc::FICLONE, from) }) {
            Ok(_) => return Ok(()),
            Err(error) if sharing == Sharing::Always => return Err(error),
            Err(_) => {}
        }
    }
    copy_bytes(from, source, to)
}

/// Times and owner where that is allowed, and the mode.
fn copy_attributes(source: &uv_stat_t, to: c_int) -> Result {
    let time = |time: uv_timespec_t| libc::timespec { tv_sec: time.tv_sec, tv_nsec: time.tv_nsec };
    let times = [time(source.st_atim), time(source.st_mtim)];
    // SAFETY: two times, alive through the call.
    unsafe { libc::futimens(to, times.as_ptr()) };
    let _ = file::change_owner(to, source.st_uid as libc::uid_t, source.st_gid as libc::gid_t);
    match fd::change_mode(to, permissions(source)) {
        // A share mounted from such a system has no modes to change, and says so.
        Err(Errno::EPERM) if is_windows_share(to) => Ok(()),
        result => result,
    }
}

fn copy_bytes(from: c_int, source: &uv_stat_t, to: c_int) -> Result {
    let size = source.st_size.cast_signed();
    let unsized_file = size == 0 && (stat::is(source, libc::S_IFREG) || stat::is(source, libc::S_IFDIR));
    let mut offset = 0i64;
    while unsized_file || offset < size {
        let moved = if unsized_file {
            // The kernel's ways take the size for granted.
            transfer::through_buffer(to, from, offset, 1 << 20)?
        } else {
            transfer::transfer(to, from, offset, usize::try_from(size.saturating_sub(offset)).unwrap_or(0))?
        };
        if moved == 0 {
            break;
        }
        offset = offset.saturating_add(moved as i64); // less than is left
    }
    Ok(())
}

/// What of the mode can be set.
fn permissions(file: &uv_stat_t) -> libc::mode_t {
    file.st_mode as libc::mode_t & 0o7777
}

fn same_file(one: &uv_stat_t, other: &uv_stat_t) -> bool {
    one.st_dev == other.st_dev && one.st_ino == other.st_ino
}

fn is_windows_share(file: c_int) -> bool {
    let mut status = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the memory is writable, and filled if the call succeeds.
    let kind = unsafe {
        if libc::fstatfs(file, status.as_mut_ptr()) != 0 {
            return false;
        }
        (&raw const (*status.as_ptr()).f_type).read() as u32 // the numbers have 32 bits
    };
    const SMB: u32 = 0x517b;
    const SMB2: u32 = 0xfe53_4d42;
    const CIFS: u32 = 0xff53_4d42;
    matches!(kind, SMB | SMB2 | CIFS)
}
