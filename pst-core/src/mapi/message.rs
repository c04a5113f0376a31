//! Owned items: a message with its recipients and attachments.

use super::value::PropBag;

/// Embedded messages deeper than this stay raw ([`Attachment::embedded`] is then `None`).
pub const MAX_DEPTH: usize = 64;

/// Bits of PidTagMessageFlags ([MS-OXCMSG] 2.2.1.6).
#[allow(missing_docs, reason = "the names are the specification's")]
pub mod flag {
    pub const READ: i32 = 0x1;
    pub const UNMODIFIED: i32 = 0x2;
    pub const SUBMITTED: i32 = 0x4;
    pub const UNSENT: i32 = 0x8;
    pub const HAS_ATTACH: i32 = 0x10;
    pub const FROM_ME: i32 = 0x20;
    pub const ASSOCIATED: i32 = 0x40;
    pub const NOTIFY_READ: i32 = 0x100;
    pub const NOTIFY_UNREAD: i32 = 0x200;
}

/// Values of PidTagAttachMethod ([MS-OXCMSG] 2.2.2.9).
#[allow(missing_docs, reason = "the names are the specification's")]
pub mod attach_method {
    pub const NONE: i32 = 0;
    pub const BY_VALUE: i32 = 1;
    pub const BY_REFERENCE: i32 = 2;
    pub const BY_REFERENCE_RESOLVE: i32 = 3;
    pub const BY_REFERENCE_ONLY: i32 = 4;
    pub const EMBEDDED: i32 = 5;
    pub const OLE: i32 = 6;
    pub const BY_WEB_REFERENCE: i32 = 7;
}

/// A message, or any other item: its properties, recipients and attachments.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// The properties of the item itself.
    pub props: PropBag,
    /// One bag per recipient row, in order.
    pub recipients: Vec<PropBag>,
    /// The attachments, in order.
    pub attachments: Vec<Attachment>,
}

/// An attachment: its properties, and the message inside it where there is one.
#[derive(Debug, Clone, Default)]
pub struct Attachment {
    /// The properties, data included (by value or OLE).
    pub props: PropBag,
    /// The embedded message of method 5.
    pub embedded: Option<Box<Message>>,
}
