//! Every interleaving of threads that want a port with the one whose message takes it away: the owner's cells have one user at a
//! time, who sees what the one before has written.
//! `RUSTFLAGS="--cfg loom" cargo test --release --test loom_claim`
#![cfg(loom)]

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use uv::worker::claim::{NOBODY, User};

/// Numbers of threads.
const OWNER: usize = 10;
const OTHER: usize = 20;
const THIRD: usize = 30;

/// A port as far as its user matters. The model finds two who touch the cells at once.
#[derive(Default)]
struct Port {
    user: User,
    cells: UnsafeCell<u32>,
    /// The message with the port was published, or taken.
    posted: AtomicBool,
}

impl Port {
    fn touch(&self) {
        // SAFETY: this is what is tested.
        self.cells.with_mut(|cells| unsafe { *cells += 1 });
    }

    /// One call of a thread that does not have the port; whether it got it.
    fn use_once(&self, me: usize) -> bool {
        let claimed = self.user.claim(me).is_ok();
        if claimed {
            self.touch();
            self.user.release(me);
        }
        claimed
    }
}

// SAFETY: the cells have one user at a time; that is what is tested.
unsafe impl Send for Port {}
// SAFETY: as above.
unsafe impl Sync for Port {}

fn in_another_thread<R: 'static>(
    port: &Arc<Port>,
    run: impl FnOnce(&Port) -> R + 'static,
) -> thread::JoinHandle<R> {
    let port = port.clone();
    thread::spawn(move || run(&port))
}

#[test]
fn loom_claim_excludes() {
    loom::model(|| {
        let port = Arc::new(Port::default());
        let others = [OTHER, THIRD].map(|me| in_another_thread(&port, move |port| port.use_once(me)));
        port.use_once(OWNER);
        for other in others {
            other.join().unwrap();
        }
        assert!(port.use_once(OWNER), "nobody has it at the end");
    });
}

/// A post of a port that fails: the port comes back to nobody, as it was.
#[test]
fn loom_claim_against_a_post_that_fails() {
    loom::model(|| {
        let port = Arc::new(Port::default());
        let others = [OTHER, THIRD].map(|me| in_another_thread(&port, move |port| port.use_once(me)));
        if port.user.claim(OWNER).is_ok() {
            port.touch();
            port.user.depart();
            port.touch(); // what the post does to the port before it gives it back
            port.user.arrive(NOBODY);
        }
        for other in others {
            other.join().unwrap();
        }
        assert!(port.use_once(OWNER));
    });
}

/// The same with a port that is attached: it stays its owner's.
#[test]
fn loom_claim_of_an_attached_port() {
    loom::model(|| {
        let port = Arc::new(Port::default());
        port.user.claim(OWNER).unwrap();
        let other = in_another_thread(&port, |port| port.use_once(OTHER));
        port.user.depart();
        port.touch();
        port.user.arrive(OWNER);
        port.touch();
        assert!(!other.join().unwrap(), "it was never free");
        assert!(port.user.is(OWNER));
    });
}

/// The port is taken out of the message elsewhere, and used there.
#[test]
fn loom_claim_moves_with_a_message() {
    loom::model(|| {
        let port = Arc::new(Port::default());
        let receiver = in_another_thread(&port, |port| {
            if port.posted.load(Ordering::Acquire) {
                port.touch(); // what taking does to the port before anybody may use it
                port.user.arrive(NOBODY);
                port.use_once(OTHER);
            }
        });
        let third = in_another_thread(&port, |port| port.use_once(THIRD));
        if port.user.claim(OWNER).is_ok() {
            port.touch();
            port.user.depart();
            port.posted.store(true, Ordering::Release);
        }
        assert!(port.user.claim(OWNER) != Err(OWNER));
        receiver.join().unwrap();
        third.join().unwrap();
    });
}

/// A loop that takes a port over from the thread that attached it: that one's release does not strip it.
#[test]
fn loom_claim_is_passed_on() {
    loom::model(|| {
        let port = Arc::new(Port::default());
        port.user.claim(OWNER).unwrap();
        let other = in_another_thread(&port, |port| port.user.succeed(OWNER, OTHER));
        port.user.release(OWNER);
        assert_eq!(other.join().unwrap(), port.user.is(OTHER));
    });
}
