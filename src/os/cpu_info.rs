//! The CPUs that are in use: their model, their clock, and what they have done. From /proc/stat, /proc/cpuinfo and /sys.
//!
//! Deliberate differences from the reference: without frequency scaling the clock is what /proc/cpuinfo says, not 0; there is no
//! limit to the number of CPUs, models, or the length of their names.

use super::cgroup::{number, numbers};
use crate::abi::errno::{Errno, Result};
use crate::abi::{uv_cpu_info_t, uv_cpu_times_s};
use crate::ds::text::Text;
use crate::mem;
use crate::sys::small_file;
use crate::sys::whole_file;
use core::ffi::{c_char, c_int};
use core::fmt::Write;
use core::ptr::{copy_nonoverlapping, null_mut};

/// What names the model in /proc/cpuinfo.
const MODEL: &[u8] = if cfg!(any(target_arch = "powerpc", target_arch = "powerpc64")) {
    b"cpu"
} else if cfg!(target_arch = "aarch64") {
    b"CPU part"
} else {
    b"model name"
};

/// aarch64 gives numbers; these are the names of the usual ones.
const PARTS: &[(&[u8], &[u8])] = &[
    (b"0xd03", b"Cortex-A53"),
    (b"0xd05", b"Cortex-A55"),
    (b"0xd07", b"Cortex-A57"),
    (b"0xd08", b"Cortex-A72"),
    (b"0xd09", b"Cortex-A73"),
    (b"0xd0a", b"Cortex-A75"),
    (b"0xd0b", b"Cortex-A76"),
    (b"0xd0c", b"Neoverse-N1"),
    (b"0xd0d", b"Cortex-A77"),
    (b"0xd40", b"Neoverse-V1"),
    (b"0xd41", b"Cortex-A78"),
    (b"0xd49", b"Neoverse-N2"),
    (b"0xd4a", b"Neoverse-E1"),
    (b"0xd4f", b"Neoverse-V2"),
];

/// Milliseconds in a tick of /proc/stat, of which there are 100 in a second on every machine.
const MS_PER_TICK: u64 = 10;

/// A CPU in /proc/cpuinfo.
#[derive(Clone, Copy)]
struct Described<'a> {
    index: u64,
    model: &'a [u8],
    mhz: u64,
}

/// All CPUs: a block of this library's memory that starts with the items and goes on with their models, and the number of items.
pub fn list() -> Result<(*mut uv_cpu_info_t, c_int)> {
    let stat = whole_file::read(c"/proc/stat")?;
    let described = match whole_file::read(c"/proc/cpuinfo") {
        Err(Errno::ENOMEM) => return Err(Errno::ENOMEM),
        file => file.ok(), // some systems hide it
    };
    build(&stat, described.as_deref().unwrap_or_default(), scaled_mhz)
}

/// The same from the content of /proc/stat and /proc/cpuinfo, and what tells the clock of a CPU that changes it.
pub fn build(
    stat: &[u8],
    described: &[u8],
    scaled_mhz: impl Fn(u64) -> Option<u64>,
) -> Result<(*mut uv_cpu_info_t, c_int)> {
    let mut count = 0usize;
    let mut size = 0usize;
    each(stat, described, |_, _, _, model| {
        count = count.saturating_add(1);
        size = size.saturating_add(model.map_or(0, |model| model.len().saturating_add(1)));
    });
    let length = c_int::try_from(count).map_err(|_| Errno::ENOMEM)?;
    let items_size = count.checked_mul(size_of::<uv_cpu_info_t>()).ok_or(Errno::ENOMEM)?;
    let items = mem::alloc(items_size.checked_add(size.max(1)).ok_or(Errno::ENOMEM)?);
    let mut item = items.cast::<uv_cpu_info_t>();
    if item.is_null() {
        return Err(Errno::ENOMEM);
    }
    // SAFETY: the models' part of the block begins where the items end.
    let mut text = unsafe { item.add(count).cast::<c_char>() };
    let mut model = null_mut::<c_char>();
    each(stat, described, |index, cpu_times, mhz, new_model| {
        // SAFETY: the same walk as before, so there is room for every item and every new model, of which the first CPU has one.
        unsafe {
            if let Some(name) = new_model {
                copy_nonoverlapping(name.as_ptr().cast(), text, name.len());
                text.add(name.len()).write(0);
                model = text;
                text = text.add(name.len().saturating_add(1));
            }
            let mhz = scaled_mhz(index).unwrap_or(mhz);
            let speed = c_int::try_from(mhz).unwrap_or(c_int::MAX);
            item.write(uv_cpu_info_t { model, speed, cpu_times });
            item = item.add(1);
        }
    });
    Ok((items.cast(), length))
}

