//! Message ports: the threads of a program talk through them. No system call here; waking is `event_loop::wakeup`'s.

pub mod port;
