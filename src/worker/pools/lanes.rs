//! What waits in a pool: a lane for each priority, and a heap of what is not due yet; and how much of each lane runs. Everything here happens under the pool's mutex.
//!
//! The most urgent lane is next, and in each lane the oldest job. So that nothing waits for ever, a lane whose first job was overtaken
//! [`PATIENCE`] times in a row is next before others. That is counted in jobs, not in time: which lane is next depends on what was
//! posted alone, and whoever posts urgent jobs loses at most one turn in so many to each lane below.

use super::job::{Job, LANES, Lane, Place};
use crate::ds::pairing_heap;
use core::ptr::null_mut;

/// How often a lane is overtaken at most.
const PATIENCE: u32 = 32;

/// See the module.
pub struct Lanes {
    low: Waiting,
    normal: Waiting,
    high: Waiting,
    /// The heap of those that are not due.
    delayed: *mut Job,
    delayed_count: usize,
    delayed_ever: u64,
}

/// The jobs of one priority, the oldest first.
struct Waiting {
    first: *mut Job,
    last: *mut Job,
    count: usize,
    /// How often the first was overtaken.
    overtaken: u32,
    /// How many were taken and are not finished.
    running: usize,
}

impl Default for Lanes {
    fn default() -> Self {
        const fn none() -> Waiting {
            Waiting { first: null_mut(), last: null_mut(), count: 0, overtaken: 0, running: 0 }
        }
        Lanes {
            low: none(),
            normal: none(),
            high: none(),
            delayed: null_mut(),
            delayed_count: 0,
            delayed_ever: 0,
        }
    }
}

impl Lanes {
    /// Puts a job at the end of its lane.
    ///
    /// # Safety
    /// The job is the caller's, and alive until it was taken or removed; so for all that is in here.
    pub unsafe fn push(&mut self, job: *mut Job) {
        // SAFETY: the caller's.
        unsafe {
            (*job).place = Place::Waiting;
            let lane = self.lane((*job).lane);
            (*job).previous = lane.last;
            (*job).next = null_mut();
            match lane.last.is_null() {
                true => lane.first = job,
                false => (*lane.last).next = job,
            }
            lane.last = job;
            lane.count += 1;
        }
    }

    /// Puts a job among those that are not due. True: it is the first of them that will be.
    ///
    /// # Safety
    /// As for `push`; its stamp says when it is due.
    pub unsafe fn delay(&mut self, job: *mut Job) -> bool {
        self.delayed_count += 1;
        self.delayed_ever += 1;
        // SAFETY: the caller's.
        unsafe {
            (*job).place = Place::Delayed;
            (*job).number = self.delayed_ever;
            self.delayed = pairing_heap::insert(self.delayed, job);
        }
        self.delayed == job
    }

    /// When the first of the delayed jobs is due.
    pub fn next_due(&self) -> Option<u64> {
        // SAFETY: what is in the heap is alive.
        unsafe { self.delayed.as_ref() }.map(|job| job.stamp)
    }

    /// Puts what is due into its lane, in the order in which it was due.
    pub fn promote(&mut self, now: u64) {
        while self.next_due().is_some_and(|due| due <= now) {
            let job = self.delayed;
            // SAFETY: the heap's root.
            unsafe {
                self.take_delayed(job);
                self.push(job);
            }
        }
    }

    /// Takes the next job, to run it.
    pub fn take(&mut self) -> Option<*mut Job> {
        let mut is_next = |lane: &Lane, least| {
            let lane = self.lane(*lane);
            lane.count > 0 && lane.overtaken >= least
        };
        let next = LANES.iter().find(|lane| is_next(lane, PATIENCE));
        let next = *next.or_else(|| LANES.iter().rev().find(|lane| is_next(lane, 0)))?;
        for lane in LANES.into_iter().filter(|lane| *lane < next) {
            let lane = self.lane(lane);
            lane.overtaken += u32::from(lane.count > 0);
        }
        let job = self.lane(next).first;
        self.lane(next).running += 1;
        // SAFETY: in its lane.
        unsafe { self.take_waiting(job) };
        Some(job)
    }

    /// A job of this lane that was taken is over.
    pub fn finish(&mut self, lane: Lane) {
        self.lane(lane).running -= 1;
    }

    /// Whether of the lanes from `least` on nothing waits or runs.
    pub fn are_done(&self, least: Lane) -> bool {
        let lanes = [(Lane::Low, &self.low), (Lane::Normal, &self.normal), (Lane::High, &self.high)];
        lanes.iter().all(|(lane, jobs)| *lane < least || jobs.count + jobs.running == 0)
    }

    /// Takes this job out; false: it is not in here.
    ///
    /// # Safety
    /// It was posted here, and is alive.
    pub unsafe fn remove(&mut self, job: *mut Job) -> bool {
        // SAFETY: the caller's.
        unsafe {
            match (*job).place {
                Place::Delayed => self.take_delayed(job),
                Place::Waiting => self.take_waiting(job),
                Place::Taken => return false,
            }
            (*job).place = Place::Taken;
        }
        true
    }

    /// Takes out one of the delayed jobs; None: there is none.
    pub fn pop_delayed(&mut self) -> Option<*mut Job> {
        let job = self.delayed;
        // SAFETY: the heap's root.
        (!job.is_null() && unsafe { self.remove(job) }).then_some(job)
    }

    /// Takes out one of the jobs that wait, the most urgent first; None: nothing waits.
    pub fn pop(&mut self) -> Option<*mut Job> {
        let job = LANES.iter().rev().map(|lane| self.lane(*lane).first).find(|job| !job.is_null())?;
        // SAFETY: in its lane.
        unsafe { self.take_waiting(job) };
        Some(job)
    }

