//! Operations whose answer is there without waiting: reads of cached data, look-ups of cached names, questions about open files.
//!
//! They are carried out in the call, and the callback comes in the next turn: no thread, and no system call but their own. The kernel
//! is asked so that it rather refuses than waits (`RWF_NOWAIT`, `RESOLVE_CACHED`), and everything but reads only where file systems are
//! local (`sys/mount.rs`). What it refuses goes to the pool as it is.
//!
//! `UV_FS_INLINE=0` in the environment switches it off.

use super::{Fs, read_write, stat};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::sys::stat::{Extended, Target};
use crate::sys::{self, fd, file, mount, variable};
use core::ffi::{CStr, c_int};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// A read of more is the pool's: copying takes its time, too.
const MOST_READ: usize = 64 << 10;
/// With more to do the pool's threads pay: they have more CPUs than this one.
const FEW: usize = 8;

/// The outcome of the operation, if it is there without waiting. On the loop's thread.
pub fn run(lp: Loop, fs: Fs) -> Option<Result<usize>> {
    let internals = lp.internals();
    // Nothing overtakes what was begun before it, elsewhere.
    if is_switched_off() || internals.files_under_way.get() > 0 || internals.files_answered.get() >= FEW {
        return None;
    }
    match fs.kind() {
        UV_FS_READ => read(fs),
        UV_FS_OPEN => open(fs),
        UV_FS_CLOSE => close(fs),
        UV_FS_STAT | UV_FS_LSTAT | UV_FS_FSTAT => stat(fs),
        _ => None,
    }
}

fn is_switched_off() -> bool {
    const UNKNOWN: u8 = 0;
    const ON: u8 = 1;
    const OFF: u8 = 2;
    static SWITCH: AtomicU8 = AtomicU8::new(UNKNOWN);
    if SWITCH.load(Relaxed) == UNKNOWN {
        SWITCH.store(if variable::is_off(c"UV_FS_INLINE") { OFF } else { ON }, Relaxed);
    }
    SWITCH.load(Relaxed) == OFF
}

/// Errors are the pool's to find, too: these are only worth a second call.
fn read(fs: Fs) -> Option<Result<usize>> {
    let mut rest = read_write::pieces(fs);
    let wanted = rest.bytes();
    if wanted > MOST_READ {
        return None;
    }
    // With O_DIRECT even what is not to wait waits for the disk.
    if fd::flags(fs.file()).ok()? & libc::O_DIRECT != 0 {
        return None;
    }
    let count = file::read_cached(fs.file(), rest, fs.off()).ok()?;
    if count == wanted || count == 0 || is_all(fs, count) {
        return Some(Ok(count));
    }
    // The rest is not cached. The pool reads on behind what is there, for the position has moved.
    read_write::take_off(fs, &mut rest, count);
    fs.begin_with(count);
    None
}

/// Whether a read that waits would not have got more than these `count` bytes either.
fn is_all(fs: Fs, count: usize) -> bool {
    let Ok(stat) = sys::stat::extended(Target::File(fs.file()), libc::AT_STATX_DONT_SYNC, 0) else {
        return false;
    };
    match stat.file_type() {
        libc::S_IFREG => {
            let before = u64::try_from(fs.off()).map(|offset| offset.saturating_add(count as u64));
            let end = before.or_else(|_| file::position(fs.file()));
            end.is_ok_and(|end| end >= stat.size)
        }
        libc::S_IFBLK => false,
        _ => true, // pipes and their like give what they have
    }
}

/// Regular files and directories, to read only. Others may wait to be opened, or do something because they are opened, so the name
/// is first looked up without opening anything.
fn open(fs: Fs) -> Option<Result<usize>> {
    const FOLLOWED: c_int = libc::O_DIRECTORY | libc::O_NOFOLLOW;
    const HARMLESS: c_int = FOLLOWED | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOATIME | libc::O_NOCTTY;
    let flags = fs.flags();
    if flags & !(HARMLESS | libc::O_LARGEFILE) != 0 {
        return None;
    }
    if let Err(error) = look_up(fs.path(), flags & FOLLOWED)? {
        return Some(Err(error));
    }
    // Somebody's lease makes this wait, unless it is not to.
    let fd = match file::open_cached(fs.path(), flags | libc::O_NONBLOCK) {
        Ok(fd) => fd,
        Err(error) => return known(error).map(Err),
    };
    if flags & libc::O_NONBLOCK == 0 && fd::set_flags(fd, flags).is_err() {
        fd::close(fd);
        return None;
    }
    Some(Ok(fd.unsigned_abs() as usize)) // never negative
}

/// What `look_at` says of the file that the name leads to, or that there is none.
fn look_up(path: &CStr, flags: c_int) -> Option<Result<Extended>> {
    if !mount::can_be_told() {
        return None;
    }
    match file::open_cached(path, flags | libc::O_PATH) {
        Ok(fd) => {
            let found = look_at(fd);
            fd::close(fd);
            found.map(Ok)
        }
        Err(error) => known(error).map(Err),
    }
}

/// What is known of the open file, if it is a regular file or a directory on a local mount.
fn look_at(fd: c_int) -> Option<Extended> {
    if !mount::can_be_told() {
        return None;
    }
    let stat = sys::stat::extended(Target::File(fd), libc::AT_STATX_DONT_SYNC, mount::NUMBER).ok()?;
    let plain = matches!(stat.file_type(), libc::S_IFREG | libc::S_IFDIR);
    (plain && mount::is_local(&stat)).then_some(stat)
}

/// That there is no such file is an answer; other errors may be due to the way of asking.
fn known(error: Errno) -> Option<Errno> {
    (error == Errno::ENOENT).then_some(error)
}

/// Files to read only, that have a name left: else much may have to be done for the last one who closes.
fn close(fs: Fs) -> Option<Result<usize>> {
    let stat = look_at(fs.file())?;
    if stat.links == 0 || fd::flags(fs.file()).ok()? & libc::O_ACCMODE != libc::O_RDONLY {
        return None;
    }
    Some(file::close(fs.file()).map(|()| 0))
}

fn stat(fs: Fs) -> Option<Result<usize>> {
    let found = match stat::target(fs) {
        Target::File(fd) => look_at(fd).map(Ok),
        Target::Path(path) => look_up(path, 0),
        Target::Link(path) => look_up(path, libc::O_NOFOLLOW),
    };
    Some(found?.map(|found| {
        stat::keep(fs, found.convert());
        0
    }))
}

/// Makes an operation that was carried out here undone, whose callback has not run yet; `UV_EBUSY` if that cannot be. A position can only
/// be set back where nothing that came later may have gone on from it.
pub fn take_back(lp: Loop, fs: Fs) -> Result {
    let internals = lp.internals();
    let is_only_one = internals.files_answered.get() == 1 && internals.files_under_way.get() == 0;
    match fs.kind() {
        UV_FS_OPEN => {
            if let Ok(opened @ 0..) = c_int::try_from(fs.result()) {
                fd::close(opened);
            }
        }
        UV_FS_READ if fs.off() >= 0 || fs.result() <= 0 => {}
        UV_FS_READ if is_only_one => file::step_back(fs.file(), fs.result()).map_err(|_| Errno::EBUSY)?,
        UV_FS_STAT | UV_FS_LSTAT | UV_FS_FSTAT => fs.set_ptr(null_mut()),
        _ => return Err(Errno::EBUSY),
    }
    fs.finish(Err(Errno::ECANCELED));
    Ok(())
}
