//! Tracing: events of all threads, in files that trace viewers open. `docs/uvx/trace.md` shows it from outside.
//!
//! Whoever traces looks at the byte of a category (`category.rs`), and does nothing more while it is 0. Else the event goes as a record
//! (`record.rs`) into one of the two buffers of its thread (`queue.rs`, `handover.rs`): no lock, no exchange, no allocation but for a thread's
//! first event. The agent's thread (`writer.rs`) reads along, makes text (`json.rs`), and writes it (`output.rs`).
//!
//! This lies below the loop, so that the loop can be traced; `own.rs` is what the library traces of itself.
//!
//! Layers, top to bottom: `control`, `own`; `writer`; `output`; `state`; `queue`; `agent`, `record`, `json`; `category`, `clients`; `handover`,
//! `text`. (The child after fork closes what the output has open, so `state` and `output` know each other.)

pub mod agent;
pub mod category;
pub mod clients;
pub mod control;
pub mod handover;
pub mod json;
pub mod output;
pub mod own;
pub mod queue;
pub mod record;
pub mod state;
pub mod writer;

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::sys::time::{now_ns, thread_cpu_ns};
use category::Category;
use core::ffi::{c_char, c_uint};
use record::Event;

/// Phases that an event may have which stands for a moment.
const PHASES: &[u8] = b"BEbneistfCNODRSTpF";

/// What is the same for all kinds of events.
pub struct Input {
    pub name: *const c_char,
    pub args: *const uvx_trace_arg_t,
    pub count: c_uint,
    pub flags: c_uint,
}

/// `uvx_trace_event`, of a category that is on.
///
/// # Safety
/// Strings and arguments are what they say.
#[inline]
pub unsafe fn event(category: &Category, phase: u8, id: u64, input: &Input) -> Result {
    // SAFETY: the caller's.
    unsafe { event_at(category, phase, id, now_ns(), input) }
}

/// As `event`, of what was at another time.
///
/// # Safety
/// As for `event`.
#[inline]
pub unsafe fn event_at(category: &Category, phase: u8, id: u64, at: u64, input: &Input) -> Result {
    if !PHASES.contains(&phase) {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's.
    unsafe { add(category, phase, id, at, None, input) }
}

/// `uvx_trace_complete`, of a category that is on: something began at `start` and ends now.
///
/// # Safety
/// As for `event`.
#[inline]
pub unsafe fn complete(category: &Category, start: u64, input: &Input) -> Result {
    // SAFETY: the caller's.
    unsafe { add(category, b'X', 0, start, Some(now_ns().saturating_sub(start)), input) }
}

#[inline]
unsafe fn add(
    category: &Category,
    phase: u8,
    id: u64,
    at: u64,
    duration: Option<u64>,
    input: &Input,
) -> Result {
    let no_args = input.args.is_null() && input.count > 0;
    if input.name.is_null()
        || no_args
        || input.flags & !(UVX_TRACE_COPY | UVX_TRACE_PROCESS | UVX_TRACE_GLOBAL) != 0
    {
        return Err(Errno::EINVAL);
    }
    let queue = match state::here() {
        Some(queue) => queue,
        None => match state::enter()? {
            Some(queue) => queue,
            None => return Ok(()), // the agent has stopped meanwhile
        },
    };
    let options = &queue.agent.options;
    let count = match u8::try_from(input.count) {
        Ok(count) if count <= options.max_args => count,
        _ => return Err(Errno::E2BIG),
    };
    let cpu = if options.given.flags & UVX_TRACE_TTS == 0 { None } else { thread_cpu_ns(0) };
    let (name, args, flags) = (input.name, input.args, input.flags);
    let event = Event { category, phase, name, id, at, duration, cpu, args, count, flags };
    // SAFETY: the caller's; the queue is this thread's.
    unsafe { queue.append(&event) }
}
