//! Starting programs: clone(2), and what the child does until it has become the program.
//!
//! The child shares this process's memory, and the thread that starts it stands still until the program runs, so that the cost
//! does not grow with that memory. Nothing is safe there that may find a lock taken or a structure half changed by another
//! thread: the child makes system calls, reads what was prepared for it, and writes to its own [`Workspace`] alone. It has a
//! stack of its own, and all signals are blocked until they have no handlers any more.
//!
//! A child that gets another user or group has a copy of the memory instead: changing those makes the kernel protect the memory
//! from being looked at, which would remain so for the parent. The workspace is then in memory that both share nevertheless; so is that of
//! the first child, which tells whether memory is shared at all.
//!
//! Where an emulator gives a copy although sharing was asked for, all of this works too. If the parent does not stand still there, what
//! keeps the child from its program is told by exit status 127 alone.

use super::{check, check_again, fd, last_error, signal_mask, thread};
use crate::abi::errno::{Errno, Result};
use crate::mem;
use crate::sys::search_path;
use core::ffi::{CStr, c_char, c_int, c_long, c_void};
use core::mem::MaybeUninit;
use core::ptr::{copy_nonoverlapping, null, null_mut};
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};

// Where these calls came first with numbers of 16 bits, the later ones.
#[cfg(not(any(target_arch = "arm", target_arch = "sparc", target_arch = "x86")))]
use libc::{SYS_setgid, SYS_setgroups, SYS_setuid};
#[cfg(any(target_arch = "arm", target_arch = "sparc", target_arch = "x86"))]
use libc::{SYS_setgid32 as SYS_setgid, SYS_setgroups32 as SYS_setgroups, SYS_setuid32 as SYS_setuid};

/// What to start, and how. The strings and lists belong to the caller, and end as C has it.
pub struct Program<'a> {
    /// A path; without a slash a name, to be looked up in `search`.
    pub file: &'a CStr,
    pub arguments: *const *const c_char,
    pub environment: *const *const c_char,
    /// The child's current folder; null: that of this process.
    pub folder: *const c_char,
    pub user: Option<libc::uid_t>,
    pub group: Option<libc::gid_t>,
    /// Leads a session and a process group of its own.
    pub leads_session: bool,
    /// For each descriptor of the child, from 0, the one of this process that it is a copy of; -1: none, or /dev/null for the first three.
    pub descriptors: &'a [c_int],
}

/// A child that runs its program.
pub struct Child {
    pub pid: libc::pid_t,
    /// Readable when the child has ended; closed on exec, and the caller's to close.
    pub pidfd: Option<c_int>,
}

/// Folders to look in when the environment has no PATH.
const DEFAULT_SEARCH: &CStr = c"/usr/bin:/bin";
/// The child's functions need some thousands of bytes, most of them for a path; the dynamic linker may need as many.
const STACK: usize = 64 << 10;
/// What the kernel calls a signal set has so many bytes.
const KERNEL_SIGSET: usize = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 16 } else { 8 };

/// What parent and child share in any case; the child's descriptors come behind it, and the child's stack after those.
#[repr(C)]
struct Workspace<'a> {
    program: &'a Program<'a>,
    search: *const c_char,
    /// What has kept the child from becoming the program, an `errno`; 0: nothing.
    error: AtomicI32,
    /// The first of as many as the program has.
    descriptors: [c_int; 0],
}

/// Whether a child has been seen to share the memory of this process.
static SHARES_MEMORY: AtomicBool = AtomicBool::new(false);

/// Memory for a workspace and a stack, that parent and child share.
enum Shared {
    /// Of the memory that they have in common, which is cheaper by far.
    Block(*mut c_void),
    /// Shared also if all else is copied.
    Mapping(*mut c_void, usize),
}

impl Shared {
    fn new(size: usize, copies: bool) -> Result<Shared> {
        if !copies && SHARES_MEMORY.load(Ordering::Relaxed) {
            return Ok(Shared::Block(mem::alloc_array::<u8>(size)?.as_ptr().cast()));
        }
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping, wherever the kernel likes.
        let start = unsafe { libc::mmap(null_mut(), size, access, kind, -1, 0) };
        if start == libc::MAP_FAILED { Err(last_error()) } else { Ok(Shared::Mapping(start, size)) }
    }

