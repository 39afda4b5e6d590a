//! Bytes that nobody can guess: getrandom(2), or /dev/urandom where that call is missing or forbidden.

use super::{check, fd, file, last_error};
use crate::abi::errno::{Errno, Result};
use core::ffi::{CStr, c_int, c_void};
use core::sync::atomic::{AtomicBool, Ordering};

/// Fills `size` bytes. Blocks until the system has gathered enough randomness, once after its start.
///
/// # Safety
/// They can be written.
pub unsafe fn fill(start: *mut c_void, size: usize) -> Result {
    // SAFETY: the caller's; the parts lie within.
    let filled = repeat(start, size, |part, size| unsafe { libc::getrandom(part, size, 0) });
    match filled {
        // SAFETY: the caller's.
        Err(Errno::ENOSYS | Errno::EPERM) => unsafe { fill_from_device(start, size) },
        result => result,
    }
}

/// # Safety
/// As for `fill`.
unsafe fn fill_from_device(start: *mut c_void, size: usize) -> Result {
    /// /dev/urandom never blocks, not even as long as its bytes can be guessed; /dev/random does.
    static GATHERED: AtomicBool = AtomicBool::new(false);
    if !GATHERED.load(Ordering::Relaxed) {
        let mut one = 0u8;
        // SAFETY: one byte.
        unsafe { read_device(c"/dev/random", (&raw mut one).cast(), 1) }?;
        GATHERED.store(true, Ordering::Relaxed);
    }
    // SAFETY: the caller's.
    unsafe { read_device(c"/dev/urandom", start, size) }
}

/// `UV_EIO` if the path leads to something else than a device.
///
/// # Safety
/// As for `fill`.
unsafe fn read_device(path: &CStr, start: *mut c_void, size: usize) -> Result {
    let fd = file::open(path, libc::O_RDONLY, 0)?;
    let result = check_device(fd).and_then(|()| {
        // SAFETY: the caller's; the parts lie within.
        repeat(start, size, |part, size| unsafe { libc::read(fd, part, size) })
    });
    fd::close(fd);
    result
}

fn check_device(fd: c_int) -> Result {
    let mut status = core::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the result fits, and is there if the call does not fail.
    let mode = unsafe {
        check(libc::fstat(fd, status.as_mut_ptr()))?;
        status.assume_init().st_mode
    };
    if mode & libc::S_IFMT == libc::S_IFCHR { Ok(()) } else { Err(Errno::EIO) }
}

/// Lets `source` fill part after part until all is full.
fn repeat(start: *mut c_void, size: usize, source: impl Fn(*mut c_void, usize) -> isize) -> Result {
    let mut filled = 0usize;
    while filled < size {
        match source(start.wrapping_byte_add(filled), size.saturating_sub(filled)) {
            0 => return Err(Errno::EIO),
            count => match usize::try_from(count) {
                Ok(count) => filled = filled.saturating_add(count),
                Err(_) if last_error() == Errno::EINTR => {}
                Err(_) => return Err(last_error()),
            },
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the device at `path` fills 64 ones with.
    fn read(path: &CStr) -> Result<[u8; 64]> {
        let mut bytes = [1; 64];
        // SAFETY: the array is that large.
        unsafe { read_device(path, bytes.as_mut_ptr().cast(), 64) }.map(|()| bytes)
    }

    #[test]
    fn devices_fill_all() {
        assert_eq!(read(c"/dev/zero"), Ok([0; 64]));
        assert_ne!(read(c"/dev/urandom"), read(c"/dev/urandom"));
        let mut bytes = [[0u8; 64]; 2];
        for half in &mut bytes {
            // SAFETY: the array is that large.
            unsafe { fill_from_device(half.as_mut_ptr().cast(), 64) }.unwrap();
        }
        assert_ne!(bytes[0], bytes[1]);
    }

    #[test]
    fn what_is_no_device_is_refused() {
        assert_eq!(read(c"/proc/version"), Err(Errno::EIO));
        assert_eq!(read(c"/dev/null"), Err(Errno::EIO));
        assert_eq!(read(c"/no/such/device"), Err(Errno::ENOENT));
    }
}
