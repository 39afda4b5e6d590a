//! What a message hands over: ports, memory, shared buffers, descriptors.
//!
//! All or nothing: everything is checked, then moved into the message; if the message cannot be posted after all, everything moves
//! back to where it was, ports to their loops too.

use super::claim::NOBODY;
use super::port::Port;
use super::post::Route;
use super::shared_buffer::SharedBuffer;
use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::event_loop::Loop;
use crate::mem;
use crate::ptr::Cx;
use crate::sync::prim::Ordering;
use crate::sys::{fd, thread};
use core::ffi::c_uint;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::AtomicBool;

/// See the module: a header, and `count` slots behind it.
#[repr(C, align(16))]
pub struct Transfers {
    count: usize,
    /// The things go with the message even if it is refused.
    consume: bool,
}

#[repr(C)]
struct Slot {
    item: uvx_xfer_t,
    /// The receiver has it.
    taken: AtomicBool,
    /// The loop that a port was attached to, for the way back.
    from: *mut uv_loop_t,
}

impl Transfers {
    /// Moves `count` things into a new block.
    ///
    /// # Safety
    /// The array is the caller's and holds live things.
    pub unsafe fn pack(
        route: &Route<'_>,
        items: *const uvx_xfer_t,
        count: c_uint,
        consume: bool,
    ) -> Result<*mut Transfers> {
        if items.is_null() {
            return Err(Errno::EINVAL);
        }
        if count > UVX_XFER_MAX {
            return Err(Errno::E2BIG);
        }
        let count = count as usize;
        for index in 0..count {
            // SAFETY: the caller's.
            unsafe { check(route, items, index)? };
        }
        let block = mem::alloc(size_of::<Transfers>() + count * size_of::<Slot>()).cast::<Transfers>();
        if block.is_null() {
            return Err(Errno::ENOMEM);
        }
        // SAFETY: the block is new, with room for the header and the slots; the array is the caller's.
        unsafe {
            block.write(Transfers { count: 0, consume });
            for index in 0..count {
                let item = items.add(index).read();
                match move_in(&item) {
                    Ok(from) => slot(block, index).write(Slot { item, taken: AtomicBool::new(false), from }),
                    Err(error) => {
                        Transfers::unpack(block);
                        return Err(error);
                    }
                }
                (*block).count += 1;
            }
        }
        Ok(block)
    }

    /// Moves everything back, and frees the block.
    ///
    /// # Safety
    /// The message was not posted.
    pub unsafe fn unpack(block: *mut Transfers) {
        // SAFETY: the caller's.
        unsafe {
            for index in 0..(*block).count {
                move_back(slot(block, index));
            }
            mem::free(block.cast());
        }
    }

    /// Whether everything goes even if the message is refused.
    pub fn is_consumed(&self) -> bool {
        self.consume
    }

    /// How many things there are, taken ones too.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Takes a thing out. `UV_EINVAL` if there are not so many, `UV_EALREADY` if it was taken.
    ///
    /// # Safety
    /// The caller has a reference to the message.
    pub unsafe fn take(block: *mut Transfers, index: usize) -> Result<uvx_xfer_t> {
        // SAFETY: the caller's; the first to set the flag has the thing.
        unsafe {
            if index >= (*block).count {
                return Err(Errno::EINVAL);
            }
            let slot = slot(block, index);
            if (*slot).taken.swap(true, Ordering::AcqRel) {
                return Err(Errno::EALREADY);
            }
            let item = (*slot).item;
            if item.type_ == UVX_XFER_PORT {
                arrive(&*item.u.port.cast::<Port>());
            }
            Ok(item)
        }
    }

    /// Destroys what was not taken, and the block. Ports go to `abandon`.
    ///
    /// # Safety
    /// Nobody else has the message.
    pub unsafe fn destroy(cx: &mut Cx, block: *mut Transfers, mut abandon: impl FnMut(*const Port)) {
        // SAFETY: the caller's; the type says which value there is.
        unsafe {
            for index in 0..(*block).count {
                let slot = slot(block, index);
                if (*slot).taken.load(Ordering::Acquire) {
                    continue;
                }
                let value = (*slot).item.u;
                match (*slot).item.type_ {
                    UVX_XFER_PORT => abandon(value.port.cast()),
                    UVX_XFER_MEM => {
                        let uvx_xfer_mem_t { base, len, free_cb, arg } = value.mem;
                        if let Some(free_cb) = free_cb {
                            cx.call(|| free_cb(base, len, arg));
                        }
                    }
                    UVX_XFER_SHARED => {
                        SharedBuffer::unreference(cx, NonNull::new_unchecked(value.shared.cast()))
                    }
                    _ => fd::close(value.fd),
                }
            }
            mem::free(block.cast());
        }
    }
}

