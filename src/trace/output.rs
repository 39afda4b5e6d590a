//! Where the text goes: files one after the other, or the program's own function. The writer's.
//!
//! A regular file is whole after each write: its end is written with what was new, and the next write begins where that end was. Other files,
//! such as pipes, get their end when they are full and when the agent stops.

use super::agent::Agent;
use super::json::{self, END};
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::ds;
use crate::mem::{self, Bytes, Counted};
use crate::ptr::Cx;
use crate::sync::prim::Ordering;
use crate::sys::{fd, file, small_file, stat};
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::fmt::Write;
use core::ptr::null;
use core::sync::atomic::AtomicI32;

/// What files are called unless the program says otherwise.
pub const USUAL_NAME: &CStr = c"uvx_trace.${rotation}.json";
const NUMBER: &[u8] = b"${rotation}";
const PROCESS: &[u8] = b"${pid}";
/// Longer names of files are not possible.
const PATH_SIZE: usize = libc::PATH_MAX as usize; // 4096
type Path = ds::text::Text<PATH_SIZE>;

/// The descriptor that the writer has open, or -1: for the child after fork, which must not keep it.
pub static OPEN: AtomicI32 = AtomicI32::new(-1);

/// See the module.
pub struct Output {
    agent: Counted<Agent>,
    pattern: Pattern,
    pub pid: libc::pid_t,
    process: ds::text::Text<16>,
    /// Of the file that is open, or is to be begun, or has ended, from 1.
    number: u64,
    /// The file of this number has ended: the next has the next.
    has_ended: bool,
    /// Where text goes, if a file was begun and has not ended.
    target: Option<Target>,
    /// Bytes of the file, without its end.
    pub length: u64,
    /// Events of the file, with those in the text.
    pub events: u64,
    /// Changes whenever names of threads have to be said again.
    pub names: u64,
}

#[derive(Clone, Copy)]
enum Target {
    Regular(c_int),
    Other(c_int),
    Program(unsafe extern "C" fn(*mut core::ffi::c_void, *const c_char, usize, c_uint) -> c_int),
}

impl Output {
    /// Nothing is open yet.
    pub fn new(agent: Counted<Agent>, pattern: Pattern) -> Output {
        let mut process = ds::text::Text::default();
        let name = small_file::read(c"/proc/self/comm", &mut [0; 16])
            .map(|name| process.push(name.trim_ascii_end()));
        let _ = name; // a process without its name is a process all the same
        Output {
            agent,
            pattern,
            // SAFETY: no preconditions.
            pid: unsafe { libc::getpid() },
            process,
            number: 1,
            has_ended: false,
            target: None,
            length: 0,
            events: 0,
            names: 1,
        }
    }

    /// Whether there is a file that text can be written to.
    pub fn is_open(&self) -> bool {
        self.target.is_some()
    }

