//! The program itself: its arguments and title, folders, user, priority, and what it has used.

use super::status;
use crate::abi::*;
use crate::os::{folders, pid, title, usage, users};
use core::ffi::{c_char, c_int};

/// Takes the memory of main's arguments for the process title and returns a copy of them, to be used instead. To be called once, at the
/// start of main. Without memory `argv` itself is returned, and there is no title.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_setup_args(argc: c_int, argv: *mut *mut c_char) -> *mut *mut c_char {
    // SAFETY: the caller gives the arguments of main.
    unsafe { title::set_up(argc, argv) }
}

/// Copies the process title to `buffer`, which has `size` bytes. UV_ENOBUFS if it does not fit, and before uv_setup_args(); UV_EINVAL for
/// NULL and a size of 0. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_get_process_title(buffer: *mut c_char, size: usize) -> c_int {
    // SAFETY: the caller gives room, or NULL.
    status(unsafe { title::get(buffer, size) })
}

/// Sets the process title, cut to the room that the program's arguments took. UV_ENOBUFS before uv_setup_args(), UV_EINVAL for NULL.
/// Any thread; its name is set as well.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_set_process_title(title: *const c_char) -> c_int {
    // SAFETY: the caller gives a string, or NULL.
    status(unsafe { title::set(title) })
}

/// Copies the path of the program's file to `buffer`, which has `*size` bytes, cut to fit, and sets `*size` to its length. UV_EINVAL for
/// NULL and a size of 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_exepath(buffer: *mut c_char, size: *mut usize) -> c_int {
    // SAFETY: the caller gives a size and room, or NULL.
    status(unsafe { folders::executable(buffer, size) })
}

/// Copies the current folder to `buffer`, which has `*size` bytes, and sets `*size` to its length without the NUL. UV_ENOBUFS if it does
/// not fit, and `*size` is then what it needs with the NUL; UV_EINVAL for NULL and a size of 0; UV_ENOENT if the folder is gone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_cwd(buffer: *mut c_char, size: *mut usize) -> c_int {
    // SAFETY: the caller gives a size and room, or NULL.
    status(unsafe { folders::current(buffer, size) })
}

/// Makes a folder the current one, for all threads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_chdir(dir: *const c_char) -> c_int {
    // SAFETY: the caller gives a string, or NULL.
    status(unsafe { folders::change(dir) })
}

/// Copies the user's home folder, which is HOME or what the list of users says, to `buffer`, which has `*size` bytes, and sets `*size` to
/// its length without the NUL. UV_ENOBUFS if it does not fit, and `*size` is then what it needs with the NUL; UV_EINVAL for NULL
/// and a size of 0. As getenv(), not safe while another thread changes the environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_homedir(buffer: *mut c_char, size: *mut usize) -> c_int {
    // SAFETY: the caller gives a size and room, or NULL, and keeps the environment from changing.
    status(unsafe { folders::home(buffer, size) })
}

/// Copies the folder for temporary files, which is the first of TMPDIR, TMP, TEMP and TEMPDIR that is set, or /tmp, to `buffer`; otherwise
/// as uv_os_homedir().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_tmpdir(buffer: *mut c_char, size: *mut usize) -> c_int {
    // SAFETY: the caller gives a size and room, or NULL, and keeps the environment from changing.
    status(unsafe { folders::temporary(buffer, size) })
}

/// Fills in the entry of the user whose rights the process has, to be given to uv_os_free_passwd(). UV_ENOENT if there is none,
/// UV_EINVAL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_get_passwd(pwd: *mut uv_passwd_t) -> c_int {
    // SAFETY: the caller has room for the entry, or gives NULL.
    unsafe { uv_os_get_passwd2(pwd, users::own()) }
}

/// Fills in the entry of a user, to be given to uv_os_free_passwd(). UV_ENOENT if there is none, UV_EINVAL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_get_passwd2(pwd: *mut uv_passwd_t, uid: uv_uid_t) -> c_int {
    if pwd.is_null() {
        return UV_EINVAL;
    }
    // SAFETY: the caller has room for the entry.
    status(users::passwd_of(uid).map(|entry| unsafe { pwd.write(entry) }))
}

/// Frees what uv_os_get_passwd() or uv_os_get_passwd2() has filled in. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_free_passwd(pwd: *mut uv_passwd_t) {
    // SAFETY: the caller gives such an entry, or NULL.
    unsafe { users::free_passwd(pwd) }
}

/// Fills in the entry of a group, to be given to uv_os_free_group(). The list of members ends with NULL. UV_ENOENT if there is none,
/// UV_EINVAL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_get_group(grp: *mut uv_group_t, gid: uv_uid_t) -> c_int {
    if grp.is_null() {
        return UV_EINVAL;
    }
    // SAFETY: the caller has room for the entry.
    status(users::group_of(gid).map(|entry| unsafe { grp.write(entry) }))
}

/// Frees what uv_os_get_group() has filled in. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_free_group(grp: *mut uv_group_t) {
    // SAFETY: the caller gives such an entry, or NULL.
    unsafe { users::free_group(grp) }
}

/// Stores the priority of a process (0: this one), from -20, the highest, to 19. UV_ESRCH if there is no such process, UV_EINVAL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_getpriority(pid: uv_pid_t, priority: *mut c_int) -> c_int {
    if priority.is_null() {
        return UV_EINVAL;
    }
    // SAFETY: the caller has room for the number.
    status(pid::priority(pid).map(|found| unsafe { priority.write(found) }))
}

/// Sets the priority of a process (0: this one), from -20, the highest, to 19. UV_EINVAL for other numbers, UV_ESRCH if there is no such
/// process, UV_EACCES and UV_EPERM without the right to.
#[unsafe(no_mangle)]
pub extern "C" fn uv_os_setpriority(pid: uv_pid_t, priority: c_int) -> c_int {
    status(pid::set_priority(pid, priority))
}

/// Stores what the process has used so far; `ru_maxrss` is in KiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_getrusage(rusage: *mut uv_rusage_t) -> c_int {
    // SAFETY: the caller has room for the result.
    status(usage::of_process().map(|used| unsafe { rusage.write(used) }))
}

/// Stores what the calling thread has used so far; `ru_maxrss` is in KiB, and the process's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_getrusage_thread(rusage: *mut uv_rusage_t) -> c_int {
    // SAFETY: the caller has room for the result.
    status(usage::of_thread().map(|used| unsafe { rusage.write(used) }))
}

/// Stores how many bytes of the process are in memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_resident_set_memory(rss: *mut usize) -> c_int {
    // SAFETY: the caller has room for the number.
    status(usage::resident_memory().map(|bytes| unsafe { rss.write(bytes) }))
}
