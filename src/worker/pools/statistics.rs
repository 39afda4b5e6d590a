//! What a pool counts, under its mutex. Waits are sorted into four classes per power of two, from which their percentiles come.

use crate::abi::uvx_pool_stats_t;

const CLASSES: usize = 256;

/// See the module.
pub struct Statistics {
    pub queued: u64,
    pub begun: u64,
    pub done: u64,
    pub cancelled: u64,
    pub busy: u32,
    most_busy: u32,
    most_waiting: usize,
    wait_total: u64,
    wait_max: u64,
    classes: [u64; CLASSES],
}

impl Default for Statistics {
    fn default() -> Self {
        Statistics {
            queued: 0,
            begun: 0,
            done: 0,
            cancelled: 0,
            busy: 0,
            most_busy: 0,
            most_waiting: 0,
            wait_total: 0,
            wait_max: 0,
            classes: [0; CLASSES],
        }
    }
}

impl Statistics {
    /// A job begins, after it has waited for so many ns.
    pub fn begin(&mut self, waited: u64) {
        self.begun += 1;
        self.busy += 1;
        self.most_busy = self.most_busy.max(self.busy);
        self.wait_total = self.wait_total.saturating_add(waited);
        self.wait_max = self.wait_max.max(waited);
        if let Some(class) = self.classes.get_mut(class_of(waited)) {
            *class += 1;
        }
    }

    /// A job is done.
    pub fn end(&mut self) {
        self.done += 1;
        self.busy -= 1;
    }

    /// So many wait.
    pub fn wait(&mut self, waiting: usize) {
        self.most_waiting = self.most_waiting.max(waiting);
    }

    /// Its part of what `uvx_pool_stats` says.
    pub fn fill(&self, stats: &mut uvx_pool_stats_t) {
        stats.busy = self.busy;
        stats.most_busy = self.most_busy;
        stats.most_waiting = self.most_waiting;
        stats.queued = self.queued;
        stats.begun = self.begun;
        stats.done = self.done;
        stats.cancelled = self.cancelled;
        stats.wait_total_ns = self.wait_total;
        stats.wait_max_ns = self.wait_max;
        stats.wait_p50_ns = self.percentile(50);
        stats.wait_p99_ns = self.percentile(99);
    }

    /// So many of a hundred waited at most as long; 0: none waited at all.
    fn percentile(&self, percent: u64) -> u64 {
        let wanted = self.begun - self.begun * (100 - percent) / 100;
        let mut seen = 0;
        for (class, count) in self.classes.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return end_of(class).min(self.wait_max);
            }
        }
        0
    }
}

/// The class of a wait: its highest three bits.
fn class_of(ns: u64) -> usize {
    let Some(log) = ns.checked_ilog2().filter(|log| *log >= 2) else { return ns as usize }; // below 4
    (log as usize) << 2 | ((ns >> (log - 2)) & 3) as usize
}

/// The longest wait of a class.
fn end_of(class: usize) -> u64 {
    if class < 8 {
        return class as u64;
    }
    let (log, step) = (class >> 2, (class & 3) as u64);
    ((5 + step) << (log - 2)).wrapping_sub(1) // the last class ends where the numbers do
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_say() {
        for ns in (0..100_000).chain((0..64).map(|bit| u64::MAX >> bit)) {
            let class = class_of(ns);
            assert!(class < CLASSES && end_of(class) >= ns, "{ns}");
            assert!(end_of(class) - ns <= ns / 4, "{ns}");
            assert!(class <= 8 || end_of(class - 1) < ns, "{ns}");
        }
    }

    #[test]
    fn percentiles() {
        let mut statistics = Statistics::default();
        assert_eq!(statistics.percentile(50), 0);
        for ns in 1..=1000 {
            statistics.begin(ns);
        }
        assert!((500..=640).contains(&statistics.percentile(50)));
        assert!((990..=1000).contains(&statistics.percentile(99)));
        assert_eq!(statistics.most_busy, 1000);
    }
}
