//! Builders of heaps, BTHs, property and table contexts ([MS-PST] 2.3).

pub mod heap;
pub mod pc;
pub mod tc;
mod tc_change;
pub mod value;

pub use heap::HeapBuilder;
pub use pc::PcBuilder;
pub use tc::{Col, TableBuilder, TableLayout};
