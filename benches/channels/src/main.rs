//! One-way throughput and ping-pong of Rust's channels with a boxed payload of 64 bytes.
//!
//! The loads are those of `benches/ports.c` and `benches/ports_baseline.c`: every message is one allocation made by the
//! sender and freed by the receiver, which blocks. Prints one line of key=value per measurement; the median of `ROUNDS`.
//! An argument picks the measurements whose names contain it.

use std::time::{Duration, Instant};

const MESSAGES: u64 = 1_000_000;
const PINGPONG: Duration = Duration::from_millis(500);
const ROUNDS: usize = 5;
const BOUND: usize = 1024;

type Message = Box<[u8; 64]>;

trait Sender: Clone + Send + 'static {
    fn send(&self, message: Message);
}

trait Receiver: Send + 'static {
    fn receive(&self) -> Option<Message>;
}

macro_rules! channel {
    ($sender:ty, $receiver:ty) => {
        impl Sender for $sender {
            fn send(&self, message: Message) {
                // Fails only once the receiver is gone, at the end of a run.
                let _ = <$sender>::send(self, message);
            }
        }
        impl Receiver for $receiver {
            fn receive(&self) -> Option<Message> {
                self.recv().ok()
            }
        }
    };
}

channel!(kanal::Sender<Message>, kanal::Receiver<Message>);
channel!(crossbeam_channel::Sender<Message>, crossbeam_channel::Receiver<Message>);
channel!(flume::Sender<Message>, flume::Receiver<Message>);

impl Sender for std::sync::mpsc::Sender<Message> {
    fn send(&self, message: Message) {
        let _ = Self::send(self, message);
    }
}

impl Sender for std::sync::mpsc::SyncSender<Message> {
    fn send(&self, message: Message) {
        let _ = Self::send(self, message);
    }
}

impl Receiver for std::sync::mpsc::Receiver<Message> {
    fn receive(&self) -> Option<Message> {
        self.recv().ok()
    }
}

fn payload(number: u64) -> Message {
    let mut bytes = [0; 64];
    bytes[..8].copy_from_slice(&number.to_ne_bytes());
    Box::new(bytes)
}

/// Messages per second from `producers` threads to one.
fn one_way<S: Sender, R: Receiver>(channel: fn() -> (S, R), producers: u64) -> f64 {
    let (sender, receiver) = channel();
    let start = Instant::now();
    let threads: Vec<_> = (0..producers)
        .map(|_| {
            let sender = sender.clone();
            std::thread::spawn(move || (0..MESSAGES / producers).for_each(|i| sender.send(payload(i))))
        })
        .collect();
    drop(sender);
    let mut received = 0u64;
    while let Some(message) = receiver.receive() {
        std::hint::black_box(&message);
        received += 1;
    }
    let elapsed = start.elapsed();
    threads.into_iter().for_each(|thread| thread.join().expect("a producer failed"));
    received as f64 / elapsed.as_secs_f64()
}

/// Round trips per second between two threads over two channels.
fn ping_pong<S: Sender, R: Receiver>(channel: fn() -> (S, R)) -> f64 {
    let (to_partner, partner_inbox) = channel();
    let (to_me, my_inbox) = channel();
    let partner = std::thread::spawn(move || {
        while let Some(message) = partner_inbox.receive() {
            to_me.send(message);
        }
    });
    let start = Instant::now();
    let mut rounds = 0u64;
    while start.elapsed() < PINGPONG {
        to_partner.send(payload(rounds));
        my_inbox.receive().expect("the partner failed");
        rounds += 1;
    }
    let elapsed = start.elapsed();
    drop(to_partner);
    partner.join().expect("the partner failed");
    rounds as f64 / elapsed.as_secs_f64()
}

/// Unless the first argument is there and not part of the name.
fn report(name: &str, measure: impl Fn() -> f64) {
    if std::env::args().nth(1).is_some_and(|wanted| !name.contains(&wanted)) {
        return;
    }
    let mut rates: Vec<f64> = (0..ROUNDS).map(|_| measure()).collect();
    rates.sort_by(f64::total_cmp);
    let (middle, least, most) = (rates[ROUNDS / 2], rates[0], rates[ROUNDS - 1]);
    println!("scenario={name} rate={middle:.0} min={least:.0} max={most:.0} ns={:.1}", 1e9 / middle);
}

fn report_all<S: Sender, R: Receiver>(name: &str, channel: fn() -> (S, R)) {
    report(&format!("{name}_oneway_1"), || one_way(channel, 1));
    report(&format!("{name}_oneway_2"), || one_way(channel, 2));
    report(&format!("{name}_pingpong"), || ping_pong(channel));
}

fn main() {
    report_all("kanal_unbounded", kanal::unbounded::<Message>);
    report_all("kanal_bounded", || kanal::bounded::<Message>(BOUND));
    report_all("crossbeam_unbounded", crossbeam_channel::unbounded::<Message>);
    report_all("crossbeam_bounded", || crossbeam_channel::bounded::<Message>(BOUND));
    report_all("flume_unbounded", flume::unbounded::<Message>);
    report_all("flume_bounded", || flume::bounded::<Message>(BOUND));
    report_all("std_unbounded", std::sync::mpsc::channel::<Message>);
    report_all("std_bounded", || std::sync::mpsc::sync_channel::<Message>(BOUND));
}
