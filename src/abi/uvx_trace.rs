//! The types and constants of tracing.

use core::ffi::{c_char, c_int, c_uint, c_void};

/// What collects the events of the process and writes them. What it is made of is not public.
pub struct uvx_trace_agent_t {
    _private: [u8; 0],
}

/// With uvx_trace_event: the names and strings of this event are copied; otherwise they have to stay until the event is written, as
/// literals do.
pub const UVX_TRACE_COPY: c_uint = 1;
/// With the phase 'i': the event stands for the whole process, not for its thread.
pub const UVX_TRACE_PROCESS: c_uint = 2;
/// With the phase 'i': the event stands for everything.
pub const UVX_TRACE_GLOBAL: c_uint = 4;

/// The type of an argument's value.
pub type uvx_trace_type = c_uint;
/// `u`: 0 is false, all else true.
pub const UVX_TRACE_BOOL: uvx_trace_type = 0;
/// `i`.
pub const UVX_TRACE_INT: uvx_trace_type = 1;
/// `u`.
pub const UVX_TRACE_UINT: uvx_trace_type = 2;
/// `d`.
pub const UVX_TRACE_DOUBLE: uvx_trace_type = 3;
/// `s`; NULL is written as null, what is no UTF-8 with replacement characters.
pub const UVX_TRACE_STRING: uvx_trace_type = 4;
/// `p`; written as a string of hexadecimal digits.
pub const UVX_TRACE_POINTER: uvx_trace_type = 5;

/// The value itself, by `type`.
#[repr(C)]
#[derive(Clone, Copy)]
pub union uvx_trace_value_t {
    pub i: i64,
    pub u: u64,
    pub d: f64,
    pub s: *const c_char,
    pub p: *const c_void,
}

/// An argument of an event.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct uvx_trace_arg_t {
    /// NULL is written as an empty one.
    pub name: *const c_char,
    pub type_: uvx_trace_type,
    pub value: uvx_trace_value_t,
}

/// What happens to an event for which a thread has no room, because the writer is late.
pub type uvx_trace_overflow = c_uint;
/// It is dropped.
pub const UVX_TRACE_DROP_NEW: uvx_trace_overflow = 0;
/// The thread's older buffer is dropped with all that is unread in it; if the writer is just reading it, the event is.
pub const UVX_TRACE_DROP_OLD: uvx_trace_overflow = 1;
/// The thread waits until the writer has made room.
pub const UVX_TRACE_BLOCK: uvx_trace_overflow = 2;

/// With uvx_trace_options_t: events tell the CPU time of their thread ("tts"), which takes half a microsecond to read.
pub const UVX_TRACE_TTS: c_uint = 1;
/// With uvx_trace_options_t: a flush waits until the file is on the disk (fdatasync).
pub const UVX_TRACE_FSYNC: c_uint = 2;

/// With uvx_trace_write_cb: a file begins with this text.
pub const UVX_TRACE_FILE_BEGINS: c_uint = 1;
/// With uvx_trace_write_cb: a file ends with this text.
pub const UVX_TRACE_FILE_ENDS: c_uint = 2;

/// Something could not be written; the events in it are lost, and counted. `file` is the file's name, NULL with a writer of the
/// program's own. Runs on the agent's thread, once for each attempt that fails; it may trace nothing, and must not call functions that
/// wait for the agent.
pub type uvx_trace_error_cb =
    Option<unsafe extern "C" fn(data: *mut c_void, error: c_int, file: *const c_char)>;

/// Takes `length` bytes of JSON. What comes from UVX_TRACE_FILE_BEGINS to UVX_TRACE_FILE_ENDS is one valid text. Returns 0, or a negative
/// UV_E* code: then the events of this call are lost, the file has ended here, and the next call begins another. Runs on the agent's
/// thread, as uvx_trace_error_cb.
pub type uvx_trace_write_cb = Option<
    unsafe extern "C" fn(data: *mut c_void, text: *const c_char, length: usize, flags: c_uint) -> c_int,
>;

/// How the agent is to work. Zeroed but for `size`: the defaults.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct uvx_trace_options_t {
    /// sizeof(uvx_trace_options_t).
    pub size: usize,
    /// 0 or UVX_TRACE_TTS, UVX_TRACE_FSYNC.
    pub flags: c_uint,
    pub overflow: uvx_trace_overflow,
    /// The name of the files, copied; ${pid} stands for the process, ${rotation} for the number of the file, from 1. NULL:
    /// "uvx_trace.${rotation}.json". A file is made for the first event in it, and replaces an older one.
    pub file: *const c_char,
    /// A file with so many events is full; 0: 524288, UINT64_MAX: any number. A name without ${rotation} stands for one file, for which there
    /// may be no bounds: this and the next have to be 0 or UINT64_MAX.
    pub events_per_file: u64,
    /// A file is not larger than that, unless by a single event; 0: any size.
    pub bytes_per_file: u64,
    /// Bytes of each of a thread's two buffers, of which an event takes 32 and 24 for each argument; 0: 2 MiB. At least 4096. Pages
    /// that are not used cost nothing.
    pub buffer_bytes: usize,
    /// Events with more arguments are refused, at most 255; 0: 16.
    pub max_args: c_uint,
    /// What was traced is written after so many ns at the latest; 0: a second. UVX_FOREVER: only when a buffer is full and with
    /// uvx_trace_flush.
    pub flush_interval_ns: u64,
    /// May be NULL.
    pub on_error: uvx_trace_error_cb,
    /// Gets the text instead of files. NULL: none.
    pub write_cb: uvx_trace_write_cb,
    /// For the two callbacks.
    pub data: *mut c_void,
}

/// What uvx_trace_stats says, all since the agent was started.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct uvx_trace_stats_t {
    /// sizeof(uvx_trace_stats_t).
    pub size: usize,
    /// Events that were written.
    pub written: u64,
    /// Events that found both buffers of their thread full, or that were in a buffer when it was dropped (UVX_TRACE_DROP_OLD), or that had
    /// no memory.
    pub dropped: u64,
    /// Events that could not be written.
    pub lost: u64,
    /// How often a thread had to wait for room (UVX_TRACE_BLOCK).
    pub blocked: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// Files that were begun.
    pub files: u64,
    /// Threads that have buffers now.
    pub threads: u64,
}
