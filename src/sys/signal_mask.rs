//! Signal sets and the mask of the calling thread.

use core::ffi::c_int;
use core::ptr::null_mut;

/// The signal set that holds `signum` alone.
pub fn set_of(signum: c_int) -> libc::sigset_t {
    let mut set = core::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), signum);
        set.assume_init()
    }
}

/// Blocks every signal on this thread and returns the mask from before.
pub fn block_all_signals() -> libc::sigset_t {
    let mut all = core::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut old = core::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are initialised by the calls, which cannot fail with these arguments.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), old.as_mut_ptr());
        old.assume_init()
    }
}

/// Sets this thread's signal mask.
pub fn set_signal_mask(mask: &libc::sigset_t) {
    // SAFETY: the mask is alive and the old one is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, null_mut()) };
}

/// Lets one signal through to this thread.
pub fn unblock(signum: c_int) {
    let set = set_of(signum);
    // SAFETY: the set is alive and the old mask is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, null_mut()) };
}
