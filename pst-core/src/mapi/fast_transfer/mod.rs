//! One item as Exchange exports and imports it: the opaque data of EWS ExportItems and UploadItems and of the mailbox
//! import and export of Graph.
//!
//! Records (`container`, `records`) carry the chunks of a FastTransfer stream ([MS-OXCFXICS] 2.2.4): properties
//! (`form`, `value`), and markers between them that say what they belong to (`marker`). [`encode`] leaves out what a
//! server says by itself ([`LEFT_OUT`]).

mod container;
mod decode;
mod encode;
mod form;
mod marker;
mod records;
mod rules;
mod value;

pub use container::{CHUNK, Version};
pub use decode::{Decoded, decode};
pub use encode::{Options, encode, length, measure};
pub use rules::{LEFT_OUT, Part, left_out};

use super::{PropTag, PropType};

/// A string in UTF-16LE, by the type of code page 1200. Exchange's own exports have strings in this type;
/// PtypString is only known from the specification ([MS-OXCFXICS] 2.2.4.1.1.1).
const UTF_16: u16 = 0x84B0;
/// The bit of types that name a code page.
const PAGED: u16 = 0x8000;
/// PtypServerId.
const SERVER_ID: u16 = 0x00FB;
/// PidTagRowid: the place of a recipient.
const ROW_ID: PropTag = PropTag(0x3000_0003);

/// Bytes of one value, or element of a multi-valued property, of a type of fixed size.
fn fixed_size(ty: u16) -> Option<usize> {
    match ty & !PropType::MULTI {
        PropType::BOOLEAN => Some(2),
        single => PropType(single).fixed_size(),
    }
}

/// True for the multi-valued types of [MS-OXCDATA] 2.11.1.
fn is_multi(ty: u16) -> bool {
    const SINGLE: [u16; 12] = [
        PropType::INTEGER16,
        PropType::INTEGER32,
        PropType::FLOATING32,
        PropType::FLOATING64,
        PropType::CURRENCY,
        PropType::FLOATING_TIME,
        PropType::INTEGER64,
        PropType::STRING8,
        PropType::STRING,
        PropType::TIME,
        PropType::GUID,
        PropType::BINARY,
    ];
    SINGLE.iter().any(|single| PropType::MULTI | single == ty)
}

/// Bytes of the zero that ends a string of a type, in a stream.
fn terminator(ty: u16) -> &'static [u8] {
    match ty {
        PropType::STRING | UTF_16 => &[0, 0],
        PropType::STRING8 => &[0],
        _ => &[],
    }
}
