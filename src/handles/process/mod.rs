//! `uv_process_t`: a child process, and the news of its end.
//!
//! A child is watched through a descriptor of its own (pidfd), which disturbs neither the program's `SIGCHLD` handler nor other
//! children. Where there is none (old systems, filters, no descriptor left, or `SIGCHLD` ignored so that a child's status would be
//! lost) the loop waits for `SIGCHLD`, and asks for each of its children of this kind.
//!
//! Whoever else takes a child's status (wait(2) in the program) leaves the handle active for ever, as in the reference.
//!
//! Deliberate differences from the reference: what it asserts about the options is `UV_EINVAL`; `uv_process_kill` of a handle
//! without a process is `UV_ESRCH`, never a signal to the own process group.

mod stdio;

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::queue;
use crate::event_loop::Loop;
use crate::event_loop::watcher::{Owner, Watcher};
use crate::handles::signal;
use crate::mem::Owned;
use crate::os::{environment, pid};
use crate::ptr::{Cx, Handle};
use crate::sys::fd;
use crate::sys::spawn::{self, Child, Program};
use core::ffi::{CStr, c_int};
use core::mem::zeroed;
use core::ptr::null_mut;
use stdio::Stdio;

/// There is no process, or its status was taken: the number may be another's. A flag that no other handle type uses.
const GONE: u32 = 0x0100_0000;

const KNOWN_FLAGS: u32 = UV_PROCESS_SETUID
    | UV_PROCESS_SETGID
    | UV_PROCESS_DETACHED
    | UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS
    | UV_PROCESS_WINDOWS_HIDE
    | UV_PROCESS_WINDOWS_HIDE_CONSOLE
    | UV_PROCESS_WINDOWS_HIDE_GUI
    | UV_PROCESS_WINDOWS_FILE_PATH_EXACT_NAME;

/// What a handle has while its end was not reported; its address is in `handle.u.reserved[0]`. Without a pidfd the watcher's descriptor
/// is -1, and the process is in the loop's `process_handles` until it has ended.
struct Reaper {
    watcher: uv__io_t,
    process: *mut uv_process_t,
}

/// `uv_spawn`.
///
/// # Safety
/// `raw` is writable memory for a process handle that is not in use, and `options` are valid with all they lead to.
pub unsafe fn spawn(
    cx: &Cx,
    lp: Loop,
    raw: *mut uv_process_t,
    options: *const uv_process_options_t,
) -> Result {
    // SAFETY: the caller's; nobody else has the handle yet.
    let (handle, options) = unsafe {
        let handle = Handle::init(cx, lp, raw);
        queue::init(&raw mut (*raw).queue);
        (handle, options.read())
    };
    handle.set_exit_cb(None);
    handle.set_pid(0);
    handle.set_status(0);
    handle.set(GONE);
    set_reaper(handle, null_mut());
    // SAFETY: the caller's.
    let prepared = unsafe { check_options(&options).and_then(|()| Stdio::prepare(cx, &options)) };
    let stdio = prepared.inspect_err(|_| {
        handle.leave_list(); // as in the reference, such a handle may be forgotten without being closed
    })?;
    // SAFETY: the caller's.
    let started = unsafe { start(cx, handle, &options, &stdio) };
    // The streams are opened even if there is no child: programs expect them to be.
    stdio.open(cx).and(started)
}

fn check_options(options: &uv_process_options_t) -> Result {
    let ok = !options.file.is_null() && options.flags & !KNOWN_FLAGS == 0 && options.stdio_count >= 0;
    if ok { Ok(()) } else { Err(Errno::EINVAL) }
}