/// Visits every CPU with its index, times, clock, and its model if that is not the one of the CPU before.
fn each<'a>(
    stat: &[u8],
    described: &'a [u8],
    mut visit: impl FnMut(u64, uv_cpu_times_s, u64, Option<&'a [u8]>),
) {
    let mut described = paragraphs(described).peekable();
    let mut model: Option<&[u8]> = None;
    for (index, times) in stat.split(|&byte| byte == b'\n').filter_map(times) {
        // Both files have the CPUs in ascending order.
        while described.next_if(|cpu| cpu.index < index).is_some() {}
        let cpu = described.peek().copied().filter(|cpu| cpu.index == index);
        let cpu = cpu.unwrap_or(Described { index, model: b"unknown", mhz: 0 });
        let changed = model != Some(cpu.model);
        model = Some(cpu.model);
        visit(index, times, cpu.mhz, changed.then_some(cpu.model));
    }
}

/// A line of /proc/stat: `cpu0 user nice system idle iowait irq ...`; none for other lines.
fn times(line: &[u8]) -> Option<(u64, uv_cpu_times_s)> {
    let mut words =
        numbers(line.strip_prefix(b"cpu").filter(|rest| rest.first().is_some_and(u8::is_ascii_digit))?);
    let mut word = || words.next().flatten();
    let index = word()?;
    let (user, nice, sys, idle, _iowait, irq) = (word()?, word()?, word()?, word()?, word()?, word()?);
    let ms = |ticks: u64| ticks.saturating_mul(MS_PER_TICK);
    let times = uv_cpu_times_s { user: ms(user), nice: ms(nice), sys: ms(sys), idle: ms(idle), irq: ms(irq) };
    Some((index, times))
}

/// The CPUs of /proc/cpuinfo, each of which begins with a line `processor : 0`.
fn paragraphs(text: &[u8]) -> impl Iterator<Item = Described<'_>> {
    let mut lines = text.split(|&byte| byte == b'\n').filter_map(field).peekable();
    core::iter::from_fn(move || {
        let index =
            lines.by_ref().find(|(name, _)| *name == b"processor").and_then(|(_, value)| number(value))?;
        let mut cpu = Described { index, model: b"unknown", mhz: 0 };
        while let Some((name, value)) = lines.next_if(|(name, _)| *name != b"processor") {
            if name == MODEL {
                cpu.model = if cfg!(target_arch = "aarch64") { part(value) } else { value };
            } else if name == b"cpu MHz" {
                cpu.mhz = value.split(|&byte| byte == b'.').next().and_then(number).unwrap_or(0);
            }
        }
        Some(cpu)
    })
}

/// A line `name : value`, without the blanks around them.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
}

fn part(number: &[u8]) -> &'static [u8] {
    PARTS.iter().find(|(part, _)| *part == number).map_or(b"unknown", |(_, name)| name)
}

/// The clock at this moment, on machines that change it.
fn scaled_mhz(index: u64) -> Option<u64> {
    let mut path = Text::<80>::default();
    write!(path, "/sys/devices/system/cpu/cpu{index}/cpufreq/scaling_cur_freq").ok()?;
    let mut buffer = [0; 32];
    let khz = number(small_file::read(path.as_c_str(), &mut buffer).ok()?)?;
    Some(khz / 1000)
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::std_instead_of_core, clippy::alloc_instead_of_core)] // a test may
mod tests {
    use super::*;
    use std::ffi::CStr;

    const STAT: &[u8] = b"cpu  9 9 9 9 9 9 9 0 0 0\ncpu0 1 2 3 4 5 6 7 0 0 0\ncpu2 1 0 0 0 0 0 0\ncpu3 0 0 0 0 0 8 0\nintr 1\n";

    fn models(described: &[u8]) -> std::vec::Vec<(std::string::String, u64)> {
        let (items, count) = build(STAT, described, |_| None).unwrap();
        // SAFETY: a list of `count` items, freed at the end.
        unsafe {
            let list = (0..count as usize)
                .map(|index| {
                    let item = *items.add(index);
                    (CStr::from_ptr(item.model).to_str().unwrap().into(), item.cpu_times.irq)
                })
                .collect();
            mem::free(items.cast());
            list
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn both_files_are_brought_together() {
        let text = b"processor\t: 0\nmodel name\t: Fast One\ncpu MHz\t\t: 2100.000\n\nprocessor\t: 1\nmodel name\t: Off\n\n\
            processor\t: 2\nmodel name\t: Fast One\n\nprocessor\t: 3\nmodel name\t: Slow: Two\n";
        let expected = [("Fast One".into(), 60), ("Fast One".into(), 0), ("Slow: Two".into(), 80)];
        assert_eq!(models(text), expected);
    }

    #[test]
    fn without_a_description_the_model_is_unknown() {
        let expected = [("unknown".into(), 60), ("unknown".into(), 0), ("unknown".into(), 80)];
        assert_eq!(models(b""), expected);
    }
}
