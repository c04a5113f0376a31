//! Files: reading at any offset from many threads, positioned writing, and the atomic commit.

pub mod input;

pub use input::Input;
