//! The machine's files: /proc/stat with /proc/cpuinfo, /proc/meminfo, /proc/loadavg. As many CPUs as the file has lines for, with models that
//! the other file names; numbers as somebody else reads them.

#![no_main]

use core::ffi::CStr;
use libfuzzer_sys::fuzz_target;
use uv::os::{cpu_info, host, memory};

/// The words of a line, if it is one of a CPU's times.
fn words(line: &[u8]) -> Option<Vec<u64>> {
    let rest = line.strip_prefix(b"cpu").filter(|rest| rest.first().is_some_and(u8::is_ascii_digit))?;
    let words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(7);
    let numbers: Vec<u64> =
        words.map(|word| str::from_utf8(word).ok()?.parse().ok()).collect::<Option<_>>()?;
    (numbers.len() == 7).then_some(numbers)
}

/// The models in /proc/cpuinfo by the number of the CPU, if its CPUs are in order.
fn models(text: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut cpus: Vec<(u64, &[u8])> = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name == b"processor" {
            let word = value.split(u8::is_ascii_whitespace).next()?;
            let index = str::from_utf8(word).ok()?.parse().ok()?;
            if cpus.last().is_some_and(|&(last, _)| last >= index) {
                return None;
            }
            cpus.push((index, b"unknown"));
        } else if let (b"model name", Some(cpu)) = (name, cpus.last_mut()) {
            cpu.1 = value;
        }
    }
    Some(cpus)
}

fn check_cpus(stat: &[u8], described: &[u8]) {
    let expected: Vec<Vec<u64>> = stat.split(|&byte| byte == b'\n').filter_map(words).collect();
    let in_order = expected.is_sorted_by(|cpu, next| cpu[0] < next[0]);
    let models = models(described).filter(|_| in_order && cfg!(target_arch = "x86_64"));
    let (items, count) =
        cpu_info::build(stat, described, |index| (index % 2 == 1).then_some(index)).expect("memory");
    assert_eq!(count as usize, expected.len());
    for (index, words) in expected.iter().enumerate() {
        // SAFETY: as many items as it says.
        let (item, model) = unsafe { (*items.add(index), CStr::from_ptr((*items.add(index)).model)) };
        let ms: Vec<u64> = words.iter().map(|ticks| ticks.saturating_mul(10)).collect();
        let times = &item.cpu_times;
        assert_eq!(
            [times.user, times.nice, times.sys, times.idle, times.irq],
            [ms[1], ms[2], ms[3], ms[4], ms[6]]
        );
        assert!(item.speed >= 0);
        if words[0] % 2 == 1 {
            assert_eq!(item.speed, i32::try_from(words[0]).unwrap_or(i32::MAX));
        }
        let model = model.to_bytes();
        assert!(
            model == b"unknown"
                || model.is_empty()
                || described.windows(model.len()).any(|part| part == model)
        );
        if let Some(models) = &models {
            let own = models
                .iter()
                .find(|&&(index, _)| index == words[0])
                .map_or(b"unknown".as_slice(), |cpu| cpu.1);
            assert_eq!(model, own);
        }
    }
    // SAFETY: made by `build`.
    unsafe { uv::mem::free(items.cast()) };
}

fn check_memory(text: &[u8]) {
    const NAME: &[u8] = b"MemFree:";
    let line = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(NAME));
    let word = line.and_then(|line| line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty()));
    let kib = word.and_then(|word| str::from_utf8(word).ok()?.parse::<u64>().ok());
    let expected = kib.and_then(|kib| kib.checked_mul(1024)).filter(|&bytes| bytes > 0);
    assert_eq!(memory::told_in(text, NAME), expected);
}

fn check_decimals(text: &[u8]) {
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let expected = words.map(|word| str::from_utf8(word).ok().and_then(|word| word.parse::<f64>().ok()));
    let bits = |number: Option<f64>| number.map(f64::to_bits);
    assert!(host::decimals(text).map(bits).eq(expected.map(bits)));
}

fuzz_target!(|data: &[u8]| {
    let mut files = data.splitn(2, |&byte| byte == 0);
    let (stat, rest) = (files.next().unwrap_or_default(), files.next().unwrap_or_default());
    let described: Vec<u8> = rest.iter().copied().filter(|&byte| byte != 0).collect();
    check_cpus(stat, &described);
    check_memory(data);
    check_decimals(data);
});
