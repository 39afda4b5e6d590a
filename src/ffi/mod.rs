//! The C entry points: one file per page of the documentation, one short function per symbol, each calling the module that does
//! the work. The `///` comments become those of the C header.
//!
//! What every function here relies on, and its caller has to see to:
//!
//! - Pointers lead to live objects of their type, large enough for their use. A null pointer is allowed only where the
//!   function says so.
//! - A handle or request is used only after its init function and, but for its memory, not after its close callback (the
//!   request's callback). It neither moves nor goes while the library has it.
//! - A loop and what belongs to it is used from one thread. Functions without a loop may be called from any thread, unless they say
//!   otherwise.
//! - Callbacks return normally: nothing unwinds through a function of this library, and none of its own code panics.
//!
//! In return: a status is 0, or a count where it says so, or a negative `UV_E*` code; a function that returns an error has changed
//! nothing, unless it says otherwise, and will not call its callback.

pub mod uv_async;
pub mod uv_check;
pub mod uv_dll;
pub mod uv_dns;
pub mod uv_error;
pub mod uv_fs;
pub mod uv_fs_copy;
pub mod uv_fs_dir;
pub mod uv_fs_event;
pub mod uv_fs_path;
pub mod uv_fs_poll;
pub mod uv_fs_time;
pub mod uv_handle;
pub mod uv_idle;
pub mod uv_loop;
pub mod uv_misc;
pub mod uv_pipe;
pub mod uv_poll;
pub mod uv_prepare;
pub mod uv_process;
pub mod uv_program;
pub mod uv_request;
pub mod uv_signal;
pub mod uv_stream;
pub mod uv_system;
pub mod uv_tcp;
pub mod uv_threading;
pub mod uv_threadpool;
pub mod uv_timer;
pub mod uv_tty;
pub mod uv_udp;
pub mod uv_version;
pub mod uv_wtf8;
pub mod uvx_call;
pub mod uvx_debug;
pub mod uvx_env_data;
pub mod uvx_io_thread;
pub mod uvx_lock;
pub mod uvx_message;
pub mod uvx_pool;
pub mod uvx_port;
pub mod uvx_port_broadcast;
pub mod uvx_port_loop;
pub mod uvx_sender;
pub mod uvx_shared_buf;
pub mod uvx_sigint_watchdog;
pub mod uvx_sigwake;
pub mod uvx_task_runner;
pub mod uvx_trace;
pub mod uvx_version;
pub mod uvx_watchdog;
pub mod uvx_worker;
pub mod uvx_worker_ctx;

use crate::abi::errno::Result;
use core::ffi::c_int;

/// A result as C gets it: 0 or the code.
pub fn status(result: Result<()>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => error.code(),
    }
}
