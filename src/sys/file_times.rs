//! When a file was read and written last: seconds since 1970 as floating point numbers, as the interface has them.

use super::check_again;
use crate::abi::errno::Result;
use core::ffi::{CStr, c_int};

/// Sets both times of the file at `path`; if not `follow`, those of a symbolic link itself.
pub fn set(path: &CStr, accessed: f64, modified: f64, follow: bool) -> Result {
    let times = [timespec(accessed), timespec(modified)];
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: the path is a string and the times are two, alive through the call.
    check_again(|| unsafe { libc::utimensat(libc::AT_FDCWD, path.as_ptr(), times.as_ptr(), flags) })
        .map(|_| ())
}

/// Sets both times of an open file.
pub fn set_open(file: c_int, accessed: f64, modified: f64) -> Result {
    let times = [timespec(accessed), timespec(modified)];
    // SAFETY: two times, alive through the call.
    check_again(|| unsafe { libc::futimens(file, times.as_ptr()) }).map(|_| ())
}

/// Infinite means now and no number means that the time stays. What is out of range becomes so for the system too, which refuses it.
fn timespec(seconds: f64) -> libc::timespec {
    if seconds.is_infinite() {
        return libc::timespec { tv_sec: 0, tv_nsec: libc::UTIME_NOW };
    }
    if seconds.is_nan() {
        return libc::timespec { tv_sec: 0, tv_nsec: libc::UTIME_OMIT };
    }
    let whole = seconds as i64; // towards 0
    let nanoseconds = ((seconds - whole as f64) * 1e9) as i64;
    if nanoseconds < 0 {
        libc::timespec { tv_sec: whole.saturating_sub(1), tv_nsec: nanoseconds.saturating_add(1_000_000_000) }
    } else {
        libc::timespec { tv_sec: whole, tv_nsec: nanoseconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(seconds: f64) -> (i64, i64) {
        let time = timespec(seconds);
        (time.tv_sec, time.tv_nsec)
    }

    #[test]
    fn before_and_after_1970() {
        assert_eq!(parts(0.0), (0, 0));
        assert_eq!(parts(-0.0), (0, 0));
        assert_eq!(parts(400_497_753.25), (400_497_753, 250_000_000));
        assert_eq!(parts(-1.0), (-1, 0));
        assert_eq!(parts(-1.25), (-2, 750_000_000));
        assert_eq!(parts(-0.5), (-1, 500_000_000));
        assert_eq!(parts(1e-9), (0, 1));
        assert_eq!(parts(-1e-9), (-1, 999_999_999));
        assert_eq!(parts(1.999_999_999_9), (1, 999_999_999));
        assert_eq!(parts(1e18), (1_000_000_000_000_000_000, 0));
    }

    #[test]
    fn what_is_no_time_is_refused_by_the_system() {
        for seconds in [1e300, -1e300, f64::MAX, f64::MIN] {
            assert!(!(0..1_000_000_000).contains(&parts(seconds).1));
            assert_eq!(set(c"/", seconds, f64::NAN, true), Err(crate::abi::errno::Errno::EINVAL));
        }
    }

    #[test]
    fn now_and_omit() {
        assert_eq!(parts(f64::INFINITY).1, libc::UTIME_NOW);
        assert_eq!(parts(f64::NEG_INFINITY).1, libc::UTIME_NOW);
        assert_eq!(parts(f64::NAN).1, libc::UTIME_OMIT);
    }
}
