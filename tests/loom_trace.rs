//! Every interleaving of a thread that traces with the writer that reads its two buffers: what is read is what was written, in order;
//! with nothing dropped all of it, and of what is dropped the count is exact; a place is never read and written at once.
//! `RUSTFLAGS="--cfg loom" cargo test --release --test loom_trace`
#![cfg(loom)]
#![allow(clippy::disallowed_types)] // the rules of the library, which this is not

mod model;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use uv::trace::handover::HandOver;

/// Words of a buffer, each of which is an event here.
const WORDS: usize = 2;

/// A queue without its memory: loom finds a place that is touched by both.
struct Queue {
    handover: HandOver,
    buffers: [[UnsafeCell<usize>; WORDS]; 2],
}

// SAFETY: who may touch which place is what is tested.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    fn new() -> Arc<Queue> {
        let buffers = std::array::from_fn(|_| std::array::from_fn(|_| UnsafeCell::new(0)));
        Arc::new(Queue { handover: HandOver::default(), buffers })
    }

    /// As `trace::queue::Queue::append`; false: the event was dropped. `dropped` counts what was dropped with it.
    fn append(&self, event: usize, drops_old: bool, dropped: &mut usize) -> bool {
        let (mut buffer, mut filled) = self.handover.position();
        if filled == WORDS {
            let mut has_room = self.handover.advance();
            if !has_room
                && drops_old
                && let Some(taken) = self.handover.discard()
            {
                *dropped += WORDS - taken; // only full buffers are left
                has_room = self.handover.advance();
                assert!(has_room, "the place is free now");
            }
            if !has_room {
                *dropped += 1;
                return false;
            }
            (buffer, filled) = self.handover.position();
        }
        // SAFETY: this is what is tested.
        self.buffers[buffer % 2][filled].with_mut(|word| unsafe { *word = event });
        self.handover.publish(filled + 1);
        true
    }
}

/// As `trace::queue::Queue::read`.
#[derive(Default)]
struct Reader {
    buffer: usize,
    word: usize,
    events: Vec<usize>,
}

impl Reader {
    /// Reads what there is of one buffer, at most `most` events; true if that was all of it.
    fn read(&mut self, queue: &Queue, most: usize) -> bool {
        let extent = queue.handover.claim();
        if self.buffer != extent.buffer {
            (self.buffer, self.word) = (extent.buffer, 0);
        }
        for _ in 0..most {
            if self.word == extent.end {
                break;
            }
            let word = &queue.buffers[self.buffer % 2][self.word];
            // SAFETY: this is what is tested.
            self.events.push(word.with(|word| unsafe { *word }));
            self.word += 1;
        }
        let is_all = extent.is_sealed && self.word == extent.end;
        queue.handover.release(self.buffer, self.word, is_all);
        is_all
    }

    fn read_all(&mut self, queue: &Queue) {
        while self.read(queue, usize::MAX) {}
    }
}

fn explore(drops_old: bool, events: usize, steps: &'static [usize]) {
    model::explore(move || {
        let queue = Queue::new();
        let writer = thread::spawn({
            let queue = queue.clone();
            move || {
                let mut reader = Reader::default();
                for most in steps {
                    reader.read(&queue, *most);
                }
                reader
            }
        });
        let (mut dropped, mut kept) = (0, Vec::new());
        for event in 1..=events {
            if queue.append(event, drops_old, &mut dropped) {
                kept.push(event);
            }
        }
        let mut reader = writer.join().unwrap();
        reader.read_all(&queue);
        assert!(reader.events.is_sorted_by(|a, b| a < b), "{:?}", reader.events);
        assert!(reader.events.iter().all(|event| kept.contains(event)), "{:?} of {kept:?}", reader.events);
        assert_eq!(reader.events.len() + dropped, events, "{:?}", reader.events);
        if !drops_old {
            assert_eq!(reader.events, kept);
        }
    });
}

#[test]
fn loom_trace_hands_over_in_order() {
    explore(false, 6, &[usize::MAX, usize::MAX]);
}

#[test]
fn loom_trace_with_parts_of_buffers() {
    explore(false, 5, &[1, 1, 1]);
}

#[test]
fn loom_trace_drops_the_old() {
    explore(true, 6, &[usize::MAX, usize::MAX]);
}

#[test]
fn loom_trace_drops_what_is_partly_read() {
    explore(true, 7, &[1, 1]);
}
