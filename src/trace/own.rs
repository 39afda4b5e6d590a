//! What the library traces of itself, in the category `uv`: turns of loops and their waiting, late timers, work of pools and how long it
//! waited, and the messages of ports. While that is off each of these places costs one load.

use super::category::OWN;
use super::{Input, complete, event, event_at};
use crate::abi::*;
use crate::sys::time::now_ns;
use core::ffi::CStr;
use core::ptr::null;

/// What a trace says of work until a thread begins it, and of the work itself.
pub const QUEUED: &CStr = c"queued";
/// See above.
pub const WORK: &CStr = c"work";

/// Something that takes its time.
#[derive(Clone, Copy)]
pub struct Span(u64);

impl Span {
    /// It begins now.
    #[inline(always)]
    pub fn begin() -> Span {
        Span(if OWN.is_on() { now_ns() } else { 0 })
    }

    /// Whether it is worth while to find out what `end` says.
    #[inline(always)]
    pub fn is_on(self) -> bool {
        self.0 != 0
    }

    /// It has waited for its beginning since `since`, on whichever thread: phase `b` then and `e` when it began. Nothing, if it was not to begin yet.
    #[inline(always)]
    pub fn waited(self, name: &'static CStr, id: usize, since: u64) {
        if self.is_on() && since <= self.0 {
            write_wait(self, name, id as u64, since);
        }
    }

    /// It ends now.
    #[inline(always)]
    pub fn end(self, name: &'static CStr, args: &[(&'static CStr, i64)]) {
        if self.is_on() {
            write_span(self, name, args);
        }
    }
}

#[cold]
fn write_span(span: Span, name: &'static CStr, args: &[(&'static CStr, i64)]) {
    with_args(name, args, |input| {
        // SAFETY: literals.
        let _ = unsafe { complete(&OWN, span.0, input) }; // dropped events are counted
    });
}

#[cold]
fn write_wait(span: Span, name: &'static CStr, id: u64, since: u64) {
    with_args(name, &[], |input| {
        // SAFETY: a literal.
        let begun = unsafe { event_at(&OWN, b'b', id, since, input) };
        // SAFETY: as above.
        let _ = begun.and_then(|()| unsafe { event_at(&OWN, b'e', id, span.0, input) }); // as above
    });
}

/// Two ends of something that need not be on one thread: phase `b` and `e`, with the same name and id.
#[inline(always)]
pub fn mark(phase: u8, name: &'static CStr, id: usize) {
    if OWN.is_on() {
        write_mark(phase, name, id);
    }
}

#[cold]
fn write_mark(phase: u8, name: &'static CStr, id: usize) {
    with_args(name, &[], |input| {
        // SAFETY: a literal.
        let _ = unsafe { event(&OWN, phase, id as u64, input) }; // as above
    });
}

/// At most two arguments.
fn with_args(name: &'static CStr, args: &[(&'static CStr, i64)], run: impl FnOnce(&Input)) {
    let none = uvx_trace_arg_t { name: null(), type_: UVX_TRACE_INT, value: uvx_trace_value_t { i: 0 } };
    let mut given = [none; 2];
    for (to, (name, value)) in given.iter_mut().zip(args) {
        (to.name, to.value) = (name.as_ptr(), uvx_trace_value_t { i: *value });
    }
    let count = args.len().min(given.len()) as u32; // at most 2
    run(&Input { name: name.as_ptr(), args: given.as_ptr(), count, flags: 0 });
}
