//! Files: reading at any offset from many threads, new files that appear only when they are whole, and files changed in
//! place.

pub mod commit;
pub mod in_place;
pub mod input;
pub mod output;
mod room;
pub mod spool;

pub use commit::{NewFile, remove_unfinished};
pub use in_place::{HeldFile, InPlace};
pub use input::{Input, open_file};
pub use output::Output;
pub(crate) use room::room;
pub use spool::Spool;
