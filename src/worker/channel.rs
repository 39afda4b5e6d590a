//! A channel: one counted block with both ports in it.
//!
//! References are held by each port until it is closed, by each sender, by messages that were handed out, and by functions
//! during which the program may close the port that they work on. With the last one goes the block: it can hold no message
//! by then, only memory for some.

use super::inbox::Limits;
use super::port::Port;
use crate::abi::errno::{Errno, Result};
use crate::abi::uvx_message_channel_options_t;
use crate::mem;
use core::ffi::c_void;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

/// See the module.
#[repr(C)]
pub struct Channel {
    refs: AtomicUsize,
    /// What `mem` gave; the channel lies in it, aligned.
    block: *mut c_void,
    ports: [Port; 2],
}

impl Channel {
    /// A new channel's ports, which the caller owns.
    pub fn create(limits: Limits) -> Result<(NonNull<Port>, NonNull<Port>)> {
        let block = mem::alloc(size_of::<Channel>() + align_of::<Channel>());
        if block.is_null() {
            return Err(Errno::ENOMEM);
        }
        // SAFETY: the aligned place inside the block has room for the channel, all of which is written.
        unsafe {
            let channel = block.map_addr(|addr| (addr | (align_of::<Channel>() - 1)) + 1).cast::<Channel>();
            (&raw mut (*channel).refs).write(AtomicUsize::new(2));
            (&raw mut (*channel).block).write(block);
            let a = (&raw mut (*channel).ports).cast::<Port>();
            let b = a.add(1);
            a.write(Port::new(limits, channel, b));
            b.write(Port::new(limits, channel, a));
            (*b).inbox.writers().begin(&raw const (*a).writer);
            (*a).inbox.writers().begin(&raw const (*b).writer);
            Ok((NonNull::new_unchecked(a), NonNull::new_unchecked(b)))
        }
    }

    /// One more reference.
    ///
    /// # Safety
    /// Somebody has a reference.
    pub unsafe fn retain(channel: *const Channel) {
        // SAFETY: the caller's.
        unsafe { &(*channel).refs }.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives up a reference.
    ///
    /// # Safety
    /// It is the caller's, and the caller does not touch the channel any more.
    pub unsafe fn release(channel: *const Channel) {
        // SAFETY: the caller's reference keeps it alive up to here; the last one has it alone.
        unsafe {
            if (*channel).refs.fetch_sub(1, Ordering::Release) != 1 {
                return;
            }
            (*channel).refs.load(Ordering::Acquire); // all that others did with it is done
            let block = (*channel).block;
            channel.cast_mut().drop_in_place();
            mem::free(block);
        }
    }
}

/// The bounds that the options ask for, or none without options.
///
/// # Safety
/// `options` is null or points at options of the size that stands in them.
pub unsafe fn limits(options: *const uvx_message_channel_options_t) -> Result<Limits> {
    if options.is_null() {
        return Ok(Limits::NONE);
    }
    // SAFETY: the size is read first, the rest only if it is there.
    let options = unsafe {
        if (*options).size < size_of::<uvx_message_channel_options_t>() {
            return Err(Errno::EINVAL);
        }
        options.read()
    };
    if options.flags != 0 || options.low_water > options.max_messages {
        return Err(Errno::EINVAL);
    }
    let bound = |value: usize| if value == 0 { u64::MAX } else { value as u64 };
    let half = |value: u64| if value == u64::MAX { value } else { value.div_ceil(2) };
    let (messages, bytes) = (bound(options.max_messages), bound(options.max_bytes));
    let low_messages = if options.low_water > 0 { options.low_water as u64 } else { half(messages) };
    Ok(Limits { messages, bytes, low_messages, low_bytes: half(bytes) })
}
