//! Descriptors: their flags, reading, writing and closing.

use super::{check, check_again, full_for_now};
use crate::abi::errno::Result;
use crate::abi::uv_buf_t;
use core::ffi::{c_char, c_int};

/// Reads and writes on `fd` never wait.
pub fn set_nonblocking(fd: c_int) -> Result<()> {
    set_blocking(fd, false)
}

/// Whether reads and writes on `fd` wait.
pub fn set_blocking(fd: c_int, on: bool) -> Result<()> {
    let mut non_blocking = c_int::from(!on);
    // SAFETY: the argument is alive through the call.
    check(unsafe { libc::ioctl(fd, libc::FIONBIO, &raw mut non_blocking) }).map(|_| ())
}

/// Makes those of two new descriptors non-blocking that should be, and gives both back; on error they are closed.
pub fn set_nonblocking_where(fds: [c_int; 2], wanted: [bool; 2]) -> Result<[c_int; 2]> {
    for (fd, _) in fds.into_iter().zip(wanted).filter(|(_, wanted)| *wanted) {
        set_nonblocking(fd).inspect_err(|_| fds.into_iter().for_each(close))?;
    }
    Ok(fds)
}

/// Sets who may do what with the file behind `fd`.
pub fn change_mode(fd: c_int, mode: libc::mode_t) -> Result<()> {
    // SAFETY: no pointers.
    check_again(|| unsafe { libc::fchmod(fd, mode) }).map(|_| ())
}

/// The `O_*` flags that `fd` was opened with.
pub fn flags(fd: c_int) -> Result<c_int> {
    // SAFETY: no pointers.
    check(unsafe { libc::fcntl(fd, libc::F_GETFL) })
}

/// Sets those of the `O_*` flags that can be changed.
pub fn set_flags(fd: c_int, flags: c_int) -> Result {
    // SAFETY: no pointers.
    check(unsafe { libc::fcntl(fd, libc::F_SETFL, flags) }).map(|_| ())
}

/// The two ends of a new pipe, the one to read first, closed on exec.
pub fn pipe() -> Result<[c_int; 2]> {
    let mut fds = [-1; 2];
    // SAFETY: room for two descriptors.
    check(unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) })?;
    Ok(fds)
}

/// Closes a descriptor that is the library's own; never reports an error, and keeps `errno`.
pub fn close(fd: c_int) {
    // SAFETY: errno is this thread's own, the descriptor the caller's to close.
    unsafe {
        let saved = *libc::__errno_location();
        libc::close(fd);
        *libc::__errno_location() = saved;
    }
}

/// A descriptor that only takes up a number, to be given up when there are no others left.
pub fn reserve() -> Result<c_int> {
    // SAFETY: the path is a string.
    check(unsafe { libc::open(c"/".as_ptr(), libc::O_PATH | libc::O_CLOEXEC) })
}

/// Reads into `size` bytes at `base`.
///
/// # Safety
/// The memory is writable.
pub unsafe fn read(fd: c_int, base: *mut c_char, size: usize) -> Result<usize> {
    // SAFETY: the caller's.
    check_again(|| unsafe { libc::read(fd, base.cast(), size) }).map(isize::cast_unsigned)
}

/// Pieces that one call of `write` takes.
pub const MOST_PIECES: usize = libc::UIO_MAXIOV as usize; // 1024

/// Writes `count` pieces of memory, at most [`MOST_PIECES`] of them, and says how many bytes were taken. A full buffer, also one of
/// the system's, is `UV_EAGAIN`. A pipe without readers raises SIGPIPE.
///
/// # Safety
/// The pieces are readable.
pub unsafe fn write(fd: c_int, pieces: *const uv_buf_t, count: usize) -> Result<usize> {
    let pieces = pieces.cast::<libc::iovec>(); // the same layout
    let count = count.min(MOST_PIECES) as c_int; // at most 1024
    // SAFETY: the caller's; a single piece is spared the kernel's copy of the array.
    let written = check_again(|| unsafe {
        if count == 1 {
            libc::write(fd, (*pieces).iov_base, (*pieces).iov_len)
        } else {
            libc::writev(fd, pieces, count)
        }
    });
    written.map(isize::cast_unsigned).map_err(full_for_now)
}

/// Blocks until `fd` can be written to; false if it cannot, since the other end is gone or something is wrong.
pub fn wait_writable(fd: c_int) -> bool {
    let mut entry = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    // SAFETY: the entry is alive through the call.
    check_again(|| unsafe { libc::poll(&raw mut entry, 1, -1) }).is_ok() && entry.revents & libc::POLLOUT != 0
}

/// As above, for so many ns at most. May return early: the caller tries, and waits again.
pub fn wait_writable_for(fd: c_int, ns: u64) {
    let mut entry = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    let ms = c_int::try_from(ns.div_ceil(1_000_000)).unwrap_or(c_int::MAX);
    // SAFETY: the entry is alive through the call.
    unsafe { libc::poll(&raw mut entry, 1, ms) };
}

/// Which of `events` (`EPOLL*` bits, which poll(2) has too), or what trouble, there is on `fd` now.
pub fn ready(fd: c_int, events: u32) -> u32 {
    let mut entry = libc::pollfd { fd, events: events as i16, revents: 0 }; // what is no bit of poll(2) does not matter
    // SAFETY: the entry is alive through the call.
    if check_again(|| unsafe { libc::poll(&raw mut entry, 1, 0) }).is_err()
        || entry.revents & libc::POLLNVAL != 0
    {
        return libc::EPOLLERR.cast_unsigned();
    }
    u32::from(entry.revents.cast_unsigned())
}

/// A copy of `fd` that is closed on exec.
pub fn duplicate(fd: c_int) -> Result<c_int> {
    // SAFETY: no pointers.
    check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })
}

/// Closes all descriptors on exec that this process has now, as far as they can be found.
pub fn close_all_on_exec() {
    const CLOEXEC: c_int = 1 << 2; // CLOSE_RANGE_CLOEXEC, which libc does not name everywhere
    // SAFETY: no pointers.
    if unsafe { libc::syscall(libc::SYS_close_range, 0, u32::MAX, CLOEXEC) } == 0 {
        return;
    }
    // Older systems: the first few in any case, the others up to the first gap.
    let mut fd = 0;
    // SAFETY: no pointers.
    while fd < 16 || unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1 {
        // SAFETY: no pointers; of a descriptor that is not open nothing comes.
        unsafe { libc::ioctl(fd, libc::FIOCLEX) };
        fd = fd.saturating_add(1);
    }
}

/// `UV_EBADF` if `fd` is no open descriptor.
pub fn check_open(fd: c_int) -> Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::fcntl(fd, libc::F_GETFD) }).map(|_| ())
}
