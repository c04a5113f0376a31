//! The Node Database: nodes, blocks, pages and their B-trees ([MS-PST] 2.2).

pub mod crc;
pub mod crypt;
pub mod disk;
pub mod id;

pub use crypt::Crypt;
pub use id::{Bid, Nid, nid_type};
