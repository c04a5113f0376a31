//! MAPI values: tags, types, property bags and owned messages. No input or output.

pub mod codepage;
mod cursor;
pub mod distlist;
pub mod fast_transfer;
pub mod goid;
pub mod iso2022;
pub mod lid;
pub mod message;
pub mod named;
pub mod namemap;
pub mod ole;
pub mod ptype;
pub mod recurrence;
pub mod reminder;
pub mod role;
pub mod rtf;
pub mod singlebyte;
pub mod subject;
pub mod tag;
pub mod time;
pub mod timezone;
pub mod value;
pub mod warning;
pub mod wide;

pub use lid::Lid;
pub use message::{Attachment, MAX_DEPTH, Message};
pub use named::{Guid, Name, NamedProp};
pub use ptype::PropType;
pub use role::Role;
pub use tag::PropTag;
pub use value::{Blob, Chain, Prop, PropBag, Stream, Value};
pub use warning::{Code, Warning};
