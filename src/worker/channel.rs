//! A channel: one counted block with both ports in it; or with the one port of a group's member (`broadcast/`).
//!
//! References are held by each port until it is closed, by each sender, by messages that were handed out, and by functions
//! during which the program may close the port that they work on. With the last one goes the block: it can hold no message
//! by then, only memory for some.

use super::broadcast::Member;
use super::inbox::Limits;
use super::port::Port;
use crate::abi::errno::{Errno, Result};
use crate::abi::uvx_message_channel_options_t;
use crate::mem;
use core::ffi::c_void;
use core::ptr::{NonNull, null};
use core::sync::atomic::{AtomicUsize, Ordering};

/// What every such block begins with. See the module.
#[repr(C)]
pub struct Channel {
    refs: AtomicUsize,
    /// What `mem` gave; the block lies in it, aligned.
    memory: *mut c_void,
    /// Drops all of the block.
    drop: unsafe fn(*mut Channel),
}

#[repr(C)]
struct Pair {
    head: Channel,
    ports: [Port; 2],
}

#[repr(C)]
struct Single {
    head: Channel,
    port: Port,
    member: Member,
}

impl Channel {
    /// A new channel's ports, which the caller owns.
    pub fn create(limits: Limits) -> Result<(NonNull<Port>, NonNull<Port>)> {
        let pair = Channel::begin::<Pair>(2)?;
        // SAFETY: there is room for the pair, all of which is written.
        unsafe {
            let a = (&raw mut (*pair).ports).cast::<Port>();
            let b = a.add(1);
            a.write(Port::new(limits, pair.cast(), b, null()));
            b.write(Port::new(limits, pair.cast(), a, null()));
            (*b).inbox.writers().begin(&raw const (*a).writer);
            (*a).inbox.writers().begin(&raw const (*b).writer);
            Ok((NonNull::new_unchecked(a), NonNull::new_unchecked(b)))
        }
    }

    /// A port that will be in a group, which the caller owns.
    pub fn create_single(limits: Limits) -> Result<NonNull<Port>> {
        let single = Channel::begin::<Single>(1)?;
        // SAFETY: there is room for it, all of which is written.
        unsafe {
            let (port, member) = (&raw mut (*single).port, &raw mut (*single).member);
            member.write(Member::new(port));
            port.write(Port::new(limits, single.cast(), null(), member));
            // Nobody knows who else may join and post: the end never comes, as a writer of the inbox stays that posts nothing into it.
            (*port).inbox.writers().begin(&raw const (*port).writer);
            Ok(NonNull::new_unchecked(port))
        }
    }

    /// Memory for a block with `refs` references, whose head is written.
    fn begin<B>(refs: usize) -> Result<*mut B> {
        let memory = mem::alloc(size_of::<B>() + align_of::<B>());
        if memory.is_null() {
            return Err(Errno::ENOMEM);
        }
        let block = memory.map_addr(|addr| (addr | (align_of::<B>() - 1)) + 1).cast::<B>();
        let head = Channel { refs: AtomicUsize::new(refs), memory, drop: drop_block::<B> };
        // SAFETY: the aligned place inside the memory has room for the block, which begins with its head.
        unsafe { block.cast::<Channel>().write(head) };
        Ok(block)
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
            let memory = (*channel).memory;
            ((*channel).drop)(channel.cast_mut());
            mem::free(memory);
        }
    }
}

/// # Safety
/// The head is that of a `B`, which nobody uses any more.
unsafe fn drop_block<B>(head: *mut Channel) {
    // SAFETY: the caller's.
    unsafe { head.cast::<B>().drop_in_place() };
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
