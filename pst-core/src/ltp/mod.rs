//! Lists, Tables and Properties: heaps, B-trees on heaps, property and table contexts ([MS-PST] 2.3).

pub mod bth;
pub mod build;
pub mod heap;
pub mod pc;
pub mod tc;

pub use heap::Heap;
pub use pc::PropContext;
pub use tc::TableContext;
