//! The systems that mail comes from and goes to, one module each, with its source and its sink.

pub mod pst;
pub mod roles;
