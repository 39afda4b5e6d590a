//! `uv_fs_event_t`: tells of changes of a file, or of the entries of a folder.
//!
//! A loop has one inotify descriptor, opened by the first start. The kernel gives one number to all watches of one file, whatever
//! the path; [`Watches`] finds the started handles by it. When the last of them stops, the watch ends. A handle stays active when
//! its file is gone.
//!
//! Deliberate differences from the reference: handles that reach the same file by different paths keep each its own path and name;
//! when the kernel lost events, every handle is told, without a name, instead of none.

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds::buckets::Buckets;
use crate::ds::queue;
use crate::event_loop::Loop;
use crate::event_loop::watcher::{Owner, Watcher};
use crate::mem::{self, Owned};
use crate::ptr::{Cx, Handle};
use crate::sys::fd;
use crate::sys::inotify::{self, Event};
use core::cell::Cell;
use core::ffi::{CStr, c_char, c_int};
use core::ptr::null_mut;

/// Read at once: about a hundred events.
const BUFFER: usize = 4096;
/// Full buffers run in one turn before others get theirs.
const MOST_BUFFERS: usize = 32;
/// No watch has this number.
const NONE: c_int = 0;

/// What `uv_loop_t.inotify_watchers` leads to.
struct Watches {
    /// The started handles, by the numbers of their watches.
    started: Buckets,
    /// The watch whose event is being run. It ends after that, at the earliest.
    running: Cell<c_int>,
    /// The path that a callback may have the end of, or null when its handle was stopped meanwhile.
    lent_path: Cell<*mut c_char>,
}

/// `uv_fs_event_init`.
///
/// # Safety
/// `raw` is writable memory for a handle that is not in use.
pub unsafe fn init(cx: &Cx, lp: Loop, raw: *mut uv_fs_event_t) {
    // SAFETY: the caller's.
    let handle = unsafe { Handle::init(cx, lp, raw) };
    handle.set_cb(None);
    handle.set_path(null_mut());
    handle.set_wd(-1);
    // SAFETY: the node is the handle's and in no queue.
    unsafe { queue::init(node(handle)) };
}

/// `uv_fs_event_start`.
///
/// # Safety
/// `path` is null or a string.
pub unsafe fn start(handle: Handle<'_, uv_fs_event_t>, cb: uv_fs_event_cb, path: *const c_char) -> Result {
    if path.is_null() || handle.is_active() || handle.is_closing() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's.
    handle.set_path(unsafe { mem::duplicate(path) }?.as_ptr());
    watch(handle).inspect_err(|_| forget_path(handle))?;
    handle.set_cb(cb);
    handle.activate();
    Ok(())
}

/// `uv_fs_event_stop`.
pub fn stop(handle: Handle<'_, uv_fs_event_t>) {
    if !handle.is_active() {
        return;
    }
    let lp = handle.owner();
    if let Some(watches) = watches(lp) {
        // SAFETY: a started handle is in the table, or on the list of those to be called.
        unsafe { watches.started.remove(node(handle)) };
        end_unused(lp, watches, handle.wd());
    }
    handle.set_wd(-1);
    forget_path(handle);
    handle.deactivate();
}

/// Has the kernel watch the handle's path.
fn watch(handle: Handle<'_, uv_fs_event_t>) -> Result {
    let lp = handle.owner();
    let watches = open(lp)?;
    // SAFETY: set by `start`.
    let path = unsafe { CStr::from_ptr(handle.path()) };
    handle.set_wd(inotify::add(lp.inotify_fd(), path)?);
    // SAFETY: the node is the handle's and in no queue.
    unsafe { watches.started.push(node(handle), number_of) };
    Ok(())
}

/// Opens the loop's inotify descriptor, if it is not open yet.
fn open<'a>(lp: Loop) -> Result<&'a Watches> {
    if watches(lp).is_none() {
        let new =
            Watches { started: Buckets::new()?, running: Cell::new(NONE), lent_path: Cell::new(null_mut()) };
        lp.set_inotify_watchers(Owned::new(new)?.into_raw().cast());
    }
    if lp.inotify_fd() == -1 {
        let inotify = inotify::create()?;
        let watcher = watcher(lp);
        watcher.init(Owner::FsEvents, inotify);
        lp.watch(watcher, libc::EPOLLIN.cast_unsigned()).inspect_err(|_| fd::close(inotify))?;
        lp.set_inotify_fd(inotify);
    }
    watches(lp).ok_or(Errno::ENOMEM)
}

