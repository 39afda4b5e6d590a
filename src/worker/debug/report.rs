//! What the debug port says: one JSON object about all loops, workers, pools and locks of the process. `docs/uvx/debug_port.md` has the fields.
//!
//! It is written on the port's own thread while the rest of the process runs. While it keeps something in place, or has something locked, it copies
//! numbers, and does nothing that could take long: text is made, and names of threads are read, when all is free again.

use super::{locks, loops};
use crate::abi::*;
use crate::ds::json;
use crate::event_loop::pool::{self, Load};
use crate::os::pid;
use crate::worker::pools::{self, Kind, Pool};
use crate::worker::workers::{self, Worker};
use core::fmt::{Result, Write};

/// Writes the report, and a line feed.
pub fn write(out: &mut impl Write) -> Result {
    write!(out, "{{\"uvx_debug\":1,\"pid\":{},\"loops\":[", pid::own())?;
    json::list(out, loops::each(), |out, facts| facts.write(out))?;
    out.write_str("],\"workers\":[")?;
    json::list(out, workers::each(), |out, worker| write_worker(out, &worker))?;
    let Load { threads, size, running, waiting } = pool::load();
    write!(
        out,
        "],\"pool\":{{\"threads\":{threads},\"size\":{size},\"running\":{running},\"waiting\":{waiting}}},\"pools\":["
    )?;
    json::list(out, pools::each(), |out, pool| write_pool(out, &pool))?;
    out.write_str("],\"locks\":")?;
    locks::Facts::now().write(out)?;
    out.write_str("}\n")
}

fn write_worker(out: &mut impl Write, worker: &Worker) -> Result {
    let (own, parent) = worker.loop_ids();
    write!(out, "{{\"id\":{},\"name\":", worker.id())?;
    json::string(out, worker.name().to_bytes())?;
    let state = match worker.state() {
        UVX_WORKER_STARTING => "starting",
        UVX_WORKER_ONLINE => "online",
        UVX_WORKER_STOPPING => "stopping",
        _ => "ended",
    };
    write!(out, ",\"state\":\"{state}\",\"tid\":{},\"loop\":{own},\"parent\":{parent}}}", worker.tid().max(0))
}

fn write_pool(out: &mut impl Write, pool: &Pool) -> Result {
    let stats = pool.statistics();
    let kind = if pool.kind() == Kind::Pool { "pool" } else { "task_runner" };
    let [low, normal, high] = stats.waiting;
    write!(out, "{{\"id\":{},\"kind\":\"{kind}\",\"name\":", pool.id())?;
    json::string(out, pool.name().to_bytes())?;
    write!(
        out,
        ",\"threads\":{},\"size\":{},\"running\":{},\"waiting\":{{\"low\":{low},\"normal\":{normal},\"high\":{high}}},\
         \"delayed\":{},\"oldest_ms\":{},\"longest_ms\":{}}}",
        stats.started,
        stats.threads,
        stats.busy,
        stats.delayed,
        stats.oldest_ns / 1_000_000,
        stats.wait_max_ns / 1_000_000
    )
}
