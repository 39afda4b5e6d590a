//! The machine as a whole: what it is called, what it runs, since when, and how busy it is.

use super::caller_buffer::CallerBuffer;
use crate::abi::errno::{Errno, Result};
use crate::abi::{UV_MAXHOSTNAMESIZE, uv_utsname_t};
use crate::sys::{check, small_file};
use core::ffi::{CStr, c_char};
use core::mem::MaybeUninit;
use core::ptr::copy_nonoverlapping;

/// The machine's name in its network.
///
/// # Safety
/// As for [`CallerBuffer::new`].
pub unsafe fn name(buffer: *mut c_char, size: *mut usize) -> Result {
    // SAFETY: the caller's.
    let buffer = unsafe { CallerBuffer::new(buffer, size) }?;
    let mut text = [0u8; UV_MAXHOSTNAMESIZE];
    // SAFETY: the size is the array's; the last byte stays 0.
    check(unsafe { libc::gethostname(text.as_mut_ptr().cast(), text.len().saturating_sub(1)) })?;
    buffer.put(CStr::from_bytes_until_nul(&text).unwrap_or_default().to_bytes())
}

/// uname(2). `UV_EINVAL` for a null pointer.
///
/// # Safety
/// `result` is null or can be written.
pub unsafe fn system(result: *mut uv_utsname_t) -> Result {
    if result.is_null() {
        return Err(Errno::EINVAL);
    }
    let mut names = MaybeUninit::<libc::utsname>::uninit();
    // SAFETY: the result fits. It holds strings, each in an array that is smaller than its place in the caller's struct.
    unsafe {
        check(libc::uname(names.as_mut_ptr()))?;
        let names = names.assume_init();
        result.write_bytes(0, 1);
        copy_text(&names.sysname, (&raw mut (*result).sysname).cast());
        copy_text(&names.release, (&raw mut (*result).release).cast());
        copy_text(&names.version, (&raw mut (*result).version).cast());
        copy_text(&names.machine, (&raw mut (*result).machine).cast());
    }
    Ok(())
}

/// # Safety
/// There is room for 256 bytes at `to`.
unsafe fn copy_text<const SIZE: usize>(from: &[c_char; SIZE], to: *mut c_char) {
    const { assert!(SIZE <= 256) };
    // SAFETY: the caller's.
    unsafe { copy_nonoverlapping(from.as_ptr(), to, SIZE) };
}

/// Seconds since the machine, or the container, was started.
pub fn uptime() -> Result<f64> {
    let mut buffer = [0; 128];
    // In containers only this file tells the container's time.
    let told = small_file::read(c"/proc/uptime", &mut buffer).ok().and_then(|text| decimals(text).next());
    if let Some(Some(seconds)) = told {
        return Ok(seconds);
    }
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the result fits.
    check(unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut now) })?;
    Ok(now.tv_sec as f64)
}

/// The number of runnable threads, averaged over 1, 5 and 15 minutes; zeros if the system does not tell.
pub fn load_averages() -> [f64; 3] {
    let mut buffer = [0; 128];
    if let Ok(text) = small_file::read(c"/proc/loadavg", &mut buffer) {
        let mut words = decimals(text);
        if let (Some(Some(one)), Some(Some(five)), Some(Some(fifteen))) =
            (words.next(), words.next(), words.next())
        {
            return [one, five, fifteen];
        }
    }
    let mut info = MaybeUninit::<libc::sysinfo>::zeroed();
    // SAFETY: zeros are a value of the struct, and the call can only fill it.
    let loads = unsafe {
        libc::sysinfo(info.as_mut_ptr());
        info.assume_init().loads
    };
    loads.map(|load| load as f64 / 65536.0)
}

/// All words of a file, as numbers with fractions.
pub fn decimals(text: &[u8]) -> impl Iterator<Item = Option<f64>> {
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.map(|word| core::str::from_utf8(word).ok()?.parse().ok())
}
