//! Files: reading at any offset from many threads, and new files that appear only when they are whole.

pub mod commit;
pub mod input;
pub mod output;
pub mod spool;

pub use commit::{NewFile, remove_unfinished};
pub use input::{Input, open_file};
pub use output::Output;
pub use spool::Spool;
