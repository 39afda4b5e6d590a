//! The text of a trace: the JSON of the Chrome trace format, which Perfetto and others open.
//!
//! A file is `BEGIN`, a first event that names the process, any number of events with a comma before each, and `END`.

use super::record::Record;
use crate::abi::*;
use crate::ds::json;
use crate::mem::Bytes;
use core::ffi::{CStr, c_char};
use core::fmt::{Result, Write};

/// How a file begins.
const BEGIN: &str = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
/// How it ends.
pub const END: &[u8] = b"\n]}\n";

/// The beginning of a file of this process.
pub fn begin(text: &mut Bytes, pid: libc::pid_t, process: &CStr) -> Result {
    write!(text, "{BEGIN}")?;
    name(text, "process_name", pid, pid, process)
}

/// Says what a thread is called.
pub fn thread(text: &mut Bytes, pid: libc::pid_t, tid: libc::pid_t, called: &CStr) -> Result {
    text.write_str(",")?;
    name(text, "thread_name", pid, tid, called)
}

fn name(text: &mut Bytes, what: &str, pid: libc::pid_t, tid: libc::pid_t, called: &CStr) -> Result {
    write!(text, "\n{{\"pid\":{pid},\"tid\":{tid},\"ph\":\"M\",\"name\":\"{what}\",\"args\":{{\"name\":")?;
    string(text, called.as_ptr())?;
    write!(text, "}}}}")
}

/// An event of a thread.
pub fn event(text: &mut Bytes, pid: libc::pid_t, tid: libc::pid_t, record: &Record) -> Result {
    let phase = char::from(record.phase());
    write!(text, ",\n{{\"pid\":{pid},\"tid\":{tid},\"ph\":\"{phase}\"")?;
    time(text, "ts", Some(record.at()))?;
    time(text, "tts", record.cpu())?;
    time(text, "dur", record.duration())?;
    write!(text, ",\"cat\":")?;
    string(text, record.category().name().as_ptr())?;
    write!(text, ",\"name\":")?;
    string(text, record.name())?;
    if let Some(id) = record.id() {
        write!(text, ",\"id\":\"{id:#x}\"")?;
    }
    match record.phase() {
        b'i' => write!(text, ",\"s\":\"{}\"", scope(record.flags()))?,
        b'f' => write!(text, ",\"bp\":\"e\"")?, // the arrow ends at the slice around it
        _ => {}
    }
    write!(text, ",\"args\":{{")?;
    json::list(text, record.args(), |text, arg| {
        string(text, if arg.name.is_null() { c"".as_ptr() } else { arg.name })?; // null is no key
        text.write_str(":")?;
        value(text, &arg)
    })?;
    write!(text, "}}}}")
}

fn scope(flags: u32) -> char {
    match flags & (UVX_TRACE_GLOBAL | UVX_TRACE_PROCESS) {
        0 => 't',
        UVX_TRACE_PROCESS => 'p',
        _ => 'g',
    }
}

/// The format's unit is the microsecond.
fn time(text: &mut Bytes, key: &str, ns: Option<u64>) -> Result {
    let Some(ns) = ns else { return Ok(()) };
    write!(text, ",\"{key}\":{}.{:03}", ns / 1000, ns % 1000)
}

fn value(text: &mut Bytes, arg: &uvx_trace_arg_t) -> Result {
    // SAFETY: the type says which of them it is; all are plain words.
    unsafe {
        match arg.type_ {
            UVX_TRACE_BOOL => write!(text, "{}", arg.value.u != 0),
            UVX_TRACE_INT => write!(text, "{}", arg.value.i),
            UVX_TRACE_UINT => write!(text, "{}", arg.value.u),
            UVX_TRACE_DOUBLE => number(text, arg.value.d),
            UVX_TRACE_STRING => string(text, arg.value.s),
            _ => write!(text, "\"{:#x}\"", arg.value.u),
        }
    }
}

/// JSON has no other numbers, so those are strings.
fn number(text: &mut Bytes, value: f64) -> Result {
    if !value.is_finite() {
        return write!(text, "\"{value}\"");
    }
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        write!(text, "{value:e}")
    } else {
        write!(text, "{value}")
    }
}

/// `null` for null. Strings of the program stay until the event is written, which it was told.
fn string(text: &mut Bytes, from: *const c_char) -> Result {
    if from.is_null() {
        return write!(text, "null");
    }
    // SAFETY: the program's string, or a copy.
    json::string(text, unsafe { CStr::from_ptr(from) }.to_bytes())
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::std_instead_of_core, clippy::alloc_instead_of_core)] // a test may
mod tests {
    use super::*;

    #[track_caller]
    fn check(write: impl FnOnce(&mut Bytes) -> Result, expected: &str) {
        let mut text = Bytes::empty();
        write(&mut text).unwrap();
        assert_eq!(core::str::from_utf8(&text), Ok(expected));
    }

    #[test]
    fn strings_may_be_missing() {
        check(|text| string(text, c"a\"b".as_ptr()), "\"a\\\"b\"");
        check(|text| string(text, core::ptr::null()), "null");
    }

    #[test]
    fn numbers_are_those_of_json() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (-12345.678, "-12345.678"),
            (1e300, "1e300"),
            (1.5e-7, "1.5e-7"),
            (f64::NAN, "\"NaN\""),
            (f64::NEG_INFINITY, "\"-inf\""),
        ] {
            check(|to| number(to, value), text);
        }
        check(|text| time(text, "ts", Some(1_234_005)), ",\"ts\":1234.005");
    }
}
