//! Datagrams: sendmsg(2), sendmmsg(2), recvmsg(2), recvmmsg(2), and the error queue of a socket.
//!
//! One datagram goes through the single call, which is the faster one for it; several go through the call for many.

use super::{check_again, full_for_now, socket};
use crate::abi::errno::Result;
use crate::abi::uv_buf_t;
use core::ffi::{c_int, c_uint};
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use libc::{mmsghdr, msghdr, sockaddr, sockaddr_storage, socklen_t};

/// At most so many datagrams are sent with one call.
const MOST_SENT: usize = 64;
/// Room for the control messages of a received datagram, in words: an error of the queue needs 64 bytes.
const CONTROL_WORDS: usize = 32;

/// A datagram to be sent.
#[derive(Clone, Copy)]
pub struct Outgoing {
    /// Its pieces.
    pub bufs: *const uv_buf_t,
    /// How many.
    pub nbufs: c_uint,
    /// Where to; null for the peer of a connected socket.
    pub address: *const sockaddr,
}

impl Outgoing {
    /// # Safety
    /// The address is null or of a family that `address_length` knows.
    unsafe fn header(self) -> msghdr {
        // SAFETY: null pointers and zero lengths are values of all its fields.
        let mut header = unsafe { core::mem::zeroed::<msghdr>() };
        // SAFETY: the caller's.
        let length = unsafe { address_length(self.address) };
        if let Some(length) = length {
            header.msg_name = self.address.cast_mut().cast();
            header.msg_namelen = length;
        }
        header.msg_iov = self.bufs.cast_mut().cast(); // a uv_buf_t is an iovec
        header.msg_iovlen = self.nbufs as _;
        header
    }
}

/// How long an address is, by its family; None for null and for other families than IPv4, IPv6 and Unix.
///
/// # Safety
/// `address` is null or an address as long as its family says.
pub unsafe fn address_length(address: *const sockaddr) -> Option<socklen_t> {
    if address.is_null() {
        return None;
    }
    // SAFETY: the caller's.
    let size = match unsafe { socket::family(address) } {
        libc::AF_INET => size_of::<libc::sockaddr_in>(),
        libc::AF_INET6 => size_of::<libc::sockaddr_in6>(),
        libc::AF_UNIX => size_of::<libc::sockaddr_un>(),
        _ => return None,
    };
    Some(size as socklen_t) // 16, 28 or 110
}

/// Sends the next datagrams with one call and says how many went out: at least one, or the error of the first. `UV_EAGAIN` also if
/// the system lacks room for it now.
///
/// # Safety
/// The pieces and addresses of all datagrams can be read.
pub unsafe fn send(fd: c_int, datagrams: impl Iterator<Item = Outgoing>) -> Result<usize> {
    let mut headers = [const { MaybeUninit::<mmsghdr>::uninit() }; MOST_SENT];
    let mut count: c_uint = 0;
    for (slot, datagram) in headers.iter_mut().zip(datagrams) {
        // SAFETY: the caller's.
        slot.write(mmsghdr { msg_hdr: unsafe { datagram.header() }, msg_len: 0 });
        count += 1;
    }
    let first = headers.as_mut_ptr().cast::<mmsghdr>();
    // SAFETY: the first `count` headers are filled in, and what they point at can be read.
    let sent = check_again(|| unsafe {
        match count {
            0 => 0,
            1 if libc::sendmsg(fd, &raw const (*first).msg_hdr, 0) >= 0 => 1,
            1 => -1,
            _ => libc::sendmmsg(fd, first, count, 0),
        }
    });
    sent.map(|sent| sent.cast_unsigned() as usize).map_err(full_for_now)
}

/// Room for what one call receives: up to `N` datagrams, but for their bytes.
pub struct Inbox<const N: usize> {
    headers: [MaybeUninit<mmsghdr>; N],
    pieces: [MaybeUninit<uv_buf_t>; N],
    peers: [MaybeUninit<sockaddr_storage>; N],
    control: [MaybeUninit<[u64; CONTROL_WORDS]>; N],
}

/// A received datagram.
#[derive(Clone, Copy)]
pub struct Received {
    /// Its bytes: the room it was received into.
    pub buf: uv_buf_t,
    /// How many of them.
    pub size: usize,
    /// The sender; of the family `AF_UNSPEC` if it has no address. Lies in the inbox.
    pub peer: *const sockaddr,
    /// It did not fit, and its end is lost.
    pub truncated: bool,
    /// What the error queue says of a datagram that was sent from here.
    pub failure: Option<Failure>,
}

/// An entry of a socket's error queue.
#[derive(Clone, Copy)]
pub struct Failure {
    /// 0 or the error.
    pub code: c_int,
    /// Who reported it; of the family `AF_UNSPEC` if it was this machine. Lies in the inbox.
    pub offender: *const sockaddr,
}