    fn start(&self) -> *mut c_void {
        match self {
            Shared::Block(start) | Shared::Mapping(start, _) => *start,
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: the memory is this value's.
        unsafe {
            match *self {
                Shared::Block(start) => mem::free(start),
                Shared::Mapping(start, size) => {
                    libc::munmap(start, size);
                }
            }
        }
    }
}

/// Starts the program, and returns when it runs; an error is why it does not, and then there is no child. Asks for a descriptor of
/// the child if it is `watched`, which old systems do not give.
pub fn spawn(program: &Program, watched: bool) -> Result<Child> {
    let search = search_folders(program)?;
    let list = size_of_val(program.descriptors);
    let size = size_of::<Workspace>().checked_add(list).and_then(|size| size.checked_next_multiple_of(4096));
    let size = size.and_then(|size| size.checked_add(STACK)).ok_or(Errno::ENOMEM)?;
    let copies = program.user.is_some() || program.group.is_some();
    let shared = Shared::new(size, copies)?;
    let workspace = shared.start().cast::<Workspace>();
    // SAFETY: there is room for the workspace and the list behind it; the path is written before it is read.
    unsafe {
        (&raw mut (*workspace).program).write(program);
        (&raw mut (*workspace).search).write(search);
        (&raw mut (*workspace).error).write(AtomicI32::new(0));
        let descriptors = (&raw mut (*workspace).descriptors).cast::<c_int>();
        copy_nonoverlapping(program.descriptors.as_ptr(), descriptors, program.descriptors.len());
    }
    let mask = signal_mask::block_all_signals();
    let cancellable = thread::set_cancellable(false); // or the child would end as this thread does
    let child = clone_child(shared.start(), size, copies, watched);
    thread::set_cancellable(cancellable);
    signal_mask::set_signal_mask(&mask);
    let child = child?;
    // SAFETY: initialised above. The child has ended or become another program.
    match unsafe { &(*workspace).error }.load(Ordering::Acquire) {
        0 => Ok(child),
        errno => {
            reap(child);
            Err(Errno::from_errno(errno))
        }
    }
}

/// The workspace at `start` is complete, and what is behind it, up to `size`, the child's stack.
fn clone_child(start: *mut c_void, size: usize, copies: bool, watched: bool) -> Result<Child> {
    let flags = libc::SIGCHLD | libc::CLONE_VFORK | if copies { 0 } else { libc::CLONE_VM };
    let mut pidfd: c_int = -1;
    let clone = |flags, pidfd: *mut c_int| {
        // SAFETY: nobody else uses the stack, which grows down from the end; the child keeps to the rules of this module.
        check(unsafe { libc::clone(child_main, start.byte_add(size), flags, start, pidfd) })
    };
    let pid = match watched {
        false => clone(flags, null_mut()),
        true => match clone(flags | libc::CLONE_PIDFD, &raw mut pidfd) {
            Err(Errno::EAGAIN) => Err(Errno::EAGAIN),
            Err(_) => clone(flags, null_mut()), // no descriptor to be had, or a filter that refuses them
            pid => pid,
        },
    };
    Ok(Child { pid: pid?, pidfd: (pidfd >= 0).then_some(pidfd) })
}

/// Ends a child and removes its traces.
pub fn discard(child: Child) {
    // SAFETY: no pointers. As long as nobody else waits for the program's children the number is the child's own.
    unsafe { libc::kill(child.pid, libc::SIGKILL) };
    reap(child);
}

/// Removes the traces of a child that ends.
fn reap(child: Child) {
    // SAFETY: the status is not asked for. The child may be gone, if the program waits for its children, or for none.
    let _ = check_again(|| unsafe { libc::waitpid(child.pid, null_mut(), 0) });
    if let Some(pidfd) = child.pidfd {
        fd::close(pidfd);
    }
}

/// Takes the status of a child that has ended, as wait(2) has it; None while it runs. `UV_ECHILD` if somebody else took it.
pub fn take_status(pid: libc::pid_t) -> Result<Option<c_int>> {
    let mut status = 0;
    // SAFETY: the result fits.
    match check_again(|| unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) })? {
        0 => Ok(None),
        _ => Ok(Some(status)),
    }
}

