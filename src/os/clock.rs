//! Time of day, the two clocks, and sleeping. Nanoseconds for measuring are `sys::time`.

use crate::abi::errno::{Errno, Result};
use crate::abi::{UV_CLOCK_MONOTONIC, UV_CLOCK_REALTIME, uv_clock_id, uv_timespec64_t, uv_timeval64_t};
use crate::sys::check;
use core::ffi::c_uint;
use core::ptr::null_mut;

/// Writes what the clock says; `UV_EFAULT` for a null pointer, `UV_EINVAL` for an unknown clock.
///
/// # Safety
/// `time` is null or can be written.
pub unsafe fn read(clock: uv_clock_id, time: *mut uv_timespec64_t) -> Result<()> {
    if time.is_null() {
        return Err(Errno::EFAULT);
    }
    let clock = match clock {
        UV_CLOCK_MONOTONIC => libc::CLOCK_MONOTONIC,
        UV_CLOCK_REALTIME => libc::CLOCK_REALTIME,
        _ => return Err(Errno::EINVAL),
    };
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the result fits.
    check(unsafe { libc::clock_gettime(clock, &raw mut now) })?;
    let now = uv_timespec64_t { tv_sec: now.tv_sec, tv_nsec: i32::try_from(now.tv_nsec).unwrap_or(0) };
    // SAFETY: not null, so the caller lets it be written.
    unsafe { time.write(now) };
    Ok(())
}

/// Writes the time of day, seconds since 1970; `UV_EINVAL` for a null pointer.
///
/// # Safety
/// `time` is null or can be written.
pub unsafe fn time_of_day(time: *mut uv_timeval64_t) -> Result<()> {
    if time.is_null() {
        return Err(Errno::EINVAL);
    }
    let mut now = libc::timeval { tv_sec: 0, tv_usec: 0 };
    // SAFETY: the result fits, and no time zone is asked for.
    check(unsafe { libc::gettimeofday(&raw mut now, null_mut()) })?;
    let now = uv_timeval64_t { tv_sec: now.tv_sec, tv_usec: i32::try_from(now.tv_usec).unwrap_or(0) };
    // SAFETY: not null, so the caller lets it be written.
    unsafe { time.write(now) };
    Ok(())
}

/// Sleeps for so many milliseconds, not less; signals do not end it.
pub fn sleep(ms: c_uint) {
    let mut left = libc::timespec {
        tv_sec: libc::time_t::from(ms / 1000),
        tv_nsec: (ms % 1000 * 1_000_000) as _, // below 10^9, which fits
    };
    // SAFETY: both times are the same live one, which nanosleep allows.
    while check(unsafe { libc::nanosleep(&raw const left, &raw mut left) }) == Err(Errno::EINTR) {}
}
