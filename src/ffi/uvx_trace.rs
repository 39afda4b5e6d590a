//! Tracing: events of all threads, written as JSON that trace viewers open.

use super::status;
use crate::abi::errno::Errno;
use crate::abi::*;
use crate::trace::agent::Agent;
use crate::trace::{self, Input, control};
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};

/// The byte of a category: not 0 while somebody wants its events. Programs keep the address, which stays valid for good, and look at the byte
/// before they do anything for an event (UVX_TRACE_ON). `name` is copied; with commas in it, it stands for several names, and is on
/// when one of them is. The library's own category is "uv".
///
/// Any thread. Without memory, and for NULL, this is a byte that is always 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_trace_category(name: *const c_char) -> *const u8 {
    // SAFETY: the caller gives a string or NULL.
    unsafe { control::category(name) }
}

/// Adds an event of now to the calling thread's buffer; does nothing if the category is off. Takes no lock, does not wait (but with
/// UVX_TRACE_BLOCK), and needs memory for a thread's first event only.
///
/// `category` comes from uvx_trace_category. `phase` is what the Chrome trace format calls so: 'B' and 'E' for the beginning and the end of
/// something on this thread; 'b', 'n' and 'e' for something with an `id` that may go from thread to thread; 's', 't', 'f' for an
/// arrow; 'i' for a moment; 'C' for counters, whose values are the arguments; 'N', 'O', 'D' for the life of an object; 'R' for
/// a mark; 'S', 'T', 'p', 'F'. An `id` of 0 is none. `args` are copied, but the strings that `name` and they lead to are not: those
/// have to stay until they are written, unless `flags` says UVX_TRACE_COPY.
///
/// Any thread, no signal handler. UV_EAGAIN: the event was dropped, for lack of room or because this is the agent's thread; it was
/// counted. UV_ENOMEM: the same for lack of memory. UV_E2BIG: it has more arguments than uvx_trace_options_t allows, or is
/// larger than a buffer, or than 512 KiB. UV_EINVAL: no name, no `args` although there should be some, or unknown phase or flags.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_trace_event(
    category: *const u8,
    phase: c_char,
    name: *const c_char,
    id: u64,
    nargs: c_uint,
    args: *const uvx_trace_arg_t,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller gives a byte of a category, strings, and so many arguments.
    unsafe {
        let Some(category) = control::wanted(category) else { return 0 };
        status(trace::event(category, phase as u8, id, &Input { name, args, count: nargs, flags }))
    }
}

/// Adds an event that began at `start_ns` (uv_hrtime) and ends now: one instead of 'B' and 'E', phase 'X'. Otherwise as uvx_trace_event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_trace_complete(
    category: *const u8,
    name: *const c_char,
    start_ns: u64,
    nargs: c_uint,
    args: *const uvx_trace_arg_t,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller gives a byte of a category, strings, and so many arguments.
    unsafe {
        let Some(category) = control::wanted(category) else { return 0 };
        status(trace::complete(category, start_ns, &Input { name, args, count: nargs, flags }))
    }
}

/// Starts the process's agent, which writes what is traced, on a thread of its own that takes no signals. All categories are off until
/// uvx_trace_enable. `options` may be NULL. Any thread.
///
/// Files are made with the first event in them, readable by all (0644). A regular file is valid JSON after each flush, also if the
/// process is then killed. What cannot be written is lost, and counted; the callback and the next uvx_trace_flush are told; the next flush
/// tries again. A name of a pipe that nobody reads is such an error, too.
///
/// UV_EBUSY: there is an agent already. UV_EINVAL: the options make no sense. UV_ENOMEM, UV_EAGAIN: no memory, no thread. The child
/// after fork has no agent: there all categories are off, the parent's agent must not be used (UV_ESHUTDOWN), and another
/// may be started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_trace_agent_start(
    agent: *mut *mut uvx_trace_agent_t,
    options: *const uvx_trace_options_t,
) -> c_int {
    // SAFETY: the caller gives options or NULL.
    match unsafe { control::start(options) } {
        // SAFETY: the caller gives room for the result.
        Ok(started) => unsafe { agent.write(started.cast()) },
        Err(error) => return error.code(),
    }
    0
}

