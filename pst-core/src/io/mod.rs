//! Files: reading at any offset from many threads, and new files that appear only when they are whole.

pub mod commit;
pub mod input;

pub use commit::NewFile;
pub use input::Input;
