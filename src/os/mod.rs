//! The machine's face: what a program asks of the system without a loop. One file per subject; system calls are made right here.

pub mod cgroup;
pub mod clock;
pub mod environment;
pub mod error_text;
pub mod inet;
pub mod parallelism;
pub mod pid;
pub mod scheduling;
