//! What each type of request does. On any thread; it may block.

use super::{Fs, copyfile, directory, read_write, scandir, sendfile, stat, statfs, temporary};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::mem;
use crate::sys::{fd, file, file_times, path};
use core::ffi::CStr;

/// Carries out the operation of `fs`.
pub fn run(fs: Fs) -> Result<usize> {
    match fs.kind() {
        UV_FS_OPEN => open(fs),
        UV_FS_CLOSE => nothing(file::close(fs.file())),
        UV_FS_READ => read_write::read(fs),
        UV_FS_WRITE => read_write::write(fs),
        UV_FS_FSYNC => nothing(file::sync(fs.file())),
        UV_FS_FDATASYNC => nothing(file::sync_data(fs.file())),
        UV_FS_FTRUNCATE => nothing(file::truncate(fs.file(), fs.off())),
        UV_FS_FCHMOD => nothing(fd::change_mode(fs.file(), fs.mode())),
        UV_FS_FCHOWN => nothing(file::change_owner(fs.file(), fs.uid(), fs.gid())),

        UV_FS_STAT | UV_FS_LSTAT | UV_FS_FSTAT => nothing(stat::run(fs)),

        UV_FS_ACCESS => nothing(path::access(fs.path(), fs.flags())),
        UV_FS_CHMOD => nothing(path::change_mode(fs.path(), fs.mode())),
        UV_FS_CHOWN => nothing(path::change_owner(fs.path(), fs.uid(), fs.gid())),
        UV_FS_LCHOWN => nothing(path::change_owner_of_link(fs.path(), fs.uid(), fs.gid())),
        UV_FS_LINK => nothing(path::link(fs.path(), fs.new_path())),
        UV_FS_MKDIR => nothing(path::make_directory(fs.path(), fs.mode())),
        UV_FS_READLINK => owned_text(fs, path::read_link),
        UV_FS_REALPATH => owned_text(fs, path::resolve),
        UV_FS_RENAME => nothing(path::rename(fs.path(), fs.new_path())),
        UV_FS_RMDIR => nothing(path::remove_directory(fs.path())),
        UV_FS_SYMLINK => nothing(path::link_by_name(fs.path(), fs.new_path())),
        UV_FS_UNLINK => nothing(path::unlink(fs.path())),

        UV_FS_SCANDIR => scandir::run(fs),
        UV_FS_OPENDIR => directory::open(fs),
        UV_FS_READDIR => directory::read(fs),
        UV_FS_CLOSEDIR => directory::close(fs),

        UV_FS_COPYFILE => nothing(copyfile::run(fs)),
        UV_FS_FUTIME => nothing(file_times::set_open(fs.file(), fs.atime(), fs.mtime())),
        UV_FS_LUTIME => nothing(file_times::set(fs.path(), fs.atime(), fs.mtime(), false)),
        UV_FS_MKDTEMP => nothing(temporary::make_directory(fs)),
        UV_FS_MKSTEMP => temporary::make_file(fs),
        UV_FS_SENDFILE => sendfile::run(fs),
        UV_FS_STATFS => nothing(statfs::run(fs)),
        UV_FS_UTIME => nothing(file_times::set(fs.path(), fs.atime(), fs.mtime(), true)),
        _ => Err(Errno::ENOSYS),
    }
}

/// The result of what has none but success.
fn nothing(result: Result) -> Result<usize> {
    result.map(|()| 0)
}

fn open(fs: Fs) -> Result<usize> {
    let fd = file::open(fs.path(), fs.flags(), fs.mode())?;
    Ok(fd.unsigned_abs() as usize) // never negative
}

/// The result is a string in memory of its own; `ptr` leads to it.
fn owned_text(fs: Fs, read: fn(&CStr, &mut [u8; path::MOST_BYTES]) -> Result) -> Result<usize> {
    let mut text = [0; path::MOST_BYTES];
    read(fs.path(), &mut text)?;
    // SAFETY: `read` leaves a string.
    let copy = unsafe { mem::duplicate(text.as_ptr().cast())? };
    fs.set_ptr(copy.as_ptr().cast());
    Ok(0)
}
