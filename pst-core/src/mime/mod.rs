//! Mail in MIME form to MAPI messages and back ([MS-OXCMAIL]).
//!
//! [`to_mapi`] keeps the header as it stands (PidTagTransportMessageHeaders) and derives the properties that Outlook
//! works with. [`from_mapi`] writes the stored header again where there is one, and generates one where there is none.

mod address;
mod attach;
pub mod calendar;
mod carried;
pub mod charset;
pub mod contact;
pub mod date;
mod describe;
mod describe_class;
mod encode;
mod encoded;
pub mod exchange;
mod fields;
mod from_mapi;
mod header;
mod joined;
mod kept;
mod label;
pub mod large;
mod legacy;
mod lines;
mod meeting;
mod outattach;
mod outbody;
mod outcomponent;
mod outfield;
mod outheader;
mod outobject;
mod outreport;
mod outrich;
mod outside;
mod quiet;
mod report;
mod residue;
mod select;
mod state;
mod text;
pub mod tnef;
mod to_mapi;
mod transfer;
mod uu;
mod view;
mod voice;

use crate::mapi::{Message, tag};

pub use from_mapi::{Options, from_mapi};
pub use kept::{ImportOptions, kept_mime};
pub use meeting::Calendar;
pub use quiet::Quiet;
pub use state::{State, delivery_time, state_of, update};
pub use to_mapi::{Converted, to_mapi, to_mapi_large};
pub use view::{Data, File, Person, View, view};

/// A Content-ID, or what follows `cid:` in HTML, in the form in which the two compare.
pub fn content_id(text: &str) -> String {
    attach::content_id(text)
}

/// The text of HTML.
pub fn text_of_html(html: &str) -> String {
    mail_parser::html_to_text(html)
}

/// The text of an unstructured header value, its encoded words decoded.
pub fn header_text(value: &str) -> String {
    header::words(value, &mut Vec::new())
}

/// What an item is called: its subject, or the name of a contact or list.
pub fn title_of(message: &Message) -> String {
    let shown = || text::some(&message.props, tag::DISPLAY_NAME, text::page(&message.props));
    text::subject(&message.props).filter(|s| !s.is_empty()).or_else(shown).unwrap_or_default()
}
