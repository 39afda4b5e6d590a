//! epoll(7) and eventfd(2).

use super::check;
use crate::abi::errno::{Errno, Result};
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr::null;
use libc::epoll_event;

/// A new epoll descriptor, closed on exec.
pub fn create() -> Result<c_int> {
    // SAFETY: no pointers.
    check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })
}

/// Adds, changes or removes `fd`; its events carry the descriptor itself.
pub fn control(epoll: c_int, operation: c_int, fd: c_int, events: u32) -> Result<()> {
    let mut event = epoll_event { events, u64: u64::from(fd.cast_unsigned()) };
    // SAFETY: the event lives through the call.
    check(unsafe { libc::epoll_ctl(epoll, operation, fd, &raw mut event) }).map(|_| ())
}

/// Waits for events, at most `timeout` ms (-1: for ever), and says how many were stored.
pub fn wait(
    epoll: c_int,
    events: &mut [MaybeUninit<epoll_event>],
    timeout: c_int,
    mask: Option<&libc::sigset_t>,
) -> Result<usize> {
    let limit = c_int::try_from(events.len()).unwrap_or(c_int::MAX);
    let mask = mask.map_or(null(), core::ptr::from_ref);
    // SAFETY: `limit` events fit, and the mask is null or alive.
    let count = check(unsafe { libc::epoll_pwait(epoll, events.as_mut_ptr().cast(), limit, timeout, mask) })?;
    usize::try_from(count).map_err(|_| Errno::EINVAL)
}

/// A new eventfd, not blocking, closed on exec.
pub fn event_fd() -> Result<c_int> {
    // SAFETY: no pointers.
    check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })
}

/// Makes an eventfd readable. From any thread and from signal handlers; keeps `errno`.
///
/// The descriptor is never read: edge-triggered, each write is an event of its own. Only when 2^64 writes have filled the counter is
/// it emptied.
pub fn ring(fd: c_int) {
    // SAFETY: errno is this thread's own.
    let saved = unsafe { *libc::__errno_location() };
    let mut word = 1u64;
    loop {
        // SAFETY: eight bytes are read from a live word.
        let done = unsafe { libc::write(fd, (&raw const word).cast::<c_void>(), 8) };
        if done == 8 {
            break;
        }
        // SAFETY: as above.
        match unsafe { *libc::__errno_location() } {
            libc::EINTR => {}
            // SAFETY: eight bytes are written to a live word.
            libc::EAGAIN => unsafe {
                libc::read(fd, (&raw mut word).cast::<c_void>(), 8);
                word = 1;
            },
            _ => break, // the descriptor is gone: a child after fork that closed everything
        }
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = saved };
}