/// Wants the categories in `categories`, with commas between them: names, or beginnings of names with a '*' behind. That is counted for each
/// `client`, an address that stands for whoever asks (NULL is one, too): what was enabled twice has to be disabled twice. A category is on
/// while anybody wants it. Others that trace meanwhile are not disturbed. Any thread.
///
/// UV_EINVAL: there is no name in it. UV_ENOMEM, with nothing changed. UV_ESHUTDOWN: the agent is being stopped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_trace_enable(
    agent: *mut uvx_trace_agent_t,
    client: *const c_void,
    categories: *const c_char,
) -> c_int {
    if categories.is_null() {
        return Errno::EINVAL.code();
    }
    // SAFETY: the caller gives an agent and a string.
    unsafe { status(control::enable(&*agent.cast(), client, CStr::from_ptr(categories))) }
}

/// The opposite of uvx_trace_enable, with the same names; NULL stands for all that the client wants. What was traced before is written. Any
/// thread. UV_ENOENT: the client does not want one of them (or any); nothing has changed. UV_EINVAL: there is no name in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_trace_disable(
    agent: *mut uvx_trace_agent_t,
    client: *const c_void,
    categories: *const c_char,
) -> c_int {
    // SAFETY: the caller gives an agent, and a string or NULL.
    unsafe {
        let names = if categories.is_null() { None } else { Some(CStr::from_ptr(categories)) };
        status(control::disable(&*agent.cast(), client, names))
    }
}

/// Writes what is enabled to `buffer`, each once and with commas between them. `size` is the size of the buffer, and then the length of the
/// text. UV_ENOBUFS: it is too small; `size` is then what it takes, with the NUL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_trace_enabled(
    agent: *mut uvx_trace_agent_t,
    buffer: *mut c_char,
    size: *mut usize,
) -> c_int {
    // SAFETY: the caller gives an agent, and room for the text and its size.
    unsafe {
        let room = *size;
        match control::enabled(&*agent.cast(), buffer, room) {
            Ok(needed) if needed <= room => *size = needed.saturating_sub(1),
            Ok(needed) => {
                *size = needed;
                return Errno::ENOBUFS.code();
            }
            Err(error) => return error.code(),
        }
    }
    0
}

/// Waits until all is written that was traced before, by this thread and by all that it knows to be done. Returns the first error since the
/// last time: then events were lost. UV_ETIMEDOUT: it is not written after `timeout_ns` (UVX_FOREVER: no limit), but will be. UV_EINVAL:
/// this is the agent's thread. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_trace_flush(agent: *mut uvx_trace_agent_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller gives an agent.
    status(control::flush(unsafe { &*agent.cast() }, timeout_ns))
}

/// Switches all categories off, writes what was traced before, ends the file, and the agent. What other threads trace at the same time may
/// be missing. Buffers of threads go with their threads, or when they trace for another agent. One thread, once.
///
/// 0: the agent is gone. 1: it is, but since the last uvx_trace_flush something could not be written. With an error it is not: UV_ETIMEDOUT: it
/// takes no events any more, but has not finished after `timeout_ns` (UVX_FOREVER: no limit); this has to be called again.
/// UV_EINVAL, UV_ESHUTDOWN: this is the agent's thread, or the child after fork; nothing has changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_trace_agent_stop(agent: *mut uvx_trace_agent_t, timeout_ns: u64) -> c_int {
    // SAFETY: the caller gives up its agent.
    match unsafe { control::stop(agent.cast::<Agent>(), timeout_ns) } {
        Ok(is_whole) => c_int::from(!is_whole),
        Err(error) => error.code(),
    }
}

/// How much was written, and how much was not. Any thread. UV_EINVAL if `stats->size` is too small.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uvx_trace_stats(
    agent: *mut uvx_trace_agent_t,
    stats: *mut uvx_trace_stats_t,
) -> c_int {
    // SAFETY: the caller gives an agent, and room for the result of the size that it says.
    unsafe {
        let size = (*stats).size;
        if size < size_of::<uvx_trace_stats_t>() {
            return Errno::EINVAL.code();
        }
        stats.write(uvx_trace_stats_t { size, ..control::statistics(&*agent.cast()) });
    }
    0
}