/// Whether children that end leave no status, because the process ignores `SIGCHLD`; it may have inherited that.
pub fn children_vanish() -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: zeros are a value of the struct, and the call can only fill it.
    let action = unsafe {
        libc::sigaction(libc::SIGCHLD, null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN || action.sa_flags & libc::SA_NOCLDWAIT != 0
}

/// The folders to look in, or null if the file is a path: the PATH that the child will have.
fn search_folders(program: &Program) -> Result<*const c_char> {
    let file = program.file.to_bytes();
    if file.contains(&b'/') {
        return Ok(null());
    }
    if file.len() > search_path::NAME_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    // SAFETY: null, or a list of strings with a null pointer at its end.
    unsafe {
        let mut variable = program.environment;
        while !variable.is_null() && !(*variable).is_null() {
            if libc::strncmp(*variable, c"PATH=".as_ptr(), 5) == 0 {
                return Ok((*variable).add(5));
            }
            variable = variable.add(1);
        }
    }
    Ok(DEFAULT_SEARCH.as_ptr())
}

/// The child begins here.
extern "C" fn child_main(argument: *mut c_void) -> c_int {
    let workspace = argument.cast::<Workspace>();
    SHARES_MEMORY.store(true, Ordering::Relaxed); // seen by the parent only if it is so
    // SAFETY: what `clone_child` says. Nothing else of the parent's is changed but the workspace.
    unsafe {
        let error = match prepare(workspace) {
            Ok(()) => execute(workspace),
            Err(error) => error,
        };
        (*workspace).error.store(error.code().wrapping_neg(), Ordering::Release);
        libc::_exit(127)
    }
}

/// Everything before the program: signals, session, descriptors, folder, rights. The C library's functions that change rights are
/// not for a child like this, they would tell the parent's threads; so system calls are made directly.
///
/// # Safety
/// In the child, with a complete workspace.
unsafe fn prepare(workspace: *mut Workspace) -> Result {
    // SAFETY: the program is the parent's, which stands still.
    unsafe {
        let program = (*workspace).program;
        forget_handlers();
        if program.leads_session {
            libc::setsid();
        }
        let descriptors = (&raw mut (*workspace).descriptors).cast::<c_int>();
        place_descriptors(descriptors, program.descriptors.len())?;
        if !program.folder.is_null() {
            check(libc::chdir(program.folder))?;
        }
        if program.user.is_some() || program.group.is_some() {
            // The groups of the parent are no business of the child; only root can drop them, others keep theirs.
            libc::syscall(SYS_setgroups, 0, null::<libc::gid_t>());
        }
        if let Some(group) = program.group {
            check_call(libc::syscall(SYS_setgid, group))?;
        }
        if let Some(user) = program.user {
            check_call(libc::syscall(SYS_setuid, user))?;
        }
    }
    Ok(())
}

fn check_call(result: c_long) -> Result {
    if result == -1 { Err(last_error()) } else { Ok(()) }
}

/// Gives all signals their default action, those that the C library keeps for itself too: their handlers are the parent's.
///
/// # Safety
/// In the child.
unsafe fn forget_handlers() {
    let default = [0u64; 8]; // more than the kernel's struct has; SIG_DFL, no flags, no mask
    for signum in 1..=64 {
        // SAFETY: the kernel reads less than there is. SIGKILL and SIGSTOP are refused.
        unsafe {
            libc::syscall(libc::SYS_rt_sigaction, signum, default.as_ptr(), null::<c_void>(), KERNEL_SIGSET)
        };
    }
}

/// Puts copies of the descriptors in `list` to their places in the child.
///
/// # Safety
/// In the child; `list` has `count` entries, which this may change.
unsafe fn place_descriptors(list: *mut c_int, count: usize) -> Result {
    let count = c_int::try_from(count).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the caller's; the descriptors are the child's own.
    unsafe {
        // First away with those that stand where others will go.
        for fd in 0..count {
            let source = list.add(fd.cast_unsigned() as usize);
            if *source >= 0 && *source < count && *source != fd {
                *source = check(libc::fcntl(*source, libc::F_DUPFD_CLOEXEC, count))?;
            }
        }
        for fd in 0..count {
            match *list.add(fd.cast_unsigned() as usize) {
                -1 if fd > 2 => {
                    libc::close(fd);
                }
                -1 => open_null(fd)?,
                source => put(source, fd)?,
            }
        }
    }
    Ok(())
}

/// Makes `fd` a copy of `source` that the program gets. Standard streams wait for their data: hardly a program expects anything else.
///
/// # Safety
/// In the child.
unsafe fn put(source: c_int, fd: c_int) -> Result {
    // SAFETY: no pointers.
    unsafe {
        if source == fd {
            check(libc::fcntl(fd, libc::F_SETFD, 0))?;
        } else {
            check(libc::dup2(source, fd))?;
        }
        if fd <= 2 {
            let flags = check(libc::fcntl(fd, libc::F_GETFL))?;
            if flags & libc::O_NONBLOCK != 0 {
                check(libc::fcntl(fd, libc::F_SETFL, flags & !libc::O_NONBLOCK))?;
            }
        }
    }
    Ok(())
}

/// # Safety
/// In the child.
unsafe fn open_null(fd: c_int) -> Result {
    let access = if fd == 0 { libc::O_RDONLY } else { libc::O_RDWR };
    // SAFETY: the path is a string.
    unsafe {
        libc::close(fd); // there may be no other number left
        let null = check(libc::open(c"/dev/null".as_ptr(), access | libc::O_CLOEXEC))?;
        put(null, fd)?;
        if null != fd {
            libc::close(null);
        }
    }
    Ok(())
}

/// Becomes the program; the result is why not.
///
/// # Safety
/// In the child, with a complete workspace.
unsafe fn execute(workspace: *mut Workspace) -> Errno {
    let nothing = [0u64; 2];
    // SAFETY: the kernel reads a signal set; the other pointers are the caller's. The list of folders is a string.
    unsafe {
        let program = (*workspace).program;
        let mask = null_mut::<c_void>();
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, nothing.as_ptr(), mask, KERNEL_SIGSET);
        if (*workspace).search.is_null() {
            libc::execve(program.file.as_ptr(), program.arguments, program.environment);
            return last_error();
        }
        let folders = CStr::from_ptr((*workspace).search).to_bytes();
        let mut error = Errno::ENOENT;
        let mut denied = false;
        for path in search_path::candidates(folders, program.file.to_bytes()) {
            libc::execve(path.as_c_str().as_ptr(), program.arguments, program.environment);
            error = last_error();
            match error {
                Errno::EACCES => denied = true,
                Errno::ENOENT | Errno::ENOTDIR => {}
                _ => return error,
            }
        }
        if denied { Errno::EACCES } else { error }
    }
}
