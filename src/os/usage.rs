//! What this process, or this thread, has used.

use super::cgroup::numbers;
use crate::abi::errno::{Errno, Result};
use crate::abi::{uv_rusage_t, uv_timeval_t};
use crate::sys::{check, small_file};
use core::ffi::{c_int, c_long};
use core::mem::MaybeUninit;

/// getrusage(2) of all threads together.
pub fn of_process() -> Result<uv_rusage_t> {
    of(libc::RUSAGE_SELF)
}

/// getrusage(2) of the calling thread.
pub fn of_thread() -> Result<uv_rusage_t> {
    of(libc::RUSAGE_THREAD)
}

fn of(whom: c_int) -> Result<uv_rusage_t> {
    let mut used = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the result fits, and is there if the call does not fail.
    let used = unsafe {
        check(libc::getrusage(whom as _, used.as_mut_ptr()))?;
        used.assume_init()
    };
    let time = |time: libc::timeval| uv_timeval_t { tv_sec: time.tv_sec, tv_usec: time.tv_usec };
    let count = |count: c_long| count.cast_unsigned();
    Ok(uv_rusage_t {
        ru_utime: time(used.ru_utime),
        ru_stime: time(used.ru_stime),
        ru_maxrss: count(used.ru_maxrss),
        ru_ixrss: count(used.ru_ixrss),
        ru_idrss: count(used.ru_idrss),
        ru_isrss: count(used.ru_isrss),
        ru_minflt: count(used.ru_minflt),
        ru_majflt: count(used.ru_majflt),
        ru_nswap: count(used.ru_nswap),
        ru_inblock: count(used.ru_inblock),
        ru_oublock: count(used.ru_oublock),
        ru_msgsnd: count(used.ru_msgsnd),
        ru_msgrcv: count(used.ru_msgrcv),
        ru_nsignals: count(used.ru_nsignals),
        ru_nvcsw: count(used.ru_nvcsw),
        ru_nivcsw: count(used.ru_nivcsw),
    })
}

/// Bytes of this process that are in memory.
pub fn resident_memory() -> Result<usize> {
    let mut buffer = [0; 256];
    let text = small_file::read(c"/proc/self/statm", &mut buffer)?;
    let pages = numbers(text).nth(1).flatten().ok_or(Errno::EINVAL)?;
    // SAFETY: no pointers.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).map_err(|_| Errno::EINVAL)?;
    usize::try_from(pages.saturating_mul(page)).map_err(|_| Errno::EOVERFLOW)
}
