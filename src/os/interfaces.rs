//! Network interfaces: their addresses, from getifaddrs(3), and their names.

use super::caller_buffer::CallerBuffer;
use crate::abi::errno::{Errno, Result};
use crate::abi::{uv_interface_address_address, uv_interface_address_netmask, uv_interface_address_t};
use crate::mem;
use crate::sys::{check, last_error};
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::mem::zeroed;
use core::ptr::{copy_nonoverlapping, null_mut};
use libc::{ifaddrs, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_ll};

/// What getifaddrs(3) gives.
struct List(*mut ifaddrs);

impl List {
    fn read() -> Result<List> {
        let mut first = null_mut();
        // SAFETY: the result fits.
        check(unsafe { libc::getifaddrs(&raw mut first) })?;
        Ok(List(first))
    }

    /// The entries of interfaces that are up.
    fn running(&self) -> impl Iterator<Item = *const ifaddrs> {
        // SAFETY: null or an entry of the list, which is alive.
        let entries = core::iter::successors(Some(self.0.cast_const()), |&at| unsafe {
            (!at.is_null()).then(|| (*at).ifa_next.cast_const())
        });
        let up = (libc::IFF_UP | libc::IFF_RUNNING).cast_unsigned();
        // SAFETY: as above.
        entries.filter(move |&at| !at.is_null() && unsafe { (*at).ifa_flags } & up == up)
    }

    /// Those of them with an internet address.
    fn addresses(&self) -> impl Iterator<Item = *const ifaddrs> {
        self.running().filter(|&entry| matches!(family(entry), libc::AF_INET | libc::AF_INET6))
    }

    /// The hardware address of the interface called `name`, or of the one that `name` is an alias of (`eth0:1` of `eth0`).
    fn hardware_address(&self, name: &[u8]) -> [c_char; 6] {
        let found = self.running().find(|&entry| {
            family(entry) == libc::AF_PACKET
                && matches!(name.strip_prefix(name_of(entry).to_bytes()), Some([] | [b':', ..]))
        });
        // SAFETY: the family says what the address is, which may be less aligned than its type.
        let bytes =
            found.map(|entry| unsafe { (*entry).ifa_addr.cast::<sockaddr_ll>().read_unaligned() }.sll_addr);
        let [a, b, c, d, e, f, ..] = bytes.unwrap_or_default().map(|byte| byte as c_char);
        [a, b, c, d, e, f]
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: from getifaddrs, once.
        unsafe { libc::freeifaddrs(self.0) };
    }
}

/// The family of an entry's address, 0 without an address.
fn family(entry: *const ifaddrs) -> c_int {
    // SAFETY: entries come from a list that is alive; the address is null or begins with its family.
    unsafe {
        let address = (*entry).ifa_addr;
        if address.is_null() { 0 } else { c_int::from((&raw const (*address).sa_family).read_unaligned()) }
    }
}

fn name_of<'a>(entry: *const ifaddrs) -> &'a CStr {
    // SAFETY: entries come from a list that is alive while its name is looked at.
    unsafe { CStr::from_ptr((*entry).ifa_name) }
}

/// All internet addresses of this machine's running interfaces: a block of this library's memory that starts with the items and
/// goes on with their names, and the number of items. Without any it is a null pointer.
pub fn addresses() -> Result<(*mut uv_interface_address_t, c_int)> {
    let list = List::read()?;
    let mut count = 0usize;
    let mut size = 0usize;
    for entry in list.addresses() {
        count = count.saturating_add(1);
        size = size.saturating_add(name_of(entry).count_bytes()).saturating_add(1);
    }
    let length = c_int::try_from(count).map_err(|_| Errno::ENOMEM)?;
    if count == 0 {
        return Ok((null_mut(), 0));
    }
    let items_size = count.checked_mul(size_of::<uv_interface_address_t>()).ok_or(Errno::ENOMEM)?;
    let items = mem::alloc_zeroed(items_size.checked_add(size).ok_or(Errno::ENOMEM)?);
    let items = items.cast::<uv_interface_address_t>();
    if items.is_null() {
        return Err(Errno::ENOMEM);
    }
    let mut item = items;
    // SAFETY: the strings' part of the block begins where the items end. The list is still the one that was counted.
    unsafe {
        let mut text = items.add(count).cast::<c_char>();
        for entry in list.addresses() {
            let name = name_of(entry);
            let size = name.count_bytes().saturating_add(1);
            copy_nonoverlapping(name.as_ptr(), text, size);
            item.write(describe(&list, entry, text));
            item = item.add(1);
            text = text.add(size);
        }
    }
    Ok((items, length))
}

fn describe(list: &List, entry: *const ifaddrs, name: *mut c_char) -> uv_interface_address_t {
    // SAFETY: the entry is one of the living list, with an address of the family that it names; zeros are a value of both unions.
    unsafe {
        let mut address: uv_interface_address_address = zeroed();
        let mut netmask: uv_interface_address_netmask = zeroed();
        let mask = (*entry).ifa_netmask;
        if family(entry) == libc::AF_INET6 {
            address.address6 = read::<sockaddr_in6>((*entry).ifa_addr);
            netmask.netmask6 = read::<sockaddr_in6>(mask);
        } else {
            address.address4 = read::<sockaddr_in>((*entry).ifa_addr);
            netmask.netmask4 = read::<sockaddr_in>(mask);
        }
        uv_interface_address_t {
            name,
            phys_addr: list.hardware_address(name_of(entry).to_bytes()),
            is_internal: c_int::from((*entry).ifa_flags & libc::IFF_LOOPBACK.cast_unsigned() != 0),
            address,
            netmask,
        }
    }
}

/// An address as its real type; zeros without one.
///
/// # Safety
/// `from` is null or a `T`, which may be all zeros.
unsafe fn read<T>(from: *const sockaddr) -> T {
    // SAFETY: the caller's.
    unsafe { if from.is_null() { zeroed() } else { from.cast::<T>().read_unaligned() } }
}

/// The name of an interface by its number: `UV_ENXIO` if there is none.
///
/// # Safety
/// As for [`CallerBuffer::new`].
pub unsafe fn name(index: c_uint, buffer: *mut c_char, size: *mut usize) -> Result {
    // SAFETY: the caller's.
    let buffer = unsafe { CallerBuffer::new(buffer, size) }?;
    let mut text = [0u8; libc::IF_NAMESIZE];
    // SAFETY: the array is as large as is asked for.
    if unsafe { libc::if_indextoname(index, text.as_mut_ptr().cast()) }.is_null() {
        return Err(last_error());
    }
    buffer.put(CStr::from_bytes_until_nul(&text).unwrap_or_default().to_bytes())
}
