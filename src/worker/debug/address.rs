//! Where the debug port listens: choosing, opening, giving up.

use crate::abi::errno::{Errno, Result};
use crate::ds::text::Text;
use crate::os::pid;
use crate::sys::socket::{self, End, UNIX_PATH_MAX, UnixName};
use crate::sys::{self, fd, stat, variable};
use core::ffi::{CStr, c_char, c_int};
use core::fmt::Write;
use core::mem::MaybeUninit;

/// Room for a path or an address and a NUL.
pub type Place = Text<{ UNIX_PATH_MAX + 1 }>;

/// Where to listen.
pub enum Address {
    /// A Unix socket.
    Path(Place),
    /// A TCP port of 127.0.0.1; 0: any.
    Port(u16),
}

impl Address {
    /// As `uvx_debug_options_t` says it.
    ///
    /// # Safety
    /// `path` is null or a string.
    pub unsafe fn from_options(path: *const c_char, port: c_int) -> Result<Address> {
        match (path.is_null(), port) {
            (true, 0) => Address::usual(),
            (true, -1) => Ok(Address::Port(0)),
            (true, _) => u16::try_from(port).map(Address::Port).map_err(|_| Errno::EINVAL),
            // SAFETY: the caller's.
            (false, 0) => Address::from_pattern(unsafe { CStr::from_ptr(path) }.to_bytes()),
            _ => Err(Errno::EINVAL),
        }
    }

    /// As `UVX_DEBUG_SOCKET` says it: a path, or digits.
    pub fn from_text(text: &[u8]) -> Result<Address> {
        if text.iter().all(u8::is_ascii_digit) {
            let digits = core::str::from_utf8(text).map_err(|_| Errno::EINVAL)?;
            return digits.parse().map(Address::Port).map_err(|_| Errno::EINVAL);
        }
        Address::from_pattern(text)
    }

    fn from_pattern(pattern: &[u8]) -> Result<Address> {
        let mut place = Place::default();
        let mut rest = pattern;
        while let Some((first, others)) = rest.split_first() {
            rest = others;
            let written = match others.split_first() {
                Some((b'p', after)) if *first == b'%' => {
                    rest = after;
                    write!(place, "{}", pid::own())
                }
                _ => place.push(&[*first]),
            };
            written.map_err(|_| Errno::ENAMETOOLONG)?;
        }
        if place.as_bytes().is_empty() { Err(Errno::EINVAL) } else { Ok(Address::Path(place)) }
    }

    fn usual() -> Result<Address> {
        let mut place = Place::default();
        place
            .push(from_environment(c"XDG_RUNTIME_DIR").unwrap_or(b"/tmp"))
            .and_then(|()| write!(place, "/uvx-debug.{}", pid::own()))
            .map_err(|_| Errno::ENAMETOOLONG)?;
        Ok(Address::Path(place))
    }

    /// A listening socket, and where it listens.
    pub fn listen(&self) -> Result<(c_int, Place)> {
        match self {
            Address::Path(path) => {
                let mut place = Place::default();
                place.push(path.as_bytes()).map_err(|_| Errno::ENAMETOOLONG)?;
                Ok((listen_at(path)?, place))
            }
            Address::Port(port) => listen_on(*port),
        }
    }
}

/// A variable of the environment; None in a program that has more rights than who started it.
pub fn from_environment(name: &CStr) -> Option<&'static [u8]> {
    // SAFETY: no pointers.
    let is_trusted = unsafe { libc::getauxval(libc::AT_SECURE) } == 0;
    variable::get(name).filter(|_| is_trusted).map(CStr::to_bytes)
}

/// A socket that listens at a path, for this user alone.
fn listen_at(path: &Place) -> Result<c_int> {
    let name = UnixName::new(path.as_bytes())?;
    let listener = socket::open(libc::AF_UNIX, libc::SOCK_STREAM, 0)?;
    // The file gets the socket's mode, so there is no moment in which others could connect.
    let result = fd::change_mode(listener, 0o600)
        .and_then(|()| match name.bind(listener) {
            Err(Errno::EADDRINUSE) if is_socket(path) && is_abandoned(&name) => {
                remove(path);
                name.bind(listener)
            }
            result => result,
        })
        .and_then(|()| socket::listen(listener, 16));
    result.map(|()| listener).inspect_err(|_| fd::close(listener))
}

/// Whether a socket lies there: the system refuses connections to plain files in the same words.
fn is_socket(path: &Place) -> bool {
    stat::of(stat::Target::Link(path.as_c_str())).is_ok_and(|found| stat::is(&found, libc::S_IFSOCK))
}

/// Whether the socket there is one on which nobody listens: its process has ended without closing it.
fn is_abandoned(name: &UnixName) -> bool {
    let Ok(probe) = socket::open(libc::AF_UNIX, libc::SOCK_STREAM, 0) else { return false };
    let result = name.connect(probe);
    fd::close(probe);
    matches!(result, Err(Errno::ECONNREFUSED))
}

/// Takes the file away.
pub fn remove(path: &Place) {
    let _ = sys::path::unlink(path.as_c_str()); // or somebody else has
}

fn listen_on(port: u16) -> Result<(c_int, Place)> {
    let listener = socket::open(libc::AF_INET, libc::SOCK_STREAM, 0)?;
    let bound = socket::set_option(listener, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1 as c_int)
        .and_then(|()| bind_loopback(listener, port))
        .and_then(|()| socket::listen(listener, 16))
        .and_then(|()| port_of(listener));
    let mut place = Place::default();
    let found = bound.and_then(|port| write!(place, "127.0.0.1:{port}").map_err(|_| Errno::ENAMETOOLONG));
    found.map(|()| (listener, place)).inspect_err(|_| fd::close(listener))
}

fn bind_loopback(listener: c_int, port: u16) -> Result {
    // SAFETY: all-zero is a value of the struct; the address is as long as is said.
    unsafe {
        let mut address = MaybeUninit::<libc::sockaddr_in>::zeroed().assume_init();
        address.sin_family = libc::AF_INET as libc::sa_family_t; // 2
        address.sin_port = port.to_be();
        address.sin_addr.s_addr = u32::from_be_bytes([127, 0, 0, 1]).to_be();
        socket::bind(listener, (&raw const address).cast(), size_of::<libc::sockaddr_in>() as libc::socklen_t) // 16
    }
}

fn port_of(listener: c_int) -> Result<u16> {
    // SAFETY: all-zero is a value of the struct, which has room for the name of such a socket.
    unsafe {
        let mut address = MaybeUninit::<libc::sockaddr_in>::zeroed().assume_init();
        let mut size = size_of::<libc::sockaddr_in>() as libc::socklen_t; // 16
        socket::name(listener, End::Own, (&raw mut address).cast(), &mut size)?;
        Ok(u16::from_be(address.sin_port))
    }
}
