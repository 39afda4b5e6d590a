//! Folders and files by what they are to this process: the current one, the program itself, home, and for temporary files.
//!
//! Deliberate difference from the reference: a temporary folder with a slash at its end needs no room for that slash.

use super::caller_buffer::CallerBuffer;
use super::{environment, users};
use crate::abi::errno::{Errno, Result};
use crate::sys::{check, last_error, variable};
use core::ffi::{CStr, c_char};

/// What `getcwd` can return of any path that the kernel resolves.
const SCRATCH: usize = libc::PATH_MAX as usize + 1;

/// The current folder.
///
/// # Safety
/// As for [`CallerBuffer::new`].
pub unsafe fn current(buffer: *mut c_char, size: *mut usize) -> Result {
    // SAFETY: the caller's.
    let buffer = unsafe { CallerBuffer::new(buffer, size) }?;
    let (start, room) = buffer.room();
    // SAFETY: the room is the caller's.
    if !unsafe { libc::getcwd(start, room) }.is_null() {
        // SAFETY: a string now.
        buffer.end_at(unsafe { libc::strlen(start) });
        return Ok(());
    }
    if last_error() != Errno::ERANGE {
        return Err(last_error());
    }
    let mut scratch = [0; SCRATCH];
    // SAFETY: the room is that of the array.
    if unsafe { libc::getcwd(scratch.as_mut_ptr(), SCRATCH) }.is_null() {
        return Err(last_error());
    }
    // SAFETY: a string now.
    buffer.put(unsafe { CStr::from_ptr(scratch.as_ptr()) }.to_bytes())
}

/// Makes a folder the current one. `UV_EINVAL` for a null pointer.
///
/// # Safety
/// `folder` is null or a string.
pub unsafe fn change(folder: *const c_char) -> Result {
    if folder.is_null() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: a string.
    check(unsafe { libc::chdir(folder) }).map(|_| ())
}

/// The file that this process runs; what does not fit is cut off.
///
/// # Safety
/// As for [`CallerBuffer::new`].
pub unsafe fn executable(buffer: *mut c_char, size: *mut usize) -> Result {
    // SAFETY: the caller's.
    let buffer = unsafe { CallerBuffer::new(buffer, size) }?;
    let (start, room) = buffer.room();
    let room = room.saturating_sub(1);
    if room == 0 {
        buffer.end_at(0); // the system refuses to read nothing
        return Ok(());
    }
    // SAFETY: the room is the caller's, less the NUL.
    let length = unsafe { libc::readlink(c"/proc/self/exe".as_ptr(), start, room) };
    buffer.end_at(usize::try_from(length).map_err(|_| last_error())?);
    Ok(())
}

/// The home folder: `HOME`, or what the list of users says.
///
/// # Safety
/// As for [`CallerBuffer::new`]; nobody changes the environment meanwhile.
pub unsafe fn home(buffer: *mut c_char, size: *mut usize) -> Result {
    // SAFETY: the caller's.
    match unsafe { environment::get(c"HOME".as_ptr(), buffer, size) } {
        Err(Errno::ENOENT) => {}
        result => return result,
    }
    // SAFETY: the caller's.
    let buffer = unsafe { CallerBuffer::new(buffer, size) }?;
    let mut user = users::passwd_of(users::own())?;
    // SAFETY: the folder of an entry is a string.
    let result = buffer.put(unsafe { CStr::from_ptr(user.homedir) }.to_bytes());
    // SAFETY: just made, and not used again.
    unsafe { users::free_passwd(&raw mut user) };
    result
}

/// The folder for temporary files: the first of four variables that is set, or `/tmp`; without a slash at its end.
///
/// # Safety
/// As for [`CallerBuffer::new`]; nobody changes the environment meanwhile.
pub unsafe fn temporary(buffer: *mut c_char, size: *mut usize) -> Result {
    // SAFETY: the caller's.
    let buffer = unsafe { CallerBuffer::new(buffer, size) }?;
    let mut folder = c"/tmp".to_bytes();
    for name in [c"TMPDIR", c"TMP", c"TEMP", c"TEMPDIR"] {
        if let Some(value) = variable::get(name) {
            folder = value.to_bytes();
            break;
        }
    }
    buffer.put(match folder {
        [start @ .., b'/'] if !start.is_empty() => start,
        _ => folder,
    })
}
