//! Containers. They know nothing of loops and handles, take raw pointers, and are written once.

pub mod buckets;
pub mod hash;
pub mod json;
pub mod pairing_heap;
pub mod queue;
pub mod text;
pub mod wheel;