/// Starts the child and begins to watch it.
///
/// # Safety
/// The options are valid.
unsafe fn start(
    cx: &Cx,
    handle: Handle<'_, uv_process_t>,
    options: &uv_process_options_t,
    stdio: &Stdio,
) -> Result {
    let wanted = |flag| options.flags & flag != 0;
    let environment = if options.env.is_null() { environment::raw() } else { options.env.cast() };
    let program = Program {
        // SAFETY: the caller's.
        file: unsafe { CStr::from_ptr(options.file) },
        arguments: options.args.cast(),
        environment,
        folder: options.cwd,
        user: wanted(UV_PROCESS_SETUID).then_some(options.uid),
        group: wanted(UV_PROCESS_SETGID).then_some(options.gid),
        leads_session: wanted(UV_PROCESS_DETACHED),
        descriptors: stdio.for_child(),
    };
    // SAFETY: zeros are a value of a watcher, which `adopt` initialises.
    let reaper = Owned::new(Reaper { watcher: unsafe { zeroed() }, process: handle.as_ptr() })?;
    let by_signal = spawn::children_vanish();
    if by_signal {
        watch_signal(cx, handle.owner())?; // before the child can end
    }
    let child = spawn::spawn(&program, !by_signal);
    let result = child.and_then(|child| {
        handle.set_exit_cb(options.exit_cb);
        adopt(cx, handle, reaper, child)
    });
    unwatch_signal(handle);
    result
}

/// Watches a child that was just started.
fn adopt(cx: &Cx, handle: Handle<'_, uv_process_t>, reaper: Owned<Reaper>, child: Child) -> Result {
    set_reaper(handle, reaper.into_raw());
    handle.set_pid(child.pid);
    handle.clear(GONE);
    let watcher = watcher(reaper_of(handle));
    watcher.init(Owner::Process, child.pidfd.unwrap_or(-1));
    let watched =
        child.pidfd.is_some() && handle.owner().watch(watcher, libc::EPOLLIN.cast_unsigned()).is_ok();
    if !watched && let Err(error) = adopt_by_signal(cx, handle) {
        spawn::discard(Child { pid: child.pid, pidfd: None });
        release(handle);
        handle.set(GONE);
        return Err(error);
    }
    handle.activate();
    Ok(())
}

/// Goes over to `SIGCHLD`. The child may have ended before, so it is asked at once.
fn adopt_by_signal(cx: &Cx, handle: Handle<'_, uv_process_t>) -> Result {
    let lp = handle.owner();
    close_pidfd(handle);
    watch_signal(cx, lp)?;
    // SAFETY: the node is the handle's and in no queue.
    unsafe { queue::push_back(lp.process_handles(), &raw mut (*handle.as_ptr()).queue) };
    check_on(handle);
    Ok(())
}

/// If the child has ended takes its status, and has that reported.
fn check_on(handle: Handle<'_, uv_process_t>) {
    let lp = handle.owner();
    let taken = spawn::take_status(handle.pid());
    if let Ok(None) = taken {
        return;
    }
    handle.set(GONE);
    close_pidfd(handle);
    // SAFETY: the node is the handle's.
    unsafe { queue::unlink(&raw mut (*handle.as_ptr()).queue) };
    match taken {
        Ok(Some(status)) => {
            handle.set_status(status);
            lp.feed(watcher(reaper_of(handle))); // after what the child has written was read
        }
        _ => release(handle),
    }
}

/// The child's descriptor has `events`, or none: its end is to be reported.
pub fn run(cx: &mut Cx, watcher: Watcher, events: u32) {
    // SAFETY: the watcher lies in the reaper of a living handle.
    let raw = unsafe { (*container_of!(watcher.as_ptr(), Reaper, watcher)).process };
    if events == 0 {
        return report(cx, raw);
    }
    // SAFETY: as above.
    let handle = unsafe { Handle::new(cx, raw) };
    check_on(handle);
    if !handle.has(GONE) {
        // Not the end, so the system refuses to watch such descriptors. Without memory the child's end stays unknown.
        let _ = adopt_by_signal(cx, handle);
    }
}

fn report(cx: &mut Cx, raw: *mut uv_process_t) {
    let (cb, status) = {
        // SAFETY: alive, since its reaper was.
        let handle = unsafe { Handle::new(cx, raw) };
        release(handle);
        handle.deactivate();
        (handle.exit_cb(), handle.status())
    };
    let exit_status = if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 0 };
    let term_signal = if libc::WIFSIGNALED(status) { libc::WTERMSIG(status) } else { 0 };
    if let Some(cb) = cb {
        // SAFETY: the user's function, with the handle that it was given for.
        cx.call(|| unsafe { cb(raw, exit_status.into(), term_signal) });
    }
}