/// The inotify descriptor has events.
pub fn run(cx: &mut Cx, lp: Loop) {
    let mut buffer = [0; BUFFER];
    for _ in 0..MOST_BUFFERS {
        let Ok(bytes) = inotify::read(lp.inotify_fd(), &mut buffer) else { return };
        for event in inotify::events(bytes) {
            if event.mask & libc::IN_Q_OVERFLOW != 0 {
                tell_all(cx, lp);
            } else if run_event(cx, lp, &event).is_none() {
                return;
            }
        }
        if BUFFER - bytes.len() >= inotify::LARGEST_EVENT {
            return; // there were no more
        }
    }
}

/// Calls all handles of the event's watch. None if there was a fork: what else was read is the parent's then.
fn run_event(cx: &mut Cx, lp: Loop, event: &Event<'_>) -> Option<()> {
    let watches = watches(lp)?;
    let mut due = uv__queue { next: null_mut(), prev: null_mut() };
    let due = &raw mut due;
    // SAFETY: the list lives until it is empty: a handle leaves it when it is called or stopped. Its nodes lie in started handles.
    unsafe {
        move_all_of(watches, event.watch, due);
        if queue::is_empty(due) {
            return Some(()); // the last news of a watch that was ended
        }
        watches.running.set(event.watch);
        while let Some(node) = queue::pop_front(due) {
            queue::push_back(watches.started.queue_of(event.watch), node);
            run_handle(
                cx,
                watches,
                container_of!(node, uv_fs_event_t, watchers),
                event.name,
                kinds_of(event.mask),
            );
        }
    }
    if watches.running.replace(NONE) != event.watch {
        return None;
    }
    end_unused(lp, watches, event.watch);
    Some(())
}

/// What the program is told about `IN_*` bits.
fn kinds_of(mask: u32) -> c_int {
    let changes = libc::IN_ATTRIB | libc::IN_MODIFY;
    let change = if mask & changes != 0 { UV_CHANGE } else { 0 };
    let rename = if mask & !changes != 0 { UV_RENAME } else { 0 };
    (change | rename).cast_signed()
}

/// Moves the handles of `watch` to the queue `to`, which it initialises.
///
/// # Safety
/// `to` can be written.
unsafe fn move_all_of(watches: &Watches, watch: c_int, to: *mut uv__queue) {
    let head = watches.started.queue_of(watch);
    // SAFETY: the caller's; the table's nodes lie in started handles.
    unsafe {
        queue::init(to);
        let mut next = (*head).next;
        while next != head {
            let node = next;
            next = (*node).next;
            if number_of(node) == watch {
                queue::unlink(node);
                queue::push_back(to, node);
            }
        }
    }
}

fn run_handle(cx: &mut Cx, watches: &Watches, raw: *mut uv_fs_event_t, name: Option<&CStr>, kinds: c_int) {
    let (cb, path) = {
        // SAFETY: a started handle is alive.
        let handle = unsafe { Handle::new(cx, raw) };
        (handle.cb(), handle.path())
    };
    // SAFETY: a started handle has a path.
    let name = name.map_or_else(|| unsafe { last_part(path) }, CStr::as_ptr);
    watches.lent_path.set(path);
    if let Some(cb) = cb {
        // SAFETY: the user's function, with the handle that it was given for.
        cx.call(|| unsafe { cb(raw, name, kinds, 0) });
    }
    if watches.lent_path.replace(null_mut()).is_null() {
        // SAFETY: its handle was stopped and left it to us.
        unsafe { mem::free(path.cast()) };
    }
}

/// What follows the last slash of `path`.
///
/// # Safety
/// `path` is a string.
unsafe fn last_part(path: *const c_char) -> *const c_char {
    // SAFETY: the caller's; behind the slash there is at least the NUL.
    unsafe {
        let slash = libc::strrchr(path, c_int::from(b'/'));
        if slash.is_null() { path } else { slash.add(1) }
    }
}

/// Tells every started handle of the loop that events were lost.
fn tell_all(cx: &mut Cx, lp: Loop) {
    super::walk(cx, lp, |raw| {
        let raw = raw.cast::<uv_fs_event_t>();
        // SAFETY: a handle that is walked is alive, its type field says what it is, and nothing of this is used across the call.
        unsafe {
            let cb = {
                let cx = Cx::enter();
                let handle = Handle::new(&cx, raw);
                let is_ours = handle.base().handle_type() == UV_FS_EVENT && handle.is_active();
                if is_ours { handle.cb() } else { None }
            };
            if let Some(cb) = cb {
                cb(raw, core::ptr::null(), UV_CHANGE.cast_signed(), 0);
            }
        }
    });
}

