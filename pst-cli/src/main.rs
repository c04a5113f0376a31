//! The `pst` command.

fn main() {}