impl<const N: usize> Inbox<N> {
    /// Nothing received yet.
    pub const fn empty() -> Self {
        Inbox {
            headers: [const { MaybeUninit::uninit() }; N],
            pieces: [const { MaybeUninit::uninit() }; N],
            peers: [const { MaybeUninit::uninit() }; N],
            control: [const { MaybeUninit::uninit() }; N],
        }
    }

    /// Receives, without waiting, datagrams into the rooms, the first into the first, and says how many came: one at least. From the
    /// error queue if so asked, else from those that arrived.
    ///
    /// # Safety
    /// The rooms, `N` of them at most, can be written.
    pub unsafe fn receive(
        &mut self,
        fd: c_int,
        rooms: impl Iterator<Item = uv_buf_t>,
        errors: bool,
    ) -> Result<usize> {
        let mut count: c_uint = 0;
        for (slot, room) in (0..N).zip(rooms) {
            self.prepare(slot, room, errors);
            count += 1;
        }
        let flags = if errors { libc::MSG_ERRQUEUE } else { 0 };
        let first = self.headers.as_mut_ptr().cast::<mmsghdr>();
        // SAFETY: the first `count` headers are filled in and point into this inbox and the rooms.
        let received = check_again(|| unsafe {
            if count == 1 {
                match libc::recvmsg(fd, &raw mut (*first).msg_hdr, flags) {
                    -1 => -1,
                    size => {
                        (*first).msg_len = size as c_uint; // a datagram is smaller
                        1
                    }
                }
            } else {
                libc::recvmmsg(fd, first, count, flags as _, null_mut())
            }
        });
        received.map(|received| received.cast_unsigned() as usize)
    }

    fn prepare(&mut self, slot: usize, room: uv_buf_t, errors: bool) {
        let places = (
            self.headers.get_mut(slot),
            self.pieces.get_mut(slot),
            self.peers.get_mut(slot),
            self.control.get_mut(slot),
        );
        let (Some(header), Some(piece), Some(peer), Some(control)) = places else { return };
        // SAFETY: null pointers and zero lengths are values of all its fields.
        let mut message = unsafe { core::mem::zeroed::<msghdr>() };
        let peer = peer.as_mut_ptr();
        // SAFETY: the family lies in the peer; a sender without an address leaves it as it is.
        unsafe { (&raw mut (*peer).ss_family).write(libc::AF_UNSPEC as libc::sa_family_t) };
        message.msg_name = peer.cast();
        message.msg_namelen = size_of::<sockaddr_storage>() as socklen_t; // 128
        message.msg_iov = core::ptr::from_mut(piece.write(room)).cast();
        message.msg_iovlen = 1;
        if errors {
            message.msg_control = control.as_mut_ptr().cast();
            message.msg_controllen = size_of::<[u64; CONTROL_WORDS]>() as _;
        }
        header.write(mmsghdr { msg_hdr: message, msg_len: 0 });
    }

    /// A datagram of the last `receive`.
    ///
    /// # Safety
    /// `slot` is below what `receive` returned.
    pub unsafe fn get(&self, slot: usize) -> Received {
        // SAFETY: the caller's: the slot was filled in, and the kernel completed it.
        unsafe {
            let header = self.headers.as_ptr().add(slot).cast::<mmsghdr>().read();
            let message = &raw const header.msg_hdr;
            let from_errors = (*message).msg_flags & libc::MSG_ERRQUEUE != 0;
            Received {
                buf: self.pieces.as_ptr().add(slot).cast::<uv_buf_t>().read(),
                size: header.msg_len as usize,
                peer: self.peers.as_ptr().add(slot).cast(),
                truncated: (*message).msg_flags & libc::MSG_TRUNC != 0,
                failure: if from_errors { failure(message) } else { None },
            }
        }
    }
}

/// The error among the control messages.
///
/// # Safety
/// The kernel has filled in the message, and its control messages are alive.
unsafe fn failure(message: *const msghdr) -> Option<Failure> {
    // SAFETY: the macros stay inside the control messages of a message that the kernel filled in; the data of an error message is
    // a `sock_extended_err` with the offender's address behind it.
    unsafe {
        let mut next = libc::CMSG_FIRSTHDR(message);
        while !next.is_null() {
            match ((*next).cmsg_level, (*next).cmsg_type) {
                (libc::SOL_IP, libc::IP_RECVERR) | (libc::SOL_IPV6, libc::IPV6_RECVERR) => {
                    let error = libc::CMSG_DATA(next).cast::<libc::sock_extended_err>();
                    let code = (&raw const (*error).ee_errno).read_unaligned().cast_signed().wrapping_neg();
                    return Some(Failure { code, offender: libc::SO_EE_OFFENDER(error) });
                }
                _ => next = libc::CMSG_NXTHDR(message, next),
            }
        }
    }
    None
}
