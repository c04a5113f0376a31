//! Personal Folders files (PST, OST): reading, writing, judging, and mail to and from them.

pub mod check;
pub mod error;
pub mod io;
pub mod mapi;
pub mod ndb;
pub mod pipeline;

pub use error::{Error, Kind, Result};
