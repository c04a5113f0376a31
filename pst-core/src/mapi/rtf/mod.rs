//! Rich text bodies: their compression ([MS-OXRTFCP]), the HTML and text inside them ([MS-OXRTFEX]), and RTF as HTML
//! and as plain text ([MSFT-RTF]).
//!
//! Nothing here fails: what is not understood is passed over, and what is odd about the compressed form is named.
//!
//! ```
//! use pst_core::mapi::rtf::{self, Origin};
//! let rtf = br"{\rtf1\ansi{\fonttbl{\f0\fswiss Arial;}}\f0 Hello \b world\b0\par}";
//! assert_eq!(rtf::decompress(&rtf::compress(rtf), 1 << 20).rtf, rtf);
//! assert_eq!(rtf::origin(rtf), Origin::Rich);
//! assert_eq!(rtf::to_text(rtf, &[]), "Hello world\r\n");
//! assert!(rtf::to_html(rtf, &[]).html.contains("Hello <b>world</b>"));
//! ```

mod block;
mod css;
mod encapsulated;
mod field;
mod font;
mod html;
mod lzfu;
mod pack;
pub mod picture;
mod reader;
mod rich;
mod table;
mod text;
mod token;

pub use encapsulated::{Origin, origin, unwrap};
pub use html::Html;
pub use lzfu::{Decompressed, Oddity, decompress};
pub use pack::compress;

/// What stands for an attachment at its place in a text (`\objattph`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placeholder {
    /// Its name.
    pub name: String,
    /// The Content-ID of a picture that can be shown there.
    pub cid: Option<String>,
}

/// An RTF text as HTML in UTF-8; `attached` are the attachments in the order of their places.
pub fn to_html(rtf: &[u8], attached: &[Placeholder]) -> Html {
    html::write(&rich::read(rtf), attached)
}

/// An RTF text as plain text with CRLF line ends; `attached` as in [`to_html`].
pub fn to_text(rtf: &[u8], attached: &[Placeholder]) -> String {
    text::write(&rich::read(rtf), attached)
}
