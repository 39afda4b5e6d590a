//! The machine's face: what a program asks of the system without a loop. One file per subject; system calls are made right here.

pub mod caller_buffer;
pub mod cgroup;
pub mod clock;
pub mod cpu_info;
pub mod descriptor;
pub mod dl;
pub mod environment;
pub mod error_text;
pub mod folders;
pub mod host;
pub mod idna;
pub mod inet;
pub mod interfaces;
pub mod memory;
pub mod parallelism;
pub mod pid;
pub mod scheduling;
pub mod title;
pub mod usage;
pub mod users;
pub mod wtf8;
