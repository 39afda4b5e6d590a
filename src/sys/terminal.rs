//! Terminals: termios(3), their size, and opening them once more.

use super::check_again;
use crate::abi::errno::{Errno, Result};
use core::ffi::{c_char, c_int};
use core::mem::MaybeUninit;
use libc::termios;

/// Room for the path of a terminal.
const LONGEST_PATH: usize = 256;

/// Whether `fd` is a terminal.
pub fn is_terminal(fd: c_int) -> bool {
    // SAFETY: no pointers.
    unsafe { libc::isatty(fd) == 1 }
}

/// Opens the terminal behind `fd` once more, non-blocking, for `access` (`O_RDONLY`, `O_WRONLY` or `O_RDWR`): its flags are not shared
/// with whoever else has `fd`. Fails for the master of a pseudoterminal, whose path would give a new one.
pub fn reopen(fd: c_int, access: c_int) -> Result<c_int> {
    if is_master(fd) {
        return Err(Errno::ENOTTY);
    }
    let mut path = [0 as c_char; LONGEST_PATH];
    // SAFETY: room for so many bytes.
    super::check_code(unsafe { libc::ttyname_r(fd, path.as_mut_ptr(), path.len()) })?;
    let flags = access | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the path is a string.
    check_again(|| unsafe { libc::open(path.as_ptr(), flags) })
}

fn is_master(fd: c_int) -> bool {
    let mut number: c_int = 0;
    // SAFETY: stores an int.
    unsafe { libc::ioctl(fd, libc::TIOCGPTN, &raw mut number) == 0 }
}

/// The settings of a terminal.
pub fn settings(fd: c_int) -> Result<termios> {
    let mut found = MaybeUninit::uninit();
    // SAFETY: room for the settings, which are stored if the call succeeds.
    unsafe {
        check_again(|| libc::tcgetattr(fd, found.as_mut_ptr()))?;
        Ok(found.assume_init())
    }
}

/// Changes the settings of a terminal at once, whatever is still to be written. Safe in signal handlers.
///
/// # Safety
/// The settings can be read.
pub unsafe fn set_settings(fd: c_int, settings: *const termios) -> Result {
    // SAFETY: the caller's.
    check_again(|| unsafe { libc::tcsetattr(fd, libc::TCSANOW, settings) }).map(|_| ())
}

/// The columns and rows of a terminal.
pub fn size(fd: c_int) -> Result<(u16, u16)> {
    let mut found = MaybeUninit::<libc::winsize>::uninit();
    // SAFETY: room for the size, which is stored if the call succeeds.
    let found = unsafe {
        check_again(|| libc::ioctl(fd, libc::TIOCGWINSZ, found.as_mut_ptr()))?;
        found.assume_init()
    };
    Ok((found.ws_col, found.ws_row))
}