/// `uv_close`: a child that still runs will be nobody's.
pub fn stop(handle: Handle<'_, uv_process_t>) {
    release(handle);
    handle.deactivate();
}

/// `uv_process_kill`.
pub fn kill(handle: Handle<'_, uv_process_t>, signum: c_int) -> Result {
    if handle.has(GONE) { Err(Errno::ESRCH) } else { pid::kill(handle.pid(), signum) }
}

/// Lets go of what watches the child.
fn release(handle: Handle<'_, uv_process_t>) {
    let reaper = reaper_of(handle);
    if reaper.is_null() {
        return;
    }
    close_pidfd(handle);
    handle.owner().unwatch(watcher(reaper));
    set_reaper(handle, null_mut());
    // SAFETY: the node is the handle's; the reaper is that of `adopt`, and was just forgotten.
    unsafe {
        queue::unlink(&raw mut (*handle.as_ptr()).queue);
        drop(Owned::from_raw(reaper));
    }
    unwatch_signal(handle);
}

fn close_pidfd(handle: Handle<'_, uv_process_t>) {
    let watcher = watcher(reaper_of(handle));
    if watcher.fd() >= 0 {
        handle.owner().unwatch(watcher);
        fd::close(watcher.fd());
        watcher.set_fd(-1);
    }
}

/// Has `on_child` called for `SIGCHLD`.
fn watch_signal(cx: &Cx, lp: Loop) -> Result {
    let raw = lp.child_watcher();
    // SAFETY: the handle is part of the loop, zeroed by its init. It is in no queue of the loop, so it neither is walked nor keeps the
    // loop from being closed; it is stopped long before.
    let handle = unsafe {
        if (*raw).handle.loop_.is_null() {
            signal::init(cx, lp, raw);
            Handle::new(cx, raw).leave_list();
        }
        Handle::new(cx, raw)
    };
    handle.set(UV_HANDLE_INTERNAL);
    handle.unreference();
    signal::start(handle, Some(on_child), libc::SIGCHLD, false)
}

/// Ends that with the last child of its kind.
fn unwatch_signal(handle: Handle<'_, uv_process_t>) {
    let lp = handle.owner();
    let raw = lp.child_watcher();
    // SAFETY: the queue is initialised; the handle is zeroed, or was initialised by `watch_signal`.
    unsafe {
        if queue::is_empty(lp.process_handles()) && !(*raw).handle.loop_.is_null() {
            signal::stop(handle.beside(raw));
        }
    }
}

/// Some child has ended, perhaps one of ours.
unsafe extern "C" fn on_child(handle: *mut uv_signal_t, _signum: c_int) {
    // SAFETY: called by `signal::run`, on the loop's thread. Nothing here runs user code.
    unsafe {
        let cx = Cx::enter();
        let head = Loop::new((*handle).handle.loop_).process_handles();
        let mut node = (*head).next;
        while node != head {
            let process = container_of!(node, uv_process_t, queue);
            node = (*node).next;
            check_on(Handle::new(&cx, process));
        }
    }
}

fn reaper_of(handle: Handle<'_, uv_process_t>) -> *mut Reaper {
    // SAFETY: set by `spawn`, before anything else.
    unsafe { (&raw const (*handle.base().as_ptr()).u.reserved).cast::<*mut Reaper>().read() }
}

fn set_reaper(handle: Handle<'_, uv_process_t>, reaper: *mut Reaper) {
    // SAFETY: the handle is writable, and the words are the library's.
    unsafe { (&raw mut (*handle.base().as_ptr()).u.reserved).cast::<*mut Reaper>().write(reaper) }
}

fn watcher(reaper: *mut Reaper) -> Watcher {
    // SAFETY: the reaper lives as long as its handle does not let go of it.
    unsafe { Watcher::new(&raw mut (*reaper).watcher) }
}