    /// How many jobs wait in a lane.
    pub fn waiting_in(&mut self, lane: Lane) -> usize {
        self.lane(lane).count
    }

    /// How many jobs wait for a thread.
    pub fn waiting(&self) -> usize {
        self.low.count + self.normal.count + self.high.count
    }

    /// How many jobs are not due.
    pub fn delayed(&self) -> usize {
        self.delayed_count
    }

    /// The least stamp among the first of each lane.
    pub fn oldest(&self) -> Option<u64> {
        // SAFETY: what waits is alive.
        let stamps = [&self.low, &self.normal, &self.high].map(|lane| unsafe { lane.first.as_ref() });
        stamps.into_iter().flatten().map(|job| job.stamp).min()
    }

    fn lane(&mut self, lane: Lane) -> &mut Waiting {
        match lane {
            Lane::Low => &mut self.low,
            Lane::Normal => &mut self.normal,
            Lane::High => &mut self.high,
        }
    }

    /// # Safety
    /// The job is in the heap.
    unsafe fn take_delayed(&mut self, job: *mut Job) {
        // SAFETY: the caller's.
        self.delayed = unsafe { pairing_heap::remove(self.delayed, job) };
        self.delayed_count -= 1;
    }

    /// # Safety
    /// The job is in its lane.
    unsafe fn take_waiting(&mut self, job: *mut Job) {
        // SAFETY: the caller's; neighbours in a lane are alive.
        unsafe {
            let (next, previous) = ((*job).next, (*job).previous);
            let lane = self.lane((*job).lane);
            match previous.is_null() {
                true => {
                    lane.first = next;
                    lane.overtaken = 0;
                }
                false => (*previous).next = next,
            }
            match next.is_null() {
                true => lane.last = previous,
                false => (*next).previous = previous,
            }
            lane.count -= 1;
            (*job).place = Place::Taken;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::job::Order;
    use super::*;
    use core::mem::MaybeUninit;
    use core::ptr::null;

    fn jobs<const N: usize>(lanes: [Lane; N]) -> [MaybeUninit<Job>; N] {
        let mut jobs = [const { MaybeUninit::zeroed() }; N];
        for (job, lane) in jobs.iter_mut().zip(lanes) {
            let order = Order { run: None, done: None, home: null_mut(), lane };
            // SAFETY: zeroed memory, this test's own.
            unsafe { Job::set_up(job.as_mut_ptr(), null(), order, 0) };
        }
        jobs
    }

    #[test]
    fn urgent_first_and_in_order() {
        let mut jobs = jobs([Lane::Low, Lane::High, Lane::Normal, Lane::High, Lane::Low, Lane::Normal]);
        let at = jobs.as_mut_ptr().cast::<Job>();
        let mut lanes = Lanes::default();
        // SAFETY: the jobs stay in place to the end of the test.
        unsafe {
            for index in 0..6 {
                lanes.push(at.add(index));
            }
            assert!(lanes.remove(at.add(5)));
            assert!(!lanes.remove(at.add(5)));
            for expected in [1, 3, 2, 0, 4] {
                assert_eq!(lanes.take().map(|job| job.offset_from(at)), Some(expected));
            }
            assert!(lanes.take().is_none() && !lanes.are_done(Lane::High));
            for lane in [Lane::High, Lane::High, Lane::Normal] {
                lanes.finish(lane);
            }
            assert!(lanes.are_done(Lane::Normal) && !lanes.are_done(Lane::Low));
        }
    }

    #[test]
    fn each_lane_has_its_turn_at_last() {
        let mut jobs = jobs([Lane::Low, Lane::Normal, Lane::High]);
        let at = jobs.as_mut_ptr().cast::<Job>();
        let mut lanes = Lanes::default();
        let mut turns = [0; 3];
        // SAFETY: as above.
        unsafe {
            for index in 0..3 {
                lanes.push(at.add(index));
            }
            for turn in 1..=(PATIENCE + 2) * 10 {
                let job = lanes.take().unwrap();
                let index = job.offset_from(at) as usize;
                turns[index] += 1;
                assert!(index != 0 || turn > PATIENCE, "the least urgent came at once");
                lanes.push(job);
            }
        }
        assert!(turns[0] >= 9 && turns[1] >= 9 && turns[2] >= 30 * turns[0], "{turns:?}");
    }

    #[test]
    fn what_is_due_takes_its_place_in_line() {
        let mut jobs = jobs([Lane::Normal; 5]);
        let at = jobs.as_mut_ptr().cast::<Job>();
        let mut lanes = Lanes::default();
        // SAFETY: as above.
        unsafe {
            for (index, due) in [30, 10, 20, 10, 40].into_iter().enumerate() {
                (*at.add(index)).stamp = due;
                assert_eq!(lanes.delay(at.add(index)), index < 2);
            }
            assert!(lanes.remove(at.add(2)));
            lanes.promote(9);
            assert_eq!((lanes.next_due(), lanes.waiting(), lanes.delayed()), (Some(10), 0, 4));
            lanes.promote(30);
            assert_eq!((lanes.next_due(), lanes.oldest()), (Some(40), Some(10)));
            for expected in [1, 3, 0] {
                assert_eq!(lanes.take().map(|job| job.offset_from(at)), Some(expected));
            }
            assert_eq!(lanes.pop_delayed().map(|job| job.offset_from(at)), Some(4));
            assert_eq!(lanes.pop_delayed(), None);
        }
    }
}
