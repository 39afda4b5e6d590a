//! The descriptors that a child gets: what its parent has, and pipes that are made for it.
//!
//! `UV_NONBLOCK_PIPE` has no effect, as in the reference: it shares its value with `UV_OVERLAPPED_PIPE`, which programs set for
//! children that expect usual pipes.

use crate::abi::errno::{Errno, Result};
use crate::abi::*;
use crate::handles::{self, stream};
use crate::mem;
use crate::ptr::{Cx, Handle};
use crate::sys::{fd, socket};
use core::ffi::c_int;
use core::ptr::NonNull;

/// What to do with each of the child's descriptors, until it has them.
pub struct Stdio {
    /// The containers of the options.
    containers: *const uv_stdio_container_t,
    /// How many these are.
    given: usize,
    /// How many descriptors the child gets: at least three.
    count: usize,
    /// `count` descriptors of this process for the child, -1 for none; then as many ends of pipes that this process keeps.
    list: NonNull<c_int>,
}

impl Stdio {
    /// Finds the descriptors and makes the pipes. `UV_EINVAL` for containers that are none.
    ///
    /// # Safety
    /// The options are valid, and outlive the value.
    pub unsafe fn prepare(cx: &Cx, options: &uv_process_options_t) -> Result<Stdio> {
        let given = usize::try_from(options.stdio_count).map_err(|_| Errno::EINVAL)?;
        let count = given.max(3);
        let list = mem::alloc_array::<c_int>(count.checked_mul(2).ok_or(Errno::ENOMEM)?)?;
        let stdio = Stdio { containers: options.stdio, given, count, list };
        // SAFETY: the list has twice `count` entries; there are `given` containers.
        unsafe {
            for index in 0..count.wrapping_mul(2) {
                list.add(index).write(-1);
            }
            for index in 0..given {
                let (theirs, ours) = open_one(cx, stdio.containers.add(index).read())?;
                list.add(index).write(theirs);
                list.add(count).add(index).write(ours);
            }
        }
        Ok(stdio)
    }

    /// For each descriptor of the child the one of this process that it becomes a copy of, or -1.
    pub fn for_child(&self) -> &[c_int] {
        // SAFETY: so many entries, all written.
        unsafe { core::slice::from_raw_parts(self.list.as_ptr(), self.count) }
    }

    /// Gives this process's ends of the pipes to their streams. The first error counts; the other streams are opened nevertheless.
    pub fn open(&self, cx: &Cx) -> Result {
        let mut result = Ok(());
        for index in 0..self.given {
            // SAFETY: within both lists; a container with a pipe has a stream, which `prepare` has looked at.
            unsafe {
                let ours = self.list.add(self.count).add(index);
                let fd = ours.read();
                if fd == -1 {
                    continue;
                }
                let container = self.containers.add(index).read();
                let opened =
                    stream::open(Handle::new(cx, container.data.stream), fd, directions(container.flags));
                if opened.is_ok() {
                    ours.write(-1);
                    fd::close(self.list.add(index).replace(-1));
                }
                result = result.and(opened);
            }
        }
        result
    }
}

impl Drop for Stdio {
    /// Closes the pipes that were not given away.
    fn drop(&mut self) {
        // SAFETY: within the list, which came from `mem`.
        unsafe {
            for index in 0..self.given {
                let ours = self.list.add(self.count).add(index).read();
                if ours != -1 {
                    fd::close(ours);
                    fd::close(self.list.add(index).read());
                }
            }
            mem::free(self.list.as_ptr().cast());
        }
    }
}

/// The child's and our descriptor for a container, each -1 for none.
///
/// # Safety
/// The container is valid.
unsafe fn open_one(cx: &Cx, container: uv_stdio_container_t) -> Result<(c_int, c_int)> {
    let kinds = UV_CREATE_PIPE | UV_INHERIT_FD | UV_INHERIT_STREAM;
    // SAFETY: the flags say which field of the union is in use.
    unsafe {
        match container.flags & kinds {
            UV_IGNORE => Ok((-1, -1)),
            UV_INHERIT_FD if container.data.fd >= 0 => Ok((container.data.fd, -1)),
            UV_INHERIT_STREAM if !container.data.stream.is_null() => {
                let stream = Handle::new(cx, container.data.stream.cast::<uv_handle_t>());
                Ok((handles::descriptor(stream).map_err(|_| Errno::EINVAL)?, -1))
            }
            UV_CREATE_PIPE if !container.data.stream.is_null() => {
                let stream = Handle::new(cx, container.data.stream.cast::<uv_handle_t>());
                if stream.handle_type() != UV_NAMED_PIPE {
                    return Err(Errno::EINVAL);
                }
                let [theirs, ours] =
                    fd::set_nonblocking_where(socket::pair(libc::SOCK_STREAM, 0)?, [false, true])?;
                Ok((theirs, ours))
            }
            _ => Err(Errno::EINVAL),
        }
    }
}

/// What the child can do the other way round.
fn directions(flags: uv_stdio_flags) -> u32 {
    let readable = if flags & UV_WRITABLE_PIPE != 0 { UV_HANDLE_READABLE } else { 0 };
    let writable = if flags & UV_READABLE_PIPE != 0 { UV_HANDLE_WRITABLE } else { 0 };
    readable | writable
}
