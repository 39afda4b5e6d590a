//! Users and groups by their numbers, from the system's lists: getpwuid_r(3) and getgrgid_r(3).
//!
//! An entry that a program gets is one block of this library's memory.

use crate::abi::errno::{Errno, Result};
use crate::abi::{uv_gid_t, uv_group_t, uv_passwd_t, uv_uid_t};
use crate::mem;
use core::ffi::{c_char, c_int, c_ulong};
use core::mem::MaybeUninit;
use core::ptr::{copy_nonoverlapping, null_mut};

/// Enough for most entries, which need at most a few hundred bytes.
const FIRST_TRY: usize = 2048;

/// The user whose rights this process has.
pub fn own() -> uv_uid_t {
    // SAFETY: no preconditions.
    unsafe { libc::geteuid() }
}

/// A user's entry; `UV_ENOENT` if there is none.
pub fn passwd_of(uid: uv_uid_t) -> Result<uv_passwd_t> {
    with_entry(
        // SAFETY: the arguments are what `with_entry` passes on.
        |entry, text, size, found| unsafe { libc::getpwuid_r(uid, entry, text, size, found) },
        // SAFETY: an entry that was just read.
        |entry| unsafe { copy_passwd(entry) },
    )
}

/// A group's entry; `UV_ENOENT` if there is none.
pub fn group_of(gid: uv_gid_t) -> Result<uv_group_t> {
    with_entry(
        // SAFETY: the arguments are what `with_entry` passes on.
        |entry, text, size, found| unsafe { libc::getgrgid_r(gid, entry, text, size, found) },
        // SAFETY: an entry that was just read.
        |entry| unsafe { copy_group(entry) },
    )
}

/// Frees what `passwd_of` made; harmless when repeated.
///
/// # Safety
/// `passwd` is null or leads to such an entry.
pub unsafe fn free_passwd(passwd: *mut uv_passwd_t) {
    if passwd.is_null() {
        return;
    }
    // SAFETY: the name is the start of the block.
    unsafe {
        mem::free((*passwd).username.cast());
        (*passwd).username = null_mut();
        (*passwd).shell = null_mut();
        (*passwd).homedir = null_mut();
    }
}

/// Frees what `group_of` made; harmless when repeated.
///
/// # Safety
/// `group` is null or leads to such an entry.
pub unsafe fn free_group(group: *mut uv_group_t) {
    if group.is_null() {
        return;
    }
    // SAFETY: the members are the start of the block.
    unsafe {
        mem::free((*group).members.cast());
        (*group).members = null_mut();
        (*group).groupname = null_mut();
    }
}

/// Looks an entry up, with as much room for its strings as it takes, and copies it before that room goes.
fn with_entry<E, R>(
    look_up: impl Fn(*mut E, *mut c_char, usize, *mut *mut E) -> c_int,
    copy: impl Fn(*const E) -> Result<R>,
) -> Result<R> {
    let mut size = FIRST_TRY;
    loop {
        let text = mem::alloc_array::<c_char>(size)?;
        let mut entry = MaybeUninit::<E>::uninit();
        let mut found = null_mut();
        let code = look_up(entry.as_mut_ptr(), text.as_ptr(), size, &raw mut found);
        let result = match code {
            0 if found.is_null() => Err(Errno::ENOENT),
            0 => copy(found),
            _ => Err(Errno::from_errno(code)),
        };
        // SAFETY: allocated above; what was copied does not lead into it.
        unsafe { mem::free(text.as_ptr().cast()) };
        match result {
            Err(Errno::ERANGE) => size = size.checked_mul(2).ok_or(Errno::ENOMEM)?,
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

/// # Safety
/// `entry` is valid with its strings.
unsafe fn copy_passwd(entry: *const libc::passwd) -> Result<uv_passwd_t> {
    // SAFETY: the caller's; the block has room for the three strings.
    unsafe {
        let (name, home, shell) = ((*entry).pw_name, (*entry).pw_dir, (*entry).pw_shell);
        let size = size_of_text(name).saturating_add(size_of_text(home)).saturating_add(size_of_text(shell));
        let username = mem::alloc_array::<c_char>(size)?.as_ptr();
        let homedir = put_text(username, name);
        let at_shell = put_text(homedir, home);
        put_text(at_shell, shell);
        Ok(uv_passwd_t {
            username,
            uid: c_ulong::from((*entry).pw_uid),
            gid: c_ulong::from((*entry).pw_gid),
            shell: at_shell,
            homedir,
        })
    }
}

/// # Safety
/// `entry` is valid with its strings.
unsafe fn copy_group(entry: *const libc::group) -> Result<uv_group_t> {
    // SAFETY: the caller's: the list of members ends with a null pointer. The block has room for a list as long and all strings.
    unsafe {
        let from = (*entry).gr_mem;
        let mut count = 0usize;
        let mut size = size_of_text((*entry).gr_name).saturating_add(size_of::<*mut c_char>());
        while !(*from.add(count)).is_null() {
            let text = size_of_text(*from.add(count));
            size = size.saturating_add(text).saturating_add(size_of::<*mut c_char>());
            count = count.wrapping_add(1);
        }
        let members = mem::alloc_array::<u8>(size)?.as_ptr().cast::<*mut c_char>();
        let mut text = members.add(count.wrapping_add(1)).cast::<c_char>();
        for index in 0..count {
            members.add(index).write(text);
            text = put_text(text, *from.add(index));
        }
        members.add(count).write(null_mut());
        put_text(text, (*entry).gr_name);
        Ok(uv_group_t { groupname: text, gid: c_ulong::from((*entry).gr_gid), members })
    }
}

/// The bytes that a string takes with its NUL; a null pointer counts as the empty one.
///
/// # Safety
/// `text` is null or a string.
unsafe fn size_of_text(text: *const c_char) -> usize {
    // SAFETY: the caller's.
    if text.is_null() { 1 } else { unsafe { libc::strlen(text) }.saturating_add(1) }
}

/// Copies a string and returns where the next one goes.
///
/// # Safety
/// `text` is null or a string, and there is room for it at `at`.
unsafe fn put_text(at: *mut c_char, text: *const c_char) -> *mut c_char {
    // SAFETY: the caller's.
    unsafe {
        let size = size_of_text(text);
        at.write(0);
        if !text.is_null() {
            copy_nonoverlapping(text, at, size);
        }
        at.add(size)
    }
}
