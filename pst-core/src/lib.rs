//! Personal Folders files (PST, OST): reading, writing, judging, and mail to and from them.

pub mod endpoint;
pub mod error;
pub mod io;
pub mod ltp;
pub mod mapi;
pub mod messaging;
pub mod mime;
pub mod ndb;
pub mod pipeline;

pub use error::{Error, Kind, Result};
