//! The agent's thread: reads the queues of all threads, and writes what it finds.
//!
//! It works in passes. A pass takes from each queue what was published when it came there, so it ends however busy the others are. While it
//! reads from a buffer it only makes text; it opens, writes and calls back in between.

use super::agent::Agent;
use super::json;
use super::output::Output;
use super::queue::{Queue, Stop};
use super::record::Record;
use super::state::{self, lock};
use crate::abi::UVX_TRACE_FSYNC;
use crate::abi::errno::{Errno, Result};
use crate::mem::{Bytes, Counted, Owned};
use crate::ptr::Cx;
use crate::sync::prim::Ordering;
use crate::sys;
use core::ffi::c_void;

/// So much text is written at once.
const CHUNK: usize = 64 << 10;
/// An event is rarely longer. With it the text need not grow.
const SPARE: usize = 4 << 10;

/// See the module.
pub struct Writer {
    agent: Counted<Agent>,
    output: Output,
    text: Bytes,
    /// In the text.
    events: u64,
    /// What `take` has to have before it can go on.
    needs: Need,
    /// Something failed in this pass: what else there is is lost, without another attempt.
    failed: bool,
    /// There was no memory for an event.
    starved: bool,
    /// There is something to be synced.
    wrote: bool,
}

enum Need {
    /// A file.
    File,
    /// The next file.
    Rotation,
    /// An empty text.
    Room,
}

impl Writer {
    /// With all the memory that it usually needs.
    pub fn new(agent: Counted<Agent>, output: Output) -> Result<Owned<Writer>> {
        let mut text = Bytes::empty();
        text.reserve(CHUNK + SPARE)?;
        Owned::new(Writer {
            agent,
            output,
            text,
            events: 0,
            needs: Need::Room,
            failed: false,
            starved: false,
            wrote: false,
        })
    }

    /// Reads and writes all there is.
    fn pass(&mut self, cx: &mut Cx) {
        (self.failed, self.starved) = (false, false);
        let mut at = lock().first_queue();
        // SAFETY: only this thread takes queues out of the list, while it runs.
        while let Some(queue) = unsafe { at.as_ref() } {
            let has_ended = queue.has_ended();
            if core::ptr::eq(&raw const *queue.agent, &raw const *self.agent) {
                self.drain(cx, queue);
            }
            at = queue.next.get();
            if has_ended {
                lock().remove(queue);
            }
        }
        self.push_out(cx);
        if self.starved {
            self.output.report(cx, Errno::ENOMEM);
        }
        self.sync(cx);
    }

    /// Waits until what was written to the file is on the disk, if that is asked for.
    fn sync(&mut self, cx: &mut Cx) {
        if core::mem::take(&mut self.wrote) && self.agent.options.given.flags & UVX_TRACE_FSYNC != 0 {
            let result = self.output.sync();
            self.judge(cx, result);
        }
    }

    fn drain(&mut self, cx: &mut Cx, queue: &Queue) {
        let until = queue.published();
        loop {
            match queue.read(until, |record| self.take(queue, record)) {
                Stop::End => return,
                Stop::Next => {}
                Stop::Full => self.satisfy(cx),
            }
        }
    }

    /// Makes text of an event; false: first `satisfy`.
    fn take(&mut self, queue: &Queue, record: &Record) -> bool {
        if self.failed {
            self.count_lost(1);
            return true;
        }
        if !self.output.is_open() {
            self.needs = Need::File;
            return false;
        }
        if self.output.events >= self.agent.options.events_per_file {
            self.needs = Need::Rotation;
            return false;
        }
        if self.text.len() >= CHUNK {
            self.needs = Need::Room;
            return false;
        }
        let before = self.text.len();
        if self.add(queue, record).is_err() {
            self.text.truncate(before);
            self.starved = true;
            self.count_lost(1);
            return true;
        }
        let length =
            self.output.length.saturating_add(self.text.len().saturating_add(json::END.len()) as u64);
        if length > self.agent.options.bytes_per_file && self.output.events > 0 {
            self.text.truncate(before);
            self.needs = Need::Rotation;
            return false;
        }
        queue.named_in.set(self.output.names);
        self.output.events = self.output.events.saturating_add(1);
        self.events = self.events.saturating_add(1);
        true
    }

    fn add(&mut self, queue: &Queue, record: &Record) -> core::fmt::Result {
        if queue.named_in.get() != self.output.names {
            json::thread(&mut self.text, self.output.pid, queue.tid, queue.name())?;
        }
        json::event(&mut self.text, self.output.pid, queue.tid, record)
    }

    fn satisfy(&mut self, cx: &mut Cx) {
        match self.needs {
            Need::Room => self.push_out(cx),
            Need::Rotation => {
                self.push_out(cx);
                self.sync(cx);
                if self.output.is_open() {
                    let result = self.output.end(cx);
                    self.judge(cx, result);
                }
            }
            Need::File => {
                let result = self.output.begin(&mut self.text);
                self.judge(cx, result);
            }
        }
    }

    /// Writes the text.
    fn push_out(&mut self, cx: &mut Cx) {
        if self.text.is_empty() {
            return;
        }
        let events = core::mem::take(&mut self.events);
        let result = self.output.write(cx, &mut self.text);
        if result.is_ok() {
            self.wrote = true;
            self.agent.counts.written.fetch_add(events, Ordering::Relaxed);
        } else {
            self.output.events = self.output.events.saturating_sub(events);
            self.count_lost(events);
        }
        self.judge(cx, result);
    }

    fn judge(&mut self, cx: &mut Cx, result: Result) {
        if let Err(error) = result {
            self.failed = true;
            self.output.report(cx, error);
        }
    }

    fn count_lost(&self, events: u64) {
        self.agent.counts.lost.fetch_add(events, Ordering::Relaxed);
    }
}

/// The thread's function. All signals are blocked; user code must return, so frames may lie below it.
pub unsafe extern "C" fn main(arg: *mut c_void) {
    // SAFETY: given by `control::start`, and this thread's alone from now on. User code runs in `pass` only.
    let (mut writer, mut cx) = unsafe { (Owned::from_raw(arg.cast::<Writer>()), Cx::enter()) };
    // SAFETY: a string; a thread without its name is a thread all the same.
    let _ = unsafe { sys::thread::set_name(c"uvx-trace".as_ptr()) };
    state::refuse(true);
    loop {
        // In this order: whoever stops asks last.
        let heard = writer.agent.bell();
        let requested = writer.agent.requested();
        let is_last = writer.agent.stopping.load(Ordering::Acquire);
        writer.pass(&mut cx);
        if is_last && writer.output.is_open() {
            let result = writer.output.end(&mut cx);
            writer.judge(&mut cx, result);
        }
        if is_last {
            return writer.agent.finish();
        }
        writer.agent.serve(requested);
        let is_wanted = writer.agent.wanted.load(Ordering::Acquire);
        let interval = writer.agent.options.interval_ns.filter(|_| is_wanted);
        writer.agent.sleep(heard, interval);
    }
}
