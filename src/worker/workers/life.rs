//! How far a worker is, how it ends, and whether its loop is there: what any thread may ask. How it ends is decided once; who comes later
//! has no say.

use crate::abi::errno::Result;
use crate::abi::*;
use crate::sync::prim::{AtomicI32, AtomicU32, AtomicU64, Mutex, Ordering, lock};
use crate::sys::futex;
use crate::sys::time::{Deadline, now_ns};
use core::ffi::c_int;

/// See the module.
pub struct Life {
    /// The reason in the upper half, the code in the lower; 0: not decided.
    decision: AtomicU64,
    /// One of `UVX_WORKER_STARTING`, `ONLINE`, `ENDED`, `GONE`. Threads in `join` sleep on it.
    phase: AtomicU32,
    /// Whether other threads may use the worker's loop.
    is_open: Mutex<bool>,
    uv_error: AtomicI32,
    started_ns: AtomicU64,
}

impl Default for Life {
    /// At its beginning.
    fn default() -> Self {
        Life {
            decision: AtomicU64::new(0),
            phase: AtomicU32::new(UVX_WORKER_STARTING),
            is_open: Mutex::new(true),
            uv_error: AtomicI32::new(0),
            started_ns: AtomicU64::new(0),
        }
    }
}

impl Life {
    /// Decides how the worker ends; false if that was decided before.
    pub fn decide(&self, reason: uvx_worker_reason, code: c_int) -> bool {
        let word = u64::from(reason) << 32 | u64::from(code.cast_unsigned());
        self.decision.compare_exchange(0, word, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The worker is to stop. False if it was decided before how it ends; else `tell` tells its loop, if that is there.
    pub fn stop(&self, code: c_int, tell: impl FnOnce()) -> bool {
        let decides = self.decide(UVX_WORKER_STOPPED, code);
        if decides {
            self.while_open(tell);
        }
        decides
    }

    /// Does something with the worker's loop, if that is there.
    pub fn while_open<R>(&self, run: impl FnOnce() -> R) -> Option<R> {
        let is_open = lock(&self.is_open);
        if *is_open { Some(run()) } else { None }
    }

    /// Nobody else uses the worker's loop from here on. Worker's thread only.
    pub fn close(&self) {
        *lock(&self.is_open) = false;
    }

    /// The entry failed. Worker's thread only.
    pub fn fail(&self, uv_error: c_int) {
        self.uv_error.store(uv_error, Ordering::Relaxed); // before the decision, which publishes it
        self.decide(UVX_WORKER_FAILED, 1);
    }

    /// Whether it is decided that the worker ends.
    pub fn is_decided(&self) -> bool {
        self.decision.load(Ordering::Acquire) != 0
    }

    /// How the worker ends, as far as that is decided.
    pub fn exit(&self) -> uvx_worker_exit_t {
        let word = self.decision.load(Ordering::Acquire);
        let reason = (word >> 32) as u32;
        uvx_worker_exit_t {
            code: (word as u32).cast_signed(), // the lower half
            reason,
            uv_error: if reason == UVX_WORKER_FAILED { self.uv_error.load(Ordering::Relaxed) } else { 0 },
        }
    }

    /// The entry is called next. Worker's thread only.
    pub fn go_online(&self) {
        self.started_ns.store(now_ns(), Ordering::Relaxed);
        self.phase.store(UVX_WORKER_ONLINE, Ordering::Release);
    }

    /// The worker is through with everything. Worker's thread only.
    pub fn end(&self) {
        self.phase.store(UVX_WORKER_ENDED, Ordering::Release);
        futex::wake_all(&raw const self.phase);
    }

    /// The exit callback is called next.
    pub fn go(&self) {
        self.phase.store(UVX_WORKER_GONE, Ordering::Release);
    }

    /// For `uvx_worker_info`.
    pub fn state(&self) -> uvx_worker_state {
        let phase = self.phase.load(Ordering::Acquire);
        if phase < UVX_WORKER_ENDED && self.is_decided() { UVX_WORKER_STOPPING } else { phase }
    }

    /// When the entry was called, in ns; 0: not yet.
    pub fn started_ns(&self) -> u64 {
        self.started_ns.load(Ordering::Relaxed)
    }

    /// Waits until the worker has ended, for at most `timeout_ns`; `u64::MAX`: for ever.
    pub fn wait_for_end(&self, timeout_ns: u64) -> Result {
        let deadline = Deadline::after(timeout_ns);
        loop {
            let phase = self.phase.load(Ordering::Acquire);
            if phase >= UVX_WORKER_ENDED {
                return Ok(());
            }
            futex::wait(&self.phase, phase, deadline.left()?);
        }
    }
}