/// # Safety
/// The block has room for so many slots.
unsafe fn slot(block: *mut Transfers, index: usize) -> *mut Slot {
    // SAFETY: the caller's.
    unsafe { block.add(1).cast::<Slot>().add(index) }
}

/// What can be told of a thing without touching it.
///
/// # Safety
/// As for `pack`; `index` is below the count.
unsafe fn check(route: &Route<'_>, items: *const uvx_xfer_t, index: usize) -> Result {
    // SAFETY: the caller's; the type says which value there is.
    unsafe {
        let item = items.add(index).read();
        if item.flags != 0 || item.type_ > UVX_XFER_FD {
            return Err(Errno::EINVAL);
        }
        for earlier in 0..index {
            if is_same(&item, &items.add(earlier).read()) {
                return Err(Errno::EEXIST);
            }
        }
        match item.type_ {
            UVX_XFER_PORT if item.u.port.is_null() => Err(Errno::EINVAL),
            UVX_XFER_PORT => route.check_port(item.u.port.cast()),
            UVX_XFER_MEM if item.u.mem.base.is_null() && item.u.mem.len > 0 => Err(Errno::EINVAL),
            UVX_XFER_SHARED if item.u.shared.is_null() => Err(Errno::EINVAL),
            UVX_XFER_FD => fd::check_open(item.u.fd),
            _ => Ok(()),
        }
    }
}

/// Whether both are the same thing, which cannot be handed over twice.
unsafe fn is_same(a: &uvx_xfer_t, b: &uvx_xfer_t) -> bool {
    // SAFETY: the type says which value there is.
    unsafe {
        a.type_ == b.type_
            && match a.type_ {
                UVX_XFER_PORT => a.u.port == b.u.port,
                UVX_XFER_MEM => a.u.mem.base == b.u.mem.base && !a.u.mem.base.is_null(),
                UVX_XFER_FD => a.u.fd == b.u.fd,
                _ => false,
            }
    }
}

/// Moves a thing; says where it came from.
///
/// # Safety
/// It was checked.
unsafe fn move_in(item: &uvx_xfer_t) -> Result<*mut uv_loop_t> {
    // SAFETY: the type says which value there is; the things are alive.
    unsafe {
        match item.type_ {
            UVX_XFER_PORT => depart(&*item.u.port.cast::<Port>()),
            UVX_XFER_SHARED => {
                (*item.u.shared.cast::<SharedBuffer>()).reference();
                Ok(null_mut())
            }
            _ => Ok(null_mut()),
        }
    }
}

/// # Safety
/// The slot's thing was moved in, and the message was not posted.
unsafe fn move_back(slot: *mut Slot) {
    // SAFETY: as in `move_in`; the caller of the post has a reference to the shared buffer, so it is not the last one that goes.
    unsafe {
        let value = (*slot).item.u;
        match (*slot).item.type_ {
            UVX_XFER_PORT => come_back(&*value.port.cast::<Port>(), (*slot).from),
            UVX_XFER_SHARED => (*value.shared.cast::<SharedBuffer>()).unreference_not_last(),
            _ => {}
        }
    }
}

/// A port leaves its owner, and its loop.
fn depart(port: &Port) -> Result<*mut uv_loop_t> {
    let claim = port.claim()?;
    if port.pinned.load(Ordering::Relaxed) {
        return Err(Errno::EPERM);
    }
    let attached = port.attached();
    if let Some(lp) = attached {
        port.leave(lp);
    }
    claim.depart();
    Ok(attached.map_or(null_mut(), Loop::as_ptr))
}

/// The post failed: the port is its owner's again, as it was.
///
/// # Safety
/// `from` is what `depart` returned, on this thread.
unsafe fn come_back(port: &Port, from: *mut uv_loop_t) {
    if from.is_null() {
        return port.user.arrive(NOBODY);
    }
    // SAFETY: the port was attached to it a moment ago, on this thread.
    let lp = unsafe { Loop::new(from) };
    port.enter(lp);
    port.resume(lp);
    port.user.arrive(thread::number());
}

/// The port was taken: it begins anew.
fn arrive(port: &Port) {
    port.set_data(null_mut());
    port.own.told_end.set(false);
    port.user.arrive(NOBODY);
}
