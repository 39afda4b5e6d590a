//! The types and constants of message ports: this file and `src/ffi/uvx_*.rs` make `include/uvx.h`.

use super::*;
use core::ffi::{c_int, c_uint, c_void};

/// One end of a channel. On the heap; what it is made of is not public.
pub struct uvx_message_port_t {
    _private: [u8; 0],
}

/// Posts to a port, from any thread.
pub struct uvx_message_sender_t {
    _private: [u8; 0],
}

/// A message as it arrives.
pub struct uvx_message_t {
    _private: [u8; 0],
}

/// Counted, shared memory.
pub struct uvx_shared_buf_t {
    _private: [u8; 0],
}

/// Gives memory back that was moved into a message or wrapped in a shared buffer: exactly once, with the values it was given
/// with. It runs on whichever thread drops the memory last, with no lock held.
pub type uvx_free_cb = Option<unsafe extern "C" fn(base: *mut c_void, len: usize, arg: *mut c_void)>;

/// A message for an attached port. It is the library's again when the callback returns: uvx_message_ref keeps it longer.
pub type uvx_message_cb =
    Option<unsafe extern "C" fn(port: *mut uvx_message_port_t, message: *mut uvx_message_t)>;

/// `n` messages at once, in order. As for uvx_message_cb; the array goes when the callback returns, too.
pub type uvx_message_batch_cb =
    Option<unsafe extern "C" fn(port: *mut uvx_message_port_t, messages: *mut *mut uvx_message_t, n: usize)>;

/// Something happened to a port: `status` is 0 or an error code.
pub type uvx_message_port_event_cb =
    Option<unsafe extern "C" fn(port: *mut uvx_message_port_t, status: c_int)>;

/// What kind of thing is handed over.
pub type uvx_xfer_type = c_uint;
/// A port that nobody else uses: the sender's no more, the receiver's when it is taken.
pub const UVX_XFER_PORT: uvx_xfer_type = 0;
/// Memory with the function that frees it. Nothing is copied.
pub const UVX_XFER_MEM: uvx_xfer_type = 1;
/// A shared buffer: the message gets a reference of its own.
pub const UVX_XFER_SHARED: uvx_xfer_type = 2;
/// A file descriptor: the message's to close, from the post on.
pub const UVX_XFER_FD: uvx_xfer_type = 3;

/// For memory that moves.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct uvx_xfer_mem_t {
    pub base: *mut c_void,
    pub len: usize,
    /// May be NULL.
    pub free_cb: uvx_free_cb,
    pub arg: *mut c_void,
}

/// The thing itself, by `type`.
#[repr(C)]
#[derive(Clone, Copy)]
pub union uvx_xfer_value_t {
    pub port: *mut uvx_message_port_t,
    pub mem: uvx_xfer_mem_t,
    pub shared: *mut uvx_shared_buf_t,
    pub fd: uv_os_fd_t,
}

/// Something that is handed over with a message instead of being copied.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct uvx_xfer_t {
    pub type_: uvx_xfer_type,
    /// 0.
    pub flags: c_uint,
    pub u: uvx_xfer_value_t,
}

/// The most things that one message can hand over.
pub const UVX_XFER_MAX: c_uint = 1024;

/// What is listed in `xfers` is consumed also when the post fails because one of the two ports is closed or moved away: then the
/// error is UV_EPIPE, and with every other error nothing was moved.
pub const UVX_POST_CONSUME: c_uint = 1;

/// A message to be posted. Zeroed but for `size`, it is an empty message.
#[repr(C)]
pub struct uvx_message_desc_t {
    /// sizeof(uvx_message_desc_t).
    pub size: usize,
    /// A word for the program's own use. A message of only a tag needs no memory of its own.
    pub tag: u64,
    /// Copied one after the other, so that they arrive in one piece. NULL if `nbufs` is 0.
    pub bufs: *const uv_buf_t,
    pub nbufs: c_uint,
    /// Handed over, at most UVX_XFER_MAX. NULL if `nxfers` is 0.
    pub xfers: *const uvx_xfer_t,
    pub nxfers: c_uint,
    /// 0 or UVX_POST_CONSUME.
    pub flags: c_uint,
}

/// How a channel is made; the bounds are for each direction of its own. Zeroed but for `size`: no bounds.
#[repr(C)]
pub struct uvx_message_channel_options_t {
    /// sizeof(uvx_message_channel_options_t).
    pub size: usize,
    /// 0.
    pub flags: c_uint,
    /// The most unread messages; 0: no bound.
    pub max_messages: usize,
    /// The most unread bytes of payload, not counting what is handed over; 0: no bound.
    pub max_bytes: usize,
    /// After the channel was full, writers are told when fewer unread messages than this are left. 0 stands for half of
    /// `max_messages`; at most `max_messages`. Of `max_bytes` it is always half.
    pub low_water: usize,
}

/// With uvx_message_port_close: what is in the inbox is delivered before the port is closed.
pub const UVX_PORT_CLOSE_FLUSH: c_uint = 1;
/// With uvx_message_port_close: the other end hears of it at once, before what it has not read yet, and even while it is stopped.
pub const UVX_PORT_CLOSE_NOW: c_uint = 2;

/// A timeout that is never over.
pub const UVX_FOREVER: u64 = u64::MAX;

/// What went through a port's inbox.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct uvx_message_port_stats_t {
    /// sizeof(uvx_message_port_stats_t).
    pub size: usize,
    /// Messages that wait, and their payload in bytes.
    pub depth: u64,
    pub bytes: u64,
    /// Messages that were ever posted to this port, read from it, and destroyed unread.
    pub posted: u64,
    pub received: u64,
    pub dropped: u64,
    /// How often its reader had to be told that there is something to read.
    pub wakes: u64,
}
