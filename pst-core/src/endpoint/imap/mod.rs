//! IMAP (RFC 3501, RFC 9051): a client that only reads, and the source over it.
//!
//! The layers, from the wire up: [`wire`] frames lines and literals, [`token`] walks over them, [`response`] and
//! [`fetched`] take what they understand. No strict parser stands before a message.

pub mod fetched;
pub mod response;
pub mod token;
pub mod wire;
