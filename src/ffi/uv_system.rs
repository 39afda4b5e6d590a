//! The machine: its names, CPUs, memory, network interfaces, and how busy it is.

use super::status;
use crate::abi::*;
use crate::mem;
use crate::os::{cpu_info, host, interfaces, memory};
use core::ffi::{c_char, c_int, c_uint};
use core::ptr::null_mut;

/// Fills in the names of the operating system, as uname(). UV_EINVAL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_uname(buffer: *mut uv_utsname_t) -> c_int {
    // SAFETY: the caller has room for the names, or gives NULL.
    status(unsafe { host::system(buffer) })
}

/// Copies the machine's name to `buffer`, which has `*size` bytes (UV_MAXHOSTNAMESIZE is always enough), and sets `*size` to its length
/// without the NUL. UV_ENOBUFS if it does not fit, and `*size` is then what it needs with the NUL; UV_EINVAL for NULL and a size
/// of 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_os_gethostname(buffer: *mut c_char, size: *mut usize) -> c_int {
    // SAFETY: the caller gives a size and room, or NULL.
    status(unsafe { host::name(buffer, size) })
}

/// Stores for how many seconds the machine, or the container, has been running.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_uptime(uptime: *mut f64) -> c_int {
    // SAFETY: the caller has room for the number.
    status(host::uptime().map(|seconds| unsafe { uptime.write(seconds) }))
}

/// Stores the numbers of runnable threads, averaged over the last 1, 5 and 15 minutes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_loadavg(avg: *mut f64) {
    // SAFETY: the caller has room for three numbers.
    unsafe { avg.cast::<[f64; 3]>().write(host::load_averages()) }
}

/// Stores a list of the CPUs in use and its length, to be freed with uv_free_cpu_info(). Speeds are in MHz, times in ms. An error
/// leaves NULL and 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_cpu_info(cpu_infos: *mut *mut uv_cpu_info_t, count: *mut c_int) -> c_int {
    let list = cpu_info::list();
    let (items, length) = list.unwrap_or((null_mut(), 0));
    // SAFETY: the caller has room for both.
    unsafe {
        cpu_infos.write(items);
        count.write(length);
    }
    status(list.map(|_| ()))
}

/// Frees a list from uv_cpu_info(), or NULL; `count` is what that stored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_free_cpu_info(cpu_infos: *mut uv_cpu_info_t, count: c_int) {
    let _ = count; // the list is one block
    // SAFETY: the caller gives a list that was not freed, or NULL.
    unsafe { mem::free(cpu_infos.cast()) }
}

/// Stores a list of the internet addresses of all network interfaces that are up, and its length, to be freed with
/// uv_free_interface_addresses(). An interface is in it once for each of its addresses. An error leaves NULL and 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_interface_addresses(
    addresses: *mut *mut uv_interface_address_t,
    count: *mut c_int,
) -> c_int {
    let list = interfaces::addresses();
    let (items, length) = list.unwrap_or((null_mut(), 0));
    // SAFETY: the caller has room for both.
    unsafe {
        addresses.write(items);
        count.write(length);
    }
    status(list.map(|_| ()))
}

/// Frees a list from uv_interface_addresses(), or NULL; `count` is what that stored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_free_interface_addresses(addresses: *mut uv_interface_address_t, count: c_int) {
    let _ = count; // the list is one block
    // SAFETY: the caller gives a list that was not freed, or NULL.
    unsafe { mem::free(addresses.cast()) }
}

/// Copies the name of a network interface to `buffer`, which has `*size` bytes (UV_IF_NAMESIZE is always enough), and sets `*size` to its
/// length without the NUL. UV_ENOBUFS if it does not fit, and `*size` is then what it needs with the NUL; UV_ENXIO if there is no
/// such interface; UV_EINVAL for NULL and a size of 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_if_indextoname(ifindex: c_uint, buffer: *mut c_char, size: *mut usize) -> c_int {
    // SAFETY: the caller gives a size and room, or NULL.
    status(unsafe { interfaces::name(ifindex, buffer, size) })
}

/// As uv_if_indextoname(): what stands behind the % of an IPv6 address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uv_if_indextoiid(ifindex: c_uint, buffer: *mut c_char, size: *mut usize) -> c_int {
    // SAFETY: the caller gives a size and room, or NULL.
    status(unsafe { interfaces::name(ifindex, buffer, size) })
}

/// The bytes of memory that programs could still get; 0 if unknown.
#[unsafe(no_mangle)]
pub extern "C" fn uv_get_free_memory() -> u64 {
    memory::free()
}

/// The bytes of memory that the machine has; 0 if unknown.
#[unsafe(no_mangle)]
pub extern "C" fn uv_get_total_memory() -> u64 {
    memory::total()
}

/// The bytes of memory that the process may use, by its control groups and resource limits. UINT64_MAX if these set no limit, 0 if there are
/// none or it cannot be told. It may be more than the machine has.
#[unsafe(no_mangle)]
pub extern "C" fn uv_get_constrained_memory() -> u64 {
    memory::constrained()
}

/// The bytes of memory that the process could still get within the limits of its control groups; uv_get_free_memory() without limits.
#[unsafe(no_mangle)]
pub extern "C" fn uv_get_available_memory() -> u64 {
    memory::available()
}
