//! A message: a tag, some bytes, and what it hands over.
//!
//! Up to [`INLINE`] bytes lie in the message itself, more in a block of their own, which the messages of one post to a group
//! have in common. Posting makes it, an inbox carries it, and from
//! then on it is counted: whoever gives up the last reference destroys it.
//!
//! A message may hold a port, whose inbox holds messages that hold ports, and so on. [`Doomed`] takes them apart one after
//! the other, so that the depth costs no stack.

use super::close;
use super::port::{Hold, Port};
use super::recycling::Recycler;
use super::transfer::Transfers;
use crate::abi::errno::{Errno, Result};
use crate::abi::{uv__queue, uv_buf_t};
use crate::mem;
use crate::ptr::Cx;
use core::mem::MaybeUninit;
use core::ptr::{copy_nonoverlapping, null, null_mut};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Payload up to this many bytes needs no block of its own.
pub const INLINE: usize = 64;

/// See the module.
#[repr(C)]
pub struct Message {
    /// In the inbox, or in a list of unused messages. First, so that it leads back here.
    pub link: uv__queue,
    refs: AtomicU32,
    /// 1 if the bytes lie in a [`Payload`].
    is_shared: u32,
    /// What the sender put on it.
    pub tag: u64,
    /// All bytes in one piece.
    pub data: uv_buf_t,
    /// Null without.
    pub transfers: *mut Transfers,
    /// The port that `receive` took it from, held; or null.
    home: *const Port,
    inline: [MaybeUninit<u8>; INLINE],
}

const _: () = assert!(core::mem::offset_of!(Message, inline) == 64 && size_of::<Message>() == 128);

/// Bytes that several messages have in common; they follow. Longer than [`INLINE`].
#[repr(C, align(16))]
pub struct Payload {
    refs: AtomicUsize,
    len: usize,
}

impl Payload {
    /// A copy of the `len` bytes in the buffers, with one reference.
    ///
    /// # Safety
    /// The buffers hold `len` bytes in all.
    pub unsafe fn create(bufs: *const uv_buf_t, nbufs: usize, len: usize) -> Result<*mut Payload> {
        let whole = len.checked_add(size_of::<Payload>()).ok_or(Errno::ENOMEM)?;
        let payload = mem::alloc(whole).cast::<Payload>();
        if payload.is_null() {
            return Err(Errno::ENOMEM);
        }
        // SAFETY: new memory, with room for both; the caller's buffers.
        unsafe {
            payload.write(Payload { refs: AtomicUsize::new(1), len });
            gather(payload.add(1).cast(), bufs, nbufs);
        }
        Ok(payload)
    }

    /// Gives up a reference. Any thread.
    ///
    /// # Safety
    /// It is the caller's.
    #[cold]
    pub unsafe fn release(payload: *mut Payload) {
        // SAFETY: the caller's reference keeps it alive up to here; the last one has it alone.
        unsafe {
            if (*payload).refs.fetch_sub(1, Ordering::Release) == 1 {
                (*payload).refs.load(Ordering::Acquire); // all that others did with it is done
                mem::free(payload.cast());
            }
        }
    }
}

/// Makes a message of the memory at `raw`: one reference, no transfers, a copy of `len` bytes in the buffers. Without memory for
/// those, `raw` is as before.
///
/// # Safety
/// `raw` is memory for a message, of the caller's alone; the buffers hold `len` bytes in all.
pub unsafe fn write(raw: *mut Message, tag: u64, bufs: *const uv_buf_t, nbufs: usize, len: usize) -> Result {
    // SAFETY: the caller's; the copy goes to a place with room for it.
    unsafe {
        let mut to = (&raw mut (*raw).inline).cast::<u8>();
        if len > INLINE {
            to = mem::alloc(len).cast();
            if to.is_null() {
                return Err(Errno::ENOMEM);
            }
        }
        (&raw mut (*raw).refs).write(AtomicU32::new(1));
        (*raw).is_shared = 0;
        (*raw).tag = tag;
        (*raw).data = uv_buf_t { base: to.cast(), len };
        (*raw).transfers = null_mut();
        (*raw).home = null();
        gather(to, bufs, nbufs);
    }
    Ok(())
}

/// Makes a message of the memory at `raw`, with one reference more to the payload.
///
/// # Safety
/// `raw` is memory for a message, of the caller's alone; the caller has a reference to the payload.
pub unsafe fn write_shared(raw: *mut Message, tag: u64, payload: *mut Payload) {
    // SAFETY: the caller's; the bytes follow the payload's head.
    unsafe {
        (*payload).refs.fetch_add(1, Ordering::Relaxed);
        (&raw mut (*raw).refs).write(AtomicU32::new(1));
        (*raw).is_shared = 1;
        (*raw).tag = tag;
        (*raw).data = uv_buf_t { base: payload.add(1).cast(), len: (*payload).len };
        (*raw).transfers = null_mut();
        (*raw).home = null();
    }
}

