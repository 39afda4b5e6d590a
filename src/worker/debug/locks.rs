//! What the debug port says of named locks.

use crate::ds::json;
use crate::ds::text::Text;
use crate::event_loop::Loop;
use crate::worker::locks;
use core::array;
use core::fmt::{Result, Write};

/// So many locks are shown one by one.
const MOST: usize = 64;

/// So many bytes of a name are shown.
const NAME_SIZE: usize = 64;

/// What is known of all locks, copied while nothing happened to them.
pub struct Facts {
    names: usize,
    held: usize,
    waiting: usize,
    first: [Lock; MOST],
}

/// One that is held or waited for.
#[derive(Default)]
struct Lock {
    name: Text<{ NAME_SIZE + 1 }>,
    is_shared: bool,
    is_held: bool,
    /// 0: a thread's.
    loop_id: u64,
    tid: i32,
}

impl Facts {
    /// As things are now.
    pub fn now() -> Facts {
        let mut facts = Facts { names: 0, held: 0, waiting: 0, first: array::from_fn(|_| Lock::default()) };
        let mut last_name = None;
        locks::look(|seen, name| {
            if let Some(lock) = facts.first.get_mut(facts.held + facts.waiting) {
                let _ = lock.name.push(name.get(..NAME_SIZE).unwrap_or(name)); // there is room
                lock.is_shared = seen.shared != 0;
                lock.is_held = seen.held != 0;
                lock.tid = seen.tid;
                if !seen.loop_.is_null() {
                    // SAFETY: a loop is not closed while it has locks, and its number is for any thread to know.
                    lock.loop_id = unsafe { Loop::new(seen.loop_) }.census().id();
                }
            }
            facts.names += usize::from(last_name.replace(seen.name) != Some(seen.name)); // one name's come together
            facts.held += usize::from(seen.held != 0);
            facts.waiting += usize::from(seen.held == 0);
        });
        facts
    }

    /// As a JSON object.
    pub fn write(&self, out: &mut impl Write) -> Result {
        let Facts { names, held, waiting, .. } = self;
        write!(out, "{{\"names\":{names},\"held\":{held},\"waiting\":{waiting},\"first\":[")?;
        json::list(out, self.first.iter().take(held + waiting), |out, lock| lock.write(out))?;
        out.write_str("]}")
    }
}

impl Lock {
    fn write(&self, out: &mut impl Write) -> Result {
        let Lock { loop_id, tid, .. } = self;
        let mode = if self.is_shared { "shared" } else { "exclusive" };
        let state = if self.is_held { "held" } else { "waiting" };
        out.write_str("{\"name\":")?;
        json::string(out, self.name.as_bytes())?;
        write!(out, ",\"mode\":\"{mode}\",\"state\":\"{state}\",\"loop\":{loop_id},\"tid\":{tid}}}")
    }
}
