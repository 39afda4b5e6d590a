//! What the debug port says of a loop.

use crate::abi::*;
use crate::ds::json;
use crate::ds::text::Text;
use crate::event_loop::census::{self, Handles, KINDS, Seen};
use crate::event_loop::{active_handles_of, active_reqs_of, default};
use crate::handles::kind;
use crate::sys::{small_file, time::now_ns};
use crate::worker::call;
use crate::worker::port::Port;
use core::fmt::{Result, Write};

/// So many ports are shown one by one.
const MOST_PORTS: usize = 64;

/// What is known of a loop, copied while it was looked at.
pub struct Facts {
    id: u64,
    is_default: bool,
    tid: i32,
    phase: &'static str,
    turns: u64,
    now_ms: u64,
    stirred_at: u64,
    active_handles: u32,
    requests: u32,
    handles: [Handles; KINDS],
    next_due: Option<u64>,
    /// Posted calls that the loop has collected, and whether there are more; None: it takes none.
    calls: Option<(usize, bool)>,
    ports: Ports,
}

/// What waits in a loop's ports.
struct Ports {
    depths: [u64; MOST_PORTS],
    count: usize,
    messages: u64,
    bytes: u64,
}

/// Of all loops, the newest first.
pub fn each() -> impl Iterator<Item = Facts> {
    census::each().map(|seen| Facts::of(&seen))
}

impl Facts {
    fn of(seen: &Seen) -> Facts {
        Facts {
            id: seen.id(),
            is_default: default::is_it(seen.raw()),
            tid: seen.tid(),
            phase: seen.phase(),
            turns: seen.internals().metrics.turns(),
            stirred_at: seen.stirred_at(),
            now_ms: now_ns() / 1_000_000,
            active_handles: active_handles_of(seen.raw()),
            requests: active_reqs_of(seen.raw()),
            handles: seen.handles(),
            next_due: seen.next_due(),
            calls: call::waiting_for(seen),
            ports: Ports::of(seen),
        }
    }

    /// As a JSON object.
    pub fn write(&self, out: &mut impl Write) -> Result {
        write!(out, "{{\"id\":{},\"default\":{},\"tid\":{},\"thread\":", self.id, self.is_default, self.tid)?;
        write_thread_name(out, self.tid)?;
        write!(
            out,
            ",\"phase\":\"{}\",\"turns\":{},\"since_ms\":{},\"active_handles\":{},\"requests\":{},\"handles\":{{",
            self.phase,
            self.turns,
            self.now_ms.saturating_sub(self.stirred_at),
            self.active_handles,
            self.requests,
        )?;
        self.write_handles(out)?;
        out.write_str("},\"timers\":")?;
        self.write_timers(out)?;
        out.write_str(",\"ports\":")?;
        self.ports.write(out)?;
        match self.calls {
            None => out.write_str(",\"calls\":null}"),
            Some((collected, more)) => {
                write!(out, ",\"calls\":{{\"collected\":{collected},\"more\":{more}}}}}")
            }
        }
    }

    /// Those types of which there are any.
    fn write_handles(&self, out: &mut impl Write) -> Result {
        let found = self.handles.iter().zip(0..).filter(|(found, _)| found.count != 0);
        let named = found.filter_map(|(found, kind)| Some((found, kind::name(kind)?.to_str().ok()?)));
        json::list(out, named, |out, (found, name)| {
            let Handles { count, active, referenced } = found;
            write!(out, "\"{name}\":{{\"count\":{count},\"active\":{active},\"referenced\":{referenced}}}")
        })
    }

    fn write_timers(&self, out: &mut impl Write) -> Result {
        let active = self.handles.get(UV_TIMER as usize).map_or(0, |timers| timers.active);
        write!(out, "{{\"active\":{active},\"next_ms\":")?;
        match self.next_due {
            None => out.write_str("null}"),
            Some(due) => write!(out, "{}}}", i128::from(due) - i128::from(self.now_ms)),
        }
    }
}

/// What the system calls the thread.
fn write_thread_name(out: &mut impl Write, tid: i32) -> Result {
    let mut path = Text::<48>::default();
    let mut room = [0; 32];
    write!(path, "/proc/self/task/{tid}/comm")?;
    let name = small_file::read(path.as_c_str(), &mut room).unwrap_or_default(); // of a thread that is gone
    json::string(out, name.strip_suffix(b"\n").unwrap_or(name))
}

impl Ports {
    fn of(seen: &Seen) -> Ports {
        let mut ports = Ports { depths: [0; MOST_PORTS], count: 0, messages: 0, bytes: 0 };
        Port::for_each_depth(seen, |waiting| {
            if let Some(depth) = ports.depths.get_mut(ports.count) {
                *depth = waiting.messages;
            }
            ports.count += 1;
            ports.messages = ports.messages.saturating_add(waiting.messages);
            ports.bytes = ports.bytes.saturating_add(waiting.bytes);
        });
        ports
    }

    fn write(&self, out: &mut impl Write) -> Result {
        out.write_str("{\"depths\":[")?;
        json::list(out, self.depths.iter().take(self.count), |out, depth| write!(out, "{depth}"))?;
        let Ports { count, messages, bytes, .. } = self;
        write!(out, "],\"count\":{count},\"messages\":{messages},\"bytes\":{bytes}}}")
    }
}
