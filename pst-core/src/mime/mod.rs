//! Mail in MIME form to MAPI messages and back ([MS-OXCMAIL]).
//!
//! [`to_mapi`] keeps the header as it stands (PidTagTransportMessageHeaders) and derives the properties that Outlook
//! works with. [`from_mapi`] writes the stored header again where there is one, and generates one where there is none.

mod address;
mod attach;
pub mod charset;
pub mod date;
mod fields;
mod header;
pub mod large;
mod select;
mod state;
mod text;
mod to_mapi;

pub use state::{State, delivery_time, state_of};
pub use to_mapi::{Converted, to_mapi, to_mapi_large};
