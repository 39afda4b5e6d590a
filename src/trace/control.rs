//! Starting, flushing and stopping the agent, and saying what it is to trace. Any thread, but that of the writer.

use super::agent::{Agent, Options};
use super::output::{Output, Pattern, USUAL_NAME};
use super::queue::Queue;
use super::state::{self, lock};
use super::writer::{self, Writer};
use super::{category, category::Category};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::mem::{Counted, Owned};
use crate::sync::prim::Ordering;
use crate::sys::{signal_mask, thread};
use core::ffi::{CStr, c_char, c_void};
use core::mem::MaybeUninit;
use core::ptr::copy_nonoverlapping;

/// Of the writer, whose callbacks are the program's.
const STACK: usize = 1 << 20;
/// The defaults.
const EVENTS_PER_FILE: u64 = 1 << 19;
const BUFFER_BYTES: usize = 2 << 20;
const LEAST_BUFFER: usize = 4096;
const MAX_ARGS: u8 = 16;
const INTERVAL_NS: u64 = 1_000_000_000;

/// `uvx_trace_category`.
///
/// # Safety
/// `name` is null or a string.
pub unsafe fn category(name: *const c_char) -> *const u8 {
    if name.is_null() || state::guard_forks().is_err() {
        return category::NEVER.as_byte();
    }
    let state = lock();
    // SAFETY: the caller's.
    let found =
        category::find(unsafe { CStr::from_ptr(name) }, state.accepting_agent().map(|agent| &agent.clients));
    found.unwrap_or(&category::NEVER).as_byte()
}

/// `uvx_trace_agent_start`.
///
/// # Safety
/// `options` is null or points at options of the size that stands in them.
pub unsafe fn start(options: *const uvx_trace_options_t) -> Result<*mut Agent> {
    // SAFETY: the caller's; defaults are all zero.
    let given = unsafe {
        match options.as_ref() {
            None => MaybeUninit::<uvx_trace_options_t>::zeroed().assume_init(),
            Some(given) if given.size < size_of::<uvx_trace_options_t>() => return Err(Errno::EINVAL),
            Some(_) => options.read(),
        }
    };
    // SAFETY: the caller's: a string.
    let name = if given.file.is_null() { USUAL_NAME } else { unsafe { CStr::from_ptr(given.file) } };
    let options = check(given, name)?;
    state::guard_forks()?;
    let agent = Counted::new(Agent::new(options))?;
    let output = Output::new(agent.clone(), Pattern::new(name)?);
    let writer = Writer::new(agent.clone(), output)?;
    let state = lock();
    if state.agent().is_some() {
        return Err(Errno::EBUSY);
    }
    state.make_key()?;
    launch(&agent, writer)?;
    state.set_agent(agent.clone());
    Ok(agent.into_raw())
}

fn check(given: uvx_trace_options_t, name: &CStr) -> Result<Options> {
    let bound = |value: u64, usual: u64| if value == 0 { usual } else { value };
    let is_one = given.write_cb.is_none() && !Pattern::is_many(name);
    let has_bound = |value: u64| value != 0 && value != u64::MAX;
    if given.flags & !(UVX_TRACE_TTS | UVX_TRACE_FSYNC) != 0
        || given.overflow > UVX_TRACE_BLOCK
        || (given.buffer_bytes != 0 && given.buffer_bytes < LEAST_BUFFER)
        || (is_one && (has_bound(given.events_per_file) || has_bound(given.bytes_per_file)))
    {
        return Err(Errno::EINVAL);
    }
    let bytes = if given.buffer_bytes == 0 { BUFFER_BYTES } else { given.buffer_bytes };
    Ok(Options {
        given,
        buffer_words: bytes / size_of::<u64>(),
        max_args: match given.max_args {
            0 => MAX_ARGS,
            wanted => u8::try_from(wanted).map_err(|_| Errno::EINVAL)?,
        },
        events_per_file: if is_one { u64::MAX } else { bound(given.events_per_file, EVENTS_PER_FILE) },
        bytes_per_file: bound(given.bytes_per_file, u64::MAX),
        interval_ns: match given.flush_interval_ns {
            0 => Some(INTERVAL_NS),
            u64::MAX => None,
            ns => Some(ns),
        },
    })
}

/// Starts the writer's thread, which takes no signals.
fn launch(agent: &Agent, writer: Owned<Writer>) -> Result {
    let raw = writer.into_raw();
    let before = signal_mask::block_all_signals();
    // SAFETY: the agent outlives its thread; the thread owns the writer, unless there is none.
    unsafe {
        let place = agent.thread.get().cast::<uv_thread_t>();
        let result = thread::create(place, STACK, writer::main, raw.cast());
        signal_mask::set_signal_mask(&before);
        result.inspect_err(|_| drop(Owned::from_raw(raw)))
    }
}

