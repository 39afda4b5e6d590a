//! System calls, one file per family. Nothing here knows of loops, handles or requests.

pub mod copy_file;
pub mod cpus;
pub mod datagram;
pub mod directory;
pub mod epoll;
pub mod fd;
pub mod file;
pub mod file_system;
pub mod file_times;
pub mod futex;
pub mod inotify;
pub mod mount;
pub mod path;
pub mod random;
pub mod resolver;
pub mod rights;
pub mod search_path;
pub mod signal_mask;
pub mod small_file;
pub mod socket;
pub mod spawn;
pub mod stat;
pub mod temporary;
pub mod terminal;
pub mod thread;
pub mod time;
pub mod transfer;
pub mod variable;
pub mod whole_file;

use crate::abi::errno::{Errno, Result};
use core::ffi::c_int;

/// The result of a call that returns -1 and sets `errno` when it fails.
pub fn check(result: c_int) -> Result<c_int> {
    if result == -1 { Err(last_error()) } else { Ok(result) }
}

/// The same of a call that is made again for as long as signals interrupt it.
pub fn check_again<T: PartialEq + From<i8>>(mut call: impl FnMut() -> T) -> Result<T> {
    loop {
        let result = call();
        if result != T::from(-1) {
            return Ok(result);
        }
        match last_error() {
            Errno::EINTR => {}
            error => return Err(error),
        }
    }
}

/// Where the system has no room for more now, there may be some later: `UV_EAGAIN`.
pub fn full_for_now(error: Errno) -> Errno {
    if error == Errno::ENOBUFS { Errno::EAGAIN } else { error }
}

/// The result of a call of the pthread kind, which returns the error number itself, or 0.
pub fn check_code(code: c_int) -> Result<()> {
    if code == 0 { Ok(()) } else { Err(Errno::from_errno(code)) }
}

/// What `errno` says, right after a call of this thread failed.
pub fn last_error() -> Errno {
    // SAFETY: errno is this thread's own.
    Errno::from_errno(unsafe { *libc::__errno_location() })
}
