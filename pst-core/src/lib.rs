//! Personal Folders files (PST, OST): reading, writing, judging, and mail to and from them.
//!
//! The layers, from the disk up; each uses only those below it:
//!
//! - [`io`]: files read from many threads, new files that appear only when they are whole;
//! - [`ndb`]: nodes and blocks ([MS-PST] 2.2); the three on-disk layouts end here;
//! - [`ltp`]: heaps, property and table contexts ([MS-PST] 2.3);
//! - [`messaging`]: stores, folders and messages ([MS-PST] 2.4), read and written;
//! - [`check`]: the rules that a strict reader applies;
//! - [`salvage`]: what is left of damaged files;
//! - [`mapi`]: property values, without input or output;
//! - [`mime`]: messages in MIME form to MAPI and back;
//! - [`pipeline`]: sources, sinks, and the run between them;
//! - [`endpoint`]: the systems that mail comes from and goes to.
//!
//! ```no_run
//! // Every subject of a PST.
//! let store = pst_core::messaging::Store::open("mailbox.pst")?;
//! let mut errors = Vec::new();
//! for folder in store.folders(&mut errors) {
//!     for listed in store.contents(folder.nid, false, &mut errors) {
//!         println!("{}", store.summary(listed.nid)?.subject);
//!     }
//! }
//! # Ok::<(), pst_core::Error>(())
//! ```

pub mod check;
pub mod endpoint;
pub mod error;
pub mod io;
pub mod ltp;
pub mod mapi;
pub mod messaging;
pub mod mime;
pub mod ndb;
pub mod pipeline;
pub mod salvage;
mod simd;

pub use error::{Error, Kind, Result};
