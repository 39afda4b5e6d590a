//! What the debug port says: one JSON object about all loops of the process. `docs/uvx/debug_port.md` has the fields.
//!
//! It is written on the port's own thread while the loops run, so it reads nothing but atomics and what `census::for_each` holds in place.

use crate::abi::*;
use crate::event_loop::census::{self, Census};
use crate::event_loop::{Internals, active_handles_of, active_reqs_of, default, pool};
use crate::handles::kind;
use crate::os::pid;
use crate::sys::{small_file, time::now_ns};
use crate::worker::port::Port;
use core::fmt::{Result, Write};

use crate::ds::text::Text;

/// So many ports are shown one by one.
const MOST_PORTS: usize = 64;

/// Writes the report, and a line feed.
pub fn write(out: &mut impl Write) -> Result {
    write!(out, "{{\"uvx_debug\":1,\"pid\":{},\"loops\":[", pid::own())?;
    let mut result = Ok(());
    let mut separator = "";
    census::for_each(|census, raw| {
        result = result.and_then(|()| out.write_str(separator)).and_then(|()| write_loop(out, census, raw));
        separator = ",";
    });
    result?;
    let pool::Load { threads, size, running, waiting } = pool::load();
    writeln!(
        out,
        "],\"pool\":{{\"threads\":{threads},\"size\":{size},\"running\":{running},\"waiting\":{waiting}}}}}"
    )
}

fn write_loop(out: &mut impl Write, census: &Census, raw: *const uv_loop_t) -> Result {
    // SAFETY: the loop is alive until `for_each` is over, and set up before it was seen there.
    let internals = unsafe { &*(&raw const (*raw).internal_fields).read().cast_const().cast::<Internals>() };
    let now = now_ns() / 1_000_000;
    write!(
        out,
        "{{\"id\":{},\"default\":{},\"tid\":{},\"thread\":",
        census.id(),
        default::is_it(raw),
        census.tid()
    )?;
    write_thread_name(out, census.tid())?;
    write!(
        out,
        ",\"phase\":\"{}\",\"turns\":{},\"since_ms\":{},\"active_handles\":{},\"requests\":{},\"handles\":{{",
        census.phase(),
        internals.metrics.turns(),
        now.saturating_sub(census.stirred_at()),
        active_handles_of(raw),
        active_reqs_of(raw),
    )?;
    write_handles(out, census)?;
    write!(out, "}},\"timers\":{{\"active\":{},\"next_ms\":", census.handles(UV_TIMER).active)?;
    match census.next_due() {
        None => out.write_str("null")?,
        Some(due) => write!(out, "{}", i128::from(due) - i128::from(now))?,
    }
    out.write_str("},\"ports\":{")?;
    write_ports(out, internals)?;
    out.write_str("}}")
}

/// As a string, whatever bytes it has.
fn write_thread_name(out: &mut impl Write, tid: i32) -> Result {
    let mut path = Text::<48>::default();
    let mut room = [0; 32];
    write!(path, "/proc/self/task/{tid}/comm")?;
    let name = small_file::read(path.as_c_str(), &mut room).unwrap_or_default(); // of a thread that is gone
    out.write_char('"')?;
    for byte in name.strip_suffix(b"\n").unwrap_or(name) {
        match byte {
            b' '..=b'~' if !matches!(byte, b'"' | b'\\') => out.write_char(char::from(*byte))?,
            _ => write!(out, "\\u{byte:04x}")?,
        }
    }
    out.write_char('"')
}

/// Those types of which there are any.
fn write_handles(out: &mut impl Write, census: &Census) -> Result {
    let mut separator = "";
    for handle_type in 1..UV_HANDLE_TYPE_MAX {
        let found = census.handles(handle_type);
        let name = kind::name(handle_type).and_then(|name| name.to_str().ok());
        if let Some(name) = name.filter(|_| found.count != 0) {
            write!(
                out,
                "{separator}\"{name}\":{{\"count\":{},\"active\":{},\"referenced\":{}}}",
                found.count, found.active, found.referenced
            )?;
            separator = ",";
        }
    }
    Ok(())
}

fn write_ports(out: &mut impl Write, internals: &Internals) -> Result {
    let (mut count, mut messages, mut bytes) = (0usize, 0u64, 0u64);
    let mut result = Ok(());
    out.write_str("\"depths\":[")?;
    Port::for_each_depth(internals, |waiting| {
        if count < MOST_PORTS && result.is_ok() {
            result = write!(out, "{}{}", if count == 0 { "" } else { "," }, waiting.messages);
        }
        count += 1;
        messages = messages.saturating_add(waiting.messages);
        bytes = bytes.saturating_add(waiting.bytes);
    });
    result?;
    write!(out, "],\"count\":{count},\"messages\":{messages},\"bytes\":{bytes}")
}
