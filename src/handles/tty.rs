//! `uv_tty_t`: a terminal as a stream.
//!
//! The settings of the terminal that was changed first are kept for the whole process, for `uv_tty_reset_mode`, which may run in
//! signal handlers and at exit. `LOCK` guards them; nobody waits for it in a signal handler.
//!
//! Deliberate difference from the reference: the descriptor that the program gave is left alone. The stream has one of its own, and
//! the program's neither becomes non-blocking nor is closed on exec.

use super::stream;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::os::descriptor;
use crate::ptr::{Cx, Handle};
use crate::sys::{fd, terminal};
use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};
use libc::termios;

/// `uv_tty_init`: `UV_EINVAL` for files and what is no stream, `UV_EBADF`. If the terminal cannot be opened once more, writes block.
///
/// # Safety
/// `raw` is writable memory for a handle that is not in use.
pub unsafe fn init(cx: &Cx, lp: Loop, raw: *mut uv_tty_t, given: c_int) -> Result {
    let kind = descriptor::guess(given);
    if kind == UV_FILE || kind == UV_UNKNOWN_HANDLE {
        return Err(Errno::EINVAL);
    }
    let access = fd::flags(given)? & libc::O_ACCMODE;
    let mut flags = stream::directions(access);
    let reopened = if kind == UV_TTY { terminal::reopen(given, access).ok() } else { None };
    if reopened.is_none() {
        if kind == UV_TTY && access != libc::O_RDONLY {
            flags |= UV_HANDLE_BLOCKING_WRITES;
        } else {
            fd::set_nonblocking(given)?;
        }
    }
    // SAFETY: the caller's.
    let handle = unsafe { stream::init(cx, lp, raw) };
    handle.set_mode(UV_TTY_MODE_NORMAL.cast_signed());
    stream::open(handle.stream(), reopened.unwrap_or(given), flags)
}

/// `uv_tty_set_mode`: `UV_EINVAL` for an unknown mode, else what the terminal says.
pub fn set_mode(handle: Handle<'_, uv_tty_t>, mode: uv_tty_mode_t) -> Result {
    let mode = if mode == UV_TTY_MODE_RAW_VT { UV_TTY_MODE_RAW } else { mode };
    if mode > UV_TTY_MODE_IO {
        return Err(Errno::EINVAL);
    }
    if handle.mode() == mode.cast_signed() {
        return Ok(());
    }
    let fd = handle.stream().fd();
    if handle.mode() == UV_TTY_MODE_NORMAL.cast_signed() {
        let original = terminal::settings(fd)?;
        handle.set_orig_termios(original);
        SAVED.keep(fd, original);
    }
    let mut settings = handle.orig_termios();
    match mode {
        UV_TTY_MODE_RAW => make_raw(&mut settings),
        // SAFETY: the settings can be written.
        UV_TTY_MODE_IO => unsafe { libc::cfmakeraw(&raw mut settings) },
        _ => {}
    }
    // SAFETY: the settings can be read.
    unsafe { terminal::set_settings(fd, &raw const settings)? };
    handle.set_mode(mode.cast_signed());
    Ok(())
}

/// Every key as it is pressed, none with a meaning of its own; but output is still made fit for a screen.
fn make_raw(settings: &mut termios) {
    settings.c_iflag &= !(libc::BRKINT | libc::ICRNL | libc::INPCK | libc::ISTRIP | libc::IXON);
    settings.c_oflag |= libc::ONLCR;
    settings.c_cflag |= libc::CS8;
    settings.c_lflag &= !(libc::ECHO | libc::ICANON | libc::IEXTEN | libc::ISIG);
    for (which, value) in [(libc::VMIN, 1), (libc::VTIME, 0)] {
        if let Some(slot) = settings.c_cc.get_mut(which) {
            *slot = value;
        }
    }
}

/// `uv_tty_get_winsize`: columns and rows.
pub fn size(handle: Handle<'_, uv_tty_t>) -> Result<(c_int, c_int)> {
    let (columns, rows) = terminal::size(handle.stream().fd())?;
    Ok((columns.into(), rows.into()))
}

/// For `uv_close`: the terminal gets its settings back if this handle was the first to change them.
pub fn stop(handle: Handle<'_, uv_tty_t>) {
    if handle.stream().fd() != -1 {
        SAVED.restore_and_forget(handle.stream().fd());
    }
    stream::stop(handle.stream());
}

/// `uv_tty_reset_mode`: `UV_EBUSY` if it interrupts a change of the mode. Safe in signal handlers; keeps `errno`.
pub fn reset() -> Result {
    // SAFETY: errno is this thread's own.
    let saved = unsafe { *libc::__errno_location() };
    let result = if SAVED.try_lock() {
        // SAFETY: locked.
        let result = unsafe { SAVED.restore() };
        SAVED.unlock();
        result
    } else {
        Err(Errno::EBUSY)
    };
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = saved };
    result
}

/// The first terminal that was changed, and its settings before.
struct Saved {
    locked: AtomicBool,
    fd: UnsafeCell<c_int>,
    settings: UnsafeCell<MaybeUninit<termios>>,
}

// SAFETY: the cells are touched only while `locked` is held.
unsafe impl Sync for Saved {}

static SAVED: Saved = Saved {
    locked: AtomicBool::new(false),
    fd: UnsafeCell::new(-1),
    settings: UnsafeCell::new(MaybeUninit::uninit()),
};

impl Saved {
    fn try_lock(&self) -> bool {
        !self.locked.swap(true, Ordering::Acquire)
    }

    /// Waits; not for signal handlers.
    fn lock(&self) {
        while !self.try_lock() {
            core::hint::spin_loop();
        }
    }

    fn unlock(&self) {
        self.locked.store(false, Ordering::Release);
    }

    /// Keeps the settings, unless another terminal's are kept.
    fn keep(&self, fd: c_int, settings: termios) {
        self.lock();
        // SAFETY: locked.
        unsafe {
            if *self.fd.get() == -1 {
                (*self.settings.get()).write(settings);
                *self.fd.get() = fd;
            }
        }
        self.unlock();
    }

    /// If `fd` is the terminal: gives it its settings back, and forgets them.
    fn restore_and_forget(&self, fd: c_int) {
        self.lock();
        // SAFETY: locked.
        unsafe {
            if *self.fd.get() == fd {
                let _ = self.restore(); // a terminal that is gone needs no settings
                *self.fd.get() = -1;
            }
        }
        self.unlock();
    }

    /// Gives the terminal, if there is one, its settings back.
    ///
    /// # Safety
    /// Locked.
    unsafe fn restore(&self) -> Result {
        // SAFETY: the caller's; with a terminal there are settings.
        unsafe {
            match *self.fd.get() {
                -1 => Ok(()),
                fd => terminal::set_settings(fd, (*self.settings.get()).as_ptr()),
            }
        }
    }
}