/// Ends `watch` unless a handle uses it.
fn end_unused(lp: Loop, watches: &Watches, watch: c_int) {
    if watches.running.get() == watch {
        return; // when the event has run
    }
    let head = watches.started.queue_of(watch);
    // SAFETY: the table's nodes lie in started handles.
    unsafe {
        let mut node = (*head).next;
        while node != head {
            if number_of(node) == watch {
                return;
            }
            node = (*node).next;
        }
    }
    inotify::remove(lp.inotify_fd(), watch);
}

/// Frees the handle's path, or leaves that to the callback's caller.
fn forget_path(handle: Handle<'_, uv_fs_event_t>) {
    let path = handle.path();
    handle.set_path(null_mut());
    if let Some(watches) = watches(handle.owner())
        && watches.lent_path.get() == path
    {
        watches.lent_path.set(null_mut());
        return;
    }
    // SAFETY: made by `start`, and just forgotten.
    unsafe { mem::free(path.cast()) };
}

/// `uv_loop_fork`, in the child: the descriptor is shared with the parent, so the child needs one of its own. A handle whose path cannot
/// be watched any more stops, and the first error is the result.
pub fn fork(lp: Loop) -> Result {
    let Some(watches) = watches(lp) else { return Ok(()) };
    close_descriptor(lp);
    watches.running.set(NONE);
    // SAFETY: an entry from C on the loop's thread.
    let cx = unsafe { Cx::enter() };
    let mut result = Ok(());
    // All out before the first is in again, for the new numbers are the old ones of others.
    for_each_started(&cx, lp, |handle| {
        // SAFETY: a started handle is in the table, or on the list of those to be called.
        unsafe { watches.started.remove(node(handle)) };
    });
    for_each_started(&cx, lp, |handle| {
        if let Err(error) = watch(handle) {
            handle.set_wd(-1);
            forget_path(handle);
            handle.deactivate();
            result = result.and(Err(error));
        }
    });
    result
}

fn for_each_started<'cx>(cx: &'cx Cx, lp: Loop, mut each: impl FnMut(Handle<'cx, uv_fs_event_t>)) {
    let head = lp.handle_queue();
    // SAFETY: the queue's nodes are live handles, none of which `each` unlinks; the type field says what they are.
    unsafe {
        let mut node = (*head).next;
        while node != head {
            let handle = Handle::new(cx, container_of!(node, uv_handle_t, handle_queue));
            if handle.handle_type() == UV_FS_EVENT && handle.is_active() {
                each(handle.cast());
            }
            node = (*node).next;
        }
    }
}

/// For `uv_loop_close`.
pub fn close(lp: Loop) {
    close_descriptor(lp);
    let watches = lp.inotify_watchers().cast::<Watches>();
    lp.set_inotify_watchers(null_mut());
    if !watches.is_null() {
        // SAFETY: made by `open`; a loop is closed without handles.
        drop(unsafe { Owned::from_raw(watches) });
    }
}

fn close_descriptor(lp: Loop) {
    if lp.inotify_fd() != -1 {
        lp.unwatch(watcher(lp));
        fd::close(lp.inotify_fd());
        lp.set_inotify_fd(-1);
    }
}

fn watches<'a>(lp: Loop) -> Option<&'a Watches> {
    // SAFETY: null or made by `open`, and alive until `close`, after which nobody uses the loop. All fields are cells.
    unsafe { lp.inotify_watchers().cast::<Watches>().as_ref() }
}

fn watcher(lp: Loop) -> Watcher {
    // SAFETY: the watcher is a field of the loop, which is alive.
    unsafe { Watcher::new(&raw mut (*lp.as_ptr()).inotify_read_watcher) }
}

fn node(handle: Handle<'_, uv_fs_event_t>) -> *mut uv__queue {
    // SAFETY: the node is a field of the live handle.
    unsafe { &raw mut (*handle.as_ptr()).watchers }
}

/// The number of the watch of the handle around `node`.
fn number_of(node: *mut uv__queue) -> c_int {
    // SAFETY: only called for nodes of the table, which lie in started handles.
    unsafe { (&raw const (*container_of!(node, uv_fs_event_t, watchers)).wd).read() }
}