/// # Safety
/// There is room for all that is in the buffers.
#[inline]
unsafe fn gather(mut to: *mut u8, bufs: *const uv_buf_t, nbufs: usize) {
    // SAFETY: the caller's.
    unsafe {
        for index in 0..nbufs {
            let buf = bufs.add(index).read();
            copy_nonoverlapping(buf.base.cast::<u8>().cast_const(), to, buf.len);
            to = to.add(buf.len);
        }
    }
}

/// One more reference. Any thread.
///
/// # Safety
/// The caller has a reference.
pub unsafe fn reference(message: *mut Message) {
    // SAFETY: the caller's.
    unsafe { &(*message).refs }.fetch_add(1, Ordering::Relaxed);
}

/// Gives up a reference. Any thread.
///
/// # Safety
/// It is the caller's reference.
pub unsafe fn unreference(cx: &mut Cx, message: *mut Message) {
    // SAFETY: the caller's. With the only reference there is nobody who could make another one, or still use the message.
    unsafe {
        let refs = &(*message).refs;
        if refs.load(Ordering::Acquire) == 1 || refs.fetch_sub(1, Ordering::AcqRel) == 1 {
            destroy(cx, message);
        }
    }
}

/// The callback that had the message has returned.
///
/// # Safety
/// The reference is the caller's.
pub unsafe fn finish(cx: &mut Cx, message: *mut Message, unused: &mut Recycler<'_>) {
    // SAFETY: the caller's. With the only reference there is nobody who could make another one.
    unsafe {
        if (*message).refs.load(Ordering::Acquire) == 1 && (*message).transfers.is_null() {
            free_payload(message);
            unused.add(message);
        } else {
            unreference(cx, message);
        }
    }
}

/// Notes that the message was handed out, so that the one who drops it can give its memory back to `port`'s writers.
///
/// # Safety
/// The message is the caller's alone, and came from `port`'s inbox.
pub unsafe fn set_home(message: *mut Message, port: &Port) {
    // SAFETY: the caller's.
    unsafe { (*message).home = Hold::new(port).into_raw() };
}

/// Frees a payload that does not lie in the message.
///
/// # Safety
/// The message is the caller's alone.
pub unsafe fn free_payload(message: *mut Message) {
    // SAFETY: the caller's; longer payloads came from `mem`, and those that are shared follow their head.
    unsafe {
        if (*message).data.len > INLINE {
            let base = (*message).data.base;
            match (*message).is_shared {
                0 => mem::free(base.cast()),
                _ => Payload::release(base.cast::<Payload>().sub(1)),
            }
        }
    }
}

/// Destroys a message and what it still holds.
///
/// # Safety
/// The message is the caller's alone.
unsafe fn destroy(cx: &mut Cx, message: *mut Message) {
    // SAFETY: the caller's; `home` is a port that is held.
    unsafe {
        if !(*message).transfers.is_null() {
            let mut doomed = Doomed::default();
            doomed.push(message);
            return doomed.destroy(cx);
        }
        free_payload(message);
        free_memory(message);
    }
}

/// # Safety
/// The message is the caller's alone, and holds nothing.
#[inline]
unsafe fn free_memory(message: *mut Message) {
    // SAFETY: the caller's.
    unsafe {
        let home = (*message).home;
        if home.is_null() {
            return mem::free(message.cast());
        }
        let home = Hold::from_raw(home);
        home.inbox.free_stack().give(message);
    }
}

/// Messages to be destroyed, in order; see the module.
pub struct Doomed {
    first: *mut uv__queue,
    last: *mut uv__queue,
}

impl Default for Doomed {
    /// None.
    fn default() -> Self {
        Doomed { first: null_mut(), last: null_mut() }
    }
}

impl Doomed {
    /// Adds a message.
    ///
    /// # Safety
    /// It is the caller's alone.
    pub unsafe fn push(&mut self, message: *mut Message) {
        let node = message.cast::<uv__queue>();
        // SAFETY: the caller's; the last node is in the list.
        unsafe {
            (*node).next = null_mut();
            match self.last.is_null() {
                true => self.first = node,
                false => (*self.last).next = node,
            }
        }
        self.last = node;
    }

    /// Destroys them all, and what their ports have in their inboxes.
    pub fn destroy(mut self, cx: &mut Cx) {
        while !self.first.is_null() {
            let message = self.first.cast::<Message>();
            // SAFETY: what is in the list is alive and belongs to it.
            unsafe {
                self.first = (*message).link.next;
                if self.first.is_null() {
                    self.last = null_mut();
                }
                let transfers = (*message).transfers;
                if !transfers.is_null() {
                    Transfers::destroy(cx, transfers, |port| close::abandon(port, &mut self));
                }
                free_payload(message);
                free_memory(message);
            }
        }
    }
}