    /// Makes the next file, and the beginning of its text.
    pub fn begin(&mut self, text: &mut Bytes) -> Result {
        self.number = self.number.wrapping_add(u64::from(core::mem::take(&mut self.has_ended)));
        let opened = self.open();
        let begun = opened.and_then(|target| {
            self.target = Some(target);
            json::begin(text, self.pid, self.process.as_c_str()).map_err(|_| Errno::ENOMEM)
        });
        (self.length, self.events) = (0, 0);
        self.names = self.names.wrapping_add(1);
        if begun.is_err() {
            text.truncate(0);
            self.close(); // the next attempt has the same number
            return begun;
        }
        self.agent.counts.files.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn open(&self) -> Result<Target> {
        if let Some(write) = self.agent.options.given.write_cb {
            return Ok(Target::Program(write));
        }
        let path = self.path()?;
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_NOCTTY;
        let fd = file::open(path.as_c_str(), flags | libc::O_NONBLOCK, 0o644)?; // not to wait for the reader of a pipe
        OPEN.store(fd, Ordering::Relaxed);
        if stat::of(stat::Target::File(fd)).is_ok_and(|about| stat::is(&about, libc::S_IFREG)) {
            return Ok(Target::Regular(fd));
        }
        let _ = fd::set_blocking(fd, true); // or writing fails, and says so
        Ok(Target::Other(fd))
    }

    /// Writes whole events, and forgets them. After an error they are lost; what was written before stands, or the file has ended.
    pub fn write(&mut self, cx: &mut Cx, text: &mut Bytes) -> Result {
        let Some(target) = self.target else { return Ok(()) };
        let length = text.len();
        let result = match target {
            Target::Regular(fd) => text.append(END).and_then(|()| {
                file::write_all(fd, text, Some(self.place())).inspect_err(|_| self.restore_end(fd))
            }),
            Target::Other(fd) => file::write_all(fd, text, None),
            Target::Program(_) => {
                let flags = if self.length == 0 { UVX_TRACE_FILE_BEGINS } else { 0 };
                self.call(cx, target, text, flags)
            }
        };
        text.truncate(0);
        if result.is_ok() {
            self.length = self.length.saturating_add(length as u64);
            self.agent.counts.bytes.fetch_add(length as u64, Ordering::Relaxed);
            return result;
        }
        self.names = self.names.wrapping_add(1); // some may have been in what is lost
        if self.length == 0 || !matches!(target, Target::Regular(_)) {
            self.close(); // as above
        }
        result
    }

    /// Where the file's end stands.
    fn place(&self) -> libc::off_t {
        self.length as libc::off_t // no file is longer
    }

    /// What has been written over the file's end, or not.
    fn restore_end(&self, fd: c_int) {
        if self.length > 0 {
            // If this fails, so does what comes later, which is reported.
            let _ = file::truncate(fd, self.place());
            let _ = file::write_all(fd, END, Some(self.place()));
        }
    }

    /// Ends the file. The next event begins another.
    pub fn end(&mut self, cx: &mut Cx) -> Result {
        let result = match self.target {
            Some(Target::Other(fd)) => file::write_all(fd, END, None),
            Some(target @ Target::Program(_)) => self.call(cx, target, END, UVX_TRACE_FILE_ENDS),
            _ => Ok(()),
        };
        self.close();
        self.has_ended = true;
        if result.is_ok() {
            self.agent.counts.bytes.fetch_add(END.len() as u64, Ordering::Relaxed);
        }
        result
    }

    fn close(&mut self) {
        if let Some(Target::Regular(fd) | Target::Other(fd)) = self.target.take() {
            OPEN.store(-1, Ordering::Relaxed);
            fd::close(fd);
        }
    }

    /// Waits until the file is on the disk.
    pub fn sync(&self) -> Result {
        match self.target {
            Some(Target::Regular(fd)) => file::sync_data(fd),
            _ => Ok(()),
        }
    }

    fn call(&self, cx: &mut Cx, target: Target, bytes: &[u8], flags: c_uint) -> Result {
        let Target::Program(write) = target else { return Ok(()) };
        let data = self.agent.options.given.data;
        // SAFETY: the user's function with the user's pointer.
        let code = cx.call(|| unsafe { write(data, bytes.as_ptr().cast(), bytes.len(), flags) });
        if code < 0 { Err(Errno::from_errno(code.wrapping_neg())) } else { Ok(()) }
    }

    /// Tells the program, and whoever flushes next.
    pub fn report(&self, cx: &mut Cx, error: Errno) {
        self.agent.note_error(error.code());
        let given = &self.agent.options.given;
        let Some(on_error) = given.on_error else { return };
        let path = self.path().unwrap_or_default();
        let file = if given.write_cb.is_some() { null() } else { path.as_c_str().as_ptr() };
        // SAFETY: the user's function with the user's pointer.
        cx.call(|| unsafe { on_error(given.data, error.code(), file) });
    }

    fn path(&self) -> Result<Path> {
        let mut path = Path::default();
        let mut rest = self.pattern.bytes();
        while let Some((first, after)) = rest.split_first() {
            let result = if let Some(after) = rest.strip_prefix(NUMBER) {
                rest = after;
                write!(path, "{}", self.number)
            } else if let Some(after) = rest.strip_prefix(PROCESS) {
                rest = after;
                write!(path, "{}", self.pid)
            } else {
                rest = after;
                path.push(&[*first])
            };
            result.map_err(|_| Errno::ENAMETOOLONG)?;
        }
        Ok(path)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.close();
    }
}

/// The name of the files, a copy.
pub struct Pattern(core::ptr::NonNull<c_char>);

impl Pattern {
    /// Copies it.
    pub fn new(name: &CStr) -> Result<Pattern> {
        // SAFETY: a string.
        unsafe { mem::duplicate(name.as_ptr()) }.map(Pattern)
    }

    /// Whether it stands for more than one file.
    pub fn is_many(name: &CStr) -> bool {
        name.to_bytes().windows(NUMBER.len()).any(|part| part == NUMBER)
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: a string of its own.
        unsafe { CStr::from_ptr(self.0.as_ptr()) }.to_bytes()
    }
}

impl Drop for Pattern {
    fn drop(&mut self) {
        // SAFETY: made by `new`.
        unsafe { mem::free(self.0.as_ptr().cast()) };
    }
}