/// `uvx_trace_agent_stop`: whether all was written. On error the agent is still there.
///
/// # Safety
/// The agent was started, and is not stopped yet; only one thread stops it.
pub unsafe fn stop(raw: *mut Agent, timeout_ns: u64) -> Result<bool> {
    // SAFETY: the caller's.
    let agent = unsafe { &*raw };
    check_usable(agent)?;
    {
        let state = lock();
        category::set_all(None);
        agent.accepting.store(false, Ordering::Release);
        agent.stopping.store(true, Ordering::Release);
        state.for_each_queue(Queue::announce_room);
    }
    agent.wait_until_served(agent.request(), timeout_ns)?;
    // SAFETY: the writer's last act is done; nobody else joins it.
    let _ = unsafe { thread::join(agent.thread.get().cast::<uv_thread_t>().read()) };
    let is_whole = agent.take_error().is_ok();
    let state = lock();
    agent.clients.clear(); // queues of living threads keep the agent's memory
    let mine = state.take_agent();
    drop(state);
    drop(mine);
    // SAFETY: the caller's reference.
    drop(unsafe { Counted::from_raw(raw) });
    Ok(is_whole)
}

/// `UV_ESHUTDOWN`: this is the child of the process that started it. `UV_EINVAL`: this is its own thread.
fn check_usable(agent: &Agent) -> Result {
    if !lock().has_agent(agent) {
        return Err(Errno::ESHUTDOWN);
    }
    // SAFETY: set before the agent was.
    let writer = unsafe { agent.thread.get().cast::<uv_thread_t>().read() };
    if writer == thread::current() { Err(Errno::EINVAL) } else { Ok(()) }
}

/// `uvx_trace_flush`.
pub fn flush(agent: &Agent, timeout_ns: u64) -> Result {
    check_usable(agent)?;
    agent.wait_until_served(agent.request(), timeout_ns)?;
    agent.take_error()
}

/// `uvx_trace_enable`.
pub fn enable(agent: &Agent, client: *const c_void, categories: &CStr) -> Result {
    change(agent, || agent.clients.add(client, categories.to_bytes()))
}

/// `uvx_trace_disable`; None: all of the client's.
pub fn disable(agent: &Agent, client: *const c_void, categories: Option<&CStr>) -> Result {
    change(agent, || match categories {
        Some(categories) => agent.clients.remove(client, categories.to_bytes()),
        None => agent.clients.remove_all(client),
    })
}

fn change(agent: &Agent, change: impl FnOnce() -> Result) -> Result {
    let state = lock();
    if !state.has_agent(agent) || agent.stopping.load(Ordering::Relaxed) {
        return Err(Errno::ESHUTDOWN);
    }
    change()?;
    category::set_all(Some(&agent.clients));
    agent.wanted.store(agent.clients.want_something(), Ordering::Release);
    agent.ring(); // to write what was traced before, or to begin to look from time to time
    Ok(())
}

/// `uvx_trace_enabled`: the patterns that anybody has enabled, with commas, and a NUL, into `size` bytes; says how many bytes that takes.
///
/// # Safety
/// So many bytes can be written.
pub unsafe fn enabled(agent: &Agent, buffer: *mut c_char, size: usize) -> Result<usize> {
    let state = lock();
    if !state.has_agent(agent) {
        return Err(Errno::ESHUTDOWN);
    }
    let mut needed = 0;
    let mut put = |bytes: &[u8]| {
        let end = bytes.len().saturating_add(needed);
        if end <= size {
            // SAFETY: the caller's; it ends within.
            unsafe { copy_nonoverlapping(bytes.as_ptr().cast(), buffer.add(needed), bytes.len()) };
        }
        needed = end;
    };
    let mut is_first = true;
    agent.clients.for_each_pattern(|pattern| {
        put(if core::mem::take(&mut is_first) { b"" } else { b"," });
        put(pattern);
    });
    put(b"\0");
    Ok(needed)
}

/// `uvx_trace_stats`.
pub fn statistics(agent: &Agent) -> uvx_trace_stats_t {
    let counts = &agent.counts;
    let state = lock();
    let mut stats = uvx_trace_stats_t {
        size: size_of::<uvx_trace_stats_t>(),
        written: counts.written.load(Ordering::Relaxed),
        dropped: counts.dropped.load(Ordering::Relaxed),
        lost: counts.lost.load(Ordering::Relaxed),
        blocked: counts.blocked.load(Ordering::Relaxed),
        bytes: counts.bytes.load(Ordering::Relaxed),
        files: counts.files.load(Ordering::Relaxed),
        threads: 0,
    };
    state.for_each_queue(|queue| {
        if core::ptr::eq(&raw const *queue.agent, agent) {
            stats.dropped = stats.dropped.wrapping_add(queue.dropped.load(Ordering::Relaxed));
            stats.blocked = stats.blocked.wrapping_add(queue.blocked.load(Ordering::Relaxed));
            stats.threads = stats.threads.wrapping_add(1);
        }
    });
    stats
}

/// The category of a byte, if its events are wanted.
///
/// # Safety
/// The byte is that of a category.
#[inline]
pub unsafe fn wanted<'a>(byte: *const u8) -> Option<&'a Category> {
    // SAFETY: the caller's.
    let category = unsafe { Category::of_byte(byte) };
    category.is_on().then_some(category)
}
