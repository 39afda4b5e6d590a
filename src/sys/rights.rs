//! Descriptors sent over Unix sockets (`SCM_RIGHTS`).

use super::{check_again, full_for_now};
use crate::abi::errno::Result;
use crate::abi::uv_buf_t;
use crate::sys::fd::MOST_PIECES;
use core::ffi::{c_int, c_uint};
use core::mem::MaybeUninit;

/// Descriptors that the kernel puts into one message at most (`SCM_MAX_FD`).
const MOST_DESCRIPTORS: usize = 253;
/// Room for a header and that many descriptors, with padding.
const CONTROL: usize = 16 + MOST_DESCRIPTORS * 4 + 16;

/// Ancillary data, aligned as its header wants.
#[repr(C, align(8))]
struct Control([MaybeUninit<u8>; CONTROL]);

/// The descriptors that came with a message. Whoever takes one out has to close it; the others are closed.
pub struct Received {
    fds: [c_int; MOST_DESCRIPTORS],
    next: usize,
    count: usize,
}

impl Iterator for Received {
    type Item = c_int;
    fn next(&mut self) -> Option<c_int> {
        let fd = self.fds.get(..self.count)?.get(self.next).copied();
        self.next += usize::from(fd.is_some());
        fd
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        for fd in self {
            super::fd::close(fd);
        }
    }
}

/// Writes at most [`MOST_PIECES`] pieces of memory together with a descriptor; like `fd::write` otherwise.
///
/// # Safety
/// The pieces are readable.
pub unsafe fn write(fd: c_int, pieces: *const uv_buf_t, count: usize, passenger: c_int) -> Result<usize> {
    let mut control = Control([MaybeUninit::zeroed(); CONTROL]);
    let size = size_of::<c_int>() as c_uint; // 4
    // SAFETY: the message and what it points at live through the calls; there is room for one descriptor.
    unsafe {
        let mut message: libc::msghdr = MaybeUninit::zeroed().assume_init();
        message.msg_iov = pieces.cast::<libc::iovec>().cast_mut(); // only read
        message.msg_iovlen = count.min(MOST_PIECES) as _; // at most 1024
        message.msg_control = (&raw mut control).cast();
        message.msg_controllen = libc::CMSG_SPACE(size) as _; // 24
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(size) as _; // 20
        libc::CMSG_DATA(header).cast::<c_int>().write_unaligned(passenger);
        let written = check_again(|| libc::sendmsg(fd, &raw const message, 0));
        written.map(isize::cast_unsigned).map_err(full_for_now)
    }
}

/// Reads bytes and the descriptors that came with them, which will be closed on exec.
///
/// # Safety
/// `buffer` is writable.
pub unsafe fn read(fd: c_int, buffer: uv_buf_t) -> Result<(usize, Received)> {
    let mut piece = libc::iovec { iov_base: buffer.base.cast(), iov_len: buffer.len };
    let mut control = Control([MaybeUninit::uninit(); CONTROL]);
    // SAFETY: the message and what it points at live through the calls; the kernel fills in the ancillary data.
    unsafe {
        let mut message: libc::msghdr = MaybeUninit::zeroed().assume_init();
        message.msg_iov = &raw mut piece;
        message.msg_iovlen = 1;
        message.msg_control = (&raw mut control).cast();
        message.msg_controllen = CONTROL as _;
        let count = check_again(|| libc::recvmsg(fd, &raw mut message, libc::MSG_CMSG_CLOEXEC))?;
        Ok((count.cast_unsigned(), unpack(&raw const message)))
    }
}

/// # Safety
/// The message was received.
unsafe fn unpack(message: *const libc::msghdr) -> Received {
    let mut received = Received { fds: [-1; MOST_DESCRIPTORS], next: 0, count: 0 };
    // SAFETY: the kernel wrote well-formed headers, and the data of each is as long as it says.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_RIGHTS {
                let bytes = ((*header).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
                let data = libc::CMSG_DATA(header).cast::<c_int>();
                for index in 0..bytes / size_of::<c_int>() {
                    if let Some(place) = received.fds.get_mut(received.count) {
                        *place = data.add(index).read_unaligned();
                        received.count += 1;
                    }
                }
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
    received
}
